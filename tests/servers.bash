# shellcheck shell=bash
# servers.bash: behaviours that each web server must have, for servers.bats.
#
# serve KIND starts a server.  Each other function checks a behaviour and fails
# if the server does not have it.
# shellcheck disable=SC2153 # STATUS of this file, status of bats

# Start a server and its programs.
#   usage: serve KIND [RESPONDER-OPTION…]
# The options are long ones with a value.  lighttpd and the CGI kinds pass them
# to the responder in the environment.
serve() {
	local name
	KIND=$1
	shift
	case $KIND in
	lighttpd | *-cgi)
		while [ $# -gt 0 ]; do
			name=${1#--}
			name=${name^^}
			export "ROWCAST_${name//-/_}=$2"
			shift 2
		done
		;;
	*) start_responder "$@" ;;
	esac
	case $KIND in
	lighttpd) start_lighttpd ;;
	lighttpd-cgi)
		use_cgi lighttpd-example.conf cgi.conf
		start_lighttpd cgi.conf
		;;
	apache)
		start_publisher
		start_apache
		;;
	apache-cgi)
		use_cgi apache-example.conf cgi.conf
		# Apache does not pass its environment to CGI programs.
		for name in "${!ROWCAST_@}"; do
			[ "$name" = ROWCAST_PUBLISH_TOKEN ] ||
				echo "SetEnv $name ${!name}"
		done >>"$SITE/cgi.conf"
		start_apache cgi.conf
		;;
	nginx)
		start_publisher
		start_nginx
		;;
	caddy)
		start_publisher
		start_caddy
		;;
	esac
	# A CGI program creates the log at the first request.
	eventually log_is_there
}

log_is_there() {
	case $KIND in
	*-cgi) curl -sf -m 20 -I -o "$BATS_TEST_TMPDIR/first" "$URL/events" || : ;;
	esac
	sql 'SELECT count(*) FROM events' >/dev/null 2>&1
}

# Print the error log of the server.
errors() {
	cat "$LOGS/${KIND%-cgi}" "$SITE"/build/run/apache-error.log \
		2>/dev/null || :
}

opens() {
	sql "INSERT INTO events(data) VALUES('before')"
	open_stream a
	head=$BATS_TEST_TMPDIR/a.head
	grep -q '^HTTP/1.1 200' "$head"
	[ "$(header "$head" content-type)" = text/event-stream ]
	[ "$(header "$head" cache-control)" = 'no-cache, no-transform' ]
	[ -z "$(header "$head" content-encoding)" ]
	[ -z "$(header "$head" content-length)" ]
	eventually got a 'id: 1'
	grep -q '^retry: [0-9]*$' "$BATS_TEST_TMPDIR/a.body"
	[ -z "$(events a)" ]
}

brings_a_row() {
	local times=() i before
	open_stream a
	for i in 1 2 3 4 5 6 7 8 9; do
		sql "INSERT INTO events(topic, event, data)
			VALUES('t', 'tick', 'row-$i')"
		before=${EPOCHREALTIME/[.,]/}
		until got a "data: row-$i"; do
			((${EPOCHREALTIME/[.,]/} - before < WAIT * 1000000))
		done
		times+=($(((${EPOCHREALTIME/[.,]/} - before) / 1000)))
	done
	[ "$(events a | head -n 1)" = '1 tick row-1' ]
	[ "$(events a | wc -l)" -eq 9 ]
	mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
	echo "# $KIND: from INSERT to curl, after the shell has ended:" \
		"median ${times[4]} ms, longest ${times[8]} ms" >&3
}

publishes() {
	open_stream a
	post_with_token --data-urlencode 'data=hello & goodbye' -d topic=t -d event=e
	[ "$STATUS" = 201 ]
	[ "$(tr -d ' \n' <<<"$ANSWER")" = '{"id":1}' ]
	eventually got a 'data: hello & goodbye'
	[ "$(events a)" = '1 e hello & goodbye' ]
	# A body larger than one read of any program.
	head -c 300000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/large"
	post_with_token -H 'Content-Type: text/plain' \
		--data-binary "@$BATS_TEST_TMPDIR/large"
	[ "$STATUS" = 201 ]
	eventually got a "$(printf 'id: 2')"
	[ "$(sql 'SELECT length(data) FROM events WHERE id = 2')" -eq 300000 ]
}

