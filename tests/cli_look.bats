#!/usr/bin/env bats
# cli_look.bats: rowcast stats and check.

load cli

setup() {
	cli_setup
	make_log
}

# ---- stats ------------------------------------------------------------------

@test "stats counts rows, ids, bytes and topics" {
	publish 12345 a
	publish ü a
	publish x
	publish y b
	rows 'DELETE FROM events WHERE id IN (1, 4)'
	rowcast stats --json
	[ "$RC" -eq 0 ]
	local what
	while read -r what; do
		[ "$(json "$OUT" "\$.${what%% *}")" = "${what#* }" ]
	done <<-END
	rows 2
	first_id 2
	last_id 3
	head 4
	removed 2
	data_bytes 3
	format 1
	page_bytes 4096
	topics 2
	largest_topics[0].rows 1
	largest_topics[1].topic a
	identity $(rows 'SELECT identity FROM events_log')
	END
	[ "$(json "$OUT" '$.file_bytes')" -ge 4096 ]
	rowcast stats
	[ "$RC" -eq 0 ]
	grep -qE '^events +2, ids 2 to 3$' "$OUT"
	grep -qE '^ +1  \(the empty topic\)$' "$OUT"
}

@test "stats counts the events of the last hour by minutes" {
	rows "INSERT INTO events(data, created_ms) SELECT 'x',
		(strftime('%s') - column1) * 1000
		FROM (VALUES(7200), (3000), (3000), (30), (-7200))"
	rowcast stats --json
	[ "$(json "$OUT" '$.minutes')" != '' ]
	[ "$(sqlite3 :memory: "SELECT count(*), sum(value) FROM json_each(
		CAST(readfile('$OUT') AS TEXT), '\$.minutes')")" = '60|3' ]
	[ "$(sqlite3 :memory: "SELECT max(value) FROM json_each(
		CAST(readfile('$OUT') AS TEXT), '\$.minutes')")" = 2 ]
	rowcast stats
	grep -qE '^last hour +3 events, 0.1 a minute, at most 2$' "$OUT"
}

@test "stats lists the ten largest topics" {
	local i
	for i in {1..12}; do
		rows "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1
			FROM n WHERE i < $i) INSERT INTO events(topic, data)
			SELECT 't$i', 'x' FROM n"
	done
	rowcast stats
	[ "$(tail -n 10 "$OUT" | awk '{ print $1 $2 }' | tr '\n' ' ')" = \
		'12t12 11t11 10t10 9t9 8t8 7t7 6t6 5t5 4t4 3t3 ' ]
	grep -qE '^topics +12, the largest:$' "$OUT"
}

@test "stats of an empty log" {
	rowcast stats --json
	[ "$(json "$OUT" '$.rows')" -eq 0 ]
	[ "$(json "$OUT" '$.head')" -eq 0 ]
	[ "$(json "$OUT" '$.largest_topics')" = '[]' ]
	rowcast stats
	[ "$RC" -eq 0 ]
}

# ---- check ------------------------------------------------------------------

# The command must report this problem and no other.
#   usage: found ABOUT TEXT [OPTION]
found() {
	[ "$RC" -eq 1 ]
	[ ! -s "$ERR" ]
	grep '^WRONG' "$OUT" >"$T/wrong"
	run ! grep -v "^WRONG    $1: " "$T/wrong"
	grep -qF -- "$2" "$T/wrong"
	rowcast check --json "${@:3}"
	[ "$RC" -eq 1 ]
	[ "$(json "$OUT" '$.good')" -eq 0 ]
}

@test "check finds no problem in a log that rowcast created" {
	publish x
	rowcast check
	[ "$RC" -eq 0 ]
	run ! grep -v '^good ' "$OUT"
	[ "$(wc -l <"$OUT")" -eq 10 ]
	rowcast check --full --json
	[ "$RC" -eq 0 ]
	[ "$(json "$OUT" '$.good')" -eq 1 ]
	[ "$(json "$OUT" '$.findings[0].finding')" = good ]
	# in an application's database, beside its own tables
	sqlite3 "$T/app.db" 'CREATE TABLE orders(id)'
	sqlite3 "$T/app.db" <"$ROOT/sql/schema.sql" >"$T/made"
	rowcast check --db "$T/app.db"
	[ "$RC" -eq 0 ]
}

