#!/usr/bin/env bats
# Requests that the responder refuses, and what other origins may read.

load stream

# One request without a web server, which would refuse some queries itself.
#   usage: ask_cgi [NAME=VALUE]…
ask_cgi() {
	cgi "$T/answer" "$@"
	ends "$CGI_PID"
	split_answer "$T/answer" answer
	HEAD=$T/answer.head ANSWER=$T/answer.body
	STATUS=$(header "$HEAD" Status)
	STATUS=${STATUS%% *}
}

is_stream() {
	cat "$T/$1.head"
	grep -q '^HTTP/1.1 200' "$T/$1.head" &&
		[ "$(header "$T/$1.head" Content-Type)" = text/event-stream ]
}

# ---- methods ----------------------------------------------------------------

@test "405 with Allow for other methods" {
	local method
	serve
	for method in POST PUT DELETE PATCH PROPFIND; do
		ask '' -X "$method" -d ''
		refused 405 GET
		[ "$(header "$HEAD" Allow)" = 'GET, HEAD, OPTIONS' ]
	done
	ask '' -d data=x
	refused 405 rowcast-publish.cgi
	for method in get '' GETS; do
		ask_cgi REQUEST_METHOD="$method"
		refused 405 GET
	done
}

@test "HEAD is answered with the headers of a stream, and ends" {
	serve
	ask '' -I
	[ "$STATUS" -eq 200 ]
	[ "$(header "$HEAD" Content-Type)" = text/event-stream ]
	[ "$(header "$HEAD" Cache-Control)" = 'no-cache, no-transform' ]
	ask since=nothing -I
	[ "$STATUS" -eq 400 ]
	ask '' -I -H 'Accept: text/html'
	[ "$STATUS" -eq 406 ]
	eventually reports connections=0
	[[ $REPORT == *' opened=0 '* ]]
}

# ---- parameters -------------------------------------------------------------

@test "400 for a cursor that is none, naming the parameter" {
	local name value
	serve
	for name in last_event_id lastEventId since; do
		ask "$name=nothing"
		refused 400 "The parameter \"$name\" takes the id of an event"
	done
	for value in -1 +1 1.0 0x10 1a 9223372036854775808 last: last:0 \
		last:-1 last:x Earliest 2026-01-31 2026-02-30T00:00:00Z \
		2026-01-31T12:00:00 2026-01-31T24:00:00Z yesterday; do
		ask "since=$value"
		refused 400 '"since"'
	done
	ask 'since=%201'
	refused 400 '"since"'
}

@test "400 for a Last-Event-ID that is none, even if the query has one" {
	serve
	ask since=1 -H 'Last-Event-ID: abc'
	refused 400 'The header "Last-Event-ID" takes the id of an event'
}

@test "400 for a topic, event or hello that can be no name" {
	local name long value
	printf -v long '%0256d' 0
	serve
	for name in topic event hello; do
		ask "$name=$long"
		refused 400 "\"$name\" takes at most 255 bytes"
		for value in a%0Ab a%0D %00; do
			ask_cgi QUERY_STRING="x=1&$name=$value"
			refused 400 "\"$name\""
		done
	done
	ask hello=stream-x
	refused 400 '"hello"'
	# the star of a prefix does not count
	open_stream a "topic=${long#0}*&topic=${long#0}"
	is_stream a
}

@test "400 for a query that is no percent-encoded UTF-8, if it concerns us" {
	local name value
	for name in topic event hello since last_event_id lastEventId; do
		for value in %ff %zz % %c3%28 %ed%a0%80; do
			ask_cgi QUERY_STRING="a=b&$name=$value"
			refused 400 "\"$name\" must be percent-encoded UTF-8"
		done
	done
	ask_cgi QUERY_STRING='%ff=1'
	refused 400 'name of a query parameter'
	# parameters of others are theirs
	cgi "$T/out" QUERY_STRING='utm=%ff&_=%zz'
	eventually grep -q '^id: 0' "$T/out"
}

@test "400 for more than 64 topics or names" {
	serve
	ask "$(printf 'topic=t%s&' {1..65})"
	refused 400 '"topic" may be given at most 64 times'
	ask "$(printf 'event=t%s&' {1..65})"
	refused 400 '"event" may be given at most 64 times'
}

@test "400 for a broken parameter behind a good one of the same name" {
	serve
	ask_cgi QUERY_STRING='topic=a&topic=%ff'
	refused 400 '"topic"'
	ask 'hello=a&hello=stream-b'
	refused 400 '"hello"'
}

# ---- Accept -----------------------------------------------------------------

@test "406 if Accept rules out text/event-stream" {
	local accept i=0
	serve
	for accept in text/html 'text/html, application/json' \
		'text/event-stream;q=0' '*/*;q=0' 'text/*;q=0.0, */*' \
		text/event-streams; do
		ask '' -H "Accept: $accept"
		refused 406 '"Accept"'
	done
	for accept in 'text/event-stream' '*/*' 'text/*' 'TEXT/Event-Stream' \
		'text/html, text/event-stream;q=0.1' 'text/html, */*;q=0.1'; do
		i=$((i + 1))
		open_stream "a$i" '' -H "Accept: $accept"
		is_stream "a$i"
	done
	open_stream none '' -H 'Accept:'
	is_stream none
}

# ---- places -----------------------------------------------------------------

@test "503 with Retry-After at --max-streams, until a place is free" {
	serve ROWCAST_MAX_STREAMS=2
	open_stream a
	local a=$STREAM_PID
	open_stream b
	ask ''
	refused 503 '2 streams are open, which is the limit (--max-streams)'
	[ "$(header "$HEAD" Retry-After)" -gt 0 ]
	# only streams are counted
	ask '' -I
	[ "$STATUS" -eq 200 ]
	ask since=x
	refused 400 since
	# those who have a place are served
	sql "INSERT INTO events(data) VALUES('one')"
	eventually got b 'data: one'
	stop "$a"
	eventually takes_one_more
	ask ''
	refused 503 '--max-streams'
}

