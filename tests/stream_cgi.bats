#!/usr/bin/env bats
# The responder as a plain CGI program, one process for each client, run as by a
# web server.

load stream

setup() {
	site_new
	make_log
}

# The header of a stream in the CGI response.
FIRST='Status: 200 OK\r
Content-Type: text/event-stream\r
Cache-Control: no-cache, no-transform\r
X-Accel-Buffering: no\r
\r
'

# Wait until the bytes in a file are these and no others.
#   usage: is_file FILE FORMAT
is_file() {
	# shellcheck disable=SC2059 # a format
	printf "$2" >"$T/want"
	eventually cmp -s "$T/want" "$1" && return
	diff "$T/want" "$1"
	return 1
}

# Run the responder with a pipe, and a reader that copies each byte at once.
#   usage: cgi_into_pipe [NAME=VALUE]…
# Sets CGI_PID and READER_PID; the output goes to $T/out.
cgi_into_pipe() {
	mkfifo "$T/pipe"
	cat "$T/pipe" >"$T/out" 3>&- &
	READER_PID=$!
	STARTED+=("$READER_PID")
	cgi "$T/pipe" "$@"
}

@test "a stream into a file" {
	five_rows
	cgi "$T/out" QUERY_STRING='since=4&hello='
	is_file "$T/out" "${FIRST}retry: 3000\nid: 4\n\nid: 5\ndata: five\n\n"
	sql "INSERT INTO events(data) VALUES('six')"
	is_file "$T/out" "${FIRST}retry: 3000\nid: 4\n\nid: 5\ndata: five\n\nid: 6\ndata: six\n\n"
	is_running "$CGI_PID"
}

@test "a stream into a pipe, with the header Last-Event-ID and a filter" {
	five_rows
	cgi_into_pipe QUERY_STRING='topic=a*' HTTP_LAST_EVENT_ID=2
	is_file "$T/out" "${FIRST}retry: 3000\nid: 2\n\nid: 3\nevent: tick\ndata: three\n\nid: 4\ndata: four\n\n"
	sql "INSERT INTO events(topic, data) VALUES('b', 'x'), ('a', 'seven')"
	eventually grep -q 'data: seven' "$T/out"
	run ! grep -q 'data: x' "$T/out"
}

@test "options come from the environment" {
	cgi "$T/out" ROWCAST_RETRY_MS=7 ROWCAST_KEEPALIVE_S=1 \
		ROWCAST_CORS_ORIGINS=https://one.example \
		HTTP_ORIGIN=https://one.example
	eventually grep -qx 'retry: 7' "$T/out"
	eventually grep -qx ':' "$T/out"
	tr -d '\r' <"$T/out" |
		grep -qx 'Access-Control-Allow-Origin: https://one.example'
}

@test "SIGTERM ends a stream into a file with its own retry:" {
	cgi "$T/out"
	eventually grep -q '^id: 0' "$T/out"
	kill "$CGI_PID"
	ends_within 2 "$CGI_PID"
	[ "$(grep -c '^retry: [0-9]*$' "$T/out")" -eq 2 ]
	[ ! -s "$LOGS/cgi" ]
}

@test "SIGTERM ends a stream into a full pipe without a reader" {
	mkfifo "$T/pipe"
	exec {reader}<>"$T/pipe"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 100)
		INSERT INTO events(data) SELECT hex(randomblob(5000)) FROM n"
	cgi "$T/pipe" QUERY_STRING=since=0
	# it sleeps because the pipe is full
	eventually is_full
	kill "$CGI_PID"
	ends_within 2 "$CGI_PID"
	exec {reader}>&-
}

# Succeeds if a write of one byte to the pipe would block.
is_full() {
	! timeout 0.2 dd if=/dev/zero of="$T/pipe" bs=4096 count=1 2>/dev/null
}

@test "it ends when the reader ends, with nothing to send" {
	cgi_into_pipe
	eventually grep -q '^id: 0' "$T/out"
	kill "$READER_PID"
	ends "$CGI_PID"
	[ ! -s "$LOGS/cgi" ]
}

@test "it ends when the reader ends during a long replay" {
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 2000)
		INSERT INTO events(data) SELECT hex(randomblob(5000)) FROM n"
	mkfifo "$T/pipe"
	head -c 300000 "$T/pipe" >"$T/out" 3>&- &
	cgi "$T/pipe" QUERY_STRING=since=0
	ends "$CGI_PID"
	[ "$(wc -c <"$T/out")" -eq 300000 ]
}

@test "a slow reader gets all events in order" {
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 500)
		INSERT INTO events(data) SELECT hex(randomblob(5000)) FROM n"
	cgi_into_pipe QUERY_STRING=since=0 ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	kill -STOP "$READER_PID"
	sql "INSERT INTO events(data) SELECT hex(randomblob(1000000))"
	sql "INSERT INTO events(data) VALUES('last')"
	kill -CONT "$READER_PID"
	eventually grep -q 'data: last' "$T/out"
	split_answer "$T/out" a
	brings_sql a "SELECT id || ' message ' || data FROM events ORDER BY id"
}

@test "--max-age-s ends the process" {
	cgi "$T/out" ROWCAST_MAX_AGE_S=1
	ends "$CGI_PID"
	is_file "$T/out" "${FIRST}retry: 3000\nid: 0\n\n"
}

@test "refusals, HEAD and OPTIONS are answered, and the process ends" {
	cgi "$T/bad" QUERY_STRING=since=x
	ends "$CGI_PID"
	head -n 1 "$T/bad" | grep -q '^Status: 400'
	cgi "$T/method" REQUEST_METHOD=POST
	ends "$CGI_PID"
	head -n 1 "$T/method" | grep -q '^Status: 405'
	cgi "$T/head" REQUEST_METHOD=HEAD
	ends "$CGI_PID"
	is_file "$T/head" "$FIRST"
	cgi "$T/options" REQUEST_METHOD=OPTIONS
	ends "$CGI_PID"
	head -n 1 "$T/options" | grep -q '^Status: 204'
}

@test "a missing log is created" {
	rm -f "$DB" "$DB-wal" "$DB-shm"
	cgi "$T/out"
	eventually grep -q '^id: 0' "$T/out"
	sql "INSERT INTO events(data) VALUES('one')"
	eventually grep -q 'data: one' "$T/out"
}

@test "many processes on one log each send all events" {
	local i pids=()
	for i in {1..8}; do
		cgi "$T/out$i" QUERY_STRING=since=0
		pids+=("$CGI_PID")
	done
	for i in {1..20}; do
		echo "INSERT INTO events(data) VALUES('row $i');"
	done >"$T/rows"
	sql ".read $T/rows"
	for i in {1..8}; do
		eventually grep -q 'data: row 20' "$T/out$i"
		split_answer "$T/out$i" "s$i"
		brings_sql "s$i" "SELECT id || ' message ' || data FROM events"
	done
	kill "${pids[@]}"
	for i in "${pids[@]}"; do
		ends "$i"
	done
}

@test "an error of the log is not sent to the client" {
	sql 'PRAGMA user_version = 9'
	cgi "$T/out"
	eventually gone "$CGI_PID"
	run wait "$CGI_PID"
	# one line for the operator
	[ "$(wc -l <"$LOGS/cgi")" -eq 1 ]
	grep -q 'is a log of format 9' "$LOGS/cgi"
}
