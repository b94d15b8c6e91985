/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota_numbers.c - the quota files that the superblock names (format sheet 10, section 7.1).
 *
 * They have no names, and secondaries do not know their numbers: their blocks tell them. Most were made at the first
 * mount and lie behind the other files of the superblock.
 */
#include "repair/quota.h"
#include "repair/superblock.h"

#include "libxfs/ondisk/dquot.h"

#include <string.h>

#define KINDS 3u

static const char *const names[KINDS] = { "uquotino", "gquotino", "pquotino" };

static uint64_t *number_of(struct xfs_sb *sb, unsigned kind)
{
	return kind == 0 ? &sb->uquotino : kind == 1 ? &sb->gquotino : &sb->pquotino;
}

enum { NO_QUOTA_FILE = -2, ANY_QUOTA_FILE = -1 };	/* else which number it is: an index of names */

static bool has_bit(const struct xfs_sb *sb)
{
	return sb->versionnum & XFS_SB_VERSION_QUOTA;
}

/* Which of the numbers names the file of a record; V4 has one for groups or projects. */
static int kind_of(const struct xfs_sb *sb, unsigned type)
{
	switch (type & (XFS_DQTYPE_USER | XFS_DQTYPE_GROUP | XFS_DQTYPE_PROJ)) {
	case XFS_DQTYPE_USER: return 0;
	case XFS_DQTYPE_GROUP: return 1;
	case XFS_DQTYPE_PROJ: return xfs_sb_is_v5(sb) ? 2 : 1;
	default: return NO_QUOTA_FILE;
	}
}

/* What the file of this number is: its first record tells, in whatever block that is. */
static int look_at(struct repair *r, const struct xfs_geometry *geo, const struct xfs_sb *sb, uint64_t ino)
{
	uint8_t image[XFS_DINODE_MAX_SIZE], p[8];
	struct xfs_bmbt_rec rec;
	struct xfs_dinode d;

	if (!xfs_ino_valid(geo, XFS_INO(ino)) ||
	    xfs_dev_read(r->dev.data, xfs_ino_byte(geo, XFS_INO(ino)), image, geo->inodesize))
		return NO_QUOTA_FILE;
	xfs_dinode_decode(&d, image);
	if (d.core.magic != XFS_DINODE_MAGIC || (d.core.mode & XFS_MODE_FMT) != XFS_MODE_REG || d.core.size)
		return NO_QUOTA_FILE;
	if (d.core.format == XFS_DINODE_FMT_BTREE)
		return ANY_QUOTA_FILE;
	if (d.core.format != XFS_DINODE_FMT_EXTENTS)
		return NO_QUOTA_FILE;
	if (!xfs_dinode_nextents(&d, XFS_FORK_DATA))
		return ANY_QUOTA_FILE;
	xfs_bmbt_rec_decode(&rec, image + xfs_dinode_literal_off((unsigned)d.core.version));
	if (!xfs_fsbno_range_valid(geo, rec.startblock, 1) ||
	    xfs_dev_read(r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(rec.startblock)), p, sizeof(p)) ||
	    xfs_be16(p) != XFS_DQUOT_MAGIC || p[XFS_OFF(dquot, version)] != XFS_DQUOT_VERSION)
		return NO_QUOTA_FILE;
	return kind_of(sb, p[XFS_OFF(dquot, type)]);
}

void repair_quota_find(struct repair *r, const struct xfs_geometry *geo, struct xfs_sb *sb)
{

	for (uint64_t ino = sb->rootino + 3; ino < sb->rootino + XFS_INODES_PER_CHUNK; ino++) {
		int kind = look_at(r, geo, sb, ino);

		if (kind < 0 || !repair_quota_none(*number_of(sb, (unsigned)kind)))
			continue;
		*number_of(sb, (unsigned)kind) = ino;
		sb->versionnum |= XFS_SB_VERSION_QUOTA;	/* counted at the next mount: no flag says that it was */
	}
}

