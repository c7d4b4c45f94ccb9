# shellcheck shell=bash
# helpers.bash: real web servers and our programs, for all bats suites.
#
#     load helpers
#     @test "…" { start_lighttpd; stream a; sql "INSERT …"; wait_until 5 got a hi; }
#
# Each test has a site: a copy of what a checkout is when it has been built, the
# example configurations first, under $BATS_TEST_TMPDIR/site.  What is tested is
# the examples as they are: only port numbers are put in.  Run as root, all of
# it belongs to www-data and runs as www-data.
#
#   BUILD        folder of the programs under test (environment; default build)
#   SITE         the site; $SITE/build/run holds sockets and the log of events
#   DB           $SITE/build/run/events.db
#   LOGS         what each program printed: $LOGS/lighttpd, $LOGS/responder …
#   TOKEN        what the publisher wants to see
#   URL          of the server started last: http://127.0.0.1:PORT
#   SERVER_PID   of the server started last
#   SERVER_KIND  which one that is: lighttpd, apache, nginx, caddy
#   RESPONDER_PID, STREAM_PID  likewise
#
# Only what was started here is ever killed, by process id.

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$TESTS")
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
TOKEN=test-token
WAIT=${WAIT:-20} # seconds until a test fails; for busy machines, sanitizers
STARTED=()
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

bats_require_minimum_version 1.5.0

# What a suite does before and after each test, unless it defines its own.
setup() {
	site_new
}

teardown() {
	site_end
}

# ---- the site ---------------------------------------------------------------

# A new site.  Fails where a program of ours is missing: that is no reason to
# skip anything.
site_new() {
	local program
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
		# bats makes its folder for root alone; sanitizers report into
		# a folder of the build.
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
	[ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${SITE:-}" ] || return 0
	for log in "${LOGS:?}"/* "${SITE:?}"/build/run/*.log; do
		[ -s "$log" ] || continue
		echo "== ${log##*/}"
		tail -n 15 "$log"
	done
}

# Run a command as the site's user, in the site.  Does not fork: the process id
# is the command's.
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

# Start a program in the background, in the site, as its user; its output goes to
# $LOGS/NAME.  Sets PID.
#   usage: start NAME COMMAND…
start() {
	local log=$LOGS/$1
	shift
	(as_site "$@") </dev/null >>"$log" 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# End processes that were started here, and their children: at the same time, as
# web servers wait for streams; by force if they take longer than 5 s.
#   usage: stop PID…
stop() {
	local pid tree=()
	for pid in "$@"; do
		# shellcheck disable=SC2207 # numbers
		tree+=("$pid" $(descendants "$pid"))
	done
	for pid in "${tree[@]}"; do kill "$pid" 2>/dev/null || :; done
	wait_until 5 gone "${tree[@]}" ||
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

# Are these processes gone?  (One that nobody has waited for is gone, too.)
gone() {
	local pids=$*
	[ -z "$pids" ] || ! ps -o stat= -p "${pids// /,}" | grep -qv '^Z'
}

is_running() {
	! gone "$1"
}

# ---- waiting ----------------------------------------------------------------

# Wait until a command succeeds, at most so many seconds.  All waiting is done
# with this: no test sleeps and hopes.
#   usage: wait_until SECONDS COMMAND…
wait_until() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[.,]/} < end)) || return 1
		sleep 0.02
	done
}

# Does this process sleep, or has it ended?
sleeps() {
	! ps -o stat= -p "$1" | grep -q '^[RD]'
}

# Make a pipe, of which descriptor 4 reads and 6 writes.  Calls on one of the two
# do not block, as if another program that shares it had wanted so.
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

# The same with the time that a test waits for anything.
eventually() {
	wait_until "$WAIT" "$@"
}

