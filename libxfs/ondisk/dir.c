/* SPDX-License-Identifier: BSD-2-Clause */
/* dir.c - headers of directory blocks in one native form for both versions, and the tables of all directory blocks. */
#include "libxfs/ondisk/dir.h"

void xfs_dir_leaf_hdr_load(struct xfs_dir3_leaf_hdr *out, const uint8_t *p, bool v5)
{
	struct xfs_dir2_leaf_hdr h;

	if (v5) {
		xfs_dir3_leaf_hdr_decode(out, p);
		return;
	}
	xfs_dir2_leaf_hdr_decode(&h, p);
	*out = (struct xfs_dir3_leaf_hdr){ .forw = h.forw, .back = h.back, .magic = h.magic, .pad = h.pad,
					   .count = h.count, .stale = h.stale };
}

void xfs_dir_leaf_hdr_store(uint8_t *p, const struct xfs_dir3_leaf_hdr *in, bool v5)
{
	struct xfs_dir2_leaf_hdr h = { .forw = in->forw, .back = in->back, .magic = in->magic, .pad = in->pad,
				       .count = in->count, .stale = in->stale };

	if (v5)
		xfs_dir3_leaf_hdr_encode(p, in);
	else
		xfs_dir2_leaf_hdr_encode(p, &h);
}

void xfs_da_node_hdr_load(struct xfs_da3_node_hdr *out, const uint8_t *p, bool v5)
{
	struct xfs_da_node_hdr h;

	if (v5) {
		xfs_da3_node_hdr_decode(out, p);
		return;
	}
	xfs_da_node_hdr_decode(&h, p);
	*out = (struct xfs_da3_node_hdr){ .forw = h.forw, .back = h.back, .magic = h.magic, .pad = h.pad,
					  .count = h.count, .level = h.level };
}

void xfs_da_node_hdr_store(uint8_t *p, const struct xfs_da3_node_hdr *in, bool v5)
{
	struct xfs_da_node_hdr h = { .forw = in->forw, .back = in->back, .magic = in->magic, .pad = in->pad,
				     .count = in->count, .level = in->level };

	if (v5)
		xfs_da3_node_hdr_encode(p, in);
	else
		xfs_da_node_hdr_encode(p, &h);
}

void xfs_dir_free_hdr_load(struct xfs_dir3_free_hdr *out, const uint8_t *p, bool v5)
{
	struct xfs_dir2_free_hdr h;

	if (v5) {
		xfs_dir3_free_hdr_decode(out, p);
		return;
	}
	xfs_dir2_free_hdr_decode(&h, p);
	*out = (struct xfs_dir3_free_hdr){ .magic = h.magic, .firstdb = h.firstdb, .nvalid = h.nvalid,
					   .nused = h.nused };
}

void xfs_dir_free_hdr_store(uint8_t *p, const struct xfs_dir3_free_hdr *in, bool v5)
{
	struct xfs_dir2_free_hdr h = { .magic = in->magic, .firstdb = in->firstdb, .nvalid = in->nvalid,
				       .nused = in->nused };

	if (v5)
		xfs_dir3_free_hdr_encode(p, in);
	else
		xfs_dir2_free_hdr_encode(p, &h);
}

uint32_t xfs_dir_block_leaf_count(const uint8_t *p, bool v5, uint32_t dirsize)
{
	uint32_t tail = (uint32_t)sizeof(struct xfs_dir_block_tail_disk), head = xfs_dir_data_header_len(v5);

	if (dirsize < head + tail)
		return 0;
	return (uint32_t)xfs_min(xfs_be32(p + dirsize - tail), (dirsize - head - tail) / 8);
}

uint32_t xfs_dir_data_end(const uint8_t *p, bool v5, uint32_t dirsize)
{
	if (!xfs_dir_is_block_magic(xfs_be32(p)))
		return dirsize;
	return xfs_dir_block_leaf_off(dirsize, xfs_dir_block_leaf_count(p, v5, dirsize));
}

/* ---- tables ---- */

/* Sizes the tables work with; a buffer shorter than a directory block bounds everything. */
static uint32_t dsize(const struct xfs_ctx *c)
{
	return (uint32_t)xfs_min(c->dirblksize, c->len);
}

static uint32_t magic32(const struct xfs_ctx *c)
{
	return xfs_be32(c->p);
}

static uint32_t magic16(const struct xfs_ctx *c)
{
	return xfs_be16(c->p + XFS_OFF(da_info, magic));
}

/* Each kind of block; a V4 magic in a V5 filesystem (or the reverse) doesn't count. */
#define KIND(name, get, old, new)								\
	static bool name(const struct xfs_ctx *c, size_t off)					\
	{ (void)off; return get(c) == (c->v5 ? (new) : (old)); }
