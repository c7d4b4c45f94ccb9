#!/usr/bin/env bats
# fastcgi_publish.bats: the publisher and the protocol, without a web server.

load fastcgi
load publisher

# Send a request and take its answer.
#   usage: publish NAME STATUS [FLAGS [TYPE]]
publish() {
	send "$1" "$(publishing 2 hi "${3:-0}" "${4:-text/plain}")$(record STDIN 1)"
	take_answer "$1" 1
	answered "$2"
}

# Start the publisher, with one event in the log.
#   usage: serve_log [OPTION…]
serve_log() {
	serve_publisher "$@"
	connect first
	publish first 201
	disconnect first
}

@test "a kept connection takes one body after the other" {
	serve_log
	connect a
	publish a 201 keep
	publish a 415 keep image/png
	publish a 201
	closed_without_answer a
}

@test "a kept connection is closed behind a refused body that does not end" {
	serve_log
	connect a
	send a "$(publishing 9 hi keep image/png)"
	take_answer a 1
	answered 415
	closed_without_answer a
}

# The rest of the refused body and the next request arrive together.  On a busy
# machine, the connection may be closed before.
#   usage: goes_on_after_refusal [TYPE]
goes_on_after_refusal() {
	local refused more rest
	refused=$(publishing 9 hi keep "${1:-image/png}")
	more=$(record STDIN 1 "$(hex ' and')")
	rest=$(record STDIN 1 "$(hex ' on')")$(record STDIN 1)$(
		publishing 2 hi keep)$(record STDIN 1)
	connect a
	send a "$refused"
	take_answer a 1 && answered 4 && send a "$more" && send a "$rest" &&
		take_answer a 1 && answered 201
}

@test "a kept connection goes on behind a body that was refused before its end" {
	serve_log
	eventually goes_on_after_refusal
	# refused at its first line
	eventually goes_on_after_refusal application/x-ndjson
	publish a 201
	closed_without_answer a
}

@test "a body that waits for others to write is not late" {
	serve_log --idle-s 3 --busy-ms 60000
	hold
	connect a
	send a "$(publishing '' $'{"data":1}\n' 0 application/x-ndjson)"
	eventually counts locked 1
	connect late # closed after as long: so that has passed
	closed late
	let_go
	send a "$(record STDIN 1)"
	take_answer a 1
	answered 201
}

@test "a body that comes slowly is taken, if it never stops for --idle-s" {
	local byte
	serve_log --idle-s 3
	connect a
	send a "$(publishing 5 '' | head -c -16)"
	for byte in 31 32 33 34 35; do
		send a "$(record STDIN 1 "$byte")"
		sleep 1 # not for a condition: slower than the limit in all
	done
	send a "$(record STDIN 1)"
	take_answer a 1
	answered 201
	[ "$(sql 'SELECT data FROM events WHERE id = 2')" = 12345 ]
}

# More than the 512 that fit into one transaction.
@test "600 requests that wait for others to write are all stored" {
	local i
	serve_log --max-connections 600 --busy-ms 60000
	hold
	bytes "$(publishing 2 hi)$(record STDIN 1)" >"$T/request"
	for i in {1..600}; do
		connect "$i"
		cat "$T/request" >&"${FDS[$i]}"
	done
	eventually counts requests 601
	let_go
	for i in {1..600}; do
		timeout "$WAIT" cat <&"${FDS[$i]}"
	done >"$T/answers"
	[ "$(grep -aco 'Status: 201' "$T/answers")" -eq 600 ]
	[ "$(sql 'SELECT count(*) FROM events')" -eq 601 ]
}
