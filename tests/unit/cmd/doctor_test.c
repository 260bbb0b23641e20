/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's decisions, from places and results made up here: nothing is probed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/findings.h"
#include "cmd/kernel.h"
#include "cmd/report.h"

#define PTRACE (1ull << 19)
#define SYS_ADMIN (1ull << 21)
#define PERFMON (1ull << 38)
#define BPF (1ull << 39)

static const struct choice two_choices[] = {
	{ "fast", "a new kernel", "nothing", "" },
	{ "slow", "any kernel", "10 \"percent\"", "sendfile" },
	{ 0 },
};
static const struct source first = {
	.name = "first", .purpose = "one thing", .choices = two_choices,
};
static const struct source second = {
	.name = "second", .purpose = "another", .choices = two_choices,
};

static struct place good_place(void)
{
	return (struct place){
		.release = "6.12.0-1-amd64", .machine = "x86_64", .has_btf = true,
		.capabilities = BPF | PERFMON | PTRACE, .memlock_bytes = UINT64_MAX,
		.lockdown = "none", .unprivileged_bpf_disabled = 2, .perf_event_paranoid = 3,
		.bpf_stats_enabled = 1, .has_tracefs = true, .has_bpffs = true, .cgroup = CGROUP_V2,
		.initial_pid_ns = true, .initial_user_ns = true,
	};
}

static struct finding find(const struct place *place, const char *name)
{
	struct finding findings[FINDINGS_MAX];
	unsigned count = place_judge(place, findings);

	for (unsigned i = 0; i < count; i++) {
		if (!strcmp(findings[i].name, name))
			return findings[i];
	}
	fail_msg("no finding %s", name);
	return findings[0];
}

static struct report good_report(void)
{
	struct report report = { .place = good_place(), .source_count = 2 };

	report.finding_count = place_judge(&report.place, report.findings);
	report.sources[0] = (struct report_source){ .source = &first, .forced = -1 };
	report.sources[1] = (struct report_source){ .source = &second, .forced = -1 };
	return report;
}

static void kernels_before_5_15_are_refused_in_one_sentence(void **state)
{
	static const char *const taken[] = {
		"5.15.0-91-generic", "5.15", "5.16.1", "6.0.0", "6.1.0-18-amd64", "10.0.0", "any",
	};
	static const char *const refused[] = { "5.14.21", "5.10.0-26-amd64", "4.19.0", "2.6.32" };
	char why[KERNEL_WHY_SIZE];

	for (unsigned i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		assert_int_equal(kernel_judge(taken[i], true, why, sizeof(why)), 0);
	for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		assert_int_equal(kernel_judge(refused[i], true, why, sizeof(why)), -EOPNOTSUPP);

	kernel_judge("5.10.0-26-amd64", true, why, sizeof(why));
	assert_string_equal(why, "kernel 5.10.0: too old: Sonde needs Linux 5.15 or later with BTF "
			    "(/sys/kernel/btf/vmlinux); upgrade the node's kernel");
	/* too old comes first: a newer kernel has BTF as well */
	assert_int_equal(kernel_judge("5.10.0", false, why, sizeof(why)), -EOPNOTSUPP);
	assert_non_null(strstr(why, "too old"));
}

static void a_kernel_without_btf_is_refused_with_its_option(void **state)
{
	char why[KERNEL_WHY_SIZE];

	assert_int_equal(kernel_judge("6.1.0", false, why, sizeof(why)), -EOPNOTSUPP);
	assert_non_null(strstr(why, "CONFIG_DEBUG_INFO_BTF"));
}

static void nothing_is_said_about_a_good_place(void **state)
{
	struct place place = good_place();
	struct finding findings[FINDINGS_MAX];
	unsigned count = place_judge(&place, findings);

	assert_in_range(count, 10, FINDINGS_MAX);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(findings[i].state, FINDING_OK);
		assert_true(*findings[i].value);
		if (*findings[i].note)
			fail_msg("%s: %s", findings[i].name, findings[i].note);
	}
}

