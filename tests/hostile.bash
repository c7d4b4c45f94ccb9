# shellcheck shell=bash
# hostile.bash: what each web server must refuse, for servers_hostile.bats.  See
# servers.bash, which comes first.
# shellcheck disable=SC2153 # STATUS of helpers.bash, status of bats

# The server answers its own names only: another name may belong to a page that
# has it point to this machine (DNS rebinding).
answers_its_names() {
	local name path
	for name in 127.0.0.1 localhost LocalHost; do
		has_name "$name:$PORT" / 200
		has_name "$name:$PORT" /events 200
		has_name "$name:$PORT" /publish 201
	done
	for name in evil.example "evil.example:$PORT" 127.0.0.1.evil.example \
		"evil-localhost:$PORT" ''; do
		for path in / /index.html /events /publish /rowcast-away.asis; do
			has_name "$name" "$path" 4..
		done
	done
	[ "$(sql "SELECT count(*) FROM events WHERE data = 'x'")" -eq 3 ]
}

# Does the server answer a request with this Host (empty: none) with this
# status?
#   usage: has_name HOST PATH STATUS
has_name() {
	local status host=(-H "Host: $1") publish=()
	[ -n "$1" ] || host=(--http1.0 -H Host:)
	[ "$2" != /publish ] ||
		publish=(-d data=x -H "Authorization: Bearer $TOKEN")
	# A stream would not end.
	[ "$2" != /events ] || host+=(-I)
	status=$(curl -s -m "$WAIT" -o /dev/null -w '%{http_code}' \
		"${host[@]}" "${publish[@]}" "$URL$2") || :
	echo "'$1' $2: $status"
	[[ $status =~ ^$3$ ]]
}

frames_no_page() {
	local head=$BATS_TEST_TMPDIR/page.head
	curl -s -m 5 -D "$head" -o /dev/null "$URL/"
	grep -q '^HTTP/1.1 200' "$head"
	[ "$(header "$head" content-security-policy)" = \
		"frame-ancestors 'none'" ]
	[ "$(header "$head" x-frame-options)" = DENY ]
}

# Pages publish from their own origin only, whatever the browser says.
compares_origins() {
	local origin site
	for origin in "$URL" "http://localhost:$PORT"; do
		for site in '' same-origin none; do
			post_from "$origin" "$site" "${origin#*//}" 201
		done
		for site in same-site cross-site from-tomorrow; do
			post_from "$origin" "$site" "${origin#*//}" 403
		done
	done
	for origin in "http://127.0.0.1" "http://localhost:$PORT" null \
		"http://127.0.0.1:$((PORT + 1))" http://evil.example; do
		for site in '' same-origin same-site; do
			post_from "$origin" "$site" "127.0.0.1:$PORT" 403
		done
	done
}

# usage: post_from ORIGIN SEC-FETCH-SITE HOST STATUS
post_from() {
	post_with_token -d data=x -H "Origin: $1" -H "Host: $3" \
		${2:+-H "Sec-Fetch-Site: $2"}
	echo "$1 to $3, Sec-Fetch-Site: $2: $STATUS"
	[ "$STATUS" = "$4" ]
}

# The responder needs no token.
keeps_token() {
	local pid n=0
	open_stream a
	for pid in $(responders); do
		keeps_token_from "$pid"
		n=$((n + 1))
	done
	[ "$n" -eq 1 ]
	post_with_token -d data=x
	[ "$STATUS" = 201 ]
}

# usage: keeps_token_from PID
keeps_token_from() {
	tr '\0' '\n' <"/proc/$1/environ" >"$BATS_TEST_TMPDIR/environ"
	grep '^ROWCAST_' "$BATS_TEST_TMPDIR/environ"
	grep -q '^ROWCAST_DB=.' "$BATS_TEST_TMPDIR/environ"
	run ! grep '^ROWCAST_PUBLISH_TOKEN=.' "$BATS_TEST_TMPDIR/environ"
}

# A stream that begins with a long replay is neither compressed nor held back.
compresses_no_stream() {
	sql "INSERT INTO events(data) SELECT hex(zeroblob(2000))
		UNION ALL SELECT 'early'"
	open_stream a since=earliest -H 'Accept-Encoding: gzip, br, zstd'
	wait_until "$WAIT" got a 'data: early'
	[ -z "$(header "$BATS_TEST_TMPDIR/a.head" content-encoding)" ]
	sql "INSERT INTO events(data) VALUES('later')"
	wait_until "$WAIT" got a 'data: later'
}

# Does the server compress other files?
compresses_pages() {
	curl -s -m 5 -D "$BATS_TEST_TMPDIR/page.head" -o /dev/null \
		-H 'Accept-Encoding: gzip' "$URL/"
	[ "$(header "$BATS_TEST_TMPDIR/page.head" content-encoding)" = gzip ]
}

# Prints the options that the example recommends for the responder.
recommended() {
	grep -o -- 'rowcast.fcgi --keepalive-s [0-9]*' "$SITE/$1-example.conf" |
		cut -d ' ' -f 2-
}

# Open N streams one after the other; leave each as soon as it has begun.  Sets
# LEFT, their number.
opens_and_leaves() {
	local i line fd
	for ((i = 0; i < $1; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$PORT" || return
		printf 'GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' >&"$fd"
		read -r -t 1 line <&"$fd" || line=
		exec {fd}>&-
		[ -n "$line" ] || break # no thread is left
	done
	LEFT=$i
	echo "$LEFT streams"
}
