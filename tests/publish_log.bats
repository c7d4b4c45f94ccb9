#!/usr/bin/env bats
# publish_log.bats: the publisher when the log fails.

load publish
STATUS= # set by request()

# ---- failures of the log ----------------------------------------------------

@test "503 with Retry-After while another process holds the lock" {
	request 'data=before'
	coproc HOLDER { sqlite3 "$DB" 3>&-; }
	# bash unsets the variables when the process ends
	local pid=$HOLDER_PID in=${HOLDER[1]} out=${HOLDER[0]} line
	echo "BEGIN IMMEDIATE; SELECT 'held';" >&"$in"
	read -r -t 10 line <&"$out"
	[ "$line" = held ]
	request 'data=x' ROWCAST_BUSY_MS=50
	refused 503 'locked'
	[ "$(header "$HEAD" Retry-After)" -eq 1 ]
	grep -q 'log: .*events.db' "$COMPLAINT"
	[ "$(count)" -eq 1 ]
	echo 'ROLLBACK;' >&"$in"
	exec {in}>&-
	wait "$pid"
	request 'data=x' ROWCAST_BUSY_MS=50
	[ "$STATUS" -eq 201 ]
}

@test "the publisher waits for a lock that is released in ROWCAST_BUSY_MS" {
	request 'data=before'
	coproc HOLDER { sqlite3 "$DB" 3>&-; }
	local pid=$HOLDER_PID in=${HOLDER[1]} out=${HOLDER[0]} line
	echo "BEGIN IMMEDIATE; SELECT 'held';" >&"$in"
	read -r -t 10 line <&"$out"
	[ "$line" = held ]
	request 'data=x' ROWCAST_BUSY_MS=30000 >"$T/waited" &
	local waiting=$!
	eventually reads_log "$waiting"
	echo 'ROLLBACK;' >&"$in"
	exec {in}>&-
	wait "$pid"
	wait "$waiting"
	grep -q '^Status: 201' "$T/waited"
	[ "$(count)" -eq 2 ]
}

# Succeeds if a child of this process has the log open.
reads_log() {
	local pid
	for pid in $(descendants "$1"); do
		find "/proc/$pid/fd" -lname "$DB" 2>/dev/null | grep -q . &&
			return 0
	done
	return 1
}

@test "507 when the disk is full, and nothing half-written" {
	local own=(unshare -m)
	[ "$(id -u)" -eq 0 ] || own=(unshare -rm)
	mkdir "$T/small"
	"${own[@]}" mount -t tmpfs -o size=600k none "$T/small" 2>/dev/null ||
		skip 'no right to mount a small tmpfs'
	head -c 500000 /dev/urandom | base64 -w 0 >"$T/large"
	printf 'data=first' >"$T/first"
	# The file system ends with this shell.
	cat >"$T/fill" <<-'END'
		mount -t tmpfs -o size=600k none "$T/small"
		CONTENT_LENGTH=10 "$1" <"$T/first" >"$T/response1"
		CONTENT_TYPE=text/plain CONTENT_LENGTH=$(wc -c <"$T/large") \
			"$1" <"$T/large" >"$T/response"
		sqlite3 "$ROWCAST_DB" 'SELECT count(*), max(data) FROM events' \
			'PRAGMA integrity_check' >"$T/after"
	END
	"${own[@]}" env T="$T" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
		CONTENT_TYPE="$FORM" ROWCAST_PUBLISH_OPEN=1 \
		ROWCAST_DB="$T/small/events.db" \
		sh -e "$T/fill" "$PUBLISHER" 2>"$T/complaint" ||
		{ cat "$T/complaint" && false; }
	cat "$T/complaint" "$T/response1" "$T/response" "$T/after"
	grep -q '^Status: 201' "$T/response1"
	grep -q '^Status: 507' "$T/response"
	grep -q 'log: .*events.db' "$T/complaint"
	[ "$(cat "$T/after")" = $'1|first\nok' ]
}

# 500: the line for the operator names the file, the answer does not.
#   usage: hidden TEXT
hidden() {
	[ "$RC" -eq 0 ]
	refused 500 'error log has the reason'
	[ "$(wc -l <"$COMPLAINT")" -eq 1 ]
	grep -qF "$DB" "$COMPLAINT"
	grep -qF "$1" "$COMPLAINT"
	run ! grep -qF "$T" "$ANSWER"
}

