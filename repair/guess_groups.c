/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess_groups.c - the geometry of realtime groups from the files of the metadata directory (format sheet 10, sections
 * 3.1, 3.3, 4.1).
 *
 * Every extent of a group is free in its bitmap or owned in its reverse mappings, so the last one of either kind ends
 * it; the first record of group 0, that of the realtime superblock, is one extent long.  The label stands in that
 * superblock, too.  A file that no directory names is known by its inode, which says the same.
 */
#include "repair/superblock.h"
#include "repair/survey.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/inode/fork.h"
#include "libxfs/inode/scan.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an inode says of itself. */
struct said {
	xfs_ino_t ino;
	unsigned metatype;
	uint32_t group;
};

struct group_guess {
	struct xfs_fs *fs;
	struct said *said;		/* of all inodes, once they were asked */
	size_t nsaid, room;
	bool asked;
	int error;			/* NOMEM while they were asked: that there is no file is not known then */
	struct xfs_inode *ip;
	uint8_t *block;
	uint64_t first;			/* length of the first record of group 0 */
	uint64_t used;			/* behind the last block that is owned in the group */
	uint64_t left;			/* leaves that all trees together may still have: damaged links go in circles */
};

/* ---- files ---- */

static int keep_said(void *payload, const struct xfs_inode_seen *s)
{
	struct group_guess *g = payload;
	const struct xfs_geometry *geo = &g->fs->geo;
	struct xfs_dinode d;

	if (!s->raw || !xfs_crc32c_check(s->raw, geo->inodesize, XFS_DINODE_CRC_OFF))
		return 0;
	xfs_dinode_decode(&d, s->raw);
	if (d.core.magic != XFS_DINODE_MAGIC || d.core.version != 3 || (d.core.mode & XFS_MODE_FMT) != XFS_MODE_REG ||
	    d.v3.inumber != s->ino.v || memcmp(d.v3.uuid, geo->uuid, 16) || !xfs_dinode_is_metadata(&d))
		return 0;
	if (xfs_grow(&g->said, g->nsaid, &g->room, 64))
		return -XFS_E_NOMEM;
	g->said[g->nsaid++] = (struct said){ s->ino, d.core.metatype, xfs_dinode_projid(&d) };
	return 0;
}

static int by_what(const void *pa, const void *pb)
{
	const struct said *a = pa, *b = pb;

	if (a->metatype != b->metatype)
		return a->metatype < b->metatype ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->ino.v < b->ino.v ? -1 : a->ino.v > b->ino.v;
}

/* False: they could not be asked. An AG whose inodes can't be read leaves out what it has. */
static bool ask_inodes(struct group_guess *g)
{
	for (uint32_t agno = 0; agno < g->fs->geo.agcount && !g->asked && !g->error; agno++)
		if (xfs_inodes_each(g->fs, XFS_AGNO(agno), 0, keep_said, g, NULL) == -XFS_E_NOMEM)
			g->error = -XFS_E_NOMEM;
	if (!g->asked && g->nsaid)
		qsort(g->said, g->nsaid, sizeof(*g->said), by_what);
	g->asked = true;
	return !g->error;
}

static bool find_said(const struct group_guess *g, unsigned metatype, uint32_t group, xfs_ino_t *ino)
{
	const struct said key = { .metatype = metatype, .group = group };
	size_t at = xfs_search(g->nsaid, i, by_what(&g->said[i], &key) < 0);

	if (at == g->nsaid || g->said[at].metatype != metatype || g->said[at].group != group)
		return false;
	*ino = g->said[at].ino;
	return true;
}

/* True: there is such a file of the group. */
static bool find_file(struct group_guess *g, unsigned metatype, uint32_t group, xfs_ino_t *ino)
{
	return repair_sb_group_file(g->fs, metatype == XFS_METAFILE_RTBITMAP ? "bitmap" : "rmap", group, ino) ||
	       (ask_inodes(g) && find_said(g, metatype, group, ino));
}

static bool has_bitmaps(struct group_guess *g)
{
	xfs_ino_t ino;

	if (repair_sb_group_file(g->fs, "bitmap", 0, &ino))
		return true;
	for (size_t i = 0; ask_inodes(g) && i < g->nsaid; i++)
		if (g->said[i].metatype == XFS_METAFILE_RTBITMAP)
			return true;
	return false;
}

static bool has_quota(struct group_guess *g)
{
	xfs_ino_t ino;

	if (!xfs_path_lookup(g->fs, XFS_INO(g->fs->geo.sb.metadirino), "quota", &ino))
		return true;
	return ask_inodes(g) && (find_said(g, XFS_METAFILE_USRQUOTA, 0, &ino) ||
				  find_said(g, XFS_METAFILE_GRPQUOTA, 0, &ino) ||
				  find_said(g, XFS_METAFILE_PRJQUOTA, 0, &ino));
}

/* ---- what they hold ---- */