static void capabilities_are_bpf_and_perfmon_or_sys_admin(void **state)
{
	struct place place = good_place();

	place.capabilities = BPF | PTRACE;
	assert_int_equal(find(&place, "capabilities").state, FINDING_REFUSED);
	place.capabilities = PERFMON | PTRACE;
	assert_int_equal(find(&place, "capabilities").state, FINDING_REFUSED);
	place.capabilities = 0;
	assert_string_equal(find(&place, "capabilities").value, "none");
	place.capabilities = SYS_ADMIN | PTRACE;
	assert_int_equal(find(&place, "capabilities").state, FINDING_OK);
	assert_string_equal(find(&place, "capabilities").value, "SYS_ADMIN SYS_PTRACE");
	place.capabilities = BPF | PERFMON;
	assert_int_equal(find(&place, "capabilities").state, FINDING_DEGRADED);
	place.capabilities = UINT64_MAX;
	assert_string_equal(find(&place, "capabilities").value,
			    "BPF PERFMON SYS_ADMIN SYS_PTRACE NET_ADMIN SYS_RESOURCE");
}

static void what_is_wrong_with_a_place_comes_with_a_cure(void **state)
{
	struct place place = good_place();

	place.initial_pid_ns = false;
	assert_int_equal(find(&place, "pid_namespace").state, FINDING_DEGRADED);
	assert_non_null(strstr(find(&place, "pid_namespace").note, "hostPID: true"));
	place.initial_user_ns = false;
	assert_int_equal(find(&place, "user_namespace").state, FINDING_REFUSED);
	strcpy(place.lockdown, "confidentiality");
	assert_int_equal(find(&place, "lockdown").state, FINDING_REFUSED);
	strcpy(place.lockdown, "integrity");
	assert_int_equal(find(&place, "lockdown").state, FINDING_OK);
	place.seccomp = true;
	assert_non_null(strstr(find(&place, "seccomp").note, "privileged"));
	place.has_tracefs = false;
	assert_non_null(strstr(find(&place, "tracefs").note, "mount -t tracefs"));
	place.bpf_stats_enabled = 0;
	assert_non_null(strstr(find(&place, "bpf_stats_enabled").note, "sysctl"));
	place.has_btf = false;
	assert_int_equal(find(&place, "btf").state, FINDING_REFUSED);
	strcpy(place.release, "5.4.0");
	assert_int_equal(find(&place, "kernel").state, FINDING_REFUSED);
	assert_non_null(strstr(find(&place, "kernel").note, "too old"));
	place.kptr_restrict = SETTING_UNKNOWN;
	assert_string_equal(find(&place, "kptr_restrict").value, "not known");
}

static void the_first_choice_that_works_is_taken(void **state)
{
	struct report_source source = { .source = &first, .forced = -1 };

	assert_int_equal(report_choose(&source), 0);
	source.results[0].error = -EPERM;
	assert_int_equal(report_choose(&source), 1);
	source.results[1].error = -ECANCELED;
	assert_int_equal(report_choose(&source), -1);
}

static void a_forced_choice_is_taken_or_none(void **state)
{
	struct report_source source = { .source = &first, .forced = 1 };

	assert_int_equal(report_choose(&source), 1);
	source.results[1].error = -ENOENT;
	assert_int_equal(report_choose(&source), -1);
}

static void the_exit_code_says_how_many_sources_work(void **state)
{
	struct report report = good_report();

	assert_int_equal(report_conclude(&report), EXIT_DONE);
	assert_int_equal(report.state, FINDING_OK);

	report.sources[1].results[0].error = -EPERM;
	assert_int_equal(report_conclude(&report), EXIT_DONE);
	assert_int_equal(report.state, FINDING_DEGRADED);

	report.sources[1].results[1].error = -EPERM;
	assert_int_equal(report_conclude(&report), EXIT_FAILED);
	assert_int_equal(report.state, FINDING_DEGRADED);
	assert_non_null(strstr(report.summary, "1 of 2"));

	report.sources[0].results[0].error = report.sources[0].results[1].error = -EPERM;
	assert_int_equal(report_conclude(&report), EXIT_UNSUPPORTED);
	assert_int_equal(report.state, FINDING_REFUSED);
}

