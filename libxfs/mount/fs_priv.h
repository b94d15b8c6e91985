/* SPDX-License-Identifier: BSD-2-Clause */
/* fs_priv.h - the state of one AG, shared by fs.c and ag.c. */
#ifndef XFS_MOUNT_FS_PRIV_H
#define XFS_MOUNT_FS_PRIV_H

#include "libxfs/mount/fs.h"

/* What the engine's callbacks get as owner: one per tree of an AG. */
struct xfs_ag_tree {
	struct xfs_fs *fs;
	uint32_t agno;
	enum xfs_block_kind kind;
};

#define XFS_AG_TREES 6u			/* bnobt .. refcountbt: the first values of enum xfs_btree_id */
#define XFS_AG_PAGE 1024u		/* AGs per page of the table */

struct xfs_ag {
	uint32_t agno;
	pthread_mutex_t lock;
	bool have_agf, have_agi, have_agfl;
	int agf_error, agi_error, agfl_error;
	struct xfs_agf agf;
	struct xfs_agi agi;
	uint32_t unlinked[XFS_AGI_BUCKETS];
	uint32_t *agfl;			/* agfl_size slots */
	struct xfs_ag_tree trees[XFS_AG_TREES];
};

int xfs_ag_obtain(struct xfs_fs *, xfs_agno_t, struct xfs_ag **out);
void xfs_ag_free_all(struct xfs_fs *);

#endif
