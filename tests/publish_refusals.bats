#!/usr/bin/env bats
# publish_refusals.bats: what bad input to the publisher gets.

load publish
STATUS= # set by request()

# ---- 422: names that the schema refuses -------------------------------------

@test "422 gives the reason of the schema" {
	local long
	printf -v long '%0256d' 0
	request 'data=x&topic=a%0Ab'
	refused 422 'topic holds CR, LF or NUL'
	request 'data=x&topic=a%00b'
	refused 422 'topic holds CR, LF or NUL'
	request "data=x&topic=$long"
	refused 422 'topic is longer than 255 bytes'
	request 'data=x&event=a%0Db'
	refused 422 'event holds CR, LF or NUL'
	request 'data=x&event='
	refused 422 'event is empty'
	request "data=x&event=$long"
	refused 422 'event is longer than 255 bytes'
	request 'data=x&event=stream-gap'
	refused 422 'event begins with stream-'
	request 'data=x&key='
	refused 422 'key is empty or longer than 255 bytes'
	request "data=x&key=$long"
	refused 422 'key is empty or longer than 255 bytes'
	nothing_stored
}

@test "names of 255 bytes are taken" {
	local long
	printf -v long '%0255d' 0
	request "data=x&topic=$long&event=$long&key=$long"
	answered 201 '{"id":1}'
}

@test "422 names the index in an array, not for a single object" {
	request '[{"data":"a"},{"data":"x","topic":"a\nb"}]' CONTENT_TYPE="$JSON"
	refused 422 'At index 1 of the array: The event is refused: topic holds'
	request '{"data":"x","topic":"a\nb"}' CONTENT_TYPE="$JSON"
	refused 422 'The event is refused: topic holds'
}

# ---- methods ----------------------------------------------------------------

@test "405 with Allow for other methods" {
	local method
	for method in GET HEAD DELETE PATCH post ''; do
		request 'data=x' REQUEST_METHOD="$method"
		refused 405 POST
		[ "$(header "$HEAD" Allow)" = 'POST, PUT, OPTIONS' ]
	done
	nothing_stored
}

# ---- length -----------------------------------------------------------------

@test "411 without a Content-Length" {
	request 'data=x' -CONTENT_LENGTH
	refused 411 Content-Length
	request 'data=x' CONTENT_LENGTH=
	refused 411 Content-Length
	nothing_stored
}

@test "400 for a Content-Length that is no number" {
	local length
	for length in -1 +6 0x6 ' 6' '6 ' 6a 1,6 6.0; do
		request 'data=x' CONTENT_LENGTH="$length"
		refused 400 'Content-Length is not a number'
	done
	nothing_stored
}

@test "413 for a body over 1 MiB, before it is read" {
	# Were it read, it would be too short.
	request 'data=x' CONTENT_LENGTH=1048577
	refused 413 'longer than 1048576 bytes'
	request 'data=x' CONTENT_LENGTH=99999999999999999999999999
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

# ---- broken bodies ----------------------------------------------------------

@test "400 for a broken form" {
	request 'data=%'
	refused 400 'data'
	request 'data=x&topic=%4'
	refused 400 'topic'
	request 'data=%zz'
	refused 400 'two hex digits'
	nothing_stored
}

@test "400 for a broken query of a plain text" {
	request x CONTENT_TYPE="$PLAIN" QUERY_STRING='topic=%'
	refused 400 'The query is malformed at "topic"'
	request x CONTENT_TYPE="$PLAIN" QUERY_STRING='data=y'
	refused 400 'In the query: There is no field "data"; there are'
	nothing_stored
}

@test "400 for broken JSON" {
	local body
	for body in '{' '{"data":"x"' '{"data":"x",}' "{'data':'x'}" \
		'{data:"x"}' '[{"data":"x"}' '{"data":"x"}}' '{"data":01}' \
		'{"data":NaN}' '{"data":"a	b"}' '{"data":"\x"}' ''; do
		request "$body" CONTENT_TYPE="$JSON"
		refused 400 'The JSON is refused'
	done
	nothing_stored
}

@test "400 for JSON that is neither an object nor an array of objects" {
	local body
	for body in '"x"' 5 null true; do
		request "$body" CONTENT_TYPE="$JSON"
		refused 400 'neither an object nor an array of objects'
	done
	request '[{"data":"x"},[]]' CONTENT_TYPE="$JSON"
	refused 400 'index 1 of the array is not an object'
	nothing_stored
}

@test "400 for JSON nested 100000 deep" {
	head -c 100000 /dev/zero | tr '\0' '[' >"$T/body"
	request_file CONTENT_TYPE="$JSON"
	refused 400 'The JSON is refused'
	nothing_stored
}

@test "400 for a NUL or a lone surrogate in JSON" {
	request '{"data":"a\u0000b"}' CONTENT_TYPE="$JSON"
	refused 400 '\u0000'
	request '{"data":"\ud800"}' CONTENT_TYPE="$JSON"
	refused 400 'surrogate'
	request '{"data":"\udc00\ud800"}' CONTENT_TYPE="$JSON"
	refused 400 'surrogate'
	printf '{"data":"x"}\0' >"$T/body"
	request_file CONTENT_TYPE="$JSON"
	refused 400 'NUL'
	nothing_stored
	request '{"data":"\\u0000 \ud83d\ude00"}' CONTENT_TYPE="$JSON"
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT data FROM events')" = '\u0000 😀' ]
}

@test "400 for what is not UTF-8, in each content type" {
	local type body
	request 'data=%ff'
	refused 400 'UTF-8'
	for type in "$FORM" "$JSON" "$PLAIN"; do
		case $type in
		"$FORM") body='data=\xc3(' ;;
		"$JSON") body='{"data":"\xed\xa0\x80"}' ;;
		"$PLAIN") body='\xc0\x80' ;;
		esac
		# shellcheck disable=SC2059 # escapes are to be read
		printf "$body" >"$T/body"
		request_file CONTENT_TYPE="$type"
		refused 400 'UTF-8'
	done
	nothing_stored
}

