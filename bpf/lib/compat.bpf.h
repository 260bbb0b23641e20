/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One accessor for each thing that kernels call differently. */
#ifndef SONDE_BPF_COMPAT_H
#define SONDE_BPF_COMPAT_H

#include "lib/kernel.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* kernfs_node.parent became __parent in 6.15. */
static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___rcu *now = (void *)node;

	if (bpf_core_field_exists(now->__parent))
		return BPF_CORE_READ(now, __parent);
	return BPF_CORE_READ(node, parent);
}

/* The system call the current task is in, and its arguments, from the registers it saved. */
struct syscall {
	u64 nr;
	u64 arg[4];
	bool native;	/* false: a 32-bit task; numbers and layouts are not ours */
};

static __always_inline void syscall_read(struct syscall *ret_syscall)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)task);

#if defined(__TARGET_ARCH_x86)
	ret_syscall->nr = regs->orig_ax;
	ret_syscall->arg[0] = regs->di;
	ret_syscall->arg[1] = regs->si;
	ret_syscall->arg[2] = regs->dx;
	ret_syscall->arg[3] = regs->r10;
	ret_syscall->native = regs->cs != 0x23;	/* __USER32_CS */
#else
	ret_syscall->nr = regs->syscallno;
	ret_syscall->arg[0] = regs->orig_x0;
	ret_syscall->arg[1] = regs->regs[1];
	ret_syscall->arg[2] = regs->regs[2];
	ret_syscall->arg[3] = regs->regs[3];
	ret_syscall->native = !(regs->pstate & 0x10);	/* PSR_MODE32_BIT */
#endif
}

#if defined(__TARGET_ARCH_x86)
enum {
	NR_read = 0, NR_write = 1, NR_readv = 19, NR_writev = 20, NR_sendfile = 40, NR_sendto = 44,
	NR_recvfrom = 45, NR_sendmsg = 46, NR_recvmsg = 47, NR_splice = 275, NR_recvmmsg = 299,
	NR_sendmmsg = 307,
};
#else
enum {
	NR_read = 63, NR_write = 64, NR_readv = 65, NR_writev = 66, NR_sendfile = 71, NR_splice = 76,
	NR_sendto = 206, NR_recvfrom = 207, NR_sendmsg = 211, NR_recvmsg = 212, NR_recvmmsg = 243,
	NR_sendmmsg = 269,
};
#endif

#endif
