/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metadir.c - test program: fills a fresh metadir filesystem with files, quota files and realtime groups (format sheet 10,
 * sections 3, 4 and 7), for no released tool here makes one.  The same arguments give the same bytes.
 *
 * metadir IMAGE [RTDEVICE EXTENTS REXT]
 *	Quota files are made for the types that mkfs turned on, with limits and with counts that are right.  RTDEVICE becomes the realtime
 *	section, in groups of EXTENTS extents of REXT blocks each.  A third kind of file, with more extents than the root of a tree holds
 *	records, is made where EXTENTS is followed by `+`; trees that do not fit in their root are left empty then.
 *
 * Names, space and reverse mappings are the library's work, as in any directory; what makes an inode one of metadata, and all
 * that is of the realtime section, is put into the inodes afterwards.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/inode/inode.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/realtime.h"
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 200u			/* inodes that are made */
#define MOST_MAPS 32u
#define RUN(piece) ((piece)->len * geo.sb.rextsize)

static struct xfs_dev *dev, *rt;
static struct xfs_geometry geo;
static struct xfs_sb sb;
static struct xfs_edit *edit;
static bool many;			/* extents of the realtime section */

/* What becomes of an inode when all names are there. */
static struct made {
	uint64_t ino;
	unsigned metatype;
	uint32_t group, projid;
	char name[24];
} made[MOST];
static unsigned nmade;

static void must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "metadir: %s: %s\n", what, xfs_error_text(err));
	exit(1);
}

/* ---- inodes as they lie on the device ---- */

static void load(uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	must(xfs_dev_read(dev, xfs_ino_byte(&geo, XFS_INO(ino)), image, geo.inodesize), "inode");
	xfs_dinode_decode(d, image);
}

static void store(uint64_t ino, uint8_t *image, const struct xfs_dinode *d)
{
	xfs_dinode_encode(image, d);
	xfs_crc32c_store(image, geo.inodesize, XFS_DINODE_CRC_OFF);
	must(xfs_dev_write(dev, xfs_ino_byte(&geo, XFS_INO(ino)), image, geo.inodesize), "inode");
}

static void dress(uint64_t ino, unsigned metatype, uint32_t group)
{
	bool dir = metatype == XFS_METAFILE_DIR;
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	load(ino, image, &d);
	d.core.mode = dir ? XFS_MODE_DIR : XFS_MODE_REG;
	d.core.metatype = (uint16_t)metatype;
	d.core.flags = dir ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;
	d.v3.flags2 |= XFS_DIFLAG2_METADATA;
	xfs_dinode_set_projid(&d, group);
	if (metatype == XFS_METAFILE_USRQUOTA || metatype == XFS_METAFILE_GRPQUOTA || metatype == XFS_METAFILE_PRJQUOTA)
		d.core.size = 0;
	store(ino, image, &d);
}

/* The library changes no metadata directory: for that time they are like others. */
static void undress(uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	load(ino, image, &d);
	d.core.mode = XFS_MODE_DIR | 0700;
	d.core.metatype = 0;
	d.core.flags = 0;
	d.v3.flags2 &= ~XFS_DIFLAG2_METADATA;
	store(ino, image, &d);
}

/* ---- names ---- */

static uint64_t make(uint64_t dir, const char *name, unsigned mode, uint32_t uid, uint32_t gid, unsigned metatype, uint32_t group)
{
	struct xfs_new_file f = { .mode = (uint16_t)mode, .uid = uid, .gid = gid };
	struct made *m = &made[nmade];
	uint64_t ino = 0;

	if (nmade == MOST)
		must(-XFS_E_TOOBIG, "inodes");
	if ((mode & XFS_MODE_FMT) == XFS_MODE_LNK) {
		f.target = "file1";
		f.targetlen = strlen(f.target);
	}
	must(xfs_name_create(edit, dir, name, strlen(name), &f, &ino), name);
	*m = (struct made){ .ino = ino, .metatype = metatype, .group = group };
	snprintf(m->name, sizeof(m->name), "%s", name);
	nmade++;
	return ino;
}

