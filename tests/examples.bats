#!/usr/bin/env bats
# The programs of examples/, unchanged: each way to publish, each way to read.
# The checks are in examples.bash.

load examples

# ---- publish ----------------------------------------------------------------

@test "publish.php: an event published over HTTP arrives unchanged" {
	arrives publish.php http
}

@test "publish.php: several events over HTTP are stored all or none" {
	all_or_nothing publish.php http
}

@test "publish.php: an event published by SQL arrives unchanged" {
	arrives publish.php sql
}

@test "publish.php: several events by SQL are stored all or none" {
	all_or_nothing publish.php sql
}

@test "publish.php: prints the reason of a refusal" {
	says_refusal publish.php
}

@test "publish.php: waits for other writers" {
	waits_for_others publish.php
}

@test "publish.py: an event published over HTTP arrives unchanged" {
	arrives publish.py http
}

@test "publish.py: several events over HTTP are stored all or none" {
	all_or_nothing publish.py http
}

@test "publish.py: an event published by SQL arrives unchanged" {
	arrives publish.py sql
}

@test "publish.py: several events by SQL are stored all or none" {
	all_or_nothing publish.py sql
}

@test "publish.py: prints the reason of a refusal" {
	says_refusal publish.py
}

@test "publish.py: waits for other writers" {
	waits_for_others publish.py
}

@test "publish.mjs: an event published over HTTP arrives unchanged" {
	arrives publish.mjs http
}

@test "publish.mjs: several events over HTTP are stored all or none" {
	all_or_nothing publish.mjs http
}

@test "publish.mjs: an event published by SQL arrives unchanged" {
	arrives publish.mjs sql
}

@test "publish.mjs: several events by SQL are stored all or none" {
	all_or_nothing publish.mjs sql
}

@test "publish.mjs: prints the reason of a refusal" {
	says_refusal publish.mjs
}

@test "publish.mjs: waits for other writers" {
	waits_for_others publish.mjs
}

@test "publish.pl: an event published over HTTP arrives unchanged" {
	arrives publish.pl http
}

@test "publish.pl: several events over HTTP are stored all or none" {
	all_or_nothing publish.pl http
}

@test "publish.pl: an event published by SQL arrives unchanged" {
	arrives publish.pl sql
}

@test "publish.pl: several events by SQL are stored all or none" {
	all_or_nothing publish.pl sql
}

@test "publish.pl: prints the reason of a refusal" {
	says_refusal publish.pl
}

@test "publish.pl: waits for other writers" {
	waits_for_others publish.pl
}

@test "publish.sh: an event published over HTTP arrives unchanged" {
	arrives publish.sh http
}

@test "publish.sh: several events over HTTP are stored all or none" {
	all_or_nothing publish.sh http
}

@test "publish.sh: an event published by SQL arrives unchanged" {
	arrives publish.sh sql
}

@test "publish.sh: several events by SQL are stored all or none" {
	all_or_nothing publish.sh sql
}

@test "publish.sh: prints the reason of a refusal" {
	says_refusal publish.sh
}

@test "publish.sh: waits for other writers" {
	waits_for_others publish.sh
}

# ---- read -------------------------------------------------------------------

@test "read.py: prints events unchanged" {
	serve ROWCAST_RETRY_MS=100
	read_with read.py "$URL/events"
	eventually reports streams=1
	reads_text
}

@test "read.py: killed responders lose and repeat nothing" {
	serve ROWCAST_RETRY_MS=100
	read_with read.py "$URL/events"
	eventually reports streams=1
	survives_kills
}

@test "read.py: nothing is lost before the first event" {
	serve ROWCAST_RETRY_MS=100
	insert early
	read_with read.py "$URL/events"
	survives_early_kill
}

@test "read.py: reports removed events" {
	serve ROWCAST_RETRY_MS=100
	read_with read.py "$URL/events"
	eventually reports streams=1
	tells_gap
}

@test "read.py: reports that the log was replaced" {
	serve ROWCAST_RETRY_MS=100
	read_with read.py "$URL/events"
	eventually reports streams=1
	tells_reset
}

@test "read.mjs: prints events unchanged" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	read_with read.mjs "$URL/events"
	eventually reports streams=1
	reads_text
}

@test "read.mjs: killed responders lose and repeat nothing" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	read_with read.mjs "$URL/events"
	eventually reports streams=1
	survives_kills
}

@test "read.mjs: nothing is lost before the first event" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	insert early
	read_with read.mjs "$URL/events" 1
	survives_early_kill
}

@test "read.mjs: reports removed events" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	read_with read.mjs "$URL/events"
	eventually reports streams=1
	tells_gap
}

@test "read.mjs: reports that the log was replaced" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	read_with read.mjs "$URL/events"
	eventually reports streams=1
	tells_reset
}

@test "read.sh: prints events unchanged" {
	serve ROWCAST_RETRY_MS=100
	read_with read.sh "$URL/events" last-id
	eventually reports streams=1
	reads_text
}

