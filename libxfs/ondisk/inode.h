/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inode.h - the inode: core, v3 part, forks, timestamps (format sheet 03, sections 2 and 3).
 *
 * Offsets of the core and of the v3 part count from the start of the inode, so all functions take its first byte.
 * The counters of extents lie in different places with and without the NREXT64 flag: use xfs_dinode_nextents() and
 * its siblings, never the raw members.  Forks start behind the core: at 176 (v3) or 100 (v1, v2); sizes derived from
 * a hostile di_forkoff are clamped to the inode.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_INODE_H
#define XFS_ONDISK_INODE_H

#include "libxfs/ondisk/schema.h"

#define XFS_DINODE_MAGIC 0x494eu
#define XFS_DINODE_SIZE_V2 100u			/* = start of the forks */
#define XFS_DINODE_SIZE_V3 176u
#define XFS_DINODE_MIN_SIZE 256u
#define XFS_DINODE_MAX_SIZE 2048u
#define XFS_INODES_PER_CHUNK 64u

/* type bits of di_mode */
#define XFS_MODE_FMT 0170000u
#define XFS_MODE_FIFO 0010000u
#define XFS_MODE_CHR 0020000u
#define XFS_MODE_DIR 0040000u
#define XFS_MODE_BLK 0060000u
#define XFS_MODE_REG 0100000u
#define XFS_MODE_LNK 0120000u
#define XFS_MODE_SOCK 0140000u

enum xfs_dinode_fmt {
	XFS_DINODE_FMT_DEV, XFS_DINODE_FMT_LOCAL, XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_UUID,
	XFS_DINODE_FMT_META_BTREE
};

enum xfs_metafile {
	XFS_METAFILE_UNKNOWN, XFS_METAFILE_DIR, XFS_METAFILE_USRQUOTA, XFS_METAFILE_GRPQUOTA, XFS_METAFILE_PRJQUOTA,
	XFS_METAFILE_RTBITMAP, XFS_METAFILE_RTSUMMARY, XFS_METAFILE_RTRMAP, XFS_METAFILE_RTREFCOUNT, XFS_METAFILE_COUNT
};

#define XFS_DIFLAG_REALTIME 0x0001u
#define XFS_DIFLAG_PREALLOC 0x0002u
#define XFS_DIFLAG_NEWRTBM 0x0004u
#define XFS_DIFLAG_IMMUTABLE 0x0008u
#define XFS_DIFLAG_APPEND 0x0010u
#define XFS_DIFLAG_SYNC 0x0020u
#define XFS_DIFLAG_NOATIME 0x0040u
#define XFS_DIFLAG_NODUMP 0x0080u
#define XFS_DIFLAG_RTINHERIT 0x0100u
#define XFS_DIFLAG_PROJINHERIT 0x0200u
#define XFS_DIFLAG_NOSYMLINKS 0x0400u
#define XFS_DIFLAG_EXTSIZE 0x0800u
#define XFS_DIFLAG_EXTSZINHERIT 0x1000u
#define XFS_DIFLAG_NODEFRAG 0x2000u
#define XFS_DIFLAG_FILESTREAM 0x4000u
#define XFS_DIFLAG_ANY 0x7fffu
/* what metadata inodes carry (format sheet 10, section 4.2) */
#define XFS_DIFLAG_METADATA_FILE 0x20e8u
#define XFS_DIFLAG_METADATA_DIR 0x24e8u

#define XFS_DIFLAG2_DAX UINT64_C(0x01)
#define XFS_DIFLAG2_REFLINK UINT64_C(0x02)
#define XFS_DIFLAG2_COWEXTSIZE UINT64_C(0x04)
#define XFS_DIFLAG2_BIGTIME UINT64_C(0x08)
#define XFS_DIFLAG2_NREXT64 UINT64_C(0x10)
#define XFS_DIFLAG2_METADATA UINT64_C(0x20)
#define XFS_DIFLAG2_ANY UINT64_C(0x3f)

/* Extent counters of a fork are at most this. */
#define XFS_MAX_DATA_EXTENTS_32 UINT64_C(0x7fffffff)
#define XFS_MAX_ATTR_EXTENTS_32 UINT64_C(0x7fff)
#define XFS_MAX_DATA_EXTENTS_64 UINT64_C(0xffffffffffff)
#define XFS_MAX_ATTR_EXTENTS_64 UINT64_C(0xffffffff)

