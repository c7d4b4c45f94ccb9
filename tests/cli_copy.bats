#!/usr/bin/env bats
# cli_copy.bats: rowcast export and import.

load cli

setup() {
	cli_setup
	make_log
}

# usage: import TEXT [OPTION…]
import() {
	printf %b "$1" >"$T/input"
	shift
	rowcast import "$@" <"$T/input"
}

# ---- export -----------------------------------------------------------------

@test "export writes one object a line, without absent members" {
	publish hi
	"$PROGRAM" publish -t news -e mail -k k -r 5 $'a\nb' >"$T/id"
	rowcast export
	[ "$RC" -eq 0 ]
	[ "$(sed 's/"created_ms":[0-9]*/"created_ms":0/' "$OUT")" = \
		"$(printf '%s\n' '{"id":1,"data":"hi","created_ms":0}' \
		'{"id":2,"topic":"news","event":"mail","data":"a\nb","retry":5,"key":"k","created_ms":0}')" ]
	[ "$(sed -n '1s/.*created_ms":\([0-9]*\).*/\1/p' "$OUT")" = \
		"$(rows 'SELECT created_ms FROM events WHERE id = 1')" ]
}

@test "export accepts topics, names, a start and an end" {
	local i
	for i in 1 2 3 4 5 6; do publish "$i" "t/$((i % 2))" "e$((i % 3))"; done
	ids() { sed 's/^{"id":\([0-9]*\).*/\1/' "$OUT" | tr '\n' ' '; }
	rowcast export --since 2 --upto 4
	[ "$(ids)" = '3 4 ' ]
	rowcast export -t t/1
	[ "$(ids)" = '1 3 5 ' ]
	rowcast export -t 't/*' -e e0 -e e1
	[ "$(ids)" = '1 3 4 6 ' ]
	rowcast export --since last:2 -t t/0
	[ "$(ids)" = '4 6 ' ]
	rowcast export --upto 0
	said ''
	rowcast export --upto x
	refused 2 "--upto: 'x' is not a whole number from 0 on"
}

@test "export of an empty log is empty; beyond its end it is an error" {
	rowcast export
	said ''
	publish x
	rowcast export --since 1
	said ''
	rowcast export --since 2
	refused 1 'ends before --since'
}

@test "export ends at the end that the log had when it began" {
	rows "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n
		WHERE i < 20000) INSERT INTO events(data) SELECT 'x' FROM n"
	mkfifo "$T/pipe"
	"$PROGRAM" export >"$T/pipe" 2>"$ERR" 3>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4<"$T/pipe"
	read -r _ <&4
	publish later
	[ "$(tail -n 1 <&4 | cut -d , -f 1)" = '{"id":20000' ]
	exec 4<&-
	wait "$PID"
}

@test "export of a log that is restored meanwhile is an error" {
	local many="WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1
		FROM n WHERE i < 20000) INSERT INTO events(data) SELECT 'x' FROM n"
	publish first
	rows ".backup '$T/copy.db'" "$many"
	mkfifo "$T/pipe"
	"$PROGRAM" export >"$T/pipe" 2>"$ERR" 3>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4<"$T/pipe"
	read -r _ <&4
	rows ".restore '$T/copy.db'" "$many" "$many"
	cat <&4 >"$OUT"
	exec 4<&-
	RC=0
	wait "$PID" || RC=$?
	refused 1 'was replaced or restored'
}

@test "names that browsers fire themselves are copied, but not in new events" {
	make_log
	sqlite3 "$DB" "INSERT INTO events(event, data)
		VALUES('error', 'x'), ('open', 'y')"
	rowcast export
	cp "$T/out" "$T/exported"
	import "$(cat "$T/exported")"
	[ "$RC" -eq 0 ]
	[ "$(sqlite3 "$DB" "SELECT group_concat(event) FROM events")" = \
		error,open,error,open ]
}

# ---- import -----------------------------------------------------------------

