#!/usr/bin/env bats
# fastcgi.bats: the FastCGI protocol of the responder, with valid and other
# records, without a web server.

load fastcgi

# ---- requests ---------------------------------------------------------------

@test "a GET is answered with a stream, under its request id" {
	serve
	connect a
	send a "$(request 4660)"
	take a
	[ "$TYPE" = STDOUT ]
	[ "$ID" -eq 4660 ]
	[ "$PADDING" -eq 0 ]
	grep -q '^Content-Type: text/event-stream' "$T/content"
	grep -q '^id: 0$' "$T/content"
	sql "INSERT INTO events(data) VALUES('hi')"
	take a
	[ "$ID" -eq 4660 ]
	[ "$(cat "$T/content")" = $'id: 1\ndata: hi' ]
}

@test "a refused request is ended, and its connection closed" {
	serve
	connect a
	send a "$(request 7 0 REQUEST_METHOD=DELETE)"
	take_answer a 7
	answered 405
	closed_without_answer a
}

@test "a HEAD is answered, ended, and its connection closed" {
	serve
	connect a
	send a "$(request 65535 0 REQUEST_METHOD=HEAD)"
	take_answer a 65535
	answered 200
	closed_without_answer a
}

@test "with FCGI_KEEP_CONN a connection takes one request after the other" {
	serve
	connect a
	send a "$(request 1 keep REQUEST_METHOD=HEAD)"
	take_answer a 1
	answered 200
	send a "$(request 2 keep REQUEST_METHOD=PUT)"
	take_answer a 2
	answered 405
	send a "$(request 3 keep)"
	take a
	[ "$ID" -eq 3 ]
	brings a hello
	disconnect a
}

@test "a kept connection is closed after a request without FCGI_KEEP_CONN" {
	serve
	connect a
	send a "$(request 1 keep REQUEST_METHOD=HEAD)"
	take_answer a 1
	send a "$(request 2 0 REQUEST_METHOD=HEAD)"
	take_answer a 2
	closed_without_answer a
}

@test "the request timeout does not close an idle connection" {
	serve --request-timeout-s 1
	connect a
	send a "$(request 1 keep REQUEST_METHOD=HEAD)"
	take_answer a 1
	connect later # closed after a second: so one has passed
	closed later
	send a "$(request 2 keep REQUEST_METHOD=HEAD)"
	take_answer a 2
	answered 200
}

@test "ABORT_REQUEST ends a stream with END_REQUEST" {
	serve
	open a 9
	send a "$(record ABORT 9)"
	take_answer a 9
	[ ! -s "$T/answer" ]
	closed a
}

@test "ABORT_REQUEST directly after the request ends the stream" {
	serve
	connect a
	send a "$(request 9)$(record ABORT 9)"
	take_answer a 9
	closed a
}

@test "a web server that closes its direction ends the stream" {
	serve
	bytes "$(request 5)" >"$T/request"
	timeout "$WAIT" "$WIRE" "127.0.0.1:$PORT" <"$T/request" >"$T/came"
	[ "$(tail -c 24 "$T/came" | od -An -v -tx1 | tr -d ' \n')" = \
		"$(record STDOUT 5)$(record END 5 0000000000000000)" ]
}

