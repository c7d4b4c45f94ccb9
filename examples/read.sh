#!/bin/sh
# read.sh: follow a stream with curl.  The last id is kept in a file, so that
# the next run continues where this one ended.
#
#     read.sh URL FILE      http://127.0.0.1:8080/events?topic=news news.id
#
# Prints "ID NAME DATA" for each event.
set -u

[ $# -eq 2 ] || {
	echo 'usage: read.sh URL FILE' >&2
	exit 2
}
url=$1
file=$2
newline='
'

# Is this a whole number that the shell can compute with?  Never compute with
# text from outside: $((...)) would run commands that stand in it.
is_number() {
	case $1 in
	'' | *[!0-9]* | 0?* | ?????????????????*) return 1 ;;
	esac
}

# Read one connection.
read_stream() {
	retry=3000 id='' event=message data=''
	while IFS= read -r line; do
		case $line in
		'id: '*) is_number "${line#id: }" && id=${line#id: } ;;
		'event: '*) event=${line#event: } ;;
		'data: '*) data=$data$newline${line#data: } ;;
		'retry: '*) is_number "${line#retry: }" && retry=${line#retry: } ;;
		'') take ;;
		esac
	done
	# If the stream ended inside an event, that event arrives again.
	sleep "$(printf '%d.%03d' $((retry / 1000)) $((retry % 1000)))"
}

# Handle a complete block.  The id is stored after its event was printed: if
# this script dies between the two, the event arrives twice, but none is lost.
take() {
	case $event in
	stream-gap) printf 'gone: %s\n' "${data#?}" >&2 ;;
	stream-reset) printf 'another log: %s\n' "${data#?}" >&2 ;;
	*) [ -z "$data" ] || printf '%s %s %s\n' "$id" "$event" "${data#?}" ;;
	esac
	[ -z "$id" ] || { echo "$id" >"$file.new" && mv "$file.new" "$file"; }
	id='' event=message data=''
}

while :; do
	last=$(cat "$file" 2>/dev/null)
	curl -sSNf ${last:+-H "Last-Event-ID: $last"} "$url" | read_stream
done
