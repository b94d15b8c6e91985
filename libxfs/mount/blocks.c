/* SPDX-License-Identifier: BSD-2-Clause */
/* blocks.c - headers of metadata blocks: the table and the verifiers made from it. */
#include "libxfs/mount/blocks.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/inode.h"

#include <stdatomic.h>

#define NONE XFS_BLK_NO_FIELD
/* name, magic at and bytes, crc, uuid, blkno, lsn, owner and bytes */
#define ROW(n, mo, ml, c, u, b, l, o, ol, ...)									\
	{ .name = n, .magic_off = mo, .magic_len = ml, .crc = c, .uuid = u, .blkno = b, .lsn = l, .owner = o,	\
	  .owner_len = ol, __VA_ARGS__ }
#define V5(...) .magic_v5 = { __VA_ARGS__ }
#define V4(...) .magic_v4 = { __VA_ARGS__ }
#define SHORT_BTREE(n, ...) ROW(n, 0, 4, 52, 32, 16, 24, 48, 4, __VA_ARGS__)
#define LONG_BTREE(n, ...) ROW(n, 0, 4, 64, 40, 24, 32, 56, 8, __VA_ARGS__)
#define DIR_HEADER(n, ...) ROW(n, 0, 4, 4, 24, 8, 16, 40, 8, __VA_ARGS__)	/* data and free blocks */
#define DA_HEADER(n, ...) ROW(n, 8, 2, 12, 32, 16, 24, 48, 8, __VA_ARGS__)	/* leaves and nodes */
#define REMOTE_HEADER(n, ...) ROW(n, 0, 4, 12, 16, 40, 48, 32, 8, __VA_ARGS__)

