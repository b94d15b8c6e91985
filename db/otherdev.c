/* SPDX-License-Identifier: BSD-2-Clause */
/* otherdev.c - positions by sector on any device, and by block of the log and of the realtime section. */
#include "db/db.h"

static struct xfs_dev *device_of(struct db *db, enum db_device which)
{
	return which == DB_LOG ? db->dev.log : which == DB_RT ? db->dev.rt : db->dev.data;
}

/* Goes to `bytes` bytes from `daddr` on; false when they do not lie on the device. */
static bool go(struct db *db, enum db_device which, enum xfs_type type, uint64_t daddr, uint32_t bytes)
{
	struct xfs_dev *dev = device_of(db, which);
	struct db_place p = db_place_new(db, type, daddr, bytes);

	if (!dev || daddr >= dev->size / XFS_BBSIZE)
		return false;
	p.dev = which;
	db_go(db, &p, true);
	return true;
}

/* Sectors [daddr, ...) hold the internal log: start and length. */
static bool internal_log(const struct xfs_geometry *g, uint64_t *start, uint64_t *sectors)
{
	*start = xfs_fsbno_daddr(g, XFS_FSBNO(g->sb.logstart)).v;
	*sectors = (uint64_t)g->sb.logblocks << (g->blocklog - XFS_BBSHIFT);
	return g->sb.logstart != 0;
}

void db_run_daddr(struct db *db, int argc, char **argv)
{
	static const char *const names[] = { "datadev", "logdev", "rtdev" };
	const struct db_place *now = &db_top(db)->at;
	enum db_device which = DB_DATA;
	const char *arg = argv[argc - 1];
	uint64_t daddr;

	if (argc == 3 || (argc == 2 && (strcmp(arg, "-l") == 0 || strcmp(arg, "-r") == 0))) {
		if (strcmp(argv[1], "-l") != 0 && strcmp(argv[1], "-r") != 0) {
			db_out(db, "bad daddr %s\n", argv[1]);
			return;
		}
		which = argv[1][1] == 'l' ? DB_LOG : DB_RT;
		if (which == DB_LOG && db->fs->geo.sb.logstart) {
			db_out(db, "filesystem has internal log\n");
			return;
		}
		if (!device_of(db, which)) {
			db_out(db, which == DB_RT ? "realtime device not loaded, use -R.\n" :
			       "log device not loaded, use -l.\n");
			return;
		}
	}
	if (argc == 1 || (argc == 2 && which != DB_DATA))
		db_out(db, "%s daddr is %llu\n", now->bbs ? names[now->dev] : "current",
		       (unsigned long long)now->daddr + now->off / XFS_BBSIZE);
	else if (!db_number(arg, &daddr) ||
		 (which == DB_DATA && daddr >= db->fs->geo.dblocks << (db->fs->geo.blocklog - XFS_BBSHIFT)) ||
		 !go(db, which, XT_DATA, daddr, XFS_BBSIZE))
		db_out(db, "bad daddr %s\n", arg);
}

void db_run_logblock(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	const struct db_place *now = &db_top(db)->at;
	unsigned shift = g->blocklog - XFS_BBSHIFT;
	uint64_t start, sectors, block;
	bool internal = internal_log(g, &start, &sectors);

	if (argc == 1) {
		if (!now->bbs || (internal ? now->dev != DB_DATA || now->daddr < start || now->daddr - start >= sectors
					   : now->dev != DB_LOG))
			db_out(db, "current address does not point to log\n");
		else
			db_out(db, "current logblock is %llu\n",
			       (unsigned long long)(internal ? now->daddr - start : now->daddr) >> shift);
		return;
	}
	if (!internal && !db->dev.log)
		db_out(db, "log device not loaded, use -l.\n");
	else if (!db_number(argv[1], &block) || block >= g->sb.logblocks ||
		 !go(db, internal ? DB_DATA : DB_LOG, XT_LOG, (internal ? start : 0) + (block << shift), g->blocksize))
		db_out(db, "bad logblock %s\n", argv[1]);
}

/* Block `rtb` of the realtime section: type data, one filesystem block. */
static void go_rtblock(struct db *db, const char *command, const char *arg, uint64_t rtb)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct xfs_extent one = { .block = rtb, .len = 1 };
	struct xfs_dev *dev;
	uint64_t byte;

	/* a block of its own, although files may not have the one of the realtime superblock */
	if (!xfs_extent_valid(g, &one, true) && !(g->metadir && rtb < g->sb.rextsize)) {
		db_out(db, "bad %s %s\n", command, arg);
		return;
	}
	byte = xfs_rtblock_byte(db->fs, rtb, &dev);
	if (!go(db, dev == db->dev.data ? DB_DATA : DB_RT, XT_DATA, byte / XFS_BBSIZE, g->blocksize))
		db_out(db, "bad %s %s\n", command, arg);
}

static bool have_rt(struct db *db)
{
	if (db->dev.rt || (db->fs->geo.zoned && db->fs->geo.sb.rtstart))
		return true;
	db_out(db, "realtime device not loaded, use -R.\n");
	return false;
}

void db_run_rtblock(struct db *db, int argc, char **argv)
{
	uint64_t rtb;

	if (!have_rt(db))
		return;
	if (argc == 1)
		db_out(db, "current rtblock is %llu\n",
		       (unsigned long long)db_top(db)->at.daddr >> (db->fs->geo.blocklog - XFS_BBSHIFT));
	else if (!db_number(argv[1], &rtb))
		db_out(db, "bad rtblock %s\n", argv[1]);
	else
		go_rtblock(db, "rtblock", argv[1], rtb);
}

void db_run_rtextent(struct db *db, int argc, char **argv)
{
	const struct xfs_sb *sb = &db->fs->geo.sb;
	uint64_t rtx, per, rtb;

	if (!have_rt(db))
		return;
	if (argc == 1) {
		db_out(db, "current rtextent is %llu\n", (unsigned long long)(db_top(db)->at.daddr >>
		       (db->fs->geo.blocklog - XFS_BBSHIFT)) / sb->rextsize);
		return;
	}
	if (!db_number(argv[1], &rtx) || rtx >= sb->rextents) {
		db_out(db, "bad rtextent %s\n", argv[1]);
		return;
	}
	per = sb->rgextents ? sb->rgextents : 1;
	rtb = db->fs->geo.metadir ? rtx / per << sb->rgblklog | rtx % per * sb->rextsize : rtx * sb->rextsize;
	go_rtblock(db, "rtextent", argv[1], rtb);
}

void db_run_rtsb(struct db *db, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!db->fs->geo.metadir)
		db_out(db, "realtime superblock not supported\n");
	else if (have_rt(db) && !go(db, DB_RT, XT_RTSB, 0, db->fs->geo.blocksize))
		db_out(db, "bad rtblock 0\n");
}
