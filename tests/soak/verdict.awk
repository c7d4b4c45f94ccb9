# verdict.awk: does anything grow?  samples.tsv → lines of
# WHAT, second quarter, last quarter, at most, unit, yes|no|-.
#
# Memory and descriptors of a program are looked at in each stretch, rounds
# through which one process lives (a new one would begin anew, and hide what
# the old one lost).  Of the samples under load, the first quarter is left out:
# what is to be full once fills up.  Then the median of the last quarter may be
# so much above that of the second quarter:
#
#   memory        5 % and 256 KB; of the web server, which is not ours, 10 % and 1 MB
#   descriptors   5 % and 16; with nobody there, 4 more than the first time
#   WAL, file     25 % and 1 MB, over the whole soak; what was largest, 50 %
#
# Medians, as a burst, a copy or a reader that stands still is no growth.  "-":
# too few samples to judge by.
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

# One process a stretch: the one that was there first.
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
		add(title " descriptors with nobody there, stretch " stretch,
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

# Of the sorted values between two places of a list, the one at a share.
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
		if (what ~ /nobody/)
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