const struct xfs_block_layout xfs_block_layouts[XFS_BLK_KINDS] = {
	[XFS_BLK_SB] = ROW("superblock", 0, 4, 224, NONE, NONE, 240, NONE, 0, V5(XFS_SB_MAGIC), V4(XFS_SB_MAGIC)),
	[XFS_BLK_AGF] = ROW("agf", 0, 4, 216, 64, NONE, 208, 8, 4, V5(XFS_AGF_MAGIC), V4(XFS_AGF_MAGIC)),
	[XFS_BLK_AGI] = ROW("agi", 0, 4, 312, 296, NONE, 320, 8, 4, V5(XFS_AGI_MAGIC), V4(XFS_AGI_MAGIC)),
	[XFS_BLK_AGFL] = ROW("agfl", 0, 4, 32, 8, NONE, 24, 4, 4, V5(XFS_AGFL_MAGIC), V4(0)),
	[XFS_BLK_BNOBT] = SHORT_BTREE("bnobt", V5(XFS_BNOBT_MAGIC), V4(XFS_BNOBT_MAGIC_V4)),
	[XFS_BLK_CNTBT] = SHORT_BTREE("cntbt", V5(XFS_CNTBT_MAGIC), V4(XFS_CNTBT_MAGIC_V4)),
	[XFS_BLK_INOBT] = SHORT_BTREE("inobt", V5(XFS_INOBT_MAGIC), V4(XFS_INOBT_MAGIC_V4)),
	[XFS_BLK_FINOBT] = SHORT_BTREE("finobt", V5(XFS_FINOBT_MAGIC), V4(XFS_FINOBT_MAGIC_V4)),
	[XFS_BLK_RMAPBT] = SHORT_BTREE("rmapbt", V5(XFS_RMAPBT_MAGIC), V4(XFS_RMAPBT_MAGIC)),
	[XFS_BLK_REFCBT] = SHORT_BTREE("refcountbt", V5(XFS_REFCBT_MAGIC), V4(XFS_REFCBT_MAGIC)),
	[XFS_BLK_BMBT] = LONG_BTREE("bmbt", V5(XFS_BMBT_MAGIC), V4(XFS_BMBT_MAGIC_V4)),
	[XFS_BLK_RTRMAPBT] = LONG_BTREE("rtrmapbt", V5(XFS_RTRMAPBT_MAGIC), V4(XFS_RTRMAPBT_MAGIC)),
	[XFS_BLK_RTREFCBT] = LONG_BTREE("rtrefcountbt", V5(XFS_RTREFCBT_MAGIC), V4(XFS_RTREFCBT_MAGIC)),
	[XFS_BLK_INODES] = ROW("inode", 0, 2, NONE, NONE, NONE, NONE, NONE, 0, V5(XFS_DINODE_MAGIC),
			       V4(XFS_DINODE_MAGIC)),
	[XFS_BLK_DIR_BLOCK] = DIR_HEADER("dir block", V5(XFS_DIR3_BLOCK_MAGIC), V4(XFS_DIR2_BLOCK_MAGIC)),
	[XFS_BLK_DIR_DATA] = DIR_HEADER("dir data", V5(XFS_DIR3_DATA_MAGIC), V4(XFS_DIR2_DATA_MAGIC)),
	[XFS_BLK_DIR_LEAF1] = DA_HEADER("dir leaf", V5(XFS_DIR3_LEAF1_MAGIC), V4(XFS_DIR2_LEAF1_MAGIC)),
	[XFS_BLK_DIR_LEAFN] = DA_HEADER("dir leafn", V5(XFS_DIR3_LEAFN_MAGIC), V4(XFS_DIR2_LEAFN_MAGIC)),
	[XFS_BLK_DIR_FREE] = DIR_HEADER("dir free", V5(XFS_DIR3_FREE_MAGIC), V4(XFS_DIR2_FREE_MAGIC)),
	[XFS_BLK_DA_NODE] = DA_HEADER("da node", V5(XFS_DA3_NODE_MAGIC), V4(XFS_DA_NODE_MAGIC)),
	[XFS_BLK_ATTR_LEAF] = DA_HEADER("attr leaf", V5(XFS_ATTR_LEAF_MAGIC), V4(XFS_ATTR_LEAF_MAGIC_V4)),
	[XFS_BLK_ATTR_REMOTE] = REMOTE_HEADER("attr remote", V5(XFS_ATTR_REMOTE_MAGIC), V4(0)),
	[XFS_BLK_SYMLINK] = REMOTE_HEADER("symlink", V5(XFS_SYMLINK_MAGIC), V4(0)),
	[XFS_BLK_DIR_ANYDATA] = DIR_HEADER("dir data",
					   V5(XFS_DIR3_DATA_MAGIC, XFS_DIR3_BLOCK_MAGIC),
					   V4(XFS_DIR2_DATA_MAGIC, XFS_DIR2_BLOCK_MAGIC)),
	[XFS_BLK_DIR_ANYLEAF] = DA_HEADER("dir leaf",
					  V5(XFS_DIR3_LEAFN_MAGIC, XFS_DA3_NODE_MAGIC, XFS_DIR3_LEAF1_MAGIC),
					  V4(XFS_DIR2_LEAFN_MAGIC, XFS_DA_NODE_MAGIC, XFS_DIR2_LEAF1_MAGIC)),
	[XFS_BLK_ATTR_ANY] = DA_HEADER("attr", V5(XFS_ATTR_LEAF_MAGIC, XFS_DA3_NODE_MAGIC),
				     V4(XFS_ATTR_LEAF_MAGIC_V4, XFS_DA_NODE_MAGIC)),
	[XFS_BLK_RT_BITMAP] = ROW("rt bitmap", 0, 4, 4, 32, 16, 24, 8, 8, V5(0x424d505a), V4(0)),
	[XFS_BLK_RT_SUMMARY] = ROW("rt summary", 0, 4, 4, 32, 16, 24, 8, 8, V5(0x53554d59), V4(0)),
};

static uint64_t load(const uint8_t *p, unsigned off, unsigned len)
{
	return len == 2 ? xfs_be16(p + off) : len == 4 ? xfs_be32(p + off) : xfs_be64(p + off);
}

