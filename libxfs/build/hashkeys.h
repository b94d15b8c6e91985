/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hashkeys.h - numbers of records in the order of the hashes of their names.
 *
 * A key is hash << 32 | number.  Layer: build (private).
 */
#ifndef XFS_BUILD_HASHKEYS_H
#define XFS_BUILD_HASHKEYS_H

#include <stddef.h>
#include <stdint.h>

/* What the numbers stand for. */
struct xfs_hash_records {
	const void *list;
	size_t size;			/* of a record */
	uint32_t first;			/* number of list[0]; keys with lower numbers are not compared */
	/* For qsort() over pointers to records; 0: the names are the same. */
	int (*order)(const void *, const void *);
};
/* Sorts the keys. Errors: EXISTS (two records with the same name), NOMEM. */
int xfs_hash_keys_sort(uint64_t *keys, uint32_t n, const struct xfs_hash_records *);

#endif
