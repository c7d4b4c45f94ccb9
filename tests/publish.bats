#!/usr/bin/env bats
# publish.bats: the events that the publisher stores, and who may publish.

load publish
STATUS= # set by request()

# ---- stored events ----------------------------------------------------------

@test "a form is stored with all its fields and answered 201 with the id" {
	request 'topic=a%2Fb&event=note&data=x+y%0Az&retry=250&key=k'
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT id, topic, event, hex(data), retry_ms, key
		FROM events')" = "1|a/b|note|7820790A7A|250|k" ]
}

@test "data alone is enough; other fields have defaults" {
	request 'data=hi'
	answered 201 '{"id":1}'
	[ "$(rows "SELECT topic, event, data, retry_ms IS NULL, key IS NULL,
		abs(created_ms - strftime('%s') * 1000) < 60000
		FROM events")" = "|message|hi|1|1|1" ]
}

@test "empty data is data" {
	request 'data='
	answered 201 '{"id":1}'
	[ "$(rows "SELECT data = '' FROM events")" -eq 1 ]
}

@test "a JSON object is stored with all its members" {
	request '{"topic":"t","event":"e","data":"d\n\u00fc","retry":5,
		"key":"k"}' CONTENT_TYPE="$JSON"
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT topic, event, hex(data), retry_ms, key FROM events')" \
		= "t|e|640AC3BC|5|k" ]
}

@test "JSON data that is not a string is stored as its JSON text" {
	request '[{"data":1.10},{"data":12345678901234567890123},
		{"data":{"a" : [ 1.0, "\u00fc" ]}},{"data":true},{"data":[]}]' \
		CONTENT_TYPE="$JSON"
	answered 201 '{"ids":[1,2,3,4,5]}'
	[ "$(rows "SELECT group_concat(data, ' ') FROM events")" = \
		'1.10 12345678901234567890123 {"a":[1.0,"\u00fc"]} true []' ]
}

@test "JSON members that are null count as absent" {
	request '{"data":"d","topic":null,"event":null,"retry":null,"key":null}' \
		CONTENT_TYPE="$JSON"
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT topic, event, retry_ms IS NULL, key IS NULL
		FROM events')" = "|message|1|1" ]
}

@test "an array of one is answered with ids" {
	request '[{"data":"d"}]' CONTENT_TYPE="$JSON"
	answered 201 '{"ids":[1]}'
}

@test "a plain text is the data; other fields come from the query" {
	request 'a=b&c%41+' CONTENT_TYPE='text/plain; charset="UTF-8"' \
		'QUERY_STRING=topic=a%20b&event=e&retry=0&key=k'
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT data, topic, event, retry_ms, key FROM events')" = \
		'a=b&c%41+|a b|e|0|k' ]
}

@test "a query is ignored unless the body is plain text" {
	request 'data=x' QUERY_STRING='topic=a&nonsense=1&%'
	answered 201 '{"id":1}'
	request '{"data":"x"}' CONTENT_TYPE="$JSON" QUERY_STRING='data=2'
	answered 201 '{"id":2}'
	[ "$(rows "SELECT count(*) FROM events
		WHERE topic = '' AND data = 'x'")" -eq 2 ]
}

@test "a NUL in plain text is kept" {
	printf 'a\0b' >"$T/body"
	request_file CONTENT_TYPE="$PLAIN"
	answered 201 '{"id":1}'
	[ "$(rows 'SELECT hex(data) FROM events')" = 610062 ]
}

@test "a media type is recognised in any case and with parameters" {
	request '{"data":"x"}' \
		CONTENT_TYPE='Application/JSON ; Charset=utf-8; a="b;c";'
	answered 201 '{"id":1}'
}

@test "a missing log is created" {
	[ ! -e "$DB" ]
	request 'data=x'
	answered 201 '{"id":1}'
	[ "$(rows 'PRAGMA user_version')" -eq 1 ]
	[ "$(rows 'PRAGMA journal_mode')" = wal ]
}

@test "an empty file becomes the log" {
	: >"$DB"
	request 'data=x'
	answered 201 '{"id":1}'
	[ "$(rows 'PRAGMA user_version')" -eq 1 ]
}

