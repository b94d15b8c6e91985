/* SPDX-License-Identifier: BSD-2-Clause */
/* blocks.c - kinds of metadata blocks and their verifiers. */
#include "libxfs/mount/blocks.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/realtime.h"

#include <stdatomic.h>

/* A form is told by its type and V5 magic. `bare`: V4 has such blocks without a header, which say nothing. */
#define KIND(type, bare, ...) { type, bare, { __VA_ARGS__ } }
static const struct {
	uint8_t type;
	bool bare;
	uint32_t magic5[3];		/* 0 ends the list */
} kinds[XFS_BLK_KINDS] = {
	[XFS_BLK_SB] = KIND(XT_SB, false, XFS_SB_MAGIC),
	[XFS_BLK_AGF] = KIND(XT_AGF, false, XFS_AGF_MAGIC),
	[XFS_BLK_AGI] = KIND(XT_AGI, false, XFS_AGI_MAGIC),
	[XFS_BLK_AGFL] = KIND(XT_AGFL, true, XFS_AGFL_MAGIC),
	[XFS_BLK_BNOBT] = KIND(XT_BNOBT, false, XFS_BNOBT_MAGIC),
	[XFS_BLK_CNTBT] = KIND(XT_CNTBT, false, XFS_CNTBT_MAGIC),
	[XFS_BLK_INOBT] = KIND(XT_INOBT, false, XFS_INOBT_MAGIC),
	[XFS_BLK_FINOBT] = KIND(XT_FINOBT, false, XFS_FINOBT_MAGIC),
	[XFS_BLK_RMAPBT] = KIND(XT_RMAPBT, false, XFS_RMAPBT_MAGIC),
	[XFS_BLK_REFCBT] = KIND(XT_REFCBT, false, XFS_REFCBT_MAGIC),
	[XFS_BLK_BMBT] = KIND(XT_BMAPBTD, false, XFS_BMBT_MAGIC),
	[XFS_BLK_RTRMAPBT] = KIND(XT_RTRMAPBT, false, XFS_RTRMAPBT_MAGIC),
	[XFS_BLK_RTREFCBT] = KIND(XT_RTREFCBT, false, XFS_RTREFCBT_MAGIC),
	[XFS_BLK_INODES] = KIND(XT_INODE, false, XFS_DINODE_MAGIC),
	[XFS_BLK_DIR_BLOCK] = KIND(XT_DIR, false, XFS_DIR3_BLOCK_MAGIC),
	[XFS_BLK_DIR_DATA] = KIND(XT_DIR, false, XFS_DIR3_DATA_MAGIC),
	[XFS_BLK_DIR_LEAF1] = KIND(XT_DIR, false, XFS_DIR3_LEAF1_MAGIC),
	[XFS_BLK_DIR_LEAFN] = KIND(XT_DIR, false, XFS_DIR3_LEAFN_MAGIC),
	[XFS_BLK_DIR_FREE] = KIND(XT_DIR, false, XFS_DIR3_FREE_MAGIC),
	[XFS_BLK_DA_NODE] = KIND(XT_DIR, false, XFS_DA3_NODE_MAGIC),
	[XFS_BLK_ATTR_LEAF] = KIND(XT_ATTR, false, XFS_ATTR_LEAF_MAGIC),
	[XFS_BLK_ATTR_REMOTE] = KIND(XT_ATTR, true, XFS_ATTR_REMOTE_MAGIC),
	[XFS_BLK_SYMLINK] = KIND(XT_SYMLINK, true, XFS_SYMLINK_MAGIC),
	[XFS_BLK_DIR_ANYDATA] = KIND(XT_DIR, false, XFS_DIR3_DATA_MAGIC, XFS_DIR3_BLOCK_MAGIC),
	[XFS_BLK_DIR_ANYLEAF] = KIND(XT_DIR, false, XFS_DIR3_LEAFN_MAGIC, XFS_DA3_NODE_MAGIC, XFS_DIR3_LEAF1_MAGIC),
	[XFS_BLK_ATTR_ANY] = KIND(XT_ATTR, false, XFS_ATTR_LEAF_MAGIC, XFS_DA3_NODE_MAGIC),
	[XFS_BLK_RT_BITMAP] = KIND(XT_RGBITMAP, true, XFS_RTBITMAP_MAGIC),
	[XFS_BLK_RT_SUMMARY] = KIND(XT_RGSUMMARY, true, XFS_RTSUMMARY_MAGIC),
};
#undef KIND

