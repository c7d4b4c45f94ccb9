#!/usr/bin/env bats
# Streams while the log is replaced: by a restore or by another file; and
# changes that look like that.

load stream

# Copy the log as it is now to a file.
#   usage: copy_log FILE
copy_log() {
	(as_site sqlite3 "$DB" ".backup '$1'")
}

# Put a file in the place of the log, and remove the WAL, as the manual says.
#   usage: put_log FILE
put_log() {
	rm -f "$DB-wal" "$DB-shm"
	mv "$1" "$DB"
}

insert() {
	sql "INSERT INTO events(data) VALUES('$1')"
}

# Make another log with 3 rows.
make_other() {
	(as_site sqlite3 "$SITE/other.db") <"$ROOT/sql/schema.sql" >/dev/null
	(as_site sqlite3 "$SITE/other.db" "INSERT INTO events(data)
		VALUES('other 1'), ('other 2'), ('other 3');
		PRAGMA wal_checkpoint(TRUNCATE)") >/dev/null
}

# ---- restored in place ------------------------------------------------------

@test ".restore of an older copy sends stream-reset, then live events" {
	serve
	insert one
	insert two
	copy_log "$SITE/copy.db"
	insert three
	insert four
	open_stream a since=0
	open_stream quiet 'topic=quiet'
	brings a $'1 message one\n2 message two\n3 message three\n4 message four'
	sql ".restore '$SITE/copy.db'"
	eventually got quiet stream-reset
	insert 'another three'
	brings a $'1 message one\n2 message two\n3 message three\n4 message four\n2 stream-reset {"after":4,"head":2}\n3 message another three'
	brings quiet '2 stream-reset {"after":4,"head":2}'
	# the cursor is new for clients that reconnect as well
	[ "$(last_id quiet)" = 2 ]
	open_stream b since=2
	brings b '3 message another three'
}

@test "a gap sent before a .restore hides none after it" {
	serve
	insert one
	insert two
	copy_log "$SITE/copy.db"
	sql "INSERT INTO events(data) VALUES('three'), ('four'), ('five')" \
		'DELETE FROM events WHERE id = 4'
	open_stream a since=0
	eventually got a 'data: {"after":0,"next":5}'
	sql ".restore '$SITE/copy.db'"
	eventually got a stream-reset
	sql BEGIN "INSERT INTO events(data) VALUES('another 3'), ('another 4')" \
		'DELETE FROM events WHERE id = 3' COMMIT
	eventually got a 'data: another 4'
	got a 'data: {"after":2,"next":4}'
}

@test ".restore without streams: a cursor beyond the end gets stream-reset" {
	serve
	insert one
	copy_log "$SITE/copy.db"
	insert two
	sql ".restore '$SITE/copy.db'"
	open_stream a '' -H 'Last-Event-ID: 2'
	brings a '1 stream-reset {"after":2,"head":1}'
}

@test ".restore of another log sends stream-reset, even if it is longer" {
	serve
	insert one
	open_stream a since=0
	brings a '1 message one'
	make_other
	sql ".restore '$SITE/other.db'"
	eventually got a stream-reset
	insert 'other 4'
	brings a $'1 message one\n3 stream-reset {"after":1,"head":3}\n4 message other 4'
}

@test "an identity that is a UUID sends one reset, then events" {
	serve
	insert one
	open_stream a since=0
	brings a '1 message one'
	sql "UPDATE events_log
		SET identity = '123e4567-e89b-12d3-a456-426614174000'"
	eventually got a stream-reset
	insert two
	eventually got a 'data: two'
	insert three
	brings a $'1 message one\n1 stream-reset {"after":1,"head":1}\n2 message two\n3 message three'
}

@test "an older copy that has grown past the old end sends stream-reset" {
	local i
	serve
	insert one
	copy_log "$SITE/first.db"
	insert two
	open_stream a since=0
	brings a $'1 message one\n2 message two'
	signal STOP
	sql ".restore '$SITE/first.db'"
	copy_log "$SITE/copy.db"
	insert 'another two'
	insert 'another three'
	signal CONT
	eventually got a '{"after":2,"head":3}'
	insert four
	brings a $'1 message one\n2 message two\n3 stream-reset {"after":2,"head":3}\n4 message four'
	signal STOP
	put_log "$SITE/copy.db"
	for i in 2 3 4 5; do insert "once more $i"; done
	signal CONT
	eventually got a '{"after":4,"head":5}'
	insert six
	eventually got a 'data: six'
	run ! got a 'once more'
}

@test "a slow client gets stream-reset before the gap in another log" {
	serve
	make_other
	open_stream quick
	open_stream slow
	local slow=$STREAM_PID
	kill -STOP "$slow"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300)
		INSERT INTO events(data) SELECT hex(randomblob(25000)) FROM n"
	eventually got quick 'id: 300'
	sql ".restore '$SITE/other.db'"
	eventually got quick stream-reset
	sql "BEGIN; INSERT INTO events(data) VALUES('four'), ('five'), ('six');
		DELETE FROM events WHERE id = 5; COMMIT"
	insert seven
	eventually got quick 'data: seven'
	kill -CONT "$slow"
	eventually got slow 'data: seven'
	events slow | tail -n 5 | sed 's/"after":[0-9]*,"head"/"after":N,"head"/' \
		>"$T/end"
	printf '%s\n' '3 stream-reset {"after":N,"head":3}' \
		' stream-gap {"after":3,"next":6}' '4 message four' \
		'6 message six' '7 message seven' | diff "$T/end" -
	# its cursor, as sent before
	events slow | awk '$2 == "stream-reset" {
		exit !index($3, "\"after\":" last ",") } { last = $1 }'
}

