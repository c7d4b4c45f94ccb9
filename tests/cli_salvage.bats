#!/usr/bin/env bats
# cli_salvage.bats: rowcast export --salvage, of logs whose pages were
# overwritten or cut off.

load cli

setup() {
	cli_setup
	sqlite3 :memory: 'SELECT * FROM dbstat' ||
		skip 'this sqlite3 has no dbstat'
	make_log
	rows "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
			WHERE i < 20000)
		INSERT INTO events(topic, event, data, retry_ms, key)
			SELECT 't/' || (i % 7), 'e' || (i % 2), printf('row %90d', i),
				iif(i % 3, NULL, i), iif(i % 5, NULL, 'k' || i)
			FROM n;
		INSERT INTO events(data) VALUES(hex(randomblob(20000)))"
	empty_wal
	"$PROGRAM" export >"$T/good"
	cp "$DB" "$T/good.db"
}

empty_wal() {
	rows 'PRAGMA wal_checkpoint(TRUNCATE)' >"$T/checkpoint"
}

# Print the number of the page in the middle of those of this kind.
#   usage: page_of WHERE
page_of() {
	sqlite3 "$T/good.db" "SELECT pageno FROM dbstat WHERE $1 ORDER BY path
		LIMIT 1 OFFSET (SELECT count(*) FROM dbstat WHERE $1) / 2"
}

# Overwrite pages with garbage.
#   usage: damage PAGE…
damage() {
	local page
	for page; do
		dd if=/dev/urandom of="$DB" bs=4096 seek=$((page - 1)) count=1 \
			conv=notrunc status=none
	done
}

# Salvage the log; then put the good one back.
salvage() {
	rowcast export --salvage "$@"
	cp "$DB" "$T/damaged.db"
	rm -f "$DB"-*
	cp "$T/good.db" "$DB"
}

# What was written must be events as they are in the log, in order.
true_events() {
	grep -vxFf "$T/good" "$OUT" | head -n 3 >"$T/false"
	cat "$T/false"
	[ ! -s "$T/false" ]
	sed 's/^{"id":\([0-9]*\).*/\1/' "$OUT" >"$T/ids"
	sort -n -u "$T/ids" | cmp - "$T/ids"
}

# Each event must have been written, or lie in a range that is named as lost.
all_accounted() {
	true_events
	[ "$RC" -eq 1 ]
	sed -nE -e 's/.*event ([0-9]+) cannot be read$/\1 \1/p' \
		-e 's/.*id ([0-9]+) to ([0-9]+) cannot be read$/\1 \2/p' \
		-e 's/.*from id ([0-9]+) on cannot be read$/\1 9007199254740991/p' \
		"$ERR" >"$T/lost"
	[ -s "$T/lost" ]
	awk 'NR == FNR { from[NR] = $1; to[NR] = $2; n = NR; next }
		{ has[$1] = 1 }
		END {
			for (id = 1; id <= 20001; id++) {
				is_lost = 0
				for (i = 1; i <= n; i++)
					if (from[i] <= id && id <= to[i]) is_lost = 1
				if (is_lost == (id in has)) { print id; exit 1 }
			}
		}' "$T/lost" "$T/ids"
	grep -q "^rowcast: export: $DB: $(wc -l <"$OUT") events were written" "$ERR"
}

# This many events or more must have been written.
at_least() {
	echo "$(wc -l <"$OUT") events"
	[ "$(wc -l <"$OUT")" -ge "$1" ]
}

# ---- what is lost -----------------------------------------------------------

@test "a sound log is exported as it is, with status 0" {
	salvage
	[ "$RC" -eq 0 ]
	[ ! -s "$ERR" ]
	cmp "$OUT" "$T/good"
	salvage --since 19990 --upto 20000 -t t/1
	[ "$(cut -d , -f 1 "$OUT" | tr '\n' ' ')" = '{"id":19993 {"id":20000 ' ]
	rowcast export --salvage --since last:3
	refused 2 '--since: with --salvage, give an id'
}

