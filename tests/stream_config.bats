#!/usr/bin/env bats
# The start of the responder: options, and the logs that it opens.

load stream

# Run the responder until it ends: "run" with a deadline, as the site's user.
#   usage: responder [NAME=VALUE]… [OPTION…]
responder() {
	local env=()
	while [[ ${1:-} == [A-Z]*=* ]]; do
		env+=("$1")
		shift
	done
	(as_site timeout "$WAIT" env "${env[@]}" build/rowcast.fcgi "$@") \
		</dev/null
}

# The responder must refuse to start, with one line that contains TEXT, and must
# create no file.
#   usage: will_not STATUS TEXT [NAME=VALUE]… [OPTION…]
will_not() {
	local status_wanted=$1 text=$2
	shift 2
	run responder "$@"
	echo "$* → $status: $output"
	[ "$status" -eq "$status_wanted" ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == 'rowcast.fcgi: '*"$text"* ]]
	[ "$(find "$SITE/build/run" -mindepth 1 | wc -l)" -eq "${FILES:-0}" ]
}

# ---- options ----------------------------------------------------------------

@test "started by hand without a socket, it prints what to do" {
	will_not 2 '--socket PATH' --db "$DB"
}

@test "--help lists every option, --version the version; nothing is opened" {
	local name
	run responder --help
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == 'Usage: rowcast.fcgi --db PATH'* ]]
	for name in db socket socket-mode keepalive-s retry-ms max-age-s \
		stall-s request-timeout-s shutdown-retry-s poll-ms max-streams \
		tail-kb replay-kb cors-origin syslog no-sandbox help version; do
		grep -q "^  --$name " <<<"$output"
	done
	# each line fits into a terminal
	run ! grep -q '.\{81\}' <<<"$output"
	run responder --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^rowcast.fcgi\ [0-9]+\.[0-9]+ ]]
	[ "${#lines[@]}" -eq 1 ]
	[ "$(find "$SITE/build/run" -mindepth 1 | wc -l)" -eq 0 ]
}

@test "numbers are whole and in range, or the option is named" {
	local name value
	for name in keepalive-s retry-ms max-age-s stall-s request-timeout-s \
		shutdown-retry-s poll-ms max-streams tail-kb replay-kb; do
		for value in '' x -1 1.5 1x ' 1' 0x10 99999999999999999999; do
			will_not 2 "--$name: '$value' is not a whole number from" \
				--db "$DB" "--$name" "$value"
		done
	done
}

@test "0 is refused where it is not valid" {
	local name
	for name in keepalive-s max-age-s stall-s request-timeout-s poll-ms \
		max-streams tail-kb replay-kb; do
		will_not 2 "--$name: '0' is not a whole number from" \
			--db "$DB" "--$name" 0
	done
	will_not 2 "--tail-kb: '63' is not a whole number from 64" \
		--db "$DB" --tail-kb 63
}

@test "variables of the environment are checked as well" {
	will_not 2 "ROWCAST_KEEPALIVE_S: 'x' is not a whole number" \
		ROWCAST_DB="$DB" ROWCAST_KEEPALIVE_S=x
	will_not 2 "ROWCAST_CORS_ORIGINS: 'one.example' is not an origin" \
		ROWCAST_DB="$DB" ROWCAST_CORS_ORIGINS='https://a.example one.example'
	will_not 2 "ROWCAST_SYSLOG: 'yes' is neither 0 nor 1" \
		ROWCAST_DB="$DB" ROWCAST_SYSLOG=yes
}

@test "a variable that is empty counts as not set" {
	will_not 2 'give --db PATH or set ROWCAST_DB' ROWCAST_DB=
	# the only remaining problem is that there is no socket
	will_not 2 '--socket PATH' ROWCAST_DB="$DB" ROWCAST_SOCKET_MODE= \
		ROWCAST_KEEPALIVE_S= ROWCAST_SYSLOG= ROWCAST_SOCKET= \
		ROWCAST_CORS_ORIGINS=
}

@test "an origin is scheme://host[:port] in lower case" {
	local value
	for value in one.example https:// ://one.example https://one.example/ \
		https://one.example/path 'https://one example x' \
		https://One.example; do
		will_not 2 'is not an origin' --db "$DB" --cors-origin "$value"
	done
}

@test "unknown options, missing values and arguments are named" {
	will_not 2 '--no-such: unknown option' --db "$DB" --no-such
	will_not 2 '-x: unknown option' --db "$DB" -x
	will_not 2 'config: -xyz: unknown option' -xyz
	# options cannot be abbreviated
	will_not 2 '--s: unknown option' --db "$DB" --s 1
	will_not 2 '--keep: unknown option' --db "$DB" --keep 1
	will_not 2 "'$DB': unexpected argument" "$DB"
	will_not 2 '--db: needs a value: --db PATH' --db
	will_not 2 '--syslog: takes no value' --db "$DB" --syslog=1
	will_not 2 "--socket-mode: '0888' is not an octal number" \
		--db "$DB" --socket-mode 0888
	will_not 2 "--socket: '' is empty" --db "$DB" --socket ''
	will_not 2 "--db: '' is empty" --db ''
}

@test "without --db, the message says how to name the log" {
	will_not 2 'give --db PATH or set ROWCAST_DB'
}

@test "the command line has precedence over the environment" {
	ROWCAST_RETRY_MS=1 serve_apart --retry-ms 2
	open_stream a
	brings_bytes a 'retry: 2\nid: 0\n\n'
}