refuses_strangers() {
	local count
	post -d data=x
	[ "$STATUS" = 401 ]
	[ "$(header "$HEAD" content-type)" = application/problem+json ]
	grep -qi '^www-authenticate: bearer' "$HEAD"
	post -d data=x -H 'Authorization: Bearer wrong'
	[ "$STATUS" = 401 ]
	post -d data=x -H 'Authorization: Bearer '
	[ "$STATUS" = 401 ]
	# A user name that the server has not verified gives no access.
	post -d data=x -u mallory:x
	[ "$STATUS" = 401 ]
	post -d data=x -H 'Remote-User: mallory' -H 'Remote_User: mallory'
	[ "$STATUS" = 401 ]
	# A body larger than all buffers on the way.
	head -c 900000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/large"
	post -H 'Content-Type: text/plain' --data-binary "@$BATS_TEST_TMPDIR/large"
	[ "$STATUS" = 401 ]
	count=$(sql 'SELECT count(*) FROM events')
	[ "$count" -eq 0 ]
}

resumes() {
	local i
	for i in 1 2 3 4 5 6 7; do
		sql "INSERT INTO events(data) VALUES('row-$i')"
	done
	open_stream a '' -H 'Last-Event-ID: 4'
	eventually got a row-7
	open_stream b 'last_event_id=5'
	eventually got b row-7
	sql "INSERT INTO events(data) VALUES('row-8')"
	eventually got a row-8
	eventually got b row-8
	[ "$(events a)" = $'5 message row-5\n6 message row-6\n7 message row-7\n8 message row-8' ]
	[ "$(events b)" = $'6 message row-6\n7 message row-7\n8 message row-8' ]
}

# One process serves all streams: count its descriptors.
notices_leavers() {
	local i before responder
	responder=$(responders)
	[ "$(wc -w <<<"$responder")" -eq 1 ]
	open_stream stays
	before=$(descriptors "$responder")
	local pids=()
	for i in 1 2 3 4 5 6 7 8 9 10; do
		open_stream "s$i"
		pids+=("$STREAM_PID")
	done
	[ "$(descriptors "$responder")" -ge $((before + 10)) ]
	stop "${pids[@]}"
	wait_until "$1" has_descriptors_at_most "$responder" "$before"
}

has_descriptors_at_most() {
	[ "$(descriptors "$1")" -le "$2" ]
}

# One process serves each client: count the processes.
notices_leavers_cgi() {
	local i pids=()
	for i in 1 2 3; do
		open_stream "s$i"
		pids+=("$STREAM_PID")
	done
	[ "$(responders | wc -l)" -eq 3 ]
	stop "${pids[@]}"
	wait_until "$1" no_responders
}

no_responders() {
	[ -z "$(responders)" ]
}

# A client that reconnects with its last id receives every event once, although
# the responder is killed.
survives_kill() {
	local round i=0 id='' pid
	sql "INSERT INTO events(data) VALUES('row-$((i += 1))')"
	id=0
	for round in 1 2 3; do
		open_stream "r$round" '' -H "Last-Event-ID: $id"
		sql "INSERT INTO events(data) VALUES('row-$((i += 1))')"
		eventually got "r$round" "row-$i"
		for pid in $(responders); do kill -KILL "$pid"; done
		# The connection must end at once, not after a timeout
		# (Apache: KeepAliveTimeout, 5 s).
		wait_until 4 gone "$STREAM_PID"
		id=$(last_id "r$round")
		sql "INSERT INTO events(data) VALUES('row-$((i += 1))')"
		sql "INSERT INTO events(data) VALUES('row-$((i += 1))')"
		case $KIND in
		apache | nginx | caddy) start_responder ;;
		lighttpd) eventually is_respawned ;;
		esac
	done
	open_stream end '' -H "Last-Event-ID: $id"
	eventually got end "row-$i"
	for round in r1 r2 r3 end; do events "$round"; done \
		>"$BATS_TEST_TMPDIR/all"
	for ((id = 1; id <= i; id++)); do echo "$id message row-$id"; done |
		diff - "$BATS_TEST_TMPDIR/all"
}

is_respawned() {
	local head=$BATS_TEST_TMPDIR/again
	curl -sf -m 20 -I -o "$head" "$URL/events" &&
		[ "$(header "$head" X-Accel-Buffering)" = no ]
}

