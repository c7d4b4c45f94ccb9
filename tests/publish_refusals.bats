#!/usr/bin/env bats
# publish_refusals.bats: requests that the publisher refuses, one of each kind.
# tests/unit/test_publish.c has the rest of the cases, and tests/unit/test_log.c
# the names that the schema refuses.

load publish
STATUS= # set by request()

# ---- 422: names that the schema refuses -------------------------------------

@test "422 gives the reason of the schema" {
	request 'data=x&topic=a%0Ab'
	refused 422 'The event is refused: topic holds CR, LF or NUL'
	request 'data=x&key='
	refused 422 'key is empty or longer than 255 bytes'
	nothing_stored
}

@test "names of 255 bytes are taken" {
	local long
	printf -v long '%0255d' 0
	request "data=x&topic=$long&event=$long&key=$long"
	answered 201 '{"id":1}'
}

@test "422 names the index in an array" {
	request '[{"data":"a"},{"data":"x","topic":"a\nb"}]' CONTENT_TYPE="$JSON"
	refused 422 'At index 1 of the array: The event is refused: topic holds'
	nothing_stored
}

# ---- methods ----------------------------------------------------------------

@test "405 with Allow for other methods" {
	request 'data=x' REQUEST_METHOD=DELETE
	refused 405 POST
	[ "$(header "$HEAD" Allow)" = 'POST, PUT, OPTIONS' ]
	nothing_stored
}

# ---- length -----------------------------------------------------------------

@test "411 without a Content-Length" {
	request 'data=x' -CONTENT_LENGTH
	refused 411 Content-Length
	nothing_stored
}

@test "400 for a Content-Length that is not a number" {
	request 'data=x' CONTENT_LENGTH=6a
	refused 400 'Content-Length is not a number'
	nothing_stored
}

@test "413 for a body over 1 MiB, before it is read" {
	# Were it read, it would be too short.
	request 'data=x' CONTENT_LENGTH=1048577
	refused 413 'longer than 1048576 bytes'
	nothing_stored
}

@test "a body of exactly 1 MiB is taken" {
	head -c 1048576 /dev/zero | tr '\0' x >"$T/body"
	request_file CONTENT_TYPE="$PLAIN"
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT length(data) FROM events')" -eq 1048576 ]
}

@test "ROWCAST_MAX_BODY_BYTES moves the limit" {
	request 'data=x' ROWCAST_MAX_BODY_BYTES=6
	answered 201 '{"id":1}'
	request 'data=xy' ROWCAST_MAX_BODY_BYTES=6
	refused 413 'longer than 6 bytes'
}

@test "400 for a body shorter than its Content-Length" {
	request 'data=x' CONTENT_LENGTH=7
	refused 400 'ended after 6 of 7 bytes'
	nothing_stored
}

@test "bytes beyond the Content-Length are not read" {
	request 'data=xyz' CONTENT_LENGTH=6
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT data FROM events')" = x ]
}

@test "10000 events in an array are taken, one more is 413" {
	sqlite3 :memory: "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL
		SELECT i + 1 FROM n WHERE i < 10000)
		SELECT json_group_array(json_object('data', i)) FROM n" >"$T/body"
	request_file CONTENT_TYPE="$JSON"
	[ "$STATUS" -eq 201 ]
	[ "$(count)" -eq 10000 ]
	sed -i 's/^\[/[{"data":0},/' "$T/body"
	request_file CONTENT_TYPE="$JSON"
	refused 413 'more than 10000 events'
	[ "$(count)" -eq 10000 ]
}

# ---- bodies -----------------------------------------------------------------

@test "400 for a body that cannot be read, in each content type" {
	request 'data=%zz'
	refused 400 'two hex digits'
	request '{"data":"x"' CONTENT_TYPE="$JSON"
	refused 400 'The JSON is refused'
	request '[{"data":"x"},[]]' CONTENT_TYPE="$JSON"
	refused 400 'index 1 of the array is not an object'
	request '{"data":"a\u0000b"}' CONTENT_TYPE="$JSON"
	refused 400 '\u0000'
	request x CONTENT_TYPE="$PLAIN" QUERY_STRING='topic=%'
	refused 400 'The query is malformed at "topic"'
	printf '\xc0\x80' >"$T/body"
	request_file CONTENT_TYPE="$PLAIN"
	refused 400 'UTF-8'
	nothing_stored
}

