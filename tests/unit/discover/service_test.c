/* SPDX-License-Identifier: Apache-2.0 */
/* Who a process is: the order of names, the workload of a pod, the resource's attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "discover/attributes.h"
#include "discover/service.h"

#define ID "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef"
#define UID "8b6e21c4-2f0a-4a4e-9d1c-0123456789ab"

#define assert_bytes(b, text) do { \
	struct bytes got_ = (b); \
	if (!bytes_equal(got_, bytes_of_text(text))) \
		fail_msg("%.*s, not %s", BYTES_ARG(got_), text); \
} while (0)

static struct buf storage;
static struct service service;
static struct config config;
static struct container pod = { .id = ID, .pod_uid = UID };
static struct container plain = { .id = ID };

static int set_up(void **state)
{
	memset(&config, 0, sizeof(config));
	buf_init(&storage, SERVICE_STORAGE_BYTES);
	return buf_reserve(&storage, SERVICE_STORAGE_BYTES);
}

static int tear_down(void **state)
{
	buf_done(&storage);
	return 0;
}

static const struct resource *describe(struct service_input in)
{
	if (!in.executable.len)
		in.executable = BYTES("web");
	if (!in.host_name.len)
		in.host_name = BYTES("node-1");
	buf_reset(&storage);
	service_describe(&in, &config, &storage, &service);
	assert_false(storage.failed);
	return &service.view;
}

static struct bytes extra(const char *name)
{
	for (uint32_t i = 0; i < service.view.extras; i++) {
		if (bytes_equal(service.view.extra[i].name, bytes_of_text(name)))
			return service.view.extra[i].value;
	}
	return (struct bytes){ 0 };
}

static void the_first_source_that_has_a_name_gives_it(void **state)
{
	struct service_input in = {
		.names = {
			.service_name = BYTES("own"),
			.resource_attributes = BYTES("service.name=attribute"),
			.hostname = BYTES("deploy-5d78c9869d-x2x4z"),
		},
		.container = &pod,
		.program = BYTES("script"),
	};

	config.service_name = (char *)"configured";
	assert_bytes(describe(in)->service_name, "own");
	assert_int_equal(service.source, SERVICE_OWN);
	in.names.service_name = BYTES(" ");	/* set to nothing is not set */
	assert_bytes(describe(in)->service_name, "attribute");
	assert_int_equal(service.source, SERVICE_OWN);
	in.names.resource_attributes = BYTES("service.name=");
	assert_bytes(describe(in)->service_name, "configured");
	assert_int_equal(service.source, SERVICE_CONFIG);
	config.service_name = NULL;
	assert_bytes(describe(in)->service_name, "deploy");
	assert_int_equal(service.source, SERVICE_WORKLOAD);
	in.container = &plain;
	assert_bytes(describe(in)->service_name, "script");
	assert_int_equal(service.source, SERVICE_EXECUTABLE);
	in.program = (struct bytes){ 0 };
	assert_bytes(describe(in)->service_name, "web");
}

