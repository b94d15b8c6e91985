/* SPDX-License-Identifier: BSD-2-Clause */
/* attr.c - tables of attribute blocks, remote values and remote symlinks. */
#include "libxfs/ondisk/attr.h"

void xfs_attr_leaf_hdr_load(struct xfs_attr_leaf_hdr *out, const uint8_t *p, bool v5)
{
	struct xfs_attr_leaf_hdr_v4 h;

	if (v5) {
		xfs_attr_leaf_hdr_decode(out, p);
		return;
	}
	xfs_attr_leaf_hdr_v4_decode(&h, p);
	*out = (struct xfs_attr_leaf_hdr){ .forw = h.forw, .back = h.back, .magic = h.magic, .pad = h.pad,
					   .count = h.count, .usedbytes = h.usedbytes, .firstused = h.firstused,
					   .holes = h.holes, .pad1 = h.pad1 };
}

void xfs_attr_leaf_hdr_store(uint8_t *p, const struct xfs_attr_leaf_hdr *in, bool v5)
{
	struct xfs_attr_leaf_hdr_v4 h = { .forw = in->forw, .back = in->back, .magic = in->magic, .pad = in->pad,
					  .count = in->count, .usedbytes = in->usedbytes,
					  .firstused = in->firstused, .holes = in->holes, .pad1 = in->pad1 };

	if (v5)
		xfs_attr_leaf_hdr_encode(p, in);
	else
		xfs_attr_leaf_hdr_v4_encode(p, &h);
}

static uint32_t bsize(const struct xfs_ctx *c)
{
	return (uint32_t)xfs_min(c->blocksize, c->len);
}

static uint32_t magic16(const struct xfs_ctx *c)
{
	return xfs_be16(c->p + XFS_OFF(da_info, magic));
}

static bool at_leaf(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return magic16(c) == (c->v5 ? XFS_ATTR_LEAF_MAGIC : XFS_ATTR_LEAF_MAGIC_V4);
}

static bool at_node(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return magic16(c) == (c->v5 ? XFS_DA3_NODE_MAGIC : XFS_DA_NODE_MAGIC);
}

/* V4 has no header of remote blocks: whatever else a block is. */
static bool at_remote(const struct xfs_ctx *c, size_t off)
{
	return c->v5 ? xfs_be32(c->p) == XFS_ATTR_REMOTE_MAGIC : !at_leaf(c, off) && !at_node(c, off);
}

static size_t here(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off;
}

static size_t freemaps(const struct xfs_ctx *c, size_t off)
{
	(void)c;
	(void)off;
	return XFS_ATTR_FREEMAPS;
}

static size_t freemap_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_attr_freemap_off(c->v5) + 4 * k;
}

static size_t ent_count(const struct xfs_ctx *c, size_t off)
{
	return (size_t)xfs_min(xfs_be16(c->p + off + xfs_da_info_len(c->v5)), xfs_attr_leaf_maxents(c->v5, bsize(c)));
}

static size_t ent_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_attr_leaf_header_len(c->v5) + 8 * k;
}

static size_t node_count(const struct xfs_ctx *c, size_t off)
{
	return (size_t)xfs_min(xfs_be16(c->p + off + xfs_da_info_len(c->v5)), xfs_da_maxents(c->v5, bsize(c)));
}

static size_t node_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return off + xfs_da_header_len(c->v5) + 8 * k;
}

/*
 * Name records.  An element of nvlist is asked about by the offset of its *entry*, which says where the record lies
 * and of which kind it is.
 */
static size_t nv_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return xfs_attr_leaf_ent_get_nameidx((const void *)(c->p + off));
}

static bool nv_local(const struct xfs_ctx *c, size_t off)
{
	return (xfs_attr_leaf_ent_get_flags((const void *)(c->p + off)) & XFS_ATTR_LOCAL) != 0;
}

static bool nv_remote(const struct xfs_ctx *c, size_t off)
{
	return !nv_local(c, off);
}

static size_t nv_name_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return nv_at(c, off, 0) +
	       (nv_local(c, off) ? sizeof(struct xfs_attr_local_disk) : sizeof(struct xfs_attr_remote_disk));
}