static void the_summary_names_what_is_wrong_and_the_cure(void **state)
{
	struct report report = good_report();

	report.place.initial_pid_ns = false;
	report.finding_count = place_judge(&report.place, report.findings);
	assert_int_equal(report_conclude(&report), EXIT_DONE);
	assert_int_equal(report.state, FINDING_DEGRADED);
	assert_non_null(strstr(report.summary, "pid_namespace"));
	assert_non_null(strstr(report.summary, "hostPID: true"));
}

static void the_text_shows_choices_reasons_and_the_summary(void **state)
{
	struct report report = good_report();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	report.sources[0].results[0] = (struct choice_result){ -EPERM, "load: refused: be root" };
	report.sources[1].forced = 1;
	report_conclude(&report);
	report_print_text(&report, out);
	fclose(out);
	assert_non_null(strstr(text, "fast         refused\n"));
	assert_non_null(strstr(text, "why:    load: refused: be root\n"));
	assert_non_null(strstr(text, "slow         works, chosen\n"));
	assert_non_null(strstr(text, "slow         works, chosen (forced)\n"));
	assert_non_null(strstr(text, "blind:  sendfile\n"));
	assert_non_null(strstr(text, report.summary));
	free(text);
}

static void the_json_form_has_stable_keys_and_escapes(void **state)
{
	struct report report = good_report();
	struct buf json;

	report.finding_count = 1;
	report.source_count = 1;
	report.sources[0].results[0].error = -EPERM;
	report_conclude(&report);
	strcpy(report.summary, "sum");
	buf_init(&json, REPORT_JSON_MAX);
	report_print_json(&report, &json);
	buf_add_byte(&json, 0);
	assert_false(json.failed);
	assert_string_equal(
		(const char *)json.at,
		"{\"version\":\"" SONDE_VERSION "\",\"state\":\"degraded\",\"summary\":\"sum\","
		"\"checks\":[{\"name\":\"kernel\",\"state\":\"ok\","
		"\"value\":\"6.12.0-1-amd64 x86_64\",\"note\":\"\"}],"
		"\"sources\":[{\"name\":\"first\",\"purpose\":\"one thing\",\"chosen\":\"slow\","
		"\"forced\":null,\"choices\":["
		"{\"name\":\"fast\",\"state\":\"refused\",\"why\":\"\",\"needs\":\"a new kernel\","
		"\"cost\":\"nothing\",\"blind\":\"\",\"error\":1,\"chosen\":false},"
		"{\"name\":\"slow\",\"state\":\"works\",\"why\":\"\",\"needs\":\"any kernel\","
		"\"cost\":\"10 \\\"percent\\\"\",\"blind\":\"sendfile\",\"error\":0,"
		"\"chosen\":true}]}]}\n");
	buf_done(&json);
}

static void the_place_of_this_test_can_be_read(void **state)
{
	struct place place;

	memset(&place, 0xff, sizeof(place));
	place_read(&place);
	assert_true(strlen(place.release) > 0 && strlen(place.release) < sizeof(place.release));
	assert_true(strlen(place.machine) > 0);
	assert_true(strlen(place.container) < sizeof(place.container));
	assert_true(place.kptr_restrict >= 0 || place.kptr_restrict == SETTING_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_before_5_15_are_refused_in_one_sentence),
		cmocka_unit_test(a_kernel_without_btf_is_refused_with_its_option),
		cmocka_unit_test(nothing_is_said_about_a_good_place),
		cmocka_unit_test(capabilities_are_bpf_and_perfmon_or_sys_admin),
		cmocka_unit_test(what_is_wrong_with_a_place_comes_with_a_cure),
		cmocka_unit_test(the_first_choice_that_works_is_taken),
		cmocka_unit_test(a_forced_choice_is_taken_or_none),
		cmocka_unit_test(the_exit_code_says_how_many_sources_work),
		cmocka_unit_test(the_summary_names_what_is_wrong_and_the_cure),
		cmocka_unit_test(the_text_shows_choices_reasons_and_the_summary),
		cmocka_unit_test(the_json_form_has_stable_keys_and_escapes),
		cmocka_unit_test(the_place_of_this_test_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
