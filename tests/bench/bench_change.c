/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_change.c - changes per second of processor time, on images of our mkfs.xfs with 4 KiB blocks, in memory:
 * reverse mappings inserted, extents mapped, files created; directly and with a log; and the replay of that log.
 */
#include "libxfs/inode/bmap.h"
#include "libxfs/recovery/replay.h"
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RMAPS 500000u
#define EXTENTS 300000u
#define FILES 100000u
#define PER_CHANGE 64u		/* reverse mappings, extents that are committed together */

struct bench {
	struct xfs_devset set;
	struct xfs_fs *fs;
	struct xfs_edit *edit;
	struct xfs_dev_stats io;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int err)
{
	if (!err)
		return;
	fprintf(stderr, "bench_change: %s\n", xfs_error_text(err));
	exit(1);
}

/* An empty filesystem of 16 GiB with four AGs and a log of 512 MiB; changes stay in memory. */
static void start(struct bench *b, bool logged)
{
	const struct xfs_edit_options how = { .logged = logged, .record_size = logged ? 262144 : 0 };
	const struct xfs_fs_options o = { .cache = (size_t)512 << 20 };
	const char *build = getenv("XFSKIT_BUILD");
	char path[] = "bench_change.XXXXXX", command[5000];
	struct xfs_dev *top;
	int fd = mkstemp(path);

	must(fd < 0 || ftruncate(fd, (off_t)16 << 30) ? -XFS_E_OPEN : 0);
	snprintf(command, sizeof(command), "%s/mkfs.xfs -q -m rmapbt=1,reflink=1 -d agcount=4 -l size=512m %s",
		 build ? build : ".", path);
	must(system(command) ? -XFS_E_OPEN : 0);
	must(xfs_dev_file(&b->set.data, path, XFS_DEV_READONLY, 0, NULL));
	unlink(path);
	close(fd);
	must(xfs_dev_overlay(&top, b->set.data, 0, (size_t)4 << 30, NULL));
	b->io = (struct xfs_dev_stats){ 0 };
	must(xfs_dev_stats(&b->set.data, top, &b->io));
	must(xfs_fs_open(&b->fs, &b->set, &o, NULL));
	must(xfs_edit_open(&b->edit, b->fs, &how));
}

static void stop(struct bench *b)
{
	xfs_edit_close(b->edit);
	xfs_fs_close(b->fs);
	xfs_dev_close(b->set.data);
}

static uint32_t next(uint64_t *z)
{
	*z = *z * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(*z >> 33);
}

static uint32_t *shuffled(uint32_t n)
{
	uint32_t *p = malloc(n * sizeof(*p));
	uint64_t z = 1;

	must(p ? 0 : -XFS_E_NOMEM);
	for (uint32_t i = 0; i < n; i++)
		p[i] = i;
	for (uint32_t i = n - 1; i; i--) {
		uint32_t k = next(&z) % (i + 1), t = p[i];

		p[i] = p[k];
		p[k] = t;
	}
	return p;
}

static void say(const char *what, bool logged, double n, double seconds, const struct bench *b)
{
	printf("%-24s %-7s %8.0f /s, %5.0f bytes written each\n", what, logged ? "logged" : "direct", n / seconds,
	       (double)b->io.write_bytes / n);
}

/* Single blocks of files in no order; with a log each PER_CHANGE are a transaction. */
static void rmaps(bool logged)
{
	struct bench b;
	uint32_t *order = shuffled(RMAPS);
	struct xfs_trans t = { .edit = NULL };
	struct xfs_agspace *ag;
	double began;

	start(&b, logged);
	began = now();
	for (uint32_t i = 0; i < RMAPS; i++) {
		struct xfs_claim c = { 20000 + 2 * order[i], 1, 131 + order[i] % 7, order[i] };

		if (i % PER_CHANGE == 0)
			must(xfs_trans_begin(&t, b.edit, 0));
		must(xfs_live_ag(xfs_edit_live(b.edit), &t.change, XFS_AGNO(0), &ag));
		must(xfs_agspace_rmap_map(ag, &c, false));
		if ((i + 1) % PER_CHANGE == 0 || i + 1 == RMAPS)
			must(xfs_trans_commit(&t));
	}
	must(xfs_edit_sync(b.edit));
	say("rmapbt inserts", logged, RMAPS, now() - began, &b);
	stop(&b);
	free(order);
}

static uint64_t make_file(struct bench *b, const char *name)
{
	const struct xfs_new_file f = { .mode = XFS_MODE_REG | 0644 };
	uint64_t ino;

	must(xfs_name_create(b->edit, b->fs->geo.sb.rootino, name, strlen(name), &f, &ino));
	return ino;
}

/* Single blocks with holes between, of one file, in no order; allocation and reverse mapping with each. */
static void extents(bool logged)
{
	struct bench b;
	uint32_t *order = shuffled(EXTENTS);
	struct xfs_trans t = { .edit = NULL };
	struct xfs_live_inode *li;
	double began;

	start(&b, logged);
	must(xfs_live_inode_get(xfs_edit_live(b.edit), make_file(&b, "file"), &li));
	began = now();
	for (uint32_t i = 0; i < EXTENTS; i++) {
		struct xfs_bmap_want w = { .off = 2 * (uint64_t)order[i], .minlen = 1, .maxlen = 1,
					   .near = XFS_NULL64 };
		struct xfs_extent got;

		if (i % PER_CHANGE == 0) {
			must(xfs_trans_begin(&t, b.edit, 0));
			must(xfs_live_inode_join(li, &t.change));
		}
		must(xfs_bmap_alloc(li, &t.change, XFS_FORK_DATA, &w, &got));
		if ((i + 1) % PER_CHANGE == 0 || i + 1 == EXTENTS)
			must(xfs_trans_commit(&t));
	}
	must(xfs_edit_sync(b.edit));
	say("extents mapped", logged, EXTENTS, now() - began, &b);
	xfs_live_inode_put(li);
	stop(&b);
	free(order);
}

/* The log as it was left. */
static void replay(struct bench *b)
{
	struct xfs_recovery r;
	struct xfs_log_state s;
	double began;

	xfs_edit_close(b->edit);
	xfs_fs_close(b->fs);
	b->edit = NULL;
	must(xfs_fs_open(&b->fs, &b->set, NULL, NULL));
	must(xfs_log_state(b->fs, &s));
	b->io = (struct xfs_dev_stats){ 0 };
	began = now();
	must(xfs_recovery_replay(&b->set, &r, NULL));
	began = now() - began;
	/* what was read is the log twice (both passes) and the blocks in place: count the log once */
	printf("%-24s         %8.0f MB/s, %.2f M items/s\n", "log replay",
	       (double)((uint64_t)(s.head - s.tail) * XFS_BBSIZE) / began / 1e6,
	       (double)(r.counts.buffers + r.counts.buffers_newer + r.counts.inodes + r.counts.inodes_newer) / began /
	       1e6);
	xfs_recovery_free(&r);
}

static void files(bool logged)
{
	struct bench b;
	double began;

	start(&b, logged);
	began = now();
	for (uint32_t i = 0; i < FILES; i++) {
		char name[30];

		snprintf(name, sizeof(name), "file-%u", i * 7919u % FILES);
		make_file(&b, name);
	}
	must(xfs_edit_sync(b.edit));
	say("files created", logged, FILES, now() - began, &b);
	if (logged)
		replay(&b);
	stop(&b);
}

int main(void)
{
	for (unsigned logged = 0; logged < 2; logged++) {
		rmaps(logged);
		extents(logged);
		files(logged);
	}
	return 0;
}