/* At most `want` bytes from `at` on that lie in the block. */
static size_t clip(const struct xfs_ctx *c, size_t at, size_t want)
{
	return at >= bsize(c) ? 0 : (size_t)xfs_min(want, bsize(c) - at);
}

static size_t nv_namelen(const struct xfs_ctx *c, size_t off)
{
	size_t at = nv_name_at(c, off, 0);

	/* the length is the last byte of the fixed part of both kinds */
	return at > bsize(c) ? 0 : clip(c, at, c->p[at - 1]);
}

static size_t nv_value_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return nv_name_at(c, off, 0) + nv_namelen(c, off);
}

static size_t nv_valuelen(const struct xfs_ctx *c, size_t off)
{
	size_t at = nv_at(c, off, 0);

	if (at + sizeof(struct xfs_attr_local_disk) > bsize(c))
		return 0;
	return clip(c, nv_value_at(c, off, 0), xfs_attr_local_get_valuelen((const void *)(c->p + at)));
}

static bool nv_parent(const struct xfs_ctx *c, size_t off)
{
	return nv_local(c, off) && (xfs_attr_leaf_ent_get_flags((const void *)(c->p + off)) & XFS_ATTR_PARENT) &&
	       nv_valuelen(c, off) == sizeof(struct xfs_parent_rec_disk);
}

static bool nv_plain(const struct xfs_ctx *c, size_t off)
{
	return nv_local(c, off) && !nv_parent(c, off);
}

/* Remote values and symlinks: as many bytes as the header says and the buffer has. */
static size_t rmt_len(const struct xfs_ctx *c, size_t at, size_t end)
{
	size_t head = xfs_remote_header_len(c->v5);

	if (at + head >= end)
		return 0;
	if (!c->v5)
		return end - at;
	return (size_t)xfs_min(xfs_attr_rmt_hdr_get_bytes((const void *)(c->p + at)), end - at - head);
}

static size_t rmt_data_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return off + xfs_remote_header_len(c->v5);
}

static size_t rmt_value_len(const struct xfs_ctx *c, size_t off)
{
	return rmt_len(c, off, bsize(c));
}

static bool symlink_good(const struct xfs_ctx *c, size_t off)
{
	return xfs_symlink_hdr_get_magic((const void *)(c->p + off)) == XFS_SYMLINK_MAGIC;
}

static size_t symlink_len(const struct xfs_ctx *c, size_t off)
{
	return rmt_len(c, off, c->len);
}

XFS_STRUCT_DEFINE(attr_sf_hdr, XFS_ATTR_SF_HDR_ROWS);
XFS_STRUCT_DEFINE(attr_sf_ent, XFS_ATTR_SF_ENT_ROWS);
XFS_STRUCT_DEFINE(parent_rec, XFS_PARENT_REC_ROWS);
XFS_STRUCT_DEFINE(attr_leaf_hdr_v4, XFS_ATTR_LEAF_HDR_V4_ROWS);
XFS_STRUCT_DEFINE(attr_leaf_hdr, XFS_ATTR_LEAF_HDR_ROWS);
XFS_STRUCT_DEFINE(attr_freemap, XFS_ATTR_FREEMAP_ROWS);
XFS_STRUCT_DEFINE(attr_leaf_ent, XFS_ATTR_LEAF_ENT_ROWS);
XFS_STRUCT_DEFINE(attr_local, XFS_ATTR_LOCAL_ROWS);
XFS_STRUCT_DEFINE(attr_remote, XFS_ATTR_REMOTE_ROWS);
XFS_STRUCT_DEFINE(attr_rmt_hdr, XFS_REMOTE_HDR_ROWS);
XFS_STRUCT_DEFINE(symlink_hdr, XFS_REMOTE_HDR_ROWS);

