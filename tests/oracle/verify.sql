-- verify.sql: is what the clients were told what the log says they had to be?
-- For the sqlite3 shell, in the folder of a run:
--
--   record.tsv    what each client was told (see client.h)
--   filters.tsv   filter, kind (topic, prefix, event), value; a filter without a
--                 topic or prefix takes all topics, one without an event all names
--   acks.tsv      key of each event whose publisher was told that it is stored
--   resumed.tsv   client, id: where those began who had an id before (may be empty)
--   witness       in witness.db: id, topic, event, data, key, is_kept of every
--                 row that the log has or has had (is_kept: has)
--   past          likewise, of logs that were replaced
--   void.tsv      keys of which nobody knows whether they were in such a log (may
--                 be empty)
--
-- Client N has filter N modulo the number of filters.  Prints one line for each
-- thing that is wrong, "WHAT|client|id"; nothing if nothing is.

.bail on
.mode ascii
.separator "\t" "\n"
ATTACH 'witness.db' AS log;

CREATE TEMP TABLE raw (client, connection, kind, a, b, name, hex);
.import record.tsv raw
CREATE TEMP TABLE raw_filters (filter, kind, value);
.import filters.tsv raw_filters
CREATE TEMP TABLE acks (key);
.import acks.tsv acks
CREATE TEMP TABLE void (key);
.import void.tsv void
CREATE TEMP TABLE raw_resumed (client, id);
.import resumed.tsv raw_resumed
.mode list

CREATE TEMP TABLE filters AS
	SELECT CAST(filter AS INTEGER) AS filter, kind, value FROM raw_filters;

-- Lines in their order.  After a reset a client begins anew: its "life" counts
-- them.  What a client held before is void then, and not looked for.
CREATE TEMP TABLE told AS
SELECT rowid AS n, CAST(client AS INTEGER) AS client, kind,
	CAST(a AS INTEGER) AS a, CAST(b AS INTEGER) AS b, name, hex,
	sum(kind = 'reset') OVER (PARTITION BY CAST(client AS INTEGER)
		ORDER BY rowid) AS life
FROM raw;
CREATE INDEX temp.told_by ON told (client, life, kind, a);

CREATE TEMP TABLE clients AS
SELECT client, max(life) AS life,
	client % (SELECT max(filter) + 1 FROM filters) AS filter,
	CASE WHEN max(life) > 0
		THEN (SELECT b FROM told r WHERE r.client = t.client
			AND kind = 'reset' ORDER BY n DESC LIMIT 1)
		ELSE coalesce((SELECT CAST(id AS INTEGER) FROM raw_resumed r
				WHERE CAST(r.client AS INTEGER) = t.client),
			(SELECT a FROM told o WHERE o.client = t.client
				AND kind = 'open' ORDER BY n LIMIT 1))
	END AS start,
	(SELECT max(id) FROM log.witness WHERE event = 'mark') AS finish
FROM told t GROUP BY client;

-- Which rows each filter takes, by the plain meaning of the words; and those that
-- only its names of events leave out: of removed rows the log keeps the topics.
CREATE TEMP TABLE matched (filter INTEGER, id INTEGER, is_kept INTEGER,
	hex TEXT, has_name INTEGER, PRIMARY KEY (filter, id)) WITHOUT ROWID;
INSERT INTO matched
SELECT f.filter, w.id, w.is_kept, hex(w.data),
	NOT EXISTS (SELECT 1 FROM filters t
		WHERE t.filter = f.filter AND t.kind = 'event')
	OR EXISTS (SELECT 1 FROM filters t WHERE t.filter = f.filter
		AND t.kind = 'event' AND t.value = w.event)
FROM (SELECT DISTINCT filter FROM filters) f, log.witness w
WHERE NOT EXISTS (SELECT 1 FROM filters t
		WHERE t.filter = f.filter AND t.kind IN ('topic', 'prefix'))
	OR EXISTS (SELECT 1 FROM filters t
		WHERE t.filter = f.filter AND (
			(t.kind = 'topic' AND t.value = w.topic)
			OR (t.kind = 'prefix' AND t.value =
				substr(w.topic, 1, length(t.value)))));

CREATE TEMP TABLE wrong (what TEXT, client INTEGER, id INTEGER);

