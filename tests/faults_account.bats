#!/usr/bin/env bats
# Memory, descriptors and streams are released, as counted by valgrind during a
# session that uses all functions.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load faults
SECTION='Memory and descriptors'

setup() {
	site_new
	[ -z "${SAN:-}" ] || skip 'sanitizers have an account of their own'
	needs nginx valgrind vgdb
	SESSION=$BUILD/tests/session/session
	export ROWCAST_NO_SANDBOX=1 # valgrind is in the same process
}

# Run a command without the descriptors of bats: newer valgrinds count inherited
# ones as errors.
# shellcheck disable=SC2016 # the inner shell's
ALONE='for fd in /proc/$$/fd/*; do
	[ "${fd##*/}" -le 2 ] || eval "exec ${fd##*/}>&-"
done
exec "$@"'

# Start a program under valgrind, which prints errors only.
#   usage: watched NAME SOCKET PROGRAM [OPTION…]
watched() {
	local name=$1 socket=$2 program=$3
	shift 3
	start "$name" bash -c "$ALONE" alone valgrind --log-file="build/run/$name.valgrind" \
		--leak-check=full --show-leak-kinds=all \
		--errors-for-leak-kinds=all --track-fds=yes \
		--suppressions="$T/suppressions" --error-exitcode=77 \
		--vgdb-prefix="$SITE/build/run/vgdb" \
		"build/$program" --db "$DB" --socket "build/run/$socket.sock" "$@"
	up "$PID" "$name" connects "$SITE/build/run/$socket.sock"
}

# Print the memory that a program uses now: "BYTES in BLOCKS", of all kinds.
#   usage: in_use PID
in_use() {
	(as_site timeout 30 vgdb --vgdb-prefix="$SITE/build/run/vgdb" \
		--pid="$1" leak_check summary any) >"$T/vgdb" 2>&1 3>&-
	tr -d , <"$T/vgdb" | awk '
		/ lost: | reachable: | suppressed: / {
			for (i = 1; i <= NF; i++) {
				if ($i == "bytes") bytes += $(i - 1)
				if ($i == "blocks") blocks += $(i - 1)
			}
		}
		END {
			if (bytes == 0) exit 1
			print bytes " in " blocks
		}'
}

# Print the last report of a program.
#   usage: reported NAME PID
reported() {
	REPORTS=$(grep -c 'report: ' "$LOGS/$1" || :)
	kill -USR2 "$2"
	eventually has_reported_in "$1"
	grep 'report: ' "$LOGS/$1" | tail -n 1
}

has_reported_in() {
	[ "$(grep -c 'report: ' "$LOGS/$1")" -gt "$REPORTS" ]
}

is_idle() {
	[[ "$(reported responder "$RESPONDER_PID")" == *" streams=0 feeds=0 connections=0 "* ]] &&
		[[ "$(reported publisher "$PUBLISHER_PID")" == *" connections=0 "* ]]
}

# Send a request to one of the programs; the answer must have this status.
#   usage: gives STATUS PATH [CURL-OPTION…]
gives() {
	local want=$1 path=$2 got
	shift 2
	got=$(curl -s -m "$WAIT" -o "$T/gives" -w '%{http_code}' "$@" "$URL$path")
	[ "$got" = "$want" ] || {
		echo "$path: $got, not $want"
		return 1
	}
}

# Send a request that is cut off while it sends or receives.
#   usage: cut_off CURL-OPTION…
cut_off() {
	local before
	before=$(reported publisher "$PUBLISHER_PID" | sed 's/.*requests=\([0-9]*\).*/\1/')
	curl -s -m "$WAIT" -H "Authorization: Bearer $TOKEN" -o "$T/cut" "$@" \
		"$URL/publish" 3>&- &
	STARTED+=("$!")
	eventually has_more_requests "$before"
	kill -KILL "$!"
	wait "$!" 2>"$T/ignored" || :
}

has_more_requests() {
	local now
	now=$(reported publisher "$PUBLISHER_PID" | sed 's/.*requests=\([0-9]*\).*/\1/')
	[ "$now" -gt "$1" ]
}