static void a_pods_name_is_stripped_of_what_controllers_append(void **state)
{
	static const char *const cases[][2] = {
		{ "nginx-75675f5897-7cj7b", "nginx" },
		{ "hello-server-6d94bc8694-tv4xz", "hello-server" },
		{ "coredns-7db6d8ff4d-bbbbb", "coredns" },
		{ "short-hash-86bc75-2kkzx", "short-hash" },
		{ "fluent-bit-x2x4z", "fluent-bit" },		/* DaemonSet */
		{ "migrate-9hv4c", "migrate" },			/* Job */
		{ "backup-28391234-q8w2z", "backup" },		/* CronJob */
		{ "postgres-0", "postgres" },			/* StatefulSet */
		{ "kafka-broker-12", "kafka-broker" },
		{ "plain", "plain" },
		{ "hello-server", "hello-server" },		/* a bare pod, with vowels */
		{ "api-grpcgw-x2x4z", "api-grpcgw" },		/* a word, not a hash */
		{ "shop-2024", "shop" },			/* reads as a StatefulSet's */
		{ "shop-20240101", "shop-20240101" },
		{ "web-11111-x2x4z", "web-11111" },		/* 1 is not in the alphabet */
		{ "web-5d78c-x2x4z", "web-5d78c" },		/* too short for a hash */
		{ "x2x4z", "x2x4z" },
		{ "-x2x4z", "-x2x4z" },
		{ "0", "0" },
		{ "my.pod-5", "my.pod" },
		{ "Node_1", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_bytes(service_workload(bytes_of_text(cases[i][0])), cases[i][1]);
}

static void a_pod_on_the_hosts_network_is_not_named_after_the_node(void **state)
{
	assert_bytes(describe((struct service_input){
		.names.hostname = BYTES("node-1"), .container = &pod,
	})->service_name, "web");
}

static void the_instance_is_the_container_or_the_executable_on_its_host(void **state)
{
	assert_bytes(describe((struct service_input){ 0 })->service_instance_id, "node-1:web");
	assert_bytes(describe((struct service_input){ .container = &plain })->service_instance_id,
		     ID);
	assert_bytes(service.view.container_id, ID);
	assert_bytes(describe((struct service_input){
		.container = &plain,
		.names.resource_attributes = BYTES("service.instance.id=i-1"),
	})->service_instance_id, "i-1");
}

static void attributes_of_the_process_find_their_fields(void **state)
{
	const struct resource *view = describe((struct service_input){
		.names.resource_attributes = BYTES("service.namespace=shop,service.version=1.2,"
						   "host.name=vm,team=a%20b,team=c"),
	});

	assert_bytes(view->service_namespace, "shop");
	assert_bytes(view->service_version, "1.2");
	assert_bytes(view->host_name, "vm");
	assert_bytes(view->service_instance_id, "vm:web");
	assert_bytes(extra("team"), "c");
	assert_int_equal(view->extras, 1);
}

static void those_of_the_configuration_come_below(void **state)
{
	config.resource_attributes.item[0] = (char *)"deployment.environment.name=100%";
	config.resource_attributes.item[1] = (char *)"team=ops";
	config.resource_attributes.item[2] = (char *)"service.name=sonde";
	config.resource_attributes.item[3] = (char *)"service.instance.id=agent-7";
	config.resource_attributes.item[4] = (char *)"service.namespace=default";
	config.resource_attributes.item[5] = (char *)"malformed";
	config.resource_attributes.count = 6;
	describe((struct service_input){ .names.resource_attributes = BYTES("team=dev") });
	assert_bytes(extra("deployment.environment.name"), "100%");
	assert_bytes(extra("team"), "dev");
	assert_bytes(service.view.service_name, "web");
	assert_bytes(service.view.service_instance_id, "node-1:web");
	assert_bytes(service.view.service_namespace, "default");
	assert_int_equal(service.view.extras, 2);
}

static void a_process_cannot_deny_what_is_seen_of_it(void **state)
{
	const struct resource *view = describe((struct service_input){
		.names.resource_attributes = BYTES("container.id=fake,process.executable.name=fake,"
						   "k8s.pod.uid=fake,process.runtime.name=fake,"
						   "process.runtime.version=fake,"
						   "telemetry.sdk.name=fake"),
		.container = &pod,
		.runtime = BYTES("go"),
		.runtime_version = BYTES("go1.26.1"),
	});

	assert_bytes(view->container_id, ID);
	assert_bytes(view->executable, "web");
	assert_bytes(view->runtime, "go");
	assert_bytes(extra("process.runtime.version"), "go1.26.1");
	assert_bytes(extra("k8s.pod.uid"), UID);
	assert_int_equal(view->extras, 2);
}

static void what_is_too_much_is_refused_counted_and_bounded(void **state)
{
	struct buf text;

	buf_init(&text, 128 * 1024);
	for (int i = 0; i < RESOURCE_EXTRA_MAX + 5; i++)
		buf_printf(&text, "key%d=%01000d,", i, i);
	describe((struct service_input){ .names.resource_attributes = buf_bytes(&text),
					 .container = &pod });
	assert_int_equal(service.view.extras, RESOURCE_EXTRA_MAX);
	assert_int_equal(service.refused, 6);		/* the pod's uid has its place */
	assert_bytes(extra("k8s.pod.uid"), UID);
	assert_bytes(service.view.service_name, "web");

	/* one name over and over fills the storage; what is named last has room all the same */
	buf_reset(&text);
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "key=%01000d,", i);
	describe((struct service_input){ .names.resource_attributes = buf_bytes(&text) });
	assert_int_equal(service.view.extras, 1);
	assert_bytes(service.view.service_name, "web");
	assert_bytes(service.view.service_instance_id, "node-1:web");
	buf_done(&text);
}

static void hostile_names_become_clean_and_short(void **state)
{
	char name[1000];

	memset(name, 'n', sizeof(name));
	name[0] = '\n';
	name[1] = (char)0xff;
	describe((struct service_input){ .executable = bytes_of(name, sizeof(name)) });
	assert_int_equal(service.view.service_name.len, SERVICE_NAME_MAX);
	assert_true(text_is_clean(service.view.service_name));
	assert_true(text_is_clean(service.view.executable));
	assert_true(text_is_clean(service.view.service_instance_id));
}

static void an_exec_of_which_only_the_name_is_known_keeps_the_service(void **state)
{
	struct resource after, *before;

	before = resource_new(describe((struct service_input){
		.names.service_name = BYTES("shop"), .executable = BYTES("sh"),
		.runtime = BYTES("go"), .runtime_version = BYTES("go1.26"),
		.names.resource_attributes = BYTES("a=b,z=y"),
	}));
	assert_non_null(before);
	buf_reset(&storage);
	service_inherit(before, BYTES("curl"), &storage, &after);
	assert_bytes(after.service_name, "shop");
	assert_bytes(after.executable, "curl");
	assert_bytes(after.service_instance_id, "node-1:curl");
	assert_bytes(after.runtime, "");
	assert_int_equal(after.extras, 2);
	resource_unref(before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_source_that_has_a_name_gives_it),
		TEST(a_pods_name_is_stripped_of_what_controllers_append),
		TEST(a_pod_on_the_hosts_network_is_not_named_after_the_node),
		TEST(the_instance_is_the_container_or_the_executable_on_its_host),
		TEST(attributes_of_the_process_find_their_fields),
		TEST(those_of_the_configuration_come_below),
		TEST(a_process_cannot_deny_what_is_seen_of_it),
		TEST(what_is_too_much_is_refused_counted_and_bounded),
		TEST(hostile_names_become_clean_and_short),
		TEST(an_exec_of_which_only_the_name_is_known_keeps_the_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
