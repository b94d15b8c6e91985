/* SPDX-License-Identifier: BSD-2-Clause */
/* bitmap.c - a dense bitmap with fast walks over runs. */
#include "libxfs/base/bitmap.h"
#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"

#include <stdlib.h>

int xfs_bitmap_create(struct xfs_bitmap *b, uint64_t nbits)
{
	uint64_t words = xfs_ceil_div(nbits, 64);

	b->words = NULL;
	b->nbits = 0;
	if (words > SIZE_MAX / sizeof(*b->words))
		return -XFS_E_NOMEM;
	b->words = calloc(words ? (size_t)words : 1, sizeof(*b->words));
	if (!b->words)
		return -XFS_E_NOMEM;
	b->nbits = nbits;
	return 0;
}

void xfs_bitmap_free(struct xfs_bitmap *b)
{
	free(b->words);
	b->words = NULL;
	b->nbits = 0;
}

bool xfs_bitmap_get(const struct xfs_bitmap *b, uint64_t bit)
{
	return bit < b->nbits && (b->words[bit / 64] >> bit % 64 & 1);
}

static uint64_t end_cut(const struct xfs_bitmap *b, uint64_t start, uint64_t len)
{
	if (start >= b->nbits)
		return start;
	return start + xfs_min(len, b->nbits - start);
}

/* Bits of the word of `at` that lie in [at, end); sets *next to the first bit behind them. */
static uint64_t mask_of(uint64_t at, uint64_t end, uint64_t *next)
{
	unsigned first = at % 64;
	uint64_t n = xfs_min(end - at, 64 - first);

	*next = at + n;
	return (n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1) << first;
}

void xfs_bitmap_set(struct xfs_bitmap *b, uint64_t start, uint64_t len)
{
	uint64_t end = end_cut(b, start, len), next;

	for (uint64_t at = start; at < end; at = next)
		b->words[at / 64] |= mask_of(at, end, &next);
}

void xfs_bitmap_clear(struct xfs_bitmap *b, uint64_t start, uint64_t len)
{
	uint64_t end = end_cut(b, start, len), next;

	for (uint64_t at = start; at < end; at = next)
		b->words[at / 64] &= ~mask_of(at, end, &next);
}

uint64_t xfs_bitmap_count(const struct xfs_bitmap *b, uint64_t start, uint64_t len)
{
	uint64_t end = end_cut(b, start, len), next, sum = 0;

	for (uint64_t at = start; at < end; at = next) {
		uint64_t w = b->words[at / 64];

		sum += (uint64_t)__builtin_popcountll(w & mask_of(at, end, &next));
	}
	return sum;
}

uint64_t xfs_bitmap_next(const struct xfs_bitmap *b, uint64_t from, bool value)
{
	uint64_t flip = value ? 0 : UINT64_MAX, w, i;

	if (from >= b->nbits)
		return b->nbits;
	i = from / 64;
	w = (b->words[i] ^ flip) & UINT64_MAX << from % 64;
	while (!w) {
		if (++i >= xfs_ceil_div(b->nbits, 64))
			return b->nbits;
		w = b->words[i] ^ flip;
	}
	return xfs_min(i * 64 + (uint64_t)__builtin_ctzll(w), b->nbits);
}

bool xfs_bitmap_run(const struct xfs_bitmap *b, uint64_t from, bool value, uint64_t *start, uint64_t *len)
{
	uint64_t at = xfs_bitmap_next(b, from, value);

	if (at >= b->nbits)
		return false;
	*start = at;
	*len = xfs_bitmap_next(b, at, !value) - at;
	return true;
}
