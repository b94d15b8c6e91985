/* SPDX-License-Identifier: BSD-2-Clause */
/* geometry.c - sizes, addresses, inode layout, tree heights and reservations from the superblock. */
#include "libxfs/mount/geometry.h"

#include "libxfs/base/errors.h"
#include "libxfs/mount/geometry_priv.h"

#define INODES_PER_CHUNK 64u
#define MAX_INO ((UINT64_C(1) << 56) - 1)

/* --- worst packed trees (format sheet 01, section 10) --- */

struct tree_size {
	unsigned levels;
	uint64_t blocks;
};

static struct tree_size worst_tree(uint32_t minleaf, uint32_t minnode, uint64_t records)
{
	uint64_t level = xfs_ceil_div(records, minleaf ? minleaf : 1);
	struct tree_size t = { 1, level };

	/* a node with fewer than two entries would never narrow */
	if (minnode < 2)
		minnode = 2;
	for (; level > 1; t.levels++) {
		level = xfs_ceil_div(level, minnode);
		t.blocks += level;
	}
	return t;
}

unsigned xfs_worst_height(uint32_t minleaf, uint32_t minnode, uint64_t records)
{
	return worst_tree(minleaf, minnode, records).levels;
}

uint64_t xfs_worst_blocks(uint32_t minleaf, uint32_t minnode, uint64_t records)
{
	return worst_tree(minleaf, minnode, records).blocks;
}

unsigned xfs_space_to_height(uint32_t minnode, uint64_t blocks)
{
	uint64_t level = 2, left;
	unsigned height = 1;

	if (blocks == 0)
		return 0;
	if (minnode < 2)
		minnode = 2;
	for (left = blocks - 1; level < left; height++) {
		left -= level;
		if (xfs_mul_overflows(level, (uint64_t)minnode, &level))
			return height + 1;
	}
	return height;
}

struct minrecs {
	uint32_t leaf, node;
};

static struct minrecs minrecs_of(const struct xfs_geometry *g, const struct xfs_btree_shape *shape)
{
	return (struct minrecs){
		xfs_btree_maxrecs(shape, g->v5, g->blocksize, true) / 2,
		xfs_btree_maxrecs(shape, g->v5, g->blocksize, false) / 2,
	};
}

static struct tree_size worst_of(const struct xfs_geometry *g, const struct xfs_btree_shape *shape, uint64_t records)
{
	struct minrecs m = minrecs_of(g, shape);

	return worst_tree(m.leaf, m.node, records);
}

/* A level that fits into the fork becomes the root there (format sheet 02, section 1.6). */
static unsigned bmap_height(const struct xfs_geometry *g, uint64_t extents, unsigned root)
{
	struct minrecs m = minrecs_of(g, &xfs_btree_shape_bmbt);
	uint64_t level = xfs_ceil_div(extents, m.leaf);
	unsigned height = 1;

	for (; level > 1; height++)
		level = level <= root ? 1 : xfs_ceil_div(level, m.node);
	return height;
}

static void derive_heights(struct xfs_geometry *g)
{
	uint64_t chunks = (UINT64_C(1) << (g->agblklog + g->inopblog)) / INODES_PER_CHUNK;

	g->alloc_maxlevels = worst_of(g, &xfs_btree_shape_alloc, ((uint64_t)g->agblocks + 1) / 2).levels;
	g->inobt_maxlevels = worst_of(g, &xfs_btree_shape_inobt, chunks).levels;
	if (g->rmapbt && g->reflink)
		g->rmap_maxlevels = xfs_space_to_height(minrecs_of(g, &xfs_btree_shape_rmapbt).node, g->agblocks);
	else if (g->rmapbt)
		g->rmap_maxlevels = worst_of(g, &xfs_btree_shape_rmapbt, g->agblocks).levels;
	if (g->reflink)
		g->refc_maxlevels = worst_of(g, &xfs_btree_shape_refcbt, g->agblocks).levels;
	g->bmap_maxlevels[0] = bmap_height(g, g->nrext64 ? (UINT64_C(1) << 48) - 1 : INT32_MAX, 3);
	g->bmap_maxlevels[1] = bmap_height(g, g->nrext64 ? UINT32_MAX : INT16_MAX, 2);
}

