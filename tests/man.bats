#!/usr/bin/env bats
# man.bats: what the manual pages say and what there is are the same: options,
# variables, pages, settings of the examples.  tests/lint looks at their form.

bats_require_minimum_version 1.5.0
load helpers

setup() {
	cd "$ROOT" || return 1
	T=$BATS_TEST_TMPDIR
	for v in "${!ROWCAST_@}"; do unset "$v"; done
}

# Compare two lists of words, one on a line, in any order.
#   usage: same WANTED GOT    files; says what is only in one of them
same() {
	sort -u "$1" -o "$1"
	sort -u "$2" -o "$2"
	[ -s "$1" ]
	diff --label "only in $1" --label "only in $2" -u0 "$1" "$2"
}

# Options of a program, by its help.
#   usage: options_of PROGRAM
options_of() {
	"$BUILD/$1" --help </dev/null | grep -oE -- '--[a-z][a-z-]*'
}

# Options of a program, by its manual: what the list of options has an item for.
#   usage: options_in PAGE
options_in() {
	sed -nE 's/^\.It Fl -([a-z][a-z-]*).*/--\1/p' "$1"
}

# Variables of ours that these files name.
variables_in() {
	grep -ohE 'ROWCAST_[A-Z][A-Z_]*' "$@" | grep -vx ROWCAST_VERSION
}

@test "the manual of each program has the options of its --help, and no others" {
	local page program n=0
	for page in man/*.[18]; do
		program=$(basename "${page%.*}")
		options_of "$program" >"$T/help"
		options_in "$page" >"$T/manual"
		echo "$page:"
		same "$T/help" "$T/manual"
		n=$((n + 1))
	done
	[ "$n" -ge 2 ]
}

@test "there is a manual for each program" {
	local program n=0
	while read -r program; do
		ls man/"$program".[18]
		n=$((n + 1))
	done < <(sed -nE 's/^(RESPONDER|PUBLISHER) := .*\///p' Makefile)
	[ "$n" -eq 2 ]
}

# The responder makes the names of its variables out of those of its options.
responder_variables() {
	options_of rowcast.fcgi | grep -vxE -- '--(help|version)' |
		sed -e 's/^--/ROWCAST_/' -e 's/-/_/g' -e 's/_cors_origin$/&s/' |
		tr '[:lower:]' '[:upper:]'
}

@test "the manuals name each variable that the sources read, and no others" {
	local sources
	mapfile -t sources < <(find lib fcgi cgi -name '*.c')
	{
		responder_variables
		variables_in "${sources[@]}"
	} >"$T/sources"
	variables_in man/*.[178] >"$T/manuals"
	same "$T/sources" "$T/manuals"
}

@test "the manual of each program names each variable that the program reads" {
	responder_variables >"$T/responder"
	variables_in man/rowcast.fcgi.8 >"$T/manual"
	same "$T/responder" "$T/manual"
	variables_in cgi/*.c >"$T/publisher"
	variables_in man/rowcast-publish.cgi.8 >"$T/manual"
	same "$T/publisher" "$T/manual"
}

@test "each page of ours that a manual refers to is there" {
	local name section n=0
	while read -r _ name section _; do
		echo "$name($section)"
		[ -e "man/$name.$section" ]
		n=$((n + 1))
	done < <(grep -ohE 'Xr rowcast[^ ]* [0-9]' man/*.[178])
	[ "$n" -ge 4 ]
}

@test "each page says its own name and section" {
	local page name
	for page in man/*.[178]; do
		name=$(basename "${page%.*}")
		grep -qx "\.Dt ${name^^} ${page##*.}" "$page"
		grep -qx "\.Nm $name" "$page"
	done
}

# The settings that rowcast(7) explains for one web server.
#   usage: settings_of SECTION
settings_of() {
	sed -n "/^\.Ss $1\$/,/^\.Ss /p" man/rowcast.7 | grep '^\.It Cm' |
		sed -e 's/^\.It //' -e 's/ , /\n/g' |
		sed -n 's/^Cm \([^ ]*\).*/\1/p'
}

@test "each setting that rowcast(7) explains is in the example" {
	local server file setting n
	for server in lighttpd Apache nginx Caddy; do
		file=${server,,}-example.conf
		n=0
		for setting in $(settings_of "$server"); do
			echo "$file: $setting"
			grep -qF -- "$setting" "$file"
			n=$((n + 1))
		done
		[ "$n" -ge 3 ]
	done
	settings_of 'Systemd units' | while read -r setting; do
		echo "systemd: $setting"
		cat systemd/* | grep -q "^$setting" ||
			[ "$setting" = StateDirectoryMode ]
	done
}
