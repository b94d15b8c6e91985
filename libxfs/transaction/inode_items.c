/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inode_items.c - inodes of a checkpoint: cores and forks as items of their own, links between unlinked inodes as
 * chunks of their cluster (format sheet 04, sections 6.1, 6.2, 15.6).
 */
#include "libxfs/transaction/journal.h"

#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/inode.h"

static bool bit(const uint64_t *v, uint32_t k)
{
	return v[k / 64] >> k % 64 & 1;
}

/* The cluster that holds a block of inodes; chunks begin at multiples of the alignment. */
static uint64_t cluster_of(const struct xfs_geometry *g, uint64_t daddr)
{
	uint32_t bbs = g->blocksize / XFS_BBSIZE;
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	xfs_daddr_ag(g, XFS_DADDR(daddr), &agno, &agbno);
	return daddr - (uint64_t)(agbno.v % g->cluster_align % g->blocks_per_cluster) * bbs;
}

/* ---- links ---- */

static uint32_t put_link_runs(const struct xfs_items *it, const struct xfs_logged *l, uint64_t cluster, uint8_t *map)
{
	const uint32_t isize = it->j->edit->fs->geo.inodesize, off = (uint32_t)(l->daddr - cluster) * XFS_BBSIZE;
	const uint8_t *data = xfs_items_contents(it, l);
	uint32_t n = 0;

	for (uint32_t k = 0; k < l->bbs * XFS_BBSIZE / isize; k++) {
		uint32_t chunk = (off + k * isize) / XFS_CHANGE_CHUNK;
		uint8_t *word = map + chunk / 32 * 4;

		if (!bit(l->links, k))
			continue;
		xfs_st32(word, it->j->log->le, xfs_ld32(word, it->j->log->le) | UINT32_C(1) << chunk % 32);
		/* the link lies in the first chunk of the inode, and an inode has two chunks at least */
		xfs_items_borrow(it->j, data + k * isize, XFS_CHANGE_CHUNK);
		n++;
	}
	return n;
}

static bool any_link(const struct xfs_logged *l)
{
	for (unsigned i = 0; i < XFS_INODE_WORDS; i++)
		if (l->links[i])
			return true;
	return false;
}

uint32_t xfs_items_put_links(const struct xfs_items *it, uint32_t k)
{
	struct xfs_journal *j = it->j;
	const struct xfs_geometry *g = &j->edit->fs->geo;
	uint64_t cluster = cluster_of(g, j->v[j->listed[k]].daddr);
	uint32_t bbs = g->blocks_per_cluster * (g->blocksize / XFS_BBSIZE), n = 0, regions = 1;
	struct xfs_log_buf b = {
		.type = XFS_LI_BUF, .flags = XFS_BLF_INODE_BUF | XFS_BLFT_INODES << XFS_BLF_TYPE_SHIFT,
		.len = (uint16_t)bbs, .blkno = cluster,
		.map_size = (uint32_t)xfs_ceil_div((uint64_t)bbs * XFS_BBSIZE / XFS_CHANGE_CHUNK, 32),
	};
	uint8_t *format = NULL;

	for (; k + n < j->nlisted && j->v[j->listed[k + n]].daddr < cluster + bbs; n++) {
		const struct xfs_logged *l = &j->v[j->listed[k + n]];

		if (!l->inodes || !any_link(l))
			continue;
		if (!format) {
			format = xfs_items_region(j, (uint32_t)sizeof(struct xfs_log_buf_disk) + 4 * b.map_size);
			xfs_log_buf_encode_as(format, &b, j->log->le);
		}
		regions += put_link_runs(it, l, cluster, format + sizeof(struct xfs_log_buf_disk));
	}
	if (format)
		xfs_st16(format + XFS_OFF(log_buf, size), j->log->le, (uint16_t)regions);
	return n;
}

/* ---- forks ---- */

/* The root of a btree as it is in memory: header of a long block, keys, pointers, with room for no more (6.2). */
static uint32_t put_root(struct xfs_journal *j, const uint8_t *fork, uint32_t size)
{
	uint32_t n = xfs_be16(fork + 2), most = xfs_bmdr_maxrecs(size), len;
	uint8_t *p;

	n = n < most ? n : most;
	len = XFS_BTREE_LONG_V5 + 16 * n;
	p = xfs_items_region(j, len);
	xfs_put_be32(p, XFS_BMBT_MAGIC);
	memcpy(p + XFS_OFF(btree_long, level), fork, 2);
	xfs_put_be16(p + XFS_OFF(btree_long, numrecs), (uint16_t)n);
	memcpy(p + XFS_BTREE_LONG_V5, fork + 4, 8 * (size_t)n);
	memcpy(p + XFS_BTREE_LONG_V5 + 8 * (size_t)n, fork + xfs_bmdr_ptrs_off(size), 8 * (size_t)n);
	return len;
}

