#!/usr/bin/env bats
# cli_tail.bats: rowcast tail, which follows a log as a stream does.

load cli

setup() {
	cli_setup
	make_log
}

# Print the data of the lines of tail on one line.
data() {
	cut -f 5 "$OUT" | tr '\n' ' '
}

# ---- existing events --------------------------------------------------------

@test "one line for each event: id, time, topic, event, data" {
	publish $'a\tb\nc\e[31m' news mail
	rowcast tail --since earliest --no-follow
	[ "$RC" -eq 0 ]
	[ "$(wc -l <"$OUT")" -eq 1 ]
	[ "$(cut -f 1,3- "$OUT")" = \
		$'1\tnews\tmail\ta\\u0009b\\nc\\u001b[31m' ]
	[[ $(cut -f 2 "$OUT") =~ ^20[0-9-]{8}T[0-9:]{8}Z$ ]]
}

@test "topics, names and starts are those of a query of a stream" {
	publish 1 user/1
	publish 2 user/2 tick
	publish 3 news
	publish 4
	publish 5 news tick
	rowcast tail --no-follow --since 0
	[ "$(data)" = '1 2 3 4 5 ' ]
	rowcast tail --no-follow --since 3
	[ "$(data)" = '4 5 ' ]
	rowcast tail --no-follow --since last:2
	[ "$(data)" = '4 5 ' ]
	rowcast tail --no-follow --since 2001-01-01T00:00:00Z
	[ "$(data)" = '1 2 3 4 5 ' ]
	rowcast tail --no-follow --since 2999-01-01T00:00:00Z
	[ "$(data)" = '' ]
	rowcast tail --no-follow
	[ "$(data)" = '' ]
	rowcast tail --no-follow --since 0 -t 'user/*' -t ''
	[ "$(data)" = '1 2 4 ' ]
	rowcast tail --no-follow --since 0 -t news --event tick
	[ "$(data)" = '5 ' ]
	rowcast tail --no-follow --since last:1 --topic 'user/*' -e tick
	[ "$(data)" = '2 ' ]
	rowcast tail --no-follow --since 0 -n 2
	[ "$(data)" = '1 2 ' ]
}

@test "a start, topic, name or count that is not valid is refused" {
	local value
	for value in x -1 last:0 last: 2026-02-30T00:00:00Z ''; do
		rowcast tail --since "$value"
		refused 2 "--since: '$value' is not an id"
	done
	rowcast tail -t $'a\nb'
	refused 2 "-t: '"
	rowcast tail -t "$(printf '%0256d' 0)"
	refused 2 "-t: '"
	rowcast tail -e $'\xff'
	refused 2 "-e: '"
	rowcast tail -n 0
	refused 2 "-n: '0' is not a whole number from 1 on"
	rowcast tail --json --sse
	refused 2 'not both'
	# shellcheck disable=SC2046 # words
	rowcast tail $(printf -- '-t %s ' {1..65})
	refused 2 'more than 64'
}

@test "JSON can hold any bytes, with each event on a line" {
	rows "INSERT INTO events(data, topic, event, retry_ms, key)
		VALUES(CAST(x'220a00ff1b5cc3bc' AS TEXT), 't\"', 'e', 5, 'k')"
	rowcast tail --since 0 --no-follow --json
	[ "$(wc -l <"$OUT")" -eq 1 ]
	[ "$(json "$OUT" '$.topic')" = 't"' ]
	[ "$(json "$OUT" '$.retry')" -eq 5 ]
	[ "$(json "$OUT" '$.key')" = k ]
	# shellcheck disable=SC1003 # two backslashes
	printf '"data":"\\"\\n\\u0000\xef\xbf\xbd\\u001b\\\\\xc3\xbc"' >"$T/wanted"
	grep -qFf "$T/wanted" "$OUT"
}

@test "large data is read in pieces and printed whole" {
	head -c 3000000 /dev/zero | tr '\0' x >"$T/big"
	"$PROGRAM" publish --max-bytes 4000000 <"$T/big" >"$T/id"
	publish after
	rowcast tail --since 0 --no-follow
	[ "$(head -n 1 "$OUT" | cut -f 5 | tr -d '\n' | wc -c)" -eq 3000000 ]
	[ "$(tail -n 1 "$OUT" | cut -f 5)" = after ]
}

@test "--sse prints the bytes of a stream" {
	publish 'one' news
	publish $'two\nlines\r\n' news tick
	"$PROGRAM" publish -t news -r 100 three >"$T/id"
	publish four other
	rows 'DELETE FROM events WHERE id = 1'
	local since query
	for since in 0 1 2 earliest last:2 99; do
		query="topic=news&since=$since"
		# until all is printed
		env REQUEST_METHOD=GET QUERY_STRING="$query" \
			GATEWAY_INTERFACE=CGI/1.1 \
			"$BUILD/rowcast.fcgi" >"$T/stream" </dev/null 3>&- &
		PID=$!
		STARTED+=("$PID")
		rowcast tail --sse -t news --since "$since" --no-follow
		[ -s "$OUT" ]
		eventually same_body
		stop "$PID"
	done
}

