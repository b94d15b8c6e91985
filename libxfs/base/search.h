/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search.h - binary search in what is in order.
 * Layer: base.
 */
#ifndef XFS_BASE_SEARCH_H
#define XFS_BASE_SEARCH_H

#include <stddef.h>

/*
 * The first index below n for which `before`, an expression in the size_t i that it names, is false; n when it is true
 * for all.  It must be true for some first ones, maybe none, and false from there on.  O(log n).
 *
 *	at = xfs_search(list->n, i, list->e[i].key < key);
 */
#define xfs_search(n, i, before)						\
	__extension__({								\
		size_t from_ = 0, to_ = (n);					\
		while (from_ < to_) {						\
			const size_t i = from_ + (to_ - from_) / 2;		\
			if (before)						\
				from_ = i + 1;					\
			else							\
				to_ = i;					\
		}								\
		from_;								\
	})

#endif
