/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Does a message begin here? The one thing about protocols that the kernel side knows: it decides
 * which connections get any state at all, so it must be cheap and may be wrong; user space
 * parses, and gives up what is none.
 */
#ifndef SONDE_BPF_MAGIC_H
#define SONDE_BPF_MAGIC_H

#include "lib/kernel.bpf.h"

enum magic { MAGIC_NONE, MAGIC_REQUEST, MAGIC_RESPONSE };

#define MAGIC_BYTES 4
#define MAGIC(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/* First bytes of HTTP/1 methods (RFC 9110, 9.3; RFC 4918, 9; RFC 5323) and of a PROXY header. */
static __always_inline enum magic magic_of(u32 head)
{
	switch (head) {
	case MAGIC('G', 'E', 'T', ' '):
	case MAGIC('P', 'O', 'S', 'T'):
	case MAGIC('P', 'U', 'T', ' '):
	case MAGIC('H', 'E', 'A', 'D'):
	case MAGIC('D', 'E', 'L', 'E'):
	case MAGIC('O', 'P', 'T', 'I'):
	case MAGIC('P', 'A', 'T', 'C'):
	case MAGIC('C', 'O', 'N', 'N'):
	case MAGIC('T', 'R', 'A', 'C'):
	case MAGIC('P', 'R', 'O', 'P'):
	case MAGIC('M', 'K', 'C', 'O'):
	case MAGIC('C', 'O', 'P', 'Y'):
	case MAGIC('M', 'O', 'V', 'E'):
	case MAGIC('L', 'O', 'C', 'K'):
	case MAGIC('U', 'N', 'L', 'O'):
	case MAGIC('R', 'E', 'P', 'O'):
	case MAGIC('S', 'E', 'A', 'R'):
	case MAGIC('P', 'U', 'R', 'G'):
	case MAGIC('P', 'R', 'O', 'X'):
	case MAGIC('\r', '\n', '\r', '\n'):
		return MAGIC_REQUEST;
	case MAGIC('H', 'T', 'T', 'P'):
		return MAGIC_RESPONSE;
	}
	return MAGIC_NONE;
}

/* A first piece of 1 to 3 bytes: Go reads a lone byte now and then. Its first letter decides. */
static __always_inline enum magic magic_of_piece(u8 first)
{
	switch (first) {
	case 'G': case 'P': case 'D': case 'O': case 'C': case 'T': case 'M': case 'L': case 'U':
	case 'R': case 'S': case 'H':	/* H: HEAD; a response is the first thing seen but rarely */
		return MAGIC_REQUEST;
	}
	return MAGIC_NONE;
}

#endif
