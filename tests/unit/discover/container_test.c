/* SPDX-License-Identifier: Apache-2.0 */
/* Container ids out of cgroup paths, as each runtime writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "discover/container.h"

#define ID1 "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdef0123456789abcdef"
#define ID2 "aaaabbbbccccddddeeeeffff0000111122223333444455556666777788889999"
#define UID "8b6e21c4-2f0a-4a4e-9d1c-0123456789ab"
#define U_ID "8b6e21c4_2f0a_4a4e_9d1c_0123456789ab"
#define STATIC_UID "0123456789abcdef0123456789abcdef"

static const struct {
	const char *path, *id, *pod;
	enum container_runtime runtime;
} cases[] = {
	/* kubelet, cgroupfs driver */
	{ "/kubepods/burstable/pod" UID "/" ID1, ID1, UID, RUNTIME_UNKNOWN },
	{ "/kubepods/besteffort/pod" UID "/" ID1, ID1, UID, RUNTIME_UNKNOWN },
	{ "/kubepods/pod" UID "/" ID1, ID1, UID, RUNTIME_UNKNOWN },
	{ "/kubepods/burstable/pod" STATIC_UID "/" ID1, ID1, STATIC_UID, RUNTIME_UNKNOWN },
	{ "/kubepods/burstable/pod" UID "/crio-" ID1, ID1, UID, RUNTIME_CRIO },
	/* kubelet, systemd driver */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" U_ID
	  ".slice/cri-containerd-" ID1 ".scope", ID1, UID, RUNTIME_CONTAINERD },
	{ "/kubepods.slice/kubepods-pod" U_ID ".slice/crio-" ID1 ".scope", ID1, UID, RUNTIME_CRIO },
	{ "/kubepods.slice/kubepods-pod" U_ID ".slice/crio-" ID1 ".scope/container", ID1, UID,
	  RUNTIME_CRIO },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" U_ID
	  ".slice/docker-" ID1 ".scope", ID1, UID, RUNTIME_DOCKER },
	{ "/kubepods.slice/kubepods-pod" STATIC_UID ".slice/cri-containerd-" ID1 ".scope", ID1,
	  STATIC_UID, RUNTIME_CONTAINERD },
	/* containerd with its own driver at cgroupfs under kubelet's systemd */
	{ "/system.slice/containerd.service/kubepods-burstable-pod" U_ID
	  ".slice:cri-containerd:" ID1, ID1, UID, RUNTIME_CONTAINERD },
	/* Docker */
	{ "/docker/" ID1, ID1, "", RUNTIME_DOCKER },
	{ "/docker/" ID1 "/system.slice/nginx.service", ID1, "", RUNTIME_DOCKER },
	{ "/system.slice/docker-" ID1 ".scope", ID1, "", RUNTIME_DOCKER },
	/* Podman */
	{ "/machine.slice/libpod-" ID1 ".scope", ID1, "", RUNTIME_PODMAN },
	{ "/machine.slice/libpod-" ID1 ".scope/container", ID1, "", RUNTIME_PODMAN },
	{ "/libpod_parent/libpod-" ID1, ID1, "", RUNTIME_PODMAN },
	{ "/libpod_parent/" ID2 "/libpod-" ID1, ID1, "", RUNTIME_PODMAN },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID1 ".scope/container",
	  ID1, "", RUNTIME_PODMAN },
	{ "/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID1 ".scope", ID1, "",
	  RUNTIME_PODMAN },
	{ "/system.slice/app.service/libpod-payload-" ID1, ID1, "", RUNTIME_PODMAN },
	/* ECS */
	{ "/ecs/0123456789abcdef0123456789abcdef/" ID1, ID1, "", RUNTIME_ECS },
	{ "/ecs/cluster/0123456789abcdef/" ID1, ID1, "", RUNTIME_ECS },
	/* one in another: the innermost wins */
	{ "/docker/" ID2 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" U_ID
	  ".slice/cri-containerd-" ID1 ".scope", ID1, UID, RUNTIME_CONTAINERD },
	{ "/docker/" ID2 "/kubepods/besteffort/pod" UID "/" ID1, ID1, UID, RUNTIME_UNKNOWN },
	{ "/kubepods/pod" UID "/" ID2 "/docker/" ID1, ID1, UID, RUNTIME_DOCKER },
	/* what is below a container is its own business */
	{ "/docker/" ID1 "/kubepods/pod" UID, ID1, "", RUNTIME_DOCKER },
	/* seen from another cgroup namespace */
	{ "/../../kubepods-pod" U_ID ".slice/cri-containerd-" ID1 ".scope", ID1, UID,
	  RUNTIME_CONTAINERD },
	{ "/../" ID1, ID1, "", RUNTIME_UNKNOWN },
	/* odd but harmless */
	{ "//docker//" ID1 "//", ID1, "", RUNTIME_DOCKER },
	{ "/kubepods/pod8b6e21c4-2f0a-4a4e-9d1c-0123456789ag/" ID1, ID1, "", RUNTIME_UNKNOWN },
};

