# verdict.awk: check whether anything grows.  samples.tsv → lines of
# FIGURE, second quarter, last quarter, at most, unit, yes|no|-.
#
# Memory and descriptors of a program are compared within each stretch, rounds
# through which one process runs (a new process would hide the leaks of the old
# one).  The first quarter of the samples under load does not count, because
# caches fill up in it.  Then the median of the last quarter may exceed that of
# the second quarter by this much:
#
#   memory        5 % and 256 KB; of the web server, 10 % and 1 MB
#   descriptors   5 % and 16; without clients, 4 more than the first time
#   WAL, file     25 % and 1 MB, over the whole soak; the largest value, 50 %
#
# Medians are compared because a burst, a copy or a stalled reader is not
# growth.  "-": too few samples.
BEGIN {
	FS = OFS = "\t"
	NEEDED = 80
}

NR == 1 {
	for (i = 1; i <= NF; i++)
		at[$i] = i
	next
}

function value(name) {
	return $(at[name])
}

function add(what, v) {
	if (v == "-")
		return
	if (!(what in count))
		order[++whats] = what
	list[what, ++count[what]] = v
}

# Count only the first process of a stretch.
function program(letter, title, stretch, pid) {
	pid = value(letter "_pid")
	if (pid == "-")
		return
	if (!((letter, stretch) in first))
		first[letter, stretch] = pid
	if (first[letter, stretch] != pid)
		return
	if (value("phase") == "load" && value("streams") > value("clients") * 0.7) {
		add(title " memory, stretch " stretch, value(letter "_private"))
		add(title " descriptors, stretch " stretch, value(letter "_fds"))
	} else if (value("phase") == "rest")
		add(title " descriptors without clients, stretch " stretch,
		    value(letter "_fds"))
}

{
	if (value("stretch") > 0) {
		program("r", "responder", value("stretch"))
		program("p", "publisher", value("stretch"))
		program("s", "web server", value("stretch"))
	}
	if (value("phase") == "load") {
		add("WAL", value("wal"))
		add("file of the log", value("db"))
	}
}

# Return a quantile of the values between two indexes of a list.
function quantile(what, from, to, share, i, j, n, v, sorted) {
	n = 0
	for (i = from; i <= to; i++) {
		v = list[what, i] + 0
		for (j = n++; j >= 1 && sorted[j] > v; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = v
	}
	return sorted[int((n - 1) * share) + 1]
}

function is_flat(n, needed, late, limit) {
	return n < needed ? "-" : late + 0 <= limit + 0 ? "yes" : "no"
}

function judge(what, share, factor, more, unit, n, early, late, limit) {
	n = count[what]
	early = quantile(what, int(n / 4) + 1, int(n / 2), share)
	late = quantile(what, int(n * 3 / 4) + 1, n, share)
	limit = int(early * factor + more)
	print what (share == 1 ? ", largest" : ""), early, late, limit, unit,
	    is_flat(n, NEEDED, late, limit)
}

END {
	for (k = 1; k <= whats; k++) {
		what = order[k]
		n = count[what]
		if (what ~ /without clients/)
			print what, list[what, 1], list[what, n],
			    list[what, 1] + 4, "",
			    is_flat(n, 2, list[what, n], list[what, 1] + 4)
		else if (what ~ /descriptors/)
			judge(what, 0.5, 1.05, 16, "")
		else if (what ~ /^web server/)
			judge(what, 0.5, 1.1, 1024, "KB")
		else if (what ~ /memory/)
			judge(what, 0.5, 1.05, 256, "KB")
		else {
			judge(what, 0.5, 1.25, 1024, "KB")
			judge(what, 1, 1.5, 1024, "KB")
		}
	}
}
