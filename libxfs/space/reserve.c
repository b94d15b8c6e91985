/* SPDX-License-Identifier: BSD-2-Clause */
/* reserve.c - per-AG reservations: space that trees may still need (format sheet 01, section 11.4). */
#include "libxfs/space/agspace_priv.h"

static uint64_t missing(uint64_t ask, uint64_t used)
{
	return ask > used ? ask - used : 0;
}

static uint64_t meta_missing(const struct xfs_agspace *ag)
{
	return missing(ag->meta_ask, (uint64_t)ag->agf.refcntblocks + ag->fino_blocks);
}

static uint64_t rmap_missing(const struct xfs_agspace *ag)
{
	return missing(ag->rmap_ask, ag->agf.rmapblocks);
}

int xfs_agspace_reserve(struct xfs_agspace *ag, uint32_t fino_blocks)
{
	ag->meta_ask = xfs_ag_reserve_meta(&ag->fs->geo, ag->agno);
	ag->rmap_ask = xfs_ag_reserve_rmap(&ag->fs->geo, ag->agno);
	ag->fino_blocks = fino_blocks;
	if (meta_missing(ag) + rmap_missing(ag) <= (uint64_t)ag->agf.freeblks + ag->agf.flcount)
		return 0;
	xfs_agspace_unreserve(ag);
	return -XFS_E_NOSPC;
}

void xfs_agspace_unreserve(struct xfs_agspace *ag)
{
	ag->meta_ask = ag->rmap_ask = 0;
}

uint64_t xfs_agspace_reserved(const struct xfs_agspace *ag, enum xfs_alloc_pool pool)
{
	switch (pool) {
	case XFS_POOL_NONE:
		return meta_missing(ag) + rmap_missing(ag);
	case XFS_POOL_META:
		return rmap_missing(ag);
	default:
		return 0;
	}
}
