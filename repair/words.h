/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.h - how xfs_repair speaks: findings and banners as text on stderr, or findings as JSON on stdout.
 *
 * Findings that follow from one that was told before (counters of a tree that is damaged) are counted and not shown,
 * but with -v and in JSON, where they name their cause.  In JSON findings wait until the end of the run, when the paths
 * of their inodes can be said; beyond RECORDS_MOST of them they come as they are made, without paths.
 */
#ifndef REPAIR_WORDS_H
#define REPAIR_WORDS_H

#include "repair/classic.h"
#include "repair/options.h"
#include "repair/places.h"
#include "repair/progress.h"
#include "repair/repair.h"

#define REPAIR_NO_CAUSE UINT64_MAX

struct repair_record {
	struct xfs_finding f;
	uint64_t cause;			/* number of the finding that it follows from, or REPAIR_NO_CAUSE */
	bool fixed, held;
	char *path;			/* or NULL */
};

struct repair_text {
	struct repair *r;
	const struct repair_options *o;
	struct repair_progress progress;
	uint64_t said, folded, intents;
	struct repair_record *records;
	size_t nrecords, room;
	uint64_t first;			/* number of records[0] */
	bool streaming;			/* too many: no longer kept */
	struct repair_classic classic;
	bool own_words;			/* some finding had no words of upstream */
	struct repair_record *waiting;	/* in text, for their place among the lines */
	size_t nwaiting, waiting_room;
	struct repair_cause { uint32_t agno; uint64_t ino, number; const char *structure; } causes[64];
	unsigned ncauses;
	struct repair_hit *hits;	/* what could not be read */
	size_t nhits;
	int phase_to_die;		/* XFS_REPAIR_FAIL_AFTER_PHASE; -1: none */
};

/* Connects the repair's sink and words to the streams. Returns 0, or 1 when the environment makes no sense. */
int repair_text_init(struct repair_text *, struct repair *, struct repair_words *, const struct repair_options *);
/* After the run: lists what could not be read; true when some of it still can't be. */
bool repair_text_hits(struct repair_text *, const struct xfs_dev *watch);
/* After the run: paths of inodes, what was kept aside, the last lines; `status` is the exit status. */
void repair_text_end(struct repair_text *, int error, int status);
void repair_text_release(struct repair_text *);

/* jsonout.c: one finding, the summary; plan.c writes the same. */
struct xfs_json;
void repair_json_finding(struct xfs_json *, const char *key, const struct repair_record *, uint64_t number);
void repair_json_summary(struct xfs_json *, const char *key, const struct repair_text *, int error, int status);
void repair_print_finding(const struct repair_record *, uint64_t number);
void repair_print_summary(const struct repair_text *, int error, int status);
/* Fills the paths of the records' inodes, as the filesystem is after the run. */
void repair_find_paths(struct repair *, struct repair_record *, size_t n);

/* plan.c: --plan. `data` and `log` are overlays, or log is NULL. Returns 0 or 1 with a line on stderr. */
int repair_write_plan(const struct repair_text *, const struct xfs_devset *below, int error, int status);

#endif
