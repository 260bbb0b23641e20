/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units: bytes (K, M, G: powers of 1024), durations (ms, s, m, h) and ratios. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "config/value.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first, for printing; the first of equal factor is the one printed. */
static const struct unit byte_units[] = {
	{ "G", 1ull << 30 }, { "GiB", 1ull << 30 },
	{ "M", 1ull << 20 }, { "MiB", 1ull << 20 },
	{ "K", 1ull << 10 }, { "KiB", 1ull << 10 },
	{ "", 1 },
	{ NULL },
};

static const struct unit duration_units[] = {
	{ "h", 3600 * NSEC_PER_SEC }, { "m", 60 * NSEC_PER_SEC }, { "s", NSEC_PER_SEC },
	{ "ms", NSEC_PER_MSEC },
	{ NULL },
};

static const struct unit plain_units[] = {
	{ "", 1 },
	{ NULL },
};

/* Digits, then one of the units. */
static int to_number(const char *text, const struct unit *unit, uint64_t *ret_value)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t value;
	int r;

	r = bytes_to_u64(bytes_of(text, digits), &value);
	if (r < 0)
		return r;
	for (; unit->name; unit++) {
		if (strcmp(text + digits, unit->name))
			continue;
		if (__builtin_mul_overflow(value, unit->factor, &value))
			return -ERANGE;
		*ret_value = value;
		return 0;
	}
	return -EINVAL;
}

int value_to_bytes(const char *text, uint64_t *ret_bytes)
{
	return to_number(text, byte_units, ret_bytes);
}

int value_to_duration(const char *text, uint64_t *ret_ns)
{
	return to_number(text, duration_units, ret_ns);
}

/* strtod() alone would take "nan", "inf", "0x1" and leading spaces too. */
int value_to_ratio(const char *text, double *ret_ratio)
{
	double ratio;
	char *end;

	if (!*text || text[strspn(text, "0123456789.eE+-")])
		return -EINVAL;
	ratio = strtod(text, &end);
	if (*end || end == text)
		return -EINVAL;
	*ret_ratio = ratio;
	return 0;
}

void value_print_number(enum option_type type, uint64_t value, char *ret_text, size_t size)
{
	const struct unit *unit = type == OPTION_BYTES	    ? byte_units
				  : type == OPTION_DURATION ? duration_units
							    : plain_units;

	while (unit[1].name && (!value || value % unit->factor))
		unit++;
	snprintf(ret_text, size, "%" PRIu64 "%s", value / unit->factor, unit->name);
}