static void take_record(struct group_guess *g, const uint8_t *rec, bool first)
{
	struct xfs_rmap_rec r;

	xfs_rmap_rec_decode(&r, rec);
	if (first && !r.startblock && r.owner == XFS_OWN_FS)
		g->first = r.blockcount;
	g->used = xfs_max(g->used, (uint64_t)r.startblock + r.blockcount);
}

static bool read_block(struct group_guess *g, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &g->fs->geo;

	return xfs_fsbno_range_valid(geo, fsbno, 1) &&
	       !xfs_dev_read(g->fs->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), g->block, geo->blocksize) &&
	       xfs_be32(g->block) == XFS_RTRMAPBT_MAGIC && !memcmp(g->block + XFS_OFF(btree_long, uuid), geo->uuid, 16);
}

/* The leaves, from the leftmost one on. */
static bool read_leaves(struct group_guess *g, uint64_t fsbno, unsigned level)
{
	const struct xfs_btree_shape *shape = &xfs_btree_shape_rtrmapbt;
	const uint32_t bs = g->fs->geo.blocksize, most = xfs_btree_maxrecs(shape, true, bs, true);
	bool first = true;

	for (unsigned down = 0; down < XFS_BTREE_MAXLEVELS; down++) {
		if (!read_block(g, fsbno) || xfs_btree_long_get_level((const void *)g->block) + 1u + down != level)
			return false;
		if (!xfs_btree_long_get_level((const void *)g->block))
			break;
		fsbno = xfs_be64(g->block + xfs_btree_ptrs_off(shape, true, bs));
	}
	for (; g->left; g->left--) {
		uint32_t count = xfs_min(xfs_btree_long_get_numrecs((const void *)g->block), most);

		for (uint32_t i = 0; i < count; i++, first = false)
			take_record(g, g->block + xfs_btree_header_len(shape, true) + i * shape->reclen, first);
		fsbno = xfs_be64(g->block + XFS_OFF(btree_long, rightsib));
		if (fsbno == XFS_NULL64)
			return true;
		if (!read_block(g, fsbno) || xfs_btree_long_get_level((const void *)g->block))
			return false;
	}
	return false;
}

/* Where the last owned block of the group ends. */
static bool read_rmap(struct group_guess *g, uint32_t group)
{
	const struct xfs_btree_shape *shape = &xfs_btree_shape_rtrmapbt;
	const uint32_t head = sizeof(struct xfs_bmdr_disk);
	struct xfs_bmdr root;
	const uint8_t *fork;
	xfs_ino_t ino;
	uint32_t size;

	g->used = 0;
	if (!find_file(g, XFS_METAFILE_RTRMAP, group, &ino) ||
	    xfs_inode_read(g->fs, ino, XFS_INODE_NOCHECK, g->ip) || g->ip->d.core.format != XFS_DINODE_FMT_META_BTREE)
		return false;
	size = xfs_dinode_fork_size(3, g->ip->d.core.forkoff, g->fs->geo.inodesize, XFS_FORK_DATA);
	fork = g->ip->raw + xfs_dinode_literal_off(3);
	xfs_bmdr_decode(&root, fork);
	size -= head;
	if (root.level)
		return root.numrecs &&
		       read_leaves(g, xfs_be64(fork + head +
					       xfs_btree_root_maxrecs(shape, size, false) * shape->keylen),
				   root.level);
	for (uint32_t i = 0; i < root.numrecs && i < size / shape->reclen; i++)
		take_record(g, fork + head + i * shape->reclen, !i);
	return true;
}

/* ---- geometry ---- */

struct measures {
	uint64_t *end, *used;		/* of each group: extents, blocks */
	uint32_t n;
	size_t room[2];
	uint64_t most;			/* of the ends */
	bool sure;			/* all files could be read */
};

/* Behind the last group that has a bitmap; each has more files than one, so a larger number is wild. */
static uint32_t groups_said(struct group_guess *g)
{
	uint32_t n = 0;

	for (size_t i = 0; ask_inodes(g) && i < g->nsaid; i++)
		if (g->said[i].metatype == XFS_METAFILE_RTBITMAP && g->said[i].group < g->nsaid)
			n = xfs_max(n, g->said[i].group + 1);
	return n;
}

static int measure(struct group_guess *g, struct measures *m)
{
	uint32_t said = groups_said(g);

	m->sure = true;
	for (;; m->n++) {
		xfs_ino_t bitmap, rmap;
		bool named = find_file(g, XFS_METAFILE_RTBITMAP, m->n, &bitmap);

		if (!named && !find_file(g, XFS_METAFILE_RTRMAP, m->n, &rmap) && m->n >= said)
			return 0;
		if (m->n == UINT32_MAX || xfs_grow(&m->end, m->n, &m->room[0], 32) ||
		    xfs_grow(&m->used, m->n, &m->room[1], 32))
			return -XFS_E_NOMEM;
		m->end[m->n] = 0;
		m->sure &= named && repair_sb_group_end(g->fs, bitmap, &m->end[m->n]);
		m->sure &= read_rmap(g, m->n);
		m->used[m->n] = g->used;
		m->most = xfs_max(m->most, m->end[m->n]);
	}
}

