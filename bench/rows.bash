# shellcheck shell=bash
# rows.bash: the rows of the table, one function each; for bench/run.

STREAMS=5000
SECONDS_CPU=5
SECONDS_MOST=3
# 100 MB of events in so many topics, each of them followed by as many of the
# 1,000 stalled clients: 1 has each client read all 100 MB.
BULK_TOPICS=${BULK_TOPICS:-10}
declare -A BEST=()

# As many streams as a server is good for.
streams() {
	echo $((STREAMS < CAPACITY ? STREAMS : CAPACITY))
}

# ---- CPU and memory by server -----------------------------------------------

# Ours are to deliver all, a peer may lose some: the table says how much.
is_fair() {
	local missing
	case $1 in
	direct | lighttpd | nginx | apache) [ "${R[ok]}" -eq 1 ] ;;
	*)
		missing=$(calc "100 - 100 * ${R[deliveries]:-0} / ${R[expected]:-1}")
		! holds "$missing > 0" || metric "$1" missing "$missing"
		holds "$missing < 5"
		;;
	esac
}

# usage: measure_cpu SERVER; sets CPU, KB and USED
measure_cpu() {
	CPU=
	up "$1" || return 1
	load "cpu $1" --streams "$(streams)" --settle 1 "${PUBLISH[@]}" \
		--rate 50 --seconds "$SECONDS_CPU"
	is_fair "$1" || return 1
	CPU=$(cpu_us)
	KB=$(streams_kb streams)
	USED=$(streams_kb used)
}

row_cpu() {
	local server i
	declare -A cpu=() kb=() used=()
	for server in $SERVERS; do
		for ((i = 0; i < REPEATS; i++)); do
			# those that are compared, more than once
			case $i,$server in
			0,* | *,bare-unix | *,direct | *,lighttpd | *,nchan) ;;
			*) continue ;;
			esac
			measure_cpu "$server" || continue
			cpu[$server]+=" $CPU"
			kb[$server]+=" $KB"
			used[$server]+=" $USED"
		done
		[ -n "${cpu[$server]:-}" ] || continue
		# shellcheck disable=SC2086 # lists
		cpu[$server]=$(median ${cpu[$server]}) \
			kb[$server]=$(median ${kb[$server]}) \
			used[$server]=$(median ${used[$server]})
		metric "$server" cpu_us "${cpu[$server]}"
		metric "$server" stream_kb "${kb[$server]}"
		metric "$server" used_kb "${used[$server]}"
		metric "$server" fan_p50_ms "$(calc "${R[p50_us]} / 1000")"
		metric "$server" fan_p99_ms "$(calc "${R[p99_us]} / 1000")"
	done
	compare 'CPU per delivery, straight over FastCGI, 5,000 streams, 50 events/s' \
		"${cpu[direct]:-}" "${cpu[bare-unix]:-}" 'bare send loop, AF_UNIX' µs 1.3
	compare 'CPU per delivery through lighttpd, all processes, 50 events/s' \
		"${cpu[lighttpd]:-}" "${cpu[nchan]:-}" nchan µs 0.8
	compare 'memory per stream, responder and lighttpd, before any event' \
		"${kb[lighttpd]:-}" "${kb[nchan]:-}" nchan KB 0.5
	compare 'the same: once events have been sent' \
		"${used[lighttpd]:-}" "${used[nchan]:-}" nchan KB 0.5
}

# A figure that is to be at most so many times another's.
#   usage: compare FIGURE OURS THEIRS WHOSE UNIT AT_MOST
compare() {
	local ratio
	[ -n "$2" ] && [ -n "$3" ] || return 0
	ratio=$(calc "$2 / $3")
	figure "$1" "$(calc "$2") $5" "$(calc "$3") $5 ($4)" "$ratio" \
		"≤ $6 ×" "$(verdict "$ratio <= $6")"
}

# ---- most deliveries --------------------------------------------------------

