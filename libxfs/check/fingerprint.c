/* SPDX-License-Identifier: BSD-2-Clause */
/* fingerprint.c - telescoping fingerprints of mappings. */
#include "libxfs/check/fingerprint.h"

#include "libxfs/base/errors.h"

#include <stdlib.h>

#define PAGE 9u			/* log2 of the sums in a page */
#define NEAR 3u			/* owners that differ in so many low bits share a cache line */

/* bijective mixing of 64 bits (two multiply-xorshift rounds) */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

/*
 * `start`: the owner and half of the key, mixed; it is the same for both ends.  Factors that nobody knows keep offset
 * and block apart: two points of an owner meet only where both differences end in as many zero bits, and then by
 * chance.
 */
static uint64_t point(const struct xfs_fingerprint *f, uint64_t start, uint64_t offword, uint64_t block)
{
	return mix(start + offword * f->factor[0] + block * f->factor[1]);
}

/* Files that were made one after the other are found near each other, too: neighbours in number are neighbours here. */
static size_t bucket_of(const struct xfs_fingerprint *f, uint64_t owner)
{
	uint64_t group = (owner >> NEAR) * f->spread;

	return (size_t)(group >> (64 - f->bits + NEAR)) << NEAR | (owner & ((1u << NEAR) - 1));
}

static size_t pages_of(const struct xfs_fingerprint *f)
{
	return f->bits > PAGE ? (size_t)1 << (f->bits - PAGE) : 1;
}

int xfs_fingerprint_init(struct xfs_fingerprint *f, unsigned bits, const uint64_t key[2])
{
	if (bits < 4 || bits > 24)
		return -XFS_E_INVALID;
	f->bits = bits;
	f->key[0] = key[0];
	f->key[1] = key[1];
	f->factor[0] = mix(key[1]) | 1;
	f->factor[1] = mix(f->factor[0] + key[0]) | 1;
	f->spread = mix(key[0] ^ key[1]) | 1;
	f->sums = calloc((size_t)1 << bits, sizeof(*f->sums));
	f->pages = calloc(pages_of(f), 1);
	if (f->sums && f->pages)
		return 0;
	xfs_fingerprint_release(f);
	return -XFS_E_NOMEM;
}

void xfs_fingerprint_release(struct xfs_fingerprint *f)
{
	free(f->sums);
	free(f->pages);
	f->sums = NULL;
	f->pages = NULL;
}

uint32_t xfs_fingerprint_bucket(const struct xfs_fingerprint *f, uint64_t owner)
{
	return (uint32_t)bucket_of(f, owner);
}

uint64_t xfs_fingerprint_hash(const struct xfs_fingerprint *f, uint64_t a, uint64_t b, uint64_t c)
{
	return point(f, mix(a ^ f->key[0]), b, c);
}

static uint64_t delta_of(const struct xfs_fingerprint *f, uint64_t owner, uint64_t offword, uint64_t block,
			 uint64_t len)
{
	/* offsets of special owners and bmbt blocks stand still */
	uint64_t end = xfs_owner_is_special(owner) || (offword & XFS_RMAP_BMBT) ? offword : offword + len;
	uint64_t start = mix(owner ^ f->key[0]);

	return point(f, start, offword, block) - point(f, start, end, block + len);
}

void xfs_fingerprint_add(struct xfs_fingerprint *f, uint64_t owner, uint64_t offword, uint64_t block, uint64_t len)
{
	size_t i = bucket_of(f, owner);

	if (!__atomic_load_n(&f->pages[i >> PAGE], __ATOMIC_RELAXED))
		__atomic_store_n(&f->pages[i >> PAGE], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&f->sums[i], delta_of(f, owner, offword, block, len), __ATOMIC_RELAXED);
}

void xfs_fingerprint_add_alone(struct xfs_fingerprint *f, uint64_t owner, uint64_t offword, uint64_t block,
			       uint64_t len)
{
	size_t i = bucket_of(f, owner);

	f->pages[i >> PAGE] = 1;
	f->sums[i] += delta_of(f, owner, offword, block, len);
}

static void merge_page(struct xfs_fingerprint *to, const struct xfs_fingerprint *from, size_t page)
{
	size_t sums = (size_t)1 << to->bits, end = (page + 1) << PAGE;

	__atomic_store_n(&to->pages[page], 1, __ATOMIC_RELAXED);
	for (size_t i = page << PAGE; i < end && i < sums; i++)
		if (from->sums[i])
			__atomic_fetch_add(&to->sums[i], from->sums[i], __ATOMIC_RELAXED);
}

void xfs_fingerprint_merge(struct xfs_fingerprint *to, const struct xfs_fingerprint *from)
{
	for (size_t page = 0; page < pages_of(to); page++)
		if (from->pages[page])
			merge_page(to, from, page);
}

bool xfs_fingerprint_differs(const struct xfs_fingerprint *a, const struct xfs_fingerprint *b, uint32_t i)
{
	return a->sums[i] != b->sums[i];
}
