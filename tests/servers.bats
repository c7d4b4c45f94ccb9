#!/usr/bin/env bats
# The example configurations on real web servers: lighttpd, Apache, nginx,
# Caddy, and lighttpd and Apache with plain CGI.  The checks are in
# servers.bash.
# shellcheck disable=SC2153 # STATUS of servers.bash, status of bats

load helpers
load servers

# ---- lighttpd ---------------------------------------------------------------

# bats test_tags=quick
@test "lighttpd: a stream opens with the right headers" {
	serve lighttpd
	opens
}

# bats test_tags=quick
@test "lighttpd: a row inserted by sqlite3 arrives" {
	serve lighttpd
	brings_a_row
}

# bats test_tags=quick
@test "lighttpd: an event is published over HTTP" {
	serve lighttpd
	publishes
}

# bats test_tags=quick
@test "lighttpd: publishing needs the token" {
	serve lighttpd
	refuses_strangers
}

@test "lighttpd: without a token in the environment publishing is refused" {
	unset ROWCAST_PUBLISH_TOKEN
	serve lighttpd
	post -d data=x -H 'Authorization: Bearer '
	[ "$STATUS" -eq 401 ] || [ "$STATUS" -eq 403 ]
	post_with_token -d data=x
	[ "$STATUS" -eq 401 ] || [ "$STATUS" -eq 403 ]
}

@test "lighttpd: Basic authentication instead of the token" {
	unset ROWCAST_PUBLISH_TOKEN
	use_basic lighttpd-example.conf basic.conf
	start_lighttpd basic.conf
	takes_a_password
}

# bats test_tags=quick
@test "lighttpd: a client that reconnects gets the events it missed" {
	serve lighttpd
	resumes
}

@test "lighttpd: clients that disconnect are noticed at once" {
	serve lighttpd
	notices_leavers 8
}

@test "lighttpd: killing responders loses and repeats no event" {
	serve lighttpd
	survives_kill
}

@test "lighttpd: while the responder is down, clients are told to reconnect" {
	serve lighttpd
	loses_responders
	tells_to_come_back
	mv "$SITE/build/rowcast.old" "$SITE/build/rowcast.fcgi"
	eventually is_respawned
}

@test "lighttpd: pages of listed origins are told to reconnect, too" {
	use_cors lighttpd-example.conf cors.conf
	start_lighttpd cors.conf
	loses_responders
	tells_listed_origins
}

@test "lighttpd: it logs no error when the responder ends" {
	serve lighttpd
	ends_in_peace
}

@test "lighttpd: an origin that may listen may not publish" {
	use_cors lighttpd-example.conf cors.conf
	start_lighttpd cors.conf
	KIND=lighttpd
	eventually log_is_there
	lets_listen_only https://app.example
}

@test "lighttpd: origins in its own environment may listen but not publish" {
	export ROWCAST_CORS_ORIGINS=https://app.example
	serve lighttpd
	lets_listen_only https://app.example
}

# ---- Apache -----------------------------------------------------------------

@test "Apache: a stream opens with the right headers" {
	serve apache
	opens
}

@test "Apache: a row inserted by sqlite3 arrives" {
	serve apache
	brings_a_row
}

@test "Apache: an event is published over HTTP" {
	serve apache
	publishes
}

@test "Apache: publishing needs the token" {
	serve apache
	refuses_strangers
}

@test "Apache: Basic authentication instead of the token" {
	unset ROWCAST_PUBLISH_TOKEN
	start_responder
	start_publisher
	use_basic apache-example.conf basic.conf
	sed -i -e '/<Location "\/publish">/,/<\/Location>/s/Require all granted//' \
		"$SITE/basic.conf"
	for module in auth_basic authn_core authn_file authz_user; do
		echo "LoadModule ${module}_module \${MODULES}/mod_$module.so"
	done >>"$SITE/basic.conf"
	start_apache basic.conf
	takes_a_password
}

@test "Apache: a client that reconnects gets the events it missed" {
	serve apache
	resumes
}

@test "Apache: clients that disconnect are noticed at the next keepalives" {
	serve apache --keepalive-s 1
	notices_leavers 20
}

# Debian's apache2.conf denies access to the folder of the installed file.
@test "Apache: clients are told to reconnect on a site that denies all folders" {
	{
		printf '<Directory />\nRequire all denied\n</Directory>\n'
		cat "$SITE/apache-example.conf"
	} >"$SITE/denied.conf"
	sed -i 's|"web/rowcast-away.asis"|"away/rowcast-away.asis"|' \
		"$SITE/denied.conf"
	mkdir "$SITE/away"
	cp "$SITE/web/rowcast-away.asis" "$SITE/away"
	chmod -R a+rX "$SITE/away"
	start_apache denied.conf
	tells_to_come_back
}

@test "Apache: killing responders loses and repeats no event" {
	serve apache
	survives_kill
}

@test "Apache: it logs no error when the responder ends" {
	serve apache
	ends_in_peace
}

@test "Apache: while the responder is down, clients are told to reconnect" {
	serve apache
	says_come_back
}

@test "Apache: pages of listed origins are told to reconnect, too" {
	use_cors apache-example.conf cors.conf
	start_apache cors.conf
	tells_listed_origins
}

# ---- nginx ------------------------------------------------------------------

@test "nginx: a stream opens with the right headers" {
	serve nginx
	opens
}

