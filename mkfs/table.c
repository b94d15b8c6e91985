/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - the geometry table that scripts read (format sheet 05, section 13). */
#include "mkfs/geometry.h"

#include <inttypes.h>
#include <stdarg.h>

struct text {
	char *buf;
	size_t size, len;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->len < t->size ? t->buf + t->len : NULL, t->len < t->size ? t->size - t->len : 0, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

static void line(struct text *t, const char *label, const char *string)
{
	add(t, "%-9s=%-22s ", label, string);
}

static void add_features(struct text *t, const struct xfs_sb *sb, const char *data)
{
	bool v5 = xfs_sb_is_v5(sb);

	line(t, "meta-data", data);
	add(t, "isize=%-6u agcount=%u, agsize=%u blks\n", sb->inodesize, sb->agcount, sb->agblocks);
	line(t, "", "");
	add(t, "sectsz=%-5u attr=%d, projid32bit=%d\n", sb->sectsize,
	    sb->features2 & XFS_SB_FEAT2_ATTR2 ? 2 : sb->versionnum & XFS_SB_VERSION_ATTR ? 1 : 0,
	    (sb->features2 & XFS_SB_FEAT2_PROJID32) != 0);
	line(t, "", "");
	add(t, "crc=%-8d finobt=%d, sparse=%d, rmapbt=%d\n", v5, xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_FINOBT),
	    xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_SPINODES), xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_RMAPBT));
	line(t, "", "");
	add(t, "reflink=%-4d bigtime=%d inobtcount=%d nrext64=%d\n", xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_REFLINK),
	    xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_BIGTIME), xfs_sb_has_ro(sb, XFS_SB_ROCOMPAT_INOBTCNT),
	    xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_NREXT64));
	line(t, "", "");
	add(t, "exchange=%-3d metadir=%d\n", xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_EXCHRANGE),
	    xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR));
}

static void add_sections(struct text *t, const struct xfs_sb *sb, const char *log, const char *rt)
{
	char naming[32];

	line(t, "data", "");
	add(t, "bsize=%-6u blocks=%" PRIu64 ", imaxpct=%u\n", sb->blocksize, sb->dblocks, sb->imax_pct);
	line(t, "", "");
	add(t, "sunit=%-6u swidth=%u blks\n", sb->unit, sb->width);
	snprintf(naming, sizeof(naming), "version %-14d", 2);
	line(t, "naming", naming);
	add(t, "bsize=%-6u ascii-ci=%d, ftype=%d, parent=%d\n", sb->blocksize << sb->dirblklog,
	    (sb->versionnum & XFS_SB_VERSION_BORG) != 0, xfs_sb_has_ftype(sb),
	    xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_PARENT));
	line(t, "log", sb->logstart ? "internal log" : log ? log : "external");
	add(t, "bsize=%-6u blocks=%u, version=%d\n", sb->blocksize, sb->logblocks,
	    sb->versionnum & XFS_SB_VERSION_LOGV2 ? 2 : 1);
	line(t, "", "");
	add(t, "sectsz=%-5u sunit=%u blks, lazy-count=%d\n", sb->logsectsize ? sb->logsectsize : 512u,
	    sb->logsunit / sb->blocksize, (sb->features2 & XFS_SB_FEAT2_LAZYSBCOUNT) != 0);
	line(t, "realtime", sb->rblocks == 0 ? "none" : sb->rtstart ? "internal" : rt ? rt : "external");
	add(t, "extsz=%-6u blocks=%" PRIu64 ", rtextents=%" PRIu64 "\n", sb->rextsize * sb->blocksize, sb->rblocks,
	    sb->rextents);
	line(t, "", "");
	add(t, "rgcount=%-4u rgsize=%u extents\n", sb->rgcount, sb->rgextents);
	line(t, "", "");
	add(t, "zoned=%-6d start=%" PRIu64 " reserved=%" PRIu64 "\n", xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED),
	    sb->rtstart, sb->rtreserved);
}

int mkfs_format_table(char *buf, size_t size, const struct xfs_sb *sb, const char *data, const char *log,
		const char *rt)
{
	struct text t = { buf, size, 0 };

	add_features(&t, sb, data);
	add_sections(&t, sb, log, rt);
	return (int)t.len;
}
