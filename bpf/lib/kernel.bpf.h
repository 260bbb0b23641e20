/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types we read, with only the fields we read: CO-RE finds them in the running
 * kernel by name. `x___old` forms stand for what a field was called before (or after) a change.
 */
#ifndef SONDE_BPF_KERNEL_H
#define SONDE_BPF_KERNEL_H

#define __VMLINUX_H__ /* makes bpf_tracing.h take pt_regs from here */

#include <linux/types.h>
#include <linux/bpf.h>

typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define RCV_SHUTDOWN 1
#define SOCK_DONE 1 /* bit of skc_flags: the peer's FIN has come */
#define S_IFMT 0170000
#define S_IFSOCK 0140000

#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
		flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	u64 regs[31], sp, pc, pstate, orig_x0;
	s32 syscallno;
};
#else
#error "pt_regs of this architecture are not known here"
#endif

struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};
typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
		u32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport;	/* network order */
	u16 skc_num;	/* host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	u8 sk_shutdown;
	u16 sk_type;
	u16 sk_protocol;
	struct socket *sk_socket;
};
struct tcp_sock {
	u32 copied_seq, rcv_nxt;
	u32 write_seq;
	u64 bytes_received;
};
struct socket {
	struct sock *sk;
	struct file *file;
};
struct msghdr {
	unsigned int msg_flags;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
};
struct file {
	struct inode *f_inode;
	void *private_data;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};

typedef struct {
	int counter;
} atomic_t;
struct signal_struct {
	atomic_t live;
};
struct upid {
	int nr;
};
struct pid {
	unsigned int level;
};

struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
};
struct kernfs_node___rcu { /* 6.15: 633488947ef66 */
	struct kernfs_node *__parent;
};
struct cgroup {
	int level;
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
enum cgroup_subsys_id { memory_cgrp_id, pids_cgrp_id, cpu_cgrp_id, CGROUP_SUBSYS_COUNT };
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	int pid, tgid;
	struct task_struct *group_leader, *real_parent;
	u64 start_boottime;
	int exit_code;
	char comm[16];
	struct pid *thread_pid;
	struct signal_struct *signal;
	struct files_struct *files;
	struct css_set *cgroups;
};

#pragma clang attribute pop

/* linux/socket.h as user space lays it out: what the iovec calls point to. */
struct user_iovec {
	u64 base;
	u64 len;
};
struct user_msghdr {
	u64 name;
	int namelen;
	int pad;
	u64 iov;
	u64 iovlen;
	u64 control;
	u64 controllen;
	unsigned int flags;
	unsigned int pad2;
};
struct user_mmsghdr {
	struct user_msghdr hdr;
	unsigned int len;
	unsigned int pad;
};

#endif
