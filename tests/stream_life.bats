#!/usr/bin/env bats
# The life of a stream: silence, age, and its end from either side.

load stream

# ---- silence ----------------------------------------------------------------

@test "--keepalive-s: a comment after silence, again and again" {
	serve ROWCAST_KEEPALIVE_S=1
	local began=${EPOCHREALTIME/[.,]/}
	open_stream a
	brings_bytes a 'retry: 3000\nid: 0\n\n:\n\n:\n\n'
	[ $((${EPOCHREALTIME/[.,]/} - began)) -ge 1900000 ]
	sql "INSERT INTO events(data) VALUES('x')"
	eventually got a 'data: x'
	# an event restarts the interval
	eventually ends_with a 'id: 1\ndata: x\n\n:\n\n'
}

ends_with() {
	# shellcheck disable=SC2059 # a format
	printf "$2" >"$T/end"
	tail -c "$(wc -c <"$T/end")" "$T/$1.body" | cmp -s - "$T/end"
}

@test "no comment during traffic" {
	local i last now pauses=0
	serve ROWCAST_KEEPALIVE_S=2
	open_shell
	open_stream a
	last=${EPOCHREALTIME/[.,]/}
	for i in {1..25}; do
		tell "INSERT INTO events(data) VALUES('row $i')"
		eventually got a "data: row $i"
		now=${EPOCHREALTIME/[.,]/}
		# on a busy machine, two rows may be far apart
		pauses=$((pauses + (now - last) / 1500000))
		last=$now
		sleep 0.2
	done
	stop "$STREAM_PID"
	[ "$(count_lines a ':.*')" -le "$pauses" ]
}

@test "a quiet topic gets the head of the log, which avoids a replay" {
	serve ROWCAST_KEEPALIVE_S=1
	open_stream a topic=quiet
	open_stream b topic=quiet -H 'Last-Event-ID: 0'
	sql "INSERT INTO events(topic, data) VALUES('busy', '1'), ('busy', '2')"
	brings_bytes a 'retry: 3000\nid: 0\n\n:\n\nid: 2\n\n'
	brings_bytes b 'retry: 3000\nid: 0\n\n:\n\nid: 2\n\n'
	# once
	eventually ends_with a 'id: 2\n\n:\n\n:\n\n'
	# a client that resumes from there misses nothing
	sql "INSERT INTO events(topic, data) VALUES('quiet', '3')"
	open_stream again topic=quiet -H "Last-Event-ID: 2"
	brings again '3 message 3'
	brings a '3 message 3'
}

@test "the id sent to a quiet topic skips none of its events" {
	local i
	serve ROWCAST_KEEPALIVE_S=1
	open_stream a topic=b
	for i in 1 2 3; do
		sql "INSERT INTO events(topic, data) VALUES('a', 'x')"
		eventually ends_with a "\n\nid: $((2 * i - 1))\n\n"
		sql "INSERT INTO events(topic, data) VALUES('b', 'row $i')"
		eventually got a "row $i"
	done
	brings a $'2 message row 1\n4 message row 2\n6 message row 3'
	grep '^id: ' "$T/a.body" | sort -snk 2 -c
}

# ---- age --------------------------------------------------------------------

@test "--max-age-s ends a stream, up to a fifth earlier or later" {
	local i pids=()
	serve ROWCAST_MAX_AGE_S=2
	for i in {1..10}; do
		(
			STARTED=()
			began=${EPOCHREALTIME/[.,]/}
			open_stream "s$i"
			ends "$STREAM_PID"
			echo $((${EPOCHREALTIME/[.,]/} - began)) >"$T/age$i"
		) 3>&- &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		# 0: the response was complete
		wait "$i"
	done
	cat "$T"/age*
	for i in {1..10}; do
		[ "$(cat "$T/age$i")" -ge 1590000 ]
		[ "$(cat "$T/s$i.body")" = $'retry: 3000\nid: 0' ]
	done
	# not all in the same 200 ms, of 800 possible ones
	[ $(($(sort -n "$T"/age* | tail -n 1) - \
		$(sort -n "$T"/age* | head -n 1))) -gt 200000 ]
}

