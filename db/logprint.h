/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logprint.h - the command logprint: what a log holds. logprint.c: options, records and transactions; logprint_item.c:
 * one item as a line or as JSON; logprint_match.c: which items touch an inode or blocks.
 */
#ifndef DB_LOGPRINT_H
#define DB_LOGPRINT_H

#include "db/report.h"

#include "libxfs/log/transactions.h"

/* What is asked for; nothing given: all. */
struct logprint_query {
	bool by_ino, by_daddr;
	uint64_t ino;
	uint64_t daddr, bbs;		/* 512-byte sectors of the data device */
	const struct xfs_log_item_kind *kind;
};

bool logprint_match(const struct xfs_geometry *, const struct logprint_query *, const struct xfs_log_item *);

/* One line, indented by four blanks. */
void logprint_item_line(struct db *, const struct xfs_log_item *);
/* All fields of all regions that have tables, the others as bytes. */
void logprint_item_fields(struct db *, const struct xfs_log_item *);
/* An object. */
void logprint_item_json(struct db *, struct xfs_json *, const struct xfs_log_item *);

#endif
