#!/bin/sh
# snapshot.cgi: a page that shows the state of a database and then follows it.
#
# A CGI program for any web server, with ROWCAST_DB in its environment.  The
# database holds the log and the table of sql/publish-changes.sql:
#
#     sqlite3 -bail app.db <sql/schema.sql
#     sqlite3 -bail app.db <sql/publish-changes.sql
#
# One SELECT reads the list and the id at which it was read.  From that id on,
# the stream sends the changes, so nothing is lost and nothing arrives twice,
# however long the page takes to load (see sql/snapshot.sql).
set -u

# Read the list before the headers are sent, so that an error can be answered
# 503.
list=$(sqlite3 -batch -bail -cmd '.timeout 5000' "${ROWCAST_DB:?}" "
	SELECT '<ul id=\"orders\" data-since=\"' || (
			SELECT ifnull(max(seq), 0) FROM sqlite_sequence
			WHERE name = 'events') || '\">' || char(10)
		|| ifnull((SELECT group_concat(item, '') FROM (
			SELECT '<li id=\"order-' || id || '\">'
				|| replace(replace(customer, '&', '&amp;'),
					'<', '&lt;')
				|| printf(': %.15g</li>', total) || char(10) AS item
			FROM orders ORDER BY id)), '')
		|| '</ul>'") || {
	printf 'Status: 503 Service Unavailable\r\nRetry-After: 1\r\n'
	printf 'Content-Type: text/plain\r\n\r\nThe database cannot be read.\n'
	exit 0
}

printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n'
printf "Content-Security-Policy: frame-ancestors 'none'\r\n\r\n"
cat <<END
<!doctype html>
<title>Orders</title>
$list
<script>
const list = document.getElementById("orders");
const source = new EventSource(
	"/events?topic=orders/*&since=" + list.dataset.since);

function put(e) {
	const order = JSON.parse(e.data);
	let item = document.getElementById("order-" + order.id);
	if (!item) {
		item = list.appendChild(document.createElement("li"));
		item.id = "order-" + order.id;
	}
	item.textContent = order.customer + ": " + order.total;
}
source.addEventListener("insert", put);
source.addEventListener("update", put);
source.addEventListener("delete", e =>
	document.getElementById("order-" + JSON.parse(e.data).id)?.remove());

// Events were lost, but the database has the state: load the page again.
source.addEventListener("stream-gap", () => location.reload());
source.addEventListener("stream-reset", () => location.reload());
</script>
END
