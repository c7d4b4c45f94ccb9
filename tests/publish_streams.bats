#!/usr/bin/env bats
# Bodies that are published as they arrive: application/x-ndjson and
# text/event-stream, as plain CGI.  Over web servers: publish_fastcgi.bats and
# servers.bats.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load publish

NDJSON=application/x-ndjson
STREAM=text/event-stream

# usage: lines TEXT [NAME=VALUE]…     TEXT may hold escapes of printf
lines() {
	printf '%b' "$1" >"$T/body"
	shift
	request_file CONTENT_TYPE="$NDJSON" "$@"
}

# usage: stream TEXT [NAME=VALUE]…
stream() {
	printf '%b' "$1" >"$T/body"
	shift
	request_file CONTENT_TYPE="$STREAM" "$@"
}

# usage: counted STATUS EVENTS NEW PASSED LAST [MEMBER]
counted() {
	answered "$1" "{\"events\":$2,\"new\":$3,\"passed_over\":$4,\"last_id\":$5${6:+,$6}}"
}

events() {
	rows "SELECT topic, event, replace(data, char(10), '/'),
		ifnull(retry_ms, '-'), ifnull(key, '-') FROM events ORDER BY id"
}

# ---- lines ------------------------------------------------------------------

@test "ndjson: one event a line, with the members of JSON" {
	lines '{"data":"a"}\n{"topic":"t","event":"e","data":{"n":1.10},"retry":5,"key":"k"}\n'
	counted 201 2 2 0 2
	[ "$(events)" = $'|message|a|-|-\nt|e|{"n":1.10}|5|k' ]
}

@test "ndjson: empty lines, CRLF and a last line without LF" {
	lines '\n{"data":"a"}\r\n \t\r\n{"data":"b"}\n\n{"data":"c"}'
	counted 201 3 3 0 3
	[ "$(rows "SELECT group_concat(data, '') FROM events")" = abc ]
}

@test "ndjson: repeated keys are counted as events, not as new ones" {
	lines '{"data":"a","key":"k"}\n{"data":"a","key":"k"}\n{"data":"b"}\n'
	[ "$STATUS" -eq 201 ]
	[ "$(rows 'SELECT count(*) FROM events')" -eq 2 ]
	grep -q '"events":3,"new":2' "$ANSWER"
	lines '{"data":"a","key":"k"}\n'
	counted 200 1 0 0 1
}

@test "ndjson: an empty body is 200 without events" {
	lines ''
	counted 200 0 0 0 0
	lines '\n\n'
	counted 200 0 0 0 0
}

@test "ndjson: the first bad line is named; events before it are stored" {
	lines '{"data":"a"}\n\n{"data":"b"}\n{"data":\n{"data":"c"}\n'
	refused 400 'Line 4: The JSON is refused'
	refused 400 'Events stored before it: 2;'
	[ "$(problem events)" -eq 2 ]
	[ "$(problem last_id)" -eq 2 ]
	[ "$(rows "SELECT group_concat(data, '') FROM events")" = ab ]
}

@test "ndjson: a bad first line stores nothing" {
	lines 'nonsense\n{"data":"b"}\n'
	refused 400 'Line 1: It is not a JSON object: write one object on each line'
	refused 400 'Events stored before it: 0;'
	nothing_stored
}

@test "ndjson: each kind of mistake is named with its line" {
	local line
	while IFS='|' read -r line status text; do
		rm -f "$DB"*
		lines "{\"data\":\"first\"}\n$line\n{\"data\":\"last\"}\n"
		refused "$status" "Line 2: "
		refused "$status" "$text"
		[ "$(count)" -eq 1 ]
	done <<-'END'
		[{"data":"x"}]|400|an array, not an object
		[]|400|an array, not an object
		"x"|400|not a JSON object: write one
		{"topic":"t"}|400|There is no data
		{"data":"x","toppic":"t"}|400|There is no field "toppic"
		{"data":"x","data":"y"}|400|"data" appears twice
		{"data":"x","retry":-1}|400|"retry" must be
		{"data":"x","topic":1}|400|"topic" must be a string
		{"data":"x","event":""}|422|event is empty
		{"data":"x","event":"stream-gap"}|422|stream-
		{"data":"x","topic":"a\\nb"}|422|topic holds
		{"data":"\\u0000"}|400|u0000
		{"data":"\xff"}|400|not UTF-8
	END
}

@test "ndjson: a key of another event is 409 with its line" {
	lines '{"data":"a","key":"k"}\n{"data":"b"}\n{"data":"c","key":"k"}\n{"data":"d"}\n'
	refused 409 'Line 3: The event is refused: its key belongs to event 1'
	[ "$(rows "SELECT group_concat(data, '') FROM events")" = ab ]
}

