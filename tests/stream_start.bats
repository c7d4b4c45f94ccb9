#!/usr/bin/env bats
# The place in the log where a stream begins, and its first records.

load stream

# Insert a row and wait until these streams have it.  All earlier events have
# then arrived as well.
#   usage: mark NAME…
mark() {
	local name
	sql "INSERT INTO events(topic, event, data) VALUES('a', 'tick', 'mark')"
	for name in "$@"; do
		eventually got "$name" 'data: mark'
	done
}

# Print the ids of the events of a stream on one line, without marks.
ids() {
	events "$1" | grep -v ' mark$' | sed 's/ .*//' | paste -sd ' ' -
}

# ---- the first record -------------------------------------------------------

@test "the first bytes are retry: and the cursor, before there is any event" {
	serve
	open_stream empty
	brings_bytes empty 'retry: 3000\nid: 0\n\n'
	five_rows
	open_stream full
	brings_bytes full 'retry: 3000\nid: 5\n\n'
}

@test "the headers keep caches, proxies and compressors out" {
	serve
	open_stream a
	head=$T/a.head
	grep -q '^HTTP/1.1 200' "$head"
	[ "$(header "$head" Content-Type)" = text/event-stream ]
	[ "$(header "$head" Cache-Control)" = 'no-cache, no-transform' ]
	[ "$(header "$head" X-Accel-Buffering)" = no ]
	[ -z "$(header "$head" Content-Length)" ]
	[ -z "$(header "$head" Access-Control-Allow-Origin)" ]
}

@test "--retry-ms is in the first record" {
	serve ROWCAST_RETRY_MS=1234
	open_stream a
	brings_bytes a 'retry: 1234\nid: 0\n\n'
}

@test "cursor, old events and new events arrive in one stream" {
	serve
	five_rows
	open_stream a since=3
	brings_bytes a 'retry: 3000\nid: 3\n\nid: 4\ndata: four\n\nid: 5\ndata: five\n\n'
	sql "INSERT INTO events(data) VALUES('six')"
	brings a $'4 message four\n5 message five\n6 message six'
}

# ---- the start --------------------------------------------------------------

@test "a stream begins now by default" {
	serve
	five_rows
	open_stream a
	mark a
	[ "$(start_id a)" = 5 ]
	[ "$(ids a)" = '' ]
	[ "$(events a)" = '6 tick mark' ]
}

@test "a stream with empty starts begins now" {
	serve
	five_rows
	open_stream a 'since=&lastEventId=&last_event_id=&cachebuster=17'
	mark a
	[ "$(ids a)" = '' ]
	# curl sends an empty header for one that ends in a semicolon
	open_stream b '' -H 'Last-Event-ID;'
	mark b
	[ "$(ids b)" = '' ]
}

@test "the header Last-Event-ID is a start" {
	serve
	five_rows
	open_stream a '' -H 'Last-Event-ID: 3'
	mark a
	[ "$(start_id a)" = 3 ]
	[ "$(ids a)" = '4 5' ]
}

@test "last_event_id, lastEventId and since are starts" {
	serve
	five_rows
	open_stream a 'topic=*&last_event_id=3&event=message'
	open_stream b 'event=message&lastEventId=3'
	open_stream c since=3
	brings a $'4 message four\n5 message five'
	brings b $'4 message four\n5 message five'
	brings c $'4 message four\n5 message five'
	[ "$(start_id a) $(start_id b) $(start_id c)" = '3 3 3' ]
}

@test "the header has precedence over the query" {
	serve
	five_rows
	open_stream a 'last_event_id=1&lastEventId=1&since=1' -H 'Last-Event-ID: 4'
	mark a
	[ "$(ids a)" = 5 ]
}

@test "last_event_id has precedence over lastEventId, and that over since" {
	serve
	five_rows
	open_stream a 'since=1&lastEventId=2&last_event_id=4'
	open_stream b 'since=1&lastEventId=3'
	mark a b
	[ "$(ids a)" = 5 ]
	[ "$(ids b)" = '4 5' ]
}

@test "the header takes all kinds of starts" {
	serve
	five_rows
	open_stream a '' -H 'Last-Event-ID: last:2'
	open_stream b '' -H 'Last-Event-ID: earliest'
	open_stream c '' -H 'Last-Event-ID: 2026-01-01T12:00:03Z'
	mark a b c
	[ "$(ids a)" = '4 5' ]
	[ "$(ids b)" = '1 2 3 4 5' ]
	[ "$(ids c)" = '3 4 5' ]
}

@test "0 is the start before the first event" {
	serve
	five_rows
	open_stream a since=0
	mark a
	[ "$(start_id a)" = 0 ]
	[ "$(ids a)" = '1 2 3 4 5' ]
}

@test "an id whose event does not pass the filter is a start" {
	serve
	five_rows
	open_stream a 'since=2&topic=a'
	mark a
	[ "$(start_id a)" = 2 ]
	[ "$(ids a)" = 3 ]
}

@test "earliest begins with the oldest event that is kept" {
	serve
	five_rows
	open_stream a since=earliest
	sql 'DELETE FROM events WHERE id < 4'
	open_stream b since=earliest
	mark a b
	[ "$(ids a)" = '1 2 3 4 5' ]
	[ "$(ids b)" = '4 5' ]
	[ "$(start_id b)" = 3 ]
}

@test "earliest in an empty log begins now" {
	serve
	open_stream a since=earliest
	mark a
	[ "$(events a)" = '1 tick mark' ]
}

