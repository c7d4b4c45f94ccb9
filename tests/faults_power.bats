#!/usr/bin/env bats
# Loss of power: all writes to the files of the log are recorded, then the files
# are rebuilt as they may be after a power cut, at many moments.

load sweep
SECTION='Loss of power'

setup() {
	sweep_setup
	needs nginx
	LOG=$DB
	# the record is outside of the folders that a program may write to
	export ROWCAST_NO_SANDBOX=1
	JOURNAL_SO=$SITE/build/journal.so
	cp "$BUILD/tests/preload/journal.so" "$JOURNAL_SO"
	JOURNAL=$T/journal
	: >"$JOURNAL"
	chmod a+rw "$JOURNAL"
	# in memory if possible
	CUT=$(mktemp -d -p /dev/shm 2>"$T/ignored" || mktemp -d -p "$T")
}

teardown() {
	site_end
	[ -z "${CUT:-}" ] || rm -rf "$CUT"
}

# Run a command as the site's user and record its writes.
recorded() {
	(as_site env JOURNAL="$JOURNAL" JOURNAL_DB="$LOG" \
		LD_PRELOAD="$JOURNAL_SO" "$@")
}

# Start the publisher with FastCGI and a responder, and nginx in front of them.
#   usage: serve_recorded [OPTION…]
serve_recorded() {
	start responder env JOURNAL="$JOURNAL" JOURNAL_DB="$LOG" \
		LD_PRELOAD="$JOURNAL_SO" build/rowcast.fcgi --db "$DB" \
		--socket build/run/rowcast.sock
	up "$PID" responder connects "$SITE/build/run/rowcast.sock"
	start publisher env JOURNAL="$JOURNAL" JOURNAL_DB="$LOG" \
		JOURNAL_HOLD="$T/hold" LD_PRELOAD="$JOURNAL_SO" \
		build/rowcast-publish.cgi --db "$DB" \
		--socket build/run/publish.sock "$@"
	PUBLISHER_PID=$PID
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
	start_nginx
}

# ---- publishers: NAME 1, NAME 2 …, one after the other ----------------------

# Publish COUNT events of BYTES bytes through the web server.
#   usage: by_web NAME COUNT BYTES
by_web() {
	local i
	for ((i = 1; i <= $2; i++)); do
		[ "$i" -eq 1 ] || echo next
		printf 'url = "%s/publish"\nfail-early\nfail\nsilent\n' "$URL"
		printf 'header = "Authorization: Bearer %s"\n' "$TOKEN"
		printf 'output = "%s/web"\n' "$T"
		printf 'data = "data=%s %s %0*d&topic=%s"\n' "$1" "$i" "$3" 0 "$1"
	done >"$T/$1.requests"
	curl -K "$T/$1.requests"
}

by_cgi() {
	local i
	for ((i = 1; i <= $2; i++)); do
		printf '{"data":"%s %s %0*d"}' "$1" "$i" "$3" 0 >"$T/$1.body"
		recorded env ROWCAST_DB="$DB" GATEWAY_INTERFACE=CGI/1.1 \
			REQUEST_METHOD=POST CONTENT_TYPE=application/json \
			CONTENT_LENGTH="$(wc -c <"$T/$1.body")" \
			"$SITE/build/rowcast-publish.cgi" \
			<"$T/$1.body" >"$T/$1.answer"
		grep -q '^Status: 201' "$T/$1.answer"
	done
}

by_command() {
	local i
	for ((i = 1; i <= $2; i++)); do
		printf '%s %s %0*d' "$1" "$i" "$3" 0 |
			recorded "$BUILD/rowcast" --db "$DB" publish --json \
				>"$T/$1.answer"
	done
}

# The event is acknowledged when the shell has ended: record that.  The shell
# checkpoints the WAL all the time.
by_shell() {
	local i id text
	for ((i = 1; i <= $2; i++)); do
		id=$(recorded sqlite3 -bail -cmd '.timeout 20000' \
			-cmd 'PRAGMA wal_autocheckpoint = 20' "$DB" \
			"INSERT INTO events(data) VALUES(printf('%s %d %.*c',
			'$1', $i, $3, 'x')) RETURNING id" | tail -n 1)
		text="{\"id\":$id}"
		# shellcheck disable=SC2059 # a header of 16 bytes: journal.h
		printf "A\\5\\0\\0\\x$(printf %x ${#text})\\0\\0\\0%s%s" \
			'\0\0\0\0\0\0\0\0' "$text" | sed 's/\\0/\x00/g' \
			>>"$JOURNAL"
	done
}

