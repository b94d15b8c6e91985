/* SPDX-License-Identifier: BSD-2-Clause */
/* features.c - which features the filesystem gets, and which exclude each other (format sheets 05, 7; 10, 3.6). */
#include "mkfs/geometry.h"

/* given, with a value that is not 0 */
static bool asked(const struct mkfs_options *o, enum mkfs_option id)
{
	return o->v[id].set && o->v[id].n;
}

static bool denied(const struct mkfs_options *o, enum mkfs_option id)
{
	return o->v[id].set && !o->v[id].n;
}

static int check_v5(const struct mkfs_options *o, const struct mkfs_geometry *g, uint32_t blocksize,
		struct mkfs_error *err)
{
	bool small = mkfs_number(o, MO_I_SIZE, 512) < 512 ||
		(o->v[MO_I_PERBLOCK].set && blocksize / o->v[MO_I_PERBLOCK].n < 512);

	if (small)
		return mkfs_fail(err, true, "Minimum inode size for CRCs is 512 bytes");
	if (!g->f.align)
		return mkfs_fail(err, true, "Inodes always aligned for CRC enabled filesystems");
	if (!g->f.lazy)
		return mkfs_fail(err, true, "Lazy superblock counters always enabled for CRC enabled filesystems");
	if (g->f.log_version != 2)
		return mkfs_fail(err, true, "V2 logs always enabled for CRC enabled filesystems");
	if (g->f.attr != 2)
		return mkfs_fail(err, true, "V2 attribute format always enabled on CRC enabled filesystems");
	if (!g->f.projid32)
		return mkfs_fail(err, true, "32 bit Project IDs always enabled on CRC enabled filesystems");
	if (!g->f.ftype)
		return mkfs_fail(err, true, "Directory ftype field always enabled on CRC enabled filesystems");
	return 0;
}

static int restrict_v4(const struct mkfs_options *o, struct mkfs_features *f, struct mkfs_error *err)
{
	static const enum mkfs_option quota[] = {
		MO_M_UQUOTA, MO_M_GQUOTA, MO_M_PQUOTA, MO_M_UQNOENFORCE, MO_M_GQNOENFORCE, MO_M_PQNOENFORCE
	};
	const struct {
		enum mkfs_option id;
		bool *on;
		const char *what;
	} rows[] = {
		{ MO_M_FINOBT, &f->finobt, "finobt" }, { MO_I_SPARSE, &f->sparse, "sparse inodes" },
		{ MO_M_RMAPBT, &f->rmapbt, "rmapbt" }, { MO_M_REFLINK, &f->reflink, "reflink" },
		{ MO_M_INOBTCOUNT, &f->inobtcount, "inode btree counters" },
		{ MO_M_BIGTIME, &f->bigtime, "timestamps later than 2038" },
		{ MO_I_NREXT64, &f->nrext64, "64 bit extent count" }, { MO_I_EXCHANGE, &f->exchange, "exchange-range" },
		{ MO_N_PARENT, &f->parent, "parent pointers" }, { MO_M_METADIR, &f->metadir, "metadata directory" },
	};

	for (size_t i = 0; i < XFS_ARRAY_SIZE(rows); i++) {
		if (asked(o, rows[i].id))
			return mkfs_fail(err, true, "%s not supported without CRC support", rows[i].what);
		*rows[i].on = false;
	}
	if (asked(o, MO_M_AUTOFSCK))
		return mkfs_fail(err, true, "autofsck not supported without CRC support");
	f->autofsck = -1;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(quota); i++)
		if (asked(o, quota[i]))
			return mkfs_fail(err, true, "persistent quota flags not supported without CRC support");
	return 0;
}

