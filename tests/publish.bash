# shellcheck shell=bash
# publish.bash: the publisher as a CGI process, without a web server.
#
#     load publish
#     @test "…" { request 'data=x' REMOTE_USER=me; answered 201 '{"id":1}'; }
#
# To a CGI program, a web server is variables, a body on descriptor 0 and a
# reader on descriptor 1.  This file provides the three.

load helpers

FORM=application/x-www-form-urlencoded
JSON=application/json
PLAIN=text/plain

setup() {
	publish_setup
}

publish_setup() {
	needs "${BASICS[@]}"
	PUBLISHER=$BUILD/rowcast-publish.cgi
	[ -x "$PUBLISHER" ] || {
		echo "$PUBLISHER is missing: run make" >&2
		return 1
	}
	HOME_OF_LOG=$BATS_TEST_TMPDIR/log
	mkdir "$HOME_OF_LOG"
	DB=$HOME_OF_LOG/events.db
	T=$BATS_TEST_TMPDIR
	OPTIONS=()
	AS=()
}

# ---- one request ------------------------------------------------------------

# Run the publisher on the body in $T/body.
#   usage: request_file [NAME=VALUE | -NAME]…
# NAME=VALUE sets a variable, -NAME removes one.  Sets STATUS, HEAD and
# ANSWER (files), COMPLAINT (file), RC.  OPTIONS is the command line, AS the
# command that runs the program.
request_file() {
	local -A vars=(
		[GATEWAY_INTERFACE]=CGI/1.1 [REQUEST_METHOD]=POST
		[CONTENT_TYPE]=$FORM [QUERY_STRING]=''
		[CONTENT_LENGTH]=$(wc -c <"$T/body")
		[ROWCAST_DB]=$DB [ROWCAST_PUBLISH_OPEN]=1
	)
	local arg name list=()
	for arg in "$@"; do
		case $arg in
		-*) unset "vars[${arg#-}]" ;;
		*) vars[${arg%%=*}]=${arg#*=} ;;
		esac
	done
	for name in "${!vars[@]}"; do
		list+=("$name=${vars[$name]}")
	done
	HEAD=$T/head ANSWER=$T/answer COMPLAINT=$T/complaint
	RC=0
	"${AS[@]}" env -i "${list[@]}" "$PUBLISHER" "${OPTIONS[@]}" \
		<"$T/body" >"$T/response" 2>"$COMPLAINT" 3>&- || RC=$?
	sed '/^\r$/,$d' "$T/response" >"$HEAD"
	sed '1,/^\r$/d' "$T/response" >"$ANSWER"
	STATUS=$(header "$HEAD" Status)
	STATUS=${STATUS%% *}
	cat "$COMPLAINT" "$T/response"
}

# usage: request BODY [NAME=VALUE | -NAME]…
request() {
	printf %s "$1" >"$T/body"
	shift
	request_file "$@"
}

# Succeeds if the answer has this status and this JSON.
#   usage: answered STATUS JSON
answered() {
	[ "$RC" -eq 0 ]
	[ "$STATUS" -eq "$1" ]
	[ "$(header "$HEAD" Content-Type)" = application/json ]
	[ "$(header "$HEAD" Cache-Control)" = no-store ]
	[ "$(header "$HEAD" Content-Length)" -eq "$(wc -c <"$ANSWER")" ]
	[ "$(cat "$ANSWER")" = "$2" ]
}

# Query the log with the sqlite3 shell.
rows() {
	sqlite3 -cmd '.timeout 5000' "$DB" "$@"
}

count() {
	rows 'SELECT count(*) FROM events'
}

# Succeeds if there is no log, or an empty one.
nothing_stored() {
	[ ! -e "$DB" ] || [ "$(count)" -eq 0 ]
}