# The end of streams at SIGTERM adds no lines to the error log.
ends_in_peace() {
	local i before pids=() pid
	for i in {1..20}; do
		open_stream "s$i"
		pids+=("$STREAM_PID")
	done
	errors >"$BATS_TEST_TMPDIR/before"
	for pid in $(responders); do kill "$pid"; done
	eventually gone "${pids[@]}"
	for pid in "${pids[@]}"; do
		# 0: the response was complete.
		wait "$pid"
	done
	grep -q '^retry: ' "$BATS_TEST_TMPDIR/s7.body"
	[ "$(grep -c '^retry: ' "$BATS_TEST_TMPDIR/s7.body")" -eq 2 ]
	errors | diff "$BATS_TEST_TMPDIR/before" - >"$BATS_TEST_TMPDIR/new" || :
	cat "$BATS_TEST_TMPDIR/new"
	# One or two lines for the process, none for each stream.
	[ "$(grep -c '^>' "$BATS_TEST_TMPDIR/new")" -le 3 ]
}

says_come_back() {
	stop "$RESPONDER_PID"
	tells_to_come_back
	start_responder
	open_stream a
	grep -q '^id: ' "$BATS_TEST_TMPDIR/a.body"
}

# Make the program fail, as lighttpd starts it again.
loses_responders() {
	mv "$SITE/build/rowcast.fcgi" "$SITE/build/rowcast.old"
	cp /bin/false "$SITE/build/rowcast.fcgi"
	responders | xargs kill -KILL
	eventually no_responders
}

# EventSource stops at the first 5xx, so the server must not send one.
#   usage: tells_to_come_back [CURL-OPTION…]
tells_to_come_back() {
	curl -s -m "$WAIT" -D "$BATS_TEST_TMPDIR/head" -o "$BATS_TEST_TMPDIR/body" \
		"$@" "$URL/events"
	grep -q '^HTTP/1.1 200' "$BATS_TEST_TMPDIR/head"
	[ "$(header "$BATS_TEST_TMPDIR/head" content-type)" = text/event-stream ]
	[ "$(cat "$BATS_TEST_TMPDIR/body")" = 'retry: 3000' ]
}