KIND(dir_is_block, magic32, XFS_DIR2_BLOCK_MAGIC, XFS_DIR3_BLOCK_MAGIC)
KIND(dir_is_data, magic32, XFS_DIR2_DATA_MAGIC, XFS_DIR3_DATA_MAGIC)
KIND(dir_is_free, magic32, XFS_DIR2_FREE_MAGIC, XFS_DIR3_FREE_MAGIC)
KIND(dir_is_leaf1, magic16, XFS_DIR2_LEAF1_MAGIC, XFS_DIR3_LEAF1_MAGIC)
KIND(dir_is_leafn, magic16, XFS_DIR2_LEAFN_MAGIC, XFS_DIR3_LEAFN_MAGIC)
KIND(dir_is_node, magic16, XFS_DA_NODE_MAGIC, XFS_DA3_NODE_MAGIC)

static bool dir_is_leaf(const struct xfs_ctx *c, size_t off)
{
	return dir_is_leaf1(c, off) || dir_is_leafn(c, off);
}

static size_t here(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off;
}

static size_t three(const struct xfs_ctx *c, size_t off)
{
	(void)c;
	(void)off;
	return XFS_DIR_BESTS;
}

static size_t best_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_dir_bestfree_off(c->v5) + 4 * k;
}

/* Data area: used entries and free areas, each as long as it says; a bad one takes the rest. */

static size_t area_end(const struct xfs_ctx *c)
{
	return xfs_dir_data_end(c->p, c->v5, dsize(c));
}

static bool dir_is_unused(const struct xfs_ctx *c, size_t off)
{
	return off + 2 <= c->len && xfs_be16(c->p + off) == XFS_DIR_FREE_TAG;
}

static bool dir_is_used(const struct xfs_ctx *c, size_t off)
{
	return !dir_is_unused(c, off);
}

static size_t area_len(const struct xfs_ctx *c, size_t at)
{
	size_t rest = area_end(c) - at, len;

	if (rest < sizeof(struct xfs_dir_data_ent_disk))
		return rest;
	if (dir_is_unused(c, at))
		len = xfs_dir_data_unused_get_length((const void *)(c->p + at));
	else
		len = xfs_dir_data_entsize(c->ftype, xfs_dir_data_ent_get_namelen((const void *)(c->p + at)));
	return len < XFS_DIR_ALIGN || len % XFS_DIR_ALIGN || len > rest ? rest : len;
}

static size_t area_next(const struct xfs_ctx *c, size_t off, size_t at)
{
	(void)off;
	return at + area_len(c, at);
}

static size_t area_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	size_t at = off + xfs_dir_data_header_len(c->v5);

	while (k-- && at < area_end(c))
		at += area_len(c, at);
	return at;
}

static size_t area_count(const struct xfs_ctx *c, size_t off)
{
	size_t n = 0, end = area_end(c);

	for (size_t at = area_at(c, off, 0); at + XFS_DIR_ALIGN <= end; at += area_len(c, at))
		n++;
	return n;
}

static size_t ent_name_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off + sizeof(struct xfs_dir_data_ent_disk);
}

static size_t ent_namelen(const struct xfs_ctx *c, size_t off)
{
	size_t room = area_len(c, off), head = sizeof(struct xfs_dir_data_ent_disk);

	return room < head ? 0 : (size_t)xfs_min(xfs_dir_data_ent_get_namelen((const void *)(c->p + off)), room - head);
}

static size_t ent_tag_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return off + area_len(c, off) - 2;
}

/* The byte behind the name.  A free area has no file type: xfs_db shows the first byte of its tag. */
static size_t ent_ftype_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	if (dir_is_unused(c, off))
		return ent_tag_at(c, off, 0);
	return ent_name_at(c, off, 0) + (off + 9 <= c->len ? c->p[off + 8] : 0u);
}

/* The type dir2 has no such field, not even where V4 entries have one. */
static bool dir_ftype(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->v5 && c->ftype;
}

static const struct xfs_row data_union_rows[] = {
	XFS_DIR_DATA_UNUSED_ROWS(unused, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_DIR_DATA_ENT_ROWS(ent, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_ROW_TEXT_(name, ent_name_at, ent_namelen, XF_CHR, dir_is_used)
	XFS_ROW_AT_(filetype, 8, XF_DEC, XT_NONE, ent_ftype_at, dir_ftype)
	XFS_ROW_AT_(tag, 16, XF_OFF, XT_NONE, ent_tag_at, NULL)
};
static XFS_DESC_DEFINE(data_union, 0, data_union_rows);

/* Leaf arrays. */

static size_t bleaf_count(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_dir_block_leaf_count(c->p, c->v5, dsize(c));
}

static size_t bleaf_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_dir_block_leaf_off(dsize(c), (uint32_t)bleaf_count(c, off)) + 8 * k;
}

static size_t btail_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return off + dsize(c) - sizeof(struct xfs_dir_block_tail_disk);
}

