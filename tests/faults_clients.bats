#!/usr/bin/env bats
# Clients that read slowly or not at all, that disconnect, that reconnect all
# the time, and that exceed the limits.

load under_load
load hostile

SECTION='Clients and limits'

# Insert rows that fill all buffers between the responder and a client.
large_rows() {
	sql "INSERT INTO events(topic, data)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT $1)
		SELECT 'news', i || hex(zeroblob(50000)) FROM n"
}

stopped_clients() {
	local n
	n=$(rounds 40 400)
	fault "stopped clients ($1)" \
		"no other client waits for them; when they run again, $EVERYTHING"
	ORACLE_CLIENTS=12
	under_load "$1"
	open_stream other
	kill -STOP "$CLIENTS_PID"
	large_rows "$n"
	published 20
	sql "INSERT INTO events(data) VALUES('all others have this')"
	eventually got other 'all others have this'
	kill -CONT "$CLIENTS_PID"
	oracle_end
	saw "$((n / 10)) MB for each while they were stopped; $(sum)"
}

@test "lighttpd: stopped clients" {
	stopped_clients lighttpd
}

@test "apache: stopped clients" {
	stopped_clients apache
}

@test "nginx: stopped clients" {
	stopped_clients nginx
}

# Some clients read 256 bytes at a time, others read nothing for seconds.
slow_clients() {
	fault "trickling and stalled clients ($1)" \
		"no other client waits for them; $EVERYTHING"
	under_load "$1" --trickle 10:2 --stall 10:2000
	open_stream other
	large_rows 2
	published "$(rounds 20 500)"
	sql "INSERT INTO events(data) VALUES('all others have this')"
	eventually got other 'all others have this'
	oracle_end
	saw "10 clients that read 256 bytes at a time, 10 that read nothing for 2 s; $(sum)"
}

@test "lighttpd: trickling and stalled clients" {
	slow_clients lighttpd
}

@test "apache: trickling and stalled clients" {
	slow_clients apache
}

@test "nginx: trickling and stalled clients" {
	slow_clients nginx
}

# As many clients leave as connect; each stays for this long on average.
storm() {
	local seconds per_s end
	seconds=$(rounds 5 60)
	fault "100 reconnections a second ($1)" \
		"$EVERYTHING; no descriptor leaks"
	export ROWCAST_KEEPALIVE_S=1 # some see only at a write who has left
	under_load "$1" --churn 60:500
	end=$((SECONDS + seconds))
	while ((SECONDS < end)); do published 10; done
	oracle_end
	per_s=$((CONNECTIONS / seconds))
	eventually has_streams 0
	saw "$CONNECTIONS connections, about $per_s a second; $(sum);" \
		"no stream and no descriptor left"
}

# Succeeds if the responder has this many streams and no more descriptors.
has_streams() {
	[ "$(find "/proc/$(programs rowcast.fcgi)/fd" -lname 'socket:*' | wc -l)" \
		-le "$((4 + $1))" ]
}

@test "lighttpd: 100 reconnections a second" {
	storm lighttpd
}

@test "apache: 100 reconnections a second" {
	storm apache
}

@test "nginx: 100 reconnections a second" {
	storm nginx
}

@test "stopped clients, for longer than --stall-s" {
	fault 'clients that read nothing for longer than --stall-s' \
		"the responder closes them; when they run again, $EVERYTHING"
	ORACLE_CLIENTS=6 ORACLE_FILTERS=('')
	export ROWCAST_STALL_S=1
	under_load lighttpd
	kill -STOP "$CLIENTS_PID"
	large_rows 120
	eventually has_streams 0
	published 20
	kill -CONT "$CLIENTS_PID"
	oracle_end
	[ "$CONNECTIONS" -ge 12 ]
	saw "$(sum)"
}