@test "500 for a read-only log" {
	request 'data=before'
	if [ "$(id -u)" -eq 0 ]; then
		needs setpriv
		chmod go+x "$BATS_RUN_TMPDIR"
		AS=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	fi
	chmod 444 "$DB"
	chmod 555 "$HOME_OF_LOG"
	request 'data=x'
	chmod 755 "$HOME_OF_LOG"
	hidden 'readonly'
	[ "$(count)" -eq 1 ]
}

@test "500 for a corrupt log" {
	request "data=before"
	rows 'PRAGMA journal_mode = DELETE' 'PRAGMA journal_mode = WAL'
	# All pages except the first, which holds the table of the schema.
	dd if=/dev/urandom of="$DB" bs=4096 seek=1 conv=notrunc status=none \
		count=$(($(wc -c <"$DB") / 4096 - 1))
	request 'data=x'
	hidden 'malformed'
}

@test "500 if the log was removed without its WAL, which stays" {
	request 'data=before'
	echo wal >"$DB-wal"
	mv "$DB" "$T/moved"
	request 'data=x'
	hidden 'is missing, but'
	[ ! -e "$DB" ]
	: >"$DB"
	request 'data=x'
	hidden 'is empty, but'
	[ ! -s "$DB" ]
	[ "$(cat "$DB-wal")" = wal ]
	rm "$DB-wal"
	request 'data=x'
	[ "$STATUS" -eq 201 ]
}

@test "500 for a missing folder" {
	DB=$T/none/events.db
	request 'data=x'
	hidden 'unable to open'
	[ ! -e "$T/none" ]
}

@test "500 for a database that is not a log, which stays unchanged" {
	sqlite3 "$DB" 'CREATE TABLE customers(name TEXT)'
	cp "$DB" "$T/copy"
	request 'data=x'
	hidden 'without an event log'
	cmp "$DB" "$T/copy"
}

@test "500 for a file that is not a database, which stays unchanged" {
	head -c 9000 "$PUBLISHER" >"$DB"
	cp "$DB" "$T/copy"
	request 'data=x'
	hidden 'not a database'
	cmp "$DB" "$T/copy"
}

@test "500 for a log of another version" {
	request 'data=before'
	rows 'PRAGMA user_version = 2'
	request 'data=x'
	hidden 'format 2'
	[ "$(count)" -eq 1 ]
}

@test "500 for a log without AUTOINCREMENT" {
	sed 's/ AUTOINCREMENT,/,/' "$ROOT/sql/schema.sql" | sqlite3 "$DB"
	request 'data=x'
	hidden 'lacks AUTOINCREMENT'
	[ "$(count)" -eq 0 ]
}

@test "other users cannot read a log that the publisher creates" {
	(umask 022 && request 'data=x')
	[ "$(stat -c %a "$DB")" = 640 ]
	[ "$(stat -c %a "$DB-wal" 2>/dev/null || echo 640)" = 640 ]
	rm -f "$DB"*
	(umask 007 && request 'data=x')
	[ "$(stat -c %a "$DB")" = 660 ]
}

@test "500 with the way out in the error log when all ids are used up" {
	local id=9007199254740991
	request 'data=before'
	# what one INSERT with an id did, before the schema refused it
	sqlite3 "$DB" "UPDATE sqlite_sequence SET seq = $id - 1 WHERE name = 'events'"
	request 'data=last'
	[ "$STATUS" -eq 201 ]
	[ "$(sqlite3 "$DB" 'SELECT max(id) FROM events')" -eq "$id" ]
	request 'data=x'
	refused 500 'cannot be written'
	grep -q "log: .*: all ids are used up: 'sqlite3 -bail FILE <renumber.sql' gives the events new ones" "$COMPLAINT"
	run -1 "$BUILD/rowcast" publish --db "$DB" x
	[[ $output == *'all ids are used up'*'renumber.sql'* ]]
	sqlite3 "$DB" "UPDATE sqlite_sequence SET seq = 9223372036854775807"
	request 'data=x'
	refused 500 'cannot be written'
	sqlite3 -bail "$DB" <"$ROOT/sql/renumber.sql"
	request 'data=x'
	[ "$STATUS" -eq 201 ]
	[ "$(sqlite3 "$DB" 'SELECT id, data FROM events')" = $'1|before\n2|last\n3|x' ]
}
