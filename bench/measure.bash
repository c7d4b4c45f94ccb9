# shellcheck shell=bash
# measure.bash: run the load client, keep and compare what it says; for
# bench/run.

OPENING=256
declare -A R=() # NAME → VALUE of the last run

# Run the load client against the server that is up.  Sets R; R[ok] is 1 if all
# that was published came once and in order.
#   usage: load LABEL OPTION…
load() {
	local label=$1 line pair pid=()
	shift
	for pair in "${PIDS[@]}"; do pid+=(--pid "$pair"); done
	line=$("$LOAD" --target "$TARGET" "${pid[@]}" --opening "$OPENING" "$@" 2>>"$WORK/logs/load")
	read_line "$label" "$line"
}

read_line() {
	local pair
	R=()
	printf '%s %s\n' "$1" "$2" >>"$RUNS"
	for pair in $2; do R[${pair%%=*}]=${pair#*=}; done
	R[ok]=0
	if [ "${R[lost]:-1}${R[repeated]:-1}${R[broken]:-1}" = 000 ] &&
		[ "${R[deliveries]}" -ge "${R[expected]}" ]; then
		R[ok]=1
	elif [ -z "${R[deliveries]:-}" ]; then
		note "$1: the load client failed; see $WORK/logs/load"
	else
		note "$1: ${R[deliveries]} of ${R[expected]} came," \
			"${R[lost]} lost, ${R[repeated]} repeated," \
			"${R[broken]} broken, ${R[closed]} closed"
	fi
}

# usage: calc EXPRESSION [FORMAT]     of awk
calc() {
	awk "BEGIN { printf \"${2:-%.2f}\", $1 }" 2>/dev/null || echo nan
}

# usage: holds EXPRESSION
holds() {
	awk "BEGIN { exit !($1) }" 2>/dev/null
}

# The middle one of some numbers.
median() {
	printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
		END { print v[int((NR + 1) / 2)] }'
}

least() {
	printf '%s\n' "$@" | sort -g | head -n 1
}

# CPU of all processes of the server, in µs for each delivery.
cpu_us() {
	local pair sum=0
	for pair in "${PIDS[@]}"; do
		sum=$((sum + ${R[${pair%%=*}_cpu_ms]}))
	done
	calc "$sum * 1000 / ${R[deliveries]}" %.3f
}

# Memory that all processes of the server have taken, in KB a stream.
#   usage: streams_kb streams|used     by opening, or until the end
streams_kb() {
	local pair sum=0
	for pair in "${PIDS[@]}"; do
		sum=$((sum + ${R[${pair%%=*}_$1_kb]}))
	done
	calc "$sum / ${R[streams]}" %.3f
}

# What a server has done, for the plots.
#   usage: metric SERVER METRIC VALUE
metric() {
	printf '%s\t%s\t%s\t%s\n' "$1" "${TITLE[$1]:-$1}" "$2" "$3" >>"$METRICS"
}

# One row of the table.
#   usage: figure FIGURE MEASURED AGAINST RATIO REACH yes|no
figure() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >>"$RESULTS"
	note "$1: $2; $3; ratio $4; reach $5: $6"
}

# yes or no
verdict() {
	if holds "$1"; then echo yes; else echo no; fi
}

among() { # is a server to be measured?
	case " ${SERVERS//[$'\t\n']/ } " in
	*" $1 "*) ;;
	*) return 1 ;;
	esac
}
