#!/usr/bin/env bats
# fastcgi_end.bats: which connections are still answered after SIGTERM.

load fastcgi

# Sends SIGTERM to a process that has three connections: "late" has sent half of
# a request, "fresh" nothing, "idle" is kept and has had its answer.  Returns
# when the process has closed "idle"; complete() then sends the rest.
#   usage: end_with HEX PID
end_with() {
	connect late
	connect fresh
	send late "${1:0:40}"
	# accepted last, so that the answer shows that all three are
	connect idle
	send idle "$(request 1 keep REQUEST_METHOD=HEAD)"
	take_answer idle 1
	kill "$2"
	closed_without_answer idle
}

# Sends what is missing of the request to "late", and all of it to "fresh".
#   usage: complete HEX
complete() {
	send late "${1:40}"
	send fresh "$1"
}

@test "SIGTERM: unfinished requests are answered, idle connections closed" {
	local name
	serve
	end_with "$(request 1)" "$RESPONDER_PID"
	complete "$(request 1)"
	for name in late fresh; do
		take_answer "$name" 1
		answered 200
		tail -n 2 "$T/answer" | grep -q '^retry: '
		closed_without_answer "$name"
	done
	wait "$RESPONDER_PID"
}

@test "SIGTERM: the publisher stores requests that are being sent" {
	local all name
	all=$(publishing 2 hi)$(record STDIN 1)
	serve_publisher
	end_with "$all" "$PUBLISHER_PID"
	complete "$all"
	for name in late fresh; do
		take_answer "$name" 1
		answered 201
		closed_without_answer "$name"
	done
	wait "$PUBLISHER_PID"
	[ "$(sql "SELECT count(*) FROM events WHERE data = 'hi'")" -eq 2 ]
}

@test "SIGTERM: the publisher answers 503 to a body that does not end in time" {
	local name
	serve_publisher
	end_with "$(publishing 3 hi)" "$PUBLISHER_PID"
	complete "$(publishing 3 hi)"
	for name in late fresh; do
		take_answer "$name" 1
		answered 503
	done
	wait "$PUBLISHER_PID"
}

# A web server leaves only descriptor 0 open (FastCGI 1.0, 2.2).
@test "SIGTERM: programs end in order without standard output and error" {
	local program
	for program in rowcast.fcgi rowcast-publish.cgi; do
		PORT=$(free_port)
		# shellcheck disable=SC2016 # expanded by sh
		start "$program" sh -c 'exec "$@" >&- 2>&-' - \
			"build/$program" --db "$DB" --socket "127.0.0.1:$PORT"
		up "$PID" "$program" listens
		kill "$PID"
		wait "$PID"
	done
}

WAITING=200

# Opens WAITING connections with a request each while the process is stopped,
# more than it accepts at once; then sends SIGTERM and continues it.  Prints how
# many of them are answered with STATUS.
#   usage: answered_at_end STATUS HEX PID
answered_at_end() {
	local fd
	bytes "$2" >"$T/request"
	kill -STOP "$3"
	while [ "${#FDS[@]}" -lt "$WAITING" ]; do
		connect "${#FDS[@]}"
		cat "$T/request" >&"${FDS[$((${#FDS[@]} - 1))]}"
	done
	kill "$3"
	kill -CONT "$3"
	for fd in "${FDS[@]}"; do
		timeout "$WAIT" cat <&"$fd" 2>/dev/null || : # a reset
	done >"$T/answers"
	grep -aco "Status: $1" "$T/answers"
}

@test "SIGTERM: connections in the backlog are answered" {
	serve
	[ "$(answered_at_end 200 "$(request 1)" "$RESPONDER_PID")" -eq "$WAITING" ]
	wait "$RESPONDER_PID"
}

@test "SIGTERM: connections in the publisher's backlog are answered" {
	serve_publisher
	[ "$(answered_at_end 201 "$(publishing 2 hi)$(record STDIN 1)" \
		"$PUBLISHER_PID")" -eq "$WAITING" ]
	wait "$PUBLISHER_PID"
}

# Start the publisher on descriptor 0, as a web server does.
#   usage: serve_inherited [VARIABLE=VALUE…]
serve_inherited() {
	needs perl
	PORT=$(free_port)
	# shellcheck disable=SC2016 # perl's
	start publisher env ROWCAST_DB="$DB" ROWCAST_PUBLISH_OPEN=1 \
		"$@" perl -MIO::Socket::INET -e '
			my $s = IO::Socket::INET->new(Listen => 1000,
				LocalAddr => shift) or die $@;
			open STDIN, "<&", $s or die $!;
			exec @ARGV' "127.0.0.1:$PORT" build/rowcast-publish.cgi
	PUBLISHER_PID=$PID
	up "$PID" publisher listens
}

@test "SIGTERM: connections in the backlog of descriptor 0 are answered" {
	# most of them are still there when the last connection has ended
	serve_inherited ROWCAST_MAX_CONNECTIONS=50
	[ "$(answered_at_end 201 "$(publishing 2 hi)$(record STDIN 1)" \
		"$PUBLISHER_PID")" -eq "$WAITING" ]
	wait "$PUBLISHER_PID"
}

@test "SIGTERM: the publisher continues to accept on descriptor 0" {
	local all name
	all=$(publishing 2 hi)$(record STDIN 1)
	serve_inherited
	end_with "$all" "$PUBLISHER_PID"
	# while others are unfinished: without them, the process ends at once
	connect more
	send more "$all"
	complete "$all"
	for name in late fresh more; do
		take_answer "$name" 1
		answered 201
	done
	wait "$PUBLISHER_PID"
}