@test "ndjson: 413 for a line over the bound, but not for a longer body" {
	local i
	for i in {1..200}; do
		printf '{"data":"%0800d"}\n' "$i"
	done >"$T/body"
	request_file CONTENT_TYPE="$NDJSON" ROWCAST_MAX_BODY_BYTES=1000
	counted 201 200 200 0 200
	printf '{"data":"a"}\n{"data":"%02000d"}\n{"data":"b"}\n' 1 >"$T/body"
	request_file CONTENT_TYPE="$NDJSON" ROWCAST_MAX_BODY_BYTES=1000
	refused 413 'Line 2: The line is longer than 1000 bytes'
	[ "$(count)" -eq 201 ]
}

@test "ndjson: a body that was cut off is refused" {
	lines '{"data":"a"}\n{"data":"b"}' CONTENT_LENGTH=40
	refused 400 'ended after'
	refused 400 'Events stored before it: 1;'
	[ "$(rows "SELECT group_concat(data, '') FROM events")" = a ]
}

@test "ndjson: more lines than fit into any buffer" {
	seq 20000 | sed 's/.*/{"data":"line &","key":"k&"}/' >"$T/body"
	request_file CONTENT_TYPE="$NDJSON"
	counted 201 20000 20000 0 20000
	[ "$(rows "SELECT count(*) FROM events WHERE data = 'line ' || id
		AND key = 'k' || id")" -eq 20000 ]
}

# ---- event streams ----------------------------------------------------------

@test "event stream: the output of a stream becomes events again" {
	stream 'retry: 3000\nid: 7\n\nid: 8\nevent: mail\ndata: one\ndata:  two\n\n:\n\nid: 9\nretry: 12\ndata\n\n'
	counted 201 2 2 0 2
	[ "$(events)" = $'|mail|one/ two|-|-\n|message||12|-' ]
}

@test "event stream: topic and keys come from the query" {
	stream 'id: 8\ndata: a\n\ndata: b\n\n' QUERY_STRING='topic=t&key=from/'
	counted 201 2 2 0 2
	[ "$(events)" = $'t|message|a|-|from/8\nt|message|b|-|-' ]
	stream 'id: 8\ndata: a\n\n' QUERY_STRING='topic=t&key=from/'
	counted 200 1 0 0 1
}

@test "event stream: CR, CRLF, a byte order mark, and an unfinished event" {
	stream '\xef\xbb\xbfdata: a\r\rdata: b\r\n\r\nevent: e\rdata: c\n\n\ndata: cut\n'
	counted 201 3 3 0 3 '"unfinished":true'
	[ "$(rows "SELECT group_concat(event || data, ' ') FROM events")" = \
		'messagea messageb ec' ]
}

@test "event stream: an event without its empty line is reported" {
	stream 'data: a\n\ndata: b\n'
	counted 201 1 1 0 1 '"unfinished":true'
	stream 'data: b'
	counted 200 0 0 0 0 '"unfinished":true'
	stream 'data: b\n\n: bye\n'
	counted 201 1 1 0 2
}

@test "event stream: notices of the other stream are skipped" {
	stream 'event: stream-gap\ndata: {}\n\ndata: a\n\nevent: stream-reset\ndata: {}\n\n'
	counted 201 1 1 2 1
}

@test "event stream: an event that is refused is named by its line" {
	stream ':\n\ndata: a\n\nevent: e\ndata: \xff\n\ndata: b\n\n'
	refused 400 'Line 5: The event is not UTF-8'
	[ "$(count)" -eq 1 ]
	stream 'data: a\n\ndata: b\nevent: '"$(printf 'e%.0s' {1..300})"'\n\ndata: c\n\n'
	refused 422 'Line 3: The event is refused: event is longer'
	[ "$(count)" -eq 2 ]
}

@test "event stream: a query that is not valid is refused" {
	stream 'data: a\n\n' QUERY_STRING='topic=a&topic=b'
	refused 400 'In the query: The field "topic" appears twice'
	stream 'data: a\n\n' QUERY_STRING='event=e'
	refused 400 'In the query: There is no field "event"; there are topic and key.'
	stream 'data: a\n\n' QUERY_STRING='topic=%zz'
	refused 400 'query is malformed'
	nothing_stored
}

@test "event stream: PUT without a type is one; another type counts" {
	printf 'data: a\n\n' >"$T/body"
	request_file REQUEST_METHOD=PUT -CONTENT_TYPE
	counted 201 1 1 0 1
	request 'data=b' REQUEST_METHOD=PUT
	answered 201 '{"id":2}'
}

@test "as a plain CGI, a body of unknown length is 411 in each format" {
	local type
	for type in "$NDJSON" "$STREAM" "$JSON" "$FORM" "$PLAIN"; do
		request x CONTENT_TYPE="$type" -CONTENT_LENGTH
		refused 411 'Content-Length'
	done
	nothing_stored
}
