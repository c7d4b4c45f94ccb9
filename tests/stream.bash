# shellcheck shell=bash
# stream.bash: clients of the responder, for the suites stream_*.bats.
#
#     load stream
#     @test "…" { serve ROWCAST_RETRY_MS=1; sql …; open_stream a since=0;
#                 brings a $'1 message x'; }
#
# A test cannot wait for an event that must not arrive.  It publishes a later
# event (a mark), waits for that, and then checks what arrived before.

load helpers

# ---- servers ----------------------------------------------------------------

# Start lighttpd with its own responder and wait until it answers.
#   usage: serve [ROWCAST_NAME=VALUE]…
serve() {
	[ $# -eq 0 ] || export "${@?}"
	start_lighttpd
	eventually answers_head
}

# Succeeds if the responder answers.  Without a responder, lighttpd answers with
# a page that makes clients reconnect.  (nginx removes the header.)
answers_head() {
	curl -sf -m 20 -I -o "$T/ready" "$URL/events" || return 1
	[ "$SERVER_KIND" != lighttpd ] ||
		[ "$(header "$T/ready" X-Accel-Buffering)" = no ]
}

# Start a responder (start_responder), and lighttpd in front of it.
#   usage: serve_apart [RESPONDER-OPTION…]
serve_apart() {
	start_responder "$@"
	before_socket rowcast.sock
}

# Start lighttpd in front of the socket build/run/NAME.
before_socket() {
	sed -e '/"bin-path" =>/d' -e '/"max-procs" =>/d' \
		-e '/"bin-environment" =>/,/),/d' \
		-e "s|\"socket\" =>.*|\"socket\" => var.rowcast_run + \"/$1\",|" \
		"$SITE/lighttpd-example.conf" >"$SITE/$1.conf"
	chmod a+r "$SITE/$1.conf"
	start_lighttpd "$1.conf"
	eventually answers_head
}

# Send a signal to the responder that lighttpd has started.
signal() {
	local pid
	pid=$(responders)
	[ "$(wc -w <<<"$pid")" -eq 1 ]
	kill "-$1" "$pid"
}

# Succeeds if the log of lighttpd and its responder has a line like this.
says() {
	grep -q "$1" "$LOGS/lighttpd"
}

# Make the responder report its counters.  Sets REPORT, the line.
report() {
	REPORTS=$(cat "$LOGS"/* | grep -c 'report: ' || :)
	signal USR2
	eventually has_reported
	REPORT=$(cat "$LOGS"/* | grep 'report: ' | tail -n 1)
}

has_reported() {
	[ "$(cat "$LOGS"/* | grep -c 'report: ')" -gt "$REPORTS" ]
}

# Succeeds if a new report contains a counter ("streams=0").
reports() {
	report
	[[ " $REPORT " == *" $1 "* ]]
}

# ---- the log ----------------------------------------------------------------

# Create a log with the sqlite3 shell alone.
make_log() {
	(as_site sqlite3 -bail "$DB") <"$ROOT/sql/schema.sql" >/dev/null
}

# Rows 1 to 5; row N is created N s after 2026-01-01T12:00:00Z.
five_rows() {
	sql "INSERT INTO events(topic, event, data, created_ms) VALUES
		('a', 'message', 'one', 1767268801000),
		('b', 'tick', 'two', 1767268802000),
		('a', 'tick', 'three', 1767268803000),
		('ab', 'message', 'four', 1767268804000),
		('', 'message', 'five', 1767268805000)"
}

# Start a sqlite3 shell that stays open.  "tell" writes to it and waits until it
# has done that.
open_shell() {
	mkfifo "$T/shell"
	(as_site sqlite3 -cmd '.timeout 5000' "$DB") \
		<"$T/shell" >"$T/shell.out" 2>&1 3>&- &
	SHELL_PID=$!
	STARTED+=("$SHELL_PID")
	exec {SHELL_FD}>"$T/shell"
	TOLD=0
}

tell() {
	TOLD=$((TOLD + 1))
	printf '%s;\n.print done %s\n' "$1" "$TOLD" >&"$SHELL_FD"
	eventually grep -qx "done $TOLD" "$T/shell.out"
}

# Programs started later hold the pipe open as well: send .quit.
close_shell() {
	echo .quit >&"$SHELL_FD"
	exec {SHELL_FD}>&-
	eventually gone "$SHELL_PID"
}

# ---- events of a stream -----------------------------------------------------

# Wait until the events of a stream are these and no others (see events).
#   usage: brings NAME LINES
brings() {
	printf '%s' "${2:+$2$'\n'}" >"$T/$1.want"
	brings_file "$1" "$T/$1.want"
}

# usage: brings_file NAME FILE
brings_file() {
	eventually has_events "$1" "$2" && return
	events "$1" | diff "$2" - | cut -c 1-200 | head -n 40
	return 1
}

has_events() {
	events "$1" | cmp -s - "$2"
}

# The same, for the result of a query.
#   usage: brings_sql NAME SELECT
brings_sql() {
	sql "$2" >"$T/$1.want"
	brings_file "$1" "$T/$1.want"
}

# Wait until the bytes of a stream are these and no others.
#   usage: brings_bytes NAME FORMAT
brings_bytes() {
	# shellcheck disable=SC2059 # a format
	printf "$2" >"$T/$1.want"
	eventually cmp -s "$T/$1.want" "$T/$1.body" && return
	diff "$T/$1.want" "$T/$1.body" | cut -c 1-200 | head -n 40
	return 1
}

# Print the events of a stream, without one that was cut off.
whole_events() {
	if [ "$(tail -c 2 "$T/$1.body" | od -An -tx1 | tr -d ' ')" = 0a0a ]; then
		events "$1"
	else
		events "$1" >"$T/$1.events"
		# the last block may be an event without data
		tail -c 100 "$T/$1.body" | awk -v RS= '{ last = $0 } END {
			exit last !~ /data: / }' || echo >>"$T/$1.events"
		sed '$d' "$T/$1.events"
	fi
}

# Print the id of the first record, at which a stream starts.
start_id() {
	sed -n '/^id: /{s///p;q}' "$T/$1.body"
}

# Print how many lines of a stream are equal to this.
count_lines() {
	grep -cx -- "$2" "$T/$1.body" || :
}

# Wait until a stream has ended with a complete response.
ends() {
	eventually gone "$1"
	wait "$1"
}

# Wait until a program under test has ended with status 0, for a limited time.
# Sanitizers look for leaks at the end.
#   usage: ends_within SECONDS PID
ends_within() {
	wait_until $(($1 * (${#SAN} > 0 ? 5 : 1))) gone "$2"
	wait "$2"
}

# ---- single requests --------------------------------------------------------

# Send one request that is not a stream.  Sets STATUS, HEAD (file) and ANSWER
# (file).
#   usage: ask QUERY [CURL-OPTION…]
ask() {
	local query=$1
	shift
	HEAD=$T/ask.head ANSWER=$T/ask.body
	STATUS=$(curl -s -m "$WAIT" -D "$HEAD" -o "$ANSWER" \
		-w '%{http_code}' "$@" "$URL/events${query:+?$query}")
}

# ---- plain CGI --------------------------------------------------------------

# Run the responder as a CGI process; its output goes to FILE.  Sets CGI_PID.
#   usage: cgi FILE [NAME=VALUE]…
cgi() {
	local file=$1
	shift
	(as_site env -i GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET \
		SERVER_PROTOCOL=HTTP/1.1 QUERY_STRING= ROWCAST_DB="$DB" \
		"$@" "$SITE/build/rowcast.fcgi") \
		</dev/null >"$file" 2>>"$LOGS/cgi" 3>&- &
	CGI_PID=$!
	STARTED+=("$CGI_PID")
}

# Split the answer in a file into $T/NAME.head and $T/NAME.body.
split_answer() {
	sed '/^\r$/,$d' "$1" >"$T/$2.head"
	sed '1,/^\r$/d' "$1" >"$T/$2.body"
}

# ---- logs that are refused --------------------------------------------------

# The responder, the publisher and the command must refuse the log soon, with
# this line.
#   usage: all_refuse TEXT
all_refuse() {
	cp "$BUILD/rowcast" "$SITE/build/"
	run as_site timeout "$WAIT" build/rowcast.fcgi --db "$DB" \
		--socket build/run/rowcast.sock
	echo "$status: $output"
	[ "$status" -eq 1 ]
	[[ $output == "rowcast.fcgi: log: $DB: $1"* ]]
	run as_site timeout "$WAIT" env GATEWAY_INTERFACE=CGI/1.1 \
		REQUEST_METHOD=POST CONTENT_TYPE=text/plain CONTENT_LENGTH=2 \
		ROWCAST_PUBLISH_OPEN=1 ROWCAST_DB="$DB" \
		build/rowcast-publish.cgi <<<hi
	echo "$status: $output"
	[[ $output == *"rowcast-publish.cgi: log: $DB: $1"* ]]
	[[ $output == *'Status: 500'* ]]
	run as_site timeout "$WAIT" build/rowcast stats --db "$DB"
	echo "$status: $output"
	[ "$status" -eq 1 ]
	[[ $output == *"$1"* ]]
}
