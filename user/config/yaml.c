/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file (YAML 1.1 as libyaml reads it) -> struct config: keys by dotted path. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/reader.h"

static int read_scalar(struct reader *reader, const struct config_option *option)
{
	struct origin origin = reader_origin(reader);
	const char *text = reader_text(reader);

	if (reader_at_nothing(reader))
		return reader_refuse(reader, "no value: leave the key out for its default, or "
				   "write \"\" for an empty text");
	if (!text)
		return reader_refuse(reader, "a NUL byte in the value: leave it out");
	if (value_set(reader->layer.config, option, text, &origin) < 0)
		return reader_count_complaint(reader);
	return 0;
}

static int read_list(struct reader *reader, const struct config_option *option)
{
	int r;

	for (;;) {
		r = reader_next(reader);
		if (r < 0)
			return r;
		if (reader_at_end(reader))
			return 0;
		r = reader_at_scalar(reader) ? read_scalar(reader, option)
				      : reader_refuse(reader, "a list in a list: write single "
							      "values");
		if (r < 0)
			return r;
	}
}

/* `name: value` lines, as another way to write a list of key=value. */
static int read_pairs(struct reader *reader, const struct config_option *option)
{
	char pair[2 * VALUE_MAX + 2];	/* what is cut here is over VALUE_MAX: refused */
	struct origin origin;
	size_t len;
	int r;

	for (;;) {
		r = reader_next(reader);
		if (r < 0 || reader_at_end(reader))
			return r;
		if (!reader_at_scalar(reader) || !reader_text(reader)) {
			reader_refuse(reader, "not a name: write name: value");
			return -EINVAL;		/* its value would be taken for the next name */
		}
		len = snprintf(pair, sizeof(pair), "%s=", reader_text(reader));
		r = reader_next(reader);
		if (r < 0)
			return r;
		if (!reader_at_scalar(reader) || !reader_text(reader)) {
			r = reader_refuse(reader, "not a text: write name: value");
			if (r < 0)
				return r;
			continue;
		}
		if (len < sizeof(pair))
			snprintf(pair + len, sizeof(pair) - len, "%s", reader_text(reader));
		origin = reader_origin(reader);
		if (value_set(reader->layer.config, option, pair, &origin) < 0 &&
		    reader_count_complaint(reader) < 0)
			return -EINVAL;
	}
}

static int read_option(struct reader *reader, const struct config_option *option)
{
	if (layer_begin(&reader->layer, option))
		return reader_refuse(reader, "given twice: keep one");
	if (reader_at_scalar(reader))
		return read_scalar(reader, option);
	if (reader->event.type == YAML_SEQUENCE_START_EVENT && option_is_list(option))
		return read_list(reader, option);
	if (reader->event.type == YAML_MAPPING_START_EVENT && option->type == OPTION_PAIRS)
		return read_pairs(reader, option);
	return reader_refuse(reader, option_is_list(option) ? "not a list: write - VALUE lines"
							  : "not a single value: write KEY: VALUE");
}

/* A key that names neither an option nor a section. */
static int refuse_key(struct reader *reader)
{
	struct origin origin = reader_origin(reader);
	const char *near = option_nearest_key(reader->path);
	int r;

	if (near)
		origin_complain(&origin, "no such key: did you mean %s?", near);
	else
		origin_complain(&origin, "no such key: see sonde.conf(5) for all of them");
	r = reader_next(reader);
	if (!r)
		r = reader_skip(reader);
	return r < 0 ? r : reader_count_complaint(reader);
}

/* Appends the current scalar to the path. Returns whether it fits and is a key at all. */
static bool push_key(struct reader *reader)
{
	size_t len = strlen(reader->path);
	const char *key = reader_at_scalar(reader) ? reader_text(reader) : NULL;

	if (!key || !*key || len + 1 + strlen(key) >= sizeof(reader->path))
		return false;
	snprintf(reader->path + len, sizeof(reader->path) - len, "%s%s", len ? "." : "", key);
	return true;
}

static int read_map(struct reader *reader, unsigned depth);

