#!/usr/bin/env bats
# Rules of retention apply to each insert: with the sqlite3 shell and the schema
# alone.

load stream

setup() {
	site_new
	make_log
}

# usage: rule PATTERN MAX_ROWS [MAX_AGE_S [MAX_BYTES]]
rule() {
	sql "INSERT INTO retention VALUES('$1', $2, ${3:-NULL}, ${4:-NULL})"
}

# Insert N rows of a topic in one statement.
#   usage: insert N TOPIC [DATA]
insert() {
	sql "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
			WHERE i < $1)
		INSERT INTO events(topic, data) SELECT '$2', '${3:-x}' FROM n"
}

# Print the ids of the kept rows on one line.
ids() {
	sql "SELECT group_concat(id, ' ') FROM (SELECT id FROM events ORDER BY id)"
}

# The counters of a rule must match the rows.
counts_are_right() {
	local wrong
	wrong=$(sql "SELECT topic_pattern, kept_rows, kept_bytes, n, bytes FROM (
		SELECT r.*, count(id) AS n, ifnull(sum(octets), 0) AS bytes
		FROM events_retained r LEFT JOIN (SELECT *,
			length(CAST(data AS BLOB)) AS octets FROM events) e
		ON e.topic = r.topic_pattern OR (r.topic_pattern GLOB '*[*]' AND
			hex(e.topic) GLOB hex(rtrim(r.topic_pattern, '*')) || '*')
		GROUP BY r.topic_pattern)
		WHERE kept_rows <> n OR kept_bytes <> bytes")
	echo "$wrong"
	[ -z "$wrong" ]
}

prune() {
	(as_site sqlite3 -bail -cmd '.timeout 5000' "$DB") <"$ROOT/sql/prune.sql"
}

# ---- limits -----------------------------------------------------------------

@test "max_rows keeps the newest rows and removes the oldest" {
	rule '*' 3
	insert 5 a
	[ "$(ids)" = '3 4 5' ]
	sql "INSERT INTO events(data) VALUES('six')"
	[ "$(ids)" = '4 5 6' ]
	counts_are_right
}

@test "max_rows of 1 keeps the last event of a topic" {
	rule now 1
	insert 4 now
	insert 2 other
	sql "INSERT INTO events(topic, data) VALUES('now', 'last')"
	[ "$(sql 'SELECT topic, data FROM events ORDER BY id')" = \
		$'other|x\nother|x\nnow|last' ]
}

@test "max_age_s compares created_ms at the next insert" {
	five_rows
	rule '*' NULL 3600
	[ "$(ids)" = '1 2 3 4 5' ]
	sql "INSERT INTO events(data) VALUES('new')"
	[ "$(ids)" = 6 ]
	sql "INSERT INTO events(data, created_ms) VALUES
		('old', strftime('%s') * 1000 - 3700000),
		('young', strftime('%s') * 1000 - 3500000)"
	sql "INSERT INTO events(data) VALUES('new')"
	[ "$(sql "SELECT group_concat(data) FROM events")" = new,young,new ]
	counts_are_right
}

@test "rows that are too old are removed even if a clock went back" {
	rule '*' NULL 3600
	rule 'a' NULL 1800
	rule 'a*' NULL 7200
	sql "INSERT INTO events(topic, data, created_ms)
		SELECT 'a', value, (strftime('%s') + value) * 1000
		FROM json_each('[100000, -2000, 0, -1700, -9000, -100, -1900]')"
	sql "INSERT INTO events(data) VALUES('new')"
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = \
		'100000 0 -1700 -100 new' ]
	counts_are_right
}

# Insert N rows of a topic that a clock with this offset has written.
#   usage: insert_at SECONDS N TOPIC
insert_at() {
	sql "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
			WHERE i < $2)
		INSERT INTO events(topic, data, created_ms)
		SELECT '$3', $1, (strftime('%s') + $1) * 1000 FROM n"
}

@test "what is too old goes, whatever stands before it" {
	local rule
	for rule in '*' a 'a*'; do
		sql 'DELETE FROM events; DELETE FROM retention'
		rule "$rule" NULL 3600
		insert_at 86400 1000 a # a clock was a day ahead
		insert_at -7200 300 a
		insert_at 0 700 a
		[ "$(sql 'SELECT data, count(*) FROM events GROUP BY 1')" = \
			$'0|700\n86400|1000' ]
		counts_are_right
	done
}