INSERT INTO wrong
SELECT 'has no beginning', client, NULL FROM clients WHERE start IS NULL
UNION ALL
SELECT 'has not got the mark', client, finish FROM clients c
WHERE NOT EXISTS (SELECT 1 FROM told t WHERE t.client = c.client
	AND t.life = c.life AND kind = 'event' AND a = finish);

INSERT INTO wrong
SELECT 'lost', c.client, m.id
FROM clients c JOIN matched m
	ON m.filter = c.filter AND m.id > c.start AND m.id <= c.finish
WHERE m.has_name AND NOT EXISTS (SELECT 1 FROM told t WHERE t.client = c.client
		AND t.life = c.life AND t.kind = 'event' AND t.a = m.id
		AND t.hex = m.hex)
	AND (m.is_kept OR NOT EXISTS (SELECT 1 FROM told g
		WHERE g.client = c.client AND g.life = c.life
		AND g.kind = 'gap' AND g.a < m.id AND m.id < g.b));

INSERT INTO wrong
SELECT 'repeated', client, a FROM told WHERE kind = 'event'
GROUP BY client, life, a HAVING count(*) > 1;

-- What a gap has left comes behind it.
INSERT INTO wrong
SELECT 'out of order', client, a FROM (
	SELECT client, kind, a, max(a) OVER (
		PARTITION BY client, life ORDER BY n
		ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
	FROM told WHERE kind IN ('event', 'gap'))
WHERE kind = 'event' AND a < before;

INSERT INTO wrong
SELECT 'is not in the log', client, a FROM told t WHERE kind = 'event'
AND NOT EXISTS (SELECT 1 FROM log.witness w WHERE w.id = a
	AND w.event = name AND hex(w.data) = t.hex)
AND NOT EXISTS (SELECT 1 FROM log.past w WHERE w.id = a
	AND w.event = name AND hex(w.data) = t.hex)
-- data is the key, and sometimes then 5,000 bytes
AND NOT EXISTS (SELECT 1 FROM void WHERE t.hex = hex(key)
	OR (t.hex LIKE hex(key) || '20%'
		AND length(t.hex) = 2 * (length(key) + 5000)));

INSERT INTO wrong
SELECT 'was not asked for', c.client, t.a
FROM clients c JOIN told t ON t.client = c.client AND t.life = c.life
WHERE t.kind = 'event' AND NOT EXISTS (SELECT 1 FROM matched m
	WHERE m.filter = c.filter AND m.id = t.a AND m.has_name)
-- what is only in a log that was replaced has no filter here
AND EXISTS (SELECT 1 FROM log.witness w WHERE w.id = t.a
	AND hex(w.data) = t.hex);

INSERT INTO wrong
SELECT 'gap where nothing is missing', c.client, t.a
FROM clients c JOIN told t ON t.client = c.client AND t.life = c.life
WHERE t.kind = 'gap' AND NOT EXISTS (SELECT 1 FROM matched m
	WHERE m.filter = c.filter AND m.id > t.a AND m.id < t.b
	AND NOT m.is_kept);

-- Keys are SOURCE-NUMBER, and each source publishes one after the other.
INSERT INTO wrong
SELECT 'acknowledged and not in the log: ' || key, NULL, NULL FROM acks a
WHERE NOT EXISTS (SELECT 1 FROM log.witness w WHERE w.key = a.key)
	AND NOT EXISTS (SELECT 1 FROM log.past w WHERE w.key = a.key)
	AND NOT EXISTS (SELECT 1 FROM void v WHERE v.key = a.key);

INSERT INTO wrong
SELECT 'published twice: ' || data, NULL, max(id) FROM log.witness
WHERE key IS NOT NULL GROUP BY data HAVING count(*) > 1;

INSERT INTO wrong
SELECT 'published out of order: ' || key, NULL, id FROM (
	SELECT id, key, CAST(substr(key, instr(key, '-') + 1) AS INTEGER) AS n,
		lag(CAST(substr(key, instr(key, '-') + 1) AS INTEGER)) OVER (
			PARTITION BY substr(key, 1, instr(key, '-'))
			ORDER BY id) AS before
	FROM log.witness WHERE key IS NOT NULL)
WHERE n <= before;

SELECT what, client, id FROM wrong LIMIT 40;
SELECT '… and ' || (count(*) - 40) || ' more' FROM wrong
HAVING count(*) > 40;
