/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metadir.c - test program: fills a fresh metadir filesystem with files, quota files and realtime groups (format
 * sheet 10, sections 3, 4 and 7), for no released tool here makes one.  The same arguments give the same bytes.
 *
 * metadir IMAGE [RTDEVICE EXTENTS REXT|zoned]
 *	Quota files are made for the types that mkfs turned on, with limits and with counts that are right.  RTDEVICE
 *	becomes the realtime section, in groups of EXTENTS extents of REXT blocks each.  A third kind of file, with more
 *	extents than the root of a tree holds records, is made where EXTENTS is followed by `+`; trees that do not fit
 *	in their root are left empty then.
 *	`zoned`: the groups are zones, of extents of one block.
 *
 * Names, space and reverse mappings are the library's work, as in any directory; what makes an inode one of metadata,
 * and all that is of the realtime section, is put into the inodes afterwards.
 */
#include "tests/lib/metadir.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/realtime.h"
#include "libxfs/transaction/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static uint64_t make(uint64_t dir, const char *name, unsigned mode, uint32_t uid, uint32_t gid, unsigned metatype,
		uint32_t group)
{
	struct xfs_new_file f = { .mode = (uint16_t)mode, .uid = uid, .gid = gid };
	struct metadir_made *m = &metadir.made[metadir.nmade];
	uint64_t ino = 0;

	if (metadir.nmade == METADIR_MOST)
		metadir_must(-XFS_E_TOOBIG, "inodes");
	if ((mode & XFS_MODE_FMT) == XFS_MODE_LNK) {
		f.target = "file1";
		f.targetlen = strlen(f.target);
	}
	metadir_must(xfs_name_create(metadir.edit, dir, name, strlen(name), &f, &ino), name);
	*m = (struct metadir_made){ .ino = ino, .metatype = metatype, .group = group };
	snprintf(m->name, sizeof(m->name), "%s", name);
	metadir.nmade++;
	return ino;
}

/* `len` bytes at `off` that no other file has. */
static void fill(uint64_t ino, uint64_t off, size_t len)
{
	struct xfs_live_inode *li;
	uint8_t *bytes = malloc(len);

	metadir_must(bytes ? 0 : -XFS_E_NOMEM, "memory");
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((ino * 31 + off + i) * 2654435761u >> 13);
	metadir_must(xfs_live_inode_get(xfs_edit_live(metadir.edit), ino, &li), "file");
	metadir_must(xfs_file_write(metadir.edit, li, off, bytes, len), "data");
	xfs_live_inode_put(li);
	free(bytes);
}

static void zeroes(uint64_t ino, uint64_t block, uint64_t blocks)
{
	size_t len = (size_t)blocks << metadir.geo.blocklog;
	struct xfs_live_inode *li;
	uint8_t *bytes = calloc(1, len);

	metadir_must(bytes ? 0 : -XFS_E_NOMEM, "memory");
	metadir_must(xfs_live_inode_get(xfs_edit_live(metadir.edit), ino, &li), "file");
	metadir_must(xfs_file_write(metadir.edit, li, block << metadir.geo.blocklog, bytes, len), "data");
	xfs_live_inode_put(li);
	free(bytes);
}

/* Owners have quota records: 0, 5, 1000 and 70000; projects 0 and 8. */
static void make_files(void)
{
	uint64_t dir = make(metadir.sb.rootino, "files", XFS_MODE_DIR | 0755, 0, 0, 0, 0), deep, ino;
	char name[24];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		ino = make(dir, name, XFS_MODE_REG | 0640, i % 2 ? 1000 : 5, i % 3 ? 1000 : 70000, 0, 0);
		for (unsigned k = 0; k <= i; k++)	/* with holes between */
			fill(ino, (uint64_t)k * 5 << metadir.geo.blocklog, (2u << metadir.geo.blocklog) + 100 * i);
		metadir.made[metadir.nmade - 1].projid = i % 2 ? 8 : 0;
	}
	make(dir, "link", XFS_MODE_LNK | 0777, 1000, 5, 0, 0);
	deep = make(dir, "deep", XFS_MODE_DIR | 0700, 70000, 1000, 0, 0);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "a-name-%02u", i);
		ino = make(deep, name, XFS_MODE_REG | 0600, 5, 5, 0, 0);
		if (i % 4 == 0)
			fill(ino, 0, 700 + 100 * i);
	}
	if (!metadir.rt)
		return;
	dir = make(metadir.sb.rootino, "realtime", XFS_MODE_DIR | 0755, 0, 0, 0, 0);
	for (unsigned i = 0; i < 4u + metadir.many; i++) {
		snprintf(name, sizeof(name), "rt%u", i);
		make(dir, name, XFS_MODE_REG | 0644, 1000, i % 2 ? 1000 : 0, 0, 0);
	}
}