@test "last:N begins with the last N events" {
	serve
	five_rows
	open_stream a since=last:2
	mark a
	[ "$(start_id a)" = 3 ]
	[ "$(ids a)" = '4 5' ]
}

@test "last:N counts events that pass the filter: a topic, a prefix, a name" {
	serve
	five_rows
	open_stream topic 'since=last:1&topic=a'
	open_stream prefix 'since=last:2&topic=a*'
	open_stream name 'since=last:1&event=tick&topic=b&topic=a'
	open_stream all 'since=last:2'
	open_stream none 'since=last:3&topic=nothing*'
	mark topic prefix name all
	[ "$(ids topic)" = 3 ]
	[ "$(ids prefix)" = '3 4' ]
	[ "$(ids name)" = 3 ]
	[ "$(ids all)" = '4 5' ]
	brings_bytes none 'retry: 3000\nid: 5\n\n'
}

@test "last:N with an N larger than the log sends all events" {
	serve
	five_rows
	open_stream a since=last:100000
	open_stream b 'since=last:9223372036854775807&topic=a'
	mark a b
	[ "$(ids a)" = '1 2 3 4 5' ]
	[ "$(ids b)" = '1 3' ]
}

@test "last:N finds rare events behind thousands of others" {
	make_log
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 7000)
		INSERT INTO events(topic, event, data)
		SELECT iif(i % 3000 = 5, 'rare/', 'usual/') || i,
			iif(i % 3000 = 6, 'odd', 'message'), 'row ' || i FROM n"
	serve
	open_stream prefix 'since=last:2&topic=rare/*&topic=a'
	open_stream name 'since=last:2&event=odd&event=tick'
	open_stream topic 'since=last:2&topic=rare/5&topic=a'
	mark prefix name topic
	[ "$(ids prefix)" = '3005 6005' ]
	[ "$(ids name)" = '3006 6006' ]
	[ "$(ids topic)" = 5 ]
}

@test "last:N in an empty log begins now" {
	serve
	open_stream a since=last:3
	mark a
	[ "$(events a)" = '1 tick mark' ]
}

@test "a time begins with the first event of that time or later" {
	serve
	five_rows
	open_stream before since=2025-12-31T00:00:00Z
	open_stream exact since=2026-01-01T12:00:03Z
	open_stream between since=2026-01-01T12:00:03.001Z
	open_stream offset since=2026-01-01T14:00:03.500%2B02:00
	open_stream after since=9999-12-31T23:59:59Z
	mark before exact between offset after
	[ "$(ids before)" = '1 2 3 4 5' ]
	[ "$(ids exact)" = '3 4 5' ]
	[ "$(ids between)" = '4 5' ]
	[ "$(ids offset)" = '4 5' ]
	[ "$(ids after)" = '' ]
}

@test "a time in an empty log begins now" {
	serve
	open_stream a since=2026-01-01T12:00:00Z
	mark a
	[ "$(events a)" = '1 tick mark' ]
}

# ---- greeting ---------------------------------------------------------------

@test "hello=NAME sends the time of the server before all events" {
	serve
	five_rows
	local before said
	before=$(date +%s)
	open_stream a 'hello=connecttime&since=4'
	eventually got a 'data: five'
	[ "$(sed -n 4p "$T/a.body")" = 'event: connecttime' ]
	[ "$(events a | sed -n 2p)" = '5 message five' ]
	events a | head -n 1 |
		grep -Eq '^4 connecttime [0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}\.[0-9]{3}Z$'
	said=$(date -d "$(events a | sed -n '1s/^4 connecttime //p')" +%s)
	[ "$said" -ge "$((before - 1))" ]
	[ "$said" -le "$(date +%s)" ]
}

@test "the greeting does not move the client's cursor" {
	serve
	five_rows
	open_stream a 'hello=hi'
	eventually got a 'event: hi'
	[ "$(last_id a)" = 5 ]
	[ "$(grep '^id: ' "$T/a.body" | sort -u)" = 'id: 5' ]
}

# ---- beyond the end ---------------------------------------------------------

@test "a cursor beyond the end gets stream-reset, then live events" {
	serve
	five_rows
	open_stream a '' -H 'Last-Event-ID: 99'
	brings_bytes a 'retry: 3000\nid: 5\n\nevent: stream-reset\nid: 5\ndata: {"after":99,"head":5}\n\n'
	sql "INSERT INTO events(data) VALUES('six')"
	brings a $'5 stream-reset {"after":99,"head":5}\n6 message six'
}

@test "a cursor in an empty log is beyond the end" {
	serve
	open_stream a since=7
	mark a
	[ "$(events a)" = $'0 stream-reset {"after":7,"head":0}\n1 tick mark' ]
}

@test "the largest possible id is beyond the end" {
	serve
	five_rows
	open_stream a since=9223372036854775807
	mark a
	[ "$(events a | head -n 1)" = '5 stream-reset {"after":9223372036854775807,"head":5}' ]
}

@test "the cursor at the end is not beyond it, even if its row was removed" {
	serve
	five_rows
	sql 'DELETE FROM events'
	open_stream a since=5
	mark a
	[ "$(events a)" = '6 tick mark' ]
}

@test "a cursor of a topic is not beyond the end when other topics grow" {
	serve
	five_rows
	open_stream a 'since=5&topic=a'
	mark a
	[ "$(events a)" = '6 tick mark' ]
}