# One run; sets R, and MOST to deliveries a second if all came.
measure_most() {
	MOST=0
	up "$1" || return 1
	load "most $1 rate=$2" --streams "$(streams)" "${PUBLISH[@]}" \
		--rate "$2" --seconds "$3"
	! is_fair "$1" || MOST=${R[per_second]}
}

# Raise the rate until it no longer keeps up, then look in between.
#   usage: search_most SERVER RATE
search_most() {
	local rate=$2 kept=0 i
	BEST[$1]=0
	for ((i = 0; i < 5; i++)); do
		measure_most "$1" "$rate" "$SECONDS_MOST" || return 1
		! holds "$MOST > ${BEST[$1]}" || BEST[$1]=$MOST
		[ "$kept" != between ] || break
		if holds "$MOST >= 0.95 * $rate * ${R[streams]}"; then
			kept=$rate
			rate=$(calc "$rate * 2")
		else
			rate=$(calc "($rate + $kept) / 2")
			kept=between
		fi
	done
	metric "$1" most "${BEST[$1]}"
}

row_most() {
	local server ratio nchan
	for server in $SERVERS; do
		case $server in
		direct | lighttpd | nginx | apache)
			measure_most "$server" 1000 5 || continue
			BEST[$server]=$MOST
			metric "$server" most "$MOST"
			;;
		bare-unix) search_most "$server" 80 ;;
		bare-tcp) search_most "$server" 40 ;;
		nchan)
			search_most nchan 20
			search_most nchan2 20
			;;
		*) search_most "$server" 16 ;;
		esac
	done
	[ -n "${BEST[lighttpd]:-}" ] && [ -n "${BEST[nchan]:-}" ] || return 0
	nchan=${BEST[nchan]}
	! holds "${BEST[nchan2]:-0} > $nchan" || nchan=${BEST[nchan2]}
	ratio=$(calc "${BEST[lighttpd]} / $nchan" %.1f)
	figure 'most deliveries/s, 5,000 streams through lighttpd, 1,000 rows/s' \
		"${BEST[lighttpd]}" "$nchan (nchan)" "$ratio" '≥ 30 ×' \
		"$(verdict "$ratio >= 30")"
}

# ---- latency of one stream --------------------------------------------------

row_latency() {
	local server i rate
	declare -A p50=() p99=() took=() after=()
	for ((i = 0; i < REPEATS; i++)); do
		for server in $SERVERS lighttpd-normal; do
			case $i,$server in
			0,* | *,lighttpd | *,lighttpd-normal | *,nchan) ;;
			*) continue ;;
			esac
			up "$server" || continue
			rate=200
			# its HTTP publishing falls seconds behind at 200
			[ "$server" != pushpin ] || rate=20
			load "latency $server" --settle 0.5 "${PUBLISH[@]}" \
				--rate "$rate" --seconds 4
			is_fair "$server" || continue
			p50[$server]+=" ${R[p50_us]}"
			p99[$server]+=" ${R[p99_us]}"
			took[$server]+=" ${R[publish_p50_us]}"
			after[$server]+=" ${R[after_p50_us]}"
		done
	done
	for server in $SERVERS lighttpd-normal; do
		[ -n "${p50[$server]:-}" ] || continue
		# shellcheck disable=SC2086 # lists
		p50[$server]=$(median ${p50[$server]}) \
			p99[$server]=$(median ${p99[$server]}) \
			took[$server]=$(median ${took[$server]}) \
			after[$server]=$(median ${after[$server]})
		metric "$server" p50_us "${p50[$server]}"
		metric "$server" p99_us "${p99[$server]}"
		metric "$server" publish_us "${took[$server]}"
		metric "$server" after_us "${after[$server]}"
	done
	compare 'one stream through lighttpd, 200 events/s: p50 from before INSERT' \
		"${p50[lighttpd]:-}" "${p50[nchan]:-}" nchan µs 2
	compare 'the same: p99' "${p99[lighttpd]:-}" "${p99[nchan]:-}" nchan µs 3
	compare 'the same, commits at synchronous=NORMAL: p50' \
		"${p50[lighttpd-normal]:-}" "${p50[nchan]:-}" nchan µs 2
	compare 'the same, commits at synchronous=NORMAL: p99' \
		"${p99[lighttpd-normal]:-}" "${p99[nchan]:-}" nchan µs 3
}

