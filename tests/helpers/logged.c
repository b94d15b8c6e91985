/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logged.c - changes an image in logged mode until its disk stops, and leaves the log as it is then.
 *
 *	logged IMAGE ROUNDS STOP TEAR LOSE EVERY [each]
 *
 * STOP: the n-th write and all later ones are lost (0: none, and the log is left dirty all the same), TEAR bytes of
 * that one still land; LOSE: seed of a write cache that loses what was not flushed (0: none).  Syncs every EVERY steps
 * (0: never; -EVERY: quiesces, so that metadata go in place, too).  Prints "synced N", "begun N", "writes N", "open
 * TYPE" for each type of open intent, and fails when the log breaks a rule of the validator.  What the steps are:
 * steps().
 */
#include "libxfs/base/types.h"
#include "libxfs/log/validate.h"
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/names.h"

#include <stdlib.h>

#define STEPS 8u		/* of a round */

static struct xfs_fs *fs;
static struct xfs_edit *edit;
static uint64_t inos[4096][2];	/* of fN and cN */
static uint8_t data[64 << 10];

static uint64_t size_of(unsigned i) { return (i % 5 + 1) * 3000; }

static int create(const char *name, uint64_t *ino)
{
	struct xfs_new_file f = { .mode = XFS_MODE_REG | 0644 };

	return xfs_name_create(edit, fs->geo.sb.rootino, name, strlen(name), &f, ino);
}

static int with_file(uint64_t ino, uint64_t from, unsigned i,
		     int (*fn)(struct xfs_live_inode *, struct xfs_live_inode *,
									unsigned))
{
	struct xfs_live_inode *a = NULL, *b = NULL;
	int err = xfs_live_inode_get(xfs_edit_live(edit), ino, &a);

	if (!err && from)
		err = xfs_live_inode_get(xfs_edit_live(edit), from, &b);
	if (!err)
		err = fn(a, b, i);
	xfs_live_inode_put(a);
	xfs_live_inode_put(b);
	return err;
}

static int fill(struct xfs_live_inode *li, struct xfs_live_inode *none, unsigned i)
{
	(void)none;
	for (uint64_t k = 0; k < size_of(i); k++)
		data[k] = (uint8_t)(k * 7 + i * 13 + k / 251);
	return xfs_file_write(edit, li, 0, data, size_of(i));
}

static int share(struct xfs_live_inode *li, struct xfs_live_inode *from, unsigned i)
{
	return fs->geo.reflink ? xfs_file_share(edit, from, 0, li, 0, size_of(i)) : fill(li, NULL, i);
}

static int cut(struct xfs_live_inode *li, struct xfs_live_inode *none, unsigned i)
{
	(void)none;
	(void)i;
	return xfs_file_truncate(edit, li, 1000);
}

static int set_attr(unsigned i)
{
	uint8_t value[2500];
	struct xfs_attr_want w = {
		.name = (const uint8_t *)"a", .namelen = 1, .value = value, .valuelen = (i * 97) % 2500 + 1,
	};

	memset(value, 'a' + (int)(i % 26), sizeof(value));
	return xfs_name_attr_set(edit, inos[i][0], &w, XFS_ATTR_ANYHOW);
}

static int steps(unsigned i, unsigned step)
{
	char name[40], other[40];
	struct xfs_rename r = { .from_dir = fs->geo.sb.rootino, .to_dir = fs->geo.sb.rootino, .from = name,
				.to = other };

	switch (step) {
	case 0:
		snprintf(name, sizeof(name), "f%u", i);
		return create(name, &inos[i][0]);
	case 1:
		return with_file(inos[i][0], 0, i, fill);
	case 2:
		return set_attr(i);
	case 3:
		snprintf(name, sizeof(name), "c%u", i);
		return create(name, &inos[i][1]);
	case 4:
		return with_file(inos[i][1], inos[i][0], i, share);
	case 5:
		if (i < 3)
			return 0;
		snprintf(name, sizeof(name), "f%u", i - 3);
		snprintf(other, sizeof(other), "g-with-a-longer-name-%u", i - 3);
		r.from_len = strlen(name);
		r.to_len = strlen(other);
		return xfs_name_rename(edit, &r);
	case 6:
		if (i < 6 || i % 4 == 0)
			return 0;
		snprintf(name, sizeof(name), "g-with-a-longer-name-%u", i - 6);
		return xfs_name_remove(edit, fs->geo.sb.rootino, name, strlen(name));
	default:
		return i < 2 ? 0 : with_file(inos[i - 2][1], 0, i, cut);
	}
}

static int die(const char *what, int err)
{
	printf("%s: %s\n", what, xfs_error_name(err));
	return 1;
}

static int audit(const struct xfs_devset *set)
{
	struct xfs_log_audit a;
	struct xfs_log_state s;
	int err = xfs_fs_open(&fs, set, NULL, NULL);

	if (err)
		return die("open", err);
	err = xfs_log_state(fs, &s);
	if (!err)
		err = xfs_log_validate(fs, &s, &a);
	if (err) {
		printf("log block %u, %u: %s\n", a.block, a.number, a.why ? a.why : xfs_error_name(err));
		return 1;
	}
	printf("checkpoints %u\n", (unsigned)a.checkpoints);
	for (unsigned i = 0; i < XFS_LOG_AUDIT_TYPES; i++)
		if (a.open[i])
			printf("open %x\n", 0x1230 + i);
	xfs_fs_close(fs);
	return 0;
}

int main(int argc, char **argv)
{
	struct xfs_edit_options o = { .logged = true, .each = argc == 8 };
	struct xfs_dev_fault plan = { .stop_write_at = 0 };
	struct xfs_devset set = { 0 };
	unsigned rounds, every, n = 0, synced = 0;
	bool quiesce;
	struct xfs_dev *file;
	int err;

	if (argc < 7)
		return 2;
	rounds = (unsigned)atoi(argv[2]);
	plan.stop_write_at = strtoull(argv[3], NULL, 10);
	plan.tear_bytes = (uint32_t)atoi(argv[4]);
	plan.lose_seed = strtoull(argv[5], NULL, 10);
	quiesce = argv[6][0] == '-';
	every = (unsigned)atoi(argv[6] + quiesce);
	err = xfs_dev_file(&file, argv[1], 0, 0, NULL);
	if (!err)
		err = xfs_dev_fault(&set.data, file, &plan);
	if (!err)
		err = xfs_fs_open(&fs, &set, NULL, NULL);
	if (!err)
		err = xfs_edit_open(&edit, fs, &o);
	if (err)
		return die("open", err);
	xfs_edit_live(edit)->now.sec = 1700000000;
	for (; n < rounds * STEPS && !err && n < 4096 * STEPS; n++) {
		err = steps(n / STEPS, n % STEPS);
		if (!err && every && n % every == every - 1) {
			err = quiesce ? xfs_edit_quiesce(edit) : xfs_edit_sync(edit);
			synced = err ? synced : n + 1;
		}
	}
	printf("synced %u\nbegun %u\nwrites %u\n", synced, n, (unsigned)plan.writes);
	xfs_edit_close(edit);
	xfs_fs_close(fs);
	xfs_dev_close(set.data);
	if (err && err != -XFS_E_FAULT && err != -XFS_E_SHUTDOWN)
		return die("step", err);
	if (xfs_dev_file(&set.data, argv[1], XFS_DEV_READONLY, 0, NULL))
		return 1;
	err = audit(&set);
	xfs_dev_close(set.data);
	return err;
}