static int decide_zoned(const struct mkfs_options *o, struct mkfs_features *f, struct mkfs_error *err)
{
	if (!f->zoned) {
		if (o->v[MO_R_START].set)
			return mkfs_fail(err, true, "internal RT section only supported in zoned mode");
		if (o->v[MO_R_RESERVED].set)
			return mkfs_fail(err, true, "reserved RT blocks only supported in zoned mode");
		return 0;
	}
	if (!f->crc || denied(o, MO_M_METADIR))
		return mkfs_fail(err, true, "zoned realtime device not supported without metadir support");
	if (asked(o, MO_M_REFLINK))
		return mkfs_fail(err, true, "reflink not supported on realtime devices with zoned mode specified");
	f->metadir = true;
	f->reflink = false;
	f->rtinherit = mkfs_number(o, MO_D_RTINHERIT, 1) != 0;
	return 0;
}

/* reflink and rmapbt know a realtime section only in groups, and reflink only extents of one block */
static int decide_rt(const struct mkfs_options *o, uint32_t blocksize, struct mkfs_features *f, struct mkfs_error *err)
{
	if (!f->rt)
		return 0;
	if (f->reflink && (o->v[MO_R_EXTSIZE].set || blocksize < 4096)) {
		if (asked(o, MO_M_REFLINK) && o->v[MO_R_EXTSIZE].set)
			return mkfs_fail(err, true,
				"reflink not supported on realtime devices with rt extent size specified");
		if (asked(o, MO_M_REFLINK))
			return mkfs_fail(err, true, "reflink not supported on realtime devices with blocksize %u < %d",
					 blocksize, 4096);
		f->reflink = false;
	}
	if (f->reflink && !f->metadir) {
		if (asked(o, MO_M_REFLINK) && denied(o, MO_M_METADIR))
			return mkfs_fail(err, true,
					"reflink not supported on realtime devices without metadir feature");
		f->reflink = f->metadir = asked(o, MO_M_REFLINK);
	}
	if (f->rmapbt && !f->metadir) {
		if (asked(o, MO_M_RMAPBT) && denied(o, MO_M_METADIR))
			return mkfs_fail(err, true, "rmapbt not supported on realtime devices without metadir feature");
		f->rmapbt = f->metadir = asked(o, MO_M_RMAPBT);
	}
	return 0;
}

static void decide_autofsck(const struct mkfs_options *o, struct mkfs_geometry *g)
{
	static const char *const words[] = { "none", "check", "optimize", "repair" };
	struct mkfs_features *f = &g->f;

	if (f->autofsck < 1)
		return;
	f->rmapbt = !denied(o, MO_M_RMAPBT);
	f->parent = !denied(o, MO_N_PARENT);
	if (!f->rmapbt)
		mkfs_note(g->notes, sizeof(g->notes), "-m autofsck=%s is less effective without reverse mapping\n",
			  words[f->autofsck]);
	if (!f->parent)
		mkfs_note(g->notes, sizeof(g->notes), "-m autofsck=%s is less effective without parent pointers\n",
			  words[f->autofsck]);
}

static uint16_t quota_flags(const struct mkfs_options *o)
{
	unsigned flags = 0;

	flags |= asked(o, MO_M_UQUOTA) ? XFS_SB_QUOTA_USER | XFS_SB_QUOTA_USER_ENFORCED
		 : asked(o, MO_M_UQNOENFORCE) ? XFS_SB_QUOTA_USER : 0;
	flags |= asked(o, MO_M_GQUOTA) ? XFS_SB_QUOTA_GROUP | XFS_SB_QUOTA_GROUP_ENFORCED
		 : asked(o, MO_M_GQNOENFORCE) ? XFS_SB_QUOTA_GROUP : 0;
	flags |= asked(o, MO_M_PQUOTA) ? XFS_SB_QUOTA_PROJECT | XFS_SB_QUOTA_PROJECT_ENFORCED
		 : asked(o, MO_M_PQNOENFORCE) ? XFS_SB_QUOTA_PROJECT : 0;
	return (uint16_t)flags;
}

