/* SPDX-License-Identifier: BSD-2-Clause */
/* logitems.c - tables of the structures in the log, and the core of an inode in both orders. */
#include "libxfs/ondisk/logitems.h"

#include "libxfs/ondisk/inode.h"

/* ---- conditions and counts; the object is the region ---- */

static uint64_t core_flags2(const struct xfs_ctx *c, size_t off)
{
	return xfs_ld64(c->p + off + XFS_OFF(log_dinode, flags2), c->writer_le);
}

static bool ldi_v3(const struct xfs_ctx *c, size_t off)
{
	return c->p[off + XFS_OFF(log_dinode, version)] >= 3;
}

static bool ldi_before_v3(const struct xfs_ctx *c, size_t off)
{
	return !ldi_v3(c, off);
}

static bool ldi_bigtime(const struct xfs_ctx *c, size_t off)
{
	return ldi_v3(c, off) && (core_flags2(c, off) & XFS_DIFLAG2_BIGTIME);
}

static bool ldi_oldtime(const struct xfs_ctx *c, size_t off)
{
	return !ldi_bigtime(c, off);
}

static bool ldi_v3_oldtime(const struct xfs_ctx *c, size_t off)
{
	return ldi_v3(c, off) && !ldi_bigtime(c, off);
}

static bool ldi_nrext64(const struct xfs_ctx *c, size_t off)
{
	return ldi_v3(c, off) && (core_flags2(c, off) & XFS_DIFLAG2_NREXT64);
}

static bool ldi_small(const struct xfs_ctx *c, size_t off)
{
	return !ldi_nrext64(c, off);
}

static bool ldi_two_names(const struct xfs_ctx *c, size_t off)
{
	uint32_t flags = xfs_ld32(c->p + off + XFS_OFF(log_attri, op_flags), c->writer_le);

	return (flags & XFS_MAP_OP_MASK) == XFS_ATTRI_PPTR_REPLACE;
}

static bool ldi_one_name(const struct xfs_ctx *c, size_t off)
{
	return !ldi_two_names(c, off);
}

static size_t behind(const struct xfs_ctx *c, size_t off, size_t head)
{
	return c->len > off + head ? c->len - off - head : 0;
}

static size_t li_map_words(const struct xfs_ctx *c, size_t off)
{
	return (size_t)xfs_min(xfs_ld32(c->p + off + XFS_OFF(log_buf, map_size), c->writer_le),
			       behind(c, off, sizeof(struct xfs_log_buf_disk)) / 4);
}

static size_t li_map_word_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	return off + sizeof(struct xfs_log_buf_disk) + 4 * k;
}

static uint32_t li_claimed(const struct xfs_ctx *c, size_t off)
{
	return xfs_ld32(c->p + off + XFS_OFF(log_intent, nextents), c->writer_le);
}

static size_t li_count(const struct xfs_ctx *c, size_t off, size_t each)
{
	return (size_t)xfs_min(li_claimed(c, off), behind(c, off, sizeof(struct xfs_log_intent_disk)) / each);
}

static bool li_packed(const struct xfs_ctx *c, size_t off)
{
	return xfs_log_extent_size(c->len - off, li_claimed(c, off)) == 12;
}

static bool li_aligned(const struct xfs_ctx *c, size_t off)
{
	return !li_packed(c, off);
}