/* The value of a key that names a section: a map, or nothing (all its keys commented out). */
static int read_section(struct reader *reader, const struct config_option *first, unsigned depth)
{
	uint64_t bit = 1ull << (first - config_options);

	if (depth == READER_DEPTH_MAX)
		return reader_refuse(reader, "nested too deep: no setting is");
	if (reader->sections[depth] & bit)
		return reader_refuse(reader, "given twice: keep one");
	reader->sections[depth] |= bit;
	if (reader_at_nothing(reader))
		return 0;
	if (reader->event.type != YAML_MAPPING_START_EVENT)
		return reader_refuse(reader, "a section, not a value: write KEY: VALUE lines, "
				     "indented, below it");
	return read_map(reader, depth + 1);
}

/* One key, whose event is the current one, and its value. */
static int read_entry(struct reader *reader, unsigned depth)
{
	const struct config_option *option, *section;
	int r;

	if (!push_key(reader)) {
		struct origin origin = reader_origin(reader);

		return origin_complain(&origin, "not a key: write KEY: VALUE lines");
	}
	option = option_by_key(reader->path);
	section = option_section(reader->path);
	if (!option && !section)
		return refuse_key(reader);
	r = reader_next(reader);
	if (r < 0)
		return r;
	return option ? read_option(reader, option) : read_section(reader, section, depth);
}

/* Recursion is as deep as the sections of the table. */
static int read_map(struct reader *reader, unsigned depth)
{
	size_t len = strlen(reader->path);
	int r;

	for (;;) {
		reader->path[len] = '\0';
		r = reader_next(reader);
		if (r < 0 || reader_at_end(reader))
			return r;
		r = read_entry(reader, depth);
		if (r < 0)
			return r;
	}
}

/* The one document of a file; `---` alone, or nothing at all, is an empty one. */
static int read_document(struct reader *reader)
{
	struct origin origin;
	int r;

	do {					/* stream start, document start */
		r = reader_next(reader);
		if (r < 0)
			return r;
	} while (reader->event.type == YAML_STREAM_START_EVENT ||
		 reader->event.type == YAML_DOCUMENT_START_EVENT);

	if (reader->event.type == YAML_MAPPING_START_EVENT) {
		r = read_map(reader, 0);
		if (r < 0)
			return r;
	} else if (reader->event.type != YAML_STREAM_END_EVENT && !reader_at_nothing(reader)) {
		origin = reader_origin(reader);
		return origin_complain(&origin, "not a map: write KEY: VALUE lines");
	}
	while (reader->event.type != YAML_STREAM_END_EVENT) {
		r = reader_next(reader);
		if (r < 0)
			return r;
		origin = reader_origin(reader);
		if (reader->event.type == YAML_DOCUMENT_START_EVENT)
			return origin_complain(&origin, "a second document: keep one");
	}
	return 0;
}

int config_from_yaml(struct config *config, const char *yaml, size_t len, const char *name,
		     FILE *errors)
{
	struct reader reader = { .layer.config = config, .name = name, .errors = errors };
	struct origin origin = { .file = name, .errors = errors };
	int r;

	if (len > CONFIG_FILE_MAX)
		return origin_complain(&origin, "more than %u bytes: a configuration file has "
						"fewer",
				       CONFIG_FILE_MAX);
	if (!yaml_parser_initialize(&reader.parser))
		return origin_complain(&origin, "no memory");
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)yaml, len);
	r = read_document(&reader);
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	return r < 0 || reader.complaints ? -EINVAL : 0;
}

/* All of `file`, or one byte more than allowed. Returns 0 or -errno. */
static int read_all(FILE *file, struct buf *buf)
{
	uint8_t chunk[4096];
	size_t len;

	while (buf->len <= CONFIG_FILE_MAX && (len = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		if (buf_add(buf, chunk, len) < 0)
			return -ENOMEM;
	}
	return ferror(file) ? -errno : 0;
}

int config_from_file(struct config *config, const char *path, FILE *errors)
{
	struct origin origin = { .file = path, .errors = errors };
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	_cleanup_(buf_done) struct buf buf;
	int r;

	buf_init(&buf, CONFIG_FILE_MAX + 4096);
	if (!file)
		return origin_complain(&origin, "cannot be opened: %m: check the path given with "
						"-c");
	r = read_all(file, &buf);
	if (r < 0) {
		errno = -r;
		return origin_complain(&origin, "cannot be read: %m: name a readable file with -c");
	}
	return config_from_yaml(config, (const char *)buf.at, buf.len, path, errors);
}