# A port on 127.0.0.1 that nobody listens on, below those that the system gives
# to clients.
free_port() {
	local port
	while :; do
		port=$((10000 + RANDOM % 22000))
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# Skip the test if a program of others is missing.
needs() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# ---- programs ---------------------------------------------------------------

# The responder by itself, on $SITE/build/run/rowcast.sock unless told otherwise.
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

# Does somebody listen on this socket?  curl, as bash knows no such sockets: it
# says 7 when it cannot connect, and something else when the answer is no HTTP.
connects() {
	local rc=0
	curl -s -m 0.1 --unix-socket "$1" http://x/ >/dev/null || rc=$?
	[ "$rc" -ne 7 ]
}

# The publisher for servers that know no CGI.
#   usage: start_publisher [OPTION…]
start_publisher() {
	start publisher build/rowcast-publish.cgi --db "$DB" \
		--socket build/run/publish.sock "$@"
	PUBLISHER_PID=$PID
	up "$PID" publisher connects "$SITE/build/run/publish.sock"
}

# Wait until a program is up; if it ends instead, say what it said.
#   usage: up PID NAME COMMAND…
up() {
	local pid=$1 name=$2
	shift 2
	wait_until 20 up_or_dead "$pid" "$@"
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
	curl -sf -m 2 -o "$BATS_TEST_TMPDIR/answers" "$URL/"
}

# The web servers, by their example files.  lighttpd starts the responder by
# itself, with ROWCAST_… from the environment; for the others it must run.
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

# The variants that the example files carry as comments, as NEW.conf.
#   usage: use_cgi FILE NEW      both programs as plain CGI
#          use_basic FILE NEW    the publisher with Basic authentication
#          use_cors FILE NEW     away or not, pages of https://app.example listen
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

# Take in the lines that begin with "#MARK ".
#   usage: uncomment MARK FILE NEW
uncomment() {
	sed -e "s/^\([[:blank:]]*\)#$1 /\1/" "$SITE/$2" >"$SITE/$3"
	cmp -s "$SITE/$2" "$SITE/$3" && return 1
	chmod a+r "$SITE/$3"
}

# Process ids of all responders that serve the site.
responders() {
	local pid
	for pid in "${STARTED[@]}"; do
		echo "$pid"
		descendants "$pid"
	done | sort -u | while read -r pid; do
		[ "$(ps -o comm= -p "$pid")" != rowcast.fcgi ] || echo "$pid"
	done
}

# How many descriptors a process has open.
descriptors() {
	find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l
}

# ---- clients ----------------------------------------------------------------

# The sqlite3 shell on the log of the site.
sql() {
	(as_site sqlite3 -bail -cmd '.timeout 5000' "$DB" "$@")
}

# Open a stream in the background.  Head and body of the answer grow in
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

# Open a stream and wait until its first bytes have come.
open_stream() {
	stream "$@"
	wait_until 20 test -s "$BATS_TEST_TMPDIR/$1.body"
}

# Has the stream brought this text?
got() {
	grep -qF -- "$2" "$BATS_TEST_TMPDIR/$1.body" 2>/dev/null
}

# What a stream has brought: one line "id event data" for each event (data of
# several lines: joined by "|").
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

# The last id that a stream has brought, with an event or without.
last_id() {
	sed -n 's/^id: //p' "$BATS_TEST_TMPDIR/$1.body" | tail -n 1
}

# Publish: POST with the given curl options.  Sets STATUS, ANSWER (the body) and
# HEAD (the file of the head).
post() {
	HEAD=$BATS_TEST_TMPDIR/post.head
	rm -f "$HEAD" "$BATS_TEST_TMPDIR/post.body"
	STATUS=$(curl -s -m 10 -D "$HEAD" -o "$BATS_TEST_TMPDIR/post.body" \
		-w '%{http_code}' "$@" "$URL/publish") || :
	ANSWER=$(cat "$BATS_TEST_TMPDIR/post.body") || :
}

post_with_token() {
	post -H "Authorization: Bearer $TOKEN" "$@"
}

# The value of a header in a file of heads, without CR.
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