# ---- idle streams -----------------------------------------------------------

row_idle() {
	local kb share
	up direct && load 'idle memory' --streams 15000 --settle 2
	kb=$(streams_kb streams)
	figure 'memory, 15,000 idle streams, responder' "$kb KB a stream" - - \
		'≤ 1 KB' "$(verdict "$kb <= 1 && ${R[streams]} == 15000")"
	up direct --keepalive-s 15
	load 'idle cpu' --streams 10000 --settle 2 --idle 30
	share=$(calc "${R[server_idle_cpu_ms]} / 30000 * 100")
	figure 'CPU, 10,000 idle streams, keepalive 15 s' "$share % of a core" \
		- - '≤ 1 %' "$(verdict "$share <= 1 && ${R[streams]} == 10000")"
}

# ---- behind -----------------------------------------------------------------

# usage: fill_log N [FIRST_SEQ]
fill_log() {
	"$LOAD" --db "$DB" --fill "$1" --first-seq "${2:-0}" \
		>/dev/null 2>>"$WORK/logs/load"
}

# A counter of the responder.
counter() {
	local lines log=$WORK/logs/responder
	lines=$(grep -c report: "$log")
	kill -USR2 "$RESPONDER"
	wait_until 5 more_reports "$lines" || return 1
	grep report: "$log" | tail -n 1 | sed -n "s/.* $1=\([0-9]*\).*/\1/p"
}

more_reports() {
	[ "$(grep -c report: "$WORK/logs/responder")" -gt "$1" ]
}

# 10,000 streams, 1,000 events behind, a responder that has just started.
#   usage: measure_return SPREAD; sets ROWS and GAP
measure_return() {
	up direct
	fill_log 20000
	down
	start_responder
	PIDS=("server=$RESPONDER")
	load "return spread=$1" --streams 10000 --after $((20000 - 1000 - $1 + 1)) \
		--spread "$1" --events 1000 --opening 10000
	ROWS=$(counter rows)
	GAP=$((1000 + $1 - 1))
}

row_return() {
	local spread name
	for spread in 1 100; do
		measure_return "$spread"
		name='10,000 streams return at once, 1,000 events behind'
		[ "$spread" -eq 1 ] || name+=" to 1,099"
		figure "$name" "${R[seconds]} s" - - '≤ 5 s' \
			"$(verdict "${R[ok]} && ${R[seconds]} <= 5")"
		[ -n "$ROWS" ] || continue
		figure "the same: rows read from SQLite" "$ROWS" \
			"$GAP in the gap" "$(calc "$ROWS / $GAP")" '≤ 2 ×' \
			"$(verdict "$ROWS <= 2 * $GAP")"
	done
}

row_resume() {
	local size i p99 before=0
	declare -A p50=()
	up direct
	for size in 10000 100000 1000000 10000000; do
		fill_log $((size - before)) "$before"
		before=$size
		down
		# little memory, so that it is the log that is read
		start_responder --tail-kb 64 --replay-kb 64
		PIDS=("server=$RESPONDER")
		p50[$size]='' p99=''
		for i in 0 1 2 3; do
			load "resume $size" --firsts 500 --after 1 \
				--spread $((size - 1))
			# the first time, it comes from the disk
			[ "$i" -gt 0 ] || continue
			p50[$size]+=" ${R[first_p50_us]}"
			p99+=" ${R[first_p99_us]}"
		done
		# shellcheck disable=SC2086 # lists
		p50[$size]=$(least ${p50[$size]}) p99=$(least $p99)
		metric "log-$size" first_p50_us "${p50[$size]}"
		metric "log-$size" first_p99_us "$p99"
	done
	compare 'resume in a log of 10^7 rows: time to first event, p50' \
		"${p50[10000000]}" "${p50[10000]}" '10^4 rows' µs 1.3
	down
	rm -f "$DB"*
}