/* ---- the metadata directory ---- */

static uint64_t rtgroups_of(struct xfs_fs *fs)
{
	xfs_ino_t ino;

	metadir_must(xfs_path_lookup(fs, XFS_INO(metadir.sb.metadirino), "rtgroups", &ino), "rtgroups");
	return ino.v;
}

static const struct quota_type {
	const char *name;
	uint16_t on, checked;
	uint8_t type;
	unsigned metatype;
} quotas[] = {
	{ "user", XFS_SB_QUOTA_USER, XFS_SB_QUOTA_USER_CHECKED, XFS_DQTYPE_USER, XFS_METAFILE_USRQUOTA },
	{ "group", XFS_SB_QUOTA_GROUP, XFS_SB_QUOTA_GROUP_CHECKED, XFS_DQTYPE_GROUP, XFS_METAFILE_GRPQUOTA },
	{ "project", XFS_SB_QUOTA_PROJECT, XFS_SB_QUOTA_PROJECT_CHECKED, XFS_DQTYPE_PROJ, XFS_METAFILE_PRJQUOTA },
};
static const uint32_t ids[] = { 0, 5, 8, 1000, 70000 };

static void make_quota(void)
{
	uint32_t per = xfs_dquot_per_block(metadir.geo.blocksize);
	uint64_t dir = 0;

	for (unsigned t = 0; t < XFS_ARRAY_SIZE(quotas); t++) {
		uint64_t ino;

		if (!(metadir.sb.qflags & quotas[t].on))
			continue;
		if (!dir)
			dir = make(metadir.sb.metadirino, "quota", XFS_MODE_DIR | 0700, 0, 0, XFS_METAFILE_DIR, 0);
		ino = make(dir, quotas[t].name, XFS_MODE_REG | 0600, 0, 0, quotas[t].metatype, 0);
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(ids); i++)
			if (!i || ids[i] / per != ids[i - 1] / per)
				zeroes(ino, ids[i] / per, 1);
	}
}

static void make_groups(uint64_t dir)
{
	char name[24];

	for (uint32_t g = 0; g < metadir.sb.rgcount; g++) {
		if (!metadir.geo.zoned) {
			snprintf(name, sizeof(name), "%u.bitmap", g);
			zeroes(make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTBITMAP, g), 0,
			       metadir.sb.rbmblocks);
			snprintf(name, sizeof(name), "%u.summary", g);
			zeroes(make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTSUMMARY, g), 0,
			       metadir_summary_blocks());
		}
		snprintf(name, sizeof(name), "%u.rmap", g);
		if (metadir.geo.rmapbt)
			make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTRMAP, g);
		snprintf(name, sizeof(name), "%u.refcount", g);
		if (metadir.geo.reflink)
			make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTREFCOUNT, g);
	}
}

/* ---- quota ---- */

static void count(unsigned type, uint32_t id, struct xfs_dquot *q)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	for (unsigned i = 0; i <= metadir.nmade; i++) {
		uint64_t ino = i < metadir.nmade ? metadir.made[i].ino : metadir.sb.rootino;
		uint64_t rtblocks = 0;

		if (i < metadir.nmade && metadir.made[i].metatype)
			continue;
		metadir_load(ino, image, &d);
		if ((type == XFS_DQTYPE_USER ? d.core.uid : type == XFS_DQTYPE_GROUP ? d.core.gid
				: xfs_dinode_projid(&d)) != id)
			continue;
		for (uint64_t k = 0; d.core.flags & XFS_DIFLAG_REALTIME && k < xfs_dinode_nextents(&d,
				XFS_FORK_DATA); k++) {
			struct xfs_bmbt_rec rec;

			xfs_bmbt_rec_decode(&rec, image + xfs_dinode_literal_off(3) + 16 * k);
			rtblocks += rec.blockcount;
		}
		q->icount++;
		q->rtbcount += rtblocks;
		q->bcount += d.core.nblocks - rtblocks;
	}
}