same_body() {
	sed '1,/^\r$/d' "$T/stream" | cmp -s - "$OUT"
}

# ---- following --------------------------------------------------------------

# bats test_tags=quick
@test "new events are printed at once, until SIGINT" {
	publish before
	# background processes would ignore SIGINT
	env --default-signal=INT "$PROGRAM" tail >"$T/a.out" 2>"$T/a.err" 3>&- &
	PID=$!
	STARTED+=("$PID")
	eventually follows "$PID"
	publish one
	eventually printed a one
	publish two
	eventually printed a two
	run ! printed a before
	kill -INT "$PID"
	eventually gone "$PID"
	[ ! -s "$T/a.err" ]
	[ "$(wc -l <"$T/a.out")" -eq 2 ]
}

@test "it ends after a number of events" {
	publish 1
	follow a --since 0 -n 3
	publish 2
	publish 3
	publish 4
	RC=0
	wait "$PID" || RC=$?
	[ "$RC" -eq 0 ]
	[ "$(cut -f 5 "$T/a.out" | tr '\n' ' ')" = '1 2 3 ' ]
}

@test "each event is printed once and in order, under several writers" {
	local i writers=()
	follow a --since 0 -n 600
	for i in 1 2 3; do
		for _ in {1..100}; do
			echo "INSERT INTO events(data) VALUES('$i');"
			echo "INSERT INTO events(data) VALUES('$i');"
		done | sqlite3 -cmd '.timeout 20000' "$DB" 3>&- &
		writers+=("$!")
	done
	wait "${writers[@]}"
	wait "$PID"
	[ "$(cut -f 1 "$T/a.out")" = "$(seq 600)" ]
}

@test "it uses no CPU while it waits" {
	follow a
	eventually follows "$PID"
	local before after
	before=$(awk '{ print $14 + $15 }' "/proc/$PID/stat")
	publish x
	eventually printed a x
	# a busy loop would use a hundred ticks in a second
	sleep 1 # not for a condition
	after=$(awk '{ print $14 + $15 }' "/proc/$PID/stat")
	[ $((after - before)) -lt 20 ]
}

@test "it ends without a message when the reader of its pipe ends" {
	publish 1
	publish 2
	# with and without events to write
	for command in 'tail --since 0' tail; do
		mkfifo "$T/pipe"
		# shellcheck disable=SC2086 # words
		"$PROGRAM" $command >"$T/pipe" 2>"$ERR" 3>&- &
		PID=$!
		STARTED+=("$PID")
		exec 4<"$T/pipe"
		eventually follows "$PID"
		exec 4<&-
		eventually gone "$PID"
		[ ! -s "$ERR" ]
		rm "$T/pipe"
	done
	# shellcheck disable=SC2016 # the inner shell's
	run -0 bash -c '"$1" tail --since 0 2>"$2" | head -n 1' - "$PROGRAM" "$ERR"
	[[ $output == 1$'\t'* ]]
	[ ! -s "$ERR" ]
}

@test "standard output that cannot be written ends it" {
	[ -w /dev/full ] || skip 'there is no /dev/full'
	"$PROGRAM" tail >/dev/full 2>"$ERR" 3>&- &
	PID=$!
	STARTED+=("$PID")
	eventually follows "$PID"
	publish x
	RC=0
	wait "$PID" || RC=$?
	refused 1 'No space left on device'
}

@test "--sse prints keepalives, and the id that a quiet topic has reached" {
	follow a --sse -t news
	eventually follows "$PID"
	publish x other
	printf 'retry: 3000\nid: 0\n\n:\n\nid: 1\n\n' >"$T/wanted"
	eventually cmp -s "$T/wanted" "$T/a.out"
}

# ---- notices ----------------------------------------------------------------

@test "removed events are reported once, in each format" {
	local i
	for i in 1 2 3 4; do publish "$i" news; done
	rows 'DELETE FROM events WHERE id IN (1, 3)'
	rowcast tail --since 0 --no-follow
	[ "$(sed -n 1p "$OUT")" = \
		'-- gap: events after 0 were removed; from 4 on the log is complete' ]
	[ "$(wc -l <"$OUT")" -eq 3 ]
	rowcast tail --since 0 --no-follow --json
	[ "$(sed -n 1p "$OUT")" = \
		'{"event":"stream-gap","data":"{\"after\":0,\"next\":4}"}' ]
	rowcast tail --since 3 --no-follow
	run ! grep gap "$OUT"
	rowcast tail --since earliest --no-follow
	run ! grep gap "$OUT"
	rowcast tail --since 0 -t other --no-follow
	run ! grep gap "$OUT"
}

