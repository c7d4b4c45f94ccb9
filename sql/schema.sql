-- The log of rowcast, format 1.
--
-- The programs contain this file and run it on an empty database.  To add the
-- log to the database of an application:
--
--     sqlite3 -bail app.db <sql/schema.sql
--
-- To publish:  INSERT INTO events(data) VALUES('hi');

PRAGMA journal_mode = WAL;

BEGIN IMMEDIATE;

-- One row is one event.  Ids are never reused (AUTOINCREMENT), and SQLite lets
-- one writer commit at a time, so "id > cursor" cannot skip a row.  The upper
-- bound of id is the largest integer that JavaScript represents exactly.
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
			AND instr(topic, char(0)) = 0),
	CONSTRAINT "topic is longer than 255 bytes"
		CHECK (length(CAST(topic AS BLOB)) <= 255),
	CONSTRAINT "event is empty"
		CHECK (event <> ''),
	CONSTRAINT "event holds CR, LF or NUL"
		CHECK (event NOT GLOB char(42, 91, 10, 13, 93, 42)
			AND instr(event, char(0)) = 0),
	CONSTRAINT "event is longer than 255 bytes"
		CHECK (length(CAST(event AS BLOB)) <= 255),
	CONSTRAINT "event begins with stream-, which rowcast keeps for itself"
		CHECK (event NOT GLOB 'stream-*'),
	CONSTRAINT "retry_ms is outside 0..86400000"
		CHECK (retry_ms BETWEEN 0 AND 86400000),
	CONSTRAINT "key is empty or longer than 255 bytes"
		CHECK (length(CAST(key AS BLOB)) BETWEEN 1 AND 255)
) STRICT;

-- A stream that reconnects for some topics reads only their rows.
CREATE INDEX events_topic ON events (topic);

-- The highest id ever removed of each topic.  It shows whether a client that
-- reconnects has missed events.  To bound the table, a topic is forgotten when
-- its last removal lies more than 100,000 ids back.  events_log.forgotten is
-- the highest id that was forgotten in this way: the topics of rows removed up
-- to it are unknown.
CREATE TABLE events_removed (
	topic TEXT PRIMARY KEY,
	id    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX events_removed_id ON events_removed (id);

CREATE TRIGGER events_remember_removed AFTER DELETE ON events
BEGIN
	-- whatever a damaged row holds, it can be removed
	INSERT INTO events_removed (topic, id)
		VALUES (ifnull(CAST(OLD.topic AS TEXT), ''), OLD.id)
		ON CONFLICT (topic) DO UPDATE SET id = max(id, excluded.id);
	UPDATE events_log SET
		removals = removals + 1,
		forgotten = max(forgotten, ifnull((
			SELECT max(id) FROM (SELECT id FROM events_removed
				WHERE id < OLD.id - 100000
				ORDER BY id LIMIT 2)), 0));
	DELETE FROM events_removed
		WHERE id <= (SELECT forgotten FROM events_log);
	UPDATE events_retained SET
		kept_rows = kept_rows - 1,
		kept_bytes = kept_bytes
			- ifnull(length(CAST(OLD.data AS BLOB)), 0)
	WHERE iif(is_prefix, instr(CAST(OLD.topic AS BLOB), prefix) = 1,
		OLD.topic = topic_pattern);
END;

-- A second row with the same key is ignored, however it is inserted: OR REPLACE
-- would remove a row that clients may have, without firing a delete trigger.
CREATE TRIGGER events_keep_first BEFORE INSERT ON events
WHEN NEW.key IS NOT NULL
	AND EXISTS (SELECT 1 FROM events WHERE key = NEW.key)
BEGIN
	SELECT RAISE(IGNORE);
END;

-- Clients that have received an event would not learn that it changed.
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN
	SELECT RAISE(ABORT, 'events never change: insert a new one');
END;

-- Clients never read ids below one that they have received.  An id far beyond
-- the end would use up the ids in between: after 9007199254740991 there are no
-- more.  In a statement of many rows, sqlite_sequence changes at the end only,
-- so the row before counts, too.
CREATE TRIGGER events_in_order AFTER INSERT ON events
WHEN NEW.id - ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)
	NOT BETWEEN 1 AND 1000000000
