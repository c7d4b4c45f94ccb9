-- Publish every change of an application's table, in the transaction that makes
-- the change.  Committed changes are published; rolled-back changes are not.
--
-- The log is part of the application's database.  Run once:
--
--     sqlite3 -bail app.db <schema.sql
--     sqlite3 -bail app.db <publish-changes.sql
--
-- "orders" stands for your table: write its name and columns instead, and leave
-- out the CREATE TABLE.  A page listens to all orders, or to one:
--
--     new EventSource("/events?topic=orders/*")
--             .addEventListener("update", e => ...)
--     new EventSource("/events?topic=orders/17")
--
-- SQLite drops the triggers of a table together with the table.  Migrations of
-- many frameworks make a table anew to change it: let each migration end with
-- this script.  It may be run any number of times.  "rowcast check --expect
-- orders" fails if nothing publishes the changes of a table, and this lists all
-- triggers that publish:
--
--     SELECT tbl_name, name FROM sqlite_schema
--     WHERE type = 'trigger' AND sql GLOB '*INTO events[ (]*';
--
-- INSERT OR REPLACE is published as "insert": SQLite fires no DELETE trigger
-- for the row that is replaced, unless PRAGMA recursive_triggers is on.

CREATE TABLE IF NOT EXISTS orders (
	id       INTEGER PRIMARY KEY,
	customer TEXT NOT NULL,
	total    REAL NOT NULL
);

BEGIN IMMEDIATE;

DROP TRIGGER IF EXISTS orders_publish_insert;
CREATE TRIGGER orders_publish_insert AFTER INSERT ON orders
BEGIN
	INSERT INTO events (topic, event, data)
	VALUES ('orders/' || NEW.id, 'insert', json_object('id', NEW.id,
		'customer', NEW.customer, 'total', NEW.total));
END;

-- An UPDATE that sets the old values is not published.
DROP TRIGGER IF EXISTS orders_publish_update;
CREATE TRIGGER orders_publish_update AFTER UPDATE ON orders
WHEN (OLD.id, OLD.customer, OLD.total) IS NOT (NEW.id, NEW.customer, NEW.total)
BEGIN
	-- to listeners, an order with a new id is a different order
	INSERT INTO events (topic, event, data)
	SELECT 'orders/' || OLD.id, 'delete', json_object('id', OLD.id)
	WHERE OLD.id <> NEW.id;
	INSERT INTO events (topic, event, data)
	VALUES ('orders/' || NEW.id, iif(OLD.id = NEW.id, 'update', 'insert'),
		json_object('id', NEW.id,
			'customer', NEW.customer, 'total', NEW.total));
END;

DROP TRIGGER IF EXISTS orders_publish_delete;
CREATE TRIGGER orders_publish_delete AFTER DELETE ON orders
BEGIN
	INSERT INTO events (topic, event, data)
	VALUES ('orders/' || OLD.id, 'delete', json_object('id', OLD.id));
END;

COMMIT;
