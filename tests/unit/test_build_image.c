/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_build_image.c - a whole filesystem made anew: every directory, attribute fork, block map and AG of an image is
 * read, built again with the builders and read back; attributes are added on the way.
 *
 * Runs on the sample.  With XFSKIT_IMAGE_IN and XFSKIT_IMAGE_OUT the image is that file, and the result is written to
 * the other one, where other tools may judge it (tests/cli/build-names.t).
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/build/ag.h"
#include "libxfs/inode/scan.h"
#include "libxfs/name/verify.h"
#include "tests/lib/building.h"
#include "tests/unit/image.h"
#include "tests/unit/namelists.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#define EXTRA_NAME "added-"

struct making {
	struct xfs_fs *from;
	const struct xfs_geometry *geo;
	struct xfs_dev *below, *dev;		/* the image; an overlay that gets everything new */
	struct xfs_claims *claims;
	struct xfs_inode_chunk *chunks;		/* of the AG at hand */
	size_t nchunks, chunks_room;
	uint64_t fdblocks, icount, ifree;
	uint64_t ino;				/* at hand */
	uint64_t dirs[XFS_DIR_ODD], forks[XFS_ATTR_NODE + 1], entries;	/* built */
};

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

static const struct xfs_sink sink = { on_finding, NULL };

/* ---- space ---- */

/* The longest run that first fit finds among halves of what is wanted; AGs in turn. */
static int take(void *payload, uint64_t offset, uint64_t want, uint64_t *fsbno, uint64_t *got)
{
	struct making *m = payload;
	int err = -XFS_E_NOSPC;

	for (uint64_t n = xfs_min(want, m->geo->agblocks); n && err == -XFS_E_NOSPC; n /= 2) {
		*got = n;
		err = building_take(m->claims, m->geo, XFS_AGNO(0),
				    &(struct xfs_claim){ 0, (uint32_t)n, m->ino, offset }, fsbno);
	}
	return err;
}

static int take_one(void *payload, uint64_t *fsbno)
{
	uint64_t got;

	return take(payload, XFS_RMAP_BMBT, 1, fsbno, &got);
}

static void claim(struct making *m, uint64_t fsbno, uint32_t len, uint64_t owner, uint64_t offset)
{
	const struct xfs_claim c = { xfs_fsbno_agbno(m->geo, XFS_FSBNO(fsbno)).v, len, owner, offset };

	qk_assert_int_eq(xfs_claims_add(m->claims, xfs_fsbno_agno(m->geo, XFS_FSBNO(fsbno)), &c), 0);
}

/* ---- what is kept: chunks of inodes, contents of files, the log ---- */

static int claim_extent(void *payload, const struct xfs_extent *e)
{
	struct making *m = payload;

	claim(m, e->block, e->len, m->ino, e->off | (e->unwritten ? XFS_RMAP_UNWRITTEN : 0));
	return 0;
}

static bool parse(const struct making *m, const struct xfs_inode_seen *s, struct xfs_inode *ip)
{
	if (s->free)
		return false;
	qk_assert(s->raw != NULL);
	qk_assert_int_eq(xfs_inode_parse(m->from, s->ino, s->raw, ip), 0);
	return true;
}

static int claim_contents(void *payload, const struct xfs_inode_seen *s)
{
	struct making *m = payload;
	struct xfs_inode ip;
	struct xfs_ifork f;

	if (!parse(m, s, &ip) || xfs_inode_is_dir(&ip))
		return 0;
	m->ino = s->ino.v;
	qk_assert_int_eq(xfs_ifork_init(&f, &ip, XFS_FORK_DATA), 0);
	qk_assert(!f.realtime);
	qk_assert_int_eq(xfs_ifork_each(&f, claim_extent, m), 0);
	return 0;
}

static void claim_log(struct making *m)
{
	if (m->geo->sb.logstart)
		claim(m, m->geo->sb.logstart, m->geo->sb.logblocks, XFS_OWN_LOG, 0);
}

