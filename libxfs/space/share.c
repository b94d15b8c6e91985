/* SPDX-License-Identifier: BSD-2-Clause */
/* share.c - mappings, sharing and staging extents of an AG, with free list, AGF and free space kept right. */
#include "libxfs/space/agspace_priv.h"

#include "libxfs/space/refcount.h"
#include "libxfs/space/rmap.h"

/* Before each change of a tree: it may need blocks, and the rmapbt takes none but those of the free list. */
static int begin(struct xfs_agspace *ag, uint32_t agbno, uint32_t len)
{
	if (!ag->m.change)
		return -XFS_E_READONLY;
	if (!xfs_agbno_range_valid(&ag->fs->geo, ag->agno, agbno, len))
		return -XFS_E_RANGE;
	return xfs_agspace_fix_agfl(ag, true);
}

typedef int (*rmap_fn)(struct xfs_btree *, const struct xfs_claim *, bool);

static int change_rmap(struct xfs_agspace *ag, const struct xfs_claim *c, bool shared, rmap_fn change)
{
	uint64_t writes;
	int err;

	if (!xfs_agspace_has(ag, XFS_AGT_RMAP))
		return 0;
	err = begin(ag, c->agbno, c->len);
	if (err)
		return err;
	writes = ag->m.change->writes;
	return xfs_change_check(ag->m.change, writes, change(&ag->tree[XFS_AGT_RMAP], c, shared));
}

int xfs_agspace_rmap_map(struct xfs_agspace *ag, const struct xfs_claim *c, bool shared)
{
	return change_rmap(ag, c, shared, xfs_rmap_map);
}

int xfs_agspace_rmap_unmap(struct xfs_agspace *ag, const struct xfs_claim *c, bool shared)
{
	return change_rmap(ag, c, shared, xfs_rmap_unmap);
}

int xfs_agspace_rmap_convert(struct xfs_agspace *ag, const struct xfs_claim *c, bool shared)
{
	return change_rmap(ag, c, shared, xfs_rmap_convert);
}

int xfs_agspace_share(struct xfs_agspace *ag, uint32_t agbno, uint32_t len)
{
	struct xfs_refcount_work w = { .agbno = agbno, .len = len };
	uint64_t writes;
	int err;

	if (!xfs_agspace_has(ag, XFS_AGT_REFC))
		return -XFS_E_UNSUPPORTED;
	err = begin(ag, agbno, len);
	if (err)
		return err;
	writes = ag->m.change->writes;
	return xfs_change_check(ag->m.change, writes, xfs_refcount_increase(&ag->tree[XFS_AGT_REFC], &w));
}

struct freeing { struct xfs_agspace *ag; uint32_t blocks; };

static int free_unused(void *payload, uint32_t agbno, uint32_t len)
{
	struct freeing *f = payload;

	f->blocks += len;
	return xfs_agspace_free(f->ag, agbno, len, XFS_OWN_NULL, 0);
}

int xfs_agspace_unshare(struct xfs_agspace *ag, uint32_t agbno, uint32_t len, uint32_t *freed)
{
	struct freeing f = { ag, 0 };
	struct xfs_refcount_work w = { .agbno = agbno, .len = len, .unused = free_unused, .payload = &f };
	uint64_t writes;
	int err;

	if (freed)
		*freed = 0;
	if (!xfs_agspace_has(ag, XFS_AGT_REFC))
		return -XFS_E_UNSUPPORTED;
	err = begin(ag, agbno, len);
	if (err)
		return err;
	writes = ag->m.change->writes;
	err = xfs_refcount_decrease(&ag->tree[XFS_AGT_REFC], &w);
	if (freed)
		*freed = f.blocks;
	return xfs_change_check(ag->m.change, writes, err);
}

int xfs_agspace_cow_stage(struct xfs_agspace *ag, uint32_t agbno, uint32_t len)
{
	struct xfs_claim c = { agbno, len, XFS_OWN_COW, 0 };
	uint64_t writes;
	int err;

	if (!xfs_agspace_has(ag, XFS_AGT_REFC))
		return -XFS_E_UNSUPPORTED;
	err = begin(ag, agbno, len);
	if (err)
		return err;
	writes = ag->m.change->writes;
	err = xfs_refcount_cow_alloc(&ag->tree[XFS_AGT_REFC], agbno, len);
	if (!err)
		err = xfs_agspace_rmap_map(ag, &c, false);
	return xfs_change_check(ag->m.change, writes, err);
}

int xfs_agspace_cow_unstage(struct xfs_agspace *ag, uint32_t agbno, uint32_t len)
{
	struct xfs_claim c = { agbno, len, XFS_OWN_COW, 0 };
	uint64_t writes;
	int err;

	if (!xfs_agspace_has(ag, XFS_AGT_REFC))
		return -XFS_E_UNSUPPORTED;
	err = begin(ag, agbno, len);
	if (err)
		return err;
	writes = ag->m.change->writes;
	/* the order of deferred work: format sheet 02, section 6.2 */
	err = xfs_agspace_rmap_unmap(ag, &c, false);
	if (!err)
		err = xfs_refcount_cow_free(&ag->tree[XFS_AGT_REFC], agbno, len);
	return xfs_change_check(ag->m.change, writes, err);
}

int xfs_agspace_cow_recover(struct xfs_agspace *ag, uint32_t most, uint64_t *blocks)
{
	uint32_t n, start, len;
	uint64_t writes;
	int err = 0;

	*blocks = 0;
	if (!ag->m.change)
		return -XFS_E_READONLY;
	if (!xfs_agspace_has(ag, XFS_AGT_REFC))
		return -XFS_E_NOENT;
	writes = ag->m.change->writes;
	for (n = 0; !most || n < most; n++) {
		err = xfs_refcount_cow_next(&ag->tree[XFS_AGT_REFC], 0, &start, &len);
		if (err == -XFS_E_NOENT)
			return n ? 0 : err;
		if (!err)
			err = xfs_agspace_cow_unstage(ag, start, len);
		if (!err)
			err = xfs_agspace_free(ag, start, len, XFS_OWN_NULL, 0);
		if (err)
			break;
		*blocks += len;
	}
	return xfs_change_check(ag->m.change, writes, err);
}
