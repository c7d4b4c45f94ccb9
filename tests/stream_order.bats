#!/usr/bin/env bats
# Each event once and in order: many writers, many clients, large events, slow
# clients, long replays.

load stream

# ---- once and in order ------------------------------------------------------

@test "the events of one transaction arrive together and in order" {
	serve
	open_stream a
	open_stream b topic=even
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 1500)
		INSERT INTO events(topic, data)
		SELECT iif(i % 2, 'odd', 'even'), 'row-' || i FROM n"
	brings_sql a "SELECT id || ' message ' || data FROM events ORDER BY id"
	brings_sql b "SELECT id || ' message ' || data FROM events
		WHERE topic = 'even' ORDER BY id"
}

@test "rows of a transaction that is rolled back are never sent" {
	serve
	open_stream a
	open_shell
	tell 'BEGIN IMMEDIATE'
	tell "INSERT INTO events(data) VALUES('never')"
	tell 'ROLLBACK'
	tell 'BEGIN IMMEDIATE'
	tell "INSERT INTO events(data) VALUES('first')"
	tell 'SAVEPOINT s'
	tell "INSERT INTO events(data) VALUES('nor this')"
	tell 'ROLLBACK TO s'
	[ -z "$(events a)" ]
	tell "INSERT INTO events(data) VALUES('second')"
	tell 'COMMIT'
	close_shell
	brings a $'1 message first\n2 message second'
}

@test "a row inserted by a trigger of the application is an event" {
	serve
	sql "CREATE TABLE orders(id INTEGER PRIMARY KEY, state TEXT);
		CREATE TRIGGER tell AFTER INSERT ON orders BEGIN
			INSERT INTO events(topic, event, data)
			VALUES('order/' || NEW.id, 'new', NEW.state);
		END"
	open_stream a 'topic=order/*'
	sql "INSERT INTO orders VALUES(17, 'paid')"
	brings a '1 new paid'
}

# Inserts of four shells at once, 500 transactions each.
insert_at_once() {
	local shell i
	for shell in 1 2 3 4; do
		for ((i = 1; i <= 500; i++)); do
			echo "INSERT INTO events(topic, event, data) VALUES" \
				"('t$((i % 5))/$shell', 'e$((i % 3))'," \
				"'row $i of $shell');"
		done >"$T/insert$shell"
		(as_site sqlite3 -bail -cmd '.timeout 60000' \
			-cmd 'PRAGMA synchronous = OFF' "$DB") \
			<"$T/insert$shell" >>"$LOGS/shells" 2>&1 3>&- &
		STARTED+=("$!")
		SHELLS+=("$!")
	done
}

@test "2,000 rows of four writers arrive once and in order at 20 clients" {
	local i where=() asked=(
		'' 'topic=t1/1' 'topic=t1/*' 'event=e1' 'topic=t2*&event=e2'
		'topic=t0/1&topic=t0/2&topic=t3/*' 'event=e0&event=e2'
		'topic=t4/4&event=e1' 'since=0' 'since=0&topic=t*'
	) SHELLS=()
	where=(
		1 "topic = 't1/1'" "topic GLOB 't1/*'" "event = 'e1'"
		"topic GLOB 't2*' AND event = 'e2'"
		"topic IN ('t0/1', 't0/2') OR topic GLOB 't3/*'"
		"event IN ('e0', 'e2')" "topic = 't4/4' AND event = 'e1'" 1 1
	)
	serve
	# half of them open before the inserts, half during them
	for i in {0..9}; do
		open_stream "early$i" "${asked[i]}"
	done
	insert_at_once
	for i in {0..9}; do
		open_stream "late$i" "since=0&${asked[i]}"
	done
	for i in "${SHELLS[@]}"; do
		eventually gone "$i"
		wait "$i"
	done
	[ "$(sql 'SELECT count(*) FROM events')" -eq 2000 ]
	for i in {0..9}; do
		sql "SELECT id || ' ' || event || ' ' || data FROM events
			WHERE ${where[i]} ORDER BY id" >"$T/want$i"
		[ -s "$T/want$i" ]
		brings_file "early$i" "$T/want$i"
		brings_file "late$i" "$T/want$i"
	done
}

@test "clients that reconnect together get what they missed by one read" {
	serve
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 3000)
		INSERT INTO events(topic, data)
		SELECT iif(i % 3, 'a', 'ab'), 'row-' || i FROM n"
	# a responder that has none of the events in memory
	local i rows before
	before=$(responders)
	signal TERM
	eventually gone "$before"
	eventually answers_head
	for i in {1..60}; do
		case $((i % 3)) in
		0) open_stream "r$i" '' -H "Last-Event-ID: $((1000 + i))" ;;
		1) open_stream "r$i" 'topic=a*' -H 'Last-Event-ID: 1000' ;;
		2) open_stream "r$i" "topic=x*&topic=ab*&event=message" \
			-H "Last-Event-ID: $((1000 + i))" ;;
		esac
	done
	sql "INSERT INTO events(data) VALUES('last')"
	for i in {1..60}; do
		case $((i % 3)) in
		0) brings_sql "r$i" "SELECT id || ' message ' || data FROM events
			WHERE id > $((1000 + i))" ;;
		1) brings_sql "r$i" "SELECT id || ' message ' || data FROM events
			WHERE id > 1000 AND topic <> ''" ;;
		2) brings_sql "r$i" "SELECT id || ' message ' || data FROM events
			WHERE id > $((1000 + i)) AND topic = 'ab'" ;;
		esac
	done
	report
	rows=${REPORT##* rows=}
	echo "$REPORT"
	# 2,001 are missing, 60 clients
	[ "${rows%% *}" -le 4002 ]
}