/* Arrays behind the head of an intent. */
#define ELEMENTS(name, S)											\
	static size_t name##_count(const struct xfs_ctx *c, size_t off)						\
	{ return li_count(c, off, sizeof(struct xfs_##S##_disk)); }						\
	static size_t name##_at(const struct xfs_ctx *c, size_t off, size_t k)					\
	{ (void)c; return off + sizeof(struct xfs_log_intent_disk) + k * sizeof(struct xfs_##S##_disk); }
ELEMENTS(li_extent, log_extent)
ELEMENTS(li_extent32, log_extent32)
ELEMENTS(li_map, log_map)
ELEMENTS(li_phys, log_phys)
#undef ELEMENTS

/* ---- tables ---- */

XFS_STRUCT_DEFINE(log_xhdr, XFS_LOG_XHDR_ROWS);
XFS_STRUCT_DEFINE(log_trans_hdr, XFS_LOG_TRANS_HDR_ROWS);
XFS_STRUCT_DEFINE(log_unmount, XFS_LOG_UNMOUNT_ROWS);
XFS_STRUCT_DEFINE(log_item_head, XFS_LOG_ITEM_HEAD_ROWS);
XFS_STRUCT_DEFINE(log_buf, XFS_LOG_BUF_ROWS);
XFS_STRUCT_DEFINE(log_word, XFS_LOG_WORD_ROWS);
XFS_STRUCT_DEFINE(log_inode, XFS_LOG_INODE_ROWS);
XFS_STRUCT_DEFINE(log_inode32, XFS_LOG_INODE32_ROWS);
XFS_STRUCT_DEFINE(log_dinode, XFS_LOG_DINODE_ROWS);
XFS_STRUCT_DEFINE(log_dquot, XFS_LOG_DQUOT_ROWS);
XFS_STRUCT_DEFINE(log_quotaoff, XFS_LOG_QUOTAOFF_ROWS);
XFS_STRUCT_DEFINE(log_icreate, XFS_LOG_ICREATE_ROWS);
XFS_STRUCT_DEFINE(log_intent, XFS_LOG_INTENT_ROWS);
XFS_STRUCT_DEFINE(log_done, XFS_LOG_DONE_ROWS);
XFS_STRUCT_DEFINE(log_extent32, XFS_LOG_EXTENT32_ROWS);
XFS_STRUCT_DEFINE(log_extent, XFS_LOG_EXTENT_ROWS);
XFS_STRUCT_DEFINE(log_map, XFS_LOG_MAP_ROWS);
XFS_STRUCT_DEFINE(log_phys, XFS_LOG_PHYS_ROWS);
XFS_STRUCT_DEFINE(log_attri, XFS_LOG_ATTRI_ROWS);
XFS_STRUCT_DEFINE(log_xmi, XFS_LOG_XMI_ROWS);

#define HEAD XFS_LOG_INTENT_ROWS(log_intent, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
static const struct xfs_row efi_rows[] = {
	HEAD
	XFS_ROW_A_(log_efi, extents, xfs_log_extent_desc, XA_REC, 0, li_extent_count, li_extent_at, li_aligned)
	XFS_ROW_A_(log_efi, extents__32, xfs_log_extent32_desc, XA_REC, 0, li_extent32_count, li_extent32_at, li_packed)
};
static const struct xfs_row rui_rows[] = {
	HEAD
	XFS_ROW_A_(log_rui, extents, xfs_log_map_desc, XA_REC, 0, li_map_count, li_map_at, NULL)
};
static const struct xfs_row cui_rows[] = {
	HEAD
	XFS_ROW_A_(log_cui, extents, xfs_log_phys_desc, XA_REC, 0, li_phys_count, li_phys_at, NULL)
};
#undef HEAD
XFS_DESC_DEFINE(log_efi, sizeof(struct xfs_log_intent_disk), efi_rows);
XFS_DESC_DEFINE(log_rui, sizeof(struct xfs_log_intent_disk), rui_rows);
XFS_DESC_DEFINE(log_cui, sizeof(struct xfs_log_intent_disk), cui_rows);

/* ---- the core of an inode ---- */

/* Old times are two words each in the writer's order, new ones one number. */
static void turn_times(struct xfs_log_dinode *d)
{
	uint64_t *times[] = { &d->atime, &d->mtime, &d->ctime, &d->crtime };

	if (d->version >= 3 && (d->flags2 & XFS_DIFLAG2_BIGTIME))
		return;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		*times[i] = *times[i] << 32 | *times[i] >> 32;
}

/* The table has the offsets of the disk inode, and XO_WR of a big-endian writer is the order of the disk. */
static void convert(uint8_t *to, bool to_le, const uint8_t *from, bool from_le)
{
	struct xfs_log_dinode d;

	xfs_log_dinode_decode_as(&d, from, from_le);
	if (to_le != from_le)
		turn_times(&d);
	if (d.version < 3) {
		/* in place of the counter are pads and one short number */
		uint16_t flushiter = xfs_ld16(from + XFS_OFF(log_dinode, flushiter), from_le);

		d.big_nextents = to_le ? (uint64_t)flushiter << 48 : flushiter;
	}
	xfs_log_dinode_encode_as(to, &d, to_le);
}

void xfs_log_dinode_to_disk(uint8_t *disk, const uint8_t *core, size_t len, bool writer_le)
{
	uint8_t whole[sizeof(struct xfs_log_dinode_disk)] = { 0 };

	memcpy(whole, core, (size_t)xfs_min(len, sizeof(whole)));
	convert(disk, false, whole, writer_le);
	memset(disk + XFS_OFF(log_dinode, next_unlinked), 0, 8);	/* and the checksum */
	memset(disk + XFS_OFF(log_dinode, lsn), 0, 8);
	memset(disk + XFS_OFF(log_dinode, pad2), 0, 12);
}

void xfs_log_dinode_from_disk(uint8_t *core, const uint8_t *disk, bool writer_le)
{
	convert(core, writer_le, disk, false);
}
