#!/usr/bin/env bats
# man.bats: the manual pages agree with the programs: options, variables,
# statuses, counters, columns, files, pages, settings of the examples.
# tests/lint looks at their form.

load helpers

setup() {
	cd "$ROOT" || return 1
	T=$BATS_TEST_TMPDIR
	clean_environment
}

# Compare two lists of words, one on a line, in any order.
#   usage: same WANTED GOT    files; says what is only in one of them
same() {
	sort -u "$1" -o "$1"
	sort -u "$2" -o "$2"
	[ -s "$1" ]
	diff --label "only in $1" --label "only in $2" -u0 "$1" "$2"
}

# Print the options of a program or of a command, from its help.
#   usage: options_of PROGRAM [COMMAND]
options_of() {
	"$BUILD/$1" ${2:+"$2"} --help </dev/null |
		grep -oE -- '--[a-z][a-z-]*'
}

# Print the commands of a program, if it has any.
commands_of() {
	"$BUILD/$1" --help </dev/null | sed -nE 's/^  ([a-z]+) .*/\1/p' |
		grep -vx help
}

# Print the options of a program from its manual: the items of the section that
# begins with this line.
#   usage: options_in PAGE SECTION
options_in() {
	sed -n "/^\.S[hs] $2\$/,/^\.S[hs] /p" "$1" |
		sed -nE 's/^\.It Fl -([a-z][a-z-]*).*/--\1/p'
}

# Print the variables of rowcast that these files name.
variables_in() {
	grep -ohE 'ROWCAST_[A-Z][A-Z_]*' "$@" | grep -vx ROWCAST_VERSION
}

@test "the manual of each program has the options of its --help, and no others" {
	local page n=0
	for page in docs/man/*.[18]; do
		options_of "$(basename "${page%.*}")" >"$T/help"
		options_in "$page" DESCRIPTION >"$T/manual"
		echo "$page:"
		same "$T/help" "$T/manual"
		n=$((n + 1))
	done
	[ "$n" -ge 2 ]
}

@test "the manual has the options of each command's --help, and no others" {
	local page program command
	for page in docs/man/*.1; do
		program=$(basename "${page%.*}")
		options_of "$program" >"$T/common"
		for command in $(commands_of "$program"); do
			options_of "$program" "$command" | cat "$T/common" - >"$T/help"
			options_in "$page" "$command" | cat "$T/common" - >"$T/manual"
			echo "$program $command:"
			same "$T/help" "$T/manual"
		done
	done
}

@test "there is a manual for each program" {
	local program n=0
	while read -r program; do
		ls docs/man/"$program".[18]
		n=$((n + 1))
	done < <(sed -nE 's/^(RESPONDER|PUBLISHER|COMMAND) := .*\///p' Makefile)
	[ "$n" -ge 2 ]
}

@test "the manuals name each variable that the sources read, and no others" {
	local sources
	mapfile -t sources < <(find lib fcgi cgi cli -name '*.c' 2>/dev/null)
	variables_in "${sources[@]}" >"$T/sources"
	variables_in docs/man/*.[178] >"$T/manuals"
	same "$T/sources" "$T/manuals"
}

@test "the manual of each program names each variable that the program reads" {
	variables_in fcgi/*.c >"$T/responder"
	variables_in docs/man/rowcast.fcgi.8 >"$T/manual"
	same "$T/responder" "$T/manual"
	variables_in cgi/*.c >"$T/publisher"
	variables_in docs/man/rowcast-publish.cgi.8 >"$T/manual"
	same "$T/publisher" "$T/manual"
}

# Variables of a request: of sources, and of a manual.
request_in() {
	grep -ohE '\b(form_)?var\(vars, "[A-Z_]+"' "$@" | cut -d '"' -f 2 |
		grep -vx GATEWAY_INTERFACE
}

request_of() {
	sed -n 's/^\.It Ev REQUEST_METHOD/REQUEST_METHOD/p' "$1" |
		sed 's/ , /\n/g'
}

@test "the manual of each program names the variables of a request, and no others" {
	local folder page
	for folder in fcgi cgi; do
		page=docs/man/rowcast.fcgi.8
		[ "$folder" = fcgi ] || page=docs/man/rowcast-publish.cgi.8
		request_in "$folder"/*.c >"$T/sources"
		request_of "$page" >"$T/manual"
		echo "$page:"
		same "$T/sources" "$T/manual"
	done
}

@test "rowcast-publish.cgi(8) names the headers of a preflight as they are" {
	local header n=0
	while read -r header; do
		echo "$header"
		grep -qE "^\\.Li $header( [,.])?\$" docs/man/rowcast-publish.cgi.8
		n=$((n + 1))
	done < <(sed -n '/^static const char preflight/,/;/p' cgi/answer.c |
		sed -nE 's/.*"(.*)\\r\\n".*/\1/p')
	[ "$n" -eq 3 ]
}