static int add_chunk(void *payload, const void *disk)
{
	struct making *m = payload;
	struct xfs_inobt_rec rec;

	xfs_inobt_load(m->geo, &rec, disk);
	qk_assert_int_eq(xfs_grow(&m->chunks, m->nchunks, &m->chunks_room, 64), 0);
	m->chunks[m->nchunks++] = (struct xfs_inode_chunk){ rec.startino, rec.holemask, (uint8_t)rec.count,
							    (uint8_t)rec.freecount, rec.free };
	return 0;
}

static void read_chunks(struct making *m, xfs_agno_t agno)
{
	struct xfs_btree bt;

	m->nchunks = 0;
	qk_assert_int_eq(xfs_fs_ag_btree(m->from, agno, XFS_BTREE_INO, &bt), 0);
	qk_assert_int_eq(xfs_btree_query_all(&bt, add_chunk, m), 0);
}

static void claim_chunks(struct making *m, xfs_agno_t agno)
{
	unsigned inopblock = m->geo->sb.inopblock;

	qk_assert_uint_le(inopblock, XFS_INODES_PER_CHUNK);
	for (size_t i = 0; i < m->nchunks; i++)
		for (unsigned n = 0; n < XFS_INODES_PER_CHUNK; n += inopblock)
			if (xfs_chunk_has_inode(m->chunks[i].holemask, n)) {
				uint32_t agbno = (m->chunks[i].startino + n) / inopblock;

				claim(m, xfs_fsbno_of(m->geo, agno, XFS_AGBNO(agbno)).v, 1, XFS_OWN_INODES, 0);
			}
}

/* ---- attributes that are added ---- */

/* How many attributes an inode gets, by its number: none, few, many, large ones. */
static unsigned extras(uint64_t ino)
{
	static const unsigned numbers[] = { 0, 1, 3, 0, 20, 1, 0, 120, 2 };

	return numbers[ino % XFS_ARRAY_SIZE(numbers)];
}

static uint32_t extra_length(uint64_t ino, unsigned i)
{
	return ino % 9 == 5 ? 3000 + (uint32_t)(ino % 5000) : ino % 9 == 8 ? 300 : (i * 7 + (uint32_t)ino) % 60;
}

/* The kernel shows attributes of users on files and directories alone. */
static void add_extras(struct attrlist *l, const struct xfs_inode *ip)
{
	bool users = xfs_inode_is_dir(ip) || xfs_inode_fmt(ip) == XFS_MODE_REG;
	uint64_t ino = ip->ino.v;
	static const unsigned spaces[] = { 0, XFS_ATTR_ROOT, 0, XFS_ATTR_SECURE };

	for (unsigned i = 0; i < extras(ino); i++) {
		uint32_t len = extra_length(ino, i);
		uint8_t *value = malloc(len + 1);
		char name[40];
		int namelen = snprintf(name, sizeof(name), EXTRA_NAME "%u", i);

		memset(value, (int)('a' + i % 26), len);
		namelists_add_attr(l, users || i % 4 == 3 ? spaces[i % 4] : XFS_ATTR_ROOT,
				   namelists_copy(name, (size_t)namelen), (unsigned)namelen, value, len);
	}
}

/* ---- inodes ---- */

static struct xfs_build_target target(struct making *m, uint64_t ino)
{
	m->ino = ino;
	return (struct xfs_build_target){ .geo = m->geo, .dev = m->dev, .ino = ino, .alloc = take, .payload = m };
}

/* A shape of the data fork before anything is built; directories: with the fork that they have now. */
static struct xfs_forkoff_facts data_facts(const struct xfs_inode *ip)
{
	struct xfs_forkoff_facts f = { ip->d.core.format, (uint64_t)ip->d.core.size, ip->d.core.forkoff };

	if (f.format == XFS_DINODE_FMT_EXTENTS)
		f.used = xfs_dinode_nextents(&ip->d, XFS_FORK_DATA);
	else if (f.format == XFS_DINODE_FMT_BTREE)
		f.used = xfs_be16(xfs_inode_fork_bytes(ip, XFS_FORK_DATA, &(uint32_t){ 0 }) + 2);
	return f;
}

