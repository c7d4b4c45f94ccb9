#!/usr/bin/env bats
# Hostile rows that the sqlite3 shell inserts while the checks of the schema are
# off or removed: no row breaks a stream, forges a field of another event or
# ends the responder.  Rows that the schema refuses are in stream_schema.bats.

load stream

setup() {
	site_new
	make_log
	serve
	PROCESS=$(responders)
	open_stream live
}

# Run SQL without checks.
unchecked() {
	sql 'PRAGMA ignore_check_constraints = ON' "$@"
}

# The schema without STRICT and NOT NULL.  Newer shells protect it.
loosen_schema() {
	sql '.dbconfig defensive off' "PRAGMA writable_schema = ON;
		UPDATE sqlite_schema
		SET sql = replace(replace(sql, 'STRICT', ''), 'NOT NULL', '')
		WHERE name = 'events';
		PRAGMA writable_schema = RESET" >/dev/null
}

# After a last, honest row: the stream that was there, one that reads the log,
# and one of all topics by prefix have brought the same bytes behind the cursor,
# and the responder is the one that was started.
all_agree() {
	sql "INSERT INTO events(data) VALUES('mark')"
	eventually got live 'data: mark'
	open_stream log since=0
	open_stream prefix 'since=0&topic=*'
	eventually got log 'data: mark'
	eventually got prefix 'data: mark'
	sed '1,/^$/d' "$T/live.body" >"$T/live.all"
	sed '1,/^$/d' "$T/log.body" | cmp "$T/live.all" -
	sed '1,/^$/d' "$T/prefix.body" | cmp "$T/live.all" -
	[ "$(responders)" = "$PROCESS" ]
}

# All streams must have received these bytes before the mark.
#   usage: brought FORMAT     as printf takes it
brought() {
	all_agree
	# shellcheck disable=SC2059 # a format
	printf "$1" >"$T/want"
	sed -e '/^data: mark$/,$d' "$T/live.all" | sed '$d' |
		diff -a "$T/want" -
}

@test "data of a million lines that look like fields stays data" {
	sql "INSERT INTO events(data) VALUES(
		replace(hex(zeroblob(500000)), '0', 'id: 7' || char(13)))"
	all_agree
	[ "$(grep -c '^data: id: 7$' "$T/live.all")" -eq 1000000 ]
	[ "$(grep '^id: ' "$T/live.all")" = $'id: 1\nid: 2' ]
	[ "$(grep -cv '^data: ' "$T/live.all")" -eq 4 ]
}

@test "control characters arrive unchanged" {
	local all="char(1,2,3,4,5,6,7,8,9,11,12,14,15,16,17,18,19,20,21,22,23,24,
		25,26,27,28,29,30,31,127,0x85,0x2028)"
	sql "INSERT INTO events(topic, event, data) VALUES($all, $all, $all)"
	all_agree
	sql "SELECT writefile('$SITE/build/run/want', CAST('event: ' || event
		|| char(10) || 'data: ' || data || char(10, 10) AS BLOB))
		FROM events WHERE id = 1" >/dev/null
	sed -e 1d -e '/^id: 2$/,$d' "$T/live.all" | cmp "$SITE/build/run/want" -
}

@test "bytes that are not UTF-8 arrive unchanged, in data and names" {
	sql "INSERT INTO events(topic, event, data) VALUES(
		CAST(x'74FF' AS TEXT), CAST(x'C3' AS TEXT),
		CAST(x'80FF00C30AEDA080F8' AS TEXT))"
	brought 'id: 1\nevent: \xc3\ndata: \x80\xff\0\xc3\ndata: \xed\xa0\x80\xf8\n\n'
	open_stream topic 'since=0&topic=t*'
	eventually got topic 'id: 1'
}

@test "a name is cut before CR or LF, and forges nothing" {
	unchecked "INSERT INTO events(event, data) VALUES
		('x' || char(10) || 'id: 99', '1'),
		('y' || char(13, 10, 13, 10) || 'data: forged', '2'),
		(char(13) || 'retry: 1', '3'), ('', '4'),
		('message' || char(10), '5'), ('a' || char(0) || 'b', '6')"
	brought 'id: 1\nevent: x\ndata: 1\n\nid: 2\nevent: y\ndata: 2\n\nid: 3\nevent: \ndata: 3\n\nid: 4\nevent: \ndata: 4\n\nid: 5\ndata: 5\n\nid: 6\nevent: a\0b\ndata: 6\n\n'
}