takes_one_more() {
	stream c
	wait_until 5 test -s "$T/c.body"
	grep -q '^HTTP/1.1 200' "$T/c.head" && return
	eventually gone "$STREAM_PID"
	return 1
}

@test "thousands of refused requests leave nothing behind" {
	serve ROWCAST_MAX_STREAMS=1
	open_stream a
	curl -s -Z --parallel-immediate --parallel-max 50 -m "$WAIT" \
		"$URL/events?[1-1000]" >"$T/all" 2>/dev/null || :
	[ "$(grep -o '"status":503' "$T/all" | wc -l)" -eq 1000 ]
	eventually reports connections=1
	[[ $REPORT == *' refused=1000 full=1000 '* ]]
	sql "INSERT INTO events(data) VALUES('one')"
	brings a '1 message one'
}

# ---- other origins ----------------------------------------------------------

# The headers of the last answer that concern origins.
cors() {
	tr -d '\r' <"$HEAD" | grep -i '^access-control-\|^vary: .*origin' |
		LC_ALL=C sort
}

ONE='Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: https://one.example
Vary: Origin'

PREFLIGHT='Access-Control-Allow-Credentials: true
Access-Control-Allow-Headers: Last-Event-ID, Cache-Control
Access-Control-Allow-Methods: GET, HEAD
Access-Control-Allow-Origin: https://one.example
Access-Control-Max-Age: 86400
Vary: Origin'

@test "no origin is listed unless it is asked for" {
	serve
	ask '' -I -H 'Origin: https://one.example'
	[ "$STATUS" -eq 200 ]
	[ -z "$(cors)" ]
	ask '' -X OPTIONS -H 'Origin: https://one.example' \
		-H 'Access-Control-Request-Method: GET'
	[ "$STATUS" -eq 204 ]
	[ -z "$(cors)" ]
	[ "$(header "$HEAD" Allow)" = 'GET, HEAD, OPTIONS' ]
}

@test "listed origins may read, with credentials; others may not" {
	local origin
	serve ROWCAST_CORS_ORIGINS='https://one.example http://127.0.0.1:8080'
	open_stream a '' -H 'Origin: https://one.example'
	HEAD=$T/a.head
	is_stream a
	[ "$(cors)" = "$ONE" ]
	ask '' -I -H 'Origin: https://one.example'
	[ "$(cors)" = "$ONE" ]
	ask '' -I -H 'Origin: http://127.0.0.1:8080'
	[ "$(cors | head -n 2)" = 'Access-Control-Allow-Credentials: true
Access-Control-Allow-Origin: http://127.0.0.1:8080' ]
	for origin in https://two.example http://one.example \
		https://one.example:443 https://one.example.evil \
		https://one.exampl null http://127.0.0.1; do
		ask '' -I -H "Origin: $origin"
		[ "$STATUS" -eq 200 ]
		[ "$(cors)" = 'Vary: Origin' ]
	done
}

@test "a preflight is answered for listed origins only" {
	serve ROWCAST_CORS_ORIGINS=https://one.example
	ask '' -X OPTIONS -H 'Origin: https://one.example' \
		-H 'Access-Control-Request-Method: GET' \
		-H 'Access-Control-Request-Headers: last-event-id'
	[ "$STATUS" -eq 204 ]
	[ "$(cors)" = "$PREFLIGHT" ]
	[ ! -s "$ANSWER" ]
	ask '' -X OPTIONS -H 'Origin: https://two.example' \
		-H 'Access-Control-Request-Method: GET'
	[ "$STATUS" -eq 204 ]
	[ "$(cors)" = 'Vary: Origin' ]
	# it is no stream yet: nothing else is looked at
	ask since=nothing -X OPTIONS -H 'Origin: https://one.example' \
		-H 'Accept: text/html'
	[ "$STATUS" -eq 204 ]
}

@test "* is any origin, without credentials, and only when asked for" {
	local long ANY='Access-Control-Allow-Origin: *
Vary: Origin'
	serve ROWCAST_CORS_ORIGINS='* https://one.example'
	ask '' -I -H 'Origin: https://two.example'
	[ "$(cors)" = "$ANY" ]
	ask '' -I -H 'Origin: null'
	[ "$(cors)" = "$ANY" ]
	# however long it is
	printf -v long 'https://%0250d.example' 0
	ask '' -I -H "Origin: $long"
	[ "$(cors)" = "$ANY" ]
	# who is listed as well keeps credentials
	ask '' -I -H 'Origin: https://one.example'
	[ "$(cors)" = "$ONE" ]
	# nobody has asked
	ask '' -I
	[ "$(cors)" = 'Vary: Origin' ]
}

@test "listed origins may read refusals, too" {
	serve ROWCAST_CORS_ORIGINS=https://one.example ROWCAST_MAX_STREAMS=1
	ask '' -X DELETE -H 'Origin: https://one.example'
	refused 405 ''
	[ "$(cors)" = "$ONE" ]
	ask since=x -H 'Origin: https://one.example'
	refused 400 ''
	[ "$(cors)" = "$ONE" ]
	ask '' -H 'Accept: text/html' -H 'Origin: https://one.example'
	refused 406 ''
	[ "$(cors)" = "$ONE" ]
	open_stream a
	ask '' -H 'Origin: https://one.example'
	refused 503 ''
	[ "$(cors)" = "$ONE" ]
	ask '' -H 'Origin: https://two.example'
	refused 503 ''
	[ "$(cors)" = 'Vary: Origin' ]
}