# Clients send FIN but read on.  Some web servers treat that as a disconnect.
half_closed() {
	local i
	fault "clients that close their sending side ($1)" \
		'they are served, or treated as closed; no other client is delayed, no descriptor leaks'
	export ROWCAST_KEEPALIVE_S=1
	under_load "$1" --churn 4:300
	pids=()
	for i in {1..20}; do
		printf 'GET /events?topic=half HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' |
			"$BUILD/tests/tools/wire" "127.0.0.1:$PORT" >"$T/half$i.body" 3>&- &
		pids+=("$!")
		STARTED+=("$!")
	done
	published 20
	sql "INSERT INTO events(topic, data) VALUES('half', 'for half')"
	published 20
	served=$(grep -l 'for half' "$T"/half*.body | wc -l)
	stop "${pids[@]}"
	oracle_end
	eventually has_streams 0
	saw "$served of 20 continued to be served; $(sum)"
}

@test "lighttpd: half-closed clients" {
	half_closed lighttpd
}

@test "apache: half-closed clients" {
	half_closed apache
}

@test "nginx: half-closed clients" {
	half_closed nginx
}

@test "topics chosen to cost much" {
	local n=0 i line
	fault 'clients whose topics collide in hash tables, and whose prefixes have many lengths' \
		"they are served as others are; $EVERYTHING"
	under_load lighttpd
	while read -r line; do
		open_stream "hostile$((n++))" "$line&topic=hostile"
	done < <(
		# a query of at most 8 KB
		for i in collide lengths; do
			"$BUILD/tests/tools/queries" "$i" | head -n "$(rounds 20 200)" |
				sed 's/&/\n/40; P; d'
		done
	)
	published 20
	sql "INSERT INTO events(topic, data) VALUES('hostile', 'for all of them')"
	for ((i = 0; i < n; i++)); do
		eventually got "hostile$i" 'for all of them'
	done
	published 20
	oracle_end
	saw "$n such clients; $(sum)"
}

@test "apache: streams that are opened and left, one after the other" {
	fault 'one client opens and leaves more streams than there are threads (apache)' \
		"the site answers again after two keepalives; $EVERYTHING"
	sed -i -e 's/^MaxRequestWorkers .*/MaxRequestWorkers 64/' \
		-e 's/^ServerLimit .*/ServerLimit 1/' \
		-e 's/^StartServers .*/StartServers 1/' "$SITE/apache-example.conf"
	ORACLE_CLIENTS=12
	export ROWCAST_KEEPALIVE_S=2 # as the example says
	under_load apache
	opens_and_leaves 64
	eventually answers
	published 20
	oracle_end
	saw "$LEFT opened and left, with 64 threads; $(sum)"
}

