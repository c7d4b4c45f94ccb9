#!/usr/bin/env bats
# The file of the log is truncated or overwritten under load; then a good copy
# replaces it.

load oracle
SECTION='The log is damaged'

setup() {
	site_new
	SEED=${SEED:-$RANDOM}
	echo "# SEED=$SEED"
}

# Print random bytes that depend on SEED only.
#   usage: garbage BYTES
garbage() {
	SEED=$((SEED + 1))
	LC_ALL=C awk -v seed="$SEED" -v n="$1" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++) printf "%c", int(rand() * 256)
	}'
}

# Pause the publishers, copy the log, damage it, check the streams, and put the
# copy in its place.  Appends the events of streams that were opened meanwhile
# to $T/came.
#   usage: damaged COMMAND…
damaged() {
	publishers_pause web cgi sql
	sql ".backup '$SITE/copy.db'"
	oracle_past
	"$@"
	: >"$O/refused-publishes"
	rm -rf "$T/said"
	cp -R "$LOGS" "$T/said"
	publishers_resume
	eventually shows
	publishers_pause web cgi sql
	cat "$O/refused-publishes" >>"$T/refused"
	oracle_void
	rm -f "$DB-wal" "$DB-shm"
	mv "$SITE/copy.db" "$DB"
	publishers_resume
	published 9
}

# Succeeds if a program has reported the damage.  Streams read all of the log.
shows() {
	open_some
	said_since | sed 's/.*events.db: //' | grep -E \
		'malformed|not a database|disk I/O|is empty, but|no such table'
}

# Print the lines added to the server logs since they were copied.
said_since() {
	local log before
	for log in "$LOGS"/*; do
		before=$(stat -c %s "$T/said/${log##*/}" 2>/dev/null) || before=0
		tail -c "+$((before + 1))" "$log"
	done
}

# Open streams; those that do not end are closed a second after their answer.
open_some() {
	local query status n=0 pids=()
	for query in '' since=0 since=5 'topic=news' 'topic=news&since=1'; do
		n=$((n + 1))
		rm -f "$T/some$n".*
		stream "some$n" "$query"
		pids+=("$STREAM_PID")
	done
	for n in 1 2 3 4 5; do
		eventually is_answered "$n" "${pids[n - 1]}"
	done
	wait_until 1 gone "${pids[@]}" || kill "${pids[@]}" 2>/dev/null || :
	wait "${pids[@]}" || :
	for n in 1 2 3 4 5; do
		status=$(head -n 1 "$T/some$n.head" 2>/dev/null | cut -d ' ' -f 2)
		echo "${status:-none}" >>"$T/statuses"
		# the last one may be cut off
		events "some$n" | sed '$d' >>"$T/came"
	done
}

# Succeeds if the stream has the head of an answer, or has ended.
is_answered() {
	grep -qs '^.$' "$T/some$1.head" || gone "$2"
}

# No stream may have an event that was never in the log, and no client may be
# refused, which would end an EventSource.
nothing_false() {
	local LC_ALL=C
	[ "$REFUSED" -eq 0 ]
	[ "$(sort -u "$T/statuses")" = 200 ]
	[ "$GAPS" -eq 0 ]
	sqlite3 "$O/witness.db" "SELECT id || ' ' || event || ' ' || data
		FROM past UNION SELECT id || ' ' || event || ' ' || data
		FROM witness" | sort >"$T/rows"
	# events stored while the log was damaged cannot be looked up
	sort -u "$T/came" | grep -avE ' (web|cgi|sql)-[0-9]+( +x)?$' |
		comm -23 - "$T/rows" >"$T/false"
	head -n 5 "$T/false" | tr -cd '[:print:]\n' | cut -c 1-200
	[ ! -s "$T/false" ]
}

# Insert more events than a responder keeps in memory, so that clients that
# begin at the first ones are served from the log.
begin() {
	make_log
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 2000)
		INSERT INTO events(topic, data)
			SELECT 'news', printf('row %100d', i) FROM n"
	serve ROWCAST_TAIL_KB=64 ROWCAST_REPLAY_KB=64
	oracle_start
	publishers_start
	published 9
}

