/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inode_forks.c - tables of what the forks of an inode hold: extents, btree roots, short directories and attributes.
 *
 * The buffer starts with the inode, so every function finds the sizes of the forks there; `off` is the start of the
 * part asked about.  Nothing reaches behind the fork that it lies in.
 */
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/dir.h"
#include "libxfs/ondisk/inode.h"

static const struct xfs_dinode_core_disk *core_of(const struct xfs_ctx *c)
{
	return (const void *)c->p;
}

static size_t fork_at(const struct xfs_ctx *c, enum xfs_fork fork)
{
	return xfs_dinode_fork_off(xfs_dinode_core_get_version(core_of(c)), xfs_dinode_core_get_forkoff(core_of(c)),
				   c->inodesize, fork);
}

static uint32_t fork_size(const struct xfs_ctx *c, enum xfs_fork fork)
{
	uint32_t size = xfs_dinode_fork_size(xfs_dinode_core_get_version(core_of(c)),
					     xfs_dinode_core_get_forkoff(core_of(c)), c->inodesize, fork);
	size_t start = fork_at(c, fork);

	return start >= c->len ? 0 : (uint32_t)xfs_min(size, c->len - start);
}

static enum xfs_fork fork_of(const struct xfs_ctx *c, size_t off)
{
	return off < fork_at(c, XFS_FORK_ATTR) ? XFS_FORK_DATA : XFS_FORK_ATTR;
}

/* First byte behind the fork that holds `off`. */
static size_t fork_end(const struct xfs_ctx *c, size_t off)
{
	enum xfs_fork fork = fork_of(c, off);

	return fork_at(c, fork) + fork_size(c, fork);
}

static size_t data_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)off;
	(void)k;
	return fork_at(c, XFS_FORK_DATA);
}

static size_t attr_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)off;
	(void)k;
	return fork_at(c, XFS_FORK_ATTR);
}

static size_t here(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off;
}

static bool ino_v5(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return c->v5;
}

static bool ino_v4(const struct xfs_ctx *c, size_t off)
{
	return !ino_v5(c, off);
}

static bool ino_has_attr(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_dinode_core_get_forkoff(core_of(c)) != 0;
}

/* ---- which member of a fork exists ---- */

static bool data_is(const struct xfs_ctx *c, enum xfs_dinode_fmt fmt)
{
	return xfs_dinode_core_get_format(core_of(c)) == fmt && fork_size(c, XFS_FORK_DATA) >= 4;
}

static bool data_is_local(const struct xfs_ctx *c, unsigned type)
{
	return data_is(c, XFS_DINODE_FMT_LOCAL) && (xfs_dinode_core_get_mode(core_of(c)) & XFS_MODE_FMT) == type;
}

#define WHEN(name, expr)										\
	static bool name(const struct xfs_ctx *c, size_t off) { (void)off; return expr; }
WHEN(data_extents, data_is(c, XFS_DINODE_FMT_EXTENTS))
WHEN(data_btree, data_is(c, XFS_DINODE_FMT_BTREE))
WHEN(data_dev, data_is(c, XFS_DINODE_FMT_DEV))
WHEN(data_symlink, data_is_local(c, XFS_MODE_LNK))
WHEN(data_chars, data_is_local(c, XFS_MODE_REG))
WHEN(data_uuid, data_is(c, XFS_DINODE_FMT_UUID) && fork_size(c, XFS_FORK_DATA) >= 16)
WHEN(data_sfdir, data_is_local(c, XFS_MODE_DIR) && fork_size(c, XFS_FORK_DATA) >= XFS_DIR_SF_HDR_MAX)
WHEN(data_sfdir3, c->ftype && data_sfdir(c, off))
WHEN(data_sfdir2, !c->ftype && data_sfdir(c, off))
static bool data_meta(const struct xfs_ctx *c, unsigned metatype)
{
	return data_is(c, XFS_DINODE_FMT_META_BTREE) && xfs_dinode_core_get_metatype(core_of(c)) == metatype;
}

WHEN(data_rtrmap, data_meta(c, XFS_METAFILE_RTRMAP))
WHEN(data_rtrefc, data_meta(c, XFS_METAFILE_RTREFCOUNT))

