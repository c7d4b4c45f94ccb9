#!/usr/bin/env bats
# cli_completions.bats: the completions of the shells match the options.

load cli

setup() {
	cli_setup
	cd "$ROOT" || return 1
}

commands() {
	"$PROGRAM" help | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

# Print the long options of a command, or of the program, one on a line.
options_of() {
	"$PROGRAM" help ${1:+"$1"} | grep -oE -- '--[a-z][a-z-]*' | sort -u
}

# Print the completions of bash after these words.
complete_bash() {
	(
		# shellcheck source=packaging/completions/rowcast.bash
		. packaging/completions/rowcast.bash
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_rowcast
		printf '%s\n' "${COMPREPLY[@]}" | sort -u
	)
}

@test "bash completes the commands" {
	[ "$(complete_bash rowcast '' | grep -v '^-')" = "$(commands | sort)" ]
	[ "$(complete_bash rowcast pub)" = publish ]
	[ "$(complete_bash rowcast --db tail pr)" = prune ]
	[ "$(complete_bash rowcast help exp)" = export ]
}

@test "bash completes the options of each command, and no others" {
	local command
	[ "$(complete_bash rowcast --)" = "$(options_of)" ]
	for command in $(commands | grep -vx help); do
		echo "$command:"
		{
			options_of "$command"
			echo --json
		} | sort -u >"$T/help"
		complete_bash rowcast "$command" -- | diff "$T/help" -
	done
}

@test "bash completes the value of an option" {
	: >"$T/one.db"
	[ "$(complete_bash rowcast --db "$T/on")" = "$T/one.db" ]
	[ "$(complete_bash rowcast import "$T/on")" = "$T/one.db" ]
	[ "$(complete_bash rowcast tail --since e)" = earliest ]
	[ "$(complete_bash rowcast publish --topic '')" = '' ]
}

@test "zsh and fish complete each command and option" {
	local command option
	for command in $(commands); do
		grep -q "'$command:" packaging/completions/_rowcast
		grep -q -- "-a $command -d" packaging/completions/rowcast.fish
		[ "$command" != help ] || continue
		for option in $(options_of "$command"); do
			grep -qE -- "$option([^a-z-]|\$)" packaging/completions/_rowcast
			grep -qE -- "-l ${option#--}( |\$)" packaging/completions/rowcast.fish
		done
	done
}

@test "zsh and fish can read their files" {
	local shell found=0
	for shell in zsh fish; do
		command -v "$shell" >/dev/null || continue
		found=1
		case $shell in
		zsh) zsh -n packaging/completions/_rowcast ;;
		fish) fish -n packaging/completions/rowcast.fish ;;
		esac
	done
	[ "$found" -eq 1 ] || skip 'neither is installed'
}
