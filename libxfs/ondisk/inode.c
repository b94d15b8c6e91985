/* SPDX-License-Identifier: BSD-2-Clause */
/* inode.c - native form of the inode and the tables of core and v3 part; forks are in inode_forks.c. */
#include "libxfs/ondisk/inode.h"

/* Conditions read the inode that the buffer starts with, whatever nested part they are asked about. */

static const struct xfs_dinode_core_disk *core_of(const struct xfs_ctx *c)
{
	return (const void *)c->p;
}

static uint64_t flags2_of(const struct xfs_ctx *c)
{
	if (xfs_dinode_core_get_version(core_of(c)) < 3)
		return 0;
	return xfs_dinode_v3_get_flags2((const void *)c->p);
}

static bool di_v1(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_dinode_core_get_version(core_of(c)) == 1;
}

static bool di_v2plus(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_dinode_core_get_version(core_of(c)) >= 2;
}

static bool di_before_v3(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return xfs_dinode_core_get_version(core_of(c)) < 3;
}

static bool di_is_metadata(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return (flags2_of(c) & XFS_DIFLAG2_METADATA) != 0;
}

static bool di_has_onlink(const struct xfs_ctx *c, size_t off)
{
	return di_v2plus(c, off) && !di_is_metadata(c, off);
}

static bool di_nrext64(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return (flags2_of(c) & XFS_DIFLAG2_NREXT64) != 0;
}

static bool di_small(const struct xfs_ctx *c, size_t off)
{
	return !di_nrext64(c, off);
}

static bool di_v3_small(const struct xfs_ctx *c, size_t off)
{
	return !di_before_v3(c, off) && !di_nrext64(c, off);
}

static bool di_bigtime(const struct xfs_ctx *c, size_t off)
{
	(void)off;
	return (flags2_of(c) & XFS_DIFLAG2_BIGTIME) != 0;
}

static bool di_oldtime(const struct xfs_ctx *c, size_t off)
{
	return !di_bigtime(c, off);
}

static size_t di_v2_pads(const struct xfs_ctx *c, size_t off)
{
	(void)c;
	(void)off;
	return 6;
}

static size_t di_v3_pads(const struct xfs_ctx *c, size_t off)
{
	(void)c;
	(void)off;
	return 12;
}

/* Where a part lies: `start` bytes from the start of the inode, elements of one byte or one element only. */
#define PART_AT(name, start)									\
	static size_t name(const struct xfs_ctx *c, size_t off, size_t k)			\
	{ (void)c; return off + (start) + k; }
PART_AT(di_v2_pad_at, 24)
PART_AT(di_v3_pad_at, 132)
PART_AT(di_atime_at, XFS_OFF(dinode_core, atime))
PART_AT(di_mtime_at, XFS_OFF(dinode_core, mtime))
PART_AT(di_ctime_at, XFS_OFF(dinode_core, ctime))
PART_AT(di_crtime_at, XFS_OFF(dinode_v3, crtime))

static const struct xfs_row byte_rows[] = {
	{ .name = "byte", .kind = XR_BITS, .order = XO_BE, .fmt = XF_HEX, .bits = 8 }
};
XFS_DESC_DEFINE(byte, 1, byte_rows);

XFS_STRUCT_DEFINE(dinode_core, XFS_DINODE_CORE_ROWS);
XFS_STRUCT_DEFINE(dinode_v3, XFS_DINODE_V3_ROWS);
XFS_STRUCT_DEFINE(dinode_time, XFS_DINODE_TIME_ROWS);
XFS_STRUCT_DEFINE(bmdr, XFS_BMDR_ROWS);

void xfs_dinode_decode(struct xfs_dinode *out, const void *at)
{
	xfs_dinode_core_decode(&out->core, at);
	if (out->core.version >= 3)
		xfs_dinode_v3_decode(&out->v3, at);
	else
		memset(&out->v3, 0, sizeof(out->v3));
}

void xfs_dinode_encode(void *at, const struct xfs_dinode *in)
{
	xfs_dinode_core_encode(at, &in->core);
	if (in->core.version >= 3)
		xfs_dinode_v3_encode(at, &in->v3);
}

uint64_t xfs_dinode_nextents(const struct xfs_dinode *d, enum xfs_fork fork)
{
	bool wide = xfs_dinode_has_nrext64(d);

	if (fork == XFS_FORK_DATA)
		return wide ? d->core.big_nextents : d->core.nextents32;
	return wide ? d->core.nextents32 : d->core.nextents16;
}

bool xfs_dinode_set_nextents(struct xfs_dinode *d, enum xfs_fork fork, uint64_t n)
{
	if (xfs_dinode_has_nrext64(d)) {
		if (n > (fork == XFS_FORK_DATA ? XFS_MAX_DATA_EXTENTS_64 : XFS_MAX_ATTR_EXTENTS_64))
			return false;
		if (fork == XFS_FORK_DATA)
			d->core.big_nextents = n;
		else
			d->core.nextents32 = (uint32_t)n;
		return true;
	}
	if (n > (fork == XFS_FORK_DATA ? XFS_MAX_DATA_EXTENTS_32 : XFS_MAX_ATTR_EXTENTS_32))
		return false;
	if (fork == XFS_FORK_DATA)
		d->core.nextents32 = (uint32_t)n;
	else
		d->core.nextents16 = (uint16_t)n;
	return true;
}

uint32_t xfs_dinode_fork_size(unsigned version, unsigned forkoff, uint32_t inodesize, enum xfs_fork fork)
{
	uint32_t all = xfs_dinode_literal_size(version, inodesize);
	uint32_t data = forkoff == 0 || forkoff > all / 8 ? all : 8 * forkoff;

	return fork == XFS_FORK_DATA ? data : all - data;
}

uint32_t xfs_dinode_fork_off(unsigned version, unsigned forkoff, uint32_t inodesize, enum xfs_fork fork)
{
	uint32_t start = xfs_dinode_literal_off(version);

	if (fork == XFS_FORK_DATA)
		return start;
	return start + xfs_dinode_fork_size(version, forkoff, inodesize, XFS_FORK_DATA);
}

struct xfs_timestamp xfs_time_decode(uint64_t raw, bool bigtime)
{
	if (bigtime)
		return (struct xfs_timestamp){ (int64_t)(raw / XFS_NSEC_PER_SEC) - (int64_t)XFS_BIGTIME_EPOCH,
					       (uint32_t)(raw % XFS_NSEC_PER_SEC) };
	return (struct xfs_timestamp){ (int32_t)(uint32_t)(raw >> 32), (uint32_t)raw };
}

uint64_t xfs_time_encode(struct xfs_timestamp t, bool bigtime)
{
	int64_t low = -(int64_t)XFS_BIGTIME_EPOCH, high = bigtime ? XFS_BIGTIME_MAX_SECONDS : INT32_MAX;

	if (t.sec <= low)
		t = (struct xfs_timestamp){ low, 0 };
	if (t.sec >= high)
		t = (struct xfs_timestamp){ high, 0 };
	if (bigtime)
		return (uint64_t)(t.sec - low) * XFS_NSEC_PER_SEC + t.nsec;
	return (uint64_t)(uint32_t)(int32_t)t.sec << 32 | t.nsec;
}