@test "a slow client gets stream-reset before it is told to reconnect" {
	serve_apart
	make_other
	open_stream quick
	open_stream slow
	local slow=$STREAM_PID
	kill -STOP "$slow"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300)
		INSERT INTO events(data) SELECT hex(randomblob(25000)) FROM n"
	eventually got quick 'id: 300'
	sql ".restore '$SITE/other.db'"
	eventually got quick stream-reset
	kill -TERM "$RESPONDER_PID"
	kill -CONT "$slow"
	ends "$slow"
	[ "$(last_id slow)" = 3 ]
	events slow | tail -n 1 | grep -q '^3 stream-reset .*"head":3}$'
	tail -n 2 "$T/slow.body" | grep -qx 'retry: [0-9]*'
}

@test "a sequence that is set back by hand is not a reset" {
	local change
	serve
	insert one
	insert two
	open_stream a since=0
	brings a $'1 message one\n2 message two'
	for change in 'UPDATE sqlite_sequence SET seq = 0' \
		'DELETE FROM sqlite_sequence'; do
		sql "$change"
		insert more
	done
	brings a $'1 message one\n2 message two\n3 message more\n4 message more'
	sql 'UPDATE sqlite_sequence SET seq = 1'
	open_stream b since=4
	insert last
	brings b '5 message last'
	run ! got a stream-reset
	run ! grep -q 'was replaced' "$LOGS/lighttpd"
}

# ---- another file -----------------------------------------------------------

@test "another log in its place sends stream-reset, and its rows arrive" {
	local i
	serve
	insert one
	insert two
	open_stream a since=0
	open_stream quiet topic=quiet
	brings a $'1 message one\n2 message two'
	make_other
	put_log "$SITE/other.db"
	eventually got quiet stream-reset
	for i in 4 5 6; do
		insert "other $i"
		eventually got a "data: other $i"
	done
	brings a $'1 message one\n2 message two\n3 stream-reset {"after":2,"head":3}\n4 message other 4\n5 message other 5\n6 message other 6'
	open_stream b since=0
	brings b $'1 message other 1\n2 message other 2\n3 message other 3\n4 message other 4\n5 message other 5\n6 message other 6'
	# new rows are in the new file
	[ "$(sql 'PRAGMA integrity_check; SELECT count(*) FROM events')" = $'ok\n6' ]
}

@test "another log in its place, then the end at once: the reset is sent" {
	serve_apart
	make_other
	insert one
	open_stream a since=0
	brings a '1 message one'
	# the file is checked 20 times a second: begin right after a check
	rm "$DB-wal" "$DB-shm"
	touch "$DB"
	mv "$SITE/other.db" "$DB"
	kill -TERM "$RESPONDER_PID"
	ends "$STREAM_PID"
	brings a $'1 message one\n3 stream-reset {"after":1,"head":3}'
}

