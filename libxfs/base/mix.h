/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mix.h - numbers of an image to places in a table, by a key that the image cannot know.
 *
 * With a fixed multiplier anyone can choose numbers that all have one place, and a table is a list.  Each table has a
 * key of its own, drawn when it gets its first places; so where things stand in it differs from run to run, and no
 * result may depend on that.
 * Layer: base.
 */
#ifndef XFS_BASE_MIX_H
#define XFS_BASE_MIX_H

#include <stdint.h>

struct xfs_mix {
	uint64_t add, times;		/* all zeroes: none was drawn so far */
};

/* Draws one, if that was not done. Cannot fail. */
void xfs_mix_init(struct xfs_mix *);

/* 64 bits, all of them as good as the others. */
static inline uint64_t xfs_mix(const struct xfs_mix *m, uint64_t x)
{
	x = (x ^ m->add) * m->times;
	x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

/* Of two numbers. */
static inline uint64_t xfs_mix2(const struct xfs_mix *m, uint64_t a, uint64_t b)
{
	return xfs_mix(m, xfs_mix(m, a) + b);
}

#endif
