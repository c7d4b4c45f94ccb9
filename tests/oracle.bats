#!/usr/bin/env bats
# Tests of the oracle: it accepts correct programs, and finds each kind of error
# planted in a responder and a publisher.

load oracle

setup() {
	site_new
	ORACLE_CLIENTS=12
}

# Start lighttpd with programs that are shell scripts, correct except for the
# planted error.
serve_planted() {
	{
		echo '#!/usr/bin/env bash'
		echo "planted=$1 suffix=$([ "$1" != changed ] || echo '!')"
		cat <<-'END'
			at=${HTTP_LAST_EVENT_ID:-0}
			say() {
				sqlite3 -cmd '.timeout 5000' "$ROWCAST_DB" "SELECT
					'id: ' || id || char(10) || 'event: ' || event
					|| char(10) || 'data: ' || data
					|| iif(id = 20, '$suffix', '') || char(10)
					FROM events WHERE id = $1"
			}
			printf 'Content-Type: text/event-stream\r\n\r\n'
			printf 'retry: 100\nid: %s\n\n' "$at"
			while :; do
				for id in $(sqlite3 -cmd '.timeout 5000' "$ROWCAST_DB" \
					"SELECT id FROM events WHERE id > $at"); do
					at=$id
					case $planted-$id in
					skipped-20 | swapped-20) ;;
					repeated-20) say 20 && say 20 ;;
					swapped-21) say 21 && say 20 ;;
					*) say "$id" ;;
					esac
				done
				sleep 0.05
			done
		END
	} >"$SITE/build/rowcast.fcgi"
	{
		echo '#!/usr/bin/env bash'
		echo "planted=$1"
		cat <<-'END'
			read -r -N "$CONTENT_LENGTH" body
			[[ $body =~ key=([^&]*) ]] && key=${BASH_REMATCH[1]}
			[ "$planted-$key" = forgotten-web-5 ] ||
				sqlite3 -cmd '.timeout 5000' "$ROWCAST_DB" "INSERT
					INTO events(key, data) VALUES('$key', '$key')"
			printf 'Status: 201 Created\r\n\r\n'
		END
	} >"$SITE/build/rowcast-publish.cgi"
	make_log
	use_cgi lighttpd-example.conf cgi.conf
	start_lighttpd cgi.conf
}

# usage: finds PLANTED WHAT
finds() {
	ORACLE_FILTERS=('')
	ORACLE_CLIENTS=3
	serve_planted "$1"
	oracle_start
	publishers_start web
	published 30
	if oracle_end >"$T/verdict"; then
		echo 'nothing was found'
		return 1
	fi
	cat "$T/verdict"
	grep -qF "$2" "$T/verdict"
}

@test "correct programs are accepted" {
	serve
	oracle_start --churn 4:200 --trickle 2:20
	publishers_start
	published 100
	oracle_end
	[ "$ROWS" -gt 100 ]
	[ "$GAPS" -eq 0 ]
	[ "$RESETS" -eq 0 ]
	[ "$REFUSED" -eq 0 ]
	[ "$CONNECTIONS" -gt 12 ]
}

@test "correct scripts are accepted" {
	ORACLE_FILTERS=('')
	ORACLE_CLIENTS=3
	serve_planted nothing
	oracle_start
	publishers_start web
	published 30
	oracle_end
}

@test "a row that was skipped is found" {
	finds skipped 'lost|1|20'
}

@test "a row that was sent twice is found" {
	finds repeated 'repeated|1|20'
}

@test "two rows that were swapped are found" {
	finds swapped 'out of order|1|20'
}

@test "a row with the data of another is found" {
	finds changed 'is not in the log|1|20'
}

@test "an event that was acknowledged and not stored is found" {
	finds forgotten 'acknowledged and not in the log: web-5'
}
