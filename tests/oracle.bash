# shellcheck shell=bash
# oracle.bash: clients that behave as EventSource does, three kinds of
# publishers at the same time, and a judge that compares the results with the
# log by SQL.
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
# A publisher repeats an event with the same key until it is acknowledged.  The
# kinds are the web server's publisher ("web"), the publisher run as a CGI
# program ("cgi") and the sqlite3 shell ("sql").  The last event is a mark, for
# which every client waits.

load faults

ORACLE_CLIENTS=${ORACLE_CLIENTS:-60}
ORACLE_IN=() # a command that runs the clients elsewhere: nsenter …
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

# Start the clients at $URL and wait until each has its first id.
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

# End all clients; their ids are kept for oracle_return.
oracle_leave() {
	kill "$CLIENTS_PID"
	eventually gone "$CLIENTS_PID" || return 1
	cat "$O/record.tsv" >>"$O/record.before"
}

# Start the clients again, from their ids.
#   usage: oracle_return [OPTION-OF-CLIENTS…]
oracle_return() {
	"${ORACLE_IN[@]}" "$BUILD/tests/oracle/clients" --clients "$ORACLE_CLIENTS" \
		--timeout-s "$(rounds 600 1800)" --resume "$O/ids" "$@" \
		"$URL/events" "$O/record.tsv" "${ORACLE_QUERIES[@]}" \
		>"$O/clients.out" 2>"$LOGS/clients" 3>&- &
	CLIENTS_PID=$!
	STARTED+=("$CLIENTS_PID")
	eventually grep -qs ready "$O/clients.out"
}

# Translate a word of a filter: add a line for the judge and a query parameter.
oracle_word() {
	local kind=${2%%:*} value=${2#*:}
	case $kind in
	topic) query+="&topic=$value" ;;
	prefix) query+="&topic=$value*" ;;
	event) query+="&event=$value" ;;
	mark) # every filter must let the mark through
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

# Start publishers of all three kinds, or of those that are named.
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

# usage: publish_web KEY TOPIC NAME DATA
# Succeeds if the event is stored.
publish_web() {
	local status
	status=$(curl -s -m 30 -o "$O/web.answer" -w '%{http_code}' \
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

# Wait until N more events have been acknowledged, by any publisher.
#   usage: published N [SECONDS]
published() {
	ACKS_WANTED=$(($(wc -l <"$O/acks.tsv") + $1))
	wait_until "${2:-$(rounds 300 600)}" has_acks "$ACKS_WANTED" && return
	echo "$(wc -l <"$O/acks.tsv") acknowledged, $ACKS_WANTED wanted"
	return 1
}

has_acks() {
	[ "$(wc -l <"$O/acks.tsv")" -ge "$1" ]
}

# Succeeds if each of these publishers was refused, always with this status.
#   usage: refused_by STATUS SOURCE…
refused_by() {
	local source
	for source in "${@:2}"; do
		[ "$(grep "^$source:" "$O/refused-publishes" 2>/dev/null |
			sort -u)" = "$source: $1" ] || return 1
	done
}

# Succeeds if no publisher has been refused.
no_refusals() {
	[ ! -e "$O/refused-publishes" ]
}

# Pause these publishers and wait until each has stopped.
#   usage: publishers_pause SOURCE…
publishers_pause() {
	local source
	rm -f "$O"/paused-* # left over if a publisher was slow to remove its file
	for source in "$@"; do touch "$O/pause-$source"; done
	for source in "$@"; do
		eventually test -e "$O/paused-$source" || return 1
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
	eventually gone "${PUBLISHERS[@]}"
}

# ---- judgement --------------------------------------------------------------

# Keep a copy of each new row, for logs from which rows are removed.
oracle_witness() {
	sql "CREATE TABLE oracle_witness AS SELECT * FROM events WHERE 0;
		CREATE TRIGGER oracle_keep AFTER INSERT ON events BEGIN
			INSERT INTO oracle_witness SELECT * FROM events
				WHERE id = NEW.id;
		END"
}

# Call before the log is replaced: its rows count as past.
oracle_past() {
	ACKS_BEFORE=$(wc -l <"$O/acks.tsv")
	make_witness past
}

# Call after the log was replaced and moved to FILE.  Clients may have received
# rows that oracle_past did not see, but none of these may have been
# acknowledged.
#   usage: oracle_old FILE
oracle_old() {
	make_witness old "$1"
	sqlite3 "$O/witness.db" 'UPDATE old SET key = NULL;
		INSERT INTO past SELECT * FROM old'
}

# Events acknowledged since oracle_past, or stored at this moment, may be lost
# with the log that was replaced.
oracle_void() {
	local source n
	cp "$O/acks.tsv" "$O/acks.now" # publishers append to it
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

# Succeeds if all responders have the present log open, and not one that was
# replaced.  A responder that opens it later sends a reset with its head, and
# does not send the mark as an event.
serve_this_log() {
	local pid
	for pid in $(responders); do has_open "$pid" || return 1; done
}

# usage: has_open PROCESS
has_open() {
	find "/proc/$1/fd" -lname "$(realpath "$DB")" 2>/dev/null | grep -q .
}

# Publish the last event, wait until all clients have it, and compare.  Sets
# ROWS and ACKS, and the counters of the clients: CONNECTIONS, EVENTS, GAPS …
oracle_end() {
	local counted
	if [ -n "${PUBLISHERS[*]}" ]; then publishers_stop || return 1; fi
	eventually serve_this_log || return 1
	eventually sql "INSERT INTO events(topic, event, data)
		VALUES('mark', 'mark', 'the end')" || return 1
	wait_until "$(rounds 610 1810)" gone "$CLIENTS_PID" || return 1
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

# Compare; print the differences and fail if there are any.
oracle_judge() {
	touch "$O/void.tsv"
	(cd "$O" && sqlite3 :memory: <"$ROOT/tests/oracle/verify.sql") \
		>"$O/wrong" 2>&1
	cat "$O/wrong"
	[ ! -s "$O/wrong" ]
}

# End publishers even if they wait, then call site_end.
teardown() {
	oracle_teardown
}

oracle_teardown() {
	[ -z "${O:-}" ] || touch "$O/stop" "$O/give-up"
	site_end
}