static void build_attrs(struct making *m, const struct xfs_inode *ip, bool more, struct xfs_dinode *d, uint8_t *fork)
{
	struct attrlist l = { .n = 0 };
	struct xfs_build_attrs b = { .to = target(m, ip->ino.v), .data = data_facts(ip), .bytes = fork };

	qk_assert_int_eq(xfs_attrs_open(&l.a, ip, &sink), 0);
	qk_assert_int_eq(xfs_attrs_each(&l.a, namelists_keep_attr, &l), 0);
	if (more)
		add_extras(&l, ip);
	b.list = l.list;
	b.n = l.n;
	qk_assert_int_eq(xfs_build_attrs(&b), 0);
	m->forks[b.form]++;
	qk_assert(building_set_attrs(d, &b));
	namelists_free_attrs(&l);
}

static void build_dir(struct making *m, const struct xfs_inode *ip, struct xfs_dinode *d, uint32_t size, uint8_t *fork)
{
	struct entrylist l = { .n = 0 };
	struct xfs_dir dir;
	struct xfs_build_dir b = { .to = target(m, ip->ino.v), .forksize = size, .bytes = fork };

	qk_assert_int_eq(xfs_dir_open(&dir, ip, &sink), 0);
	qk_assert_int_eq(xfs_dir_each(&dir, 0, namelists_keep_entry, &l), 0);
	b.entries = l.list;
	b.n = l.n;
	b.parent = l.parent;
	qk_assert_int_eq(xfs_build_dir(&b), 0);
	m->dirs[b.shape.form]++;
	m->entries += l.n;
	if (m->geo->ftype)
		qk_assert_uint_eq(b.shape.subdirs + 2, xfs_dinode_nlink(d));
	qk_assert(building_set_dir(d, &b));
	namelists_free_entries(&l);
}

struct gathered { struct xfs_extent *e; size_t n, room; uint64_t blocks; };

static int gather(void *payload, const struct xfs_extent *e)
{
	struct gathered *g = payload;

	g->blocks += e->len;
	return xfs_build_fork_extents(&g->e, &g->n, &g->room, e->off, e->block, e->len, e->unwritten);
}

/* The block map of a file for the place that it has now; what lies in the inode must fit. */
static void build_map(struct making *m, const struct xfs_inode *ip, struct xfs_dinode *d, uint32_t size, uint8_t *fork)
{
	struct gathered all = { 0 };
	struct xfs_build_fork b = { .geo = m->geo, .ino = ip->ino.v, .forksize = size, .dev = m->dev, .alloc = take_one,
				    .payload = m, .bytes = fork };
	struct xfs_ifork f;
	uint32_t len;

	qk_assert_int_eq(xfs_ifork_init(&f, ip, XFS_FORK_DATA), 0);
	if (f.format != XFS_DINODE_FMT_EXTENTS && f.format != XFS_DINODE_FMT_BTREE) {
		const uint8_t *bytes = xfs_inode_fork_bytes(ip, XFS_FORK_DATA, &len);

		qk_assert(f.format == XFS_DINODE_FMT_DEV || (uint64_t)d->core.size <= size);
		memset(fork, 0, size);
		memcpy(fork, bytes, xfs_min(len, size));
		return;
	}
	qk_assert_int_eq(xfs_ifork_each(&f, gather, &all), 0);
	b.extents = all.e;
	b.nextents = all.n;
	m->ino = ip->ino.v;
	qk_assert_int_eq(xfs_build_fork(&b), 0);
	d->core.format = (uint8_t)b.format;
	d->core.nblocks += all.blocks + b.blocks;
	qk_assert(xfs_dinode_set_nextents(d, XFS_FORK_DATA, all.n));
	free(all.e);
}

static bool gets_more(const struct making *m, const struct xfs_inode *ip)
{
	unsigned type = xfs_inode_fmt(ip);
	enum xfs_inode_role role = xfs_inode_role(m->from, ip->ino);

	/* the kernel keeps names of attributes off links but for its own; a long link would have to move out */
	return (role == XFS_INODE_ORDINARY || role == XFS_INODE_ROOT) && type != XFS_MODE_LNK;
}

