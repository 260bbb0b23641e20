/* SPDX-License-Identifier: Apache-2.0 */
/* The events of one YAML file, one at a time, and what is refused whatever the setting is. */
#include "config/reader.h"

#include <errno.h>
#include <string.h>

struct origin reader_origin(const struct reader *reader)
{
	return (struct origin){
		.file = reader->name,
		.line = reader->event.start_mark.line + 1,
		.name = reader->path[0] ? reader->path : NULL,
		.errors = reader->errors,
	};
}

int reader_count_complaint(struct reader *reader)
{
	return ++reader->complaints >= READER_ERRORS_MAX ? -EINVAL : 0;
}

static int complain_syntax(struct reader *reader)
{
	struct origin origin = {
		.file = reader->name,
		.line = reader->parser.problem_mark.line + 1,
		.errors = reader->errors,
	};

	return origin_complain(&origin, "not valid YAML: %s%s%s: see sonde.conf(5) for an example",
			       reader->parser.context ? reader->parser.context : "",
			       reader->parser.context ? ", " : "",
			       reader->parser.problem ? reader->parser.problem : "no memory");
}

/* Whether the event has what no setting needs: an alias, an anchor or a tag; its name, or NULL. */
static const char *refused_feature(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "alias (*name)";
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor ? "anchor (&name)"
		       : event->data.scalar.tag	 ? "tag (!name)"
						 : NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor ? "anchor (&name)"
		       : event->data.sequence_start.tag	 ? "tag (!name)"
							 : NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor ? "anchor (&name)"
		       : event->data.mapping_start.tag	? "tag (!name)"
							: NULL;
	default:
		return NULL;
	}
}

int reader_next(struct reader *reader)
{
	const char *feature;
	struct origin origin;

	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = yaml_parser_parse(&reader->parser, &reader->event);
	if (!reader->has_event)
		return complain_syntax(reader);
	feature = refused_feature(&reader->event);
	if (!feature)
		return 0;
	origin = reader_origin(reader);
	return origin_complain(&origin, "YAML %s is not allowed here: write the value out, in "
			       "quotes if it begins with *, & or !", feature);
}

bool reader_at_scalar(const struct reader *reader)
{
	return reader->event.type == YAML_SCALAR_EVENT;
}

bool reader_at_nothing(const struct reader *reader)
{
	return reader_at_scalar(reader) && !reader->event.data.scalar.length &&
	       reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool reader_at_end(const struct reader *reader)
{
	return reader->event.type == YAML_MAPPING_END_EVENT ||
	       reader->event.type == YAML_SEQUENCE_END_EVENT;
}

int reader_skip(struct reader *reader)
{
	struct origin origin;
	unsigned depth = 0;

	for (;;) {
		int r;

		if (reader_at_end(reader))
			depth--;
		else if (!reader_at_scalar(reader) && ++depth == READER_DEPTH_MAX)
			break;
		if (!depth)
			return 0;
		r = reader_next(reader);
		if (r < 0)
			return r;
	}
	origin = reader_origin(reader);
	return origin_complain(&origin, "nested more than %d deep: no setting "
					"is", READER_DEPTH_MAX);
}

int reader_refuse(struct reader *reader, const char *why)
{
	struct origin origin = reader_origin(reader);
	int r;

	origin_complain(&origin, "%s", why);
	r = reader_skip(reader);
	return r < 0 ? r : reader_count_complaint(reader);
}

const char *reader_text(const struct reader *reader)
{
	const char *text = (const char *)reader->event.data.scalar.value;

	return strlen(text) == reader->event.data.scalar.length ? text : NULL;
}
