# shellcheck shell=bash
# publish.bash: filters and publishers of a soak.  tests/soak/run sources it
# behind oracle.bash.

# Set the filters and topics.  Clients take the filters in turn.
soak_filters() {
	local i
	ORACLE_FILTERS=(
		'' 'topic:news' 'prefix:orders/' 'prefix:users/ topic:news'
		'event:tick' 'topic:orders/1 event:alert event:message'
		'event:alert event:message' 'prefix:users/1' 'prefix:nobody/'
		'prefix:users/ topic:news event:tick' 'topic:orders topic:'
	)
	ORACLE_TOPICS=(news '' orders)
	for ((i = 1; i <= 20; i++)); do
		ORACLE_FILTERS+=("topic:users/$i")
		ORACLE_TOPICS+=("users/$i")
	done
	for ((i = 1; i <= 9; i++)); do
		ORACLE_FILTERS+=("topic:orders/$i topic:news")
		ORACLE_TOPICS+=("orders/$i")
	done
}

# Write filters.tsv for the judge.  Sets QUERIES.
soak_queries() {
	local i word query
	QUERIES=()
	: >"$O/filters.tsv"
	for i in "${!ORACLE_FILTERS[@]}"; do
		query=
		printf '%s\tall\t\n' "$i" >>"$O/filters.tsv"
		for word in ${ORACLE_FILTERS[i]} ${ORACLE_FILTERS[i]:+mark}; do
			oracle_word "$i" "$word"
		done
		QUERIES+=("${query#&}")
	done
}

# ---- publishers -------------------------------------------------------------

soak_publishers() {
	PUBLISHERS=()
	rm -f "$O/stop"
	publisher_of web 0.4
	publisher_of cgi 0.8
	publisher_of sql 0.8
	publish_volume &
	PUBLISHERS+=($!)
	STARTED+=("${PUBLISHERS[@]}")
}

# usage: publisher_of web|cgi|sql PAUSE
publisher_of() {
	publish_for "$@" >>"$LOGS/publishers" 2>&1 &
	PUBLISHERS+=($!)
}

# Make the event of a number.  Sets TOPIC, NAME, DATA.
soak_event() {
	TOPIC=${ORACLE_TOPICS[$2 * 7 % ${#ORACLE_TOPICS[@]}]}
	NAME=${ORACLE_NAMES[$2 * 5 % ${#ORACLE_NAMES[@]}]}
	DATA=$1-$2
	if (($2 % 150)); then
		printf -v DATA "%s%*s" "$DATA" $(($2 % 40 * 5)) .
	else
		printf -v DATA '%s%5000s' "$DATA" .
	fi
}

publish_for() {
	local n=0 source=$1$ROUND
	while [ ! -e "$O/stop" ]; do
		n=$((n + 1))
		soak_event "$source" "$n"
		until "publish_$1" "$source-$n" "$TOPIC" "$NAME" "$DATA"; do
			[ ! -e "$O/give-up" ] || return
			sleep 0.2
		done
		echo "$source-$n" >>"$O/acks.tsv"
		sleep "$2"
	done
}

# Publish lines of JSON, eight in each request.
publish_volume() {
	local n=1
	while [ ! -e "$O/stop" ]; do
		publish_lines "volume$ROUND" "$n" 8 || return
		n=$((n + 8))
		sleep 1
	done
}

publish_burst() {
	publish_lines "burst$1" 1 "$2"
}

# Publish lines, and repeat the request until they are stored.
#   usage: publish_lines SOURCE FIRST COUNT
publish_lines() {
	local n status body=$O/$1.body
	: >"$body"
	for ((n = $2; n < $2 + $3; n++)); do
		soak_event "$1" "$n"
		printf '{"key":"%s-%s","topic":"%s","event":"%s","data":"%s"}\n' \
			"$1" "$n" "$TOPIC" "$NAME" "$DATA" >>"$body"
	done
	until
		status=$(curl -s -m 20 -o "$body.answer" -w '%{http_code}' \
			-H "Authorization: Bearer $TOKEN" \
			-H 'Content-Type: application/x-ndjson' \
			--data-binary "@$body" "$URL/publish")
		stored "$1" "$status"
	do
		[ ! -e "$O/give-up" ] || return
		sleep 0.3
	done
	for ((n = $2; n < $2 + $3; n++)); do
		echo "$1-$n"
	done >>"$O/acks.tsv"
}
