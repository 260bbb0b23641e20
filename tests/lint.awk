# SPDX-License-Identifier: Apache-2.0
# lint.awk: sizes and licence lines (`make lint`). C: functions of at most 80 lines, files of at most
# 400 (user/main.c: 60, tests: 600, a case after the other). Everything: SPDX-License-Identifier within the first three lines. With
# -v columns=100 lines of C wider than that as well. Names file:line of every violation; exits 1 if any.
function say(line, what) {
	print file ":" line ": " what
	bad = 1
}

function end_file() {
	if (!file)
		return
	if (!licensed)
		say(1, "no SPDX-License-Identifier in the first three lines")
	if (is_c && lines > most)
		say(most + 1, "the file has " lines " lines, more than " most ": split it by concept")
}

# Columns with tabs to every eighth.
function width(text,    at, wide) {
	for (at = 1; at <= length(text); at++)
		wide += substr(text, at, 1) == "\t" ? 8 - wide % 8 : 1
	return wide
}

FNR == 1 {
	end_file()
	file = FILENAME
	licensed = start = 0
	is_c = file ~ /\.[ch]$/
	most = file == "user/main.c" ? 60 : file ~ /^tests\// ? 600 : 400
}

{ lines = FNR }

FNR <= 3 && /SPDX-License-Identifier: / { licensed = 1 }

columns && is_c && width($0) > columns { say(FNR, "the line has " width($0) " columns") }

is_c && /^{/ { start = FNR }

is_c && /^}/ && start {
	if (FNR - start - 1 > 80)
		say(start, "the function has " (FNR - start - 1) " lines, more than 80")
	start = 0
}

END {
	end_file()
	exit bad
}