@test "a new rule by age finds old rows behind younger ones" {
	local rule i
	for rule in '*' a 'a*'; do
		sql 'DELETE FROM events; DELETE FROM retention'
		insert_at 86400 500 a
		insert_at -7200 5 a
		insert_at 0 500 a
		insert_at -7200 5 b
		rule "$rule" NULL 3600
		for i in 1 2 3 4; do insert 10 c; done
		[ "$(sql "SELECT count(*) FROM events WHERE topic = 'a'")" -eq 1000 ]
		counts_are_right
	done
	# that of the last rule, a*
	[ "$(sql "SELECT count(*) FROM events WHERE topic = 'b'")" -eq 5 ]
}

@test "clocks that go back and forth: what becomes too old goes" {
	rule '*' NULL 3600
	local i
	for i in 1 2 3 4 5 6 7 8; do
		insert_at 86400 20 a
		insert_at -3000 20 a
		insert_at -600 20 a
	done
	[ "$(sql 'SELECT count(*) FROM events')" -eq 480 ]
	# 20 minutes pass
	sql 'DROP TRIGGER events_never_change;
		UPDATE events SET created_ms = created_ms - 1200000;
		UPDATE events_retained SET due_ms = due_ms - 1200000,
			late_ms = min(9223372036854775807, late_ms) - 1200000,
			newest_ms = newest_ms - 1200000, eldest_ms = eldest_ms - 1200000,
			search_newest_ms = search_newest_ms - 1200000'
	insert 60 b
	[ "$(sql "SELECT data, count(*) FROM events WHERE topic = 'a'
		GROUP BY 1")" = $'-600|160\n86400|160' ]
	counts_are_right
}

@test "the first and the last times that there are do not stop a rule by age" {
	rule '*' NULL 3153600000
	rule 'a*' NULL 60
	sql "INSERT INTO events(topic, data, created_ms) VALUES
		('a', '1', 9223372036854775807), ('a', '2', -9223372036854775808),
		('a', '3', 0), ('a', '4', 9223372036854775807), ('a', '5', -1)"
	insert_at -3600 1 a
	insert 3 b
	[ "$(sql "SELECT group_concat(data, ' ') FROM events
		WHERE topic = 'a'")" = '1 4' ]
	rule 'b' NULL 3153600000
	insert 3 b
	counts_are_right
}

@test "an insert into any topic removes old rows of others" {
	rule quiet NULL 3600
	rule 'silent/*' NULL 3600
	sql "INSERT INTO events(topic, data) VALUES('quiet', '1'), ('silent/1', '2')"
	# an hour passes
	sql 'DROP TRIGGER events_never_change;
		UPDATE events SET created_ms = created_ms - 3700000;
		UPDATE events_retained SET due_ms = due_ms - 3700000'
	insert 1 loud
	[ "$(sql 'SELECT topic FROM events')" = loud ]
}

@test "max_bytes counts the bytes of data" {
	rule '*' NULL NULL 10
	sql "INSERT INTO events(data) VALUES('1234'), ('56'), ('€')"
	[ "$(ids)" = '1 2 3' ]
	sql "INSERT INTO events(data) VALUES('ab')"
	[ "$(ids)" = '2 3 4' ]
	sql "INSERT INTO events(data) VALUES('12345')"
	[ "$(ids)" = '3 4 5' ]
	counts_are_right
}

@test "an event larger than max_bytes stays until the next insert" {
	rule '*' NULL NULL 10
	sql "INSERT INTO events(data) VALUES('one'), ('much more than that')"
	[ "$(ids)" = 2 ]
	[ "$(prune)" = 0 ] || [ "$(ids)" = 2 ]
	sql "INSERT INTO events(data) VALUES('x')"
	[ "$(ids)" = 3 ]
}

@test "a large limit is used to 99.9 % and never exceeded" {
	rule '*' 5000
	insert 5000 a
	[ "$(sql 'SELECT count(*) FROM events')" -eq 5000 ]
	local i
	for i in 1 2 3 4 5 6 7 8 9; do
		insert $((i * 3)) a
		[ "$(sql 'SELECT count(*) BETWEEN 4995 AND 5000 FROM events')" -eq 1 ]
	done
	counts_are_right
}

# ---- topics -----------------------------------------------------------------

@test "a rule limits all topics that match, taken together" {
	rule 'room/*' 3
	insert 2 room/1
	insert 2 room/2
	insert 2 lobby
	[ "$(ids)" = '2 3 4 5 6' ]
}

@test "every rule that matches applies" {
	rule '*' 4
	rule 'a*' 3
	rule ab 1
	insert 2 ab
	[ "$(ids)" = 2 ]
	insert 3 a
	[ "$(ids)" = '3 4 5' ]
	insert 2 b
	[ "$(ids)" = '4 5 6 7' ]
	insert 1 ab
	[ "$(ids)" = '5 6 7 8' ]
	counts_are_right
}

