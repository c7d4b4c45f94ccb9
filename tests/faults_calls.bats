#!/usr/bin/env bats
# Failing system calls: on the files of the log and on sockets.

load sweep
SECTION='Files and sockets that fail'

# Numbers of errors, for the library.
EINTR=4 EIO=5 EAGAIN=11 ENOMEM=12 ENFILE=23 EMFILE=24 ENOSPC=28 EPIPE=32
ECONNABORTED=103 ECONNRESET=104

# Run a sweep and add up the figures.
#   usage: add_up responder|publisher STEP NAME=VALUE…
add_up() {
	local who=$1 step=$2
	shift 2
	sweep "$who" $((1 + RANDOM % step)) "$step" "$@"
	SUM=$((${SUM:-0} + RUNS)) ALL=$((${ALL:-0} + CALLS))
	SUM_REFUSED=$((${SUM_REFUSED:-0} + REFUSED))
	SUM_BACK=$((${SUM_BACK:-0} + BACK))
	# shellcheck disable=SC2153 # it is sweep's
	SUM_AGAIN=$((${SUM_AGAIN:-0} + AGAIN))
}

summed_up() {
	saw "$SUM sessions: $SUM_REFUSED starts ended with a diagnostic; streams" \
		"reconnected $SUM_BACK times, publishes were repeated $SUM_AGAIN times;" \
		"nothing lost, nothing twice, no crash"
}

@test "the responder: reads of the log, each one" {
	fault 'responder: the n-th read, open, stat or map of the log fails, or 15 in a row' \
		'it tries again; an error is never taken for the absence of rows'
	local step
	step=$(rounds 30 1)
	add_up responder "$step" FAIL=read FAIL_ERRNO=$EIO
	add_up responder "$step" FAIL=read FAIL_ERRNO=$EIO FAIL_COUNT=15
	add_up responder "$step" FAIL=read FAIL_SHORT=1
	add_up responder "$(rounds 2 1)" FAIL=open FAIL_ERRNO=$EMFILE
	add_up responder "$(rounds 12 1)" FAIL=stat FAIL_ERRNO=$EIO FAIL_COUNT=3
	add_up responder 1 FAIL=map FAIL_ERRNO=$ENOMEM
	summed_up
}

@test "the responder: the log cannot be read for some time" {
	fault 'responder: every read of the log fails for a while, during streams' \
		'streams wait or reconnect; every event arrives, without a restart'
	local i
	LATE=0 FAILURES=0 OUTAGE=20
	for ((i = 0; i < $(rounds 1 20); i++)); do
		late_one responder until_failed FAIL=read FAIL_COUNT=0
		late_one responder until_failed FAIL=read,stat,open FAIL_COUNT=0
	done
	saw "$LATE outages, $FAILURES calls failed; nothing lost, nothing twice"
}

@test "the publisher: reads, writes and syncs of the log, each one" {
	fault 'publisher: the n-th read, write or sync of the log fails, or 15 in a row, or a write is short' \
		'the answer is an error; events answered 201 are in the log'
	add_up publisher "$(rounds 40 1)" FAIL=write,sync FAIL_ERRNO=$EIO
	add_up publisher "$(rounds 40 1)" FAIL=write,sync FAIL_ERRNO=$ENOSPC \
		FAIL_COUNT=15
	add_up publisher "$(rounds 40 1)" FAIL=write FAIL_SHORT=1
	add_up publisher "$(rounds 3 1)" FAIL=sync FAIL_ERRNO=$EIO
	add_up publisher "$(rounds 60 2)" FAIL=read FAIL_ERRNO=$EIO FAIL_COUNT=3
	add_up publisher "$(rounds 20 1)" FAIL=open,map,stat FAIL_ERRNO=$EIO
	summed_up
}

@test "the publisher: the disk fails for some time" {
	fault 'publisher: every write, or every sync, fails for a while' \
		'the answer is an error; afterwards publishing succeeds, without a restart'
	local i
	LATE=0 FAILURES=0 OUTAGE=20
	for ((i = 0; i < $(rounds 1 20); i++)); do
		late_one publisher until_failed FAIL=write,sync FAIL_COUNT=0
		late_one publisher until_failed FAIL=sync FAIL_COUNT=0
	done
	saw "$LATE outages, $FAILURES calls failed; nothing lost, nothing twice"
}

@test "sockets: accept, each one" {
	fault 'accept fails: too many open files, table full, connection aborted, interrupted' \
		'clients wait and are served'
	local who error
	for who in responder publisher; do
		for error in $EMFILE $ENFILE $ECONNABORTED $EINTR $ENOMEM; do
			add_up "$who" "$(rounds 5 1)" FAIL=accept \
				FAIL_ERRNO="$error" FAIL_COUNT="$(rounds 3 7)"
		done
	done
	summed_up
}

@test "sockets: reads and writes, each one" {
	fault 'the n-th read or send on a socket fails, is interrupted, would block or is short' \
		'a stream continues or reconnects; a publish is answered or can be sent again'
	local who error
	for who in responder publisher; do
		for error in $EINTR $EAGAIN $ECONNRESET; do
			add_up "$who" "$(rounds 12 1)" FAIL=recv \
				FAIL_ERRNO="$error"
		done
		for error in $EINTR $EAGAIN $EPIPE; do
			add_up "$who" "$(rounds 18 1)" FAIL=send \
				FAIL_ERRNO="$error"
		done
		add_up "$who" "$(rounds 18 1)" FAIL=recv,send FAIL_SHORT=1
	done
	summed_up
}

@test "sockets: some calls are partial, would block or are interrupted" {
	fault 'a random fifth of the calls on sockets is short or would block' \
		'every event arrives'
	local seed=$RANDOM i
	LATE=0 FAILURES=0
	for ((i = 0; i < $(rounds 1 50); i++)); do
		late_one responder until_over FAIL=recv,send FAIL_SHORT=1 \
			FAIL_SHARE=200 FAIL_SEED=$((seed + i))
		late_one publisher until_over FAIL=recv,send FAIL_ERRNO=$EAGAIN \
			FAIL_SHARE=200 FAIL_SEED=$((seed + i))
	done
	saw "$LATE sessions, seed $seed, $FAILURES such calls; nothing lost," \
		"nothing twice"
}
