#!/usr/bin/env bats
# The recipes in sql/, run unchanged: changes of a table, an outbox, scheduled
# events.

load stream

setup() {
	site_new
	make_log
	APP=$SITE/build/run/app.db
}

# Run a recipe on a database, in the folder of both.
#   usage: recipe NAME [DATABASE]
recipe() {
	(cd "$SITE/build/run" && as_user sqlite3 "${2:-$DB}") \
		<"$ROOT/sql/$1.sql"
}

# Like as_site, in another folder.
as_user() {
	if [ -n "$USER_IS" ]; then
		setpriv --reuid="$USER_IS" --regid="$USER_IS" --clear-groups -- "$@"
	else
		"$@"
	fi
}

# Run a command and kill it at a random moment.
killed() {
	"$@" 3>&- &
	local pid=$!
	sleep "0.0$((RANDOM % 2))$((RANDOM % 10))" # any moment will do
	# shellcheck disable=SC2046 # numbers
	kill -KILL "$pid" $(descendants "$pid") 2>/dev/null || :
	wait "$pid" || :
}

app() {
	(as_site sqlite3 -bail -cmd '.timeout 5000' "$APP" "$@")
}

# Print topic, event and data of each row of the log.
log() {
	sql 'SELECT topic, event, data FROM events ORDER BY id'
}

data() {
	sql "SELECT group_concat(data, ' ') FROM
		(SELECT data FROM events ORDER BY id)"
}

# ---- publish-changes.sql ----------------------------------------------------

