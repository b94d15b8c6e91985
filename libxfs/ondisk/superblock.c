/* SPDX-License-Identifier: BSD-2-Clause */
/* superblock.c - the table of the superblock. */
#include "libxfs/ondisk/superblock.h"

static bool xfs_when_metadir(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->metadir;
}

static bool xfs_when_zoned(const struct xfs_ctx *c, size_t off)
{
	const struct xfs_sb_disk *d = (const void *)(c->p + off);

	return c->v5 && (xfs_sb_get_features_incompat(d) & XFS_SB_INCOMPAT_ZONED);
}

XFS_STRUCT_DEFINE(sb, XFS_SB_ROWS);
