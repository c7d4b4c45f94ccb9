# shellcheck shell=bash
# sweep.bash: make the n-th call fail, for n = 1, 2, 3 …; for the suites
# faults_*.bats.
#
#     load sweep
#     @test "…" { sweep responder 1 10 FAIL=memory; saw "$SWEPT"; }
#
# For each n, both programs are started on a new log, one of them with
# tests/preload/fail.c, and tests/session exercises all their functions.  The
# streams must then have received each event of the log once, and the log must
# hold every acknowledged event.

load faults

setup() {
	sweep_setup
}

sweep_setup() {
	site_new
	SESSION=$BUILD/tests/session/session
	FAIL_SO=$BUILD/tests/preload/fail.so
	[ -z "${SAN:-}" ] || skip 'sanitizers replace the same functions'
	[ -e "$FAIL_SO" ] || {
		echo "$FAIL_SO is missing: run make check-build" >&2
		return 1
	}
	# the site's user may have no access to the folder of the build
	cp "$FAIL_SO" "$SITE/build/"
	FAIL_SO=$SITE/build/fail.so
	LOG=$T/run/events.db
	mkdir "$T/run"
	touch "$T/state"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$T/run" "$T/state"
	export ROWCAST_PUBLISH_OPEN=1
	# more rows than fit into a page of the responder
	sqlite3 "$T/template.db" <"$ROOT/sql/schema.sql" >"$T/ignored"
	sqlite3 "$T/template.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
		SELECT i + 1 FROM n WHERE i < 1500)
		INSERT INTO events(topic, data) SELECT
		CASE i % 3 WHEN 0 THEN 'old' ELSE 'other' END, 'row ' || i
		FROM n; PRAGMA wal_checkpoint(TRUNCATE)" >"$T/ignored"
	fail_state 1
}

# Write the 64 bytes shared with the library: on or off, calls, failures.
fail_state() {
	printf '%s %020d %020d %20s' "$1" 0 0 '' >"$T/state"
}

# Switch the failures on (1) or off (0) while a program runs.
fail_switch() {
	printf %s "$1" | dd of="$T/state" conv=notrunc status=none
}

