/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in the order in which it is written out, with no two series alike on the outside:
 * series whose attributes (and resource, as far as shown) are equal are added up. Borrows from the
 * store: use it before the next batch.
 */
#ifndef SONDE_EXPORT_VIEW_H
#define SONDE_EXPORT_VIEW_H

#include "export/store.h"

/* What makes two resources the same, and the order of what is under one. */
enum view_identity {
	VIEW_LABELS,   /* service name, namespace and container: Prometheus */
	VIEW_RESOURCE, /* every attribute: OTLP */
	VIEW_ROUTES,   /* as VIEW_LABELS, one route's series next to each other: /services */
};

/*
 * Sorted by resource, then conventions and role, then attributes; overflow after all others of its
 * role. `resource` of the overflow series may be NULL.
 */
struct view {
	const struct series **at;
	uint32_t count;
	struct series **owned;	/* sums of series alike */
	uint32_t owned_count;
};

/* Returns 0 or -ENOMEM. */
int view_open(struct view *view, const struct metric_store *store, enum view_identity identity);
void view_close(struct view *view);

/* Order of resources by identity: < 0, 0, > 0; NULL comes last. */
int view_compare_resources(const struct resource *a, const struct resource *b,
			   enum view_identity identity);

#endif