@test "publish-changes: insert, update and delete of a row are events" {
	recipe publish-changes
	sql "INSERT INTO orders VALUES(7, 'Ann', 12.5)"
	sql "UPDATE orders SET total = 13 WHERE id = 7"
	sql "DELETE FROM orders WHERE id = 7"
	[ "$(log)" = "\
orders/7|insert|{\"id\":7,\"customer\":\"Ann\",\"total\":12.5}
orders/7|update|{\"id\":7,\"customer\":\"Ann\",\"total\":13.0}
orders/7|delete|{\"id\":7}" ]
}

@test "publish-changes: a rollback publishes nothing" {
	recipe publish-changes
	sql "BEGIN; INSERT INTO orders VALUES(1, 'a', 1), (2, 'b', 2);
		DELETE FROM orders WHERE id = 1; ROLLBACK"
	run sql "INSERT INTO orders VALUES(3, 'c', 3), (4, NULL, 4)"
	[ "$status" -ne 0 ]
	[ "$(log)" = '' ]
	sql "BEGIN; INSERT INTO orders VALUES(5, 'e', 5); SAVEPOINT s;
		INSERT INTO orders VALUES(6, 'f', 6); ROLLBACK TO s; COMMIT"
	[ "$(log)" = 'orders/5|insert|{"id":5,"customer":"e","total":5.0}' ]
}

@test "publish-changes: an update without a change is not an event" {
	recipe publish-changes
	sql "INSERT INTO orders VALUES(1, 'a', 1), (2, 'b', 2)"
	sql "UPDATE orders SET total = 1"
	[ "$(sql 'SELECT topic FROM events WHERE id > 2')" = orders/2 ]
}

@test "publish-changes: a new id is a delete and an insert" {
	recipe publish-changes
	sql "INSERT INTO orders VALUES(1, 'a', 1)"
	sql "UPDATE orders SET id = 9"
	[ "$(sql 'SELECT topic, event FROM events WHERE id > 1')" = \
		$'orders/1|delete\norders/9|insert' ]
}

@test "publish-changes: a client gets the events of one order, or of all" {
	recipe publish-changes
	serve
	open_stream one 'topic=orders/2'
	open_stream all 'topic=orders/*'
	sql "INSERT INTO orders VALUES(1, 'a', 1), (2, 'b\"', 2)"
	sql "DELETE FROM orders"
	brings one $'2 insert {"id":2,"customer":"b\\"","total":2.0}\n4 delete {"id":2}'
	brings all $'1 insert {"id":1,"customer":"a","total":1.0}\n2 insert {"id":2,"customer":"b\\"","total":2.0}\n3 delete {"id":1}\n4 delete {"id":2}'
}

@test "publish-changes: it ends each migration, and lists what publishes" {
	local query
	recipe publish-changes
	recipe publish-changes
	sql "CREATE TABLE new_orders(id INTEGER PRIMARY KEY, customer TEXT NOT NULL,
			total REAL NOT NULL, note TEXT);
		INSERT INTO new_orders SELECT *, NULL FROM orders;
		DROP TABLE orders; ALTER TABLE new_orders RENAME TO orders"
	query=$(sed -n '/^--  *SELECT tbl_name/,/;$/s/^--//p' \
		"$ROOT/sql/publish-changes.sql")
	[[ $query == *SELECT*\; ]]
	[ "$(sql "$query")" = '' ]
	recipe publish-changes
	[ "$(sql "$query" | sort | tr '\n' ' ')" = \
		'orders|orders_publish_delete orders|orders_publish_insert orders|orders_publish_update ' ]
	sql "INSERT INTO orders(id, customer, total) VALUES(1, 'a', 1)"
	[ "$(sql 'SELECT count(*) FROM events')" -eq 1 ]
}

# ---- renumber.sql -----------------------------------------------------------

@test "renumber: events keep their order, clients get a reset" {
	local before
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 5)"
	sql "INSERT INTO events(topic, event, data, retry_ms, key) VALUES
		('a', 'x', '1', 5, 'k'), ('b', 'y', '2', NULL, NULL)"
	sql "UPDATE sqlite_sequence SET seq = 9007199254740989 WHERE name = 'events'" \
		"INSERT INTO events(data) VALUES('3'), ('4')"
	run ! sql "INSERT INTO events(data) VALUES('5')"
	before=$(sql 'SELECT topic, event, data, retry_ms, key, created_ms
		FROM events ORDER BY id')
	serve
	open_stream a since=0
	eventually got a 'data: 4'
	eventually grep -q "only 0 ids are left: 'sqlite3 -bail FILE <renumber.sql'" \
		"$LOGS/lighttpd"
	recipe renumber
	eventually got a '{"after":9007199254740991,"head":4}'
	[ "$(sql 'SELECT topic, event, data, retry_ms, key, created_ms
		FROM events ORDER BY id')" = "$before" ]
	[ "$(sql 'SELECT id FROM events ORDER BY id' | tr '\n' ' ')" = '1 2 3 4 ' ]
	sql "INSERT INTO events(data) VALUES('5')"
	eventually got a 'data: 5'
	# also one that was away
	open_stream b '' -H 'Last-Event-ID: 9007199254740991'
	eventually got b stream-reset
	sql "INSERT INTO events(data) VALUES('6'), ('7')"
	[ "$(sql 'SELECT id FROM events ORDER BY id' | tr '\n' ' ')" = '3 4 5 6 7 ' ]
}

# ---- drop.sql ---------------------------------------------------------------

@test "drop: every part of schema.sql goes, and what is not of it stays" {
	sql 'CREATE TABLE mine(x)' 'CREATE VIEW events_mine AS SELECT 1' \
		"INSERT INTO events(data) VALUES('x')"
	recipe drop
	[ "$(sql "SELECT name FROM sqlite_schema WHERE name <> 'sqlite_sequence'
		ORDER BY 1")" = $'events_mine\nmine' ]
	[ "$(sql 'PRAGMA user_version')" -eq 0 ]
	(as_site sqlite3 -bail "$DB") <"$ROOT/sql/schema.sql" >"$T/made"
	sql "INSERT INTO events(data) VALUES('y')"
	recipe drop # and again of what is no log
	recipe drop
}

# ---- outbox.sql -------------------------------------------------------------

outbox() {
	recipe outbox "$APP"
}

@test "outbox: committed events are moved once and in order" {
	outbox
	app "INSERT INTO outbox(topic, data) VALUES('a', '1'), ('b', '2')"
	app "BEGIN; INSERT INTO outbox(data) VALUES('never'); ROLLBACK"
	app "INSERT INTO outbox(event, data) VALUES('tick', '3')"
	[ "$(log)" = '' ]
	outbox
	[ "$(log)" = $'a|message|1\nb|message|2\n|tick|3' ]
	[ "$(app 'SELECT count(*) FROM outbox')" -eq 0 ]
	outbox
	[ "$(data)" = '1 2 3' ]
	[ "$(sql 'SELECT count(*) FROM events WHERE created_ms IS NULL')" -eq 0 ]
}

@test "outbox: moves a thousand in one run, and prints how many are left" {
	local loop counts="count(*), count(DISTINCT data), max(data + 0)"
	[ "$(outbox)" = 0 ]
	app "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
		WHERE i < 2500) INSERT INTO outbox(data) SELECT i FROM n"
	[ "$(outbox)" = 1500 ]
	[ "$(sql 'SELECT count(*) FROM events')" -eq 1000 ]
	# all, in the loop of the recipe
	loop=$(sed -n '/^--  *while /,/^--  *done/s/^-- *//p' "$ROOT/sql/outbox.sql")
	[[ $loop == while* ]]
	cp "$ROOT/sql/outbox.sql" "$SITE/build/run/outbox.sql"
	(cd "$SITE/build/run" && as_user sh -c "$loop")
	[ "$(sql "SELECT $counts FROM events")" = '2500|2500|2500' ]
	[ "$(app 'SELECT count(*) FROM outbox')" -eq 0 ]
}

@test "outbox: killed between the two commits, nothing is lost or repeated" {
	outbox
	app "INSERT INTO outbox(data) VALUES('1'), ('2')"
	# the recipe, up to its last statement
	sed '/^DELETE FROM main/,$d' "$ROOT/sql/outbox.sql" |
		(cd "$SITE/build/run" && as_user sqlite3 "$APP")
	[ "$(data)" = '1 2' ]
	[ "$(app 'SELECT count(*) FROM outbox')" -eq 2 ]
	app "INSERT INTO outbox(data) VALUES('3')"
	outbox
	[ "$(data)" = '1 2 3' ]
	[ "$(app 'SELECT count(*) FROM outbox')" -eq 0 ]
}

@test "outbox: killed at any moment, nothing is lost or repeated" {
	local i n=200
	outbox
	app "PRAGMA journal_mode = WAL" >/dev/null
	for ((i = 0; i < n; i += 10)); do
		app "INSERT INTO outbox(data) SELECT $i + value
			FROM json_each('[0,1,2,3,4,5,6,7,8,9]')"
		killed outbox
	done
	outbox
	[ "$(sql "SELECT count(*), count(DISTINCT data),
		group_concat(data, ' ') = (SELECT group_concat(value, ' ') FROM (
			WITH RECURSIVE n(value) AS (VALUES(0) UNION ALL
				SELECT value + 1 FROM n WHERE value < $n - 1)
			SELECT value FROM n)) FROM (SELECT data FROM events
		ORDER BY id)")" = "$n|$n|1" ]
}

@test "outbox: several runs at once move each event once" {
	local i pids=()
	outbox
	app "PRAGMA journal_mode = WAL" >/dev/null
	app "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL
		SELECT i + 1 FROM n WHERE i < 500) INSERT INTO outbox(data)
		SELECT i FROM n"
	for i in 1 2 3 4; do
		outbox 3>&- &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do wait "$i" || :; done
	outbox
	[ "$(sql 'SELECT count(*), count(DISTINCT data) FROM events')" = '500|500' ]
}