@test "400 for a field that is missing, unknown, repeated or not valid" {
	request 'topic=a'
	refused 400 'no data'
	request '[{},{"data":"x"}]' CONTENT_TYPE="$JSON"
	refused 400 'At index 0 of the array: There is no data'
	request '{"data":"x","id":5}' CONTENT_TYPE="$JSON"
	refused 400 'no field "id"'
	request x CONTENT_TYPE="$PLAIN" QUERY_STRING='topic=a&topic=b'
	refused 400 '"topic" appears twice'
	request '{"data":"x","key":5}' CONTENT_TYPE="$JSON"
	refused 400 '"key" must be a string'
	request 'data=x&retry=86400001'
	refused 400 '"retry" must be a whole number'
	nothing_stored
}

@test "400 shows the printable bytes of an unknown name" {
	request 'data=x&a%0D%0AX%22%C3%BC%7F=1'
	refused 400 'no field "a??X"???";'
	nothing_stored
}

# ---- content type -----------------------------------------------------------

@test "415 for another content type, or none" {
	request 'data=x' CONTENT_TYPE=text/html
	refused 415 'Content-Type must be'
	request 'data=x' -CONTENT_TYPE
	refused 415 'Content-Type must be'
	nothing_stored
}

@test "415 for JSON without the type of JSON says which header to send" {
	local type
	for type in -CONTENT_TYPE CONTENT_TYPE=text/json \
		CONTENT_TYPE=application/x-www-form-urlencoded; do
		request '{"data":"x"}' "$type"
		refused 415 "-H 'Content-Type: application/json'"
		request ' [{"data":"x=y"}]' "$type"
		refused 415 "-H 'Content-Type: application/json'"
	done
	refused 415 'The body is JSON, but was sent as a form'
	request '{"data":"x"}' REQUEST_METHOD=PUT -CONTENT_TYPE
	refused 415 'The body is JSON, but was sent as an event stream'
	refused 415 "-H 'Content-Type: application/x-ndjson'"
	nothing_stored
}

@test "415 for a compressed body says what to do" {
	request 'data=x' HTTP_CONTENT_ENCODING=gzip
	refused 415 'Send the body as it is, without this header'
	nothing_stored
	request 'data=x' HTTP_CONTENT_ENCODING=identity
	[ "$STATUS" = 201 ]
}

# ---- pages of other sites ---------------------------------------------------

@test "403 for a page of another site, unless its origin is listed" {
	local from=(HTTP_ORIGIN=https://evil.example HTTP_SEC_FETCH_SITE=cross-site)
	request 'data=x' REMOTE_USER=me "${from[@]}"
	refused 403 ROWCAST_CORS_ORIGINS
	nothing_stored
	request 'data=x' REMOTE_USER=me "${from[@]}" \
		ROWCAST_CORS_ORIGINS=https://evil.example
	[ "$STATUS" = 201 ]
}

@test "403 for an origin that is another host, without Sec-Fetch-Site" {
	request 'data=x' REMOTE_USER=me HTTP_HOST=intranet \
		HTTP_ORIGIN=http://evil.example
	refused 403 ROWCAST_CORS_ORIGINS
	nothing_stored
}

@test "403 for another port, another part of the site, and no origin" {
	local from
	for from in 'HTTP_ORIGIN=http://intranet:8080' \
		HTTP_SEC_FETCH_SITE=same-site HTTP_SEC_FETCH_SITE=bogus; do
		request 'data=x' REMOTE_USER=me HTTP_HOST=intranet "$from"
		refused 403 'Pages of other origins'
	done
	request 'data=x' HTTP_HOST=intranet HTTP_ORIGIN=null
	refused 403 'Origin: null'
	nothing_stored
	request 'data=x' REMOTE_USER=me HTTP_HOST=intranet:8080 \
		HTTP_ORIGIN=http://intranet:8080 HTTP_SEC_FETCH_SITE=same-origin
	[ "$STATUS" = 201 ]
}

@test "\"*\" lets all pages publish, but not as a user" {
	local from=(HTTP_ORIGIN=https://any.example HTTP_SEC_FETCH_SITE=cross-site)
	request 'data=x' REMOTE_USER=me "${from[@]}" ROWCAST_CORS_ORIGINS='*'
	refused 403 ROWCAST_CORS_ORIGINS
	nothing_stored
	request 'data=x' "${from[@]}" ROWCAST_CORS_ORIGINS='*'
	[ "$STATUS" = 201 ]
}
