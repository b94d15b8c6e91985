/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - the part of the Check interface that the unit tests use, for targets that have no such library.
 *
 * Tests run in one process, the first failure ends the program.  The summary line is the one that tests/run reads.
 */
#ifndef TESTS_CROSS_CHECK_H
#define TESTS_CROSS_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*TFun)(int);
typedef struct TCase {
	const char *name;
	struct { TFun fn; const char *name; int from, to; } t[64];
	int n;
	void (*setup)(void), (*teardown)(void);
} TCase;
typedef struct Suite { const char *name; TCase *c[32]; int n; } Suite;
typedef Suite SRunner;
enum print_output { CK_SILENT, CK_MINIMAL, CK_NORMAL, CK_VERBOSE, CK_ENV };

#define START_TEST(name) static void ck_##name##_run(int _i); \
	static const struct { TFun fn; const char *n; } ck_##name##_entry = { ck_##name##_run, #name }; \
	static const void *const name = &ck_##name##_entry; static void ck_##name##_run(int _i) { (void)_i;
#define END_TEST }

static inline Suite *suite_create(const char *n) { Suite *s = calloc(1, sizeof(*s)); s->name = n; return s; }
static inline TCase *tcase_create(const char *n) { TCase *c = calloc(1, sizeof(*c)); c->name = n; return c; }
static inline void suite_add_tcase(Suite *s, TCase *c) { if (s->n == 32) abort(); s->c[s->n++] = c; }
static inline void tcase_add_loop_test(TCase *c, const void *t, int from, int to)
{
	const struct { TFun fn; const char *n; } *d = t;

	if (c->n == 64)
		abort();
	c->t[c->n].fn = d->fn;
	c->t[c->n].name = d->n;
	c->t[c->n].from = from;
	c->t[c->n++].to = to;
}
static inline void tcase_add_test(TCase *c, const void *t) { tcase_add_loop_test(c, t, 0, 1); }
static inline void tcase_set_timeout(TCase *c, double s) { (void)c; (void)s; }
static inline void tcase_add_checked_fixture(TCase *c, void (*a)(void), void (*b)(void))
{
	c->setup = a;
	c->teardown = b;
}
static inline void tcase_add_unchecked_fixture(TCase *c, void (*a)(void), void (*b)(void))
{
	c->setup = a;
	c->teardown = b;
}
static inline SRunner *srunner_create(Suite *s) { return s; }
static inline void srunner_set_fork_status(SRunner *s, int f) { (void)s; (void)f; }
#define CK_NOFORK 0
static inline void srunner_run_all(SRunner *s, int mode)
{
	int checks = 0;

	(void)mode;
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < s->c[i]->n; k++)
			for (int l = s->c[i]->t[k].from; l < s->c[i]->t[k].to; l++) {
				if (s->c[i]->setup)
					s->c[i]->setup();
				s->c[i]->t[k].fn(l);
				if (s->c[i]->teardown)
					s->c[i]->teardown();
				checks++;
			}
	printf("100%%: Checks: %d, Failures: 0, Errors: 0\n", checks);
}
static inline int srunner_ntests_failed(SRunner *s) { (void)s; return 0; }
static inline void srunner_free(SRunner *s) { free(s); }

#define ck_fail_(...) do { printf("%s:%d: ", __FILE__, __LINE__); printf(__VA_ARGS__); \
	printf("\n0%%: Checks: 1, Failures: 1, Errors: 0\n"); exit(1); } while (0)
#define ck_abort_msg(...) ck_fail_(__VA_ARGS__)
#define ck_assert_msg(x, ...) do { if (!(x)) ck_fail_(__VA_ARGS__); } while (0)
#define ck_assert(x) ck_assert_msg(x, "%s", #x)
#define ck_cmp_(T, P, a, op, b) do { T a_ = (T)(a), b_ = (T)(b); \
	if (!(a_ op b_)) ck_fail_("%s %s %s: %" P ", %" P, #a, #op, #b, a_, b_); } while (0)
#define ck_assert_int_eq(a, b) ck_cmp_(intmax_t, PRIdMAX, a, ==, b)
#define ck_assert_int_ne(a, b) ck_cmp_(intmax_t, PRIdMAX, a, !=, b)
#define ck_assert_int_lt(a, b) ck_cmp_(intmax_t, PRIdMAX, a, <, b)
#define ck_assert_int_le(a, b) ck_cmp_(intmax_t, PRIdMAX, a, <=, b)
#define ck_assert_int_gt(a, b) ck_cmp_(intmax_t, PRIdMAX, a, >, b)
#define ck_assert_int_ge(a, b) ck_cmp_(intmax_t, PRIdMAX, a, >=, b)
#define ck_assert_uint_eq(a, b) ck_cmp_(uintmax_t, PRIuMAX, a, ==, b)
#define ck_assert_uint_ne(a, b) ck_cmp_(uintmax_t, PRIuMAX, a, !=, b)
#define ck_assert_uint_lt(a, b) ck_cmp_(uintmax_t, PRIuMAX, a, <, b)
#define ck_assert_uint_le(a, b) ck_cmp_(uintmax_t, PRIuMAX, a, <=, b)
#define ck_assert_uint_gt(a, b) ck_cmp_(uintmax_t, PRIuMAX, a, >, b)
#define ck_assert_uint_ge(a, b) ck_cmp_(uintmax_t, PRIuMAX, a, >=, b)
#define ck_assert_ptr_eq(a, b) ck_assert((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_ne(a, b) ck_assert((const void *)(a) != (const void *)(b))
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_str_eq(a, b) do { \
	const char *a_ = (a), *b_ = (b); \
	if (strcmp(a_, b_)) \
		ck_fail_("%s == %s: \"%s\", \"%s\"", #a, #b, a_, b_); \
} while (0)
#define ck_assert_str_ne(a, b) ck_assert(strcmp(a, b) != 0)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)
#define ck_assert_mem_ne(a, b, n) ck_assert(memcmp(a, b, n) != 0)

#endif