@test "nginx: a row inserted by sqlite3 arrives" {
	serve nginx
	brings_a_row
}

@test "nginx: an event is published over HTTP" {
	serve nginx
	publishes
}

@test "nginx: publishing needs the token" {
	serve nginx
	refuses_strangers
}

@test "nginx: Basic authentication instead of the token" {
	unset ROWCAST_PUBLISH_TOKEN
	start_responder
	start_publisher
	use_basic nginx-example.conf basic.conf
	start_nginx basic.conf
	takes_a_password
}

@test "nginx: a client that reconnects gets the events it missed" {
	serve nginx
	resumes
}

@test "nginx: clients that disconnect are noticed at once" {
	serve nginx
	notices_leavers 8
}

@test "nginx: killing responders loses and repeats no event" {
	serve nginx
	survives_kill
}

@test "nginx: it logs no error when the responder ends" {
	serve nginx
	ends_in_peace
}

@test "nginx: while the responder is down, clients are told to reconnect" {
	serve nginx
	says_come_back
}

@test "nginx: pages of listed origins are told to reconnect, too" {
	use_cors nginx-example.conf cors.conf
	start_nginx cors.conf
	tells_listed_origins
}

# ---- Caddy ------------------------------------------------------------------

@test "Caddy: a stream opens with the right headers" {
	serve caddy
	opens
}

@test "Caddy: a row inserted by sqlite3 arrives" {
	serve caddy
	brings_a_row
}

@test "Caddy: an event is published over HTTP" {
	serve caddy
	publishes
}

@test "Caddy: publishing needs the token" {
	serve caddy
	refuses_strangers
}

@test "Caddy: Basic authentication instead of the token" {
	unset ROWCAST_PUBLISH_TOKEN
	start_responder
	start_publisher
	use_basic caddy-example.conf basic.conf
	# shellcheck disable=SC2016 # a hash of "secret"
	PASSWORD_HASH='$2a$14$Dv.ENfkpmnRbQMX2U1ynkOIGjEicXX4xMc0so69rzXGYOPWNuKC3e' \
		start_caddy basic.conf
	takes_a_password
}

@test "Caddy: a client that reconnects gets the events it missed" {
	serve caddy
	resumes
}

@test "Caddy: clients that disconnect are noticed at the next keepalives" {
	serve caddy --keepalive-s 1
	notices_leavers 20
}

@test "Caddy: killing responders loses and repeats no event" {
	serve caddy
	survives_kill
}

@test "Caddy: it logs no error when the responder ends" {
	serve caddy
	ends_in_peace
}

@test "Caddy: while the responder is down, clients are told to reconnect" {
	serve caddy
	says_come_back
}

@test "Caddy: pages of listed origins are told to reconnect, too" {
	use_cors caddy-example.conf cors.conf
	start_caddy cors.conf
	tells_listed_origins
}

# ---- plain CGI --------------------------------------------------------------

@test "lighttpd, plain CGI: a stream opens with the right headers" {
	serve lighttpd-cgi
	opens
}

# bats test_tags=quick
@test "lighttpd, plain CGI: a row inserted by sqlite3 arrives" {
	serve lighttpd-cgi
	brings_a_row
}

# bats test_tags=quick
@test "lighttpd, plain CGI: an event is published over HTTP" {
	serve lighttpd-cgi
	publishes
}

# bats test_tags=quick
@test "lighttpd, plain CGI: a client that reconnects gets the events it missed" {
	serve lighttpd-cgi
	resumes
}

@test "lighttpd, plain CGI: no process outlives its client" {
	serve lighttpd-cgi
	notices_leavers_cgi 8
}

@test "lighttpd, plain CGI: killing responders loses and repeats no event" {
	serve lighttpd-cgi
	survives_kill
}

@test "Apache, plain CGI: a stream opens with the right headers" {
	serve apache-cgi
	opens
}

@test "Apache, plain CGI: a row inserted by sqlite3 arrives" {
	serve apache-cgi
	brings_a_row
}

@test "Apache, plain CGI: a client that reconnects gets the events it missed" {
	serve apache-cgi
	resumes
}

@test "Apache, plain CGI: no process outlives its client" {
	serve apache-cgi --keepalive-s 1
	notices_leavers_cgi 20
}

@test "Apache, plain CGI: killing responders loses and repeats no event" {
	serve apache-cgi
	survives_kill
}

# ---- bodies of unknown length, and without end ------------------------------

@test "lighttpd: lines of unknown length are published" {
	serve lighttpd
	publishes_lines
}

@test "Apache: lines of unknown length are published" {
	serve apache
	publishes_lines
}

@test "nginx: lines of unknown length are published" {
	serve nginx
	publishes_lines
}

@test "Caddy: lines of unknown length are published" {
	serve caddy
	publishes_lines
}

@test "lighttpd: PUT without a type publishes an event stream" {
	serve lighttpd
	publishes_untyped
}

@test "Apache: PUT without a type publishes an event stream" {
	serve apache
	publishes_untyped
}

@test "nginx: PUT without a type publishes an event stream" {
	serve nginx
	publishes_untyped
}

@test "Caddy: PUT without a type publishes an event stream" {
	serve caddy
	publishes_untyped
}

@test "nginx: the lines of an endless body are published as they arrive" {
	serve nginx
	publishes_as_it_comes
}

@test "nginx: curl -N copies a stream to another site, and again" {
	serve nginx
	copies_a_stream
}
