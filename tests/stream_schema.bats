#!/usr/bin/env bats
# Rows that the schema refuses: with the sqlite3 shell alone, without any
# program of rowcast.

load stream

setup() {
	site_new
	make_log
}

# The schema must refuse this SQL, with a text in the message.
#   usage: refuses TEXT SQL
refuses() {
	run sql "$2"
	echo "$2 → $output"
	[ "$status" -ne 0 ]
	[[ $output == *"$1"* ]]
}

# usage: refuses_row TEXT COLUMN VALUE
refuses_row() {
	refuses "$1" "INSERT INTO events(data, $2) VALUES('x', $3)"
}

@test "INSERT INTO events(data) VALUES('hi') is a whole publish" {
	local now
	sql "INSERT INTO events(data) VALUES('hi')"
	[ "$(sql 'SELECT id, topic, event, data, retry_ms, key FROM events')" = \
		'1||message|hi||' ]
	now=$(date +%s)
	[ "$(sql "SELECT abs(created_ms / 1000 - $now) < 60 FROM events")" -eq 1 ]
	[ "$(sql 'PRAGMA journal_mode; PRAGMA user_version')" = $'wal\n1' ]
}

@test "CR, LF and NUL are refused in topic and event" {
	local code
	for code in 10 13 0; do
		refuses_row 'topic holds CR, LF or NUL' topic "'a' || char($code)"
		refuses_row 'topic holds CR, LF or NUL' topic "char($code) || 'a'"
		refuses_row 'event holds CR, LF or NUL' event "'a' || char($code, 98)"
		refuses_row 'event holds CR, LF or NUL' event "char($code)"
	done
	# data may hold them
	sql "INSERT INTO events(data) VALUES(char(13, 10, 0))"
}

@test "names of 255 bytes are accepted, longer ones are refused" {
	refuses_row 'topic is longer than 255 bytes' topic "printf('%256d', 0)"
	refuses_row 'event is longer than 255 bytes' event "printf('%256d', 0)"
	# bytes, not characters
	refuses_row 'topic is longer than 255 bytes' topic \
		"replace(hex(zeroblob(64)), '0', 'é')"
	refuses_row 'key is empty or longer than 255 bytes' key "printf('%256d', 0)"
	refuses_row 'key is empty or longer than 255 bytes' key "''"
	sql "INSERT INTO events(topic, event, data, key) VALUES(
		printf('%255d', 0), printf('%255d', 0), '', printf('%255d', 0))"
}

@test "an empty event and names that begin with stream- are refused" {
	refuses_row 'event is empty' event "''"
	refuses_row 'event begins with stream-' event "'stream-gap'"
	refuses_row 'event begins with stream-' event "'stream-'"
	sql "INSERT INTO events(event, data) VALUES('Stream-x', ''), ('stream', '')"
}

@test "NULL and values that are not text are refused" {
	refuses 'NOT NULL' "INSERT INTO events(topic) VALUES('a')"
	refuses_row 'NOT NULL' topic NULL
	refuses_row 'NOT NULL' event NULL
	refuses_row 'cannot store BLOB value in TEXT column' topic "x'61'"
	refuses 'cannot store BLOB' "INSERT INTO events(data) VALUES(x'61')"
	refuses_row 'cannot store TEXT' retry_ms "'soon'"
}

@test "retry_ms is from 0 to a day" {
	refuses_row 'retry_ms is outside 0..86400000' retry_ms -1
	refuses_row 'retry_ms is outside 0..86400000' retry_ms 86400001
	sql "INSERT INTO events(data, retry_ms) VALUES('', 0), ('', 86400000)"
}

@test "ids are positive, exact in JavaScript, and never below the end" {
	refuses_row 'id is outside 1..9007199254740991' id 0
	refuses_row 'id is outside 1..9007199254740991' id -1
	refuses_row 'id is outside 1..9007199254740991' id 9007199254740992
	sql "INSERT INTO events(id, data) VALUES(10, 'ten')"
	refuses_row 'id lies below the end of the log' id 5
	refuses_row 'UNIQUE' id 10
	sql 'DELETE FROM events'
	refuses_row 'id lies below the end of the log' id 10
	sql "INSERT INTO events(data) VALUES('eleven')"
	[ "$(sql 'SELECT id FROM events')" -eq 11 ]
	sql "UPDATE sqlite_sequence SET seq = 9007199254740990 WHERE name = 'events'"
	sql "INSERT INTO events(data) VALUES('last')"
	refuses 'id' "INSERT INTO events(data) VALUES('beyond')"
}