@test "options do not come from the query of a CGI request" {
	# a web server may pass the query as arguments
	(as_site env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=HEAD \
		QUERY_STRING=--db+x ROWCAST_DB="$DB" \
		build/rowcast.fcgi --db "$SITE/other.db" --help) \
		</dev/null >"$T/out"
	head -n 1 "$T/out" | grep -q '^Status: 200'
	[ -e "$DB" ]
	[ ! -e "$SITE/other.db" ]
}

# ---- the socket -------------------------------------------------------------

@test "--socket-mode: the socket is for group members by default" {
	start_responder
	[ "$(stat -c %a "$SITE/build/run/rowcast.sock")" = 660 ]
	stop "$RESPONDER_PID"
	ROWCAST_SOCKET_MODE=0600 start_responder
	[ "$(stat -c %a "$SITE/build/run/rowcast.sock")" = 600 ]
}

@test "a socket that is in use is not replaced" {
	start_responder
	run responder --db "$DB" --socket build/run/rowcast.sock
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *'another program listens there'* ]]
	connects "$SITE/build/run/rowcast.sock"
}

@test "a socket that was left behind is replaced" {
	start_responder
	kill -KILL "$RESPONDER_PID"
	eventually gone "$RESPONDER_PID"
	[ -S "$SITE/build/run/rowcast.sock" ]
	serve_apart
}

@test "a file that is not a socket is not replaced" {
	echo precious >"$SITE/build/run/file"
	run responder --db "$DB" --socket build/run/file
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == *'exists, but is not a socket'* ]]
	[ "$(cat "$SITE/build/run/file")" = precious ]
}

# ---- the log ----------------------------------------------------------------

@test "the log is created if it is missing or the file is empty" {
	start_responder
	[ "$(sql 'PRAGMA user_version; PRAGMA journal_mode')" = $'1\nwal' ]
	[ "$(sql 'SELECT count(*) FROM events')" -eq 0 ]
	stop "$RESPONDER_PID"
	rm "$DB"*
	as_site touch "$DB" &
	wait "$!"
	start_responder
	[ "$(sql 'SELECT count(*) FROM events')" -eq 0 ]
}

# Succeeds if the files exist and other users have no access.
#   usage: is_shut FILE…
is_shut() {
	local file mode
	for file in "$@"; do
		mode=$(stat -c %a "$file")
		echo "${file##*/}: $mode, umask $(umask)"
		[[ $mode == 6[046]0 ]]
	done
}

@test "a log that a program creates is closed to other users, at any umask" {
	local mask
	cp "$BUILD/rowcast" "$SITE/build/"
	for mask in 0 022; do
		umask "$mask"
		start_responder
		is_shut "$DB" "$DB-wal" "$DB-shm"
		stop "$RESPONDER_PID"
		rm "$DB"*
		(as_site env GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST \
			CONTENT_TYPE=text/plain CONTENT_LENGTH=2 \
			ROWCAST_PUBLISH_OPEN=1 ROWCAST_DB="$DB" \
			build/rowcast-publish.cgi <<<hi) >"$T/answer"
		grep -q '^Status: 201' "$T/answer"
		is_shut "$DB"
		start_responder # it joins, and SQLite makes the others anew
		is_shut "$DB" "$DB-wal" "$DB-shm"
		stop "$RESPONDER_PID"
		rm "$DB"*
		(as_site build/rowcast init "$DB") >"$T/init"
		is_shut "$DB"
		rm "$DB"*
	done
}

@test "a log that the sqlite3 shell has created is opened" {
	make_log
	five_rows
	serve_apart
	open_stream a since=4
	brings a '5 message five'
}

@test "a log in the database of an application is opened" {
	sql 'CREATE TABLE orders(id INTEGER PRIMARY KEY)'
	make_log
	five_rows
	serve_apart
	open_stream a since=4
	brings a '5 message five'
}

# usage: refuses_log TEXT
refuses_log() {
	local before
	before=$(sha256sum "$DB")
	FILES=$(find "$SITE/build/run" -mindepth 1 | wc -l)
	will_not 1 "log: $DB: $1" --db "$DB" --socket build/run/rowcast.sock
	[ "$(sha256sum "$DB")" = "$before" ]
}

@test "a log of another version is refused" {
	make_log
	sql 'PRAGMA user_version = 2'
	refuses_log 'is a log of format 2, this program reads format 1: use'
}

@test "a log without AUTOINCREMENT is refused" {
	sed 's/ AUTOINCREMENT,/,/' "$ROOT/sql/schema.sql" |
		(as_site sqlite3 "$DB") >/dev/null
	refuses_log "its table 'events' lacks AUTOINCREMENT"
}

@test "a database without a log is refused; the message says how to add one" {
	sql 'CREATE TABLE orders(id INTEGER PRIMARY KEY)'
	refuses_log 'is a database without an event log: add one'
	[[ $output == *'schema.sql'* ]]
}

@test "a file that is not a database is refused" {
	head -c 9000 "$SITE/build/rowcast.fcgi" >"$DB"
	chmod a+r "$DB"
	refuses_log 'file is not a database'
}

@test "a missing folder is named" {
	DB=$SITE/build/none/events.db
	will_not 1 "log: $DB: unable to open database file" REQUEST_METHOD=GET --db "$DB"
	DB=$SITE/build/run
	will_not 1 "log: $DB: is a folder: name a file in it" REQUEST_METHOD=GET --db "$DB"
}

@test "a log with an exclusive lock is reported as locked" {
	make_log
	open_shell
	tell 'PRAGMA locking_mode = EXCLUSIVE'
	tell "INSERT INTO events(data) VALUES('mine')"
	run responder --db "$DB" --socket build/run/rowcast.sock
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "rowcast.fcgi: log: $DB: database is locked"* ]]
	close_shell
	start_responder
}
