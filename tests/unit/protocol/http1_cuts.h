/* SPDX-License-Identifier: Apache-2.0 */
/* Walks every cut of a request through the parser and the sniffer of HTTP/1.x. */
#ifndef TESTS_UNIT_PROTOCOL_HTTP1_CUTS_H
#define TESTS_UNIT_PROTOCOL_HTTP1_CUTS_H

#include "unit/protocol/fixture.h"

#include <errno.h>

#include "protocol/protocol.h"

/* Every shorter piece is asked to be continued, and never taken for something else. */
static inline void asks_for_more_at_every_cut(struct bytes whole, size_t head)
{
	struct message message, full;

	assert_int_equal(http1_protocol.parse_request(whole, false, &full), head);
	for (size_t len = 0; len < whole.len; len++) {
		struct bytes cut = cut_at(whole, len);
		ssize_t r = http1_protocol.parse_request(cut, false, &message);

		assert_int_equal(r, len < head ? -EAGAIN : (ssize_t)head);
		if (r > 0)
			is_same_part(message.target, cut.at, full.target, whole.at);
		assert_int_not_equal(http1_protocol.sniff_request(cut), VERDICT_NO);
		free((void *)cut.at);
	}
	assert_int_equal(http1_protocol.sniff_request(whole), VERDICT_YES);
}

/* With `last`, a whole request line makes a cut head, whose fields are right or missing. */
static inline void takes_what_is_there_at_every_last_cut(struct bytes whole, size_t head)
{
	struct message message, full;

	http1_protocol.parse_request(whole, true, &full);
	assert_false(full.cut);
	for (size_t len = 0; len < head; len++) {
		struct bytes cut = cut_at(whole, len);
		ssize_t r = http1_protocol.parse_request(cut, true, &message);
		size_t method = full.operation.at - whole.at;

		if (r > 0) {
			assert_int_equal(r, len);
			assert_true(message.cut && len > method);
			is_same_part(message.operation, cut.at, full.operation, whole.at);
			is_same_part(message.query, cut.at, full.query, whole.at);
			if (message.user_agent.len)
				is_same_part(message.user_agent, cut.at, full.user_agent, whole.at);
			if (message.framing != FRAMING_UNKNOWN)
				assert_int_equal(message.framing, full.framing);
			assert_int_equal(message.body_bytes,
					 message.framing == FRAMING_LENGTH ? full.body_bytes : 0);
		} else {
			assert_int_equal(r, -EBADMSG);
			assert_true(len <= method ||
				    bytes_index(bytes_of(whole.at + method, len - method), '\n') < 0);
		}
		free((void *)cut.at);
	}
}

#endif
