// SPDX-License-Identifier: Apache-2.0
/* The table of connections: find, use, evict, expire; a record's chunks go to walk.c. */
#include "pipeline/conn.h"

#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "model/self.h"
#include "pipeline/walk.h"

int conns_init(struct conns *conns, uint32_t connections_max, uint32_t exchanges_max,
	       uint32_t heads_max)
{
	int r;

	*conns = (struct conns){};
	r = table_init(&conns->table, connections_max, sizeof(struct conn), sizeof(uint64_t));
	if (r >= 0)
		r = exchange_pool_init(&conns->exchanges, exchanges_max);
	if (r >= 0)
		r = head_pool_init(&conns->heads, heads_max);
	if (r < 0)
		conns_done(conns);
	self_set(SELF_CONNECTIONS_MAX, connections_max);
	return r;
}

void conns_done(struct conns *conns)
{
	head_pool_done(&conns->heads);
	exchange_pool_done(&conns->exchanges);
	table_done(&conns->table);
}

static struct conn *conn_at(struct conns *conns, uint32_t place)
{
	return place ? (struct conn *)(conns->table.entries) + (place - 1) : NULL;
}

static void unlink_conn(struct conns *conns, struct conn *conn)
{
	struct conn *newer = conn_at(conns, conn->newer), *older = conn_at(conns, conn->older);

	if (newer)
		newer->older = conn->older;
	else
		conns->newest = conn->older;
	if (older)
		older->newer = conn->newer;
	else
		conns->oldest = conn->newer;
}

static void link_newest(struct conns *conns, struct conn *conn)
{
	uint32_t place = table_index(&conns->table, conn) + 1;
	struct conn *newest = conn_at(conns, conns->newest);

	conn->newer = 0;
	conn->older = conns->newest;
	if (newest)
		newest->newer = place;
	else
		conns->oldest = place;
	conns->newest = place;
}

static void remove_conn(struct conns *conns, struct conn *conn)
{
	unlink_conn(conns, conn);
	stream_reset(&conn->request, &conns->heads, STREAM_DEAD);
	stream_reset(&conn->response, &conns->heads, STREAM_DEAD);
	table_remove(&conns->table, conn);
	self_set(SELF_CONNECTIONS, conns->table.used);
}

static void end_conn(struct conns *conns, struct conn *conn, bool closed, uint64_t now_ns)
{
	walk_close(conns, conn, closed, now_ns);
	remove_conn(conns, conn);
}

static struct conn *conn_new(struct conns *conns, const struct socket_event *event)
{
	struct conn *conn;

	if (conns->table.used == conns->table.capacity) {
		struct conn *oldest = conn_at(conns, conns->oldest);

		self_add(SELF_CONNECTIONS_EVICTED, 1);
		end_conn(conns, oldest, false, oldest->used_ns);
	}
	conn = table_add(&conns->table, &event->conn);
	if (!conn)
		return NULL;
	conn->endpoints.family = event->family;
	conn->endpoints.local_port = event->local_port;
	conn->endpoints.remote_port = event->remote_port;
	conn->endpoints.netns = event->netns;
	memcpy(conn->endpoints.local_addr, event->local_addr, 16);
	memcpy(conn->endpoints.remote_addr, event->remote_addr, 16);
	conn->request_dir = event->request_dir;
	conn->joined = event->serial != 0 || (event->flags & SOCKET_JOINED);
	conn->protocol = protocols[0];
	conn->request.request = true;
	link_newest(conns, conn);
	self_set(SELF_CONNECTIONS, conns->table.used);
	return conn;
}

static void use_conn(struct conns *conns, struct conn *conn, const struct socket_event *event)
{
	conn->used_ns = event->event.time_ns;
	if (event->event.tgid) {
		conn->tgid = event->event.tgid;
		conn->tid = event->event.tid;
	}
	if (conns->newest == table_index(&conns->table, conn) + 1)
		return;
	unlink_conn(conns, conn);
	link_newest(conns, conn);
}

void conns_record(struct conns *conns, const struct socket_event *event, struct bytes payload)
{
	struct conn *conn = table_find(&conns->table, &event->conn);
	bool ends = event->flags & (SOCKET_CLOSED | SOCKET_TX_CLOSED);

	if (!conn) {
		if (ends && !event->chunks)
			return;
		conn = conn_new(conns, event);
	}
	if (!conn)
		return;
	use_conn(conns, conn, event);

	for (unsigned i = 0; i < event->chunks; i++) {
		const struct chunk *chunk = &event->chunk[i];
		struct bytes head = bytes_first(payload, chunk->head);
		struct bytes tail = bytes_first(bytes_skip(payload, chunk->head), chunk->tail);

		walk_chunk(conns, conn, chunk, head, tail);
		payload = bytes_skip(payload, (size_t)chunk->head + chunk->tail);
	}
	if (ends)
		end_conn(conns, conn, true, event->event.time_ns);
}

static bool may_be_waiting(const struct conn *conn, uint64_t before_ns)
{
	return conn->oldest && conn->endpoints.family != AF_UNIX &&
	       conn->used_ns + CONN_OPEN_IDLE_NS >= before_ns;
}

void conns_quiet(struct conns *conns, uint64_t before_ns)
{
	struct conn *conn = conn_at(conns, conns->oldest);

	for (; conn && conn->used_ns < before_ns; conn = conn_at(conns, conn->newer))
		if (conn->endpoints.family == AF_UNIX && conn->answering &&
		    stream_open_ended(&conn->response))
			walk_quiet(conns, conn);
}

void conns_expire(struct conns *conns, uint64_t before_ns)
{
	uint32_t place = conns->oldest;

	while (place) {
		struct conn *conn = conn_at(conns, place);

		if (conn->used_ns >= before_ns)
			return;
		place = conn->newer;
		if (!may_be_waiting(conn, before_ns))
			end_conn(conns, conn, true, conn->used_ns);
	}
}

void conns_finish_all(struct conns *conns)
{
	while (conns->oldest) {
		struct conn *conn = conn_at(conns, conns->oldest);

		end_conn(conns, conn, false, conn->used_ns);
	}
}
