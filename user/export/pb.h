/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol Buffers wire format (protobuf.dev, "Encoding"): a writer over struct buf, and a reader
 * of small answers. The writer's errors are the buffer's: check `failed` at the end.
 *
 * Two levels: pb_add_* for what happens now and then, and pb_put_* for spans, which write at a
 * pointer behind which the caller has made room.
 */
#ifndef SONDE_EXPORT_PB_H
#define SONDE_EXPORT_PB_H

#include <endian.h>

#include "base/buf.h"

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_LEN = 2, PB_FIXED32 = 5 };

#define PB_VARINT_MAX 10	/* bytes */

void pb_add_varint(struct buf *buf, unsigned field, uint64_t value);
void pb_add_sint(struct buf *buf, unsigned field, int64_t value);	/* ZigZag */
void pb_add_fixed64(struct buf *buf, unsigned field, uint64_t value);
void pb_add_double(struct buf *buf, unsigned field, double value);
void pb_add_bytes(struct buf *buf, unsigned field, struct bytes value);

/* As a `string`, which must be UTF-8: other bytes become U+FFFD. */
void pb_add_text(struct buf *buf, unsigned field, struct bytes value);

/*
 * A nested message (or packed numbers) of at most 256 MiB: returns a mark for pb_close(), which
 * fills in the length. It is a varint padded to PB_LENGTH_BYTES, which the format allows, so
 * nothing moves.
 */
#define PB_LENGTH_BYTES 4
size_t pb_open(struct buf *buf, unsigned field);
void pb_close(struct buf *buf, size_t mark);

/* Raw numbers inside packed fields. */
void pb_add_raw_varint(struct buf *buf, uint64_t value);
void pb_add_raw_fixed64(struct buf *buf, uint64_t value);
void pb_add_raw_double(struct buf *buf, double value);

static inline uint8_t *pb_put_varint(uint8_t *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = value | 0x80;
		value >>= 7;
	}
	*at++ = value;
	return at;
}

static inline unsigned pb_varint_size(uint64_t value)
{
	return value < 0x80 ? 1 : (70 - __builtin_clzll(value)) / 7;
}

/* Little-endian, whatever the machine is. */
static inline uint8_t *pb_put_fixed64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

/* One field, as read. */
struct pb_field {
	unsigned number;
	enum pb_wire wire;
	uint64_t value;		/* PB_VARINT, PB_FIXED64, PB_FIXED32 */
	struct bytes bytes;	/* PB_LEN; points into the input */
};

/* Takes the next field off the front. Returns 1, 0 at the end, -EBADMSG when it is none. */
int pb_next(struct bytes *in, struct pb_field *ret_field);

#endif
