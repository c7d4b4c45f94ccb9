# plot.awk: lines of LABEL, VALUE, VALUE… (tabs between) → a plot in SVG.
#
#   type   bars: for each label a bar of each value
#          line: a curve of each value over labels that end in a number
#   title, unit, names   what it says; names are of the values, _unit cut off

function text(x, y, anchor, s) {
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	return sprintf("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, s)
}

# 1234567 → 1.23 M
function short(v) {
	if (v >= 1e6)
		return sprintf("%.2f M", v / 1e6)
	if (v >= 1e4)
		return sprintf(v >= 1e5 ? "%.0f k" : "%.1f k", v / 1e3)
	return sprintf(v >= 100 ? "%.0f" : v >= 10 ? "%.1f" : "%.2f", v)
}

function head(width, height) {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n", width, height, width, height
	print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
	print "<g font-size=\"14\" font-weight=\"bold\">" text(12, 22, "start", title) "</g>"
}

function legend(y, j, x) {
	x = 220
	for (j = 1; n_values > 1 && j <= n_values; j++) {
		printf "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>\n", x, y - 9, j == 1 ? "#1b6ca8" : "#8fb9d8"
		print text(x + 15, y, "start", name[j])
		x += 80
	}
}

# What is ours is darker; the second value is paler.
function colour(i, j) {
	if (label[i] ~ /^rowcast/)
		return j == 1 ? "#1b6ca8" : "#8fb9d8"
	return j == 1 ? "#777" : "#bbb"
}

function bars(i, j, y, w, most) {
	for (i = 1; i <= n; i++)
		for (j = 1; j <= n_values; j++)
			if (value[i, j] + 0 > most)
				most = value[i, j] + 0
	head(760, 50 + n * (n_values * 15 + 9))
	y = 38
	for (i = 1; i <= n; i++) {
		print text(208, y + n_values * 7.5 + 4, "end", label[i])
		for (j = 1; j <= n_values; j++) {
			if (value[i, j] != "") {
				w = 430 * value[i, j] / most
				printf "<rect x=\"216\" y=\"%.1f\" width=\"%.1f\" height=\"13\" fill=\"%s\"/>\n", y, w < 1 ? 1 : w, colour(i, j)
				print text(222 + w, y + 11, "start", short(value[i, j]) " " unit (n_values > 1 ? " " name[j] : ""))
			}
			y += 15
		}
		y += 9
	}
}

# Logarithmic to the right, from 0 upwards.
function line(i, j, x, y, most, low, high, path) {
	for (i = 1; i <= n; i++) {
		at[i] = label[i]
		sub(/.*[^0-9]/, "", at[i])
		at[i] = log(at[i]) / log(10)
		if (i == 1 || at[i] < low)
			low = at[i]
		if (i == 1 || at[i] > high)
			high = at[i]
		for (j = 1; j <= n_values; j++)
			if (value[i, j] + 0 > most)
				most = value[i, j] + 0
	}
	head(760, 320)
	legend(44)
	print "<path d=\"M70 60V270H720\" fill=\"none\" stroke=\"#333\"/>"
	for (i = 0; i <= 4; i++)
		print text(64, 274 - 50 * i, "end", short(most * i / 4) " " unit)
	for (i = 1; i <= n; i++) {
		x = 90 + 600 * (high > low ? (at[i] - low) / (high - low) : 0)
		print text(x, 290, "middle", "10^" sprintf("%g", at[i]) " rows")
	}
	for (j = 1; j <= n_values; j++) {
		path = ""
		for (i = 1; i <= n; i++) {
			x = 90 + 600 * (high > low ? (at[i] - low) / (high - low) : 0)
			y = 270 - 200 * value[i, j] / most
			path = path (i == 1 ? "M" : "L") sprintf("%.1f %.1f", x, y)
			printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x, y, j == 1 ? "#1b6ca8" : "#8fb9d8"
		}
		printf "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, j == 1 ? "#1b6ca8" : "#8fb9d8"
	}
}

BEGIN {
	FS = "\t"
	n_values = split(names, name, " ")
	for (j = 1; j <= n_values; j++) {
		sub(/_[a-z]*$/, "", name[j])
		sub(/^[a-z]*_/, "", name[j])
		if (name[j] == "stream" || name[j] == "used")
			name[j] = name[j] == "stream" ? "idle" : "then"
	}
}

{
	label[++n] = $1
	for (j = 1; j <= n_values; j++)
		value[n, j] = $(j + 1)
}

END {
	if (n == 0)
		exit
	if (type == "bars")
		bars()
	else
		line()
	print "</svg>"
}
