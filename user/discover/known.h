/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes that were judged, and acting on a judgement: table, BPF map and news go together.
 * Watched ones and others have room for config.targets_max each; a watched one beyond is refused
 * and counted, another beyond is forgotten, which costs no more than judging it again.
 */
#ifndef SONDE_DISCOVER_KNOWN_H
#define SONDE_DISCOVER_KNOWN_H

#include "base/table.h"
#include "discover/discover.h"
#include "discover/judge.h"
#include "discover/news.h"

struct known {
	uint32_t tgid;			/* key */
	uint16_t flags;			/* enum target_flag */
	bool selected;
	bool refused;			/* was to be watched, but there was no room */
	bool told;			/* the pipeline has heard of it */
	enum service_source source;
	uint64_t start_ns;		/* as told; CLOCK_BOOTTIME */
	uint64_t container_hash;	/* 0: in none */
	struct resource *resource;	/* one reference; NULL when not selected */
};

struct known_table {
	struct table table;
	uint32_t max, selected;		/* others: table.used - selected */
	const struct discover_io *io;
	struct news *news;
	uint64_t refused_logged_ns;
};

int known_init(struct known_table *known, uint32_t max, const struct discover_io *io,
	       struct news *news);
void known_done(struct known_table *known);

struct known *known_find(const struct known_table *known, uint32_t tgid);

/*
 * Acts on a judgement, whose reference it takes over. `watched`: the kernel may have entered the
 * process already, so what is not selected must be taken out and the pipeline told. `alive`:
 * false leaves the BPF map alone: the process is gone, its pid may be another's.
 */
void known_apply(struct known_table *known, uint32_t tgid, struct judgement judgement, bool watched,
		 bool alive);

/* Enters what is known into the BPF map once more. */
void known_renew(struct known_table *known, const struct known *process);

/* The process exited: tells the pipeline and forgets it. `pid_is_free`: the map entry goes, too. */
void known_exit(struct known_table *known, struct known *process, bool pid_is_free);

#endif