/* bigtime: nanoseconds since 1901-12-13 20:45:52 UTC, 2^31 seconds before the epoch */
#define XFS_BIGTIME_EPOCH UINT64_C(2147483648)
#define XFS_BIGTIME_MAX_SECONDS INT64_C(16299260424)
#define XFS_NSEC_PER_SEC UINT64_C(1000000000)

/*
 * The core, 100 bytes.  Native members: big_nextents, nextents32 and nextents16 are what the three places hold; the
 * helpers below know which one counts what.  Times are the raw 64 bits (xfs_time_decode()).
 */
#define XFS_DINODE_CORE_ROWS(S, F, V, B, A)								\
	F(S, magic, 0, 16, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, mode, 16, 16, XO_BE, XF_OCT, NULL, XT_NONE)						\
	F(S, version, 32, 8, XO_BE, XF_SDEC, NULL, XT_NONE)						\
	F(S, format, 40, 8, XO_BE, XF_FORM, NULL, XT_NONE)						\
	V(S, nlinkv1, 48, 16, XO_BE, XF_DEC, di_v1, XT_NONE)						\
	V(S, onlink, 48, 16, XO_BE, XF_DEC, di_has_onlink, XT_NONE)					\
	F(S, metatype, 48, 16, XO_BE, XF_METATYPE, di_is_metadata, XT_NONE)				\
	F(S, uid, 64, 32, XO_BE, XF_DEC, NULL, XT_NONE)							\
	F(S, gid, 96, 32, XO_BE, XF_DEC, NULL, XT_NONE)							\
	F(S, nlinkv2, 128, 32, XO_BE, XF_DEC, di_v2plus, XT_NONE)					\
	F(S, projid_lo, 160, 16, XO_BE, XF_DEC, di_v2plus, XT_NONE)						\
	F(S, projid_hi, 176, 16, XO_BE, XF_DEC, di_v2plus, XT_NONE)						\
	F(S, big_nextents, 192, 64, XO_BE, XF_DEC | XF_CODE, NULL, XT_NONE)				\
	V(S, nextents__64, 192, 64, XO_BE, XF_DEC, di_nrext64, XT_NONE)					\
	V(S, v3_pad, 192, 64, XO_BE, XF_DEC | XF_HIDE, di_v3_small, XT_NONE)				\
	A(S, v2_pad, xfs_byte_desc, XA_SCALAR | XA_HIDE, 0, di_v2_pads, di_v2_pad_at, di_before_v3)	\
	V(S, flushiter, 240, 16, XO_BE, XF_DEC, di_before_v3, XT_NONE)					\
	F(S, atime, 256, 64, XO_BE, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	A(S, atime__parts, xfs_dinode_time_desc, XA_ONE, 0, NULL, di_atime_at, NULL)			\
	F(S, mtime, 320, 64, XO_BE, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	A(S, mtime__parts, xfs_dinode_time_desc, XA_ONE, 0, NULL, di_mtime_at, NULL)			\
	F(S, ctime, 384, 64, XO_BE, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	A(S, ctime__parts, xfs_dinode_time_desc, XA_ONE, 0, NULL, di_ctime_at, NULL)			\
	F(S, size, 448, 64, XO_BE, XF_SDEC, NULL, XT_NONE)						\
	F(S, nblocks, 512, 64, XO_BE, XF_RFSB, NULL, XT_NONE)						\
	F(S, extsize, 576, 32, XO_BE, XF_LEN, NULL, XT_NONE)						\
	F(S, nextents32, 608, 32, XO_BE, XF_DEC | XF_CODE, NULL, XT_NONE)				\
	F(S, nextents16, 640, 16, XO_BE, XF_DEC | XF_CODE, NULL, XT_NONE)				\
	V(S, nextents__32, 608, 32, XO_BE, XF_DEC, di_small, XT_NONE)					\
	V(S, naextents__16, 640, 16, XO_BE, XF_DEC, di_small, XT_NONE)					\
	V(S, naextents__32, 608, 32, XO_BE, XF_DEC, di_nrext64, XT_NONE)				\
	V(S, nrext64_pad, 640, 16, XO_BE, XF_DEC | XF_HIDE, di_nrext64, XT_NONE)			\
	F(S, forkoff, 656, 8, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, aformat, 664, 8, XO_BE, XF_FORM, NULL, XT_NONE)						\
	F(S, dmevmask, 672, 32, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, dmstate, 704, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, flags, 720, 16, XO_BE, XF_HEX | XF_HIDE, NULL, XT_NONE)					\
	V(S, newrtbm, 733, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, prealloc, 734, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, realtime, 735, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, immutable, 732, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, append, 731, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, sync, 730, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, noatime, 729, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, nodump, 728, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, rtinherit, 727, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, projinherit, 726, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, nosymlinks, 725, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, extsz, 724, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, extszinherit, 723, 1, XO_BE, XF_BIT, NULL, XT_NONE)					\
	V(S, nodefrag, 722, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, filestream, 721, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	F(S, gen, 736, 32, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, next_unlinked, 768, 32, XO_BE, XF_AGI | XF_CODE, NULL, XT_INODE)

/* Bytes 100 to 175 of a v3 inode. */
#define XFS_DINODE_V3_ROWS(S, F, V, B, A)								\
	F(S, crc, 800, 32, XO_LE, XF_CRC, NULL, XT_NONE)						\
	F(S, change_count, 832, 64, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, lsn, 896, 64, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, flags2, 960, 64, XO_BE, XF_HEX, NULL, XT_NONE)						\
	F(S, cowextsize, 1024, 32, XO_BE, XF_LEN, NULL, XT_NONE)					\
	A(S, pad2, xfs_byte_desc, XA_SCALAR | XA_HIDE, 0, di_v3_pads, di_v3_pad_at, NULL)		\
	F(S, crtime, 1152, 64, XO_BE, XF_HEX | XF_CODE, NULL, XT_NONE)					\
	A(S, crtime__parts, xfs_dinode_time_desc, XA_ONE, 0, NULL, di_crtime_at, NULL)			\
	F(S, inumber, 1216, 64, XO_BE, XF_INO, NULL, XT_NONE)						\
	B(S, uuid, 1280, 16, XF_UUID, NULL, XT_NONE)							\
	V(S, reflink, 1022, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, cowextsz, 1021, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, dax, 1023, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, bigtime, 1020, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, nrext64, 1019, 1, XO_BE, XF_BIT, NULL, XT_NONE)						\
	V(S, metadata, 1018, 1, XO_BE, XF_BIT, NULL, XT_NONE)

/* Two readings of the 8 bytes of a timestamp. */
#define XFS_DINODE_TIME_ROWS(S, F, V, B, A)								\
	V(S, sec, 0, 32, XO_BE, XF_TIME, di_oldtime, XT_NONE)						\
	V(S, nsec, 32, 32, XO_BE, XF_NSEC, di_oldtime, XT_NONE)						\
	V(S, sec__big, 0, 64, XO_BE, XF_TIME, di_bigtime, XT_NONE)					\
	V(S, nsec__big, 0, 64, XO_BE, XF_NSEC, di_bigtime, XT_NONE)					\
	F(S, raw, 0, 64, XO_BE, XF_HEX | XF_CODE, NULL, XT_NONE)

/* Root of a btree in a fork; keys and pointers follow (xfs_bmdr_ptrs_off()). */
#define XFS_BMDR_ROWS(S, F, V, B, A)									\
	F(S, level, 0, 16, XO_BE, XF_DEC, NULL, XT_NONE)						\
	F(S, numrecs, 16, 16, XO_BE, XF_DEC, NULL, XT_NONE)

XFS_STRUCT_DECLARE(dinode_core, 100, XFS_DINODE_CORE_ROWS);
XFS_STRUCT_DECLARE(dinode_v3, 176, XFS_DINODE_V3_ROWS);
XFS_STRUCT_DECLARE(dinode_time, 8, XFS_DINODE_TIME_ROWS);
XFS_STRUCT_DECLARE(bmdr, 4, XFS_BMDR_ROWS);

#define XFS_DINODE_CRC_OFF XFS_OFF(dinode_v3, crc)
#define XFS_DINODE_LSN_OFF XFS_OFF(dinode_v3, lsn)

/* The whole head of an inode in host order; `v3` is zero below version 3. */
struct xfs_dinode {
	struct xfs_dinode_core core;
	struct xfs_dinode_v3 v3;
};

extern const struct xfs_desc xfs_byte_desc;
/* The inode as users see it: core, next_unlinked, v3, forks. Object = one inode at offset 0 of the buffer. */
extern const struct xfs_desc xfs_inode_desc;

/* Decodes core and, from version 3, the v3 part. `at` holds at least xfs_dinode_literal_off() bytes; 176 always do. */
void xfs_dinode_decode(struct xfs_dinode *out, const void *at);
/* Writes core and, from version 3, the v3 part; forks and pads stay. The crc is written as it is. */
void xfs_dinode_encode(void *at, const struct xfs_dinode *in);

enum xfs_fork { XFS_FORK_DATA, XFS_FORK_ATTR };

XFS_INLINE bool xfs_dinode_has_nrext64(const struct xfs_dinode *d)
{
	return d->core.version >= 3 && (d->v3.flags2 & XFS_DIFLAG2_NREXT64);
}
XFS_INLINE bool xfs_dinode_has_bigtime(const struct xfs_dinode *d)
{
	return d->core.version >= 3 && (d->v3.flags2 & XFS_DIFLAG2_BIGTIME);
}
XFS_INLINE bool xfs_dinode_is_metadata(const struct xfs_dinode *d)
{
	return d->core.version >= 3 && (d->v3.flags2 & XFS_DIFLAG2_METADATA);
}
XFS_INLINE uint32_t xfs_dinode_nlink(const struct xfs_dinode *d)
{
	return d->core.version == 1 ? d->core.metatype : d->core.nlinkv2;
}
XFS_INLINE uint32_t xfs_dinode_projid(const struct xfs_dinode *d)
{
	return (uint32_t)d->core.projid_hi << 16 | d->core.projid_lo;
}
XFS_INLINE void xfs_dinode_set_projid(struct xfs_dinode *d, uint32_t id)
{
	d->core.projid_lo = (uint16_t)id;
	d->core.projid_hi = (uint16_t)(id >> 16);
}

/* Extent counters, raw: not compared with fork sizes. The setters return false when the place is too narrow. */
uint64_t xfs_dinode_nextents(const struct xfs_dinode *, enum xfs_fork);
bool xfs_dinode_set_nextents(struct xfs_dinode *, enum xfs_fork, uint64_t n);

/* Start of the forks and bytes for both. */
XFS_INLINE uint32_t xfs_dinode_literal_off(unsigned version)
{
	return version >= 3 ? XFS_DINODE_SIZE_V3 : XFS_DINODE_SIZE_V2;
}
XFS_INLINE uint32_t xfs_dinode_literal_size(unsigned version, uint32_t inodesize)
{
	uint32_t head = xfs_dinode_literal_off(version);

	return inodesize > head ? inodesize - head : 0;
}
/*
 * Byte offset of a fork from the start of the inode, and its size in bytes.  A di_forkoff that leaves the inode is
 * clamped: the data fork then has the whole literal area and the attr fork nothing.
 */
uint32_t xfs_dinode_fork_off(unsigned version, unsigned forkoff, uint32_t inodesize, enum xfs_fork);
uint32_t xfs_dinode_fork_size(unsigned version, unsigned forkoff, uint32_t inodesize, enum xfs_fork);

/* Entries that a bmbt root in a fork of `forksize` bytes has room for; its pointers from the start of the fork. */
XFS_INLINE uint32_t xfs_bmdr_maxrecs(uint32_t forksize) { return forksize < 4 ? 0 : (forksize - 4) / 16; }
XFS_INLINE uint32_t xfs_bmdr_ptrs_off(uint32_t forksize) { return 4 + 8 * xfs_bmdr_maxrecs(forksize); }

struct xfs_timestamp {
	int64_t sec;			/* since 1970-01-01 UTC */
	uint32_t nsec;
};
/* From and to the raw 64 bits (big-endian load). Times outside the range of the form are clamped, with nsec 0. */
struct xfs_timestamp xfs_time_decode(uint64_t raw, bool bigtime);
uint64_t xfs_time_encode(struct xfs_timestamp t, bool bigtime);

/* Device numbers of XFS_DINODE_FMT_DEV: 14 bits of major, 18 of minor. */
XFS_INLINE uint32_t xfs_dev_pack(uint32_t major, uint32_t minor) { return major << 18 | (minor & 0x3ffff); }
XFS_INLINE uint32_t xfs_dev_major(uint32_t dev) { return dev >> 18; }
XFS_INLINE uint32_t xfs_dev_minor(uint32_t dev) { return dev & 0x3ffff; }

#endif
