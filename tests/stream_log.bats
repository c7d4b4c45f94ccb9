#!/usr/bin/env bats
# Streams during locks, checkpoints and crashes, and with several responders.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load stream

insert() {
	sql "INSERT INTO events(data) VALUES('$1')"
}

# ---- size -------------------------------------------------------------------

# 32-bit systems open such a file only with 64-bit offsets.
@test "a log of more than 2 GB is served and written to" {
	make_log
	insert one
	(as_site truncate -s 3G "$DB")
	serve
	open_stream a since=0
	brings a '1 message one'
	post_with_token -d data=two
	[ "$STATUS" = 201 ]
	brings a $'1 message one\n2 message two'
}

# ---- locks ------------------------------------------------------------------

@test "streams open, replay and continue while a writer locks the log for 1 s" {
	serve
	insert one
	open_stream before
	open_shell
	tell 'BEGIN EXCLUSIVE'
	tell "INSERT INTO events(data) VALUES('two')"
	local end=$((${EPOCHREALTIME/[.,]/} + 1000000)) i=0
	while ((${EPOCHREALTIME/[.,]/} < end)); do
		i=$((i + 1))
		open_stream "during$i" since=0
		brings "during$i" '1 message one'
	done
	tell 'COMMIT'
	close_shell
	brings before '2 message two'
	brings during1 $'1 message one\n2 message two'
	brings "during$i" $'1 message one\n2 message two'
}

@test "no program gets an exclusive lock of a log that is served" {
	serve
	open_stream a
	run ! sql 'PRAGMA locking_mode = EXCLUSIVE' '.timeout 100' \
		"INSERT INTO events(data) VALUES('mine')"
	[[ $output == *'database is locked'* ]]
	run sql '.timeout 100' 'PRAGMA journal_mode = DELETE'
	[[ $output == *'database is locked'* ]]
	insert one
	brings a '1 message one'
}

@test "the responder of lighttpd waits for a log with an exclusive lock" {
	make_log
	open_shell
	tell 'PRAGMA locking_mode = EXCLUSIVE'
	tell "INSERT INTO events(data) VALUES('one')"
	start_lighttpd
	eventually says 'database is locked'
	close_shell
	eventually answers_head
	open_stream a since=0
	brings a '1 message one'
}

@test "a writer that is killed within a transaction leaves nothing" {
	serve
	open_stream a
	open_shell
	tell 'BEGIN'
	tell "INSERT INTO events(data) SELECT hex(randomblob(100000))"
	tell 'PRAGMA cache_spill = 1'
	kill -KILL "$SHELL_PID"
	eventually gone "$SHELL_PID"
	insert after
	brings a '1 message after'
}

# ---- housekeeping -----------------------------------------------------------

@test "checkpoints, VACUUM and retention work while streams are open" {
	local i
	serve
	open_stream live
	open_stream topic 'topic=t1'
	for i in {1..12}; do
		sql "INSERT INTO events(topic, data) VALUES
			('t$((i % 3))', 'row $i'), ('t$((i % 2))', 'again $i')"
		# events that all streams have may be removed
		eventually got live "data: again $i"
		case $((i % 4)) in
		0) sql 'PRAGMA wal_checkpoint(TRUNCATE)' ;;
		1) sql 'VACUUM' ;;
		2) sql 'DELETE FROM events WHERE id < (SELECT max(id) FROM events)' ;;
		3) sql 'PRAGMA wal_checkpoint(RESTART)' 'ANALYZE' ;;
		esac
		open_stream "from$i" "since=$((2 * i - 1))"
		eventually got "from$i" "data: again $i"
	done
	[ "$(events live | sed 's/ .*//' | paste -sd ' ')" = "$(seq -s ' ' 24)" ]
	[ "$(events topic | grep -c row)" -eq 4 ]
	[ "$(events topic | grep -c again)" -eq 6 ]
	run ! grep -l 'stream-' "$T"/*.body
}

@test "the WAL can be truncated: no reader prevents it" {
	local i
	serve
	open_stream a
	for i in {1..20}; do
		sql "INSERT INTO events(data) SELECT hex(randomblob(20000))"
	done
	eventually got a 'id: 20'
	[ "$(sql 'PRAGMA wal_checkpoint(TRUNCATE)')" = '0|0|0' ]
	[ ! -s "$DB-wal" ]
	insert last
	eventually got a 'data: last'
}

# ---- several responders, crashes --------------------------------------------

@test "two responders on one log: each sends all events" {
	local first i
	serve
	first=$URL
	start_responder --socket "$SITE/build/run/second.sock"
	eventually connects "$SITE/build/run/second.sock"
	before_socket second.sock
	for i in 1 2 3; do
		URL=$first open_stream "a$i" "topic=$([ $i = 1 ] || echo "t$i")*"
		open_stream "b$i" "topic=$([ $i = 1 ] || echo "t$i")*"
	done
	for i in {1..50}; do
		echo "INSERT INTO events(topic, data)
			VALUES('t' || ($i % 4), 'row $i');"
	done >"$T/rows"
	sql ".read $T/rows"
	for i in a1 b1; do
		brings_sql "$i" "SELECT id || ' message ' || data FROM events"
	done
	for i in 2 3; do
		brings_sql "a$i" "SELECT id || ' message ' || data FROM events
			WHERE topic = 't$i'"
		brings_sql "b$i" "SELECT id || ' message ' || data FROM events
			WHERE topic = 't$i'"
	done
	# a cursor is valid for both
	URL=$first open_stream a since=45
	open_stream b since=45
	brings_sql a "SELECT id || ' message ' || data FROM events WHERE id > 45"
	brings_sql b "SELECT id || ' message ' || data FROM events WHERE id > 45"
}

@test "repeated kill -9: a client that resumes loses and repeats nothing" {
	local writer id=0 round pid
	serve
	: >"$T/all"
	for round in {1..8}; do
		eventually answers_head
		open_stream "r$round" '' -H "Last-Event-ID: $id"
		insert_rows 40 3>&- &
		writer=$!
		STARTED+=("$writer")
		eventually is_past "r$round" $((id + 20))
		for pid in $(responders); do
			kill -KILL "$pid"
		done
		eventually gone "$STREAM_PID"
		wait "$writer"
		whole_events "r$round" >>"$T/all"
		id=$(tail -n 1 "$T/all" | sed 's/ .*//')
	done
	eventually answers_head
	open_stream rest '' -H "Last-Event-ID: $id"
	eventually is_past rest 320
	whole_events rest >>"$T/all"
	sql "SELECT id || ' message ' || data FROM events ORDER BY id" |
		diff - "$T/all"
}

# Insert so many rows, each in its own transaction.
insert_rows() {
	local i
	for ((i = 0; i < $1; i++)); do
		echo "INSERT INTO events(data) VALUES('row $i');"
	done >"$T/rows"
	sql ".read $T/rows"
}

# Succeeds if a stream has this id.
is_past() {
	local id
	id=$(last_id "$1")
	[ "${id:-0}" -ge "$2" ]
}
