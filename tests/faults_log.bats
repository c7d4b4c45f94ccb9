#!/usr/bin/env bats
# Other work on the file of the log: locks, checkpoints, housekeeping, copies,
# removals, permissions.

load oracle
SECTION='The log file'

# Insert rows before the fault.
#   usage: grow ROWS BYTES
grow() {
	[ -e "$DB" ] || make_log
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < $1)
		INSERT INTO events(topic, data)
			SELECT 'grown', hex(zeroblob($2 / 2)) FROM n"
}

# Run SQL N times, in one shell that waits for locks; its output goes to
# $T/again.
#   usage: again_and_again N SQL
again_and_again() {
	local i
	for ((i = 0; i < $1; i++)); do echo "$2;"; done >"$T/again.sql"
	chmod a+r "$T/again.sql"
	sql ".read $T/again.sql" >"$T/again"
}

# No client may have received a notice.
only_events() {
	[ "$GAPS" -eq 0 ]
	[ "$RESETS" -eq 0 ]
	[ "$REFUSED" -eq 0 ]
}

now_ms() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# ---- locks ------------------------------------------------------------------

@test "the write lock is held for seconds" {
	local kind slowest i
	fault 'a program holds the write lock for a second, repeatedly' \
		'streams open and continue; publishers wait, or receive 503 and try again; nothing is lost'
	export ROWCAST_BUSY_MS=700
	make_log
	sql "INSERT INTO events(data) VALUES('first')"
	serve
	oracle_start --churn 6:200
	publishers_start
	published 10
	open_shell
	for ((i = 0; i < $(rounds 1 10); i++)); do
		for kind in IMMEDIATE EXCLUSIVE; do
			tell "BEGIN $kind"
			tell "INSERT INTO events(data) VALUES('held')"
			rm -f "$O/refused-publishes"
			until refused_by 503 web cgi; do opens_quickly; done
			tell COMMIT
			published 10
		done
	done
	close_shell
	oracle_end
	only_events
	slowest=$(sort -n "$T/openings" | tail -n 1)
	saw "$ROWS rows; $(wc -l <"$T/openings") streams opened under the lock, the slowest in $slowest ms"
}

# Open a stream and close it after the first row.
opens_quickly() {
	local began
	began=$(now_ms)
	rm -f "$T/opened.body"
	stream opened since=0
	eventually got opened 'data: first'
	echo $(($(now_ms) - began)) >>"$T/openings"
	stop "$STREAM_PID"
}

# ---- housekeeping -----------------------------------------------------------

@test "repeated checkpoints" {
	local n whole
	n=$(rounds 200 5000)
	fault 'continuous checkpoints' 'no client is affected'
	serve
	oracle_start --churn 6:200 --trickle 2:20
	publishers_start
	published 20
	again_and_again "$n" 'PRAGMA wal_checkpoint(TRUNCATE);
		PRAGMA wal_checkpoint(RESTART)'
	published 20
	oracle_end
	only_events
	no_refusals
	whole=$(grep -c '^0' "$T/again")
	[ "$whole" -gt "$n" ]
	saw "$ROWS rows, $((2 * n)) checkpoints, $whole of them complete"
}

@test "repeated VACUUM, ANALYZE and REINDEX" {
	local n
	n=$(rounds 15 500)
	fault 'continuous VACUUM, ANALYZE and REINDEX' \
		'publishers wait; streams continue'
	grow 5000 400
	serve
	oracle_start --churn 6:200 --trickle 2:20
	publishers_start
	published 20
	again_and_again "$n" 'VACUUM; ANALYZE; REINDEX'
	published 20
	oracle_end
	only_events
	no_refusals
	"$BUILD/rowcast" check --full --db "$DB"
	saw "$ROWS rows, $n rounds"
}

@test "copies: .backup and VACUUM INTO" {
	local i n copy
	n=$(rounds 5 100)
	fault 'the log is copied by .backup and VACUUM INTO' \
		'each copy is a sound log with all rows up to its end; no client is affected'
	grow 5000 400
	serve
	oracle_start --churn 6:200
	publishers_start
	published 21
	for ((i = 0; i < n; i++)); do
		sql ".backup '$SITE/backup$i.db'"
		sql "VACUUM INTO '$SITE/vacuum$i.db'"
	done
	published 20
	oracle_end
	only_events
	no_refusals
	for copy in "$SITE"/backup*.db "$SITE"/vacuum*.db; do
		is_whole_copy "$copy"
	done
	saw "$ROWS rows, $((2 * n)) copies of $(stat -c %s "$copy") bytes, all sound"
}

