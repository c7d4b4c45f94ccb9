# shellcheck shell=bash
# helpers.bash: real web servers and the programs under test, for all suites.
#
#     load helpers
#     @test "…" { start_lighttpd; stream a; sql "INSERT …"; eventually got a hi; }
#
# Each test has a site under $BATS_TEST_TMPDIR/site: a copy of a checkout with
# its programs and example configurations.  The examples are tested as they
# are; only the port numbers are set.  If the tests run as root, the site
# belongs to www-data, and its programs run as www-data.
#
#   BUILD        folder of the programs under test (environment; default build)
#   SITE         the site; $SITE/build/run holds sockets and the log of events
#   DB           $SITE/build/run/events.db
#   T            $BATS_TEST_TMPDIR
#   LOGS         the output of each program: $LOGS/lighttpd, $LOGS/responder …
#   TOKEN        the token for publishing
#   URL          of the server started last: http://127.0.0.1:PORT
#   SERVER_PID   of the server started last
#   SERVER_KIND  which one it is: lighttpd, apache, nginx, caddy
#   RESPONDER_PID, STREAM_PID  of the responder or stream started last
#
# Kills only processes that were started here, by process id.

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$TESTS")
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
TOKEN=test-token
WAIT=${WAIT:-120} # seconds until a test fails; a test that passes never waits
STARTED=()
PORTS=/tmp/rowcast-ports-$UID
BASICS=(sqlite3 curl ps pgrep) # what helpers call; suites have needs of their own
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

bats_require_minimum_version 1.5.0

# Defaults; a suite may define its own setup() and teardown().
setup() {
	site_new
}

teardown() {
	site_end
}

# ---- the site ---------------------------------------------------------------

# Creates the site.  Fails if a program under test is missing.
site_new() {
	local program
	needs "${BASICS[@]}"
	SITE=$BATS_TEST_TMPDIR/site
	DB=$SITE/build/run/events.db
	T=$BATS_TEST_TMPDIR
	LOGS=$T/logs
	for program in rowcast.fcgi rowcast-publish.cgi; do
		if [ ! -x "$BUILD/$program" ]; then
			echo "$BUILD/$program is missing: run make" >&2
			return 1
		fi
	done
	clean_environment
	export ROWCAST_PUBLISH_TOKEN=$TOKEN
	mkdir -p "$SITE/build/run" "$LOGS"
	cp "$BUILD"/rowcast.fcgi "$BUILD"/rowcast-publish.cgi "$SITE/build/"
	cp -R "$ROOT"/*-example.conf "$ROOT/web" "$ROOT/sql" "$SITE/"
	USER_IS=
	if [ "$(id -u)" -eq 0 ]; then
		USER_IS=www-data
		# bats creates its folder for root only; sanitizers write to a
		# folder of the build.
		chmod go+x "$BATS_RUN_TMPDIR"
		[ ! -d "$BUILD/reports" ] || chmod 1777 "$BUILD/reports"
		chown -R "$USER_IS:" "$SITE"
	fi
}

# Removes the variables that our programs read.
clean_environment() {
	local v
	for v in "${!ROWCAST_@}"; do unset "$v"; done
	unset PORT
}

# Ends all that was started, and prints its logs if the test failed.
site_end() {
	local log
	stop "${STARTED[@]}"
	STARTED=()
	free_ports_end
	[ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${SITE:-}" ] || return 0
	for log in "${LOGS:?}"/* "${SITE:?}"/build/run/*.log; do
		[ -s "$log" ] || continue
		echo "== ${log##*/}"
		tail -n 15 "$log"
	done
}

# Runs a command as the site's user, in the site.  Does not fork, so that the
# process id is that of the command.
as_site() {
	cd "$SITE" || return 1
	export HOME=$SITE XDG_CONFIG_HOME=$SITE/build/run \
		XDG_DATA_HOME=$SITE/build/run
	if [ -n "$USER_IS" ]; then
		exec setpriv --reuid="$USER_IS" --regid="$USER_IS" \
			--clear-groups -- "$@"
	fi
	exec "$@"
}

