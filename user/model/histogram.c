/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explicit and base-2 exponential histograms. Filled by pipeline/aggregate with every request, so
 * adding is integer arithmetic only; read by the exporters and by `sonde top`.
 */
#include "model/histogram.h"

#include <math.h>
#include <string.h>

#include "base/cleanup.h"

unsigned histogram_add(struct histogram *histogram, const struct bounds *bounds, double unit,
		       uint64_t value)
{
	unsigned i = 0;

	while (i < bounds->count && (double)value > bounds->at[i] * unit)
		i++;
	histogram->bucket[i]++;
	histogram->count++;
	histogram->sum += value;
	return i;
}

/*
 * Where buckets begin, for a value shifted so that its highest bit is bit 63. 1 s = 10^9 ns is
 * bound 0, so bound i is at 10^9 * 2^(i/16) ns, and 16 * log2(10^9) = 478.36: row k is floor(10^9 *
 * 2^(63 + (k - 478)/16)). The last is never passed: 2^64 - 1.
 */
#define ROWS_PER_SECOND 478
static const uint64_t boundary[17] = {
	0x81ffa7a9549ca6e3, 0x87c11235836d16a3, 0x8dc3b8960164a7d9, 0x940a7e28259fb382,
	0x9a9867054d512391, 0xa1709975dfb06757, 0xa8965f74bf065071, 0xb00d2843e1060dc2,
	0xb7d88a12d0dd9ea0, 0xbffc43b7e604a922, 0xc87c3e7d03cdbec3, 0xd15c9000bf211c1f,
	0xdaa17c2cd19555db, 0xe44f7742cb56e3dd, 0xee6b280000000000, 0xf8f969d9b5abf948,
	0xffffffffffffffff,
};

_Static_assert(EXPONENTIAL_SCALE == 4, "the table has 2^scale rows");

/*
 * Index of `ns` (not 0) at EXPONENTIAL_SCALE: ceil(log2(ns / 10^9) * 16) - 1. Starts from the
 * straight line below the logarithm (log2(1 + f) >= f), which is at most 3 rows short.
 */
static int32_t index_of(uint64_t ns)
{
	int exponent = 63 - __builtin_clzll(ns);
	uint64_t mantissa = ns << (63 - exponent);
	unsigned row = mantissa >> 59 & 15;

	while (mantissa > boundary[row])
		row++;
	return exponent * 16 + (int)row - 1 - ROWS_PER_SECOND;
}

void exponential_init(struct exponential *exponential)
{
	memset(exponential, 0, sizeof(*exponential));
	exponential->scale = EXPONENTIAL_SCALE;
}

/* Halves the scale `by` times. Bucket i becomes part of bucket i >> by: never to the right. */
static void downscale(struct exponential *exponential, unsigned by)
{
	int32_t offset = exponential->offset >> by;
	uint32_t used = 0;

	for (uint32_t i = 0; i < exponential->used; i++) {
		uint32_t to = ((exponential->offset + (int32_t)i) >> by) - offset;
		uint64_t count = exponential->count[i];

		exponential->count[i] = 0;
		exponential->count[to] += count;
		used = to + 1;
	}
	exponential->scale -= (int32_t)by;
	exponential->offset = offset;
	exponential->used = used;
}

/*
 * Makes buckets `low` to `high`, at the present scale, part of the histogram. Returns how many
 * times the scale was halved for that: shift indices right by so much.
 */
static unsigned cover(struct exponential *exponential, int32_t low, int32_t high)
{
	unsigned by = 0;

	if (exponential->used) {
		low = MIN(low, exponential->offset);
		high = MAX(high, exponential->offset + (int32_t)exponential->used - 1);
	}
	while ((high >> by) - (low >> by) >= EXPONENTIAL_BUCKETS)
		by++;
	if (by)
		downscale(exponential, by);
	low >>= by;
	high >>= by;

	if (exponential->used && low < exponential->offset) {
		uint32_t shift = exponential->offset - low;

		memmove(exponential->count + shift, exponential->count,
			exponential->used * sizeof(exponential->count[0]));
		memset(exponential->count, 0, shift * sizeof(exponential->count[0]));
	}
	exponential->offset = low;
	exponential->used = high - low + 1;
	return by;
}

void exponential_add(struct exponential *exponential, uint64_t ns)
{
	int32_t index;

	if (!ns) {
		exponential->zero++;
		return;
	}
	index = index_of(ns) >> (EXPONENTIAL_SCALE - exponential->scale);
	if ((uint32_t)(index - exponential->offset) >= exponential->used)
		index >>= cover(exponential, index, index);
	exponential->count[index - exponential->offset]++;
}

double exponential_lower(int32_t scale, int32_t index)
{
	return exp2(ldexp(index, -scale));
}

double exponential_upper(int32_t scale, int32_t index)
{
	return exponential_lower(scale, index + 1);
}

void exponential_merge(struct exponential *into, const struct exponential *from)
{
	int32_t low, high;
	int shift;

	into->zero += from->zero;
	if (!from->used)
		return;
	if (into->scale > from->scale)
		downscale(into, into->scale - from->scale);

	shift = from->scale - into->scale;
	low = from->offset >> shift;
	high = (from->offset + (int32_t)from->used - 1) >> shift;
	shift += (int)cover(into, low, high);
	for (uint32_t i = 0; i < from->used; i++) {
		int32_t index = (from->offset + (int32_t)i) >> shift;

		into->count[index - into->offset] += from->count[i];
	}
}

void exponential_subtract(struct exponential *from, const struct exponential *earlier)
{
	int shift = earlier->scale - from->scale;

	if (shift < 0)
		return;			/* finer now than before: not a former state of this one */
	from->zero -= MIN(from->zero, earlier->zero);
	for (uint32_t i = 0; i < earlier->used; i++) {
		int32_t index = (earlier->offset + (int32_t)i) >> shift;
		uint32_t at = index - from->offset;

		if (at < from->used)
			from->count[at] -= MIN(from->count[at], earlier->count[i]);
	}
}

static uint64_t total_of(const struct exponential *exponential)
{
	uint64_t total = exponential->zero;

	for (uint32_t i = 0; i < exponential->used; i++)
		total += exponential->count[i];
	return total;
}

double exponential_quantile(const struct exponential *exponential, double q)
{
	double rank = q * (double)total_of(exponential), below = (double)exponential->zero;
	double value = 0;

	if (rank <= below)
		return 0;
	for (uint32_t i = 0; i < exponential->used; i++) {
		double count = (double)exponential->count[i];
		double share = count ? MIN((rank - below) / count, 1.0) : 0;

		if (!count)
			continue;
		value = exp2(ldexp(exponential->offset + (int32_t)i + share, -exponential->scale));
		below += count;
		if (rank <= below)
			break;
	}
	return value;
}
