-- Publish from a database that is not the log's: the application writes to a
-- table "outbox" of its own, in its own transaction, and this file moves what
-- is there into the log.  It makes the outbox the first time.
--
--     INSERT INTO outbox(topic, data) VALUES('orders', '{"id":17}');
--
-- Run it after each commit, or each second from cron or a systemd timer, in the
-- folder of both files; put your paths in.  Several at once do no harm.
--
--     sqlite3 app.db <outbox.sql
--
-- moves at most 1,000 events, so that no publisher waits long for the lock, and
-- prints how many are left.  All of them, unless something is wrong:
--
--     while left=$(sqlite3 app.db <outbox.sql) && [ "$left" -gt 0 ]; do
--             :
--     done
--
-- Why two transactions, and why the key: in WAL mode a transaction over two
-- files is not atomic if the power fails or the program is killed between the
-- commits of the one and of the other.  So events are first committed to the
-- log, and then taken out of the outbox.  Killed in between, the next run
-- inserts them again, and the log, which knows their keys, leaves those out.
-- It knows them as long as it keeps the events: let retention keep them for
-- longer than the outbox may have to wait.

.bail on
.timeout 5000
ATTACH 'events.db' AS log;
PRAGMA main.synchronous = FULL;
PRAGMA log.synchronous = FULL;

-- The limits are those of events: what the log would refuse is refused here,
-- in the application's transaction, where it does not stop what comes after it.
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

-- What is moved this time, whatever is added meanwhile.
CREATE TEMP TABLE moving AS SELECT * FROM main.outbox ORDER BY id LIMIT 1000;

INSERT INTO log.events (topic, event, data, key, created_ms)
SELECT topic, event, data, key, created_ms FROM temp.moving ORDER BY id;

DELETE FROM main.outbox WHERE id IN (SELECT id FROM temp.moving);

SELECT count(*) FROM main.outbox;
