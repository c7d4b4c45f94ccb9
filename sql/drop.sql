-- Remove all parts of a log from a database, whose other tables stay: as
-- schema.sql makes them, or what a migration or a copy has made of them.  All
-- events are lost: save them first.
--
--     rowcast --db app.db export --salvage >events.ndjson
--     sqlite3 -bail app.db <drop.sql
--     sqlite3 -bail app.db <schema.sql
--     rowcast --db app.db import <events.ndjson
--
-- Your rules of retention, and your triggers on these tables, go too.

.timeout 5000

BEGIN IMMEDIATE;

DROP VIEW IF EXISTS events_aged;
DROP VIEW IF EXISTS events_kept;
DROP VIEW IF EXISTS events_searched;
DROP TABLE IF EXISTS events;
DROP TABLE IF EXISTS events_log;
DROP TABLE IF EXISTS events_removed;
DROP TABLE IF EXISTS events_retained;
DROP TABLE IF EXISTS retention;

PRAGMA user_version = 0;

COMMIT;
