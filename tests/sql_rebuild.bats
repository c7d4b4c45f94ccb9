#!/usr/bin/env bats
# Tools that rebuild a table, as migrations of frameworks do, with the
# statements that they run.  SQLite drops the triggers of a table with it.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load stream

setup() {
	site_new
	make_log
	cp "$BUILD/rowcast" "$SITE/build/"
}

COLUMNS='id, topic, event, data, retry_ms, key, created_ms'
DEFINITION='("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	"topic" text DEFAULT '"''"' NOT NULL,
	"event" text DEFAULT '"'message'"' NOT NULL, "data" text NOT NULL,
	"retry_ms" integer, "key" text, "created_ms" integer DEFAULT 0 NOT NULL)'

# ActiveRecord, alter_table: copies the rows away and back.
active_record() {
	sql "PRAGMA foreign_keys = OFF; BEGIN;
		CREATE TEMPORARY TABLE aevents $DEFINITION;
		INSERT INTO aevents ($COLUMNS) SELECT $COLUMNS FROM events;
		DROP TABLE events;
		CREATE TABLE events $DEFINITION;
		CREATE UNIQUE INDEX index_events_on_key ON events (key);
		INSERT INTO events ($COLUMNS) SELECT $COLUMNS FROM aevents;
		DROP TABLE aevents; COMMIT"
}

# Sequel, duplicate_table: renames the table, and drops it at the end.
sequel() {
	sql "BEGIN; ALTER TABLE events RENAME TO events_backup0;
		CREATE TABLE events $DEFINITION;
		INSERT INTO events ($COLUMNS) SELECT $COLUMNS FROM events_backup0;
		DROP TABLE events_backup0; COMMIT"
}

# sqlite-utils, transform, and Django, _remake_table, which switches
# legacy_alter_table on: make a new table, and rename it at the end.
#   usage: transform [on]
transform() {
	sql "PRAGMA legacy_alter_table = ${1:-off}; BEGIN;
		CREATE TABLE events_new (id INTEGER PRIMARY KEY,
			topic TEXT NOT NULL DEFAULT '',
			event TEXT NOT NULL DEFAULT 'message', data TEXT NOT NULL,
			retry_ms INTEGER, key TEXT, created_ms INTEGER);
		INSERT INTO events_new ($COLUMNS) SELECT $COLUMNS FROM events;
		DROP TABLE events;
		ALTER TABLE events_new RENAME TO events; COMMIT"
}

# Start the programs, which must then find a rebuilt log unfit, and say so.
#   usage: rebuilt WHY COMMAND…
rebuilt() {
	local why=$1
	shift
	serve
	open_stream live
	publish_ok before
	brings live $'1 message before'
	(as_site build/rowcast tail --db "$DB" >"$T/tail" 2>"$T/tail.err" 3>&- &
		echo $! >"$T/tail.pid"
		wait) 3>&- &
	STARTED+=("$!")
	eventually test -s "$T/tail.pid"
	STARTED+=("$(cat "$T/tail.pid")")
	"$@"
	eventually grep -qF "rowcast.fcgi: log: $DB: $why" "$LOGS/lighttpd"
	eventually grep -qF "$why" "$T/tail.err"
	# what is inserted now is not sent
	sql "INSERT INTO events(data) VALUES('unsound')"
	post_with_token -d data=refused
	[ "$STATUS" -eq 500 ]
	grep -qF "rowcast-publish.cgi: log: $DB: $why" "$LOGS/lighttpd"
	stream new since=0 -m 2
	wait "$STREAM_PID" || :
	[ "$(events new)" = '' ]
	grep -q '^retry: ' "$T/new.body"
	[ "$(events live)" = '1 message before' ]
	[ ! -s "$T/tail" ]
	# one line for each program that follows the log
	[ "$(grep -cF "rowcast.fcgi: log: $DB: $why" "$LOGS/lighttpd")" -eq 1 ]
	[ "$(wc -l <"$T/tail.err")" -eq 1 ]
	run as_site build/rowcast check --db "$DB"
	[ "$status" -eq 1 ]
	[[ $output == *"$why"* ]]
}

publish_ok() {
	post_with_token -d "data=$1"
	[ "$STATUS" -eq 201 ]
}