# Starts a program in the background, in the site, as its user, with its output
# in $LOGS/NAME.  Sets PID.
#   usage: start NAME COMMAND…
start() {
	local log=$LOGS/$1
	shift
	(as_site "$@") </dev/null >>"$log" 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# Ends processes that were started here, and their children, all at the same
# time, as web servers wait for streams.  Kills those that take longer than
# ten seconds.
#   usage: stop PID…
stop() {
	local pid tree=()
	for pid in "$@"; do
		# shellcheck disable=SC2207 # numbers
		tree+=("$pid" $(descendants "$pid"))
	done
	for pid in "${tree[@]}"; do kill "$pid" 2>/dev/null || :; done
	wait_until 10 gone "${tree[@]}" ||
		for pid in "${tree[@]}"; do kill -KILL "$pid" 2>/dev/null || :; done
	for pid in "$@"; do wait "$pid" 2>/dev/null || :; done
}

descendants() {
	local child
	for child in $(pgrep -P "$1"); do
		echo "$child"
		descendants "$child"
	done
}

# Succeeds if these processes have ended.  Zombies count as ended.
gone() {
	local pids=$*
	[ -z "$pids" ] || ! ps -o stat= -p "${pids// /,}" | grep -qv '^Z'
}

is_running() {
	! gone "$1"
}

# ---- waiting ----------------------------------------------------------------

# Waits until a command succeeds; fails after WAIT seconds.  Tests wait with
# this function, and never sleep for a condition.
#   usage: eventually COMMAND…
eventually() {
	wait_until "$WAIT" "$@"
}

# The same with a limit, for tests in which the time itself matters.  The limit
# is that of an idle machine: a second is at least 40 turns of this loop, which
# take longer on a machine that is busy.  After ten seconds, only time counts.
#   usage: wait_until SECONDS COMMAND…
wait_until() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	local turns=$(($1 < 10 ? $1 * 40 : 0))
	shift
	until "$@"; do
		((turns-- > 0 || ${EPOCHREALTIME/[.,]/} < end)) || return 1
		sleep 0.02
	done
}

# Succeeds if this process sleeps or has ended.
sleeps() {
	! ps -o stat= -p "$1" | grep -q '^[RD]'
}

# Creates a pipe: descriptor 4 reads, 6 writes.  One of the two is non-blocking,
# as another program that shares it may have set it.
#   usage: nonblocking_pipe 4|6
nonblocking_pipe() {
	local pipe=$BATS_TEST_TMPDIR/nonblocking
	needs python3
	mkfifo "$pipe"
	exec 5<>"$pipe" # or the others would wait for each other
	exec 4<"$pipe"
	exec 6>"$pipe" 5>&-
	python3 -c 'import os; os.set_blocking(0, False)' <&"$1"
}

# Prints a port of 127.0.0.1 on which no program listens, below those that the
# system gives to clients.  Until this test ends, no other test gets it, even
# before a server listens or while it is down: a symbolic link to the process of
# the test marks it.
free_port() {
	local port
	mkdir -p "$PORTS"
	while :; do
		port=$((10000 + RANDOM % 22000))
		[ ! -e "$PORTS/$port" ] || continue # that test still runs
		rm -f "$PORTS/$port"
		ln -s "/proc/$$" "$PORTS/$port" 2>/dev/null || continue
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

free_ports_end() {
	[ ! -d "$PORTS" ] || find "$PORTS" -lname "/proc/$$" -delete
}

# Skips the test if a program is missing that is not one of those under test.
needs() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# ---- programs ---------------------------------------------------------------

# Starts the responder, on $SITE/build/run/rowcast.sock unless an option names
# another socket.
#   usage: start_responder [OPTION…]
start_responder() {
	local socket=build/run/rowcast.sock option
	for option in "$@"; do
		case $option in --socket | --socket=*) socket= ;; esac
	done
	start responder build/rowcast.fcgi --db "$DB" \
		${socket:+--socket "$socket"} "$@"
	RESPONDER_PID=$PID
	[ -z "$socket" ] ||
		up "$PID" responder connects "$SITE/$socket"
}

