/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort.h - stable sorting of fixed-size records by up to three 64-bit words; in memory, or with spill to a file.
 *
 * The words are unsigned, of host order, compared in the order in which the spec names them; they may lie anywhere in
 * the record and need no alignment.  Equal keys keep the order in which they came, so results are the same on every
 * machine; duplicates are the caller's business.
 * Layer: base. Not locked: one thread a sorter.
 */
#ifndef XFS_BASE_SORT_H
#define XFS_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

#define XFS_SORT_WORDS 3u

struct xfs_sort_spec {
	size_t size;				/* bytes of a record, at most XFS_SORT_SIZE_MAX */
	unsigned words;				/* 1..XFS_SORT_WORDS */
	size_t word_off[XFS_SORT_WORDS];	/* byte offset of each word, most significant first */
};
#define XFS_SORT_SIZE_MAX 4096u

/* -1, 0, 1: order of two records by their keys. */
int xfs_sort_compare(const struct xfs_sort_spec *, const void *a, const void *b);

/*
 * Sorts n records in place; takes as much memory again while it runs (none when they are in order already).
 * Radix from the top over those bits alone that differ at all.  Errors: NOMEM (records unchanged), INVALID (spec).
 */
int xfs_sort(const struct xfs_sort_spec *, void *records, size_t n);
/* The same with scratch space for n records handed in: cannot fail but for an INVALID spec. */
int xfs_sort_with(const struct xfs_sort_spec *, void *records, size_t n, void *scratch);

/*
 * Sorts any number of records within a limit of memory: full buffers are sorted and written to an unlinked temporary
 * file, then merged.  Add all, finish, read all.  After an error every call returns that error; free it then.
 */
struct xfs_sorter;

/* memory: bytes for records, raised to 64 KiB when less. tmpdir as for xfs_fd_temporary(). Errors: NOMEM, INVALID. */
int xfs_sorter_create(struct xfs_sorter **out, const struct xfs_sort_spec *, size_t memory, const char *tmpdir);
void xfs_sorter_free(struct xfs_sorter *);	/* NULL is allowed */
/* Copies n records in. Errors: NOMEM, IO, NOSPC (temporary file), INVALID (after finish). */
int xfs_sorter_add(struct xfs_sorter *, const void *records, size_t n);
/* Ends adding and goes to the first record; again: goes back to the first. Errors as for adding. */
int xfs_sorter_finish(struct xfs_sorter *);
/*
 * The next record, valid until the next call; NULL behind the last.  Aligned to 8 when the record's size is.
 * Errors: IO, INVALID (before finish).
 */
int xfs_sorter_next(struct xfs_sorter *, const void **record);
/* Number of records added. */
uint64_t xfs_sorter_count(const struct xfs_sorter *);

#endif