static void fill_quota_block(const struct quota_type *t, uint64_t ino, uint64_t block)
{
	uint32_t per = xfs_dquot_per_block(metadir.geo.blocksize);
	uint8_t *p = calloc(1, metadir.geo.blocksize);

	metadir_must(p ? 0 : -XFS_E_NOMEM, "memory");
	for (uint32_t i = 0; i < per; i++) {
		uint32_t id = (uint32_t)block * per + i;
		struct xfs_dquot q = { .magic = XFS_DQUOT_MAGIC, .version = XFS_DQUOT_VERSION, .type = t->type,
				.id = id };

		memcpy(q.uuid, metadir.geo.uuid, 16);
		count(t->type, id, &q);
		if (q.icount && id) {
			q.blk_hardlimit = 100000 + id;
			q.blk_softlimit = 90000 + id;
			q.ino_hardlimit = 5000;
		}
		xfs_dquot_encode(p + i * sizeof(struct xfs_dquot_disk), &q);
		xfs_crc32c_store(p + i * sizeof(struct xfs_dquot_disk), sizeof(struct xfs_dquot_disk), XFS_OFF(dquot,
				crc));
	}
	metadir_must(xfs_dev_write(metadir.dev, xfs_fsbno_byte(&metadir.geo, XFS_FSBNO(metadir_block_of(ino, block))),
			p, metadir.geo.blocksize), "quota");
	free(p);
}

static void fill_quota(void)
{
	uint32_t per = xfs_dquot_per_block(metadir.geo.blocksize);

	for (unsigned t = 0; t < XFS_ARRAY_SIZE(quotas); t++) {
		const struct metadir_made *m = metadir_find(quotas[t].name);

		if (!m)
			continue;
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(ids); i++)
			if (!i || ids[i] / per != ids[i - 1] / per)
				fill_quota_block(&quotas[t], m->ino, ids[i] / per);
		metadir.sb.qflags |= quotas[t].checked;
	}
}

/* ---- superblocks ---- */

static void set_realtime(char **argv)
{
	char *end;

	metadir.sb.rgextents = (uint32_t)strtoul(argv[3], &end, 0);
	metadir.many = *end == '+';
	metadir.geo.zoned = !strcmp(argv[4], "zoned");
	metadir.sb.rextsize = metadir.geo.zoned ? 1 : (uint32_t)strtoul(argv[4], NULL, 0);
	if (metadir.sb.rgextents < 180 || !metadir.sb.rextsize)
		metadir_must(-XFS_E_INVALID, "EXTENTS and REXT");
	metadir.sb.rblocks = metadir.rt->size >> metadir.geo.blocklog;
	metadir.sb.rextents = metadir.sb.rblocks / metadir.sb.rextsize;
	metadir.sb.rextslog = (uint8_t)xfs_log2_floor(metadir.sb.rextents);
	metadir.sb.rgcount = (uint32_t)xfs_ceil_div(metadir.sb.rextents, (uint64_t)metadir.sb.rgextents);
	metadir.sb.rgblklog = (uint8_t)xfs_log2_ceil((uint64_t)metadir.sb.rgextents * metadir.sb.rextsize);
	if (!metadir.geo.zoned)
		metadir.sb.rbmblocks = (uint32_t)xfs_ceil_div(metadir.sb.rgextents, 32 *
				(uint64_t)xfs_rtbuf_words(metadir.geo.blocksize));
	else if (metadir.geo.reflink || !metadir.geo.rmapbt)
		metadir_must(-XFS_E_INVALID, "zones with reverse mappings, without shared blocks");
	if (metadir.geo.zoned && (metadir.sb.rgcount < 5 || metadir.sb.rextents % metadir.sb.rgextents))
		metadir_must(-XFS_E_INVALID, "five zones, all whole");
	if (metadir.sb.rgcount < 3 ||
			metadir.sb.rextents - (uint64_t)(metadir.sb.rgcount - 1) * metadir.sb.rgextents < 20)
		metadir_must(-XFS_E_INVALID, "three groups, the last of 20 extents at least");
}