static size_t ltail_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return off + dsize(c) - sizeof(struct xfs_dir_leaf_tail_disk);
}

static size_t ents_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_da_header_len(c->v5) + 8 * k;
}

/* The count is the first member behind the common header, in leaves and nodes alike. */
static size_t ents_count(const struct xfs_ctx *c, size_t off)
{
	return (size_t)xfs_min(xfs_be16(c->p + off + xfs_da_info_len(c->v5)), xfs_da_maxents(c->v5, dsize(c)));
}

static size_t lbests_count(const struct xfs_ctx *c, size_t off)
{
	uint32_t want = xfs_dir_leaf_tail_get_bestcount((const void *)(c->p + ltail_at(c, off, 0)));

	return (size_t)xfs_min(want, (dsize(c) - xfs_da_header_len(c->v5) - 4) / 2);
}

static size_t lbests_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return ltail_at(c, off, 0) - 2 * (lbests_count(c, off) - k);
}

/* nvalid entries; a negative or huge one is what fits. */
static size_t fbests_count(const struct xfs_ctx *c, size_t off)
{
	struct xfs_dir3_free_hdr h;

	xfs_dir_free_hdr_load(&h, c->p + off, c->v5);
	return (size_t)xfs_min(h.nvalid, xfs_dir_free_maxbests(c->v5, dsize(c)));
}

static size_t fbests_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_dir_free_header_len(c->v5) + 2 * k;
}

XFS_STRUCT_DEFINE(dir_sf_hdr, XFS_DIR_SF_HDR_ROWS);
XFS_STRUCT_DEFINE(dir_sf_ent, XFS_DIR_SF_ENT_ROWS);
XFS_STRUCT_DEFINE(dir_blkhdr, XFS_DIR_BLKHDR_ROWS);
XFS_STRUCT_DEFINE(dir_best, XFS_DIR_BEST_ROWS);
XFS_STRUCT_DEFINE(dir_data_ent, XFS_DIR_DATA_ENT_ROWS);
XFS_STRUCT_DEFINE(dir_data_unused, XFS_DIR_DATA_UNUSED_ROWS);
XFS_STRUCT_DEFINE(dir_leaf_ent, XFS_DIR_LEAF_ENT_ROWS);
XFS_STRUCT_DEFINE(dir_block_tail, XFS_DIR_BLOCK_TAIL_ROWS);
XFS_STRUCT_DEFINE(da_info, XFS_DA_INFO_ROWS);
XFS_STRUCT_DEFINE(da3_blkinfo, XFS_DA3_BLKINFO_ROWS);
XFS_STRUCT_DEFINE(dir2_leaf_hdr, XFS_DIR2_LEAF_HDR_ROWS);
XFS_STRUCT_DEFINE(dir3_leaf_hdr, XFS_DIR3_LEAF_HDR_ROWS);
XFS_STRUCT_DEFINE(da_node_hdr, XFS_DA_NODE_HDR_ROWS);
XFS_STRUCT_DEFINE(da3_node_hdr, XFS_DA3_NODE_HDR_ROWS);
XFS_STRUCT_DEFINE(da_node_ent, XFS_DA_NODE_ENT_ROWS);
XFS_STRUCT_DEFINE(dir_leaf_tail, XFS_DIR_LEAF_TAIL_ROWS);
XFS_STRUCT_DEFINE(dir2_free_hdr, XFS_DIR2_FREE_HDR_ROWS);
XFS_STRUCT_DEFINE(dir3_free_hdr, XFS_DIR3_FREE_HDR_ROWS);

