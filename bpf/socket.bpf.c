// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What watched processes read from and write to stream sockets (TCP, Unix).
 * Out: data ring, read by user/source/socket.c on the pipeline thread.
 *
 * One body, four ways in (the ladder; user space loads the programs of one of them):
 *   sock-length  tp_btf/sock_{send,recv}_length   state in socket storage
 *   fentry       fexit of the protocols' send and receive functions   state in socket storage
 *   kprobe       kprobe and kretprobe of the same                     state in hash `conns`
 *   syscall      tracepoint/syscalls/sys_exit_*                       state in hash `conns`
 *
 * Cost is spent where it counts: a call by an unwatched process ends at one failed look-up; a
 * request is held back in the connection's state and leaves with its response as one record.
 */
#include "lib/compat.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#include "event/limits.h"
#include "event/process.h"
#include "event/socket.h"
#include "lib/conn.bpf.h"
#include "lib/magic.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile struct socket_settings settings;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DATA_RING_BYTES);	/* set from the configuration before load */
} data SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);	/* process.bpf.c's, shared before load */
	__uint(max_entries, TARGETS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct target_entry);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);	/* server ports that select, for TARGET_BY_PORT */
	__uint(max_entries, PORTS_MAX);
	__type(key, __u16);
	__type(value, __u8);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);	/* connections user space gave up, by id */
	__uint(max_entries, IGNORED_MAX);
	__type(key, __u64);
	__type(value, __u8);
} ignored SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);	/* freed with the socket: cannot leak */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} storage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);	/* by socket address, freed when TCP closes */
	__uint(max_entries, CONNS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct conn);
} conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);	/* Unix sockets, by inode number */
	__uint(max_entries, UNIX_CONNS_MAX);
	__type(key, __u64);
	__type(value, struct conn);
} unix_conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);	/* what a new entry of `conns` is copied from */
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct conn);
} conn_zero SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);	/* kprobe: the socket of the call a thread is in */
	__uint(max_entries, CALLS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);			/* pid_tgid */
	__type(value, __u64);
} calls SEC(".maps");

/*
 * One sendmmsg is many sends of one task. Which entry the present one is: the kernel writes the
 * length of each finished message back, so the entry before ours must show what we saw last.
 */
struct mmsg {
	u64 vector;
	u32 index;		/* of the entry seen last */
	u32 length;		/* and its length */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MMSG_MAX);
	__type(key, __u64);			/* pid_tgid */
	__type(value, struct mmsg);
} mmsgs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_MAX);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SOCKET_STAT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} socket_stats SEC(".maps");

#include "lib/payload.bpf.h"

#include "lib/gather.bpf.h"

/* --- choice sock-length: kernel 6.3 ----------------------------------------------------------- */

