/* SPDX-License-Identifier: BSD-2-Clause */
/* bulk.c - see bulk.h. */
#include "io/bulk.h"

#include <stdlib.h>
#include <string.h>

int io_bulk_setup(struct io_bulk *b, int fd, unsigned version, uint32_t n)
{
	struct xfs_fs_geometry g;
	memset(b, 0, sizeof(*b));
	b->fd = fd;
	b->version = version;
	if (ioctl(fd, XFS_IOCTL_FSGEOMETRY, &g) < 0)
		return -1;
	uint64_t per_block = g.inodesize ? g.blocksize / g.inodesize : 0;
	while (b->ag_inode_bits < 63 && (UINT64_C(1) << b->ag_inode_bits) < g.agblocks)
		b->ag_inode_bits++;
	for (; per_block > 1; per_block >>= 1)
		b->ag_inode_bits++;
	/* callers ask for a million at most, so this fits everywhere */
	b->head = calloc(1, sizeof(*b->head) + (size_t)n * sizeof(*b->stat));
	if (!b->head)
		return -1;
	b->head->icount = n;
	b->stat = (struct xfs_bulkstat *)(b->head + 1);
	return 0;
}

void io_bulk_free(struct io_bulk *b)
{
	free(b->head);
	b->head = NULL;
}

static void convert(struct xfs_bulkstat *to, const struct xfs_bulkstat_v1 *from, uint32_t blocksize)
{
	memset(to, 0, sizeof(*to));
	to->ino = from->ino;
	to->size = (uint64_t)from->size;
	to->blocks = (uint64_t)from->blocks;
	to->xflags = from->xflags;
	to->atime = from->atime.sec;
	to->mtime = from->mtime.sec;
	to->ctime = from->ctime.sec;
	to->atime_nsec = (uint32_t)from->atime.nsec;
	to->mtime_nsec = (uint32_t)from->mtime.nsec;
	to->ctime_nsec = (uint32_t)from->ctime.nsec;
	to->gen = from->gen;
	to->uid = from->uid;
	to->gid = from->gid;
	to->projectid = from->projid_lo | (uint32_t)from->projid_hi << 16;
	to->blksize = (uint32_t)from->blksize;
	to->rdev = from->rdev;
	to->cowextsize_blks = from->cowextsize / blocksize;
	to->extsize_blks = (uint32_t)from->extsize / blocksize;
	to->nlink = from->nlink;
	to->extents64 = (uint32_t)from->extents;
	to->aextents = from->aextents;
	to->version = 1;
	to->forkoff = from->forkoff;
	to->sick = from->sick;
	to->checked = from->checked;
	to->mode = from->mode;
}

/* A number of an old request: it names the last inode that was seen, not the next one. */
static int request_v1(struct io_bulk *b, unsigned long call, void *buffer, uint64_t last)
{
	int32_t got = 0;
	struct xfs_bulk_request_v1 r = { .lastip = &last, .icount = (int32_t)b->head->icount, .buffer = buffer,
		.ocount = &got };
	if (ioctl(b->fd, call, &r) < 0)
		return -1;
	b->head->ocount = got > 0 && (uint32_t)got <= b->head->icount ? (uint32_t)got : 0;
	return 0;
}

static bool is_in_ag(const struct io_bulk *b, uint64_t ino)
{
	return !(b->head->flags & XFS_BULK_AGNO) || ino >> b->ag_inode_bits == b->head->agno;
}

/* With a wanted AG: starts in it, and drops what lies behind it. */
static void enter_ag(struct io_bulk *b)
{
	uint64_t first = (uint64_t)b->head->agno << b->ag_inode_bits;
	if ((b->head->flags & XFS_BULK_AGNO) && b->head->ino < first)
		b->head->ino = first;
}

static int stat_v1(struct io_bulk *b, bool single)
{
	struct xfs_bulkstat_v1 *old = calloc(b->head->icount, sizeof(*old));
	if (!old)
		return -1;
	enter_ag(b);
	uint64_t last = single ? b->head->ino : b->head->ino ? b->head->ino - 1 : 0;
	int res = request_v1(b, single ? XFS_IOCTL_BULKSTAT_SINGLE_V1 : XFS_IOCTL_BULKSTAT_V1, old, last);
	struct xfs_fs_geometry g;
	if (res == 0)
		res = ioctl(b->fd, XFS_IOCTL_FSGEOMETRY, &g);
	if (res == 0 && single)
		b->head->ocount = 1;
	uint32_t kept = 0;
	for (uint32_t i = 0; res == 0 && i < b->head->ocount; i++) {
		if (!single && !is_in_ag(b, old[i].ino))
			break;
		convert(&b->stat[kept++], &old[i], g.blocksize);
		b->head->ino = old[i].ino + 1;
	}
	if (res == 0)
		b->head->ocount = kept;
	free(old);
	return res;
}

int io_bulk_stat(struct io_bulk *b)
{
	return b->version == 1 ? stat_v1(b, false) : ioctl(b->fd, XFS_IOCTL_BULKSTAT, b->head);
}

int io_bulk_stat_single(struct io_bulk *b)
{
	b->head->icount = 1;
	return b->version == 1 ? stat_v1(b, true) : ioctl(b->fd, XFS_IOCTL_BULKSTAT, b->head);
}

int io_bulk_inumbers(struct io_bulk *b)
{
	if (b->version != 1)
		return ioctl(b->fd, XFS_IOCTL_INUMBERS, b->head);
	struct xfs_inumbers_v1 *old = calloc(b->head->icount, sizeof(*old));
	if (!old)
		return -1;
	enter_ag(b);
	int res = request_v1(b, XFS_IOCTL_INUMBERS_V1, old, b->head->ino ? b->head->ino - 1 : 0);
	uint32_t kept = 0;
	for (uint32_t i = 0; res == 0 && i < b->head->ocount; i++) {
		if (!is_in_ag(b, old[i].startino))
			break;
		b->inumbers[kept++] = (struct xfs_inumbers){ .startino = old[i].startino, .allocmask = old[i].allocmask,
			.alloccount = (uint8_t)old[i].alloccount, .version = 1 };
		b->head->ino = old[i].startino + 64;
	}
	if (res == 0)
		b->head->ocount = kept;
	free(old);
	return res;
}
