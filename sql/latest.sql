-- Two views: the last event of each topic, and the users who are present.
--
--     sqlite3 events.db <latest.sql
--
--     SELECT topic, data FROM latest;
--     SELECT user FROM present;
--
-- The views walk the index from one topic to the next and read one row of each.
-- Their cost depends on the number of topics, not on the number of events.
-- For a single topic, this is faster still:
--
--     SELECT * FROM events WHERE topic = 'x' ORDER BY id DESC LIMIT 1;
--
-- A rule of retention can keep only the newest event of a topic:
--
--     INSERT INTO retention(topic_pattern, max_rows) VALUES('price/ABC', 1);

CREATE VIEW IF NOT EXISTS latest AS
WITH RECURSIVE topics (topic) AS (
	SELECT min(topic) FROM events
	UNION ALL
	SELECT (SELECT min(topic) FROM events WHERE topic > topics.topic)
	FROM topics WHERE topic IS NOT NULL)
SELECT events.* FROM topics JOIN events ON id = (
	SELECT max(id) FROM events WHERE topic = topics.topic);

-- Presence: each page publishes an event "here" for its user every 30 seconds,
-- and an event "gone" when it is closed.
--
--     INSERT INTO events(topic, event, data) VALUES('presence/ann', 'here', '');
--     INSERT INTO events(topic, event, data) VALUES('presence/ann', 'gone', '');
--
-- A user is present if the last event is "here" and at most 60 seconds old.  A
-- page that shows who is present starts with this list, follows
-- topic=presence/*, and removes users who have sent nothing for 60 seconds.
-- This rule keeps the events that are needed:
--
--     INSERT INTO retention(topic_pattern, max_age_s) VALUES('presence/*', 60);
CREATE VIEW IF NOT EXISTS present AS
WITH RECURSIVE topics (topic) AS (
	-- '0' is the character after '/'
	SELECT min(topic) FROM events
	WHERE topic >= 'presence/' AND topic < 'presence0'
	UNION ALL
	SELECT (SELECT min(topic) FROM events
		WHERE topic > topics.topic AND topic < 'presence0')
	FROM topics WHERE topic IS NOT NULL)
SELECT substr(topics.topic, 10) AS user, created_ms AS seen_ms
FROM topics JOIN events ON id = (
	SELECT max(id) FROM events WHERE topic = topics.topic)
WHERE event <> 'gone' AND created_ms > CAST(
	(julianday('now') - 2440587.5) * 86400000 AS INTEGER) - 60000;
