#!/usr/bin/env bats
# Notices about events that were removed before a client got them.

load stream

setup() {
	site_new
	serve
}

# Insert a row, wait until a stream has it, and list all that the stream got.
#   usage: receives NAME [QUERY [CURL-OPTION…]]
# Sets RECEIVED.
receives() {
	open_stream "$@"
	sql "INSERT INTO events(topic, event, data) VALUES('a', 'tick', 'mark')"
	eventually got "$1" 'data: mark'
	RECEIVED=$(events "$1" | grep -v ' mark$' || :)
	echo "$1: $RECEIVED"
}

@test "a cursor before the oldest kept event gets stream-gap first" {
	five_rows
	sql 'DELETE FROM events WHERE id <= 3'
	open_stream a '' -H 'Last-Event-ID: 1'
	brings_bytes a 'retry: 3000\nid: 1\n\nevent: stream-gap\ndata: {"after":1,"next":4}\n\nid: 4\ndata: four\n\nid: 5\ndata: five\n\n'
}

@test "the gap is exact: none for a client that has all removed events" {
	five_rows
	sql 'DELETE FROM events WHERE id <= 3'
	receives before since=2
	[ "${RECEIVED%%$'\n'*}" = ' stream-gap {"after":2,"next":4}' ]
	receives at since=3
	[ "${RECEIVED%%$'\n'*}" = '4 message four' ]
	run ! got at stream-gap
}

@test "0 is a cursor before the oldest kept event" {
	five_rows
	sql 'DELETE FROM events WHERE id = 1'
	receives a since=0
	[ "${RECEIVED%%$'\n'*}" = ' stream-gap {"after":0,"next":2}' ]
}

@test "ids that were never used are no gap" {
	five_rows
	sql "INSERT INTO events(id, data) VALUES(100, 'hundred'), (1000, 'thousand')"
	receives a since=3
	[ "$RECEIVED" = $'4 message four\n5 message five\n100 message hundred\n1000 message thousand' ]
	receives b since=50
	run ! got b stream-gap
}

@test "ids of rows that were never committed are no gap" {
	five_rows
	sql "BEGIN" "INSERT INTO events(data) VALUES('never')" "ROLLBACK" \
		"INSERT INTO events(id, data) VALUES(8, 'eight')"
	receives a since=4
	[ "$RECEIVED" = $'5 message five\n8 message eight' ]
}

@test "a row deleted by hand in the middle is a gap" {
	five_rows
	sql 'DELETE FROM events WHERE id = 3'
	receives a since=1
	[ "$RECEIVED" = $' stream-gap {"after":1,"next":4}\n2 tick two\n4 message four\n5 message five' ]
	receives b since=2
	[ "$(head -n 2 <<<"$RECEIVED")" = $' stream-gap {"after":2,"next":4}\n4 message four' ]
	receives c since=3
	run ! got c stream-gap
}

@test "removed rows of other topics are no gap" {
	five_rows
	sql 'DELETE FROM events WHERE id IN (2, 4)'
	receives exact 'since=1&topic=a'
	[ "$RECEIVED" = '3 tick three' ]
	receives prefix 'since=1&topic=b*&topic=a'
	[ "$(head -n 1 <<<"$RECEIVED")" = ' stream-gap {"after":1,"next":3}' ]
	receives ab 'since=3&topic=ab*&topic=a'
	[ "$(head -n 1 <<<"$RECEIVED")" = ' stream-gap {"after":3,"next":5}' ]
	receives all since=1
	[ "$(head -n 1 <<<"$RECEIVED")" = ' stream-gap {"after":1,"next":5}' ]
	receives beyond 'since=2&topic=b&topic=a'
	run ! got beyond stream-gap
}

@test "if all events were removed, next is the next id" {
	five_rows
	sql 'DELETE FROM events'
	receives a since=2
	[ "$RECEIVED" = ' stream-gap {"after":2,"next":6}' ]
	[ "$(events a | tail -n 1)" = '6 tick mark' ]
}

@test "a time before the oldest kept event gets stream-gap" {
	five_rows
	sql 'DELETE FROM events WHERE id <= 3'
	receives a since=2026-01-01T12:00:02Z
	[ "$(sed 1q <<<"$RECEIVED" | cut -d ' ' -f 2)" = stream-gap ]
	[ "$(tail -n 2 <<<"$RECEIVED")" = $'4 message four\n5 message five' ]
}

