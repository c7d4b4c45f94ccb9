# shellcheck shell=bash
# examples.bash: run the programs of examples/ as users do, for examples.bats.
#
# They run unmodified from a copy in the site, with packages of npm beside them,
# and send requests to lighttpd.

load stream

# Text that must arrive unchanged: quotes, characters with a meaning in shells,
# SQL, HTML, JSON, forms and printf, and two lines.
NASTY="it's \"so\" \\n \$HOME \`id\` %s %41 & <b>ü€🙂</b> ?,;=+ --"
NASTY+=$'\n'"{\"n\": [1]}"

setup() {
	examples_setup
}

examples_setup() {
	site_new
	cp -R "$ROOT/examples" "$SITE/"
	export ROWCAST_DB=$DB
}

# Skip the test if a program or package that an example needs is missing.
#   usage: can_run EXAMPLE
can_run() {
	case $1 in
	*.php)
		needs php
		php -m | grep -qx pdo_sqlite || skip 'pdo_sqlite of PHP is missing'
		;;
	*.py) needs python3 ;;
	*.pl)
		needs perl
		perl -MDBD::SQLite -e 1 2>/dev/null ||
			skip 'DBD::SQLite of Perl is missing'
		;;
	*.mjs) needs node ;;
	*.sh) needs jq ;;
	esac
}

# Copy the npm packages of the examples into the site.
with_npm() {
	[ -d "$TESTS/examples/node_modules/eventsource" ] ||
		skip 'packages of npm are missing: make npm'
	mkdir "$SITE/node_modules"
	cp -R "$TESTS"/examples/node_modules/eventsource* "$SITE/node_modules/"
}

# ---- publishing -------------------------------------------------------------

# Run an example.  Sets STATUS, IDS (its output) and COMPLAINT (its
# diagnostics).
#   usage: publish EXAMPLE http|sql TOPIC DATA…
publish() {
	STATUS=0
	export ROWCAST_PUBLISH_URL=$URL/publish
	(as_site "examples/$1" "${@:2}") >"$T/ids" 2>"$T/complaint" || STATUS=$?
	IDS=$(cat "$T/ids")
	COMPLAINT=$(cat "$T/complaint")
	echo "$STATUS: $IDS; $COMPLAINT"
}

arrives() {
	can_run "$1"
	serve
	open_stream a topic=t
	publish "$1" "$2" t first "$NASTY"
	[ "$STATUS" -eq 0 ]
	[ "$IDS" = $'1\n2' ]
	brings a "1 message first
2 message ${NASTY/$'\n'/|}"
	[ "$(sql "SELECT count(*) FROM events
		WHERE topic = 't' AND typeof(data) = 'text'")" -eq 2 ]
	publish "$1" "$2" "$NASTY é"
	[ "$STATUS" -ne 0 ]
	# a topic and data that are numbers to those who look too closely
	publish "$1" "$2" 007 1e3
	[ "$IDS" = 3 ]
	[ "$(sql 'SELECT topic, data FROM events WHERE id = 3')" = '007|1e3' ]
}

# A trigger of the application's refuses the second of three.
all_or_nothing() {
	can_run "$1"
	serve
	sql "CREATE TRIGGER choosy BEFORE INSERT ON events
		WHEN NEW.data = 'two' BEGIN
			SELECT RAISE(ABORT, 'there is no two');
		END"
	publish "$1" "$2" t one two three
	[ "$STATUS" -ne 0 ]
	[ -n "$COMPLAINT" ]
	[ "$2" = http ] || [[ $COMPLAINT == *'there is no two'* ]]
	[ "$(sql 'SELECT count(*) FROM events')" -eq 0 ]
	publish "$1" "$2" t one three
	[ "$STATUS" -eq 0 ]
	[ "$(sql "SELECT group_concat(data) FROM events")" = one,three ]
}

says_refusal() {
	can_run "$1"
	serve
	ROWCAST_PUBLISH_TOKEN=wrong publish "$1" http t x
	[ "$STATUS" -ne 0 ]
	[[ $COMPLAINT == *'"detail"'*token* ]]
	[ "$(sql 'SELECT count(*) FROM events')" -eq 0 ]
}

# Another writer holds the log; after it, this one.
waits_for_others() {
	can_run "$1"
	make_log
	open_shell
	tell "BEGIN IMMEDIATE; INSERT INTO events(data) VALUES('other')"
	start publisher "examples/$1" sql t mine
	sleep 1 # not for a condition: time enough to give up
	is_running "$PID"
	tell COMMIT
	eventually gone "$PID"
	cat "$LOGS/publisher"
	[ "$(cat "$LOGS/publisher")" = 2 ]
	close_shell
}