# The statuses of refusals: of sources, and of a manual.
statuses_of() {
	grep -hoE '(problem_set|stop)\([^,]+, [0-9]+|\? [0-9]+ : [0-9]+' \
		"$@" | grep -oE '\b[45][0-9]{2}\b'
}

statuses_in() {
	sed -nE 's/^\.It ([45][0-9]{2})$/\1/p' "$1"
}

@test "the manual of each program has the statuses of its refusals, and no others" {
	local folder page
	for folder in fcgi cgi; do
		page=docs/man/rowcast.fcgi.8
		[ "$folder" = fcgi ] || page=docs/man/rowcast-publish.cgi.8
		statuses_of "$folder"/*.c >"$T/sources"
		[ "$folder" = fcgi ] || statuses_of lib/body/*.c >>"$T/sources"
		statuses_in "$page" >"$T/manual"
		echo "$page:"
		same "$T/sources" "$T/manual"
	done
}

@test "the manual of each program names the counters of its report" {
	local source page
	for source in fcgi/hub.c cgi/main.c; do
		page=docs/man/rowcast.fcgi.8
		[ "$source" = fcgi/hub.c ] || page=docs/man/rowcast-publish.cgi.8
		sed -n '/"report:/,/;/p' "$source" |
			grep -oE '[a-z]+=%' | tr -d % >"$T/sources"
		grep '^\.It Li "report:' "$page" |
			grep -oE '[a-z]+=' >"$T/manual"
		echo "$page:"
		same "$T/sources" "$T/manual"
	done
}

@test "rowcast(7) names the columns that people write to, and no others" {
	local table
	needs sqlite3
	sqlite3 -bail "$T/log" <sql/schema.sql
	for table in events retention; do
		sqlite3 "$T/log" "SELECT name FROM pragma_table_info('$table')"
	done >"$T/schema"
	sed -nE 's/^\.It Sy ([a-z]+(_[a-z]+)*)$/\1/p' docs/man/rowcast.7 >"$T/manual"
	same "$T/schema" "$T/manual"
}

@test "rowcast(7) names each recipe, and no others" {
	find sql -name '*.sql' -printf '%f\n' >"$T/sql"
	grep -oE '[a-z-]+\.sql\b' docs/man/rowcast.7 >"$T/manual"
	same "$T/sql" "$T/manual"
}

@test "commands that feed a schema to sqlite3 have -bail" {
	grep -rhoE 'sqlite3 [^|;]*< ?[^ ]*(schema|publish-changes)\.sql' \
		README.md docs sql examples cli lib >"$T/told"
	[ "$(wc -l <"$T/told")" -ge 8 ]
	run ! grep -v -e ' -bail ' "$T/told"
}

# Where make install puts what lies in these folders.
@test "each installed file that a manual names exists" {
	local path name n=0
	while read -r path; do
		name=${path#/usr/local/*/rowcast/}
		echo "$path"
		# of "systemd/rowcast.*" the star is not in it
		compgen -G "packaging/$name*" || compgen -G "$name*" ||
			[ -e "$BUILD/$name" ] || [ -e "sql/$name" ]
		n=$((n + 1))
	done < <(grep -ohE '/usr/local/(libexec|share)/rowcast/[a-zA-Z0-9._/-]*[a-z]' \
		docs/man/*.[178] | sort -u)
	[ "$n" -ge 3 ]
}

@test "each page of rowcast that a manual refers to exists" {
	local name section n=0
	while read -r _ name section _; do
		echo "$name($section)"
		[ -e "docs/man/$name.$section" ]
		n=$((n + 1))
	done < <(grep -ohE 'Xr rowcast[^ ]* [0-9]' docs/man/*.[178])
	[ "$n" -ge 4 ]
}

@test "each page has its own name and section" {
	local page name
	for page in docs/man/*.[178]; do
		name=$(basename "${page%.*}")
		grep -qx "\.Dt ${name^^} ${page##*.}" "$page"
		grep -qx "\.Nm $name" "$page"
	done
}

# The settings that rowcast(7) explains for one web server.
#   usage: settings_of SECTION
settings_of() {
	sed -n "/^\.Ss $1\$/,/^\.Ss /p" docs/man/rowcast.7 | grep '^\.It Cm' |
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
		cat packaging/systemd/* | grep -q "^$setting" ||
			[ "$setting" = StateDirectoryMode ]
	done
}

# The constant parts of the diagnostics that a manual quotes, one a line.  What
# SQLite and the system add in between is left out.
diagnostics_in() {
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh /s/^\.It Li "\([^"]*\)".*/\1/p' "$1" |
		sed -E -e 's/: /\n/g' |
		sed -E -e 's/(Too many )?open files;?|rowcast\.fcgi|--[a-z-]+/\n/g' \
			-e 's/\.\.\.|\b(ADDRESS|CALL|FOLDER|MAX|MIN|N|NAME|PATH)\b/\n/g' \
			-e 's/\b(ROWCAST_DB|TABLE|VALUE)\b|[a-z]*=\n|[a-z]*=ID|[0-9]+/\n/g' |
		sed -e "s/'//g" -e 's/^[ ;]*//' -e 's/[ ;]*$//' |
		grep -E '.{8}' | grep -vx \
			-e 'unable to open database file' -e 'database is locked' \
			-e 'attempt to write a readonly database' \
			-e 'file is not a database' -e interrupted \
			-e 'database disk image is malformed' \
			-e 'Address already in use' -e 'Permission denied'
}