@test "a copy of the same log in its place: nothing is lost, and no reset" {
	local i
	serve
	insert one
	insert two
	open_stream a since=1
	open_stream b topic=
	brings a '2 message two'
	copy_log "$SITE/copy.db"
	put_log "$SITE/copy.db"
	for i in 3 4 5; do
		insert "row $i"
		eventually got a "data: row $i"
	done
	brings a $'2 message two\n3 message row 3\n4 message row 4\n5 message row 5'
	brings b $'3 message row 3\n4 message row 4\n5 message row 5'
	open_stream c since=0
	brings c $'1 message one\n2 message two\n3 message row 3\n4 message row 4\n5 message row 5'
	[ "$(sql 'PRAGMA integrity_check')" = ok ]
}

@test "a copy that is put in place again and again" {
	local i
	serve
	open_stream a
	for i in {1..6}; do
		insert "row $i"
		eventually got a "data: row $i"
		copy_log "$SITE/copy.db"
		put_log "$SITE/copy.db"
	done
	insert last
	brings_sql a "SELECT id || ' message ' || data FROM events"
	open_stream b since=0
	brings_sql b "SELECT id || ' message ' || data FROM events"
	# the previous files are closed
	eventually no_deleted_files
}

no_deleted_files() {
	run ! find "/proc/$(responders)/fd" -lname '*(deleted)'
	[ -z "$output" ]
}

@test "a log that is removed is served until there is another one" {
	serve
	insert one
	open_stream a since=0
	brings a '1 message one'
	rm "$DB" "$DB-wal" "$DB-shm"
	open_stream b since=0
	brings b '1 message one'
	make_other
	put_log "$SITE/other.db"
	eventually got a stream-reset
	insert 'other 4'
	brings a $'1 message one\n3 stream-reset {"after":1,"head":3}\n4 message other 4'
	brings b $'1 message one\n3 stream-reset {"after":1,"head":3}\n4 message other 4'
}

@test "a file that is not a log is ignored; the next log is opened" {
	serve
	insert one
	open_stream a since=0
	brings a '1 message one'
	echo nonsense >"$SITE/other"
	chmod a+rw "$SITE/other"
	put_log "$SITE/other"
	eventually says 'serving the old file'
	open_stream b since=0
	brings b '1 message one'
	[ "$(grep -c 'can be read again' "$LOGS/lighttpd")" -eq 0 ]
	make_other
	put_log "$SITE/other.db"
	eventually got a stream-reset
	insert 'other 4'
	brings b $'1 message one\n3 stream-reset {"after":1,"head":3}\n4 message other 4'
	# one line for each file, not for each attempt
	[ "$(grep -c 'serving the old file' "$LOGS/lighttpd")" -eq 1 ]
	[ "$(grep -c 'can be read again' "$LOGS/lighttpd")" -eq 1 ]
}

@test "a damaged log: new clients are told to reconnect, until it is replaced" {
	make_log
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 5000)
		INSERT INTO events(data) SELECT 'row ' || i FROM n"
	sql 'PRAGMA wal_checkpoint(TRUNCATE)'
	copy_log "$SITE/copy.db"
	local pages i
	pages=$(sql "SELECT min(pageno) || ' ' || max(pageno) FROM dbstat
		WHERE name = 'events' AND pagetype = 'leaf'") ||
		skip 'this sqlite3 has no dbstat'
	dd if=/dev/urandom of="$DB" bs=4096 conv=notrunc status=none \
		seek="$((${pages% *} - 1))" count=3
	serve
	open_stream live
	stream broken since=0
	ends "$STREAM_PID"
	grep -q '^HTTP/1.1 200' "$T/broken.head"
	[ "$(header "$T/broken.head" Content-Type)" = text/event-stream ]
	# no id: the client keeps the one it has
	run ! grep -q '^id: ' "$T/broken.body"
	grep -q '^retry: 3000$' "$T/broken.body"
	eventually says malformed
	# several clients cause one line for the operator
	for i in {1..12}; do
		stream broken since=0
		ends "$STREAM_PID"
	done
	[ "$(grep -c malformed "$LOGS/lighttpd")" -le 3 ]
	put_log "$SITE/copy.db"
	eventually says 'can be read again'
	eventually no_deleted_files
	open_stream healed since=0
	eventually got healed 'id: 5000'
	[ "$(events healed | wc -l)" -eq 5000 ]
	insert last
	brings live '5001 message last'
	run ! got live stream-
}