@test "a request that arrives byte by byte is served" {
	serve
	connect a
	local all i
	all=$(request 3)
	for ((i = 0; i < ${#all}; i += 2)); do
		send a "${all:i:2}"
	done
	take a
	[ "$ID" -eq 3 ]
	brings a hi
}

@test "PARAMS in many records, padding everywhere, long lengths" {
	serve
	local content all at
	content=$(pair REQUEST_METHOD=GET)800000018000000058$(pair \
		QUERY_STRING=since=earliest)$(pair "LONG=$(printf %0300d 7)")
	all=$(record BEGIN 1 0001000000000000 255)
	for ((at = 0; at < ${#content}; at += 14)); do
		all+=$(record PARAMS 1 "${content:at:14}" $((at % 256)))
	done
	all+=$(record PARAMS 1 '' 8)$(record STDIN 1 '' 255)
	sql "INSERT INTO events(data) VALUES('hi')"
	connect a
	send a "$all"
	take a
	grep -q '^data: hi$' "$T/content"
}

@test "a body of 1 MiB is read and answered with 405" {
	serve
	local i all
	all=$(begin 1)$(record PARAMS 1 "$(pair REQUEST_METHOD=POST)")
	bytes "$all$(record PARAMS 1)" >"$T/request"
	for ((i = 0; i < 32; i++)); do
		bytes 0105000180000000
		head -c 32768 /dev/zero
	done >>"$T/request"
	bytes "$(record STDIN 1)" >>"$T/request"
	connect a
	cat "$T/request" >&"${FDS[a]}"
	take_answer a 1
	answered 405
	closed_without_answer a
}

@test "GET_VALUES and unknown management records are answered" {
	serve
	connect a
	send a "$(record GET_VALUES 0 "$(pair FCGI_MPXS_CONNS=)$(pair \
		FCGI_MAX_REQS=)" 3)"
	take a
	[ "$TYPE" = GET_VALUES_RESULT ]
	[ "$ID" -eq 0 ]
	[ "$(content_hex)" = "$(pair FCGI_MPXS_CONNS=0)" ]
	send a "$(record GET_VALUES 0)$(record 200 0 00)"
	take a
	[ "$TYPE" = GET_VALUES_RESULT ]
	[ ! -s "$T/content" ]
	take a
	[ "$TYPE" = UNKNOWN_TYPE ]
	[ "$(content_hex)" = c800000000000000 ]
	send a "$(request 1)"
	take a
	[ "$TYPE" = STDOUT ]
}

@test "a thousand names in GET_VALUES do no harm" {
	serve
	local name all='' i
	open live
	name=$(pair FCGI_MPXS_CONNS=)
	for ((i = 0; i < 1000; i++)); do all+=$name; done
	connect a
	send a "$(record GET_VALUES 0 "$all")"
	take a
	[ "$TYPE" = GET_VALUES_RESULT ]
	brings live hi
}

# ---- broken requests --------------------------------------------------------

# Send bytes; the connection must be closed without an answer, and an open
# stream must continue.
#   usage: refused WHAT HEX
refused() {
	echo "$1"
	connect bad
	send bad "$2"
	closed_without_answer bad
	disconnect bad
	brings live "$1"
}

@test "broken records close only their connection" {
	serve
	open live
	local get over
	get=$(pair REQUEST_METHOD=GET)
	over=$(record PARAMS 1)$(record STDIN 1)
	refused 'version 0' "00010001$(begin 1 | cut -c 9-)"
	refused 'version 2' "02010001$(begin 1 | cut -c 9-)"
	refused 'HTTP' "$(hex $'GET / HTTP/1.1\r\n\r\n')"
	refused 'version 2 of PARAMS' "$(begin 1)02040001"
	refused 'id 0' "$(request 0)"
	refused 'PARAMS with id 0' "$(begin 1)$(record PARAMS 0 "$get")"
	refused 'PARAMS with another id' "$(begin 1)$(record PARAMS 2 "$get")"
	refused 'STDIN with another id' "$(begin 1)$(record PARAMS 1 \
		"$get")$(record PARAMS 1)$(record STDIN 2)"
	refused 'no role' "$(begin 1 0 0)"
	refused 'role of an authorizer' "$(begin 1 0 2)"
	refused 'role of a filter' "$(begin 1 0 3)"
	refused 'unknown type' "$(begin 1)$(record 77 1 00)"
	refused 'DATA' "$(begin 1)$(record PARAMS 1)$(record DATA 1 00)"
	refused 'PARAMS first' "$(record PARAMS 1 "$get")"
	refused 'BEGIN twice' "$(begin 1)$(begin 1)"
	refused 'STDIN within PARAMS' "$(begin 1)$(record STDIN 1)"
	refused 'BEGIN too short' "$(record BEGIN 1 00010000)"
	refused 'ABORT of nothing' "$(record ABORT 1)"
	refused 'ABORT within' "$(begin 1)$(record ABORT 1)"
	refused 'a value beyond PARAMS' \
		"$(begin 1)$(record PARAMS 1 "${get%??}")$over"
	refused 'a byte beyond the pairs' \
		"$(begin 1)$(record PARAMS 1 "${get}05")$over"
	refused 'a long length cut off' \
		"$(begin 1)$(record PARAMS 1 "${get}80")$over"
	refused 'lengths that overflow' \
		"$(begin 1)$(record PARAMS 1 "ffffffffffffffff41")$over"
	refused 'NUL in a value' \
		"$(begin 1)$(record PARAMS 1 "0101${get:0:2}00")$over"
}

@test "PARAMS over the bound close the connection, however they arrive" {
	serve --request-timeout-s 600
	open live
	connect a
	send a "$(begin 1)010400018000000001" # half of it is there
	send a "$(printf '%065534d' 0)"
	send a 01040001ffff0000
	closed_without_answer a
	connect b
	{
		bytes "$(begin 1)"
		printf '\1\4\0\1\0\2\0\0\0\0%.0s' {1..7000}
	} >"$T/request"
	cat "$T/request" >&"${FDS[b]}" || : # it may be closed already
	closed_without_answer b
	brings live hi
}

@test "a peer that ends within a request leaves nothing behind" {
	serve --request-timeout-s 600
	open live
	local before all n
	before=$(descriptors "$RESPONDER_PID")
	all=$(request 1)
	# within BEGIN, its body, PARAMS, after them, within the end
	for n in 2 16 30 50 90 $((${#all} - 16)) $((${#all} - 2)); do
		connect "c$n"
		send "c$n" "${all:0:n}"
	done
	brings live meanwhile
	eventually has_descriptors $((before + 7))
	for n in "${!FDS[@]}"; do
		[ "$n" = live ] || disconnect "$n"
	done
	eventually has_descriptors "$before"
	brings live afterwards
}

@test "a request that stalls is closed after --request-timeout-s" {
	serve --request-timeout-s 1
	open live
	local began=${EPOCHREALTIME/[.,]/} all
	all=$(request 1)
	connect silent
	connect stalled
	send stalled "${all:0:40}"
	connect kept
	send kept "$(request 1 keep REQUEST_METHOD=HEAD)"
	take_answer kept 1
	send kept "${all:0:40}"
	brings live meanwhile
	closed_without_answer silent 5
	closed_without_answer stalled 5
	closed_without_answer kept 5
	((${EPOCHREALTIME/[.,]/} - began > 900000))
	brings live afterwards
}

@test "a request that trickles in is closed after --request-timeout-s" {
	serve --request-timeout-s 1
	local all i
	all=$(request 1)
	connect a
	(
		for ((i = 0; i < ${#all} - 2; i += 2)); do
			bytes "${all:i:2}"
			sleep 0.5 # not for a condition: slower than the limit
		done
	) >&"${FDS[a]}" 2>/dev/null 3>&- &
	STARTED+=("$!")
	closed_without_answer a
}

@test "a stream begins after rows that nothing has announced" {
	local folder=$SITE/build/elsewhere
	serve --no-sandbox --poll-ms 60000 --request-timeout-s 1
	(as_site sqlite3 "$DB" ".backup 'build/elsewhere.db'")
	(as_site mkdir build/elsewhere)
	mv "$SITE/build/elsewhere.db" "$folder/events.db"
	rm "$DB"*
	ln -s "$folder/events.db" "$DB"
	open a
	# file events are those of the folder in which the log was; of the last
	# one, nothing is left after a second
	connect late
	closed late
	sql "INSERT INTO events(data) VALUES('before')"
	open b
	grep -q '^id: 1$' "$T/content"
}

# Records of 34 to 62 KB: one event each, and some fill up the socket in part.
@test "a record that goes out in part is completed, and sent only once" {
	local i topic
	serve
	for topic in {1..8}; do
		connect "$topic"
		send "$topic" "$(request 1 0 REQUEST_METHOD=GET \
			"QUERY_STRING=topic=$topic")"
		take "$topic"
	done
	for i in {1..40}; do
		sql "INSERT INTO events(topic, data) SELECT value,
			printf('%.*c', 30000 + 4000 * value, 'x')
			FROM json_each('[1,2,3,4,5,6,7,8]')"
	done
	for topic in {1..8}; do
		: >"$T/all"
		# on a busy machine, an event may come in two records
		until [ "$(grep -c '^$' "$T/all")" -eq 40 ]; do
			take "$topic"
			cat "$T/content" >>"$T/all"
		done
		[ "$(sed -n 's/^id: //p' "$T/all")" = "$(seq "$topic" 8 320)" ]
	done
}

@test "50 stalled connections do not delay others" {
	serve --request-timeout-s 600
	local i before all
	all=$(request 1)
	open live
	before=$(descriptors "$RESPONDER_PID")
	for ((i = 0; i < 50; i++)); do
		connect "s$i"
		send "s$i" "${all:0:2 * i}"
	done
	brings live hi
	open another
	brings another ho
	eventually has_descriptors $((before + 51))
	for ((i = 0; i < 50; i++)); do
		disconnect "s$i"
	done
	disconnect another
	eventually has_descriptors "$before"
}

@test "clients that connect and disconnect leave no descriptor behind" {
	serve
	local before i
	# the first stream may open files that stay open
	open first
	brings first hi
	disconnect first
	eventually no_streams
	before=$(descriptors "$RESPONDER_PID")
	for ((i = 0; i < 20; i++)); do
		open "a$i"
		connect "b$i"
		send "b$i" "$(request 1 0 REQUEST_METHOD=POST)"
		take_answer "b$i" 1
		connect "c$i"
		send "c$i" "$(request 2 keep REQUEST_METHOD=HEAD)"
		take_answer "c$i" 2
	done
	for i in "${!FDS[@]}"; do
		disconnect "$i"
	done
	eventually has_descriptors "$before"
}

# Fill a pipe to the last byte; drain it.
#   usage: fill_pipe FILE
fill_pipe() {
	! LC_ALL=C dd if=/dev/zero of="$1" bs=1k count=100000 \
		oflag=nonblock 2>"$T/dd"
	grep -q 'temporarily unavailable' "$T/dd"
}

empty_pipe() {
	LC_ALL=C dd if="$1" bs=1k iflag=nonblock 2>/dev/null | tr -d '\0' || :
}

@test "diagnostics in a full pipe do not delay the responder" {
	local pipe=$T/pipe i
	mkfifo -m 666 "$pipe"
	PORT=$(free_port)
	# shellcheck disable=SC2016 # for the shell that is started
	start responder "$BASH" -c 'exec 2<>"$1"; shift; exec "$@"' _ "$pipe" \
		build/rowcast.fcgi --db "$DB" --socket "127.0.0.1:$PORT"
	RESPONDER_PID=$PID
	up "$PID" responder listens
	fill_pipe "$pipe"
	kill -USR2 "$RESPONDER_PID"
	open a
	brings a hi
	empty_pipe "$pipe" >"$T/lost"
	[ ! -s "$T/lost" ]
	kill -USR2 "$RESPONDER_PID"
	open b
	empty_pipe "$pipe" >"$T/told"
	[ "$(grep -c 'report: ' "$T/told")" -eq 1 ]
}

# SIGUSR2 makes the responder write its counters.
no_streams() {
	kill -USR2 "$RESPONDER_PID"
	tail -n 1 "$LOGS/responder" | grep -q 'streams=0 .* connections=0 '
}
