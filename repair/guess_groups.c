/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess_groups.c - the geometry of realtime groups from the files of the metadata directory (format sheet 10, sections
 * 3.1, 3.3, 4.1).
 *
 * Every extent of a group is free in its bitmap or owned in its reverse mappings, so the last one of either kind ends
 * it; the first record of group 0, that of the realtime superblock, is one extent long.  The label stands in that
 * superblock, too.
 */
#include "repair/superblock.h"
#include "repair/survey.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/inode/fork.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct group_guess {
	struct xfs_fs *fs;
	struct xfs_inode *ip;
	uint8_t *block;
	uint64_t first;			/* length of the first record of group 0 */
	uint64_t used;			/* behind the last block that is owned in the group */
	uint64_t left;			/* leaves that all trees together may still have: damaged links go in circles */
};

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
	char path[40];
	xfs_ino_t ino;
	uint32_t size;

	g->used = 0;
	snprintf(path, sizeof(path), "rtgroups/%" PRIu32 ".rmap", group);
	if (xfs_path_lookup(g->fs, XFS_INO(g->fs->geo.sb.metadirino), path, &ino) ||
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

/* Extents of all groups: full ones have as many as the largest. */
static bool measure(struct group_guess *g, struct xfs_sb *sb)
{
	uint64_t end, full = 0, last = 0;

	if (!read_rmap(g, 0) || !g->first || g->first > UINT32_MAX)
		return false;
	sb->rextsize = (uint32_t)g->first;
	for (sb->rgcount = 0; repair_sb_group_end(g->fs, sb->rgcount, &end); sb->rgcount++) {
		if (!read_rmap(g, sb->rgcount))
			return false;
		full = xfs_max(full, last);
		last = xfs_max(end, xfs_ceil_div(g->used, g->first));
	}
	/* one alone may be shorter than a full one would be: nothing tells */
	full = xfs_max(full, last);
	if (full < 2 || full > UINT32_MAX || !last)
		return false;
	sb->rgextents = (uint32_t)full;
	sb->rextents = (sb->rgcount - 1) * full + last;
	return true;
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

/* True: there is a file of group 0 of this kind. */
static bool has_file(struct group_guess *g, const char *kind)
{
	char path[40];
	xfs_ino_t ino;

	snprintf(path, sizeof(path), "rtgroups/0.%s", kind);
	return !xfs_path_lookup(g->fs, XFS_INO(g->fs->geo.sb.metadirino), path, &ino);
}

static void set_groups(struct repair *r, struct xfs_sb *sb)
{
	uint64_t device = r->dev.rt ? r->dev.rt->size >> sb->blocklog : 0;

	sb->rblocks = device / sb->rextsize == sb->rextents ? device : sb->rextents * sb->rextsize;
	sb->rextslog = (uint8_t)xfs_log2_floor(sb->rextents);
	sb->rgblklog = (uint8_t)xfs_log2_ceil((uint64_t)sb->rgextents * sb->rextsize);
	sb->rbmblocks = (uint32_t)xfs_ceil_div(sb->rgextents, 32 * (uint64_t)xfs_rtbuf_words(sb->blocksize));
	take_label(r, sb);
}

int repair_guess_groups(struct repair *r, struct xfs_sb *sb)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .sb = sb };
	struct group_guess g = { .ip = malloc(sizeof(*g.ip)), .block = malloc(sb->blocksize), .left = sb->dblocks };
	int error = g.ip && g.block ? xfs_fs_open(&g.fs, &r->dev, &options, NULL) : -XFS_E_NOMEM;
	xfs_ino_t ino;

	if (!error && has_file(&g, "bitmap")) {
		error = measure(&g, sb) ? 0 : -XFS_E_BADSB;
		if (!error)
			set_groups(r, sb);
	} else if (!error && has_file(&g, "rmap")) {
		error = -XFS_E_BADSB;		/* zoned: nothing tells where a zone ends */
	} else if (!error && xfs_path_lookup(g.fs, XFS_INO(sb->metadirino), "rtgroups", &ino) && r->dev.rt) {
		error = -XFS_E_BADSB;		/* the device is given, and nothing tells of it */
	}
	if (!error && !xfs_path_lookup(g.fs, XFS_INO(sb->metadirino), "quota", &ino))
		sb->versionnum |= XFS_SB_VERSION_QUOTA;		/* no flag says that it is to be on */
	xfs_fs_close(g.fs);
	free(g.ip);
	free(g.block);
	return error;
}
