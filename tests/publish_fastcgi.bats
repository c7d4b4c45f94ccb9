#!/usr/bin/env bats
# The publisher as a FastCGI responder: many requests in one transaction; no
# request delays others.  Over nginx, which forwards bodies as they arrive.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load helpers
load servers
load publisher

# usage: serve_publisher [OPTION…]
serve_publisher() {
	# what waits for others to write waits as long as a test may take
	export ROWCAST_BUSY_MS=600000
	start_publisher "$@"
	start_nginx
	post_with_token -d data=first
	[ "$STATUS" = 201 ]
}

# Send a request in the background; its status goes to a file.
#   usage: post_later NAME CURL-OPTION…
post_later() {
	local name=$1
	shift
	curl -s -m "$WAIT" -o "$BATS_TEST_TMPDIR/$name.body" -w '%{http_code}' \
		-H "Authorization: Bearer $TOKEN" "$@" "$URL/publish" \
		>"$BATS_TEST_TMPDIR/$name.status" 3>&- &
	LATER+=("$!")
}

# usage: got_status NAME STATUS
got_status() {
	[ "$(cat "$BATS_TEST_TMPDIR/$1.status")" = "$2" ]
}

# ---- groups -----------------------------------------------------------------

@test "requests that wait at the same time are committed together" {
	serve_publisher
	hold
	local i before
	before=$(counter requests)
	LATER=()
	for i in {1..20}; do post_later "p$i" -d "data=row-$i"; done
	eventually counts requests $((before + 20))
	eventually counts locked 3
	before=$(counter groups)
	let_go
	wait "${LATER[@]}"
	for i in {1..20}; do got_status "p$i" 201; done
	[ "$(sql "SELECT count(DISTINCT data) FROM events
		WHERE data LIKE 'row-%'")" -eq 20 ]
	# all have arrived, but the last may be read after the lock is released
	[ "$(counter groups)" -le $((before + 3)) ]
	# each answer has its own id
	for i in {1..20}; do
		[ "$(cat "$BATS_TEST_TMPDIR/p$i.body")" = \
			"{\"id\":$(sql "SELECT id FROM events
				WHERE data = 'row-$i'")}" ]
	done
}

@test "a mistake in one request of a group does not affect the others" {
	serve_publisher
	post_with_token -d data=mine -d key=k
	hold
	local before
	before=$(counter requests)
	LATER=()
	post_later good1 -d data=good1
	post_later topic --data-binary $'data=x&topic=a%0Ab'
	post_later key -d data=other -d key=k
	post_later array -H 'Content-Type: application/json' \
		-d '[{"data":"a1"},{"data":"a2","event":""},{"data":"a3"}]'
	post_later lines -H 'Content-Type: application/x-ndjson' \
		--data-binary $'{"data":"l1"}\n{"data":"l2","event":""}\n{"data":"l3"}\n'
	post_later good2 -d data=good2
	eventually counts requests $((before + 6))
	let_go
	wait "${LATER[@]}"
	got_status good1 201
	got_status good2 201
	got_status topic 422
	got_status key 409
	got_status array 422
	got_status lines 422
	[ "$(sql "SELECT group_concat(data, ' ') FROM
		(SELECT data FROM events WHERE id > 2 ORDER BY data)")" = \
		'good1 good2 l1' ]
	grep -q 'Line 2: .*"last_id":' "$BATS_TEST_TMPDIR/lines.body"
}

@test "a trigger that rolls back does not affect others, and repeats nothing" {
	serve_publisher
	sql "CREATE TRIGGER app AFTER INSERT ON events WHEN NEW.topic = 'bad'
		BEGIN SELECT RAISE(ROLLBACK, 'the application says no'); END"
	hold
	local before name
	before=$(counter requests)
	LATER=()
	post_later a -d data=a
	post_later bad1 -d data=bad -d topic=bad
	post_later b -d data=b
	post_later bad2 -H 'Content-Type: application/json' \
		-d '[{"data":"x"},{"data":"y","topic":"bad"}]'
	post_later c -d data=c
	eventually counts requests $((before + 5))
	let_go
	wait "${LATER[@]}"
	for name in a b c; do got_status "$name" 201; done
	for name in bad1 bad2; do got_status "$name" 422; done
	[ "$(sql "SELECT group_concat(data, '') FROM
		(SELECT data FROM events ORDER BY data)")" = abcfirst ]
}

