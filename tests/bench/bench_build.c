/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_build.c - prints times of sealing ten million random claims and of building an AG from a million. */
#include "libxfs/base/errors.h"
#include "libxfs/build/ag.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AG XFS_AGNO(0)

/* processor time: other work on the machine does not count */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void need(int error, const char *what)
{
	if (error) {
		fprintf(stderr, "%s: %s\n", what, xfs_error_text(error));
		exit(1);
	}
}

static void geometry_make(struct xfs_geometry *g)
{
	struct xfs_sb sb = {
		.magicnum = XFS_SB_MAGIC, .blocksize = 4096, .sectsize = 512, .inodesize = 512, .agblocks = 1 << 26,
		.agcount = 1, .dblocks = 1 << 26, .agblklog = 26, .blocklog = 12, .sectlog = 9, .inodelog = 9,
		.inopblock = 8, .inopblog = 3, .imax_pct = 25, .rextsize = 1, .logsunit = 1, .logstart = 1 << 20,
		.logblocks = 1000, .versionnum = 0xb4a5, .features2 = 0x18a, .bad_features2 = 0x18a, .inoalignmt = 8,
		.spino_align = 4,
	};
	const char *why = "";

	sb.features_incompat = XFS_SB_INCOMPAT_FTYPE | XFS_SB_INCOMPAT_SPINODES;
	sb.features_ro_compat = XFS_SB_ROCOMPAT_FINOBT | XFS_SB_ROCOMPAT_RMAPBT | XFS_SB_ROCOMPAT_REFLINK;
	need(xfs_geometry_init(g, &sb, NULL, &why), why);
}

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 32) * n >> 32);
}

static int nothing(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	*(uint64_t *)payload += agbno ^ len ^ refs;
	return 0;
}

/* overlapping file data all over the AG */
static void seal(const struct xfs_geometry *g, uint32_t n, size_t memory)
{
	struct xfs_claims *c;
	double start = now(), added, sealed;
	uint64_t sum = 0, left = 0;

	need(xfs_claims_new(&c, g, memory, NULL), "claims");
	for (uint32_t i = 0; i < n; i++) {
		struct xfs_claim r = { 1 + below(g->agblocks - 32), 1 + below(16), 128 + below(100000),
				       below(1 << 20) };

		need(xfs_claims_add(c, AG, &r), "add");
	}
	added = now();
	need(xfs_claims_seal(c, AG), "seal");
	sealed = now();
	need(xfs_claims_each_shared(c, AG, nothing, &sum), "shared");
	need(xfs_claims_count(c, AG, &left), "count");
	printf("%10u claims, %5zu MiB: add %.2f s, seal %.2f s, shared runs %.2f s (%llu records)\n", n, memory >> 20,
	       added - start, sealed - added, now() - sealed, (unsigned long long)left);
	xfs_claims_free(c);
}

static void build(const struct xfs_geometry *g, uint32_t n)
{
	struct xfs_claims *c;
	struct xfs_ag_switch sw;
	struct xfs_dev *dev;
	uint32_t at = 1 << 20, blocks = 0;
	double start;

	need(xfs_claims_new(&c, g, (size_t)1 << 30, NULL), "claims");
	for (uint32_t i = 0; i < n; i++) {	/* two of three shared, single free blocks between */
		struct xfs_claim r = { at, 4 + below(8), 128 + below(1000), i };

		need(xfs_claims_add(c, AG, &r), "add");
		at += i % 3 ? below(3) : r.len + 8;
	}
	start = now();
	need(xfs_claims_seal(c, AG), "seal");
	need(xfs_dev_overlay(&dev, NULL, (uint64_t)g->dblocks * g->blocksize, (size_t)1 << 30, NULL), "overlay");
	printf("%10u claims: seal %.2f s, ", n, now() - start);
	{
		struct xfs_build_ag want = { .geo = g, .claims = c, .agno = AG, .newino = XFS_NULL32, .leaf_slack = -1,
			.node_slack = -1, .dev = dev };

		start = now();
		need(xfs_build_ag(&want, &sw), "build");
	}
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		blocks += (uint32_t)sw.tree_blocks[t];
	printf("AG of %u tree blocks %.2f s\n", blocks, now() - start);
	xfs_ag_switch_release(&sw);
	xfs_dev_close(dev);
	xfs_claims_free(c);
}

int main(void)
{
	static struct xfs_geometry g;

	geometry_make(&g);
	seal(&g, 10000000, (size_t)1 << 30);
	seal(&g, 10000000, (size_t)64 << 20);
	build(&g, 1000000);
	return 0;
}
