#!/usr/bin/env bats
# cli_prune.bats: rowcast prune.

load cli

setup() {
	cli_setup
	make_log
}

ids() {
	rows "SELECT coalesce(group_concat(id, ' '), '')
		FROM (SELECT id FROM events ORDER BY id)"
}

# Add an event of each topic, created so many minutes ago.
#   usage: add MINUTES TOPIC…
add() {
	local minutes=$1 topic
	shift
	for topic in "$@"; do
		rows "INSERT INTO events(topic, data, created_ms) VALUES('$topic',
			'x', (strftime('%s') - 60 * $minutes) * 1000)"
	done
}

@test "the newest rows of all topics or of one are kept" {
	add 0 a a b a b c
	rowcast prune --keep-rows 5
	said '1 removed'
	[ "$(ids)" = '2 3 4 5 6' ]
	rowcast prune --keep-rows 1 --topic a
	said '1 removed'
	[ "$(ids)" = '3 4 5 6' ]
	rowcast prune --keep-rows 0 -t b
	said '2 removed'
	rowcast prune --keep-rows 9
	said '0 removed'
	rowcast prune --keep-rows 0 --json
	said '{"removed":2}'
	[ "$(ids)" = '' ]
}

@test "the topics of a prefix are counted together, by bytes" {
	add 0 'x_/1' 'xy/2' 'x_/2' 'x_' 'x_/3'
	rowcast prune --keep-rows 1 -t 'x_/*'
	said '2 removed'
	[ "$(ids)" = '2 4 5' ]
	rowcast prune --keep-rows 0 -t '*'
	said '3 removed'
	add 0 'ü/1' 'ü-2' 'ü/3'
	rowcast prune --keep-rows 0 -t 'ü/*'
	said '2 removed'
	[ "$(ids)" = 7 ]
}

@test "older rows are removed" {
	add 180 a b
	add 90 a
	add 30 a b
	rowcast prune --older-than 2h -t a
	said '1 removed'
	rowcast prune --older-than 3600s
	said '2 removed'
	[ "$(ids)" = '4 5' ]
	rowcast prune --older-than 1w
	said '0 removed'
}

@test "a young row between old ones is kept" {
	add 180 a
	add 0 young
	add 180 a
	add 0 b
	rowcast prune --older-than 1h
	[ "$RC" -eq 0 ]
	[ "$(rows "SELECT count(*) FROM events WHERE topic = 'young'")" -eq 1 ]
}

@test "a row beyond one of two limits is removed" {
	add 180 a a
	add 0 a a a
	rowcast prune --older-than 1h --keep-rows 4
	said '2 removed'
	rowcast prune --older-than 1h --keep-rows 1
	said '2 removed'
}

@test "options that are not valid are refused" {
	local span
	for span in 7 d 0d 1y -1d '1 d' 99999999999999d ''; do
		rowcast prune --older-than "$span"
		refused 2 "--older-than: '$span' is not a time span"
	done
	rowcast prune --keep-rows -1
	refused 2 "--keep-rows: '-1' is not a whole number from 0 on"
	rowcast prune --topic a
	refused 2 '--topic: nothing to remove; give --keep-rows'
	rowcast prune -t a -t b --keep-rows 1
	refused 2 'only one'
}

@test "without options, the rules of the log apply" {
	add 180 a a b
	rowcast prune
	refused 1 'has no rules in its table retention'
	rows "INSERT INTO retention(topic_pattern, max_rows) VALUES('a', 1)"
	rowcast prune
	said '1 removed'
	[ "$(ids)" = '2 3' ]
	rows "INSERT INTO retention(topic_pattern, max_age_s) VALUES('b', 60)"
	rowcast prune
	said '1 removed'
	[ "$(ids)" = 2 ]
}

@test "a commit that fails has removed nothing" {
	[ -z "${SAN:-}" ] || skip 'sanitizers replace the same functions'
	add 0 a a a
	rows "INSERT INTO retention(topic_pattern, max_rows) VALUES('a', 1)"
	for options in '' '--keep-rows 1'; do
		RC=0
		# shellcheck disable=SC2086
		LD_PRELOAD=$BUILD/tests/preload/fail.so FAIL=sync \
			FAIL_FILES=-wal FAIL_COUNT=0 "$PROGRAM" prune $options \
			>"$OUT" 2>"$ERR" || RC=$?
		refused 1 "$DB: disk I/O error"
		[ "$(cat "$OUT")" = '0 removed' ]
		[ "$(ids)" = '1 2 3' ]
	done
}

