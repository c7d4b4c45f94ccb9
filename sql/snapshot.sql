-- What a page shows, and the exact id from which its stream goes on.
--
--     sqlite3 app.db <snapshot.sql
--
-- Both are read in one transaction, so they are of one moment: every event up
-- to the id is in what was read, none behind it is.  Hand the id to the page:
--
--     new EventSource("/events?topic=orders/*&since=" + id)
--
-- and no event is lost or comes twice, however long the page took to arrive.
-- examples/snapshot.cgi does that for HTML.  "orders" is the table of
-- publish-changes.sql and stands for yours.
--
-- The id is the end of the log, whether its row is still there or not.  Do not
-- take max(id) instead: it goes back when rows are removed.  Nor two statements
-- without BEGIN: what is committed between them would be lost, or come twice.

BEGIN;
SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'events';
SELECT id, customer, total FROM orders ORDER BY id;
COMMIT;