static bool attr_is(const struct xfs_ctx *c, enum xfs_dinode_fmt fmt)
{
	return xfs_dinode_core_get_aformat(core_of(c)) == fmt && fork_size(c, XFS_FORK_ATTR) >= 4;
}

WHEN(attr_extents, attr_is(c, XFS_DINODE_FMT_EXTENTS))
WHEN(attr_btree, attr_is(c, XFS_DINODE_FMT_BTREE))
WHEN(attr_local, attr_is(c, XFS_DINODE_FMT_LOCAL))

/* ---- extents ---- */

static size_t bmx_count(const struct xfs_ctx *c, enum xfs_fork fork)
{
	struct xfs_dinode d;

	xfs_dinode_decode(&d, c->p);
	return (size_t)xfs_min(xfs_dinode_nextents(&d, fork), fork_size(c, fork) / sizeof(struct xfs_bmbt_rec_disk));
}

static size_t data_bmx_count(const struct xfs_ctx *c, size_t off) { (void)off; return bmx_count(c, XFS_FORK_DATA); }
static size_t attr_bmx_count(const struct xfs_ctx *c, size_t off) { (void)off; return bmx_count(c, XFS_FORK_ATTR); }

static size_t bmx_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	return off + k * sizeof(struct xfs_bmbt_rec_disk);
}

/* ---- btree roots: key and pointer places depend on the size of the fork ---- */

#define ROOT_KEYS (sizeof(struct xfs_bmdr_disk))

static size_t root_count(const struct xfs_ctx *c, size_t off, size_t entry)
{
	size_t room = (fork_size(c, fork_of(c, off)) - ROOT_KEYS) / entry;

	return (size_t)xfs_min(xfs_bmdr_get_numrecs((const void *)(c->p + off)), room);
}

static bool root_leaf(const struct xfs_ctx *c, size_t off)
{
	return xfs_bmdr_get_level((const void *)(c->p + off)) == 0;
}

static bool root_node(const struct xfs_ctx *c, size_t off)
{
	return !root_leaf(c, off);
}

