-- The log of rowcast, format 1.
--
-- Both programs carry this file and run it when they meet an empty database.
-- To add the log to the database of an application:
--
--     sqlite3 app.db < sql/schema.sql
--
-- To publish:  INSERT INTO events(data) VALUES('hi');

PRAGMA journal_mode = WAL;

BEGIN IMMEDIATE;

-- One row is one event.  Ids never come back (AUTOINCREMENT), and SQLite lets
-- one writer commit at a time, so "id > cursor" cannot skip a row.  The upper
-- bound of id is the largest integer that JavaScript holds exactly.
CREATE TABLE events (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	topic      TEXT NOT NULL DEFAULT '',
	event      TEXT NOT NULL DEFAULT 'message',
	data       TEXT NOT NULL,
	retry_ms   INTEGER,
	key        TEXT UNIQUE,
	created_ms INTEGER NOT NULL
		DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)),

	CONSTRAINT "id is outside 1..9007199254740991"
		CHECK (id BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "topic holds CR, LF or NUL"
		CHECK (topic NOT GLOB char(42, 91, 10, 13, 93, 42)
			AND instr(CAST(topic AS BLOB), x'00') = 0),
	CONSTRAINT "topic is longer than 255 bytes"
		CHECK (length(CAST(topic AS BLOB)) <= 255),
	CONSTRAINT "event is empty"
		CHECK (event <> ''),
	CONSTRAINT "event holds CR, LF or NUL"
		CHECK (event NOT GLOB char(42, 91, 10, 13, 93, 42)
			AND instr(CAST(event AS BLOB), x'00') = 0),
	CONSTRAINT "event is longer than 255 bytes"
		CHECK (length(CAST(event AS BLOB)) <= 255),
	CONSTRAINT "event begins with stream-, which rowcast keeps for itself"
		CHECK (event NOT GLOB 'stream-*'),
	CONSTRAINT "retry_ms is outside 0..86400000"
		CHECK (retry_ms BETWEEN 0 AND 86400000),
	CONSTRAINT "key is empty or longer than 255 bytes"
		CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 255)
) STRICT;

-- A stream that comes back for some topics reads their rows alone.
CREATE INDEX events_topic ON events (topic);

-- The highest id ever removed, by topic: what a returning client has missed.
CREATE TABLE events_removed (
	topic TEXT PRIMARY KEY,
	id    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_removed_id ON events_removed (id);

CREATE TRIGGER events_remember_removed AFTER DELETE ON events
BEGIN
	INSERT INTO events_removed (topic, id) VALUES (OLD.topic, OLD.id)
		ON CONFLICT (topic) DO UPDATE SET id = max(id, excluded.id);
	UPDATE events_log SET removals = removals + 1;
END;

-- A publisher that tries again adds nothing, however it inserts: OR REPLACE
-- would remove the row that clients may hold, without any trigger to tell.
CREATE TRIGGER events_keep_first BEFORE INSERT ON events
WHEN NEW.key IS NOT NULL
	AND EXISTS (SELECT 1 FROM events WHERE key = NEW.key)
BEGIN
	SELECT RAISE(IGNORE);
END;

-- Clients that hold an event are not told that it changed.
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN
	SELECT RAISE(ABORT, 'events never change: insert a new one');
END;

-- Clients that are past an id never look below it again.
CREATE TRIGGER events_in_order AFTER INSERT ON events
WHEN NEW.id <= (SELECT seq FROM sqlite_sequence WHERE name = 'events')
BEGIN
	SELECT RAISE(ABORT, 'id lies below the end of the log: leave id out');
END;

-- Which log this is: another one in the same place is noticed by it.  And how
-- many rows were ever removed: what is in memory of them is then dropped.
CREATE TABLE events_log (
	identity TEXT NOT NULL,
	removals INTEGER NOT NULL
) STRICT;
INSERT INTO events_log VALUES (lower(hex(randomblob(16))), 0);

PRAGMA user_version = 1;

COMMIT;
