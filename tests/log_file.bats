#!/usr/bin/env bats
# Files that cannot be a log, because not all programs would find the same
# events in them, or because this user has no right to them.
# shellcheck disable=SC2153 # STATUS is ours, status is bats's

load stream

setup() {
	site_new
	# folders with the same device, so that links can be made
	OTHER=$SITE/other
	mkdir "$OTHER"
	[ -z "$USER_IS" ] || chown "$USER_IS:" "$OTHER"
}

# Each command must refuse the log soon, in one line.
#   usage: commands_refuse TEXT
commands_refuse() {
	local command
	for command in check stats export 'tail --no-follow' prune 'publish x'; do
		echo "$command"
		# shellcheck disable=SC2086 # words
		run as_site timeout "$WAIT" build/rowcast --db "$DB" $command
		echo "$status: $output"
		[ "$status" -eq 1 ]
		[[ $output == *": $1"* ]]
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "a FIFO, a device, a socket and a folder are refused" {
	local kind
	needs perl
	mkfifo -m 666 "$SITE/build/run/fifo"
	mkdir -m 777 "$SITE/build/run/folder"
	# shellcheck disable=SC2016 # variables of Perl
	as_site perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0);
		bind($s, sockaddr_un("build/run/socket")) or die' &
	wait "$!"
	for kind in fifo socket /dev/null /dev/zero; do
		DB=$SITE/build/run/$kind
		[ -e "$DB" ] || DB=$kind
		all_refuse 'is a device, FIFO or socket: name an ordinary file'
		commands_refuse 'is a device, FIFO or socket'
		run as_site timeout "$WAIT" build/rowcast init "$DB"
		[[ $output == *'is a device, FIFO or socket'* ]]
	done
	DB=$SITE/build/run/folder
	all_refuse 'is a folder: name a file in it'
	commands_refuse 'is a folder: name a file in it'
}

@test "names that stand for no file are refused, and create none" {
	local before
	cp "$BUILD/rowcast" "$SITE/build/"
	before=$(ls "$SITE")
	for DB in :memory: file:build/run/events.db 'file:x?mode=memory'; do
		all_refuse ''
		commands_refuse ''
		run as_site build/rowcast init "$DB"
		echo "$output"
		[ "$status" -eq 1 ]
		[[ $output == *': stands for a database that no'* ||
			$output == *': is a URI, which rowcast does not open'* ]]
	done
	[ "$(ls "$SITE")" = "$before" ]
}

@test "names of files that SQLite keeps beside a database are refused" {
	local end
	make_log
	for end in wal shm journal; do
		DB=$SITE/build/run/events.db-$end
		all_refuse "ends in -$end, as files do that SQLite keeps"
		commands_refuse "ends in -$end"
		[ ! -e "$DB-wal" ]
	done
}

@test "a log with two names is refused, until one is removed" {
	make_log
	ln "$DB" "$OTHER/app.db"
	all_refuse 'has 2 names (hard links)'
	commands_refuse 'has 2 names (hard links)'
	DB=$OTHER/app.db
	all_refuse 'has 2 names (hard links)'
	# as the message says
	[ "$(find "$SITE" -samefile "$DB" | wc -l)" -eq 2 ]
	rm "$SITE/build/run/events.db"
	run as_site build/rowcast --db "$DB" check
	[ "$status" -eq 0 ]
}

@test "a symbolic link to a log is the same log" {
	make_log
	ln -s ../build/run/events.db "$OTHER/app.db"
	serve
	open_stream a
	(as_site sqlite3 "$OTHER/app.db" "INSERT INTO events(data)
		VALUES('by the link')")
	brings a $'1 message by the link'
	cp "$BUILD/rowcast" "$SITE/build/"
	run as_site build/rowcast --db other/app.db publish 'by the command'
	[ "$output" = 2 ]
	brings a $'1 message by the link\n2 message by the command'
	[ "$(ls "$OTHER")" = app.db ]
}

# ---- another file in its place ----------------------------------------------

# Rename another log over the log that is served, and leave its WAL there.
forget_wal() {
	serve
	post_with_token -d data=one
	[ "$STATUS" -eq 201 ]
	open_stream a since=0
	brings a '1 message one'
	[ -s "$DB-wal" ]
	ln "$DB" "$SITE/old.db"
	(as_site sqlite3 "$SITE/other.db") <"$ROOT/sql/schema.sql" >"$T/made"
	mv "$SITE/other.db" "$DB"
	eventually grep -q "rowcast.fcgi: log: $DB: $OLD_WAL" "$LOGS/lighttpd"
	post_with_token -d data=lost
	[ "$STATUS" -eq 500 ]
	post_with_token -d data=lost
	[ "$STATUS" -eq 500 ]
	grep -q "rowcast-publish.cgi: log: $DB: $OLD_WAL" "$LOGS/lighttpd"
}

OLD_WAL='is another file, but its -wal is that of the old one'

@test "another file beside the WAL of the log is not opened, until that is gone" {
	forget_wal
	rm "$DB-wal" "$DB-shm" "$SITE/old.db"
	eventually got a 'event: stream-reset'
	post_with_token -d data=new
	[ "$STATUS" -eq 201 ]
	eventually got a 'data: new'
	[ "$(sql 'PRAGMA integrity_check; SELECT data FROM events')" = $'ok\nnew' ]
}

@test "another file beside the WAL: the old one can be put back" {
	forget_wal
	mv "$SITE/old.db" "$DB"
	eventually grep -q 'can be read again' "$LOGS/lighttpd"
	post_with_token -d data=two
	[ "$STATUS" -eq 201 ]
	brings a $'1 message one\n2 message two'
	[ "$(sql 'PRAGMA integrity_check; SELECT count(*) FROM events')" = $'ok\n2' ]
}

# ---- rights -----------------------------------------------------------------

# Run a command as a user without rights to the files of the site.
as_stranger() {
	if [ -n "$USER_IS" ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
	else
		"$@"
	fi
}

# Reading and writing must fail with a message that names the file.
#   usage: lacks PATH
lacks() {
	local command
	for command in check stats 'publish x'; do
		# shellcheck disable=SC2086 # words
		run as_stranger "$BUILD/rowcast" --db "$DB" $command
		echo "$command: $status: $output"
		[ "$status" -eq 1 ]
		[[ $output == *"read and write $1: each program that opens the log, readers too"* ]]
	done
	run as_stranger "$BUILD/rowcast.fcgi" --db "$DB" --socket "$T/none.sock"
	[ "$status" -eq 1 ]
	[[ $output == *"read and write $1: each program"* ]]
}

@test "a reader without a right is told which file or folder it lacks" {
	local user=nobody
	[ -n "$USER_IS" ] || user=$(id -un)
	user=$(id -u "$user")
	make_log
	sql "INSERT INTO events(data) VALUES('x')"
	rm -f "$DB-wal" "$DB-shm"
	chmod 555 "$SITE/build/run"
	chmod 444 "$DB"
	lacks "$SITE/build/run"
	chmod 777 "$SITE/build/run"
	chmod 000 "$DB"
	lacks "$DB"
	[[ $output == *"let user $user "* ]]
	# as the message says
	chmod 666 "$DB"
	run as_stranger "$BUILD/rowcast" --db "$DB" publish y
	[ "$output" = 2 ]
}

@test "a missing folder is named" {
	DB=$T/none/events.db
	run "$BUILD/rowcast" init "$DB"
	[ "$status" -eq 1 ]
	[[ $output == *"there is no folder $T/none" ]]
}
