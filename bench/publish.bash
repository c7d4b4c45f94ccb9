# shellcheck shell=bash
# publish.bash: the row "publish" of the table; for bench/run.

POSTER=$WORK/post
POSTERS=64
PUBLISH_SECONDS=3

start_publisher() {
	ROWCAST_PUBLISH_TOKEN=bench start publisher "$SITE" \
		build/rowcast-publish.cgi --db "$DB" \
		--socket build/run/publish.sock --socket-mode 0666
	wait_until 10 test -S "$RUN/publish.sock"
}

# Publish and wait for each answer; sets PER_SECOND and TOOK_US to medians.
#   usage: post NAME OPTION…
post() {
	local name=$1 i line rates='' times=''
	shift
	for ((i = 0; i < REPEATS; i++)); do
		line=$("$POSTER" --token bench --seconds "$PUBLISH_SECONDS" "$@" \
			2>>"$WORK/logs/load") || return 1
		printf 'publish %s %s\n' "$name" "$line" >>"$RUNS"
		[[ $line == *' refused=0 '* ]] || return 1
		line=${line#* per_second=}
		rates+=" ${line%% *}"
		line=${line#* p50_us=}
		times+=" ${line%% *}"
	done
	# shellcheck disable=SC2086 # lists
	PER_SECOND=$(median $rates) TOOK_US=$(median $times)
}

row_publish() {
	local bare one ours nchan ratio
	down
	site_new
	start_publisher
	post 'one commit' --db "$RUN/bare.db" || return 1
	bare=$TOOK_US
	post 'one client' --target "fcgi:$RUN/publish.sock" || return 1
	one=$TOOK_US
	compare 'one client publishing, straight over FastCGI: p50' \
		"$one" "$bare" 'a commit by SQLite alone' µs 2
	post 'clients' --target "fcgi:$RUN/publish.sock" \
		--clients "$POSTERS" || return 1
	figure "publishes/s on disk, $POSTERS clients, straight over FastCGI" \
		"$PER_SECOND" - - '≥ 10,000' "$(verdict "$PER_SECOND >= 10000")"
	up nginx || return 1
	start_publisher
	post nginx --target "http://127.0.0.1:$PORT/publish" \
		--clients "$POSTERS" || return 1
	ours=$PER_SECOND
	up nchan || return 1
	post nchan --target "http://127.0.0.1:$PORT/publish" \
		--clients "$POSTERS" || return 1
	nchan=$PER_SECOND
	ratio=$(calc "$ours / $nchan")
	figure "the same through nginx" "$ours" "$nchan (nchan, in memory)" \
		"$ratio" '≥ 0.5 ×' "$(verdict "$ratio >= 0.5")"
	metric nginx publish_s "$ours"
	metric nchan publish_s "$nchan"
}
