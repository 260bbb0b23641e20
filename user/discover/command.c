/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of interpreters: skip the options, find the program. To service.c. */
#include "discover/command.h"

#include "base/cleanup.h"
#include "discover/process.h"

/* Which of an interpreter's options end the search, and which swallow the next argument. */
struct interpreter {
	const char *name;		/* a version (digits and dots) may follow */
	const char *runtime;		/* process.runtime.name; "" where there are several */
	bool clusters;			/* single-letter options may stand together: -um */
	bool classes;			/* the program may be a.b.Class */
	const char *module;		/* letters (or " words ") whose argument is the program */
	const char *code;		/* ... that mean there is no program */
	const char *skipped;		/* ... whose argument is something else */
	const char *extensions;		/* " .x .y " taken off a script's name */
};

static const struct interpreter interpreters[] = {
	{ .name = "python", .runtime = "cpython", .clusters = true, .module = "m", .code = "c",
	  .skipped = "WX", .extensions = " .py .pyc .pyz " },
	{ .name = "pypy", .runtime = "pypy", .clusters = true, .module = "m", .code = "c",
	  .skipped = "WX", .extensions = " .py .pyc .pyz " },
	{ .name = "ruby", .runtime = "ruby", .clusters = true, .module = "", .code = "e",
	  .skipped = "rICEF", .extensions = " .rb .ru " },
	{ .name = "php", .runtime = "php", .clusters = true, .module = "f", .code = "rBRES",
	  .skipped = "dcztg", .extensions = " .php .phar " },
	{ .name = "node", .runtime = "nodejs", .module = "", .code = " -e -p -pe --eval --print ",
	  .skipped = " -r --require --import --loader --experimental-loader -C --conditions "
		     "--env-file --title ",
	  .extensions = " .js .mjs .cjs .ts " },
	{ .name = "nodejs", .runtime = "nodejs", .module = "", .code = " -e -p -pe --eval --print ",
	  .skipped = " -r --require --import --loader --experimental-loader -C --conditions "
		     "--env-file --title ",
	  .extensions = " .js .mjs .cjs .ts " },
	{ .name = "java", .runtime = "", .classes = true, .code = "",
	  .module = " -jar -m --module ",
	  .skipped = " -cp -classpath --class-path -p --module-path --upgrade-module-path "
		     "--add-modules --add-exports --add-opens --add-reads --limit-modules "
		     "--patch-module ",
	  .extensions = " .jar .war .java " },
};

static bool is_version(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!(text.at[i] >= '0' && text.at[i] <= '9') && text.at[i] != '.')
			return false;
	}
	return true;
}

static const struct interpreter *interpreter_of(struct bytes executable)
{
	for (size_t i = 0; i < ARRAY_LEN(interpreters); i++) {
		struct bytes name = bytes_of_text(interpreters[i].name);

		if (bytes_start_with(executable, name) &&
		    is_version(bytes_skip(executable, name.len)))
			return &interpreters[i];
	}
	return NULL;
}

struct bytes command_runtime(struct bytes executable)
{
	const struct interpreter *interpreter = interpreter_of(executable);

	return bytes_of_text(interpreter ? interpreter->runtime : "");
}

/* Is `word` one of those in `list`, each between blanks? */
static bool list_has(const char *list, struct bytes word)
{
	struct bytes rest = bytes_of_text(list);
	ssize_t blank;

	while ((blank = bytes_index(rest, ' ')) >= 0) {
		if (blank && bytes_equal(bytes_first(rest, (size_t)blank), word))
			return true;
		rest = bytes_skip(rest, (size_t)blank + 1);
	}
	return false;
}

static struct bytes next_argument(struct bytes *cmdline)
{
	ssize_t end = bytes_index(*cmdline, '\0');
	struct bytes argument = end < 0 ? *cmdline : bytes_first(*cmdline, (size_t)end);

	*cmdline = bytes_skip(*cmdline, argument.len + 1);
	return argument;
}

enum option { OPTION_ALONE, OPTION_SKIPS, OPTION_CODE, OPTION_PROGRAM };