@test "outbox: while the log cannot be written, events wait" {
	outbox
	app "INSERT INTO outbox(data) VALUES('1')"
	open_shell
	tell 'BEGIN IMMEDIATE'
	sed 's/^\.timeout 5000/.timeout 10/' "$ROOT/sql/outbox.sql" >"$T/hasty.sql"
	run -1 as_user sh -c "cd '$SITE/build/run' && sqlite3 '$APP'" \
		<"$T/hasty.sql"
	[[ $output == *'database is locked'* ]]
	[ "$(app 'SELECT count(*) FROM outbox')" -eq 1 ]
	tell 'ROLLBACK'
	close_shell
	outbox
	[ "$(data)" = 1 ]
}

@test "outbox: it refuses events that the log would refuse" {
	local row
	outbox
	for row in "'a' || char(10), 'x', 'd', 'k'" "'a', '', 'd', 'k'" \
		"'a', 'stream-gap', 'd', 'k'" "printf('%256d', 0), 'x', 'd', 'k'" \
		"'a', 'x', NULL, 'k'" "'a', 'x', x'61', 'k'" "'a', 'x', 'd', ''"; do
		run app "INSERT INTO outbox(topic, event, data, key) VALUES($row)"
		echo "$row → $output"
		[ "$status" -ne 0 ]
	done
}

