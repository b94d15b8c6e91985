/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - test program: replays the log of an image, and all that follows.
 *
 * replay [-k] [-o] IMAGE
 *	-k	keep the log dirty: only replay
 *	-o	on an overlay: the image stays as it is
 * Prints counts, what is left to do, and how it ended. Exit status: 0 replayed and settled, 3 replayed with work left,
 * 1 it could not be replayed.
 */
#include "libxfs/recovery/recovery.h"

#include <stdlib.h>
#include <unistd.h>

static void say(void *payload, const struct xfs_finding *f)
{
	char text[400];

	(void)payload;
	xfs_finding_format(f, text, sizeof(text));
	printf("%s: %s\n", xfs_finding_name(f->id), text);
}

static void print_counts(const struct xfs_recovery_counts *c)
{
	const struct { const char *name; uint64_t n; } rows[] = {
		{ "records", c->records }, { "transactions", c->transactions },
		{ "open transactions", c->open_transactions },
		{ "buffers", c->buffers }, { "buffers newer", c->buffers_newer },
		{ "buffers cancelled", c->buffers_cancelled },
		{ "inodes", c->inodes }, { "inodes newer", c->inodes_newer },
		{ "inodes cancelled", c->inodes_cancelled },
		{ "unlinks", c->unlinks }, { "icreates", c->icreates }, { "icreates cancelled", c->icreates_cancelled },
		{ "dquots", c->dquots }, { "dquots newer", c->dquots_newer }, { "dquots off", c->dquots_off },
		{ "intents", c->intents }, { "dones", c->dones }, { "torn blocks", c->torn_blocks },
		{ "directory pieces", c->dir_pieces },
	};

	for (size_t i = 0; i < XFS_ARRAY_SIZE(rows); i++)
		if (rows[i].n)
			printf("%s %llu\n", rows[i].name, (unsigned long long)rows[i].n);
}

int main(int argc, char **argv)
{
	struct xfs_sink sink = { say, NULL };
	struct xfs_recovery_work done = { .intents = 0 };
	struct xfs_recovery r;
	struct xfs_devset set = { .data = NULL };
	bool keep = false, overlay = false;
	int opt, err;

	while ((opt = getopt(argc, argv, "ko")) != -1) {
		keep |= opt == 'k';
		overlay |= opt == 'o';
		if (opt == '?')
			return 2;
	}
	if (optind + 1 != argc)
		return 2;
	err = xfs_dev_file(&set.data, argv[optind], overlay ? XFS_DEV_READONLY : 0, 0, NULL);
	if (!err && overlay) {
		struct xfs_dev *top;

		err = xfs_dev_overlay(&top, set.data, 0, 64 << 20, NULL);
		if (!err)
			set.data = top;
	}
	if (err) {
		printf("%s: %s\n", argv[optind], xfs_error_text(err));
		xfs_dev_close(set.data);
		return 1;
	}
	err = keep ? xfs_recovery_replay(&set, &r, &sink) : xfs_recovery_run(&set, NULL, &r, &done, &sink);
	print_counts(&r.counts);
	if (!keep) {
		printf("finished %llu intents, freed %llu inodes, %llu blocks\n", (unsigned long long)done.intents,
		       (unsigned long long)done.inodes, (unsigned long long)done.cow_blocks);
		printf("%s\n", err == -XFS_E_DIRTYLOG ? "work is left" : err ? "not settled" : "settled");
	}
	if (err && err != -XFS_E_DIRTYLOG)
		printf("error: %s\n", xfs_error_text(err));
	xfs_recovery_free(&r);
	xfs_dev_close(set.data);
	return !err ? 0 : err == -XFS_E_DIRTYLOG ? 3 : 1;
}
