/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_recovery.c - replay of a log, in bytes per second of processor time: a filesystem in memory, checkpoints of
 * whole btree blocks, each block changed many times; 4 KiB blocks, records of 256 KiB.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/log/state.h"
#include "libxfs/log/writer.h"
#include "libxfs/mount/fs.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/recovery/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AGBLOCKS 65536u
#define LOGBLOCKS 32768u		/* 128 MiB */
#define LOGSTART 16384u
#define BUFFERS 256u			/* of one checkpoint */
#define CHECKPOINTS 100u
#define SIZE 4096u

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);	/* memory only: nothing is waited for */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int err)
{
	if (!err)
		return;
	fprintf(stderr, "bench_recovery: %s\n", xfs_error_text(err));
	exit(1);
}

static void make_fs(struct xfs_dev *dev)
{
	struct xfs_sb sb = {
		.magicnum = XFS_SB_MAGIC, .versionnum = 0xb4a5, .features2 = 0x18a, .bad_features2 = 0x18a,
		.blocksize = SIZE, .blocklog = 12, .sectsize = 512, .sectlog = 9, .inodesize = 512, .inodelog = 9,
		.inopblock = 8, .inopblog = 3, .agblocks = AGBLOCKS, .agcount = 1, .agblklog = 16, .dblocks = AGBLOCKS,
		.logstart = LOGSTART, .logblocks = LOGBLOCKS, .logsunit = 1, .rextsize = 1, .imax_pct = 25,
		.inoalignmt = 8, .spino_align = 4, .features_ro_compat = XFS_SB_ROCOMPAT_FINOBT,
		.features_incompat = XFS_SB_INCOMPAT_FTYPE | XFS_SB_INCOMPAT_SPINODES,
	};
	uint8_t sector[512] = { 0 };

	xfs_sb_encode(sector, &sb);
	xfs_crc32c_store(sector, sizeof(sector), XFS_SB_CRC_OFF);
	must(xfs_dev_write(dev, 0, sector, sizeof(sector)));
}

/* A leaf of the bnobt with one record that says which change this is. */
static void make_item(uint8_t *format, uint8_t *block, uint32_t agbno, uint32_t change)
{
	memset(format, 0, 24);
	xfs_st16(format, XFS_HOST_LE, XFS_LI_BUF);
	xfs_st16(format + 2, XFS_HOST_LE, 2);
	xfs_st16(format + 4, XFS_HOST_LE, XFS_BLFT_BTREE << XFS_BLF_TYPE_SHIFT);
	xfs_st16(format + 6, XFS_HOST_LE, SIZE / 512);
	xfs_st64(format + 8, XFS_HOST_LE, (uint64_t)agbno * (SIZE / 512));
	xfs_st32(format + 16, XFS_HOST_LE, 1);
	xfs_st32(format + 20, XFS_HOST_LE, UINT32_MAX);
	memset(block, 0, SIZE);
	xfs_put_be32(block, 0x41423342);	/* AB3B */
	xfs_put_be16(block + 6, 1);
	xfs_put_be32(block + 8, XFS_NULL32);
	xfs_put_be32(block + 12, XFS_NULL32);
	xfs_put_be64(block + 16, (uint64_t)agbno * (SIZE / 512));
	xfs_put_be32(block + 56, 1000 + change);
	xfs_put_be32(block + 60, 1);
}

static uint64_t fill_log(const struct xfs_devset *set)
{
	struct xfs_log_writing how = { .record_size = 262144 };
	uint8_t *formats = malloc(BUFFERS * 24), *blocks = malloc((size_t)BUFFERS * SIZE);
	struct xfs_log_region *regions = calloc(2 * BUFFERS, sizeof(*regions));
	struct xfs_log_writer *w;
	struct xfs_log_state st;
	struct xfs_fs *fs;
	uint64_t lsn, bytes = 0;

	must(!formats || !blocks || !regions ? -XFS_E_NOMEM : xfs_fs_open(&fs, set, NULL, NULL));
	must(xfs_log_state(fs, &st));
	must(xfs_log_writer_open(&w, fs, &st, &how));
	for (uint32_t c = 0; c < CHECKPOINTS; c++) {
		for (uint32_t i = 0; i < BUFFERS; i++) {
			make_item(formats + i * 24, blocks + (size_t)i * SIZE, 16 + (i * 37 + c * 11) % 4096, c);
			regions[2 * i] = (struct xfs_log_region){ formats + i * 24, 24 };
			regions[2 * i + 1] = (struct xfs_log_region){ blocks + (size_t)i * SIZE, SIZE };
		}
		must(xfs_log_checkpoint_write(w, regions, 2 * BUFFERS, &lsn));
		bytes += (uint64_t)BUFFERS * SIZE;
	}
	xfs_log_writer_close(w);
	xfs_fs_close(fs);
	free(formats);
	free(blocks);
	free(regions);
	return bytes;
}

int main(void)
{
	struct xfs_devset set = { .data = NULL };
	struct xfs_recovery r;
	uint64_t bytes;
	double start;

	must(xfs_dev_overlay(&set.data, NULL, (uint64_t)AGBLOCKS * SIZE, (size_t)512 << 20, NULL));
	make_fs(set.data);
	bytes = fill_log(&set);
	start = now();
	must(xfs_recovery_replay(&set, &r, NULL));
	start = now() - start;
	if (r.counts.buffers != (uint64_t)CHECKPOINTS * BUFFERS)
		must(-XFS_E_INTERNAL);
	printf("log replay: %.0f MB/s, %.2f M buffer items/s\n", (double)bytes / start / 1e6,
	       (double)r.counts.buffers / start / 1e6);
	xfs_recovery_free(&r);
	xfs_dev_close(set.data);
	return 0;
}
