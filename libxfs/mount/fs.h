/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fs.h - an open filesystem: superblock, geometry, buffer cache, state of the AGs.
 *
 * Opening reads the superblock only; AG headers are read when first asked for, verified once, and the result is
 * remembered: an AG that is broken keeps giving the same error.  What is wrong goes to the sink as findings, once.
 * The devices are borrowed.  Thread-safe after xfs_fs_open(), but for the sink, which is called under one lock.
 * Layer: mount.
 */
#ifndef XFS_MOUNT_FS_H
#define XFS_MOUNT_FS_H

#include "libxfs/btree/btree.h"
#include "libxfs/mount/blocks.h"
#include "libxfs/ondisk/agheaders.h"

#include <pthread.h>

#define XFS_CACHE_DEFAULT ((size_t)64 << 20)

enum xfs_fs_flag {
	XFS_FS_NOVERIFY = 1,		/* hand out blocks that fail their verifiers; superblock with a wrong crc */
	XFS_FS_NOLASTBLOCK = 2,		/* do not ask for a device that is as long as the superblock says */
	XFS_FS_NOWILDLSN = 4,		/* a block of names with an LSN that no log gets to fails its verifier */
};

struct xfs_fs_options {
	unsigned flags;
	size_t cache;			/* bytes; 0 = XFS_CACHE_DEFAULT */
	const struct xfs_sb *sb;	/* use this one instead of the one on disk; copied. NULL: read the primary */
};

struct xfs_ag;

struct xfs_fs {
	struct xfs_devset dev;
	struct xfs_geometry geo;
	struct xfs_block_ctx blocks;
	struct xfs_ctx ctx;		/* for tables of ondisk/: everything but the buffer */
	struct xfs_buf_cache *cache;	/* of the data device */
	unsigned flags, buf_flags;	/* buf_flags: what readers hand to xfs_buf_get() */
	struct xfs_sink sink;
	int sb_error;			/* of the superblock's verifier: 0 or BADCRC (only with XFS_FS_NOVERIFY) */
	_Atomic uint64_t max_lsn;	/* greatest LSN seen in verified blocks */
	/* internal */
	pthread_mutex_t lock;		/* of ags and of the sink */
	struct xfs_ag ***ags;		/* two levels, made when first asked for */
	uint64_t ag_bytes;
};

/*
 * Reads and decodes the superblock at byte `off` of a device; nothing is known before, not even the sector size.
 * Checks magic, sector size, and on V5 (or with a crc field that is not zero) the crc over the whole sector.
 * *out is filled as far as it could be read.  Errors: SHORT, IO, BADMAGIC, BADSB (sector size), BADCRC.
 */
int xfs_fs_read_sb(struct xfs_dev *, uint64_t off, struct xfs_sb *out);

/*
 * Opens a filesystem. `options` and `sink` may be NULL; the sink's payload must live as long.  Errors: those of
 * xfs_fs_read_sb() and xfs_geometry_init(); SHORT when the device ends before the last block.
 */
int xfs_fs_open(struct xfs_fs **out, const struct xfs_devset *, const struct xfs_fs_options *, const struct xfs_sink *);
/* NULL is allowed. Dirty buffers are lost: flush before. */
void xfs_fs_close(struct xfs_fs *);

/*
 * AG headers in host order. The result of their verifier is returned each time; *out is filled whenever the sector
 * could be read, and all zero when not.  Errors: RANGE (no such AG), IO, BADMAGIC, BADCRC, CORRUPT.
 */
int xfs_fs_agf(struct xfs_fs *, xfs_agno_t, struct xfs_agf *out);
/* `unlinked` has room for XFS_AGI_BUCKETS, or is NULL. */
int xfs_fs_agi(struct xfs_fs *, xfs_agno_t, struct xfs_agi *out, uint32_t *unlinked);
/* All slots of the free list, geo.agfl_size of them. */
int xfs_fs_agfl(struct xfs_fs *, xfs_agno_t, uint32_t *slots);
/*
 * The blocks that the AGF says are in the free list, in order; *blocks has room for geo.agfl_size. CORRUPT when first,
 * last and count contradict each other, or a slot leads outside.
 */
int xfs_fs_agfl_blocks(struct xfs_fs *, xfs_agno_t, uint32_t *blocks, uint32_t *count);

/* The AGF has changed in the cache: what xfs_fs_agf() and trees opened from now on are given. Its free list too. */
void xfs_fs_note_agf(struct xfs_fs *, xfs_agno_t, const struct xfs_agf *);
/* The same for the AGI; `unlinked`: XFS_AGI_BUCKETS heads. */
void xfs_fs_note_agi(struct xfs_fs *, xfs_agno_t, const struct xfs_agi *, const uint32_t *unlinked);
/* The AG headers must be read again (after they were written past this module). */
void xfs_fs_forget_ag(struct xfs_fs *, xfs_agno_t);

/*
 * A tree of an AG, ready for the engine, on the buffer cache. Valid as long as the filesystem is open.  Errors: those
 * of the header that holds the root, CORRUPT (root or level outside), UNSUPPORTED (feature absent), INVALID (not an AG
 * tree).
 */
int xfs_fs_ag_btree(struct xfs_fs *, xfs_agno_t, enum xfs_btree_id, struct xfs_btree *out);

/* Reads one block of the data device, verified. */
int xfs_fs_get_block(struct xfs_fs *, xfs_fsbno_t, enum xfs_block_kind, struct xfs_buf **out);
/* Bytes that this filesystem holds in memory: cache and AG states. */
uint64_t xfs_fs_memory(struct xfs_fs *);
/* Passes a finding to the sink, one thread at a time. */
void xfs_fs_report(struct xfs_fs *, const struct xfs_finding *);
/*
 * Rules that the fields of a header obey (format sheet 01, section 9): each that is broken goes to the sink, in the
 * order in which upstream tells of them.  Returns 0 or CORRUPT.
 */
int xfs_agf_check(const struct xfs_geometry *, xfs_agno_t, const struct xfs_agf *, const struct xfs_sink *);
int xfs_agi_check(const struct xfs_geometry *, xfs_agno_t, const struct xfs_agi *, const struct xfs_sink *);

#endif
