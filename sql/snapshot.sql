-- Read the state that a page shows, and the id from which its stream continues.
--
--     sqlite3 app.db <snapshot.sql
--
-- Both are read in one transaction, so they are of the same moment: the state
-- includes every event up to the id, and none after it.  Pass the id to the
-- page:
--
--     new EventSource("/events?topic=orders/*&since=" + id)
--
-- and no event is lost or arrives twice, however long the page takes to load.
-- examples/snapshot.cgi does this for HTML.  "orders" is the table of
-- publish-changes.sql and stands for yours.
--
-- The id is the end of the log, whether or not its row is still there.  Do not
-- use max(id) instead, because it decreases when rows are removed.  Do not
-- leave out BEGIN, because a commit between the two statements would be lost or
-- arrive twice.

BEGIN;
SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'events';
SELECT id, customer, total FROM orders ORDER BY id;
COMMIT;
