# shellcheck shell=bash
# fastcgi.bash: FastCGI records written by hand, to a responder without a web
# server.
#
#     load fastcgi
#     @test "…" { serve; connect a; send a "$(request)"; take a; }
#
# Bytes are written as hex digits, because a shell variable cannot hold NUL.  A
# connection has a name; its descriptor is in FDS[name].

load helpers

# FastCGI 1.0, section 8
NAMES=(
	[1]=BEGIN [2]=ABORT [3]=END [4]=PARAMS [5]=STDIN [6]=STDOUT [8]=DATA
	[9]=GET_VALUES [10]=GET_VALUES_RESULT [11]=UNKNOWN_TYPE
)

setup() {
	fastcgi_setup
}

fastcgi_setup() {
	site_new
	# On a busy machine, a request of single bytes, a pause between two events
	# and the time until a client reads take long.
	export ROWCAST_REQUEST_TIMEOUT_S=600 ROWCAST_KEEPALIVE_S=600 \
		ROWCAST_STALL_S=600
	WIRE=$BUILD/tests/tools/wire
	[ -x "$WIRE" ] || {
		echo "$WIRE is missing: run make check-build" >&2
		return 1
	}
	declare -gA FDS=()
}

# Start the responder on a free port.
#   usage: serve [OPTION…]
serve() {
	PORT=$(free_port)
	start_responder --socket "127.0.0.1:$PORT" "$@"
	up "$RESPONDER_PID" responder listens
}

