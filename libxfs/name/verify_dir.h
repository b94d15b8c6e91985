/* SPDX-License-Identifier: BSD-2-Clause */
/* verify_dir.h - what the files of the directory verifier share. */
#ifndef XFS_NAME_VERIFY_DIR_H
#define XFS_NAME_VERIFY_DIR_H

#include "libxfs/name/da_verify.h"
#include "libxfs/name/verify.h"

struct xfs_dir_pair {
	uint32_t hash, address;
};
struct xfs_dir_pairs {
	struct xfs_dir_pair *list;
	size_t n, room;
};
/* A data block that exists. */
struct xfs_dir_bestlen {
	uint64_t db;
	uint32_t length;		/* largest free area of that data block */
};
struct xfs_dir_check {
	struct xfs_dir d;
	const struct xfs_sink *sink;
	uint64_t parent;
	bool bad, nomem;
	struct xfs_dir_pairs names;	/* of entries */
	struct xfs_dir_pairs index;	/* of the hash index, without stale ones */
	struct xfs_dir_bestlen *bests;	/* data blocks that exist, in order */
	size_t nbests, bests_room;
	unsigned dots;			/* bit 0: ".", bit 1: ".." seen where they belong */
};
void xfs_dir_check_report(struct xfs_dir_check *, enum xfs_finding_id, uint64_t db, const char *what, uint64_t found,
			  uint64_t expected);
void xfs_dir_check_add(struct xfs_dir_check *, struct xfs_dir_pairs *, uint32_t hash, uint32_t address);
void xfs_dir_check_data(struct xfs_dir_check *);	/* data blocks: names and bests */
void xfs_dir_check_index(struct xfs_dir_check *);	/* leaf, node and free blocks: index */

#endif