@test "an event that a trigger refuses or ignores does not affect others" {
	serve_publisher
	sql "CREATE TRIGGER app AFTER INSERT ON events WHEN NEW.topic = 'bad'
		BEGIN SELECT RAISE(FAIL, 'the application says no'); END;
		CREATE TRIGGER out BEFORE INSERT ON events WHEN NEW.topic = 'out'
		BEGIN SELECT RAISE(IGNORE); END"
	hold
	local before name
	before=$(counter requests)
	LATER=()
	post_later a -d data=a
	post_later bad -d data=bad -d topic=bad
	post_later out -d data=out -d topic=out
	post_later key -d data=out -d topic=out -d key=k
	post_later b -d data=b
	eventually counts requests $((before + 5))
	let_go
	wait "${LATER[@]}"
	for name in a b; do got_status "$name" 201; done
	for name in bad out key; do got_status "$name" 422; done
	grep -q 'a trigger of the log leaves it out' \
		"$BATS_TEST_TMPDIR/out.body"
	[ "$(sql "SELECT group_concat(data, '') FROM
		(SELECT data FROM events ORDER BY data)")" = abfirst ]
	post_with_token -d data=bad -d topic=bad
	[ "$STATUS" = 422 ]
	[ "$(sql "SELECT count(*) FROM events WHERE topic = 'bad'")" -eq 0 ]
}

@test "503 with Retry-After after waiting --busy-ms for other writers" {
	serve_publisher --busy-ms 300
	hold
	post_with_token -d data=x -d key=k
	[ "$STATUS" = 503 ]
	[ "$(header "$HEAD" retry-after)" = 1 ]
	let_go
	post_with_token -d data=x -d key=k
	[ "$STATUS" = 201 ]
	[ "$(sql "SELECT count(*) FROM events WHERE key = 'k'")" -eq 1 ]
}

@test "a request without access is refused at once while the log is locked" {
	serve_publisher --busy-ms 60000
	hold
	LATER=()
	post_later waits -d data=x
	post -d data=stranger
	[ "$STATUS" = 401 ]
	let_go
	wait "${LATER[@]}"
	got_status waits 201
}

# ---- slow clients -----------------------------------------------------------

# The same as with 9 workers or more and the default of 512.
@test "connections that one worker of nginx keeps leave places for the others" {
	local workers i
	sed -i 's/^worker_processes .*/worker_processes 2;/' "$SITE/nginx-example.conf"
	serve_publisher --max-connections 40
	mapfile -t workers < <(pgrep -P "$SERVER_PID")
	[ "${#workers[@]}" -eq 2 ]
	# all requests go to the first one
	kill -STOP "${workers[1]}"
	hold
	LATER=()
	for i in {1..48}; do
		post_later "p$i" -d data=x
	done
	eventually counts connections 40
	let_go
	wait "${LATER[@]}"
	kill -CONT "${workers[1]}"
	kill -STOP "${workers[0]}"
	post_with_token -d data=y
	kill -CONT "${workers[0]}"
	[ "$STATUS" = 201 ]
}

@test "a body that trickles in delays no other request" {
	serve_publisher
	open_body -X POST -H 'Content-Type: text/plain'
	printf 'a' >&5
	post_with_token -d data=meanwhile
	[ "$STATUS" = 201 ]
	printf 'b' >&5
	post_with_token -d data=again
	[ "$STATUS" = 201 ]
	exec 5>&-
	wait "$BODY_PID"
	[ "$(cat "$BATS_TEST_TMPDIR/body.answer")" = '{"id":4}' ]
	[ "$(sql 'SELECT data FROM events WHERE id = 4')" = ab ]
}

@test "408 for a body without a byte for --idle-s" {
	serve_publisher --idle-s 1
	open_body -X POST -H 'Content-Type: application/x-ndjson'
	printf '{"data":"a"}\n{"da' >&5
	eventually grep -q '"status":408' "$BATS_TEST_TMPDIR/body.answer"
	exec 5>&-
	grep -q '"events":1,"last_id":2' "$BATS_TEST_TMPDIR/body.answer"
	[ "$(sql 'SELECT count(*) FROM events')" -eq 2 ]
}

