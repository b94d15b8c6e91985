/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash.c - runs the core of xfs_repair on an image and stops the device at a write; for crash campaigns.
 *
 * crash IMAGE STOP SEED [START LENGTH]
 *	STOP	from this write on nothing reaches the image (from 1); 0: never
 *	SEED	0: writes reach it in order; else the disk has a cache; what was not flushed lands or not by this seed
 *	CRASH_KEEP_LOG in the environment: the log, which is clean, is not formatted anew
 *	START	byte from which LENGTH bytes cannot be read
 * Prints a line "finding ID" for each one, then "writes N barriers N error N". Exit status: 0 the repair ended or was
 * stopped, 1 the image cannot be opened.
 */
#include "repair/repair.h"

#include <inttypes.h>
#include <stdlib.h>

static void print_finding(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	printf("finding %s\n", xfs_finding_name(f->id));
}

int main(int argc, char **argv)
{
	struct xfs_dev_fault plan = { 0 };
	struct repair r = { .force_geometry = true, .zero_log = true, .memory = (size_t)64 << 20, .leaf_slack = -1,
			    .node_slack = -1, .sink = { print_finding, NULL } };
	struct xfs_dev *file = NULL, *top = NULL;
	int error;

	if (argc != 4 && argc != 6) {
		fprintf(stderr, "usage: crash IMAGE STOP SEED [START LENGTH]\n");
		return 1;
	}
	plan.stop_write_at = strtoull(argv[2], NULL, 10);
	plan.lose_seed = strtoull(argv[3], NULL, 10);
	if (argc == 6) {
		plan.bad_off = strtoull(argv[4], NULL, 10);
		plan.bad_len = strtoull(argv[5], NULL, 10);
	}
	r.zero_log = !getenv("CRASH_KEEP_LOG");
	r.name = argv[1];
	error = xfs_dev_file(&file, argv[1], XFS_DEV_EXCLUSIVE, 0, NULL);
	if (!error)
		error = xfs_dev_fault(&top, file, &plan);
	if (error) {
		fprintf(stderr, "crash: %s: %s\n", argv[1], xfs_error_text(error));
		xfs_dev_close(file);
		return 1;
	}
	r.dev.data = top;
	error = repair_run(&r);
	repair_release(&r);
	printf("writes %" PRIu64 " barriers %" PRIu64 " error %d\n", plan.writes, plan.barriers, -error);
	xfs_dev_close(top);
	return 0;
}