@test "a pattern is bytes and at most one star at its end" {
	local pattern='a[b]*c*'
	rule "$pattern" 1
	rule '%' 1
	rule '_' 1
	rule '[a-z]' 1
	rule 'A*' 1
	insert 2 ab
	insert 2 a
	insert 2 aXc
	insert 2 abXcd
	insert 2 100
	[ "$(sql 'SELECT count(*) FROM events')" -eq 10 ]
	insert 3 'a[b]*cd'
	insert 3 '%'
	[ "$(sql "SELECT topic, count(*) FROM events
		WHERE topic IN ('%', 'a[b]*cd') GROUP BY 1")" = $'%|1\na[b]*cd|1' ]
	counts_are_right
}

@test "a prefix may end within a character" {
	sql "INSERT INTO retention(topic_pattern, max_rows)
		VALUES(CAST(x'C32A' AS TEXT), 1)"
	insert 2 é
	insert 2 ê
	insert 2 Ω
	[ "$(sql 'SELECT topic, count(*) FROM events GROUP BY 1')" = $'ê|1\nΩ|2' ]
}

@test "the empty pattern is the empty topic, * is every topic" {
	rule '' 2
	insert 3 ''
	insert 3 a
	[ "$(ids)" = '2 3 4 5 6' ]
	rule '*' 1
	sql "INSERT INTO events(data) VALUES('x')"
	[ "$(ids)" = 7 ]
	insert 1 ''
	[ "$(ids)" = 8 ]
	counts_are_right
}

# ---- ways to insert ---------------------------------------------------------

@test "RETURNING gives each new id while rows are removed" {
	rule '*' 2
	[ "$(sql "INSERT INTO events(data) VALUES('1'), ('2'), ('3'), ('4')
		RETURNING id" | tr '\n' ' ')" = '1 2 3 4 ' ]
	[ "$(ids)" = '3 4' ]
	[ "$(sql "INSERT INTO events(data) VALUES('5') RETURNING id, data;
		SELECT last_insert_rowid(), changes()")" = $'5|5\n5|1' ]
}

@test "a known key, IGNORE and REPLACE do not count" {
	local how
	rule '*' 3
	sql "INSERT INTO events(data, key) VALUES('1', 'a'), ('2', 'b'), ('3', 'c')"
	for how in INSERT 'INSERT OR IGNORE' 'INSERT OR REPLACE' REPLACE; do
		sql "$how INTO events(data, key) VALUES('again', 'a'), ('again', 'c')"
	done
	[ "$(ids)" = '1 2 3' ]
	for how in 'INSERT OR IGNORE' 'INSERT OR REPLACE' 'INSERT OR FAIL'; do
		sql "$how INTO events(data, key) VALUES('new', '$how')"
	done
	[ "$(ids)" = '4 5 6' ]
	counts_are_right
	# the key of a removed row is free again
	sql "INSERT INTO events(data, key) VALUES('1', 'a')"
	[ "$(ids)" = '5 6 7' ]
}

@test "retention works with and without recursive triggers" {
	rule '*' 3
	rule 'a*' 2 60 100
	sql 'PRAGMA recursive_triggers = ON' "INSERT INTO events(topic, data)
		SELECT 'a', value FROM (VALUES(1)), json_each('[1,2,3,4,5,6]')"
	[ "$(ids)" = '5 6' ]
	counts_are_right
	sql 'PRAGMA recursive_triggers = ON' 'DELETE FROM events WHERE id = 5' \
		"INSERT OR REPLACE INTO retention VALUES('a*', 1, NULL, NULL)" \
		"INSERT INTO events(data) VALUES('7'), ('8'), ('9')"
	[ "$(ids)" = '7 8 9' ]
	counts_are_right
}

# Each of these begins a look at the first rows while a search is on its way.
@test "a search for old rows passes over none while more are inserted" {
	local now
	now=$(date +%s)000
	rule '*' NULL 3600
	sql "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n
		WHERE i < 99) INSERT INTO events(data, created_ms)
		SELECT 'ahead', $now + 86400000 * iif(i = 0, 2, 1) FROM n"
	local i
	for i in 1 2 3 4 5 6; do
		sql "INSERT INTO events(data, created_ms)
			VALUES('old', $now - 3600000 * 2 - $i)"
	done
	insert 10 a
	[ "$(sql "SELECT count(*) FROM events WHERE data = 'old'")" -eq 0 ]
	counts_are_right
}

@test "a row in a transaction of the application is counted or rolled back" {
	rule '*' 2
	insert 2 a
	sql "BEGIN; INSERT INTO events(data) VALUES('3'), ('4'); ROLLBACK"
	[ "$(ids)" = '1 2' ]
	counts_are_right
	sql "CREATE TABLE t(x); CREATE TRIGGER t_live AFTER INSERT ON t BEGIN
		INSERT INTO events(topic, data) VALUES('t', NEW.x); END"
	sql "INSERT INTO t VALUES('a'), ('b'), ('c')"
	[ "$(sql 'SELECT group_concat(data) FROM events')" = b,c ]
	counts_are_right
}

