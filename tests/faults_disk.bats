#!/usr/bin/env bats
# Full and read-only disks.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load faults
SECTION='Disks'

setup() {
	site_new
	needs nginx unshare nsenter jq
}

# Mount a file system at $T/small.  Only commands run "inside" see it, and it
# ends with the last of them.
#   usage: small_disk SIZE
small_disk() {
	local own=(unshare -m)
	INSIDE=(nsenter -m)
	if [ "$(id -u)" -ne 0 ]; then
		own=(unshare -rm)
		INSIDE=(nsenter -U -m --preserve-credentials)
	fi
	mkdir "$T/small"
	"${own[@]}" mount -t tmpfs -o size="$1" none "$T/small" 2>/dev/null ||
		skip 'no right to mount a small file system'
	# shellcheck disable=SC2016 # $1 is the inner shell's
	"${own[@]}" sh -c 'mount -t tmpfs -o "size=$1,mode=1777" none "$2" &&
		echo mounted && exec sleep 1000' sh "$1" "$T/small" \
		>"$T/mounted" 2>&1 3>&- &
	KEEPER=$!
	STARTED+=("$KEEPER")
	eventually grep -q mounted "$T/mounted"
	INSIDE+=(-t "$KEEPER" --)
	DB=$T/small/events.db
}

# Run a command inside as the site's user, or with as_root_inside as root.
inside() {
	if [ -n "$USER_IS" ]; then
		as_root_inside setpriv --reuid="$USER_IS" --regid="$USER_IS" \
			--clear-groups -- "$@"
	else
		as_root_inside "$@"
	fi
}

as_root_inside() {
	"${INSIDE[@]}" "$@"
}

# Start one of the programs inside.  Sets PID.
#   usage: start_inside NAME SOCKET PROGRAM
start_inside() {
	inside "$SITE/build/$3" --db "$DB" --socket "$SITE/build/run/$2.sock" \
		</dev/null >>"$LOGS/$1" 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
}

serve_inside() {
	start_inside responder rowcast rowcast.fcgi
	up "$PID" responder connects "$SITE/build/run/rowcast.sock"
	RESPONDER_PID=$PID
	start_inside publisher publish rowcast-publish.cgi
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
	PUBLISHER_PID=$PID
	start_nginx
	eventually answers_head
}

sql() {
	inside sqlite3 -bail -cmd '.timeout 5000' "$DB" "$@"
}

# Fill the disk except for this many bytes, or free the space again.
fill() {
	# shellcheck disable=SC2016 # $1 is the inner shell's
	inside sh -c 'dd if=/dev/zero bs=4096 of="$1" 2>"$3"
		truncate -s "-$2" "$1"' sh "$T/small/fill" "$1" /dev/null
}

make_room() {
	inside rm "$T/small/fill"
}

# Publish up to COUNT events of BYTES bytes, until one is not stored.
#   usage: publish_rows BYTES COUNT
publish_rows() {
	local i
	for ((i = 0; i < $2; i++)); do
		ROW=$((ROW + 1))
		printf 'row %s %0*d' "$ROW" "$1" 0 >"$T/row"
		post_with_token -H 'Content-Type: text/plain' \
			--data-binary "@$T/row"
		[ "$STATUS" = 201 ] || return 0
		printf '%s message %s\n' "${ANSWER//[^0-9]/}" \
			"$(cat "$T/row")" >>"$T/acknowledged"
	done
}

@test "a full disk" {
	fault 'the disk is full' \
		'publishers receive 507, nothing is half-written, streams continue; with room everything continues without a restart'
	small_disk "$(rounds 2 16)m"
	serve_inside
	ROW=0
	local round full=0 before
	for ((round = 0; round < $(rounds 2 10); round++)); do
		publish_rows 2000 20
		[ "$STATUS" = 201 ]
		open_stream "live$round" since=0
		brings_file "live$round" "$T/acknowledged"
		fill 8192
		publish_rows 2000 1000
		[ "$STATUS" = 507 ]
		[ "$(header "$HEAD" Content-Type)" = application/problem+json ]
		full=$((full + 1))
		# all or nothing
		before=$(sql 'SELECT count(*) FROM events')
		[ "$before" -eq "$(wc -l <"$T/acknowledged")" ]
		jq -cn '[range(200) | {data: ("x" * 1000)}]' >"$T/array"
		post_with_token -H 'Content-Type: application/json' \
			--data-binary "@$T/array"
		[ "$STATUS" = 507 ]
		[ "$(sql 'SELECT count(*) FROM events')" -eq "$before" ]
		# streams with and without the event
		brings_file "live$round" "$T/acknowledged"
		open_stream "full$round" since=0
		brings_file "full$round" "$T/acknowledged"
		make_room
		publish_rows 2000 5
		[ "$STATUS" = 201 ]
		brings_file "live$round" "$T/acknowledged"
		brings_file "full$round" "$T/acknowledged"
	done
	[ "$(sql 'PRAGMA integrity_check')" = ok ]
	is_running "$RESPONDER_PID"
	is_running "$PUBLISHER_PID"
	brings_file live0 "$T/acknowledged"
	saw "$round times full, $((2 * full)) answers 507; $(wc -l \
		<"$T/acknowledged") acknowledged, as many in the log and in each" \
		"of $((2 * round)) streams; no restart"
}

