#!/bin/sh
# publish.sh: publish events; needs jq, and curl or sqlite3.
#
#     publish.sh http TOPIC DATA...    through the web server, with the token
#     publish.sh sql  TOPIC DATA...    into the log, on the same machine
#
# Prints the ids.  Several DATA are stored together or not at all.
set -eu

# All values travel in one JSON text, whatever characters are in them.
json() { # topic, data
	jq -nc '[$ARGS.positional[1:][] |
		{topic: $ARGS.positional[0], data: .}]' --args -- "$@"
}

# After a timeout it may be stored or not.  An event with a "key" of yours can
# be sent again: a key that is there adds nothing.
publish_http() {
	# The token comes in a file, as all users of a machine see command lines.
	answer=$(json "$@" | curl -sS -m 10 --fail-with-body --json @- \
		-H @/dev/fd/3 \
		"${ROWCAST_PUBLISH_URL:-http://127.0.0.1:8080/publish}" 3<<-END
			Authorization: Bearer $ROWCAST_PUBLISH_TOKEN
		END
	) || {
		printf '%s\n' "$answer" >&2 # says what to do
		return 1
	}
	printf '%s\n' "$answer" | jq '.ids[]'
}

# In SQL, a quote is doubled, and that is all there is to escape.  .timeout: wait
# up to 5 s for other writers.  What changes in tables of your own belongs before
# COMMIT: both are stored or neither.
publish_sql() {
	sqlite3 -batch -bail "${ROWCAST_DB:-build/run/events.db}" <<-END
		.timeout 5000
		BEGIN IMMEDIATE;
		INSERT INTO events(topic, data)
			SELECT value ->> 'topic', value ->> 'data'
			FROM json_each('$(json "$@" | sed "s/'/''/g")')
			RETURNING id;
		COMMIT;
	END
}

[ $# -ge 3 ] || set --
how=${1-}
case $how in
http | sql) shift ;;
*)
	echo 'usage: publish.sh http|sql TOPIC DATA...' >&2
	exit 2
	;;
esac
"publish_$how" "$@"
