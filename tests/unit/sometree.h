/* SPDX-License-Identifier: BSD-2-Clause */
/* sometree.h - a btree in memory that tests damage and restore, and what verify finds in it. */
#ifndef TESTS_UNIT_SOMETREE_H
#define TESTS_UNIT_SOMETREE_H

#include "libxfs/btree/priv.h"
#include "tests/unit/memtree.h"

struct sometree {
	struct memtree t;
	struct xfs_btree bt;
	uint8_t *recs, *saved;
	unsigned found[XFS_F_COUNT], findings;
};

/* n random records of the kind `id`. Ends in sometree_drop(). */
void sometree_make(struct sometree *, unsigned id, bool v5, uint32_t blocksize, uint64_t n);
/* As it was made. */
void sometree_restore(struct sometree *);
void sometree_drop(struct sometree *);
/* A sink: counts in found and findings. */
void sometree_note(void *payload, const struct xfs_finding *);
/* Fills found and findings. */
void sometree_verify(struct sometree *);
/* For those that only walk: payload is a uint64_t that counts, of the last one nothing. */
int sometree_ignore_record(void *payload, const void *rec);
int sometree_ignore_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data);
int sometree_go_on(void *payload, uint64_t ptr, unsigned level, int error);

#endif
