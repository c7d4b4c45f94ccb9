#!/usr/bin/env bats
# Programs and web servers that are killed, stopped or replaced, with three
# kinds of publishers and clients that reconnect as EventSource does.

load under_load

SECTION='Processes'

# ---- faults -----------------------------------------------------------------

kill_responder() {
	local round n pid
	n=$(rounds 3 30)
	fault "kill -9 of the responder ($1)" "$EVERYTHING"
	under_load "$1" --churn 6:300
	for ((round = 0; round < n; round++)); do
		eventually has_programs rowcast.fcgi
		for pid in $(programs rowcast.fcgi); do
			kill -KILL "$pid"
			# until then its socket still accepts
			eventually gone "$pid"
		done
		again responder
		published 15
	done
	oracle_end
	saw "$n times; $(sum)"
}

@test "lighttpd: kill -9 of the responder" {
	kill_responder lighttpd
}

@test "apache: kill -9 of the responder" {
	kill_responder apache
}

@test "nginx: kill -9 of the responder" {
	kill_responder nginx
}

kill_publisher() {
	local round n pid killed=0
	n=$(rounds 5 50)
	fault "kill -9 of the publisher ($1)" \
		'an unacknowledged event is stored whole or not at all, and with a key never twice'
	under_load "$1"
	for ((round = 0; round < n; round++)); do
		published 8
		# One that runs as CGI may have ended meanwhile.
		eventually has_programs rowcast-publish.cgi
		for pid in $(programs rowcast-publish.cgi); do
			if kill -KILL "$pid"; then killed=$((killed + 1)); fi
			# until then its socket still accepts
			eventually gone "$pid"
		done
		again publisher
	done
	published 20
	oracle_end
	[ "$killed" -gt 0 ]
	saw "$killed processes; $(sum)"
}

@test "lighttpd: kill -9 of the publisher" {
	kill_publisher lighttpd
}

@test "apache: kill -9 of the publisher" {
	kill_publisher apache
}

@test "nginx: kill -9 of the publisher" {
	kill_publisher nginx
}

@test "kill -9 of a program within its transaction" {
	local before
	fault 'kill -9 of a sqlite3 shell in a transaction' \
		'nothing of the transaction is stored or sent'
	under_load lighttpd
	open_shell
	tell "BEGIN IMMEDIATE"
	tell "INSERT INTO events(topic, data) VALUES('news', 'half'), ('news', 'written')"
	# shellcheck disable=SC2046 # numbers
	kill -KILL "$SHELL_PID" $(descendants "$SHELL_PID")
	exec {SHELL_FD}>&-
	published 30
	oracle_end
	[ "$(sql "SELECT count(*) FROM events WHERE data IN ('half', 'written')")" -eq 0 ]
	saw "$(sum)"
}

kill_server() {
	local round n pids
	n=$(rounds 2 20)
	fault "kill -9 of the web server ($1)" "$EVERYTHING"
	under_load "$1"
	for ((round = 0; round < n; round++)); do
		# Kill all its processes, as others would keep the port.
		# Stop it before, as it could start another one.
		kill -STOP "$SERVER_PID"
		mapfile -t pids < <(server_children)
		# end the processes that it leaves behind
		mapfile -t -O "${#STARTED[@]}" STARTED < <(programs rowcast.fcgi
			programs rowcast-publish.cgi)
		kill -KILL "$SERVER_PID" "${pids[@]}"
		eventually gone "$SERVER_PID" "${pids[@]}"
		"start_$KIND"
		published 15
	done
	oracle_end
	saw "$n times; $(sum)"
}

# Print the processes of the web server itself.
server_children() {
	local pid
	for pid in $(descendants "$SERVER_PID"); do
		case $(ps -o comm= -p "$pid") in
		rowcast*) ;;
		*) echo "$pid" ;;
		esac
	done
}

@test "lighttpd: kill -9 of the web server" {
	kill_server lighttpd
	# Its programs run on or have ended; their number does not grow.
	[ "$(programs rowcast.fcgi | wc -l)" -le 1 ]
}

@test "apache: kill -9 of the web server" {
	kill_server apache
}

@test "nginx: kill -9 of the web server" {
	kill_server nginx
}

replace_binary() {
	local pid inode
	fault "SIGTERM and a new program ($1)" \
		"$EVERYTHING; streams end properly, and clients reconnect spread over --shutdown-retry-s"
	under_load "$1"
	cp "$BUILD/rowcast.fcgi" "$SITE/build/new"
	inode=$(stat -c %i "$SITE/build/new")
	eventually has_programs rowcast.fcgi
	pid=$(programs rowcast.fcgi)
	mv "$SITE/build/new" "$SITE/build/rowcast.fcgi"
	kill "$pid"
	# Wait until the old one has closed its socket.
	eventually gone "$pid"
	again responder
	published 40
	eventually has_programs rowcast.fcgi
	[ "$(stat -L -c %i "/proc/$(programs rowcast.fcgi)/exe")" = "$inode" ]
	oracle_end
	saw "$(sum)"
}

@test "lighttpd: SIGTERM and a new binary" {
	replace_binary lighttpd
}

@test "apache: SIGTERM and a new binary" {
	replace_binary apache
}

@test "nginx: SIGTERM and a new binary" {
	replace_binary nginx
}

reload_server() {
	local round n
	n=$(rounds 2 20)
	fault "reload of the web server ($1)" "$EVERYTHING"
	under_load "$1"
	for ((round = 0; round < n; round++)); do
		case $1 in
		nginx) kill -HUP "$SERVER_PID" ;;
		*) kill -USR1 "$SERVER_PID" ;; # graceful
		esac
		published 20
	done
	oracle_end
	is_running "$SERVER_PID"
	saw "$n times; $(sum)"
}

@test "lighttpd: reload" {
	reload_server lighttpd
}

@test "apache: reload" {
	reload_server apache
}

@test "nginx: reload" {
	reload_server nginx
}

stop_responder() {
	local pid
	fault "a stopped responder ($1)" \
		"publishers continue; when it runs again, $EVERYTHING"
	under_load "$1"
	pid=$(programs rowcast.fcgi)
	kill -STOP "$pid"
	published "$(rounds 40 400)"
	kill -CONT "$pid"
	published 20
	oracle_end
	saw "$(sum)"
}

@test "lighttpd: a stopped responder" {
	stop_responder lighttpd
}

@test "apache: a stopped responder" {
	stop_responder apache
}

@test "nginx: a stopped responder" {
	stop_responder nginx
}
