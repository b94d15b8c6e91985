/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_space.c - changes of an AG's space per second: reverse mappings, reference counts, allocation; 4 KiB blocks. */
#include "libxfs/base/crc32c.h"
#include "libxfs/build/ag.h"
#include "libxfs/space/agspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AGBLOCKS 1048576u	/* 4 GiB */
#define OPS 100000u
#define PER_CHANGE 64u		/* operations that are committed together */

struct bench {
	struct xfs_geometry geo;
	struct xfs_dev *dev;
	struct xfs_fs *fs;
	struct xfs_change change;
	struct xfs_agspace *ag;
	uint32_t *order;		/* block of each operation */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int err)
{
	if (!err)
		return;
	fprintf(stderr, "bench_space: %s\n", xfs_error_text(err));
	exit(1);
}

static void make_sb(struct xfs_sb *sb)
{
	*sb = (struct xfs_sb){
		.magicnum = XFS_SB_MAGIC, .versionnum = 0xb4a5, .features2 = 0x18a, .bad_features2 = 0x18a,
		.blocksize = 4096, .blocklog = 12, .sectsize = 512, .sectlog = 9, .inodesize = 512, .inodelog = 9,
		.inopblock = 8, .inopblog = 3, .agblocks = AGBLOCKS, .agcount = 1, .agblklog = 20, .dblocks = AGBLOCKS,
		.logblocks = 1000, .logsunit = 1, .rextsize = 1, .imax_pct = 25, .inoalignmt = 8, .spino_align = 4,
		.features_ro_compat = XFS_SB_ROCOMPAT_FINOBT | XFS_SB_ROCOMPAT_RMAPBT | XFS_SB_ROCOMPAT_REFLINK |
			XFS_SB_ROCOMPAT_INOBTCNT,
		.features_incompat = XFS_SB_INCOMPAT_FTYPE | XFS_SB_INCOMPAT_BIGTIME | XFS_SB_INCOMPAT_NREXT64 |
			XFS_SB_INCOMPAT_SPINODES,
	};
}

/* An empty AG in memory. */
static void start(struct bench *b)
{
	struct xfs_build_ag want = { .geo = &b->geo, .newino = XFS_NULL32, .leaf_slack = -1, .node_slack = -1 };
	struct xfs_fs_options o = { .cache = (size_t)256 << 20 };
	struct xfs_ag_switch sw;
	uint8_t sector[512] = { 0 };
	struct xfs_sb sb;

	make_sb(&sb);
	must(xfs_geometry_init(&b->geo, &sb, NULL, NULL));
	must(xfs_dev_overlay(&b->dev, NULL, (uint64_t)AGBLOCKS * 4096, (size_t)1 << 30, NULL));
	want.dev = b->dev;
	must(xfs_claims_new(&want.claims, &b->geo, 64 << 20, NULL));
	must(xfs_claims_seal(want.claims, XFS_AGNO(0)));
	must(xfs_build_ag(&want, &sw));
	must(xfs_build_ag_commit(&want, &sw));
	sb.fdblocks = sw.freeblks + sw.flcount + sw.btreeblks;
	xfs_ag_switch_release(&sw);
	xfs_claims_free(want.claims);
	xfs_sb_encode(sector, &sb);
	xfs_crc32c_store(sector, sizeof(sector), XFS_SB_CRC_OFF);
	must(xfs_dev_write(b->dev, 0, sector, sizeof(sector)));
	must(xfs_fs_open(&b->fs, &(struct xfs_devset){ .data = b->dev }, &o, NULL));
	must(xfs_change_init(&b->change, b->fs));
	must(xfs_agspace_open(&b->ag, b->fs, XFS_AGNO(0)));
}

static void stop(struct bench *b)
{
	xfs_change_release(&b->change);
	xfs_agspace_close(b->ag);
	xfs_fs_close(b->fs);
	xfs_dev_close(b->dev);
}

static void shuffle(struct bench *b)
{
	uint64_t z = 1;

	for (uint32_t i = 0; i < OPS; i++)
		b->order[i] = 1024 + 10 * i;
	for (uint32_t i = OPS - 1; i; i--) {
		uint32_t k, t = b->order[i];

		z = z * UINT64_C(6364136223846793005) + 1442695040888963407;
		k = (uint32_t)((z >> 33) % (i + 1));
		b->order[i] = b->order[k];
		b->order[k] = t;
	}
}

/* A block in no order, of one of seven files, that joins nothing. */
static struct xfs_claim claim_of(const struct bench *b, uint32_t i)
{
	return (struct xfs_claim){ b->order[i], 1, 131 + b->order[i] % 7, b->order[i] };
}

enum job { TAKE, MAP, CLONE, SHARE, CONVERT, UNMAP, UNSHARE, JOBS };
static const char *const names[JOBS] = {
	"allocate a block near a place", "rmap map, plain", "rmap map, shared", "refcount increase",
	"rmap convert, in place", "rmap unmap, shared", "refcount decrease",
};

static int one(struct bench *b, enum job job, uint32_t i)
{
	struct xfs_claim c = claim_of(b, i), clone = c;
	struct xfs_alloc a = {
		.how = XFS_ALLOC_NEAR, .target = c.agbno, .minlen = 1, .maxlen = 1, .owner = XFS_OWN_NULL,
	};

	clone.owner += 1000;
	switch (job) {
	case TAKE: {
		int err = xfs_agspace_alloc(b->ag, &a);

		b->order[i] = a.agbno;	/* mostly what was asked for; the trees have taken some */
		return err;
	}
	case MAP:
		return xfs_agspace_rmap_map(b->ag, &c, false);
	case CLONE:
		return xfs_agspace_rmap_map(b->ag, &clone, true);
	case SHARE:
		return xfs_agspace_share(b->ag, c.agbno, 1);
	case CONVERT:		/* none is shared any more */
		return xfs_agspace_rmap_convert(b->ag, &c, false);
	case UNMAP:
		return xfs_agspace_rmap_unmap(b->ag, &clone, true);
	default:
		return xfs_agspace_unshare(b->ag, c.agbno, 1, NULL);
	}
}

static double run(struct bench *b, enum job job)
{
	double start_time = now();

	for (uint32_t i = 0; i < OPS; i++) {
		must(xfs_agspace_join(b->ag, &b->change));
		must(one(b, job, i));
		if ((i + 1) % PER_CHANGE == 0)
			must(xfs_change_commit(&b->change));
	}
	must(xfs_change_commit(&b->change));
	return now() - start_time;
}

int main(void)
{
	static const enum job order[] = { TAKE, MAP, SHARE, CLONE, UNMAP, UNSHARE, CONVERT };
	double best[JOBS];
	struct bench b;

	for (unsigned j = 0; j < JOBS; j++)
		best[j] = 1e9;
	b.order = malloc(OPS * sizeof(*b.order));
	if (!b.order)
		return 1;
	for (int turn = 0; turn < 2; turn++) {
		shuffle(&b);
		start(&b);
		for (unsigned j = 0; j < JOBS; j++) {
			double took = run(&b, order[j]);

			best[order[j]] = took < best[order[j]] ? took : best[order[j]];
		}
		if (turn == 0)
			printf("rmapbt of %u levels, refcountbt of %u\n", b.ag->agf.rmaplevel, b.ag->agf.refcntlevel);
		must(xfs_change_sync(b.fs));
		stop(&b);
	}
	for (unsigned j = 0; j < JOBS; j++)
		printf("%-34s %8.0f /s\n", names[order[j]], OPS / best[order[j]]);
	free(b.order);
	return 0;
}
