/* SPDX-License-Identifier: BSD-2-Clause */
/* test_mix.c - tables of numbers that somebody chose so that a fixed multiplier gives all of them one place. */
#include "libxfs/base/mix.h"
#include "libxfs/base/types.h"
#include "libxfs/btree/ptrset.h"
#include "libxfs/device/overlay_priv.h"
#include "libxfs/recovery/cancel.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define COUNT 10000u

/* a * b = 1, for odd a, by Newton's iteration */
static uint64_t inverse(uint64_t a)
{
	uint64_t b = a;

	for (unsigned i = 0; i < 6; i++)
		b *= 2 - a * b;
	return b;
}

/* The i-th number of a kind, from 1 on, all different. */
static uint64_t number(unsigned kind, uint64_t i)
{
	switch (kind) {
	case 0: return i;
	case 1: return i << 20;
	case 2: return i << 48;
	case 3: return i * inverse(UINT64_C(0x9e3779b97f4a7c15));	/* times that: nothing but low bits */
	case 4: return (i << 44) * inverse(UINT64_C(0x9e3779b97f4a7c15));	/* high ones */
	case 5: return i * inverse(UINT64_C(0xd6e8feb86659fd93));
	default: return (i << 44) * inverse(UINT64_C(0xd6e8feb86659fd93));
	}
}
#define KINDS 7

/* Steps to look for each once, in a run of so many places that are taken: at most from its start to its end. */
static uint64_t steps_of(uint64_t run) { return run * (run + 1) / 2; }

START_TEST(cancels)
{
	struct xfs_cancels c = { .slots = NULL };
	uint64_t steps = 0, run = 0;

	for (uint64_t i = 1; i <= COUNT; i++) {
		ck_assert_int_eq(xfs_cancels_add(&c, number((unsigned)_i, i), 8), 0);
		/* the same when one number is shifted over the other */
		ck_assert_int_eq(xfs_cancels_add(&c, 77 ^ i << 40, (uint32_t)i), 0);
	}
	ck_assert_uint_eq(c.used, 2 * COUNT);
	for (size_t i = 0; i < c.nslots; i++) {
		run = c.slots[i].bbs ? run + 1 : 0;
		steps += run;
	}
	ck_assert_uint_lt(steps, 50 * c.used);
	for (uint64_t i = 1; i <= COUNT; i++)
		ck_assert(xfs_cancels_has(&c, number((unsigned)_i, i), 8) &&
			  !xfs_cancels_has(&c, number((unsigned)_i, i), 9));
	xfs_cancels_free(&c);
}
END_TEST

START_TEST(pointers)
{
	struct xfs_ptrset s = { .slots = NULL };
	uint64_t steps = 0, run = 0;
	bool had;

	for (unsigned twice = 0; twice < 2; twice++)
		for (uint64_t i = 1; i <= COUNT; i++) {
			ck_assert_int_eq(xfs_ptrset_add(&s, number((unsigned)_i, i), &had), 0);
			ck_assert_int_eq(had, twice);
		}
	for (size_t i = 0; i < s.size; i++) {
		run = s.slots[i] != XFS_NULL64 ? run + 1 : 0;
		steps += run;
	}
	ck_assert_uint_lt(steps, 20 * s.used);
	xfs_ptrset_release(&s);
}
END_TEST

START_TEST(overlays)
{
	struct overlay_table t = { .entries = NULL };
	uint64_t steps = 0, run = 0;

	for (uint64_t i = 1; i <= COUNT; i++) {
		ck_assert_int_eq(xfs_overlay_table_reserve(&t, 1), 0);
		xfs_overlay_table_set(&t, number((unsigned)_i, i) - 1, (uint32_t)i, 0);
	}
	ck_assert_uint_eq(t.used, COUNT);
	for (size_t i = 0; i <= t.mask; i++) {
		run = t.entries[i].key ? run + 1 : 0;
		steps += run;
	}
	ck_assert_uint_lt(steps, 30 * t.used);
	for (uint64_t i = 1; i <= COUNT; i++)
		ck_assert_uint_eq(xfs_overlay_table_get(&t, number((unsigned)_i, i) - 1)->slot, i);
	free(t.entries);
}
END_TEST

/* The tables with chains, and those of a few bits: as many numbers as places, at each end of the 64 bits. */
START_TEST(chains)
{
	static uint32_t low[1 << 14], high[16];
	struct xfs_mix m = { 0, 0 };
	uint64_t steps = 0;

	memset(low, 0, sizeof(low));
	memset(high, 0, sizeof(high));
	xfs_mix_init(&m);
	for (uint64_t i = 1; i <= COUNT; i++) {
		uint64_t h = xfs_mix(&m, number((unsigned)_i, i));

		low[h & 0x3fff]++;
		high[(h >> 48) % 16]++;
	}
	for (unsigned i = 0; i < 1 << 14; i++)
		steps += steps_of(low[i]);
	ck_assert_uint_lt(steps, 3 * COUNT);
	for (unsigned i = 0; i < 16; i++)
		ck_assert(high[i] > COUNT / 16 / 2 && high[i] < COUNT / 16 * 2);
}
END_TEST

START_TEST(keys_differ)
{
	struct xfs_mix a = { 0, 0 }, b = { 0, 0 }, same;

	xfs_mix_init(&a);
	xfs_mix_init(&b);
	same = a;
	ck_assert(a.times & 1 && b.times & 1);
	ck_assert(a.times != b.times && a.add != b.add);
	xfs_mix_init(&same);
	ck_assert(same.times == a.times && same.add == a.add);
	ck_assert(xfs_mix2(&a, 1, 2) != xfs_mix2(&a, 2, 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mix");
	TCase *t = tcase_create("mix");

	tcase_add_loop_test(t, cancels, 0, KINDS);
	tcase_add_loop_test(t, pointers, 0, KINDS);
	tcase_add_loop_test(t, overlays, 0, KINDS);
	tcase_add_loop_test(t, chains, 0, KINDS);
	tcase_add_test(t, keys_differ);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