static const struct xfs_row leaf_hdr2_rows[] = {
	XFS_ROW_A_(hdr, info, xfs_da_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_ATTR_LEAF_TOP_ROWS(hdr, XFS_ROW_F_, 96)
	XFS_ROW_A_(hdr, freemap, xfs_attr_freemap_desc, XA_REC, 0, freemaps, freemap_at, NULL)
};
static XFS_DESC_DEFINE(aleaf_hdr2, 32, leaf_hdr2_rows);
static const struct xfs_row leaf_hdr3_rows[] = {
	XFS_ROW_A_(hdr, info, xfs_da3_info_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_ATTR_LEAF_TOP_ROWS(hdr, XFS_ROW_F_, 448)
	XFS_ROW_A_(hdr, freemap, xfs_attr_freemap_desc, XA_REC, 0, freemaps, freemap_at, NULL)
	XFS_ROW_F_(hdr, pad2, 608, 32, XO_BE, XF_DEC | XF_HIDE, NULL, XT_NONE)
};
static XFS_DESC_DEFINE(aleaf_hdr3, 80, leaf_hdr3_rows);

#define NV_ROW(n, o, b, or, fm, t, w) \
	{ .name = #n, .kind = XR_BITS, .order = or, .fmt = fm, .to = t, .bit = o, .bits = b, .when = w, .at = nv_at },
#define NV_LOCAL_F(S, n, o, b, or, fm, w, t) NV_ROW(n, o, b, or, fm, t, nv_local)
#define NV_REMOTE_F(S, n, o, b, or, fm, w, t) NV_ROW(n, o, b, or, fm, t, nv_remote)
static const struct xfs_row nv_rows[] = {
	XFS_ATTR_LOCAL_ROWS(nv, NV_LOCAL_F, XFS_NONE_F_, XFS_NONE_B_, XFS_NONE_A_)
	XFS_ATTR_REMOTE_ROWS(nv, NV_REMOTE_F, XFS_NONE_F_, XFS_NONE_B_, XFS_NONE_A_)
	XFS_ROW_TEXT_(name, nv_name_at, nv_namelen, XF_CHR, NULL)
	XFS_ROW_A_(nv, parent_dir, xfs_parent_rec_desc, XA_ONE, 0, NULL, nv_value_at, nv_parent)
	XFS_ROW_TEXT_(value, nv_value_at, nv_valuelen, XF_CHR, nv_plain)
};
static XFS_DESC_DEFINE(nv, 0, nv_rows);

#define ATTR_ROWS(S, leaf_hdr, node_hdr) \
	XFS_ROW_A_(S, hdr, xfs_##leaf_hdr##_desc, XA_ONE, 0, NULL, here, at_leaf) \
	XFS_ROW_A_(S, hdr, xfs_##node_hdr##_desc, XA_ONE, 0, NULL, here, at_node) \
	XFS_ROW_A_(S, entries, xfs_attr_leaf_ent_desc, XA_REC, 0, ent_count, ent_at, at_leaf) \
	XFS_ROW_A_(S, btree, xfs_da_node_ent_desc, XA_REC, 0, node_count, node_at, at_node) \
	XFS_ROW_A_(S, nvlist, xfs_nv_desc, 0, 0, ent_count, ent_at, at_leaf)
static const struct xfs_row attr_rows[] = {
	ATTR_ROWS(attr, aleaf_hdr2, da_node_hdr2)
	XFS_ROW_TEXT_(data, rmt_data_at, rmt_value_len, XF_CHR, at_remote)
};
XFS_DESC_DEFINE(attr, 80, attr_rows);
static const struct xfs_row attr3_rows[] = {
	ATTR_ROWS(attr3, aleaf_hdr3, da_node_hdr3)
	XFS_ROW_A_(attr3, hdr, xfs_attr_rmt_hdr_desc, XA_ONE, 0, NULL, here, at_remote)
	XFS_ROW_TEXT_(data, rmt_data_at, rmt_value_len, XF_CHR, at_remote)
};
XFS_DESC_DEFINE(attr3, 80, attr3_rows);

static const struct xfs_row symlink_rows[] = {
	XFS_REMOTE_HDR_ROWS(symlink, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_ROW_TEXT_(data, rmt_data_at, symlink_len, XF_CHR, symlink_good)
};
XFS_DESC_DEFINE(symlink, 56, symlink_rows);