@test "clients that are cut off at any byte and reconnect get each row once" {
	local SHELLS=() id=0 round=0
	serve
	insert_at_once
	: >"$T/all"
	while [ "$id" -lt 2000 ]; do
		round=$((round + 1))
		cut_stream "r$round" $((RANDOM % 20000 + 100)) "$id"
		whole_events "r$round" >>"$T/all"
		id=$(tail -n 1 "$T/all" | sed 's/ .*//')
		id=${id:-0}
	done
	for id in "${SHELLS[@]}"; do
		wait "$id"
	done
	echo "$round streams"
	sql "SELECT id || ' ' || event || ' ' || data FROM events ORDER BY id" |
		diff - "$T/all"
}

# A stream that ends after so many bytes, or with the event of id 2000.
#   usage: cut_stream NAME BYTES LAST-EVENT-ID
cut_stream() {
	: >"$T/$1.body"
	curl -sN -H "Last-Event-ID: $3" "$URL/events" 3>&- > >(
		exec dd bs=1 count="$2" status=none \
			>"$T/$1.body" 3>&-
	) &
	STREAM_PID=$!
	STARTED+=("$STREAM_PID")
	eventually is_cut "$1" "$2"
	stop "$STREAM_PID"
}

is_cut() {
	[ "$(wc -c <"$T/$1.body")" -eq "$2" ] || got "$1" 'id: 2000'
}

# ---- large ------------------------------------------------------------------

# Print the data of the event with this id in a stream.
data_of() {
	sed -n "/^id: $2\$/,/^\$/s/^data: //p" "$T/$1.body"
}

@test "an event larger than a record arrives whole, live and from the log" {
	serve
	open_stream live
	sql "INSERT INTO events(data) VALUES('before'),
		(hex(randomblob(100000))), ('after')"
	eventually got live 'data: after'
	sql 'SELECT data FROM events WHERE id = 2' >"$T/want"
	[ "$(wc -c <"$T/want")" -eq 200001 ]
	data_of live 2 | cmp - "$T/want"
	open_stream replay since=1
	eventually got replay 'data: after'
	data_of replay 2 | cmp - "$T/want"
	open_stream topic 'since=1&topic='
	eventually got topic 'data: after'
	data_of topic 2 | cmp - "$T/want"
}

@test "an event of 3 MB, larger than all memory allowed, arrives whole" {
	serve ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	open_stream live
	open_stream filtered 'topic=large*'
	sql "INSERT INTO events(topic, data) VALUES('', 'before'),
		('large', hex(randomblob(1500000))), ('large', 'after')"
	eventually got live 'data: after'
	eventually got filtered 'data: after'
	sql 'SELECT data FROM events WHERE id = 2' >"$T/want"
	[ "$(wc -c <"$T/want")" -eq 3000001 ]
	data_of live 2 | cmp - "$T/want"
	data_of filtered 2 | cmp - "$T/want"
	open_stream replay since=0
	open_stream topic 'since=0&topic=large'
	eventually got replay 'data: after'
	eventually got topic 'data: after'
	data_of replay 2 | cmp - "$T/want"
	data_of topic 2 | cmp - "$T/want"
	[ "$(events replay | sed 's/ .*//' | paste -sd ' ')" = '1 2 3' ]
}

@test "an event that changes while it is sent is cut off" {
	serve ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	open_stream slow
	local slow=$STREAM_PID
	open_stream live
	kill -STOP "$slow"
	sql "INSERT INTO events(data) VALUES(hex(zeroblob(5000000)) || 'end')"
	eventually got live 000end
	sql "INSERT INTO events(data) VALUES(hex(randomblob(100000)))"
	eventually got live 'id: 2'
	sql 'DROP TRIGGER events_never_change' \
		"UPDATE events SET data = 'short' WHERE id = 1"
	kill -CONT "$slow"
	ends "$slow"
	# all bytes are of the first version of the event
	sed '1,/^$/d' "$T/slow.body" | tr -d 0 >"$T/rest"
	printf 'id: 1\ndata: ' | cmp - "$T/rest"
	open_stream again since=0
	eventually got again 'id: 2'
	[ "$(events again | sed -n 1p)" = '1 message short' ]
}

@test "events that fill a record to the last byte and one more arrive" {
	serve
	open_stream live
	# "id: N\ndata: " and two line ends: the encoding grows over 65,535 bytes
	sql "WITH RECURSIVE n(i) AS (SELECT 65510 UNION ALL SELECT i + 1 FROM n
			WHERE i < 65530)
		INSERT INTO events(data) SELECT printf('%.*c', i, 'x') FROM n"
	brings_sql live "SELECT id || ' message ' || data FROM events ORDER BY id"
	open_stream replay since=0
	brings_sql replay "SELECT id || ' message ' || data FROM events ORDER BY id"
}

