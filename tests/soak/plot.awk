# plot.awk: samples.tsv → a plot in SVG; faults.tsv (-v faults=FILE) as ticks.
#
# Panels over the time of the soak: streams, memory, descriptors, files.
BEGIN {
	FS = "\t"
	WIDTH = 760
	LEFT = 70
	RIGHT = 740
	HIGH = 90 # height of a panel
	POINTS = 300
	# the programs of rowcast are blue
	OURS = "#1b6ca8"
	PALE = "#8fb9d8"
	OTHER = "#777"
	n_rounds = split("1 1.6 2 2.4 3 4 5 6 8 10", round, " ")
}

NR == 1 {
	for (i = 1; i <= NF; i++)
		at[$i] = i
	next
}

{
	n++
	for (name in at)
		value[name, n] = $(at[name])
	is_calm[n] = $(at["stretch"]) > 0
	last = $(at["t"])
}

function text(x, y, anchor, s) {
	return sprintf("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>", x, y, anchor, s)
}

function x_of(t) {
	return LEFT + (RIGHT - LEFT) * t / (last > 0 ? last : 1)
}

# Return the upper end of a panel: a round number, half of which is round as
# well.
function round_up(v, p, k) {
	for (p = 1; p * 10 <= v; p *= 10)
		;
	for (k = 1; k < n_rounds && round[k] * p < v; k++)
		;
	return round[k] * p
}

# Draw a column as a curve, with gaps where values are missing.  A point shows
# the largest of its values.
function curve(name, scale, top, most, colour, i, step, path, pen, v, w, j) {
	step = int((n + POINTS - 1) / POINTS)
	pen = "M"
	for (i = 1; i <= n; i += step) {
		v = "-"
		for (j = i; j < i + step && j <= n; j++) {
			w = value[name, j]
			if (w != "-" && (v == "-" || w + 0 > v + 0))
				v = w
		}
		if (v == "-") {
			pen = "M"
			continue
		}
		path = path sprintf("%s%d %d", pen, x_of(value["t", i]),
		    top + HIGH - HIGH * v * scale / most)
		pen = "L"
	}
	printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.3\"/>\n", path, colour
}

function largest(name, i, most) {
	for (i = 1; i <= n; i++)
		if (value[name, i] != "-" && value[name, i] + 0 > most)
			most = value[name, i] + 0
	return most
}

# names, titles: columns and their labels, separated by "|"
function panel(top, title, unit, names, titles, scale, m, name, label, k, v, most, x, colour) {
	m = split(names, name, "|")
	split(titles, label, "|")
	for (k = 1; k <= m; k++) {
		v = largest(name[k]) * scale
		if (v > most)
			most = v
	}
	most = round_up(most)
	print "<g font-weight=\"bold\">" text(12, top - 8, "start", title) "</g>"
	printf "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#333\"/>\n", LEFT, top, top + HIGH, RIGHT
	for (k = 0; k <= 2; k++)
		print text(LEFT - 6, top + HIGH + 4 - HIGH * k / 2, "end", most * k / 2 (k ? unit : ""))
	x = 330
	for (k = 1; k <= m; k++) {
		colour = k == 1 ? OURS : k == 2 ? PALE : OTHER
		curve(name[k], scale, top, most, colour)
		if (m > 1) {
			printf "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", x, top - 17, colour
			print text(x + 15, top - 8, "start", label[k])
			x += 110
		}
	}
}

# Grey: calm stretches, in which nothing is killed.
function stretches(bottom, i, from) {
	for (i = 1; i <= n; i++) {
		if (is_calm[i] && !from)
			from = i
		if (from && (!is_calm[i] || i == n)) {
			printf "<rect x=\"%d\" y=\"34\" width=\"%d\" height=\"%d\" fill=\"#f2f5f8\"/>\n",
			    x_of(value["t", from]), x_of(value["t", i]) - x_of(value["t", from]), bottom - 34
			from = 0
		}
	}
}

function ticks(top, row, x, line, part) {
	while ((getline line <faults) > 0) {
		split(line, part, "\t")
		row = part[3] ~ /^(kill|term|reload)/ ? 0 : part[3] ~ /^stop/ ? 1 : 2
		x = x_of(part[1])
		printf "<path d=\"M%d %dv10\" stroke=\"%s\"/>\n", x, top + row * 15, row == 0 ? "#b03a2e" : "#777"
	}
	print text(LEFT - 6, top + 9, "end", "killed")
	print text(LEFT - 6, top + 24, "end", "stopped")
	print text(LEFT - 6, top + 39, "end", "others")
}

END {
	if (n == 0)
		exit
	height = 5 * (HIGH + 40) + 120
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n", WIDTH, height, WIDTH, height
	print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
	print "<g font-size=\"14\" font-weight=\"bold\">" text(12, 22, "start", title) "</g>"
	stretches(height - 40)
	y = 64
	panel(y, "Streams", "", "streams", "", 1)
	panel(y += HIGH + 40, "Private memory", " MB", "r_private|p_private", "responder|publisher", 1 / 1024)
	panel(y += HIGH + 40, "the same, web server", " MB", "s_private", "", 1 / 1024)
	panel(y += HIGH + 40, "Descriptors", "", "r_fds|p_fds|s_fds", "responder|publisher|web server", 1)
	panel(y += HIGH + 40, "Files", " MB", "db|wal", "log|WAL", 1 / 1024)
	ticks(y + HIGH + 12)
	step = round_up(last / 360)
	for (k = 0; k * step * 60 <= last; k++)
		print text(x_of(k * step * 60), height - 12, "middle", k * step " min")
	print "</svg>"
}
