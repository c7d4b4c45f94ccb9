-- Remove the events that the rules of retention no longer keep, without waiting
-- for the inserts that would: after a rule was made, or when nobody inserts.
--
--     sqlite3 events.db <prune.sql
--
-- takes at most 1,000 events of each rule, so that no publisher waits long for
-- the lock, and prints how many rules still keep too much.  All of it, unless
-- something is wrong:
--
--     while left=$(sqlite3 -bail -cmd '.timeout 5000' events.db <prune.sql) &&
--         [ "$left" -gt 0 ]; do
--             :
--     done

INSERT INTO events_kept (topic_pattern)
WITH RECURSIVE step (n) AS (
	VALUES (1) UNION ALL SELECT n + 1 FROM step WHERE n < 1000)
SELECT topic_pattern FROM events_kept CROSS JOIN step WHERE is_over;

SELECT count(*) FROM events_kept WHERE is_over;