@test "reserved names arrive with an id, unlike notices of rowcast" {
	unchecked "INSERT INTO events(event, data) VALUES
		('stream-gap', '{\"after\":0,\"next\":9}'), ('stream-reset', '{}')"
	brought 'id: 1\nevent: stream-gap\ndata: {"after":0,"next":9}\n\nid: 2\nevent: stream-reset\ndata: {}\n\n'
	sql 'DELETE FROM events WHERE id = 1'
	eventually says_gap
}

says_gap() {
	open_stream gap since=0 || return 1
	eventually got gap 'event: stream-gap' || return 1
	[ "$(sed -n 4,6p "$T/gap.body")" = \
		$'event: stream-gap\ndata: {"after":0,"next":2}' ]
}

@test "a prefix finds topics of any length and bytes" {
	unchecked "INSERT INTO events(topic, data) VALUES
		('t' || char(10) || 'u', '1'), ('t' || char(0) || 'u', '2'),
		('t' || printf('%100000d', 0), '3'), ('u', '4')"
	open_stream t 'since=0&topic=t*'
	brings t $'1 message 1\n2 message 2\n3 message 3'
	open_stream long 'since=0&topic=t%20*'
	brings long '3 message 3'
	all_agree
}

@test "retry_ms out of its range is left out" {
	unchecked "INSERT INTO events(data, retry_ms) VALUES
		('1', -1), ('2', -5), ('3', 86400001), ('4', 9223372036854775807),
		('5', 86400000)"
	brought 'id: 1\ndata: 1\n\nid: 2\ndata: 2\n\nid: 3\ndata: 3\n\nid: 4\ndata: 4\n\nid: 5\nretry: 86400000\ndata: 5\n\n'
}

@test "ids of 0 and below are not sent, and hide no other events" {
	sql 'DROP TRIGGER events_in_order'
	unchecked "INSERT INTO events(id, data) VALUES(-9223372036854775808, 'least'),
		(-1, 'minus'), (0, 'zero')"
	sql "INSERT INTO events(data) VALUES('one')"
	brought 'id: 1\ndata: one\n\n'
	local since
	for since in 0 earliest last:9 1970-01-01T00:00:01Z; do
		open_stream "at-$since" "since=$since"
		brings "at-$since" $'1 message one\n2 message mark'
	done
	sql 'DELETE FROM events WHERE id < 1'
	sql "INSERT INTO events(data) VALUES('more')"
	eventually got live 'data: more'
	run ! got live stream-
}

@test "the id 2^63 - 1 is an event, and the end of the log" {
	sql 'DROP TRIGGER events_in_order'
	unchecked "INSERT INTO events(id, data) VALUES(9223372036854775806, 'last')"
	unchecked "INSERT INTO events(id, data) VALUES(9223372036854775807, 'end')"
	brings live $'9223372036854775806 message last\n9223372036854775807 message end'
	open_stream a '' -H 'Last-Event-ID: 9223372036854775806'
	brings a '9223372036854775807 message end'
	open_stream last since=last:1
	brings last '9223372036854775807 message end'
	open_stream time since=2020-01-01T00:00:00Z
	brings time $'9223372036854775806 message last\n9223372036854775807 message end'
	# no further id is possible
	run sql "INSERT INTO events(data) VALUES('beyond')"
	[ "$status" -ne 0 ]
	post_with_token -d data=beyond
	# shellcheck disable=SC2153 # post() sets it
	[ "$STATUS" -ge 400 ]
	# and nothing after it
	sql 'DELETE FROM events'
	open_stream b since=5
	brings b ' stream-gap {"after":5,"next":9223372036854775807}'
	[ "$(responders)" = "$PROCESS" ]
}

