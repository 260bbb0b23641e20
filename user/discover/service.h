/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is a process, to the outside: service name and resource. Pure: what /proc said goes in, a
 * view of a resource comes out.
 *
 * service.name is the first of:
 *   1. OTEL_SERVICE_NAME in the process's own environment
 *   2. service.name in its OTEL_RESOURCE_ATTRIBUTES
 *   3. resource.service_name of the agent's configuration
 *   4. in a Kubernetes pod: the workload, the pod's name without what controllers append to it
 *   5. what an interpreter runs (discover/command.h), else the executable's base name
 */
#ifndef SONDE_DISCOVER_SERVICE_H
#define SONDE_DISCOVER_SERVICE_H

#include "base/buf.h"
#include "config/config.h"
#include "discover/container.h"
#include "discover/process.h"
#include "model/resource.h"

#define SERVICE_NAME_MAX 255			/* bytes */
#define SERVICE_STORAGE_BYTES (48 * 1024)	/* RESOURCE_EXTRA_MAX longest pairs and more */

struct service_input {
	struct process_names names;
	const struct container *container;	/* NULL: none */
	struct bytes executable;		/* base name, never empty */
	struct bytes program;			/* what an interpreter runs; may be empty */
	struct bytes runtime, runtime_version;	/* may be empty */
	struct bytes host_name;
};

/* Where a name came from: own and inherited ones survive an exec, the executable's does not. */
enum service_source { SERVICE_OWN, SERVICE_CONFIG, SERVICE_WORKLOAD, SERVICE_EXECUTABLE };

struct service {
	enum service_source source;
	unsigned refused;		/* good attributes for which there was no room */
	struct resource view;		/* no reference count: for resource_new() */
};

/*
 * Attributes of the configuration come below the process's own; service.name and
 * service.instance.id of the configuration are not for others and ignored; container.id,
 * process.executable.name and k8s.pod.uid are what was observed, whatever a process says;
 * telemetry.* is the exporters'. `storage` must be empty, with SERVICE_STORAGE_BYTES reserved;
 * the view points into it, into `in` and into `config`.
 */
void service_describe(const struct service_input *in, const struct config *config,
		      struct buf *storage, struct service *ret);

/*
 * The same service after an exec of which nothing but the name is known: `from` with another
 * executable, without what the old one told of itself. The view points into `from` and `storage`.
 */
void service_inherit(const struct resource *from, struct bytes executable, struct buf *storage,
		     struct resource *ret_view);

/*
 * The workload of a pod's name: without a ReplicaSet's -HASH-XXXXX, a CronJob's -MINUTES-XXXXX, a
 * Job's or DaemonSet's -XXXXX, a StatefulSet's -N (Kubernetes: apimachinery's SafeEncodeString
 * and generateName; their alphabet has neither vowels nor 0, 1, 3). No bytes: not a pod's name
 * (RFC 1123).
 */
struct bytes service_workload(struct bytes pod_name);

#endif