@test "events that are removed before tail reads them are reported" {
	follow a
	eventually follows "$PID"
	rows "BEGIN; INSERT INTO events(data) VALUES('never seen');
		DELETE FROM events; COMMIT"
	eventually printed a '-- gap: events after 0'
}

@test "another log in its place is reported and followed" {
	publish 1
	publish 2
	follow a --since 0
	eventually printed a $'\t2'
	"$PROGRAM" --db "$T/log/new.db" init >"$T/made"
	"$PROGRAM" --db "$T/log/new.db" publish first >"$T/id"
	sqlite3 "$T/log/new.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >"$T/made"
	rm -f "$DB-wal" "$DB-shm" "$T/log/new.db"-*
	mv "$T/log/new.db" "$DB"
	eventually printed a '-- reset: the log was replaced or restored and now ends at 1: discard what was read up to 2'
	publish second
	eventually printed a second
	[ ! -s "$T/a.err" ]
}

@test "a restore of an older copy is reported" {
	publish 1
	rows ".backup '$T/copy.db'"
	publish 2
	follow a --since 0 --json
	eventually printed a '"id":2'
	rows ".restore '$T/copy.db'"
	eventually printed a \
		'{"event":"stream-reset","data":"{\"after\":2,\"head\":1}"}'
	publish again
	eventually printed a again
}

# Restore an older copy with a command, and add events past the cursor while
# tail is stopped.
#   usage: grow_behind OPTION… -- COMMAND…
grow_behind() {
	local i options=()
	while [ "$1" != -- ]; do options+=("$1") && shift; done
	shift
	publish 1 other
	rows ".backup '$T/copy.db'"
	for i in 2 3; do publish "$i" news; done
	publish 4 other
	follow a "${options[@]}"
	eventually printed a $'\t3'
	eventually follows "$PID"
	kill -STOP "$PID"
	"$@"
	for i in 2 3 4 5; do publish "new$i" news; done
	kill -CONT "$PID"
	eventually printed a '-- reset: the log was replaced or restored and now ends at 5: discard what was read up to 4'
	publish new6 news
	eventually printed a new6
	run ! printed a new5
}

@test "an older copy that has grown past the cursor is reported" {
	grow_behind --since 0 -- rows ".restore '$T/copy.db'"
}

@test "the same, if the last event did not pass the filter" {
	grow_behind --since 0 -t news -- rows ".restore '$T/copy.db'"
}

@test "the same, if the copy was renamed over the log" {
	grow_behind --since 0 -- rename_copy
}

rename_copy() {
	rm -f "$DB-wal" "$DB-shm"
	mv "$T/copy.db" "$DB"
}

@test "a log that cannot be read is reported once, and read later" {
	publish 1
	follow a --since 0
	eventually printed a $'\t1'
	echo 'no database, but long enough to look like one, perhaps' >"$T/letter"
	mv "$DB" "$T/log/away.db"
	mv "$T/letter" "$DB"
	eventually grep -q 'not a database' "$T/a.err"
	rm "$DB"
	mv "$T/log/away.db" "$DB"
	publish 2
	eventually printed a $'\t2'
	[ "$(wc -l <"$T/a.err")" -eq 1 ]
}

# ---- the example of the manual ----------------------------------------------

# Run the loop of the manual in the background, in $T/work, with a handle() that
# fails for this text.  Sets PID.
#   usage: start_loop TEXT
start_loop() {
	sed -n '/^Do something for each event/,/^\.Ed/p' "$ROOT/docs/man/rowcast.1" |
		sed '1,/^\.Bd/d; /^\./d' >"$T/loop"
	[ -s "$T/loop" ]
	mkdir -p "$T/work"
	cat - "$T/loop" >"$T/script" <<-END
		cd "$T/work" || exit
		rowcast() { "$PROGRAM" "\$@"; }
		handle() {
			printf '%s\n' "\$1" >>"$T/a.out"
			case \$1 in *$1*) return 1 ;; esac
		}
	END
	sh "$T/script" 2>"$T/a.err" 3>&- &
	PID=$!
	STARTED+=("$PID")
}

is_seen() {
	[ "$(cat "$T/work/seen")" = "$1" ]
}

@test "the loop of the manual continues where it ended" {
	needs jq
	publish 1 orders
	rows ".backup '$T/copy.db'"
	start_loop nothing
	publish 2 orders
	eventually is_seen 2
	rows "BEGIN; INSERT INTO events(topic, data) VALUES('orders', 'gone');
		DELETE FROM events WHERE id = 3; COMMIT"
	eventually printed a stream-gap
	stop "$PID"
	is_seen 2

	publish bad orders
	publish good orders
	start_loop bad
	eventually gone "$PID"
	is_seen 2
	start_loop nothing
	eventually is_seen 5
	[ "$(grep -c '"bad"' "$T/a.out")" -eq 2 ]

	rows ".restore '$T/copy.db'"
	eventually is_seen 1
	printed a stream-reset
	[ ! -s "$T/a.err" ]
}