/* info of V5 da blocks: the old header inside */
static const struct xfs_row da3_info_rows[] = {
	XFS_ROW_A_(info, hdr, xfs_da_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DA3_INFO_TAIL_ROWS(info, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
};
XFS_DESC_DEFINE(da3_info, 56, da3_info_rows);

/* Headers as users see them, V4 and V5. */
static const struct xfs_row data_hdr2_rows[] = {
	XFS_ROW_F_(hdr, magic, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)
	XFS_ROW_A_(hdr, bestfree, xfs_dir_best_desc, 0, 0, three, best_at, NULL)
};
static XFS_DESC_DEFINE(data_hdr2, 16, data_hdr2_rows);
static const struct xfs_row data_hdr3_rows[] = {
	XFS_ROW_A_(hdr, hdr, xfs_dir_blkhdr_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_ROW_A_(hdr, bestfree, xfs_dir_best_desc, 0, 0, three, best_at, NULL)
	XFS_ROW_F_(hdr, pad, 480, 32, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
};
static XFS_DESC_DEFINE(data_hdr3, 64, data_hdr3_rows);
static const struct xfs_row leaf_hdr2_rows[] = {
	XFS_ROW_A_(hdr, info, xfs_da_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DIR_LEAF_TOP_ROWS(hdr, XFS_ROW_F_, 96)
};
static XFS_DESC_DEFINE(leaf_hdr2, 16, leaf_hdr2_rows);
static const struct xfs_row leaf_hdr3_rows[] = {
	XFS_ROW_A_(hdr, info, xfs_da3_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DIR_LEAF_TOP_ROWS(hdr, XFS_ROW_F_, 448)
	XFS_DA_PAD_ROW(hdr, XFS_ROW_F_, 480)
};
static XFS_DESC_DEFINE(leaf_hdr3, 64, leaf_hdr3_rows);
static const struct xfs_row node_hdr2_rows[] = {
	XFS_ROW_A_(hdr, info, xfs_da_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DA_NODE_TOP_ROWS(hdr, XFS_ROW_F_, 96)
};
XFS_DESC_DEFINE(da_node_hdr2, 16, node_hdr2_rows);
static const struct xfs_row node_hdr3_rows[] = {
	XFS_ROW_A_(hdr, info, xfs_da3_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DA_NODE_TOP_ROWS(hdr, XFS_ROW_F_, 448)
	XFS_DA_PAD_ROW(hdr, XFS_ROW_F_, 480)
};
XFS_DESC_DEFINE(da_node_hdr3, 64, node_hdr3_rows);
static const struct xfs_row free_hdr3_rows[] = {
	XFS_ROW_A_(hdr, hdr, xfs_dir_blkhdr_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_DIR_FREE_TOP_ROWS(hdr, XFS_ROW_F_, 384)
	XFS_DA_PAD_ROW(hdr, XFS_ROW_F_, 480)
};
static XFS_DESC_DEFINE(free_hdr3, 64, free_hdr3_rows);

static const struct xfs_row lbest_rows[] = { XFS_ROW_F_(best, best, 0, 16, XO_BE, XF_OFF, NULL, XT_NONE) };
static XFS_DESC_DEFINE(lbest, 2, lbest_rows);
static const struct xfs_row fbest_rows[] = { XFS_ROW_F_(best, best, 0, 16, XO_BE, XF_OFFZ, NULL, XT_NONE) };
static XFS_DESC_DEFINE(fbest, 2, fbest_rows);

#define DIR_BLOCK(S, data_hdr, leaf_hdr, node_hdr, free_hdr) \
	static const struct xfs_row S##_rows[] = { \
		XFS_ROW_A_(S, bhdr, xfs_##data_hdr##_desc, XA_ONE, 0, NULL, here, dir_is_block) \
		XFS_ROW_WALK_(bu, xfs_data_union_desc, 0, 0, area_count, area_at, area_next, dir_is_block) \
		XFS_ROW_A_(S, bleaf, xfs_dir_leaf_ent_desc, 0, 0, bleaf_count, bleaf_at, dir_is_block) \
		XFS_ROW_A_(S, btail, xfs_dir_block_tail_desc, XA_ONE, 0, NULL, btail_at, dir_is_block) \
		XFS_ROW_A_(S, dhdr, xfs_##data_hdr##_desc, XA_ONE, 0, NULL, here, dir_is_data) \
		XFS_ROW_WALK_(du, xfs_data_union_desc, 0, 0, area_count, area_at, area_next, dir_is_data) \
		XFS_ROW_A_(S, lhdr, xfs_##leaf_hdr##_desc, XA_ONE, 0, NULL, here, dir_is_leaf) \
		XFS_ROW_A_(S, lbests, xfs_lbest_desc, XA_SCALAR, 0, lbests_count, lbests_at, dir_is_leaf1) \
		XFS_ROW_A_(S, lents, xfs_dir_leaf_ent_desc, 0, 0, ents_count, ents_at, dir_is_leaf) \
		XFS_ROW_A_(S, ltail, xfs_dir_leaf_tail_desc, XA_ONE, 0, NULL, ltail_at, dir_is_leaf1) \
		XFS_ROW_A_(S, nhdr, xfs_##node_hdr##_desc, XA_ONE, 0, NULL, here, dir_is_node) \
		XFS_ROW_A_(S, nbtree, xfs_da_node_ent_desc, XA_REC, 0, ents_count, ents_at, dir_is_node) \
		XFS_ROW_A_(S, fhdr, xfs_##free_hdr##_desc, XA_ONE, 0, NULL, here, dir_is_free) \
		XFS_ROW_A_(S, fbests, xfs_fbest_desc, XA_SCALAR, 0, fbests_count, fbests_at, dir_is_free) }; \
	XFS_DESC_DEFINE(S, 64, S##_rows)
DIR_BLOCK(dir2, data_hdr2, leaf_hdr2, da_node_hdr2, dir2_free_hdr);
DIR_BLOCK(dir3, data_hdr3, leaf_hdr3, da_node_hdr3, free_hdr3);