# ---- reading ----------------------------------------------------------------

# Start a reader.  Sets READER, its process id.  Its output goes to
# $LOGS/reader, its diagnostics to $LOGS/complaints.
#   usage: read_with EXAMPLE [ARGUMENT…]
read_with() {
	can_run "$1"
	: >"$LOGS/complaints"
	chmod a+w "$LOGS/complaints"
	# shellcheck disable=SC2016 # the inner shell's
	start reader sh -c 'exec 2>>"$0" "$@"' "$LOGS/complaints" \
		"examples/$1" "${@:2}"
	READER=$PID
}

# Succeeds if the reader has printed these events.
has_read() {
	[ "$(cat "$LOGS/reader")" = "$1" ]
}

# Wait until the reader has printed these events and no others.
reads() {
	eventually has_read "$1" && return
	diff <(echo "$1") "$LOGS/reader"
	return 1
}

# Succeeds if the reader has printed a diagnostic with this text.
complains() {
	grep -qF -- "$1" "$LOGS/complaints"
}

insert() {
	sql "INSERT INTO events(data) VALUES('$1')"
}

# Insert rows while the responder runs and while it is down.
survives_kills() {
	local round i=0 want=''
	for round in 1 2 3; do
		insert "row-$((i += 1))"
		want+=${want:+$'\n'}"$i message row-$i"
		reads "$want"
		signal KILL
		insert "row-$((i += 1))"
		want+=$'\n'"$i message row-$i"
	done
	insert 'the last'
	reads "$want"$'\n'"$((i + 1)) message the last"
}

# The responder is killed before anything has come; what came meanwhile is not
# lost.  (Where the stream began must have been understood.)
survives_early_kill() {
	eventually reports streams=1
	signal KILL
	insert mine
	eventually reports streams=1
	insert later
	reads $'2 message mine\n3 message later'
}

tells_gap() {
	insert one
	reads '1 message one'
	signal KILL
	sql "BEGIN; INSERT INTO events(data) VALUES('two'), ('three'), ('four');
		DELETE FROM events WHERE data IN ('two', 'three'); COMMIT"
	reads $'1 message one\n4 message four'
	complains 'gone: '
}

tells_reset() {
	insert one
	sql ".backup '$SITE/copy.db'"
	insert two
	reads $'1 message one\n2 message two'
	sql ".restore '$SITE/copy.db'"
	eventually complains 'another log: {"after":2,"head":1}'
	insert 'another two'
	reads $'1 message one\n2 message two\n2 message another two'
}

# lighttpd once more, where it was.
restart_lighttpd() {
	PORT=$PORT start lighttpd lighttpd -D -f lighttpd-example.conf
	SERVER_PID=$PID
	up "$PID" lighttpd answers
}

# Data of two lines, and all text as it is.
reads_text() {
	sql "INSERT INTO events(data) VALUES('${NASTY//"'"/"''"}')"
	insert last
	reads "1 message $NASTY"$'\n2 message last'
}

# ---- htmx -------------------------------------------------------------------

# Run a test of tests/examples/htmx.mjs; it has a site of its own.
in_browser() {
	local package
	needs node chromium
	for package in browser/node_modules/playwright-core \
		examples/node_modules/htmx.org; do
		[ -d "$TESTS/$package" ] ||
			skip 'packages of npm are missing: make npm'
	done
	BUILD=$BUILD node "$TESTS/examples/htmx.mjs" "$1" 3>&-
}

# ---- hostile streams --------------------------------------------------------

# Write a program "curl" to a folder that prints a hostile stream, and notes how
# it was called.
hostile_curl() {
	mkdir "$1"
	cat >"$1/curl" <<-'END'
		#!/bin/sh
		echo "$*" >>asked
		cat <<'STREAM'
		retry: 10
		id: 5
		data: one

		retry: a[$(touch pwned)]
		retry: 08
		retry: 99999999999999999999
		id: 6\nX: y
		id: -n
		id: $(touch pwned)
		data: two

		STREAM
	END
	chmod a+rx "$1" "$1/curl"
	# the reader writes here
	: >"$SITE/asked"
	: >"$SITE/last-id"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$SITE/asked" "$SITE/last-id"
}
