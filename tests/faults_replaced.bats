#!/usr/bin/env bats
# Another log in the place of the log: restored, renamed over, removed, moved.

load oracle
SECTION='The log is replaced'

# Copy the log as it is now to a file.
#   usage: copy_log FILE
copy_log() {
	sql ".backup '$1'"
}

# Link the files of the log under another name, so that later writes to them are
# visible as well.
keep_old() {
	ln "$DB" "$SITE/old.db"
	ln "$DB-wal" "$SITE/old.db-wal"
	ln "$DB-shm" "$SITE/old.db-shm"
}

# Put a file in the place of the log, as the manual says.
#   usage: put_log FILE
put_log() {
	rm -f "$DB-wal" "$DB-shm"
	mv "$1" "$DB"
}

# Make a log with as many rows.
make_other() {
	(as_site sqlite3 "$SITE/other.db") <"$ROOT/sql/schema.sql" >/dev/null
	(as_site sqlite3 "$SITE/other.db" "WITH RECURSIVE n(i) AS (
			SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
		INSERT INTO events(data) SELECT 'other ' || i FROM n;
		PRAGMA wal_checkpoint(TRUNCATE)") >/dev/null
}

# Each client must have this many resets and no other notice.
all_reset() {
	[ "$RESETS" -eq $((ORACLE_CLIENTS * $1)) ]
	[ "$GAPS" -eq 0 ]
	[ "$REFUSED" -eq 0 ]
}

# Succeeds if the responder has reported this many replacements.
all_told() {
	[ "$(grep -c 'was replaced or restored' "$LOGS/lighttpd")" -eq "$1" ]
}

# ---- restored in place ------------------------------------------------------

# usage: restore FILE
restore() {
	oracle_past
	sql ".restore '$1'"
	oracle_void
}

@test ".restore of an older backup" {
	local i n
	n=$(rounds 3 60)
	fault '.restore of an older backup while publishers run' \
		'open streams receive stream-reset and continue; events stored after the backup are lost'
	serve
	oracle_start
	publishers_start
	published 10
	for ((i = 0; i < n; i++)); do
		copy_log "$SITE/copy.db"
		published $((i % 2 ? 3 : 15))
		restore "$SITE/copy.db"
		published 15
	done
	oracle_end
	all_reset "$n"
	saw "$ROWS rows, $n restores, each client notified of each; of $ACKS acknowledged events $(gone_rows) are lost"
}

# Print how many acknowledged events are no longer in the log.
gone_rows() {
	sqlite3 "$O/witness.db" 'CREATE TEMP TABLE acks (key)' \
		".import $O/acks.tsv acks" 'SELECT count(*) FROM acks
		WHERE key NOT IN (SELECT key FROM witness
			WHERE key IS NOT NULL)'
}

@test ".restore of a backup that differs" {
	fault '.restore of a backup with a new identity and higher ids' \
		'clients that were away meanwhile miss nothing'
	serve
	oracle_start --churn 30:100
	publishers_start
	published 10
	copy_log "$SITE/copy.db"
	published 15
	sqlite3 "$SITE/copy.db" "UPDATE sqlite_sequence SET seq = seq + 1000000
			WHERE name = 'events';
		UPDATE events_log SET identity = lower(hex(randomblob(16)))"
	restore "$SITE/copy.db"
	published 40
	oracle_end
	[ "$RESETS" -ge 30 ]
	[ "$GAPS" -eq 0 ]
	[ "$REFUSED" -eq 0 ]
	saw "$ROWS rows, $RESETS of $ORACLE_CLIENTS clients notified of it, $CONNECTIONS connections"
}

# ---- renamed over -----------------------------------------------------------

# Replace the log while publishers wait for its lock: they have the old one open
# and could store into it.
#   usage: under_lock COMMAND…
under_lock() {
	open_shell
	tell 'BEGIN IMMEDIATE'
	eventually has_log_open
	keep_old
	oracle_past
	"$@"
	tell COMMIT
	close_shell
}

# Succeeds if a publisher that runs as CGI has the log open.
has_log_open() {
	local of pid
	for of in "${PUBLISHERS[@]}"; do
		for pid in $(descendants "$of"); do
			[[ $(ps -o comm= -p "$pid") != rowcast-publish* ]] ||
				! has_open "$pid" || return 0
		done
	done
	return 1
}

@test "another log is renamed over it" {
	fault 'another log is renamed over the log; sqlite3 shells are stopped, the publisher runs' \
		'clients receive stream-reset; events acknowledged after it are in the new file'
	serve
	oracle_start
	publishers_start web cgi
	published 20
	make_other 20
	under_lock put_log "$SITE/other.db"
	published 20
	oracle_old "$SITE/old.db"
	oracle_end
	all_reset 1
	saw "$ROWS rows in the new log; $ACKS acknowledged, each of those after it is among them"
}

@test "an older copy is renamed over it" {
	fault 'an older copy is renamed over the log, likewise' \
		'clients receive stream-reset, even if new events pass the old end at once; acknowledged events are in the new file'
	serve
	oracle_start
	publishers_start web cgi
	published 20
	copy_log "$SITE/copy.db"
	published 2
	under_lock put_log "$SITE/copy.db"
	published 20
	oracle_old "$SITE/old.db"
	oracle_end
	all_reset 1
	saw "$ROWS rows in the new log; $ACKS acknowledged, each of those after it is among them"
}

# ---- removed, moved ---------------------------------------------------------

@test "it is removed" {
	fault 'the log is removed while the publisher runs' \
		'a new log is created; clients receive stream-reset'
	serve
	oracle_start
	publishers_start web cgi
	published 20
	under_lock rm "$DB" "$DB-wal" "$DB-shm"
	published 20
	oracle_old "$SITE/old.db"
	oracle_end
	all_reset 1
	saw "$ROWS rows in the new log; $ACKS acknowledged, each of those after it is among them"
}

@test "it is moved away with its WAL, and back" {
	local end
	fault 'the three files are moved away while the publisher runs; later it is stopped, and they are moved back' \
		'a new log is created; clients receive stream-reset each time'
	serve
	oracle_start
	publishers_start web cgi
	published 20
	for end in '' -wal -shm; do mv "$DB$end" "$SITE/moved.db$end"; done
	published 20
	publishers_pause web cgi
	eventually all_told 1
	oracle_past
	rm "$DB" "$DB-wal" "$DB-shm"
	for end in -shm -wal ''; do mv "$SITE/moved.db$end" "$DB$end"; done
	publishers_resume
	published 20
	oracle_end
	all_reset 2
	saw "$ROWS rows in the old log; each of $ACKS that were acknowledged is in one of them"
}

@test "it is moved away without its WAL, and back" {
	fault 'the file is moved away without its WAL, and moved back' \
		'streams continue; publishers receive 500 and try again; the WAL is not lost'
	serve
	oracle_start --churn 6:200
	publishers_start web cgi
	published 20
	mv "$DB" "$SITE/moved.db"
	eventually refused_by 500 web cgi
	grep -q 'is missing, but its -wal or -shm is still there' "$LOGS/lighttpd"
	mv "$SITE/moved.db" "$DB"
	published 20
	oracle_end
	all_reset 0
	saw "$ROWS rows, $(wc -l <"$O/refused-publishes") publishes refused; lost 0"
}
