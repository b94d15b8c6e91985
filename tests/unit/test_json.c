/* SPDX-License-Identifier: BSD-2-Clause */
/* test_json.c - the JSON writer: forms, escapes, every byte read back by another parser, errors. */
#include "libxfs/base/errors.h"
#include "libxfs/base/json.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>
#include <string.h>

struct text {
	char *s;
	size_t n, fail_at;	/* fail_at: from this size on write() fails; 0 = never */
};

static int text_write(void *payload, const void *bytes, size_t len)
{
	struct text *t = payload;

	if (t->fail_at && t->n + len >= t->fail_at)
		return -XFS_E_NOSPC;
	t->s = realloc(t->s, t->n + len + 1);
	memcpy(t->s + t->n, bytes, len);
	t->n += len;
	t->s[t->n] = '\0';
	return 0;
}

static void sample_write(struct xfs_json *j)
{
	xfs_json_object(j, NULL);
	xfs_json_u64(j, "u", UINT64_MAX);
	xfs_json_i64(j, "i", INT64_MIN);
	xfs_json_array(j, "a");
	xfs_json_bool(j, NULL, true);
	xfs_json_bool(j, NULL, false);
	xfs_json_null(j, NULL);
	xfs_json_object(j, NULL);
	xfs_json_object_end(j);
	xfs_json_array(j, NULL);
	xfs_json_array_end(j);
	xfs_json_array_end(j);
	xfs_json_key(j, "k");
	xfs_json_string(j, NULL, "a\"b\\c\n\x01");
	xfs_json_string(j, "n", NULL);
	xfs_json_hex(j, "h", "\x00\xff\x5a", 3);
	xfs_json_hex64(j, "m", 0x58465342);
	xfs_json_object_end(j);
}

START_TEST(forms)
{
	struct text t = { 0 };
	struct xfs_json j;

	xfs_json_start(&j, text_write, &t, false);
	sample_write(&j);
	xfs_json_u64(&j, NULL, 7);
	ck_assert_int_eq(xfs_json_finish(&j), 0);
	ck_assert_str_eq(t.s, "{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"a\":[true,false,null,{},[]],"
			 "\"k\":\"a\\\"b\\\\c\\n\\u0001\",\"n\":null,\"h\":\"00ff5a\",\"m\":\"0x58465342\"}\n7\n");
	free(t.s);
	t = (struct text){ 0 };
	xfs_json_start(&j, text_write, &t, true);
	sample_write(&j);
	ck_assert_int_eq(xfs_json_finish(&j), 0);
	ck_assert_str_eq(t.s,
			 "{\n  \"u\": 18446744073709551615,\n  \"i\": -9223372036854775808,\n  \"a\": "
			 "[\n    true,\n    false,\n"
			 "    null,\n    {},\n    []\n  ],\n  \"k\": \"a\\\"b\\\\c\\n\\u0001\",\n  \"n\": "
			 "null,\n  \"h\": \"00ff5a\",\n"
			 "  \"m\": \"0x58465342\"\n}\n");
	free(t.s);
}
END_TEST

/* one string through our writer and another parser */
static void expect(const char *bytes, size_t len, const char *want, size_t want_len)
{
	struct text t = { 0 };
	struct xfs_json j;
	json_error_t err;
	json_t *root;

	xfs_json_start(&j, text_write, &t, false);
	xfs_json_array(&j, NULL);
	xfs_json_bytes(&j, NULL, bytes, len);
	xfs_json_array_end(&j);
	ck_assert_int_eq(xfs_json_finish(&j), 0);
	root = json_loadb(t.s, t.n, JSON_ALLOW_NUL, &err);
	ck_assert_msg(root != NULL, "%s: %s", t.s, err.text);
	ck_assert_uint_eq(json_string_length(json_array_get(root, 0)), want_len);
	ck_assert_mem_eq(json_string_value(json_array_get(root, 0)), want, want_len);
	json_decref(root);
	free(t.s);
}

#define EXPECT(bytes, want) expect(bytes, sizeof(bytes) - 1, want, sizeof(want) - 1)