@test "an id inserted below the end reaches only streams before it" {
	sql "INSERT INTO events(id, data) VALUES(10, 'ten')"
	eventually got live 'data: ten'
	sql 'DROP TRIGGER events_in_order' \
		"INSERT INTO events(id, data) VALUES(5, 'five')"
	sql "INSERT INTO events(data) VALUES('eleven')"
	brings live $'10 message ten\n11 message eleven'
	# a stream that starts before it and reads from the log
	cgi "$T/cgi" QUERY_STRING=since=0
	eventually grep -q eleven "$T/cgi"
	split_answer "$T/cgi" cgi
	brings cgi $'5 message five\n10 message ten\n11 message eleven'
	stop "$CGI_PID"
	[ "$(responders)" = "$PROCESS" ]
}

@test "an event that was changed is not sent again" {
	sql "INSERT INTO events(data) VALUES('one'), ('two')"
	eventually got live 'data: two'
	sql 'DROP TRIGGER events_never_change' \
		"UPDATE events SET data = 'changed' WHERE id = 1"
	sql "INSERT INTO events(data) VALUES('three')"
	brings live $'1 message one\n2 message two\n3 message three'
	sql "UPDATE events SET id = 9 WHERE id = 2"
	sql "INSERT INTO events(data) VALUES('ten')"
	eventually got live 'data: ten'
	[ "$(responders)" = "$PROCESS" ]
}

@test "NULL, blobs and numbers are text to a stream" {
	loosen_schema
	sql "INSERT INTO events(topic, event, data) VALUES
		('a', 'x', NULL), ('a', NULL, 'd'), (NULL, 'x', 'd'),
		('a', x'79', x'00FF0A41'), ('a', 2, 3.5), ('a', x'', x'')"
	unchecked "INSERT INTO events(retry_ms, data, created_ms) VALUES
		('soon', 'd', 'then'), (1.5, 'd', x'31'), (x'32', 'd', NULL)"
	brought 'id: 1\nevent: x\ndata: \n\nid: 2\nevent: \ndata: d\n\nid: 3\nevent: x\ndata: d\n\nid: 4\nevent: y\ndata: \0\xff\ndata: A\n\nid: 5\nevent: 2\ndata: 3.5\n\nid: 6\nevent: \ndata: \n\nid: 7\ndata: d\n\nid: 8\ndata: d\n\nid: 9\ndata: d\n\n'
	open_stream time since=1970-01-01T00:00:01Z
	eventually got time 'data: mark'
}

@test "a row with any content can be removed, by hand and by a rule" {
	loosen_schema
	sql "INSERT INTO retention VALUES('*', 3, 60, 100), ('t', 2, 60, 100)"
	unchecked "INSERT INTO events(topic, event, data, created_ms) VALUES
		('t', 'x', NULL, 9223372036854775807), (x'74', 'x', x'00FF', 'then'),
		('t', x'', CAST(x'FF' AS TEXT), NULL), (7, '', 8, -9e18),
		('t' || char(10), '', 'd', -9223372036854775808)"
	sql "INSERT INTO events(topic, data) VALUES('t', 'mark')"
	eventually got live 'data: mark'
	local i
	for i in 1 2 3 4 5 6; do sql "INSERT INTO events(data) VALUES('$i')"; done
	[ "$(sql "SELECT group_concat(data) FROM events")" = 4,5,6 ]
	sql "INSERT INTO events(topic, event, data) VALUES(NULL, NULL, NULL)"
	sql 'DELETE FROM events'
	sql "INSERT INTO events(data) VALUES('still here')"
	eventually got live 'still here'
	[ "$(responders)" = "$PROCESS" ]
}

@test "odd rules do not prevent an insert" {
	unchecked "INSERT INTO retention VALUES('*', 0, NULL, NULL),
		('a', -1, -1, -1), (CAST(x'FF2A' AS TEXT), NULL, 9223372036854775, NULL),
		('b' || char(10) || '*', NULL, NULL, -9223372036854775808)"
	sql "INSERT INTO events(topic, data) VALUES('a', '1'), ('b', '2')"
	[ "$(sql 'SELECT count(*) FROM events')" -eq 0 ]
	sql 'DELETE FROM retention'
	sql "INSERT INTO events(topic, data) VALUES('a', '3')"
	eventually got live 'data: 3'
	[ "$(responders)" = "$PROCESS" ]
}