/* Bytes in use of a local fork. */
static uint64_t local_size(const struct xfs_dinode *d, enum xfs_fork which, const uint8_t *fork, uint32_t size)
{
	if (which == XFS_FORK_DATA)
		return d->core.size;
	return size < sizeof(struct xfs_attr_sf_hdr_disk) ? 0 : xfs_be16(fork + XFS_OFF(attr_sf_hdr, totsize));
}

/* A fork with all that it holds; its flag in *fields. Returns its length, 0: nothing is there. */
static uint32_t put_fork(struct xfs_journal *j, const uint8_t *raw, const struct xfs_dinode *d, enum xfs_fork which,
			 uint32_t *fields)
{
	uint32_t isize = j->edit->fs->geo.inodesize;
	uint32_t off = xfs_dinode_fork_off(d->core.version, d->core.forkoff, isize, which);
	uint32_t size = xfs_dinode_fork_size(d->core.version, d->core.forkoff, isize, which);
	uint64_t extents = xfs_dinode_nextents(d, which), len;
	bool attr = which == XFS_FORK_ATTR;

	switch (attr ? d->core.aformat : d->core.format) {
	case XFS_DINODE_FMT_LOCAL:
		len = local_size(d, which, raw + off, size);
		*fields |= len ? attr ? XFS_ILF_ADATA : XFS_ILF_DDATA : 0;
		break;
	case XFS_DINODE_FMT_EXTENTS:
		len = extents < XFS_DINODE_MAX_SIZE / 16 ? extents * 16 : size;
		*fields |= len ? attr ? XFS_ILF_AEXT : XFS_ILF_DEXT : 0;
		break;
	case XFS_DINODE_FMT_BTREE:
		*fields |= attr ? XFS_ILF_ABROOT : XFS_ILF_DBROOT;
		return put_root(j, raw + off, size);
	default:
		return 0;
	}
	len = xfs_min(len, size);
	if (len)
		xfs_items_borrow(j, raw + off, (uint32_t)len);
	return (uint32_t)len;
}

static void put_inode(const struct xfs_items *it, const struct xfs_logged *l, uint32_t k)
{
	struct xfs_journal *j = it->j;
	const struct xfs_geometry *g = &j->edit->fs->geo;
	uint64_t cluster = cluster_of(g, l->daddr);
	const uint8_t *raw = xfs_items_contents(it, l) + (size_t)k * g->inodesize;
	size_t first = j->nregions;
	uint8_t *format = xfs_items_region(j, sizeof(struct xfs_log_inode_disk));
	struct xfs_log_inode f = { .type = XFS_LI_INODE, .fields = XFS_ILF_CORE, .blkno = cluster };
	struct xfs_dinode d;

	xfs_dinode_decode(&d, raw);
	f.len = g->blocks_per_cluster * (g->blocksize / XFS_BBSIZE);
	f.boffset = (uint32_t)((l->daddr - cluster) * XFS_BBSIZE + (uint64_t)k * g->inodesize);
	f.ino = d.v3.inumber;
	xfs_log_dinode_from_disk(xfs_items_region(j, sizeof(struct xfs_log_dinode_disk)), raw, j->log->le);
	if (d.core.format == XFS_DINODE_FMT_DEV && d.core.mode) {
		f.fields |= XFS_ILF_DEV;
		f.rdev = xfs_be32(raw + xfs_dinode_literal_off(d.core.version));
	}
	f.dsize = (uint16_t)put_fork(j, raw, &d, XFS_FORK_DATA, &f.fields);
	if (d.core.forkoff)
		f.asize = (uint16_t)put_fork(j, raw, &d, XFS_FORK_ATTR, &f.fields);
	f.size = (uint16_t)(j->nregions - first);
	xfs_log_inode_encode_as(format, &f, j->log->le);
}

void xfs_items_put_inodes(const struct xfs_items *it)
{
	struct xfs_journal *j = it->j;

	for (uint32_t i = 0; i < j->nlisted; i++) {
		const struct xfs_logged *l = &j->v[j->listed[i]];

		for (uint32_t k = 0; l->inodes && k < XFS_INODE_WORDS * 64; k++)
			if (bit(l->cores, k))
				put_inode(it, l, k);
	}
}
