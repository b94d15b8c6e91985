/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort.c - stable radix sort of records in memory.
 *
 * From the most significant digit on, out of place, so that equal keys stay in order.  A digit is up to eight
 * neighbouring bits, and only bits that differ somewhere are looked at: block numbers of one group or the lengths of
 * extents are short, however wide their words.  Small buckets are sorted by insertion.
 */
#include "libxfs/base/sort.h"
#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/sort_priv.h"

#include <stdlib.h>

#define DIGITS_MAX (8 * XFS_SORT_WORDS)
#define BUCKETS 256u
#define INSERTION_MAX 24u

struct digit {
	size_t off;		/* of the word in the record */
	unsigned shift;
	uint64_t mask;
};

struct plan {
	const struct xfs_sort_spec *spec;
	struct digit digits[DIGITS_MAX];
	unsigned n;
};

typedef void (*radix_fn)(const struct plan *, uint8_t *a, uint8_t *b, size_t n, unsigned level, bool to_b);

XFS_INLINE int compare(const struct xfs_sort_spec *spec, const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i < spec->words; i++) {
		uint64_t x = xfs_sort_word(a, spec->word_off[i]), y = xfs_sort_word(b, spec->word_off[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

int xfs_sort_compare(const struct xfs_sort_spec *spec, const void *a, const void *b)
{
	return compare(spec, a, b);
}

bool xfs_sort_spec_is_valid(const struct xfs_sort_spec *spec)
{
	if (spec->size < 8 || spec->size > XFS_SORT_SIZE_MAX || spec->words < 1 || spec->words > XFS_SORT_WORDS)
		return false;
	for (unsigned i = 0; i < spec->words; i++)
		if (spec->word_off[i] > spec->size - 8)
			return false;
	return true;
}

/* Sorts the few records at a, leaving them there or at b, which has room for the one that is moved. */
XFS_INLINE void insertion(const struct plan *p, uint8_t *a, uint8_t *b, size_t n, bool to_b, size_t size)
{
	for (size_t i = 1; i < n; i++) {
		size_t j = i;

		if (compare(p->spec, a + (i - 1) * size, a + i * size) <= 0)
			continue;
		memcpy(b, a + i * size, size);
		do {
			memcpy(a + j * size, a + (j - 1) * size, size);
			j--;
		} while (j > 0 && compare(p->spec, a + (j - 1) * size, b) > 0);
		memcpy(a + j * size, b, size);
	}
	if (to_b)
		memcpy(b, a, n * size);
}

/*
 * Sorts n records at a by the digits from level on; the result goes to a, or (to_b) to b; the other is scratch.
 * size is a constant where the compiler can be told, and recurse is the function that this is the body of.
 */
XFS_INLINE void radix(const struct plan *p, uint8_t *a, uint8_t *b, size_t n, unsigned level, bool to_b, size_t size,
		      radix_fn recurse)
{
	size_t ends[BUCKETS] = { 0 }, sum = 0;
	const struct digit *d;

	if (n <= INSERTION_MAX || level == p->n) {
		if (level < p->n)
			insertion(p, a, b, n, to_b, size);
		else if (to_b)
			memcpy(b, a, n * size);
		return;
	}
	d = &p->digits[level];
	for (size_t i = 0; i < n; i++)
		ends[xfs_sort_word(a + i * size, d->off) >> d->shift & d->mask]++;
	if (ends[xfs_sort_word(a, d->off) >> d->shift & d->mask] == n) {	/* all the same here: nothing to move */
		recurse(p, a, b, n, level + 1, to_b);
		return;
	}
	for (unsigned i = 0; i < BUCKETS; i++) {	/* counts become starts, and ends by scattering */
		size_t count = ends[i];

		ends[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++) {
		const uint8_t *r = a + i * size;

		memcpy(b + ends[xfs_sort_word(r, d->off) >> d->shift & d->mask]++ * size, r, size);
	}
	for (size_t i = 0, from = 0; i < BUCKETS && from < n; from = ends[i++])
		if (ends[i] > from)
			recurse(p, b + from * size, a + from * size, ends[i] - from, level + 1, !to_b);
}

#define RADIX_OF(size)										\
	static void radix_##size(const struct plan *p, uint8_t *a, uint8_t *b, size_t n, unsigned level, bool to_b) \
	{											\
		radix(p, a, b, n, level, to_b, size, radix_##size);				\
	}
RADIX_OF(8)
RADIX_OF(16)
RADIX_OF(24)
RADIX_OF(32)
RADIX_OF(40)
RADIX_OF(48)

static void radix_any(const struct plan *p, uint8_t *a, uint8_t *b, size_t n, unsigned level, bool to_b)
{
	radix(p, a, b, n, level, to_b, p->spec->size, radix_any);
}

static radix_fn radix_for(size_t size)
{
	switch (size) {
	case 8:
		return radix_8;
	case 16:
		return radix_16;
	case 24:
		return radix_24;
	case 32:
		return radix_32;
	case 40:
		return radix_40;
	case 48:
		return radix_48;
	default:
		return radix_any;
	}
}

/* Cuts the bits that differ in each word into digits, from the top. */
static void plan_make(struct plan *p, const struct xfs_sort_spec *spec, const uint64_t differ[XFS_SORT_WORDS])
{
	p->spec = spec;
	p->n = 0;
	for (unsigned w = 0; w < spec->words; w++) {
		uint64_t rest = differ[w];

		while (rest) {
			unsigned top = xfs_log2_floor(rest), low = top >= 7 ? top - 7 : 0;
			uint64_t mask = (UINT64_C(1) << (top - low + 1)) - 1;

			p->digits[p->n++] = (struct digit){ spec->word_off[w], low, mask };
			rest &= ~(mask << low);
		}
	}
}

/* One pass: which bits differ between any two records, and is all in order? */
static bool scan(const struct xfs_sort_spec *spec, const uint8_t *r, size_t n, uint64_t differ[XFS_SORT_WORDS])
{
	bool sorted = true;

	memset(differ, 0, XFS_SORT_WORDS * sizeof(*differ));
	for (size_t i = 1; i < n; i++) {
		const uint8_t *a = r + i * spec->size;

		for (unsigned w = 0; w < spec->words; w++)
			differ[w] |= xfs_sort_word(a, spec->word_off[w]) ^ xfs_sort_word(r, spec->word_off[w]);
		sorted = sorted && compare(spec, a - spec->size, a) <= 0;
	}
	return sorted;
}

int xfs_sort_with(const struct xfs_sort_spec *spec, void *records, size_t n, void *scratch)
{
	uint64_t differ[XFS_SORT_WORDS];
	struct plan p;

	if (!xfs_sort_spec_is_valid(spec))
		return -XFS_E_INVALID;
	if (scan(spec, records, n, differ))
		return 0;
	plan_make(&p, spec, differ);
	radix_for(spec->size)(&p, records, scratch, n, 0, false);
	return 0;
}

int xfs_sort(const struct xfs_sort_spec *spec, void *records, size_t n)
{
	uint64_t differ[XFS_SORT_WORDS];
	struct plan p;
	void *scratch;

	if (!xfs_sort_spec_is_valid(spec))
		return -XFS_E_INVALID;
	if (scan(spec, records, n, differ))
		return 0;
	scratch = n <= SIZE_MAX / spec->size ? malloc(n * spec->size) : NULL;
	if (!scratch)
		return -XFS_E_NOMEM;
	plan_make(&p, spec, differ);
	radix_for(spec->size)(&p, records, scratch, n, 0, false);
	free(scratch);
	return 0;
}
