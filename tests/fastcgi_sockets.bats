#!/usr/bin/env bats
# fastcgi_sockets.bats: the sockets of the responder, the addresses that may
# connect, and the lack of descriptors.

load fastcgi

# ---- sockets ----------------------------------------------------------------

@test "over TCP only peers in FCGI_WEB_SERVER_ADDRS may connect" {
	FCGI_WEB_SERVER_ADDRS=127.0.0.2 serve
	connect a
	send a "$(request 1)" || : # it may be closed already
	closed a
	[ ! -s "$T/rest" ]
	grep -q '127.0.0.1 is not in FCGI_WEB_SERVER_ADDRS' "$LOGS/responder"
}

@test "peers that may not connect cannot fill the log of diagnostics" {
	local i began=${EPOCHREALTIME/[.,]/} tens
	FCGI_WEB_SERVER_ADDRS=127.0.0.2 serve
	for i in {1..20}; do
		connect "c$i"
		closed_without_answer "c$i"
	done
	tens=$(((${EPOCHREALTIME/[.,]/} - began) / 10000000))
	[ "$(grep -c 'is not in FCGI_' "$LOGS/responder")" -le $((1 + tens)) ]
}

@test "FCGI_WEB_SERVER_ADDRS may list several" {
	FCGI_WEB_SERVER_ADDRS=127.0.0.2,127.0.0.1 serve
	open a
}

@test "a prefix of an address in FCGI_WEB_SERVER_ADDRS does not match" {
	FCGI_WEB_SERVER_ADDRS=127.0.0.11,127.0.0. serve
	connect a
	closed_without_answer a
}

@test "a request over a Unix socket" {
	start_responder
	bytes "$(request 1)" >"$T/request"
	timeout "$WAIT" "$WIRE" "$SITE/build/run/rowcast.sock" <"$T/request" \
		>"$T/came"
	grep -aq '^Content-Type: text/event-stream' "$T/came"
}

@test "a socket's mode is 0660, or --socket-mode" {
	start_responder
	[ "$(stat -c %a "$SITE/build/run/rowcast.sock")" = 660 ]
	start_responder --socket build/run/other.sock --socket-mode 600
	up "$RESPONDER_PID" responder connects "$SITE/build/run/other.sock"
	[ "$(stat -c %a "$SITE/build/run/other.sock")" = 600 ]
}

@test "a socket is removed at the end" {
	start_responder
	stop "$RESPONDER_PID"
	[ ! -e "$SITE/build/run/rowcast.sock" ]
}

@test "a socket that another program has created there is not removed" {
	local sock=$SITE/build/run/rowcast.sock first
	start_responder
	first=$RESPONDER_PID
	rm "$sock"
	start_responder
	stop "$first"
	connects "$sock"
}

@test "a socket without a listener is replaced" {
	start_responder
	kill -KILL "$RESPONDER_PID"
	eventually gone "$RESPONDER_PID"
	[ -S "$SITE/build/run/rowcast.sock" ]
	start_responder
	connects "$SITE/build/run/rowcast.sock"
}

# The command, run as the site's user, must fail with one line that contains
# TEXT, and status 1 or STATUS.
#   usage: [STATUS=N] fails_with TEXT COMMAND…
fails_with() {
	local text=$1
	shift
	run "-${STATUS:-1}" as_site timeout "$WAIT" "$@" 3>&-
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"$text"* ]]
}

@test "a socket in use is refused with one clear line" {
	start_responder
	fails_with 'rowcast.sock: another program listens there' \
		build/rowcast.fcgi --db "$DB" --socket build/run/rowcast.sock
	connects "$SITE/build/run/rowcast.sock"
}

# Listen without accept(): one connection waits, and the next one would block.
# shellcheck disable=SC2016 # perl's
listen_deaf() {
	needs perl
	start deaf perl -MSocket -e '
		my ($where, $s, $c) = pack_sockaddr_un(shift);
		socket($s, AF_UNIX, SOCK_STREAM, 0) && bind($s, $where) &&
			listen($s, 0) or die $!;
		socket($c, AF_UNIX, SOCK_STREAM, 0) && connect($c, $where)
			or die $!;
		syswrite STDOUT, "deaf\n";
		sleep' "$1"
	eventually grep -qx deaf "$LOGS/deaf"
}

@test "a socket of a stopped program is refused without waiting" {
	listen_deaf build/run/rowcast.sock
	fails_with 'rowcast.sock: another program listens there' \
		build/rowcast.fcgi --db "$DB" --socket build/run/rowcast.sock
	[ -S "$SITE/build/run/rowcast.sock" ]
}

@test "a file that is not a socket is refused with one clear line, and stays" {
	echo precious >"$SITE/build/run/file"
	fails_with 'build/run/file: exists, but is not a socket' \
		build/rowcast.fcgi --db "$DB" --socket build/run/file
	[ "$(cat "$SITE/build/run/file")" = precious ]
}

@test "a socket of another user is refused with one clear line, and stays" {
	needs perl
	mkdir "$SITE/build/run/other"
	perl -MSocket -e 'my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) &&
		bind($s, pack_sockaddr_un(shift)) or die $!' \
		"$SITE/build/run/other/s"
	chmod 0 "$SITE/build/run/other/s"
	chmod 555 "$SITE/build/run/other"
	fails_with "build/run/other/s: another user's socket is there: remove it" \
		build/rowcast.fcgi --db "$DB" --socket build/run/other/s
	[ -S "$SITE/build/run/other/s" ]
	chmod 755 "$SITE/build/run/other" # bats removes it
}

