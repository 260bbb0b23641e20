/* SPDX-License-Identifier: Apache-2.0 */
/* Which segments of a path look like parameters. Every check walks its bytes once. */
#include "pipeline/route_heuristic.h"

#include "base/cleanup.h"

#define HEX_MIN 8		/* digits of the shortest hash: a CRC, a short git commit has 7 */
#define NUMBER_MIN 4		/* digits in a row that no name has; years count as parameters */
#define TOKEN_MIN 8		/* bytes from which letters and digits in turns are a token */
#define LONG_TOKEN_MIN 16	/* from which one digit amid letters is enough */
#define WORD_MAX 40		/* bytes no word of a name has */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static bool is_hex(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* pchar without `%` (RFC 3986, 3.3), and without `*`, which stands for segments in routes. */
static bool is_plain(uint8_t c)
{
	return is_digit(c) || is_letter(c) || (c && strchr("-._~!$&'()+,;=:@", c));
}

static bool splits_words(uint8_t c)
{
	return !is_digit(c) && !is_letter(c);
}

bool path_next_part(struct bytes *path, struct bytes *ret_part)
{
	while (path->len) {
		ssize_t end = bytes_index(*path, '/');
		struct bytes part = end < 0 ? *path : bytes_first(*path, end);

		*path = bytes_skip(*path, part.len + 1);
		if (!part.len)
			continue;
		*ret_part = part;
		return true;
	}
	return false;
}

bool path_next_segment(struct bytes *path, struct bytes *ret_segment)
{
	struct bytes part;

	while (path_next_part(path, &part)) {
		ssize_t semicolon = bytes_index(part, ';');

		if (!semicolon)
			continue;
		*ret_segment = semicolon < 0 ? part : bytes_first(part, semicolon);
		return true;
	}
	return false;
}

/* What one walk over a word finds. */
struct word {
	size_t len;
	unsigned digits, hex;
	unsigned runs;		/* of digits */
	unsigned longest;	/* digits in the longest of them */
	bool ends_in_letter;
};

static struct word word_of(struct bytes text)
{
	struct word word = { .len = text.len };
	unsigned run = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];

		word.hex += is_hex(c);
		word.digits += is_digit(c);
		run = is_digit(c) ? run + 1 : 0;
		word.runs += run == 1;
		word.longest = MAX(word.longest, run);
	}
	word.ends_in_letter = !run;
	return word;
}

/* v1, v2beta1, v1alpha1: letters and digits in turns, and a name all the same. */
static bool is_version(struct bytes text, const struct word *word)
{
	return text.len >= 2 && text.len <= 10 && (text.at[0] | 0x20) == 'v' &&
	       is_digit(text.at[1]) && word->runs <= 2 && word->longest < NUMBER_MIN;
}

static bool word_is_token(struct bytes text)
{
	struct word word = word_of(text);

	if (is_version(text, &word))
		return false;
	if (word.longest >= NUMBER_MIN || word.len > WORD_MAX)
		return true;
	if (word.len >= HEX_MIN && word.hex == word.len && word.digits)
		return true;
	if (word.len >= TOKEN_MIN && word.runs >= 2)
		return true;
	return word.len >= LONG_TOKEN_MIN && word.runs && word.ends_in_letter;
}

static bool word_is_number(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.at[i]))
			return false;
	}
	return text.len > 0;
}

/* Takes the next word off the front; false: none is left. */
static bool next_word(struct bytes *text, struct bytes *ret_word)
{
	size_t start = 0, end;

	while (start < text->len && splits_words(text->at[start]))
		start++;
	for (end = start; end < text->len && !splits_words(text->at[end]); end++)
		;
	*ret_word = bytes_of(text->at + start, end - start);
	*text = bytes_skip(*text, end);
	return end > start;
}

static bool words_tell(struct bytes segment)
{
	unsigned words = 0, numbers = 0;
	struct bytes word;

	while (next_word(&segment, &word)) {
		if (word_is_token(word))
			return true;
		words++;
		numbers += word_is_number(word);
	}
	return numbers >= 2 || (numbers && numbers == words);
}

static bool is_address(struct bytes segment)
{
	ssize_t at = bytes_index(segment, '@');

	return at >= 0 && (!at || bytes_index(bytes_skip(segment, at), '.') >= 0);
}

/* RFC 9562, 4. Words find all but those without a decimal digit, as the Max UUID is. */
static bool is_uuid(struct bytes segment)
{
	if (segment.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? segment.at[i] != '-' : !is_hex(segment.at[i]))
			return false;
	}
	return true;
}

bool segment_is_parameter(struct bytes segment)
{
	if (!segment.len || segment.len > SEGMENT_LITERAL_MAX)
		return true;
	for (size_t i = 0; i < segment.len; i++) {
		if (!is_plain(segment.at[i]))
			return true;
	}
	if (segment.at[0] == '~' || segment.at[segment.len - 1] == '=')
		return true;
	return is_address(segment) || is_uuid(segment) || words_tell(segment);
}
