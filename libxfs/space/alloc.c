/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc.c - allocating and freeing extents of an AG: free space, owners and free list together. */
#include "libxfs/space/agspace_priv.h"

#include "libxfs/space/rmap.h"

int xfs_alloc_take(struct xfs_agspace *ag, const struct xfs_alloc *a, const struct xfs_free_extent *whole)
{
	uint64_t writes = ag->m.change->writes;
	int err = xfs_freespace_carve(ag, whole, a->agbno, a->len);

	if (!err && a->owner != XFS_OWN_NULL && xfs_agspace_has(ag, XFS_AGT_RMAP)) {
		struct xfs_claim c = { a->agbno, a->len, a->owner, a->offset };

		err = xfs_rmap_map(&ag->tree[XFS_AGT_RMAP], &c, false);
	}
	return xfs_change_check(ag->m.change, writes, err);
}

static bool sensible(const struct xfs_alloc *a)
{
	if (!a->minlen || a->minlen > a->maxlen)
		return false;
	return a->how != XFS_ALLOC_EXACT || a->alignment <= 1 || a->target % a->alignment == 0;
}

int xfs_agspace_alloc(struct xfs_agspace *ag, struct xfs_alloc *a)
{
	struct xfs_free_extent whole;
	int err;

	if (!ag->m.change)
		return -XFS_E_READONLY;
	a->agbno = a->len = 0;
	if (!sensible(a))
		return -XFS_E_INVALID;
	err = xfs_agspace_fix_agfl(ag, false);
	if (!err)
		err = xfs_alloc_choose(ag, a, &whole);
	return err ? err : xfs_alloc_take(ag, a, &whole);
}

int xfs_agspace_free_raw(struct xfs_agspace *ag, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset)
{
	uint64_t writes = ag->m.change->writes;
	int err = 0;

	if (owner != XFS_OWN_NULL && xfs_agspace_has(ag, XFS_AGT_RMAP)) {
		struct xfs_claim c = { agbno, len, owner, offset };

		err = xfs_rmap_unmap(&ag->tree[XFS_AGT_RMAP], &c, false);
	}
	if (!err)
		err = xfs_freespace_add(ag, agbno, len);
	if (!err)
		err = xfs_change_freed(ag->m.change, xfs_fsbno_of(&ag->fs->geo, ag->agno, XFS_AGBNO(agbno)).v, len);
	return xfs_change_check(ag->m.change, writes, err);
}

int xfs_agspace_free(struct xfs_agspace *ag, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset)
{
	int err;

	if (!ag->m.change)
		return -XFS_E_READONLY;
	if (!xfs_agbno_range_valid(&ag->fs->geo, ag->agno, agbno, len))
		return -XFS_E_RANGE;
	err = xfs_agspace_fix_agfl(ag, true);
	return err ? err : xfs_agspace_free_raw(ag, agbno, len, owner, offset);
}
