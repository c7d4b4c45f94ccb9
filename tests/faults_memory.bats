#!/usr/bin/env bats
# shellcheck disable=SC2153 # WAIT is of helpers
# Allocations that fail.

load sweep
SECTION='Memory and descriptors'

# libfcgi and libseccomp end the process when out of memory:
# lib/fastcgi/libfcgi.c and lib/sandbox/calls.c check before.  Tests with real
# limits, below, include these libraries.
MEMORY=(FAIL=memory 'FAIL_SPARE=libfcgi,libseccomp')

@test "the responder: each allocation once" {
	fault 'responder: the n-th allocation fails' \
		'at start-up the program reports it and exits; later it continues, and clients at most reconnect'
	sweep responder $((1 + RANDOM % $(rounds 90 2))) "$(rounds 90 2)" \
		"${MEMORY[@]}"
	saw "$SWEPT"
}

@test "the publisher: each allocation once" {
	fault 'publisher: the n-th allocation fails' \
		'at start-up the program reports it and exits; later it continues, and clients may have to publish again'
	sweep publisher $((1 + RANDOM % $(rounds 180 3))) "$(rounds 180 3)" \
		"${MEMORY[@]}"
	saw "$SWEPT"
}

@test "both: no memory at all for some time" {
	fault 'every allocation fails for a while, during streams and publishes' \
		'no program exits or loops; with memory everything continues without a restart'
	local i
	LATE=0 FAILURES=0 OUTAGE=40
	for ((i = 0; i < $(rounds 1 20); i++)); do
		late_one responder until_failed "${MEMORY[@]}" FAIL_COUNT=0
		late_one publisher until_failed "${MEMORY[@]}" FAIL_COUNT=0
	done
	# a busy loop would fail tens of thousands of times
	[ "$FAILURES" -le $((5000 * LATE)) ]
	saw "$LATE outages, $FAILURES allocations failed; nothing lost," \
		"nothing twice"
}

@test "both: a share of all allocations fails" {
	fault 'a random share of allocations fails: 1 % (responder), 0.1 % (publisher)' \
		'no program exits; streams and publishes succeed'
	local seed=$RANDOM i
	LATE=0 FAILURES=0
	for ((i = 0; i < $(rounds 3 200); i++)); do
		late_one responder until_over "${MEMORY[@]}" \
			FAIL_SHARE=10 FAIL_SEED=$((seed + i))
		late_one publisher until_over "${MEMORY[@]}" \
			FAIL_SHARE=1 FAIL_SEED=$((seed + i))
	done
	saw "$LATE sessions, seed $seed, $FAILURES allocations failed; nothing" \
		"lost, nothing twice"
}

# ---- programs that end by themselves ----------------------------------------

publishes_one() {
	[ "$(sqlite3 "$LOG" "SELECT data FROM events ORDER BY id DESC LIMIT 1
		")" = "$WANT" ]
}

is_answered() {
	grep -q '^Status: 201' "$T/out" || return 0 # a refusal: 503
	publishes_one
}

@test "a publisher as CGI: each allocation once" {
	fault 'plain CGI publisher: the n-th allocation fails' \
		'the program reports it or answers; events answered 201 are in the log'
	cp "$T/template.db" "$LOG"
	printf '[{"data":"x"},{"data":"from a CGI program"}]' >"$T/body"
	WANT='from a CGI program'
	sweep_command 1 "$(rounds 80 1)" is_answered "${MEMORY[@]}" \
		ROWCAST_DB="$LOG" \
		GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
		CONTENT_TYPE=application/json \
		CONTENT_LENGTH="$(wc -c <"$T/body")" -- \
		"$BUILD/rowcast-publish.cgi"
	saw "$SWEPT"
}

has_answer() {
	grep -q '^Status: ' "$T/out"
}

@test "a responder as CGI: each allocation once" {
	fault 'plain CGI responder: the n-th allocation fails' \
		'it says so, or answers'
	local first with=("${MEMORY[@]}" ROWCAST_DB="$LOG"
		GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=HEAD)
	cp "$T/template.db" "$LOG"
	: >"$T/body"
	command_one has_answer 0 "$BUILD/rowcast.fcgi"
	# the short form tests the last ones, which are those of the response
	first=$(rounds $((CALLS - 20)) 1)
	sweep_command "$first" 1 has_answer "${with[@]}" -- \
		"$BUILD/rowcast.fcgi"
	saw "$SWEPT"
}

is_whole_tail() {
	cmp "$T/want" "$T/out"
}