uint32_t xfs_block_magic(enum xfs_block_kind kind, const uint8_t *data)
{
	const struct xfs_block_layout *l = &xfs_block_layouts[kind];

	return (uint32_t)load(data, l->magic_off, l->magic_len);
}

uint64_t xfs_block_owner(const struct xfs_geometry *geo, enum xfs_block_kind kind, const uint8_t *data)
{
	const struct xfs_block_layout *l = &xfs_block_layouts[kind];

	return !geo->v5 || l->owner == NONE ? XFS_NULL64 : load(data, l->owner, l->owner_len);
}

uint64_t xfs_block_lsn(const struct xfs_geometry *geo, enum xfs_block_kind kind, const uint8_t *data)
{
	const struct xfs_block_layout *l = &xfs_block_layouts[kind];

	return !geo->v5 || l->lsn == NONE ? 0 : xfs_be64(data + l->lsn);
}

/* ---- checks ---- */

struct check {
	const struct xfs_block_ctx *ctx;
	const struct xfs_block_layout *l;
	const uint8_t *data;
	uint32_t len;
	uint64_t daddr;
	struct xfs_finding *why;
};

static int fail(const struct check *c, int err, enum xfs_finding_id id, const char *field, uint64_t found,
		uint64_t expected)
{
	if (c->why) {
		*c->why = xfs_finding_of(id, c->l->name);
		c->why->field = field;
		c->why->found = found;
		c->why->expected = expected;
		if (c->daddr != XFS_NULL64) {
			xfs_agno_t agno;
			xfs_agbno_t agbno;

			xfs_daddr_ag(c->ctx->geo, XFS_DADDR(c->daddr), &agno, &agbno);
			c->why->agno = agno.v;
			c->why->agbno = agbno.v;
		}
	}
	return err;
}

static int check_magic(const struct check *c)
{
	const uint32_t *want = c->ctx->geo->v5 ? c->l->magic_v5 : c->l->magic_v4;
	uint32_t magic = (uint32_t)load(c->data, c->l->magic_off, c->l->magic_len);

	for (int i = 0; i < 3 && want[i]; i++)
		if (magic == want[i])
			return 0;
	return want[0] ? fail(c, -XFS_E_BADMAGIC, XFS_F_BLOCK_MAGIC, "magic", magic, want[0]) : 0;
}

static const struct xfs_btree_shape *shape_of(enum xfs_block_kind kind)
{
	switch (kind) {
	case XFS_BLK_BNOBT:
	case XFS_BLK_CNTBT:
		return &xfs_btree_shape_alloc;
	case XFS_BLK_INOBT:
	case XFS_BLK_FINOBT:
		return &xfs_btree_shape_inobt;
	case XFS_BLK_RMAPBT:
		return &xfs_btree_shape_rmapbt;
	case XFS_BLK_REFCBT:
		return &xfs_btree_shape_refcbt;
	case XFS_BLK_BMBT:
		return &xfs_btree_shape_bmbt;
	case XFS_BLK_RTRMAPBT:
		return &xfs_btree_shape_rtrmapbt;
	case XFS_BLK_RTREFCBT:
		return &xfs_btree_shape_rtrefcbt;
	default:
		return NULL;
	}
}

static int check_btree(const struct check *c, const struct xfs_btree_shape *shape)
{
	unsigned level = xfs_be16(c->data + 4), recs = xfs_be16(c->data + 6);
	uint32_t max = xfs_btree_maxrecs(shape, c->ctx->geo->v5, c->len, level == 0);

	if (level >= XFS_BTREE_MAXLEVELS)
		return fail(c, -XFS_E_CORRUPT, XFS_F_BTREE_LEVEL, "level", level, XFS_NULL64);
	if (recs > max)
		return fail(c, -XFS_E_CORRUPT, XFS_F_BTREE_NUMRECS, "numrecs", recs, max);
	return 0;
}