# Use all functions, then replace the log.  The web server is ended, because it
# keeps connections.
everything() {
	local pids=() pid token=(-H "Authorization: Bearer $TOKEN") query
	"$SESSION" "$DB" "$SITE/build/run/rowcast.sock" "$RESPONDER_PID" \
		"$SITE/build/run/publish.sock" "$PUBLISHER_PID" 60 || return 1
	start_nginx
	eventually answers_head
	# streams of all kinds
	for query in '' since=0 since=last:3 since=earliest \
		since=2026-01-01T00:00:00Z 'topic=a&topic=b' 'topic=a*' \
		'topic=&event=tick' 'since=5&hello=clock'; do
		open_stream "s${#pids[@]}" "$query"
		pids+=("$STREAM_PID")
	done
	gives 201 /publish "${token[@]}" -d data=live
	eventually got s0 'data: live'
	eventually got s7 'retry: '
	stop "${pids[@]}"
	# refusals
	gives 200 /events -I
	gives 405 /events -X POST -d x
	gives 400 '/events?since=nonsense'
	gives 400 '/events?topic=%FF'
	gives 401 /publish -d data=x
	gives 415 /publish "${token[@]}" -H 'Content-Type: image/png' -d x
	gives 400 /publish "${token[@]}" -H 'Content-Type: application/json' -d '{'
	gives 422 /publish "${token[@]}" --data-binary 'data=x&event='
	gives 201 /publish "${token[@]}" -d 'data=x&key=k'
	gives 409 /publish "${token[@]}" -d 'data=y&key=k'
	gives 413 /publish "${token[@]}" -H 'Content-Type: text/plain' \
		--data-binary "@$T/too-large"
	for query in text/plain application/x-ndjson text/event-stream; do
		mkfifo "$T/fifo"
		exec 6<>"$T/fifo"
		printf '{"data":"x"}\n{"da' >&6
		cut_off -X POST -T "$T/fifo" -H "Content-Type: $query"
		exec 6>&-
		rm "$T/fifo"
	done
	# another log, while a stream is open
	open_stream reset topic=quiet
	new_log
	eventually got reset stream-reset
	stop "$STREAM_PID"
	gives 201 /publish "${token[@]}" -d data=first
	stop "$SERVER_PID"
	eventually is_idle
}

new_log() {
	(as_site sqlite3 "$SITE/new.db") <"$ROOT/sql/schema.sql" >"$T/ignored"
	(as_site sqlite3 "$SITE/new.db" "INSERT INTO events(data)
		VALUES('one'), ('two')")
	rm -f "$DB-wal" "$DB-shm"
	mv "$SITE/new.db" "$DB"
}

# Print the descriptors that a program had open at its end, without those that
# it inherited and those of valgrind.
left_open() {
	awk '/Open (file descriptor|AF_)/ { line = $0; next }
		line != "" {
			if (!/inherited from parent/ && line !~ /valgrind$/)
				print line
			line = ""
		}' "$SITE/build/run/$1.valgrind"
}

@test "all that a session allocates is released" {
	fault 'a session with streams and publishes of all kinds, refusals, clients that leave, and a replaced log' \
		'after each session, allocated bytes, descriptors and streams are back to their numbers; at exit nothing is left'
	local round responder publisher fds last='' now n opened
	cp "$TESTS/preload/valgrind.supp" "$T/suppressions"
	chmod a+rx "$T"
	chmod a+r "$T/suppressions"
	head -c 1100000 /dev/zero | tr '\0' x >"$T/too-large"
	watched responder rowcast rowcast.fcgi --tail-kb 64 --replay-kb 64
	RESPONDER_PID=$PID
	watched publisher publish rowcast-publish.cgi
	PUBLISHER_PID=$PID
	n=$(rounds 3 8)
	for ((round = 0; round < n; round++)); do
		everything
		responder=$(in_use "$RESPONDER_PID")
		publisher=$(in_use "$PUBLISHER_PID")
		fds="$(descriptors "$RESPONDER_PID") and $(descriptors "$PUBLISHER_PID")"
		now="$responder blocks, $publisher blocks, $fds descriptors"
		echo "after session $round: $now"
		# the first round allocates what is kept
		[ "$round" -eq 0 ] || [ "$now" = "$last" ]
		last=$now
	done
	opened=$(reported responder "$RESPONDER_PID" |
		sed 's/.*opened=\([0-9]*\).*/\1/')
	[ "$opened" -ge $((14 * n)) ]
	for now in "$RESPONDER_PID" "$PUBLISHER_PID"; do
		kill "$now"
		wait "$now"
	done
	for now in responder publisher; do
		[ -z "$(left_open "$now")" ]
		grep -q 'ERROR SUMMARY: 0 errors' "$SITE/build/run/$now.valgrind"
		grep -q 'All heap blocks were freed\|in use at exit: 768 bytes in 1 ' \
			"$SITE/build/run/$now.valgrind"
	done
	saw "after each of $n sessions: $last, $opened streams opened and closed" \
		"in all; at the end no leak, no error, no descriptor"
}
