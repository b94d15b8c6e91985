/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - all I/O goes through a stack of devices.
 *
 * Every layer implements the same few calls, so each awkward input (a partition, evidence that may not be written, a
 * disk with bad sectors, a crash at the n-th write) is a layer and not a special case of the code above.
 * A layer owns the device below it: closing the top closes the stack.  Offsets and lengths are bytes.
 * Layer: device (above base). Thread-safe: calls on one device may come from several threads at once.
 */
#ifndef XFS_DEVICE_DEVICE_H
#define XFS_DEVICE_DEVICE_H

#include "libxfs/base/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct xfs_dev;

struct xfs_iovec {
	uint64_t off;		/* byte offset on the device */
	size_t len;
	void *buf;
	int error;		/* out: 0 or negated code of this vector alone */
};

struct xfs_dev_ops {
	/*
	 * Each vector succeeds or fails alone: error set, and what of its buffer could not be read is zeroed (bad
	 * sectors alone, where the layer can tell). Returns 0 or the first error.
	 */
	int (*read)(struct xfs_dev *, struct xfs_iovec *, size_t n);
	/* Unordered until barrier(), also within a call. Returns 0 or the first error; vectors say which failed. */
	int (*write)(struct xfs_dev *, struct xfs_iovec *, size_t n);
	int (*barrier)(struct xfs_dev *);				/* all earlier writes are durable */
	int (*zero)(struct xfs_dev *, uint64_t off, uint64_t len);
	int (*discard)(struct xfs_dev *, uint64_t off, uint64_t len);	/* contents undefined afterwards; best effort */
	void (*close)(struct xfs_dev *);				/* frees the layer and the one below */
	/* Where, from off on, something other than zeroes may begin; size: nowhere. NULL: it can't tell. */
	uint64_t (*next_data)(struct xfs_dev *, uint64_t off);
};

struct xfs_dev {
	const struct xfs_dev_ops *ops;
	const char *name;		/* for messages; lives as long as the device */
	uint64_t size;			/* bytes */
	uint32_t sectsize;		/* logical sector size, bytes */
	bool readonly;
	unsigned changes;		/* see xfs_dev_changes(); atomic, and device.c alone touches it */
};

int xfs_dev_read(struct xfs_dev *, uint64_t off, void *buf, size_t len);
int xfs_dev_write(struct xfs_dev *, uint64_t off, const void *buf, size_t len);
int xfs_dev_readv(struct xfs_dev *, struct xfs_iovec *, size_t n);
int xfs_dev_writev(struct xfs_dev *, struct xfs_iovec *, size_t n);
int xfs_dev_barrier(struct xfs_dev *);
int xfs_dev_zero(struct xfs_dev *, uint64_t off, uint64_t len);
int xfs_dev_discard(struct xfs_dev *, uint64_t off, uint64_t len);
/*
 * Calls so far, of those above, that asked this layer (not one below) to change something, whether it could or not:
 * while the number stays, what was read is still true, as long as nobody else writes. NULL: 0.
 */
unsigned xfs_dev_changes(struct xfs_dev *);
/* All bytes from off up to the one returned are zero: a search may skip them. At least off; the size at the end. */
uint64_t xfs_dev_next_data(struct xfs_dev *, uint64_t off);
void xfs_dev_close(struct xfs_dev *);	/* NULL is allowed */

/* --- layers; each returns the new top in *out (caller closes), and takes over `below` on success only --- */

enum xfs_dev_flag {
	XFS_DEV_READONLY = 1,
	/* fail with BUSY when locked or mounted (also an image through a loop device) */
	XFS_DEV_EXCLUSIVE = 2,
	XFS_DEV_CREATE = 4,		/* create the file when it does not exist */
	XFS_DEV_TRUNCATE = 8,		/* a regular file is emptied first */
	XFS_DEV_DIRECT = 16,		/* O_DIRECT where it works */
};
/*
 * Regular file or block device.  `size` > 0 sets the size of a regular file that is shorter.  A file keeps the size
 * that it has when opened.  Errors: OPEN (errno in *err when err is not NULL), BUSY, NOMEM.
 */
int xfs_dev_file(struct xfs_dev **out, const char *path, unsigned flags, uint64_t size, int *err);
/* True when a block device, or an image through a loop device, is mounted as far as this process can see. */
bool xfs_dev_is_mounted(const char *path);
/* Bytes [off, off + len) of `below`; len 0 = to its end. Errors: SHORT, NOMEM. */
int xfs_dev_slice(struct xfs_dev **out, struct xfs_dev *below, uint64_t off, uint64_t len);
/*
 * Copy-on-write above `below` (which is never written): changed blocks of 4 KiB live in memory up to `memory` bytes,
 * then in an unlinked temporary file in `tmpdir` (NULL: TMPDIR or /tmp).  `below` NULL: a device of zeroes of `size`.
 */
