/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_btdump.c - time of `btdump` on a rmapbt of one million records: the xfs_db built here against the installed one.
 *
 * The image is a fresh filesystem in whose first AG such a tree is loaded and the AGF led to it.  Run in the build
 * folder.
 */
#include "libxfs/btree/btree.h"
#include "libxfs/device/device.h"
#include "libxfs/mount/fs.h"
#include "libxfs/ondisk/blocktypes.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RECORDS UINT64_C(1000000)
#define STEP 10u			/* blocks from record to record */
#define TREE (RECORDS * STEP + 1000)	/* first block of the tree */
#define RUNS 3

struct maker {
	struct xfs_fs *fs;
	struct xfs_dev *dev;
	uint64_t taken, blocks;
};

static int next_record(void *payload, void *rec)
{
	struct maker *m = payload;
	struct xfs_rmap_rec r = { .startblock = (uint32_t)(m->taken * STEP), .blockcount = STEP - 2,
				  .owner = 128 + m->taken % 97, .offset = m->taken };

	m->taken++;
	xfs_rmap_rec_encode(rec, &r);
	return 0;
}

static int next_block(void *payload, unsigned level, uint64_t *ptr)
{
	struct maker *m = payload;

	(void)level;
	*ptr = TREE + m->blocks++;
	return 0;
}

static uint64_t daddr_of(void *payload, uint64_t ptr)
{
	struct maker *m = payload;

	return xfs_agbno_daddr(&m->fs->geo, XFS_AGNO(0), XFS_AGBNO(ptr)).v;
}

static int write_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct maker *m = payload;

	(void)level;
	return xfs_dev_write(m->dev, ptr * m->fs->geo.blocksize, data, m->fs->geo.blocksize);
}

static int load_tree(struct maker *m, struct xfs_btree_bulk *bulk)
{
	const struct xfs_geometry *geo = &m->fs->geo;
	struct xfs_btree_geometry g;
	int err = xfs_btree_bulk_geometry(&g, &xfs_btree_kinds[XFS_BTREE_RMAP], true, geo->blocksize, RECORDS, -1, -1, 0);

	if (err)
		return err;
	*bulk = (struct xfs_btree_bulk){ .kind = &xfs_btree_kinds[XFS_BTREE_RMAP], .blocksize = geo->blocksize, .v5 = true,
		.uuid = geo->uuid, .next = next_record, .alloc = next_block, .daddr_of = daddr_of, .emit = write_block,
		.payload = m };
	return xfs_btree_bulk_load(bulk, &g);
}

static int lead_agf_to(struct maker *m, const struct xfs_btree_bulk *bulk)
{
	uint64_t at = xfs_ag_header_daddr(&m->fs->geo, XFS_AGNO(0), 1).v * XFS_BBSIZE;
	uint32_t len = m->fs->geo.sectsize;
	uint8_t *sector = malloc(len);
	int err = sector ? xfs_dev_read(m->dev, at, sector, len) : -XFS_E_NOMEM;

	if (!err) {
		xfs_agf_set_rmaproot((void *)sector, (uint32_t)bulk->root);
		xfs_agf_set_rmaplevel((void *)sector, bulk->levels);
		xfs_blockform_seal(xfs_blockform_of(XT_AGF, true, sector, len), true, sector, len);
		err = xfs_dev_write(m->dev, at, sector, len);
	}
	free(sector);
	return err;
}

static int make_image(const char *path)
{
	struct maker m = { .fs = NULL };
	struct xfs_devset set = { NULL, NULL, NULL };
	struct xfs_btree_bulk bulk;
	char command[512];
	int err;

	snprintf(command, sizeof(command), "./mkfs.xfs -q -f -m rmapbt=1 -d name=%s,file,size=200g,agcount=4", path);
	if (system(command))
		return -XFS_E_INVALID;
	err = xfs_dev_file(&m.dev, path, 0, 0, NULL);
	set.data = m.dev;
	if (!err)
		err = xfs_fs_open(&m.fs, &set, NULL, NULL);
	if (!err)
		err = load_tree(&m, &bulk);
	if (!err)
		err = lead_agf_to(&m, &bulk);
	xfs_fs_close(m.fs);
	xfs_dev_close(m.dev);
	return err;
}

static double time_of(const char *program, const char *image)
{
	double best = -1;
	char command[512];

	snprintf(command, sizeof(command), "%s -r -c 'agf 0' -c 'addr rmaproot' -c btdump %s | cat >/dev/null", program, image);
	for (int i = 0; i < RUNS; i++) {
		struct timespec from, to;
		double t;

		clock_gettime(CLOCK_MONOTONIC, &from);
		if (system(command))
			return -1;
		clock_gettime(CLOCK_MONOTONIC, &to);
		t = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
		if (best < 0 || t < best)
			best = t;
	}
	return best;
}

int main(void)
{
	char image[] = "bench-btdump-XXXXXX";
	double ours, theirs = -1;
	int fd = mkstemp(image), err;

	if (fd < 0)
		return 1;
	close(fd);
	err = make_image(image);
	if (err) {
		fprintf(stderr, "image: %s\n", xfs_error_text(err));
		unlink(image);
		return 1;
	}
	ours = time_of("./xfs_db", image);
	if (access("/usr/sbin/xfs_db", X_OK) == 0)
		theirs = time_of("/usr/sbin/xfs_db", image);
	printf("btdump of %llu records: %.0f ms", (unsigned long long)RECORDS, ours * 1e3);
	if (theirs > 0)
		printf(", installed xfs_db %.0f ms, ratio %.2f", theirs * 1e3, ours / theirs);
	printf("\n");
	unlink(image);
	return ours < 0;
}
