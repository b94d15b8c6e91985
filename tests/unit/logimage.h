/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logimage.h - logs that tests write into an image of Linux or on a device of their own, and what is read of them.
 */
#ifndef TESTS_UNIT_LOGIMAGE_H
#define TESTS_UNIT_LOGIMAGE_H

#include "libxfs/log/transactions.h"
#include "tests/unit/logwriter.h"
#include "tests/unit/memdev.h"

/*
 * The writer goes on behind the head of the log of this filesystem, which must be clean; little-endian.  `uuid`: 16
 * bytes, which it uses from then on.  Then logwriter_open().
 */
void logimage_find(struct logwriter *, struct memdev *, uint8_t *uuid);
/* Byte of the block of a remote symlink, which is one of 1 KiB. */
uint64_t logimage_symlink(const struct memdev *);

/*
 * A filesystem that has nothing but a log of so many 512-byte blocks, on its log device, which is returned; the
 * writer begins in its first cycle, little-endian.  Then logwriter_init(); at the end logwriter_free(), and the device
 * is closed.
 */
struct memdev *logimage_bare(struct xfs_fs *, struct logwriter *, uint32_t blocks, bool v4);

struct logimage_seen {
	unsigned records, trans, open, unmounts;
	int err;			/* NOENT: read to the end */
	struct xfs_finding why;
};
/* Reads a dirty log; `see` (or NULL) gets its transactions, the first one as number 0. */
struct logimage_seen logimage_read(struct xfs_fs *,
				   void (*see)(void *payload, unsigned number, const struct xfs_log_trans *),
				   void *payload);

#endif
