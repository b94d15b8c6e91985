/* SPDX-License-Identifier: BSD-2-Clause */
/* building.c - what tests that build forks of inodes share: blocks for them, and what the inode then says. */
#include "tests/lib/building.h"

int building_take(struct xfs_claims *claims, const struct xfs_geometry *g, xfs_agno_t agno, const struct xfs_claim *c,
		  uint64_t *fsbno)
{
	for (uint32_t i = 0; i < g->agcount; i++) {
		xfs_agno_t at = XFS_AGNO((agno.v + i) % g->agcount);
		uint32_t agbno;
		int err = xfs_claims_alloc(claims, at, c->agbno, c->len, c->owner, c->offset, &agbno);

		if (err == -XFS_E_NOSPC)
			continue;
		*fsbno = err ? 0 : xfs_fsbno_of(g, at, XFS_AGBNO(agbno)).v;
		return err;
	}
	return -XFS_E_NOSPC;
}

bool building_set_attrs(struct xfs_dinode *d, const struct xfs_build_attrs *b)
{
	d->core.forkoff = (uint8_t)b->forkoff;
	d->core.aformat = (uint8_t)b->fork.format;
	d->core.nblocks += b->fork.nblocks;
	return xfs_dinode_set_nextents(d, XFS_FORK_ATTR, b->fork.nextents);
}

bool building_set_dir(struct xfs_dinode *d, const struct xfs_build_dir *b)
{
	d->core.format = (uint8_t)b->fork.format;
	d->core.size = (int64_t)b->shape.size;
	d->core.nblocks += b->fork.nblocks;
	return xfs_dinode_set_nextents(d, XFS_FORK_DATA, b->fork.nextents);
}
