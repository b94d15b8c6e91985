/* SPDX-License-Identifier: BSD-2-Clause */
/* geometry_priv.h - what the two halves of the geometry module tell each other. */
#ifndef XFS_MOUNT_GEOMETRY_PRIV_H
#define XFS_MOUNT_GEOMETRY_PRIV_H

#include "libxfs/base/findings.h"
#include "libxfs/ondisk/superblock.h"

/*
 * Judges every rule of a superblock; safe for any content.  One finding for each rule that does not hold.
 * Returns 0, or BADSB / UNSUPPORTED of the first one, whose reason goes to *why (may be NULL).
 */
int xfs_sb_judge(const struct xfs_sb *, const struct xfs_sink *, const char **why);

#endif
