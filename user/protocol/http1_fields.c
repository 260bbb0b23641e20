/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header fields of HTTP/1.x (RFC 9112, 5): finds the few that matter and passes over the rest.
 * Out: struct http1_fields, for framing in http1.c, and texts in struct message.
 *
 * This runs for every request there is. A line costs one memchr() and one switch on its
 * first letter; a name is compared only when its colon is where it would be.
 */
#include <errno.h>

#include "protocol/http1.h"

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';	/* the last two: in folded lines */
}

static struct bytes trim(struct bytes b)
{
	while (b.len && is_space(b.at[0]))
		b = bytes_skip(b, 1);
	while (b.len && is_space(b.at[b.len - 1]))
		b.len--;
	return b;
}

/*
 * `name` in lower case, letters and hyphens, `len` bytes. Setting bit 5 maps exactly the two
 * cases of a letter to the lower one, but carriage return to a hyphen: that is compared as it is.
 */
static inline bool name_is(struct bytes line, const char *name, size_t len)
{
	if (line.len <= len || line.at[len] != ':')
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((name[i] == '-' ? line.at[i] : line.at[i] | 0x20) != (uint8_t)name[i])
			return false;
	}
	return true;
}

#define NAME_IS(line, name) name_is(line, name, sizeof(name) - 1)
#define VALUE_OF(line, name) bytes_skip(line, sizeof(name))

/* Sets `*to` unless an earlier field did; of a folded value (RFC 9112, 5.2) the first line. */
static void text_set(struct bytes *to, struct bytes value)
{
	const uint8_t *fold;

	if (to->len)
		return;
	value = trim(value);
	fold = value.len ? memchr(value.at, '\n', value.len) : NULL;
	*to = fold ? trim(bytes_of(value.at, fold - value.at)) : value;
}

/* Takes the next element off a comma-separated list (RFC 9110, 5.6.1); false at its end. */
static bool list_take(struct bytes *list, struct bytes *ret_item)
{
	const uint8_t *comma;

	if (!list->at)
		return false;
	comma = list->len ? memchr(list->at, ',', list->len) : NULL;
	*ret_item = trim(bytes_of(list->at, comma ? (size_t)(comma - list->at) : list->len));
	*list = comma ? bytes_skip(*list, comma + 1 - list->at) : (struct bytes){ NULL, 0 };
	return true;
}

static void connection_read(struct bytes value, struct http1_fields *fields)
{
	struct bytes item;

	while (list_take(&value, &item)) {
		if (bytes_equal_nocase(item, BYTES("close")))
			fields->close = true;
		else if (bytes_equal_nocase(item, BYTES("keep-alive")))
			fields->keep_alive = true;
	}
}

/* Equal lengths, in one field or several, count as one (RFC 9110, 8.6). */
static void length_read(struct bytes value, struct http1_fields *fields)
{
	struct bytes item;
	uint64_t length;

	while (list_take(&value, &item)) {
		if (bytes_to_u64(item, &length) < 0 ||
		    (fields->has_length && length != fields->length)) {
			fields->bad_length = true;
			return;
		}
		fields->has_length = true;
		fields->length = length;
	}
}

/* The last coding of all fields decides. `identity` is none (RFC 2616, 4.4; gone since). */
static void coding_read(struct bytes value, struct http1_fields *fields)
{
	struct bytes item;

	while (list_take(&value, &item)) {
		if (!item.len || bytes_equal_nocase(item, BYTES("identity")))
			continue;
		fields->coded = true;
		fields->chunked = bytes_equal_nocase(item, BYTES("chunked"));
	}
}

static inline void framing_field_read(struct bytes line, struct http1_fields *fields)
{
	switch (line.at[0] | 0x20) {
	case 'c':
		if (NAME_IS(line, "content-length"))
			length_read(VALUE_OF(line, "content-length"), fields);
		else if (NAME_IS(line, "connection"))
			connection_read(VALUE_OF(line, "connection"), fields);
		break;
	case 't':
		if (NAME_IS(line, "transfer-encoding"))
			coding_read(VALUE_OF(line, "transfer-encoding"), fields);
		break;
	}
}

static inline void request_field_read(struct bytes line, struct message *message,
				      struct http1_fields *fields)
{
	switch (line.at[0] | 0x20) {
	case 'h':
		if (NAME_IS(line, "host"))
			text_set(&message->authority, VALUE_OF(line, "host"));
		break;
	case 'u':
		if (NAME_IS(line, "user-agent"))
			text_set(&message->user_agent, VALUE_OF(line, "user-agent"));
		else if (NAME_IS(line, "upgrade"))
			fields->upgrade = true;
		break;
	case 't':
		if (NAME_IS(line, "traceparent"))
			text_set(&message->traceparent, VALUE_OF(line, "traceparent"));
		else
			framing_field_read(line, fields);
		break;
	case 'c':
		framing_field_read(line, fields);
		break;
	case 'f':
		if (NAME_IS(line, "forwarded"))
			text_set(&message->forwarded_for, VALUE_OF(line, "forwarded"));
		break;
	case 'x':
		if (NAME_IS(line, "x-forwarded-for"))
			text_set(&message->forwarded_for, VALUE_OF(line, "x-forwarded-for"));
		break;
	}
}

/* The line feed that ends the field at `at`; a line that begins with a blank continues it. */
static inline const uint8_t *field_end(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *lf = memchr(at, '\n', end - at);

	while (lf && lf + 1 < end && (lf[1] == ' ' || lf[1] == '\t'))
		lf = memchr(lf + 1, '\n', end - lf - 1);
	return lf;
}

/* `message` is NULL for a response. */
static inline ssize_t fields_read(struct bytes in, struct message *message,
				  struct http1_fields *fields)
{
	const uint8_t *at = in.at, *end = in.at + in.len, *lf;
	struct bytes line;

	while (at < end) {
		if (*at == '\n')
			return at + 1 - in.at;
		if (*at == '\r' && end - at > 1 && at[1] == '\n')
			return at + 2 - in.at;
		lf = field_end(at, end);
		if (!lf)
			break;
		line = http1_line(at, lf);
		if (message)
			request_field_read(line, message, fields);
		else
			framing_field_read(line, fields);
		at = lf + 1;
	}
	return -EAGAIN;
}

ssize_t http1_request_fields_read(struct bytes in, struct message *message,
				  struct http1_fields *ret_fields)
{
	*ret_fields = (struct http1_fields){ 0 };
	return fields_read(in, message, ret_fields);
}

ssize_t http1_response_fields_read(struct bytes in, struct http1_fields *ret_fields)
{
	*ret_fields = (struct http1_fields){ 0 };
	return fields_read(in, NULL, ret_fields);
}
