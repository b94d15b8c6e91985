/* SPDX-License-Identifier: BSD-2-Clause */
/* extents.c - a set of numbers as a sorted array of runs. */
#include "libxfs/base/extents.h"
#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

static uint64_t end_of(const struct xfs_extent *e)
{
	return e->start + e->len;
}

/* 2^64 itself is no valid end, so that ends can be computed */
static bool is_range(uint64_t start, uint64_t len)
{
	return start <= UINT64_MAX - len;
}

void xfs_extents_free(struct xfs_extents *x)
{
	free(x->e);
	memset(x, 0, sizeof(*x));
}

int xfs_extents_reserve(struct xfs_extents *x, size_t n)
{
	size_t room = x->room, bytes;
	struct xfs_extent *e;

	if (n <= room)
		return 0;
	if (xfs_add_overflows(room, room / 2 + 8, &room) || room < n)
		room = n;
	if (xfs_mul_overflows(room, sizeof(*e), &bytes))
		return -XFS_E_NOMEM;
	e = realloc(x->e, bytes);
	if (!e)
		return -XFS_E_NOMEM;
	x->e = e;
	x->room = room;
	return 0;
}

size_t xfs_extents_find(const struct xfs_extents *x, uint64_t pos)
{
	/* appending in order is the common use */
	if (x->n && end_of(&x->e[x->n - 1]) <= pos)
		return x->n;
	return xfs_search(x->n, i, end_of(&x->e[i]) <= pos);
}

bool xfs_extents_contains(const struct xfs_extents *x, uint64_t start, uint64_t len)
{
	size_t i = xfs_extents_find(x, start);

	if (!len)
		return true;
	return i < x->n && x->e[i].start <= start && len <= end_of(&x->e[i]) - start;
}

bool xfs_extents_meets(const struct xfs_extents *x, uint64_t start, uint64_t len)
{
	size_t i = xfs_extents_find(x, start);

	return len && i < x->n && (x->e[i].start <= start || x->e[i].start - start < len);
}

uint64_t xfs_extents_total(const struct xfs_extents *x)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < x->n; i++)
		sum += x->e[i].len;
	return sum;
}

/* Replaces runs [i, j) by k runs from with. */
static int splice(struct xfs_extents *x, size_t i, size_t j, const struct xfs_extent *with, size_t k)
{
	int err = k > j - i ? xfs_extents_reserve(x, x->n + (k - (j - i))) : 0;

	if (err)
		return err;
	if (x->n > j)
		memmove(x->e + i + k, x->e + j, (x->n - j) * sizeof(*x->e));
	if (k)
		memcpy(x->e + i, with, k * sizeof(*x->e));
	x->n = x->n - (j - i) + k;
	return 0;
}

int xfs_extents_add(struct xfs_extents *x, uint64_t start, uint64_t len)
{
	struct xfs_extent sum = { start, len };
	size_t i, j;

	if (!is_range(start, len))
		return -XFS_E_INVALID;
	if (!len)
		return 0;
	i = xfs_extents_find(x, start);
	if (i > 0 && end_of(&x->e[i - 1]) == start)	/* one that only touches */
		i--;
	for (j = i; j < x->n && x->e[j].start <= start + len; j++) {
		uint64_t end = xfs_max(end_of(&sum), end_of(&x->e[j]));

		sum.start = xfs_min(sum.start, x->e[j].start);
		sum.len = end - sum.start;
	}
	return splice(x, i, j, &sum, 1);
}

int xfs_extents_insert(struct xfs_extents *x, uint64_t start, uint64_t len)
{
	if (!is_range(start, len))
		return -XFS_E_INVALID;
	if (xfs_extents_meets(x, start, len))
		return -XFS_E_OVERLAP;
	return xfs_extents_add(x, start, len);
}

int xfs_extents_remove(struct xfs_extents *x, uint64_t start, uint64_t len)
{
	struct xfs_extent rest[2];
	size_t i, j, k = 0;
	uint64_t end;

	if (!is_range(start, len))
		return -XFS_E_INVALID;
	end = start + len;
	i = xfs_extents_find(x, start);
	for (j = i; j < x->n && x->e[j].start < end; j++)
		;
	if (!len || i == j)
		return 0;
	if (x->e[i].start < start)
		rest[k++] = (struct xfs_extent){ x->e[i].start, start - x->e[i].start };
	if (end_of(&x->e[j - 1]) > end)
		rest[k++] = (struct xfs_extent){ end, end_of(&x->e[j - 1]) - end };
	return splice(x, i, j, rest, k);
}

int xfs_extents_carve(struct xfs_extents *x, uint64_t start, uint64_t len)
{
	if (!is_range(start, len))
		return -XFS_E_INVALID;
	if (!xfs_extents_contains(x, start, len))
		return -XFS_E_NOENT;
	return xfs_extents_remove(x, start, len);
}

int xfs_extents_allocate(struct xfs_extents *x, uint64_t from, uint64_t len, uint64_t align, uint64_t *start)
{
	if (!len)
		return -XFS_E_INVALID;
	for (size_t i = xfs_extents_find(x, from); i < x->n; i++) {
		uint64_t at = xfs_max(from, x->e[i].start), end = end_of(&x->e[i]), skip = 0;

		if (align > 1 && at % align)
			skip = align - at % align;
		if (end - at < skip || end - at - skip < len)
			continue;
		*start = at + skip;
		return xfs_extents_remove(x, *start, len);
	}
	return -XFS_E_NOSPC;
}

bool xfs_extents_next_gap(const struct xfs_extents *x, uint64_t from, uint64_t end, struct xfs_extent *gap)
{
	size_t i = xfs_extents_find(x, from);

	if (i < x->n && x->e[i].start <= from)	/* runs never touch: behind this one there is a gap */
		from = end_of(&x->e[i++]);
	if (from >= end)
		return false;
	gap->start = from;
	gap->len = (i < x->n ? xfs_min(x->e[i].start, end) : end) - from;
	return true;
}
