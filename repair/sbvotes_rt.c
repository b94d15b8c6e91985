/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbvotes_rt.c - what the files of realtime groups say of the geometry in a superblock: how many groups there are, and
 * how many extents a full one has (format sheet 10, sections 3.1, 3.3 and 4.1).
 *
 * A bitmap has no bit behind the last extent of its group, and most groups do not end with a file.
 */
#include "repair/superblock.h"

#include "libxfs/inode/fork.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_GROUPS 64u		/* asked at most */

struct bits {
	struct xfs_fs *fs;
	uint8_t *block;
	uint64_t end;		/* behind the last bit that is set */
	bool odd;		/* a block is none of a bitmap */
};

static int read_bits(void *payload, const struct xfs_extent *e)
{
	const struct xfs_geometry *g = &((struct bits *)payload)->fs->geo;
	uint64_t per = xfs_rtbuf_words(g->blocksize);
	struct bits *b = payload;

	for (uint32_t i = 0; i < e->len && !b->odd; i++) {
		if (xfs_dev_read(b->fs->dev.data, xfs_fsbno_byte(g, XFS_FSBNO(e->block + i)), b->block, g->blocksize) ||
		    xfs_be32(b->block) != XFS_RTBITMAP_MAGIC) {
			b->odd = true;
			break;
		}
		for (uint64_t w = per; w > 0; w--) {
			uint32_t word = xfs_be32(b->block + sizeof(struct xfs_rtbuf_disk) + 4 * (w - 1));

			if (!word)
				continue;
			b->end = xfs_max(b->end, ((e->off + i) * per + w - 1) * 32 + xfs_log2_floor(word) + 1);
			break;
		}
	}
	return 0;
}

bool repair_sb_group_file(struct xfs_fs *fs, const char *kind, uint32_t group, xfs_ino_t *ino)
{
	char path[40];

	snprintf(path, sizeof(path), "rtgroups/%" PRIu32 ".%s", group, kind);
	return !xfs_path_lookup(fs, XFS_INO(fs->geo.sb.metadirino), path, ino);
}

bool repair_sb_group_end(struct xfs_fs *fs, xfs_ino_t bitmap, uint64_t *end)
{
	struct bits b = { .fs = fs, .block = malloc(fs->geo.blocksize) };
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_ifork f;
	bool found;

	found = ip && b.block && !xfs_inode_read(fs, bitmap, XFS_INODE_NOCHECK, ip) &&
		!xfs_ifork_init(&f, ip, XFS_FORK_DATA) && !xfs_ifork_each(&f, read_bits, &b) && !b.odd;
	*end = b.end;
	free(b.block);
	free(ip);
	return found;
}

unsigned repair_sb_group_evidence(struct repair *r, const struct xfs_sb *sb)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .sb = sb };
	unsigned points = 0;
	struct xfs_fs *fs;
	xfs_ino_t ino;
	uint64_t end;

	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR) || xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED) ||
	    !sb->rblocks || xfs_fs_open(&fs, &r->dev, &options, NULL))
		return 0;
	for (uint32_t g = 0; g < sb->rgcount && g < MOST_GROUPS; g++) {
		uint64_t most = g == sb->rgcount - 1 ? sb->rextents - (uint64_t)g * sb->rgextents : sb->rgextents;

		if (repair_sb_group_file(fs, "bitmap", g, &ino) && repair_sb_group_end(fs, ino, &end))
			points += (end <= most) + (end == most);
	}
	points += 2 * !(repair_sb_group_file(fs, "bitmap", sb->rgcount, &ino) && repair_sb_group_end(fs, ino, &end));
	xfs_fs_close(fs);
	return points;
}