START_TEST(strings)
{
	EXPECT("", "");
	EXPECT("plain", "plain");
	EXPECT("\0", "\0");
	EXPECT("a\0b", "a\0b");
	EXPECT("\"\\/\b\f\n\r\t\x1f\x7f", "\"\\/\b\f\n\r\t\x1f\x7f");
	EXPECT("gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x98\x80",
	       "gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x98\x80");
	/* the ends of what is valid */
	EXPECT("\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
	       "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	/* bytes that are not: each becomes the code point of its number */
	EXPECT("\xff", "\xc3\xbf");
	EXPECT("\x80z", "\xc2\x80z");
	EXPECT("\xc3", "\xc3\x83");
	EXPECT("\xc3(", "\xc3\x83(");
	EXPECT("\xc0\xaf", "\xc3\x80\xc2\xaf");
	EXPECT("\xe0\x9f\xbf", "\xc3\xa0\xc2\x9f\xc2\xbf");
	EXPECT("\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80");
	EXPECT("\xf4\x90\x80\x80", "\xc3\xb4\xc2\x90\xc2\x80\xc2\x80");
	EXPECT("\xe2\x82", "\xc3\xa2\xc2\x82");
}
END_TEST

/* every pair of bytes gives JSON that another parser takes; many buffers long */
START_TEST(all_pairs)
{
	struct text t = { 0 };
	struct xfs_json j;
	json_error_t err;
	json_t *root;

	xfs_json_start(&j, text_write, &t, true);
	xfs_json_array(&j, NULL);
	for (unsigned i = 0; i < 65536; i++) {
		uint8_t two[2] = { (uint8_t)(i >> 8), (uint8_t)i };

		xfs_json_bytes(&j, NULL, two, 2);
	}
	xfs_json_array_end(&j);
	ck_assert_int_eq(xfs_json_finish(&j), 0);
	root = json_loadb(t.s, t.n, JSON_ALLOW_NUL, &err);
	ck_assert_msg(root != NULL, "line %d: %s", err.line, err.text);
	ck_assert_uint_eq(json_array_size(root), 65536);
	for (unsigned i = 0; i < 128 * 256; i++)
		if ((i & 0xff) < 0x80) {
			const char *s = json_string_value(json_array_get(root, i));

			if (s[0] != (char)(i >> 8) || s[1] != (char)i)
				ck_abort_msg("pair %u", i);
		}
	json_decref(root);
	free(t.s);
}
END_TEST

START_TEST(misuse)
{
	struct text t = { 0 };
	struct xfs_json j;

#define MISUSE(...)							\
	xfs_json_start(&j, text_write, &t, false);			\
	__VA_ARGS__;							\
	ck_assert_int_eq(xfs_json_finish(&j), -XFS_E_INTERNAL)

	MISUSE(xfs_json_object(&j, NULL));
	MISUSE(xfs_json_object_end(&j));
	MISUSE(xfs_json_array(&j, NULL); xfs_json_object_end(&j));
	MISUSE(xfs_json_object(&j, NULL); xfs_json_u64(&j, NULL, 1); xfs_json_object_end(&j));
	MISUSE(xfs_json_array(&j, NULL); xfs_json_u64(&j, "k", 1); xfs_json_array_end(&j));
	MISUSE(xfs_json_object(&j, NULL); xfs_json_key(&j, "a"); xfs_json_object_end(&j));
	MISUSE(xfs_json_object(&j, NULL); xfs_json_key(&j, "a"); xfs_json_u64(&j, "b", 1); xfs_json_object_end(&j));
	MISUSE(xfs_json_u64(&j, "k", 1));
	MISUSE(for (unsigned i = 0; i <= XFS_JSON_DEPTH; i++) xfs_json_array(&j, NULL);
	       for (unsigned i = 0; i <= XFS_JSON_DEPTH; i++) xfs_json_array_end(&j));
	/* as deep as it goes */
	xfs_json_start(&j, text_write, &t, true);
	for (unsigned i = 0; i < XFS_JSON_DEPTH; i++)
		xfs_json_array(&j, NULL);
	for (unsigned i = 0; i < XFS_JSON_DEPTH; i++)
		xfs_json_array_end(&j);
	ck_assert_int_eq(xfs_json_finish(&j), 0);
	/* an error of write() sticks */
	t.fail_at = t.n + 10000;
	xfs_json_start(&j, text_write, &t, true);
	xfs_json_array(&j, NULL);
	for (unsigned i = 0; i < 5000; i++)
		xfs_json_u64(&j, NULL, i);
	ck_assert_int_eq(j.error, -XFS_E_NOSPC);
	ck_assert_uint_lt(t.n, t.fail_at);
	ck_assert_int_eq(xfs_json_finish(&j), -XFS_E_NOSPC);
	free(t.s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, forms);
	tcase_add_test(t, strings);
	tcase_add_test(t, all_pairs);
	tcase_add_test(t, misuse);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
