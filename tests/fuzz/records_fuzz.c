/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a few connections, whatever a kernel, its ring and hostile peers could make of them: the
 * input is read as a list of operations, each a chunk from a choice of texts or of raw bytes, copied
 * or not, in or out of place, overtaken, lost, closed.
 *
 * Holds: every head of a request is finished once, as one exchange; nothing of the pools stays in use.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/self.h"
#include "pipeline/conn.h"
#include "source/socket_valid.h"
#include "unit/pipeline/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

/* Small, so that every bound is met. */
#define CONNECTIONS 4
#define CONNECTIONS_MAX 3
#define EXCHANGES_MAX 5
#define HEADS_MAX 2

static const char *const texts[] = {
	"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n12345",
	"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	"0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n",
	"HTTP/1.0 200 OK\r\n\r\nuntil the end",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\n\r\n",
	"CONNECT h:1 HTTP/1.1\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	"\r\n",
};

/* --- the protocol, counted ---------------------------------------------------------------------- */

static uint64_t heads, finished;

static ssize_t parse_request(struct bytes in, bool last, struct message *ret_message)
{
	ssize_t r = http1_protocol.parse_request(in, last, ret_message);

	heads += r > 0;
	return r;
}

static struct protocol counted;
/* instead of protocols.c */
const struct protocol *const protocols[] = { &counted, NULL };

static void is_inside(struct bytes text, const struct exchange *exchange)
{
	MUST(!text.len || (text.at >= (const uint8_t *)exchange->text &&
			   text.at + text.len <= (const uint8_t *)exchange->text + EXCHANGE_TEXT_MAX));
}

static void on_finished(void *context, struct exchange *exchange)
{
	struct conns *conns = context;

	finished++;
	MUST(conns->exchanges.used > 0 && conns->exchanges.used <= EXCHANGES_MAX);
	MUST(exchange->end_ns >= exchange->start_ns);
	MUST(exchange->outcome != OUTCOME_ANSWERED || (exchange->code >= 100 && exchange->code <= 999));
	MUST(exchange->outcome != OUTCOME_UNANSWERED || !exchange->code);
	MUST(!exchange->next);
	is_inside(exchange->request.operation, exchange);
	is_inside(exchange->request.target, exchange);
	is_inside(exchange->request.forwarded_for, exchange);
	exchange_free(&conns->exchanges, exchange);
}

static void on_ignore(void *context, uint64_t id)
{
}

/* --- operations --------------------------------------------------------------------------------- */

static struct bytes input;

static uint8_t take(void)
{
	uint8_t byte = input.len ? input.at[0] : 0;

	input = bytes_skip(input, 1);
	return byte;
}

static struct bytes take_text(void)
{
	uint8_t which = take();
	struct bytes raw;

	if (which % 16 < ARRAY_LEN(texts))
		return bytes_of_text(texts[which % 16]);
	raw = bytes_first(input, which >> 4);
	input = bytes_skip(input, raw.len);
	return raw;
}

/* Some of the text, from its start, maybe more bytes after it, maybe a tail. */
static void add_chunk(struct wire *wire, uint8_t op)
{
	enum socket_dir dir = op & 1 ? wire_request(wire) : wire_response(wire);
	struct bytes text = take_text(), tail = {};
	struct chunk *chunk;
	uint8_t how = take();
	size_t len;

	if (how & 1)
		text = bytes_first(text, how >> 2);
	len = text.len;
	if (how & 2) {
		tail = bytes_first(take_text(), SOCKET_TAIL_MAX);
		len += tail.len + take() * (take() & 1 ? 100 : 1);
	}
	chunk = wire_call(wire, dir, text, len, tail);
	if (op & 0x20)
		chunk->flags = take();
	if (op & 0x40) {		/* the kernel may be wrong about places, or meet a wrap */
		chunk->seq += (int8_t)take();
		chunk->ack += (int8_t)take();
	}
}

struct world {
	struct conns conns;
	struct wire wire[CONNECTIONS];
	struct socket_event *late;	/* overtaken by others */
};

static void record(struct world *world, struct socket_event *event)
{
	MUST(socket_event_valid(event, event->event.size));
	conns_record(&world->conns, event, record_payload(event));
	MUST(world->conns.table.used <= CONNECTIONS_MAX);
	free(event);
}

static void operate(struct world *world)
{
	uint8_t op = take();
	struct wire *wire = &world->wire[op >> 1 & 3];
	struct socket_event *event;

	if (wire->event.chunks < SOCKET_CHUNKS)
		add_chunk(wire, op);
	if (!(op & 0x10))
		return;			/* the next chunk joins it in one record */
	op = take();
	event = wire_take(wire, op & 8 ? op & 7 : 0);
	if ((op & 0x70) == 0x10) {
		free(event);		/* lost */
	} else if ((op & 0x70) == 0x20 && !world->late) {
		world->late = event;
	} else {
		record(world, event);
	}
	if ((op & 0x70) == 0x30 && world->late)
		record(world, TAKE_PTR(world->late));
	if ((op & 0x70) == 0x40)
		conns_expire(&world->conns, wire->now_ns - take() * NSEC_PER_MSEC);
	if ((op & 0xf0) == 0xf0)
		wire->now_ns += take() * 60 * NSEC_PER_SEC;
}

static void check_end(struct conns *conns)
{
	unsigned buffers = 0;

	conns_finish_all(conns);
	for (const struct head_buffer *free = conns->heads.free; free; free = free->next)
		buffers++;
	MUST(buffers == conns->heads.touched);
	MUST(!conns->exchanges.used && !conns->table.used && !conns->newest && !conns->oldest);
	MUST(finished == heads);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;

	counted = http1_protocol;
	counted.parse_request = parse_request;
	heads = finished = 0;
	memset(&world.conns, 0, sizeof(world.conns));
	MUST(!conns_init(&world.conns, CONNECTIONS_MAX, EXCHANGES_MAX, HEADS_MAX));
	world.conns.finished = on_finished;
	world.conns.ignore = on_ignore;
	world.conns.context = &world.conns;
	input = bytes_of(data, size);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		wire_init(&world.wire[i], i, i % 2);
		world.wire[i].event.family = i == 3 ? AF_UNIX : AF_INET;
		world.wire[i].pos[0] = -(uint32_t)take();
	}
	while (input.len)
		operate(&world);
	free(TAKE_PTR(world.late));
	check_end(&world.conns);
	conns_done(&world.conns);
	return 0;
}
