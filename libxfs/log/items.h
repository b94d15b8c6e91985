/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * items.h - log items in native form: what a transaction changed, kind by kind (format sheet 04, section 6).
 *
 * An item is a list of regions, bytes as the writer left them.  xfs_log_item_check() says whether sizes and counts of
 * all of its regions fit each other; the loaders below may be called on items that passed, and nothing they hand out
 * leads outside.  What the values mean for the filesystem is not judged here.  Layer: log.
 */
#ifndef XFS_LOG_ITEMS_H
#define XFS_LOG_ITEMS_H

#include "libxfs/ondisk/logitems.h"

struct xfs_log_region {
	const uint8_t *p;
	uint32_t len;			/* bytes */
};

enum xfs_log_role { XFS_LOG_CHANGE, XFS_LOG_INTENT, XFS_LOG_DONE };

struct xfs_log_item;

/* A kind of item; rows of one table. */
struct xfs_log_item_kind {
	uint16_t type;			/* XFS_LI_* */
	uint8_t role;			/* enum xfs_log_role */
	uint16_t intent;		/* of a DONE: the type that it ends */
	uint16_t least, most;		/* regions */
	const char *name;		/* "buf", "efi" */
	const struct xfs_desc *desc;	/* of the first region; see xfs_log_item_desc() */
	/*
	 * NULL, or what is wrong (static). The first region holds at least desc->size bytes. NULL: nothing else to say.
	 */
	const char *(*check)(const struct xfs_log_item *);
};
extern const struct xfs_log_item_kind xfs_log_item_kinds[];	/* by type; the last one has no name */

struct xfs_log_item {
	uint16_t type;
	bool writer_le;
	uint32_t nregions;		/* >= 1 */
	const struct xfs_log_region *regions;
	const struct xfs_log_item_kind *kind;	/* NULL: not known */
};

const struct xfs_log_item_kind *xfs_log_item_kind_of(uint16_t type);
const struct xfs_log_item_kind *xfs_log_item_kind_named(const char *name);
/* NULL when the item may be used, else what is wrong (static). */
const char *xfs_log_item_check(const struct xfs_log_item *);
/* Table of region k; NULL: bytes without a table (names, chunks of buffers, forks). */
const struct xfs_desc *xfs_log_item_desc(const struct xfs_log_item *, uint32_t k);

/* ---- buffers ---- */

struct xfs_log_buf_item {
	uint64_t daddr;			/* 512-byte sectors of the data device */
	uint32_t bbs;			/* length in sectors */
	uint16_t flags;			/* XFS_BLF_* below XFS_BLF_TYPE_SHIFT */
	uint8_t content;		/* enum xfs_blft; values above those are possible */
	uint32_t map_words;
	const uint8_t *map;
	const struct xfs_log_item *item;
};
void xfs_log_buf_load(struct xfs_log_buf_item *, const struct xfs_log_item *);
const char *xfs_log_content_name(unsigned content);

/* Steps through what a buffer item holds; starts as all zeroes. */
struct xfs_log_run {
	uint32_t off, len;		/* bytes in the buffer; a multiple of XFS_LOG_CHUNK */
	const uint8_t *p;
	uint32_t region_, bit_;		/* internal: to come */
};
/* The next run; false behind the last. Runs ascend, do not overlap, and end inside the buffer. */
bool xfs_log_buf_next(const struct xfs_log_buf_item *, struct xfs_log_run *);

/* ---- inodes, quota, inode chunks ---- */

struct xfs_log_inode_item {
	struct xfs_log_inode f;		/* either form */
	const uint8_t *core;		/* XFS_LOG_DINODE_V4 bytes or sizeof(struct xfs_log_dinode_disk) */
	uint32_t core_len;
	struct xfs_log_region data, attr;	/* forks; p NULL: not logged */
};
void xfs_log_inode_load(struct xfs_log_inode_item *, const struct xfs_log_item *);

struct xfs_log_dquot_item {
	struct xfs_log_dquot f;
	const uint8_t *dquot;		/* as on disk, the part without checksum */
};
void xfs_log_dquot_load(struct xfs_log_dquot_item *, const struct xfs_log_item *);
void xfs_log_icreate_load(struct xfs_log_icreate *, const struct xfs_log_item *);

/* ---- intents ---- */

/* An extent of EFI, RUI, CUI or BUI. Fields that the kind lacks are zero. */
struct xfs_log_intent_extent {
	uint64_t owner, startblock, startoff;
	uint32_t len, flags;
};

struct xfs_log_intent_item {
	uint64_t id;
	uint32_t n;			/* extents; 0 for ATTRI and XMI */
	const struct xfs_log_item *item;
	union {
		struct xfs_log_attri attri;
		struct xfs_log_xmi xmi;
	};
	/* ATTRI: p NULL when there is none; lengths without padding */
	struct xfs_log_region name, new_name, value, new_value;
};
void xfs_log_intent_load(struct xfs_log_intent_item *, const struct xfs_log_item *);
/* Extent k < n. */
struct xfs_log_intent_extent xfs_log_intent_at(const struct xfs_log_intent_item *, uint32_t k);
/* Id that an intent has, or that a done item ends. */
uint64_t xfs_log_item_id(const struct xfs_log_item *);

#endif
