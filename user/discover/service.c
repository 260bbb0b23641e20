/* SPDX-License-Identifier: Apache-2.0 */
/* Service name and resource of a process. Out: a view that discover/pool.c makes a resource of. */
#include "discover/service.h"

#include "base/cleanup.h"
#include "discover/attributes.h"

/* Characters of k8s.io/apimachinery/pkg/util/rand. */
static const char safe_alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

#define POD_SUFFIX_LEN 5	/* of generateName */
#define POD_HASH_MIN 6		/* a 32-bit number, each of its digits as one character */
#define POD_HASH_MAX 10
#define POD_NAME_MAX 253	/* RFC 1123 */

/* Executable, service name and HOST:EXECUTABLE, each at its longest. */
#define NAMES_BYTES (3 * SERVICE_NAME_MAX + ATTRIBUTE_VALUE_MAX + 1)

static bool all_in(struct bytes text, const char *alphabet)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!text.at[i] || !strchr(alphabet, text.at[i]))
			return false;
	}
	return text.len > 0;
}

static bool any_in(struct bytes text, const char *alphabet)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] && strchr(alphabet, text.at[i]))
			return true;
	}
	return false;
}

/* What follows the last dash; no bytes when there is none, or nothing before it. */
static struct bytes last_part(struct bytes name)
{
	for (size_t i = name.len; i-- > 1;) {
		if (name.at[i] == '-')
			return bytes_skip(name, i + 1);
	}
	return (struct bytes){ 0 };
}

static struct bytes without_part(struct bytes name, struct bytes part)
{
	return bytes_first(name, name.len - part.len - 1);
}

/*
 * A pod template's hash: a decimal number whose digits 0 to 9 became 4 5 6 7 8 9 b c d f. One
 * without any digit left could be a word (`grpcgw`) and is taken only when spelled with those
 * letters.
 */
static bool is_pod_hash(struct bytes part)
{
	return part.len >= POD_HASH_MIN && part.len <= POD_HASH_MAX &&
	       all_in(part, safe_alphabet) &&
	       (any_in(part, "2456789") || all_in(part, "bcdf"));
}

/* A CronJob names its jobs by the scheduled time in minutes since 1970: 8 digits until 2160. */
static bool is_cron_minute(struct bytes part)
{
	return part.len == 8 && all_in(part, "0123456789");
}

struct bytes service_workload(struct bytes pod_name)
{
	struct bytes part = last_part(pod_name), above;

	if (pod_name.len > POD_NAME_MAX ||
	    !all_in(pod_name, "abcdefghijklmnopqrstuvwxyz0123456789-."))
		return (struct bytes){ 0 };
	if (part.len == POD_SUFFIX_LEN && all_in(part, safe_alphabet)) {
		pod_name = without_part(pod_name, part);
		above = last_part(pod_name);
		if (is_pod_hash(above) || is_cron_minute(above))
			pod_name = without_part(pod_name, above);
	} else if (part.len && part.len < POD_SUFFIX_LEN && all_in(part, "0123456789")) {
		pod_name = without_part(pod_name, part);
	}
	return pod_name;
}

struct making {
	struct service *service;
	struct bytes own_name, own_instance;	/* of the process's OTEL_RESOURCE_ATTRIBUTES */
	bool own;				/* pairs are the process's own */
};

static void set_extra(struct making *making, struct bytes name, struct bytes value)
{
	struct resource *view = &making->service->view;

	for (uint32_t i = 0; i < view->extras; i++) {
		if (bytes_equal(view->extra[i].name, name)) {
			view->extra[i].value = value;
			return;
		}
	}
	if (view->extras == RESOURCE_EXTRA_MAX) {
		making->service->refused++;
		return;
	}
	view->extra[view->extras++] = (struct resource_attribute){ name, value };
}

static void set_pair(struct making *making, struct bytes name, struct bytes value)
{
	struct resource *view = &making->service->view;

	if (bytes_equal(name, BYTES("service.name"))) {
		if (making->own)
			making->own_name = value;
	} else if (bytes_equal(name, BYTES("service.instance.id"))) {
		if (making->own)
			making->own_instance = value;
	} else if (bytes_equal(name, BYTES("service.namespace"))) {
		view->service_namespace = value;
	} else if (bytes_equal(name, BYTES("service.version"))) {
		view->service_version = value;
	} else if (bytes_equal(name, BYTES("host.name"))) {
		view->host_name = value;
	} else if (bytes_equal(name, BYTES("process.runtime.name"))) {
		view->runtime = value;
	} else if (!bytes_start_with(name, BYTES("telemetry.")) &&
		   !bytes_equal(name, BYTES("container.id")) &&
		   !bytes_equal(name, BYTES("process.executable.name"))) {
		set_extra(making, name, value);
	}
}

