#!/usr/bin/env bats
# The cost of retention, the work of sql/prune.sql in one run, and the notices
# to clients.

load stream

setup() {
	site_new
	make_log
}

# Insert N rows of a topic in one statement.
#   usage: insert N TOPIC [CREATED_MS]
insert() {
	sql "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
			WHERE i < $1)
		INSERT INTO events(topic, data, created_ms)
		SELECT '$2', printf('%100d', i),
			${3:-strftime('%s') * 1000} FROM n"
}

rows() {
	sql "SELECT count(*) FROM events ${1:-}"
}

removals() {
	sql 'SELECT removals FROM events_log'
}

prune() {
	(as_site sqlite3 -bail -cmd '.timeout 5000' "$DB") <"$ROOT/sql/prune.sql"
}

# Print the VM steps of one insert into a topic.
steps() {
	sql '.stats vmstep' "INSERT INTO events(topic, data) VALUES('$1', 'x')" |
		sed -n 's/^VM-steps: //p'
}

# ---- the cost of an insert --------------------------------------------------

@test "an insert removes a few rows of a rule, also of many" {
	local before after
	insert 5000 a
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 10)"
	[ "$(rows)" -eq 5000 ]
	before=$(removals)
	insert 1 a
	after=$(removals)
	[ "$((after - before))" -eq 8 ]
	insert 1 b
	[ "$(removals)" -eq $((after + 8)) ]
	# so it comes to an end
	insert 800 a
	[ "$(rows)" -eq 10 ]
}

@test "the cost of an insert does not depend on the length of the log" {
	local rule few many
	for rule in '*' a 'a*'; do
		sql 'DELETE FROM events; DELETE FROM retention'
		insert 100 a
		insert 100 b
		sql "INSERT INTO retention VALUES('$rule', 50, 60, 3000)"
		few=$(steps a)
		insert 20000 b
		insert 20000 a
		many=$(steps a)
		echo "$rule: $few steps, $many steps"
		[ "$many" -le $((few * 3 / 2)) ]
	done
}

@test "the cost of an insert does not depend on rows of other topics" {
	local steps=0 most=0 i
	insert 3 a/1
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('a/*', 3)"
	insert 20000 b
	insert 1 a/2
	insert 20000 b
	sql "DELETE FROM events WHERE topic = 'a/1'"
	insert 3 a/3
	for i in 1 2 3 4 5 6 7 8; do
		steps=$(steps b)
		((steps <= most)) || most=$steps
	done
	echo "$most steps"
	[ "$most" -le 5000 ]
	[ "$(rows "WHERE topic GLOB 'a/*'")" -eq 4 ]
	# each insert searches a little further, until one finds it
	insert 500 b
	[ "$(rows "WHERE topic GLOB 'a/*'")" -eq 3 ]
}

@test "the search for late rows costs an insert no more, however long the log" {
	local rule steps most i
	for rule in '*' a 'a*'; do
		sql 'DELETE FROM events; DELETE FROM retention'
		insert 200 a "(strftime('%s') + 86400) * 1000" # a clock was ahead
		insert 20000 a
		sql "INSERT INTO retention VALUES('$rule', NULL, 3600, NULL)"
		insert 1 b # looks at the first rows, too
		most=0
		for i in 1 2 3 4 5 6 7 8; do
			steps=$(steps b)
			((steps <= most)) || most=$steps
		done
		echo "$rule: $most steps"
		[ "$most" -le 5000 ]
		# it has an end, and then nothing is left to do
		insert 500 b
		[ "$(steps b)" -le 500 ]
		[ "$(rows)" -eq 20710 ]
	done
}

@test "prune.sql removes old rows behind many of the future" {
	insert 3000 a "(strftime('%s') + 86400) * 1000"
	insert 2500 a "(strftime('%s') - 7200) * 1000"
	insert 3000 a
	sql "INSERT INTO retention(topic_pattern, max_age_s)
		VALUES('*', 3600), ('a', 3600)"
	until [ "$(prune)" = 0 ]; do :; done
	[ "$(rows)" -eq 6000 ]
}

@test "without rules, an insert costs hardly more" {
	local with without
	with=$(steps a)
	sql 'DROP TRIGGER events_retain'
	without=$(steps a)
	echo "$without steps, $with steps"
	[ "$with" -le $((without + 15)) ]
}

