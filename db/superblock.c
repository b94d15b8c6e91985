/* SPDX-License-Identifier: BSD-2-Clause */
/* superblock.c - what the superblock says, in words: features, names, geometry, limits of times. */
#include "db/report.h"

#include "mkfs/geometry.h"

#include <stdlib.h>

/* These commands show; what would change the filesystem is refused as the incumbent refuses it without -x. */
static void refuse_change(struct db *db, const char *command)
{
	if (db->expert && !db->readonly)
		db_out(db, "%s: %s does not change filesystems\n", db->prog, command);
	else
		db_out(db, "%s: not in expert mode, writing disabled\n", db->prog);
}

/* ---- version ---- */

struct feature {
	const char *word;
	uint32_t bit;			/* of versionnum, features2, features_ro_compat or features_incompat */
	bool implied;			/* V5 always has it */
};

static void show_words(struct db *db, const struct feature *f, size_t n, uint32_t bits, bool v5)
{
	for (size_t i = 0; i < n; i++)
		if ((bits & f[i].bit) || (v5 && f[i].implied))
			db_out(db, ",%s", f[i].word);
}

static void show_version(struct db *db, const struct xfs_sb *sb)
{
	static const struct feature old[] = { { "NLINK", XFS_SB_VERSION_NLINK, false },
		{ "SHARED", XFS_SB_VERSION_SHARED, false },
		{ "DIRV2", XFS_SB_VERSION_DIRV2, false }, { "ATTR", XFS_SB_VERSION_ATTR, false },
		{ "QUOTA", XFS_SB_VERSION_QUOTA, false }, { "ALIGN", XFS_SB_VERSION_ALIGN, true },
		{ "DALIGN", XFS_SB_VERSION_DALIGN, false }, { "LOGV2", XFS_SB_VERSION_LOGV2, true },
		{ "EXTFLG", XFS_SB_VERSION_EXTFLG, true }, { "SECTOR", XFS_SB_VERSION_SECTOR, false },
		{ "ASCII_CI", XFS_SB_VERSION_BORG, false }, { "MOREBITS", XFS_SB_VERSION_MOREBITS, false } };
	static const struct feature more[] = { { "ATTR2", XFS_SB_FEAT2_ATTR2, true },
		{ "LAZYSBCOUNT", XFS_SB_FEAT2_LAZYSBCOUNT, true }, { "PROJID32BIT", XFS_SB_FEAT2_PROJID32, true } };
	static const struct { const char *word; uint32_t ro,
			      incompat; } v5[] = { { "FINOBT", XFS_SB_ROCOMPAT_FINOBT, 0 },
		{ "SPARSE_INODES", 0, XFS_SB_INCOMPAT_SPINODES }, { "META_UUID", 0, XFS_SB_INCOMPAT_META_UUID },
		{ "RMAPBT", XFS_SB_ROCOMPAT_RMAPBT, 0 }, { "REFLINK", XFS_SB_ROCOMPAT_REFLINK, 0 },
		{ "INOBTCNT", XFS_SB_ROCOMPAT_INOBTCNT, 0 }, { "BIGTIME", 0, XFS_SB_INCOMPAT_BIGTIME },
		{ "NEEDSREPAIR", 0, XFS_SB_INCOMPAT_NEEDSREPAIR }, { "NREXT64", 0, XFS_SB_INCOMPAT_NREXT64 },
		{ "EXCHANGE", 0, XFS_SB_INCOMPAT_EXCHRANGE }, { "PARENT", 0, XFS_SB_INCOMPAT_PARENT },
		{ "METADIR", 0, XFS_SB_INCOMPAT_METADIR } };
	unsigned version = xfs_sb_version(sb);
	bool is_v5 = xfs_sb_is_v5(sb);

	db_out(db, "versionnum [0x%x+0x%x] = ", sb->versionnum, sb->features2);
	if (version >= 1 && version <= 5)
		db_out(db, "V%u", version);
	show_words(db, old, XFS_ARRAY_SIZE(old), sb->versionnum, is_v5);
	show_words(db, more, XFS_ARRAY_SIZE(more), sb->versionnum & XFS_SB_VERSION_MOREBITS ? sb->features2 : 0, is_v5);
	if (is_v5)
		db_out(db, ",CRC");
	if (xfs_sb_has_ftype(sb))
		db_out(db, ",FTYPE");
	for (size_t i = 0; i < XFS_ARRAY_SIZE(v5); i++)
		if (xfs_sb_has_ro(sb, v5[i].ro) || xfs_sb_has_incompat(sb, v5[i].incompat))
			db_out(db, ",%s", v5[i].word);
	db_out(db, "\n");
}