@test "a refused row changes nothing, counters included" {
	rule '*' 3
	insert 3 a
	run sql "INSERT INTO events(data, event) VALUES('ok', 'x'), ('bad', '')"
	[ "$status" -ne 0 ]
	run sql "INSERT INTO events(id, data) VALUES(1, 'low')"
	[ "$status" -ne 0 ]
	[ "$(ids)" = '1 2 3' ]
	counts_are_right
}

@test "rows deleted by hand are counted off" {
	rule '*' 4
	insert 4 a
	sql 'DELETE FROM events WHERE id IN (1, 3)'
	counts_are_right
	insert 2 a
	[ "$(ids)" = '2 4 5 6' ]
	sql 'DELETE FROM events'
	counts_are_right
	insert 5 a
	[ "$(ids)" = '8 9 10 11' ]
}

@test "ids are never used again, even if all rows were removed" {
	rule '*' NULL 60
	five_rows
	[ "$(sql 'SELECT count(*) FROM events')" -eq 0 ]
	insert 1 a
	[ "$(ids)" = 6 ]
}

@test "rows of the publisher are counted" {
	serve
	rule '*' 2
	post_with_token --json '[{"data":"1"},{"data":"2"},{"data":"3"}]'
	# shellcheck disable=SC2153 # post() sets it
	[ "$STATUS" -eq 201 ]
	[ "$ANSWER" = '{"ids":[1,2,3]}' ]
	[ "$(ids)" = '2 3' ]
}

# ---- rules ------------------------------------------------------------------

@test "rules can be added, changed and removed while the log is in use" {
	insert 6 a
	insert 2 b
	rule a 5
	[ "$(ids)" = '1 2 3 4 5 6 7 8' ]
	insert 1 b
	[ "$(ids)" = '2 3 4 5 6 7 8 9' ]
	sql "UPDATE retention SET max_rows = 3"
	insert 1 b
	[ "$(ids)" = '4 5 6 7 8 9 10' ]
	sql "UPDATE retention SET topic_pattern = 'b'"
	insert 2 a
	[ "$(ids)" = '4 5 6 8 9 10 11 12' ]
	counts_are_right
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('b', 2)
		ON CONFLICT DO UPDATE SET max_rows = excluded.max_rows"
	insert 1 a
	[ "$(ids)" = '4 5 6 9 10 11 12 13' ]
	sql 'DELETE FROM retention'
	insert 5 b
	[ "$(sql 'SELECT count(*) FROM events')" -eq 13 ]
	[ "$(sql 'SELECT count(*) FROM events_retained')" -eq 0 ]
}

@test "OR IGNORE keeps the existing rule, OR REPLACE replaces it" {
	insert 4 a
	rule a 4
	sql "INSERT OR IGNORE INTO retention VALUES('a', 1, NULL, NULL)"
	insert 1 a
	[ "$(ids)" = '2 3 4 5' ]
	sql "INSERT OR REPLACE INTO retention VALUES('a', 2, NULL, NULL)"
	insert 1 a
	[ "$(ids)" = '5 6' ]
	counts_are_right
	[ "$(sql 'SELECT count(*) FROM events_retained')" -eq 1 ]
}

# usage: refuses_rule TEXT PATTERN MAX_ROWS [MAX_AGE_S [MAX_BYTES]]
refuses_rule() {
	local text=$1
	shift
	run rule "$@"
	echo "$* → $output"
	[ "$status" -ne 0 ]
	[[ $output == *"$text"* ]]
}

@test "limits that are not valid are refused by name" {
	refuses_rule 'max_rows is outside 1..9007199254740991' a 0
	refuses_rule 'max_rows is outside' a -1
	refuses_rule 'max_age_s is outside 1..3153600000' a NULL 0
	refuses_rule 'max_age_s is outside' a NULL 3153600001
	refuses_rule 'max_bytes is outside 1..9007199254740991' a NULL NULL 0
	refuses_rule 'topic_pattern is longer than 256 bytes' \
		"$(printf '%257d' 0)" 1
	refuses_rule 'topic_pattern holds CR, LF or NUL' $'a\nb' 1
	run sql "INSERT INTO retention(max_rows) VALUES(1)"
	[ "$status" -ne 0 ]
	rule "$(printf '%255d*' 0)" 9007199254740991 3153600000 9007199254740991
	rule none NULL
	insert 2 none
	[ "$(ids)" = '1 2' ]
}
