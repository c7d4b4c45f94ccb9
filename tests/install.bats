#!/usr/bin/env bats
# install.bats: the files that make install installs, and the paths in units and
# manual pages.

load helpers

setup() {
	cd "$ROOT" || return 1
	D=$BATS_TEST_TMPDIR/root
	unset MAKEFLAGS MFLAGS
}

# Run make on the present build, without compiling.
#   usage: makes TARGET [VARIABLE=VALUE…]
makes() {
	make -s -o all B="$BUILD" DESTDIR="$D" "$@"
}

# Succeeds if the programs that the units under this folder start exist.
units_start() {
	local unit program n=0
	for unit in "$D$1"/rowcast/systemd/*.service; do
		program=$(sed -n 's/^ExecStart=//p' "$unit")
		echo "${unit##*/}: $program"
		[ -x "$D$program" ]
		n=$((n + 1))
	done
	[ "$n" -eq 2 ]
}

@test "units start the installed programs, in any folder" {
	makes install
	units_start /usr/local/share
	rm -rf "$D"
	makes install PREFIX=/usr
	units_start /usr/share
	rm -rf "$D"
	makes install PREFIX=/usr libexecdir=/usr/lib
	units_start /usr/share
}

@test "units and manual pages name only the folders of the installation" {
	local path n=0
	makes install PREFIX=/opt/here libexecdir=/opt/lib docdir=/opt/doc
	run ! grep -rF /usr/local/ "$D/opt/here/share/man" \
		"$D/opt/here/share/rowcast/systemd"
	while read -r path; do
		echo "$path"
		# of "systemd/rowcast.*" the star is not in it
		compgen -G "$D$path*"
		n=$((n + 1))
	done < <(grep -rohE '/opt/(here|lib|doc)/?[a-zA-Z0-9._/-]*[a-z]' \
		"$D/opt/here/share/man" | sort -u)
	[ "$n" -ge 8 ]
}

@test "with the default folders, units and manual pages are not changed" {
	makes install
	diff -r packaging/systemd "$D/usr/local/share/rowcast/systemd"
	cmp docs/man/rowcast.7 "$D/usr/local/share/man/man7/rowcast.7"
}

@test "all users may read the installed files" {
	umask 077
	makes install
	[ -z "$(find "$D/usr/local" -type f ! -perm -444)" ]
}

@test "uninstall removes the installed files and no others" {
	makes install PREFIX=/usr
	mkdir -p "$D/usr/share/rowcast"
	touch "$D/usr/share/rowcast/mine" "$D/usr/bin/other"
	makes uninstall PREFIX=/usr
	[ "$(find "$D" -type f | sort)" = \
		"$D/usr/bin/other"$'\n'"$D/usr/share/rowcast/mine" ]
}