/* `len` bytes at `off` that no other file has. */
static void fill(uint64_t ino, uint64_t off, size_t len)
{
	struct xfs_live_inode *li;
	uint8_t *bytes = malloc(len);

	must(bytes ? 0 : -XFS_E_NOMEM, "memory");
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((ino * 31 + off + i) * 2654435761u >> 13);
	must(xfs_live_inode_get(xfs_edit_live(edit), ino, &li), "file");
	must(xfs_file_write(edit, li, off, bytes, len), "data");
	xfs_live_inode_put(li);
	free(bytes);
}

static void zeroes(uint64_t ino, uint64_t block, uint64_t blocks)
{
	size_t len = (size_t)blocks << geo.blocklog;
	struct xfs_live_inode *li;
	uint8_t *bytes = calloc(1, len);

	must(bytes ? 0 : -XFS_E_NOMEM, "memory");
	must(xfs_live_inode_get(xfs_edit_live(edit), ino, &li), "file");
	must(xfs_file_write(edit, li, block << geo.blocklog, bytes, len), "data");
	xfs_live_inode_put(li);
	free(bytes);
}

static struct made *find(const char *name)
{
	for (unsigned i = 0; i < nmade; i++)
		if (!strcmp(made[i].name, name))
			return &made[i];
	return NULL;
}

/* Owners have quota records: 0, 5, 1000 and 70000; projects 0 and 8. */
static void make_files(void)
{
	uint64_t dir = make(sb.rootino, "files", XFS_MODE_DIR | 0755, 0, 0, 0, 0), deep, ino;
	char name[24];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "file%u", i);
		ino = make(dir, name, XFS_MODE_REG | 0640, i % 2 ? 1000 : 5, i % 3 ? 1000 : 70000, 0, 0);
		for (unsigned k = 0; k <= i; k++)	/* with holes between */
			fill(ino, (uint64_t)k * 5 << geo.blocklog, (2u << geo.blocklog) + 100 * i);
		made[nmade - 1].projid = i % 2 ? 8 : 0;
	}
	make(dir, "link", XFS_MODE_LNK | 0777, 1000, 5, 0, 0);
	deep = make(dir, "deep", XFS_MODE_DIR | 0700, 70000, 1000, 0, 0);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "a-name-%02u", i);
		ino = make(deep, name, XFS_MODE_REG | 0600, 5, 5, 0, 0);
		if (i % 4 == 0)
			fill(ino, 0, 700 + 100 * i);
	}
	if (!rt)
		return;
	dir = make(sb.rootino, "realtime", XFS_MODE_DIR | 0755, 0, 0, 0, 0);
	for (unsigned i = 0; i < 4u + many; i++) {
		snprintf(name, sizeof(name), "rt%u", i);
		make(dir, name, XFS_MODE_REG | 0644, 1000, i % 2 ? 1000 : 0, 0, 0);
	}
}

/* ---- the metadata directory ---- */

static uint64_t rtgroups_of(struct xfs_fs *fs)
{
	xfs_ino_t ino;

	must(xfs_path_lookup(fs, XFS_INO(sb.metadirino), "rtgroups", &ino), "rtgroups");
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
	uint32_t per = xfs_dquot_per_block(geo.blocksize);
	uint64_t dir = 0;

	for (unsigned t = 0; t < XFS_ARRAY_SIZE(quotas); t++) {
		uint64_t ino;

		if (!(sb.qflags & quotas[t].on))
			continue;
		if (!dir)
			dir = make(sb.metadirino, "quota", XFS_MODE_DIR | 0700, 0, 0, XFS_METAFILE_DIR, 0);
		ino = make(dir, quotas[t].name, XFS_MODE_REG | 0600, 0, 0, quotas[t].metatype, 0);
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(ids); i++)
			if (!i || ids[i] / per != ids[i - 1] / per)
				zeroes(ino, ids[i] / per, 1);
	}
}

