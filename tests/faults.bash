# shellcheck shell=bash
# faults.bash: for the suites faults_*.bats, whose tests are the rows of
# docs/faults.md.
#
#     load faults
#     SECTION='Processes that die'
#     @test "…" {
#         fault 'kill -9 of the responder' 'every client gets every event'
#         …
#         saw "$ROWS events, 3 kills; lost 0"
#     }
#
# "make check" runs the short form and sees that the page has the row; "make
# faults" runs the long one and writes the page anew from what was seen.

WAIT=${WAIT:-60} # a fault takes its time

load stream

FAULTS=${FAULTS:-short}

# How much of something, in the short and the long form.
#   usage: rounds SHORT LONG
rounds() {
	if [ "$FAULTS" = long ]; then echo "$2"; else echo "$1"; fi
}

# What is done, and what is promised for that.
#   usage: fault NAME PROMISE
fault() {
	FAULT=$1
	PROMISE=$2
}

# What the test has seen; once, at its end.  A row is named by where its test
# stands, as the number of a test is another one where only some are run.
saw() {
	local dir=$BUILD/faults suite=${BATS_TEST_FILENAME##*/} line
	suite=${suite%.bats}
	line=$(grep -nF "@test \"$BATS_TEST_DESCRIPTION\"" \
		"$BATS_TEST_FILENAME" | cut -d : -f 1)
	mkdir -p "$dir"
	grep -lF $'\t'"$FAULT"$'\t' "$dir/$suite"-* 2>/dev/null | xargs -r rm -f
	printf '%s\t%s\t%s\t%s\n' "$SECTION" "$FAULT" "$PROMISE" "$*" \
		>"$dir/$suite-$(printf %04d "$line")"
	echo "# saw: $*"
	[ -n "${FAULTS_WRITES:-}" ] ||
		grep -qF "| $FAULT | $PROMISE |" "$ROOT/docs/faults.md" || {
		echo 'docs/faults.md has no such row: make faults writes it'
		return 1
	}
}