static int build_inode(void *payload, const struct xfs_inode_seen *s)
{
	struct making *m = payload;
	uint8_t image[XFS_DINODE_MAX_SIZE], attr[XFS_DINODE_MAX_SIZE];
	struct xfs_inode ip;
	unsigned version;
	uint32_t size;
	struct xfs_dinode d;

	if (!parse(m, s, &ip))
		return 0;
	d = ip.d;
	version = (unsigned)d.core.version;
	d.core.nblocks = 0;
	memcpy(image, ip.raw, ip.size);
	build_attrs(m, &ip, gets_more(m, &ip), &d, attr);
	size = xfs_dinode_fork_size(version, d.core.forkoff, ip.size, XFS_FORK_DATA);
	if (xfs_inode_is_dir(&ip))
		build_dir(m, &ip, &d, size, image + xfs_dinode_literal_off(version));
	else
		build_map(m, &ip, &d, size, image + xfs_dinode_literal_off(version));
	memcpy(image + xfs_dinode_fork_off(version, d.core.forkoff, ip.size, XFS_FORK_ATTR), attr,
	       xfs_dinode_fork_size(version, d.core.forkoff, ip.size, XFS_FORK_ATTR));
	xfs_dinode_encode(image, &d);
	if (m->geo->v5)
		xfs_crc32c_store(image, ip.size, XFS_DINODE_CRC_OFF);
	qk_assert_int_eq(xfs_dev_write(m->dev, xfs_ino_byte(m->geo, s->ino), image, ip.size), 0);
	return 0;
}

/* ---- AGs and the superblock ---- */

static void build_ag(struct making *m, xfs_agno_t agno)
{
	struct xfs_build_ag b = { .geo = m->geo, .claims = m->claims, .agno = agno, .leaf_slack = -1, .node_slack = -1,
				  .dev = m->dev };
	uint32_t unlinked[XFS_AGI_BUCKETS];
	struct xfs_ag_switch out;
	struct xfs_agi agi;

	qk_assert_int_eq(xfs_fs_agi(m->from, agno, &agi, unlinked), 0);
	read_chunks(m, agno);
	b.chunks = m->chunks;
	b.nchunks = m->nchunks;
	b.unlinked = unlinked;
	b.newino = agi.newino;
	qk_assert_int_eq(xfs_build_ag(&b, &out), 0);
	qk_assert_int_eq(xfs_build_ag_commit(&b, &out), 0);
	m->fdblocks += out.freeblks + out.flcount + out.btreeblks;
	m->icount += out.icount;
	m->ifree += out.ifree;
	xfs_ag_switch_release(&out);
}

static void write_sb(struct making *m)
{
	struct xfs_sb sb = m->geo->sb;
	uint8_t sector[65536];

	qk_assert_uint_eq(sb.icount, m->icount);
	qk_assert_uint_eq(sb.ifree, m->ifree);
	sb.fdblocks = m->fdblocks;
	sb.versionnum |= XFS_SB_VERSION_ATTR;	/* as whoever makes the first attribute must say */
	qk_assert_int_eq(xfs_dev_read(m->below, 0, sector, m->geo->sectsize), 0);
	xfs_sb_encode(sector, &sb);
	if (m->geo->v5)
		xfs_crc32c_store(sector, m->geo->sectsize, XFS_SB_CRC_OFF);
	qk_assert_int_eq(xfs_dev_write(m->dev, 0, sector, m->geo->sectsize), 0);
}

static void make(struct making *m)
{
	uint32_t agcount = m->geo->agcount;

	qk_assert_int_eq(xfs_claims_new(&m->claims, m->geo, 8 << 20, NULL), 0);
	claim_log(m);
	for (uint32_t i = 0; i < agcount; i++) {
		read_chunks(m, XFS_AGNO(i));
		claim_chunks(m, XFS_AGNO(i));
		qk_assert_int_eq(xfs_inodes_each(m->from, XFS_AGNO(i), 0, claim_contents, m, &sink), 0);
	}
	for (uint32_t i = 0; i < agcount; i++)
		qk_assert_int_eq(xfs_claims_seal(m->claims, XFS_AGNO(i)), 0);
	for (uint32_t i = 0; i < agcount; i++)
		qk_assert_int_eq(xfs_inodes_each(m->from, XFS_AGNO(i), 0, build_inode, m, &sink), 0);
	for (uint32_t i = 0; i < agcount; i++)
		build_ag(m, XFS_AGNO(i));
	write_sb(m);
	xfs_claims_free(m->claims);
	free(m->chunks);
}

