/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - xfs_repair: options, devices, words and exit codes (format sheet 06, section 1).
 *
 * Everything is said on stderr, but for the line about phase 5 with -n and -V, which scripts expect on stdout.
 */
#include "repair/options.h"
#include "repair/repair.h"
#include "repair/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_CLEAN = 0, EXIT_CORRUPT = 1, EXIT_DIRTY_LOG = 2, EXIT_REPAIRED = 4 };

static int open_one(struct xfs_dev **out, const char *path, const struct repair_options *o)
{
	unsigned flags = o->no_modify ? XFS_DEV_READONLY : XFS_DEV_EXCLUSIVE;
	int err = 0, error = xfs_dev_file(out, path, flags, 0, &err);

	if (error == -XFS_E_BUSY)
		fprintf(stderr, "xfs_repair: %s contains a mounted filesystem or is in use by another process\n", path);
	else if (error)
		fprintf(stderr, "xfs_repair: %s: %s\n", path, err ? strerror(err) : xfs_error_text(error));
	return error;
}

static int cover(struct xfs_dev **dev)
{
	struct xfs_dev *top;
	int error = xfs_dev_overlay(&top, *dev, 0, (size_t)64 << 20, NULL);

	if (error)
		fprintf(stderr, "xfs_repair: %s: %s\n", (*dev)->name, (*dev)->size ? xfs_error_text(error) : "is empty");
	else
		*dev = top;
	return error;
}

/* -n works on a copy in memory, so the device is never written and the result can be checked. */
static int open_devices(struct repair *r, const struct repair_options *o)
{
	int error = open_one(&r->dev.data, o->device, o);

	if (!error && o->logdev)
		error = open_one(&r->dev.log, o->logdev, o);
	if (!error && o->no_modify)
		error = cover(&r->dev.data);
	if (!error && o->no_modify && r->dev.log)
		error = cover(&r->dev.log);
	if (!error && o->rtdev)
		error = open_one(&r->dev.rt, o->rtdev, o);
	return error;
}

static void close_devices(struct repair *r)
{
	xfs_dev_close(r->dev.data);
	xfs_dev_close(r->dev.log);
	xfs_dev_close(r->dev.rt);
}

static int verdict(const struct repair *r, const struct repair_options *o, int error)
{
	if (error == -XFS_E_DIRTYLOG)
		return EXIT_DIRTY_LOG;
	if (error)
		return EXIT_CORRUPT;
	if (o->no_modify)
		return r->findings || r->log_dirty || r->replayed ? EXIT_CORRUPT : EXIT_CLEAN;
	if (r->unfixed)
		return EXIT_CORRUPT;
	return o->report_repairs && r->fixed_something ? EXIT_REPAIRED : EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	struct repair_options o;
	struct repair r = { 0 };
	struct repair_words words;
	struct repair_text text = { 0 };
	int error, status = repair_parse_options(&o, argc, argv);

	if (status >= 0)
		return status;
	r = (struct repair){
		.no_modify = o.no_modify,
		.zero_log = o.zero_log, .no_replay = o.no_replay, .force_geometry = o.force_geometry, .verbose = o.verbose,
		.memory = o.memory, .name = o.device, .leaf_slack = o.leaf_slack, .node_slack = o.node_slack,
	};
	repair_text_init(&text, &r, &words, o.json);
	error = open_devices(&r, &o);
	if (error) {
		close_devices(&r);
		fprintf(stderr, "\nfatal error -- couldn't initialize XFS library\n");
		return EXIT_CORRUPT;
	}
	error = repair_run(&r);
	status = verdict(&r, &o, error);
	repair_text_end(&text, error);
	repair_release(&r);
	close_devices(&r);
	return status;
}
