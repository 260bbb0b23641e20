// SPDX-License-Identifier: Apache-2.0
/* What a request is called on the outside: route, error type, addresses; then counted and traced. */
#include "pipeline/account.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "model/self.h"

int account_init(struct account *account, const struct config *config)
{
	int r;

	*account = (struct account){};
	account->spans_printed = config->print != PRINT_NONE;
	account->spans_exported = config->otlp_endpoint || config->otlp_traces_endpoint;
	r = query_keys_split(bytes_of_text(config->redact), account->redact);
	if (r < 0)
		return r;
	account->redact_count = r;
	tracer_init(&account->tracer, config);
	r = routes_new(config, &account->routes);
	if (r < 0)
		return r;
	return aggregate_init(&account->aggregate, config);
}

void account_done(struct account *account)
{
	aggregate_done(&account->aggregate);
	routes_free(account->routes);
}

/* Digits of a number, behind `to`; returns how many. */
static size_t put_number(char *to, unsigned n)
{
	size_t len = n >= 100 ? 3 : n >= 10 ? 2 : 1;

	for (size_t i = len; i-- > 0; n /= 10)
		to[i] = '0' + n % 10;
	return len;
}

/* inet_ntop() by hand for IPv4, which is on the path of every span. `to`: INET6_ADDRSTRLEN. */
static struct bytes address_text(uint8_t family, const uint8_t *addr, char *to)
{
	size_t len = 0;

	if (family == AF_INET6) {
		const uint8_t *v4 = addr + 12;
		bool mapped = !memcmp(addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

		if (mapped)
			return address_text(AF_INET, v4, to);
		return inet_ntop(AF_INET6, addr, to, INET6_ADDRSTRLEN) ? bytes_of_text(to) : (struct bytes){};
	}
	if (family != AF_INET)
		return (struct bytes){};
	for (unsigned i = 0; i < 4; i++) {
		len += put_number(to + len, addr[i]);
		to[len++] = '.';
	}
	return bytes_of(to, len - 1);
}

/* Host of `host[:port]` or `[v6][:port]` (RFC 9110, 7.2), brackets off. */
static struct bytes host_of(struct bytes authority)
{
	ssize_t end;

	if (authority.len && authority.at[0] == '[') {
		end = bytes_index(authority, ']');
		return end > 0 ? bytes_of(authority.at + 1, end - 1) : (struct bytes){};
	}
	end = bytes_index(authority, ':');
	return end >= 0 ? bytes_first(authority, end) : authority;
}

/* The first address a proxy put into X-Forwarded-For or Forwarded (RFC 7239); none when unclear. */
static struct bytes forwarded_client(struct bytes header)
{
	ssize_t comma = bytes_index(header, ',');
	struct bytes first = bytes_trim(comma >= 0 ? bytes_first(header, comma) : header);

	if (bytes_index(first, '=') >= 0 || bytes_index(first, ' ') >= 0)
		return (struct bytes){};
	return first;
}

static struct bytes error_type_of(const struct exchange *exchange, char text[8])
{
	switch (exchange->outcome) {
	case OUTCOME_UNANSWERED:
		return BYTES("connection_closed");
	case OUTCOME_INCOMPLETE:
		return BYTES("response_incomplete");
	case OUTCOME_ANSWERED:
	case OUTCOME_UNSEEN:
		break;
	}
	if (exchange->code > 999 || !exchange->protocol->semconv->failed(exchange->role, exchange->code))
		return (struct bytes){};
	return bytes_of(text, put_number(text, exchange->code));
}

/* Processes of one service share their routes, wherever they run. */
static uint64_t service_of(const struct resource *resource)
{
	uint64_t hash = hash_bytes(resource->service_namespace.at, resource->service_namespace.len, 0);

	return hash_bytes(resource->service_name.at, resource->service_name.len, hash);
}

/* What both the sample and the span say, made once. */
struct naming {
	struct bytes route, server_address, error_type;
	uint16_t server_port, client_port;
	char error_text[8], address_text[INET6_ADDRSTRLEN];
};

static void name_exchange(struct account *account, const struct exchange *exchange,
			  const struct resource *resource, struct naming *naming)
{
	const struct endpoints *ends = &exchange->endpoints;
	bool server = exchange->role == ROLE_SERVER, refused = false;

	naming->error_type = error_type_of(exchange, naming->error_text);
	naming->server_port = server ? ends->local_port : ends->remote_port;
	naming->client_port = server ? ends->remote_port : ends->local_port;
	naming->server_address = host_of(exchange->request.authority);
	naming->route = (struct bytes){};
	if (!naming->server_address.len)
		naming->server_address = address_text(ends->family, server ? ends->local_addr : ends->remote_addr,
						      naming->address_text);
	if (server)
		naming->route = route_of(account->routes, service_of(resource),
					 exchange->request.target, &refused);
	self_add(SELF_ROUTES_REFUSED, refused);
}

/* Texts of a span that have to be made; the rest are copied as they are. */
static struct bytes redacted(struct account *account, struct batch *batch, struct bytes query)
{
	size_t max = 2 * query.len + 16;
	uint8_t *to;

	if (!query.len)
		return query;
	to = arena_alloc(&batch->arena, max);
	if (!to)
		return (struct bytes){};
	return bytes_of(to, query_redact(query, account->redact, account->redact_count, to, max));
}

static struct bytes full_url(struct batch *batch, const struct span *span, struct bytes authority)
{
	char text[1400];
	int len = snprintf(text, sizeof(text), "%.*s://%.*s%.*s%s%.*s", BYTES_ARG(span->scheme),
			   BYTES_ARG(authority), BYTES_ARG(span->target), span->query.len ? "?" : "",
			   BYTES_ARG(span->query));

