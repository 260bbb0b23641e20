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
 * floor(2^(63 + k/16)): where the 16 buckets of one power of two begin, for a value shifted so that its
 * highest bit is bit 63. The last is never reached: 2^64 - 1.
 */
static const uint64_t boundary[17] = {
	0x8000000000000000, 0x85aac367cc487b14, 0x8b95c1e3ea8bd6e6, 0x91c3d373ab11c336,
	0x9837f0518db8a96f, 0x9ef5326091a111ad, 0xa5fed6a9b15138ea, 0xad583eea42a14ac6,
	0xb504f333f9de6484, 0xbd08a39f580c36be, 0xc5672a115506dadd, 0xce248c151f8480e3,
	0xd744fccad69d6af4, 0xe0ccdeec2a94e111, 0xeac0c6e7dd24392e, 0xf5257d152486cc2c,
	0xffffffffffffffff,
};

_Static_assert(EXPONENTIAL_SCALE == 4, "the table has 2^scale rows");

/*
 * Index of `value` (not 0) at EXPONENTIAL_SCALE: ceil(log2(value) * 16) - 1. Starts from the
 * straight line below the logarithm (log2(1 + f) >= f), which is at most 3 rows short.
 */
static int32_t index_of(uint64_t value)
{
	int exponent = 63 - __builtin_clzll(value);
	uint64_t mantissa = value << (63 - exponent);
	unsigned row = mantissa >> 59 & 15;

	while (mantissa > boundary[row])
		row++;
	return exponent * 16 + (int)row - 1;
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

void exponential_add(struct exponential *exponential, uint64_t value)
{
	int32_t index;

	if (!value) {
		exponential->zero++;
		return;
	}
	index = index_of(value) >> (EXPONENTIAL_SCALE - exponential->scale);
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