/* Files have names there, and no number in the superblock. */
static void settle_metadir(struct repair *r)
{
	struct xfs_sb *sb = &r->primary;

	for (unsigned i = 0; i < KINDS; i++)
		repair_sb_clear_number(r, names[i], number_of(sb, i), 0);
	if (sb->qflags && !has_bit(sb)) {
		repair_sb_note_field(r, "versionnum", sb->versionnum, sb->versionnum | XFS_SB_VERSION_QUOTA);
		sb->versionnum |= XFS_SB_VERSION_QUOTA;
	}
}

/* No inode, or one that another field of the superblock names. */
static bool is_wrong(const struct repair *r, struct xfs_sb *sb, unsigned i)
{
	uint64_t ino = *number_of(sb, i);
	bool wrong = ino == sb->rootino || ino == sb->rbmino || ino == sb->rsumino ||
		     !xfs_ino_valid(&r->geo, XFS_INO(ino));

	for (unsigned k = 0; k < i; k++)
		wrong |= *number_of(sb, k) == ino;
	return wrong && !repair_quota_none(ino);
}

/*
 * Numbers as they are to be, in `sb`: what does not lead to such a file gives way to a file that is one. All of them
 * are looked for when the superblock was damaged, or when one that flags speak of is missing.
 */
static void find_files(struct repair *r, struct xfs_sb *sb, unsigned kinds)
{
	static const uint16_t flags[KINDS] = { XFS_SB_QUOTA_USER, XFS_SB_QUOTA_GROUP, XFS_SB_QUOTA_PROJECT };
	/* a run that was cut off has named them */
	bool look = r->sb_changed && !r->had_needsrepair, any = false;
	struct xfs_sb found;

	for (unsigned i = 0; i < kinds; i++) {
		uint64_t ino = *number_of(sb, i);
		int kind = repair_quota_none(ino) ? NO_QUOTA_FILE : look_at(r, &r->geo, sb, ino);

		look |= kind != (int)i && (!repair_quota_none(ino) || sb->qflags & flags[i]);
		any |= kind == (int)i;
	}
	found = *sb;
	if (look) {
		for (unsigned i = 0; i < kinds; i++)
			*number_of(&found, i) = XFS_NULL64;
		repair_quota_find(r, &r->geo, &found);
	}
	sb->versionnum |= (any ? XFS_SB_VERSION_QUOTA : 0) | (found.versionnum & XFS_SB_VERSION_QUOTA);
	for (unsigned i = 0; look && i < kinds; i++) {
		uint64_t other = *number_of(&found, i), *number = number_of(sb, i);

		if (!repair_quota_none(other) && look_at(r, &r->geo, sb, *number) != (int)i)
			*number = other;
	}
}

/* Takes over what is found, and tells of it. */
static void settle_found(struct repair *r, unsigned kinds)
{
	struct xfs_sb *sb = &r->primary, found = *sb;

	find_files(r, &found, kinds);
	for (unsigned i = 0; i < kinds; i++)
		repair_sb_clear_number(r, names[i], number_of(sb, i), *number_of(&found, i));
	if (has_bit(&found) && !has_bit(sb)) {
		repair_sb_note_field(r, "versionnum", sb->versionnum, found.versionnum);
		sb->versionnum = found.versionnum;
	}
}

void repair_quota_numbers(struct repair *r)
{
	struct xfs_sb *sb = &r->primary;
	unsigned kinds = 2u + xfs_sb_is_v5(sb);
	bool any = false;

	if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR)) {
		settle_metadir(r);
		return;
	}
	settle_found(r, kinds);
	for (unsigned i = 0; i < kinds; i++) {
		if (has_bit(sb) ? is_wrong(r, sb, i) : *number_of(sb, i) != 0)
			repair_sb_clear_number(r, names[i], number_of(sb, i), XFS_NULL64);
		any |= !repair_quota_none(*number_of(sb, i));
	}
	if (any || !has_bit(sb))
		return;
	repair_say(r, "Warning:  no quota inodes were found.  Quotas %sdisabled.", r->no_modify ? "would be " : "");
	repair_sb_note_field(r, "qflags", sb->qflags, 0);
	sb->qflags = 0;
	sb->versionnum &= (uint16_t)~XFS_SB_VERSION_QUOTA;
}
