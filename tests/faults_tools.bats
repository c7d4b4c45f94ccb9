#!/usr/bin/env bats
# What other programs do to a log that is served: migrations that rebuild a
# table, with the statements that frameworks run (SQLite drops the triggers of a
# table with it), triggers without end, ids that jump, second names.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load faults
SECTION='Other tools on the log'

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

# Make it anew in its place, as the message says.
heal_in_place() {
	(as_site build/rowcast --db "$DB" export --salvage) >"$T/events.ndjson"
	sql <"$ROOT/sql/drop.sql"
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

UNFIT='each program reports it at once; nothing is read or stored; with a sound log everything continues'
RESULT='1 line each of responder, publisher and tail; publish 500, no row sent; then a stream-reset, publish 201'

@test "ActiveRecord rebuilds events: reported at once, and nothing is sent" {
	fault 'a migration rebuilds events (ActiveRecord)' "$UNFIT"
	rebuilt 'lacks a table or a trigger of its schema, as after a migration' \
		active_record
	heal
	saw "$RESULT"
}

@test "Sequel rebuilds events: reported at once, and nothing is sent" {
	fault 'a migration rebuilds events (Sequel)' "$UNFIT"
	rebuilt 'lacks a table or a trigger of its schema, as after a migration' \
		sequel
	heal
	saw "$RESULT"
}

@test "a table without AUTOINCREMENT takes its place: reported, nothing is sent" {
	fault 'a migration rebuilds events without AUTOINCREMENT (sqlite-utils, Django)' \
		"$UNFIT"
	# unless legacy_alter_table is on, SQLite does not rename a table to events
	run transform
	[ "$status" -ne 0 ]
	[[ $output == *'error in trigger'* ]]
	rebuilt "its table 'events' lacks AUTOINCREMENT, as after a migration" \
		transform on
	heal_in_place
	saw "$RESULT"
}

@test "other changes of the schema harm nothing" {
	fault 'an application adds a table, a column, an index and triggers, and rebuilds its own table' \
		'no stream and no publisher is affected'
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
	saw '3 events before, between and after, each received once; nothing reported'
}

@test "rows that a rebuild with all triggers removes are not sent from memory" {
	fault 'events is rebuilt with all its triggers, but without some rows' \
		'removed rows are no longer sent, although no removal was counted'
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
	saw '1 of 3 rows removed: a client that reads from the first on received the other 2'
}

# ---- triggers and ids -------------------------------------------------------

@test "an endless trigger: 500, then the publisher continues" {
	fault "an application's trigger on events runs without end" \
		'it is aborted; publishers receive 500 and rowcast check names it; without it, everything continues'
	sql "CREATE VIEW endless AS WITH RECURSIVE n(i) AS
			(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;
		CREATE TRIGGER hold AFTER INSERT ON events
		BEGIN SELECT count(*) FROM endless; END"
	serve
	open_stream a
	post_with_token -d data=one # a second of a core
	[ "$STATUS" = 500 ]
	cat "$LOGS"/* | grep -q 'without end'
	run as_site build/rowcast check --db "$DB"
	[ "$status" -eq 1 ]
	[[ $output == *'insert: trigger hold refuses an event, or does not end'* ]]
	sql 'DROP TRIGGER hold'
	publish_ok two
	brings a $'1 message two'
	[ "$(sql 'SELECT group_concat(data) FROM events')" = two ]
	saw 'aborted after 100 million steps; publish 500, the trigger named; then 201, and the stream has the event'
}

@test "the ids are used up: reported, and renumber.sql gives new ones" {
	fault 'the ids are used up, as by one INSERT with the largest id in an earlier release' \
		'publishers receive 500 with the way out; renumber.sql gives new ids, and clients receive stream-reset'
	local id=9007199254740991
	serve
	open_stream a
	publish_ok one
	sql "UPDATE sqlite_sequence SET seq = $id - 1 WHERE name = 'events'"
	publish_ok last
	eventually got a 'data: last'
	eventually grep -q "only [01] ids are left: 'sqlite3 -bail FILE <renumber.sql'" \
		"$LOGS/lighttpd"
	post_with_token -d data=refused
	[ "$STATUS" -eq 500 ]
	grep -q 'all ids are used up' "$LOGS/lighttpd"
	sql <"$ROOT/sql/renumber.sql"
	eventually got a "{\"after\":$id,\"head\":2}"
	publish_ok next
	eventually got a 'data: next'
	[ "$(sql 'SELECT id, data FROM events')" = $'1|one\n2|last\n3|next' ]
	saw "after id $id: publish 500; then 3 events with ids 1 to 3, a stream-reset and the next event"
}

# ---- names ------------------------------------------------------------------

# A folder on the same device, so that links can be made.
make_other() {
	OTHER=$SITE/other
	mkdir "$OTHER"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$OTHER"
}

@test "a log that is served gets a second name" {
	fault 'a hard link to the log is made while it is served' \
		'programs that are started then refuse it, and rowcast check reports it; without the link they use it'
	make_other
	serve
	open_stream a
	publish_ok one
	ln "$DB" "$OTHER/app.db"
	publish_ok two
	all_refuse 'has 2 names (hard links)'
	DB=$OTHER/app.db all_refuse 'has 2 names (hard links)'
	run as_site build/rowcast check --db "$DB"
	[ "$status" -eq 1 ]
	[[ $output == *'has 2 names (hard links)'* ]]
	rm "$OTHER/app.db"
	run as_site build/rowcast publish --db "$DB" three
	[ "$output" = 3 ]
	brings a $'1 message one\n2 message two\n3 message three'
	saw 'refused by 4 programs, by both names; streams and publishers that had it open went on: 3 events, each received once'
}

# Run a command in a mount namespace, in which the first file or folder is
# mounted at the second.
#   usage: mounted WHAT WHERE COMMAND…
mounted() {
	# shellcheck disable=SC2016 # the inner shell's
	"${OWN[@]}" sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$@"
}

@test "a log that is mounted as a single file" {
	fault 'the log is mounted as a single file, as for a container' \
		'programs refuse it there; with its folder mounted, they use it'
	OWN=(unshare -m)
	[ "$(id -u)" -eq 0 ] || OWN=(unshare -rm)
	needs unshare
	make_other
	: >"$OTHER/events.db"
	mounted "$DB" "$OTHER/events.db" true 2>/dev/null ||
		skip 'no right to mount a file'
	local program
	for program in 'rowcast check --db' 'rowcast publish x --db' \
		'rowcast.fcgi --socket build/run/rowcast.sock --db'; do
		# shellcheck disable=SC2086 # words
		run mounted "$DB" "$OTHER/events.db" timeout "$WAIT" \
			"$BUILD/"$program "$OTHER/events.db"
		echo "$status: $output"
		[ "$status" -eq 1 ]
		[[ $output == *'is mounted as a single file'*'mount its folder'* ]]
	done
	run mounted "$DB" "$OTHER/events.db" env GATEWAY_INTERFACE=CGI/1.1 \
		REQUEST_METHOD=POST CONTENT_TYPE=text/plain CONTENT_LENGTH=2 \
		ROWCAST_PUBLISH_OPEN=1 ROWCAST_DB="$OTHER/events.db" \
		"$BUILD/rowcast-publish.cgi" <<<hi
	[[ $output == *'is mounted as a single file'* ]]
	run mounted "${DB%/*}" "$OTHER" "$BUILD/rowcast" publish x \
		--db "$OTHER/events.db"
	echo "$output"
	[ "$output" = 1 ]
	[ "$(sql 'SELECT data FROM events')" = x ]
	saw 'refused by 4 programs; through the folder, an event was stored that programs outside read'
}
