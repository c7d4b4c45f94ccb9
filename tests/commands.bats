#!/usr/bin/env bats
# Commands that documents, manual pages and messages tell people to run: each is
# run here, or by the test that is named with it.

load stream

setup() {
	site_new
	cp "$BUILD/rowcast" "$SITE/build/"
	needs sqlite3
}

# Print the blocks of shell of a page, each ended by a line "%%".
#   usage: blocks_of PAGE
blocks_of() {
	case $1 in
	*.md) awk '/^```sh$/ { on = 1; next }
		/^```$/ && on { on = 0; print "%%" } on' "$1" ;;
	*) awk '/^\.Bd/ { on = 1; next } /^\.Ed/ && on { on = 0; print "%%" } on' \
		"$1" | sed -e 's/\\e/\\/g' -e 's/\\&//g' -e '/^\.Pp/d' \
		-e 's/^[$#] //' ;;
	esac
}

# Programs that the blocks call, but that cannot run here: they need root, a
# user, or mail.  tail would follow for ever.
make_stubs() {
	mkdir -p "$T/bin"
	printf '#!/bin/sh\nshift 3\nexec "$@"\n' >"$T/bin/runuser"
	printf '#!/bin/sh\nexec "$@"\n' >"$T/bin/sudo"
	printf '#!/bin/sh\nexec cat\n' >"$T/bin/mail"
	printf '#!/bin/sh\n:\n' >"$T/bin/usermod"
	# shellcheck disable=SC2016 # of the stub
	printf '#!/bin/sh\nfor last; do :; done\nmkdir -p "$last"\n' \
		>"$T/bin/install"
	cat >"$T/bin/rowcast" <<-END
		#!/bin/sh
		case " \$* " in *' tail '*) set -- "\$@" --no-follow ;; esac
		exec "$BUILD/rowcast" "\$@"
	END
	chmod +x "$T/bin"/*
}

# Make the files that blocks name, in the folder "here".
make_world() {
	local log
	rm -rf "$T/here"
	mkdir -p "$T/here/build/run" "$T/here/lib" "$T/here/backup"
	cp -R "$ROOT/sql" "$T/here/"
	for log in lib/events.db build/run/events.db archive.db backup/events.db; do
		"$BUILD/rowcast" init "$T/here/$log" >/dev/null
	done
	sqlite3 "$T/here/lib/events.db" "INSERT INTO events(topic, data) VALUES
		('news', 'a'), ('debug/x', 'b'), ('host/x', 'c')"
	echo '{"data":"hi"}' >"$T/here/events.ndjson"
}

# In the folder of the block, and with the log that it expects to be named.
run_block() {
	sed -e "s|/var/lib/rowcast|$T/here/lib|g" \
		-e "s|/backup/|$T/here/backup/|g" \
		-e "s|/usr/local/share/rowcast|$ROOT/sql|g" \
		"$T/block" >"$T/block.sh"
	(cd "$T/here" && PATH=$T/bin:$PATH \
		ROWCAST_DB=$T/here/lib/events.db sh -eu "$T/block.sh")
}

# Recipes: an application's database in the place of app.db.
make_app() {
	sqlite3 -bail "$T/here/app.db" \
		'CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)'
	grep -q schema.sql "$T/block" ||
		sqlite3 -bail "$T/here/app.db" <"$ROOT/sql/schema.sql" >/dev/null
	grep -q expect "$T/block" || return 0
	sqlite3 -bail "$T/here/app.db" "CREATE TRIGGER orders_tell AFTER INSERT
		ON orders BEGIN INSERT INTO events(topic, data)
		VALUES('orders', NEW.total); END;
		CREATE TRIGGER orders_change AFTER UPDATE
		ON orders BEGIN INSERT INTO events(topic, data)
		VALUES('orders', NEW.total); END;
		CREATE TRIGGER orders_gone AFTER DELETE
		ON orders BEGIN INSERT INTO events(topic, data)
		VALUES('orders', OLD.total); END"
}

@test "the blocks of commands in documents and manual pages run" {
	local page n=0
	make_stubs
	cd "$ROOT"
	for page in README.md docs/*.md docs/man/*; do
		while IFS= read -r -d $'\001' block; do
			printf '%s\n' "$block" >"$T/block"
			grep -qE '(^|[|;&] *|-- )(rowcast|sqlite3) ' "$T/block" ||
				continue
			# cli_tail.bats runs the loop; the one with curl is below
			! grep -qE '^while|curl' "$T/block" || continue
			echo "== $page:"
			cat "$T/block"
			make_world
			make_app
			run_block
			n=$((n + 1))
		done < <(blocks_of "$page" | sed 's/^%%$/\x01/')
	done
	echo "$n blocks"
	[ "$n" -ge 25 ]
}

@test "the commands that watch the whole chain run" {
	local page n=0
	serve
	for page in docs/operating.md docs/man/rowcast.7; do
		(cd "$ROOT" && blocks_of "$page") |
			sed -n '/topic=health/,/^%%$/{/^%%$/d;p;}' >"$T/block"
		[ -s "$T/block" ]
		sed -e "s|http://127.0.0.1|$URL|" -e 's/-m 5/-m 3/' \
			-e "s|sqlite3 /var/lib/rowcast/events.db|sqlite3 $DB|" \
			"$T/block" >"$T/block.sh"
		chmod a+r "$T/block.sh"
		(as_site sh -c "cd build/run && . $T/block.sh")
		n=$((n + 1))
	done
	[ "$n" -eq 2 ]
}

# ---- messages ---------------------------------------------------------------

# Print the commands in the messages and the help of the programs, one a line.
commands_in_messages() {
	find "$ROOT"/fcgi "$ROOT"/cgi "$ROOT"/cli "$ROOT"/lib -name '*.c' \
		-exec cat {} + | tr '\n' ' ' | sed -E 's/"[[:blank:]]*"//g' |
		grep -oE "'(rowcast|sqlite3|find|chmod|fuser|kill) [^']*'" |
		tr -d "'" | sort -u
}

@test "each command that a message names is run by a test" {
	local command folder=$SITE/build/run
	make_log
	chmod go+rwx "$folder"
	sql "INSERT INTO events(data) VALUES('one')"
	export ROWCAST_DB=$DB
	cd "$folder"
	while read -r command; do
		echo "== $command"
		case $command in
		*\<schema.sql)
			sqlite3 -bail app.db 'CREATE TABLE x(y)'
			command=${command/FILE/app.db}
			command=${command/<schema/<$ROOT/sql/schema} ;;
		*\<renumber.sql | *\<drop.sql)
			command=${command/FILE/$DB}
			command=${command/</<$ROOT/sql/} ;;
		*SAVED) command=${command/SAVED/saved} ;;
		'find FOLDER -samefile FILE')
			command="find $folder -samefile $DB" ;;
		*) command=${command/FILE/$DB} ;;
		esac
		[[ $command != *FILE* ]] # each placeholder has its value
		PATH=$BUILD:$PATH sh -euc "$command </dev/null" >"$T/out" 2>&1 ||
			{
				cat "$T/out"
				false
			}
	done < <(commands_in_messages)
	[ "$(commands_in_messages | wc -l)" -ge 8 ]
}