@test "import reads all members and any data" {
	import '{"data":"hi"}\n{"topic":"t","event":"e","data":{"a": [1.10]},"retry":5,"key":"k"}\n{"data":null}\n{"data":"\\u00fc","topic":null,"retry":null}\n'
	[ "$RC" -eq 1 ]
	import '{"data":"\\u00fc","topic":null,"retry":null}\n{"data":12345678901234567890123}'
	said '2 imported, 0 repeated'
	[ "$(rows 'SELECT topic, event, data, retry_ms, key FROM events
		ORDER BY id')" = "$(printf '%s\n' '|message|hi||' \
		't|e|{"a":[1.10]}|5|k' '|message|ü||' \
		'|message|12345678901234567890123||')" ]
}

@test "an export can be imported, with new ids and times" {
	publish one news
	rows 'DELETE FROM events'
	publish two news tick
	"$PROGRAM" publish -k k -r 7 $'"\\\e\n\xc3\xbc\xf0\x9f\x98\x80' >"$T/id"
	"$PROGRAM" export >"$T/export"
	"$PROGRAM" --db "$T/log/b.db" init >"$T/made"
	rowcast --db "$T/log/b.db" import "$T/export"
	said '2 imported, 0 repeated'
	local columns='topic, event, hex(data), retry_ms, key'
	[ "$(rows "SELECT $columns FROM events")" = \
		"$(sqlite3 "$T/log/b.db" "SELECT $columns FROM events")" ]
	[ "$(sqlite3 "$T/log/b.db" 'SELECT min(id) FROM events')" -eq 1 ]
}

@test "a known key is counted as repeated" {
	import '{"data":"a","key":"k"}\n{"data":"b"}\n{"data":"a","key":"k"}\n' --json
	said '{"imported":2,"repeated":1,"last_id":1}'
	import '{"data":"a","key":"k"}\n' --json
	said '{"imported":0,"repeated":1,"last_id":1}'
	import '' --json
	said '{"imported":0,"repeated":0,"last_id":null}'
	import '{"data":"z"}\n{"data":"other","key":"k"}\n'
	refused 1 'Line 2: The event is refused: its key belongs to event 1'
}

@test "empty lines, CRLF and a last line without LF are accepted" {
	import '\n{"data":"a"}\r\n  \t\r\n\n{"data":"b"}'
	said '2 imported, 0 repeated'
	import '\n{"data":"a"}\n\n{'
	refused 1 'Line 4: The JSON is refused: it is not well-formed'
	refused 1 '.  Write each object on one line.  Before it'
}

@test "the first bad line is named; only the lines before it are stored" {
	local line
	while IFS='	' read -r line why; do
		rows 'DELETE FROM events'
		import "{\"data\":\"good\"}\n$line\n{\"data\":\"after\"}\n"
		refused 1 "Line 2: $why"
		[[ $(cat "$ERR") == *'.  Before it: 1 imported, 0 repeated; after it: nothing' ]]
		[ "$(rows 'SELECT data FROM events')" = good ]
	done <<-'END'
	nonsense	It is not a JSON object: write one object on each line, such as {"data":"hi"}.
	data: x	It is not a JSON object: write one object on each line
	\0357\0273\0277{"data":"a"}	It begins with a byte order mark: remove
	{"data":	The JSON is refused: it is not well-formed, or nested too deeply.  Write each object on one line.
	\000	It is not a JSON object: write
	{"data":"a"}{"data":"b"}	The JSON is refused: it is not well-formed
	[{"data":"a"}]	It is an array, not an object: write one object
	"data"	It is not a JSON object: write
	{"topic":"t"}	There is no data
	{"data":null}	There is no data
	{"data":"a","dta":"b"}	There is no field "dta"
	{"data":"a","data":"b"}	The field "data" appears twice
	{"data":"a","topic":5}	"topic" must be a string
	{"data":"a","key":true}	"key" must be a string
	{"data":"a","retry":"5"}	"retry" must be a whole number
	{"data":"a","retry":86400001}	"retry" must be a whole number
	{"data":"a","retry":-1}	"retry" must be a whole number
	{"data":"a","event":"stream-x"}	The event is refused: event begins with stream-
	{"data":"a","key":""}	The event is refused: key is empty
	{"data":"\\u0000"}	The JSON is refused: it holds \u0000
	{"data":"\\ud800"}	The JSON is refused: it holds a lone surrogate
	{"data":"\0377"}	The JSON is refused: it is not UTF-8
	END
}

@test "a line that a trigger refuses or ignores is not stored" {
	rows "CREATE TRIGGER app AFTER INSERT ON events WHEN NEW.topic = 'bad'
		BEGIN SELECT RAISE(FAIL, 'the application says no'); END;
		CREATE TRIGGER out BEFORE INSERT ON events WHEN NEW.topic = 'out'
		BEGIN SELECT RAISE(IGNORE); END"
	import '{"data":"good"}\n{"data":"x","topic":"bad"}\n'
	refused 1 'Line 2: The event is refused: the application says no'
	import '{"data":"good"}\n{"data":"x","topic":"out"}\n'
	refused 1 'Line 2: The event is refused: a trigger of the log leaves it out'
	[ "$(rows "SELECT group_concat(data) FROM events")" = good,good ]
}

@test "a bad line after many good ones is named; they are stored" {
	{
		printf '{"data":"%s"}\n' {1..3499}
		echo '{"data":1,"event":""}'
		printf '{"data":"%s"}\n' {1..2000}
	} >"$T/input"
	rowcast import --json <"$T/input"
	refused 1 'Line 3500: The event is refused: event is empty'
	[ "$(cat "$OUT")" = '{"imported":3499,"repeated":0,"last_id":3499,"line":3500,"error":"Line 3500: The event is refused: event is empty."}' ]
	[ "$(count)" -eq 3499 ]
}

@test "lines have a maximal length" {
	local line='{"data":"0123456789"}' # 21 bytes
	import "$line\n$line\n" --max-line-bytes 21
	said '2 imported, 0 repeated'
	import "$line\n$line\n" --max-line-bytes 20
	refused 1 'Line 1: The line is longer than 20 bytes, the limit of --max-line-bytes.'
	head -c 1100000 /dev/zero | tr '\0' x >"$T/input"
	rowcast import <"$T/input"
	refused 1 'Line 1: The line is longer than 1048576 bytes'
	rowcast import --max-line-bytes 0
	refused 2 "--max-line-bytes: '0' is not a whole number from 2 to"
}

@test "a line without end takes no memory" {
	# 64 MB in all; sanitizers need more
	[ -z "${SAN:-}" ] || skip 'under sanitizers'
	RC=0
	(ulimit -v 65536 && head -c 100000000 /dev/zero | tr '\0' x |
		"$PROGRAM" import >"$OUT" 2>"$ERR") || RC=$?
	refused 1 'Line 1: The line is longer than 1048576 bytes'
	{ yes '{"data":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}' || :; } |
		head -n 50000 >"$T/input"
	(ulimit -v 65536 && "$PROGRAM" import <"$T/input" >"$OUT")
	[ "$(cat "$OUT")" = '50000 imported, 0 repeated' ]
}

@test "lines are stored before import waits for more" {
	mkfifo "$T/pipe"
	"$PROGRAM" import <"$T/pipe" >"$OUT" 2>"$ERR" 3>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4>"$T/pipe"
	printf '{"data":"a"}\n{"data":"b"}\n' >&4
	eventually has_rows 2
	# and import holds no lock
	"$PROGRAM" --busy-ms 1 publish c >"$T/id"
	printf '{"data":"d"}\n' >&4
	eventually has_rows 4
	exec 4>&-
	wait "$PID"
	[ "$(cat "$OUT")" = '3 imported, 0 repeated' ]
}

@test "whole lines are stored while import waits for the rest of one" {
	local i x
	x=$(head -c 30000 /dev/zero | tr '\0' x)
	# more than a pipe holds: the rest arrives while the line is parsed
	printf '{"data":"%s"}\n{"data":"%s%s' "$x" "$x" "$x" >"$T/input"
	mkfifo "$T/pipe"
	"$PROGRAM" import <"$T/pipe" >"$OUT" 2>"$ERR" 3>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4>"$T/pipe"
	for i in 1 2 3 4 5; do
		cat "$T/input" >&4
		eventually has_rows $((i * 2 - 1))
		printf '"}\n' >&4
		eventually has_rows $((i * 2))
	done
	exec 4>&-
	wait "$PID"
	[ "$(cat "$OUT")" = '10 imported, 0 repeated' ]
}

has_rows() {
	[ "$(count)" -eq "$1" ]
}

@test "import waits for non-blocking input" {
	nonblocking_pipe 4
	"$PROGRAM" import <&4 >"$OUT" 2>"$ERR" 3>&- 4<&- 6>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4<&-
	eventually sleeps "$PID"
	printf '{"data":"a"}\n{"data"' >&6
	eventually has_rows 1
	printf ':"b"}\n' >&6
	eventually has_rows 2
	exec 6>&-
	wait "$PID"
	[ "$(cat "$OUT")" = '2 imported, 0 repeated' ]
}

@test "lines before a read error are stored" {
	[ -z "${SAN:-}" ] || skip 'sanitizers replace the same functions'
	printf '{"data":"a"}\n{"data":"b"}' >"$T/input"
	RC=0
	LD_PRELOAD=$BUILD/tests/preload/fail.so FAIL=read FAIL_FILES=/input \
		FAIL_AT=2 "$PROGRAM" import "$T/input" >"$OUT" 2>"$ERR" || RC=$?
	refused 1 "$T/input: Input/output error.  Before it: 1 imported"
	[ "$(rows 'SELECT data FROM events')" = a ]
}

@test "a file is imported by its name; - is standard input" {
	echo '{"data":"a"}' >"$T/input"
	rowcast import "$T/input"
	said '1 imported, 0 repeated'
	rowcast import - <"$T/input"
	said '1 imported, 0 repeated'
	rowcast import "$T/none"
	refused 1 'No such file'
	rowcast import "$T"
	refused 1 "$T: is a folder: name a file in it"
}

@test "progress is shown on a terminal only" {
	needs script
	# a trigger makes each row slow, so that progress is visible
	rows "CREATE TRIGGER slow AFTER INSERT ON events BEGIN
		SELECT count(*) FROM (WITH RECURSIVE n(i) AS (VALUES(1)
			UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
			SELECT i FROM n);
		END"
	yes "{\"data\":\"$(printf %05000d 0)\"}" | head -n 120 >"$T/input"
	rowcast import "$T/input"
	said '120 imported, 0 repeated'
	script -qec "'$PROGRAM' import '$T/input' >'$OUT'" "$T/screen" >"$T/made"
	[ "$(cat "$OUT")" = '120 imported, 0 repeated' ]
	grep -qE '\[#*\.*\] +[0-9]+ %.* of 0\.6 MB' "$T/screen"
	script -qec "cat '$T/input' | '$PROGRAM' import >'$OUT'" "$T/screen" \
		>"$T/made"
	grep -qE '[0-9]+ events, [0-9.]+ MB' "$T/screen"
}