static uint64_t summary_blocks(void)
{
	return xfs_ceil_div((xfs_log2_floor(sb.rgextents) + 1u) * sb.rbmblocks, xfs_rtbuf_words(geo.blocksize));
}

static void make_groups(uint64_t dir)
{
	char name[24];

	for (uint32_t g = 0; g < sb.rgcount; g++) {
		snprintf(name, sizeof(name), "%u.bitmap", g);
		zeroes(make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTBITMAP, g), 0, sb.rbmblocks);
		snprintf(name, sizeof(name), "%u.summary", g);
		zeroes(make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTSUMMARY, g), 0, summary_blocks());
		snprintf(name, sizeof(name), "%u.rmap", g);
		if (geo.rmapbt)
			make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTRMAP, g);
		snprintf(name, sizeof(name), "%u.refcount", g);
		if (geo.reflink)
			make(dir, name, XFS_MODE_REG | 0600, 0, 0, XFS_METAFILE_RTREFCOUNT, g);
	}
}

/* ---- files of the realtime section ---- */

#define AT_END(n) (UINT32_MAX - (n))		/* so many extents before the end of a full group */
/* In units of an extent: file, offset, group (the last one: ~0), extent in it, length, unwritten, shared with others. */
static const struct piece {
	unsigned file;
	uint32_t off, group, at, len;
	bool unwritten, shared;
} pieces[] = {
	{ 0, 0, 0, 1, 7, false, false }, { 0, 7, 0, 20, 3, true, false }, { 0, 30, 1, 0, 40, false, false },
	{ 1, 0, 0, 60, 5, false, true }, { 1, 5, 1, 90, 1, false, false }, { 1, 9, ~0u, 2, 6, false, false },
	{ 2, 0, 1, 100, 33, false, false }, { 2, 33, 1, AT_END(3), 3, false, false }, { 2, 36, 2, 0, 2, false, false }, { 4, 0, 1, 150, 1, false, false }, { 4, 2, 1, 152, 1, true, false },
	{ 4, 4, 1, 154, 1, false, false }, { 4, 6, 1, 156, 1, false, false }, { 4, 8, 1, 158, 1, false, false },
	{ 4, 10, 1, 160, 1, false, false }, { 4, 12, 1, 162, 1, true, false }, { 4, 14, 1, 164, 1, false, false },
	{ 4, 16, 1, 166, 1, false, false }, { 4, 18, 1, 168, 1, false, false }, { 4, 20, 1, 170, 1, false, false }, { 3, 2, 0, 60, 5, false, true }, { 3, 50, ~0u, 11, 4, true, false },
};

static uint32_t place_of(const struct piece *p) { return p->at > UINT32_MAX / 2 ? sb.rgextents - (UINT32_MAX - p->at) : p->at; }
static bool is_made(const struct piece *p) { return (!p->shared || p->file == 1 || geo.reflink) && (p->file < 4 || many); }
static uint32_t group_of(const struct piece *p) { return p->group == ~0u ? sb.rgcount - 1 : p->group; }

static const struct made *rt_file(unsigned i)
{
	char name[24];

	snprintf(name, sizeof(name), "rt%u", i);
	return find(name);
}

static void write_piece(const struct piece *p, uint64_t ino)
{
	size_t len = (size_t)RUN(p) << geo.blocklog;
	uint64_t linear = ((uint64_t)group_of(p) * sb.rgextents + place_of(p)) * sb.rextsize;
	uint8_t *bytes = malloc(len);

	must(bytes ? 0 : -XFS_E_NOMEM, "memory");
	for (size_t i = 0; i < len; i++)	/* the same for both who share them */
		bytes[i] = p->unwritten ? 0xee : (uint8_t)(((p->shared ? 1 : ino) * 77 + linear + i) * 2654435761u >> 11);
	must(xfs_dev_write(rt, linear << geo.blocklog, bytes, len), "realtime data");
	free(bytes);
}

