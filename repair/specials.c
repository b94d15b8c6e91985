/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * specials.c - the inodes that the superblock names: root directory, realtime bitmap and summary, metadata root (format
 * sheet 06, section 2.4).
 *
 * Secondaries often do not know them, and a damaged number would make any directory the root.  Where a number does not
 * lead to what it should, it becomes the one that mkfs gives.
 */
#include "repair/forks.h"
#include "repair/realtime.h"
#include "repair/superblock.h"

#include "libxfs/name/dirdata.h"

#include <inttypes.h>
#include <stdlib.h>

static bool read_core(struct repair *r, uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	if (!xfs_ino_valid(&r->geo, XFS_INO(ino)) ||
	    xfs_dev_read(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), image, r->geo.inodesize))
		return false;
	xfs_dinode_decode(d, image);
	return d->core.magic == XFS_DINODE_MAGIC && (!r->geo.v5 || d->v3.inumber == ino);
}

/* ".." of a directory as its first bytes have it; 0: not to be had. */
static uint64_t parent_of(struct repair *r, const struct xfs_dinode *d, const uint8_t *image)
{
	const uint8_t *fork = image + xfs_dinode_literal_off((unsigned)d->core.version);
	uint32_t at = xfs_dir_data_header_len(r->geo.v5) + xfs_dir_data_entsize(r->geo.ftype, 1);	/* behind "." */
	struct xfs_bmbt_rec rec;
	struct xfs_dir_item item;
	struct xfs_dir_sf sf;
	uint8_t p[128];

	if (d->core.format == XFS_DINODE_FMT_LOCAL)
		return xfs_dir_sf_start(&sf, fork, repair_fork_size(r, d, XFS_FORK_DATA)) ? 0 : sf.parent;
	if (d->core.format != XFS_DINODE_FMT_EXTENTS || !xfs_dinode_nextents(d, XFS_FORK_DATA))
		return 0;
	xfs_bmbt_rec_decode(&rec, fork);
	if (rec.startoff || !xfs_fsbno_range_valid(&r->geo, rec.startblock, 1) ||
	    xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(rec.startblock)), p, sizeof(p)) ||
	    xfs_dir_data_next(&r->geo, p, sizeof(p), &at, &item) != 1 || !item.used || !xfs_dir_is_dotdot(&item))
		return 0;
	return item.ino;
}

static bool is_root(struct repair *r, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	return read_core(r, ino, image, &d) && (d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR &&
	       !xfs_dinode_is_metadata(&d) && parent_of(r, &d, image) == ino;
}

/* Its flag tells the bitmap, its size the summary; nobody else has a file of that number of blocks without a name. */
static bool is_bitmap(struct repair *r, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	return read_core(r, ino, image, &d) && (d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG &&
	       d.core.flags & XFS_DIFLAG_NEWRTBM;
}

static bool is_summary(struct repair *r, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct repair_rt_shape shape;
	struct xfs_dinode d;

	return read_core(r, ino, image, &d) && (d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG && !d.core.uid &&
	       !d.core.forkoff && d.core.size == (repair_rt_shape(r, &shape) ? shape.summary << r->geo.blocklog : 0);
}

static bool is_metadata(struct repair *r, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	return read_core(r, ino, image, &d) && xfs_dinode_is_metadata(&d) &&
	       (d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR;
}

static void settle(struct repair *r, const char *name, const char *field, uint64_t *number, uint64_t expected,
		   bool (*fits)(struct repair *, uint64_t))
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FIELD, "sb");
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	/*
	 * any directory may be its own parent by damage; where mkfs puts the others there is nothing like them but them
	 */
	if (*number == expected || (fits(r, *number) && (fits == is_root || !fits(r, expected))))
		return;
	/*
	 * nothing speaks against it but that it was wiped, or a root damaged: it is made anew
	 * there (stripes and versions of mkfs move it away from the usual place)
	 */
	if (xfs_ino_valid(&r->geo, XFS_INO(*number)) && !fits(r, expected) &&
	    (fits == is_root || !read_core(r, *number, image, &d)))
		return;
	f.field = field;
	f.found = *number;
	f.expected = expected;
	repair_say(r, "sb %s inode value %" PRIu64 " %sinconsistent with calculated value %" PRIu64, name, *number,
		   *number == XFS_NULL64 ? "(NULLFSINO) " : "", expected);
	repair_say(r, "%s superblock %s inode pointer to %" PRIu64, r->no_modify ? "would reset" : "resetting", name,
		   expected);
	/* a primary that comes from a secondary does not know them: that was said */
	if (*number != XFS_NULL64 || !r->sb_changed)
		repair_note(r, &f, true);
	*number = expected;
	r->sb_changed = true;
}

void repair_settle_specials(struct repair *r)
{
	struct xfs_sb *sb = &r->primary;
	uint64_t expected = repair_expected_root(&r->geo);

	if (!xfs_ino_valid(&r->geo, XFS_INO(expected)))
		return;
	settle(r, "root", "rootino", &sb->rootino, expected, is_root);
	if (r->geo.metadir) {
		settle(r, "metadata root directory", "metadirino", &sb->metadirino, sb->rootino + 1, is_metadata);
		/* files of a metadata directory are found by their names */
		repair_sb_clear_number(r, "rbmino", &sb->rbmino, 0);
		repair_sb_clear_number(r, "rsumino", &sb->rsumino, 0);
		return;
	}
	settle(r, "realtime bitmap", "rbmino", &sb->rbmino, sb->rootino + 1, is_bitmap);
	settle(r, "realtime summary", "rsumino", &sb->rsumino, sb->rootino + 2, is_summary);
}
