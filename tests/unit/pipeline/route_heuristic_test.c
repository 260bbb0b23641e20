/* SPDX-License-Identifier: Apache-2.0 */
/* Which segments of a path are parameters and which are names, and how a path is cut into them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "pipeline/route_heuristic.h"

static void what_looks_like_a_parameter_is_one(void **state)
{
	static const char *const parameters[] = {
		"1", "42", "123456789012345678901234567890", "-5", "3.14", "51.5,-0.12", "10.0.0.7",
		"2024-01-02", "20240102", "2024-01-02T03:04:05Z", "12:30", "2024",
		"550e8400-e29b-41d4-a716-446655440000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
		"507f1f77bcf86cd799439011", "deadbee7", "9e107d9d372bb6826bd81d3542a419d6",
		"01ARZ3NDEKTSV4RRFFQ69G5FAV", "dQw4w9WgXcQ", "cus_9s6XKzkNRiz8i3",
		"nginx-7c5ddbdf54-abcde",
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.abc", "abcdefghij7klmnop",
		"order-12345", "12345-order", "INV20240001", "SKU-12-45", "app.3f2a1b9c.js",
		"ann@example.com", "@ann", "~ann", "YW55IGNhcm5hbA==", "a%20b", "%E4%BD%A0",
		"a b", "a\"b",
		"\x01", "\x7f", "caf\xc3\xa9", "\xff\xfe", "{id}", "*", "**", "a<b", "back\\slash",
		"this-title-of-an-article-goes-on-and-on-until-nobody-reads-it-any-more",
	};

	for (unsigned i = 0; i < ARRAY_LEN(parameters); i++) {
		if (!segment_is_parameter(bytes_of_text(parameters[i])))
			fail_msg("%s is a parameter", parameters[i]);
	}
	assert_true(segment_is_parameter(bytes_of("", 0)));
	assert_true(segment_is_parameter(bytes_of("a\0b", 3)));
}

static void what_looks_like_a_name_stays(void **state)
{
	static const char *const names[] = {
		"users", "api", "v1", "v2", "V12", "v1beta1", "v1alpha1", "oauth2", "sha256", "md5",
		"k8s",
		"networking.k8s.io", "base64", "page-2", "http-2", "error-404", "user123",
		"oauth2-authorization-server", "getCustomerInformationByAccount", "index.html",
		"favicon-32x32.png", "apple-touch-icon-180x180.png", "favicon.ico", "robots.txt",
		"$metadata", ".well-known", ".", "..", "-", "_search", "facade", "deadbeef",
		"accede",
		"Products(abc)", "a+b", "hello!", "en-US", "wp-login.php",
	};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (segment_is_parameter(bytes_of_text(names[i])))
			fail_msg("%s is a name", names[i]);
	}
}

static void a_path_is_cut_at_slashes_and_empty_segments_are_passed_over(void **state)
{
	struct bytes path = BYTES("//a;x=1/;y/b//"), segment;

	assert_true(path_next_segment(&path, &segment));
	assert_true(bytes_equal(segment, BYTES("a")));
	assert_true(path_next_segment(&path, &segment));
	assert_true(bytes_equal(segment, BYTES("b")));
	assert_false(path_next_segment(&path, &segment));
	assert_int_equal(path.len, 0);
	assert_false(path_next_segment(&path, &segment));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_like_a_parameter_is_one),
		cmocka_unit_test(what_looks_like_a_name_stays),
		cmocka_unit_test(a_path_is_cut_at_slashes_and_empty_segments_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
