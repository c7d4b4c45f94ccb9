# shellcheck shell=bash
# cli.bash: the program rowcast, and a log for it.
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

# What the command has said last, for whoever looks at a failure.
show() {
	local file
	for file in "$T"/*.out "$T"/*.err "$OUT" "$ERR"; do
		[ ! -s "$file" ] || { echo "== ${file##*/}" && head -c 4000 "$file"; }
	done
	echo "== exit status $RC"
}

# Run the command; never fails.  Sets RC, OUT and ERR (files).
rowcast() {
	RC=0
	"$PROGRAM" "$@" >"$OUT" 2>"$ERR" || RC=$?
}

# It worked and said this, and nothing to complain of?
said() {
	[ "$RC" -eq 0 ]
	[ ! -s "$ERR" ]
	[ "$(cat "$OUT")" = "$1" ]
}

# It ended with this status and one line that holds this text?
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

# Follow in the background; what it says grows in $T/NAME.out and NAME.err.
# Sets PID.
#   usage: follow NAME OPTION…
follow() {
	local name=$1
	shift
	"$PROGRAM" tail "$@" >"$T/$name.out" 2>"$T/$name.err" 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# Has it said a line that holds this?
told() {
	grep -qF -- "$2" "$T/$1.out"
}

# Does it follow?  It does once it has the log open and waits for it to grow.
follows() {
	[ -n "$(find "/proc/$1/fd" -lname 'anon_inode:*inotify*')" ]
}

# A member of a JSON text: its value.
#   usage: json FILE PATH
json() {
	sqlite3 :memory: "SELECT json_extract(CAST(readfile('$1') AS TEXT), '$2')"
}
