#!/usr/bin/env bats
# demo.bats: make run, the README's commands for it, and how it ends.
# shellcheck disable=SC2016 # backticks of Markdown

load helpers
load hostile

setup() {
	needs make lighttpd sqlite3 script
	site_new
	cp -R "$ROOT/Makefile" "$ROOT/scripts" "$SITE"
	PORT=$(free_port)
	# the programs have been built
	RUN=(make again=@: PORT="$PORT" run)
}

is_up() {
	grep -q 'Ctrl-C ends it' "$LOGS/demo"
}

# Waits until the demo runs.  Sets ALL to its processes.
#   usage: demo_up PID
demo_up() {
	up "$1" demo is_up
	eventually has_all "$1"
	STARTED+=("${ALL[@]}") # in case that they outlive their parent
}

has_all() {
	mapfile -t ALL < <(descendants "$1")
	[ "$(ps -o comm= "${ALL[@]}" |
		awk '/^(lighttpd|rowcast|clock|tail)/' | wc -l)" -eq 5 ]
}

@test "make run in the background: SIGTERM ends all processes" {
	start demo "${RUN[@]}"
	demo_up "$PID"
	kill "$PID"
	eventually gone "$PID" "${ALL[@]}"
}

@test "make run: if make or the script is killed, all processes end" {
	setpriv --pdeathsig TERM true || skip 'setpriv has no --pdeathsig'
	start demo "${RUN[@]}"
	demo_up "$PID"
	kill -KILL "$PID"
	eventually gone "$PID" "${ALL[@]}"
	start demo "${RUN[@]}"
	demo_up "$PID"
	kill -KILL "$(pgrep -P "$PID")"
	eventually gone "$PID" "${ALL[@]}"
}

stream_has() {
	grep -qx "data: $1" "$LOGS/stream"
}

@test "make run answers local names only, and hands the token to no stream" {
	local pid name
	start demo "${RUN[@]}"
	demo_up "$PID"
	export URL=http://127.0.0.1:$PORT
	answers_its_names
	frames_no_page
	# shellcheck disable=SC2046 # numbers
	for pid in $(responders); do
		keeps_token_from "$pid"
		name=found
	done
	[ "$name" = found ]
	for pid in "${ALL[@]}"; do
		name=$(ps -o comm= -p "$pid")
		[ "$name" = clock ] || continue
		run ! grep -qz '^ROWCAST_PUBLISH_TOKEN=.' "/proc/$pid/environ"
		name=checked
		break
	done
	[ "$name" = checked ]
}

@test "the commands of the README work while make run is up" {
	needs curl
	unset ROWCAST_PUBLISH_TOKEN # the demo then creates one
	start demo "${RUN[@]}"
	demo_up "$PID"
	sed -n '/^```sh$/,/^```$/p' "$ROOT/README.md" |
		sed "s/:8080/:$PORT/" >"$SITE/readme"
	grep -E '^(TOKEN=|sqlite3 |curl -H)' "$SITE/readme" >"$SITE/publish.sh"
	[ "$(wc -l <"$SITE/publish.sh")" -eq 3 ]
	# shellcheck disable=SC2046 # the words of the command
	start stream $(grep '^curl -N' "$SITE/readme")
	eventually stream_has 'data-.*'
	run as_site sh -eu publish.sh
	[ "$status" -eq 0 ]
	eventually stream_has hi
	eventually stream_has hello
}

# Starts the demo on a new terminal, with $KEYS as its keyboard.  Background
# processes of a shell ignore INT and QUIT: undo that.
on_terminal() {
	local fifo=$BATS_TEST_TMPDIR/keys
	mkfifo "$fifo"
	exec {KEYS}<>"$fifo"
	(as_site script -qefc "env --default-signal ${RUN[*]}" /dev/null) \
		<&"$KEYS" >"$LOGS/demo" 2>&1 3>&- &
	PID=$!
	STARTED+=("$PID")
	demo_up "$PID"
}

@test "make run on a terminal: Ctrl-C ends all processes" {
	on_terminal
	printf '\003' >&"$KEYS"
	eventually gone "$PID" "${ALL[@]}"
}

@test "make run on a terminal: Ctrl-\\ ends all processes" {
	on_terminal
	printf '\034' >&"$KEYS"
	eventually gone "$PID" "${ALL[@]}"
}

# The kernel sends SIGHUP to the foreground process group of a closed terminal.
@test "make run on a terminal: SIGHUP ends all processes" {
	on_terminal
	kill -HUP -- "-$(ps -o pgid= -p "${ALL[0]}" | tr -d ' ')"
	eventually gone "$PID" "${ALL[@]}"
}

# A window that closes, or ssh -t that loses its connection: make is the first
# process of the terminal, and the only one that gets SIGHUP.
@test "make run on a terminal that closes: all processes end" {
	on_terminal
	kill -KILL "$PID"
	eventually gone "${ALL[@]}"
}

@test "make run names a port that is no port, and one that is in use" {
	local port
	for port in 0 65536 99999 80x; do
		echo "$port"
		run as_site timeout 20 make again=@: PORT="$port" run
		[[ $output == *"run: PORT=$port: not a number from 1 to 65535"* ]]
	done
	start demo "${RUN[@]}"
	demo_up "$PID"
	run as_site timeout 20 "${RUN[@]}"
	[[ $output == *"run: port $PORT is in use; choose another:"* ]]
}

# usage: refuses MESSAGE
refuses() {
	run as_site timeout "$WAIT" "${RUN[@]}"
	echo "$output"
	[ "$status" -ne 0 ]
	# make adds a line of its own
	[ "$(grep -cv '^make' <<<"$output")" -eq 1 ]
	[[ $output == *"run: $1"* ]]
}

@test "make run names a build/run that is not its own, and stops" {
	local run=$SITE/build/run
	if [ "$(id -u)" -eq 0 ]; then
		touch "$run/token"
		refuses 'build/run/token belongs to root: remove build/run, or run as that user'
		chown root: "$run"
		refuses 'build/run belongs to root: remove build/run, or run as that user'
	fi
	rm -r "$run"
	touch "$run"
	refuses 'build/run is not a folder: remove it'
	rm "$run"
	chmod a-w "$SITE/build"
	refuses 'cannot make build/run: check who owns build'
	chmod u+w "$SITE/build"
}
