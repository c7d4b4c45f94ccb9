#!/usr/bin/env bats
# install.bats: building without what is missing, the files that make install
# installs, and the paths in units and manual pages.

load helpers

setup() {
	needs make
	cd "$ROOT" || return 1
	# those of the build may be set for it alone
	unset "${!ROWCAST_@}" V NO_DEPS
	D=$BATS_TEST_TMPDIR/root
	unset MAKEFLAGS MFLAGS
}

# Run make on the present build.
#   usage: makes TARGET [VARIABLE=VALUE…]
makes() {
	make -s B="$BUILD" DESTDIR="$D" "$@"
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

# A file of root in the build folder would stop the next make of its user.
@test "make install writes nothing to the build folder, whatever the flags" {
	touch "$BATS_TEST_TMPDIR/before"
	makes install CC=nocc CFLAGS=-O0
	[ -x "$D/usr/local/bin/rowcast" ]
	[ -z "$(find "$BUILD" -newer "$BATS_TEST_TMPDIR/before" -name '*.[oa]')" ]
	[ -z "$(find "$BUILD/flags" "$BUILD/found" \
		-newer "$BATS_TEST_TMPDIR/before")" ]
}

@test "make install of what is not built, or too old, says: run make first" {
	local none=$BATS_TEST_TMPDIR/none old=$BATS_TEST_TMPDIR/old
	run ! make -s B="$none" DESTDIR="$D" install
	[[ $output == *"rowcast: $none is not up to date: run make first"* ]]
	[ ! -e "$none" ]
	mkdir "$old"
	cp -a "$BUILD"/{lib,fcgi,cgi,cli,*.a,*.h,flags,found,rowcast*} "$old"
	BUILD=$old makes install
	rm -r "$D"
	touch -d 2001-01-01 "$old/lib/warn.o"
	BUILD=$old run ! makes install
	[[ $output == *'is not up to date: run make first'* ]]
	[ ! -e "$D" ]
}

# ---- building ---------------------------------------------------------------

@test "each library that is missing is named, with its package" {
	local header fake=$BATS_TEST_TMPDIR/fake names n=0
	mkdir "$fake"
	for header in fcgiapp:libfcgi-dev sqlite3:libsqlite3-dev \
		unistr:libunistring-dev uv:libuv1-dev utlist:uthash-dev \
		seccomp:libseccomp-dev; do
		rm -f "$fake"/*
		echo '#error missing' >"$fake/${header%:*}.h"
		run ! make -s B="$BATS_TEST_TMPDIR/b" CPPFLAGS="-I$fake" all
		names=$(grep -oE '[a-z0-9]+\.h is missing|lib[a-z0-9]+-dev|uthash-dev' \
			<<<"$output" | paste -sd' ')
		echo "$names"
		[ "$names" = "${header%:*}.h is missing ${header#*:}" ]
		grep -q 'make deps' <<<"$output"
		n=$((n + 1))
	done
	[ "$n" -eq 6 ]
}

@test "without a compiler, one line says so" {
	run ! make -s B="$BATS_TEST_TMPDIR/b" CC=nocc all
	[[ $output == *'nocc fails; Debian has them in gcc and libc6-dev'* ]]
}

@test "V=1 prints the commands of the compiler" {
	local o=$BATS_TEST_TMPDIR/b/lib/warn.o
	run -0 make B="$BATS_TEST_TMPDIR/b" V=1 "$o"
	[[ $output == *"-std=c17"*"-o $o lib/warn.c"* ]]
	[[ $output != *'  CC '* ]]
	rm "$o"
	run -0 make B="$BATS_TEST_TMPDIR/b" V=0 "$o"
	[[ $output != *-std=c17* ]]
	[[ $output == *'  CC '* ]]
}

# apt-get and npm are replaced by programs that leave a trace.
@test "NO_DEPS=1 installs nothing, and programs that are missing are skipped" {
	local bin=$BATS_TEST_TMPDIR/bin program
	mkdir "$bin"
	for program in apt-get dpkg-query npm sudo; do
		printf '#!/bin/sh\ntouch "%s"\nexit 1\n' "$bin/used" >"$bin/$program"
	done
	chmod +x "$bin"/*
	run -0 env PATH="$bin:$PATH" NO_DEPS=1 make -n check
	[[ $output != *'npm ci'* ]]
	[[ $output != *-Werror* ]]
	for program in build run quick test clang lint fuzz bench; do
		run -0 env PATH="$bin:$PATH" NO_DEPS=1 scripts/install-deps "$program"
		[ -z "$output" ]
	done
	[ ! -e "$bin/used" ]
}

# Run a suite of one test with programs of coreutils alone.
#   usage: suite_without_programs COMMAND
suite_without_programs() {
	local bin=$BATS_TEST_TMPDIR/bin program
	mkdir -p "$bin"
	for program in bash sh env awk sed grep cat mktemp mkdir rm date dirname \
		timeout nproc echo sleep head tail; do
		ln -sf "$(type -P "$program")" "$bin/$program"
	done
	printf '#!%s\necho 1..1\n%s\n' "$bin/bash" "$1" >"$BATS_TEST_TMPDIR/suite"
	chmod +x "$BATS_TEST_TMPDIR/suite"
	PATH=$bin run tests/run tests/unit/test_text.c tests/man.bats \
		"$BATS_TEST_TMPDIR/suite"
}

@test "without bats, its suites are skipped, and unit tests run" {
	suite_without_programs 'echo ok 1'
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'tests/man.bats: 1..0 # SKIP bats is not installed'* ]]
	[[ ${lines[-1]} =~ ^[0-9]+' passed, 0 failed, 1 skipped'$ ]]
}