@test "earliest and last:N get no gap, whatever was removed" {
	five_rows
	sql 'DELETE FROM events WHERE id IN (1, 2, 4)'
	receives earliest since=earliest
	[ "$RECEIVED" = $'3 tick three\n5 message five' ]
	receives last since=last:9
	run ! got last stream-gap
	receives topic 'since=last:9&topic=ab&topic=a'
	run ! got topic stream-gap
	receives now
	run ! got now stream-gap
}

@test "a gap is reported once in a stream" {
	five_rows
	sql 'DELETE FROM events WHERE id <= 3'
	open_stream a since=1
	eventually got a 'data: five'
	local i
	for i in 6 7 8; do
		sql "INSERT INTO events(data) VALUES('row-$i')"
		eventually got a "data: row-$i"
	done
	[ "$(count_lines a 'event: stream-gap')" -eq 1 ]
}

# Print the time in 1/100 s in which the responder passes all rows for zz*.
#   usage: passes NAME
passes() {
	local pid before
	pid=$(responders)
	before=$(cpu "$pid")
	open_stream "$1" 'topic=zz*&since=0'
	sql "INSERT INTO events(topic, data) VALUES('zz', '$1')"
	eventually got "$1" "data: $1"
	stop "$STREAM_PID"
	TOOK=$(($(cpu "$pid") - before))
}

cpu() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

@test "a replay takes as long when many topics have been removed" {
	local few
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300000)
		INSERT INTO events(topic, data) SELECT 'a', 'x' FROM n"
	passes before
	few=$TOOK
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 9000)
		INSERT INTO events(topic, data) SELECT 't' || i, 'x' FROM n;
		DELETE FROM events WHERE topic GLOB 't*'"
	passes after
	run ! got after stream-gap
	echo "took $few and $TOOK"
	[ "$TOOK" -le $((2 * few + 5)) ]
}

@test "the removal of events that a stream has is not reported" {
	five_rows
	open_stream a since=1
	open_stream b 'since=1&topic=a*'
	eventually got a 'data: five'
	eventually got b 'data: four'
	sql 'DELETE FROM events'
	sql "INSERT INTO events(topic, data) VALUES('a', 'six')"
	brings a $'2 tick two\n3 tick three\n4 message four\n5 message five\n6 message six'
	brings b $'3 tick three\n4 message four\n6 message six'
}

@test "rows that are removed before any client has them are a gap" {
	open_stream a
	open_stream topic topic=a
	open_stream other topic=b
	sql "INSERT INTO events(topic, data) VALUES('a', 'one')"
	eventually got topic 'data: one'
	sql "BEGIN;
		INSERT INTO events(topic, data) VALUES('a', 'two'), ('b', 'three');
		DELETE FROM events WHERE id = 2;
		COMMIT"
	brings a $'1 message one\n stream-gap {"after":1,"next":3}\n3 message three'
	brings topic $'1 message one\n stream-gap {"after":1,"next":3}'
	brings other $'3 message three'
}

@test "a last row that is removed before any client has it is a gap" {
	open_stream a
	sql "INSERT INTO events(topic, data) VALUES('a', 'one')"
	eventually got a 'data: one'
	sql "BEGIN;
		INSERT INTO events(topic, data) VALUES('a', 'two'), ('a', 'three');
		DELETE FROM events WHERE id = 3;
		COMMIT"
	eventually got a 'data: two'
	eventually got a '"next":4}'
	[ "$(count_lines a 'event: stream-gap')" -eq 1 ]
	[ "$(events a | grep -v stream-gap)" = $'1 message one\n2 message two' ]
	# a new client has missed nothing, and 3 is not beyond the end
	receives now
	[ "$RECEIVED" = '' ]
	receives end since=3
	run ! grep -q 'stream-' "$T/end.body"
}

@test "deleted rows are no longer sent, wherever they were in memory" {
	five_rows
	# sent live: in the tail
	open_stream a
	sql "INSERT INTO events(data) VALUES('six'), ('seven')"
	eventually got a 'data: seven'
	# read by a stream that resumed: in a page
	open_stream b since=1
	eventually got b 'data: seven'
	sql 'DELETE FROM events WHERE id IN (3, 6)'
	eventually comes_without since=1 three six
	eventually comes_without 'since=1&topic=a&topic=' three six
}

# usage: comes_without QUERY DATA…
comes_without() {
	local query=$1 data
	shift
	open_stream c "$query" || return 1
	eventually got c 'data: seven' || return 1
	stop "$STREAM_PID"
	for data in "$@"; do
		if got c "data: $data"; then return 1; fi
	done
	[ "$(events c | head -n 1)" = ' stream-gap {"after":1,"next":7}' ]
}
