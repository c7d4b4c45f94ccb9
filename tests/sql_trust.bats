#!/usr/bin/env bats
# Files with a hostile schema: views in the place of tables, endless triggers
# and columns.  The programs refuse them, or stop the statement after a while.
# Hostile rows are in sql_hostile.bats.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load stream

setup() {
	site_new
	make_log
}

# A query without end.
ENDLESS='WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)'

@test "a view without end in the place of events_log is refused" {
	sql "DROP TABLE events_log; CREATE VIEW events_log AS $ENDLESS
		SELECT 'x' AS identity, 0 AS removals, 0 AS forgotten FROM n
		WHERE i < 0"
	all_refuse "its 'events_log' is not a table"
}

@test "a view in the place of any other table is refused" {
	local table
	for table in events_removed events_retained retention; do
		rm -f "$DB"*
		make_log
		sql "DROP TABLE $table; CREATE VIEW $table AS $ENDLESS
			SELECT 'x' AS topic, i AS id, 'x' AS topic_pattern FROM n"
		all_refuse "its '$table' is not a table"
	done
}

@test "a table of events with a generated column is refused" {
	sed "s/^\tdata .*TEXT.*/\tdata TEXT AS (printf('%.*c', 1000000000, 'x')),/" \
		"$ROOT/sql/schema.sql" >"$T/schema.sql"
	run ! cmp -s "$T/schema.sql" "$ROOT/sql/schema.sql"
	rm -f "$DB"*
	(as_site sqlite3 -bail "$DB") <"$T/schema.sql" >"$T/ignored"
	all_refuse "its 'events' is not a table, or has a generated column"
}

@test "a view that replaces a table later does not delay other streams" {
	serve
	open_stream a
	sql "BEGIN; ALTER TABLE events_log RENAME TO mine; CREATE VIEW events_log AS
		$ENDLESS SELECT 'x' AS identity, 0 AS removals, 0 AS forgotten
		FROM n WHERE i < 0; COMMIT"
	eventually grep -q "$DB: .*; trying again" "$LOGS/lighttpd"
	reports streams=1
	sql 'BEGIN; DROP VIEW events_log; ALTER TABLE mine RENAME TO events_log; COMMIT'
	sql "INSERT INTO events(data) VALUES('more')"
	eventually got a 'data: more'
}

@test "triggers of applications work: JSON, full text, other tables" {
	sql 'CREATE VIRTUAL TABLE temp.probe USING fts5(x)' ||
		skip 'sqlite3 has no FTS5'
	sql "CREATE VIRTUAL TABLE found USING fts5(words);
		CREATE TABLE kinds(kind, n, day);
		CREATE VIEW newest AS SELECT max(id) AS id FROM events;
		CREATE TRIGGER mine AFTER INSERT ON events BEGIN
			INSERT INTO found(rowid, words) VALUES(NEW.id, NEW.data);
			INSERT INTO kinds SELECT json_extract(value, '\$.kind'),
				(SELECT id FROM newest), date('now')
				FROM json_each(NEW.data);
		END"
	serve
	open_stream a
	post_with_token --data-urlencode 'data=[{"kind":"apple"},{"kind":"pear"}]'
	[ "$STATUS" = 201 ]
	eventually got a apple
	[ "$(sql 'SELECT group_concat(kind), max(n) FROM kinds')" = 'apple,pear|1' ]
	[ "$(sql "SELECT rowid FROM found('pear')")" -eq 1 ]
}
