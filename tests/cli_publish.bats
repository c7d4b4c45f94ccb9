#!/usr/bin/env bats
# cli_publish.bats: the commands of rowcast in general, init and publish.

load cli

# ---- the program ------------------------------------------------------------

@test "help lists every command, and each has its own help" {
	local name names
	rowcast help
	[ "$RC" -eq 0 ]
	names=$(awk '/^  [a-z]+ +[^ ]/ && $1 != "help" { print $1 }' "$OUT")
	[ "$(wc -w <<<"$names")" -eq 8 ]
	for name in $names; do
		rowcast "$name" --help
		[ "$RC" -eq 0 ]
		[[ $(head -n 1 "$OUT") == "Usage: rowcast $name "* ]]
		cp "$OUT" "$T/by-option"
		rowcast help "$name"
		[ "$RC" -eq 0 ]
		cmp "$OUT" "$T/by-option"
	done
	rowcast --help
	[ "$RC" -eq 0 ]
	grep -q '^Usage: rowcast ' "$OUT"
}

@test "the version is one line" {
	rowcast --version
	[ "$RC" -eq 0 ]
	[[ $(cat "$OUT") =~ ^rowcast\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	cp "$OUT" "$T/version"
	local name
	for name in init publish tail export import prune stats check; do
		rowcast "$name" --version
		said "$(cat "$T/version")"
	done
}

@test "a usage error ends with status 2 and refers to --help" {
	rowcast
	refused 2 "'rowcast help'"
	rowcast frobnicate
	refused 2 "'frobnicate' is not a command"
	rowcast help frobnicate
	refused 2 "'frobnicate' is not a command"
	rowcast --frob publish x
	refused 2 "--frob: unknown option; see 'rowcast --help'"
	rowcast publish --frob x
	refused 2 "--frob: unknown option; see 'rowcast publish --help'"
	rowcast publish -Z
	refused 2 "-Z: unknown option; see 'rowcast publish --help'"
	rowcast publish -t
	refused 2 '-t: needs a value: -t T'
	rowcast publish --json=x y
	refused 2 '--json: takes no value'
	rowcast publish --retry soon x
	refused 2 "--retry: 'soon' is not a whole number from 0 to 86400000"
	rowcast publish -t news hello world
	refused 2 "'world': unexpected argument; put quotes around DATA"
	rowcast stats x
	refused 2 "'x': unexpected argument: --db names the log; see"
	ROWCAST_BUSY_MS=x rowcast stats
	refused 2 "ROWCAST_BUSY_MS: 'x' is not a whole number from 0 to 600000"
}

@test "a mistyped command or option is answered with the nearest one" {
	rowcast pubish x
	refused 2 "'pubish' is not a command; did you mean publish?"
	rowcast help tial
	refused 2 "'tial' is not a command; did you mean tail?"
	rowcast publish --topc x
	refused 2 '--topc: unknown option; did you mean --topic?'
	rowcast publish --jsno x
	refused 2 '--jsno: unknown option; did you mean --json?'
	rowcast --verson
	refused 2 '--verson: unknown option; did you mean --version?'
	rowcast publish -topic x
	refused 2 '-topic: write --topic'
	rowcast -db=x stats
	refused 2 '-db: write --db'
	# options cannot be abbreviated
	rowcast publish --top x
	refused 2 '--top: unknown option; did you mean --topic?'
}

@test "an option of a command that stands before it is answered with its place" {
	rowcast --topic x publish y
	refused 2 "--topic: write it after the command: 'rowcast COMMAND --topic'"
	rowcast --since=5 tail
	refused 2 "--since: write it after the command: 'rowcast COMMAND --since'"
	rowcast -t x publish y
	refused 2 "-t: write it after the command: 'rowcast COMMAND -t'"
	rowcast -h
	refused 2 "-h: unknown option; see 'rowcast --help'"
}

@test "a log must be named, by option or environment" {
	unset ROWCAST_DB
	local command
	for command in init 'publish x' tail export import prune stats check; do
		# shellcheck disable=SC2086 # words
		rowcast $command </dev/null
		refused 2 'no log is named: give --db FILE or set ROWCAST_DB'
	done
}

@test "the option has precedence, before or after the command" {
	make_log
	ROWCAST_DB=$T/none rowcast --db "$DB" publish x
	said 1
	ROWCAST_DB=$T/none rowcast publish --db "$DB" x
	said 2
}

@test "only init creates a log" {
	local command
	for command in 'publish x' tail export import prune stats check; do
		# shellcheck disable=SC2086 # words
		rowcast $command </dev/null
		refused 1 "'rowcast init' creates one"
		[ ! -e "$DB" ]
	done
	: >"$DB"
	rowcast publish x
	refused 1 "is empty; 'rowcast init'"
	[ ! -s "$DB" ]
	rowcast --db "$T" publish x
	refused 1 'is a folder'
}

@test "standard descriptors that are closed are named" {
	make_log
	publish x
	local command
	for command in publish import; do
		RC=0 && "$PROGRAM" "$command" <&- >"$OUT" 2>"$ERR" || RC=$?
		refused 1 'standard input: it is closed'
	done
	for command in --help 'publish x' stats; do
		# shellcheck disable=SC2086 # words
		RC=0 && "$PROGRAM" $command >&- 2>"$ERR" || RC=$?
		refused 1 'standard output: it is closed'
	done
	"$PROGRAM" stats 2>&- >"$OUT"
	RC=0 && "$PROGRAM" stats x >"$OUT" 2>&- || RC=$?
	[ "$RC" -eq 2 ]
}

@test "standard output that cannot be written is an error" {
	[ -w /dev/full ] || skip 'there is no /dev/full'
	make_log
	publish x
	local command
	for command in help --help --version 'help init' 'publish --help' \
		'stats --version' init 'publish x' \
		'tail --no-follow --since 0' export 'import -' stats check \
		'prune --keep-rows 9' 'check --json' 'import --json'; do
		# shellcheck disable=SC2086 # words
		RC=0 && "$PROGRAM" $command </dev/null >/dev/full 2>"$ERR" ||
			RC=$?
		refused 1 'No space left on device'
	done
}

# ---- init -------------------------------------------------------------------

@test "init creates a log from a missing or empty file" {
	rowcast init
	said "$DB: is a log now"
	[ "$(rows 'PRAGMA journal_mode')" = wal ]
	[[ $(stat -c %a "$DB") == *0 ]]
	: >"$T/empty.db"
	rowcast init "$T/empty.db"
	said "$T/empty.db: is a log now"
	rowcast --db "$T/empty.db" publish x
	said 1
}

@test "init does not change a log" {
	make_log
	publish x
	rowcast init
	said "$DB: is a log already"
	[ "$(count)" -eq 1 ]
	rowcast init --json
	[ "$(json "$OUT" '$.created')" -eq 0 ]
	[ "$(json "$OUT" '$.identity')" = \
		"$(rows 'SELECT identity FROM events_log')" ]
}

@test "init refuses another database, and says how to add a log to it" {
	sqlite3 "$DB" 'CREATE TABLE orders(id); INSERT INTO orders VALUES(7)'
	cp "$DB" "$T/before"
	rowcast init
	refused 1 'sqlite3 -bail FILE <schema.sql'
	cmp "$DB" "$T/before"
	sqlite3 "$DB" <"$ROOT/sql/schema.sql"
	rowcast init
	said "$DB: is a log already"
	[ "$(rows 'SELECT id FROM orders')" -eq 7 ]
}

@test "init refuses a file that is not or cannot be a database" {
	echo 'Dear Sir or Madam,' >"$DB"
	rowcast init
	refused 1 'not a database'
	[ "$(cat "$DB")" = 'Dear Sir or Madam,' ]
	rowcast init "$T"
	refused 1 'is a folder'
	rowcast init "$T/none/events.db"
	refused 1 'there is no folder'
}

# ---- publish ----------------------------------------------------------------

# bats test_tags=quick
@test "publish appends and prints the id" {
	make_log
	rowcast publish hi
	said 1
	rowcast publish -t a/b -e note -k k -r 250 'x y'
	said 2
	[ "$(rows 'SELECT * FROM (SELECT topic, event, data, retry_ms, key
		FROM events ORDER BY id)')" = "$(printf '%s\n' \
		'|message|hi||' 'a/b|note|x y|250|k')" ]
	rowcast publish --topic t --event e --key k2 --retry 0 --json -- -5
	said '{"id":3,"new":true}'
	[ "$(rows 'SELECT topic, event, data, retry_ms, key FROM events
		WHERE id = 3')" = 't|e|-5|0|k2' ]
}

@test "without DATA, data is read from standard input" {
	make_log
	printf 'one\ntwo\n' | "$PROGRAM" publish
	printf 'three' | "$PROGRAM" publish
	printf '\n\n' | "$PROGRAM" publish
	printf -- - | "$PROGRAM" publish -
	printf 'a\0b' | "$PROGRAM" publish -t x -
	[ "$(rows "SELECT group_concat(hex(data), ' ')
		FROM (SELECT data FROM events ORDER BY id)")" = \
		'6F6E650A74776F 7468726565 0A 2D 610062' ]
}

@test "empty standard input is refused, an empty argument is not" {
	local input
	make_log
	for input in '' '\n'; do
		# shellcheck disable=SC2059 # a format
		printf "$input" >"$T/input"
		rowcast publish <"$T/input"
		refused 1 "standard input is empty: nothing is published; to publish empty data, give '' as DATA"
		rowcast publish - <"$T/input"
		refused 1 'standard input is empty'
	done
	[ "$(count)" -eq 0 ]
	rowcast publish ''
	said 1
	[ "$(rows 'SELECT length(data) FROM events')" -eq 0 ]
}

@test "publish waits for a non-blocking standard input" {
	make_log
	nonblocking_pipe 4
	"$PROGRAM" publish <&4 >"$OUT" 2>"$ERR" 3>&- 4<&- 6>&- &
	PID=$!
	STARTED+=("$PID")
	exec 4<&-
	eventually sleeps "$PID"
	printf 'a\nb' >&6
	exec 6>&-
	wait "$PID"
	[ "$(rows 'SELECT hex(data) FROM events')" = 610A62 ]
}

@test "a known key prints the first id and adds nothing" {
	make_log
	publish before
	rowcast publish -k k x
	said 2
	rowcast publish -k k x
	said 2
	rowcast publish -k k --json x
	said '{"id":2,"new":false}'
	[ "$(count)" -eq 2 ]
	rowcast publish -k k other
	refused 1 'its key belongs to event 2'
	[ "$(count)" -eq 2 ]
}

@test "names of events that browsers fire themselves are refused" {
	local name
	make_log
	for name in error open; do
		rowcast publish -e "$name" x
		refused 2 "browsers fire events named '$name' themselves"
	done
	[ "$(count)" -eq 0 ]
	rowcast publish -e opened x
	said 1
}

@test "a refusal is reported in the words of the schema" {
	make_log
	rowcast publish -e stream-gap x
	refused 1 'the event is refused: event begins with stream-'
	rowcast publish -t "$(printf '%0256d' 0)" x
	refused 1 'topic is longer than 255 bytes'
	rowcast publish -e '' x
	refused 1 'event is empty'
	[ "$(count)" -eq 0 ]
}

@test "only UTF-8 is published" {
	make_log
	rowcast publish $'\xff'
	refused 2 'DATA is not UTF-8; convert it with iconv'
	rowcast publish -t $'\xc3' x
	refused 2 '-t: the value is not UTF-8; convert it with iconv'
	printf 'a\xff' >"$T/input"
	rowcast publish <"$T/input"
	refused 1 'standard input: is not UTF-8; convert it with iconv'
	[ "$(count)" -eq 0 ]
}

@test "standard input is read up to a limit" {
	make_log
	printf '0123456789\n' >"$T/input"
	rowcast publish --max-bytes 10 <"$T/input"
	said 1
	rowcast publish --max-bytes 9 <"$T/input"
	refused 1 'more than 9 bytes; --max-bytes raises the limit'
	# it does not wait for the end of an endless input
	RC=0
	yes | "$PROGRAM" publish >"$OUT" 2>"$ERR" || RC=$?
	refused 1 'more than 1048576 bytes'
	[ "$(count)" -eq 1 ]
}

@test "publish waits for a locked log, up to a limit" {
	make_log
	mkfifo "$T/go"
	sqlite3 "$DB" <"$T/go" >"$T/locker" 3>&- &
	STARTED+=("$!")
	exec 4>"$T/go"
	echo "BEGIN IMMEDIATE; SELECT 'locked';" >&4
	eventually grep -q locked "$T/locker"
	rowcast publish --busy-ms 10 x
	refused 1 "$DB: database is locked: another program has locked it: end it or wait"
	echo '{"data":"x"}' >"$T/input"
	rowcast import --busy-ms 10 "$T/input"
	refused 1 "$DB: database is locked: another program has locked it: end it or wait."
	ROWCAST_BUSY_MS=10 rowcast publish x
	refused 1 'locked'
	"$PROGRAM" publish x >"$T/later.out" 2>&1 4>&- 3>&- &
	PID=$!
	echo 'COMMIT; .exit' >&4
	exec 4>&-
	wait "$PID"
	[ "$(cat "$T/later.out")" -eq 1 ]
}

@test "publish and import end if a trigger runs without end" {
	make_log
	rows "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
			SELECT i + 1 FROM n) SELECT i FROM n;
		CREATE TRIGGER hold AFTER INSERT ON events
			BEGIN SELECT count(*) FROM endless; END"
	rowcast publish x
	refused 1 "runs without end; 'rowcast check' names the trigger"
	rowcast import <<<'{"data":"x"}'
	[ "$RC" -eq 1 ]
	grep -q 'runs without end' "$ERR"
	[ "$(count)" -eq 0 ]
}