# Succeeds if this Unix socket accepts connections.  bash cannot connect, so
# curl tries: its status is 7 only if it cannot connect.  Our programs close a
# connection that begins with HTTP at once.
connects() {
	local rc=0
	curl -s -m 5 --unix-socket "$1" http://x/ >/dev/null || rc=$?
	[ "$rc" -ne 7 ]
}

# Starts the publisher over FastCGI.
#   usage: start_publisher [OPTION…]
start_publisher() {
	start publisher build/rowcast-publish.cgi --db "$DB" \
		--socket build/run/publish.sock "$@"
	PUBLISHER_PID=$PID
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
}

# Waits until a command succeeds, which shows that a program is up.  If the
# program ends instead, prints its output and fails.
#   usage: up PID NAME COMMAND…
up() {
	local pid=$1 name=$2
	shift 2
	eventually up_or_dead "$pid" "$@"
	if gone "$pid" || ! "$@"; then
		echo "$name did not start:" >&2
		cat "$LOGS/$name" "$SITE"/build/run/*.log >&2 || :
		return 1
	fi
}

up_or_dead() {
	local pid=$1
	shift
	"$@" || gone "$pid"
}

answers() {
	curl -sf -m 20 -o "$BATS_TEST_TMPDIR/answers" "$URL/"
}

# Start a web server with its example file.  lighttpd starts both programs, with
# ROWCAST_… from the environment; for the others, start them first.
start_lighttpd() {
	needs lighttpd
	SERVER_KIND=lighttpd
	set_url
	PORT=$PORT start lighttpd lighttpd -D -f "${1:-lighttpd-example.conf}"
	SERVER_PID=$PID
	up "$PID" lighttpd answers
}

start_apache() {
	needs apache2
	SERVER_KIND=apache
	set_url
	start apache apache2 -d "$SITE" -f "${1:-apache-example.conf}" \
		-D FOREGROUND -C "Define PORT $PORT"
	SERVER_PID=$PID
	up "$PID" apache answers
}

start_nginx() {
	needs nginx
	SERVER_KIND=nginx
	set_url
	sed "s/127\.0\.0\.1:8080/127.0.0.1:$PORT/" \
		"$SITE/${1:-nginx-example.conf}" >"$SITE/nginx.conf"
	start nginx nginx -p "$SITE" -e stderr -c nginx.conf
	SERVER_PID=$PID
	up "$PID" nginx answers
}

start_caddy() {
	needs caddy
	SERVER_KIND=caddy
	set_url
	PORT=$PORT start caddy caddy run --adapter caddyfile \
		--config "${1:-caddy-example.conf}"
	SERVER_PID=$PID
	up "$PID" caddy answers
}

set_url() {
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
}

# Write the variants that the example files hold as comments to the file NEW.
#   usage: use_cgi FILE NEW      both programs as plain CGI
#          use_basic FILE NEW    the publisher with Basic authentication
#          use_cors FILE NEW     streams for pages of https://app.example
use_cgi() {
	sed -e '/over FastCGI: begin/,/over FastCGI: end/d' \
		-e 's/^\([[:blank:]]*\)#: \{0,1\}/\1/' "$SITE/$1" >"$SITE/$2"
	cmp -s "$SITE/$1" "$SITE/$2" && return 1
	chmod a+r "$SITE/$2"
}

use_basic() {
	uncomment basic "$@"
	# shellcheck disable=SC2016 # a hash: editor, password "secret"
	echo 'editor:$apr1$rowcast0$C3cn3fK0BEW55MBO8CDrF/' >"$SITE/build/run/htpasswd"
	chmod a+r "$SITE/build/run/htpasswd"
}

use_cors() {
	uncomment cors "$@"
}

# Uncomments the lines that begin with "#MARK ".
#   usage: uncomment MARK FILE NEW
uncomment() {
	sed -e "s/^\([[:blank:]]*\)#$1 /\1/" "$SITE/$2" >"$SITE/$3"
	cmp -s "$SITE/$2" "$SITE/$3" && return 1
	chmod a+r "$SITE/$3"
}

# Prints the process ids of all responders of the site.
responders() {
	local pid
	for pid in "${STARTED[@]}"; do
		echo "$pid"
		descendants "$pid"
	done | sort -u | while read -r pid; do
		[ "$(ps -o comm= -p "$pid")" != rowcast.fcgi ] || echo "$pid"
	done
}

# Prints how many descriptors a process has open.
descriptors() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

# ---- clients ----------------------------------------------------------------

# Runs the sqlite3 shell on the log of the site.
sql() {
	(as_site sqlite3 -bail -cmd '.timeout 5000' "$DB" "$@")
}

# Opens a stream in the background.  The head and body of the response grow in
# $BATS_TEST_TMPDIR/NAME.head and NAME.body.
#   usage: stream NAME [QUERY [CURL-OPTION…]]
stream() {
	local name=$1 query=${2:-}
	shift $(($# < 2 ? $# : 2))
	curl -sN -D "$BATS_TEST_TMPDIR/$name.head" \
		-o "$BATS_TEST_TMPDIR/$name.body" "$@" \
		"$URL/events${query:+?$query}" 3>&- &
	STREAM_PID=$!
	STARTED+=("$STREAM_PID")
}

# Opens a stream and waits for the first bytes of its body.
open_stream() {
	stream "$@"
	eventually test -s "$BATS_TEST_TMPDIR/$1.body"
}

# Succeeds if the stream has received this text.
got() {
	grep -qF -- "$2" "$BATS_TEST_TMPDIR/$1.body" 2>/dev/null
}

# Prints the events that a stream has received, one line "id event data" each.
# Lines of data are joined by "|".
events() {
	awk -v RS= -F '\n' '{
		id = ""; event = "message"; data = ""; n = 0
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^id: /) id = substr($i, 5)
			else if ($i ~ /^event: /) event = substr($i, 8)
			else if ($i ~ /^data: /)
				data = data (n++ ? "|" : "") substr($i, 7)
		}
		if (n) print id, event, data
	}' "$BATS_TEST_TMPDIR/$1.body"
}

# Prints the last id that a stream has received, with an event or without.
last_id() {
	sed -n 's/^id: //p' "$BATS_TEST_TMPDIR/$1.body" | tail -n 1
}

# Sends a POST with these curl options to the publisher.  Sets STATUS, ANSWER
# (the body) and HEAD (the file of the head).
post() {
	HEAD=$BATS_TEST_TMPDIR/post.head
	rm -f "$HEAD" "$BATS_TEST_TMPDIR/post.body"
	STATUS=$(curl -s -m "$WAIT" -D "$HEAD" -o "$BATS_TEST_TMPDIR/post.body" \
		-w '%{http_code}' "$@" "$URL/publish") || :
	ANSWER=$(cat "$BATS_TEST_TMPDIR/post.body") || :
}

post_with_token() {
	post -H "Authorization: Bearer $TOKEN" "$@"
}

# Prints the value of a header in a file, without CR.
header() {
	tr -d '\r' <"$1" | sed -n "s/^$2: //Ip" | tail -n 1
}

# Was the request refused with a problem whose detail holds a text?  Looks at
# STATUS, HEAD and ANSWER (files).
#   usage: refused STATUS TEXT
refused() {
	cat "$HEAD" "$ANSWER"
	[ "$STATUS" -eq "$1" ]
	[ "$(header "$HEAD" Content-Type)" = application/problem+json ]
	[ "$(header "$HEAD" Cache-Control)" = no-store ]
	[ "$(header "$HEAD" Content-Length)" -eq "$(wc -c <"$ANSWER")" ]
	local status detail
	status=$(problem status)
	detail=$(problem detail)
	[ "$status" -eq "$1" ]
	[[ $detail == *"$2"* ]]
}

# Prints a member of the problem in ANSWER (a file).
problem() {
	sqlite3 :memory: "SELECT json_extract(
		CAST(readfile('$ANSWER') AS TEXT), '\$.$1')"
}
