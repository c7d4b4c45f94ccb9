#!/usr/bin/env bats
# The rights that the programs drop before they serve.  tests/preload/escape.c
# acts as an attacker inside a program.  The other suites, which run with the
# sandbox, test that everything else works.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load stream

setup() {
	[ -z "${SAN:-}" ] || skip 'sanitizers want files and processes of their own'
	[ "$(uname -s)" = Linux ] || skip 'not Linux'
	site_new
	ESCAPE=$SITE/build/escape.so
	cp "$BUILD/tests/preload/escape.so" "$ESCAPE"
	# beside the folder of the log
	echo precious >"$SITE/build/precious"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$SITE/build/precious"
}

# Succeeds if the kernel has Landlock, as the responder reports.
has_landlock() {
	grep -q 'sandbox: landlock=[1-9]' "$LOGS"/*
}

needs_landlock() {
	start_responder
	kill -USR2 "$PID"
	eventually grep -q 'sandbox:' "$LOGS/responder"
	has_landlock || skip 'the kernel has no Landlock'
	stop "$PID"
}

# Succeeds if a process has dropped its rights.
#   usage: is_confined PID
is_confined() {
	grep -qx $'NoNewPrivs:\t1' "/proc/$1/status" &&
		grep -qx $'Seccomp:\t2' "/proc/$1/status"
}

# Print the processes of this name that were started here.
processes() {
	local pid
	for pid in "${STARTED[@]}"; do
		echo "$pid"
		descendants "$pid"
	done | while read -r pid; do
		[ "$(ps -o comm= -p "$pid")" != "${1:0:15}" ] || echo "$pid"
	done
}

# Run a program with escape.so, through env.
#   usage: escaping OUT-NAME COMMAND…
escaping() {
	local out=$SITE/build/$1
	shift
	start escape env LD_PRELOAD="$ESCAPE" ESCAPE_OUT="$out" \
		ESCAPE_FOLDER="$SITE/build/run" "$@"
}

tried() {
	[ "$(tail -n 1 "$SITE/build/$1" 2>/dev/null)" = over ]
}

# The attempts must have these results, "NAME ERROR" each, in any order.
#   usage: came_to OUT-NAME TABLE
came_to() {
	eventually tried "$1"
	sort <<<"$2"$'\nover' >"$T/want"
	sort "$SITE/build/$1" | diff "$T/want" -
}

# Attempts that must fail in a program that serves.
REFUSED='execve EPERM
execveat EPERM
clone EPERM
clone3 ENOSYS
ptrace EPERM
process_vm_readv EPERM
kill-group EPERM
setuid EPERM
unshare EPERM
setns EPERM
personality EPERM
prctl EPERM
io_uring_setup EPERM
bpf EPERM
keyctl EPERM
perf_event_open EPERM
userfaultfd EPERM
open_by_handle_at EPERM
mount EPERM
kexec_load EPERM
unknown ENOSYS
mmap-code EPERM
mprotect-code EPERM
memfd_create EPERM
futex-priority ENOSYS
limits-change ENOSYS
socket-inet EPERM
socket-inet6 EPERM
socket-netlink EPERM
pair-datagram ENOSYS
bind EPERM
listen EPERM
connect-fast EPERM
setsockopt ENOSYS
fcntl-setown ENOSYS
fcntl-setown-ex ENOSYS
fcntl-setsig ENOSYS
fcntl-async ENOSYS
fcntl-lease ENOSYS
fcntl-pipe-size ENOSYS
ioctl-async ENOSYS
ioctl-setown ENOSYS
ioctl-group ENOSYS
pipe-packets ENOSYS
read-passwd EACCES
read-environ EACCES
list-root EACCES
read-beside EACCES
write-beside EACCES
remove-beside EACCES
make-beside EACCES
make-setuid ENOSYS
make-writable ENOSYS
make-executable ENOSYS
make-nameless ENOSYS
fchmod-setuid ENOSYS
fchmod-writable ENOSYS
fchmod-readable ENOSYS
fchown ENOSYS
rename EPERM
link EPERM
chmod EPERM
symlink EPERM
mkdir EPERM
rmdir ENOSYS'

# Without --syslog, which has no sockets to make.
NO_SOCKETS='socket-unix EPERM
connect EPERM'

# Calls that the programs need.
ALLOWED='kill-self ok
limits-read ok
fcntl-nonblock ok
pipe ok
fchmod-group ok
mmap-data ok
mprotect-data ok
pair-stream ok
accept EINVAL
list-folder ok
make ok
remove ok'

# i386 makes calls on sockets by one call, whose arguments no filter sees, and
# its calls that map memory are two.  3 is the number of i386 in a program.
INET=EPERM
if [ "$(od -An -tu2 -j 18 -N 2 "$BUILD/rowcast.fcgi")" -eq 3 ]; then
	REFUSED=$(sed -e 's/^mmap-code .*/mmap-code ENOSYS/' \
		-e 's/^connect-fast .*/connect-fast ECONNREFUSED/' \
		-e 's/^pair-datagram .*/pair-datagram ok/' \
		-e 's/^setsockopt .*/setsockopt ok/' <<<"$REFUSED")
	INET=ok
fi

# ---- in force ---------------------------------------------------------------

@test "programs that lighttpd has started have dropped their rights" {
	serve
	post_with_token -d data=hi
	local pid n=0
	for pid in $(processes rowcast.fcgi) $(processes rowcast-publish.cgi); do
		eventually is_confined "$pid"
		n=$((n + 1))
	done
	[ "$n" -eq 2 ]
}

@test "programs without shared libraries serve, and have dropped their rights" {
	if [ ! -x "$BUILD/static/rowcast" ]; then
		cat "$BUILD/static.log"
		grep 'cannot find -l' "$BUILD/static.log"
		skip 'libraries for static programs are missing'
	fi
	cp "$BUILD"/static/rowcast* "$SITE/build/"
	run ldd "$SITE/build/rowcast.fcgi"
	[[ $output != *'=>'* ]]
	serve
	open_stream a
	post_with_token -d data=one
	[ "$STATUS" = 201 ]
	(as_site build/rowcast --db "$DB" publish two)
	brings a $'1 message one\n2 message two'
	local pid
	for pid in $(processes rowcast.fcgi) $(processes rowcast-publish.cgi); do
		eventually is_confined "$pid"
	done
}

@test "programs with their own socket have dropped their rights" {
	start_responder
	eventually is_confined "$RESPONDER_PID"
	start_publisher
	eventually is_confined "$PUBLISHER_PID"
	# and they can remove their sockets
	stop "$RESPONDER_PID" "$PUBLISHER_PID"
	run find "$SITE/build/run" -type s
	[ "$output" = '' ]
}

@test "io_uring, which bypasses the filter, is refused" {
	start_responder
	eventually is_confined "$RESPONDER_PID"
	run find "/proc/$RESPONDER_PID/fd" -lname '*io_uring*'
	[ "$output" = '' ]
}

@test "SIGUSR2 reports the sandbox" {
	start_responder
	start_publisher
	kill -USR2 "$RESPONDER_PID" "$PUBLISHER_PID"
	eventually grep -Eqx 'rowcast.fcgi: sandbox: landlock=[0-9]+ seccomp=1' \
		"$LOGS/responder"
	eventually grep -Eqx \
		'rowcast-publish.cgi: sandbox: landlock=[0-9]+ seccomp=1' \
		"$LOGS/publisher"
}

@test "--no-sandbox and ROWCAST_NO_SANDBOX=1 turn the sandbox off" {
	start_responder --no-sandbox
	ROWCAST_NO_SANDBOX=1 start_publisher
	local pid
	for pid in "$RESPONDER_PID" "$PUBLISHER_PID"; do
		grep -qx $'NoNewPrivs:\t0' "/proc/$pid/status"
		grep -qx $'Seccomp:\t0' "/proc/$pid/status"
	done
	kill -USR2 "$RESPONDER_PID" "$PUBLISHER_PID"
	eventually grep -qx 'rowcast.fcgi: sandbox: off' "$LOGS/responder"
	eventually grep -qx 'rowcast-publish.cgi: sandbox: off' "$LOGS/publisher"
}

# Start a program in which all but the first call that sends fail, as if the sandbox
# refused it.
#   usage: refusing PROGRAM
refusing() {
	cp "$BUILD/tests/preload/fail.so" "$SITE/build/"
	start refusing env LD_PRELOAD="$SITE/build/fail.so" FAIL=send \
		FAIL_AT=2 FAIL_COUNT=0 FAIL_ERRNO=38 \
		"build/$1" --db "$DB" --socket build/run/s.sock
	local status=0
	wait "$PID" || status=$?
	[ "$status" -eq 1 ]
	[[ "$(cat "$LOGS/refusing")" = "$1: sandbox: refuses send"*"(), which serving needs: start the program with --no-sandbox, and report the system and its libraries" ]]
	[ ! -e "$SITE/build/run/s.sock" ]
	run find "$SITE/build/run" -name '*start-*'
	[ "$output" = '' ]
}

@test "a program that could not serve once confined does not start" {
	refusing rowcast.fcgi
	: >"$LOGS/refusing"
	refusing rowcast-publish.cgi
}

# ---- refused calls ----------------------------------------------------------

@test "the responder: an attacker inside reaches only the folder of the log" {
	needs_landlock
	escaping out build/rowcast.fcgi --db "$DB" --socket build/run/r.sock
	came_to out "$REFUSED"$'\n'"$NO_SOCKETS"$'\n'"$ALLOWED"
	[ "$(cat "$SITE/build/precious")" = precious ]
	is_running "$PID"
}

@test "the publisher: an attacker inside reaches only the folder of the log" {
	needs_landlock
	escaping out build/rowcast-publish.cgi --db "$DB" \
		--socket build/run/p.sock
	came_to out "$REFUSED"$'\n'"$NO_SOCKETS"$'\n'"$ALLOWED"
	[ "$(cat "$SITE/build/precious")" = precious ]
	is_running "$PID"
}

@test "--syslog: local sockets, and no others" {
	needs_landlock
	escaping out build/rowcast.fcgi --db "$DB" --socket build/run/r.sock \
		--syslog
	local refused=${REFUSED/socket-inet EPERM/socket-inet $INET}
	refused=${refused/socket-inet6 EPERM/socket-inet6 $INET}
	came_to out "${refused/socket-netlink EPERM/socket-netlink $INET}
socket-unix ok
connect EBADF
$ALLOWED"
}

@test "as plain CGI: the same" {
	needs_landlock
	escaping publisher env -i LD_PRELOAD="$ESCAPE" \
		ESCAPE_OUT="$SITE/build/publisher" \
		ESCAPE_FOLDER="$SITE/build/run" ROWCAST_DB="$DB" \
		GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST CONTENT_LENGTH=6 \
		CONTENT_TYPE=text/plain ROWCAST_PUBLISH_OPEN=1 \
		build/rowcast-publish.cgi
	came_to publisher "$REFUSED"$'\n'"$NO_SOCKETS"$'\n'"$ALLOWED"
	escaping responder env -i LD_PRELOAD="$ESCAPE" \
		ESCAPE_OUT="$SITE/build/responder" \
		ESCAPE_FOLDER="$SITE/build/run" ROWCAST_DB="$DB" \
		GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET QUERY_STRING= \
		build/rowcast.fcgi
	came_to responder "$REFUSED"$'\n'"$NO_SOCKETS"$'\n'"$ALLOWED"
	[ "$(cat "$SITE/build/precious")" = precious ]
}

# The attempts are real.
@test "without a sandbox, the refused calls work or fail otherwise" {
	escaping out build/rowcast.fcgi --db "$DB" --socket build/run/r.sock \
		--no-sandbox
	eventually tried out
	grep -qx 'read-passwd ok' "$SITE/build/out"
	grep -qx 'clone ok' "$SITE/build/out"
	grep -qx 'socket-inet ok' "$SITE/build/out"
	[ "$(grep -c ' ok$' "$SITE/build/out")" -ge 30 ]
	# some need root, some may be missing on the machine
	run ! grep -vE '^(bpf|userfaultfd|perf_event_open|keyctl|mount|kexec_load|open_by_handle_at|io_uring_setup) ' \
		<(grep EPERM "$SITE/build/out")
}

# ---- the folder of the log --------------------------------------------------

@test "a log at a symbolic link, and in a linked folder" {
	mkdir "$SITE/build/real"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$SITE/build/real"
	ln -s ../real/events.db "$DB"
	as_site ln -s real "$SITE/build/current" & wait "$!"
	serve
	open_stream a since=0
	post_with_token -d data=one
	eventually got a 'data: one'
	[ -s "$SITE/build/real/events.db" ]
	# a file in the place of the link
	rm "$DB"
	post_with_token -d data=two
	[ "$STATUS" = 201 ]
	eventually got a 'event: stream-reset'
	stop "$SERVER_PID"
	rm -f "$SITE"/build/run/*.sock*
	start_responder --db build/current/events.db
	start_publisher --db build/current/events.db
}

@test "a log that others create at a link after the start" {
	mkdir "$SITE/build/real"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$SITE/build/real"
	ln -s ../real/events.db "$DB"
	start_publisher
	rm "$SITE"/build/real/events.db* # its own
	(as_site sqlite3 -bail build/real/events.db) \
		<"$ROOT/sql/schema.sql" >/dev/null
	start_nginx
	post_with_token -d data=one
	[ "$STATUS" = 201 ]
}

@test "the publisher creates the log repeatedly" {
	serve
	local i
	for i in 1 2 3; do
		post_with_token -d data=one
		[ "$STATUS" = 201 ]
		rm -f "$DB"*
	done
}

@test "another folder in the place of the log's: a line says what to do" {
	needs_landlock
	start_responder
	mv "$SITE/build/run" "$SITE/build/old"
	mkdir "$SITE/build/run"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$SITE/build/run"
	make_log
	eventually grep -q 'if that was made or moved after the program was started, start it again; serving the old file' \
		"$LOGS/responder"
	is_running "$RESPONDER_PID"
}