@test "a full disk at the start" {
	fault 'the disk is full when the programs start' \
		'they report it and exit, or serve; with room they start'
	small_disk 1m
	inside sqlite3 "$DB" <"$ROOT/sql/schema.sql" >"$T/ignored"
	sql "INSERT INTO events(data) VALUES('one')"
	fill 0
	local seen='the responder served'
	start_inside responder rowcast rowcast.fcgi
	eventually up_or_dead "$PID" connects "$SITE/build/run/rowcast.sock"
	if gone "$PID"; then
		[ "$(wc -l <"$LOGS/responder")" -eq 1 ]
		grep -q "log: $DB: .*: make room on the disk" "$LOGS/responder"
		seen="the responder: $(sed 's/.*events.db: //' "$LOGS/responder")"
	else
		stop "$PID"
	fi
	start_inside publisher publish rowcast-publish.cgi
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
	start_nginx
	post_with_token -d data=two
	[ "$STATUS" = 507 ]
	make_room
	post_with_token -d data=two
	[ "$STATUS" = 201 ]
	start_inside responder rowcast rowcast.fcgi
	up "$PID" responder connects "$SITE/build/run/rowcast.sock"
	eventually answers_head
	open_stream a since=0
	brings a $'1 message one\n2 message two'
	saw "$seen; the publisher: 507; with room both served"
}

@test "a read-only file system" {
	fault 'the file system of the log becomes read-only' \
		'the responder reports it and exits, publishers receive 500; once writable, it is used without a restart'
	[ "$(id -u)" -eq 0 ] || skip 'a user cannot mount it anew'
	small_disk 1m
	inside sqlite3 "$DB" <"$ROOT/sql/schema.sql" >"$T/ignored"
	sql "INSERT INTO events(data) VALUES('one')"
	as_root_inside mount -o remount,ro "$T/small"
	start_inside responder rowcast rowcast.fcgi
	eventually gone "$PID"
	run -1 wait "$PID"
	[ "$(wc -l <"$LOGS/responder")" -eq 1 ]
	grep -q "log: $DB: .*read" "$LOGS/responder"
	start_inside publisher publish rowcast-publish.cgi
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
	start_nginx
	post_with_token -d data=two
	[ "$STATUS" = 500 ]
	as_root_inside mount -o remount,rw "$T/small"
	post_with_token -d data=two
	[ "$STATUS" = 201 ]
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = 'one two' ]
	saw "$(sed 's/.*events.db: //' "$LOGS/responder"); publishes: 500, then 201"
}

@test "a log whose permissions are removed" {
	fault 'log and folder become read-only, then writable again' \
		'streams continue; publishers receive at most 500, then 201, without a restart'
	[ "$(id -u)" -eq 0 ] || skip 'the owner could not be another'
	small_disk 1m
	serve_inside
	post_with_token -d data=one
	[ "$STATUS" = 201 ]
	open_stream a since=0
	as_root_inside chmod 0555 "$T/small"
	as_root_inside chown root "$DB"
	as_root_inside chmod 0444 "$DB"
	local answers=''
	post_with_token -d data=two
	answers+=$STATUS
	# another process has to open it
	stop "$PUBLISHER_PID"
	start_inside publisher publish rowcast-publish.cgi
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
	post_with_token -d data=three
	[ "$STATUS" = 500 ]
	grep -q "log: $DB: .*readonly" "$LOGS/publisher"
	as_root_inside chown "$USER_IS" "$DB"
	as_root_inside chmod 0644 "$DB"
	as_root_inside chmod 1777 "$T/small"
	post_with_token -d data=four
	[ "$STATUS" = 201 ]
	brings_sql a "SELECT id || ' message ' || data FROM events"
	[ "$(events a | wc -l)" -ge 2 ]
	is_running "$RESPONDER_PID"
	saw "by a program that has it open: $answers, by a new one: 500, then 201;" \
		"the stream received all $(events a | wc -l)"
}