/* features that bring others along */
static int decide_dependent(const struct mkfs_options *o, struct mkfs_features *f, struct mkfs_error *err)
{
	if (f->parent && !denied(o, MO_I_EXCHANGE))
		f->exchange = true;
	f->qflags = f->crc ? quota_flags(o) : 0;
	if (f->qflags) {
		if (denied(o, MO_M_METADIR))
			return mkfs_fail(err, true, "persistent quota flags not supported without metadir support");
		f->metadir = true;
	}
	if (f->metadir) {
		if (denied(o, MO_I_EXCHANGE))
			return mkfs_fail(err, true, "metadir not supported without exchange-range support");
		f->exchange = true;
	}
	if (o->v[MO_D_COWEXTSIZE].set && o->v[MO_D_COWEXTSIZE].n && !f->reflink)
		return mkfs_fail(err, true, "cowextsize not supported without reflink support");
	return 0;
}

static void start_values(const struct mkfs_options *o, struct mkfs_geometry *g)
{
	struct mkfs_features *f = &g->f;

	f->crc = mkfs_number(o, MO_M_CRC, 1) != 0;
	f->finobt = mkfs_number(o, MO_M_FINOBT, 1) != 0;
	f->sparse = mkfs_number(o, MO_I_SPARSE, 1) != 0;
	f->rmapbt = mkfs_number(o, MO_M_RMAPBT, 1) != 0;
	f->reflink = mkfs_number(o, MO_M_REFLINK, 1) != 0;
	f->inobtcount = mkfs_number(o, MO_M_INOBTCOUNT, 1) != 0;
	f->bigtime = mkfs_number(o, MO_M_BIGTIME, 1) != 0;
	f->nrext64 = mkfs_number(o, MO_I_NREXT64, 1) != 0;
	f->exchange = asked(o, MO_I_EXCHANGE);
	f->parent = asked(o, MO_N_PARENT);
	f->metadir = asked(o, MO_M_METADIR);
	f->zoned = asked(o, MO_R_ZONED);
	f->align = mkfs_number(o, MO_I_ALIGN, 1) != 0;
	f->lazy = mkfs_number(o, MO_L_LAZY, 1) != 0;
	f->projid32 = mkfs_number(o, MO_I_PROJID32, 1) != 0;
	f->ftype = mkfs_number(o, MO_N_FTYPE, 1) != 0;
	f->ci = mkfs_number(o, MO_N_VERSION, 2) == 3;
	f->attr = (int)mkfs_number(o, MO_I_ATTR, 2);
	f->log_version = (int)mkfs_number(o, MO_L_VERSION, 2);
	f->autofsck = (int)mkfs_number(o, MO_M_AUTOFSCK, -1);
	f->external_log = o->v[MO_L_LOGDEV].set || o->v[MO_L_NAME].set;
	f->rtinherit = asked(o, MO_D_RTINHERIT);
	f->rt = f->zoned || o->v[MO_R_RTDEV].set || o->v[MO_R_NAME].set;
	if (f->log_version == 1 && (o->v[MO_L_SU].set || o->v[MO_L_SUNIT].set)) {
		mkfs_note(g->warnings, sizeof(g->warnings), "log stripe unit specified, using v2 logs\n");
		f->log_version = 2;
	}
}

int mkfs_decide_features(const struct mkfs_options *o, uint32_t blocksize, struct mkfs_geometry *g,
		struct mkfs_error *err)
{
	struct mkfs_features *f = &g->f;
	static const char deprecated[] = "filesystems are deprecated and will not be supported by future versions.";

	start_values(o, g);
	if (f->ci)
		mkfs_note(g->notes, sizeof(g->notes), "ascii-ci %s\n", deprecated);
	if (f->crc) {
		if (check_v5(o, g, blocksize, err))
			return -1;
		decide_autofsck(o, g);
	} else {
		mkfs_note(g->notes, sizeof(g->notes), "V4 %s\n", deprecated);
		if (restrict_v4(o, f, err))
			return -1;
	}
	if (!f->finobt) {
		if (asked(o, MO_M_INOBTCOUNT))
			return mkfs_fail(err, true, "inode btree counters not supported without finobt support");
		f->inobtcount = false;
	}
	if (decide_zoned(o, f, err) || decide_rt(o, blocksize, f, err))
		return -1;
	return decide_dependent(o, f, err);
}
