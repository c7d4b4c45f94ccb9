# shellcheck shell=bash
# cli.bash: runs the program rowcast on a log.
#
#     load cli
#     @test "…" { make_log; rowcast publish hi; said 1; }

load helpers

setup() {
	cli_setup
}

teardown() {
	cli_teardown
}

cli_setup() {
	needs "${BASICS[@]}"
	PROGRAM=$BUILD/rowcast
	[ -x "$PROGRAM" ] || {
		echo "$PROGRAM is missing: run make" >&2
		return 1
	}
	clean_environment
	T=$BATS_TEST_TMPDIR
	mkdir "$T/log"
	DB=$T/log/events.db
	export ROWCAST_DB=$DB
	OUT=$T/out ERR=$T/err
	RC=0
}

cli_teardown() {
	stop "${STARTED[@]}"
	STARTED=()
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show
}

# Print the output of the commands, for a test that failed.
show() {
	local file
	for file in "$T"/*.out "$T"/*.err "$OUT" "$ERR"; do
		[ ! -s "$file" ] || { echo "== ${file##*/}" && head -c 4000 "$file"; }
	done
	echo "== exit status $RC"
}

# Run the command and return 0.  Sets RC, and OUT and ERR (files).
rowcast() {
	RC=0
	"$PROGRAM" "$@" >"$OUT" 2>"$ERR" || RC=$?
}

# Succeeds if the command succeeded with this output and no diagnostic.
#   usage: said OUTPUT
said() {
	[ "$RC" -eq 0 ]
	[ ! -s "$ERR" ]
	[ "$(cat "$OUT")" = "$1" ]
}

# Succeeds if the command ended with this status and one line with TEXT in it.
#   usage: refused STATUS TEXT
refused() {
	[ "$RC" -eq "$1" ]
	[ "$(wc -l <"$ERR")" -eq 1 ]
	[[ $(cat "$ERR") == "rowcast: "*"$2"* ]]
}

make_log() {
	"$PROGRAM" init >"$T/made"
}

# usage: publish DATA [TOPIC [EVENT]]
publish() {
	"$PROGRAM" publish -t "${2:-}" -e "${3:-message}" "$1" >"$T/id"
}

rows() {
	sqlite3 -cmd '.timeout 5000' "$DB" "$@"
}

count() {
	rows 'SELECT count(*) FROM events'
}

# Run rowcast tail in the background; its output goes to $T/NAME.out and
# NAME.err.  Sets PID.
#   usage: follow NAME OPTION…
follow() {
	local name=$1
	shift
	"$PROGRAM" tail "$@" >"$T/$name.out" 2>"$T/$name.err" 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# Succeeds if the output contains a text.
#   usage: printed NAME TEXT
printed() {
	grep -qF -- "$2" "$T/$1.out"
}

# Succeeds once a process has the log open and watches it.
#   usage: follows PID
follows() {
	[ -n "$(find "/proc/$1/fd" -lname 'anon_inode:*inotify*')" ]
}

# Print the value of a member of a JSON text.
#   usage: json FILE PATH
json() {
	sqlite3 :memory: "SELECT json_extract(CAST(readfile('$1') AS TEXT), '$2')"
}