@test "check warns of a file that all users may read or write" {
	chmod 644 "$DB"
	rowcast check
	[ "$RC" -eq 0 ]
	grep -q '^warning  mode: 0644: every user may read it: chmod o-r$' "$OUT"
	chmod 666 "$DB"
	rowcast check
	grep -q '^warning  mode: 0666: every user may write' "$OUT"
}

@test "check finds a folder without write permission" {
	[ "$(id -u)" -ne 0 ] || needs setpriv
	chmod 555 "$T/log"
	if [ "$(id -u)" -eq 0 ]; then
		chmod go+x "$BATS_RUN_TMPDIR"
		chown nobody "$T/log"/*
		RC=0
		setpriv --reuid=nobody --clear-groups -- "$PROGRAM" check \
			>"$OUT" 2>"$ERR" || RC=$?
	else
		rowcast check
	fi
	chmod 755 "$T/log"
	[ "$RC" -eq 1 ]
	grep -q '^WRONG    folder: user [0-9]* cannot write to it' "$OUT"
}

@test "check finds missing and different parts of the schema" {
	rows 'DROP TRIGGER events_in_order; DROP INDEX events_removed_id;
		CREATE INDEX events_removed_id ON events_removed (topic)'
	rowcast check
	[ "$(grep -c '^WRONG' "$OUT")" -eq 2 ]
	grep -q '^WRONG    schema: index events_removed_id differs' "$OUT"
	found schema 'trigger events_in_order is missing'
}

@test "check finds a log that the schema was run on a second time" {
	local repair
	sqlite3 "$DB" <"$ROOT/sql/schema.sql" >"$T/made" 2>&1 || :
	rowcast check
	found identity '2 instead of one'
	rowcast check
	repair=$(sed -n 's/^WRONG .*: \(DELETE .*\)/\1/p' "$OUT")
	rows "$repair"
	rowcast check
	[ "$RC" -eq 0 ]
	grep -qx 'good     identity: [0-9a-f]\{32\}' "$OUT"
}

@test "check finds ids that would be used again" {
	publish x
	publish y
	rows "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'events'"
	rowcast check
	found ids "UPDATE sqlite_sequence SET seq = 2"
}

@test "check finds removed ids that would be used again" {
	publish x
	publish y
	rows "DELETE FROM events;
		UPDATE sqlite_sequence SET seq = 0 WHERE name = 'events'"
	rowcast check
	found ids "UPDATE sqlite_sequence SET seq = 2"
}

@test "a complete check finds an index that lacks a row" {
	publish x a
	publish y b
	# the root page of the index becomes an empty leaf
	local page
	page=$(rows "SELECT rootpage FROM sqlite_schema WHERE name = 'events_topic'")
	rows 'PRAGMA wal_checkpoint(TRUNCATE)' >"$T/made"
	printf '\x0a\0\0\0\0\x10\0\0' | dd of="$DB" bs=1 conv=notrunc status=none \
		seek=$(((page - 1) * 4096))
	rowcast check --full
	found integrity events_topic --full
}

@test "check finds a broken page" {
	publish x
	rows 'PRAGMA wal_checkpoint(TRUNCATE)' >"$T/made"
	local page
	page=$(rows "SELECT rootpage FROM sqlite_schema WHERE name = 'events'")
	printf '\xff\xff\xff\xff' | dd of="$DB" bs=1 conv=notrunc status=none \
		seek=$(((page - 1) * 4096))
	rowcast check
	[ "$RC" -eq 1 ]
	grep -q '^WRONG    integrity' "$OUT"
}

@test "check warns of a log that was not in WAL mode" {
	rows 'PRAGMA journal_mode = DELETE' >"$T/made"
	rowcast check
	[ "$RC" -eq 0 ]
	grep -q '^warning  journal: was not in WAL mode' "$OUT"
	rowcast check
	grep -q '^good     journal' "$OUT"
}

@test "check reports a file that is not a log" {
	sqlite3 "$T/other.db" 'CREATE TABLE orders(id)'
	rowcast check --db "$T/other.db"
	[ "$RC" -eq 1 ]
	grep -q '^WRONG    format: is a database without an event log' "$OUT"
	echo 'Dear Sir or Madam, this is a letter.' >"$T/letter"
	rowcast check --db "$T/letter"
	[ "$RC" -eq 1 ]
	grep -q '^WRONG    file: is not an SQLite database' "$OUT"
	run ! grep journal "$OUT"
}

@test "check claims to have changed a log to WAL mode, and no other file" {
	sqlite3 "$T/other.db" 'CREATE TABLE orders(id)'
	rowcast check --db "$T/other.db"
	run ! grep -q 'WAL' "$OUT"
	[ "$(sqlite3 "$T/other.db" 'PRAGMA journal_mode')" = delete ]
}

@test "check: what an application adds to the log does no harm" {
	rows "CREATE TABLE app(x);
		ALTER TABLE events ADD COLUMN note TEXT DEFAULT 'none';
		ALTER TABLE events ADD COLUMN user_id INTEGER REFERENCES app(x);
		CREATE INDEX mine ON events(created_ms);
		CREATE TRIGGER published AFTER INSERT ON events
			BEGIN INSERT INTO app VALUES(NEW.id); END"
	publish x
	rowcast check
	[ "$RC" -eq 0 ]
	run ! grep -v '^good ' "$OUT"
	grep -q 'insert: of an event was tried and undone; triggers of applications: 1' "$OUT"
	[ "$(count)" -eq 1 ]
	[ "$(rows 'SELECT count(*) FROM app')" -eq 1 ]
}

@test "check tells what an application has added that does harm" {
	rows "ALTER TABLE events ADD COLUMN note TEXT CHECK (note NOT NULL)"
	rowcast check
	found insert 'is refused: '
	rows 'ALTER TABLE events DROP COLUMN note;
		ALTER TABLE events RENAME COLUMN retry_ms TO wait_ms'
	rowcast check
	[ "$RC" -eq 1 ]
	grep -q '^WRONG    schema: table events differs' "$OUT"
}

@test "check names a trigger that refuses events, or runs without end" {
	publish x
	rows "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n) SELECT i FROM n;
		CREATE TRIGGER hold AFTER INSERT ON events
			BEGIN SELECT count(*) FROM endless; END;
		CREATE TRIGGER fine AFTER INSERT ON events BEGIN SELECT 1; END"
	rowcast check
	found insert 'trigger hold refuses an event, or does not end'
	rows "DROP TRIGGER hold;
		CREATE TRIGGER \"say \"\"no\"\"\" BEFORE INSERT ON events
			BEGIN SELECT RAISE(ROLLBACK, 'not today'); END;
		CREATE TRIGGER quiet BEFORE INSERT ON events
			BEGIN SELECT RAISE(IGNORE); END"
	rowcast check
	found insert 'trigger say "no" refuses an event, or does not end: not today'
	rowcast check
	grep -q 'trigger quiet .*: it leaves the event out' "$OUT"
	run ! grep fine "$OUT"
	[ "$(count)" -eq 1 ]
}

@test "check names no trigger if the log itself refuses events" {
	rows "CREATE TRIGGER fine AFTER INSERT ON events BEGIN SELECT 1; END;
		INSERT INTO events(data) VALUES('one');
		UPDATE sqlite_sequence SET seq = 9007199254740991"
	rowcast check
	grep -q '^WRONG    insert: is refused: ' "$OUT"
	run ! grep 'trigger fine' "$OUT"
}

@test "check: a trigger that refuses some events only is no fault" {
	publish x known
	rows "CREATE TRIGGER topics BEFORE INSERT ON events
		WHEN NEW.topic <> 'known' BEGIN SELECT RAISE(ABORT, 'unknown'); END"
	rowcast check
	[ "$RC" -eq 0 ]
	rows "DROP TRIGGER topics; CREATE TRIGGER once BEFORE INSERT ON events
		WHEN EXISTS (SELECT 1 FROM events WHERE data = NEW.data)
		BEGIN SELECT RAISE(IGNORE); END"
	rowcast check
	[ "$RC" -eq 0 ]
}

@test "check says if the insert could not be tried" {
	coproc sqlite3 "$DB"
	local in=${COPROC[1]} out=${COPROC[0]} line
	echo 'BEGIN IMMEDIATE; SELECT 1;' >&"$in"
	read -r line <&"$out"
	[ "$line" = 1 ]
	rowcast check --busy-ms 10
	echo '.quit' >&"$in"
	[ "$RC" -eq 0 ]
	grep -q '^warning  insert: was not tried, because another program is writing' "$OUT"
}

@test "check warns of topics that a driver made of numbers" {
	publish x 42
	publish x 1.2.0
	publish x v1.0
	rowcast check
	run ! grep topics "$OUT"
	publish x 42.0
	rowcast check
	[ "$RC" -eq 0 ]
	grep -q '^warning  topics: there is a topic 42.0, as of a number' "$OUT"
}

@test "check warns before the ids are used up, and fails when they are" {
	rows "INSERT INTO events(data) VALUES('x');
		UPDATE sqlite_sequence SET seq = 9007199254740990 - (1 << 40)"
	rowcast check
	grep -q '^good     ids' "$OUT"
	publish one
	publish two
	rowcast check
	[ "$RC" -eq 0 ]
	grep -q '^warning  ids: .* only 1099511627775 are left: .*renumber.sql' "$OUT"
	rowcast stats
	grep -qF 'ids left     1099511627775' "$OUT"
	rows "UPDATE sqlite_sequence SET seq = 9007199254740991"
	rowcast check
	[ "$RC" -eq 1 ]
	grep -q '^WRONG    ids: all ids are used up: .*renumber.sql' "$OUT"
	rows "UPDATE sqlite_sequence SET seq = 9223372036854775807"
	rowcast stats
	grep -q '^ids left     0: ' "$OUT"
}

# ---- check --expect ---------------------------------------------------------

@test "check --expect tells which changes of a table are published" {
	rows <"$ROOT/sql/publish-changes.sql"
	rows "CREATE TABLE plain(x); CREATE TABLE \"odd \"\" name\"(a);
		CREATE TRIGGER logged AFTER INSERT ON plain
			BEGIN UPDATE retention SET max_rows = 1; END;
		CREATE TRIGGER one AFTER UPDATE OF a ON \"odd \"\" name\"
			BEGIN INSERT INTO events(data) VALUES('x'); END"
	rowcast check --expect orders --expect 'odd " name'
	[ "$RC" -eq 0 ]
	grep -qx 'good     expect: orders: published are: insert, update, delete' "$OUT"
	grep -qx 'good     expect: odd " name: published are: update' "$OUT"
	rowcast check --expect plain
	found expect 'plain: no trigger publishes its changes' --expect plain
	rowcast check --expect missing
	found expect 'missing: there is no such table' --expect missing
	[ "$(count)" -eq 0 ]
}

@test "check --expect notices a migration that made the table anew" {
	rows <"$ROOT/sql/publish-changes.sql"
	rows "BEGIN; CREATE TABLE new_orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL,
			total REAL NOT NULL, note TEXT);
		INSERT INTO new_orders SELECT *, NULL FROM orders;
		DROP TABLE orders; ALTER TABLE new_orders RENAME TO orders; COMMIT"
	rowcast check --expect orders
	found expect 'orders: no trigger publishes' --expect orders
	# the recipe ends the migration, however often
	rows <"$ROOT/sql/publish-changes.sql"
	rows <"$ROOT/sql/publish-changes.sql"
	rowcast check --expect orders
	[ "$RC" -eq 0 ]
	rows "INSERT INTO orders(customer, total) VALUES('Ann', 1)"
	[ "$(rows 'SELECT event FROM events')" = insert ]
}

@test "check warns of small pages" {
	rm -f "$DB"*
	sqlite3 "$DB" 'PRAGMA page_size = 512; CREATE TABLE other(x)'
	rows <"$ROOT/sql/schema.sql" >"$T/made"
	rowcast check
	grep -q '^warning  page: 512 bytes' "$OUT"
}