int xfs_dev_overlay(struct xfs_dev **out, struct xfs_dev *below, uint64_t size, size_t memory, const char *tmpdir);
/* The same device, which outlives the stack above: closing that leaves it open. Errors: NOMEM. */
int xfs_dev_borrow(struct xfs_dev **out, struct xfs_dev *);
/* An overlay above a borrowed device: changes that nobody keeps. Errors: those of xfs_dev_overlay(). */
int xfs_dev_scratch(struct xfs_dev **out, struct xfs_dev *, size_t memory);
/*
 * Sectors (512 bytes) of an overlay that differ from below, or that can't be read below and were written: calls found()
 * for each run in ascending order, until it returns other than 0. Returns that, NOMEM, or INVALID (no overlay).
 */
int xfs_dev_overlay_changes(struct xfs_dev *, int (*found)(void *payload, uint64_t off, uint64_t len), void *payload);
/* Drops all changes: the overlay shows what is below again. INVALID when the device is no overlay. */
int xfs_dev_overlay_reset(struct xfs_dev *);
/*
 * Before-images of all that changes go to the new file `undo_path` (EXISTS when there is one; not on the target), and
 * are durable before any change reaches `below`.  Changes are held in memory (then in a temporary file) until
 * barrier(), which releases them in disk order; many at once are released earlier, still after their before-images.
 * What is written but does not differ is not written at all.  discard() does nothing, as it would lose what was there.
 * An error while releasing (a full disk) sticks: nothing more reaches the device.  Closing releases what is held.
 */
int xfs_dev_undo(struct xfs_dev **out, struct xfs_dev *below, const char *undo_path, const uint8_t uuid[16]);

enum xfs_undo_state {
	XFS_UNDO_OPEN = 1,	/* not closed: being written, or its writer was killed */
	XFS_UNDO_CLOSED,
	XFS_UNDO_APPLYING,	/* taking back began; it may be done again */
	XFS_UNDO_APPLIED,
};
struct xfs_dev_undo_info {
	enum xfs_undo_state state;
	uint8_t uuid[16];		/* as given when it was made */
	uint64_t device_size;		/* bytes */
	uint64_t records, end;		/* records, and bytes of the file, that are known to be durable */
	uint32_t crc_before;		/* over the records' data in order; CLOSED and later */
	uint32_t crc_after;		/* over what the device held in their place at the end; CLOSED and later */
};
/* Reads the header. Errors: OPEN, SHORT, BADMAGIC, BADCRC, UNSUPPORTED, CORRUPT, IO. */
int xfs_dev_undo_info(const char *undo_path, struct xfs_dev_undo_info *);
/*
 * Takes back what an undo file recorded.  Everything is verified first: header, device size, each record, and (when it
 * was closed) that the device still holds what was left on it.  INVALID when it does not fit the device or was applied
 * already; BADCRC or CORRUPT when the file is damaged.  May be repeated after a crash.
 */
int xfs_dev_undo_apply(struct xfs_dev *target, const char *undo_path);

/*
 * Reads are counted a vector each, writes a vector, a zero or a discard each.  What is failed or stopped returns FAULT.
 * After the stop reads still work, so that the caller can unwind.  The plan is the caller's, outlives the device, and
 * may be changed between calls.
 */
struct xfs_dev_fault {
	uint64_t fail_read_at, fail_write_at;	/* the n-th call (from 1) fails once; 0 = never */
	uint64_t stop_write_at;			/* from the n-th write on nothing reaches the device; 0 = never */
	uint32_t tear_bytes;			/* of the write at stop_write_at this many bytes still land */
	uint64_t bad_off, bad_len;		/* range that can't be read (whole sectors) */
	/*
	 * Not 0 when the layer is made: the disk has a write cache.  Writes reach the device at barrier() alone; of
	 * those since the last one each 512-byte sector lands or not at the stop, by this seed.
	 */
	uint64_t lose_seed;
	uint64_t reads, writes, barriers;	/* out: calls seen (vectors, barriers) */
};
int xfs_dev_fault(struct xfs_dev **out, struct xfs_dev *below, struct xfs_dev_fault *plan);

/* Counters are the caller's and outlive the device; a call is one readv or writev, whatever its number of vectors. */
struct xfs_dev_stats {
	uint64_t read_calls, read_bytes, write_calls, write_bytes, zero_bytes, barriers;
};
int xfs_dev_stats(struct xfs_dev **out, struct xfs_dev *below, struct xfs_dev_stats *stats);

/* What a filesystem is opened on; log and rt may be NULL (internal log, no realtime). */
struct xfs_devset {
	struct xfs_dev *data, *log, *rt;
};

#endif
