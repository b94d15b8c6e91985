/* SPDX-License-Identifier: BSD-2-Clause */
/* logprint_match.c - which log items touch an inode or blocks. */
#include "db/logprint.h"

static bool meets(const struct logprint_query *q, uint64_t daddr, uint64_t bbs)
{
	return q->daddr >= daddr ? q->daddr - daddr < bbs : bbs && daddr - q->daddr < q->bbs;
}

static bool fsblocks_meet(const struct xfs_geometry *g, const struct logprint_query *q, uint64_t fsbno, uint64_t len)
{
	unsigned shift = g->blocklog - XFS_BBSHIFT;

	return xfs_fsbno_range_valid(g, fsbno, len) && meets(q, xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v, len << shift);
}

static bool icreate_matches(const struct xfs_geometry *g, const struct logprint_query *q, const struct xfs_log_item *it)
{
	struct xfs_log_icreate c;
	uint64_t first;

	xfs_log_icreate_load(&c, it);
	if (c.ag >= g->agcount || c.agbno >= g->agblocks)
		return false;
	if (q->by_daddr && !fsblocks_meet(g, q, xfs_fsbno_of(g, XFS_AGNO(c.ag), XFS_AGBNO(c.agbno)).v, c.length))
		return false;
	first = xfs_ino_of(g, XFS_AGNO(c.ag), XFS_AGINO((uint64_t)c.agbno << g->inopblog)).v;
	return !q->by_ino || (q->ino >= first && q->ino - first < c.count);
}

static bool buf_matches(const struct xfs_geometry *g, const struct logprint_query *q, const struct xfs_log_item *it)
{
	struct xfs_log_buf_item b;

	xfs_log_buf_load(&b, it);
	if (q->by_daddr && !meets(q, b.daddr, b.bbs))
		return false;
	if (q->by_ino) {
		uint64_t at;

		if (!xfs_ino_valid(g, XFS_INO(q->ino)) ||
		    (!(b.flags & XFS_BLF_INODE_BUF) && b.content != XFS_BLFT_INODES))
			return false;
		at = xfs_ino_byte(g, XFS_INO(q->ino)) / XFS_BBSIZE;
		return at >= b.daddr && at - b.daddr < b.bbs;
	}
	return true;
}

static bool inode_matches(const struct xfs_geometry *g, const struct logprint_query *q, const struct xfs_log_item *it)
{
	struct xfs_log_inode_item i;

	xfs_log_inode_load(&i, it);
	if (q->by_ino && i.f.ino != q->ino)
		return false;
	return !q->by_daddr || meets(q, i.f.blkno + i.f.boffset / XFS_BBSIZE, xfs_ceil_div(g->inodesize, XFS_BBSIZE));
}

static bool intent_matches(const struct xfs_geometry *g, const struct logprint_query *q, const struct xfs_log_item *it)
{
	bool owned = it->type == XFS_LI_RUI || it->type == XFS_LI_BUI || it->type == XFS_LI_RUI_RT;
	bool rt = it->type == XFS_LI_EFI_RT || it->type == XFS_LI_RUI_RT || it->type == XFS_LI_CUI_RT;
	struct xfs_log_intent_item in;

	xfs_log_intent_load(&in, it);
	if (it->type == XFS_LI_ATTRI)
		return !q->by_daddr && in.attri.ino == q->ino;
	if (it->type == XFS_LI_XMI)
		return !q->by_daddr && (in.xmi.inode1 == q->ino || in.xmi.inode2 == q->ino);
	for (uint32_t k = 0; k < in.n; k++) {
		struct xfs_log_intent_extent e = xfs_log_intent_at(&in, k);
		bool realtime = rt || (it->type == XFS_LI_BUI && (e.flags & XFS_BUI_REALTIME));

		if (q->by_ino && (!owned || e.owner != q->ino))
			continue;
		if (!q->by_daddr || (!realtime && fsblocks_meet(g, q, e.startblock, e.len)))
			return true;
	}
	return false;
}

static bool dquot_matches(const struct logprint_query *q, const struct xfs_log_item *it)
{
	struct xfs_log_dquot_item d;

	xfs_log_dquot_load(&d, it);
	return !q->by_ino && meets(q, d.f.blkno + d.f.boffset / XFS_BBSIZE, 1);
}

bool logprint_match(const struct xfs_geometry *g, const struct logprint_query *q, const struct xfs_log_item *it)
{
	if (q->kind && q->kind != it->kind)
		return false;
	if (!q->by_ino && !q->by_daddr)
		return true;
	switch (it->type) {
	case XFS_LI_BUF:
		return buf_matches(g, q, it);
	case XFS_LI_INODE:
		return inode_matches(g, q, it);
	case XFS_LI_ICREATE:
		return icreate_matches(g, q, it);
	case XFS_LI_DQUOT:
		return dquot_matches(q, it);
	default:
		return it->kind->role == XFS_LOG_INTENT && intent_matches(g, q, it);
	}
}
