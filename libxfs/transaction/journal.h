/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal.h - what is committed but not in the log yet, and what the active log holds (private to transaction/).
 *
 * Committed changes are gathered by buffer: a checkpoint logs each buffer once, as it is when the checkpoint is made.
 * The contents that count are the committed ones: of a buffer that an open change has written to, what it was before.
 *
 * The first time that a buffer is logged after it was written in place, all of it is; later ones of the same active log
 * are ranges.  So replay never depends on what is in place, and the LSN of a block stays as it was when it is written
 * there: a write that was torn is replayed over instead of being taken for newer (Linux looks at the LSN alone).
 *
 * Metadata go in place only when the log holds all that was committed; then nothing in it is needed any more, and the
 * tail moves up to the head.  Sizes: a checkpoint of finished chains stays below an eighth of the log, a chain is cut
 * when it alone gets there, and when a quarter is in use, metadata are written.
 */
#ifndef XFS_TRANSACTION_JOURNAL_H
#define XFS_TRANSACTION_JOURNAL_H

#include "libxfs/base/mix.h"
#include "libxfs/log/writer.h"
#include "libxfs/transaction/private.h"

#define XFS_CHUNK_WORDS (XFS_BUF_MAXLEN / XFS_CHANGE_CHUNK / 64)
#define XFS_INODE_WORDS (XFS_BUF_MAXLEN / 256 / 64)

/* A buffer that the active log or the next checkpoint speaks of. */
struct xfs_logged {
	uint64_t daddr;
	uint32_t bbs, next;			/* next in its hash chain, XFS_NULL32: none */
	bool imaged;				/* the active log holds an image of all of it */
	/* for the next checkpoint */
	bool listed, image, inodes, ordered, cancel;
	struct xfs_buf *buf;			/* image, inodes, ordered: held */
	const struct xfs_buf_type *type;
	uint64_t ranges[XFS_CHUNK_WORDS];	/* image: chunks */
	uint64_t cores[XFS_INODE_WORDS], links[XFS_INODE_WORDS];	/* inodes: which; whose di_next_unlinked */
};

/* An intent in the log that was finished. */
struct xfs_finished {
	enum xfs_work_kind kind;
	unsigned n;				/* FREE: extents */
	uint64_t id;
	struct { uint64_t start; uint32_t len; } extents[XFS_PENDING_MOST];
};

struct xfs_journal {
	struct xfs_edit *edit;
	struct xfs_log_writer *log;
	uint64_t limit;				/* bytes of a checkpoint of finished chains */
	uint64_t last_lsn;			/* of the last checkpoint */
	uint64_t estimate;			/* bytes that the next checkpoint takes, not less */
	struct xfs_logged *v;
	uint32_t n, *slots, nslots;
	struct xfs_mix mix;			/* of the slots */
	size_t room;
	uint32_t *listed;			/* indices of those in the next checkpoint */
	uint32_t nlisted;
	struct xfs_change_note *icreates, *freed;
	size_t nicreates, nfreed, icreates_room, freed_room;
	struct xfs_finished *finished;
	size_t nfinished, finished_room;
	bool data_written;			/* since the last barrier on the data device */
	/* a checkpoint being put together */
	struct xfs_log_region *regions;
	size_t nregions, regions_room;
	uint8_t *bytes;
	size_t used, bytes_room;
	struct xfs_buf **writes;
	size_t writes_room;
};

/* ---- journal.c ---- */
int xfs_journal_open(struct xfs_edit *, const struct xfs_log_state *);
void xfs_journal_close(struct xfs_journal *);
/* Before a transaction: room in the log. */
int xfs_journal_begin(struct xfs_journal *, uint64_t bytes);
/* Between the steps of a chain: to the log, when it must be. */
int xfs_journal_step(struct xfs_journal *, struct xfs_trans *, bool each);
/* In place of xfs_change_commit(). */
int xfs_journal_commit(struct xfs_journal *, struct xfs_trans *);
int xfs_journal_sync(struct xfs_journal *);
int xfs_journal_quiesce(struct xfs_journal *);
int xfs_journal_data_begin(struct xfs_journal *, uint64_t fsblock, uint32_t blocks);

/* ---- gather.c ---- */
/* Room for all that the change says, so that gathering it cannot fail. Errors: NOMEM. */
int xfs_journal_room(struct xfs_journal *, const struct xfs_change *);
/* The change, prepared, becomes a part of the next checkpoint. */
void xfs_journal_gather(struct xfs_journal *, struct xfs_change *);
/* Bytes that the change would take in the log, not less. */
uint64_t xfs_journal_measure(const struct xfs_change *);
/* The next checkpoint is written: nothing is in the next one. */
void xfs_journal_written(struct xfs_journal *);
/* The active log is empty. */
void xfs_journal_forget(struct xfs_journal *);

/* ---- items.c, inode_items.c, intents.c: into regions and bytes ---- */
/* Whose state a checkpoint has: with an open change that was gathered too, what is in the buffers. */
struct xfs_items { struct xfs_journal *j; const struct xfs_trans *rolled; };

/* Room for the items of all that is gathered, of `c` and of `t` (may be NULL). Errors: NOMEM. */
int xfs_items_room(struct xfs_journal *, const struct xfs_change *c, const struct xfs_trans *t);
uint8_t *xfs_items_region(struct xfs_journal *, uint32_t len);		/* zeroed */
void xfs_items_borrow(struct xfs_journal *, const uint8_t *, uint32_t len);
const uint8_t *xfs_items_contents(const struct xfs_items *, const struct xfs_logged *);
void xfs_items_put_blocks(const struct xfs_items *);
void xfs_items_put_inodes(const struct xfs_items *);
/* INODE_BUF items of the inode blocks of one cluster: listed[k] and those behind; returns how many. */
uint32_t xfs_items_put_links(const struct xfs_items *, uint32_t k);
void xfs_items_put_finished(struct xfs_journal *);
/* Intents that are not in the log yet; from now on they are. */
void xfs_items_put_intents(struct xfs_journal *, const struct xfs_trans *);
/* An intent is done, or replaced by another one. */
int xfs_journal_finish(struct xfs_journal *, const struct xfs_pending *);
/* Bytes and regions that an intent and its end take at most. */
void xfs_intents_measure(const struct xfs_trans *, size_t nfinished, uint64_t *bytes, uint64_t *regions);
/* XFS_WORK_ATTR among what is not in the log yet that needs the log feature. */
bool xfs_intents_need_feature(const struct xfs_trans *);

#endif