static void make_rt_file(unsigned i)
{
	uint64_t ino = rt_file(i)->ino;
	uint8_t image[XFS_DINODE_MAX_SIZE], *fork;
	struct xfs_dinode d;
	unsigned n = 0;

	load(ino, image, &d);
	fork = image + xfs_dinode_literal_off(3);
	d.core.flags |= XFS_DIFLAG_REALTIME;
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++) {
		struct xfs_bmbt_rec rec = {
			.startoff = (uint64_t)p->off * sb.rextsize, .blockcount = RUN(p), .extentflag = p->unwritten,
			.startblock = (uint64_t)group_of(p) << sb.rgblklog | (uint64_t)place_of(p) * sb.rextsize,
		};

		if (p->file != i || !is_made(p))
			continue;
		xfs_bmbt_rec_encode(fork + 16 * n++, &rec);
		d.core.nblocks += rec.blockcount;
		d.core.size = ((rec.startoff + rec.blockcount) << geo.blocklog) - 50;
		if (p->shared && geo.reflink)
			d.v3.flags2 |= XFS_DIFLAG2_REFLINK;
		write_piece(p, ino);
	}
	xfs_dinode_set_nextents(&d, XFS_FORK_DATA, n);
	store(ino, image, &d);
}

/* ---- files of the groups ---- */

static uint32_t extents_in(uint32_t group)
{
	return group == sb.rgcount - 1 ? (uint32_t)(sb.rextents - (uint64_t)group * sb.rgextents) : sb.rgextents;
}

static bool is_free(uint32_t group, uint32_t extent)
{
	if ((!group && !extent) || extent >= extents_in(group))
		return false;
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++)
		if (is_made(p) && group_of(p) == group && extent >= place_of(p) && extent < place_of(p) + p->len)
			return false;
	return true;
}

static uint64_t block_of(uint64_t ino, uint64_t block)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_bmbt_rec rec;
	struct xfs_dinode d;

	load(ino, image, &d);
	for (uint64_t i = 0; i < xfs_dinode_nextents(&d, XFS_FORK_DATA) && d.core.format == XFS_DINODE_FMT_EXTENTS; i++) {
		xfs_bmbt_rec_decode(&rec, image + xfs_dinode_literal_off(3) + 16 * i);
		if (block >= rec.startoff && block < rec.startoff + rec.blockcount)
			return rec.startblock + block - rec.startoff;
	}
	must(-XFS_E_NOENT, "block of a file");
	return 0;
}

static void put_words(const struct made *m, uint32_t magic, const uint32_t *words, uint64_t blocks)
{
	uint32_t per = xfs_rtbuf_words(geo.blocksize);
	uint8_t *p = malloc(geo.blocksize);

	must(p ? 0 : -XFS_E_NOMEM, "memory");
	for (uint64_t b = 0; b < blocks; b++) {
		uint64_t fsbno = block_of(m->ino, b);
		struct xfs_rtbuf head = { .magicnum = magic, .owner = m->ino, .bno = xfs_fsbno_daddr(&geo, XFS_FSBNO(fsbno)).v };

		memcpy(head.uuid, geo.uuid, 16);
		xfs_rtbuf_encode(p, &head);
		for (uint32_t i = 0; i < per; i++)
			xfs_put_be32(p + sizeof(struct xfs_rtbuf_disk) + 4 * (size_t)i, words[b * per + i]);
		xfs_crc32c_store(p, geo.blocksize, XFS_OFF(rtbuf, crc));
		must(xfs_dev_write(dev, xfs_fsbno_byte(&geo, XFS_FSBNO(fsbno)), p, geo.blocksize), "realtime file");
	}
	free(p);
}