SEC("tp_btf/sock_send_length")
int BPF_PROG(length_send, struct sock *sk, int ret, int flags)
{
	return on_moved(sk, KEEP_STORAGE, SOCKET_TX, ret, 0, -1);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(length_recv, struct sock *sk, int ret, int flags)
{
	return on_moved(sk, KEEP_STORAGE, SOCKET_RX, ret, flags, -1);
}

/* Ends of connections, for the choices that use socket storage. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_storage, struct sock *sk, int before, int now)
{
	return on_state(sk, KEEP_STORAGE, now);
}

/* Ends of connections, for those that use the hash. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_hash, struct sock *sk, int before, int now)
{
	return on_state(sk, KEEP_HASH, now);
}

/* --- choice fentry: trampolines; the result by helper (5.17), since arguments come and go ------ */

static __always_inline int fexit_result(void *ctx)
{
	u64 ret = 0;

	bpf_get_func_ret(ctx, &ret);
	return ret;
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(fexit_tcp_send, struct sock *sk)
{
	return on_moved(sk, KEEP_STORAGE, SOCKET_TX, fexit_result(ctx), 0, -1);
}

SEC("fexit/tcp_recvmsg")
int BPF_PROG(fexit_tcp_recv, struct sock *sk)
{
	return on_moved(sk, KEEP_STORAGE, SOCKET_RX, fexit_result(ctx), 0, -1);
}

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(fexit_unix_send, struct socket *socket)
{
	return on_moved(socket->sk, KEEP_STORAGE, SOCKET_TX, fexit_result(ctx), 0, -1);
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(fexit_unix_recv, struct socket *socket)
{
	return on_moved(socket->sk, KEEP_STORAGE, SOCKET_RX, fexit_result(ctx), 0, -1);
}

/* Before 6.5 sendfile and splice take this way. */
SEC("fexit/tcp_sendpage")
int BPF_PROG(fexit_tcp_page, struct sock *sk)
{
	return on_moved(sk, KEEP_STORAGE, SOCKET_TX, fexit_result(ctx), 0, -1);
}

SEC("fexit/unix_stream_sendpage")
int BPF_PROG(fexit_unix_page, struct socket *socket)
{
	return on_moved(socket->sk, KEEP_STORAGE, SOCKET_TX, fexit_result(ctx), 0, -1);
}

/* --- choice kprobe: the entry keeps the socket for the return ----------------------------------- */

/*
 * The kernel follows as many returns of a function at a time as it has set aside (10, or twice the
 * CPUs): threads that wait in a read use them up. What a thread left behind tells of a lost one.
 */
static __always_inline int enter_call(u64 sk)
{
	u64 task = bpf_get_current_pid_tgid();
	u32 tgid = task >> 32;

	if (!bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	if (bpf_map_lookup_elem(&calls, &task))
		count_in(&socket_stats, SOCKET_STAT_RETURNS_LOST);
	if (bpf_map_update_elem(&calls, &task, &sk, BPF_ANY))
		count_in(&drops, DROP_CONN_FULL);
	return 0;
}

static __always_inline int leave_call(u32 dir, int ret)
{
	u64 task = bpf_get_current_pid_tgid(), sk;
	u64 *entered = bpf_map_lookup_elem(&calls, &task);

	if (!entered)
		return 0;
	sk = *entered;
	bpf_map_delete_elem(&calls, &task);
	return on_moved((void *)sk, KEEP_HASH, dir, ret, 0, -1);
}

SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(enter_tcp_send, u64 sk)
{
	return enter_call(sk);
}

SEC("kretprobe/tcp_sendmsg")
int BPF_KRETPROBE(leave_tcp_send, int ret)
{
	return leave_call(SOCKET_TX, ret);
}

SEC("kprobe/tcp_recvmsg")
int BPF_KPROBE(enter_tcp_recv, u64 sk)
{
	return enter_call(sk);
}

SEC("kretprobe/tcp_recvmsg")
int BPF_KRETPROBE(leave_tcp_recv, int ret)
{
	return leave_call(SOCKET_RX, ret);
}

SEC("kprobe/unix_stream_sendmsg")
int BPF_KPROBE(enter_unix_send, struct socket *socket)
{
	return enter_call((u64)BPF_CORE_READ(socket, sk));
}

SEC("kretprobe/unix_stream_sendmsg")
int BPF_KRETPROBE(leave_unix_send, int ret)
{
	return leave_call(SOCKET_TX, ret);
}

SEC("kprobe/unix_stream_recvmsg")
int BPF_KPROBE(enter_unix_recv, struct socket *socket)
{
	return enter_call((u64)BPF_CORE_READ(socket, sk));
}

SEC("kretprobe/unix_stream_recvmsg")
int BPF_KRETPROBE(leave_unix_recv, int ret)
{
	return leave_call(SOCKET_RX, ret);
}

/* Before 6.5 sendfile and splice take this way. */
SEC("kprobe/tcp_sendpage")
int BPF_KPROBE(enter_tcp_page, u64 sk)
{
	return enter_call(sk);
}

SEC("kretprobe/tcp_sendpage")
int BPF_KRETPROBE(leave_tcp_page, int ret)
{
	return leave_call(SOCKET_TX, ret);
}

SEC("kprobe/unix_stream_sendpage")
int BPF_KPROBE(enter_unix_page, struct socket *socket)
{
	return enter_call((u64)BPF_CORE_READ(socket, sk));
}

SEC("kretprobe/unix_stream_sendpage")
int BPF_KRETPROBE(leave_unix_page, int ret)
{
	return leave_call(SOCKET_TX, ret);
}

/* --- choice syscall: every kernel ------------------------------------------------------------ */

struct sys_exit {
	u64 common;
	long nr;
	long ret;
};

/* The socket behind a descriptor of the current task, or NULL. */
static __always_inline void *socket_of(u32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct socket *socket;
	struct file *file;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	if (bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd) || !file)
		return NULL;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __noinline int leave_syscall(const struct sys_exit *ctx, u32 dir)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct syscall call;

	if (!ctx || ctx->ret < 0 || !bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	syscall_read(&call);
	return on_moved(socket_of(call.arg[0]), KEEP_HASH, dir, ctx->ret, 0, -1);
}

#define SYSCALL_PROGRAM(call, dir) \
	SEC("tracepoint/syscalls/sys_exit_" #call) \
	int exit_##call(struct sys_exit *ctx) \
	{ \
		return leave_syscall(ctx, dir); \
	}

SYSCALL_PROGRAM(read, SOCKET_RX)
SYSCALL_PROGRAM(readv, SOCKET_RX)
SYSCALL_PROGRAM(recvfrom, SOCKET_RX)
SYSCALL_PROGRAM(recvmsg, SOCKET_RX)
SYSCALL_PROGRAM(write, SOCKET_TX)
SYSCALL_PROGRAM(writev, SOCKET_TX)
SYSCALL_PROGRAM(sendto, SOCKET_TX)
SYSCALL_PROGRAM(sendmsg, SOCKET_TX)
SYSCALL_PROGRAM(sendfile64, SOCKET_TX)

/* The length that the kernel wrote back for one message of a sendmmsg; 0: past the last. */
static __always_inline u32 sent_length(const struct syscall *call, long count, u32 i)
{
	u64 entry = call->arg[1] + (u64)i * sizeof(struct user_mmsghdr);
	u32 length = 0;

	if (i < count)
		bpf_probe_read_user(&length, sizeof(length),
				    (void *)(entry + __builtin_offsetof(struct user_mmsghdr, len)));
	return length;
}

/* Returns how many messages were sent: all of them before this runs, hence `later`. */
SEC("tracepoint/syscalls/sys_exit_sendmmsg")
int exit_sendmmsg(struct sys_exit *ctx)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32, later = 0;
	struct syscall call;
	void *sk;

	if (ctx->ret <= 0 || !bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	syscall_read(&call);
	sk = socket_of(call.arg[0]);
	for (u32 i = 0; i < SENDMMSG_COUNTED; i++)
		later += sent_length(&call, ctx->ret, i);
	for (u32 i = 0; i < SENDMMSG_SEEN; i++) {
		u32 length = sent_length(&call, ctx->ret, i);

		later -= length;
		if (length)
			on_moved_part(sk, KEEP_HASH, SOCKET_TX, length, 0, i, later);
	}
	return 0;
}