BEGIN
	SELECT RAISE(ABORT, 'id lies below the end of the log: leave id out')
	WHERE NEW.id <= (SELECT seq FROM sqlite_sequence WHERE name = 'events');
	SELECT RAISE(ABORT,
		'id lies over 1,000,000,000 beyond the end of the log: leave id out')
	WHERE NEW.id - 1000000000
		> ifnull((SELECT max(id) FROM events WHERE id < NEW.id), 0);
END;

-- identity distinguishes this log from another one that takes its place.
-- removals counts the rows ever removed: when it changes, readers drop removed
-- rows from memory.
CREATE TABLE events_log (
	identity  TEXT NOT NULL,
	removals  INTEGER NOT NULL,
	forgotten INTEGER NOT NULL -- see events_removed
) STRICT;
INSERT INTO events_log VALUES (lower(hex(randomblob(16))), 0, 0);

-- The rules of retention.  A rule limits the events of all topics that match,
-- taken together.  If several rules match, all of them apply:
--
--     INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 100000);
--
-- A pattern is a topic, or a prefix followed by '*'.  Age is counted from
-- created_ms; bytes are those of data.  The oldest events are removed first.
-- The last event of a rule is removed by age only.
CREATE TABLE retention (
	topic_pattern TEXT PRIMARY KEY NOT NULL,
	max_rows      INTEGER,
	max_age_s     INTEGER,
	max_bytes     INTEGER,

	CONSTRAINT "topic_pattern holds CR, LF or NUL"
		CHECK (topic_pattern NOT GLOB char(42, 91, 10, 13, 93, 42)
			AND instr(topic_pattern, char(0)) = 0),
	CONSTRAINT "topic_pattern is longer than 256 bytes"
		CHECK (length(CAST(topic_pattern AS BLOB)) <= 256),
	CONSTRAINT "max_rows is outside 1..9007199254740991"
		CHECK (max_rows BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "max_age_s is outside 1..3153600000"
		CHECK (max_age_s BETWEEN 1 AND 3153600000),
	CONSTRAINT "max_bytes is outside 1..9007199254740991"
		CHECK (max_bytes BETWEEN 1 AND 9007199254740991)
) STRICT, WITHOUT ROWID;

-- The rules in the form that triggers need, and how much each keeps now.
-- Topics are compared as bytes, because LIKE and GLOB would interpret
-- characters such as % and ?.
CREATE TABLE events_retained (
	topic_pattern TEXT PRIMARY KEY NOT NULL,
	max_rows   INTEGER,
	max_age_ms INTEGER,
	max_bytes  INTEGER,
	kept_rows  INTEGER NOT NULL DEFAULT 0,
	kept_bytes INTEGER NOT NULL DEFAULT 0,
	oldest     INTEGER, -- no row that matches lies before this id
	-- By age: see events_prune.
	eldest     INTEGER, -- a row that is too old
	eldest_ms  INTEGER, -- the first created_ms of the rows read last
	due_ms     INTEGER, -- when the first row will be too old, or before
	newest_ms  INTEGER, -- created_ms of the youngest row
	late_ms    INTEGER, -- as due_ms, of the rows behind much younger ones
	searched   INTEGER, -- the search for those has reached this id
	search_newest_ms INTEGER, -- newest_ms and late_ms of the rows up to there
	search_late_ms   INTEGER NOT NULL DEFAULT 9223372036854775807,
	is_prefix  INTEGER NOT NULL
		AS (topic_pattern GLOB '*[*]') STORED,
	prefix     BLOB NOT NULL AS (CAST(substr(topic_pattern, 1,
		length(topic_pattern) - is_prefix) AS BLOB)) STORED
) STRICT, WITHOUT ROWID;

-- When a rule is added or changed, one scan of the log counts its events.
-- Whether some stand behind younger ones is not known before a search.
CREATE TRIGGER events_retained_count AFTER INSERT ON events_retained
BEGIN
	UPDATE events_retained SET
		(kept_rows, kept_bytes, oldest, newest_ms) = (
			SELECT count(*),
				coalesce(sum(length(CAST(data AS BLOB))), 0),
				min(id), CAST(max(created_ms) AS INTEGER)
			FROM events
			WHERE iif(is_prefix,
				instr(CAST(topic AS BLOB), prefix) = 1,
				topic = topic_pattern)),
		due_ms = iif(max_age_ms IS NULL, NULL, 0),
		late_ms = iif(max_age_ms IS NULL, NULL, 0)
	WHERE topic_pattern = NEW.topic_pattern;
END;

CREATE TRIGGER retention_made AFTER INSERT ON retention
BEGIN
	-- OR REPLACE removes a rule without firing retention_dropped
	DELETE FROM events_retained WHERE topic_pattern = NEW.topic_pattern;
	INSERT INTO events_retained (topic_pattern, max_rows, max_age_ms,
		max_bytes)
	VALUES (NEW.topic_pattern, NEW.max_rows, NEW.max_age_s * 1000,
		NEW.max_bytes);
END;

CREATE TRIGGER retention_changed AFTER UPDATE ON retention
BEGIN
	DELETE FROM events_retained
		WHERE topic_pattern IN (OLD.topic_pattern, NEW.topic_pattern);
	INSERT INTO events_retained (topic_pattern, max_rows, max_age_ms,
		max_bytes)
	VALUES (NEW.topic_pattern, NEW.max_rows, NEW.max_age_s * 1000,
		NEW.max_bytes);
END;

CREATE TRIGGER retention_dropped AFTER DELETE ON retention
BEGIN
	DELETE FROM events_retained WHERE topic_pattern = OLD.topic_pattern;
END;

-- The state of each rule: is_over, whether it keeps too much; is_near, whether
-- and by which limit it keeps more than 99.9 %.  Removal starts when a rule is
-- over and continues while it is near, because removing several rows at once
-- costs less than removing one row with each insert.
CREATE VIEW events_kept AS
SELECT topic_pattern, kept_rows, kept_bytes, oldest, eldest, is_prefix, prefix,
	kept_rows > max_rows
		OR (kept_bytes > max_bytes AND kept_rows > 1)
		OR min(due_ms, late_ms) < CAST(
			(julianday('now') - 2440587.5) * 86400000 AS INTEGER)
		AS is_over,
	CASE WHEN kept_rows > max_rows - max_rows / 1000
		OR (kept_bytes > max_bytes - max_bytes / 1000 AND kept_rows > 1)
		THEN 'size'
	WHEN min(due_ms, late_ms) - max_age_ms / 1000 < CAST(
		(julianday('now') - 2440587.5) * 86400000 AS INTEGER)
		THEN 'age' END AS is_near,
	late_ms < min(due_ms, CAST((julianday('now') - 2440587.5) * 86400000
		AS INTEGER)) AS is_searching
FROM events_retained;

-- Of rules by age: whether the eldest of the rows read last is due.
CREATE VIEW events_aged AS
SELECT topic_pattern, ifnull(eldest_ms + max_age_ms - max_age_ms / 1000 < CAST(
		(julianday('now') - 2440587.5) * 86400000 AS INTEGER), 0)
		AS is_eldest_due,
	late_ms < min(due_ms, CAST((julianday('now') - 2440587.5) * 86400000
		AS INTEGER)) AS is_searching
FROM events_retained WHERE max_age_ms IS NOT NULL AND oldest IS NOT NULL;

-- Inserting the name of a rule into the view removes one event of that rule, if
-- the rule keeps too much.  This is how a trigger loops: SQL triggers have no
-- loop of their own.  For a single topic, an index finds the event.  For a
-- prefix, each search starts where the last one ended and reads only a few
-- rows, so that the cost of an insert does not depend on rows of other topics
-- in between.
CREATE TRIGGER events_prune INSTEAD OF INSERT ON events_kept
WHEN (SELECT is_near FROM events_kept
	WHERE topic_pattern = NEW.topic_pattern) IS NOT NULL
BEGIN
	UPDATE events_retained SET oldest = iif(is_prefix,
		coalesce(
			(SELECT id FROM (SELECT id, topic FROM events
				WHERE id >= oldest ORDER BY id LIMIT 16)
			WHERE instr(CAST(topic AS BLOB), prefix) = 1 LIMIT 1),
			(SELECT min(max(id) + 1, 9223372036854775807)
			FROM (SELECT id FROM events
				WHERE id >= oldest ORDER BY id LIMIT 16))),
		(SELECT id FROM events
			WHERE topic = topic_pattern ORDER BY id LIMIT 1))
	WHERE topic_pattern = NEW.topic_pattern;
	-- without any: nothing is kept, even if the counters are wrong
	UPDATE events_retained SET kept_rows = 0, kept_bytes = 0,
		due_ms = 9223372036854775807, late_ms = 9223372036854775807,
		newest_ms = NULL, searched = NULL
	WHERE topic_pattern = NEW.topic_pattern AND oldest IS NULL;
	INSERT INTO events_aged (topic_pattern)
	SELECT topic_pattern FROM events_aged
	WHERE topic_pattern = NEW.topic_pattern;
	DELETE FROM events WHERE id = (
		SELECT id FROM events_kept
			JOIN events ON id = iif(is_near = 'size', oldest, eldest)
		WHERE topic_pattern = NEW.topic_pattern
			AND is_near IS NOT NULL
			AND iif(is_prefix,
				instr(CAST(topic AS BLOB), prefix) = 1,
				topic = topic_pattern));
END;

-- By age.  If clocks never went back, the first few rows would do.  A row is
-- late if it was created well before one that precedes it.  When the first late
-- row is due, a search reads the log from the front to the end, a few rows at a
-- time.  While it finds rows that are due, they are removed; else it moves on.
-- At the end, it has found when the next late row will be due.
CREATE TRIGGER events_age INSTEAD OF INSERT ON events_aged
BEGIN
	-- the clock went back: the search will begin anew
	UPDATE events_retained SET searched = NULL
	WHERE topic_pattern = NEW.topic_pattern AND searched IS NOT NULL
		AND late_ms >= CAST((julianday('now') - 2440587.5) * 86400000
			AS INTEGER);
	UPDATE events_retained SET (eldest, eldest_ms) = (
		SELECT id, CAST(min(created_ms) AS INTEGER)
		FROM (SELECT id, topic, created_ms FROM events
			WHERE id > max(oldest - 1, ifnull(
				iif(late_ms < due_ms, searched, NULL), oldest - 1))
			ORDER BY id LIMIT 16)
		WHERE instr(CAST(topic AS BLOB), prefix) = 1)
	WHERE topic_pattern = NEW.topic_pattern AND is_prefix;
	UPDATE events_retained SET (eldest, eldest_ms) = (
		SELECT id, CAST(min(created_ms) AS INTEGER)
		FROM (SELECT id, created_ms FROM events
			WHERE topic = topic_pattern AND id
				> max(oldest - 1, ifnull(
				iif(late_ms < due_ms, searched, NULL), oldest - 1))
			ORDER BY id LIMIT 16))
	WHERE topic_pattern = NEW.topic_pattern AND NOT is_prefix;
	INSERT INTO events_searched (topic_pattern)
	SELECT topic_pattern FROM events_aged
	WHERE topic_pattern = NEW.topic_pattern
		AND NOT is_eldest_due AND is_searching;
	-- not yet: look again when it is due.  Do this last: it can begin a
	-- search, and these rows are the first ones, not the next ones of it.
	-- After a search, eldest is NULL.
	UPDATE events_retained SET eldest = NULL, due_ms = ifnull(
		min(9223372036854775807, eldest_ms + max_age_ms), due_ms)
	WHERE eldest IS NOT NULL
		AND topic_pattern = (SELECT topic_pattern FROM events_aged
		WHERE topic_pattern = NEW.topic_pattern
			AND NOT is_eldest_due AND NOT is_searching);
END;

-- Inserting the name of a rule into this view moves its search on.
CREATE VIEW events_searched AS SELECT topic_pattern FROM events_retained;
CREATE TRIGGER events_search INSTEAD OF INSERT ON events_searched
BEGIN
	UPDATE events_retained SET eldest = NULL,
		search_late_ms = min(search_late_ms, iif(
			eldest_ms + max_age_ms / 1000 < search_newest_ms,
			eldest_ms + max_age_ms, 9223372036854775807))
	WHERE topic_pattern = NEW.topic_pattern;
	UPDATE events_retained SET (searched, search_newest_ms) = (
		SELECT max(id), CAST(max(ifnull(search_newest_ms, max(created_ms)),
			ifnull(max(created_ms), search_newest_ms)) AS INTEGER)
		FROM (SELECT id, iif(instr(CAST(topic AS BLOB), prefix) = 1,
				created_ms, NULL) AS created_ms
			FROM events
			WHERE id > max(oldest - 1, ifnull(searched, oldest - 1))
			ORDER BY id LIMIT 16))
	WHERE topic_pattern = NEW.topic_pattern AND is_prefix;
	UPDATE events_retained SET (searched, search_newest_ms) = (
		SELECT max(id), CAST(max(ifnull(search_newest_ms, max(created_ms)),
			ifnull(max(created_ms), search_newest_ms)) AS INTEGER)
		FROM (SELECT id, created_ms FROM events
			WHERE topic = topic_pattern AND id
				> max(oldest - 1, ifnull(searched, oldest - 1))
			ORDER BY id LIMIT 16))
	WHERE topic_pattern = NEW.topic_pattern AND NOT is_prefix;
	UPDATE events_retained SET late_ms = search_late_ms,
		newest_ms = search_newest_ms, due_ms = 0,
		search_late_ms = 9223372036854775807, search_newest_ms = NULL
	WHERE topic_pattern = NEW.topic_pattern AND searched IS NULL;
END;

-- Each insert updates the counts, and removes at most eight events of each rule
-- that keeps too much, so that the cost of a new rule is spread over many
-- inserts.  A search for late rows takes three turns, which read more rows.
-- Of all rules together, 64 turns are taken at random: a thousand rules may be
-- exceeded at once, and none may wait until the others are done.
CREATE TRIGGER events_retain AFTER INSERT ON events
WHEN EXISTS (SELECT 1 FROM events_retained)
BEGIN
	UPDATE events_retained SET
		kept_rows = kept_rows + 1,
		kept_bytes = kept_bytes
			+ ifnull(length(CAST(NEW.data AS BLOB)), 0),
		oldest = iif(kept_rows > 0, oldest, NEW.id),
		due_ms = ifnull(min(due_ms,
			CAST(NEW.created_ms + max_age_ms AS INTEGER)), due_ms),
		late_ms = iif(NEW.created_ms + max_age_ms / 1000 < newest_ms,
			min(late_ms, CAST(NEW.created_ms + max_age_ms AS INTEGER)),
			late_ms),
		newest_ms = max(ifnull(newest_ms, CAST(NEW.created_ms AS INTEGER)),
			CAST(ifnull(NEW.created_ms, newest_ms) AS INTEGER))
	WHERE iif(is_prefix, instr(CAST(NEW.topic AS BLOB), prefix) = 1,
		NEW.topic = topic_pattern);
	INSERT INTO events_kept (topic_pattern)
	SELECT topic_pattern FROM (
		SELECT topic_pattern FROM events_kept
			CROSS JOIN (VALUES (1), (2), (3)) WHERE is_over
		UNION ALL
		SELECT topic_pattern FROM events_kept
			CROSS JOIN (VALUES (4), (5), (6), (7), (8))
		WHERE is_over AND NOT ifnull(is_searching, 0))
	ORDER BY random() LIMIT 64;
END;

PRAGMA user_version = 1;

COMMIT;