@test "a client whose streams end by age gets each event once" {
	local writer id=0 round=0
	serve ROWCAST_MAX_AGE_S=1
	(
		STARTED=()
		open_shell
		for i in {1..100}; do
			tell "INSERT INTO events(data) VALUES('row $i')"
			sleep 0.04
		done
		close_shell
	) 3>&- &
	writer=$!
	STARTED+=("$writer")
	: >"$T/all"
	while [ "$id" -lt 100 ]; do
		round=$((round + 1))
		open_stream "r$round" '' -H "Last-Event-ID: $id"
		ends "$STREAM_PID"
		events "r$round" >>"$T/all"
		id=$(last_id "r$round")
	done
	wait "$writer"
	[ "$round" -gt 2 ]
	sql "SELECT id || ' message ' || data FROM events ORDER BY id" |
		diff - "$T/all"
}

@test "a stream that is behind also ends by age, and can be resumed" {
	make_log
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 600)
		INSERT INTO events(data) SELECT hex(randomblob(5000)) FROM n"
	serve ROWCAST_MAX_AGE_S=1
	open_stream r1 since=0 --limit-rate 1M
	ends "$STREAM_PID"
	local id round=1
	id=$(last_id r1)
	events r1 >"$T/all"
	while [ "$id" -lt 600 ]; do
		round=$((round + 1))
		open_stream "r$round" '' -H "Last-Event-ID: $id" --limit-rate 1M
		ends "$STREAM_PID"
		events "r$round" >>"$T/all"
		id=$(last_id "r$round")
	done
	sql "SELECT id || ' message ' || data FROM events ORDER BY id" |
		cmp - "$T/all"
}

# ---- clients that disconnect ------------------------------------------------

has_descriptors_at_most() {
	[ "$(descriptors "$1")" -le "$2" ]
}

@test "a stream in an event that can no longer be read ends by age" {
	serve ROWCAST_MAX_AGE_S=4 ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	open_stream slow
	local slow=$STREAM_PID
	kill -STOP "$slow"
	open_stream live
	sql "INSERT INTO events(data) VALUES(hex(zeroblob(5000000)) || 'end')"
	eventually got live 000end
	sql "INSERT INTO events(data) VALUES(hex(randomblob(100000)))"
	eventually got live 'id: 2'
	sql 'PRAGMA wal_checkpoint(TRUNCATE)'
	truncate -s 1M "$DB"
	kill -CONT "$slow"
	ends "$slow"
	run ! got slow 000end
}

@test "a client that disconnects is noticed at once; its descriptor is closed" {
	local i before responder pids=()
	serve
	responder=$(responders)
	report
	before=$(descriptors "$responder")
	for i in {1..10}; do
		open_stream "s$i" "topic=t$((i % 3))"
		pids+=("$STREAM_PID")
	done
	report
	[[ $REPORT == *' streams=10 feeds=3 connections=10 '* ]]
	[ "$(descriptors "$responder")" -ge $((before + 10)) ]
	for i in "${pids[@]}"; do
		kill "$i"
	done
	eventually has_descriptors_at_most "$responder" "$before"
	eventually reports streams=0
	[[ $REPORT == *' feeds=0 '* ]]
	[[ $REPORT == *' opened=10 '* ]]
}

@test "a client that disconnects while it is behind is noticed" {
	local slow
	serve ROWCAST_TAIL_KB=64
	open_stream slow
	slow=$STREAM_PID
	kill -STOP "$slow"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300)
		INSERT INTO events(data) SELECT hex(randomblob(25000)) FROM n"
	eventually reports head=300
	kill -KILL "$slow"
	eventually reports streams=0
	eventually reports connections=0
}

@test "hundreds of clients that connect and disconnect leave nothing behind" {
	local responder before i
	serve
	open_stream first
	responder=$(responders)
	stop "$STREAM_PID"
	eventually reports connections=0
	before=$(descriptors "$responder")
	for i in {1..10}; do
		sql "INSERT INTO events(data) VALUES('row')"
		curl -sN -m 0.3 -Z --parallel-immediate --parallel-max 20 \
			"$URL/events?since=0&topic=[1-20]" >/dev/null 2>&1 || :
	done
	eventually reports connections=0
	[[ $REPORT == *' streams=0 feeds=0 '* ]]
	eventually has_descriptors_at_most "$responder" "$before"
}

# ---- signals ----------------------------------------------------------------