@test "rowcast publish and tail: each allocation once" {
	fault 'rowcast publish, rowcast tail: the n-th allocation fails' \
		'the program reports it, or succeeds'
	local seen
	cp "$T/template.db" "$LOG"
	printf 'by hand' >"$T/body"
	WANT='by hand'
	sweep_command 1 "$(rounds 80 1)" publishes_one "${MEMORY[@]}" -- \
		"$BUILD/rowcast" --db "$LOG" publish
	seen="publish: $SWEPT"
	"$BUILD/rowcast" --db "$LOG" tail --since earliest --no-follow >"$T/want"
	sweep_command 1 "$(rounds 80 1)" is_whole_tail "${MEMORY[@]}" -- \
		"$BUILD/rowcast" --db "$LOG" tail --since earliest --no-follow
	seen+="; tail: $SWEPT"
	# each text must be converted there
	rm "$LOG"*
	{
		echo "PRAGMA encoding = 'UTF-16';"
		cat "$ROOT/sql/schema.sql"
		echo "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1
			FROM n WHERE i < 100) INSERT INTO events(topic, data)
			SELECT 't', 'row ' || i FROM n;"
	} | sqlite3 -bail "$LOG" >"$T/ignored"
	"$BUILD/rowcast" --db "$LOG" tail --since earliest --no-follow >"$T/want"
	sweep_command 1 "$(rounds 17 1)" is_whole_tail "${MEMORY[@]}" -- \
		"$BUILD/rowcast" --db "$LOG" tail --since earliest --no-follow
	saw "$seen; tail of a log in UTF-16: $SWEPT"
}

# ---- limits of the system ---------------------------------------------------

# Run a CGI program under each limit on memory, in steps of STEP KB, from the
# first under which it can be loaded.  Sets STEPS, REFUSED and RAN.
#   usage: under_limits PROGRAM STEP NAME=VALUE…
under_limits() {
	local program=$1 step=$2 limit=4000 rc=127 last
	shift 2
	STEPS=0 REFUSED=0 RAN=0
	while [ "$rc" -eq 127 ]; do # the loader's
		limit=$((limit + 100))
		cgi_under_limit "$program" "$limit" "$@"
	done
	last=$((limit + 4000))
	for ((limit -= 100; limit <= last; limit += step)); do
		cgi_under_limit "$program" "$limit" "$@"
		[ "$rc" -ne 127 ] || continue
		STEPS=$((STEPS + 1))
		if [ "$rc" -eq 0 ] && grep -q '^Status: ' "$T/out"; then
			RAN=$((RAN + 1))
		elif [ "$rc" -eq 1 ] && [ -s "$T/err" ]; then
			REFUSED=$((REFUSED + 1))
		else
			echo "$program under $limit KB: status $rc"
			head -c 1000 "$T/out" "$T/err"
			return 1
		fi
	done
	[ "$RAN" -gt 0 ] && [ "$REFUSED" -gt 0 ]
}

# usage: cgi_under_limit PROGRAM KB NAME=VALUE…     (rc: of the caller)
cgi_under_limit() {
	local program=$1 limit=$2
	shift 2
	rc=0
	(
		ulimit -c 0
		ulimit -v "$limit" # of the shell, too: nothing before exec
		exec env ROWCAST_DB="$LOG" GATEWAY_INTERFACE=CGI/1.1 "$@" \
			"$BUILD/$program"
	) <"$T/body" >"$T/out" 2>"$T/err" 3>&- || rc=$?
}

@test "plain CGI: each limit on memory" {
	fault 'plain CGI: every limit on memory (RLIMIT_AS) under which the program can be loaded' \
		'the program reports it or answers; no library crashes'
	local seen
	fresh_log
	printf hi >"$T/body"
	under_limits rowcast-publish.cgi "$(rounds 40 5)" REQUEST_METHOD=POST \
		CONTENT_TYPE=text/plain CONTENT_LENGTH=2
	seen="publisher: $STEPS limits, $REFUSED failed with a diagnostic, $RAN"
	seen+=" answered"
	under_limits rowcast.fcgi "$(rounds 40 5)" REQUEST_METHOD=HEAD
	saw "$seen; responder: $STEPS limits, $REFUSED failed with a diagnostic," \
		"$RAN answered"
}

# Succeeds if the crowd has printed this.
crowd_said() {
	grep -q "$1" "$T/crowd.out"
}