@test "twenty requests at once without a log store twenty events" {
	local i pids=() failed=0
	for i in {1..20}; do
		mkdir "$T/$i"
		(T=$T/$i request "data=$i" >"$T/$i/said" &&
			[ "$STATUS" -eq 201 ]) 3>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || failed=$((failed + 1))
	done
	cat "$T"/*/complaint
	[ "$failed" -eq 0 ]
	[ "$(rows 'SELECT count(DISTINCT data) FROM events')" -eq 20 ]
}

# ---- idempotency ------------------------------------------------------------

@test "a repeated key is answered 200 with the first id and adds nothing" {
	request 'data=first&key=k'
	answered 201 '{"id":1}'
	request 'key=k&event=message&data=first'
	answered 200 '{"id":1}'
	[ "$(count)" -eq 1 ]
}

@test "a key reused with other content is answered 409" {
	request 'data=first&key=k&topic=t&event=e&retry=5'
	answered 201 '{"id":1}'
	local other
	for other in 'data=second&topic=t&event=e&retry=5' \
		'data=first&topic=u&event=e&retry=5' \
		'data=first&topic=t&retry=5' 'data=first&topic=t&event=e'; do
		request "key=k&$other"
		refused 409 'its key belongs to event 1'
	done
	request '[{"data":"new"},{"data":"other","key":"k"}]' \
		CONTENT_TYPE="$JSON"
	refused 409 'index 1'
	request '[{"data":"a","key":"l"},{"data":"b","key":"l"}]' \
		CONTENT_TYPE="$JSON"
	refused 409 'index 1'
	[ "$(count)" -eq 1 ]
}

@test "an array with new and repeated keys is answered 201 and adds the new" {
	request '{"data":"a","key":"k"}' CONTENT_TYPE="$JSON"
	request '[{"data":"a","key":"k"},{"data":"c","key":"l"},
		{"data":"c","key":"l"}]' CONTENT_TYPE="$JSON"
	[ "$STATUS" -eq 201 ]
	[ "$(rows "SELECT group_concat(data, '') FROM events")" = ac ]
	local id
	id=$(rows "SELECT id FROM events WHERE key = 'l'")
	answered 201 "{\"ids\":[1,$id,$id]}"
	request '[{"data":"a","key":"k"},{"data":"c","key":"l"}]' \
		CONTENT_TYPE="$JSON"
	answered 200 "{\"ids\":[1,$id]}"
	[ "$(count)" -eq 2 ]
}

# ---- all or none ------------------------------------------------------------

@test "the publisher waits for a non-blocking body" {
	nonblocking_pipe 4
	env -i REQUEST_METHOD=POST CONTENT_TYPE="$FORM" CONTENT_LENGTH=6 \
		ROWCAST_DB="$DB" ROWCAST_PUBLISH_OPEN=1 "$PUBLISHER" \
		<&4 >"$T/response" 2>"$T/complaint" 3>&- 4<&- 6>&- &
	PID=$!
	exec 4<&-
	eventually sleeps "$PID"
	printf data= >&6
	eventually sleeps "$PID"
	printf x >&6
	exec 6>&-
	wait "$PID"
	grep '^Status: 201' "$T/response"
	[ ! -s "$T/complaint" ]
}

@test "the publisher waits for a non-blocking standard output" {
	needs jq
	nonblocking_pipe 6
	# the pipe is nearly full
	head -c 60000 /dev/zero >&6
	seq 10000 | jq -sc 'map({data: .})' >"$T/body"
	env -i REQUEST_METHOD=POST CONTENT_TYPE="$JSON" \
		CONTENT_LENGTH="$(wc -c <"$T/body")" \
		ROWCAST_DB="$DB" ROWCAST_PUBLISH_OPEN=1 "$PUBLISHER" \
		<"$T/body" >&6 2>"$T/complaint" 3>&- 4<&- 6>&- &
	PID=$!
	exec 6>&-
	eventually has_rows 10000
	eventually sleeps "$PID"
	cat <&4 >"$T/response"
	exec 4<&-
	wait "$PID"
	tail -c 20 "$T/response" | grep '9999,10000\]}$'
	[ ! -s "$T/complaint" ]
}

has_rows() {
	[ "$(count)" -eq "$1" ]
}

@test "500 for a body that cannot be read, and a line with the reason" {
	: >"$T/body"
	AS=(sh -c 'exec "$@" <.' sh)
	request_file CONTENT_LENGTH=6
	refused 500 'The body cannot be read'
	grep 'rowcast-publish.cgi: body: standard input: Is a directory' \
		"$COMPLAINT"
	nothing_stored
	request_file CONTENT_LENGTH=6 CONTENT_TYPE=application/x-ndjson
	refused 500 'Events stored before it: 0;'
	nothing_stored
}

@test "an array is stored wholly or not at all" {
	request '{"data":"before"}' CONTENT_TYPE="$JSON"
	request '[{"data":"a"},{"data":"b"},{"data":"c","event":"stream-x"}]' \
		CONTENT_TYPE="$JSON"
	refused 422 'index 2'
	[ "$(rows 'SELECT data FROM events')" = before ]
}

@test "a broken member late in an array stores nothing" {
	request '[{"data":"a"},{"data":"b","topic":5}]' CONTENT_TYPE="$JSON"
	refused 400 'At index 1 of the array: "topic" must be a string'
	nothing_stored
}

# ---- access -----------------------------------------------------------------

@test "403 if no rule gives access" {
	request 'data=x' -ROWCAST_PUBLISH_OPEN
	refused 403 ROWCAST_PUBLISH_TOKEN
	request 'data=x' ROWCAST_PUBLISH_OPEN=0
	refused 403 ROWCAST_PUBLISH_TOKEN
	request 'data=x' ROWCAST_PUBLISH_OPEN= ROWCAST_PUBLISH_TOKEN= \
		REMOTE_USER= 'HTTP_AUTHORIZATION=Bearer '
	refused 403 ROWCAST_PUBLISH_TOKEN
	nothing_stored
}

@test "variables that a client can set give no access" {
	request 'data=x' -ROWCAST_PUBLISH_OPEN HTTP_REMOTE_USER=me \
		HTTP_ROWCAST_PUBLISH_OPEN=1 HTTP_ROWCAST_PUBLISH_TOKEN=a \
		'HTTP_AUTHORIZATION=Bearer a'
	refused 403 ROWCAST_PUBLISH_TOKEN
	nothing_stored
}

@test "a user that the web server has authenticated may publish" {
	request 'data=x' -ROWCAST_PUBLISH_OPEN REMOTE_USER=anna
	answered 201 '{"id":1}'
}

@test "the Bearer token gives access" {
	request 'data=x' -ROWCAST_PUBLISH_OPEN ROWCAST_PUBLISH_TOKEN=s3cret \
		'HTTP_AUTHORIZATION=Bearer s3cret'
	answered 201 '{"id":1}'
	request 'data=x' -ROWCAST_PUBLISH_OPEN ROWCAST_PUBLISH_TOKEN=s3cret \
		'HTTP_AUTHORIZATION=bearer   s3cret'
	answered 201 '{"id":2}'
}

@test "401 with WWW-Authenticate for a wrong token or none" {
	local header wanted
	for header in '' Bearer 'Bearer ' 'Bearer s3cre' 'Bearer s3crets' \
		'Bearer s3creT' 'Bearer s3cret ' 'Bearers3cret' s3cret \
		'Basic s3cret' 'Bearer s3crets3cret'; do
		request 'data=x' -ROWCAST_PUBLISH_OPEN \
			ROWCAST_PUBLISH_TOKEN=s3cret \
			"HTTP_AUTHORIZATION=$header"
		refused 401 ROWCAST_PUBLISH_TOKEN
		[[ $(problem detail) == *'/etc/default/rowcast-publish'* ]]
		wanted='Bearer realm="rowcast"'
		[[ $header != 'Bearer '* ]] || wanted+=', error="invalid_token"'
		[ "$(header "$HEAD" WWW-Authenticate)" = "$wanted" ]
	done
	request 'data=x' -ROWCAST_PUBLISH_OPEN ROWCAST_PUBLISH_TOKEN=s3cret
	refused 401 CGIPassAuth
	run ! grep -r s3cret "$T/response" "$COMPLAINT"
	nothing_stored
}

@test "an answer without access does not depend on the body" {
	request '%' -ROWCAST_PUBLISH_OPEN CONTENT_TYPE=x/y
	refused 403 ROWCAST_PUBLISH_TOKEN
	[ ! -e "$DB" ]
}
