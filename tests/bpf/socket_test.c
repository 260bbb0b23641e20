// SPDX-License-Identifier: Apache-2.0
/*
 * The socket source, choice by choice. A choice the kernel refuses is skipped with the kernel's
 * reason, unless it must be there: SONDE_EXPECT lists such choices; without it, those that every
 * supported kernel has. SONDE_CHOICE and SONDE_ONLY pick, SONDE_SHOW prints records, SONDE_DEBUG
 * what the verifier said.
 */
#include "socket_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"

#define CASES_MAX 64
#define NAME_MAX_LEN 128

static unsigned present;		/* number of the choice whose tests run */
static struct rig *present_rig;
static struct choice_result refusal;

static bool kernel_is_at_least(unsigned major, unsigned minor)
{
	unsigned is_major = 0, is_minor = 0;
	struct utsname name;

	uname(&name);
	sscanf(name.release, "%3u.%3u", &is_major, &is_minor);
	return is_major > major || (is_major == major && is_minor >= minor);
}

static bool is_expected(const char *choice)
{
	const char *list = getenv("SONDE_EXPECT");

	if (list)
		return strstr(list, choice) != NULL;
	return !strcmp(choice, "syscall") ||
	       (!strcmp(choice, "sock-length") && kernel_is_at_least(6, 3));
}

struct rig *another_rig(const struct rig *rig, void (*configure)(struct config *))
{
	struct choice_result result;
	struct rig *other = NULL;

	if (rig_open(rig->choice, configure, &other, &result) < 0)
		fail_msg("%s", result.why);
	return other;
}

static int begin(void **state)
{
	*state = present_rig;
	rig_clear(present_rig);
	return 0;
}

/* What explains a failure: said whenever there is any. */
static int end(void **state)
{
	static const char *const names[DROP_MAX] = { "data ring", "control ring", "connection",
						     "target", "fault" };
	static uint64_t before[DROP_MAX + 1];

	for (unsigned i = 0; i <= DROP_MAX; i++) {
		uint64_t now = i < DROP_MAX ? rig_drops(present_rig, i) : rig_missed(present_rig);

		if (now != before[i])
			printf("    %s: %lld\n", i < DROP_MAX ? names[i] : "programs not run",
			       (long long)(now - before[i]));
		before[i] = now;
	}
	return 0;
}

static void refused(void **state)
{
	const char *choice = socket_source.choices[present].name;

	if (is_expected(choice))
		fail_msg("%s must work here: %s", choice, refusal.why);
	printf("skipped: choice %s: %s\n", choice, refusal.why);
	skip();
}

/* A test's name: the choice and a sentence, in letters and underscores. */
static void name_test(char name[NAME_MAX_LEN], const char *sentence)
{
	snprintf(name, NAME_MAX_LEN, "%s_%s", socket_source.choices[present].name, sentence);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
}

static unsigned add_cases(struct CMUnitTest *tests, unsigned count, char names[][NAME_MAX_LEN],
			  const struct socket_case *cases)
{
	const char *only = getenv("SONDE_ONLY");

	for (; cases->name; cases++) {
		name_test(names[count], cases->name);
		if (only && !strstr(names[count], only))
			continue;
		tests[count] = (struct CMUnitTest){ names[count], cases->run, begin, end, NULL };
		count++;
	}
	return count;
}

static int run_refused(void)
{
	char name[NAME_MAX_LEN];
	const struct CMUnitTest tests[] = { { name, refused } };

	name_test(name, "works_here");
	printf("choice %s: refused: %s\n", socket_source.choices[present].name, refusal.why);
	return _cmocka_run_group_tests("refused", tests, 1, NULL, NULL);
}

static int run_choice(void)
{
	static char names[CASES_MAX][NAME_MAX_LEN];
	struct CMUnitTest tests[CASES_MAX];
	unsigned count = 0;
	int failed;

	if (rig_open(present, NULL, &present_rig, &refusal) < 0)
		return run_refused();
	count = add_cases(tests, count, names, transfer_cases);
	count = add_cases(tests, count, names, life_cases);
	count = add_cases(tests, count, names, rig_cases);
	failed = _cmocka_run_group_tests(socket_source.choices[present].name, tests, count, NULL,
					 NULL);
	printf("choice %s: %s\n", socket_source.choices[present].name, failed ? "failed" : "ok");
	rig_close(present_rig);
	return failed;
}

int main(void)
{
	const char *choice = getenv("SONDE_CHOICE");
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	source_quiet_libbpf();
	if (kernel_is_at_least(7, 0))
		stay_calm();
	if (getenv("SONDE_DEBUG"))
		log_set_level(LOG_LEVEL_DEBUG);
	for (present = 0; socket_source.choices[present].name; present++)
		if (!choice || !strcmp(choice, socket_source.choices[present].name))
			failed += run_choice();
	return failed != 0;
}
