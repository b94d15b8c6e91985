/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_sort.c - records a second of xfs_sort(), of the sorter with spill, and of qsort(). */
#include "libxfs/base/sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct record {
	uint64_t block, owner, offset, len;
};

static const struct xfs_sort_spec spec = { sizeof(struct record), 3, { 0, 8, 16 } };

/* processor time: other work on the machine does not count */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int order(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void fill(struct record *r, size_t n, int kind)
{
	uint64_t v = 88172645463325252u;

	for (size_t i = 0; i < n; i++) {
		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		/* all 64 bits; blocks of one group; few blocks, many owners; nearly in order */
		r[i].block = kind == 0 ? v : kind == 1 ? v % (1 << 24) : kind == 2 ? v % 1000 : i / 2 + v % 8;
		r[i].owner = v >> 20 & 0xfffff;
		r[i].offset = v >> 40 & 0xffff;
		r[i].len = i;
	}
}

static double spilled(const struct record *r, size_t n)
{
	struct xfs_sorter *s = NULL;
	const void *one = NULL;
	double start = now();

	if (xfs_sorter_create(&s, &spec, (size_t)8 << 20, NULL) || xfs_sorter_add(s, r, n) || xfs_sorter_finish(s))
		return 0;
	while (!xfs_sorter_next(s, &one) && one)
		;
	xfs_sorter_free(s);
	return (double)n / (now() - start) / 1e6;
}

int main(void)
{
	static const char *const kinds[] = { "random", "group", "owners", "nearly" };
	const size_t n = 4000000;
	struct record *r = malloc(n * sizeof(*r));
	double start, radix, other, merged;

	if (!r)
		return 1;
	printf("%zu records of %zu bytes, three words: million records a second\n%10s %10s %10s %10s\n", n, sizeof(*r),
	       "keys", "xfs_sort", "spilled", "qsort");
	for (int kind = 0; kind < 4; kind++) {
		fill(r, n, kind);
		merged = spilled(r, n);
		start = now();
		if (xfs_sort(&spec, r, n))
			return 1;
		radix = (double)n / (now() - start) / 1e6;
		fill(r, n, kind);
		start = now();
		qsort(r, n, sizeof(*r), order);
		other = (double)n / (now() - start) / 1e6;
		printf("%10s %10.1f %10.1f %10.1f\n", kinds[kind], radix, merged, other);
	}
	free(r);
	return 0;
}
