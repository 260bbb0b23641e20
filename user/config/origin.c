/* SPDX-License-Identifier: Apache-2.0 */
/* Errors in settings, as lines for a person: `sonde: where: why: what to do`. */
#include <errno.h>
#include <stdarg.h>

#include "config/value.h"

/* What is quoted comes from files and variables: it must not steer a terminal or fake a line. */
static void print_blunt(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

int origin_complain(const struct origin *origin, const char *format, ...)
{
	char message[1024];	/* longer ones are cut */
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);

	fputs("sonde: ", origin->errors);
	if (origin->file)
		print_blunt(origin->errors, origin->file);
	if (origin->line)
		fprintf(origin->errors, ":%u", origin->line);
	if (origin->file)
		fputs(": ", origin->errors);
	if (origin->name) {
		print_blunt(origin->errors, origin->name);
		fputs(": ", origin->errors);
	}
	print_blunt(origin->errors, message);
	fputc('\n', origin->errors);
	return -EINVAL;
}
