# shellcheck shell=bash
# sample.bash: record the resources that the processes of a soak use, in a line
# every few seconds.  tests/soak/run sources it.
#
# Columns of samples.tsv, separated by tabs; "-" if there is nothing to measure:
#
#   t                  seconds since the soak began
#   round stretch phase server clients
#   r_pid r_rss r_pss r_private r_fds r_cpu   the responder; KB, CPU in ms
#   p_…                the publisher
#   s_…                the web server, all its processes
#   streams            as the responder reports
#   head sent          highest id; events sent by this responder
#   db wal             size of the files, KB

SAMPLE_COLUMNS='t round stretch phase server clients
	r_pid r_rss r_pss r_private r_fds r_cpu
	p_pid p_rss p_pss p_private p_fds p_cpu
	s_pid s_rss s_pss s_private s_fds s_cpu
	streams head sent db wal'

# usage: sample_steadily SECONDS
sample_steadily() {
	local at=$EPOCHSECONDS
	while :; do
		sample load
		at=$((at + $1))
		while ((EPOCHSECONDS < at)); do sleep 0.2; done
	done
}

# Write a line if the soak is in this phase.
#   usage: sample PHASE
sample() {
	local SERVER SERVER_PID RESPONDER_PID PUBLISHER_PID round stretch n phase
	local r p s report file sizes=()
	read -r SERVER SERVER_PID RESPONDER_PID PUBLISHER_PID round stretch n \
		phase <"$WORK/now"
	[ "$phase" = "$1" ] && [ "$SERVER_PID" != - ] || return 0
	RESPONDER_PID=${RESPONDER_PID#-} PUBLISHER_PID=${PUBLISHER_PID#-}
	# shellcheck disable=SC2046 # lists
	{
		r=$(usage_of $(pids_for responder))
		p=$(usage_of $(pids_for publisher))
		s=$(usage_of $(pids_for server))
	}
	report=$(report_of "$(pids_for responder)")
	for file in "$DB" "$DB-wal"; do
		sizes+=($(($(stat -c %s "$file" 2>/dev/null || echo 0) / 1024)))
	done
	# shellcheck disable=SC2086 # lists
	printf '%s\n' $((EPOCHSECONDS - BEGAN)) "$round" "$stretch" "$phase" \
		"$SERVER" "$n" $r $p $s $report "${sizes[@]}" |
		paste -s >>"$WORK/samples.tsv"
}

# Print the first process id, and the sums of RSS, PSS, private memory (KB),
# descriptors and CPU (ms) of the processes.
usage_of() {
	local pid
	[ $# -gt 0 ] || {
		echo '- - - - - -'
		return
	}
	for pid in "$@"; do
		cat "/proc/$pid/smaps_rollup"
		echo "Descriptors: $(descriptors "$pid")"
		echo "Stat: $(sed 's/.*) //' "/proc/$pid/stat")"
	done 2>/dev/null | awk -v pid="$1" -v hz="$(getconf CLK_TCK)" '
		/^Rss:/ { rss += $2 }
		/^Pss:/ { pss += $2 }
		/^Private_/ { private += $2 }
		/^Descriptors:/ { fds += $2 }
		/^Stat:/ { cpu += $13 + $14 }
		END {
			if (rss == 0)
				print "- - - - - -"
			else
				print pid, rss, pss, private, fds, cpu * 1000 / hz
		}'
}

# Print streams, head and events sent, which the responder reports at SIGUSR2.
# Do not signal a process that has not installed its handler: the signal would
# end it.
report_of() {
	local pid=${1%%$'\n'*} from log caught
	log=$LOGS/${RESPONDER_PID:+responder}
	[ -n "$RESPONDER_PID" ] || log+=lighttpd
	caught=$(sed -n 's/^SigCgt:[[:blank:]]*//p' "/proc/${pid:-0}/status" \
		2>/dev/null)
	if ((0x${caught:-0} & 0x800)); then
		from=$(wc -l <"$log")
		kill -USR2 "$pid" 2>/dev/null
		wait_until 2 report_came "$log" "$from" && return
	fi
	echo '- - -'
}

report_came() {
	tail -n "+$(($2 + 1))" "$1" | sed -n -e '/report: streams=/{' \
		-e 's/.* streams=\([0-9]*\) .* head=\([0-9]*\) .* events=\([0-9]*\) .*/\1 \2 \3/' \
		-e 'p;q' -e '}' | grep .
}
