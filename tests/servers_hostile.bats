#!/usr/bin/env bats
# The example configurations on real web servers, against pages and clients that
# mean harm.  The checks are in hostile.bash.

load helpers
load servers
load hostile

# ---- names, origins, frames, the token, compression -------------------------

@test "lighttpd: other names are refused, and frames" {
	serve lighttpd
	answers_its_names
	frames_no_page
}

@test "Apache: other names are refused, and frames" {
	serve apache
	answers_its_names
	frames_no_page
}

@test "nginx: other names are refused, and frames" {
	serve nginx
	answers_its_names
	frames_no_page
}

@test "Caddy: other names are refused, and frames" {
	serve caddy
	answers_its_names
	frames_no_page
}

@test "lighttpd: pages of other origins publish nothing" {
	serve lighttpd
	compares_origins
}

@test "Apache: pages of other origins publish nothing" {
	serve apache
	compares_origins
}

@test "nginx: pages of other origins publish nothing" {
	serve nginx
	compares_origins
}

@test "Caddy: pages of other origins publish nothing" {
	serve caddy
	compares_origins
}

# The other servers start no programs.
@test "lighttpd: the responder has no token" {
	serve lighttpd
	keeps_token
}

@test "lighttpd, plain CGI: the responder has no token" {
	serve lighttpd-cgi
	keeps_token
}

@test "Apache, plain CGI: the responder has no token" {
	serve apache-cgi
	keeps_token
}

@test "systemd: only the publisher's unit reads the file of the token" {
	local units=$ROOT/packaging/systemd
	grep -q 'rowcast-publish$' "$units/rowcast-publish.service"
	run ! grep -E 'TOKEN|default/rowcast-publish' "$units/rowcast.service"
}

@test "lighttpd: streams are not compressed" {
	[ -e /usr/lib/lighttpd/mod_deflate.so ] ||
		skip 'mod_deflate of lighttpd is not installed'
	{
		cat "$SITE/lighttpd-example.conf"
		echo 'server.modules += ( "mod_deflate" )'
		echo 'deflate.mimetypes = ( "" )'
		echo 'deflate.allowed-encodings = ( "gzip" )'
	} >"$SITE/deflate.conf"
	start_lighttpd deflate.conf
	export KIND=lighttpd
	wait_until "$WAIT" log_is_there
	compresses_no_stream
	compresses_pages
}

@test "Apache: streams are not compressed" {
	{
		cat "$SITE/apache-example.conf"
		for module in filter deflate; do
			echo "LoadModule ${module}_module \${MODULES}/mod_$module.so"
		done
		echo 'SetOutputFilter DEFLATE'
	} >"$SITE/deflate.conf"
	start_responder
	start_apache deflate.conf
	compresses_no_stream
	compresses_pages
}

@test "nginx: streams are not compressed" {
	sed 's/^http {/&\ngzip on; gzip_types *; gzip_min_length 1;/' \
		"$SITE/nginx-example.conf" >"$SITE/gzip.conf"
	start_responder
	start_nginx gzip.conf
	compresses_no_stream
	compresses_pages
}

@test "Caddy: streams are not compressed" {
	serve caddy
	compresses_no_stream
	compresses_pages
}

# ---- clients that leave -----------------------------------------------------

# 64 threads instead of 1,024, so that fewer streams are enough.
@test "Apache: a client that opens and leaves streams does not stop the site" {
	sed -i -e 's/^MaxRequestWorkers .*/MaxRequestWorkers 64/' \
		-e 's/^ServerLimit .*/ServerLimit 1/' \
		-e 's/^StartServers .*/StartServers 1/' "$SITE/apache-example.conf"
	[ "$(recommended apache)" = '--keepalive-s 2' ]
	serve apache --keepalive-s 2
	opens_and_leaves 64
	# at most 4 s
	wait_until "$WAIT" answers
	opens_and_leaves 64
	wait_until "$WAIT" answers
	wait_until "$WAIT" has_descriptors_at_most "$RESPONDER_PID" 40
}

@test "Caddy: clients that disconnect are noticed with the example's keepalive" {
	[ "$(recommended caddy)" = '--keepalive-s 5' ]
	serve caddy --keepalive-s 5
	notices_leavers "$WAIT"
}