@test "a port in use is refused with one clear line" {
	serve
	fails_with "127.0.0.1:$PORT: Address already in use: stop the program" \
		build/rowcast.fcgi --db "$DB" --socket "127.0.0.1:$PORT"
}

@test "an address of another machine, or a name of none, is refused" {
	fails_with '192.0.2.7:9000: Cannot assign requested address: use an' \
		build/rowcast.fcgi --db "$DB" --socket 192.0.2.7:9000
	fails_with 'x y:9000: Name or service not known: write the host as a' \
		build/rowcast.fcgi --db "$DB" --socket 'x y:9000'
}

@test "a port outside 1 to 65535 is wrong usage" {
	local port
	for port in 99999 65536 0 80x; do
		STATUS=2 fails_with "--socket: 127.0.0.1:$port: the port must be a number from 1" \
			build/rowcast.fcgi --db "$DB" --socket "127.0.0.1:$port"
		STATUS=2 fails_with "--socket: 127.0.0.1:$port: the port must be a number from 1" \
			build/rowcast-publish.cgi --db "$DB" --publish-open \
			--socket "127.0.0.1:$port"
	done
}

@test "a path that is too long for a socket is wrong usage" {
	local long
	long=/tmp/$(printf '%0110d' 0)
	STATUS=2 fails_with 'ROWCAST_SOCKET: /tmp/0000' \
		env ROWCAST_SOCKET="$long" build/rowcast.fcgi --db "$DB"
	STATUS=2 fails_with '...: the path is longer than 107 bytes: choose' \
		build/rowcast.fcgi --db "$DB" --socket "$long"
}

@test "a folder that no socket can be made in is named, with the remedy" {
	local program
	mkdir -m 555 "$SITE/build/run/mine"
	for program in rowcast.fcgi 'rowcast-publish.cgi --publish-open'; do
		# shellcheck disable=SC2086 # words
		set -- build/$program --db "$DB" --socket
		fails_with '/no/x.sock: the folder /no is missing: create it' \
			"$@" /no/x.sock
		fails_with 'nowhere/s: the folder nowhere is missing: create it' \
			"$@" nowhere/s
		fails_with 'run/mine/s: this program'"'"'s user must be allowed to write in the folder build/run/mine' \
			"$@" build/run/mine/s
		fails_with '/etc/passwd/s: /etc/passwd is not a folder' \
			"$@" /etc/passwd/s
		fails_with 'build/run: is a folder: name a socket in it' \
			"$@" build/run
	done
}

# ---- descriptors ------------------------------------------------------------

# Start a responder that has too few descriptors for all connections.
#   usage: serve_short NUMBER-OF-DESCRIPTORS
serve_short() {
	PORT=$(free_port)
	# shellcheck disable=SC2016 # for the shell that is started
	start responder "$BASH" -c 'ulimit -n "$1"; shift; exec "$@"' _ "$1" \
		build/rowcast.fcgi --db "$DB" --socket "127.0.0.1:$PORT" \
		--request-timeout-s 600
	RESPONDER_PID=$PID
	up "$PID" responder listens
}

@test "a limit of open files that is too low is reported at the start" {
	local program option
	for program in rowcast.fcgi:--max-streams \
		rowcast-publish.cgi:--max-connections; do
		option=${program#*:} program=${program%:*}
		# shellcheck disable=SC2016 # for the shell that is started
		start "$program" "$BASH" -c 'ulimit -n 300; exec "$@"' _ \
			"build/$program" --db "$DB" "$option" 290 \
			--socket "build/run/$program.sock"
		up "$PID" "$program" connects "$SITE/build/run/$program.sock"
		grep -E "listener: $option takes 3[0-9]+ open files, but the limit is 300: raise it \(ulimit -n; systemd: LimitNOFILE=\) or lower $option" \
			"$LOGS/$program"
	done
	start_responder --max-streams 100
	run ! grep 'open files' "$LOGS/responder"
}

@test "without descriptors it does not spin, and writes one line" {
	serve_short 64
	local i before
	for ((i = 0; i < 80; i++)); do connect "c$i"; done
	eventually grep -q 'raise the limit of open files' "$LOGS/responder"
	before=$(ticks "$RESPONDER_PID")
	sleep 2 # not for a condition: time in which to do nothing
	(($(ticks "$RESPONDER_PID") - before < $(getconf CLK_TCK) / 2))
	[ "$(grep -c 'raise the limit' "$LOGS/responder")" -eq 1 ]
}

@test "without descriptors, open streams are served" {
	serve_short 64
	local i
	open live
	for ((i = 0; i < 80; i++)); do connect "c$i"; done
	eventually grep -q 'raise the limit of open files' "$LOGS/responder"
	brings live hi
	send c0 "$(request 1)"
	take c0
	grep -q '^Status: 200' "$T/content"
}

@test "connections that wait for a descriptor are served when others close" {
	serve_short 64
	local i
	for ((i = 0; i < 80; i++)); do connect "c$i"; done
	eventually grep -q 'raise the limit of open files' "$LOGS/responder"
	send c79 "$(request 1)"
	for ((i = 0; i < 70; i++)); do disconnect "c$i"; done
	take c79
	grep -q '^Status: 200' "$T/content"
	brings c79 hi
}
