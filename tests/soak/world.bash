# shellcheck shell=bash
# world.bash: the web servers and programs of a soak, and the faults.
# tests/soak/run sources it after oracle.bash.
#
#   SERVER          the web server that runs: lighttpd, nginx, apache or ""
#   SERVER_PID, RESPONDER_PID, PUBLISHER_PID   as in helpers.bash; the last two
#                   are empty with lighttpd, which starts the programs itself
#
# The port stays the same.

# Process names, which the kernel cuts at 15 bytes.
RESPONDER_NAME=rowcast.fcgi
PUBLISHER_NAME=rowcast-publish

# helpers.bash would choose another port each time.
set_url() {
	:
}

skip() {
	echo "$*" >&2
	return 1
}

# ---- up and down ------------------------------------------------------------

# usage: world_up SERVER
world_up() {
	[ "$SERVER" != "$1" ] || is_running "$SERVER_PID" || SERVER=
	[ "$SERVER" != "$1" ] || return 0
	world_down
	case $1 in
	lighttpd) ;;
	*)
		start_responder || return 1
		start_publisher || return 1
		;;
	esac
	server_start "$1"
}

server_start() {
	SERVER=$1
	"start_$1" || return 1
	world_tell
	wait_until 20 answers_head
}

world_down() {
	[ -n "$SERVER" ] || return 0
	server_end TERM
	# shellcheck disable=SC2086 # a list that may be empty
	stop $RESPONDER_PID $PUBLISHER_PID
	SERVER='' SERVER_PID='' RESPONDER_PID='' PUBLISHER_PID=''
	world_tell
}

# End the web server and all processes that it has started: send TERM to it, or
# KILL to all of them, as systemd does.
server_end() {
	local pid tree
	# it could start another process meanwhile
	[ "$1" = TERM ] || kill -STOP "$SERVER_PID"
	# shellcheck disable=SC2207 # numbers
	tree=("$SERVER_PID" $(descendants "$SERVER_PID"))
	if [ "$1" = TERM ]; then
		kill "$SERVER_PID" 2>/dev/null
		wait_until 15 gone "${tree[@]}" && return
	fi
	for pid in "${tree[@]}"; do kill -KILL "$pid" 2>/dev/null; done
	wait_until 15 gone "${tree[@]}"
}

# Write the processes and the phase to a file, for the sampler.
world_tell() {
	printf '%s\n' "${SERVER:--} ${SERVER_PID:--} ${RESPONDER_PID:--}" \
		"${PUBLISHER_PID:--} ${ROUND:-0} ${STRETCH:-0} ${N:-0}" \
		"${PHASE:-rest}" | paste -s -d ' ' >"$WORK/now.new"
	mv "$WORK/now.new" "$WORK/now"
}

# Print the process ids of a program that runs.
#   usage: pids_of NAME PID-IF-STARTED-HERE
pids_of() {
	if [ -n "$2" ]; then
		gone "$2" || echo "$2"
	elif [ -n "$SERVER_PID" ]; then
		pgrep -x -P "$SERVER_PID" "$1"
	fi
}

# Print the processes of a word of the plan: responder, publisher, server.
pids_for() {
	case $1 in
	responder) pids_of "$RESPONDER_NAME" "$RESPONDER_PID" ;;
	publisher) pids_of "$PUBLISHER_NAME" "$PUBLISHER_PID" ;;
	server)
		echo "$SERVER_PID"
		[ "$SERVER" = lighttpd ] || descendants "$SERVER_PID"
		;;
	esac
}

# ---- faults -----------------------------------------------------------------

# Inject a fault.
#   usage: strike KIND ARGUMENT
# Fails if a program that was ended does not start again.
strike() {
	local noun=${1#*-}
	case $1 in
	reconnect) kill -USR1 "$CLIENTS_PID" ;;
	lock) meanwhile strike_lock "$2" ;;
	checkpoint) meanwhile sql "PRAGMA wal_checkpoint($2)" ;;
	vacuum) meanwhile sql VACUUM ;;
	backup) meanwhile strike_backup ;;
	delete) meanwhile strike_delete "$2" ;;
	burst) strike_burst "$2" ;;
	stop-*) strike_stop "$noun" "$2" ;;
	kill-server) strike_server KILL "$2" ;;
	term-server) strike_server TERM "$2" ;;
	reload-server) strike_reload ;;
	kill-all) strike_all "$2" ;;
	kill-*) strike_program "$noun" KILL ;;
	term-*) strike_program "$noun" TERM ;;
	*) return 1 ;;
	esac
}

# Run a command in the background; the round waits for it at its end.
meanwhile() {
	"$@" >>"$LOGS/meanwhile" 2>&1 &
	MEANWHILE+=($!)
	STARTED+=($!)
}

strike_lock() {
	printf '%s\n' 'BEGIN IMMEDIATE;' ".shell sleep $1" 'COMMIT;' | sql
}

# Make a backup; it must be a valid log.
strike_backup() {
	local copy=$SITE/build/run/backup.db
	rm -f "$copy"
	sql ".backup $copy" || return 0 # the log stayed locked
	[ "$(sqlite3 "$copy" 'PRAGMA quick_check')" = ok ] ||
		echo 'the backup is damaged' >>"$O/wrong-otherwise"
}

# Delete only events that no publisher can repeat, because their keys go as
# well.
strike_delete() {
	sql "DELETE FROM events WHERE topic = '$1'
		AND id < (SELECT max(id) - 1500 FROM events)"
}

strike_burst() {
	BURSTS=$((BURSTS + 1))
	meanwhile publish_burst "$BURSTS" "$1"
}

strike_stop() {
	local pids
	pids=$(pids_for "$1")
	STOPPED=$pids
	# shellcheck disable=SC2086 # a list
	kill -STOP $pids 2>/dev/null
	sleep "$2"
	world_goes_on
}

world_goes_on() {
	# shellcheck disable=SC2086 # a list
	[ -z "$STOPPED" ] || kill -CONT $STOPPED 2>/dev/null
	STOPPED=
}

strike_server() {
	local kind=$SERVER
	server_end "$1"
	sleep "$2"
	server_start "$kind"
}

strike_reload() {
	case $SERVER in
	lighttpd | apache) kill -USR1 "$SERVER_PID" ;;
	nginx) kill -HUP "$SERVER_PID" ;;
	esac
	wait_until 20 answers
}

strike_all() {
	local kind=$SERVER pid
	for pid in $RESPONDER_PID $PUBLISHER_PID; do kill -KILL "$pid"; done
	server_end KILL
	sleep "$1"
	SERVER='' RESPONDER_PID='' PUBLISHER_PID=''
	world_up "$kind"
}

# lighttpd starts its programs again; for other servers, do it as systemd would.
strike_program() {
	local pids
	pids=$(pids_for "$1")
	[ -n "$pids" ] || return 0 # it is being started again
	# shellcheck disable=SC2086 # a list
	kill "-$2" $pids 2>/dev/null
	[ "$SERVER" != lighttpd ] || return 0
	# shellcheck disable=SC2086 # a list
	wait_until 15 gone $pids || return 1
	"start_$1" || return 1
	world_tell
}