static const char *const refused[] = {
	"",
	"/",
	"/init.scope",
	"/system.slice/sshd.service",
	"/user.slice/user-1000.slice/session-3.scope",
	"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" U_ID ".slice",
	"/kubepods/burstable/pod" UID,
	"/kubepods.slice/kubepods-pod" U_ID ".slice/crio-conmon-" ID1 ".scope",
	"/kubepods/pod" UID "/crio-conmon-" ID1,
	"/machine.slice/libpod-conmon-" ID1 ".scope",
	"/libpod_parent/libpod-conmon-" ID1,
	"/libpod_parent/" ID2 "/conmon",
	"/docker/" ID1 "0",
	"/docker/0F1E2D3C4B5A69788796A5B4C3D2E1F00123456789ABCDEF0123456789ABCDEF",
	"/system.slice/docker-" ID1 ".service",
	"/system.slice/-" ID1 ".scope",
	"/system.slice/docker" ID1 ".scope",
	"/system.slice/some-backup-" ID1 ".scope",
	"/garden/0123abcd-1234-4321-4567-abcd",
};

static struct bytes text_of(const char *text)
{
	return bytes_of_text(text);
}

static void every_runtimes_path_gives_id_pod_and_runtime(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container container;

		if (container_of_cgroup_path(text_of(cases[i].path), &container))
			fail_msg("refused: %s", cases[i].path);
		assert_string_equal(container.id, cases[i].id);
		assert_string_equal(container.pod_uid, cases[i].pod);
		assert_int_equal(container.runtime, cases[i].runtime);
	}
}

static void what_is_no_container_is_refused_and_touches_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct container container = { .id = "before" };

		if (container_of_cgroup_path(text_of(refused[i]), &container) != -ENOENT)
			fail_msg("taken: %s", refused[i]);
		assert_string_equal(container.id, "before");
	}
}

static void a_cut_path_never_gives_another_id(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t whole = strlen(cases[i].path);

		for (size_t len = 0; len < whole; len++) {
			char *copy = malloc(len ? len : 1);	/* exact, for ASan */
			struct container container;

			memcpy(copy, cases[i].path, len);
			if (!container_of_cgroup_path(bytes_of(copy, len), &container))
				assert_true(!strcmp(container.id, ID1) ||
					    !strcmp(container.id, ID2));
			free(copy);
		}
	}
}

static void the_whole_file_of_v2_v1_and_hybrid_hosts_is_read(void **state)
{
	static const char *const files[] = {
		"0::/kubepods/pod" UID "/" ID1 "\n",
		"12:pids:/kubepods/pod" UID "/" ID1 "\n11:cpu,cpuacct:/kubepods/pod" UID "/" ID1
		"\n1:name=systemd:/kubepods/pod" UID "/" ID1 "\n",
		/* hybrid: v2 says nothing */
		"9:name=systemd:/kubepods/pod" UID "/" ID1 "\n8:pids:/\n0::/\n",
		"0::/\n4:memory:/kubepods/pod" UID "/" ID1 "\n",
		/* the deepest nesting wins, wherever it stands */
		"3:cpu:/docker/" ID2 "\n2:pids:/docker/" ID2 "/kubepods/pod" UID "/" ID1 "\n0::/\n",
		"3:cpu:/kubepods/pod" UID "/" ID2 "\n"
		"2:pids:/kubepods/pod" UID "/" ID2 "/docker/" ID1,
		/* then the one that tells the pod */
		"3:cpu:/docker/" ID1 "\n2:pids:/kubepods/pod" UID "/" ID1 "\n",
		/* malformed lines do not hide good ones; the last may lack its end */
		"\n:\nno colons\n1:x\n0::/kubepods/pod" UID "/" ID1,
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct container container;

		assert_int_equal(container_of_proc_cgroup(text_of(files[i]), &container), 0);
		assert_string_equal(container.id, ID1);
		assert_string_equal(container.pod_uid, UID);
	}
}

static void a_host_process_is_in_no_container(void **state)
{
	struct container container = { .id = "before" };

	assert_int_equal(container_of_proc_cgroup(BYTES("9:name=systemd:/\n8:pids:/\n0::/\n"),
						  &container), -ENOENT);
	assert_int_equal(container_of_proc_cgroup(BYTES("0::/system.slice/cron.service\n"),
						  &container), -ENOENT);
	assert_int_equal(container_of_proc_cgroup(BYTES(""), &container), -ENOENT);
	assert_string_equal(container.id, "before");
}

static void the_names_of_an_event_are_read_from_the_leaf_up(void **state)
{
	char names[PROCESS_PARENTS][PROCESS_CGROUP_LEN] = {
		"cri-containerd-" ID1 ".scope", "kubepods-burstable-pod" U_ID ".slice",
		"kubepods-burstable.slice",
	};
	struct container container;

	assert_int_equal(container_of_names(names, &container), 0);
	assert_string_equal(container.id, ID1);
	assert_string_equal(container.pod_uid, UID);
	assert_int_equal(container.runtime, RUNTIME_CONTAINERD);
}

static void names_of_an_event_that_fill_their_field_are_not_read_beyond(void **state)
{
	char names[PROCESS_PARENTS][PROCESS_CGROUP_LEN];
	struct container container;

	memset(names, 'a', sizeof(names));
	assert_int_equal(container_of_names(names, &container), -ENOENT);
	memset(names, 0, sizeof(names));
	assert_int_equal(container_of_names(names, &container), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_runtimes_path_gives_id_pod_and_runtime),
		cmocka_unit_test(what_is_no_container_is_refused_and_touches_nothing),
		cmocka_unit_test(a_cut_path_never_gives_another_id),
		cmocka_unit_test(the_whole_file_of_v2_v1_and_hybrid_hosts_is_read),
		cmocka_unit_test(a_host_process_is_in_no_container),
		cmocka_unit_test(the_names_of_an_event_are_read_from_the_leaf_up),
		cmocka_unit_test(names_of_an_event_that_fill_their_field_are_not_read_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