/* --- derivation --- */

static void derive_features(struct xfs_geometry *g)
{
	const struct xfs_sb *sb = &g->sb;
	/* the kernel joins the two copies when it mounts */
	uint32_t features2 = sb->versionnum & XFS_SB_VERSION_MOREBITS ? sb->features2 | sb->bad_features2 : 0;

	g->v5 = xfs_sb_is_v5(sb);
	g->finobt = xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_FINOBT);
	g->rmapbt = xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_RMAPBT);
	g->reflink = xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_REFLINK);
	g->inobtcnt = xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_INOBTCNT);
	g->ftype = g->v5 ? xfs_sb_has_ftype(sb) : (features2 & XFS_SB_FEAT2_FTYPE) != 0;
	g->sparse = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_SPINODES);
	g->bigtime = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_BIGTIME);
	g->nrext64 = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_NREXT64);
	g->exchrange = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_EXCHRANGE);
	g->parent = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_PARENT);
	g->metadir = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR);
	g->zoned = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED);
	g->needsrepair = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_NEEDSREPAIR);
	g->lazycount = g->v5 || features2 & XFS_SB_FEAT2_LAZYSBCOUNT;
	g->attr2 = g->v5 || features2 & XFS_SB_FEAT2_ATTR2;
	g->asciici = (sb->versionnum & XFS_SB_VERSION_BORG) != 0;
}

static void derive_sizes(struct xfs_geometry *g)
{
	const struct xfs_sb *sb = &g->sb;

	g->blocksize = sb->blocksize;
	g->sectsize = sb->sectsize;
	g->inodesize = sb->inodesize;
	g->dirblkfsbs = UINT32_C(1) << sb->dirblklog;
	g->dirblksize = sb->blocksize << sb->dirblklog;
	g->blocklog = sb->blocklog;
	g->agblklog = sb->agblklog;
	g->inopblog = sb->inopblog;
	g->inodelog = sb->inodelog;
	g->agcount = sb->agcount;
	g->agblocks = sb->agblocks;
	g->dblocks = sb->dblocks;
	g->agfl_block = 3 * g->sectsize / g->blocksize;
	g->agfl_size = (g->sectsize - (g->v5 ? 36 : 0)) / 4;
	g->litino = g->inodesize - (g->v5 ? 176 : 100);
	g->uuid = xfs_sb_metadata_uuid(sb);
}

/* format sheet 01, section 8 */
static void derive_inodes(struct xfs_geometry *g)
{
	const struct xfs_sb *sb = &g->sb;
	uint32_t cluster = 8192, wide = 8192 / 256 * g->inodesize;
	bool align = (sb->versionnum & XFS_SB_VERSION_ALIGN) != 0;

	g->ialloc_inos = sb->inopblock > INODES_PER_CHUNK ? sb->inopblock : INODES_PER_CHUNK;
	g->ialloc_blks = g->ialloc_inos >> g->inopblog;
	if (g->v5 && sb->inoalignmt >= wide / g->blocksize)
		cluster = wide;
	g->blocks_per_cluster = cluster > g->blocksize ? cluster / g->blocksize : 1;
	g->inodes_per_cluster = g->blocks_per_cluster << g->inopblog;
	g->cluster_align = align && sb->inoalignmt >= g->blocks_per_cluster ? sb->inoalignmt : 1;
	if (sb->unit && g->cluster_align > 1 && !(sb->unit & (g->cluster_align - 1)))
		g->ialloc_align = sb->unit;
	g->ialloc_min_blks = sb->spino_align ? sb->spino_align : g->ialloc_blks;
	if (sb->imax_pct)	/* dblocks is below 2^54, see sb_dblocks in the rules */
		g->maxicount = xfs_round_down(g->dblocks * sb->imax_pct / 100, g->ialloc_blks) << g->inopblog;
}

