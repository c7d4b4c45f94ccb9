# shellcheck shell=bash
# faults.bash: helpers of the suites faults_*.bats.  Each test there is a row of
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
# "make check" runs the short form and checks that the page has the row.  "make
# faults" runs the long form and writes the page from the results.

load stream

FAULTS=${FAULTS:-short}

# Print one of two numbers, for the short and the long form.
#   usage: rounds SHORT LONG
rounds() {
	if [ "$FAULTS" = long ]; then echo "$2"; else echo "$1"; fi
}

# Name the fault, and the behaviour that is promised.
#   usage: fault NAME PROMISE
fault() {
	FAULT=$1
	PROMISE=$2
}

# Record the result; call it once, at the end of a test.  The line number of the
# test names the row, because the number of a test depends on the selection.
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