@test "with options, the rules apply on request" {
	add 0 a a a b b b
	rows "INSERT INTO retention(topic_pattern, max_rows) VALUES('a', 1)"
	rowcast prune --keep-rows 1 --topic b
	said '2 removed'
	rowcast prune --keep-rows 3 --rules
	[ "$RC" -eq 0 ]
	[ "$(ids)" = '3 6' ]
}

@test "rules are applied completely to a large log" {
	rows "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
		WHERE i < 5000) INSERT INTO events(topic, data)
		SELECT 't/' || (i % 3), 'x' FROM n;
		INSERT INTO retention(topic_pattern, max_rows) VALUES('t/1*', 10)"
	rowcast prune
	[ "$RC" -eq 0 ]
	[ "$(rows "SELECT count(*) FROM events WHERE topic = 't/1'")" -eq 10 ]
	[ "$(count)" -eq $((5000 - 1667 + 10)) ]
}

# Each removal updates each rule, and a statement of over a hundred million steps
# is taken for one without end.
@test "more than a thousand rules are exceeded at once" {
	rows "PRAGMA synchronous = OFF;
		WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n
		WHERE i < 14999) INSERT INTO events(topic, data)
		SELECT 'u' || (i / 10) || '/x', 'x' FROM n;
		WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n
		WHERE i < 1499) INSERT INTO retention(topic_pattern, max_rows)
		SELECT 'u' || i || '/*', 2 FROM n"
	publish x
	[ "$(rows 'SELECT removals FROM events_log')" -eq 64 ]
	# of all in turn
	[ "$(rows 'SELECT count(*) FROM events_retained WHERE kept_rows < 10
		')" -gt 40 ]
	rowcast prune
	[ "$RC" -eq 0 ]
	[ "$(count)" -eq 3001 ]
}

@test "clients get stream-gap for removed rows" {
	add 0 a b
	rowcast prune --keep-rows 0 --topic a
	rowcast tail --since 0 --no-follow
	grep -q '^-- gap: events after 0' "$OUT"
	rowcast tail --since 0 --no-follow -t b
	run ! grep gap "$OUT"
}

@test "others can publish while many rows are removed" {
	rows "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
		WHERE i < 100000) INSERT INTO events(topic, data)
		SELECT 't', 'x' FROM n"
	"$PROGRAM" prune --keep-rows 0 -t t >"$T/prune.out" 2>"$T/prune.err" 3>&- &
	PID=$!
	STARTED+=("$PID")
	local n=0
	eventually has_fewer 100000
	while is_running "$PID"; do
		"$PROGRAM" publish --busy-ms 1000 -t live x >"$T/id"
		n=$((n + 1))
	done
	wait "$PID"
	[ "$(cat "$T/prune.out")" = '100000 removed' ]
	[ "$n" -gt 0 ]
	[ "$(count)" -eq "$n" ]
}

has_fewer() {
	[ "$(count)" -lt "$1" ]
}

# ---- clocks -----------------------------------------------------------------

@test "prune --older-than removes old events wherever they stand" {
	rows "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n
			WHERE i < 2999)
		INSERT INTO events(topic, data, created_ms)
		SELECT iif(i % 3, 'a/' || (i % 5), 'b'), 'x', (strftime('%s')
			+ iif(i < 20, 86400, iif(i % 2, -7200, 0))) * 1000 FROM n"
	rows "INSERT INTO events(topic, data, created_ms) VALUES
		('c', 'first', -9223372036854775808),
		('c', 'last', 9223372036854775807), ('c', 'old', 0)"
	rowcast prune --older-than 1h -t 'a/*'
	said '993 removed'
	rowcast prune --older-than 1h -t b
	said '497 removed'
	rowcast prune --older-than 1h
	said '2 removed'
	[ "$(rows "SELECT count(*) FROM events
		WHERE created_ms < (strftime('%s') - 3600) * 1000")" -eq 0 ]
	[ "$(count)" -eq 1511 ]
}

@test "prune --older-than looks at a long log piece by piece" {
	rows "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
			WHERE i < 201000)
		INSERT INTO events(topic, data, created_ms) SELECT 'a', 'x',
			(strftime('%s') - iif(i % 50000 = 0, 7200, 0)) * 1000 FROM n"
	rowcast prune --older-than 1h
	said '4 removed'
	rowcast prune --keep-rows 200000
	said '996 removed'
}

@test "prune ends if a trigger runs without end" {
	rows "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n) SELECT i FROM n;
		CREATE TRIGGER hold AFTER DELETE ON events
		BEGIN SELECT count(*) FROM endless; END;
		INSERT INTO events(data) VALUES('x'), ('y')"
	rowcast prune --keep-rows 0
	[ "$RC" -eq 1 ]
	grep -q 'without end' "$ERR"
	[ "$(count)" -eq 2 ]
}