int xfs_geometry_init(struct xfs_geometry *g, const struct xfs_sb *sb, const struct xfs_sink *sink, const char **why)
{
	int error = xfs_sb_judge(sb, sink, why);

	memset(g, 0, sizeof(*g));
	if (error)
		return error;
	g->sb = *sb;
	derive_features(g);
	derive_sizes(g);
	derive_inodes(g);
	derive_heights(g);
	return 0;
}

/* --- addresses (section 7) --- */

static uint64_t ag_first_block(const struct xfs_geometry *g, xfs_agno_t agno)
{
	return (uint64_t)agno.v * g->agblocks;
}

static uint32_t or_null(uint64_t v)
{
	return v < XFS_NULL32 ? (uint32_t)v : XFS_NULL32;
}

uint32_t xfs_ag_length(const struct xfs_geometry *g, xfs_agno_t agno)
{
	if (agno.v < g->agcount - 1)
		return g->agblocks;
	return agno.v < g->agcount ? (uint32_t)(g->dblocks - ag_first_block(g, agno)) : 0;
}

xfs_fsbno_t xfs_fsbno_of(const struct xfs_geometry *g, xfs_agno_t agno, xfs_agbno_t agbno)
{
	return XFS_FSBNO((uint64_t)agno.v << g->agblklog | agbno.v);
}

xfs_agno_t xfs_fsbno_agno(const struct xfs_geometry *g, xfs_fsbno_t fsbno)
{
	return XFS_AGNO(or_null(fsbno.v >> g->agblklog));
}

xfs_agbno_t xfs_fsbno_agbno(const struct xfs_geometry *g, xfs_fsbno_t fsbno)
{
	return XFS_AGBNO(fsbno.v & ((UINT64_C(1) << g->agblklog) - 1));
}

xfs_daddr_t xfs_agbno_daddr(const struct xfs_geometry *g, xfs_agno_t agno, xfs_agbno_t agbno)
{
	return XFS_DADDR((ag_first_block(g, agno) + agbno.v) << (g->blocklog - XFS_BBSHIFT));
}

xfs_daddr_t xfs_fsbno_daddr(const struct xfs_geometry *g, xfs_fsbno_t fsbno)
{
	return xfs_agbno_daddr(g, xfs_fsbno_agno(g, fsbno), xfs_fsbno_agbno(g, fsbno));
}

uint64_t xfs_fsbno_byte(const struct xfs_geometry *g, xfs_fsbno_t fsbno)
{
	return xfs_fsbno_daddr(g, fsbno).v << XFS_BBSHIFT;
}

void xfs_daddr_ag(const struct xfs_geometry *g, xfs_daddr_t daddr, xfs_agno_t *agno, xfs_agbno_t *agbno)
{
	uint64_t block = daddr.v >> (g->blocklog - XFS_BBSHIFT);

	*agno = XFS_AGNO(or_null(block / g->agblocks));
	*agbno = XFS_AGBNO(block % g->agblocks);
}

xfs_daddr_t xfs_ag_header_daddr(const struct xfs_geometry *g, xfs_agno_t agno, unsigned n)
{
	return XFS_DADDR(xfs_agbno_daddr(g, agno, XFS_AGBNO(0)).v + (uint64_t)n * (g->sectsize >> XFS_BBSHIFT));
}

xfs_ino_t xfs_ino_of(const struct xfs_geometry *g, xfs_agno_t agno, xfs_agino_t agino)
{
	return XFS_INO((uint64_t)agno.v << (g->agblklog + g->inopblog) | agino.v);
}

xfs_agno_t xfs_ino_agno(const struct xfs_geometry *g, xfs_ino_t ino)
{
	return XFS_AGNO(or_null(ino.v >> (g->agblklog + g->inopblog)));
}

xfs_agino_t xfs_ino_agino(const struct xfs_geometry *g, xfs_ino_t ino)
{
	return XFS_AGINO(ino.v & ((UINT64_C(1) << (g->agblklog + g->inopblog)) - 1));
}

uint64_t xfs_ino_byte(const struct xfs_geometry *g, xfs_ino_t ino)
{
	uint32_t agino = xfs_ino_agino(g, ino).v, slot = agino & ((UINT32_C(1) << g->inopblog) - 1);
	uint64_t block = ag_first_block(g, xfs_ino_agno(g, ino)) + (agino >> g->inopblog);

	return (block << g->blocklog) + ((uint64_t)slot << g->inodelog);
}

