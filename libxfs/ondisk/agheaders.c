/* SPDX-License-Identifier: BSD-2-Clause */
/* agheaders.c - tables of the AG headers. */
#include "libxfs/ondisk/agheaders.h"

static size_t agi_buckets(const struct xfs_ctx *c, size_t off)
{
	(void)c;
	(void)off;
	return XFS_AGI_BUCKETS;
}

static size_t agi_bucket_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	return off + XFS_AGI_UNLINKED_OFF + 4 * k;
}

static bool agfl_v5(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->v5;
}

static size_t agfl_slots(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_agfl_size(c->v5, c->sectsize);
}

static size_t agfl_slot_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_agfl_slot_off(c->v5, k);
}

XFS_STRUCT_DEFINE(agf, XFS_AGF_ROWS);
XFS_STRUCT_DEFINE(agi_bucket, XFS_AGI_BUCKET_ROWS);
XFS_STRUCT_DEFINE(agi, XFS_AGI_ROWS);
XFS_STRUCT_DEFINE(agfl_slot, XFS_AGFL_SLOT_ROWS);
XFS_STRUCT_DEFINE(agfl, XFS_AGFL_ROWS);