/* ---- what came out ---- */

struct comparing {
	struct making *m;
	struct xfs_fs *to;
	struct attrlist *old;		/* attributes before */
	size_t seen, added;
	struct xfs_attrs *now;
};

static void compare_dirs(const struct xfs_inode *a, const struct xfs_inode *b)
{
	struct entrylist before = { .n = 0 }, after = { .n = 0 };
	struct xfs_dir dir;

	qk_assert_int_eq(xfs_dir_open(&dir, a, &sink), 0);
	qk_assert_int_eq(xfs_dir_each(&dir, 0, namelists_keep_entry, &before), 0);
	qk_assert_int_eq(xfs_dir_open(&dir, b, &sink), 0);
	qk_assert_int_eq(xfs_dir_each(&dir, 0, namelists_keep_entry, &after), 0);
	qk_assert_uint_eq(before.n, after.n);
	qk_assert_uint_eq(before.parent, after.parent);
	for (size_t i = 0; i < before.n; i++) {
		const struct xfs_build_dirent *x = &before.list[i], *y = &after.list[i];

		qk_assert(x->ino == y->ino && x->ftype == y->ftype && x->namelen == y->namelen &&
			  !memcmp(x->name, y->name, x->namelen));
	}
	qk_assert_int_eq(xfs_dir_verify(b, before.parent, &sink), 0);
	namelists_free_entries(&before);
	namelists_free_entries(&after);
}

static int compare_attr(void *payload, const struct xfs_attr *attr)
{
	struct comparing *c = payload;
	uint8_t *value = malloc(attr->valuelen + 1);
	const struct xfs_build_attr *same = NULL;

	qk_assert_int_eq(xfs_attr_value(c->now, attr, value), 0);
	for (size_t i = 0; i < c->old->n && !same; i++) {
		const struct xfs_build_attr *x = &c->old->list[i];

		if (x->flags == (attr->flags & XFS_ATTR_NAMESPACES) && x->namelen == attr->namelen &&
		    !memcmp(x->name, attr->name, x->namelen) && x->valuelen == attr->valuelen &&
		    !memcmp(x->value, value, x->valuelen))
			same = x;
	}
	if (same)
		c->seen++;
	else {
		qk_assert(attr->namelen > strlen(EXTRA_NAME) && !memcmp(attr->name, EXTRA_NAME, strlen(EXTRA_NAME)));
		c->added++;
	}
	free(value);
	return 0;
}

static void compare_attrs(struct comparing *c, const struct xfs_inode *a, const struct xfs_inode *b)
{
	struct attrlist before = { .n = 0 };
	struct xfs_attrs now;

	qk_assert_int_eq(xfs_attrs_open(&before.a, a, &sink), 0);
	qk_assert_int_eq(xfs_attrs_each(&before.a, namelists_keep_attr, &before), 0);
	qk_assert_int_eq(xfs_attrs_open(&now, b, &sink), 0);
	c->old = &before;
	c->now = &now;
	c->seen = c->added = 0;
	qk_assert_int_eq(xfs_attrs_each(&now, compare_attr, c), 0);
	qk_assert_uint_eq(c->seen, before.n);
	qk_assert_uint_eq(c->added, gets_more(c->m, a) ? extras(a->ino.v) : 0);
	qk_assert_int_eq(xfs_attrs_verify(b, &sink), 0);
	namelists_free_attrs(&before);
}

static void compare_maps(const struct xfs_inode *a, const struct xfs_inode *b)
{
	struct gathered before = { 0 }, after = { 0 };
	struct xfs_ifork f;

	qk_assert_int_eq(xfs_ifork_init(&f, a, XFS_FORK_DATA), 0);
	qk_assert_int_eq(xfs_ifork_each(&f, gather, &before), 0);
	qk_assert_int_eq(xfs_ifork_init(&f, b, XFS_FORK_DATA), 0);
	qk_assert_int_eq(xfs_ifork_each(&f, gather, &after), 0);
	qk_assert_uint_eq(before.n, after.n);
	for (size_t i = 0; i < before.n; i++)
		qk_assert(before.e[i].off == after.e[i].off && before.e[i].block == after.e[i].block &&
			  before.e[i].len == after.e[i].len && before.e[i].unwritten == after.e[i].unwritten);
	free(before.e);
	free(after.e);
}

