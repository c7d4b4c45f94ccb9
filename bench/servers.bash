# shellcheck shell=bash
# servers.bash: the servers that are measured; for bench/run.
#
# up SERVER [OPTION…] starts one with an empty log and sets what the load client
# is to be told; down ends all that was started.  Options are rowcast.fcgi's.
#
#   TARGET    where a stream is to be had
#   PUBLISH   how to publish: an array of options of the load client
#   PIDS      whose CPU and memory count: an array NAME=PID
#   DB        the log, for rowcast
#   CAPACITY  most streams that it is to be asked for
#   OPENING   most streams that are to be asked for at a time

SERVER_NAMES='bare-unix bare-tcp direct lighttpd nginx apache nchan node
	better-sse go pushpin'
STARTED=()
RAM=''
declare -A TITLE=(
	[bare-unix]='bare send loop, AF_UNIX'
	[bare-tcp]='bare send loop, TCP'
	[direct]='rowcast, FastCGI'
	[lighttpd]='rowcast, lighttpd'
	[lighttpd-normal]='rowcast, lighttpd, synchronous=NORMAL'
	[nginx]='rowcast, nginx'
	[apache]='rowcast, Apache (900 streams)'
	[nchan]='nchan'
	[nchan2]='nchan, 2 workers'
	[node]='plain Node.js'
	[better-sse]='better-sse'
	[go]='plain Go'
	[pushpin]='Pushpin'
)

# ---- processes --------------------------------------------------------------

# Start a program in a folder, in the background; sets PID.
#   usage: start NAME FOLDER COMMAND…
start() {
	local log=$WORK/logs/$1 folder=$2
	shift 2
	(cd "$folder" && exec "$@") </dev/null >>"$log" 2>&1 &
	PID=$!
	STARTED+=("$PID")
}

descendants() {
	local child
	for child in $(pgrep -P "$1"); do
		echo "$child"
		descendants "$child"
	done
}

gone() {
	local p
	for p in "$@"; do
		case $(ps -o stat= -p "$p") in
		'' | Z*) ;;
		*) return 1 ;;
		esac
	done
}

# Wait until a command succeeds, at most so many seconds.
wait_until() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/[.,]/} < end)) || return 1
		sleep 0.02
	done
}

# End all that was started and what that has started.
down() {
	local i pid tree
	for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
		pid=${STARTED[i]}
		tree="$pid $(descendants "$pid")"
		kill "$pid" 2>/dev/null || :
		# shellcheck disable=SC2086 # a list
		wait_until 5 gone $tree || kill -KILL $tree 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	STARTED=()
	[ -z "$RAM" ] || rm -rf "$RAM"
	RAM=''
}

listens() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Does a stream begin?
answers() {
	local line=''
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
	printf 'GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' >&3
	IFS= read -r -t 2 line <&3
	exec 3>&-
	[[ $line == *' 200 '* ]]
}

# Ports that nobody listens on, n in a row; sets PORT.
choose_port() {
	local n=$1 i
	PORT=$((PORT + 10))
	for ((i = 0; i < n; i++)); do
		if listens $((PORT + i)); then
			choose_port "$n"
			return
		fi
	done
}

