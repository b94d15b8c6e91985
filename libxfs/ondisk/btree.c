/* SPDX-License-Identifier: BSD-2-Clause */
/* btree.c - tables of btree blocks: header, records, key pairs, pointers. */
#include "libxfs/ondisk/btree.h"

const struct xfs_btree_shape xfs_btree_shape_alloc = { 8, 8, 4, false, 0 };
const struct xfs_btree_shape xfs_btree_shape_inobt = { 16, 4, 4, false, 0 };
const struct xfs_btree_shape xfs_btree_shape_rmapbt = { 24, 40, 4, false, 0 };
const struct xfs_btree_shape xfs_btree_shape_refcbt = { 12, 4, 4, false, 0 };
const struct xfs_btree_shape xfs_btree_shape_bmbt = { 16, 8, 8, true, 0 };
const struct xfs_btree_shape xfs_btree_shape_rtrmapbt = { 24, 40, 8, true, 0 };
const struct xfs_btree_shape xfs_btree_shape_rtrefcbt = { 12, 4, 8, true, 4 };

static bool bt_v5(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->v5;
}

static bool inobt_sparse(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->sparse;
}

static bool inobt_full(const struct xfs_ctx *c, size_t off)
{
	return !inobt_sparse(c, off);
}

static bool is_leaf(const struct xfs_ctx *c, size_t off)
{
	return xfs_be16(c->p + off + XFS_OFF(btree_short, level)) == 0;
}

static size_t count_of(const struct xfs_btree_shape *s, const struct xfs_ctx *c, size_t off, bool leaf)
{
	size_t n = xfs_be16(c->p + off + XFS_OFF(btree_short, numrecs));
	size_t most = xfs_btree_maxrecs(s, c->v5, c->blocksize, leaf);

	return is_leaf(c, off) != leaf ? 0 : n < most ? n : most;	/* a hostile count never leaves the block */
}

