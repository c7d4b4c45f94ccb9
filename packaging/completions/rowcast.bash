# bash completion for rowcast(1)                           -*- shell-script -*-
# shellcheck shell=bash

_rowcast() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local commands='init publish tail export import prune stats check help'
	local common='--db --busy-ms --json --help --version' command='' options='' i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--db | --busy-ms) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $prev in
	--db)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--since)
		mapfile -t COMPREPLY < <(compgen -W 'earliest last:' -- "$cur")
		return
		;;
	--older-than | --keep-rows | --busy-ms | --upto | --count | -n | \
		--max-bytes | --max-line-bytes | --topic | -t | --event | -e | \
		--key | -k | --retry | -r)
		return
		;;
	esac
	case $command in
	'') options="$commands $common" ;;
	help) options=$commands ;;
	publish) options="--topic --event --key --retry --max-bytes $common" ;;
	tail)
		options="--topic --event --since --count --no-follow --sse"
		options="$options $common"
		;;
	export) options="--topic --event --since --upto --salvage $common" ;;
	import) options="--max-line-bytes $common" ;;
	prune) options="--keep-rows --older-than --topic --rules $common" ;;
	init) options="--upgrade $common" ;;
	stats) options=$common ;;
	check) options="--full --expect $common" ;;
	esac
	if [[ $command = import || $command = init ]] && [[ $cur != -* ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _rowcast rowcast