listens() {
	(: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
}

# Start the publisher on a free port, without a token.
#   usage: serve_publisher [OPTION…]
serve_publisher() {
	PORT=$(free_port)
	start publisher build/rowcast-publish.cgi --db "$DB" \
		--socket "127.0.0.1:$PORT" --publish-open "$@"
	PUBLISHER_PID=$PID
	up "$PID" publisher listens
}

# ---- writing ----------------------------------------------------------------

hex() {
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}

# Print a record.  TYPE is a name or a number.
#   usage: record TYPE ID [CONTENT [PADDING]]
record() {
	local type=$1 content=${3:-} padding=${4:-0} pad='' n
	for n in "${!NAMES[@]}"; do
		[ "${NAMES[n]}" != "$1" ] || type=$n
	done
	[ "$padding" -eq 0 ] || printf -v pad '%0*d' $((2 * padding)) 0
	printf '01%02x%04x%04x%02x00%s%s' "$type" "$2" $((${#content} / 2)) \
		"$padding" "$content" "$pad"
}

# Print BEGIN_REQUEST.
#   usage: begin [ID [FLAGS [ROLE]]]
# FLAGS is a number or "keep".
begin() {
	local flags=${2:-0}
	[ "$flags" != keep ] || flags=1
	record BEGIN "${1:-1}" \
		"$(printf '%04x%02x0000000000' "${3:-1}" "$flags")"
}

# Print a name and a value as in PARAMS.
#   usage: pair NAME=VALUE
pair() {
	local name=${1%%=*} value=${1#*=} n
	for n in ${#name} ${#value}; do
		if ((n < 128)); then
			printf %02x "$n"
		else
			printf %08x $((n | 0x80000000))
		fi
	done
	hex "$name$value"
}

# Print a whole request.
#   usage: request [ID [FLAGS [NAME=VALUE]…]]
# Without variables, it is a GET of all events.
request() {
	local id=${1:-1} flags=${2:-0} content='' var
	shift $(($# < 2 ? $# : 2))
	[ $# -gt 0 ] || set -- REQUEST_METHOD=GET QUERY_STRING=
	for var in "$@"; do
		content+=$(pair "$var")
	done
	printf %s "$(begin "$id" "$flags")" "$(record PARAMS "$id" "$content")" \
		"$(record PARAMS "$id")" "$(record STDIN "$id")"
}

# Print a request to publish, whose body may be shorter than LENGTH.
#   usage: publishing LENGTH TEXT [FLAGS [TYPE]]
publishing() {
	local content
	content=$(pair REQUEST_METHOD=POST)
	content+=$(pair "CONTENT_TYPE=${4:-text/plain}")
	content+=$(pair "CONTENT_LENGTH=$1")
	printf %s "$(begin 1 "${3:-0}")" "$(record PARAMS 1 "$content")" \
		"$(record PARAMS 1)" "$(record STDIN 1 "$(hex "$2")")"
}

# Print the bytes of hex digits.
bytes() {
	# shellcheck disable=SC2001,SC2059 # the format is what is printed
	printf "$(sed 's/../\\x&/g' <<<"$1")"
}

# ---- connections ------------------------------------------------------------

connect() {
	local fd
	exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
	FDS[$1]=$fd
}

disconnect() {
	local fd=${FDS[$1]}
	exec {fd}>&-
	unset "FDS[$1]"
}

# usage: send NAME HEX
send() {
	(bytes "$2") >&"${FDS[$1]}" # SIGPIPE must not end the test
}

# Read one record.  Sets TYPE, ID and PADDING, and the file $T/content; fails if
# none arrives.
take() {
	local fd=${FDS[$1]} header len
	header=$(timeout "$WAIT" head -c 8 <&"$fd" | od -An -v -tx1 |
		tr -d ' \n')
	[ "${#header}" -eq 16 ] || return 1
	[ "${header:0:2}" = 01 ] || return 1
	TYPE=$((16#${header:2:2}))
	TYPE=${NAMES[TYPE]:-$TYPE}
	ID=$((16#${header:4:4}))
	len=$((16#${header:8:4})) PADDING=$((16#${header:12:2}))
	timeout "$WAIT" head -c $((len + PADDING)) <&"$fd" >"$T/content"
	[ "$(wc -c <"$T/content")" -eq $((len + PADDING)) ]
}

content_hex() {
	od -An -v -tx1 "$T/content" | tr -d ' \n'
}

# Read the records of a request until its end.  $T/answer gets the content of
# STDOUT.
#   usage: take_answer NAME ID
take_answer() {
	local is_over=
	: >"$T/answer"
	while take "$1"; do
		[ "$ID" -eq "$2" ] && [ "$PADDING" -eq 0 ] || return 1
		case $TYPE in
		STDOUT)
			[ -z "$is_over" ] || return 1
			[ -s "$T/content" ] || is_over=1
			cat "$T/content" >>"$T/answer"
			;;
		END)
			[ -n "$is_over" ] &&
				[ "$(content_hex)" = 0000000000000000 ]
			return
			;;
		*) return 1 ;;
		esac
	done
	return 1
}

answered() {
	head -n 1 "$T/answer" | grep -q "^Status: $1"
}

# Succeeds if the peer closes the connection, within WAIT seconds or less.
# $T/rest gets what it sent before.
#   usage: closed NAME [SECONDS]
closed() {
	cat <&"${FDS[$1]}" >"$T/rest" 2>"$T/rest.err" 3>&- &
	wait_until "${2:-$WAIT}" gone "$!" && return
	kill "$!"
	return 1
}

closed_without_answer() {
	closed "$@"
	[ ! -s "$T/rest" ]
}

# ---- streams ----------------------------------------------------------------

# Open a stream and read its first record.
#   usage: open NAME [ID [FLAGS]]
open() {
	connect "$1"
	send "$1" "$(request "${2:-1}" "${3:-0}")"
	take "$1"
	[ "$TYPE" = STDOUT ]
	[ "$ID" -eq "${2:-1}" ]
	grep -q '^Status: 200' "$T/content"
}

# Publish an event; it must arrive on a stream within 3 s.
#   usage: brings NAME TEXT
brings() {
	sql "INSERT INTO events(data) VALUES('$2')"
	take_until "$1" "^data: $2\$" 3>&- &
	STARTED+=("$!")
	# well below any timeout of the responder
	wait_until 3 gone "$!"
	wait "$!"
}

# Read records until one has a line like this.
take_until() {
	while take "$1"; do
		[ "$TYPE" = STDOUT ] || return 1
		! grep -q "$2" "$T/content" || return 0
	done
	return 1
}

# Succeeds if the responder has this number of descriptors open.
has_descriptors() {
	[ "$(descriptors "$RESPONDER_PID")" -eq "$1" ]
}

# Print the CPU time of a process in ticks.
ticks() {
	local stat
	read -r stat <"/proc/$1/stat"
	# shellcheck disable=SC2086 # words; the name before them has none
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}
