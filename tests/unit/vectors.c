/* SPDX-License-Identifier: BSD-2-Clause */
/* vectors.c - loads the machine-readable vectors for unit tests. */
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *vectors_load(const char *name)
{
	const char *src = getenv("XFSKIT_SRC");
	char path[4096];
	json_error_t err;
	json_t *root;

	snprintf(path, sizeof(path), "%s/tests/data/vectors/%s", src ? src : ".", name);
	root = json_load_file(path, 0, &err);
	ck_assert_msg(root != NULL, "%s: line %d: %s", path, err.line, err.text);
	return root;
}

json_t *vectors_get(json_t *obj, const char *key)
{
	json_t *v = json_object_get(obj, key);

	ck_assert_msg(v != NULL, "vector lacks the key %s", key);
	return v;
}

uint64_t vectors_u64(json_t *v)
{
	if (json_is_string(v)) {
		const char *s = json_string_value(v);

		return *s == '-' ? (uint64_t)strtoll(s, NULL, 10) : strtoull(s, NULL, 10);
	}
	if (json_is_boolean(v))
		return json_is_true(v);
	ck_assert_msg(json_is_integer(v), "vector value is not an integer");
	return (uint64_t)json_integer_value(v);
}

uint64_t vectors_get_u64(json_t *obj, const char *key)
{
	return vectors_u64(vectors_get(obj, key));
}

const char *vectors_get_str(json_t *obj, const char *key)
{
	const char *s = json_string_value(vectors_get(obj, key));

	ck_assert_msg(s != NULL, "vector key %s is not a string", key);
	return s;
}

uint8_t *vectors_hex(const char *hex, size_t *len)
{
	size_t n = strlen(hex) / 2;
	uint8_t *out = calloc(1, n + 1);

	ck_assert_ptr_nonnull(out);
	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	*len = n;
	return out;
}

uint8_t *vectors_sample(json_t *row, size_t *len)
{
	size_t have, want = vectors_get_u64(row, "length");
	uint8_t *head = vectors_hex(vectors_get_str(row, "hex"), &have), *all = calloc(1, want);

	ck_assert_ptr_nonnull(all);
	ck_assert_uint_le(have, want);
	memcpy(all, head, have);
	free(head);
	*len = want;
	return all;
}

int vectors_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