@test "freed pages are used again: the file does not grow" {
	local i pages
	sql "INSERT INTO retention VALUES('*', 1000, 86400, 1000000)"
	for i in 1 2; do insert 1000 "a/$i"; done
	pages=$(sql 'PRAGMA page_count')
	for i in 1 2 3 4 5 6 7 8; do insert 1000 "a/$i"; done
	[[ $(rows) == @(999|1000) ]]
	echo "$pages pages, $(sql 'PRAGMA page_count')"
	[ "$(sql 'PRAGMA page_count')" -le $((pages + 2)) ]
}

# ---- sql/prune.sql ----------------------------------------------------------

@test "prune.sql removes at most 1,000 rows of a rule in one run" {
	insert 2500 a
	insert 700 b
	sql "INSERT INTO retention(topic_pattern, max_rows)
		VALUES('a', 100), ('b*', 100)"
	[ "$(prune)" = 1 ]
	[ "$(rows)" -eq 1600 ]
	[ "$(prune)" = 1 ]
	[ "$(prune)" = 0 ]
	[ "$(sql 'SELECT topic, count(*), min(id) FROM events GROUP BY 1')" = \
		$'a|100|2401\nb|100|3101' ]
	[ "$(prune)" = 0 ]
	[ "$(removals)" -eq 3000 ]
}

@test "the loop of prune.sql removes all that is due, and ends at an error" {
	local loop
	loop=$(sed -n '/^--  *while /,/^--  *done/s/^-- *//p' "$ROOT/sql/prune.sql")
	[[ $loop == while*events.db* ]]
	loop=${loop/events.db/\"$DB\"}
	loop=${loop/prune.sql/\"$ROOT/sql/prune.sql\"}
	insert 2500 a
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('a', 100)"
	(as_site timeout 20 sh -c "$loop")
	[ "$(rows)" -eq 100 ]
	sql 'DROP VIEW events_kept'
	(as_site timeout 20 sh -c "$loop")
}

@test "prune.sql removes rows that are too old, also the last one" {
	insert 20 a 1000
	insert 5 b
	sql "INSERT INTO retention(topic_pattern, max_age_s)
		VALUES('*', 60), ('none', 60)"
	[ "$(prune)" = 0 ]
	[ "$(sql 'SELECT group_concat(id) FROM events')" = 21,22,23,24,25 ]
	sql 'DROP TRIGGER events_never_change;
		UPDATE events SET created_ms = created_ms - 61000;
		UPDATE events_retained SET due_ms = due_ms - 61000'
	[ "$(prune)" = 0 ]
	[ "$(rows)" -eq 0 ]
	insert 1 a
	[ "$(sql 'SELECT id FROM events')" -eq 26 ]
}

@test "prune.sql finds rows far behind others" {
	insert 2 a/1
	insert 20000 b
	insert 2 a/2
	insert 20000 b
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('a/*', 1)"
	until [ "$(prune)" = 0 ]; do :; done
	[ "$(sql "SELECT id FROM events WHERE topic GLOB 'a*'")" = 20004 ]
}

@test "prune.sql ends, even if the counters are wrong" {
	insert 10 a
	insert 10 b
	sql "INSERT INTO retention VALUES('a', 5, NULL, 100), ('b*', 5, 60, NULL)"
	sql "UPDATE events_retained SET kept_rows = 1000000, kept_bytes = 1000000"
	until [ "$(prune)" = 0 ]; do :; done
	[ "$(sql 'SELECT sum(kept_rows), sum(kept_bytes) FROM events_retained')" = \
		'0|0' ]
	# a rule that counts too many keeps too few; to have it count again:
	# UPDATE retention SET max_rows = max_rows
	sql 'DROP TRIGGER events_remember_removed'
	insert 5 a
	sql 'DELETE FROM events'
	sql 'UPDATE retention SET max_bytes = NULL'
	insert 5 a
	[ "$(rows)" -eq 5 ]
}

@test "prune.sql without rules does nothing" {
	insert 10 a
	[ "$(prune)" = 0 ]
	[ "$(rows)" -eq 10 ]
}

# ---- notices to clients -----------------------------------------------------

@test "only a client that reconnects before pruned rows gets stream-gap" {
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('a', 2)"
	serve
	sql "INSERT INTO events(topic, data) VALUES
		('a', 'one'), ('b', 'two'), ('a', 'three'), ('a', 'four'), ('a', 'five')"
	open_stream all since=1
	brings all $' stream-gap {"after":1,"next":4}\n2 message two\n4 message four\n5 message five'
	open_stream a 'since=2&topic=a'
	brings a $' stream-gap {"after":2,"next":4}\n4 message four\n5 message five'
	open_stream b 'since=0&topic=b'
	brings b '2 message two'
	open_stream current since=3
	brings current $'4 message four\n5 message five'
}

@test "a live client sees no gap, however much is pruned behind it" {
	local i
	sql "INSERT INTO retention VALUES('*', 3, 60, 100)"
	serve
	open_stream a
	open_stream b 'topic=t*'
	for ((i = 1; i <= 40; i++)); do
		sql "INSERT INTO events(topic, data) VALUES('t$((i % 7))', '$i')"
	done
	eventually got a 'data: 40'
	eventually got b 'data: 40'
	run ! got a stream-
	run ! got b stream-
	[ "$(events a | cut -d ' ' -f 3 | tr '\n' ' ')" = "$(seq -s ' ' 40) " ]
	cmp "$T/a.body" "$T/b.body"
	[ "$(rows)" -eq 3 ]
}

@test "a client that reconnects within the kept rows misses nothing" {
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 5)"
	serve
	insert 20 a
	open_stream a '' -H 'Last-Event-ID: 15'
	eventually got a 'id: 20'
	run ! got a stream-gap
	[ "$(events a | cut -d ' ' -f 1 | tr '\n' ' ')" = '16 17 18 19 20 ' ]
}

@test "rows pruned in the transaction that inserted them are a gap" {
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 2)"
	serve
	open_stream a
	insert 5 a
	eventually got a 'id: 5'
	[ "$(events a | head -n 1)" = ' stream-gap {"after":0,"next":4}' ]
}

