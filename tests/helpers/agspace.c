/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agspace.c - changes the space of an image by a script, one line an operation; for tests that have others judge the
 * image.  Only staging extents of copy-on-write are made: they need no inode, so the image stays a legal one.
 *
 *	churn AGNO SEED N	N random steps: allocate and stage, cut, give back
 *	recover AGNO		frees all staging extents
 *	facts AGNO		prints heights, blocks and numbers of records of the trees
 *	sync			writes everything
 */
#include "libxfs/space/agspace.h"
#include "libxfs/space/refcount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct xfs_fs *fs;
static struct xfs_change change;

static void must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "agspace: %s: %s\n", what, xfs_error_text(err));
	exit(1);
}

static uint64_t state;

static uint32_t pick(uint32_t n)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(((z ^ z >> 31) >> 32) * n >> 32);
}

static int stage(struct xfs_agspace *ag)
{
	struct xfs_alloc a = {
		.how = (enum xfs_alloc_how)pick(3), .target = pick(ag->length), .minlen = 1, .maxlen = 1 + pick(12),
		.alignment = pick(4) ? 0 : 4, .owner = XFS_OWN_NULL, .minleft = 64,
	};
	int err;

	if (a.how == XFS_ALLOC_EXACT)
		a.alignment = 0;
	err = xfs_agspace_alloc(ag, &a);
	if (err)
		return err == -XFS_E_NOSPC ? 0 : err;
	return xfs_agspace_cow_stage(ag, a.agbno, a.len);
}

/* A part of some staging extent becomes free. */
static int give_back(struct xfs_agspace *ag)
{
	uint32_t start, len, from, n;
	int err = xfs_refcount_cow_next(&ag->tree[XFS_AGT_REFC], pick(ag->length), &start, &len);

	if (err)
		return err == -XFS_E_NOENT ? 0 : err;
	from = pick(len);
	n = 1 + pick(len - from);
	err = xfs_agspace_cow_unstage(ag, start + from, n);
	return err ? err : xfs_agspace_free(ag, start + from, n, XFS_OWN_NULL, 0);
}

static void churn(struct xfs_agspace *ag, uint64_t seed, unsigned long steps)
{
	state = seed;
	for (unsigned long i = 0; i < steps; i++) {
		must(xfs_agspace_join(ag, &change), "join");
		must(pick(5) < 3 ? stage(ag) : give_back(ag), "churn");
		must(xfs_change_commit(&change), "commit");
	}
}

static void recover(struct xfs_agspace *ag)
{
	uint64_t blocks;
	int err;

	must(xfs_agspace_join(ag, &change), "join");
	err = xfs_agspace_cow_recover(ag, 0, &blocks);
	must(err == -XFS_E_NOENT ? 0 : err, "recover");
	must(xfs_agspace_fix_agfl(ag, false), "free list");
	must(xfs_change_commit(&change), "commit");
	printf("recovered %llu blocks\n", (unsigned long long)blocks);
}

static int one_more(void *payload, const void *rec)
{
	(void)rec;
	++*(unsigned long *)payload;
	return 0;
}

static void facts(struct xfs_agspace *ag)
{
	unsigned long n[XFS_AGT_COUNT] = { 0 };

	for (unsigned t = 0; t < XFS_AGT_COUNT; t++)
		if (xfs_agspace_has(ag, (enum xfs_agspace_tree)t))
			must(xfs_btree_query_all(&ag->tree[t], one_more, &n[t]), "query");
	printf("bnobt %lu records %u levels, cntbt %lu %u, rmapbt %lu %u, refcountbt %lu %u, btreeblks %u\n", n[0],
	       ag->agf.bnolevel, n[1], ag->agf.cntlevel, n[2], ag->agf.rmaplevel, n[3], ag->agf.refcntlevel,
	       ag->agf.btreeblks);
}

static void run_line(const char *line)
{
	unsigned long agno = 0, steps = 0;
	unsigned long long seed = 0;
	struct xfs_agspace *ag;
	char word[16] = "";
	int n = sscanf(line, "%15s %lu %llu %lu", word, &agno, &seed, &steps);

	if (n < 1 || word[0] == '#')
		return;
	if (!strcmp(word, "sync")) {
		must(xfs_change_sync(fs), "sync");
		return;
	}
	if (agno >= fs->geo.agcount)
		must(-XFS_E_RANGE, line);
	must(xfs_agspace_open(&ag, fs, XFS_AGNO(agno)), "AG");
	if (!strcmp(word, "churn") && n == 4)
		churn(ag, seed, steps);
	else if (!strcmp(word, "recover") && n == 2)
		recover(ag);
	else if (!strcmp(word, "facts") && n == 2)
		facts(ag);
	else
		must(-XFS_E_INVALID, line);
	xfs_agspace_close(ag);
}

int main(int argc, char **argv)
{
	struct xfs_dev *dev;
	char line[256];

	if (argc != 2) {
		fprintf(stderr, "usage: agspace IMAGE <SCRIPT\n");
		return 2;
	}
	must(xfs_dev_file(&dev, argv[1], XFS_DEV_EXCLUSIVE, 0, NULL), argv[1]);
	must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = dev }, NULL, NULL), argv[1]);
	must(xfs_change_init(&change, fs), argv[1]);
	while (fgets(line, sizeof(line), stdin))
		run_line(line);
	must(xfs_change_sync(fs), "sync");
	xfs_change_release(&change);
	xfs_fs_close(fs);
	xfs_dev_close(dev);
	return 0;
}