@test "outbox: rules of retention hold, and nothing is moved twice" {
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 2)"
	outbox
	app "INSERT INTO outbox(data) VALUES('1'), ('2'), ('3'), ('4')"
	outbox
	[ "$(data)" = '3 4' ]
	outbox
	[ "$(data)" = '3 4' ]
	[ "$(app 'SELECT count(*) FROM outbox')" -eq 0 ]
}

# ---- scheduled.sql ----------------------------------------------------------

# usage: schedule MODIFIER DATA     MODIFIER as in '-1 second'
schedule() {
	sql "INSERT INTO scheduled(deliver_at, topic, data)
		VALUES(datetime('now', '$1'), 'later', '$2')"
}

@test "scheduled: events that are due are published in order of time" {
	recipe scheduled
	schedule '+1 hour' future
	schedule '-1 second' second
	schedule '-1 hour' hour
	schedule '-1 second' third
	[ "$(log)" = '' ]
	recipe scheduled
	[ "$(data)" = 'hour second third' ]
	recipe scheduled
	[ "$(data)" = 'hour second third' ]
	[ "$(sql 'SELECT data FROM scheduled')" = future ]
}

@test "scheduled: an event is published at its time" {
	recipe scheduled
	serve
	open_stream a topic=later
	schedule '+1 second' now
	eventually run_until_it_comes
	[ "$(events a)" = '1 message now' ]
}

run_until_it_comes() {
	recipe scheduled
	got a 'data: now'
}

@test "scheduled: a cancelled event is not published" {
	recipe scheduled
	schedule '-1 second' no
	schedule '-1 second' yes
	sql "DELETE FROM scheduled WHERE data = 'no'"
	recipe scheduled
	[ "$(data)" = yes ]
}

@test "scheduled: killed at any moment, each event is published once" {
	local i
	recipe scheduled
	for ((i = 0; i < 20; i++)); do
		schedule '-1 second' "$i"
		killed recipe scheduled
	done
	recipe scheduled
	[ "$(data)" = "$(seq -s ' ' 0 19)" ]
}

@test "scheduled: without due events, nothing is written" {
	recipe scheduled
	schedule '+1 hour' future
	sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	open_shell
	tell 'SELECT 1 FROM events_log'
	recipe scheduled
	[ ! -s "$DB-wal" ]
	close_shell
}

@test "scheduled: times that do not sort are refused" {
	local at
	recipe scheduled
	for at in "'2026-01-31T12:00:00Z'" "'2026-01-31'" "'tomorrow'" NULL \
		"'now'" 1767268801 "'2026-01-31 12:00:00.5'"; do
		run sql "INSERT INTO scheduled(deliver_at, data) VALUES($at, 'x')"
		echo "$at → $output"
		[ "$status" -ne 0 ]
	done
	sql "INSERT INTO scheduled(deliver_at, data)
		VALUES('2026-01-31 12:00:00', 'x')"
}

# ---- schema.sql -------------------------------------------------------------

@test "schema: a database with a table events is not changed" {
	local command
	rm -f "$DB"*
	sql 'CREATE TABLE events(x)' 'INSERT INTO events VALUES(1)'
	command=$(sed -n 's/^-- *\(sqlite3 .*\)$/\1/p' "$ROOT/sql/schema.sql")
	[[ $command == *app.db* ]]
	run ! as_site sh -c "${command/app.db/\"$DB\"} 2>&1"
	[[ $output == *'already exists'* ]]
	[ "$(sql 'SELECT count(*) FROM sqlite_schema')" -eq 1 ]
	sql 'UPDATE events SET x = 2'
}

@test "schema: the log can be in a database of an application, also in UTF-16" {
	rm -f "$DB"*
	sql "PRAGMA encoding = 'UTF-16'" 'CREATE TABLE app(x)' \
		"INSERT INTO app VALUES('é')"
	make_log
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('é*', 2)"
	serve
	open_stream a
	sql "INSERT INTO events(topic, data) VALUES('é', '1'), ('é/1', '€'),
		('e', '3'), ('é/2', '4')"
	brings a $' stream-gap {"after":0,"next":2}\n2 message €\n3 message 3\n4 message 4'
	run sql "INSERT INTO events(topic, data) VALUES('a' || char(0), '')"
	[ "$status" -ne 0 ]
	[ "$(sql 'SELECT x FROM app')" = é ]
}