# They stay connected after the refusal.
@test "nginx: publishers without a right whose bodies never end" {
	local i fd line n
	n=$(rounds 100 600)
	fault 'publishers without a right, whose bodies never end (nginx)' \
		"each is refused at once and leaves its place to others; $EVERYTHING"
	export ROWCAST_MAX_CONNECTIONS=64
	under_load nginx
	for ((i = 0; i < n; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
		printf '%s\r\n' 'POST /publish HTTP/1.1' 'Host: 127.0.0.1' \
			'Content-Type: text/plain' 'Content-Length: 9' '' a >&"$fd"
		read -r -t "$WAIT" line <&"$fd"
		[[ $line == 'HTTP/1.1 401 '* ]]
	done
	published 20
	oracle_end
	saw "$n of $n refused, with 64 places; $(sum)"
}

@test "many clients replay the log, others read two events of 5 MB" {
	local n i
	n=$(rounds 20 200)
	fault 'clients that replay the log, and clients that read two events of 5 MB' \
		"they receive all; $EVERYTHING"
	under_load lighttpd
	sql "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
			WHERE i < 1000) INSERT INTO events(topic, data)
			SELECT 'old', printf('%0200d', i) FROM n;
		INSERT INTO events(topic, data) VALUES
			('big1', printf('%.*c', 5000000, 'x')),
			('big2', printf('%.*c', 5000000, 'y')), ('old', 'last'),
			('big1', 'last'), ('big2', 'last')"
	for ((i = 0; i < n; i++)); do
		open_stream "old$i" 'topic=old&since=earliest'
	done
	for i in 1 2; do
		open_stream "big$i" "topic=big$i&since=earliest"
	done
	published 20
	for ((i = 0; i < n; i++)); do
		eventually got "old$i" 'data: last'
		[ "$(grep -c '^data: ' "$T/old$i.body")" -eq 1001 ]
	done
	for i in 1 2; do
		eventually got "big$i" 'data: last'
		[ "$(wc -c <"$T/big$i.body")" -gt 5000000 ]
	done
	published 20
	oracle_end
	saw "$n and 2 such clients; $(sum)"
}

# Run a whole test in a new network namespace, whose loopback can be shut down.
own_network() {
	[ "$(id -u)" -eq 0 ] || skip 'only root can have a network of its own'
	needs ip unshare nsenter
	unshare --net sleep 900 3>&- &
	STARTED+=("$!")
	NETWORK=(nsenter --net="/proc/$!/ns/net")
	eventually in_other_network "$!" ||
		skip 'networks of its own are not to be had here'
	"${NETWORK[@]}" ip link set lo up
	ORACLE_IN=("${NETWORK[@]}")
	curl() { "${NETWORK[@]}" curl "$@"; }
	as_site() {
		cd "$SITE" || return 1
		export HOME=$SITE
		exec "${NETWORK[@]}" setpriv --reuid="$USER_IS" \
			--regid="$USER_IS" --clear-groups -- "$@"
	}
}

in_other_network() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

@test "clients whose network fails" {
	fault 'half-open connections: the network of all clients fails and recovers' \
		"streams end by --max-age-s although no client closes them; publishers continue; then $EVERYTHING"
	own_network
	export ROWCAST_MAX_AGE_S=2 ROWCAST_KEEPALIVE_S=1
	under_load lighttpd
	"${NETWORK[@]}" ip link set lo down
	eventually has_streams 0
	published 20
	"${NETWORK[@]}" ip link set lo up
	oracle_end
	saw "$(sum)"
}

descriptors_exhausted() {
	local responder
	fault "the responder has no descriptors left ($1)" \
		'open streams continue; new clients wait or reconnect, and are served when there is room'
	under_load "$1"
	responder=$(programs rowcast.fcgi)
	# From now on none is free; open ones stay open.
	limit_descriptors "$responder" "$(last_descriptor "$responder")"
	for i in 1 2 3 4 5; do stream "late$i"; done
	published 30
	limit_descriptors "$responder" 4096
	sql "INSERT INTO events(data) VALUES('room')"
	is_running "$responder"
	open_stream after since=earliest
	eventually got after 'data: room'
	oracle_end
	saw "$(sum)"
}

# Set the soft limit, so that it can be raised again.
limit_descriptors() {
	(as_site prlimit --pid "$1" --nofile="$2:")
}

# Print the limit that leaves no descriptor free.
last_descriptor() {
	local free=0
	while [ -e "/proc/$1/fd/$free" ]; do free=$((free + 1)); done
	echo "$free"
}

@test "lighttpd: no descriptors left for the responder" {
	descriptors_exhausted lighttpd
}

@test "apache: no descriptors left for the responder" {
	descriptors_exhausted apache
}

@test "nginx: no descriptors left for the responder" {
	descriptors_exhausted nginx
}

@test "more streams than --max-streams" {
	local i responder
	fault 'more clients than --max-streams' \
		'open streams continue; further clients receive 200 and retry: (503 if they do not ask for an event stream), and are served when there is room'
	export ROWCAST_MAX_STREAMS=$((ORACLE_CLIENTS + 1))
	under_load lighttpd
	open_stream last
	for i in 1 2 3 4 5; do
		curl -s -o /dev/null -D "$T/full" -m "$WAIT" "$URL/events"
		grep -q '^HTTP/1.1 503' "$T/full"
		grep -qi '^retry-after: 5' "$T/full"
		curl -s -o "$T/retry" -D "$T/full" -m "$WAIT" \
			-H 'Accept: text/event-stream' "$URL/events"
		grep -q '^HTTP/1.1 200' "$T/full"
		grep -q '^retry: [0-9]' "$T/retry"
	done
	stop "$STREAM_PID"
	eventually answers_head
	open_stream next
	published 20
	oracle_end
	saw "5 of 5 received 503, 5 of 5 received retry:; $(sum)"
}
