-- Remove the events that exceed the rules of retention, without waiting for
-- inserts to do so.  Run it after you have made a rule, or if nothing is
-- inserted.
--
--     sqlite3 events.db <prune.sql
--
-- removes at most 1,000 events of each rule, and some 4,000 in all, so that no
-- publisher waits long for the lock, and prints how many rules are still
-- exceeded.  This repeats it until no rule is exceeded, and ends at an error:
--
--     while left=$(sqlite3 -bail -cmd '.timeout 5000' events.db <prune.sql) &&
--         [ "$left" -gt 0 ]; do
--             :
--     done

INSERT INTO events_kept (topic_pattern)
WITH RECURSIVE share (turns) AS (
	SELECT min(1000, 4000 / max(1, count(*))) FROM events_kept WHERE is_over),
step (n) AS (
	VALUES (1) UNION ALL
	SELECT n + 1 FROM step CROSS JOIN share WHERE n < turns)
SELECT topic_pattern FROM events_kept CROSS JOIN step WHERE is_over;

SELECT count(*) FROM events_kept WHERE is_over;
