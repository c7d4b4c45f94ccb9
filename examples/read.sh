#!/bin/sh
# read.sh: follow a stream with curl; the last id is kept in a file, so that the
# next run, too, goes on where this one ended.
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

# One connection: read what rowcast sends.
read_stream() {
	retry=3000 id='' event=message data=''
	while IFS= read -r line; do
		case $line in
		'id: '*) id=${line#id: } ;;
		'event: '*) event=${line#event: } ;;
		'data: '*) data=$data$newline${line#data: } ;;
		'retry: '*) retry=${line#retry: } ;;
		'') take ;;
		esac
	done
	# It ended, maybe inside an event: that one comes again.
	sleep "$(printf '%d.%03d' $((retry / 1000)) $((retry % 1000)))"
}

# A block is whole.  The id is kept after its event was dealt with: if this
# script dies between the two, that event comes twice, but none is lost.
take() {
	case $event in
	stream-gap) echo "gone: ${data#?}" >&2 ;;
	stream-reset) echo "another log: ${data#?}" >&2 ;;
	*) [ -z "$data" ] || printf '%s %s %s\n' "$id" "$event" "${data#?}" ;;
	esac
	[ -z "$id" ] || { echo "$id" >"$file.new" && mv "$file.new" "$file"; }
	id='' event=message data=''
}

while :; do
	last=$(cat "$file" 2>/dev/null)
	curl -sSNf ${last:+-H "Last-Event-ID: $last"} "$url" | read_stream
done
