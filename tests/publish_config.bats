#!/usr/bin/env bats
# publish_config.bats: options of the publisher, and other origins.

load publish
STATUS= # set by request()

# ---- other origins ----------------------------------------------------------

PREFLIGHT=(REQUEST_METHOD=OPTIONS -CONTENT_TYPE -CONTENT_LENGTH
	HTTP_ACCESS_CONTROL_REQUEST_METHOD=POST)

@test "a preflight of a listed origin is answered 204, without access" {
	request '' "${PREFLIGHT[@]}" -ROWCAST_PUBLISH_OPEN \
		'ROWCAST_CORS_ORIGINS=https://b.example  https://a.example:8443' \
		HTTP_ORIGIN=https://a.example:8443
	[ "$STATUS" -eq 204 ]
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = \
		https://a.example:8443 ]
	[ "$(header "$HEAD" Access-Control-Allow-Credentials)" = true ]
	[ "$(header "$HEAD" Access-Control-Allow-Methods)" = "POST, PUT" ]
	[ "$(header "$HEAD" Access-Control-Allow-Headers)" = \
		'Authorization, Content-Type' ]
	[ "$(header "$HEAD" Vary)" = Origin ]
	[ ! -s "$ANSWER" ]
}

@test "a preflight of another origin gets no CORS headers" {
	request '' "${PREFLIGHT[@]}" ROWCAST_CORS_ORIGINS=https://a.example \
		HTTP_ORIGIN=https://b.example
	[ "$STATUS" -eq 204 ]
	[ "$(header "$HEAD" Allow)" = 'POST, PUT, OPTIONS' ]
	run ! grep -i '^Access-Control' "$HEAD"
	[ "$(header "$HEAD" Vary)" = Origin ]
	request '' "${PREFLIGHT[@]}" HTTP_ORIGIN=https://b.example
	run ! grep -i '^Access-Control' "$HEAD"
}

@test "receipts and problems can be read by a listed origin" {
	request 'data=x' ROWCAST_CORS_ORIGINS=https://a.example \
		HTTP_ORIGIN=https://a.example
	answered 201 '{"id":1}'
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = https://a.example ]
	[ "$(header "$HEAD" Access-Control-Allow-Credentials)" = true ]
	request 'data=x' ROWCAST_CORS_ORIGINS=https://a.example \
		HTTP_ORIGIN=https://a.example -ROWCAST_PUBLISH_OPEN
	refused 403 ROWCAST_PUBLISH_TOKEN
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = https://a.example ]
	[ "$(header "$HEAD" Vary)" = Origin ]
}

@test "'*' allows any origin, without credentials" {
	request 'data=x' 'ROWCAST_CORS_ORIGINS=* https://a.example' \
		HTTP_ORIGIN=https://b.example
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = '*' ]
	run ! grep -i '^Access-Control-Allow-Credentials' "$HEAD"
	request 'data=x' 'ROWCAST_CORS_ORIGINS=* https://a.example' \
		HTTP_ORIGIN='*'
	run ! grep -i '^Access-Control-Allow-Credentials' "$HEAD"
	request 'data=x' 'ROWCAST_CORS_ORIGINS=* https://a.example' \
		HTTP_ORIGIN=https://a.example
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = https://a.example ]
	[ "$(header "$HEAD" Access-Control-Allow-Credentials)" = true ]
}

# ---- options ----------------------------------------------------------------

# usage: misconfigured TEXT
misconfigured() {
	[ "$RC" -eq 2 ]
	refused 500 'not set up'
	grep -qF "config: $1" "$COMPLAINT"
	[ "$(wc -l <"$COMPLAINT")" -eq 1 ]
	[ ! -e "$DB" ]
}

@test "without ROWCAST_DB, the message says what to set" {
	request 'data=x' -ROWCAST_DB
	misconfigured 'no log is named: set ROWCAST_DB'
	request 'data=x' ROWCAST_DB=
	misconfigured 'no log is named: set ROWCAST_DB'
}

@test "a bad value is refused before anything is opened, and named" {
	local value
	for value in 0 -1 1k '1 ' 268435457 99999999999999999999; do
		request 'data=x' ROWCAST_MAX_BODY_BYTES="$value"
		misconfigured "ROWCAST_MAX_BODY_BYTES: '$value' is not a whole number"
	done
	for value in -1 +1 1.5 600001; do
		request 'data=x' ROWCAST_BUSY_MS="$value"
		misconfigured "ROWCAST_BUSY_MS: '$value' is not a whole number"
	done
	request 'data=x' ROWCAST_PUBLISH_OPEN=yes
	misconfigured ROWCAST_PUBLISH_OPEN
	request 'data=x' ROWCAST_PUBLISH_TOKEN='a b'
	misconfigured ROWCAST_PUBLISH_TOKEN
	run ! grep -F 'a b' "$COMPLAINT"
	for value in https://a.example/ a.example 'https://a.example,' null \
		https://A.example https:// ://a $'https://a\r\nX:b'; do
		request 'data=x' ROWCAST_CORS_ORIGINS="$value"
		misconfigured ROWCAST_CORS_ORIGINS
	done
}