# Send SIGTERM; the responder must end within 2 s.
terminate() {
	kill "$RESPONDER_PID"
	ends_within 2 "$RESPONDER_PID"
}

@test "SIGTERM: each stream gets its own retry: and a complete response" {
	local i pids=()
	serve_apart
	for i in {1..20}; do
		open_stream "s$i" "topic=t$((i % 4))"
		pids+=("$STREAM_PID")
	done
	terminate
	for i in "${pids[@]}"; do
		ends "$i"
	done
	for i in {1..20}; do
		tail -n 2 "$T/s$i.body" | grep -qx 'retry: [0-9]*'
		sed -n '/^retry: /s///p' "$T/s$i.body" | tail -n 1
	done | sort -n >"$T/retries"
	cat "$T/retries"
	[ "$(wc -l <"$T/retries")" -eq 20 ]
	[ "$(head -n 1 "$T/retries")" -ge 1500 ]
	[ "$(tail -n 1 "$T/retries")" -le 5000 ]
	[ "$(uniq "$T/retries" | wc -l)" -gt 10 ]
	[ ! -e "$SITE/build/run/rowcast.sock" ]
	[ ! -s "$LOGS/responder" ]
}

@test "SIGTERM: --shutdown-retry-s bounds the time in which clients return" {
	local i pids=()
	serve_apart --shutdown-retry-s 0
	for i in {1..3}; do
		open_stream "s$i"
		pids+=("$STREAM_PID")
	done
	terminate
	for i in "${pids[@]}"; do
		ends "$i"
	done
	for i in {1..3}; do
		[ "$(cat "$T/s$i.body")" = $'retry: 3000\nid: 0\n\nretry: 0' ]
	done
}

@test "SIGTERM: a stalled client does not delay the end" {
	serve_apart
	open_stream slow
	local slow=$STREAM_PID live
	open_stream live
	live=$STREAM_PID
	kill -STOP "$slow"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300)
		INSERT INTO events(data) SELECT hex(randomblob(25000)) FROM n"
	eventually got live 'id: 300'
	terminate
	kill -CONT "$slow"
	ends "$live"
	eventually gone "$slow"
	[ "$(count_lines live 'retry: [0-9]*')" -eq 2 ]
}

@test "SIGTERM: a new client is told when to reconnect while streams end" {
	local slow retry
	serve
	open_stream slow
	slow=$STREAM_PID
	kill -STOP "$slow"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 300)
		INSERT INTO events(data) SELECT hex(randomblob(25000)) FROM n"
	signal TERM
	ask since=300
	kill -CONT "$slow"
	# shellcheck disable=SC2153 # a helper sets it
	[ "$STATUS" -eq 200 ]
	grep -qx 'id: 300' "$ANSWER"
	retry=$(sed -n 's/^retry: //p' "$ANSWER" | tail -n 1)
	[ "$retry" -ge 1500 ]
	[ "$retry" -le 5000 ]
}

@test "SIGTERM and SIGINT end a responder without streams" {
	start_responder
	terminate
	start_responder
	kill -INT "$RESPONDER_PID"
	wait "$RESPONDER_PID"
}

@test "SIGTERM: nothing is lost, the next responder continues" {
	local id
	serve_apart
	open_stream a
	sql "INSERT INTO events(data) VALUES('one')"
	eventually got a 'data: one'
	terminate
	ends "$STREAM_PID"
	sql "INSERT INTO events(data) VALUES('two')"
	start_responder
	id=$(last_id a)
	open_stream b '' -H "Last-Event-ID: $id"
	brings b '2 message two'
}

@test "SIGUSR2 writes a line of counters" {
	serve ROWCAST_MAX_STREAMS=2
	open_stream a
	open_stream b topic=b
	sql "INSERT INTO events(data) VALUES('one'), ('two')"
	eventually got a 'data: two'
	ask ''
	[ "${STATUS:-}" = 503 ]
	ask since=nothing
	[ "$STATUS" -eq 400 ]
	report
	[[ $REPORT == *'rowcast.fcgi'*'report: '* ]]
	[[ $REPORT == *' streams=2 feeds=2 '* ]]
	[[ $REPORT == *' head=2 opened=2 refused=2 full=1 events=2 '* ]]
	# streams continue
	sql "INSERT INTO events(data) VALUES('three')"
	eventually got a 'data: three'
}