row_replay() {
	local rows=1000000 rate live i=0
	up direct
	fill_log "$rows"
	down
	start_responder
	PIDS=("server=$RESPONDER")
	for ((i = 0; i < REPEATS; i++)); do
		load replay --after 0 --events "$rows"
		rate+=" $(calc "$rows / ${R[seconds]}" %.0f)"
	done
	# shellcheck disable=SC2086 # a list
	rate=$(median $rate)
	figure 'one client replays 10^6 rows, straight over FastCGI' \
		"$rate rows/s" - - '≥ 1,000,000 rows/s' "$(verdict "$rate >= 1e6")"
	# live streams, while one replay follows the other
	"$LOAD" --target "$TARGET" --streams 10 "${PUBLISH[@]}" --rate 200 \
		--seconds 5 --first-seq "$rows" >"$WORK/live" \
		2>>"$WORK/logs/load" &
	live=$!
	i=0
	sleep 0.3
	while kill -0 "$live" 2>/dev/null; do
		load 'replay beside live' --after 0 --events "$rows"
		i=$((i + 1))
	done
	wait "$live"
	read_line 'live beside replay' "$(<"$WORK/live")"
	figure 'live p99 meanwhile' "$(calc "${R[p99_us]} / 1000") ms" \
		"$i replays" - '≤ 10 ms' \
		"$(verdict "${R[ok]} && ${R[p99_us]} <= 10000")"
}

# ---- beside replays ---------------------------------------------------------

# Live latency, and the time to the first byte of a new stream, while N streams
# replay from N places.  Sets LIVE and NEW to the p99 of each, in µs.
#   usage: measure_fair N [QUERY]
measure_fair() {
	local replays='' i new=''
	LIVE=
	if [ "$1" -gt 0 ]; then
		"$LOAD" --target "$TARGET" --query "${2:-}" --streams "$1" \
			--after 1 --stride 977 --spread 999000 \
			--opening "$1" --idle 600 >/dev/null 2>&1 &
		replays=$!
		wait_until 60 counts streams "$1"
	fi
	for ((i = 0; i < REPEATS; i++)); do
		load "live beside $1" --query topic=live --topic live \
			"${PUBLISH[@]}" --rate 200 --seconds 4
		LIVE+=" ${R[p99_us]}"
		load "new beside $1" --query topic=live --firsts 400
		new+=" ${R[first_p99_us]}"
	done
	if [ -n "$replays" ]; then
		kill "$replays"
		wait "$replays"
	fi 2>/dev/null
	# shellcheck disable=SC2086 # lists
	LIVE=$(median $LIVE) NEW=$(median $new)
}

counts() { # counter, at least
	[ "$(counter "$1")" -ge "$2" ]
}