# Make a new log, as the manual says.
heal() {
	(as_site sh -euc 'cd build/run
		../rowcast --db events.db export --salvage >events.ndjson
		../rowcast init new.db
		../rowcast --db new.db import events.ndjson
		rm -f events.db-wal events.db-shm
		mv new.db events.db') >"$T/heal"
	healed
}

# As the message says.
heal_in_place() {
	local tables views
	tables=$(sed 's/.*drop the tables \(.*\) and the views .*/\1/' "$T/tail.err")
	views=$(sed 's/.* and the views \(.*\), run .sqlite3.*/\1/' "$T/tail.err")
	(as_site build/rowcast --db "$DB" export --salvage) >"$T/events.ndjson"
	sql "DROP TABLE $(sed 's/,\| and/; DROP TABLE/g' <<<"$tables")" \
		"DROP VIEW $(sed 's/,\| and/; DROP VIEW/g' <<<"$views")"
	sql <"$ROOT/sql/schema.sql" >"$T/made"
	(as_site build/rowcast --db "$DB" import) <"$T/events.ndjson" >"$T/heal"
	healed
}

healed() {
	eventually grep -q 'was replaced or restored' "$LOGS/lighttpd"
	eventually grep -q 'can be read again' "$LOGS/lighttpd"
	eventually got live 'event: stream-reset'
	publish_ok after
	eventually got live 'data: after'
}

@test "ActiveRecord rebuilds events: reported at once, and nothing is sent" {
	rebuilt 'lacks a table or a trigger of its schema, as after a migration' \
		active_record
	heal
}

@test "Sequel rebuilds events: reported at once, and nothing is sent" {
	rebuilt 'lacks a table or a trigger of its schema, as after a migration' \
		sequel
	heal
}

@test "a table without AUTOINCREMENT takes its place: reported, nothing is sent" {
	rebuilt "its table 'events' lacks AUTOINCREMENT, as after a migration" \
		transform on
	heal_in_place
}

@test "sqlite-utils cannot rename another table to events" {
	run transform
	[ "$status" -ne 0 ]
	[[ $output == *'error in trigger'* ]]
	run as_site build/rowcast check --db "$DB"
	[ "$status" -eq 0 ]
}

@test "other changes of the schema harm nothing" {
	serve
	open_stream a
	publish_ok 1
	sql "CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL);
		CREATE TRIGGER orders_tell AFTER INSERT ON orders BEGIN
			INSERT INTO events(topic, data) VALUES('orders', NEW.total);
		END"
	sql "INSERT INTO orders(total) VALUES(9.5)"
	# a migration of another table, as Django does it
	sql "PRAGMA legacy_alter_table = on; BEGIN;
		CREATE TABLE new__orders (id INTEGER PRIMARY KEY, total REAL, at TEXT);
		INSERT INTO new__orders (id, total) SELECT id, total FROM orders;
		DROP TABLE orders; ALTER TABLE new__orders RENAME TO orders; COMMIT"
	sql 'ALTER TABLE events ADD COLUMN source TEXT; VACUUM;
		CREATE INDEX app ON events (created_ms); ANALYZE'
	publish_ok 3
	brings a $'1 message 1\n2 message 9.5\n3 message 3'
	open_stream b since=0
	brings b $'1 message 1\n2 message 9.5\n3 message 3'
	run ! grep -F "log: $DB" "$LOGS/lighttpd"
}

@test "rows that a rebuild with all triggers removes are not sent from memory" {
	serve
	open_stream a
	publish_ok secret
	publish_ok kept
	eventually got a kept
	# the triggers are made again in the same transaction
	sql .schema >"$T/schema"
	{
		echo 'BEGIN; CREATE TEMP TABLE copy AS SELECT * FROM events
			WHERE id > 1; DROP TABLE events;'
		sed -n '/^CREATE TABLE events (/,/^) STRICT/p' "$T/schema"
		echo 'INSERT INTO events SELECT * FROM copy;'
		sed -n '/^CREATE TRIGGER events_/,/^END;/p' "$T/schema" |
			awk '/^CREATE TRIGGER/ { on = / ON events$/ || / ON events / }
				on' 
		echo 'CREATE INDEX events_topic ON events (topic); COMMIT;'
	} >"$T/rebuild.sql"
	sql <"$T/rebuild.sql"
	publish_ok third
	eventually got a third
	open_stream b since=0
	eventually got b third
	run ! got b secret
}