static void fill_group(uint32_t group, const struct made *bitmap, const struct made *summary)
{
	uint32_t per = xfs_rtbuf_words(geo.blocksize), run = 0;
	uint32_t *bits = calloc((size_t)sb.rbmblocks * per, 4), *sums = calloc((size_t)summary_blocks() * per, 4);

	must(bits && sums ? 0 : -XFS_E_NOMEM, "memory");
	for (uint32_t x = 0; x <= extents_in(group); x++) {
		if (is_free(group, x)) {
			bits[x / 32] |= UINT32_C(1) << x % 32;
			run++;
			sb.frextents++;
		} else if (run) {
			sums[xfs_log2_floor(run) * sb.rbmblocks + (x - run) / (32 * per)]++;
			run = 0;
		}
	}
	put_words(bitmap, XFS_RTBITMAP_MAGIC, bits, sb.rbmblocks);
	put_words(summary, XFS_RTSUMMARY_MAGIC, sums, summary_blocks());
	free(bits);
	free(sums);
}

static int by_start(const void *pa, const void *pb)
{
	const struct xfs_rmap_rec *a = pa, *b = pb;

	if (a->startblock != b->startblock)
		return a->startblock < b->startblock ? -1 : 1;
	return a->owner < b->owner ? -1 : a->owner > b->owner;
}

/* The root holds all records: level 0. */
static void fill_rmap(uint32_t group, uint64_t ino)
{
	struct xfs_rmap_rec recs[MOST_MAPS];
	uint8_t image[XFS_DINODE_MAX_SIZE], *fork = image + xfs_dinode_literal_off(3);
	struct xfs_dinode d;
	uint16_t n = 0;

	if (!group)
		recs[n++] = (struct xfs_rmap_rec){ .blockcount = sb.rextsize, .owner = XFS_OWN_FS };
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++)
		if (group_of(p) == group && is_made(p))
			recs[n++] = (struct xfs_rmap_rec){ .startblock = place_of(p) * sb.rextsize, .blockcount = RUN(p),
				.owner = rt_file(p->file)->ino, .offset = (uint64_t)p->off * sb.rextsize, .extentflag = p->unwritten };
	qsort(recs, n, sizeof(recs[0]), by_start);
	load(ino, image, &d);
	d.core.format = XFS_DINODE_FMT_META_BTREE;
	if (4 + 24u * n > xfs_dinode_fork_size(3, d.core.forkoff, geo.inodesize, XFS_FORK_DATA))
		n = 0;
	xfs_put_be16(fork + 2, n);
	for (uint16_t i = 0; i < n; i++)
		xfs_rmap_rec_encode(fork + 4 + 24 * (size_t)i, &recs[i]);
	store(ino, image, &d);
}

static void fill_refcount(uint32_t group, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE], *fork = image + xfs_dinode_literal_off(3);
	struct xfs_dinode d;
	uint16_t n = 0;

	load(ino, image, &d);
	d.core.format = XFS_DINODE_FMT_META_BTREE;
	for (const struct piece *p = pieces; p < pieces + XFS_ARRAY_SIZE(pieces); p++) {
		struct xfs_refc_rec rec = { .startblock = place_of(p) * sb.rextsize, .blockcount = RUN(p), .refcount = 2 };

		if (p->shared && p->file == 1 && group_of(p) == group)
			xfs_refc_rec_encode(fork + 4 + 12 * (size_t)n++, &rec);
	}
	xfs_put_be16(fork + 2, n);
	store(ino, image, &d);
}

static void fill_groups(void)
{
	char name[24];

	for (unsigned i = 0; i < 4u + many; i++)
		make_rt_file(i);
	for (uint32_t g = 0; g < sb.rgcount; g++) {
		const struct made *bitmap, *summary;

		snprintf(name, sizeof(name), "%u.bitmap", g);
		bitmap = find(name);
		snprintf(name, sizeof(name), "%u.summary", g);
		summary = find(name);
		fill_group(g, bitmap, summary);
		snprintf(name, sizeof(name), "%u.rmap", g);
		if (find(name))
			fill_rmap(g, find(name)->ino);
		snprintf(name, sizeof(name), "%u.refcount", g);
		if (find(name))
			fill_refcount(g, find(name)->ino);
	}
}

