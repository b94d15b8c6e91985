/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overlay_priv.h - the overlay layer, shared by its sources: the layer (overlay.c), table and storage
 * (overlay_store.c), what it holds (overlay_changes.c).
 *
 * A changed block has a slot: its place in the storage.  The table maps block to slot (open addressing, linear probing,
 * nothing is ever taken out).  Slots below storage.in_memory lie in chunks of memory, the others in a temporary file.
 */
#ifndef XFS_DEVICE_OVERLAY_PRIV_H
#define XFS_DEVICE_OVERLAY_PRIV_H

#include "libxfs/base/extents.h"
#include "libxfs/base/mix.h"
#include "libxfs/device/device.h"

#include <pthread.h>

#define XFS_OVERLAY_BLOCK 4096u
#define XFS_OVERLAY_SECTOR 512u			/* unit of what is bad below, and of what is compared */
#define XFS_SLOT_ZERO UINT32_C(0xffffffff)	/* the block is zero and takes no storage */

struct overlay_entry {
	uint64_t key;			/* block + 1; 0 = free entry */
	uint32_t slot;
	/* 512-byte sectors that could not be read from below and were not written since */
	uint32_t bad;
};

struct overlay_table {
	struct overlay_entry *entries;
	size_t mask;			/* room - 1, room a power of two */
	size_t used;
	struct xfs_mix mix;
};

/* Entry of a block, or NULL. Valid until the next reserve. */
struct overlay_entry *xfs_overlay_table_get(const struct overlay_table *, uint64_t block);
/* Makes sure that n blocks can be added. Errors: NOMEM. */
int xfs_overlay_table_reserve(struct overlay_table *, size_t n);
/* Sets slot and bad sectors of a block; room must have been reserved for it when it is new. */
void xfs_overlay_table_set(struct overlay_table *, uint64_t block, uint32_t slot, uint32_t bad);

struct overlay_storage {
	uint8_t **chunks;
	uint32_t in_memory;		/* slots below this are in memory, now or when first used */
	uint32_t next;			/* first slot never used */
	uint32_t *freed;		/* slots to be used again */
	size_t freed_n, freed_room;
	int fd;				/* -1 until needed */
	char *tmpdir;			/* or NULL */
};

/* Errors: NOMEM. The fd starts as -1. */
int xfs_overlay_storage_create(struct overlay_storage *, size_t memory, const char *tmpdir);
void xfs_overlay_storage_free(struct overlay_storage *);
/* All slots are free again; memory and file are kept. */
void xfs_overlay_storage_reset(struct overlay_storage *);
/* One more slot, ready to be written. Errors: NOSPC (2^32 - 1 blocks), NOMEM, or that of the temporary file. */
int xfs_overlay_storage_take(struct overlay_storage *, uint32_t *slot);
void xfs_overlay_storage_give(struct overlay_storage *, uint32_t slot);
/* True when slot + 1 is next to slot, so that both can be transferred at once. */
bool xfs_overlay_storage_adjoins(const struct overlay_storage *, uint32_t slot);
/* len bytes from byte `skip` of a slot on; may go on over slots that adjoin. Errors: IO, NOSPC. */
int xfs_overlay_storage_read(const struct overlay_storage *, uint32_t slot, uint32_t skip, void *buf, size_t len);
int xfs_overlay_storage_write(struct overlay_storage *, uint32_t slot, uint32_t skip, const void *buf, size_t len);

struct overlay_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;		/* or NULL */
	uint64_t below_size;		/* bytes of it that show; behind it all is zero */
	pthread_rwlock_t lock;		/* over all that follows */
	struct overlay_table table;
	struct overlay_storage storage;
	struct xfs_extents zeroed;	/* in blocks */
};

/* The layer when the device is one, else NULL. */
struct overlay_dev *xfs_overlay_of(struct xfs_dev *);

#endif
