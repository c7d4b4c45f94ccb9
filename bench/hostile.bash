# shellcheck shell=bash
# hostile.bash: the rows about clients whose topics are chosen to cost much; for
# bench/run.

QUERIES=$BUILD/tests/tools/queries

# CPU of the responder, in ms, for what 1,000 streams of 64 topics each ask.
#   usage: measure_flood collide|differ; sets OPEN_MS
measure_flood() {
	up direct
	"$QUERIES" "$1" >"$WORK/queries"
	load "flood $1" --streams 1000 --queries "$WORK/queries" \
		--query topic=live --topic live "${PUBLISH[@]}" --rate 50 \
		--seconds 2 --timeout 300
	OPEN_MS=
	[ "${R[ok]}" -ne 1 ] || OPEN_MS=${R[server_open_cpu_ms]}
}

row_flood() {
	local what i
	declare -A ms=()
	for ((i = 0; i < REPEATS; i++)); do
		for what in differ collide; do
			measure_flood "$what"
			ms[$what]+=" $OPEN_MS"
		done
	done
	# shellcheck disable=SC2086 # lists
	compare '1,000 streams of 64 topics that collide in hash tables: CPU to open' \
		"$(least ${ms[collide]})" "$(least ${ms[differ]})" \
		'other topics' ms 1.5
}

# CPU of the responder, in µs, for an event of a topic of 255 bytes that four
# streams receive.
#   usage: measure_lengths [FILE]; sets EVENT_US
measure_lengths() {
	local topic client rows=100000 queries=()
	[ -z "${1:-}" ] || queries=(--queries "$1")
	topic=$(printf 'z%.0s' {1..255})
	up direct
	"$LOAD" --target "$TARGET" --pid "server=$RESPONDER" --streams 4 \
		"${queries[@]}" --query "topic=$topic" --events "$rows" \
		>"$WORK/live" 2>>"$WORK/logs/load" &
	client=$!
	EVENT_US=
	wait_until 10 counts streams 4 || return 1
	"$LOAD" --db "$DB" --fill "$rows" --topic "$topic" \
		>/dev/null 2>>"$WORK/logs/load"
	wait "$client"
	read_line "lengths ${1:+with prefixes}" "$(<"$WORK/live")"
	[ "${R[ok]}" -ne 1 ] ||
		EVENT_US=$(calc "${R[server_all_cpu_ms]} * 1000 / $rows")
}

row_lengths() {
	local i none='' many=''
	"$QUERIES" lengths >"$WORK/queries"
	for ((i = 0; i < REPEATS; i++)); do
		measure_lengths
		none+=" $EVENT_US"
		measure_lengths "$WORK/queries"
		many+=" $EVENT_US"
	done
	# shellcheck disable=SC2086 # lists
	compare 'an event of a topic of 255 bytes, 240 lengths of prefix in use: CPU' \
		"$(least $many)" "$(least $none)" 'no prefix' µs 3
}