static bool in_kind(enum xfs_block_kind kind, const struct xfs_blockform *f)
{
	for (int i = 0; i < 3 && kinds[kind].magic5[i]; i++)
		if (f->magic5 == kinds[kind].magic5[i])
			return true;
	return false;
}

/* The form that blocks of this kind usually have. */
static const struct xfs_blockform *first_form(enum xfs_block_kind kind)
{
	for (const struct xfs_blockform *f = xfs_blockforms; *f->name; f++)
		if (f->type == kinds[kind].type && f->magic5 == kinds[kind].magic5[0])
			return f;
	return NULL;
}

const struct xfs_blockform *xfs_block_form(enum xfs_block_kind kind, bool v5, const uint8_t *data, uint32_t len)
{
	const struct xfs_blockform *f = xfs_blockform_of(kinds[kind].type, v5, data, len);

	return f && in_kind(kind, f) ? f : NULL;
}

const char *xfs_block_name(enum xfs_block_kind kind)
{
	const struct xfs_blockform *f = first_form(kind);

	return f ? f->name : "block";
}

bool xfs_block_owner(const struct xfs_geometry *geo, enum xfs_block_kind kind, const uint8_t *data, uint32_t len,
		     uint64_t *owner)
{
	const struct xfs_blockform *f = geo->v5 ? xfs_block_form(kind, true, data, len) : NULL;

	if (!f || f->owner == XFS_NO_POS)
		return false;
	*owner = f->owner_bits == 32 ? xfs_be32(data + f->owner) : xfs_be64(data + f->owner);
	return true;
}

/* ---- checks ---- */

/* Greatest LSN of all blocks: a reformatted log must start above it (format sheet 04, section 8.4). */
static void note_lsn(const struct xfs_block_ctx *ctx, const struct xfs_blockform *f, const uint8_t *data)
{
	uint64_t lsn, seen;

	if (!ctx->max_lsn || f->lsn == XFS_NO_POS)
		return;
	lsn = xfs_be64(data + f->lsn);
	if (!lsn || lsn == XFS_NULL64)
		return;
	seen = atomic_load_explicit(ctx->max_lsn, memory_order_relaxed);
	while (lsn > seen && !atomic_compare_exchange_weak(ctx->max_lsn, &seen, lsn))
		;
}

static bool has_names(enum xfs_block_kind kind)
{
	return kind >= XFS_BLK_DIR_BLOCK && kind <= XFS_BLK_ATTR_ANY;
}

static int check_lsn(const struct xfs_blockform *f, const uint8_t *data, struct xfs_finding *why)
{
	uint64_t lsn = f && f->lsn != XFS_NO_POS ? xfs_be64(data + f->lsn) : 0;

	if (!xfs_lsn_is_wild(lsn) || xfs_finding_mutant(XFS_F_BLOCK_LSN))
		return 0;
	if (why) {
		*why = xfs_finding_of(XFS_F_BLOCK_LSN, f->name);
		why->field = "lsn";
		why->found = lsn;
	}
	return -XFS_E_CORRUPT;
}

static void say_where(const struct xfs_geometry *g, uint64_t daddr, struct xfs_finding *why)
{
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	if (!why || daddr == XFS_NULL64)
		return;
	xfs_daddr_ag(g, XFS_DADDR(daddr), &agno, &agbno);
	why->agno = agno.v;
	why->agbno = agbno.v;
}

