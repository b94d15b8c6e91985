/* SPDX-License-Identifier: BSD-2-Clause */
/* file_gone.c - an inode without a name becomes free (format sheet 04, section 11, 2). */
#include "libxfs/inode/truncate.h"
#include "libxfs/transaction/file_priv.h"

static int drop_fork(struct xfs_edit *e, struct xfs_live_inode *li, enum xfs_fork which)
{
	bool left = xfs_dinode_nextents(&li->i.d, which) != 0;

	while (left) {
		struct xfs_trans t;
		int err = xfs_file_begin(&t, e, li);

		if (!err)
			err = xfs_file_end(&t, xfs_fork_drop(li, which, 0, XFS_FILE_STEP, &left));
		if (err)
			return err;
	}
	return 0;
}

int xfs_inode_inactivate(struct xfs_edit *e, struct xfs_live_inode *li)
{
	struct xfs_trans t;
	int err;

	if (!li->i.d.core.mode || xfs_dinode_nlink(&li->i.d) || li->change)
		return -XFS_E_INVALID;
	if (xfs_inode_is_realtime(&li->i) && xfs_dinode_nextents(&li->i.d, XFS_FORK_DATA) && !li->live->realtime_later)
		return -XFS_E_UNSUPPORTED;
	err = drop_fork(e, li, XFS_FORK_DATA);
	if (!err)
		err = drop_fork(e, li, XFS_FORK_ATTR);
	if (!err)
		err = xfs_file_begin(&t, e, li);
	return err ? err : xfs_file_end(&t, xfs_inode_bury(li));
}
