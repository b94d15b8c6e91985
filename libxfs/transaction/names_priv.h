/* SPDX-License-Identifier: BSD-2-Clause */
/* names_priv.h - what the files of names.h share. */
#ifndef XFS_TRANSACTION_NAMES_PRIV_H
#define XFS_TRANSACTION_NAMES_PRIV_H

#include "libxfs/name/change.h"
#include "libxfs/transaction/names.h"

#define XFS_NAMES_MOST 5u		/* inodes that one chain changes */

/* A chain and the inodes that it holds. */
struct xfs_name_chain {
	struct xfs_edit *edit;
	struct xfs_live *live;
	struct xfs_trans t;
	struct xfs_live_inode *held[XFS_NAMES_MOST];
	unsigned n;
	bool keep;			/* inodes without names stay as they are */
};
int xfs_name_begin(struct xfs_name_chain *, struct xfs_edit *);
/* Holds an inode in use and joins it. NOENT: it is free. */
int xfs_name_hold(struct xfs_name_chain *, uint64_t ino, struct xfs_live_inode **out);
/* The same for a directory and a name in it. */
int xfs_name_hold_dir(struct xfs_name_chain *, uint64_t ino, const void *name, size_t len, struct xfs_name_at *out);
/* Who has the name? NOENT. */
int xfs_name_find(const struct xfs_name_at *, uint64_t *ino);
/* Commits unless err, frees inodes without names that nobody else holds, puts all back. */
int xfs_name_end(struct xfs_name_chain *, int err);
/* A new inode, joined and held; `linked`: it will have a name. */
int xfs_name_make(struct xfs_name_chain *, struct xfs_live_inode *dir, const struct xfs_new_file *, bool linked,
		  struct xfs_live_inode **out);

#endif
