/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-rmaps.c - puts about N reverse mappings into the last AG of a fresh image, a third of them on shared blocks.
 *
 *	make-rmaps IMAGE N
 *
 * The trees of that AG are built as a repair builds them, and only there: the owners have no inodes and the superblock
 * does not know, which is enough to dump and query the trees.  The numbers are the same each time.  Prints the AG, the
 * records of its rmapbt and the blocks of the tree.
 */
#include "libxfs/build/ag.h"
#include "libxfs/mount/fs.h"

#include <inttypes.h>
#include <stdlib.h>

#define ROOM_FOR_TREES UINT32_C(65536)		/* blocks in front of the mappings, so that a tree is one piece */
#define BLOCKS_A_RECORD UINT32_C(10)		/* at most, on average */

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((state >> 32) * n >> 32);
}

/* Three of a kind: data, the same blocks in part owned by another file, and blocks that may not be shared. */
static int claim_three(struct xfs_claims *c, xfs_agno_t agno, uint64_t i, uint32_t *at)
{
	struct xfs_claim data = { *at, 6 + below(10), 128 + below(5000), 16 * i };
	struct xfs_claim copy = { *at + below(4), 2 + below(data.len), 8192 + below(5000), 16 * i + 5 };
	struct xfs_claim other = { 0, 1 + below(6), 16384 + below(5000), 16 * i };
	uint32_t end = copy.agbno + copy.len > data.agbno + data.len ? copy.agbno + copy.len : data.agbno + data.len;
	int err;

	other.agbno = end + below(2);
	*at = other.agbno + other.len + below(3);
	switch (i % 8) {
	case 0: other.offset |= XFS_RMAP_UNWRITTEN; break;
	case 1: other.offset |= XFS_RMAP_ATTR; break;
	case 2: other.offset = XFS_RMAP_BMBT; break;
	}
	err = xfs_claims_add(c, agno, &data);
	if (!err)
		err = xfs_claims_add(c, agno, &copy);
	return err ? err : xfs_claims_add(c, agno, &other);
}

static int build(const struct xfs_geometry *geo, struct xfs_dev *dev, struct xfs_claims *c, xfs_agno_t agno, uint64_t n,
		 struct xfs_ag_switch *done)
{
	struct xfs_build_ag want = { .geo = geo, .claims = c, .agno = agno, .newino = XFS_NULL32, .leaf_slack = -1,
		.node_slack = -1, .dev = dev };
	uint32_t at = ROOM_FOR_TREES;
	int err = 0;

	for (uint64_t i = 0; i < n / 3 && !err; i++)
		err = claim_three(c, agno, i, &at);
	if (!err)
		err = xfs_claims_seal(c, agno);
	if (!err)
		err = xfs_build_ag(&want, done);
	if (!err) {
		err = xfs_build_ag_commit(&want, done);
		if (err)
			xfs_ag_switch_release(done);
	}
	return err;
}

static int make(const char *image, uint64_t n, const char **where)
{
	struct xfs_devset set = { NULL, NULL, NULL };
	struct xfs_fs *fs = NULL;
	struct xfs_claims *c = NULL;
	struct xfs_ag_switch done;
	uint64_t records = 0;
	xfs_agno_t agno;
	int err = xfs_dev_file(&set.data, image, 0, 0, NULL);

	*where = image;
	if (!err)
		err = xfs_fs_open(&fs, &set, NULL, NULL);
	if (err)
		goto out;
	agno = XFS_AGNO(fs->geo.agcount - 1);
	*where = "the last AG";
	err = -XFS_E_NOSPC;
	if (!fs->geo.rmapbt || !fs->geo.reflink || xfs_ag_length(&fs->geo, agno) < ROOM_FOR_TREES + n * BLOCKS_A_RECORD)
		goto out;
	err = xfs_claims_new(&c, &fs->geo, (size_t)1 << 30, NULL);
	if (!err)
		err = build(&fs->geo, set.data, c, agno, n, &done);
	if (err)
		goto out;
	err = xfs_claims_count(c, agno, &records);
	printf("ag %" PRIu32 " records %" PRIu64 " blocks %" PRIu64 "\n", agno.v, records,
	       done.tree_blocks[XFS_TREE_RMAP]);
	xfs_ag_switch_release(&done);
out:
	xfs_claims_free(c);
	xfs_fs_close(fs);
	xfs_dev_close(set.data);
	return err;
}

int main(int argc, char **argv)
{
	const char *where = "";
	char *end = NULL;
	uint64_t n = argc == 3 ? strtoull(argv[2], &end, 10) : 0;
	int err;

	if (n == 0 || n > UINT32_C(100000000) || *end) {
		fprintf(stderr, "usage: make-rmaps IMAGE N\n");
		return 2;
	}
	err = make(argv[1], n, &where);
	if (err)
		fprintf(stderr, "make-rmaps: %s: %s\n", where, xfs_error_text(err));
	return err ? 1 : fflush(stdout) != 0;
}