# A template of bench/peers with values put in.
#   usage: fill FILE NAME=VALUE…
fill() {
	local text pair
	text=$(<"$1")
	shift
	for pair in "$@"; do text=${text//@${pair%%=*}@/${pair#*=}}; done
	printf '%s\n' "$text"
}

# ---- rowcast ----------------------------------------------------------------

# A folder that looks like a checkout that has been built: the examples run in
# it as they are, on another port.
site_new() {
	SITE=$WORK/site
	RUN=$SITE/build/run
	rm -rf "$SITE"
	mkdir -p "$RUN"
	cp "$WORK"/bin/* "$SITE/build/"
	cp -R "$ROOT"/*-example.conf "$ROOT/web" "$SITE/"
	DB=$RUN/events.db
	PUBLISH=(--db "$DB")
}

# usage: start_responder [OPTION…]
start_responder() {
	start responder "$SITE" build/rowcast.fcgi --db "$DB" \
		--socket build/run/rowcast.sock --socket-mode 0666 "$@"
	RESPONDER=$PID
	wait_until 10 test -S "$RUN/rowcast.sock"
}

up_direct() {
	site_new
	start_responder "$@"
	TARGET=fcgi:$RUN/rowcast.sock
	PIDS=("server=$RESPONDER")
	CAPACITY=19000
}

up_lighttpd() {
	local name
	site_new
	while [ $# -gt 0 ]; do
		name=${1#--}
		name=${name^^}
		local -x "ROWCAST_${name//-/_}=$2"
		shift 2
	done
	choose_port 1
	PORT=$PORT start lighttpd "$SITE" \
		lighttpd -D -f lighttpd-example.conf
	wait_until 10 listens "$PORT"
	# the log is made by the responder
	wait_until 10 test -s "$DB"
	RESPONDER=$(pgrep -P "$PID")
	TARGET=http://127.0.0.1:$PORT/events
	PIDS=("server=$PID")
	CAPACITY=7000
}

# Commits do not wait for the disk, as the peers do not.
up_lighttpd-normal() {
	up_lighttpd "$@"
	PUBLISH+=(--no-sync)
}

up_nginx() {
	site_new
	start_responder "$@"
	choose_port 1
	# one worker may get more than its share of streams
	sed -i "s/127\.0\.0\.1:8080/127.0.0.1:$PORT/
		s/worker_connections .*;/worker_connections 16384;/
		s/worker_rlimit_nofile .*;/worker_rlimit_nofile 20000;/" \
		"$SITE/nginx-example.conf"
	start nginx "$SITE" nginx -p "$SITE" -e stderr -c nginx-example.conf
	wait_until 10 listens "$PORT"
	TARGET=http://127.0.0.1:$PORT/events
	PIDS=("server=$PID" "responder=$RESPONDER")
	CAPACITY=7000
}

up_apache() {
	site_new
	start_responder "$@"
	choose_port 1
	start apache "$SITE" apache2 -d "$SITE" -C "Define PORT $PORT" \
		-f apache-example.conf -D FOREGROUND
	wait_until 10 listens "$PORT"
	TARGET=http://127.0.0.1:$PORT/events
	PIDS=("server=$PID" "responder=$RESPONDER")
	CAPACITY=900
}

# ---- the limit --------------------------------------------------------------

up_bare() {
	choose_port 1
	start bare "$WORK" "$BUILD/bench/bare" bare.sock "$PORT"
	wait_until 10 listens "$PORT"
	PUBLISH=(--post "http://127.0.0.1:$PORT/publish")
	PIDS=("server=$PID")
	CAPACITY=19000
}

up_bare-unix() {
	up_bare
	TARGET=fcgi:$WORK/bare.sock
}

up_bare-tcp() {
	up_bare
	TARGET=http://127.0.0.1:$PORT/events
}

# ---- peers ------------------------------------------------------------------

# One that listens at PORT, with /events and /publish.
up_peer() {
	wait_until 15 listens "$PORT"
	TARGET=http://127.0.0.1:$PORT/events
	PUBLISH=(--post "http://127.0.0.1:$PORT/publish")
	PIDS=("server=$PID")
	CAPACITY=19000
}

up_nchan_with() {
	choose_port 1
	mkdir -p "$WORK/nchan"
	fill "$PEERS/nchan.conf" "PORT=$PORT" "WORKERS=$1" \
		>"$WORK/nchan/nginx.conf"
	start nchan "$WORK/nchan" nginx -p "$WORK/nchan" -e stderr -c nginx.conf
	up_peer
}

up_nchan() {
	up_nchan_with 1
}

up_nchan2() {
	up_nchan_with 2
}

up_node() {
	choose_port 1
	start node "$WORK" node "$PEERS/node.mjs" "$PORT"
	up_peer
}

up_better-sse() {
	choose_port 1
	start better-sse "$WORK" env NODE_PATH="$WORK/peers/node_modules" \
		node "$PEERS/better-sse.cjs" "$PORT"
	up_peer
}

up_go() {
	choose_port 1
	start go "$WORK" "$WORK/peers/go-server" "$PORT"
	up_peer
}

up_pushpin() {
	local run=$WORK/pushpin
	command -v pushpin >/dev/null || return 1
	choose_port 6
	rm -rf "$run"
	mkdir -p "$run"
	fill "$PEERS/pushpin.conf" "RUN=$run" "PORT=$PORT" \
		"PORT1=$((PORT + 1))" "PORT2=$((PORT + 2))" \
		"PORT3=$((PORT + 3))" "PORT4=$((PORT + 4))" >"$run/pushpin.conf"
	printf '* 127.0.0.1:%s\n' $((PORT + 5)) >"$run/routes"
	start grip "$WORK" node "$PEERS/grip.mjs" $((PORT + 5))
	start pushpin "$run" pushpin --config="$run/pushpin.conf"
	wait_until 15 listens $((PORT + 1))
	up_peer
	wait_until 15 answers "$PORT"
	OPENING=16 # 500 and 502 else
	PUBLISH=(--post "http://127.0.0.1:$((PORT + 1))/publish/"
		--before '{"items":[{"channel":"bench","formats":{"http-stream":{"content":"data: '
		--behind '\n\n"}}}]}')
}

# ---- all of them ------------------------------------------------------------

# What the peers need that is no package of Debian's.
prepare_peers() {
	# not in every release of Debian
	command -v pushpin >/dev/null ||
		"$ROOT/scripts/install-deps" pushpin 2>>"$WORK/logs/pushpin" ||
		note 'Pushpin cannot be had here'
	mkdir -p "$WORK/peers"
	cp "$PEERS"/package.json "$PEERS"/package-lock.json "$PEERS"/.npmrc \
		"$WORK/peers/"
	if ! cmp -s "$PEERS/package-lock.json" "$WORK/peers/installed"; then
		(cd "$WORK/peers" && npm ci --ignore-scripts --no-audit \
			--no-fund --loglevel=error >&2) &&
			cp "$PEERS/package-lock.json" "$WORK/peers/installed"
	fi
	if [ "$PEERS/server.go" -nt "$WORK/peers/go-server" ]; then
		GOCACHE=$WORK/peers/go-cache GO111MODULE=off \
			go build -o "$WORK/peers/go-server" "$PEERS/server.go"
	fi
}

# usage: up SERVER [OPTION…]; fails if it cannot be had
up() {
	local server=$1
	shift
	down
	mkdir -p "$WORK/logs"
	OPENING=256
	if ! "up_$server" "$@"; then
		note "$server does not start; see $WORK/logs"
		down
		return 1
	fi
}
