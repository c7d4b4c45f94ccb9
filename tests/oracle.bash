# shellcheck shell=bash
# oracle.bash: clients that behave as EventSource does, publishers of three
# kinds at once, and a judge that compares all of it with the log by SQL.
#
#     load oracle
#     @test "…" {
#         serve; oracle_start; publishers_start
#         published 50
#         … a fault …
#         published 100
#         oracle_end
#     }
#
# Publishers try again, with the same key, until they are told that an event is
# stored: by the web server's publisher ("web"), by one run as a CGI program
# ("cgi"), by the sqlite3 shell ("sql").  After the last event comes a mark, for
# which every client waits.

load faults

ORACLE_CLIENTS=${ORACLE_CLIENTS:-60}
ORACLE_IN=() # what runs the clients elsewhere: nsenter …
ORACLE_FILTERS=(
	''
	'topic:news'
	'prefix:orders/'
	'prefix:users/ topic:news'
	'event:tick'
	'topic:orders/1 event:alert event:message'
)
ORACLE_TOPICS=(news orders/1 orders/2 users/ann '' orders)
ORACLE_NAMES=(message tick alert)

# ---- clients ----------------------------------------------------------------

# Open the clients at $URL and wait until each knows where it is.
#   usage: oracle_start [OPTION-OF-CLIENTS…]
oracle_start() {
	local i word query
	O=$T/oracle
	mkdir -p "$O"
	: >"$O/acks.tsv"
	: >"$O/resumed.tsv"
	: >"$O/filters.tsv"
	ORACLE_QUERIES=()
	for i in "${!ORACLE_FILTERS[@]}"; do
		query=
		printf '%s\tall\t\n' "$i" >>"$O/filters.tsv"
		for word in ${ORACLE_FILTERS[i]} ${ORACLE_FILTERS[i]:+mark}; do
			oracle_word "$i" "$word"
		done
		ORACLE_QUERIES+=("${query#&}")
	done
	oracle_return "$@"
}

# All clients leave, and keep their ids for oracle_return.
oracle_leave() {
	kill "$CLIENTS_PID"
	wait_until 20 gone "$CLIENTS_PID" || return 1
	cat "$O/record.tsv" >>"$O/record.before"
}

# usage: oracle_return [OPTION-OF-CLIENTS…]
oracle_return() {
	"${ORACLE_IN[@]}" "$BUILD/tests/oracle/clients" --clients "$ORACLE_CLIENTS" \
		--timeout-s "$(rounds 100 900)" --resume "$O/ids" "$@" \
		"$URL/events" "$O/record.tsv" "${ORACLE_QUERIES[@]}" \
		>"$O/clients.out" 2>"$LOGS/clients" 3>&- &
	CLIENTS_PID=$!
	STARTED+=("$CLIENTS_PID")
	wait_until 60 grep -qs ready "$O/clients.out"
}

# One word of a filter: a line for the judge, a part of the query.
oracle_word() {
	local kind=${2%%:*} value=${2#*:}
	case $kind in
	topic) query+="&topic=$value" ;;
	prefix) query+="&topic=$value*" ;;
	event) query+="&event=$value" ;;
	mark) # must pass every filter
		case ${ORACLE_FILTERS[$1]} in
		*topic:* | *prefix:*) oracle_word "$1" topic:mark ;;
		esac
		case ${ORACLE_FILTERS[$1]} in
		*event:*) oracle_word "$1" event:mark ;;
		esac
		return
		;;
	esac
	printf '%s\t%s\t%s\n' "$1" "$kind" "$value" >>"$O/filters.tsv"
}

# ---- publishers -------------------------------------------------------------