@test "the smallest amount of memory for events is enough" {
	serve ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	open_stream live
	open_stream filtered 'topic=b*'
	local i
	for i in {1..20}; do
		sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1
				FROM n WHERE i < 50)
			INSERT INTO events(topic, data)
			SELECT char(97 + i % 2) || printf('%.*c', 250, 'x'),
				'row ' || i || printf('%.*c', i * $i * 3, 'y')
			FROM n"
	done
	brings_sql live "SELECT id || ' message ' || data FROM events ORDER BY id"
	brings_sql filtered "SELECT id || ' message ' || data FROM events
		WHERE topic GLOB 'b*' ORDER BY id"
	open_stream replay since=0
	brings_sql replay "SELECT id || ' message ' || data FROM events ORDER BY id"
}

# ---- slow clients and long replays ------------------------------------------

# 15 MB of rows, in transactions of 100.
insert_much() {
	sql "$(for _ in {1..30}; do
		echo "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1
				FROM n WHERE i < 100)
			INSERT INTO events(topic, data)
			SELECT 't' || (i % 2), hex(randomblob(2500)) FROM n;"
	done)"
}

is_full() {
	local pid
	pid=$(responders)
	kill -USR2 "$pid"
	cat "$LOGS"/* | grep 'report: ' | tail -n 1 | grep -vq 'behind=0'
}

@test "a stalled client gets all events in order later; others stay live" {
	serve ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	open_stream slow
	local slow=$STREAM_PID
	open_stream topic topic=t1
	local topic=$STREAM_PID
	open_stream live
	kill -STOP "$slow" "$topic"
	insert_much
	brings_sql live "SELECT id || ' message ' || data FROM events ORDER BY id"
	eventually is_full
	sql "INSERT INTO events(topic, data) VALUES('t1', 'live')"
	eventually got live 'data: live'
	run ! got slow 'data: live'
	kill -CONT "$slow" "$topic"
	sql "INSERT INTO events(topic, data) VALUES('t1', 'last')"
	brings_sql topic "SELECT id || ' message ' || data FROM events
		WHERE topic = 't1' ORDER BY id"
	brings_sql slow "SELECT id || ' message ' || data FROM events ORDER BY id"
	brings_sql live "SELECT id || ' message ' || data FROM events ORDER BY id"
}

@test "a slow client gets all events in order" {
	serve ROWCAST_TAIL_KB=64
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300)
		INSERT INTO events(data) SELECT hex(randomblob(2500)) FROM n"
	open_stream slow since=0 --limit-rate 500k
	sql "INSERT INTO events(data) VALUES('last')"
	brings_sql slow "SELECT id || ' message ' || data FROM events ORDER BY id"
}

@test "--stall-s: a client that reads nothing for this long is disconnected" {
	serve ROWCAST_STALL_S=1
	open_stream slow
	local slow=$STREAM_PID
	kill -STOP "$slow"
	insert_much
	eventually reports streams=0
	kill -CONT "$slow"
	eventually gone "$slow"
	# its events are complete up to the cut, and it can resume from there
	whole_events slow >"$T/first"
	open_stream again '' -H "Last-Event-ID: $(sed -n '$s/ .*//p' "$T/first")"
	sql "SELECT id || ' message ' || data FROM events ORDER BY id" >"$T/want"
	eventually got again 'id: 3000'
	{
		cat "$T/first"
		events again
	} | cmp - "$T/want"
}

@test "replays of 20,000 rows are complete and in order for each filter" {
	make_log
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 20000)
		INSERT INTO events(topic, event, data)
		SELECT 't' || (i % 10), iif(i % 3, 'message', 'third'), 'row ' || i
		FROM n"
	serve ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	open_stream all since=0
	open_stream topic 'since=0&topic=t3'
	open_stream topics 'since=0&topic=t3&topic=t7&topic=none'
	open_stream prefix 'since=0&topic=t*&event=third'
	open_stream middle 'since=12345'
	open_stream last 'since=last:15000'
	# live events meanwhile
	sql "INSERT INTO events(topic, event, data) VALUES('t3', 'third', 'live')"
	brings_sql all "SELECT id || ' ' || event || ' ' || data FROM events
		ORDER BY id"
	brings_sql topic "SELECT id || ' ' || event || ' ' || data FROM events
		WHERE topic = 't3' ORDER BY id"
	brings_sql topics "SELECT id || ' ' || event || ' ' || data FROM events
		WHERE topic IN ('t3', 't7') ORDER BY id"
	brings_sql prefix "SELECT id || ' ' || event || ' ' || data FROM events
		WHERE event = 'third' ORDER BY id"
	brings_sql middle "SELECT id || ' ' || event || ' ' || data FROM events
		WHERE id > 12345 ORDER BY id"
	brings_sql last "SELECT id || ' ' || event || ' ' || data FROM events
		WHERE id > 20000 - 15000 ORDER BY id"
}
