/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol Buffers by hand: what the OTLP encoders write and what receivers answer. */
#include "export/pb.h"

#include <errno.h>

static void add_tag(struct buf *buf, unsigned field, enum pb_wire wire)
{
	pb_add_raw_varint(buf, (uint64_t)field << 3 | wire);
}

void pb_add_raw_varint(struct buf *buf, uint64_t value)
{
	uint8_t bytes[PB_VARINT_MAX];

	buf_add(buf, bytes, pb_put_varint(bytes, value) - bytes);
}

void pb_add_raw_fixed64(struct buf *buf, uint64_t value)
{
	uint8_t bytes[8];

	pb_put_fixed64(bytes, value);
	buf_add(buf, bytes, sizeof(bytes));
}

void pb_add_raw_double(struct buf *buf, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	pb_add_raw_fixed64(buf, bits);
}

void pb_add_varint(struct buf *buf, unsigned field, uint64_t value)
{
	add_tag(buf, field, PB_VARINT);
	pb_add_raw_varint(buf, value);
}

void pb_add_sint(struct buf *buf, unsigned field, int64_t value)
{
	pb_add_varint(buf, field, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

void pb_add_fixed64(struct buf *buf, unsigned field, uint64_t value)
{
	add_tag(buf, field, PB_FIXED64);
	pb_add_raw_fixed64(buf, value);
}

void pb_add_double(struct buf *buf, unsigned field, double value)
{
	add_tag(buf, field, PB_FIXED64);
	pb_add_raw_double(buf, value);
}

void pb_add_bytes(struct buf *buf, unsigned field, struct bytes value)
{
	add_tag(buf, field, PB_LEN);
	pb_add_raw_varint(buf, value.len);
	buf_add_bytes(buf, value);
}

static void add_repaired(struct buf *buf, struct bytes text)
{
	while (text.len) {
		size_t len = utf8_sequence(text);

		buf_add_bytes(buf, len ? bytes_first(text, len) : BYTES("\xef\xbf\xbd"));
		text = bytes_skip(text, len ? len : 1);
	}
}

void pb_add_text(struct buf *buf, unsigned field, struct bytes value)
{
	size_t mark;

	if (bytes_are_utf8(value)) {
		pb_add_bytes(buf, field, value);
		return;
	}
	mark = pb_open(buf, field);
	add_repaired(buf, value);
	pb_close(buf, mark);
}

size_t pb_open(struct buf *buf, unsigned field)
{
	static const uint8_t room[PB_LENGTH_BYTES];

	add_tag(buf, field, PB_LEN);
	buf_add(buf, room, sizeof(room));
	return buf->len;
}

void pb_close(struct buf *buf, size_t mark)
{
	size_t len = buf->len - mark;
	uint8_t *at;

	if (buf->failed)
		return;			/* the mark may not be where it seems */
	if (len >> (7 * PB_LENGTH_BYTES)) {
		buf->failed = true;
		return;
	}
	at = buf->at + mark - PB_LENGTH_BYTES;
	for (int i = 0; i < PB_LENGTH_BYTES; i++, len >>= 7)
		at[i] = (len & 0x7f) | (i < PB_LENGTH_BYTES - 1 ? 0x80 : 0);
}

/* Returns 0, or -EBADMSG: cut off, or longer than 64 bits. */
static int take_varint(struct bytes *in, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < in->len && i < PB_VARINT_MAX; i++) {
		uint8_t byte = in->at[i];

		if (i == PB_VARINT_MAX - 1 && byte > 1)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*in = bytes_skip(*in, i + 1);
			*ret_value = value;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_fixed(struct bytes *in, size_t size, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (in->len < size)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)in->at[i] << (8 * i);
	*in = bytes_skip(*in, size);
	*ret_value = value;
	return 0;
}

static int take_len(struct bytes *in, struct bytes *ret_bytes)
{
	uint64_t len;

	if (take_varint(in, &len) < 0 || len > in->len)
		return -EBADMSG;
	*ret_bytes = bytes_first(*in, len);
	*in = bytes_skip(*in, len);
	return 0;
}

static int take_value(struct bytes *in, struct pb_field *field)
{
	switch (field->wire) {
	case PB_VARINT:
		return take_varint(in, &field->value);
	case PB_FIXED64:
		return take_fixed(in, 8, &field->value);
	case PB_LEN:
		return take_len(in, &field->bytes);
	case PB_FIXED32:
		return take_fixed(in, 4, &field->value);
	default:
		return -EBADMSG;	/* groups are not used by OTLP */
	}
}

int pb_next(struct bytes *in, struct pb_field *ret_field)
{
	struct pb_field field = { 0 };
	struct bytes rest = *in;
	uint64_t tag;
	int r;

	if (!rest.len)
		return 0;
	r = take_varint(&rest, &tag);
	if (r < 0 || !(tag >> 3) || tag >> 32)
		return -EBADMSG;
	field.number = tag >> 3;
	field.wire = tag & 7;
	r = take_value(&rest, &field);
	if (r < 0)
		return r;
	*in = rest;
	*ret_field = field;
	return 1;
}