# EventSource of Chromium also stops at an answer that it may not read.
tells_listed_origins() {
	local head=$BATS_TEST_TMPDIR/head origin
	tells_to_come_back -H 'Origin: https://app.example'
	[ "$(header "$head" access-control-allow-origin)" = https://app.example ]
	[ "$(header "$head" access-control-allow-credentials)" = true ]
	[ "$(header "$head" vary)" = Origin ]
	for origin in https://evil.example https://app.example.evil.example \
		http://app.example https://appxexample null; do
		tells_to_come_back -H "Origin: $origin"
		[ -z "$(header "$head" access-control-allow-origin)" ]
	done
	tells_to_come_back
	[ -z "$(header "$head" access-control-allow-origin)" ]
}

# An origin that may listen may not publish.
lets_listen_only() {
	open_stream a '' -H "Origin: $1"
	[ "$(header "$BATS_TEST_TMPDIR/a.head" access-control-allow-origin)" = "$1" ]
	post_with_token -d data=x -H "Origin: $1" -H 'Sec-Fetch-Site: cross-site'
	[ "$STATUS" = 403 ]
	[ -z "$(header "$HEAD" access-control-allow-origin)" ]
	post_with_token -d data=x
	[ "$STATUS" = 201 ]
	[ -z "$(header "$HEAD" access-control-allow-origin)" ]
}

takes_a_password() {
	post -d data=x
	[ "$STATUS" = 401 ]
	post -d data=x -u editor:wrong
	[ "$STATUS" = 401 ]
	post -d data=x -u editor:secret
	[ "$STATUS" = 201 ]
}

publishes_lines() {
	local i
	for i in {1..5000}; do
		echo "{\"topic\":\"t\",\"data\":{\"n\":$i}}"
	done >"$BATS_TEST_TMPDIR/lines"
	curl -s -T - -X POST -H "Authorization: Bearer $TOKEN" \
		-H 'Content-Type: application/x-ndjson' "$URL/publish" \
		<"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/lines.answer"
	cat "$BATS_TEST_TMPDIR/lines.answer"
	[ "$(cat "$BATS_TEST_TMPDIR/lines.answer")" = \
		'{"events":5000,"new":5000,"passed_over":0,"last_id":5000}' ]
	[ "$(sql 'SELECT group_concat(data, char(10)) FROM events')" = \
		"$(sed 's/.*"data":\(.*\)}/\1/' "$BATS_TEST_TMPDIR/lines")" ]
}

# Start a request whose body is written to descriptor 5.  (curl -T . reads the
# answer before the body has ended; -T - does not.)
#   usage: open_body CURL-OPTION…
open_body() {
	mkfifo "$BATS_TEST_TMPDIR/body.fifo"
	: >"$BATS_TEST_TMPDIR/body.answer"
	curl -sN -T . -H "Authorization: Bearer $TOKEN" "$@" \
		-o "$BATS_TEST_TMPDIR/body.answer" "$URL/publish" \
		<"$BATS_TEST_TMPDIR/body.fifo" 3>&- &
	BODY_PID=$!
	STARTED+=("$BODY_PID")
	exec 5>"$BATS_TEST_TMPDIR/body.fifo"
}

# curl -T - sends no Content-Type.
publishes_untyped() {
	printf 'event: e\ndata: a=1&b\n\nid: 9\ndata: two\n\n' |
		curl -s -T - -H "Authorization: Bearer $TOKEN" \
			"$URL/publish?topic=t" >"$BATS_TEST_TMPDIR/untyped.answer"
	cat "$BATS_TEST_TMPDIR/untyped.answer"
	[ "$(cat "$BATS_TEST_TMPDIR/untyped.answer")" = \
		'{"events":2,"new":2,"passed_over":0,"last_id":2}' ]
	[ "$(sql "SELECT group_concat(topic || ' ' || event || ' ' || data, '/')
		FROM events")" = 't e a=1&b/t message two' ]
	# A Content-Type counts, and curl -d sends a form.
	post_with_token -X PUT -H 'Content-Type: text/plain' -d plain
	[ "$STATUS" = 201 ]
	post_with_token -d data=form
	[ "$STATUS" = 201 ]
	[ "$(sql 'SELECT data FROM events WHERE id > 2')" = $'plain\nform' ]
}

publishes_as_it_comes() {
	open_stream a
	open_body -X POST -H 'Content-Type: application/x-ndjson'
	printf '{"data":"one"}\n{"data":' >&5
	eventually got a 'data: one'
	printf '"two"}\n\n{"data":"three"}' >&5
	eventually got a 'data: two'
	exec 5>&-
	wait "$BODY_PID"
	cat "$BATS_TEST_TMPDIR/body.answer"
	[ "$(cat "$BATS_TEST_TMPDIR/body.answer")" = \
		'{"events":3,"new":3,"passed_over":0,"last_id":3}' ]
	eventually got a 'data: three'
}

# Copy topic a to topic b of the same log, through two requests.
copies_a_stream() {
	local round i=0
	for round in 1 2; do
		curl -sN "$URL/events?topic=a&since=earliest" 3>&- |
			curl -sN -T - -H "Authorization: Bearer $TOKEN" \
				"$URL/publish?topic=b&key=a/" >/dev/null 3>&- &
		STARTED+=("$!")
		sql "INSERT INTO events(topic, event, data)
			VALUES('a', 'e', 'x' || char(10) || '$((i += 1))')"
		sql "INSERT INTO events(topic, data) VALUES('a', '$((i += 1))')"
		eventually copied "$i"
		kill "$!"
	done
	sql "SELECT event, replace(data, char(10), '/') FROM events
		WHERE topic = 'b' ORDER BY id" >"$BATS_TEST_TMPDIR/b"
	cat "$BATS_TEST_TMPDIR/b"
	[ "$(cat "$BATS_TEST_TMPDIR/b")" = $'e|x/1\nmessage|2\ne|x/3\nmessage|4' ]
	# each key is that of the event it was copied from
	[ "$(sql "SELECT count(*) FROM events a JOIN events b
		ON b.key = 'a/' || a.id AND b.data = a.data")" -eq 4 ]
}

copied() {
	[ "$(sql "SELECT count(*) FROM events WHERE topic = 'b'")" -ge "$1" ]
}
