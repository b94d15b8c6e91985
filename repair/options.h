/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - the command line of xfs_repair. */
#ifndef REPAIR_OPTIONS_H
#define REPAIR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct repair_options {
	bool no_modify, zero_log, no_replay, force_geometry, dangerous, json, report_repairs, image;
	unsigned verbose;
	size_t memory;
	int leaf_slack, node_slack;
	const char *device, *logdev, *rtdev;
};

/* Returns -1 to go on, or the exit status when there is nothing more to do (usage, -V, errors). */
int repair_parse_options(struct repair_options *, int argc, char **argv);

#endif
