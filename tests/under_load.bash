# shellcheck shell=bash
# under_load.bash: a web server with both programs, the clients of the oracle
# and three kinds of publishers, all under load, for faults in any of them.
#
#     load under_load
#     @test "…" { under_load nginx; … a fault …; published 20; oracle_end; saw "$(sum)"; }

load oracle

EVERYTHING='all is delivered and kept' # see the head of docs/faults.md

# Start a web server with both programs, clients and publishers, and publish the
# first events.
#   usage: under_load lighttpd|apache|nginx [OPTION-OF-CLIENTS…]
under_load() {
	KIND=$1
	shift
	start_programs
	"start_$KIND"
	set_url() { :; } # keep the port
	eventually answers_head
	oracle_start "$@"
	publishers_start
	published 10
}

# Publishers repeat refused requests; short delays let clients reconnect soon.
start_programs() {
	case $KIND in
	lighttpd) export ROWCAST_RETRY_MS=200 ROWCAST_SHUTDOWN_RETRY_S=1 ;;
	*)
		start_responder --retry-ms 200 --shutdown-retry-s 1
		start_publisher
		;;
	esac
}

# Start a program again where lighttpd does not do so, as systemd would.
#   usage: again responder|publisher [OPTION…]
again() {
	local what=$1
	shift
	case $KIND-$what in
	lighttpd-*) ;;
	*-responder) start_responder --retry-ms 200 --shutdown-retry-s 1 "$@" ;;
	*-publisher) start_publisher "$@" ;;
	esac
}

# Print the process ids of one of our programs that the web server or the test
# has started.
#   usage: programs rowcast.fcgi|rowcast-publish.cgi
programs() {
	local pid
	for pid in "${STARTED[@]}"; do
		echo "$pid"
		descendants "$pid"
	done | sort -u | while read -r pid; do
		[ "$(readlink "/proc/$pid/exe")" != "$SITE/build/${1}" ] ||
			echo "$pid"
	done
}

has_programs() {
	[ -n "$(programs "$1")" ]
}

# Print the result of a run of the oracle.
sum() {
	echo "$ROWS events, $ACKS acknowledged; $ORACLE_CLIENTS clients," \
		"$CONNECTIONS connections, $REFUSED refusals"
}
