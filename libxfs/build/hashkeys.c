/* SPDX-License-Identifier: BSD-2-Clause */
/* hashkeys.c - sorts keys of hashes and finds records with the same name. */
#include "libxfs/build/hashkeys.h"

#include "libxfs/base/errors.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>

/* The keys have one hash; the names must differ. Sorted, as there may be many with that hash on purpose. */
static int check_run(const uint64_t *keys, uint32_t n, const struct xfs_hash_records *r)
{
	const void **run = malloc(n * sizeof(*run));
	size_t found = 0;
	int err = 0;

	if (!run)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		if ((uint32_t)keys[i] >= r->first)
			run[found++] = (const char *)r->list + ((uint32_t)keys[i] - r->first) * r->size;
	qsort(run, found, sizeof(*run), r->order);
	for (size_t i = 0; i + 1 < found && !err; i++)
		if (!r->order(&run[i], &run[i + 1]))
			err = -XFS_E_EXISTS;
	free(run);
	return err;
}

int xfs_hash_keys_sort(uint64_t *keys, uint32_t n, const struct xfs_hash_records *r)
{
	static const struct xfs_sort_spec by_key = { .size = sizeof(*keys), .words = 1, .word_off = { 0 } };
	int err = xfs_sort(&by_key, keys, n);

	for (uint32_t i = 0, to; i < n && !err; i = to) {
		for (to = i + 1; to < n && keys[to] >> 32 == keys[i] >> 32;)
			to++;
		if (to - i > 1)
			err = check_run(keys + i, to - i, r);
	}
	return err;
}
