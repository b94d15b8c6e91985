/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbfields.c - what is wrong in superblocks of which the geometry is settled: fields that contradict themselves, bytes
 * behind the last one, secondaries that differ from the primary.
 */
#include "repair/quota.h"
#include "repair/sbcopy.h"
#include "repair/scan.h"
#include "repair/superblock.h"
#include "repair/write.h"

#include <stdlib.h>
#include <string.h>

size_t repair_sb_used(const struct xfs_sb *sb)
{
	if (xfs_sb_is_v5(sb)) {
		if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED))
			return XFS_OFF(sb, rtreserved) + 8;
		if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR))
			return XFS_OFF(sb, rtstart);
		return XFS_OFF(sb, meta_uuid) + (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID) ? 16 : 0);
	}
	if (sb->versionnum & XFS_SB_VERSION_MOREBITS)
		return XFS_OFF(sb, features_compat);
	if (sb->versionnum & XFS_SB_VERSION_LOGV2)
		return XFS_OFF(sb, features2);
	return sb->versionnum & XFS_SB_VERSION_SECTOR ? XFS_OFF(sb, logsunit) : XFS_OFF(sb, logsectlog);
}

bool repair_sb_rest_used(const struct repair *r, uint64_t off, const struct xfs_sb *sb)
{
	uint8_t buf[REPAIR_MAX_SECTOR];

	if (xfs_dev_read(r->dev.data, off, buf, sb->sectsize))
		return false;
	for (size_t i = repair_sb_used(sb); i < sb->sectsize; i++)
		if (buf[i])
			return true;
	return false;
}

/* Bytes behind the fields of this format are zero, and so is the word of flags. */
static const char *odd_rest(struct repair *r, uint64_t off, const struct xfs_sb *sb)
{
	if (repair_sb_rest_used(r, off, sb))
		return "bytes behind the last field are not zero";
	return sb->flags ? "flags are not zero" : NULL;
}

void repair_sb_note_field(struct repair *r, const char *field, uint64_t found, uint64_t expected)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FIELD, "sb");

	f.field = field;
	f.found = found;
	f.expected = expected;
	repair_note(r, &f, true);
	r->sb_changed = true;
}

void repair_sb_clear_number(struct repair *r, const char *field, uint64_t *number, uint64_t none)
{
	if (*number == none)
		return;
	repair_sb_note_field(r, field, *number, none);
	*number = none;
}

static void check_log_features(struct repair *r)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FIELD, "sb");

	if (!(r->primary.features_log_incompat & ~XFS_SB_LOG_INCOMPAT_XATTRS))
		return;
	f.field = "features_log_incompat";
	f.found = r->primary.features_log_incompat;
	repair_note(r, &f, true);
	r->primary.features_log_incompat &= XFS_SB_LOG_INCOMPAT_XATTRS;
	r->sb_changed = true;
}

/* The two copies of features2 hold both what either has, unless one of them has bits that nobody knows. */
static void check_features2(struct repair *r)
{
	static const uint32_t known = XFS_SB_FEAT2_LAZYSBCOUNT | XFS_SB_FEAT2_ATTR2 | XFS_SB_FEAT2_PARENT |
				      XFS_SB_FEAT2_PROJID32 |
			       XFS_SB_FEAT2_CRC | XFS_SB_FEAT2_FTYPE;
	struct xfs_sb *sb = &r->primary;
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FEATURES2, "sb");

	if (sb->features2 == sb->bad_features2)
		return;
	f.found = sb->bad_features2;
	f.expected = sb->features2;
	repair_note(r, &f, true);
	if (sb->features2 & ~known)
		sb->features2 = sb->bad_features2;
	else if (!(sb->bad_features2 & ~known))
		sb->features2 |= sb->bad_features2;
	sb->bad_features2 = sb->features2;
	r->sb_changed = true;
}

void repair_sb_check_fields(struct repair *r)
{
	const char *odd;

	check_log_features(r);
	check_features2(r);
	odd = r->sb_changed ? NULL : odd_rest(r, 0, &r->primary);
	if (odd) {
		repair_sb_note_primary(r, odd);
		r->sb_changed = true;
	}
	r->primary.flags = 0;
	if (r->primary.lsn && (r->primary.lsn == XFS_NULL64 || xfs_lsn_is_wild(r->primary.lsn))) {
		if (!r->sb_changed)
			repair_sb_note_primary(r, "impossible log sequence number");
		r->primary.lsn = 0;
		r->sb_changed = true;
	}
	if (xfs_sb_has_incompat(&r->primary, XFS_SB_INCOMPAT_NEEDSREPAIR)) {
		repair_say(r, r->no_modify ? "would clear needsrepair flag and regenerate metadata"
					   : "clearing needsrepair flag and regenerating metadata");
		r->primary.features_incompat &= ~XFS_SB_INCOMPAT_NEEDSREPAIR;
		r->sb_changed = r->had_needsrepair = true;
	}
}

/*
 * mkfs leaves secondaries "in progress", and those know of no quota files; a copy that the kernel made may. With a
 * metadata directory the flags are among what mkfs is told.
 */
static bool knows_quota(const struct xfs_sb *sb)
{
	bool flags = sb->qflags && !xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR);

	return sb->inprogress && (flags || !repair_quota_none(sb->uquotino) || !repair_quota_none(sb->gquotino) ||
				  (xfs_sb_is_v5(sb) && !repair_quota_none(sb->pquotino)));
}

/* Why the secondary that lies at this byte must be written anew; NULL: it need not. */
static const char *flaw_of(struct repair *r, uint64_t off)
{
	const struct xfs_sb *primary = &r->primary;
	struct repair_sb_copy c;
	const char *odd;

	if (repair_sb_read(r->dev.data, off, &c))
		return c.why;
	if (!repair_sb_same_geometry(primary, &c.sb))
		return "geometry differs from the primary";
	if (!repair_sb_same_words(primary, &c.sb))
		return "feature words differ from the primary";
	if (!repair_sb_same_rest(primary, &c.sb))
		return "fields differ from the primary";
	if (c.sb.inprogress > 1)
		return "impossible flag of mkfs";
	if (knows_quota(&c.sb))
		return "names quota files, as only a primary does";
	odd = odd_rest(r, off, &c.sb);
	return odd ? odd : c.flipped ? c.why : NULL;
}

int repair_sb_judge_secondaries(struct repair *r)
{
	uint64_t step = (uint64_t)r->geo.agblocks * r->geo.blocksize;

	r->secondary_bad = calloc(r->geo.agcount, sizeof(*r->secondary_bad));
	if (!r->secondary_bad)
		return -XFS_E_NOMEM;
	for (uint32_t agno = 1; agno < r->geo.agcount; agno++) {
		struct xfs_finding f = xfs_finding_of(XFS_F_SB_SECONDARY, "sb");
		const char *why = flaw_of(r, step * agno);

		if (!why)
			continue;
		r->secondary_bad[agno] = true;
		f.agno = agno;
		xfs_finding_detail(&f, "%s", why);
		repair_note(r, &f, true);
	}
	return 0;
}
