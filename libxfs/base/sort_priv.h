/* SPDX-License-Identifier: BSD-2-Clause */
/* sort_priv.h - what sort.c and sorter.c share. */
#ifndef XFS_BASE_SORT_PRIV_H
#define XFS_BASE_SORT_PRIV_H

#include "libxfs/base/bytes.h"
#include "libxfs/base/sort.h"

/* A word of a key: host order, any alignment. */
XFS_INLINE uint64_t xfs_sort_word(const uint8_t *record, size_t off)
{
	uint64_t v;

	memcpy(&v, record + off, sizeof(v));
	return v;
}

bool xfs_sort_spec_is_valid(const struct xfs_sort_spec *);

#endif
