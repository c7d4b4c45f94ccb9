-- Publish events at a later time.  In the log's database, in UTC, to the
-- second:
--
--     INSERT INTO scheduled(deliver_at, topic, data)
--     VALUES(datetime('now', '+10 minutes'), 'news', 'The doors are open');
--
-- To cancel one: DELETE FROM scheduled WHERE id = ...
--
-- The first run creates the table; every run publishes the events that are due.
-- Run it each minute from cron, or each second from a systemd timer:
--
--     * * * * * sqlite3 /var/lib/rowcast/events.db </etc/rowcast/scheduled.sql
--
-- Any program that writes to the log can run the statements instead, except for
-- the two that begin with a dot: these tell the sqlite3 shell to wait for other
-- writers, and to stop at an error.  If nothing is due, nothing is written.

.bail on
.timeout 5000

CREATE TABLE IF NOT EXISTS scheduled (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	deliver_at TEXT NOT NULL,
	topic      TEXT NOT NULL DEFAULT '',
	event      TEXT NOT NULL DEFAULT 'message',
	data       TEXT NOT NULL,
	key        TEXT,
	is_due     INTEGER NOT NULL DEFAULT 0,

	-- one format only, in which the order of text is that of time
	CONSTRAINT "deliver_at is not as datetime() writes it, in UTC"
		CHECK (deliver_at IS strftime('%Y-%m-%d %H:%M:%S', deliver_at)),
	-- as in events: a row that events would refuse must not block others
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
CREATE INDEX IF NOT EXISTS scheduled_deliver_at ON scheduled (deliver_at);
CREATE INDEX IF NOT EXISTS scheduled_is_due ON scheduled (deliver_at, id)
	WHERE is_due;

-- The clock is read once, so that an event that becomes due between two
-- statements is neither published twice nor lost.
BEGIN IMMEDIATE;
UPDATE scheduled SET is_due = 1 WHERE deliver_at <= datetime('now');
INSERT INTO events (topic, event, data, key)
SELECT topic, event, data, key FROM scheduled WHERE is_due
ORDER BY deliver_at, id;
DELETE FROM scheduled WHERE is_due;
COMMIT;
