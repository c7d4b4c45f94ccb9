#!/usr/bin/env bats
# The programs of examples/, as they are: each way to publish, each way to read.
# What each test checks is in examples.bash.

load examples

# ---- publish ----------------------------------------------------------------

@test "publish.php: what it publishes over HTTP arrives as it is" {
	arrives publish.php http
}

@test "publish.php: several events over HTTP are stored together or not at all" {
	all_or_nothing publish.php http
}

@test "publish.php: what it publishes by SQL arrives as it is" {
	arrives publish.php sql
}

@test "publish.php: several events by SQL are stored together or not at all" {
	all_or_nothing publish.php sql
}

@test "publish.php: says why it was refused" {
	says_refusal publish.php
}

@test "publish.php: waits for other writers" {
	waits_for_others publish.php
}

@test "publish.py: what it publishes over HTTP arrives as it is" {
	arrives publish.py http
}

@test "publish.py: several events over HTTP are stored together or not at all" {
	all_or_nothing publish.py http
}

@test "publish.py: what it publishes by SQL arrives as it is" {
	arrives publish.py sql
}

@test "publish.py: several events by SQL are stored together or not at all" {
	all_or_nothing publish.py sql
}

@test "publish.py: says why it was refused" {
	says_refusal publish.py
}

@test "publish.py: waits for other writers" {
	waits_for_others publish.py
}

@test "publish.mjs: what it publishes over HTTP arrives as it is" {
	arrives publish.mjs http
}

@test "publish.mjs: several events over HTTP are stored together or not at all" {
	all_or_nothing publish.mjs http
}

@test "publish.mjs: what it publishes by SQL arrives as it is" {
	arrives publish.mjs sql
}

@test "publish.mjs: several events by SQL are stored together or not at all" {
	all_or_nothing publish.mjs sql
}

@test "publish.mjs: says why it was refused" {
	says_refusal publish.mjs
}

@test "publish.mjs: waits for other writers" {
	waits_for_others publish.mjs
}

@test "publish.pl: what it publishes over HTTP arrives as it is" {
	arrives publish.pl http
}

@test "publish.pl: several events over HTTP are stored together or not at all" {
	all_or_nothing publish.pl http
}

@test "publish.pl: what it publishes by SQL arrives as it is" {
	arrives publish.pl sql
}

@test "publish.pl: several events by SQL are stored together or not at all" {
	all_or_nothing publish.pl sql
}

@test "publish.pl: says why it was refused" {
	says_refusal publish.pl
}

@test "publish.pl: waits for other writers" {
	waits_for_others publish.pl
}

@test "publish.sh: what it publishes over HTTP arrives as it is" {
	arrives publish.sh http
}

@test "publish.sh: several events over HTTP are stored together or not at all" {
	all_or_nothing publish.sh http
}

@test "publish.sh: what it publishes by SQL arrives as it is" {
	arrives publish.sh sql
}

@test "publish.sh: several events by SQL are stored together or not at all" {
	all_or_nothing publish.sh sql
}

@test "publish.sh: says why it was refused" {
	says_refusal publish.sh
}

@test "publish.sh: waits for other writers" {
	waits_for_others publish.sh
}

# ---- read -------------------------------------------------------------------

@test "read.py: prints events as they are" {
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

@test "read.py: says what has been removed" {
	serve ROWCAST_RETRY_MS=100
	read_with read.py "$URL/events"
	eventually reports streams=1
	tells_gap
}

@test "read.py: says that the log is another one" {
	serve ROWCAST_RETRY_MS=100
	read_with read.py "$URL/events"
	eventually reports streams=1
	tells_reset
}

@test "read.mjs: prints events as they are" {
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

@test "read.mjs: says what has been removed" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	read_with read.mjs "$URL/events"
	eventually reports streams=1
	tells_gap
}

@test "read.mjs: says that the log is another one" {
	with_npm
	serve ROWCAST_RETRY_MS=100
	read_with read.mjs "$URL/events"
	eventually reports streams=1
	tells_reset
}

@test "read.sh: prints events as they are" {
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

@test "read.sh: says what has been removed" {
	serve ROWCAST_RETRY_MS=100
	read_with read.sh "$URL/events" last-id
	eventually reports streams=1
	tells_gap
}

@test "read.sh: says that the log is another one" {
	serve ROWCAST_RETRY_MS=100
	read_with read.sh "$URL/events" last-id
	eventually reports streams=1
	tells_reset
}

@test "read.py: goes on after the id it is given" {
	serve
	insert one
	insert two
	read_with read.py "$URL/events" 1
	reads '2 message two'
}

@test "read.py: ends at a refusal and says why" {
	serve
	read_with read.py "$URL/events?since=never"
	eventually gone "$READER"
	complains '"detail"'
}

@test "read.py: comes back when the web server does" {
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

@test "read.py: a server that is silent for too long is given up" {
	can_run read.py
	cp "$TESTS"/examples/*.py "$SITE/"
	start silent env python3 silent.py 3
	eventually grep -q '^http' "$LOGS/silent"
	start reader env python3 impatient.py examples "$(head -n 1 "$LOGS/silent")"
	eventually grep -qx 'Last-Event-ID: 2' "$LOGS/silent"
	reads $'1 message x\n2 message x\n3 message x'
}

@test "read.mjs: comes back after an HTTP error" {
	with_npm
	# else it would be told to come back
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

@test "read.sh: its next run goes on where this one ended" {
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

# ---- htmx -------------------------------------------------------------------

@test "htmx.html: what is published is swapped in" {
	in_browser swaps
}

@test "htmx.html: shows what was published before" {
	in_browser begins
}

@test "htmx.html: killed responders lose and repeat nothing" {
	in_browser survives
}

@test "htmx.html: an HTTP error loses and repeats nothing" {
	in_browser returns
}

@test "htmx.html: begins anew when events have been removed" {
	in_browser renews
}
