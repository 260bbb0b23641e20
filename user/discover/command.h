/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does an interpreter run? "python3.11" names no service; the script in its command line does.
 * Pure; the command line may be hostile.
 */
#ifndef SONDE_DISCOVER_COMMAND_H
#define SONDE_DISCOVER_COMMAND_H

#include "base/bytes.h"

/*
 * The program an interpreter was started for: the module of `python -m`, the script's base name
 * without its extension, a Java class without its package or the name of its jar. A process that
 * rewrote its arguments as `NAME: what it does` is NAME. No bytes when `executable` (a base name)
 * is not python, pypy, node, ruby, php or java, a version after the name allowed, or when none is
 * told (code on the command line, standard input). Points into `cmdline`: arguments, each ended
 * by a NUL.
 */
struct bytes command_program(struct bytes executable, struct bytes cmdline);

/* process.runtime.name of that interpreter; empty for what is none. Static. */
struct bytes command_runtime(struct bytes executable);

#endif