# All three kinds, or those that are named.
publishers_start() {
	local source
	PUBLISHERS=()
	rm -f "$O/stop"
	[ $# -gt 0 ] || set -- web cgi sql
	for source in "$@"; do
		publish_steadily "$source" >>"$LOGS/$source" 2>&1 3>&- &
		PUBLISHERS+=($!)
		STARTED+=($!)
	done
}

publish_steadily() {
	local n=0 key topic name data padding
	padding=$(printf '%5000s' x)
	while [ ! -e "$O/stop" ]; do
		n=$((n + 1))
		key=$1-$n
		topic=${ORACLE_TOPICS[n * 7 % ${#ORACLE_TOPICS[@]}]}
		name=${ORACLE_NAMES[n * 5 % ${#ORACLE_NAMES[@]}]}
		data=$key
		((n % 40)) || data+=$padding
		pause_here "$1"
		until "publish_$1" "$key" "$topic" "$name" "$data"; do
			[ ! -e "$O/give-up" ] || return
			sleep 0.05
			pause_here "$1"
		done
		echo "$key" >>"$O/acks.tsv"
		sleep 0.02
	done
}

# usage: publish_web KEY TOPIC NAME DATA; status 0 once it is stored
publish_web() {
	local status
	status=$(curl -s -m 10 -o "$O/web.answer" -w '%{http_code}' \
		-H "Authorization: Bearer $TOKEN" -d "key=$1" -d "topic=$2" \
		-d "event=$3" -d "data=$4" "$URL/publish")
	stored web "$status"
}

publish_cgi() {
	local body="key=$1&topic=$2&event=$3&data=$4" status
	status=$(printf %s "$body" |
		(as_site env -i REQUEST_METHOD=POST ROWCAST_PUBLISH_OPEN=1 \
			CONTENT_TYPE=application/x-www-form-urlencoded \
			CONTENT_LENGTH=${#body} ROWCAST_DB="$DB" \
			${ROWCAST_BUSY_MS:+ROWCAST_BUSY_MS="$ROWCAST_BUSY_MS"} \
			GATEWAY_INTERFACE=CGI/1.1 build/rowcast-publish.cgi) |
		sed -n '1,/^\r*$/s/^Status: \([0-9]*\).*/\1/p')
	stored cgi "$status"
}

stored() {
	case $2 in
	20[01]) ;;
	*)
		echo "$1: $2" >>"$O/refused-publishes"
		return 1
		;;
	esac
}

publish_sql() {
	sql "INSERT INTO events(key, topic, event, data)
		VALUES('$1', '$2', '$3', '$4')"
}

# Wait until so many events more have been acknowledged, whoever published them.
#   usage: published N [SECONDS]
published() {
	ACKS_WANTED=$(($(wc -l <"$O/acks.tsv") + $1))
	wait_until "${2:-$(rounds 60 600)}" has_acks "$ACKS_WANTED" && return
	echo "$(wc -l <"$O/acks.tsv") acknowledged, $ACKS_WANTED wanted"
	return 1
}

has_acks() {
	[ "$(wc -l <"$O/acks.tsv")" -ge "$1" ]
}

# Have these publishers been refused, with this status and no other?
#   usage: refused_by STATUS SOURCE…
refused_by() {
	local source
	for source in "${@:2}"; do
		[ "$(grep "^$source:" "$O/refused-publishes" 2>/dev/null |
			sort -u)" = "$source: $1" ] || return 1
	done
}

# Has a publisher been refused, ever?
no_refusals() {
	[ ! -e "$O/refused-publishes" ]
}

# Wait until these publishers have come to a halt, then let them go on.
#   usage: publishers_pause SOURCE…
publishers_pause() {
	local source
	rm -f "$O"/paused-* # of the last halt: who has left it may be slow to say so
	for source in "$@"; do touch "$O/pause-$source"; done
	for source in "$@"; do
		wait_until 60 test -e "$O/paused-$source" || return 1
	done
}

publishers_resume() {
	rm -f "$O"/pause-*
}

pause_here() {
	while [ -e "$O/pause-$1" ] && [ ! -e "$O/give-up" ]; do
		touch "$O/paused-$1"
		sleep 0.02
	done
	rm -f "$O/paused-$1"
}

publishers_stop() {
	touch "$O/stop"
	wait_until 60 gone "${PUBLISHERS[@]}"
}

# ---- judgement --------------------------------------------------------------

# From now on keep a copy of each row, for logs whose rows are removed.
oracle_witness() {
	sql "CREATE TABLE oracle_witness AS SELECT * FROM events WHERE 0;
		CREATE TRIGGER oracle_keep AFTER INSERT ON events BEGIN
			INSERT INTO oracle_witness SELECT * FROM events
				WHERE id = NEW.id;
		END"
}

# The log will be replaced: what is in it counts as past.
oracle_past() {
	ACKS_BEFORE=$(wc -l <"$O/acks.tsv")
	make_witness past
}

# The log was replaced, and is now this file: clients may have been told of more
# than oracle_past has seen, but none of that may have been acknowledged.
#   usage: oracle_old FILE
oracle_old() {
	make_witness old "$1"
	sqlite3 "$O/witness.db" 'UPDATE old SET key = NULL;
		INSERT INTO past SELECT * FROM old'
}

# What has been acknowledged since oracle_past, or is just being stored, may
# have gone with the log that was replaced.
oracle_void() {
	local source n
	cp "$O/acks.tsv" "$O/acks.now" # it grows
	tail -n "+$((ACKS_BEFORE + 1))" "$O/acks.now" >>"$O/void.tsv"
	for source in web cgi sql; do
		n=$(sed -n "s/^$source-//p" "$O/acks.now" | tail -n 1)
		echo "$source-$((n + 1))" >>"$O/void.tsv"
	done
}

# usage: make_witness TABLE [FILE]
make_witness() {
	local log=${2:-$DB} from='SELECT *, 1 AS is_kept FROM log.events'
	if [ "$(sqlite3 -cmd '.timeout 5000' "$log" "SELECT count(*)
			FROM sqlite_schema
			WHERE name = 'oracle_witness'")" -eq 1 ]; then
		from='SELECT *, id IN (SELECT id FROM log.events) AS is_kept
			FROM log.oracle_witness'
	fi
	sqlite3 -bail -cmd '.timeout 5000' "$O/witness.db" \
		"ATTACH '$log' AS log;
		CREATE TABLE IF NOT EXISTS $1 AS $from LIMIT 0;
		INSERT INTO $1 $from;
		CREATE INDEX IF NOT EXISTS $1_id ON $1 (id);
		CREATE INDEX IF NOT EXISTS $1_key ON $1 (key);
		CREATE TABLE IF NOT EXISTS past AS SELECT * FROM $1 LIMIT 0"
}

# Have the responders this log open, and none that was in its place before?  Who
# has not noticed yet tells the new one's end in a reset, and not as an event.
serve_this_log() {
	local pid
	for pid in $(responders); do has_open "$pid" || return 1; done
}

# usage: has_open PROCESS
has_open() {
	find "/proc/$1/fd" -lname "$(realpath "$DB")" 2>/dev/null | grep -q .
}

# Publish the last event, wait until all clients have it, compare.  Sets ROWS
# and ACKS, and what the clients counted: CONNECTIONS, EVENTS, GAPS …
oracle_end() {
	local counted
	if [ -n "${PUBLISHERS[*]}" ]; then publishers_stop || return 1; fi
	wait_until 20 serve_this_log || return 1
	wait_until 20 sql "INSERT INTO events(topic, event, data)
		VALUES('mark', 'mark', 'the end')" || return 1
	wait_until "$(rounds 110 910)" gone "$CLIENTS_PID" || return 1
	cat "$LOGS/clients"
	wait "$CLIENTS_PID" || return 1
	make_witness witness || return 1
	if [ -e "$O/record.before" ]; then
		cat "$O/record.tsv" >>"$O/record.before"
		mv "$O/record.before" "$O/record.tsv"
	fi
	oracle_judge || return 1
	counted=$(tail -n 1 "$O/clients.out")
	counted=${counted^^}
	eval "$counted"
	ROWS=$(sqlite3 "$O/witness.db" 'SELECT count(*) FROM witness')
	ACKS=$(wc -l <"$O/acks.tsv")
	echo "# $ROWS rows, $ACKS acknowledged, $counted"
}

# Fails, and says what is wrong.
oracle_judge() {
	touch "$O/void.tsv"
	(cd "$O" && sqlite3 :memory: <"$ROOT/tests/oracle/verify.sql") \
		>"$O/wrong" 2>&1
	cat "$O/wrong"
	[ ! -s "$O/wrong" ]
}

# Ends publishers that may wait for something that does not come; then as
# site_end.
teardown() {
	oracle_teardown
}

oracle_teardown() {
	[ -z "${O:-}" ] || touch "$O/stop" "$O/give-up"
	site_end
}
