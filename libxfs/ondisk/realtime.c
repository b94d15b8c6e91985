/* SPDX-License-Identifier: BSD-2-Clause */
/* realtime.c - tables of the realtime superblock and of rtgroup bitmap and summary blocks. */
#include "libxfs/ondisk/realtime.h"

static size_t word_count(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_rtbuf_words((uint32_t)xfs_min(c->blocksize, c->len));
}

static size_t word_at(const struct xfs_ctx *c, size_t off, size_t k)
{
	(void)c;
	return off + sizeof(struct xfs_rtbuf_disk) + 4 * k;
}

XFS_STRUCT_DEFINE(rtsb, XFS_RTSB_ROWS);
XFS_STRUCT_DEFINE(rtbuf, XFS_RTBUF_ROWS);

static const struct xfs_row rtword_rows[] = { XFS_ROW_F_(word, word, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE) };
static XFS_DESC_DEFINE(rtword, 4, rtword_rows);
static const struct xfs_row suminfo_rows[] = { XFS_ROW_F_(info, info, 0, 32, XO_BE, XF_DEC, NULL, XT_NONE) };
static XFS_DESC_DEFINE(suminfo, 4, suminfo_rows);

static const struct xfs_row rgbitmap_rows[] = {
	XFS_RTBUF_ROWS(rgbitmap, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_ROW_A_(rgbitmap, rtwords, xfs_rtword_desc, XA_SCALAR, 0, word_count, word_at, NULL)
};
XFS_DESC_DEFINE(rgbitmap, sizeof(struct xfs_rtbuf_disk), rgbitmap_rows);
static const struct xfs_row rgsummary_rows[] = {
	XFS_RTBUF_ROWS(rgsummary, XFS_ROW_F_, XFS_ROW_F_, XFS_ROW_B_, XFS_ROW_A_)
	XFS_ROW_A_(rgsummary, suminfo, xfs_suminfo_desc, XA_SCALAR, 0, word_count, word_at, NULL)
};
XFS_DESC_DEFINE(rgsummary, sizeof(struct xfs_rtbuf_disk), rgsummary_rows);
