/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting and adding up the metric store for those who write it out. */
#include "export/view.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

static int compare_bytes(struct bytes a, struct bytes b)
{
	size_t shorter = MIN(a.len, b.len);
	int r = shorter ? memcmp(a.at, b.at, shorter) : 0;

	return r ? r : (a.len > b.len) - (a.len < b.len);
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

int view_compare_resources(const struct resource *a, const struct resource *b,
			   enum view_identity identity)
{
	int r;

	if (a == b)
		return 0;
	if (!a || !b)
		return a ? -1 : 1;
	r = compare_bytes(a->service_name, b->service_name);
	if (!r)
		r = compare_bytes(a->service_namespace, b->service_namespace);
	if (!r)
		r = compare_bytes(a->container_id, b->container_id);
	if (r || identity != VIEW_RESOURCE || resource_equal(a, b))
		return r;
	return a->hash != b->hash ? COMPARE(a->hash, b->hash) : COMPARE(a, b);
}

/* By the fields that the conventions make attributes of, and no others. */
static int compare_attribute(const struct attribute *row, const struct series *a,
			     const struct series *b)
{
	const void *in_a = (const char *)a + row->offset, *in_b = (const char *)b + row->offset;

	switch (row->type) {
	case ATTRIBUTE_TEXT:
		return compare_bytes(*(const struct bytes *)in_a, *(const struct bytes *)in_b);
	case ATTRIBUTE_U16:
		return COMPARE(*(const uint16_t *)in_a, *(const uint16_t *)in_b);
	case ATTRIBUTE_U32:
		return COMPARE(*(const uint32_t *)in_a, *(const uint32_t *)in_b);
	case ATTRIBUTE_U64:
		return COMPARE(*(const uint64_t *)in_a, *(const uint64_t *)in_b);
	case ATTRIBUTE_I64:
		return COMPARE(*(const int64_t *)in_a, *(const int64_t *)in_b);
	}
	return 0;
}

static int compare_routes(const struct series *a, const struct series *b)
{
	int r = compare_bytes(a->operation, b->operation);

	if (!r)
		r = compare_bytes(a->route, b->route);
	return r ? r : compare_bytes(a->server_address, b->server_address);
}

static int compare_series(const struct series *a, const struct series *b,
			  enum view_identity identity)
{
	int r = view_compare_resources(a->resource, b->resource, identity);

	if (!r)
		r = COMPARE(a->semconv, b->semconv);
	if (!r)
		r = COMPARE(a->role, b->role);
	if (!r)
		r = COMPARE(a->overflow, b->overflow);
	if (r || a->overflow)
		return r;
	if (identity == VIEW_ROUTES)
		r = compare_routes(a, b);
	for (const struct attribute *row = a->semconv->metric[a->role]; row->name && !r; row++)
		r = compare_attribute(row, a, b);
	return r;
}

static int compare_by(const void *a, const void *b, void *identity)
{
	return compare_series(*(const struct series *const *)a, *(const struct series *const *)b,
			      *(enum view_identity *)identity);
}

/* Puts a copy of at[i] in its place, that others can be added to. */
static struct series *own(struct view *view, uint32_t i)
{
	struct series *copy = malloc(sizeof(*copy));
	struct series **owned;

	owned = realloc(view->owned, (view->owned_count + 1) * sizeof(owned[0]));
	if (owned)
		view->owned = owned;
	if (!copy || !owned) {
		free(copy);
		return NULL;
	}
	series_copy(copy, view->at[i]);
	view->owned[view->owned_count++] = copy;
	view->at[i] = copy;
	return copy;
}

/* Adds up neighbours that are alike. Rare: processes of one container with different extras. */
static int merge_alike(struct view *view, enum view_identity identity)
{
	struct series *sum = NULL;
	uint32_t kept = 0;

	for (uint32_t i = 1; i < view->count; i++) {
		if (compare_series(view->at[kept], view->at[i], identity)) {
			view->at[++kept] = view->at[i];
			sum = NULL;
			continue;
		}
		if (!sum)
			sum = own(view, kept);
		if (!sum)
			return -ENOMEM;
		series_merge(sum, view->at[i]);
	}
	view->count = MIN(view->count, kept + 1);
	return 0;
}

int view_open(struct view *view, const struct metric_store *store, enum view_identity identity)
{
	int r;

	*view = (struct view){ .at = malloc(MAX(store->count, 1u) * sizeof(view->at[0])) };
	if (!view->at)
		return -ENOMEM;
	for (uint32_t id = 0; id < store->high; id++) {
		if (store->series[id])
			view->at[view->count++] = store->series[id];
	}
	qsort_r(view->at, view->count, sizeof(view->at[0]), compare_by, &identity);
	r = merge_alike(view, identity);
	if (r < 0)
		view_close(view);
	return r;
}

void view_close(struct view *view)
{
	for (uint32_t i = 0; i < view->owned_count; i++)
		free(view->owned[i]);
	free(view->owned);
	free(view->at);
	*view = (struct view){ 0 };
}