static void write_supers(void)
{
	uint8_t *p = calloc(1, metadir.sb.sectsize);

	metadir_must(p ? 0 : -XFS_E_NOMEM, "memory");
	for (uint32_t agno = 0; agno < metadir.sb.agcount; agno++) {
		uint64_t at = (uint64_t)agno * metadir.sb.agblocks << metadir.geo.blocklog;
		struct xfs_sb own;

		metadir_must(xfs_dev_read(metadir.dev, at, p, metadir.sb.sectsize), "superblock");
		xfs_sb_decode(&own, p);
		own.rblocks = metadir.sb.rblocks;
		own.rextents = metadir.sb.rextents;
		own.rextsize = metadir.sb.rextsize;
		own.rextslog = metadir.sb.rextslog;
		own.rbmblocks = metadir.sb.rbmblocks;
		own.rgcount = metadir.sb.rgcount;
		own.rgextents = metadir.sb.rgextents;
		own.rgblklog = metadir.sb.rgblklog;
		own.frextents = agno ? 0 : metadir.sb.frextents;
		own.qflags = metadir.sb.qflags;
		own.features_incompat |= metadir.geo.zoned ? XFS_SB_INCOMPAT_ZONED : 0;
		xfs_sb_encode(p, &own);
		xfs_crc32c_store(p, metadir.sb.sectsize, XFS_SB_CRC_OFF);
		metadir_must(xfs_dev_write(metadir.dev, at, p, metadir.sb.sectsize), "superblock");
	}
	free(p);
}

/* ---- all of it ---- */

static uint64_t make_names(void)
{
	struct xfs_fs *fs;
	uint64_t rtgroups;

	metadir_must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = metadir.dev }, NULL, NULL), "filesystem");
	rtgroups = rtgroups_of(fs);
	xfs_fs_close(fs);
	metadir_undress(metadir.sb.metadirino);
	metadir_undress(rtgroups);
	metadir_must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = metadir.dev }, NULL, NULL), "filesystem");
	fs->geo.metadir = false;	/* which the library would not change */
	metadir_must(xfs_edit_open(&metadir.edit, fs, NULL), "edit");
	xfs_edit_live(metadir.edit)->now = (struct xfs_timestamp){ 1700000000, 5 };
	xfs_edit_live(metadir.edit)->generation = 77;
	make_files();
	make_quota();
	if (metadir.rt)
		make_groups(rtgroups);
	metadir_must(xfs_edit_quiesce(metadir.edit), "quiesce");
	xfs_edit_close(metadir.edit);
	xfs_fs_close(fs);
	return rtgroups;
}

int main(int argc, char **argv)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;
	struct xfs_fs *fs;
	uint64_t rtgroups;

	if (argc != 2 && argc != 5) {
		fprintf(stderr, "usage: metadir IMAGE [RTDEVICE EXTENTS REXT|zoned]\n");
		return 2;
	}
	metadir_must(xfs_dev_file(&metadir.dev, argv[1], XFS_DEV_EXCLUSIVE, 0, NULL), argv[1]);
	if (argc == 5)
		metadir_must(xfs_dev_file(&metadir.rt, argv[2], XFS_DEV_EXCLUSIVE, 0, NULL), argv[2]);
	metadir_must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = metadir.dev }, NULL, NULL), argv[1]);
	metadir.geo = fs->geo;
	metadir.sb = metadir.geo.sb;
	xfs_fs_close(fs);
	if (!metadir.geo.metadir || metadir.sb.rblocks)
		metadir_must(-XFS_E_INVALID, "a fresh metadir filesystem");
	if (metadir.rt)
		set_realtime(argv);
	metadir.geo.sb.rextsize = metadir.sb.rextsize;
	rtgroups = make_names();
	metadir_dress(metadir.sb.metadirino, XFS_METAFILE_DIR, 0);
	metadir_dress(rtgroups, XFS_METAFILE_DIR, 0);
	for (unsigned i = 0; i < metadir.nmade; i++) {
		if (metadir.made[i].metatype)
			metadir_dress(metadir.made[i].ino, metadir.made[i].metatype, metadir.made[i].group);
		if (!metadir.made[i].projid)
			continue;
		metadir_load(metadir.made[i].ino, image, &d);
		xfs_dinode_set_projid(&d, metadir.made[i].projid);
		metadir_store(metadir.made[i].ino, image, &d);
	}
	if (metadir.rt) {
		metadir_fill_groups();
		if (!metadir.geo.zoned)
			metadir_write_rt_super();
	}
	fill_quota();
	write_supers();
	metadir_must(xfs_dev_barrier(metadir.dev), "barrier");
	xfs_dev_close(metadir.rt);
	xfs_dev_close(metadir.dev);
	return 0;
}