/* Four functions for the roots of one shape of tree. */
#define ROOT_PLACE(shape)										\
	static size_t root_##shape##_nodes(const struct xfs_ctx *c, size_t off)				\
	{ const struct xfs_btree_shape *s = &xfs_btree_shape_##shape;					\
	  return root_count(c, off, (size_t)s->keylen + s->ptrlen + s->root_gap); }			\
	static size_t root_##shape##_key_at(const struct xfs_ctx *c, size_t off, size_t k)		\
	{ (void)c; return off + ROOT_KEYS + k * xfs_btree_shape_##shape.keylen; }			\
	static size_t root_##shape##_ptr_at(const struct xfs_ctx *c, size_t off, size_t k)		\
	{ const struct xfs_btree_shape *s = &xfs_btree_shape_##shape;					\
	  size_t size = fork_size(c, fork_of(c, off)) - ROOT_KEYS;					\
	  size_t most = xfs_btree_root_maxrecs(s, (uint32_t)size, false);				\
	  return off + ROOT_KEYS + most * s->keylen + k * s->ptrlen; }
#define ROOT_RECS(shape)										\
	static size_t root_##shape##_recs(const struct xfs_ctx *c, size_t off)				\
	{ return root_count(c, off, xfs_btree_shape_##shape.reclen); }					\
	static size_t root_##shape##_rec_at(const struct xfs_ctx *c, size_t off, size_t k)		\
	{ (void)c; return off + ROOT_KEYS + k * xfs_btree_shape_##shape.reclen; }
ROOT_PLACE(bmbt)
ROOT_PLACE(rtrmapbt)
ROOT_PLACE(rtrefcbt)
ROOT_RECS(rtrmapbt)
ROOT_RECS(rtrefcbt)

#define ROOT_PTR(S, type)										\
	static const struct xfs_row S##_ptr_rows[] = {							\
		{ .name = "ptr", .kind = XR_BITS, .order = XO_BE, .fmt = XF_FSB, .to = type, .bits = 64 } };	\
	static XFS_DESC_DEFINE(S##_ptr, 8, S##_ptr_rows)
#define BMBT_ROOT(S, type)										\
	ROOT_PTR(S, type);										\
	static const struct xfs_row S##_rows[] = {							\
		XFS_BMDR_ROWS(S, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)			\
		XFS_ROW_A_(S, keys, xfs_bmbt_key_desc, XA_REC, 1, root_bmbt_nodes, root_bmbt_key_at, NULL)	\
		XFS_ROW_A_(S, ptrs, xfs_##S##_ptr_desc, XA_SCALAR, 1, root_bmbt_nodes, root_bmbt_ptr_at, NULL) }; \
	static XFS_DESC_DEFINE(S, 4, S##_rows)
BMBT_ROOT(bmrootd, XT_BMAPBTD);
BMBT_ROOT(bmroota, XT_BMAPBTA);

#define RT_ROOT(S, shape, rec, key, type)								\
	ROOT_PTR(S, type);										\
	static const struct xfs_row S##_rows[] = {							\
		XFS_BMDR_ROWS(S, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)			\
		XFS_ROW_A_(S, recs, xfs_##rec##_desc, XA_REC, 1, root_##shape##_recs,		\
			   root_##shape##_rec_at, root_leaf)						\
		XFS_ROW_A_(S, keys, xfs_##key##_desc, XA_REC, 1, root_##shape##_nodes,		\
			   root_##shape##_key_at, root_node)						\
		XFS_ROW_A_(S, ptrs, xfs_##S##_ptr_desc, XA_SCALAR, 1, root_##shape##_nodes,		\
			   root_##shape##_ptr_at, root_node) };						\
	static XFS_DESC_DEFINE(S, 4, S##_rows)
RT_ROOT(rtrmaproot, rtrmapbt, rmap_rec, rtrmap_keypair, XT_RTRMAPBT);
RT_ROOT(rtrefcroot, rtrefcbt, refc_rec, refc_key, XT_RTREFCBT);

/* ---- short directory ---- */

static bool sf_wide(const struct xfs_ctx *c)
{
	return xfs_dir_sf_hdr_get_i8count((const void *)(c->p + fork_at(c, XFS_FORK_DATA))) != 0;
}

static bool sf_is_i8(const struct xfs_ctx *c, size_t off) { (void)off; return sf_wide(c); }
static bool sf_is_i4(const struct xfs_ctx *c, size_t off) { (void)off; return !sf_wide(c); }

static size_t sf_parent_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off + sizeof(struct xfs_dir_sf_hdr_disk);
}

/* Bytes of the entry at `at`, 0 when it doesn't fit in its fork. */
static size_t sf_entry_len(const struct xfs_ctx *c, size_t at)
{
	size_t end = fork_end(c, at), len;

	if (at + sizeof(struct xfs_dir_sf_ent_disk) > end)
		return 0;
	len = xfs_dir_sf_entsize(c->ftype, sf_wide(c), c->p[at]);
	return len > end - at ? 0 : len;
}

static size_t sf_next(const struct xfs_ctx *c, size_t off, size_t at)
{
	(void)off;
	return at + sf_entry_len(c, at);
}

static size_t sf_entry_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	size_t at = off + xfs_dir_sf_hdr_len(sf_wide(c));

	while (k--)
		at += sf_entry_len(c, at);
	return at;
}

static size_t sf_count(const struct xfs_ctx *c, size_t off)
{
	size_t want = xfs_dir_sf_hdr_get_count((const void *)(c->p + off)), n = 0, at = sf_entry_at(c, off, 0), len;

	while (n < want && (len = sf_entry_len(c, at)) != 0) {
		at += len;
		n++;
	}
	return n;
}

static size_t sf_namelen(const struct xfs_ctx *c, size_t off) { return c->p[off]; }

static size_t sf_name_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off + sizeof(struct xfs_dir_sf_ent_disk);
}

static size_t sf_ftype_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return off + sizeof(struct xfs_dir_sf_ent_disk) + c->p[off];
}

static size_t sf_inumber_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	return sf_ftype_at(c, off, k) + (c->ftype ? 1 : 0);
}

static const struct xfs_row sf_ino_rows[] = {
	XFS_ROW_F_(ino, i8, 0, 64, XO_BE, XF_INO, sf_is_i8, XT_INODE)
	XFS_ROW_F_(ino, i4, 0, 32, XO_BE, XF_INO, sf_is_i4, XT_INODE)
};
static XFS_DESC_DEFINE(sf_ino, 0, sf_ino_rows);

static const struct xfs_row sf_hdr_rows[] = {
	XFS_DIR_SF_HDR_ROWS(hdr, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_ROW_A_(hdr, parent, xfs_sf_ino_desc, XA_ONE, 0, NULL, sf_parent_at, NULL)
};
static XFS_DESC_DEFINE(sf_hdr, 0, sf_hdr_rows);

#define SF_ENTRY_ROWS												\
	XFS_DIR_SF_ENT_ROWS(ent, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)				\
	XFS_ROW_TEXT_(name, sf_name_at, sf_namelen, XF_CHR, NULL)						\
	XFS_ROW_A_(ent, inumber, xfs_sf_ino_desc, XA_ONE, 0, NULL, sf_inumber_at, NULL)
static const struct xfs_row sf_entry2_rows[] = { SF_ENTRY_ROWS };
static const struct xfs_row sf_entry3_rows[] = {
	SF_ENTRY_ROWS
	XFS_ROW_AT_(filetype, 8, XF_DEC, XT_NONE, sf_ftype_at, NULL)
};
static XFS_DESC_DEFINE(sf_entry2, 0, sf_entry2_rows);
static XFS_DESC_DEFINE(sf_entry3, 0, sf_entry3_rows);

#define SFDIR(S, entry)												\
	static const struct xfs_row S##_rows[] = {								\
		XFS_ROW_A_(S, hdr, xfs_sf_hdr_desc, XA_ONE, 0, NULL, here, NULL)				\
		XFS_ROW_WALK_(list, xfs_##entry##_desc, 0, 0, sf_count, sf_entry_at, sf_next, NULL) };		\
	static XFS_DESC_DEFINE(S, 0, S##_rows)
SFDIR(sfdir2, sf_entry2);
SFDIR(sfdir3, sf_entry3);

/* ---- short attributes ---- */

static size_t asf_entry_len(const struct xfs_ctx *c, size_t at)
{
	size_t end = fork_end(c, at), len;

	if (at + sizeof(struct xfs_attr_sf_ent_disk) > end)
		return 0;
	len = xfs_attr_sf_entsize(c->p[at], c->p[at + 1]);
	return len > end - at ? 0 : len;
}

static size_t asf_next(const struct xfs_ctx *c, size_t off, size_t at)
{
	(void)off;
	return at + asf_entry_len(c, at);
}

static size_t asf_entry_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	size_t at = off + sizeof(struct xfs_attr_sf_hdr_disk);

	while (k--)
		at += asf_entry_len(c, at);
	return at;
}

static size_t asf_count(const struct xfs_ctx *c, size_t off)
{
	size_t want = xfs_attr_sf_hdr_get_count((const void *)(c->p + off)), n = 0, at = asf_entry_at(c, off, 0), len;

	while (n < want && (len = asf_entry_len(c, at)) != 0) {
		at += len;
		n++;
	}
	return n;
}

static size_t asf_namelen(const struct xfs_ctx *c, size_t off) { return c->p[off]; }
static size_t asf_valuelen(const struct xfs_ctx *c, size_t off) { return c->p[off + 1]; }

static size_t asf_name_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	(void)k;
	return off + sizeof(struct xfs_attr_sf_ent_disk);
}

static size_t asf_value_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)k;
	return off + sizeof(struct xfs_attr_sf_ent_disk) + c->p[off];
}

static bool asf_is_parent(const struct xfs_ctx *c, size_t off)
{
	return (xfs_attr_sf_ent_get_flags((const void *)(c->p + off)) & XFS_ATTR_PARENT) &&
	       asf_valuelen(c, off) == sizeof(struct xfs_parent_rec_disk);
}

static bool asf_has_value(const struct xfs_ctx *c, size_t off)
{
	return !asf_is_parent(c, off) && asf_valuelen(c, off) != 0;
}

static const struct xfs_row asf_entry_rows[] = {
	XFS_ATTR_SF_ENT_ROWS(ent, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_ROW_TEXT_(name, asf_name_at, asf_namelen, XF_CHR, NULL)
	XFS_ROW_A_(ent, parent_dir, xfs_parent_rec_desc, XA_ONE, 0, NULL, asf_value_at, asf_is_parent)
	XFS_ROW_TEXT_(value, asf_value_at, asf_valuelen, XF_CHR, asf_has_value)
};
static XFS_DESC_DEFINE(asf_entry, 0, asf_entry_rows);
static const struct xfs_row sfattr_rows[] = {
	XFS_ROW_A_(sfattr, hdr, xfs_attr_sf_hdr_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_ROW_WALK_(list, xfs_asf_entry_desc, 0, 0, asf_count, asf_entry_at, asf_next, NULL)
};
static XFS_DESC_DEFINE(sfattr, 0, sfattr_rows);

/* ---- the forks and the inode ---- */

/* Target of a symlink, or what a local regular file would hold: as many bytes as the file has. */
static size_t local_len(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return (size_t)xfs_min(xfs_dinode_core_get_size(core_of(c)), fork_size(c, XFS_FORK_DATA));
}

static const struct xfs_row data_fork_rows[] = {
	XFS_ROW_A_(u, bmx, xfs_bmbt_rec_desc, XA_REC, 0, data_bmx_count, bmx_at, data_extents)
	XFS_ROW_A_(u, bmbt, xfs_bmrootd_desc, XA_ONE, 0, NULL, here, data_btree)
	XFS_ROW_A_(u, rtrmapbt, xfs_rtrmaproot_desc, XA_ONE, 0, NULL, here, data_rtrmap)
	XFS_ROW_A_(u, rtrefcbt, xfs_rtrefcroot_desc, XA_ONE, 0, NULL, here, data_rtrefc)
	XFS_ROW_A_(u, sfdir2, xfs_sfdir2_desc, XA_ONE, 0, NULL, here, data_sfdir2)
	XFS_ROW_A_(u, sfdir3, xfs_sfdir3_desc, XA_ONE, 0, NULL, here, data_sfdir3)
	XFS_ROW_TEXT_(symlink, here, local_len, XF_CHR, data_symlink)
	XFS_ROW_TEXT_(c, here, local_len, XF_CHR, data_chars)
	XFS_ROW_F_(u, dev, 0, 32, XO_BE, XF_HEX, data_dev, XT_NONE)
	XFS_ROW_B_(u, muuid, 0, 16, XF_UUID, data_uuid, XT_NONE)
};
static XFS_DESC_DEFINE(data_fork, 0, data_fork_rows);

static const struct xfs_row attr_fork_rows[] = {
	XFS_ROW_A_(a, bmx, xfs_bmbt_rec_desc, XA_REC, 0, attr_bmx_count, bmx_at, attr_extents)
	XFS_ROW_A_(a, bmbt, xfs_bmroota_desc, XA_ONE, 0, NULL, here, attr_btree)
	XFS_ROW_A_(a, sfattr, xfs_sfattr_desc, XA_ONE, 0, NULL, here, attr_local)
};
static XFS_DESC_DEFINE(attr_fork, 0, attr_fork_rows);

static const struct xfs_row inode_rows[] = {
	XFS_ROW_A_(inode, core, xfs_dinode_core_desc, XA_ONE, 0, NULL, here, NULL)
	XFS_ROW_F_(inode, next_unlinked, 768, 32, XO_BE, XF_AGI, NULL, XT_INODE)
	XFS_ROW_A_(inode, v3, xfs_dinode_v3_desc, XA_ONE, 0, NULL, here, ino_v5)
	XFS_ROW_A_(inode, u3, xfs_data_fork_desc, XA_ONE, 0, NULL, data_at, ino_v5)
	XFS_ROW_A_(inode, u, xfs_data_fork_desc, XA_ONE, 0, NULL, data_at, ino_v4)
	XFS_ROW_A_(inode, a, xfs_attr_fork_desc, XA_ONE, 0, NULL, attr_at, ino_has_attr)
};
XFS_DESC_DEFINE(inode, XFS_DINODE_MIN_SIZE, inode_rows);
