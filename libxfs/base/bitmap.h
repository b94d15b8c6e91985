/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bitmap.h - a dense bitmap with fast walks over runs.
 *
 * One bit a unit: for what is small and full, such as the blocks of one allocation group (extents.h is for what is
 * large and sparse).  Bits are numbered from 0 to nbits - 1; ranges past the end are the caller's bug and are cut.
 * Layer: base. Not locked; different 64-bit words may not be assumed to be independent.
 */
#ifndef XFS_BASE_BITMAP_H
#define XFS_BASE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xfs_bitmap {
	uint64_t *words;	/* bits past the end are 0 */
	uint64_t nbits;
};

/* All bits 0; nbits 0 is allowed. Errors: NOMEM. */
int xfs_bitmap_create(struct xfs_bitmap *, uint64_t nbits);
void xfs_bitmap_free(struct xfs_bitmap *);

/* False past the end. */
bool xfs_bitmap_get(const struct xfs_bitmap *, uint64_t bit);
void xfs_bitmap_set(struct xfs_bitmap *, uint64_t start, uint64_t len);
void xfs_bitmap_clear(struct xfs_bitmap *, uint64_t start, uint64_t len);
/* Number of bits set in the range. */
uint64_t xfs_bitmap_count(const struct xfs_bitmap *, uint64_t start, uint64_t len);

/* First bit of that value at or behind `from`; nbits when there is none. */
uint64_t xfs_bitmap_next(const struct xfs_bitmap *, uint64_t from, bool value);
/*
 * First run of bits of that value at or behind `from`: true with *start and *len (the run as far as it goes, from
 * `from` on), false when there is none.  Walk: for (at = 0; xfs_bitmap_run(b, at, true, &s, &n); at = s + n).
 */
bool xfs_bitmap_run(const struct xfs_bitmap *, uint64_t from, bool value, uint64_t *start, uint64_t *len);

#endif
