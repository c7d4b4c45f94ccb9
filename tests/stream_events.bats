#!/usr/bin/env bats
# The format of an event in the stream, and the events that a stream gets.

load stream

# ---- on the wire ------------------------------------------------------------

@test "an event is id, event, retry and data, without defaults" {
	serve
	open_stream a
	sql "INSERT INTO events(data) VALUES('hi');
		INSERT INTO events(topic, event, data) VALUES('t', 'tick', 'tock');
		INSERT INTO events(event, data, retry_ms) VALUES('message', 'x', 250);
		INSERT INTO events(event, data, retry_ms) VALUES('z', 'x', 0)"
	brings_bytes a 'retry: 3000\nid: 0\n\nid: 1\ndata: hi\n\nid: 2\nevent: tick\ndata: tock\n\nid: 3\nretry: 250\ndata: x\n\nid: 4\nevent: z\nretry: 0\ndata: x\n\n'
}

@test "data is split at CRLF, CR and LF" {
	serve
	open_stream a
	sql "INSERT INTO events(data) VALUES
		('1' || char(10) || '2'),
		('1' || char(13) || '2'),
		('1' || char(13, 10) || '2'),
		('1' || char(10, 13) || '2'),
		('1' || char(13, 13, 10, 10) || '2' || char(10)),
		(char(10)), (char(13, 10, 13, 10) || 'x')"
	brings_bytes a 'retry: 3000\nid: 0\n\nid: 1\ndata: 1\ndata: 2\n\nid: 2\ndata: 1\ndata: 2\n\nid: 3\ndata: 1\ndata: 2\n\nid: 4\ndata: 1\ndata: \ndata: 2\n\nid: 5\ndata: 1\ndata: \ndata: \ndata: 2\ndata: \n\nid: 6\ndata: \ndata: \n\nid: 7\ndata: \ndata: \ndata: x\n\n'
}

@test "empty data is an event" {
	serve
	open_stream a
	sql "INSERT INTO events(data) VALUES('')"
	brings_bytes a 'retry: 3000\nid: 0\n\nid: 1\ndata: \n\n'
}

@test "spaces, colons, unicode and NUL arrive unchanged" {
	serve
	open_stream a
	sql "INSERT INTO events(topic, event, data) VALUES
		('', 'message', ' one leading space'),
		('', 'message', ': no comment' || char(10) || 'id: 99'),
		('ü', 'grüße 🎈', '日本語 🎈 ' || char(0xfeff)),
		('', 'message', 'a' || char(0) || 'b')"
	brings_bytes a 'retry: 3000\nid: 0\n\nid: 1\ndata:  one leading space\n\nid: 2\ndata: : no comment\ndata: id: 99\n\nid: 3\nevent: gr\xc3\xbc\xc3\x9fe \xf0\x9f\x8e\x88\ndata: \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e \xf0\x9f\x8e\x88 \xef\xbb\xbf\n\nid: 4\ndata: a\0b\n\n'
}

@test "the same bytes arrive live, from memory and from the log" {
	make_log
	five_rows
	sql "INSERT INTO events(topic, event, data, retry_ms) VALUES
		('ü', 'grüße', char(13) || 'a' || char(0) || 'b', 7)"
	serve
	open_stream log since=0
	eventually got log 'retry: 7'
	open_stream live 'topic=ü&topic='
	sql "INSERT INTO events(topic, event, data, retry_ms)
		SELECT topic, event, data, retry_ms FROM events"
	eventually got live 'id: 12'
	open_stream memory since=6
	eventually got memory 'id: 12'
	eventually got log 'id: 12'
	sed '1,/^$/d' "$T/memory.body" >"$T/memory"
	sed '1,/^id: 6$/d' "$T/log.body" | sed '1,/^$/d' | cmp - "$T/memory"
	# equal except for the ids
	sed '1,/^$/d' "$T/log.body" | sed '/^id: 7$/,$d' | sed '/^id: /d' |
		cmp - <(sed '/^id: /d' "$T/memory")
	sed '1,/^$/d' "$T/live.body" |
		cmp - <(sed -n '/^id: 11$/,$p' "$T/memory")
}

# ---- filters ----------------------------------------------------------------

# Insert eight rows with different topics and names.
insert_kinds() {
	sql "INSERT INTO events(topic, event, data) VALUES
		('room/1', 'message', '1'), ('room/12', 'join', '2'),
		('room', 'message', '3'), ('', 'message', '4'),
		('user/ä', 'join', '5'), ('*', 'message', '6'),
		('room/1', 'leave', '7'), ('user/', 'leave', '8')"
}

# Wait until a stream has the events with these ids and no others.
#   usage: brings_ids NAME IDS
brings_ids() {
	local name=$1
	shift
	brings_sql "$name" "SELECT id || ' ' || event || ' ' || data FROM events
		WHERE id IN ($(IFS=,; echo "$*")) ORDER BY id"
}

@test "topic= is exact, ends in * for a prefix, and can be repeated" {
	serve
	open_stream all
	open_stream exact 'topic=room/1'
	open_stream two 'topic=room/1&topic=room'
	open_stream prefix 'topic=room/*'
	open_stream mixed 'topic=room*&topic=room/1&topic=user%2F%C3%A4'
	open_stream star 'topic=*'
	open_stream literal 'topic=%2A'
	open_stream none 'topic=rooms&topic=Room&topic=room/*/x'
	insert_kinds
	brings_ids all 1 2 3 4 5 6 7 8
	brings_ids exact 1 7
	brings_ids two 1 3 7
	brings_ids prefix 1 2 7
	brings_ids mixed 1 2 3 5 7
	brings_ids star 1 2 3 4 5 6 7 8
	# an encoded star is a star
	brings_ids literal 1 2 3 4 5 6 7 8
	brings none ''
}

@test "topic= without a value is the empty topic" {
	serve
	open_stream empty 'topic='
	open_stream both 'topic=&topic=user/'
	insert_kinds
	brings_ids both 4 8
	brings_ids empty 4
}

@test "event= is exact and can be repeated" {
	serve
	open_stream one 'event=join'
	open_stream two 'event=leave&event=join'
	open_stream message 'event=message'
	open_stream both 'event=message&topic=room*'
	open_stream star 'event=j*'
	insert_kinds
	brings_ids one 2 5
	brings_ids two 2 5 7 8
	brings_ids message 1 3 4 6
	brings_ids both 1 3
	brings star ''
}

@test "filters apply to events from the log and to live events" {
	make_log
	insert_kinds
	serve
	open_stream exact 'topic=room/1&since=0'
	open_stream two 'topic=room/1&topic=&since=1'
	open_stream prefix 'topic=room*&since=0'
	open_stream name 'event=leave&since=0'
	open_stream both 'topic=room*&event=message&event=leave&since=earliest'
	insert_kinds
	brings_ids exact 1 7 9 15
	brings_ids two 4 7 9 12 15
	brings_ids prefix 1 2 3 7 9 10 11 15
	brings_ids name 7 8 15 16
	brings_ids both 1 3 7 9 11 15
}

@test "64 topics and 64 names are accepted" {
	serve
	open_stream a "$(printf 'topic=t%s&' {1..64})$(printf 'event=e%s&' {1..64})since=0"
	sql "INSERT INTO events(topic, event, data) VALUES
		('t1', 'e1', '1'), ('t64', 'e64', '2'), ('t65', 'e1', '3'),
		('t1', 'e65', '4'), ('t32', 'e7', '5')"
	brings a $'1 e1 1\n2 e64 2\n5 e7 5'
}
