/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a connection: where heads are, where messages end, whatever was not seen. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "model/self.h"
#include "pipeline/stream.h"

/* A stream, and what its steps said, one letter each: H head, E end, B bad. */
struct talk {
	struct stream stream;
	struct head_pool pool;
	char said[64];
	struct message head;	/* the last one; its texts may be gone */
	uint64_t body_bytes;	/* of the message that ended last */
	uint32_t seq;
};

static const struct message get = { .operation = BYTES("GET") };

static void talk_begin_sized(struct talk *talk, bool request, unsigned heads_max)
{
	memset(talk, 0, sizeof(*talk));
	memset(self_values, 0, sizeof(self_values));
	talk->stream.request = request;
	assert_int_equal(head_pool_init(&talk->pool, heads_max), 0);
}

static void talk_begin(struct talk *talk, bool request)
{
	talk_begin_sized(talk, request, 4);
}

static void talk_end(struct talk *talk)
{
	stream_reset(&talk->stream, &talk->pool, STREAM_DEAD);
	head_pool_done(&talk->pool);
}

static void note(struct talk *talk, char what)
{
	size_t len = strlen(talk->said);

	assert_in_range(len, 0, sizeof(talk->said) - 2);
	talk->said[len] = what;
}

static void walk(struct talk *talk, struct piece piece)
{
	enum step step;

	talk->seq += piece.seen.len + piece.unseen;
	while ((step = stream_step(&talk->stream, &talk->pool, &http1_protocol, &piece,
				   talk->stream.request ? NULL : &get, &talk->head)) != STEP_MORE) {
		note(talk, step == STEP_HEAD ? 'H' : step == STEP_END ? 'E' : 'B');
		if (step == STEP_END)
			talk->body_bytes = talk->stream.body_bytes;
	}
	assert_int_equal(piece.seen.len, 0);
	assert_int_equal(piece.unseen, 0);
	assert_int_equal(piece.seq, talk->seq);
}

static void walk_seen(struct talk *talk, struct bytes seen, bool starts, bool ends)
{
	uint8_t *own = malloc(seen.len);

	memcpy(own, seen.at, seen.len);
	walk(talk, (struct piece){ .seen = bytes_of(own, seen.len), .starts_call = starts,
				   .ends_call = ends, .seq = talk->seq, .time_ns = talk->seq });
	free(own);
}

/* A whole call. */
static void say(struct talk *talk, const char *text)
{
	walk_seen(talk, bytes_of_text(text), true, true);
}

static void say_unseen(struct talk *talk, uint64_t n)
{
	walk(talk, (struct piece){ .unseen = n, .seq = talk->seq, .time_ns = talk->seq });
}

static void said(struct talk *talk, const char *what)
{
	assert_string_equal(talk->said, what);
	memset(talk->said, 0, sizeof(talk->said));
}

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

