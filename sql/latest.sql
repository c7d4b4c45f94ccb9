-- The last event of each topic, and who is present: two views.
--
--     sqlite3 events.db <latest.sql
--
--     SELECT topic, data FROM latest;
--     SELECT user FROM present;
--
-- They walk the index from one topic to the next and read one row of each, so
-- they cost as much as there are topics, however many events these have.
-- Of one topic alone, this is faster still:
--
--     SELECT * FROM events WHERE topic = 'x' ORDER BY id DESC LIMIT 1;
--
-- With a rule of retention, only the newest of a topic is kept in any case:
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

-- Presence: each page says every 30 seconds that its user is there, and when
-- it is closed that the user is gone.
--
--     INSERT INTO events(topic, event, data) VALUES('presence/ann', 'here', '');
--     INSERT INTO events(topic, event, data) VALUES('presence/ann', 'gone', '');
--
-- Present is who was here in the last 60 seconds and has not gone.  Pages that
-- show it start with this list and follow topic=presence/*; let them drop whom
-- they have not heard of for 60 seconds.  Keep as much:
--
--     INSERT INTO retention(topic_pattern, max_age_s) VALUES('presence/*', 60);
CREATE VIEW IF NOT EXISTS present AS
WITH RECURSIVE topics (topic) AS (
	-- '0' is the character behind '/'
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
