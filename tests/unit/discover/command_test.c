/* SPDX-License-Identifier: Apache-2.0 */
/* What an interpreter runs, out of its command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "discover/command.h"

#define LINE(text) BYTES(text "\0")

static const struct {
	const char *executable;
	struct bytes cmdline;
	const char *program;
} cases[] = {
	{ "python3.11", LINE("python3\0/srv/shop/app.py\0--port\0""80"), "app" },
	{ "python3.11", LINE("python3\0-m\0http.server\0""8000"), "http.server" },
	{ "python3", LINE("python3\0-um\0uvicorn\0main:app"), "uvicorn" },
	{ "python3", LINE("python3\0-muvicorn"), "uvicorn" },
	{ "python3", LINE("python3\0-W\0ignore\0-X\0dev\0-u\0run.py"), "run" },
	{ "python3", LINE("python3\0-Wignore\0run.py"), "run" },
	{ "python3", LINE("/usr/bin/python3\0/usr/bin/gunicorn\0app:app"), "gunicorn" },
	{ "python3", LINE("python3\0-c\0import x; x.run()"), "" },
	{ "python3", LINE("python3\0-"), "" },
	{ "python3", LINE("python3"), "" },
	{ "python3", LINE("python3\0shop/__main__.py"), "shop" },
	{ "python3", LINE("python3\0--\0-odd.py"), "-odd" },
	{ "python3", LINE("gunicorn: master [app:app]\0\0\0\0"), "gunicorn" },
	{ "python3.11", LINE("python3\0archive.tar.gz"), "archive.tar.gz" },
	{ "pypy3", LINE("pypy3\0x.py"), "x" },
	{ "node", LINE("node\0/app/server.js"), "server" },
	{ "node", LINE("node\0--require\0./tracing.js\0--max-old-space-size=100\0dist/main.mjs"),
	  "main" },
	{ "node", LINE("node\0-e\0http.createServer()"), "" },
	{ "nodejs", LINE("nodejs\0index"), "index" },
	{ "ruby3.1", LINE("ruby\0-rbundler/setup\0-I\0lib\0bin/puma.rb"), "puma" },
	{ "ruby", LINE("ruby\0-e\0puts 1"), "" },
	{ "ruby", LINE("puma: cluster worker 0: 1234 [app]"), "puma" },
	{ "php8.2", LINE("php\0-d\0x=y\0artisan.php\0serve"), "artisan" },
	{ "php", LINE("php\0-S\0""0.0.0.0:80"), "" },
	{ "php", LINE("php\0-f\0/srv/x.php"), "x" },
	{ "java", LINE("java\0-Xmx1g\0-jar\0/opt/shop-1.2.jar\0--x"), "shop-1.2" },
	{ "java", LINE("java\0-cp\0/a.jar:/b.jar\0-Da=b\0com.example.shop.Main\0arg"), "Main" },
	{ "java", LINE("java\0@options\0kafka.Kafka\0server.properties"), "Kafka" },
	{ "java", LINE("java\0--add-opens\0java.base/java.lang=ALL-UNNAMED\0-jar\0x.war"), "x" },
	/* not interpreters, whatever they are called */
	{ "nginx", LINE("nginx: master process nginx\0"), "" },
	{ "pythonista", LINE("pythonista\0x.py"), "" },
	{ "php-fpm8.2", LINE("php-fpm: master process (/etc/php)"), "" },
	{ "javac", LINE("javac\0-jar\0x.jar"), "" },
	{ "", LINE("python3\0x.py"), "" },
};

static void the_program_is_found_behind_the_options(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes program = command_program(bytes_of_text(cases[i].executable),
						       cases[i].cmdline);

		if (!bytes_equal(program, bytes_of_text(cases[i].program)))
			fail_msg("case %zu (%s): %.*s", i, cases[i].program, BYTES_ARG(program));
	}
}

static void every_cut_of_a_command_line_is_read_within_its_bounds(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t len = 0; len <= cases[i].cmdline.len; len++) {
			uint8_t *copy = malloc(len ? len : 1);
			struct bytes program;

			memcpy(copy, cases[i].cmdline.at, len);
			program = command_program(bytes_of_text(cases[i].executable),
						  bytes_of(copy, len));
			if (program.len) {
				assert_true(program.at >= copy);
				assert_true(program.at + program.len <= copy + len);
			}
			free(copy);
		}
	}
}

static void runtimes_have_the_names_of_the_conventions(void **state)
{
	assert_true(bytes_equal(command_runtime(BYTES("python3.12")), BYTES("cpython")));
	assert_true(bytes_equal(command_runtime(BYTES("node")), BYTES("nodejs")));
	assert_int_equal(command_runtime(BYTES("java")).len, 0);
	assert_int_equal(command_runtime(BYTES("nginx")).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_is_found_behind_the_options),
		cmocka_unit_test(every_cut_of_a_command_line_is_read_within_its_bounds),
		cmocka_unit_test(runtimes_have_the_names_of_the_conventions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