@test "a refusal is answered although the body has no end" {
	serve_publisher
	open_body -X POST -H 'Content-Type: application/x-ndjson'
	printf '{"data":"a"}\nnonsense\n' >&5
	eventually grep -q '"status":400' "$BATS_TEST_TMPDIR/body.answer"
	grep -q 'Line 2: .*"events":1' "$BATS_TEST_TMPDIR/body.answer"
	exec 5>&-
	rm "$BATS_TEST_TMPDIR/body.fifo"
	TOKEN=wrong open_body -X POST -H 'Content-Type: application/x-ndjson'
	printf '{"data":"b"}\n' >&5
	eventually grep -q '"status":401' "$BATS_TEST_TMPDIR/body.answer"
	exec 5>&-
	[ "$(sql 'SELECT count(*) FROM events')" -eq 2 ]
}

# Bodies that never end, and clients that stay: each refusal must leave its place
# to the next one.  If each kept it for a second, they would take too long.
@test "a refused request frees its place at once" {
	local i fd line end=$((SECONDS + WAIT)) wanted=$((WAIT + 10)) n=0
	serve_publisher --max-connections 4
	for ((i = 0; i < wanted && SECONDS < end; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
		printf '%s\r\n' 'POST /publish HTTP/1.1' 'Host: 127.0.0.1' \
			'Content-Type: text/plain' 'Content-Length: 9' '' a >&"$fd"
		read -r -t "$WAIT" line <&"$fd"
		[[ $line == 'HTTP/1.1 401 '* ]]
		n=$((n + 1))
	done
	[ "$n" -eq "$wanted" ]
	post_with_token -d data=next
	[ "$STATUS" = 201 ]
}

@test "a client that disconnects within a body leaves nothing behind" {
	serve_publisher
	local i before
	before=$(descriptors "$PUBLISHER_PID")
	open_body -X POST -H 'Content-Type: text/plain'
	printf 'some' >&5
	eventually counts requests 2
	kill -KILL "$BODY_PID"
	exec 5>&-
	eventually has_at_most_connections 0
	[ "$(descriptors "$PUBLISHER_PID")" -le "$before" ]
	[ "$(sql 'SELECT count(*) FROM events')" -eq 1 ]
	post_with_token -d data=next
	[ "$STATUS" = 201 ]
}

has_at_most_connections() {
	[ "$(counter connections)" -le "$1" ]
}

@test "413 for a body over the bound, whatever its announced length" {
	serve_publisher --max-body-bytes 1000
	head -c 200000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/large"
	post_with_token -H 'Content-Type: text/plain' \
		--data-binary "@$BATS_TEST_TMPDIR/large"
	[ "$STATUS" = 413 ]
	post_with_token -H 'Content-Type: text/plain' \
		-H 'Transfer-Encoding: chunked' \
		--data-binary "@$BATS_TEST_TMPDIR/large"
	[ "$STATUS" = 413 ]
	post_with_token -d data=next
	[ "$STATUS" = 201 ]
}

# ---- the log ----------------------------------------------------------------

@test "after a replacement, events go to the new log" {
	serve_publisher
	sqlite3 "$SITE/build/run/new.db" <"$ROOT/sql/schema.sql" >/dev/null
	sqlite3 "$SITE/build/run/new.db" "INSERT INTO events(data) VALUES('new')"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$SITE"/build/run/new.db*
	sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	rm -f "$DB-wal" "$DB-shm"
	mv "$SITE/build/run/new.db" "$DB"
	post_with_token -d data=second
	[ "$STATUS" = 201 ]
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = 'new second' ]
}

@test "500 while the log cannot be opened, then it is opened" {
	serve_publisher
	sql 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	rm -f "$DB-wal" "$DB-shm"
	mv "$DB" "$DB.away"
	echo 'this is no database, however long one looks at it' >"$DB"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$DB"
	post_with_token -d data=lost
	cat "$LOGS/publisher"
	[ "$STATUS" = 500 ]
	grep -q 'log: .*events.db' "$LOGS/publisher"
	mv "$DB.away" "$DB"
	post_with_token -d data=kept
	[ "$STATUS" = 201 ]
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = 'first kept' ]
}

