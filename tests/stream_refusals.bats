#!/usr/bin/env bats
# stream_refusals.bats: requests that the responder refuses, one of each kind,
# and what other origins may read.  tests/unit/test_request_refused.c has the
# rest of the cases.

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
	serve
	ask '' -X DELETE
	refused 405 GET
	[ "$(header "$HEAD" Allow)" = 'GET, HEAD, OPTIONS' ]
	ask '' -d data=x
	refused 405 rowcast-publish.cgi
	ask_cgi REQUEST_METHOD=
	refused 405 GET
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

@test "400 for a start that is not valid, in the query or in the header" {
	serve
	ask since=nothing
	refused 400 'The parameter "since" takes the id of an event'
	ask since=1 -H 'Last-Event-ID: abc'
	refused 400 'The header "Last-Event-ID" takes the id of an event'
}

@test "400 for a name that is too long or reserved, or for too many names" {
	local long
	printf -v long '%0256d' 0
	serve
	ask "topic=$long"
	refused 400 '"topic" takes at most 255 bytes'
	ask hello=stream-x
	refused 400 '"hello"'
	ask "$(printf 'topic=t%s&' {1..65})"
	refused 400 '"topic" may be given at most 64 times'
	# the star of a prefix does not count
	open_stream a "topic=${long#0}*&topic=${long#0}"
	is_stream a
}

@test "400 for a known parameter that is not percent-encoded UTF-8" {
	serve
	ask_cgi QUERY_STRING='topic=a&topic=%ff'
	refused 400 '"topic" must be percent-encoded UTF-8'
	ask_cgi QUERY_STRING='%ff=1'
	refused 400 'name of a query parameter'
	# unknown parameters are ignored
	cgi "$T/out" QUERY_STRING='utm=%ff&_=%zz'
	eventually grep -q '^id: 0' "$T/out"
}

# ---- Accept -----------------------------------------------------------------

@test "406 if Accept rules out text/event-stream" {
	serve
	ask '' -H 'Accept: text/html'
	refused 406 '"Accept"'
	open_stream a '' -H 'Accept: text/html, */*;q=0.1'
	is_stream a
	open_stream none '' -H 'Accept:'
	is_stream none
}

# ---- the limit of streams ----------------------------------------------------

@test "503 with Retry-After at --max-streams, until a stream has ended" {
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
	# open streams are served
	sql "INSERT INTO events(data) VALUES('one')"
	eventually got b 'data: one'
	stop "$a"
	eventually takes_one_more
	ask ''
	refused 503 '--max-streams'
}

@test "at --max-streams EventSource receives 200 and returns by itself" {
	local i ms retries=''
	serve ROWCAST_MAX_STREAMS=1 ROWCAST_RETRY_MS=100
	open_stream a
	local a=$STREAM_PID
	for i in 1 2 3 4 5 6; do
		ask '' -H 'Accept: text/event-stream'
		[ "$STATUS" -eq 200 ]
		[ "$(header "$HEAD" Content-Type)" = text/event-stream ]
		grep -q '^: No place is free: 1 streams are open' "$ANSWER"
		ms=$(sed -n 's/^retry: \([0-9]*\)$/\1/p' "$ANSWER")
		[ "$ms" -ge 5000 ]
		[ "$ms" -le 15000 ]
		retries+=$ms$'\n'
	done
	[ "$(sort -u <<<"${retries%$'\n'}" | wc -l)" -gt 1 ]
	reports full=6
	[ "$(cat "$LOGS"/* | grep -c 'hub: all 1 places are taken')" -eq 1 ]
	# no event moves its last id
	run ! grep -q '^id\|^data' "$ANSWER"
	stop "$a"
	eventually takes_one_more
	# other clients receive a status that they can see
	ask '' -H 'Accept: text/event-stream' -X DELETE
	refused 405 ''
	ask '' -H 'Accept: */*'
	refused 503 '--max-streams'
	ask '' -I -H 'Accept: text/event-stream'
	[ "$STATUS" -eq 200 ]
}

takes_one_more() {
	stream c
	eventually test -s "$T/c.body"
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

@test "no origin may read by default" {
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
	for origin in https://two.example null; do
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
	# of OPTIONS, only method and origin are read
	ask since=nothing -X OPTIONS -H 'Origin: https://one.example' \
		-H 'Accept: text/html'
	[ "$STATUS" -eq 204 ]
}

@test "\"*\" allows any origin, without credentials" {
	local long ANY='Access-Control-Allow-Origin: *
Vary: Origin'
	serve ROWCAST_CORS_ORIGINS='* https://one.example'
	ask '' -I -H 'Origin: https://two.example'
	[ "$(cors)" = "$ANY" ]
	ask '' -I -H 'Origin: null'
	[ "$(cors)" = "$ANY" ]
	# of any length
	printf -v long 'https://%0250d.example' 0
	ask '' -I -H "Origin: $long"
	[ "$(cors)" = "$ANY" ]
	# an origin that is listed as well has credentials
	ask '' -I -H 'Origin: https://one.example'
	[ "$(cors)" = "$ONE" ]
	# a request without Origin
	ask '' -I
	[ "$(cors)" = 'Vary: Origin' ]
}

@test "listed origins may read refusals" {
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