@test "an id may lie at most 1,000,000,000 beyond the end" {
	local text='id lies over 1,000,000,000 beyond the end of the log: leave id out'
	refuses_row "$text" id 1000000001
	refuses_row "$text" id 9007199254740991
	sql "INSERT INTO events(id, data) VALUES(1000000000, 'first')"
	refuses_row "$text" id 2000000001
	sql "INSERT INTO events(id, data) VALUES(2000000000, 'a'), (2000000007, 'b')"
	# the end is that of the log, not that of its rows
	sql 'DELETE FROM events'
	sql "INSERT INTO events(id, data) VALUES(3000000007, 'c')"
	local how
	for how in INSERT 'INSERT OR IGNORE' 'INSERT OR REPLACE' 'INSERT OR FAIL'; do
		refuses "$text" "$how INTO events(id, data) VALUES(4000000008, 'd')"
	done
	refuses "$text" "INSERT INTO events(id, data)
		VALUES(3000000008, 'd'), (4000000009, 'e')"
	[ "$(sql 'SELECT id, data FROM events')" = '3000000007|c' ]
	# in one statement, each row counts from the one before
	sql "INSERT INTO events(id, data) VALUES(3900000000, 'd'), (4900000000, 'e')"
	# sqlite_sequence set back or lost: SQLite continues behind the last row
	sql "DELETE FROM sqlite_sequence"
	sql "INSERT INTO events(data) VALUES('f')"
	sql "UPDATE sqlite_sequence SET seq = -9223372036854775808"
	sql "INSERT INTO events(data) VALUES('g')"
	[ "$(sql 'SELECT max(id), count(*) FROM events')" = '4900000002|5' ]
}

@test "events never change" {
	sql "INSERT INTO events(data) VALUES('one')"
	local change
	for change in "data = 'two'" "topic = 'x'" 'id = 7' "key = 'k'"; do
		refuses 'events never change' "UPDATE events SET $change"
	done
	refuses 'UNIQUE' "INSERT INTO events(id, data) VALUES(1, 'again')"
	refuses '' "INSERT OR REPLACE INTO events(id, data) VALUES(1, 'again')"
	[ "$(sql 'SELECT id, data FROM events')" = '1|one' ]
}

@test "a key is stored once, however it is inserted" {
	local how
	sql "INSERT INTO events(data, key) VALUES('one', 'k'), ('two', NULL),
		('three', NULL)"
	for how in INSERT 'INSERT OR REPLACE' 'INSERT OR IGNORE' REPLACE \
		'INSERT OR FAIL'; do
		sql "$how INTO events(data, key) VALUES('again', 'k')" || :
	done
	sql "INSERT INTO events(data, key) VALUES('again', 'k')
		ON CONFLICT(key) DO NOTHING" || :
	# no row was added or removed, and no id was used
	[ "$(sql 'SELECT id, data FROM events')" = $'1|one\n2|two\n3|three' ]
	[ "$(sql 'SELECT seq FROM sqlite_sequence')" -eq 3 ]
}

@test "the highest id removed is kept for each topic" {
	sql "INSERT INTO events(topic, data) VALUES('a', ''), ('b', ''), ('a', ''),
		('a', ''), ('c', '')"
	sql 'DELETE FROM events WHERE id IN (1, 2, 3)'
	[ "$(sql 'SELECT topic, id FROM events_removed ORDER BY 1')" = $'a|3\nb|2' ]
	sql 'DELETE FROM events WHERE id = 5'
	[ "$(sql 'SELECT topic, id FROM events_removed ORDER BY 1')" = $'a|3\nb|2\nc|5' ]
	[ "$(sql 'SELECT removals FROM events_log')" -eq 4 ]
}