	return arena_copy(&batch->arena, bytes_of(text, MIN((size_t)len, sizeof(text) - 1)));
}

static struct bytes client_address(struct batch *batch, const struct exchange *exchange)
{
	struct bytes forwarded = forwarded_client(exchange->request.forwarded_for);
	char text[INET6_ADDRSTRLEN];

	if (!forwarded.len)
		forwarded = address_text(exchange->endpoints.family,
					 exchange->role == ROLE_SERVER ? exchange->endpoints.remote_addr :
									 exchange->endpoints.local_addr,
					 text);
	return arena_copy(&batch->arena, forwarded);
}

static void fill_span(struct account *account, struct span *span, const struct exchange *exchange,
		      const struct naming *naming, struct batch *batch)
{
	const struct message *request = &exchange->request;

	span->semconv = exchange->protocol->semconv;
	span->start_ns = exchange->start_ns;
	span->end_ns = exchange->end_ns;
	span->role = exchange->role;
	span->status = naming->error_type.len ? SPAN_ERROR : SPAN_UNSET;
	span->code = exchange->code;
	span->request_bytes = exchange->request_bytes;
	span->response_bytes = exchange->response_bytes;
	span->tgid = exchange->tgid;
	span->tid = exchange->tid;
	span->server_port = naming->server_port;
	span->client_port = naming->client_port;
	span->operation = arena_copy(&batch->arena, request->operation);
	span->target = arena_copy(&batch->arena, request->target);
	span->query = redacted(account, batch, request->query);
	span->route = naming->route;
	span->scheme = request->scheme.len ? arena_copy(&batch->arena, request->scheme) : BYTES("http");
	span->version = arena_copy(&batch->arena, request->version);
	span->user_agent = arena_copy(&batch->arena, request->user_agent);
	span->server_address = arena_copy(&batch->arena, naming->server_address);
	span->error_type = arena_copy(&batch->arena, naming->error_type);
	span->client_address = client_address(batch, exchange);
	span->full = (struct bytes){};
	if (exchange->role == ROLE_CLIENT)
		span->full = full_url(batch, span, request->authority.len ? request->authority :
									     span->server_address);
}

/* Returns the span, or NULL: there is no room. */
static struct span *add_span(struct account *account, const struct exchange *exchange,
			     struct resource *resource, const struct naming *naming,
			     struct batch *batch)
{
	struct span *span;

	if (!batch || batch->spans == batch->spans_max || !batch_use_resource(batch, resource)) {
		self_add(SELF_SPANS_DROPPED, 1);
		return NULL;
	}
	span = &batch->span[batch->spans++];
	span->resource = resource;
	fill_span(account, span, exchange, naming, batch);
	self_add(SELF_SPANS, 1);
	return span;
}

/* Only what is exported is worth pointing at. */
static void trace_exchange(struct account *account, const struct exchange *exchange,
			   struct resource *resource, const struct naming *naming,
			   struct batch *batch, struct exemplar *ret_exemplar)
{
	struct trace_context context;
	struct span *span;
	bool sampled;

	sampled = tracer_decide(&account->tracer, exchange->request.traceparent, &context) &&
		  account->spans_exported;
	if (!sampled)
		self_add(SELF_SPANS_UNSAMPLED, account->spans_exported);
	if (!sampled && !account->spans_printed)
		return;
	span = add_span(account, exchange, resource, naming, batch);
	if (!span)
		return;
	span->context = context;
	span->sampled = sampled;
	if (!sampled)
		return;
	ret_exemplar->value = exchange->end_ns - exchange->start_ns;
	ret_exemplar->time_ns = exchange->end_ns + account->realtime_offset_ns;
	memcpy(ret_exemplar->trace_id, context.trace_id, sizeof(context.trace_id));
	memcpy(ret_exemplar->span_id, context.span_id, sizeof(context.span_id));
}

void account_exchange(struct account *account, const struct exchange *exchange,
		      struct resource *resource, struct batch *batch)
{
	const struct semconv *semconv = exchange->protocol->semconv;
	struct exemplar exemplar = {};
	struct naming naming;

	name_exchange(account, exchange, resource, &naming);
	if (account->spans_exported || account->spans_printed)
		trace_exchange(account, exchange, resource, &naming, batch, &exemplar);

	aggregate_add(&account->aggregate, &(struct sample){
		.semconv = semconv,
		.resource = resource,
		.role = exchange->role,
		.operation = semconv->bound_operation(exchange->request.operation),
		.route = naming.route,
		.server_address = exchange->role == ROLE_CLIENT ? naming.server_address : (struct bytes){},
		.error_type = naming.error_type,
		.code = exchange->code,
		.server_port = naming.server_port,
		.duration_ns = exchange->end_ns - exchange->start_ns,
		.request_bytes = exchange->request_bytes,
		.response_bytes = exchange->response_bytes,
		.exemplar = exemplar.time_ns ? &exemplar : NULL,
	}, exchange->end_ns);
	self_add(exchange->role == ROLE_SERVER ? SELF_EXCHANGES_SERVER : SELF_EXCHANGES_CLIENT, 1);
	self_add(SELF_UNANSWERED, exchange->outcome == OUTCOME_UNANSWERED);
}
