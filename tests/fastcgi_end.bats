#!/usr/bin/env bats
# fastcgi_end.bats: SIGTERM, over FastCGI by hand: who is answered, and who is
# not waited for.

bats_require_minimum_version 1.5.0
load fastcgi

setup() {
	fastcgi_setup
}

teardown() {
	site_end
}

# Three connections by the time of SIGTERM: idle is kept and has had an answer,
# late has sent half of a request, fresh nothing.
#   usage: end_with HEX PID
end_with() {
	local before
	send idle "$(request 1 keep REQUEST_METHOD=HEAD)"
	take_answer idle 1
	before=$(descriptors "$2")
	connect late
	connect fresh
	send late "${1:0:40}"
	eventually has_descriptors $((before + 2)) "$2"
	kill "$2"
	closed_without_a_word idle
	send late "${1:40}"
	send fresh "$1"
}

@test "SIGTERM: who is asking is answered, who is idle is not waited for" {
	local name
	serve
	connect idle
	end_with "$(request 1)" "$RESPONDER_PID"
	for name in late fresh; do
		take_answer "$name" 1
		answered 200
		tail -n 2 "$T/answer" | grep -q '^retry: '
		closed_without_a_word "$name"
	done
	wait "$RESPONDER_PID"
}

# The publisher on a port of its own, open to all.
serve_publisher() {
	PORT=$(free_port)
	start publisher build/rowcast-publish.cgi --db "$DB" \
		--socket "127.0.0.1:$PORT" --publish-open
	PUBLISHER_PID=$PID
	up "$PID" publisher listens
}

# The beginning of a request to publish, and some of its body.
#   usage: post LENGTH TEXT
post() {
	local content
	content=$(pair REQUEST_METHOD=POST)$(pair CONTENT_TYPE=text/plain)
	content+=$(pair "CONTENT_LENGTH=$1")
	printf %s "$(begin)" "$(record PARAMS 1 "$content")" \
		"$(record PARAMS 1)" "$(record STDIN 1 "$(hex "$2")")"
}

@test "SIGTERM: the publisher takes what is being sent" {
	local name
	serve_publisher
	connect idle
	end_with "$(post 2 hi)$(record STDIN 1)" "$PUBLISHER_PID"
	for name in late fresh; do
		take_answer "$name" 1
		answered 201
		closed_without_a_word "$name"
	done
	wait "$PUBLISHER_PID"
	[ "$(sql "SELECT count(*) FROM events WHERE data = 'hi'")" -eq 2 ]
}

@test "SIGTERM: the publisher tells who is still sending at the end" {
	local name
	serve_publisher
	connect idle
	end_with "$(post 3 hi)" "$PUBLISHER_PID"
	for name in late fresh; do
		take_answer "$name" 1
		answered 503
	done
	wait "$PUBLISHER_PID"
}

WAITING=200

# So many connect and ask while a process stands still, more than it accepts in
# one go; then it is to end.  How many are answered STATUS?
#   usage: answered_at_end STATUS HEX PID
answered_at_end() {
	local fd
	bytes "$2" >"$T/request"
	kill -STOP "$3"
	while [ "${#FDS[@]}" -lt "$WAITING" ]; do
		connect "${#FDS[@]}"
		cat "$T/request" >&"${FDS[$((${#FDS[@]} - 1))]}"
	done
	kill "$3"
	kill -CONT "$3"
	for fd in "${FDS[@]}"; do
		timeout "$WAIT" cat <&"$fd" 2>/dev/null || : # a reset
	done >"$T/answers"
	grep -aco "Status: $1" "$T/answers"
}

@test "SIGTERM: who waits in the backlog is answered" {
	serve
	[ "$(answered_at_end 200 "$(request 1)" "$RESPONDER_PID")" -eq "$WAITING" ]
	wait "$RESPONDER_PID"
}

@test "SIGTERM: who waits in the publisher's backlog is answered" {
	serve_publisher
	[ "$(answered_at_end 201 "$(post 2 hi)$(record STDIN 1)" \
		"$PUBLISHER_PID")" -eq "$WAITING" ]
	wait "$PUBLISHER_PID"
}

@test "SIGTERM: the publisher takes who comes meanwhile on descriptor 0" {
	local all name
	needs perl
	all=$(post 2 hi)$(record STDIN 1)
	PORT=$(free_port)
	# shellcheck disable=SC2016 # perl's
	start publisher env ROWCAST_DB="$DB" ROWCAST_PUBLISH_OPEN=1 \
		perl -MIO::Socket::INET -e '
			my $s = IO::Socket::INET->new(Listen => 9,
				LocalAddr => shift) or die $@;
			open STDIN, "<&", $s or die $!;
			exec @ARGV' "127.0.0.1:$PORT" build/rowcast-publish.cgi
	PUBLISHER_PID=$PID
	up "$PID" publisher listens
	connect idle
	end_with "$all" "$PUBLISHER_PID"
	connect more
	send more "$all"
	for name in late fresh more; do
		take_answer "$name" 1
		answered 201
	done
	wait "$PUBLISHER_PID"
}
