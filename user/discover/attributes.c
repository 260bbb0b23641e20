/* SPDX-License-Identifier: Apache-2.0 */
/* Names and values a process gives itself, made fit for exporters. To service.c. */
#include "discover/attributes.h"

#include "base/cleanup.h"

/* Bytes of the well-formed, printable character at the front of `text`; 0: there is none. */
static size_t character_len(struct bytes text)
{
	uint32_t code, least;
	uint8_t first = text.len ? text.at[0] : 0;
	size_t len;

	if (first < 0x80)
		return first >= 0x20 && first != 0x7f;
	if (first >= 0xf8 || first < 0xc2)
		return 0;			/* a continuation, an overlong form or no UTF-8 */
	len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (text.len < len)
		return 0;
	code = first & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((text.at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text.at[i] & 0x3f);
	}
	least = len == 4 ? 0x10000 : len == 3 ? 0x800 : 0x80;
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return len;
}

bool text_is_clean(struct bytes text)
{
	while (text.len) {
		size_t len = character_len(text);

		if (!len)
			return false;
		text = bytes_skip(text, len);
	}
	return true;
}

struct bytes text_clean(struct bytes text, size_t max, struct buf *storage)
{
	size_t start = storage->len;

	if (storage->capacity - storage->len < MIN(text.len, max))
		return (struct bytes){ 0 };
	while (text.len) {
		size_t len = character_len(text);

		if (storage->len - start + MAX(len, (size_t)1) > max)
			break;
		if (len)
			buf_add(storage, text.at, len);
		else
			buf_add_byte(storage, '?');
		text = bytes_skip(text, MAX(len, (size_t)1));
	}
	return bytes_of(storage->at + start, storage->len - start);
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Adds `text` with its %XX decoded. False, with `storage` as it was, when that cannot be. */
static bool decode(struct bytes text, struct buf *storage, struct bytes *ret)
{
	size_t start = storage->len;

	if (storage->capacity - storage->len < text.len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = text.at[i];

		if (byte == '%') {
			int high = i + 2 < text.len ? hex_value(text.at[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_value(text.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				goto refuse;
			byte = (uint8_t)(high << 4 | low);
			i += 2;
		}
		buf_add_byte(storage, byte);
	}
	*ret = bytes_of(storage->at + start, storage->len - start);
	if (text_is_clean(*ret))
		return true;
refuse:
	storage->len = start;
	return false;
}

static bool decode_pair(struct bytes pair, struct buf *storage, struct attribute_pair *ret)
{
	size_t start = storage->len;
	ssize_t equals = bytes_index(pair, '=');
	struct attribute_pair new;

	if (equals < 0)
		return false;
	if (!decode(bytes_trim(bytes_first(pair, (size_t)equals)), storage, &new.name))
		return false;
	if (!decode(bytes_trim(bytes_skip(pair, (size_t)equals + 1)), storage, &new.value) ||
	    !new.name.len || new.name.len > ATTRIBUTE_NAME_MAX ||
	    new.value.len > ATTRIBUTE_VALUE_MAX) {
		storage->len = start;
		return false;
	}
	*ret = new;
	return true;
}

bool attributes_next(struct bytes *text, struct buf *storage, struct attribute_pair *ret)
{
	while (text->len) {
		ssize_t comma = bytes_index(*text, ',');
		struct bytes pair = comma < 0 ? *text : bytes_first(*text, (size_t)comma);

		*text = bytes_skip(*text, pair.len + 1);
		if (decode_pair(pair, storage, ret))
			return true;
	}
	return false;
}
