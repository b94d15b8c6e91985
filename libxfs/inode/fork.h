/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork.h - the block map of a fork: extents in order, look-up by file offset, blocks and data read through it
 * (format sheet 03, section 3; sheet 02, sections 1.5 and 2.3).
 *
 * Every record is checked before it is handed out: length, file offset, place on the device (one AG, behind the
 * headers; realtime: one group), unwritten only in data forks, order.  So callers may use extents without looking at
 * them.  A fork refers to its inode and lives at most as long.  Layer: inode.
 */
#ifndef XFS_INODE_FORK_H
#define XFS_INODE_FORK_H

#include "libxfs/inode/inode.h"

struct xfs_extent {
	uint64_t off;			/* file offset, blocks */
	uint64_t block;			/* fsbno; realtime data forks: realtime block */
	uint32_t len;			/* blocks */
	bool unwritten;
};

struct xfs_ifork {
	const struct xfs_inode *ip;
	enum xfs_fork which;
	unsigned format;		/* XFS_DINODE_FMT_* */
	bool realtime;			/* extents lie in the realtime section */
	uint64_t count;			/* extents, as the inode says */
	const uint8_t *bytes;		/* literal area of the fork */
	uint32_t len;			/* its size, bytes */
	struct xfs_btree bt;		/* BTREE only */
	const struct xfs_sink *sink;	/* gets what is wrong; may be NULL; may be set by the caller after init */
};

/*
 * Errors: NOENT (no attribute fork), CORRUPT (format unknown, more extents than the fork has room for, bad btree root).
 * LOCAL, DEV and META_BTREE forks have no extents; all functions below then see an empty map.
 */
int xfs_ifork_init(struct xfs_ifork *, const struct xfs_inode *, enum xfs_fork);

typedef int (*xfs_extent_fn)(void *payload, const struct xfs_extent *);	/* nonzero stops and is returned */
/*
 * All extents in order. CORRUPT at the first record that is wrong or when their number is not the inode's (each time
 * with a finding); those before it were handed out.
 */
int xfs_ifork_each(struct xfs_ifork *, xfs_extent_fn, void *payload);
/* The extent that holds block `off` of the file, or the next one behind it. NOENT: none. */
int xfs_ifork_lookup(struct xfs_ifork *, uint64_t off, struct xfs_extent *out);
/* The last extent. NOENT: empty. */
int xfs_ifork_last(struct xfs_ifork *, struct xfs_extent *out);
/* The last extent that starts below block `off`. NOENT: none. */
int xfs_ifork_before(struct xfs_ifork *, uint64_t off, struct xfs_extent *out);

/* A record of the fork, as a search ended on it. CORRUPT: impossible. */
int xfs_ifork_record(struct xfs_ifork *, const void *rec, struct xfs_extent *out);
/* Makes f->bt the tree of this fork, of so many levels; nothing is read. For those who begin one. */
void xfs_ifork_tree(struct xfs_ifork *, unsigned levels);

/* Can these blocks belong to a file? As each record is checked. */
bool xfs_extent_valid(const struct xfs_geometry *, const struct xfs_extent *, bool realtime);
/*
 * Realtime blocks as they follow each other on the device: numbers of blocks have gaps between groups (format sheet
 * 10), zones may have them on the device, too.
 */
uint64_t xfs_rtblock_linear(const struct xfs_geometry *, uint64_t rtblock);
/* Byte of a realtime block on its device; *dev (unless `dev` is NULL) is that device, NULL when it is not given. */
uint64_t xfs_rtblock_byte(const struct xfs_fs *, uint64_t rtblock, struct xfs_dev **dev);

/*
 * Device extents of `n` blocks of the file from `off` on, neighbours merged; room for XFS_BUF_MAXEXTENTS, n at most
 * that. NOENT: nothing is mapped there; CORRUPT: mapped in part, or unwritten, or realtime.
 */
int xfs_ifork_map(struct xfs_ifork *, uint64_t off, unsigned n, struct xfs_buf_extent *out, unsigned *count);
/*
 * Borrows a metadata block of the file: n filesystem blocks from `off` on, as one buffer, verified, and on V5 owned by
 * this inode.  Errors: those of xfs_ifork_map(), xfs_buf_get(); CORRUPT (owner).
 */
int xfs_ifork_get(struct xfs_ifork *, uint64_t off, unsigned n, enum xfs_block_kind, struct xfs_buf **out);
/* Reads ahead what xfs_ifork_get() will ask for: `n` blocks each at `count` offsets. */
void xfs_ifork_readahead(struct xfs_ifork *, const uint64_t *offs, size_t count, unsigned n);

/*
 * Bytes [off, off + len) of a file's data; holes and unwritten blocks read as zero, nothing behind di_size.  *got =
 * bytes read.  Errors: those of the map and the device; UNSUPPORTED (realtime device not given).
 */
int xfs_ifork_read(struct xfs_ifork *, uint64_t off, void *buf, size_t len, size_t *got);

#endif