@test "read.sh: killed responders lose and repeat nothing" {
	serve ROWCAST_RETRY_MS=100
	read_with read.sh "$URL/events" last-id
	eventually reports streams=1
	survives_kills
}

@test "read.sh: nothing is lost before the first event" {
	serve ROWCAST_RETRY_MS=100
	insert early
	read_with read.sh "$URL/events" last-id
	survives_early_kill
}

@test "read.sh: reports removed events" {
	serve ROWCAST_RETRY_MS=100
	read_with read.sh "$URL/events" last-id
	eventually reports streams=1
	tells_gap
}

@test "read.sh: reports that the log was replaced" {
	serve ROWCAST_RETRY_MS=100
	read_with read.sh "$URL/events" last-id
	eventually reports streams=1
	tells_reset
}

@test "read.py: continues after a given id" {
	serve
	insert one
	insert two
	read_with read.py "$URL/events" 1
	reads '2 message two'
}

@test "read.py: ends at a refusal with the reason" {
	serve
	read_with read.py "$URL/events?since=never"
	eventually gone "$READER"
	complains '"detail"'
}

@test "read.py: reconnects when the web server is back" {
	serve ROWCAST_RETRY_MS=1
	read_with read.py "$URL/events"
	eventually reports streams=1
	insert one
	reads '1 message one'
	stop "$SERVER_PID"
	insert two
	restart_lighttpd
	reads $'1 message one\n2 message two'
}

@test "read.py: disconnects from a server that is silent for too long" {
	can_run read.py
	cp "$TESTS"/examples/*.py "$SITE/"
	start silent env python3 silent.py 3
	eventually grep -q '^http' "$LOGS/silent"
	start reader env python3 impatient.py examples "$(head -n 1 "$LOGS/silent")"
	eventually grep -qx 'Last-Event-ID: 2' "$LOGS/silent"
	reads $'1 message x\n2 message x\n3 message x'
}

@test "read.mjs: reconnects after an HTTP error" {
	with_npm
	# otherwise lighttpd would answer with retry:
	sed -i '/server.error-handler/d' "$SITE/lighttpd-example.conf"
	serve_apart
	read_with read.mjs "$URL/events"
	insert one
	reads '1 message one'
	stop "$RESPONDER_PID"
	eventually complains 503
	insert two
	start_responder
	reads $'1 message one\n2 message two'
}

@test "read.mjs: other names must be asked for" {
	with_npm
	serve
	sql "INSERT INTO events(event, data)
		VALUES('mail', 'one'), ('tick', 'two'), ('message', 'three')"
	read_with read.mjs "$URL/events" 0 mail
	reads $'1 mail one\n3 message three'
}

@test "read.sh: the next run continues where this one ended" {
	serve
	insert one
	echo 0 >"$SITE/last-id"
	read_with read.sh "$URL/events" last-id
	reads '1 message one'
	eventually grep -qx 1 "$SITE/last-id"
	stop "$READER"
	insert two
	read_with read.sh "$URL/events" last-id
	reads $'1 message one\n2 message two'
}

# Text of a stream that a shell or a header must not interpret.
@test "read.sh: runs nothing out of a stream, and keeps only numbers as ids" {
	local shell=
	hostile_curl "$SITE/bin"
	for shell in sh bash; do
		needs "$shell"
		echo 3 >"$SITE/last-id"
		: >"$SITE/asked"
		start reader env PATH="$SITE/bin:$PATH" "$shell" \
			examples/read.sh http://127.0.0.1/events last-id
		READER=$PID
		eventually asked_again
		stop "$READER"
		[ ! -e "$SITE/pwned" ]
		[ "$(cat "$SITE/last-id")" = 5 ]
		grep -qx '5 message one' "$LOGS/reader"
		# the second request
		sed -n 2p "$SITE/asked" | grep -q 'Last-Event-ID: 5 http'
	done
}

asked_again() {
	[ "$(wc -l <"$SITE/asked")" -ge 3 ]
}

@test "read.py: a stream cannot break it by odd numbers and ids" {
	can_run read.py
	cp "$TESTS"/examples/odd.py "$SITE/"
	start odd env python3 odd.py
	eventually grep -q '^http' "$LOGS/odd"
	read_with read.py "$(head -n 1 "$LOGS/odd")"
	eventually asked_odd
	[ ! -s "$LOGS/complaints" ]
	run ! grep -v 'Last-Event-ID: 5$' <(grep Last "$LOGS/odd")
}

asked_odd() {
	[ "$(grep -c 'Last-Event-ID: 5' "$LOGS/odd")" -ge 2 ]
}

# ---- htmx -------------------------------------------------------------------

@test "htmx.html: published events are swapped in" {
	in_browser swaps
}

@test "htmx.html: shows events published before" {
	in_browser begins
}

@test "htmx.html: killed responders lose and repeat nothing" {
	in_browser survives
}

@test "htmx.html: an HTTP error loses and repeats nothing" {
	in_browser returns
}

@test "htmx.html: starts again if events have been removed" {
	in_browser renews
}