# Succeeds if this copy is a valid log, equal to the log up to its end.
is_whole_copy() {
	"$BUILD/rowcast" check --full --db "$1"
	[ "$(sql "ATTACH '$1' AS copy; SELECT count(*) > 5020 FROM copy.events;
		SELECT count(*) FROM (SELECT * FROM main.events WHERE id <=
				(SELECT max(id) FROM copy.events)
			EXCEPT SELECT * FROM copy.events);
		SELECT count(*) FROM (SELECT * FROM copy.events
			EXCEPT SELECT * FROM main.events)")" = $'1\n0\n0' ]
}

@test "a read transaction that does not end" {
	local wal i
	fault 'a program keeps a read transaction open' \
		'streams continue; the WAL grows until the transaction ends'
	serve
	oracle_start --churn 6:200
	publishers_start
	published 10
	open_shell
	tell 'BEGIN'
	tell 'SELECT count(*) FROM events'
	published 20
	sql 'CREATE TABLE other (bytes)' 'WITH RECURSIVE n(i) AS (
			SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
		INSERT INTO other SELECT randomblob(10000) FROM n'
	published 20
	[[ $(sql 'PRAGMA wal_checkpoint(TRUNCATE)') == 1* ]]
	wal=$(stat -c %s "$DB-wal")
	[ "$wal" -gt 10000000 ]
	tell COMMIT
	close_shell
	published 20
	eventually wal_is_emptied
	oracle_end
	only_events
	saw "$ROWS rows, a WAL of $((wal / 1000000)) MB, then of 0"
}

wal_is_emptied() {
	[[ $(sql 'PRAGMA wal_checkpoint(TRUNCATE)') == 0* ]]
}

# ---- removals ---------------------------------------------------------------

@test "retention removes rows, and clients reconnect late" {
	fault 'retention removes rows while clients are away' \
		'each receives exactly its own gap; other clients receive none'
	serve
	oracle_witness
	sql "INSERT INTO retention(topic_pattern, max_rows) VALUES('orders/*', 6),
		('news', 6)"
	oracle_start --churn 6:200
	publishers_start
	published 20
	oracle_leave
	published "$(rounds 60 1000)"
	oracle_return --churn 6:200 --stall 10:1000
	published 60
	oracle_end
	[ "$GAPS" -gt 0 ]
	[ "$RESETS" -eq 0 ]
	[ "$REFUSED" -eq 0 ]
	saw "$ROWS rows, $(sql 'SELECT removals FROM events_log') removed; $GAPS gaps sent, all exact"
}

# ---- permissions and names --------------------------------------------------

@test "the files can no longer be read or written" {
	fault 'chmod 000 of the log and its WAL, then back' \
		'programs that have it open continue; others wait or receive 500, and try again'
	serve
	oracle_start --churn 6:200
	publishers_start
	published 20
	chmod 000 "$DB" "$DB-wal" "$DB-shm"
	eventually refused_by 500 cgi
	published 10
	chmod 660 "$DB" "$DB-wal" "$DB-shm"
	published 20
	oracle_end
	only_events
	saw "$ROWS rows; $(grep -c . "$O/refused-publishes") publishes refused"
}

# Start lighttpd with a log in its own folder.
serve_folder() {
	DB=$SITE/build/run/log/events.db
	mkdir "${DB%/*}"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "${DB%/*}"
	sed -i 's|^var.rowcast_db = .*|var.rowcast_db = var.rowcast_run + "/log/events.db"|' \
		"$SITE/lighttpd-example.conf"
	serve
}

@test "the folder is renamed away, and back" {
	fault "the log's folder is renamed for a while" \
		'streams continue; publishers receive 500 and try again'
	serve_folder
	oracle_start --churn 6:200
	publishers_start
	published 20
	mv "${DB%/*}" "${DB%/*}.away"
	eventually refused_by 500 web cgi
	mv "${DB%/*}.away" "${DB%/*}"
	published 20
	oracle_end
	only_events
	saw "$ROWS rows; $(grep -c . "$O/refused-publishes") publishes refused"
}