@test "a log that is removed is created again" {
	serve_publisher
	rm -f "$DB" "$DB-wal" "$DB-shm"
	post_with_token -d data=second
	[ "$STATUS" = 201 ]
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = second ]
}

# ---- start and end ----------------------------------------------------------

@test "SIGTERM: waiting requests are answered, unfinished bodies get 503" {
	serve_publisher
	open_body -X POST -H 'Content-Type: application/x-ndjson'
	printf '{"data":"a"}\n' >&5
	eventually has_rows 2
	hold
	local before
	before=$(counter requests)
	LATER=()
	post_later waits -d data=waits
	eventually counts requests $((before + 1))
	kill "$PUBLISHER_PID"
	let_go
	wait "${LATER[@]}"
	got_status waits 201
	eventually gone "$PUBLISHER_PID"
	eventually grep -q '"status":503' "$BATS_TEST_TMPDIR/body.answer"
	exec 5>&-
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = 'first a waits' ]
}

@test "SIGTERM while the log is locked: waiting requests get 503" {
	serve_publisher --busy-ms 60000
	hold
	local before
	before=$(counter requests)
	LATER=()
	post_later waits -d data=waits
	eventually counts requests $((before + 1))
	kill "$PUBLISHER_PID"
	wait "${LATER[@]}"
	got_status waits 503
	let_go
	eventually gone "$PUBLISHER_PID"
	[ "$(sql 'SELECT count(*) FROM events')" -eq 1 ]
}

has_rows() {
	[ "$(sql 'SELECT count(*) FROM events')" -ge "$1" ]
}

@test "kill -9 under load loses no acknowledged event" {
	serve_publisher
	local round pids i
	for round in 1 2 3; do
		pids=()
		for i in 1 2 3 4; do
			publish_on "$round-$i" 3>&- &
			pids+=("$!")
		done
		STARTED+=("${pids[@]}")
		eventually has_rows $((round * 20))
		kill -KILL "$PUBLISHER_PID"
		wait "${pids[@]}"
		wait "$PUBLISHER_PID" || :
		start_publisher
	done
	cat "$BATS_TEST_TMPDIR"/acknowledged.* | sort >"$BATS_TEST_TMPDIR/acked"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/acked")" -ge 30 ]
	sql "SELECT id || ' ' || data FROM events" | sort |
		comm -13 - "$BATS_TEST_TMPDIR/acked" >"$BATS_TEST_TMPDIR/lost"
	cat "$BATS_TEST_TMPDIR/lost"
	[ ! -s "$BATS_TEST_TMPDIR/lost" ]
}

# Publish one event after the other until one is not answered.
publish_on() {
	local i id
	for ((i = 0; i < 10000; i++)); do
		id=$(curl -sf -m "$WAIT" -H "Authorization: Bearer $TOKEN" \
			-d "data=$1-$i" "$URL/publish") || return 0
		id=${id//[^0-9]/}
		echo "$id $1-$i" >>"$BATS_TEST_TMPDIR/acknowledged.$1"
	done
}

@test "a log that cannot be opened is reported at the start" {
	mkdir "$SITE/build/run/x"
	DB=$SITE/build/run/x/none/events.db
	start_publisher --db "$DB"
	grep -F "log: $DB: unable to open database file: there is no folder" \
		"$LOGS/publisher"
	grep -q '; requests are answered 500 until it can be opened$' \
		"$LOGS/publisher"
}

@test "started by hand without a socket, it prints what to do" {
	cd "$SITE"
	run -2 build/rowcast-publish.cgi --db build/run/events.db
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *--socket* ]]
	run -2 build/rowcast-publish.cgi --db build/run/events.db --socket x:
	[[ $output == *'config: --socket: x:: the port must be a number from 1 to 65535'* ]]
	run -2 build/rowcast-publish.cgi --db x --socket s --socket-mode 999
	[[ $output == *'socket-mode: '*octal* ]]
	run -2 build/rowcast-publish.cgi --db x --socket s --synchronous off
	[[ $output == *'synchronous: '*'full or normal'* ]]
}
