/* SPDX-License-Identifier: BSD-2-Clause */
/* claims_order.c - the two orders of claims, sorting, canonical merging in memory. */
#include "libxfs/space/claims_private.h"

#include <stdlib.h>

uint32_t claims_end(const struct xfs_claim *c)
{
	return c->agbno + c->len;	/* inside the AG, so it fits */
}

int claims_key_cmp(const struct xfs_claim *a, const struct xfs_claim *b)
{
	uint64_t x = a->offset & ~XFS_RMAP_UNWRITTEN, y = b->offset & ~XFS_RMAP_UNWRITTEN;

	if (a->agbno != b->agbno)
		return a->agbno < b->agbno ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	return x == y ? 0 : x < y ? -1 : 1;
}

/* Offset minus block: equal for claims of one file that continue each other. */
static uint64_t diagonal(const struct xfs_claim *c)
{
	return xfs_claim_no_offset(c) ? 0 : (c->offset & XFS_RMAP_OFFMASK) - c->agbno;
}

static int merge_cmp(const struct xfs_claim *a, const struct xfs_claim *b)
{
	uint64_t x = a->offset & XFS_RMAP_FLAGS, y = b->offset & XFS_RMAP_FLAGS;

	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	if (x != y)
		return x < y ? -1 : 1;
	x = diagonal(a);
	y = diagonal(b);
	if (x != y)
		return x < y ? -1 : 1;
	if (a->agbno != b->agbno)
		return a->agbno < b->agbno ? -1 : 1;
	return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

/* Ties are broken by all that is left, so that the result does not depend on the order of adding. */
static int full_cmp(const struct xfs_claim *a, const struct xfs_claim *b)
{
	int r = claims_key_cmp(a, b);

	if (!r && a->offset != b->offset)
		r = a->offset < b->offset ? -1 : 1;
	if (!r && a->len != b->len)
		r = a->len < b->len ? -1 : 1;
	return r;
}

bool claims_before(const struct xfs_claim *a, const struct xfs_claim *b, enum claims_order order)
{
	return (order == CLAIMS_BY_KEY ? full_cmp(a, b) : merge_cmp(a, b)) < 0;
}

static int by_key(const void *a, const void *b)
{
	return full_cmp(a, b);
}

static int by_merge(const void *a, const void *b)
{
	return merge_cmp(a, b);
}

/* ---- sorting: in place, by the bytes of the words of the order, then by comparison ---- */

#define FEW 40u		/* claims that are sorted by insertion */

#define WORDS 4u

/* The words that decide the order, one after the other; what they leave is compared. */
static uint64_t word_of(const struct xfs_claim *c, enum claims_order order, unsigned w)
{
	bool key = order == CLAIMS_BY_KEY;

	switch (w) {
	case 0:
		return key ? c->agbno : c->owner;
	case 1:
		return key ? c->owner : c->offset & XFS_RMAP_FLAGS;
	case 2:
		return key ? c->offset & ~XFS_RMAP_UNWRITTEN : diagonal(c);
	default:
		return key ? c->offset : c->agbno;
	}
}

/* How many low bits of the word may differ. */
static unsigned differing_bits(const struct xfs_claim *v, size_t n, enum claims_order order, unsigned w)
{
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= word_of(&v[i], order, w) ^ word_of(&v[0], order, w);
	return differ ? xfs_log2_floor(differ) + 1 : 0;
}

static void insertion_sort(struct xfs_claim *v, size_t n, enum claims_order order)
{
	for (size_t i = 1; i < n; i++) {
		struct xfs_claim c = v[i];
		size_t k = i;

		for (; k && claims_before(&c, &v[k - 1], order); k--)
			v[k] = v[k - 1];
		v[k] = c;
	}
}

/* Claims with the same byte at `shift` come together, by exchange; end[] gets where each byte's claims end. */
static void partition(struct xfs_claim *v, size_t n, enum claims_order order, unsigned w, unsigned shift,
		      size_t end[256])
{
	size_t next[256], at = 0;

	memset(end, 0, 256 * sizeof(*end));
	for (size_t i = 0; i < n; i++)
		end[word_of(&v[i], order, w) >> shift & 0xff]++;
	for (unsigned b = 0; b < 256; b++) {
		next[b] = at;
		at = end[b] += at;
	}
	for (unsigned b = 0; b < 256; b++)
		while (next[b] < end[b]) {
			struct xfs_claim c = v[next[b]];
			unsigned to = word_of(&c, order, w) >> shift & 0xff;

			for (; to != b; to = word_of(&c, order, w) >> shift & 0xff) {
				struct xfs_claim other = v[next[to]];

				v[next[to]++] = c;
				c = other;
			}
			v[next[b]++] = c;
		}
}

/* `bits`: low bits of word w in which the claims may differ. At most eight levels a word. */
static void radix_sort(struct xfs_claim *v, size_t n, enum claims_order order, unsigned w, unsigned bits)
{
	size_t end[256];

	for (; !bits && n > FEW && w + 1 < WORDS; w++)
		bits = differing_bits(v, n, order, w + 1);
	if (n <= FEW) {
		insertion_sort(v, n, order);
	} else if (!bits) {
		qsort(v, n, sizeof(*v), order == CLAIMS_BY_KEY ? by_key : by_merge);
	} else {
		unsigned shift = bits > 8 ? bits - 8 : 0;

		partition(v, n, order, w, shift, end);
		for (size_t b = 0, from = 0; b < 256; from = end[b++])
			if (end[b] - from > 1)
				radix_sort(v + from, end[b] - from, order, w, shift);
	}
}

void claims_sort(struct xfs_claim *v, size_t n, enum claims_order order)
{
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = !claims_before(&v[i], &v[i - 1], order);
	if (!sorted)		/* claims often come in disk order */
		radix_sort(v, n, order, 0, differing_bits(v, n, order, 0));
}

bool claims_mergeable(const struct xfs_claim *a, const struct xfs_claim *b)
{
	return a->owner == b->owner && !((a->offset ^ b->offset) & XFS_RMAP_FLAGS) && claims_end(a) == b->agbno &&
	       (xfs_claim_no_offset(a) ||
		(a->offset & XFS_RMAP_OFFMASK) + a->len == (b->offset & XFS_RMAP_OFFMASK)) &&
	       (uint64_t)a->len + b->len <= UINT32_MAX;
}

size_t claims_join(struct xfs_claim *v, size_t n)
{
	size_t out = 0;

	for (size_t i = 1; i < n; i++)
		if (claims_mergeable(&v[out], &v[i]))
			v[out].len += v[i].len;
		else
			v[++out] = v[i];
	return n ? out + 1 : 0;
}

/* Some claim that starts where `a` ends could be joined with it. */
static bool continued(const struct xfs_claim *a, const struct xfs_claim *v, size_t n)
{
	for (size_t i = 0; i < n && v[i].agbno == claims_end(a); i++)
		if (claims_mergeable(a, &v[i]))
			return true;
	return false;
}

/* Length of the claims at v that must be looked at together: they overlap, or continue each other without a gap. */
static size_t cluster_of(const struct xfs_claim *v, size_t n, bool *overlap)
{
	uint32_t end = claims_end(&v[0]);
	size_t last = 1, i;	/* claims that end at `end` */

	*overlap = false;
	for (i = 1; i < n; i++) {
		uint32_t mine = claims_end(&v[i]);

		if (v[i].agbno > end)
			break;
		if (v[i].agbno == end && last == 1 && claims_end(&v[i - 1]) == end &&
		    !continued(&v[i - 1], v + i, n - i))
			break;		/* only the claim before could be joined, and nothing continues it */
		*overlap |= v[i].agbno < end;
		if (mine == end)
			last++;
		if (mine > end) {
			end = mine;
			last = 1;
		}
	}
	return i;
}

size_t claims_canonicalise(struct xfs_claim *v, size_t n)
{
	size_t out = 0;

	for (size_t at = 0; at < n; ) {
		bool overlap;
		size_t len = cluster_of(v + at, n - at, &overlap), left;

		/* where claims overlap, those to be joined need not be neighbours by key */
		if (overlap)
			claims_sort(v + at, len, CLAIMS_BY_MERGE);
		left = claims_join(v + at, len);
		if (overlap)
			claims_sort(v + at, left, CLAIMS_BY_KEY);
		if (out != at)
			memmove(v + out, v + at, left * sizeof(*v));
		out += left;
		at += len;
	}
	return out;
}