/* Extents of all groups, of so many blocks each: full ones have as many as the largest. */
static bool count_extents(const struct measures *m, uint64_t size, struct xfs_sb *sb)
{
	uint64_t full = 0, last = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		full = xfs_max(full, last);
		last = xfs_max(m->end[i], xfs_ceil_div(m->used[i], size));
	}
	/* one alone may be shorter than a full one would be: nothing tells */
	full = xfs_max(full, last);
	if (full < 2 || full > UINT32_MAX || !last)
		return false;
	sb->rextsize = (uint32_t)size;
	sb->rgcount = m->n;
	sb->rgextents = (uint32_t)full;
	sb->rextents = (m->n - 1) * full + last;
	return true;
}

/*
 * What is not sure must fit the device, which has so many blocks; an unknown size of an extent must, too, and no other
 * size may.
 */
static bool settle(const struct measures *m, uint64_t first, uint64_t device, struct xfs_sb *sb)
{
	struct xfs_sb other = *sb;
	uint64_t size = 0, largest = SURVEY_MOST_EXTENT >> sb->blocklog;

	if (first)
		return first <= UINT32_MAX && count_extents(m, first, sb) &&
		       (m->sure || device / first == sb->rextents);
	for (uint64_t s = 1; m->n > 1 && m->most && s <= xfs_min(device / m->most / (m->n - 1), largest); s++) {
		if (!count_extents(m, s, &other) || device / s != other.rextents)
			continue;
		if (size)
			return false;
		size = s;
	}
	return size && count_extents(m, size, sb);
}

static void take_label(struct repair *r, struct xfs_sb *sb)
{
	uint8_t *p = r->dev.rt ? malloc(sb->blocksize) : NULL;
	const uint8_t *uuid = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID) ? sb->meta_uuid : sb->uuid;
	struct xfs_rtsb own;

	if (!p)
		return;
	if (!xfs_dev_read(r->dev.rt, 0, p, sb->blocksize) && xfs_crc32c_check(p, sb->blocksize, XFS_OFF(rtsb, crc))) {
		xfs_rtsb_decode(&own, p);
		if (own.magicnum == XFS_RTSB_MAGIC && !memcmp(own.meta_uuid, uuid, 16))
			memcpy(sb->fname, own.fname, sizeof(sb->fname));
	}
	free(p);
}

static int set_groups(struct repair *r, struct group_guess *g, struct xfs_sb *sb)
{
	uint64_t device = r->dev.rt ? r->dev.rt->size >> sb->blocklog : 0;
	struct measures m = { 0 };
	int error = measure(g, &m);

	if (!error && !settle(&m, g->first, device, sb))
		error = -XFS_E_BADSB;
	free(m.end);
	free(m.used);
	if (error)
		return error;
	sb->rblocks = device / sb->rextsize == sb->rextents ? device : sb->rextents * sb->rextsize;
	sb->rextslog = (uint8_t)xfs_log2_floor(sb->rextents);
	sb->rgblklog = (uint8_t)xfs_log2_ceil((uint64_t)sb->rgextents * sb->rextsize);
	sb->rbmblocks = (uint32_t)xfs_ceil_div(sb->rgextents, 32 * (uint64_t)xfs_rtbuf_words(sb->blocksize));
	take_label(r, sb);
	return 0;
}

int repair_guess_groups(struct repair *r, struct xfs_sb *sb)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .sb = sb };
	struct group_guess g = { .ip = malloc(sizeof(*g.ip)), .block = malloc(sb->blocksize), .left = sb->dblocks };
	int error = g.ip && g.block ? xfs_fs_open(&g.fs, &r->dev, &options, NULL) : -XFS_E_NOMEM;
	xfs_ino_t ino;

	if (error || sb->rblocks) {
		/* copies of the superblock knew */
	} else if (has_bitmaps(&g)) {
		error = set_groups(r, &g, sb);
	} else if (find_file(&g, XFS_METAFILE_RTRMAP, 0, &ino)) {
		error = -XFS_E_BADSB;		/* zoned: nothing tells where a zone ends */
	} else if (xfs_path_lookup(g.fs, XFS_INO(sb->metadirino), "rtgroups", &ino) && r->dev.rt) {
		error = -XFS_E_BADSB;		/* the device is given, and nothing tells of it */
	}
	if (!error && has_quota(&g))
		sb->versionnum |= XFS_SB_VERSION_QUOTA;		/* no flag says that it is to be on */
	error = error ? error : g.error;
	xfs_fs_close(g.fs);
	free(g.said);
	free(g.ip);
	free(g.block);
	return error;
}
