/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quick.h - assertions for loops over many blocks.
 *
 * Check marks each of its own assertions in a file, which costs a system call; these call it only to fail.
 */
#ifndef TESTS_UNIT_QUICK_H
#define TESTS_UNIT_QUICK_H

#include <check.h>
#include <inttypes.h>
#include <string.h>

#define qk_assert_msg(x, ...) do { if (!(x)) ck_abort_msg(__VA_ARGS__); } while (0)
#define qk_assert(x) qk_assert_msg(x, "%s", #x)
#define QK_CMP_(T, F, a, op, b) do { T qk_a_ = (T)(a), qk_b_ = (T)(b); \
	qk_assert_msg(qk_a_ op qk_b_, "%s " #op " %s: %" F ", %" F, #a, #b, qk_a_, qk_b_); } while (0)
#define qk_assert_int_eq(a, b) QK_CMP_(intmax_t, PRIdMAX, a, ==, b)
#define qk_assert_int_ne(a, b) QK_CMP_(intmax_t, PRIdMAX, a, !=, b)
#define qk_assert_uint_eq(a, b) QK_CMP_(uintmax_t, PRIuMAX, a, ==, b)
#define qk_assert_uint_lt(a, b) QK_CMP_(uintmax_t, PRIuMAX, a, <, b)
#define qk_assert_uint_le(a, b) QK_CMP_(uintmax_t, PRIuMAX, a, <=, b)
#define qk_assert_uint_gt(a, b) QK_CMP_(uintmax_t, PRIuMAX, a, >, b)
#define qk_assert_uint_ge(a, b) QK_CMP_(uintmax_t, PRIuMAX, a, >=, b)
#define qk_assert_mem_eq(a, b, n) qk_assert(!memcmp(a, b, n))

#endif