/* The five functions that place the parts of one shape of block. */
#define PLACE(shape)											\
	static size_t shape##_nrecs(const struct xfs_ctx *c, size_t off)				\
	{ return count_of(&xfs_btree_shape_##shape, c, off, true); }					\
	static size_t shape##_nkeys(const struct xfs_ctx *c, size_t off)				\
	{ return count_of(&xfs_btree_shape_##shape, c, off, false); }					\
	static size_t shape##_rec_at(const struct xfs_ctx *c, size_t off, size_t k)			\
	{ const struct xfs_btree_shape *s = &xfs_btree_shape_##shape;					\
	  return off + xfs_btree_header_len(s, c->v5) + k * s->reclen; }				\
	static size_t shape##_key_at(const struct xfs_ctx *c, size_t off, size_t k)			\
	{ const struct xfs_btree_shape *s = &xfs_btree_shape_##shape;					\
	  return off + xfs_btree_header_len(s, c->v5) + k * s->keylen; }				\
	static size_t shape##_ptr_at(const struct xfs_ctx *c, size_t off, size_t k)			\
	{ const struct xfs_btree_shape *s = &xfs_btree_shape_##shape;					\
	  return off + xfs_btree_ptrs_off(s, c->v5, c->blocksize) + k * s->ptrlen; }
PLACE(alloc)
PLACE(inobt)
PLACE(rmapbt)
PLACE(refcbt)
PLACE(bmbt)
PLACE(rtrmapbt)
PLACE(rtrefcbt)

XFS_STRUCT_DEFINE(btree_short, XFS_BTREE_SHORT_ROWS);
XFS_STRUCT_DEFINE(btree_long, XFS_BTREE_LONG_ROWS);
XFS_STRUCT_DEFINE(bnobt_rec, XFS_BNOBT_REC_ROWS);
XFS_STRUCT_DEFINE(cntbt_key, XFS_CNTBT_KEY_ROWS);
XFS_STRUCT_DEFINE(inobt_rec, XFS_INOBT_REC_ROWS);
XFS_STRUCT_DEFINE(inobt_key, XFS_INOBT_KEY_ROWS);
XFS_STRUCT_DEFINE(bmbt_rec, XFS_BMBT_REC_ROWS);
XFS_STRUCT_DEFINE(bmbt_key, XFS_BMBT_KEY_ROWS);
XFS_STRUCT_DEFINE(rmap_rec, XFS_RMAP_REC_ROWS);
XFS_STRUCT_DEFINE(rmap_keypair, XFS_RMAP_KEYPAIR_ROWS);
XFS_STRUCT_DEFINE(rtrmap_keypair, XFS_RTRMAP_KEYPAIR_ROWS);
XFS_STRUCT_DEFINE(refc_rec, XFS_REFC_REC_ROWS);
XFS_STRUCT_DEFINE(refc_key, XFS_REFC_KEY_ROWS);

/* One pointer table and one block table a tree: header rows of its form, then the parts of its shape. */
#define BLOCK(S, FORM, shape, SIZE, rec, key, ptrbits, ptrfmt, type)					\
	static const struct xfs_row S##_ptr_rows[] = {							\
		{ .name = "ptr", .kind = XR_BITS, .order = XO_BE, .fmt = ptrfmt, .to = type, .bits = ptrbits } }; \
	static const struct xfs_desc S##_ptr_desc = { "ptr", ptrbits / 8, 1, S##_ptr_rows };		\
	static const struct xfs_row S##_rows[] = {							\
		FORM(S, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)					\
		XFS_ROW_A_(S, recs, xfs_##rec##_desc, XA_REC, 1, shape##_nrecs, shape##_rec_at, is_leaf)	\
		XFS_ROW_A_(S, keys, xfs_##key##_desc, XA_REC, 1, shape##_nkeys, shape##_key_at, NULL)	\
		XFS_ROW_A_(S, ptrs, S##_ptr_desc, XA_SCALAR, 1, shape##_nkeys, shape##_ptr_at, NULL) };	\
	const struct xfs_desc xfs_##S##_desc = { #S, SIZE, XFS_ARRAY_ROWS(S##_rows), S##_rows }
#define XFS_ARRAY_ROWS(a) (sizeof(a) / sizeof((a)[0]))

BLOCK(bnobt, XFS_BTREE_SHORT_ROWS, alloc, 56, bnobt_rec, bnobt_rec, 32, XF_AGB, XT_BNOBT);
BLOCK(cntbt, XFS_BTREE_SHORT_ROWS, alloc, 56, bnobt_rec, cntbt_key, 32, XF_AGB, XT_CNTBT);
BLOCK(inobt, XFS_BTREE_SHORT_ROWS, inobt, 56, inobt_rec, inobt_key, 32, XF_AGB, XT_INOBT);
BLOCK(finobt, XFS_BTREE_SHORT_ROWS, inobt, 56, inobt_rec, inobt_key, 32, XF_AGB, XT_FINOBT);
BLOCK(rmapbt, XFS_BTREE_SHORT_ROWS, rmapbt, 56, rmap_rec, rmap_keypair, 32, XF_AGB, XT_RMAPBT);
BLOCK(refcntbt, XFS_BTREE_SHORT_ROWS, refcbt, 56, refc_rec, refc_key, 32, XF_AGB, XT_REFCBT);
BLOCK(bmapbta, XFS_BTREE_LONG_ROWS, bmbt, 72, bmbt_rec, bmbt_key, 64, XF_FSB, XT_BMAPBTA);
BLOCK(bmapbtd, XFS_BTREE_LONG_ROWS, bmbt, 72, bmbt_rec, bmbt_key, 64, XF_FSB, XT_BMAPBTD);
BLOCK(rtrmapbt, XFS_BTREE_LONG_ROWS, rtrmapbt, 72, rmap_rec, rtrmap_keypair, 64, XF_FSB, XT_RTRMAPBT);
BLOCK(rtrefcntbt, XFS_BTREE_LONG_ROWS, rtrefcbt, 72, refc_rec, refc_key, 64, XF_FSB, XT_RTREFCBT);
