#!/bin/sh
# publish.sh: publish events; needs jq, and curl or sqlite3.
#
#     publish.sh http TOPIC DATA...    through the web server, with the token
#     publish.sh sql  TOPIC DATA...    into the log, on the same machine
#
# Prints the ids.  Several DATA are stored together or not at all.
set -eu

# Print the events as one JSON text, which may hold any characters.
json() { # topic, data
	jq -nc '[$ARGS.positional[1:][] |
		{topic: $ARGS.positional[0], data: .}]' --args -- "$@"
}

# After a timeout, the events may or may not be stored.  Give an event a "key",
# and you can safely send it again.
publish_http() {
	# Pass the token in a file: all users of a machine can see command
	# lines.
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

# In an SQL string, only quotes need escaping: they are doubled.  .timeout waits
# up to 5 s for other writers.  Put changes of your own tables before COMMIT, so
# that both are stored or neither.
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