/* The configuration's pairs are decoded already. */
static void add_configured(struct making *making, const struct config *config)
{
	making->own = false;
	for (unsigned i = 0; i < config->resource_attributes.count; i++) {
		struct bytes pair = bytes_of_text(config->resource_attributes.item[i]);
		ssize_t equals = bytes_index(pair, '=');

		if (equals > 0 && text_is_clean(pair))
			set_pair(making, bytes_first(pair, (size_t)equals),
				 bytes_skip(pair, (size_t)equals + 1));
	}
}

/* Leaves NAMES_BYTES for what is named last. */
static void add_own(struct making *making, struct bytes text, struct buf *storage)
{
	struct buf pairs = { .at = storage->at, .len = storage->len, .max = storage->max,
			     .capacity = storage->capacity - NAMES_BYTES };
	struct attribute_pair pair;

	making->own = true;
	while (attributes_next(&text, &pairs, &pair))
		set_pair(making, pair.name, pair.value);
	storage->len = pairs.len;
}

static void add_observed(struct making *making, const struct service_input *in)
{
	if (in->runtime.len)
		making->service->view.runtime = in->runtime;
	if (in->runtime_version.len)
		set_extra(making, BYTES("process.runtime.version"), in->runtime_version);
	if (in->container)
		making->service->view.container_id = bytes_of_text(in->container->id);
	if (in->container && in->container->pod_uid[0])
		set_extra(making, BYTES("k8s.pod.uid"), bytes_of_text(in->container->pod_uid));
}

/* A pod on the host's network has the node's name, which names no workload. */
static struct bytes workload_of(const struct service_input *in)
{
	if (!in->container || !in->container->pod_uid[0] ||
	    bytes_equal(in->names.hostname, in->host_name))
		return (struct bytes){ 0 };
	return service_workload(in->names.hostname);
}

static struct bytes name_service(const struct making *making, const struct service_input *in,
				 const struct config *config, enum service_source *ret_source)
{
	struct bytes own = bytes_trim(in->names.service_name), workload;

	*ret_source = SERVICE_OWN;
	if (own.len)
		return own;
	if (making->own_name.len)
		return making->own_name;
	*ret_source = SERVICE_CONFIG;
	if (config->service_name && config->service_name[0])
		return bytes_of_text(config->service_name);
	*ret_source = SERVICE_WORKLOAD;
	workload = workload_of(in);
	if (workload.len)
		return workload;
	*ret_source = SERVICE_EXECUTABLE;
	return in->program.len ? in->program : in->executable;
}

/* HOST:EXECUTABLE; the executable alone when there is no room for both. */
static struct bytes host_instance(const struct resource *view, struct buf *storage)
{
	size_t start = storage->len;

	if (storage->capacity - start < view->host_name.len + 1 + view->executable.len)
		return view->executable;
	buf_add_bytes(storage, view->host_name);
	buf_add_byte(storage, ':');
	buf_add_bytes(storage, view->executable);
	return bytes_of(storage->at + start, storage->len - start);
}

static struct bytes name_instance(const struct making *making, struct buf *storage)
{
	const struct resource *view = &making->service->view;

	if (making->own_instance.len)
		return making->own_instance;
	return view->container_id.len ? view->container_id : host_instance(view, storage);
}

void service_describe(const struct service_input *in, const struct config *config,
		      struct buf *storage, struct service *ret)
{
	struct making making = { .service = ret };

	*ret = (struct service){ .view.host_name = in->host_name };
	add_observed(&making, in);		/* finds room first ... */
	add_configured(&making, config);
	add_own(&making, in->names.resource_attributes, storage);
	add_observed(&making, in);		/* ... and has the last word */
	ret->view.executable = text_clean(in->executable, SERVICE_NAME_MAX, storage);
	ret->view.service_name = text_clean(name_service(&making, in, config, &ret->source),
					    SERVICE_NAME_MAX, storage);
	ret->view.service_instance_id = name_instance(&making, storage);
}

static void remove_extra(struct resource *view, struct bytes name)
{
	for (uint32_t i = 0; i < view->extras; i++) {
		if (!bytes_equal(view->extra[i].name, name))
			continue;
		view->extras--;
		memmove(view->extra + i, view->extra + i + 1,
			(view->extras - i) * sizeof(view->extra[0]));
		return;
	}
}

void service_inherit(const struct resource *from, struct bytes executable, struct buf *storage,
		     struct resource *ret_view)
{
	bool by_host = bytes_equal(from->service_instance_id, host_instance(from, storage));

	memcpy(ret_view, from, sizeof(*from));
	ret_view->executable = text_clean(executable, SERVICE_NAME_MAX, storage);
	ret_view->runtime = (struct bytes){ 0 };
	remove_extra(ret_view, BYTES("process.runtime.version"));
	if (by_host)
		ret_view->service_instance_id = host_instance(ret_view, storage);
}