# Move all pages into the file.
empty_wal() {
	publishers_pause web cgi sql
	forget_pages
	eventually wal_is_empty
}

# The program with the last commit has the pages in its cache and could write
# them over the damage: let another one commit.
forget_pages() {
	sql "INSERT INTO events(topic, data) VALUES('news', 'no more for now')"
}

wal_is_empty() {
	[[ $(sql 'PRAGMA wal_checkpoint(TRUNCATE)') == 0* ]]
}

# usage: overwrite FILE OFFSET BYTES
overwrite() {
	garbage "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# ---- the file ---------------------------------------------------------------

@test "the file is cut off" {
	local i n
	n=$(rounds 1 20)
	fault 'the log is truncated to nothing or to half, then replaced by a good copy' \
		'nothing false is sent; streams wait, publishers receive 500; with a good copy everything continues'
	begin
	for ((i = 0; i < n; i++)); do
		empty_wal
		damaged truncate -s 0 "$DB"
		empty_wal
		damaged truncate -s "$(($(stat -c %s "$DB") / 2))" "$DB"
	done
	oracle_end
	nothing_false
	saw "truncated $((2 * n)) times, $(wc -l <"$T/came") events sent meanwhile, all true; $(grep -c . "$T/refused") publishes refused"
}

# Print the number of a page of this kind.
#   usage: page_of WHERE
page_of() {
	sql "SELECT pageno FROM dbstat WHERE $1 ORDER BY pageno
		LIMIT 1 OFFSET (SELECT count(*) FROM dbstat WHERE $1) / 2"
}

@test "a page is overwritten" {
	local i n what
	n=$(rounds 1 20)
	sqlite3 :memory: 'SELECT * FROM dbstat' ||
		skip 'this sqlite3 has no dbstat'
	fault 'a page is overwritten with garbage: of the table, its root, an index, the header, the schema' \
		'nothing false is sent; streams wait, publishers receive 500; with a good copy everything continues'
	begin
	for ((i = 0; i < n; i++)); do
		for what in "name = 'events' AND pagetype = 'leaf'" \
			"name = 'events' AND path = '/'" \
			"name = 'events_topic' AND pagetype = 'leaf'" \
			'pageno = 1' \
			"name = 'sqlite_schema' AND pagetype = 'leaf'"; do
			echo "# $what"
			empty_wal
			damaged overwrite "$DB" \
				$((($(page_of "$what") - 1) * 4096)) 4096
		done
	done
	oracle_end
	nothing_false
	saw "$((5 * n)) pages, $(wc -l <"$T/came") events sent meanwhile, all true; $(grep -c . "$T/refused") publishes refused"
}

# Export what can be read of the log, whose pages were overwritten.  Each event
# must be written as it was, or lie in a range that is named as lost.
#   usage: salvage LAST-ID
salvage() {
	local rc=0
	(as_site timeout "$WAIT" build/rowcast --db "$DB" export --salvage) \
		>"$T/saved" 2>"$T/saved.err" || rc=$?
	[ "$rc" -le 1 ]
	[ -z "$(sort "$T/saved" | comm -23 - "$T/good.sorted")" ]
	sed -nE -e 's/.*event ([0-9]+) cannot be read$/\1 \1/p' \
		-e 's/.*id ([0-9]+) to ([0-9]+) cannot be read$/\1 \2/p' \
		-e 's/.*from id ([0-9]+) on cannot be read$/\1 999999999/p' \
		"$T/saved.err" >"$T/lost"
	sed 's/^{"id":\([0-9]*\).*/\1/' "$T/saved" |
		awk -v end="$1" -v lost="$T/lost" '
			BEGIN {
				while ((getline <lost) > 0) {
					from[++n] = $1
					to[n] = $2
				}
			}
			{ has[$1] = 1 }
			END {
				for (id = 1; id <= end; id++) {
					is_lost = 0
					for (i = 1; i <= n; i++)
						if (from[i] <= id && id <= to[i])
							is_lost = 1
					if (is_lost == (id in has)) { print id; exit 1 }
				}
			}'
}

@test "salvage of a damaged log" {
	local i n page pages of=0 least=100000 rows=5000
	n=$(rounds 10 200)
	fault 'one to eight pages anywhere in the file are overwritten with garbage; rowcast export --salvage' \
		'it ends, writes no event that differs, and names the ids of all that it does not write'
	make_log
	cp "$BUILD/rowcast" "$SITE/build/"
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < $rows)
		INSERT INTO events(topic, data)
			SELECT 't/' || (i % 7), printf('row %100d', i) FROM n"
	sql 'PRAGMA wal_checkpoint(TRUNCATE)' >"$T/checkpoint"
	(as_site build/rowcast --db "$DB" export) | sort >"$T/good.sorted"
	cp -p "$DB" "$SITE/good.db"
	pages=$(($(stat -c %s "$DB") / 4096))
	for ((i = 0; i < n; i++)); do
		rm -f "$DB-wal" "$DB-shm"
		cp -p "$SITE/good.db" "$DB"
		RANDOM=$((SEED + i))
		for ((page = 0; page <= i % 8; page++)); do
			overwrite "$DB" $(((RANDOM * 32768 + RANDOM) % pages * 4096)) 4096
		done
		salvage "$rows"
		of=$((of + $(wc -l <"$T/saved")))
		[ "$(wc -l <"$T/saved")" -ge "$least" ] ||
			least=$(wc -l <"$T/saved")
	done
	saw "$n logs of $rows events: $of of $((n * rows)) written, at least $least of one; no other event, all others named"
}