static void write_rt_super(void)
{
	uint8_t *p = calloc(1, geo.blocksize);
	struct xfs_rtsb own = { .magicnum = XFS_RTSB_MAGIC };

	must(p ? 0 : -XFS_E_NOMEM, "memory");
	memcpy(own.fname, sb.fname, sizeof(own.fname));
	memcpy(own.uuid, sb.uuid, 16);
	memcpy(own.meta_uuid, geo.uuid, 16);
	xfs_rtsb_encode(p, &own);
	xfs_crc32c_store(p, geo.blocksize, XFS_OFF(rtsb, crc));
	must(xfs_dev_write(rt, 0, p, geo.blocksize), "realtime superblock");
	free(p);
}

/* ---- quota ---- */

static void count(unsigned type, uint32_t id, struct xfs_dquot *q)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	for (unsigned i = 0; i <= nmade; i++) {
		uint64_t ino = i < nmade ? made[i].ino : sb.rootino;
		uint64_t rtblocks = 0;

		if (i < nmade && made[i].metatype)
			continue;
		load(ino, image, &d);
		if ((type == XFS_DQTYPE_USER ? d.core.uid : type == XFS_DQTYPE_GROUP ? d.core.gid : xfs_dinode_projid(&d)) != id)
			continue;
		for (uint64_t k = 0; d.core.flags & XFS_DIFLAG_REALTIME && k < xfs_dinode_nextents(&d, XFS_FORK_DATA); k++) {
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
	uint32_t per = xfs_dquot_per_block(geo.blocksize);
	uint8_t *p = calloc(1, geo.blocksize);

	must(p ? 0 : -XFS_E_NOMEM, "memory");
	for (uint32_t i = 0; i < per; i++) {
		uint32_t id = (uint32_t)block * per + i;
		struct xfs_dquot q = { .magic = XFS_DQUOT_MAGIC, .version = XFS_DQUOT_VERSION, .type = t->type, .id = id };

		memcpy(q.uuid, geo.uuid, 16);
		count(t->type, id, &q);
		if (q.icount && id) {
			q.blk_hardlimit = 100000 + id;
			q.blk_softlimit = 90000 + id;
			q.ino_hardlimit = 5000;
		}
		xfs_dquot_encode(p + i * sizeof(struct xfs_dquot_disk), &q);
		xfs_crc32c_store(p + i * sizeof(struct xfs_dquot_disk), sizeof(struct xfs_dquot_disk), XFS_OFF(dquot, crc));
	}
	must(xfs_dev_write(dev, xfs_fsbno_byte(&geo, XFS_FSBNO(block_of(ino, block))), p, geo.blocksize), "quota");
	free(p);
}

static void fill_quota(void)
{
	uint32_t per = xfs_dquot_per_block(geo.blocksize);

	for (unsigned t = 0; t < XFS_ARRAY_SIZE(quotas); t++) {
		const struct made *m = find(quotas[t].name);

		if (!m)
			continue;
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(ids); i++)
			if (!i || ids[i] / per != ids[i - 1] / per)
				fill_quota_block(&quotas[t], m->ino, ids[i] / per);
		sb.qflags |= quotas[t].checked;
	}
}

/* ---- superblocks ---- */

static void set_realtime(char **argv)
{
	char *end;

	sb.rgextents = (uint32_t)strtoul(argv[3], &end, 0);
	many = *end == '+';
	sb.rextsize = (uint32_t)strtoul(argv[4], NULL, 0);
	if (sb.rgextents < 180 || !sb.rextsize)
		must(-XFS_E_INVALID, "EXTENTS and REXT");
	sb.rblocks = rt->size >> geo.blocklog;
	sb.rextents = sb.rblocks / sb.rextsize;
	sb.rextslog = (uint8_t)xfs_log2_floor(sb.rextents);
	sb.rgcount = (uint32_t)xfs_ceil_div(sb.rextents, (uint64_t)sb.rgextents);
	sb.rgblklog = (uint8_t)xfs_log2_ceil((uint64_t)sb.rgextents * sb.rextsize);
	sb.rbmblocks = (uint32_t)xfs_ceil_div(sb.rgextents, 32 * (uint64_t)xfs_rtbuf_words(geo.blocksize));
	if (sb.rgcount < 3 || sb.rextents - (uint64_t)(sb.rgcount - 1) * sb.rgextents < 20)
		must(-XFS_E_INVALID, "three groups, the last of 20 extents at least");
}