@test "the records of removed topics are removed in the end" {
	local i
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('*', 1)"
	for i in 1 2 3 4 5 6; do
		sql "INSERT INTO events(id, topic, data) VALUES
			($((i * 60000)), 'a/$i', ''), ($((i * 60000 + 1)), 'b/$i', '')"
	done
	insert 1 now
	# known are those among the last 100,000 ids
	[ "$(sql 'SELECT topic, id FROM events_removed ORDER BY id')" = \
		$'a/5|300000\nb/5|300001\na/6|360000\nb/6|360001' ]
	[ "$(sql 'SELECT forgotten FROM events_log')" -eq 240001 ]
	sql 'DELETE FROM events'
	sql "INSERT INTO events(topic, data) VALUES('now', '')"
}

@test "a client that was away for that long gets stream-gap for any topic" {
	sql "INSERT INTO events(topic, data) VALUES('a', 'one'), ('a', 'two'),
		('c', 'three')"
	sql "INSERT INTO events(id, topic, data) VALUES(200000, 'b', 'four'),
		(200001, 'c', 'five')"
	sql 'DELETE FROM events WHERE id = 1'
	serve
	# known: only topic a
	open_stream a 'since=0&topic=a'
	open_stream c 'since=0&topic=c'
	brings a $' stream-gap {"after":0,"next":2}\n2 message two'
	brings c $'3 message three\n200001 message five'
	# the removal of row 200,000 makes the log forget a's
	sql 'DELETE FROM events WHERE id = 200000'
	[ "$(sql 'SELECT topic FROM events_removed')" = b ]
	eventually says_gap topic=a
	eventually says_gap topic=c
	eventually says_gap 'topic=c*'
	open_stream c1 'since=1&topic=c'
	open_stream c2 'since=1&topic=c*'
	brings c1 $'3 message three\n200001 message five'
	brings c2 $'3 message three\n200001 message five'
}

@test "a live stream also gets stream-gap, before the topic was seen" {
	serve
	open_stream a topic=a
	open_stream prefix 'topic=a*'
	open_stream c topic=c
	sql "BEGIN;
		INSERT INTO events(id, topic, data) VALUES(1, 'a', ''),
			(200000, 'b', ''), (200001, 'a', 'now'), (200002, 'c', 'now');
		DELETE FROM events WHERE id = 1;
		DELETE FROM events WHERE id = 200000;
		COMMIT"
	brings a $' stream-gap {"after":0,"next":200001}\n200001 message now'
	brings prefix $' stream-gap {"after":0,"next":200001}\n200001 message now'
	eventually got c 'data: now'
}

# usage: says_gap TOPIC=…
says_gap() {
	open_stream gap "since=0&$1" || return 1
	[ "$(events gap | head -n 1)" = ' stream-gap {"after":0,"next":2}' ]
}
