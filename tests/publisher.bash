# shellcheck shell=bash disable=SC2153 # HOLDER_PID is of the coproc
# publisher.bash: a publisher that runs, while others write to the log.
#
#     load publisher
#     @test "…" { start_publisher; hold; eventually counts locked 1; let_go; }

# Print a counter of the publisher.
counter() {
	local before
	before=$(reports)
	kill -USR2 "$PUBLISHER_PID"
	eventually has_reports $((before + 1))
	sed -n "s/.*report:.* $1=\([0-9]*\).*/\1/p" "$LOGS/publisher" | tail -n 1
}

reports() {
	grep -c report: "$LOGS/publisher" || :
}

has_reports() {
	[ "$(reports)" -ge "$1" ]
}

# usage: counts NAME AT-LEAST
counts() {
	[ "$(counter "$1")" -ge "$2" ]
}

# Hold the write lock until let_go.
hold() {
	coproc HOLDER { sqlite3 "$DB" 3>&-; }
	HOLDER_IN=${HOLDER[1]}
	local out=${HOLDER[0]} line
	HOLDER_IS=$HOLDER_PID
	echo "BEGIN IMMEDIATE; SELECT 'held';" >&"$HOLDER_IN"
	read -r -t "$WAIT" line <&"$out"
	[ "$line" = held ]
}

let_go() {
	echo 'ROLLBACK;' >&"$HOLDER_IN"
	exec {HOLDER_IN}>&-
	wait "$HOLDER_IS"
}
