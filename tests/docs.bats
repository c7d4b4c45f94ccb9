#!/usr/bin/env bats
# docs.bats: links between documents work, in a checkout and after make install;
# files and functions that they name exist; the README links to every page.
# shellcheck disable=SC2016 # backticks of Markdown

load helpers

setup() {
	cd "$ROOT" || return 1
	D=$BATS_TEST_TMPDIR/root
	unset MAKEFLAGS MFLAGS
}

# Print a document without code.
#   usage: prose_of FILE
prose_of() {
	sed -e '/^```/,/^```/d' -e 's/`[^`]*`/CODE/g' "$1"
}

# Print the targets of a document's relative links, one a line.
#   usage: links_of FILE
links_of() {
	prose_of "$1" | grep -oE '\]\([^)]+\)' | sed -e 's/^](//' -e 's/)$//' |
		grep -vE '^[a-z]+:'
}

# Print the anchors of a document's headings, as GitHub makes them.
#   usage: anchors_of FILE
anchors_of() {
	sed -e '/^```/,/^```/d' -ne 's/^##* //p' "$1" |
		tr '[:upper:]' '[:lower:]' | sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}

# Print each broken link among those whose file matches a pattern.
#   usage: broken_links PATTERN FILE...
broken_links() {
	local pattern=$1 file link target
	shift
	for file; do
		while read -r link; do
			target=${link%%#*}
			[[ $target =~ $pattern ]] || continue
			target=${target:+$(dirname "$file")/$target}
			target=${target:-$file}
			if [ ! -e "$target" ]; then
				echo "$file: $link: no such file"
			elif [[ $link == *\#* ]] &&
				! anchors_of "$target" | grep -qxF -- "${link#*#}"; then
				echo "$file: $link: no such heading"
			fi
		done < <(links_of "$file")
	done
}

@test "each link in a document leads to an existing file and heading" {
	local n
	n=$(for file in *.md docs/*.md; do links_of "$file"; done | wc -l)
	[ "$n" -ge 100 ]
	run broken_links '' ./*.md docs/*.md
	echo "$output"
	[ -z "$output" ]
}

@test "the test of links finds a missing file and a missing heading" {
	mkdir "$D"
	printf '%s\n' '# A b' '[x](y.md) [z](#a-b) [w](#a-c) `[v](u.md)`' >"$D/a.md"
	run broken_links '' "$D/a.md"
	[ "${lines[0]}" = "$D/a.md: y.md: no such file" ]
	[ "${lines[1]}" = "$D/a.md: #a-c: no such heading" ]
	[ ${#lines[@]} -eq 2 ]
}

@test "links between installed documents and pictures work" {
	local doc=$D/usr/local/share/doc/rowcast
	make -s -o all B="$BUILD" DESTDIR="$D" install
	[ -e "$doc/docs/listening.md" ]
	run broken_links '\.(md|svg|png)$' "$doc"/*.md "$doc"/docs/*.md
	echo "$output"
	[ -z "$output" ]
}

@test "the README links to every page" {
	local page
	for page in *.md docs/*.md; do
		echo "$page"
		[ "$page" = README.md ] || links_of README.md | grep -qxF "$page"
	done
}

@test "the README stays short" {
	[ "$(wc -l <README.md)" -le 150 ]
}

# Print the code of one language in a document.
#   usage: code_in LANGUAGE FILE
code_in() {
	sed -n '/^```'"$1"'$/,/^```$/{/^```/d;p;}' "$2"
}

@test "the SQL in the documents runs as it stands" {
	local page n=0
	needs sqlite3
	for page in README.md docs/*.md; do
		code_in sql "$page" >"$BATS_TEST_TMPDIR/sql"
		[ -s "$BATS_TEST_TMPDIR/sql" ] || continue
		echo "$page"
		rm -f "$BATS_TEST_TMPDIR/log"*
		sqlite3 -bail "$BATS_TEST_TMPDIR/log" <sql/schema.sql
		sqlite3 -bail "$BATS_TEST_TMPDIR/log" \
			'CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL)'
		sqlite3 -bail "$BATS_TEST_TMPDIR/log" <"$BATS_TEST_TMPDIR/sql"
		n=$((n + 1))
	done
	[ "$n" -ge 5 ]
}

# The ways of an event and of a publish name functions as "FILE: FUNCTION()".
@test "each function that design.md names is in the file that it names" {
	local file name n=0
	while read -r file name; do
		echo "$file $name"
		grep -q "^${name%()}(" "${file%:}"
		n=$((n + 1))
	done < <(grep -oE '[a-z_/]+\.c: [a-z_]+\(\)' docs/design.md | sort -u)
	[ "$n" -ge 20 ]
}

@test "each function that design.md names is in the sources" {
	local name n=0
	while read -r name; do
		echo "$name"
		grep -rq "^${name%()}(" fcgi cgi cli lib tests/fuzz --include='*.[ch]'
		n=$((n + 1))
	done < <(grep -oE '\b[a-z]+_[a-z_]+\(\)' docs/design.md | sort -u)
	[ "$n" -ge 20 ]
}

@test "each file that the documents name exists" {
	local page file n=0
	for page in *.md docs/design.md docs/performance.md; do
		while read -r file; do
			echo "$page: $file"
			compgen -G "$file" >"$BATS_TEST_TMPDIR/found"
			n=$((n + 1))
		done < <(grep -oE '`(fcgi|cgi|cli|lib|sql|tests|packaging)/[^` :]*' \
			"$page" | tr -d '`' | sort -u)
	done
	[ "$n" -ge 50 ]
}

@test "PHP and JavaScript in the documents are well-formed" {
	local page
	needs php node
	for page in README.md docs/*.md; do
		echo "$page"
		{
			echo '<?php'
			code_in php "$page"
		} >"$BATS_TEST_TMPDIR/code.php"
		php -l "$BATS_TEST_TMPDIR/code.php"
		code_in js "$page" >"$BATS_TEST_TMPDIR/code.js"
		node --check "$BATS_TEST_TMPDIR/code.js"
	done
}

@test "the PHP of the questions and answers publishes" {
	needs php sqlite3
	sqlite3 -bail "$BATS_TEST_TMPDIR/log" <sql/schema.sql
	{
		echo '<?php'
		code_in php docs/faq.md | sed '/^add_action/,$d'
	} | sed "s|/var/lib/rowcast/events.db|$BATS_TEST_TMPDIR/log|" \
		>"$BATS_TEST_TMPDIR/publish.php"
	php "$BATS_TEST_TMPDIR/publish.php"
	[ "$(sqlite3 "$BATS_TEST_TMPDIR/log" 'SELECT topic, data FROM events')" = \
		'news|hello' ]
}

@test "the commands of operating.md back up, restore and renew a log" {
	local log=$BATS_TEST_TMPDIR/events.db copy=$BATS_TEST_TMPDIR/copy.db
	needs sqlite3
	sqlite3 -bail "$log" <sql/schema.sql
	sqlite3 "$log" "INSERT INTO events(data) VALUES('hi')"
	sed -n '/^## Backup/,/^## VACUUM/p' docs/operating.md \
		>"$BATS_TEST_TMPDIR/part"
	code_in sh "$BATS_TEST_TMPDIR/part" |
		sed -e "s|/var/lib/rowcast/events.db|$log|" \
			-e "s|/backup/events.db|$copy|" >"$BATS_TEST_TMPDIR/run.sh"
	[ "$(grep -c '^sqlite3' "$BATS_TEST_TMPDIR/run.sh")" -eq 3 ]
	sh -eu "$BATS_TEST_TMPDIR/run.sh"
	[ "$(sqlite3 "$log" 'SELECT data FROM events')" = hi ]
	sqlite3 "$copy" "INSERT INTO events(data) VALUES('next')"
	[ "$(sqlite3 "$copy" 'SELECT max(id) FROM events')" = 1000002 ]
	[ "$(sqlite3 "$copy" 'SELECT identity FROM events_log')" != \
		"$(sqlite3 "$log" 'SELECT identity FROM events_log')" ]
}

@test "the commands of operating.md upgrade a log and renumber its events" {
	local log=$BATS_TEST_TMPDIR/events.db
	needs sqlite3
	sqlite3 -bail "$log" <tests/schema_earlier.sql
	sqlite3 "$log" "INSERT INTO events(id, data) VALUES(9007199254740991, 'hi')"
	sed -n '/^## Restart and upgrade/,/^## Logs/p' docs/operating.md \
		>"$BATS_TEST_TMPDIR/part"
	code_in sh "$BATS_TEST_TMPDIR/part" | grep -e '^rowcast init' -e renumber |
		sed -e "s|/var/lib/rowcast/events.db|$log|" \
			-e 's|/usr/local/share/rowcast/|sql/|' >"$BATS_TEST_TMPDIR/run.sh"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/run.sh")" -eq 2 ]
	PATH=$BUILD:$PATH sh -eu "$BATS_TEST_TMPDIR/run.sh"
	"$BUILD/rowcast" check --db "$log" >"$BATS_TEST_TMPDIR/check"
	run ! grep schema.*earlier "$BATS_TEST_TMPDIR/check"
	[ "$(sqlite3 "$log" 'SELECT id, data FROM events')" = '1|hi' ]
}

@test "the commands of publishing.md add a log, and check the triggers" {
	needs sqlite3
	sed -n '/^### Triggers/,/^### Recipes/p' docs/publishing.md \
		>"$BATS_TEST_TMPDIR/part"
	mkdir "$BATS_TEST_TMPDIR/app"
	ln -s "$ROOT/sql" "$BATS_TEST_TMPDIR/app/sql"
	{
		code_in sh "$BATS_TEST_TMPDIR/part" | sed -n '/^sqlite3/p'
		echo "sqlite3 -bail app.db <trigger.sql"
		code_in sh "$BATS_TEST_TMPDIR/part" | sed -n '/^rowcast/p'
	} >"$BATS_TEST_TMPDIR/app/run.sh"
	{
		echo 'CREATE TABLE orders(id INTEGER PRIMARY KEY, total);'
		code_in sql "$BATS_TEST_TMPDIR/part"
	} >"$BATS_TEST_TMPDIR/app/trigger.sql"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/app/run.sh")" -eq 3 ]
	(cd "$BATS_TEST_TMPDIR/app" && PATH=$BUILD:$PATH sh -eu run.sh) \
		>"$BATS_TEST_TMPDIR/out"
	grep -q 'expect: orders: published are: insert' "$BATS_TEST_TMPDIR/out"
}

# The modules of a folder, by the list in design.md: each line of the list
# begins with names, up to two spaces.
#   usage: modules_of FOLDER
modules_of() {
	awk -v folder="$1" '
		/^## / { here = /Files/ }
		!here { next }
		/^[a-z]/ { mine = $1 == folder; next }
		mine && /^  [a-z]/ { sub(/^  /, ""); sub(/  .*/, ""); print }
	' docs/design.md | sed 's/, /\n/g'
}

@test "design.md lists each source file, and no others" {
	local folder
	for folder in fcgi/ cgi/ cli/ lib/fastcgi/ lib/body/ lib/log/ lib/loop/ \
		lib/sandbox/ lib/; do
		echo "$folder"
		find "$folder" -maxdepth 1 -name '*.c' -printf '%f\n' |
			sed -e 's/\.c$//' -e 's/^cmd_.*/cmd_*/' | sort -u \
			>"$BATS_TEST_TMPDIR/tree"
		modules_of "$folder" | sort -u >"$BATS_TEST_TMPDIR/list"
		diff "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/list"
	done
}