@test "64 origins may be listed, not 65" {
	local list
	printf -v list 'https://%d.example ' {1..64}
	request 'data=x' ROWCAST_CORS_ORIGINS="$list" \
		HTTP_ORIGIN=https://64.example
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = https://64.example ]
	rm "$DB"*
	request 'data=x' ROWCAST_CORS_ORIGINS="$list https://65.example"
	misconfigured 'ROWCAST_CORS_ORIGINS: more than 64 origins'
}

@test "the command line of a CGI process is ignored: a client may set it" {
	OPTIONS=(--help)
	request 'data=x'
	answered 201 '{"id":1}'
	OPTIONS=(--db "$T/other.db" --publish-open)
	request 'data=x' -ROWCAST_PUBLISH_OPEN
	refused 403 ROWCAST_PUBLISH_TOKEN
	[ ! -e "$T/other.db" ]
}

@test "without a web server, options have precedence over the environment" {
	OPTIONS=(--db "$T/other.db" --publish-open --max-body-bytes=10
		--busy-ms 1 --cors-origin https://b.example
		--cors-origin https://c.example)
	request 'data=x' -GATEWAY_INTERFACE -ROWCAST_PUBLISH_OPEN \
		ROWCAST_CORS_ORIGINS=https://a.example \
		HTTP_ORIGIN=https://c.example
	answered 201 '{"id":1}'
	[ "$(header "$HEAD" Access-Control-Allow-Origin)" = https://c.example ]
	[ -e "$T/other.db" ] && [ ! -e "$DB" ]
	request 'data=x' -GATEWAY_INTERFACE CONTENT_LENGTH=11 \
		ROWCAST_CORS_ORIGINS=https://a.example \
		HTTP_ORIGIN=https://a.example HTTP_HOST=a.example
	refused 413 'longer than 10 bytes, the limit of --max-body-bytes.'
	run ! grep -i '^Access-Control' "$HEAD"
}

@test "unknown options and arguments are refused" {
	local option
	for option in --nonsense --db --publish-token=x --publish-open=1 -xyz x \
		--max; do
		OPTIONS=("$option")
		request 'data=x' -GATEWAY_INTERFACE
		misconfigured ''
		grep -qF -- "${option%=*}" "$COMPLAINT"
	done
	# the message does not repeat a possible token
	OPTIONS=(--publish-token=secret)
	request 'data=x' -GATEWAY_INTERFACE
	misconfigured '--publish-token: unknown option'
	run ! grep -F secret "$COMPLAINT"
	# nor does it suggest --publish-open
	run ! grep 'token: .*open' "$COMPLAINT"
}

@test "mistakes are reported in the words of the responder" {
	local option message program
	while IFS=$'\t' read -r option message; do
		for program in "$BUILD/rowcast.fcgi" "$PUBLISHER"; do
			# shellcheck disable=SC2086 # several words
			run -2 env -i "$program" $option </dev/null
			[ "$output" = "${program##*/}: config: $message" ] ||
				[ "$output" = "${program##*/}: config: $message; see '${program##*/} --help'" ]
		done
	done <<-END
		-xyz	-xyz: unknown option
		--socket	--socket: needs a value: --socket PATH|HOST:PORT
		--syslog=1	--syslog: takes no value
		--socket-mode=8	--socket-mode: '8' is not an octal number from 0 to 777
		--no=1	--no: unknown option
		words	'words': unexpected argument: --db names the log
	END
}

@test "an empty variable counts as not set" {
	request 'data=x' ROWCAST_SOCKET_MODE= ROWCAST_BUSY_MS= \
		ROWCAST_CORS_ORIGINS= ROWCAST_SYNCHRONOUS= ROWCAST_SYSLOG=
	answered 201 '{"id":1}'
}

@test "--help and --version that cannot be written are failures" {
	local option program
	[ -w /dev/full ] || skip 'there is no /dev/full'
	for program in "$BUILD/rowcast.fcgi" "$PUBLISHER"; do
		for option in --help --version; do
			"$program" "$option" >/dev/full 2>"$T/said" && return 1
			[ "$(cat "$T/said")" = \
				"${program##*/}: config: standard output: No space left on device" ]
		done
	done
}

@test "--help and --version" {
	run -0 env -i "$PUBLISHER" --help </dev/null
	[[ $output == Usage:* ]]
	[[ $output == *ROWCAST_PUBLISH_TOKEN* ]]
	run -0 env -i "$PUBLISHER" --version </dev/null
	[[ $output =~ ^rowcast-publish\.cgi\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "started by hand, it prints that a web server starts it" {
	request '' -GATEWAY_INTERFACE -REQUEST_METHOD
	[ "$RC" -eq 2 ]
	grep -q 'no web server has started this program: give --socket PATH' \
		"$COMPLAINT"
	[ ! -s "$T/response" ]
}
