#!/usr/bin/env bats
# rowcast init --upgrade: logs of an earlier release, whose schema is
# schema_earlier.sql, and copies that other tools have made.

load cli

setup() {
	cli_setup
}

# Create a log as the earlier release did.
make_earlier_log() {
	sqlite3 -bail "$DB" <"$ROOT/tests/schema_earlier.sql" >"$T/made"
	chmod 660 "$DB"
}

# The SQL of all parts of a log, or of those with other names than these.
schema() {
	sqlite3 "$1" "SELECT type, name, sql FROM sqlite_schema
		WHERE name NOT IN (${2:-''}) ORDER BY name"
}

warnings() {
	grep -v '^good' "$OUT"
}

@test "check names the parts of an earlier release, and init --upgrade" {
	make_earlier_log
	rowcast check
	[ "$RC" -eq 0 ]
	[ "$(warnings)" = "warning  schema: of an earlier release:\
 events_in_order, events_retained, events_retained_count, events_kept,\
 events_aged, events_prune, events_age, events_searched, events_search,\
 events_retain: run 'rowcast init --upgrade FILE'" ]
}

@test "a log of an earlier release can be read and written without upgrade" {
	make_earlier_log
	rows "INSERT INTO retention VALUES('*', 2, 3600, NULL)"
	publish one
	publish two
	publish three
	rowcast tail --no-follow --since earliest --json
	[ "$(wc -l <"$OUT")" -eq 2 ]
	rowcast prune --rules
	said '0 removed'
}

@test "init --upgrade gives a log the schema of a new one" {
	make_earlier_log
	rowcast init --upgrade "$DB"
	said "$DB: upgraded, 10 changes"
	rowcast check
	[ "$RC" -eq 0 ]
	run ! warnings
	"$PROGRAM" init "$T/new.db" >"$T/made"
	schema "$DB" >"$T/upgraded"
	schema "$T/new.db" | diff - "$T/upgraded"
	[ "$(rows 'PRAGMA user_version')" -eq 1 ]
	# a second time, nothing is to be done
	rowcast init --upgrade "$DB"
	said "$DB: is up to date"
	rowcast init --upgrade --json
	[ "$(json "$OUT" '$.upgraded')" -eq 0 ]
	[ "$(json "$OUT" '$.identity')" = "$(rows 'SELECT identity FROM events_log')" ]
}

@test "init --upgrade keeps events, rules, counters, and what is the application's" {
	make_earlier_log
	rows "INSERT INTO retention VALUES('*', 3, 3600, NULL), ('a*', NULL, NULL, 9);
		CREATE TABLE app(x);
		CREATE TRIGGER mine AFTER INSERT ON events
			BEGIN INSERT INTO app VALUES(NEW.id); END;
		CREATE INDEX mine_too ON events(created_ms);
		CREATE VIEW newest AS SELECT max(id) FROM events;
		ALTER TABLE events ADD COLUMN note TEXT DEFAULT 'none';
		INSERT INTO events(topic, data, note) VALUES('a', '1', 'x'), ('b', '2', 'y'),
			('a', '3', 'z'), ('b', '4', 'z')"
	local before after state="SELECT topic_pattern, max_rows, max_age_ms, max_bytes,
		kept_rows, kept_bytes, oldest FROM events_retained;
		SELECT * FROM events; SELECT * FROM events_log;
		SELECT * FROM events_removed; SELECT * FROM sqlite_sequence"
	before=$(rows "$state")
	rowcast init --upgrade
	[ "$RC" -eq 0 ]
	after=$(rows "$state")
	diff <(echo "$before") <(echo "$after")
	rowcast check
	run ! warnings
	publish five b
	[ "$(rows 'SELECT group_concat(id) FROM events')" = 3,4,5 ]
	[ "$(rows 'SELECT max(x) FROM app')" -eq 5 ]
	[ "$(rows 'SELECT kept_rows FROM events_retained')" = $'3\n1' ]
}

@test "init --upgrade: rules by age find old rows behind younger ones" {
	make_earlier_log
	rows "INSERT INTO retention VALUES('*', NULL, 3600, NULL);
		WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n
			WHERE i < 99)
		INSERT INTO events(data, created_ms) SELECT 'x',
			(strftime('%s') + iif(i < 50, 86400, -7200)) * 1000 FROM n"
	publish x
	[ "$(count)" -eq 101 ]
	rowcast init --upgrade
	rowcast prune
	said '50 removed'
}

@test "init --upgrade while programs have the log open: they go on" {
	make_earlier_log
	publish one
	follow a --since earliest
	eventually printed a one
	"$PROGRAM" import --db "$DB" < <(
		echo '{"data":"two"}'
		eventually printed a two
		"$PROGRAM" init --upgrade "$DB" >"$T/upgraded"
		echo '{"data":"three"}'
	) >"$T/imported" 3>&-
	grep -q '10 changes' "$T/upgraded"
	eventually printed a three
	run ! printed a reset
}

@test "init --upgrade refuses a trigger that was changed by hand, and says so" {
	make_earlier_log
	rows "DROP TRIGGER events_in_order; CREATE TRIGGER events_in_order
		AFTER INSERT ON events BEGIN SELECT 1; END"
	schema "$DB" >"$T/before"
	rowcast init --upgrade
	refused 1 "its trigger events_in_order is not that of any release: if nothing needs the change, 'DROP trigger events_in_order', and run this again"
	schema "$DB" | diff - "$T/before"
	rowcast check
	grep -q '^WRONG    schema: trigger events_in_order differs' "$OUT"
	# as it says
	rows 'DROP TRIGGER events_in_order'
	rowcast init --upgrade
	[ "$RC" -eq 0 ]
	rowcast check
	run ! warnings
}