# Run several command lines at the same time.
together() {
	local line pids=()
	for line in "$@"; do
		# shellcheck disable=SC2086 # its words
		$line 3>&- &
		pids+=("$!")
	done
	for line in "${pids[@]}"; do wait "$line"; done
}

# Cut the power at every EVERY-th record; each program must have written some.
#   usage: cut_power full|normal EVERY
cut_power() {
	SEED=$RANDOM
	CUTS=$("$BUILD/tests/tools/powercut" "$JOURNAL" "$CUT" "$1" "$2" "$SEED") || {
		echo "$CUTS (seed $SEED)"
		return 1
	}
}

@test "cuts under all kinds of publishers, synchronous=FULL" {
	fault 'power failure while many publish, synchronous=FULL' \
		'the log opens and is sound; acknowledged events are there; no id is used twice'
	local n
	n=$(rounds 12 150)
	serve_recorded
	together "by_web web1 $((4 * n)) 3000" "by_web web2 $((4 * n)) 30" \
		"by_web web3 $((4 * n)) 300" "by_cgi cgi $n 2000" \
		"by_command command $n 100" "by_shell shell $n 9000"
	stop "$PUBLISHER_PID"
	cut_power full "$(rounds 12 2)"
	# the responder starts with the files of the last cut
	[ -z "$USER_IS" ] || chown -R "$USER_IS:" "$CUT"
	DB=$CUT/events.db start_responder --socket "$SITE/build/run/cut.sock"
	eventually connects "$SITE/build/run/cut.sock"
	saw "$CUTS (seed $SEED)"
}

@test "cuts under programs that start and end: the WAL is made and removed" {
	fault 'power failure while programs open and close the log, one after the other' \
		'the log opens and is sound; acknowledged events are there; no id is used twice'
	local i n
	n=$(rounds 3 40)
	for ((i = 0; i < n; i++)); do
		by_cgi "cgi$i" 2 20
		by_command "command$i" 1 5000
		by_shell "shell$i" 1 20
	done
	cut_power full "$(rounds 6 1)"
	saw "$CUTS (seed $SEED)"
}

@test "cuts at synchronous=NORMAL" {
	fault 'power failure at synchronous=NORMAL' \
		'the log opens and is sound; the last commits may be lost, acknowledged or not, and their ids are used again, as rowcast-publish.cgi(8) says'
	local n
	n=$(rounds 40 400)
	serve_recorded --synchronous normal
	together "by_web web1 $n 3000" "by_web web2 $n 30"
	stop "$PUBLISHER_PID"
	cut_power normal "$(rounds 12 2)"
	local seen="$CUTS (seed $SEED)"
	# the test can find losses
	run cut_power full 12
	[ "$status" -eq 1 ]
	[[ $output == *'that were acknowledged are there'* ]]
	saw "$seen"
}

# Succeeds if a sync of the WAL is delayed.
holds() {
	[ -e "$T/hold.held" ]
}

@test "no client sees an event before it is on disk" {
	fault 'a slow sync, synchronous=FULL' \
		'no stream sends an event before it is on disk, where a power failure could take it away'
	serve_recorded
	by_web before 1 1
	open_stream live since=0
	eventually got live 'before 1'
	chmod a+rwx "$T"
	: >"$T/hold"
	by_web held 1 1 3>&- &
	local poster=$! opened=0
	STARTED+=("$poster")
	eventually holds
	# a new client gets the present events, without this one
	while [ "$opened" -lt "$(rounds 5 50)" ]; do
		opened=$((opened + 1))
		open_stream "meanwhile$opened" since=0
		eventually got "meanwhile$opened" 'before 1'
	done
	run ! grep -l 'held 1' "$T"/*.body
	[ "$(sql 'SELECT count(*) FROM events')" -eq 1 ]
	rm "$T/hold"
	eventually got live 'held 1'
	eventually got "meanwhile$opened" 'held 1'
	wait "$poster"
	saw "$opened streams opened while the sync was delayed: none received the event;" \
		"after it, all"
}
