-- Publish from an application that has a database file of its own.  The
-- application writes to a table "outbox" in its file, in its own transaction,
-- and this script moves the rows to the log.  The first run creates the outbox.
--
--     INSERT INTO outbox(topic, data) VALUES('orders', '{"id":17}');
--
-- Run it after each commit, or each second from a systemd timer, in the folder
-- of both files, or write your paths into it.  Several runs at the same time
-- are safe.
--
--     sqlite3 app.db <outbox.sql
--
-- moves at most 1,000 events, so that no publisher waits long for the lock, and
-- prints how many are left.  This moves all of them, and ends at an error:
--
--     while left=$(sqlite3 app.db <outbox.sql) && [ "$left" -gt 0 ]; do
--             :
--     done
--
-- Why two transactions and a key: in WAL mode, a transaction over two files is
-- not atomic if the power fails, or the program is killed, between the two
-- commits.  So the events are first committed to the log and then removed from
-- the outbox.  If the script is killed in between, the next run inserts them
-- again, and the log ignores them, because it already has their keys.  A key is
-- known as long as its event is kept: let retention keep events for longer than
-- the outbox may have to wait.

.bail on
.timeout 5000
ATTACH 'events.db' AS log;
PRAGMA main.synchronous = FULL;
PRAGMA log.synchronous = FULL;

-- The constraints are those of the table events.  A row that the log would
-- refuse is refused here, in the application's transaction, and cannot block
-- the rows after it.
CREATE TABLE IF NOT EXISTS outbox (
	id    INTEGER PRIMARY KEY AUTOINCREMENT,
	topic TEXT NOT NULL DEFAULT '',
	event TEXT NOT NULL DEFAULT 'message',
	data  TEXT NOT NULL,
	key   TEXT NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(16)))),
	created_ms INTEGER NOT NULL
		DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),

	CONSTRAINT "topic holds CR, LF or NUL, or is longer than 255 bytes"
		CHECK (topic NOT GLOB char(42, 91, 10, 13, 93, 42)
			AND instr(topic, char(0)) = 0
			AND length(CAST(topic AS BLOB)) <= 255),
	CONSTRAINT "event holds CR, LF or NUL, or is outside 1..255 bytes"
		CHECK (event NOT GLOB char(42, 91, 10, 13, 93, 42)
			AND instr(event, char(0)) = 0
			AND length(CAST(event AS BLOB)) BETWEEN 1 AND 255),
	CONSTRAINT "event begins with stream-, which rowcast keeps for itself"
		CHECK (event NOT GLOB 'stream-*'),
	CONSTRAINT "key is empty or longer than 255 bytes"
		CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 255)
) STRICT;

-- The rows to move in this run.  Rows that are added meanwhile wait for the
-- next.
CREATE TEMP TABLE moving AS SELECT * FROM main.outbox ORDER BY id LIMIT 1000;

INSERT INTO log.events (topic, event, data, key, created_ms)
SELECT topic, event, data, key, created_ms FROM temp.moving ORDER BY id;

DELETE FROM main.outbox WHERE id IN (SELECT id FROM temp.moving);

SELECT count(*) FROM main.outbox;