/* Streams of which every cut into pieces must say the same. */
static const struct {
	bool request;
	const char *text, *said;
} streams[] = {
	{ true, GET, "HE" },
	{ true, GET GET GET, "HEHEHE" },
	{ true, "\r\n\r\n" GET "\r\n" GET, "HEHE" },
	{ true, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" GET, "HEHE" },
	{ true, "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n" GET, "HEHE" },
	{ true, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" GET, "HEHE" },
	{ false, OK "Content-Length: 3\r\n\r\nabc" OK "Content-Length: 0\r\n\r\n", "HEHE" },
	{ false, OK "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
		 "HTTP/1.1 304 Not Modified\r\n\r\n", "HEHE" },
	{ false, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "HEHE" },
	{ false, OK "\r\nuntil the end\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "H" },
	{ false, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello", "H" },
	{ true, "\x16\x03\x01\x02\x01\x01\xfc\x03\x03", "B" },
};

static void every_cut_in_two_says_the_same(void **state)
{
	struct talk talk;

	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		struct bytes text = bytes_of_text(streams[i].text);

		for (size_t cut = 1; cut < text.len; cut++) {
			talk_begin(&talk, streams[i].request);
			walk_seen(&talk, bytes_first(text, cut), true, true);
			walk_seen(&talk, bytes_skip(text, cut), true, true);
			said(&talk, streams[i].said);
			talk_end(&talk);
		}
	}
}

static void single_bytes_say_the_same(void **state)
{
	struct talk talk;

	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		struct bytes text = bytes_of_text(streams[i].text);

		talk_begin(&talk, streams[i].request);
		for (size_t at = 0; at < text.len; at++)
			walk_seen(&talk, bytes_first(bytes_skip(text, at), 1), true, true);
		said(&talk, streams[i].said);
		talk_end(&talk);
	}
}

static void a_body_of_known_length_may_pass_unseen(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	say(&talk, OK "Content-Length: 5000000000\r\n\r\n");
	said(&talk, "H");
	say_unseen(&talk, 4999999999);
	said(&talk, "");
	say_unseen(&talk, 1);
	said(&talk, "E");
	assert_true(talk.body_bytes == 5000000000);
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	said(&talk, "HE");
	talk_end(&talk);
}

static void what_passes_unseen_beyond_a_body_loses_the_stream_until_a_call_begins_like_a_head(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	say(&talk, OK "Content-Length: 10\r\n\r\n");
	say_unseen(&talk, 11);
	said(&talk, "HE");
	assert_int_equal(talk.stream.state, STREAM_LOST);
	walk_seen(&talk, bytes_of_text(OK "Content-Length: 0\r\n\r\n"), false, true);
	say(&talk, "nothing like a head");
	said(&talk, "");
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	said(&talk, "HE");
	assert_int_equal(self_get(SELF_RESYNCS), 1);
	assert_true(talk.stream.resynced);
	talk_end(&talk);
}

static void a_chunked_body_ends_by_its_tail_when_its_middle_was_not_seen(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	walk_seen(&talk, BYTES(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), true, false);
	say_unseen(&talk, 3000);
	walk_seen(&talk, BYTES("xyz\r\n0\r\n\r\n"), false, false);	/* more of the call follows */
	said(&talk, "H");
	assert_true(stream_open_ended(&talk.stream));
	walk_seen(&talk, BYTES("z\r\n0\r\n\r\n"), false, true);
	said(&talk, "E");
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	said(&talk, "HE");
	talk_end(&talk);
}

static void a_chunked_body_whose_end_was_not_seen_ends_where_a_call_begins_like_a_head(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	say(&talk, OK "Transfer-Encoding: chunked\r\n\r\n");
	say_unseen(&talk, 3000);
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	said(&talk, "HEHE");
	assert_false(talk.stream.resynced);
	talk_end(&talk);
}

static void a_chunked_body_behind_a_cut_head_ends_by_its_tail(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	walk_seen(&talk, BYTES(OK "Transfer-Encoding: chunked\r\nSet-Cookie: aaa"), true, false);
	say_unseen(&talk, 300);
	walk_seen(&talk, BYTES("z\r\n0\r\n\r\n"), false, true);
	said(&talk, "HE");
	talk_end(&talk);
}

static void unseen_data_inside_a_chunk_keeps_the_place(void **state)
{
	struct talk talk;

	talk_begin(&talk, true);
	say(&talk, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n");
	say_unseen(&talk, 0x1000 + 2);
	say(&talk, "3\r\nabc\r\n0\r\n\r\n");
	said(&talk, "HE");
	assert_int_equal(talk.body_bytes, 0x1003);
	talk_end(&talk);
}

static void a_head_cut_by_unseen_bytes_counts_with_what_there_is(void **state)
{
	struct talk talk;

	talk_begin(&talk, true);
	walk_seen(&talk, BYTES("GET /long HTTP/1.1\r\nHost: h\r\nCookie: aaaa"), true, false);
	said(&talk, "");
	say_unseen(&talk, 9000);
	said(&talk, "H");
	assert_true(talk.head.cut);
	assert_true(stream_open_ended(&talk.stream));
	assert_int_equal(self_get(SELF_HEADS_CUT), 1);
	talk_end(&talk);
}

/* The rest of such a head must not be taken for the body. */
static void the_next_head_is_found_behind_a_cut_one_of_known_length(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	for (int i = 0; i < 3; i++) {
		walk_seen(&talk, BYTES(OK "Content-Length: 10\r\nSet-Cookie: aaaa"), true, false);
		say_unseen(&talk, 500);
		walk_seen(&talk, BYTES("89"), false, true);
		said(&talk, "HE");
		assert_int_equal(talk.body_bytes, 10);
		assert_false(talk.stream.resynced);
	}
	assert_int_equal(self_get(SELF_RESYNCS), 0);
	talk_end(&talk);
}

static void a_message_behind_a_cut_head_of_unknown_length_begins_with_a_call(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	for (int i = 0; i < 2; i++) {
		walk_seen(&talk, BYTES(OK "Set-Cookie: aaaa"), true, false);
		say_unseen(&talk, 500);
		say(&talk, "some body");
	}
	said(&talk, "HEH");
	assert_false(talk.stream.resynced);
	talk_end(&talk);
}

static void a_body_until_close_is_never_ended_by_what_it_holds(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	say(&talk, OK "\r\n");
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	said(&talk, "H");
	assert_true(stream_open_ended(&talk.stream));
	talk_end(&talk);
}

static void an_unreadable_piece_of_a_request_line_proves_nothing(void **state)
{
	struct talk talk;

	talk_begin(&talk, true);
	walk_seen(&talk, BYTES("GET /somewh"), true, false);
	say_unseen(&talk, 80);
	said(&talk, "");
	say(&talk, GET);
	said(&talk, "HE");
	talk_end(&talk);
}

static void a_head_longer_than_its_buffer_is_cut_there(void **state)
{
	static char pad[HEAD_BUFFER_MAX];
	struct talk talk;

	memset(pad, 'p', sizeof(pad) - 1);
	talk_begin(&talk, true);
	say(&talk, "GET / HTTP/1.1\r\nHost: h\r\nCookie: ");
	say(&talk, pad);
	said(&talk, "H");
	assert_true(talk.head.cut);
	talk_end(&talk);
}

static void the_rest_of_a_head_cut_at_its_buffer_is_not_taken_for_chunks(void **state)
{
	static char pad[HEAD_BUFFER_MAX];
	struct talk talk;

	memset(pad, 'p', sizeof(pad) - 1);
	talk_begin(&talk, true);
	say(&talk, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nCookie: ");
	say(&talk, pad);
	say(&talk, "; more\r\n\r\n5\r\nhello\r\n");
	said(&talk, "H");
	say(&talk, "0\r\n\r\n");
	say(&talk, GET);
	said(&talk, "EHE");
	talk_end(&talk);
}

static void the_oldest_head_in_pieces_gives_its_buffer_up_is_counted_and_not_called_bad(void **state)
{
	struct stream other = { .request = true };
	struct message message;
	struct talk talk;
	struct piece piece = { .seen = BYTES("GET / HT"), .starts_call = true };

	talk_begin_sized(&talk, true, 1);
	say(&talk, "GET / HT");
	assert_int_equal(stream_step(&other, &talk.pool, &http1_protocol, &piece, NULL, &message),
			 STEP_MORE);
	assert_non_null(other.partial);
	assert_null(talk.stream.partial);
	assert_int_equal(self_get(SELF_HEAD_BUFFERS_REFUSED), 1);
	stream_reset(&other, &talk.pool, STREAM_DEAD);
	say(&talk, "TP/1.1\r\n\r\n");
	said(&talk, "");
	say(&talk, GET);
	said(&talk, "HE");
	talk_end(&talk);
}

static void buffers_of_heads_are_given_back(void **state)
{
	struct talk talk;

	talk_begin_sized(&talk, true, 1);
	for (int i = 0; i < 10; i++) {
		say(&talk, "GET / HT");
		say(&talk, "TP/1.1\r\n\r\n");
		said(&talk, "HE");
	}
	say(&talk, "GET / HT");
	stream_reset(&talk.stream, &talk.pool, STREAM_AT_HEAD);
	say(&talk, "GET / HT");
	assert_int_equal(self_get(SELF_HEAD_BUFFERS_REFUSED), 0);
	talk_end(&talk);
}

static void a_head_begins_with_its_first_piece(void **state)
{
	struct talk talk;

	talk_begin(&talk, true);
	say(&talk, GET);
	say(&talk, "GET / HT");
	say(&talk, "TP/1.1\r\n\r\n");
	said(&talk, "HEHE");
	assert_int_equal(talk.stream.head_seq, strlen(GET));
	assert_int_equal(talk.stream.head_ns, strlen(GET));
	talk_end(&talk);
}

/* Some clients send one behind a body (RFC 9112, 2.2): the next request may be minutes away. */
static void an_empty_line_between_requests_does_not_begin_the_next(void **state)
{
	struct talk talk;

	talk_begin(&talk, true);
	say(&talk, "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi\r\n");
	say(&talk, GET);
	said(&talk, "HEHE");
	assert_int_equal(talk.stream.head_ns, talk.seq - strlen(GET));
	talk_end(&talk);
}

static void what_is_upgraded_is_not_read_on(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	say(&talk, "HTTP/1.1 101 Switching Protocols\r\n\r\n" OK "Content-Length: 0\r\n\r\n");
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	say_unseen(&talk, 5);
	said(&talk, "H");
	assert_int_equal(talk.stream.state, STREAM_DEAD);
	talk_end(&talk);
}

static void a_broken_chunk_size_loses_the_stream(void **state)
{
	struct talk talk;

	talk_begin(&talk, false);
	say(&talk, OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
	said(&talk, "HB");
	assert_int_equal(talk.stream.state, STREAM_LOST);
	say(&talk, OK "Content-Length: 0\r\n\r\n");
	said(&talk, "HE");
	talk_end(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_in_two_says_the_same),
		cmocka_unit_test(single_bytes_say_the_same),
		cmocka_unit_test(a_body_of_known_length_may_pass_unseen),
		cmocka_unit_test(what_passes_unseen_beyond_a_body_loses_the_stream_until_a_call_begins_like_a_head),
		cmocka_unit_test(a_chunked_body_ends_by_its_tail_when_its_middle_was_not_seen),
		cmocka_unit_test(a_chunked_body_whose_end_was_not_seen_ends_where_a_call_begins_like_a_head),
		cmocka_unit_test(a_chunked_body_behind_a_cut_head_ends_by_its_tail),
		cmocka_unit_test(unseen_data_inside_a_chunk_keeps_the_place),
		cmocka_unit_test(a_head_cut_by_unseen_bytes_counts_with_what_there_is),
		cmocka_unit_test(the_next_head_is_found_behind_a_cut_one_of_known_length),
		cmocka_unit_test(a_message_behind_a_cut_head_of_unknown_length_begins_with_a_call),
		cmocka_unit_test(a_body_until_close_is_never_ended_by_what_it_holds),
		cmocka_unit_test(an_unreadable_piece_of_a_request_line_proves_nothing),
		cmocka_unit_test(a_head_longer_than_its_buffer_is_cut_there),
		cmocka_unit_test(the_rest_of_a_head_cut_at_its_buffer_is_not_taken_for_chunks),
		cmocka_unit_test(the_oldest_head_in_pieces_gives_its_buffer_up_is_counted_and_not_called_bad),
		cmocka_unit_test(buffers_of_heads_are_given_back),
		cmocka_unit_test(a_head_begins_with_its_first_piece),
		cmocka_unit_test(an_empty_line_between_requests_does_not_begin_the_next),
		cmocka_unit_test(what_is_upgraded_is_not_read_on),
		cmocka_unit_test(a_broken_chunk_size_loses_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
