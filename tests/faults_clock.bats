#!/usr/bin/env bats
# Clocks that are set forward and back.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load faults
SECTION='Clocks'

HOUR=3600 DAY=86400

setup() {
	site_new
	[ -z "${SAN:-}" ] || skip 'sanitizers replace the same functions'
	needs nginx
	cp "$BUILD/tests/preload/clock.so" "$SITE/build/"
	put_clock +0
}

# Set the offset of the clock of both programs, in seconds.
put_clock() {
	printf '%-32s' "$1" | dd of="$T/clock" conv=notrunc status=none
}

# Print the time of the programs in seconds, or as ISO 8601 for "since".
clock() {
	echo $(($(date +%s) + $(tr -d ' ' <"$T/clock") + 0))
}

iso() {
	date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ
}

# Start both programs, and nginx in front of them.
#   usage: serve_with_clock [RESPONDER-OPTION…]
serve_with_clock() {
	local with=(env CLOCK="$T/clock" LD_PRELOAD="$SITE/build/clock.so")
	start responder "${with[@]}" build/rowcast.fcgi --db "$DB" \
		--socket build/run/rowcast.sock "$@"
	RESPONDER_PID=$PID
	up "$PID" responder connects "$SITE/build/run/rowcast.sock"
	start publisher "${with[@]}" build/rowcast-publish.cgi --db "$DB" \
		--socket build/run/publish.sock --idle-s 20
	PUBLISHER_PID=$PID
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
	start_nginx
	eventually answers_head
}

# usage: say DATA…
say() {
	local data
	for data in "$@"; do
		post_with_token -d "data=$data"
		[ "$STATUS" = 201 ]
	done
}

# Succeeds if a stream has this many keepalives.
has_kept_alive() {
	[ "$(count_lines "$1" ':')" -ge "$2" ]
}

@test "streams: keepalives, age and events" {
	fault 'the time of day jumps by hours and days, both ways, during streams' \
		'no stream ends, keepalives are on time, each event arrives once'
	local jump began kept rounds=0
	serve_with_clock --keepalive-s 1 --max-age-s 600 --stall-s 30
	open_stream a since=0
	say one
	# an unfinished body
	mkfifo "$T/slow"
	curl -s -X POST -T "$T/slow" -H 'Content-Type: text/plain' \
		-H "Authorization: Bearer $TOKEN" -o "$T/slow.answer" \
		"$URL/publish" 3>&- &
	STARTED+=("$!")
	exec 5>"$T/slow"
	printf 'sl' >&5
	for jump in +$HOUR -$HOUR "+$((30 * DAY))" -$((30 * DAY)) \
		"+$((20000 * DAY))" +0; do
		put_clock "$jump"
		kept=$(count_lines a ':')
		began=$EPOCHREALTIME
		say "at $jump"
		eventually has_kept_alive a $((kept + 2))
		# two of them take a second each, less the elapsed part of the first
		[ "$(((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 100000))" -ge 9 ]
		rounds=$((rounds + 1))
	done
	printf 'ow' >&5
	exec 5>&-
	eventually grep -qs '"id":' "$T/slow.answer"
	brings_sql a "SELECT id || ' message ' || data FROM events"
	[ "$(events a | wc -l)" -eq 8 ]
	run ! got a stream-
	is_running "$STREAM_PID"
	# a timer that runs wild would send many more than one a second
	[ "$(count_lines a ':')" -le $((60 * rounds)) ]
	saw "$rounds jumps of up to 20,000 days: 8 events once each, $(count_lines \
		a ':') keepalives, the stream is open; a body begun before" \
		"them was accepted after them"
}