@test "the diagnostics that a manual quotes are those of the sources" {
	local text n=0
	find lib fcgi cgi -name '*.c' -exec cat {} + | tr '\n' ' ' |
		sed -E -e 's/"[[:blank:]]*"//g' -e "s/'//g" >"$T/sources"
	while read -r text; do
		echo "$text"
		grep -qF -- "$text" "$T/sources"
		n=$((n + 1))
	done < <(diagnostics_in docs/man/rowcast.fcgi.8
		diagnostics_in docs/man/rowcast-publish.cgi.8)
	[ "$n" -ge 20 ]
}

@test "the commands of UPGRADE make a log anew, with its events" {
	local events='SELECT topic, event, data, retry_ms, key
		FROM events ORDER BY id'
	needs sqlite3
	# another table has made sqlite_sequence
	sqlite3 "$T/events.db" 'CREATE TABLE mine(id INTEGER PRIMARY KEY AUTOINCREMENT)'
	sed 's/ AUTOINCREMENT,/,/' sql/schema.sql | sqlite3 -bail "$T/events.db"
	sqlite3 "$T/events.db" "
		INSERT INTO events(topic, data, key) VALUES('a', 'x', NULL),
			('b', 'y', 'k'), ('c', 'z', NULL)" "$events" >"$T/was"
	run "$BUILD/rowcast" stats --db "$T/events.db"
	[ "$status" -eq 1 ]
	sed -n '/^\.Sh UPGRADE/,/^\.Sh TROUBLE/p' docs/man/rowcast.7 |
		sed -n '/^cd /,/^\.Ed/{/^\.Ed/d;p;}' |
		sed -e "s|/var/lib/rowcast|$T|" \
			-e "s|/usr/local/share/rowcast|$ROOT/sql|" >"$T/run.sh"
	[ "$(wc -l <"$T/run.sh")" -eq 5 ]
	PATH=$BUILD:$PATH sh -eu "$T/run.sh"
	sqlite3 "$T/events.db" "$events" >"$T/is"
	same "$T/was" "$T/is"
	"$BUILD/rowcast" check --db "$T/events.db"
}