@test "the responder: more streams than there is memory for" {
	fault 'responder: streams are opened until a limit on memory (RLIMIT_AS) is reached' \
		'further clients wait in the backlog; open streams are served; with room, others are accepted'
	needs prlimit
	local crowd=$BUILD/tests/tools/crowd size open got with since
	fresh_log
	# its own memory, and some more
	with=()
	who=responder start_one responder rowcast.fcgi
	eventually connects "$T/run/responder"
	size=$(awk '/^VmSize/ { print $2 * 1024 }' "/proc/$PID/status")
	stop "$PID"
	: >"$LOGS/responder"
	with=(prlimit --as=$((size + 4194304 + $(rounds 1500000 6000000))))
	since=$SECONDS
	who=responder start_one responder rowcast.fcgi
	RESPONDER_PID=$PID
	eventually connects "$T/run/responder"
	mkfifo "$T/fifo"
	"$crowd" "$T/run/responder" "$(rounds 4000 12000)" 'data: to all' \
		<"$T/fifo" >"$T/crowd.out" 3>&- &
	STARTED+=("$!")
	exec 6>"$T/fifo"
	eventually crowd_said open=
	open=$(sed -n 's/^open=\([0-9]*\).*/\1/p' "$T/crowd.out")
	[ "$open" -ge 100 ]
	[ "$open" -lt "$(rounds 4000 12000)" ]
	# open streams, several times
	(as_site sqlite3 "$LOG" \
		"INSERT INTO events(topic, data) VALUES('all', 'to all')")
	echo >&6
	eventually crowd_said got=
	got=$(sed -n 's/^got=\([0-9]*\).*/\1/p' "$T/crowd.out")
	exec 6>&-
	[ "$got" -eq "$open" ]
	grep -q 'accept: Cannot allocate memory' "$LOGS/responder"
	# they have disconnected: others fit
	[[ $("$crowd" "$T/run/responder" 100 x </dev/null) == open=100\ * ]]
	# one shortage after the other is reported every 10 s at most
	[ "$(sort -u "$LOGS/responder" | wc -l)" -eq 1 ]
	[ "$(wc -l <"$LOGS/responder")" -le $((1 + (SECONDS - since) / 10)) ]
	kill "$RESPONDER_PID"
	wait "$RESPONDER_PID"
	saw "$open of $(rounds 4000 12000) streams were opened, all of them were sent" \
		"the event; after they left, 100 of 100; no restart"
}

# Serve a log, with BYTES more memory than the responder has at first, and insert
# a row of 90 MB.  Sets pid.
#   usage: insert_huge BYTES [SQL]     before the schema
insert_huge() {
	local size
	{
		echo "${2:-}"
		cat "$ROOT/sql/schema.sql"
	} | (as_site sqlite3 -bail "$DB") >/dev/null
	serve
	sql "INSERT INTO events(data) VALUES('seen')"
	open_stream before 'since=0'
	eventually got before seen
	pid=$(responders)
	size=$(awk '/^VmSize/ { print $2 * 1024 }' "/proc/$pid/status")
	(as_site prlimit --pid "$pid" --as=$((size + $1)):)
	sql "INSERT INTO events(data) VALUES(hex(zeroblob(45000000)));
		INSERT INTO events(data) VALUES('after it')"
}

@test "the responder: a row larger than its memory comes in parts" {
	fault 'responder: a row of 90 MB is inserted under a limit on memory (RLIMIT_AS) of 20 MB more' \
		'the row is sent in parts'
	needs prlimit
	local pid
	insert_huge 20000000
	eventually got before 'after it'
	[ "$(wc -c <"$T/before.body")" -gt 90000000 ]
	[ "$(responders)" = "$pid" ]
	run ! grep -q 'rowcast.fcgi:' "$LOGS/lighttpd"
	saw 'a live client received it'
}

# A text in UTF-16 is converted whole.
@test "the responder: a row larger than its memory" {
	fault 'responder: the same in a log in UTF-16, whose rows are not read in parts, of 180 MB more' \
		'reported once; new clients are told to reconnect; with room the row is sent, without a restart'
	needs prlimit
	local pid
	insert_huge 180000000 "PRAGMA encoding = 'UTF-16';"
	eventually grep -q 'out of memory' "$LOGS/lighttpd"
	curl -sf -m "$WAIT" -o "$T/came" -H 'Last-Event-ID: 3' "$URL/events"
	grep -q '^retry:' "$T/came"
	[ "$(grep -c 'rowcast.fcgi:' "$LOGS/lighttpd")" -eq 1 ]
	(as_site prlimit --pid "$pid" --as=unlimited:)
	eventually got before 'after it'
	grep -q 'can be read again' "$LOGS/lighttpd"
	[ "$(responders)" = "$pid" ]
	saw "a row of 90 MB, reported in one line; with room, waiting clients" \
		"received it"
}
