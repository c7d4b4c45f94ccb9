#!/usr/bin/env bats
# The recipes in sql/ that read, run unchanged: a page and the start of its
# stream, the last event of each topic, the users who are present.

load stream

setup() {
	site_new
	make_log
}

# Run a recipe on the log.
recipe() {
	(as_site sqlite3 -cmd '.timeout 5000' "$DB") <"$ROOT/sql/$1.sql"
}

# Run a CGI program of examples/; the answer goes to NAME.head and NAME.body.
#   usage: page NAME PROGRAM
page() {
	cp "$ROOT/examples/$2" "$SITE/$2"
	chmod a+rx "$SITE/$2"
	(as_site env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 \
		ROWCAST_DB="$DB" "$SITE/$2") </dev/null >"$T/$1.answer" 2>>"$LOGS/cgi"
	split_answer "$T/$1.answer" "$1"
}

# ---- snapshot.sql -----------------------------------------------------------

@test "snapshot: the id is the end of the log, and rows follow" {
	recipe publish-changes
	[ "$(recipe snapshot)" = 0 ]
	sql "INSERT INTO orders VALUES(2, 'b', 2), (1, 'a', 1)"
	[ "$(recipe snapshot)" = $'2\n1|a|1.0\n2|b|2.0' ]
	# removed rows of the log count as well
	sql "DELETE FROM orders WHERE id = 2; DELETE FROM events"
	[ "$(recipe snapshot)" = $'3\n1|a|1.0' ]
}

@test "snapshot: nothing is committed between the id and the rows" {
	recipe publish-changes
	local i pids=() id rest
	for i in 1 2; do
		insert_orders $((i * 1000)) 150 3>&- &
		pids+=("$!")
		STARTED+=("$!")
	done
	while is_running "${pids[0]}"; do
		{
			read -r id
			rest=$(wc -l)
		} < <(recipe snapshot)
		# each insert is one event
		[ "$id" -eq "$rest" ]
	done
	wait "${pids[@]}"
}

# Insert each order in its own transaction.
#   usage: insert_orders FIRST N
insert_orders() {
	local i
	for ((i = $1; i < $1 + $2; i++)); do
		echo "INSERT INTO orders VALUES($i, 'customer $i', $i);"
	done | (as_site sqlite3 -cmd '.timeout 5000' "$DB")
}

@test "snapshot.cgi: a list, its id, and escaped names" {
	recipe publish-changes
	sql "INSERT INTO orders VALUES(1, '<b>&\"', 12.5),
		(2, 'many', 1234567)"
	page a snapshot.cgi
	[ "$(header "$T/a.head" Content-Type)" = 'text/html; charset=utf-8' ]
	[ "$(header "$T/a.head" Cache-Control)" = no-store ]
	grep -qFx '<ul id="orders" data-since="2">' "$T/a.body"
	grep -qFx '<li id="order-1">&lt;b>&amp;": 12.5</li>' "$T/a.body"
	# like the script on the page
	grep -qFx '<li id="order-2">many: 1234567</li>' "$T/a.body"
}

@test "snapshot.cgi: 503 if the database cannot be read" {
	sql 'DROP TABLE events_retained' 2>/dev/null
	page a snapshot.cgi
	[ "$(header "$T/a.head" Status)" = '503 Service Unavailable' ]
	run ! grep -q '<ul' "$T/a.body"
}

@test "snapshot.cgi: page and stream together have each order once" {
	local i n=0 writer
	recipe publish-changes
	serve
	insert_orders 1 2000 3>&- &
	writer=$!
	STARTED+=("$writer")
	while is_running "$writer"; do
		n=$((n + 1))
		page "page$n" snapshot.cgi
		# the page takes a while to reach the browser
		stream "page$n" "topic=orders/*&since=$(since "page$n")"
	done
	wait "$writer"
	echo "$n pages"
	[ "$n" -gt 3 ]
	seq 2000 >"$T/want"
	for ((i = 1; i <= n; i++)); do
		grep -q '<ul' "$T/page$i.list"
		eventually has_all "page$i"
		orders "page$i" | cmp - "$T/want"
	done
}

# Print the id that a page passes to its stream, and keep the page under another
# name, as the body of the stream has the same.
since() {
	mv "$T/$1.body" "$T/$1.list"
	sed -n 's/^<ul id="orders" data-since="\([0-9]*\)">$/\1/p' "$T/$1.list"
}

# Print the orders of a page and of its stream.
orders() {
	{
		sed -n 's/^<li id="order-\([0-9]*\)">.*/\1/p' "$T/$1.list"
		sed -n 's/^data: {"id":\([0-9]*\),.*/\1/p' "$T/$1.body"
	} | sort -n
}

has_all() {
	[ "$(orders "$1" | wc -l)" -ge 2000 ]
}

# ---- latest.sql -------------------------------------------------------------

@test "latest: the last event of each topic" {
	recipe latest
	[ "$(sql 'SELECT * FROM latest')" = '' ]
	five_rows
	[ "$(sql 'SELECT id, topic, data FROM latest ORDER BY topic')" = \
		$'5||five\n3|a|three\n4|ab|four\n2|b|two' ]
	sql "DELETE FROM events WHERE id IN (2, 3)"
	[ "$(sql 'SELECT id, topic, data FROM latest ORDER BY topic')" = \
		$'5||five\n1|a|one\n4|ab|four' ]
	recipe latest
}

@test "latest: the cost depends on the number of topics, not of events" {
	local few many
	recipe latest
	sql "INSERT INTO events(topic, data)
		SELECT value, 'x' FROM json_each('[1,2,3,4,5,6,7,8]')"
	few=$(steps)
	sql "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
			WHERE i < 20000)
		INSERT INTO events(topic, data) SELECT i % 8 + 1, 'x' FROM n"
	many=$(steps)
	echo "$few steps, $many steps"
	[ "$many" -le $((few * 3 / 2)) ]
	[ "$(sql 'SELECT count(*) FROM latest')" -eq 8 ]
}

steps() {
	sql '.stats vmstep' 'SELECT count(data) FROM latest' |
		sed -n 's/^VM-steps: //p'
}

@test "present: users of the last minute who have not left" {
	recipe latest
	sql "INSERT INTO events(topic, event, data, created_ms) VALUES
		('presence/ann', 'here', '', strftime('%s') * 1000),
		('presence/bob', 'here', '', strftime('%s') * 1000),
		('presence/cyd', 'here', '', strftime('%s') * 1000 - 90000),
		('presence/dan', 'here', '', strftime('%s') * 1000 - 30000),
		('presence0', 'here', '', strftime('%s') * 1000),
		('presence', 'here', '', strftime('%s') * 1000),
		('zoe', 'here', '', strftime('%s') * 1000)"
	sql "INSERT INTO events(topic, event, data) VALUES('presence/bob', 'gone', '')"
	[ "$(sql 'SELECT user FROM present ORDER BY 1')" = $'ann\ndan' ]
	sql "INSERT INTO events(topic, event, data) VALUES('presence/bob', 'here', '')"
	[ "$(sql 'SELECT user FROM present ORDER BY 1')" = $'ann\nbob\ndan' ]
}