# Sets CALLS and FAILED.
fail_counts() {
	local on
	read -r on CALLS FAILED _ <"$T/state" || :
	: "$on"
	CALLS=$((10#$CALLS)) FAILED=$((10#$FAILED))
}

has_failed() {
	fail_counts
	[ "$FAILED" -ge "$1" ]
}

fresh_log() {
	cp "$T/template.db" "$LOG"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$LOG"
}

# Start both programs on a new log, one of them with failing calls.  Sets
# RESPONDER_PID, PUBLISHER_PID, and SUBJECT_PID for the program under fault.
#   usage: start_under_fault responder|publisher NAME=VALUE…
start_under_fault() {
	local who=$1 with=()
	shift
	rm -f "$LOG"* "$T"/run/*
	fresh_log
	: >"$LOGS/responder"
	: >"$LOGS/publisher"
	with=(env LD_PRELOAD="$FAIL_SO" FAIL_STATE="$T/state" "$@")
	start_one responder rowcast.fcgi
	RESPONDER_PID=$PID
	start_one publisher rowcast-publish.cgi
	PUBLISHER_PID=$PID
	SUBJECT_PID=$PUBLISHER_PID
	[ "$who" = publisher ] || SUBJECT_PID=$RESPONDER_PID
}

# usage: start_one NAME PROGRAM
# The caller sets who and with.
start_one() {
	local before=()
	[ "$who" != "$1" ] || before=("${with[@]}")
	(as_site "${before[@]}" "build/$2" --db "$LOG" --socket "$T/run/$1") \
		</dev/null >>"$LOGS/$1" 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# Run a session, for WAIT seconds at most.  Sets SAID, its output.
session() {
	local rc=0
	SAID=$("$SESSION" "$LOG" "$T/run/responder" "$RESPONDER_PID" \
		"$T/run/publisher" "$PUBLISHER_PID" "$WAIT") || rc=$?
	echo "$SAID"
	return "$rc"
}

# Succeeds if the process runs the program, or is gone.  A subshell that is
# killed before exec would run the exit handlers of bats.
has_begun() {
	local name=
	{ read -r name <"/proc/$1/comm"; } 2>/dev/null || :
	[ "$name" != bash ] && [ "$name" != setpriv ]
}

# End both programs.  Sets ENDED, the exit status of the subject.  The other one
# may not have installed its signal handlers yet, so its status does not count.
end_both() {
	eventually has_begun "$RESPONDER_PID"
	eventually has_begun "$PUBLISHER_PID"
	kill "$RESPONDER_PID" "$PUBLISHER_PID" 2>/dev/null || :
	ENDED=0
	wait "$SUBJECT_PID" || ENDED=$?
	wait "$RESPONDER_PID" "$PUBLISHER_PID" || :
	STARTED=()
}

# Run one n.  Prints what is wrong, or counts the run in RAN or REFUSED.
#   usage: sweep_one responder|publisher NAME=VALUE…
sweep_one() {
	local rc=0
	fail_state 1
	start_under_fault "$@"
	session >"$T/session" || rc=$?
	end_both
	fail_counts
	RUNS=$((RUNS + 1))
	if [ "$rc" -eq 0 ] && [ "$ENDED" -eq 0 ]; then
		RAN=$((RAN + 1))
		[[ $SAID =~ back\ ([0-9]+),\ tried\ again\ ([0-9]+) ]]
		BACK=$((BACK + BASH_REMATCH[1]))
		AGAIN=$((AGAIN + BASH_REMATCH[2]))
	elif [ "$rc" -eq 3 ] && [ "$ENDED" -gt 0 ] && [ "$ENDED" -lt 128 ] &&
		[ "$(wc -l <"$LOGS/$1")" -eq 1 ]; then
		REFUSED=$((REFUSED + 1))
	else
		echo "$*: status $ENDED, session $rc: $SAID"
		cat "$LOGS/$1"
		return 1
	fi
}

# Run n = FIRST, FIRST + STEP … up to the number of calls of a run without
# failures.  Sets SWEPT, the result in words.
#   usage: sweep responder|publisher FIRST STEP NAME=VALUE…
sweep() {
	local who=$1 first=$2 step=$3 n calls
	shift 3
	sweep_one "$who" "$@" FAIL_AT=0
	calls=$CALLS
	RUNS=0 RAN=0 REFUSED=0 BACK=0 AGAIN=0
	for ((n = first; n <= calls; n += step)); do
		sweep_one "$who" FAIL_AT="$n" "$@"
	done
	SWEPT="n = $first … $calls by $step: $RUNS starts, $REFUSED ended"
	SWEPT+=" with a diagnostic, $RAN continued; streams reconnected $BACK times,"
	SWEPT+=" publishes were repeated $AGAIN times; nothing lost,"
	SWEPT+=" nothing twice, no crash"
}

# The same for a program that ends by itself: a CGI process, a command.  For
# each n it must end with status 0, and CHECK must succeed, or with another
# status and a diagnostic.  Sets SWEPT.
#   usage: sweep_command FIRST STEP CHECK NAME=VALUE… -- COMMAND…
# Standard input is $T/body; output goes to $T/out and $T/err.
sweep_command() {
	local first=$1 step=$2 check=$3 n calls with=()
	shift 3
	while [ "$1" != -- ]; do
		with+=("$1")
		shift
	done
	shift
	RUNS=0 RAN=0 REFUSED=0
	command_one "$check" 0 "$@"
	calls=$CALLS
	for ((n = first; n <= calls; n += step)); do
		command_one "$check" "$n" "$@"
	done
	SWEPT="n = $first … $calls by $step: $RUNS runs, $REFUSED failed"
	SWEPT+=" with a diagnostic, $RAN succeeded"
}

# usage: command_one CHECK N COMMAND…
# The caller sets with.
command_one() {
	local check=$1 n=$2 rc=0
	shift 2
	fail_state 1
	env "${with[@]}" LD_PRELOAD="$FAIL_SO" FAIL_STATE="$T/state" \
		FAIL_AT="$n" "$@" <"$T/body" >"$T/out" 2>"$T/err" 3>&- || rc=$?
	fail_counts
	RUNS=$((RUNS + 1))
	if [ "$rc" -eq 0 ] && "$check"; then
		RAN=$((RAN + 1))
	elif [ "$rc" -lt 128 ] && [ "$(wc -l <"$T/err")" -ge 1 ] &&
		[ "$rc" -ne 0 ]; then
		REFUSED=$((REFUSED + 1))
	else
		echo "n = $n: $*: status $rc"
		head -c 1000 "$T/out" "$T/err"
		return 1
	fi
}

# Start both programs, then a session during which calls of one of them fail.
# It must succeed, and then a second session without failures.
#   usage: late_one responder|publisher CHECK NAME=VALUE…
# CHECK runs during the session, while calls fail.
late_one() {
	local who=$1 check=$2 rc=0
	shift 2
	fail_state 0
	start_under_fault "$who" "$@"
	eventually connects "$T/run/responder"
	eventually connects "$T/run/publisher"
	session >"$T/session" 3>&- &
	SESSION_PID=$!
	fail_switch 1
	"$check"
	fail_switch 0
	wait "$SESSION_PID" || rc=$?
	fail_counts
	[ "$rc" -ne 0 ] || session || rc=$?
	end_both
	LATE=$((LATE + 1))
	FAILURES=$((FAILURES + FAILED))
	[ "$rc" -ne 0 ] || [ "$ENDED" -ne 0 ] || return 0
	echo "$who $*: status $ENDED, session $rc: $SAID $(cat "$T/session")"
	cat "$LOGS/$who"
	return 1
}

# Checks for late_one: wait until OUTAGE calls have failed, or until the session
# has ended.
until_failed() {
	eventually has_failed "$OUTAGE"
}

until_over() {
	wait_until $((2 * WAIT)) gone "$SESSION_PID"
}
