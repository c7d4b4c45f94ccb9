#!/usr/bin/env bats
# Tests of the soak in its shortest form: two rounds of a few seconds.  A real
# soak takes an hour: make soak.

SOAK=$BATS_TEST_DIRNAME/soak

setup() {
	local program
	for program in curl sqlite3 ps pgrep lighttpd; do
		PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
			skip "$program is not installed"
	done
	T=$BATS_TEST_TMPDIR
	WORK=$T/soak
	chmod go+x "$BATS_RUN_TMPDIR" "$T"
}

# Start a soak.  Sets SOAK_PID.
#   usage: soak SEED
soak() {
	HOURS=0.003 CLIENTS=50 SEED=$1 SOAK_DIR=$WORK "$SOAK/run" \
		>"$T/out" 2>&1 3>&- &
	SOAK_PID=$!
}

teardown() {
	if [ -n "${SOAK_PID:-}" ]; then
		kill "$SOAK_PID" 2>/dev/null || :
		wait "$SOAK_PID" || :
	fi
	[ -n "${BATS_TEST_COMPLETED:-}" ] || cat "$T/out"
}

# Print samples of ten minutes with this memory of the responder.
#   usage: samples AWK-EXPRESSION
samples() {
	mkdir -p "$WORK"
	(
		load soak/sample
		# shellcheck disable=SC2086 # a list
		printf '%s\n' $SAMPLE_COLUMNS | paste -s
		awk "BEGIN { srand(1); OFS = \"\t\"; for (t = 5; t <= 600; t += 5)
			print t, int(t / 60) + 1, 1, \"load\", \"lighttpd\", 2000,
			    10, 9000, 5000, int($1), 2000, t,
			    11, 4000, 1500, 1200, 18, t,
			    12, 9000, 8000, 9000, 4000, t,
			    2000, t, t, 4000, 4000 }"
	) >"$WORK/samples.tsv"
	printf 'round\tstretch\tserver\tconnections\tevents\n' >"$WORK/rounds.tsv"
	printf '60\t1\tkill-all\t0\n' >"$WORK/faults.tsv"
}

@test "two rounds, all received events compared with the log" {
	soak 6
	wait "$SOAK_PID"
	cat "$T/out"
	[ "$(wc -l <"$WORK/judged.tsv")" -eq 2 ]
	[ "$(wc -l <"$WORK/faults.tsv")" -gt 2 ]
	grep -q 'made up | none |' "$WORK/soak.md"
	grep -q '1 kill-responder' "$WORK/soak.md"
	awk -F '\t' '$4 == "load" && $25 > 30' "$WORK/samples.tsv" | grep -q .
	grep -q '</svg>' "$WORK/soak.svg"
	[ -z "$(ls "$WORK/rounds")" ]
}

@test "an error ends it and prints round and seed; the folder stays" {
	soak 7
	until [ -s "$WORK/rounds/1/acks.tsv" ]; do
		kill -0 "$SOAK_PID"
		sleep 0.1
	done
	echo web1-1000000 >>"$WORK/rounds/1/acks.tsv"
	! wait "$SOAK_PID" || return 1
	SOAK_PID=
	grep -q 'not in the log: web1-1000000' "$T/out"
	grep -q '^soak: SEED=7: failed in round [12]' "$T/out"
	[ -s "$WORK/rounds/1/record.tsv" ]
	[ ! -e "$WORK/rounds/3" ]
}

@test "Ctrl-C ends it with a report and leaves no process" {
	soak 7
	until [ -s "$WORK/faults.tsv" ]; do
		kill -0 "$SOAK_PID"
		sleep 0.1
	done
	server=$(cut -d ' ' -f 2 "$WORK/now")
	kill -TERM "$SOAK_PID"
	wait "$SOAK_PID"
	SOAK_PID=
	grep -q '^| seed | 7 |' "$T/out"
	! kill -0 "$server" || return 1
	! pgrep -f "$WORK/" || return 1
}

@test "the seed determines the sequence of faults" {
	"$SOAK/plan" 1 40 60 2000 >"$T/one"
	"$SOAK/plan" 1 40 60 2000 | cmp - "$T/one"
	! "$SOAK/plan" 2 40 60 2000 | cmp -s - "$T/one" || return 1
	awk -F '\t' '$3 == "round" { calm = $4 !~ /^0/ }
		calm && $3 ~ /^(kill|term|reload)/ { exit 1 }' "$T/one"
}

@test "growing memory is found, constant memory is accepted" {
	samples '4000 + 500 * rand() + (t < 120 ? 0 : 1000)'
	"$SOAK/report" "$WORK" 1 1
	samples '4000 + 500 * rand() + 2 * t'
	run "$SOAK/report" "$WORK" 1 1
	[ "$status" -eq 1 ]
	grep -q '^| responder memory, stretch 1 .*\*\*no\*\*' "$WORK/soak.md"
}