# ---- the WAL ----------------------------------------------------------------

# Fill the WAL with new events that are not in the file.
fill_wal() {
	empty_wal
	publishers_resume
	published 9
	publishers_pause web cgi sql
	forget_pages
}

# Print the offset of the N-th last frame; a frame is a header and a page.
#   usage: frame_from_end N
frame_from_end() {
	local n=$((($(stat -c %s "$DB-wal") - 32) / 4120))
	echo $((32 + (n - $1) * 4120))
}

@test "the WAL is cut off or overwritten" {
	local i n
	n=$(rounds 1 20)
	fault 'the WAL is truncated to nothing or to half, or its last pages are overwritten' \
		'nothing false is sent; streams wait, publishers receive 500; with a good copy everything continues'
	begin
	for ((i = 0; i < n; i++)); do
		fill_wal
		damaged truncate -s 0 "$DB-wal"
		fill_wal
		damaged truncate -s $(($(stat -c %s "$DB-wal") / 2)) "$DB-wal"
		fill_wal
		damaged overwrite "$DB-wal" "$(frame_from_end 9)" $((9 * 4120))
	done
	oracle_end
	nothing_false
	saw "$((3 * n)) WALs, $(wc -l <"$T/came") events sent meanwhile, all true; $(grep -c . "$T/refused") publishes refused"
}

# Succeeds if all clients are connected again.
all_there() {
	[ "$(responders | wc -l)" -eq 1 ] && reports "streams=$ORACLE_CLIENTS"
}

@test "the WAL is damaged after a crash of all programs" {
	local pid before
	fault 'kill -9 of all programs that have the log open, and a page of the WAL is overwritten' \
		'the log ends before that page; clients that had more receive stream-reset'
	export ROWCAST_RETRY_MS=300
	begin
	fill_wal
	oracle_past
	before=$(sql 'SELECT max(id) FROM events')
	# lighttpd starts new ones at once
	kill -STOP "$SERVER_PID"
	for pid in $(descendants "$SERVER_PID"); do
		kill -KILL "$pid"
		eventually gone "$pid"
	done
	overwrite "$DB-wal" "$(frame_from_end 30)" 4120
	kill -CONT "$SERVER_PID"
	eventually all_there
	publishers_resume
	published 9
	oracle_end
	[ "$RESETS" -gt 0 ]
	"$BUILD/rowcast" check --full --db "$DB"
	saw "the newest $((before - $(reset_head))) of $before events were lost with the page; the $RESETS clients that had any of them were notified"
}

# Print the end of the log at that time, as sent to clients.
reset_head() {
	awk -F '\t' '$3 == "reset" { print $5; exit }' "$O/record.tsv"
}
