# SPDX-License-Identifier: Apache-2.0
# layers.awk: fails on an #include in user/ that points against the flow of data (`make layers`).
# A folder includes itself and the folders before it.
BEGIN {
	n = split("base config model source discover protocol pipeline symbol export cmd", order)
	for (i = 1; i <= n; i++)
		rank[order[i]] = i
}

FNR == 1 { split(FILENAME, path, "/"); from = path[2] }

/^#include "[a-z0-9_]+\// {
	split($2, part, /["\/]/)
	to = part[2]
	if (from in rank && to in rank && rank[to] > rank[from]) {
		printf "%s:%d: %s must not include %s: it comes later in the flow of data\n", FILENAME, FNR, from, $2
		bad++
	}
	if (!(from in rank) && from != "main.c") {
		printf "%s: folder %s is not in the order of tests/layers.awk\n", FILENAME, from
		bad++
		nextfile
	}
}

END { exit bad > 0 }