static int compare_inode(void *payload, const struct xfs_inode_seen *s)
{
	struct comparing *c = payload;
	struct xfs_inode a, b;

	if (!parse(c->m, s, &a))
		return 0;
	qk_assert_int_eq(xfs_inode_read(c->to, s->ino, 0, &b), 0);
	qk_assert_int_eq(xfs_inode_verify(&b, &sink), 0);
	compare_attrs(c, &a, &b);
	if (xfs_inode_is_dir(&a))
		compare_dirs(&a, &b);
	else
		compare_maps(&a, &b);
	return 0;
}

static void compare(struct making *m)
{
	struct xfs_devset set = { .data = m->dev };
	struct comparing c = { .m = m };

	qk_assert_int_eq(xfs_fs_open(&c.to, &set, NULL, &sink), 0);
	for (uint32_t i = 0; i < m->geo->agcount; i++)
		qk_assert_int_eq(xfs_inodes_each(m->from, XFS_AGNO(i), 0, compare_inode, &c, &sink), 0);
	xfs_fs_close(c.to);
}

/* ---- the image ---- */

static struct xfs_dev *open_image(void)
{
	const char *path = getenv("XFSKIT_IMAGE_IN");
	struct xfs_dev *dev;

	if (!path)
		return &image_load("sample.img.xz")->dev;
	ck_assert_int_eq(xfs_dev_file(&dev, path, XFS_DEV_READONLY, 0, NULL), 0);
	return dev;
}

/* The result as a file: sparse, what is zero is left out. */
static void save(struct xfs_dev *dev, const char *path)
{
	enum { PIECE = 1 << 20 };
	static const uint8_t none[PIECE];
	uint8_t *piece = malloc(PIECE);
	struct xfs_dev *out;

	ck_assert_int_eq(xfs_dev_file(&out, path, XFS_DEV_CREATE | XFS_DEV_TRUNCATE, dev->size, NULL), 0);
	for (uint64_t off = 0; off < dev->size; off += PIECE) {
		size_t len = (size_t)xfs_min(PIECE, dev->size - off);

		ck_assert_int_eq(xfs_dev_read(dev, off, piece, len), 0);
		if (memcmp(piece, none, len))
			ck_assert_int_eq(xfs_dev_write(out, off, piece, len), 0);
	}
	ck_assert_int_eq(xfs_dev_barrier(out), 0);
	xfs_dev_close(out);
	free(piece);
}

START_TEST(made_anew)
{
	const char *out = getenv("XFSKIT_IMAGE_OUT");
	struct making m = { .below = open_image() };
	struct xfs_devset set = { .data = m.below };

	ck_assert_int_eq(xfs_fs_open(&m.from, &set, NULL, &sink), 0);
	m.geo = &m.from->geo;
	ck_assert_int_eq(xfs_dev_overlay(&m.dev, m.below, 0, 64 << 20, NULL), 0);
	make(&m);
	compare(&m);
	printf("directories: %u short, %u block, %u leaf, %u node, %u entries; attributes: "
	       "%u short, %u leaf, %u node\n", (unsigned)m.dirs[XFS_DIR_SHORT], (unsigned)m.dirs[XFS_DIR_BLOCK],
	       (unsigned)m.dirs[XFS_DIR_LEAF], (unsigned)m.dirs[XFS_DIR_NODE], (unsigned)m.entries,
	       (unsigned)m.forks[XFS_ATTR_SHORT], (unsigned)m.forks[XFS_ATTR_LEAF], (unsigned)m.forks[XFS_ATTR_NODE]);
	if (!getenv("XFSKIT_IMAGE_IN"))
		for (unsigned form = 0; form < 4; form++) {
			ck_assert_uint_gt(m.dirs[form], 0);
			ck_assert_uint_gt(m.forks[form], 0);
		}
	if (out)
		save(m.dev, out);
	xfs_fs_close(m.from);
	xfs_dev_close(m.dev);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("build_image");
	TCase *t = tcase_create("build_image");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, made_anew);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
