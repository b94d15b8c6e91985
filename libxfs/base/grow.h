/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grow.h - arrays that grow while they are filled.
 *
 * An array is a pointer, the number of elements that it holds, and how many it has room for; NULL and two zeroes to
 * begin with, free() in the end.  `array` is the address of the pointer, of whatever type.  What does not fit in memory
 * or in a size_t is NOMEM, and then the array and its room are as they were.
 * Layer: base. Not locked.
 */
#ifndef XFS_BASE_GROW_H
#define XFS_BASE_GROW_H

#include <stddef.h>

/* Room for `need` elements of `each` bytes in all, and for half as many more, so that appending stays cheap. */
int xfs_grow_to(void *array, size_t *room, size_t need, size_t each);
/* Room for one more behind n <= *room elements: `first` of them to begin with, then twice as many as before. */
int xfs_grow_one(void *array, size_t n, size_t *room, size_t first, size_t each);
/* The same; the size is that of what *array points to. */
#define xfs_grow(array, n, room, first) xfs_grow_one((array), (n), (room), (first), sizeof(**(array)))

#endif