int xfs_block_verify(const struct xfs_block_ctx *ctx, enum xfs_block_kind kind, const uint8_t *data, uint32_t len,
		     uint64_t daddr, struct xfs_finding *why)
{
	const struct xfs_geometry *g = ctx->geo;
	const struct xfs_block_facts facts = { g->v5, g->uuid, daddr == XFS_NULL64 ? NULL : &daddr, NULL };
	const struct xfs_blockform *f = xfs_block_form(kind, g->v5, data, len);
	int err;

	if (!g->v5 && kinds[kind].bare)
		return 0;
	err = xfs_blockform_verify(f ? f : first_form(kind), &facts, data, len, why);
	/* a wrong checksum is reported only when nothing else is wrong */
	if ((!err || err == -XFS_E_BADCRC) && xfs_blockform_check_btree(f, g->v5, data, len, why))
		err = -XFS_E_CORRUPT;
	if (!err && g->v5 && ctx->no_wild_lsn && has_names(kind))
		err = check_lsn(f, data, why);
	if (err)
		say_where(g, daddr, why);
	else if (g->v5)
		note_lsn(ctx, f, data);
	return err;
}

/* The form with this magic: the block's own magic may hold the flipped bit. */
static const struct xfs_blockform *form_of_magic(enum xfs_block_kind kind, uint32_t magic5)
{
	for (const struct xfs_blockform *f = xfs_blockforms; *f->name; f++)
		if (f->type == kinds[kind].type && f->magic5 == magic5)
			return f;
	return NULL;
}

bool xfs_block_mend(const struct xfs_block_ctx *ctx, enum xfs_block_kind kind, uint8_t *data, uint32_t len,
		    uint64_t daddr, size_t *byte, unsigned *bit)
{
	for (int i = 0; ctx->geo->v5 && i < 3 && kinds[kind].magic5[i]; i++) {
		const struct xfs_blockform *f = form_of_magic(kind, kinds[kind].magic5[i]);

		if (!f || f->crc == XFS_NO_POS || f->crc + 4u > len ||
		    !xfs_crc32c_find_flip(data, len, f->crc, byte, bit))
			continue;
		data[*byte] ^= (uint8_t)(1u << *bit);
		if (xfs_block_form(kind, true, data, len) == f &&
		    !xfs_block_verify(ctx, kind, data, len, daddr, NULL))
			return true;
		data[*byte] ^= (uint8_t)(1u << *bit);
	}
	return false;
}

static void seal(const struct xfs_block_ctx *ctx, enum xfs_block_kind kind, struct xfs_buf *b)
{
	const struct xfs_blockform *f = xfs_block_form(kind, ctx->geo->v5, b->data, b->len);

	if (f)
		xfs_blockform_seal(f, ctx->geo->v5, b->data, b->len);
}

/* One verifier and one sealer a kind: they get only the buffer. */
#define FUNCTIONS(k)												\
	static int verify_##k(const void *ctx, const struct xfs_buf *b, struct xfs_finding *why)		\
	{													\
		return xfs_block_verify(ctx, XFS_BLK_##k, b->data, b->len, b->extents[0].daddr, why);		\
	}													\
	static void seal_##k(const void *ctx, struct xfs_buf *b)						\
	{													\
		seal(ctx, XFS_BLK_##k, b);									\
	}													\
	static bool mend_##k(const void *ctx, struct xfs_buf *b, size_t *byte, unsigned *bit)			\
	{													\
		return xfs_block_mend(ctx, XFS_BLK_##k, b->data, b->len, b->extents[0].daddr, byte, bit);	\
	}
#define KINDS(X)												\
	X(SB) X(AGF) X(AGI) X(AGFL) X(BNOBT) X(CNTBT) X(INOBT) X(FINOBT) X(RMAPBT) X(REFCBT) X(BMBT)		\
	X(RTRMAPBT) X(RTREFCBT) X(DIR_BLOCK) X(DIR_DATA) X(DIR_LEAF1) X(DIR_LEAFN) X(DIR_FREE) X(DA_NODE)	\
	X(ATTR_LEAF)												\
	X(ATTR_REMOTE) X(SYMLINK) X(DIR_ANYDATA) X(DIR_ANYLEAF) X(ATTR_ANY) X(RT_BITMAP) X(RT_SUMMARY)
KINDS(FUNCTIONS)

#define TYPE(k) [XFS_BLK_##k] = { .name = #k, .verify = verify_##k, .seal = seal_##k, .mend = mend_##k },
const struct xfs_buf_type xfs_buf_types[XFS_BLK_KINDS] = {
	KINDS(TYPE)
	[XFS_BLK_INODES] = { .name = "INODES" },
};