/* --- validity --- */

bool xfs_agbno_range_valid(const struct xfs_geometry *g, xfs_agno_t agno, uint32_t agbno, uint64_t len)
{
	uint32_t end = xfs_ag_length(g, agno);

	return len && agbno > g->agfl_block && agbno < end && len <= end - agbno;
}

bool xfs_fsbno_range_valid(const struct xfs_geometry *g, uint64_t fsbno, uint64_t len)
{
	xfs_fsbno_t at = XFS_FSBNO(fsbno);

	return xfs_agbno_range_valid(g, xfs_fsbno_agno(g, at), xfs_fsbno_agbno(g, at).v, len);
}

/* A hostile alignment may push the first inode out of the AG: then none is valid. */
uint32_t xfs_first_agino(const struct xfs_geometry *g)
{
	return or_null(xfs_round_up((uint64_t)g->agfl_block + 1, g->cluster_align) << g->inopblog);
}

uint32_t xfs_last_agino(const struct xfs_geometry *g, xfs_agno_t agno)
{
	uint64_t end = xfs_round_down(xfs_ag_length(g, agno), g->cluster_align) << g->inopblog;

	return end ? (uint32_t)(end - 1) : 0;
}

bool xfs_agino_valid(const struct xfs_geometry *g, xfs_agno_t agno, uint32_t agino)
{
	return agno.v < g->agcount && agino >= xfs_first_agino(g) && agino <= xfs_last_agino(g, agno);
}

bool xfs_fileoff_range_valid(const struct xfs_geometry *geo, uint64_t off, uint64_t len)
{
	uint64_t most = (uint64_t)INT64_MAX >> geo->blocklog;

	return len && off <= most && len - 1 <= most - off;
}

bool xfs_ino_valid(const struct xfs_geometry *g, xfs_ino_t ino)
{
	return ino.v <= MAX_INO && xfs_agino_valid(g, xfs_ino_agno(g, ino), xfs_ino_agino(g, ino).v);
}

/* --- free list and reservations (sections 10, 11.4) --- */

/* twice what a split of every level takes, the root's included where it can still grow */
static uint32_t agfl_share(unsigned levels, unsigned maxlevels)
{
	return maxlevels ? 2 * (uint32_t)xfs_min(levels, maxlevels - 1) : 0;
}

uint32_t xfs_agfl_minimum(const struct xfs_geometry *g, unsigned bno_levels, unsigned cnt_levels, unsigned rmap_levels)
{
	return agfl_share(bno_levels, g->alloc_maxlevels) + agfl_share(cnt_levels, g->alloc_maxlevels) +
		(g->rmapbt ? agfl_share(rmap_levels, g->rmap_maxlevels) : 0);
}

/* AG length without an internal log in it */
static uint32_t ag_length_for_files(const struct xfs_geometry *g, xfs_agno_t agno)
{
	uint32_t len = xfs_ag_length(g, agno);

	if (g->sb.logstart && xfs_fsbno_agno(g, XFS_FSBNO(g->sb.logstart)).v == agno.v)
		len -= (uint32_t)xfs_min(len, g->sb.logblocks);
	return len;
}

uint64_t xfs_ag_reserve_meta(const struct xfs_geometry *g, xfs_agno_t agno)
{
	uint64_t len = ag_length_for_files(g, agno), ask = 0;

	if (g->reflink)
		ask += worst_of(g, &xfs_btree_shape_refcbt, len).blocks;
	if (g->finobt)
		ask += worst_of(g, &xfs_btree_shape_inobt, (len << g->inopblog) / INODES_PER_CHUNK).blocks;
	return ask;
}

uint64_t xfs_ag_reserve_rmap(const struct xfs_geometry *g, xfs_agno_t agno)
{
	uint64_t len = ag_length_for_files(g, agno);

	return g->rmapbt ? xfs_max(len / 100, worst_of(g, &xfs_btree_shape_rmapbt, len).blocks) : 0;
}
