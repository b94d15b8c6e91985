/* SPDX-License-Identifier: BSD-2-Clause */
/* wipe.h - takes away what was on the device before. */
#ifndef MKFS_WIPE_H
#define MKFS_WIPE_H

#include "mkfs/devices.h"

/* Zeroes the secondary superblocks of an XFS that the device still holds. Errors don't matter. */
void mkfs_wipe_old_superblocks(struct xfs_dev *);
/* Zeroes both ends of the device. */
int mkfs_wipe_ends(struct xfs_dev *);
/* Discards the whole device where it can; says so unless quiet. */
void mkfs_discard(struct xfs_dev *, const char *path, bool quiet);

#endif