/* Greatest LSN of all blocks: a reformatted log must start above it (format sheet 04, section 8.4). */
static void note_lsn(const struct check *c)
{
	uint64_t lsn, seen;

	if (!c->ctx->max_lsn || c->l->lsn == NONE)
		return;
	lsn = xfs_be64(c->data + c->l->lsn);
	if (!lsn || lsn == XFS_NULL64)
		return;
	seen = atomic_load_explicit(c->ctx->max_lsn, memory_order_relaxed);
	while (lsn > seen && !atomic_compare_exchange_weak(c->ctx->max_lsn, &seen, lsn))
		;
}

int xfs_block_verify(const struct xfs_block_ctx *ctx, enum xfs_block_kind kind, const uint8_t *data, uint32_t len,
		     uint64_t daddr, struct xfs_finding *why)
{
	const struct xfs_geometry *geo = ctx->geo;
	const struct xfs_block_layout *l = &xfs_block_layouts[kind];
	const struct xfs_btree_shape *shape = shape_of(kind);
	struct check c = { ctx, l, data, len, daddr, why };
	int err;

	if (len < 512)
		return fail(&c, -XFS_E_CORRUPT, XFS_F_BLOCK_MAGIC, NULL, XFS_NULL64, XFS_NULL64);
	err = check_magic(&c);
	if (!err && shape)
		err = check_btree(&c, shape);
	if (err)
		return err;
	if (!geo->v5)
		return 0;
	if (l->uuid != NONE && memcmp(data + l->uuid, geo->uuid, 16))
		return fail(&c, -XFS_E_CORRUPT, XFS_F_BLOCK_UUID, "uuid", XFS_NULL64, XFS_NULL64);
	if (l->blkno != NONE && daddr != XFS_NULL64 && xfs_be64(data + l->blkno) != daddr)
		return fail(&c, -XFS_E_CORRUPT, XFS_F_BLOCK_BLKNO, "blkno", xfs_be64(data + l->blkno), daddr);
	if (l->crc != NONE && !xfs_crc32c_check(data, len, l->crc))
		return fail(&c, -XFS_E_BADCRC, XFS_F_BLOCK_CRC, "crc", xfs_le32(data + l->crc),
			    xfs_crc32c_block(data, len, l->crc));
	note_lsn(&c);
	return 0;
}

/* One verifier and one sealer a kind: they get only the buffer. */
#define KIND(k)													\
	static int verify_##k(const void *ctx, const struct xfs_buf *b, struct xfs_finding *why)		\
	{													\
		return xfs_block_verify(ctx, XFS_BLK_##k, b->data, b->len, b->extents[0].daddr, why);		\
	}													\
	static void seal_##k(const void *ctx, struct xfs_buf *b)						\
	{													\
		const struct xfs_block_ctx *c = ctx;								\
														\
		if (c->geo->v5 && xfs_block_layouts[XFS_BLK_##k].crc != NONE)					\
			xfs_crc32c_store(b->data, b->len, xfs_block_layouts[XFS_BLK_##k].crc);			\
	}
#define KINDS(X)												\
	X(SB) X(AGF) X(AGI) X(AGFL) X(BNOBT) X(CNTBT) X(INOBT) X(FINOBT) X(RMAPBT) X(REFCBT) X(BMBT)		\
	X(RTRMAPBT) X(RTREFCBT) X(DIR_BLOCK) X(DIR_DATA) X(DIR_LEAF1) X(DIR_LEAFN) X(DIR_FREE) X(DA_NODE)	\
	X(ATTR_LEAF)												\
	X(ATTR_REMOTE) X(SYMLINK) X(DIR_ANYDATA) X(DIR_ANYLEAF) X(ATTR_ANY) X(RT_BITMAP) X(RT_SUMMARY)
KINDS(KIND)

#define TYPE(k) [XFS_BLK_##k] = { .name = #k, .verify = verify_##k, .seal = seal_##k },
const struct xfs_buf_type xfs_buf_types[XFS_BLK_KINDS] = {
	KINDS(TYPE)
	[XFS_BLK_INODES] = { .name = "INODES" },
};