static void write_supers(void)
{
	uint8_t *p = calloc(1, sb.sectsize);

	must(p ? 0 : -XFS_E_NOMEM, "memory");
	for (uint32_t agno = 0; agno < sb.agcount; agno++) {
		uint64_t at = (uint64_t)agno * sb.agblocks << geo.blocklog;
		struct xfs_sb own;

		must(xfs_dev_read(dev, at, p, sb.sectsize), "superblock");
		xfs_sb_decode(&own, p);
		own.rblocks = sb.rblocks;
		own.rextents = sb.rextents;
		own.rextsize = sb.rextsize;
		own.rextslog = sb.rextslog;
		own.rbmblocks = sb.rbmblocks;
		own.rgcount = sb.rgcount;
		own.rgextents = sb.rgextents;
		own.rgblklog = sb.rgblklog;
		own.frextents = agno ? 0 : sb.frextents;
		own.qflags = sb.qflags;
		xfs_sb_encode(p, &own);
		xfs_crc32c_store(p, sb.sectsize, XFS_SB_CRC_OFF);
		must(xfs_dev_write(dev, at, p, sb.sectsize), "superblock");
	}
	free(p);
}

/* ---- all of it ---- */

static uint64_t make_names(void)
{
	struct xfs_fs *fs;
	uint64_t rtgroups;

	must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = dev }, NULL, NULL), "filesystem");
	rtgroups = rtgroups_of(fs);
	xfs_fs_close(fs);
	undress(sb.metadirino);
	undress(rtgroups);
	must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = dev }, NULL, NULL), "filesystem");
	fs->geo.metadir = false;	/* which the library would not change */
	must(xfs_edit_open(&edit, fs, NULL), "edit");
	xfs_edit_live(edit)->now = (struct xfs_timestamp){ 1700000000, 5 };
	xfs_edit_live(edit)->generation = 77;
	make_files();
	make_quota();
	if (rt)
		make_groups(rtgroups);
	must(xfs_edit_quiesce(edit), "quiesce");
	xfs_edit_close(edit);
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
		fprintf(stderr, "usage: metadir IMAGE [RTDEVICE EXTENTS REXT]\n");
		return 2;
	}
	must(xfs_dev_file(&dev, argv[1], XFS_DEV_EXCLUSIVE, 0, NULL), argv[1]);
	if (argc == 5)
		must(xfs_dev_file(&rt, argv[2], XFS_DEV_EXCLUSIVE, 0, NULL), argv[2]);
	must(xfs_fs_open(&fs, &(struct xfs_devset){ .data = dev }, NULL, NULL), argv[1]);
	geo = fs->geo;
	sb = geo.sb;
	xfs_fs_close(fs);
	if (!geo.metadir || sb.rblocks)
		must(-XFS_E_INVALID, "a fresh metadir filesystem");
	if (rt)
		set_realtime(argv);
	geo.sb.rextsize = sb.rextsize;
	rtgroups = make_names();
	dress(sb.metadirino, XFS_METAFILE_DIR, 0);
	dress(rtgroups, XFS_METAFILE_DIR, 0);
	for (unsigned i = 0; i < nmade; i++) {
		if (made[i].metatype)
			dress(made[i].ino, made[i].metatype, made[i].group);
		if (!made[i].projid)
			continue;
		load(made[i].ino, image, &d);
		xfs_dinode_set_projid(&d, made[i].projid);
		store(made[i].ino, image, &d);
	}
	if (rt) {
		fill_groups();
		write_rt_super();
	}
	fill_quota();
	write_supers();
	must(xfs_dev_barrier(dev), "barrier");
	xfs_dev_close(rt);
	xfs_dev_close(dev);
	return 0;
}
