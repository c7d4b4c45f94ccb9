-- Give all events new ids, from 1, if the ids are nearly used up: a row with an
-- id near the largest one, 9007199254740991, ends a log that an earlier release
-- created.
--
--     sqlite3 -bail events.db <renumber.sql
--
-- Programs need not be stopped.  Clients receive a reset, as after a restore:
-- they discard what they have and read the log anew.  One transaction copies
-- all events, during which publishers wait.

.timeout 5000

BEGIN IMMEDIATE;

CREATE TEMP TABLE renumbered AS
SELECT topic, event, data, retry_ms, key, created_ms FROM events ORDER BY id;

DELETE FROM events;
DELETE FROM events_removed;
DELETE FROM sqlite_sequence WHERE name = 'events';
UPDATE events_log SET identity = lower(hex(randomblob(16))), forgotten = 0;

INSERT INTO events (topic, event, data, retry_ms, key, created_ms)
SELECT topic, event, data, retry_ms, key, created_ms FROM temp.renumbered
ORDER BY rowid;

COMMIT;