/* Letters as getopt(3) reads them; what follows the letter in the word is its argument. */
static enum option judge_letters(const struct interpreter *interpreter, struct bytes letters,
				 struct bytes *ret_argument)
{
	for (; letters.len; letters = bytes_skip(letters, 1)) {
		char letter = (char)letters.at[0];

		*ret_argument = bytes_skip(letters, 1);
		if (!letter)
			continue;
		if (strchr(interpreter->code, letter))
			return OPTION_CODE;
		if (strchr(interpreter->module, letter))
			return OPTION_PROGRAM;
		if (strchr(interpreter->skipped, letter))
			return OPTION_SKIPS;
	}
	return OPTION_ALONE;
}

static enum option judge_option(const struct interpreter *interpreter, struct bytes word,
				struct bytes *ret_argument)
{
	*ret_argument = (struct bytes){ 0 };
	if (interpreter->clusters && !bytes_start_with(word, BYTES("--")))
		return judge_letters(interpreter, bytes_skip(word, 1), ret_argument);
	if (interpreter->clusters)
		return OPTION_ALONE;
	if (list_has(interpreter->code, word))
		return OPTION_CODE;
	if (list_has(interpreter->module, word))
		return OPTION_PROGRAM;
	return list_has(interpreter->skipped, word) ? OPTION_SKIPS : OPTION_ALONE;
}

/* What the options lead to, with path and extension; no bytes: nothing. */
static struct bytes find_program(const struct interpreter *interpreter, struct bytes cmdline)
{
	struct bytes argument, word;

	while (cmdline.len) {
		word = next_argument(&cmdline);
		if (bytes_equal(word, BYTES("--")))
			return next_argument(&cmdline);
		if (!word.len || word.at[0] == '@')
			continue;		/* empty, or a file of Java options */
		if (word.at[0] != '-')
			return word;
		if (word.len == 1)
			break;			/* standard input */
		switch (judge_option(interpreter, word, &argument)) {
		case OPTION_CODE:
			return (struct bytes){ 0 };
		case OPTION_PROGRAM:
			return argument.len ? argument : next_argument(&cmdline);
		case OPTION_SKIPS:
			if (!argument.len)
				next_argument(&cmdline);
			break;
		case OPTION_ALONE:
			break;
		}
	}
	return (struct bytes){ 0 };
}

/* Without the extension when it is one of the interpreter's. */
static struct bytes strip_extension(const struct interpreter *interpreter, struct bytes name)
{
	for (size_t i = name.len; i-- > 1;) {
		if (name.at[i] == '.')
			return list_has(interpreter->extensions, bytes_skip(name, i))
				       ? bytes_first(name, i) : name;
	}
	return name;
}

static struct bytes name_of_program(const struct interpreter *interpreter, struct bytes program)
{
	struct bytes base = path_base(program);
	struct bytes name = strip_extension(interpreter, base);

	if (interpreter->classes && name.len == base.len) {
		while (bytes_index(name, '.') >= 0)
			name = bytes_skip(name, (size_t)bytes_index(name, '.') + 1);
	}
	if (!bytes_equal(name, BYTES("__main__")) || program.len == base.len)
		return name;
	return path_base(bytes_first(program, program.len - base.len - 1));	/* a package */
}

/* The NAME of `NAME: what it does`, as setproctitle() leaves it in the place of the arguments. */
static struct bytes name_of_title(struct bytes title)
{
	ssize_t colon = bytes_find(title, BYTES(": "));

	title = bytes_first(title, colon > 0 ? (size_t)colon : 0);
	return bytes_index(title, ' ') < 0 && bytes_index(title, '/') < 0 ? title
									  : (struct bytes){ 0 };
}

struct bytes command_program(struct bytes executable, struct bytes cmdline)
{
	const struct interpreter *interpreter = interpreter_of(executable);
	struct bytes title;

	if (!interpreter)
		return (struct bytes){ 0 };
	title = name_of_title(next_argument(&cmdline));
	if (title.len)
		return title;
	return name_of_program(interpreter, find_program(interpreter, cmdline));
}