row_fair() {
	local live new topics query name n
	up direct
	"$LOAD" --db "$DB" --fill 1000000 --topics 128 \
		>/dev/null 2>>"$WORK/logs/load"
	down
	start_responder
	PIDS=("server=$RESPONDER")
	measure_fair 0
	live=$LIVE new=$NEW
	# each of 64 topics of the 128: half of the log, by its index
	topics=$(printf '&topic=t%d' {0..63})
	for n in 1000 1600; do
		name="$n replays" query=''
		[ "$n" -eq 1000 ] || name+=' of 64 topics each' query=${topics#&}
		measure_fair "$n" "$query"
		compare "beside $name: live p99" "$LIVE" "$live" 'no replay' µs 3
		compare 'the same: p99 of the first byte of a new stream' \
			"$NEW" "$new" 'no replay' µs 3
	done
}

# ---- many feeds -------------------------------------------------------------

row_feeds() {
	up direct
	load feeds --streams 10000 --topics 10000 --settle 1 "${PUBLISH[@]}" \
		--rate 2000 --seconds 5
	figure '10,000 feeds of one stream each, 2,000 events/s: p99' \
		"$(calc "${R[p99_us]} / 1000") ms" - - '≤ 5 ms' \
		"$(verdict "${R[ok]} && ${R[p99_us]} <= 5000")"
}

# ---- slow clients -----------------------------------------------------------

# 4,000 live streams of one topic, beside N of others that do not read while
# 100 MB come in theirs.  Sets R for the live ones, S for the others.
measure_stalled() {
	local n=$1 live key
	up direct --stall-s 300
	"$LOAD" --target "$TARGET" --streams 4000 --query topic=live \
		--topic live "${PUBLISH[@]}" --settle 2 --rate 20 --seconds 10 \
		--bulk-rows 128 --bulk-size 4096 --bulk-topics "$BULK_TOPICS" \
		>"$WORK/live" 2>>"$WORK/logs/load" &
	live=$!
	load "stalled $n" --streams "$n" --prefix b --topics "$BULK_TOPICS" \
		--events $((200 * 128 / BULK_TOPICS)) --stall 15 --timeout 300
	S=()
	for key in "${!R[@]}"; do S[$key]=${R[$key]}; done
	wait "$live"
	read_line "live beside $n stalled" "$(<"$WORK/live")"
}

row_stalled() {
	local base
	declare -A S=()
	measure_stalled 1
	base=${R[p99_us]}
	measure_stalled 1000
	figure '1,000 stalled of 5,000, 100 MB of events: live p99' \
		"$(calc "${R[p99_us]} / 1000") ms" \
		"$(calc "$base / 1000") ms (1 stalled)" \
		"$(calc "${R[p99_us]} / $base")" '≤ 1.3 ×' \
		"$(verdict "${R[ok]} && ${R[p99_us]} <= 1.3 * $base")"
	figure 'the same: memory that the responder grows by' \
		"$(calc "${S[server_grown_kb]} / 1000") KB a stalled client" \
		- - '≤ 64 KB' "$(verdict "${S[server_grown_kb]} <= 64000")"
	figure 'the same: all complete once they read again' \
		"${S[done]} clients, ${S[seconds]} s, $(calc "${S[bytes]} / 1e9" %.1f) GB" \
		- - complete "$(verdict "${S[ok]} && ${S[done]} == 1000")"
}

# ---- retention --------------------------------------------------------------

# Two logs of 10,000 rows, one with a rule that has each further row remove
# another: turn by turn, so that what else the machine does comes to both.
#   usage: measure_retention [OPTION]; sets RULE_US and FREE_US, of one insert
measure_retention() {
	local log i line
	declare -A spent=([free]=0 [rule]=0)
	down
	site_new
	for log in free rule; do
		DB=$RUN/$log.db
		fill_log 10000
	done
	sqlite3 "$RUN/rule.db" "INSERT INTO retention(topic_pattern, max_rows)
		VALUES('*', 10000)"
	for ((i = 0; i < 20 * REPEATS; i++)); do
		for log in free rule; do
			line=$("$LOAD" --db "$RUN/$log.db" --fill 250 --page 1 \
				"$@" 2>>"$WORK/logs/load")
			printf 'retention %s %s\n' "$log" "$line" >>"$RUNS"
			line=${line#* seconds=}
			spent[$log]=$(calc "${spent[$log]} + ${line%% *}" %.3f)
		done
	done
	RULE_US=$(calc "${spent[rule]} * 1e6 / (250 * 20 * $REPEATS)" %.1f)
	FREE_US=$(calc "${spent[free]} * 1e6 / (250 * 20 * $REPEATS)" %.1f)
	[ "$(sqlite3 "$RUN/rule.db" 'SELECT count(*) BETWEEN 9990 AND 10000
		FROM events')" -eq 1 ]
}

row_retention() {
	measure_retention || return
	compare 'one row a transaction, each removing another (retention)' \
		"$RULE_US" "$FREE_US" 'without a rule' µs 1.3
	measure_retention --no-sync || return
	compare 'the same at synchronous=NORMAL, for information' \
		"$RULE_US" "$FREE_US" 'without a rule' µs 3
}