void db_run_version(struct db *db, int argc, char **argv)
{
	struct xfs_sb sb = db->fs->geo.sb;
	uint64_t version, features;

	if (argc == 1) {
		show_version(db, &sb);
	} else if (argc == 3 && db_number(argv[1], &version) && db_number(argv[2], &features)) {
		sb.versionnum = (uint16_t)version;
		sb.features2 = (uint32_t)features;
		show_version(db, &sb);
	} else {
		refuse_change(db, argv[0]);
	}
}

/* ---- uuid and label ---- */

/* Says which secondary superblocks differ. */
static void compare_secondaries(struct db *db, bool label)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct xfs_sb sb;

	for (uint32_t agno = 1; agno < g->agcount; agno++) {
		xfs_fs_read_sb(db->dev.data, xfs_ag_header_daddr(g, XFS_AGNO(agno), 0).v * XFS_BBSIZE, &sb);
		if (label && memcmp(sb.fname, g->sb.fname, sizeof(sb.fname)) != 0)
			db_out(db, "warning: AG %u label differs\n", agno);
		if (!label && memcmp(sb.uuid, g->sb.uuid, sizeof(sb.uuid)) != 0)
			db_out(db, "warning: UUID in AG %u differs to the primary SB\n", agno);
	}
}

void db_run_uuid(struct db *db, int argc, char **argv)
{
	const uint8_t *u = db->fs->geo.sb.uuid;

	if (argc > 1) {
		refuse_change(db, argv[0]);
		return;
	}
	compare_secondaries(db, false);
	db_out(db, "UUID = ");
	for (unsigned i = 0; i < 16; i++)
		db_out(db, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
	db_out(db, "\n");
}

void db_run_label(struct db *db, int argc, char **argv)
{
	const struct xfs_sb *sb = &db->fs->geo.sb;

	if (argc > 1) {
		refuse_change(db, argv[0]);
		return;
	}
	compare_secondaries(db, true);
	db_out(db, "label = \"%.*s\"\n", (int)sizeof(sb->fname), (const char *)sb->fname);
}

/* ---- info ---- */

void db_run_info(struct db *db, int argc, char **argv)
{
	const char *log = db->dev.log ? db->dev.log->name : NULL, *rt = db->dev.rt ? db->dev.rt->name : NULL;
	int len = mkfs_format_table(NULL, 0, &db->fs->geo.sb, db->device, log, rt);
	char *text = malloc((size_t)len + 1);

	(void)argc;
	(void)argv;
	if (!text)
		return;
	mkfs_format_table(text, (size_t)len + 1, &db->fs->geo.sb, db->device, log, rt);
	db_out(db, "%s", text);
	free(text);
}

/* ---- timelimit ---- */

static void show_time(struct db *db, const char *name, int64_t v, bool pretty)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	if (pretty)
		xfs_time_text(v, text, sizeof(text));
	db_out(db, "%s = %s\n", name, text);
}

void db_run_timelimit(struct db *db, int argc, char **argv)
{
	static const int64_t limits[2][4] = { { INT32_MIN, INT32_MAX, 1, UINT32_MAX },
		{ INT32_MIN, XFS_BIGTIME_MAX_SECONDS, 4, XFS_BIGTIME_MAX_SECONDS } };
	static const char *const names[] = { "time.min", "time.max", "dqtimer.min", "dqtimer.max" };
	bool bigtime = db->fs->geo.bigtime, pretty = false, compact = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--classic") == 0 || strcmp(argv[i], "--bigtime") == 0) {
			bigtime = argv[i][2] == 'b';
		} else if (strcmp(argv[i], "--pretty") == 0) {
			pretty = true;
		} else if (strcmp(argv[i], "--compact") == 0) {
			compact = true;
		} else {
			db_out(db, "%s: bad option for timelimit command\n", argv[i]);
			return;
		}
	}
	for (unsigned i = 0; i < 4; i++)
		if (compact)
			db_out(db, "%lld ", (long long)limits[bigtime][i]);
		else
			show_time(db, names[i], limits[bigtime][i], pretty);
	/* the second name is wrong, and scripts know it */
	db_out(db, compact ? "0 %lld \n" : "dqgrace.min = 0\ndqgrace.min = %lld\n", (long long)UINT32_MAX);
}