@test "init --upgrade refuses a table that was changed, another format, no log" {
	make_earlier_log
	rows 'ALTER TABLE retention RENAME COLUMN max_bytes TO bytes'
	rowcast init --upgrade
	refused 1 'its table retention is not that of any release'
	rows 'PRAGMA user_version = 2'
	rowcast init --upgrade
	refused 1 'is a log of format 2'
	sqlite3 "$T/other.db" 'CREATE TABLE orders(id)'
	rowcast init --upgrade "$T/other.db"
	refused 1 'is a database without an event log'
	rowcast init --upgrade "$T/missing.db"
	refused 1 "'rowcast init' creates one"
	[ ! -e "$T/missing.db" ]
}

@test "init --upgrade adds parts that were lost" {
	make_log
	rows "INSERT INTO retention VALUES('*', 2, NULL, NULL)"
	publish one
	publish two
	rows 'DROP TRIGGER events_retain; DROP TRIGGER events_remember_removed;
		DROP INDEX events_topic; DROP VIEW events_kept'
	rows "INSERT INTO events(data) VALUES('three');
		DELETE FROM events WHERE id = 1; INSERT INTO events(data) VALUES('four')"
	rowcast init --upgrade
	[ "$RC" -eq 0 ]
	rowcast check
	run ! warnings
	publish five
	[ "$(rows 'SELECT group_concat(id) FROM events')" = 4,5 ]
	# which rows were removed meanwhile is unknown: any client is sent a gap
	rowcast tail --no-follow --since 0
	grep -q '^-- gap' "$OUT"
	rows 'DROP TABLE events_removed; DROP TABLE events_log'
	rowcast stats
	refused 1 "'rowcast init --upgrade FILE' adds it"
	rowcast init --upgrade
	[ "$RC" -eq 0 ]
	rowcast check
	run ! warnings
}

# ---- copies -----------------------------------------------------------------

# A copy needs one command, and then has all events.
copy_is_mended() {
	chmod 660 "$T/copy.db"
	rowcast stats --db "$T/copy.db"
	refused 1 "is a copy of a log without its PRAGMA user_version, as .dump makes it: run 'rowcast init --upgrade FILE'"
	rowcast init --upgrade "$T/copy.db"
	[ "$RC" -eq 0 ]
	rowcast check --db "$T/copy.db"
	[ "$RC" -eq 0 ]
	run ! grep -v -e '^good' -e journal "$OUT"
	rowcast publish --db "$T/copy.db" next
	said 5
	[ "$(sqlite3 "$T/copy.db" 'SELECT group_concat(id) FROM events')" = 3,4,5 ]
}

log_to_copy() {
	make_log
	rows "INSERT INTO retention VALUES('*', 3, 3600, NULL)"
	local i
	for i in 1 2 3 4; do publish "$i"; done
	rows 'DELETE FROM events WHERE id = 2'
}

@test "a copy by .dump is mended by one command" {
	log_to_copy
	rows .dump | sqlite3 -bail "$T/copy.db"
	copy_is_mended
}

@test "a copy by .clone is mended by one command" {
	log_to_copy
	rows ".clone $T/copy.db" >"$T/cloned" 2>&1 || :
	copy_is_mended
}

@test "a copy by Python's iterdump is mended by one command" {
	needs python3
	log_to_copy
	python3 - "$DB" "$T/copy.db" <<-'END'
	import sqlite3, sys
	old, new = map(sqlite3.connect, sys.argv[1:])
	new.executescript("\n".join(old.iterdump()))
	END
	copy_is_mended
}

@test "of a copy of some tables, the message says how to drop them" {
	make_log
	# as a framework writes the tables that it has read
	sqlite3 "$T/copy.db" 'CREATE TABLE "events" ("id" INTEGER PRIMARY KEY NOT NULL,
			"topic" TEXT, "event" TEXT, "data" TEXT, "retry_ms" INTEGER,
			"key" TEXT, "created_ms" INTEGER);
		CREATE TABLE "events_log" ("identity" TEXT);
		CREATE TABLE "retention" ("topic_pattern" TEXT);
		CREATE TABLE orders(x)'
	rowcast stats --db "$T/copy.db"
	refused 1 "'sqlite3 -bail FILE <drop.sql'"
	sqlite3 -bail "$T/copy.db" <"$ROOT/sql/drop.sql"
	sqlite3 -bail "$T/copy.db" <"$ROOT/sql/schema.sql" >"$T/made"
	rowcast publish --db "$T/copy.db" one
	said 1
	[ "$(sqlite3 "$T/copy.db" 'SELECT count(*) FROM orders')" -eq 0 ]
}

@test "init --upgrade of a large log: no limit on steps ends it" {
	rowcast init
	rows "DROP TRIGGER events_retain; DROP INDEX events_topic;
		WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n
		WHERE i < 99) INSERT INTO retention(topic_pattern, max_rows)
		SELECT i || '*', 1000000 FROM n;
		WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
		WHERE i < 150000) INSERT INTO events(topic, data)
		SELECT i % 100, 'x' FROM n"
	rowcast init --upgrade
	said "$DB: upgraded, 2 changes"
	[ "$(rows "SELECT kept_rows FROM events_retained
		WHERE topic_pattern = '10*'")" -eq 1500 ]
}
