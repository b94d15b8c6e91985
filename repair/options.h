/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - the command line of xfs_repair. */
#ifndef REPAIR_OPTIONS_H
#define REPAIR_OPTIONS_H

#include "libxfs/base/findings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Features that -c adds; also the bits of struct repair's `add`. */
enum repair_add {
	REPAIR_ADD_INOBTCNT = 1, REPAIR_ADD_BIGTIME = 2, REPAIR_ADD_NREXT64 = 4, REPAIR_ADD_EXCHANGE = 8,
	REPAIR_ADD_FINOBT = 16, REPAIR_ADD_REFLINK = 32, REPAIR_ADD_RMAPBT = 64, REPAIR_ADD_PARENT = 128,
	REPAIR_LAZY_ON = 256, REPAIR_LAZY_OFF = 512,
};

struct repair_options {
	bool no_modify, zero_log, no_replay, force_geometry, dangerous, json, report_repairs, image, no_quota,
		salvage_all;
	bool reporting;			/* lines of progress were asked for: -t or -o ag_stride */
	unsigned verbose, interval;	/* interval: seconds */
	unsigned add;			/* REPAIR_ADD_*, REPAIR_LAZY_* */
	size_t memory;			/* bytes in all */
	unsigned threads;		/* -o threads; 0: as many as make sense */
	int leaf_slack, node_slack;
	int progress_fd;		/* -1: none */
	const char *device, *logdev, *rtdev, *plan, *undo, *undo_apply, *salvage;
	bool selecting;			/* --only or --skip was given */
	bool held[XFS_F_COUNT];		/* findings that are reported and not repaired */
};

/* Returns -1 to go on, or the exit status when there is nothing more to do (usage, -V, errors). */
int repair_parse_options(struct repair_options *, int argc, char **argv);

/* suboptions.c; each: 0, or the exit status. */
int repair_parse_o(struct repair_options *, char *text);
int repair_parse_c(struct repair_options *, char *text);
/* A list of ids, separated by commas: `only` holds all others, else these are held. */
int repair_parse_findings(struct repair_options *, const char *text, bool only);
int repair_parse_number(const char *name, const char *value, long least, long most, long *out);
/* Prints how the program is called; returns 1. */
int repair_usage(void);

#endif