@test "since=TIME after clocks went forward and back" {
	fault 'created_ms goes back because the clock did' \
		'since=TIME starts at one of the matching places, and the stream continues'
	local place start
	serve_with_clock
	say a1 a2
	put_clock +$HOUR
	start=$(clock)
	say b1 b2
	open_stream ahead "since=$(iso "$start")"
	eventually got ahead 'data: b2'
	run ! got ahead 'data: a'
	put_clock -$HOUR
	say c1 c2
	put_clock +$((2 * HOUR))
	start=$(clock)
	say d1 d2
	open_stream last "since=$(iso "$start")"
	eventually got last 'data: d2'
	run ! got last 'data: c'
	# from before: a2 matches, and so do events after the jump back
	place=$(iso $((start - 2 * HOUR - 1800)))
	open_stream middle "since=$place"
	eventually got middle 'data: d2'
	[ "$(events middle | sort -u | wc -l)" -eq "$(events middle | wc -l)" ]
	brings_sql middle "SELECT id || ' message ' || data FROM events
		WHERE id >= $(events middle | head -n 1 | cut -d ' ' -f 1)"
	say e1
	eventually got middle 'data: e1'
	eventually got ahead 'data: e1'
	saw "4 jumps: each stream began at one of them, and received the" \
		"rest once"
}

@test "retention by age" {
	fault "the publisher's clock goes forward by a day, and back, with a rule of one hour" \
		'events that are old by created_ms are removed and reported as a gap; no insert fails, live streams miss nothing'
	serve_with_clock
	sql "INSERT INTO retention(topic_pattern, max_age_s) VALUES('*', $HOUR)"
	say one two three
	open_stream live since=0
	brings live $'1 message one\n2 message two\n3 message three'
	put_clock +$DAY
	say four
	[ "$(sql "SELECT group_concat(data, ' ') FROM events")" = four ]
	open_stream back '' -H 'Last-Event-ID: 1'
	brings back $' stream-gap {"after":1,"next":4}\n4 message four'
	put_clock -$DAY
	say five six
	put_clock +0
	say seven eight
	brings live $'1 message one\n2 message two\n3 message three\n4 message four\n5 message five\n6 message six\n7 message seven\n8 message eight'
	[ "$(sql "SELECT data FROM events ORDER BY id DESC LIMIT 1")" = eight ]
	is_running "$RESPONDER_PID"
	is_running "$PUBLISHER_PID"
	saw "a day ahead: 3 of 3 older events removed, a reconnecting client" \
		"received the gap; then back two days: 4 publishes, left are $(sql \
			"SELECT group_concat(data, ', ') FROM events")"
}

@test "removal by age, behind rows of the future" {
	local i
	fault 'a clock that is a day ahead writes the first events, and one that is two hours late the next; then a rule of one hour' \
		'what is old is removed, by rowcast prune and by the rule, and nothing else; no insert fails, live streams miss nothing'
	serve_with_clock
	cp "$BUILD/rowcast" "$SITE/build/"
	open_stream live since=0
	put_clock +$DAY
	for i in {1..20}; do say "future$i"; done
	put_clock -$((2 * HOUR))
	say old1 old2 old3
	put_clock +0
	say new1
	run as_site build/rowcast prune --db "$DB" --older-than 1h
	[ "$status" -eq 0 ]
	[ "$(sql "SELECT count(*), sum(data GLOB 'old*') FROM events")" = '21|0' ]
	put_clock -$((2 * HOUR))
	say old4 old5 old6
	put_clock +0
	sql "INSERT INTO retention(topic_pattern, max_age_s) VALUES('*', $HOUR)"
	say new2 new3 new4
	[ "$(sql "SELECT count(*), sum(data GLOB 'old*'), sum(data GLOB 'new*')
		FROM events")" = '24|0|4' ]
	brings live "$(
		n=0
		for i in future{1..20} old{1..3} new1 old{4..6} new{2..4}; do
			echo "$((n += 1)) message $i"
		done
	)"
	is_running "$PUBLISHER_PID"
	saw '20 events of the future in front: 3 of 3 old ones removed by prune, 3 of 3 by the rule; the live stream has all 30'
}