@test "pages of events are stepped over, and their ids are named" {
	damage "$(page_of "name = 'events' AND pagetype = 'leaf'")"
	run "$PROGRAM" export
	[ "$status" -eq 1 ]
	[[ $output == *"restore it from a backup, or save what can be read with 'rowcast export --salvage'"* ]]
	salvage
	all_accounted
	at_least 19900
	# neighbours and pages between two damaged ones
	sqlite3 "$T/good.db" "SELECT pageno FROM dbstat WHERE name = 'events'
		AND pagetype = 'leaf' ORDER BY path" >"$T/pages"
	# shellcheck disable=SC2046 # numbers
	damage $(sed -n '1p;7p;9p;11,12p;100p;$p' "$T/pages")
	salvage
	all_accounted
	at_least 19600
	[ "$(wc -l <"$T/lost")" -ge 6 ]
}

# All events must have been written; only ids behind the last may be named.
all_found() {
	cmp "$OUT" "$T/good"
	run ! grep -vE 'from id 20002 on cannot be read|20001 events were' "$ERR"
}

@test "inner pages, the header and the schema are not needed" {
	local what
	for what in "name = 'events' AND pagetype = 'internal' AND path <> '/'" \
		"name = 'events' AND path = '/'" \
		"name = 'sqlite_schema' AND path = '/'" \
		"name = 'sqlite_schema' AND pagetype = 'leaf'"; do
		echo "$what"
		damage "$(page_of "$what")"
		salvage
		all_found
	done
	# all of them
	# shellcheck disable=SC2046 # numbers
	damage $(sqlite3 "$T/good.db" "SELECT pageno FROM dbstat
		WHERE pagetype = 'internal' OR name = 'sqlite_schema'")
	salvage
	all_found
}

@test "a file that was cut off has the events of the pages that are left" {
	local n
	for n in 2 3; do
		truncate -s $(($(stat -c %s "$DB") / n)) "$DB"
		salvage
		true_events
		[ "$RC" -eq 1 ]
		at_least $((20000 / n - 3500))
	done
	truncate -s 1000 "$DB"
	salvage
	[ "$RC" -eq 1 ]
	[ ! -s "$OUT" ]
	grep -q 'restore the file from a backup' "$ERR"
}

@test "events that were removed are not found in free pages" {
	rows 'DELETE FROM events WHERE id BETWEEN 5001 AND 15000'
	empty_wal
	sqlite3 "$DB" ".backup $T/good.db"
	"$PROGRAM" export >"$T/good"
	damage "$(page_of "name = 'events' AND path = '/'")"
	salvage
	cmp "$OUT" "$T/good"
}

@test "what is no log is refused, and gives no events" {
	echo 'Dear Sir or Madam, this is a letter.' >"$T/letter"
	rowcast --db "$T/letter" export --salvage
	refused 1 'file is not a database'
	sqlite3 "$T/other.db" 'CREATE TABLE orders(id, total);
		INSERT INTO orders VALUES(1, 2)'
	rowcast --db "$T/other.db" export --salvage
	refused 1 "has no readable table 'events'"
	[ ! -s "$OUT" ]
}

@test "a page of the data of a large event takes this event" {
	damage "$(page_of "name = 'events' AND pagetype = 'overflow'")"
	salvage
	all_accounted
	at_least 20000
	grep -q 'event 20001 cannot be read' "$ERR"
}

@test "indexes, other tables and the sequence are not needed" {
	local name
	for name in events_topic sqlite_autoindex_events_1 sqlite_sequence \
		events_log retention events_retained; do
		echo "$name"
		damage "$(page_of "name = '$name' AND pagetype = 'leaf'")"
		salvage
		[ "$RC" -eq 0 ]
		cmp "$OUT" "$T/good"
	done
}

@test "ids that lie far apart do not make it endless" {
	rows "DROP TRIGGER events_in_order;
		INSERT INTO events(id, data) VALUES(4503599627370496, 'far');
		INSERT INTO events(data) VALUES('behind')"
	empty_wal
	sqlite3 "$DB" '.backup '"$T/good.db"
	"$PROGRAM" export >"$T/good"
	damage "$(page_of "name = 'events' AND pagetype = 'leaf' AND path =
		(SELECT max(path) FROM dbstat WHERE name = 'events'
		AND pagetype = 'leaf')")"
	timeout "$WAIT" "$PROGRAM" export --salvage >"$OUT" 2>"$ERR" || RC=$?
	[ "$RC" -eq 1 ]
	at_least 19900
	true_events
}

@test "what is only in the WAL is read, and nothing is written" {
	local held
	# a reader keeps the WAL
	sqlite3 "$DB" "INSERT INTO events(data) VALUES('in the WAL')" \
		'.shell cp '"$DB-wal $T/wal" >"$T/shell"
	cp "$T/good.db" "$DB"
	cp "$T/wal" "$DB-wal"
	held=$(cksum <"$DB")
	rowcast export --salvage
	[ "$RC" -eq 0 ]
	grep -q '"data":"in the WAL"' "$OUT"
	[ "$(cksum <"$DB")" = "$held" ]
	cmp "$DB-wal" "$T/wal"
}

@test "commits behind damage in the WAL are found, and status 1 says so" {
	sqlite3 "$DB" "INSERT INTO events(data) VALUES('one')" \
		"INSERT INTO events(data) VALUES('two')" \
		'.shell cp '"$DB-wal $T/wal" >"$T/shell"
	cp "$T/good.db" "$DB"
	# the checksum of the first frame
	printf 'x' | dd of="$T/wal" bs=1 seek=$((32 + 16)) conv=notrunc status=none
	cp "$T/wal" "$DB-wal"
	[ "$("$PROGRAM" export | wc -l)" -eq 20001 ]
	cp "$T/good.db" "$DB"
	cp "$T/wal" "$DB-wal"
	rm -f "$DB-shm"
	salvage
	[ "$RC" -eq 1 ]
	[ "$(sed -n '20002,$s/.*"data":"\([a-z]*\)".*/\1/p' "$OUT" | tr '\n' ' ')" = 'one two ' ]
	grep -q 'events from id 20004 on cannot be read' "$ERR"
	# SQLite sees none of the events
	rm -f "$DB"
	make_log
	sqlite3 "$DB" "INSERT INTO events(data) VALUES('first')" \
		'.shell cp '"$DB-wal $T/wal; cp $DB $T/empty.db" >"$T/shell"
	cp "$T/empty.db" "$DB"
	printf 'x' | dd of="$T/wal" bs=1 seek=$((32 + 16)) conv=notrunc status=none
	cp "$T/wal" "$DB-wal"
	rm -f "$DB-shm"
	salvage
	[ "$RC" -eq 1 ]
	grep -q '"data":"first"' "$OUT"
}

# ---- into a new log ---------------------------------------------------------

# The commands of a document under the heading "A damaged log".
commands() {
	# shellcheck disable=SC2016 # backticks of Markdown
	sed -n '/^## A damaged log/,/^## /p' "$ROOT/docs/operating.md" |
		sed -n '/^```sh$/,/^```$/{/^```/d;p;}' |
		sed -e "s|/var/lib/rowcast|$T/log|" -e "s|/backup|$T|" \
			-e "s|runuser -u www-data -- ||"
}

@test "the commands of operating.md make a new log of what can be read" {
	local leaf
	leaf=$(page_of "name = 'events' AND pagetype = 'leaf'")
	damage "$leaf"
	commands >"$T/run.sh"
	[ "$(wc -l <"$T/run.sh")" -ge 6 ]
	PATH=$BUILD:$PATH
	sh -eu "$T/run.sh" >"$OUT" 2>"$ERR"
	cat "$OUT" "$ERR"
	grep -q 'cannot be read' "$ERR"
	"$PROGRAM" check --full >"$T/check"
	[ "$(count)" -ge 19900 ]
	publish next
	# an id that no client has seen
	[ "$(cat "$T/id")" -gt 1000000 ]
	# nothing differs but ids and times
	sed -E 's/^\{"id":[0-9]+,|,?"created_ms":[0-9]+//g' \
		"$T/events.ndjson" >"$T/a"
	"$PROGRAM" export | sed '$d' |
		sed -E 's/^\{"id":[0-9]+,|,?"created_ms":[0-9]+//g' >"$T/b"
	cmp "$T/a" "$T/b"
}
