/* SPDX-License-Identifier: BSD-2-Clause */
/* area.c - where the log lies; headers and checksums of records. */
#include "libxfs/log/area.h"

#include "libxfs/base/crc32c.h"

#define XHDR_CRC 260u			/* bytes of an extended header that are summed */

const char *xfs_log_area_find(struct xfs_log_area *a, const struct xfs_fs *fs)
{
	const struct xfs_sb *sb = &fs->geo.sb;
	uint64_t bytes = (uint64_t)sb->logblocks * sb->blocksize;

	memset(a, 0, sizeof(*a));
	a->v2 = (sb->versionnum & XFS_SB_VERSION_LOGV2) != 0;
	a->v5 = fs->geo.v5;
	a->uuid = sb->uuid;
	a->dev = sb->logstart ? fs->dev.data : fs->dev.log;
	if (!a->dev)
		return "it is on a device that was not given";
	if (sb->logstart && !xfs_fsbno_range_valid(&fs->geo, sb->logstart, sb->logblocks))
		return "the superblock names an impossible place";
	a->start = sb->logstart ? xfs_fsbno_byte(&fs->geo, XFS_FSBNO(sb->logstart)) : 0;
	if (bytes / XFS_BBSIZE < 8 || bytes / XFS_BBSIZE > INT32_MAX)
		return "the superblock names an impossible length";
	if (a->start > a->dev->size || bytes > a->dev->size - a->start)
		return "the device ends before it";
	a->blocks = (uint32_t)(bytes / XFS_BBSIZE);
	return NULL;
}

int xfs_log_area_read(const struct xfs_log_area *a, uint32_t blk, uint32_t count, uint8_t *buf)
{
	uint32_t first = a->blocks - blk < count ? a->blocks - blk : count;
	int err = xfs_dev_read(a->dev, a->start + (uint64_t)blk * XFS_BBSIZE, buf, (size_t)first * XFS_BBSIZE);

	if (!err && count > first)
		err = xfs_dev_read(a->dev, a->start, buf + (size_t)first * XFS_BBSIZE,
				   (size_t)(count - first) * XFS_BBSIZE);
	return err;
}

static bool is_hole(int err)
{
	return err == -XFS_E_IO || err == -XFS_E_FAULT;
}

int xfs_log_area_read_most(const struct xfs_log_area *a, uint32_t blk, uint32_t count, uint8_t *buf, bool *holes)
{
	int err = xfs_log_area_read(a, blk, count, buf);

	if (!is_hole(err))
		return err;
	for (uint32_t k = 0; k < count; k++) {
		uint8_t *p = buf + (size_t)k * XFS_BBSIZE;

		err = xfs_log_area_read(a, (uint32_t)(((uint64_t)blk + k) % a->blocks), 1, p);
		if (err && !is_hole(err))
			return err;
		if (err)
			memset(p, 0, XFS_BBSIZE);
		if (err && holes)
			*holes = true;
	}
	return 0;
}

const char *xfs_log_record_parse(const struct xfs_log_area *a, uint32_t blk, const uint8_t *header,
				 struct xfs_log_record *r)
{
	xfs_log_rec_decode(&r->h, header);
	r->block = blk;
	r->headers = a->v2 && r->h.size > XFS_LOG_HEADER_DATA
			     ? (uint32_t)xfs_ceil_div(r->h.size, XFS_LOG_HEADER_DATA) : 1;
	if (r->h.magicno != XFS_LOG_MAGIC)
		return "a record header is missing";
	if (r->h.version != (a->v2 ? 2u : 1u))
		return "a record has the wrong version";
	if (r->h.len > XFS_LOG_MAX_RECORD || r->headers > XFS_LOG_MAX_RECORD / XFS_LOG_HEADER_DATA ||
	    xfs_log_record_blocks(r) >= a->blocks)
		return "a record has an impossible length";
	return NULL;
}

bool xfs_log_record_is_ours(const struct xfs_log_area *a, const struct xfs_log_record *r, bool nil_ok)
{
	static const uint8_t nil[16];

	return !memcmp(r->h.fs_uuid, a->uuid, 16) || (nil_ok && !memcmp(r->h.fs_uuid, nil, 16));
}

uint32_t xfs_log_record_crc(const struct xfs_log_record *r, const uint8_t *p, uint32_t header)
{
	static const uint8_t zero[4];
	const size_t field = XFS_OFF(log_rec, crc);
	uint32_t extended = r->h.len > XFS_LOG_HEADER_DATA
				    ? (uint32_t)xfs_ceil_div(r->h.len, XFS_LOG_HEADER_DATA) - 1 : 0;
	uint32_t c = xfs_crc32c(XFS_CRC32C_SEED, p, field);

	c = xfs_crc32c(c, zero, sizeof(zero));
	c = xfs_crc32c(c, p + field + sizeof(zero), header - field - sizeof(zero));
	for (uint32_t i = 1; i <= extended && i < r->headers; i++)
		c = xfs_crc32c(c, p + (size_t)i * XFS_BBSIZE, XHDR_CRC);
	return ~xfs_crc32c(c, p + (size_t)r->headers * XFS_BBSIZE, r->h.len);
}

bool xfs_log_record_crc_fits(const struct xfs_log_record *r, const uint8_t *packed)
{
	/* writers on 32-bit x86 covered four bytes less */
	return xfs_log_record_crc(r, packed, 328) == r->h.crc || xfs_log_record_crc(r, packed, 324) == r->h.crc;
}