@test "400 without data, in each content type" {
	request ''
	refused 400 'no data'
	request 'topic=a'
	refused 400 'no data'
	request '{}' CONTENT_TYPE="$JSON"
	refused 400 'no data'
	request '{"data":null}' CONTENT_TYPE="$JSON"
	refused 400 'no data'
	request '[]' CONTENT_TYPE="$JSON"
	refused 400 'no data'
	request '[{},{"data":"x"}]' CONTENT_TYPE="$JSON"
	refused 400 'At index 0 of the array: There is no data'
	request '' CONTENT_TYPE="$PLAIN"
	refused 400 'no data'
	nothing_stored
}

@test "400 names a field that is not known" {
	request 'data=x&tpoic=a'
	refused 400 'no field "tpoic"'
	request '{"data":"x","id":5}' CONTENT_TYPE="$JSON"
	refused 400 'no field "id"'
	request x CONTENT_TYPE="$PLAIN" QUERY_STRING='token=1'
	refused 400 'no field "token"'
	nothing_stored
}

@test "400 shows 40 printable bytes of an unknown name and no more" {
	local long
	printf -v long '%0100d' 0
	request "data=x&$long=1"
	refused 400 "no field \"${long:0:40}\";"
	request 'data=x&a%0D%0AX%22%C3%BC%7F=1'
	refused 400 'no field "a??X"???";'
	request '{"a\"\\\n":1.5}' CONTENT_TYPE="$JSON"
	refused 400 'no field "a"\?";'
	nothing_stored
}

@test "400 names a field that is there twice" {
	request 'data=x&data=y'
	refused 400 '"data" appears twice'
	request '{"data":"x","d\u0061ta":1}' CONTENT_TYPE="$JSON"
	refused 400 '"data" appears twice'
	request '{"data":"x","topic":null,"topic":"a"}' CONTENT_TYPE="$JSON"
	refused 400 '"topic" appears twice'
	request x CONTENT_TYPE="$PLAIN" QUERY_STRING='topic=a&topic=b'
	refused 400 '"topic" appears twice'
	nothing_stored
}

@test "400 names a JSON member of the wrong type" {
	local member
	for member in topic event key; do
		request "{\"data\":\"x\",\"$member\":5}" CONTENT_TYPE="$JSON"
		refused 400 "\"$member\" must be a string"
	done
	request '{"data":"x","retry":"5"}' CONTENT_TYPE="$JSON"
	refused 400 '"retry" must be a whole number'
	request '{"data":"x","retry":1.0}' CONTENT_TYPE="$JSON"
	refused 400 '"retry" must be a whole number'
	nothing_stored
}

@test "retry is a whole number from 0 to 86400000, or 400" {
	local value
	for value in -1 +1 1.0 1e3 86400001 999999999 '' %201 a; do
		request "data=x&retry=$value"
		refused 400 '"retry" must be a whole number'
	done
	for value in -1 -0 86400001 99999999999999999999; do
		request "{\"data\":\"x\",\"retry\":$value}" CONTENT_TYPE="$JSON"
		refused 400 '"retry" must be a whole number'
	done
	nothing_stored
	request 'data=x&retry=86400000'
	answered 201 '{"id":1}'
	request '{"data":"x","retry":0}' CONTENT_TYPE="$JSON"
	answered 201 '{"id":2}'
}

# ---- content type -----------------------------------------------------------

@test "415 for another content type, another charset, or none" {
	local type
	for type in multipart/form-data application/jsonx text/html text \
		'text/plain; charset=iso-8859-1' 'text/plain; charset' \
		'application/json; charset="utf-8' 'text/plain x' \
		'application/json, text/plain' ''; do
		request 'data=x' CONTENT_TYPE="$type"
		refused 415 'Content-Type must be'
	done
	request 'data=x' -CONTENT_TYPE
	refused 415 'Content-Type must be'
	nothing_stored
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

@test "403 for an origin that is another host, where a browser says no more" {
	request 'data=x' REMOTE_USER=me HTTP_HOST=intranet \
		HTTP_ORIGIN=http://evil.example
	refused 403 ROWCAST_CORS_ORIGINS
	request 'data=x' REMOTE_USER=me HTTP_HOST=intranet HTTP_ORIGIN=null
	refused 403 ROWCAST_CORS_ORIGINS
	nothing_stored
	request 'data=x' REMOTE_USER=me HTTP_HOST=intranet:8080 \
		HTTP_ORIGIN=http://Intranet:8080
	[ "$STATUS" = 201 ]
	request 'data=x' REMOTE_USER=me HTTP_HOST=intranet \
		HTTP_ORIGIN=http://evil.example ROWCAST_CORS_ORIGINS=http://evil.example
	[ "$STATUS" = 201 ]
}

@test "\"*\" lets all pages publish, but not in the name of a user" {
	local from=(HTTP_ORIGIN=https://any.example HTTP_SEC_FETCH_SITE=cross-site)
	request 'data=x' REMOTE_USER=me "${from[@]}" ROWCAST_CORS_ORIGINS='*'
	refused 403 ROWCAST_CORS_ORIGINS
	nothing_stored
	request 'data=x' "${from[@]}" ROWCAST_CORS_ORIGINS='*'
	[ "$STATUS" = 201 ]
}
