/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * locate.c - finds a superblock to trust (format sheet 06, section 3; sheet 01, section 6).
 *
 * Every copy of the superblock votes with its geometry; the primary is believed when enough copies agree, otherwise the
 * winner's geometry replaces it.  A primary that can't be used is replaced by the best candidate found by scanning.
 * One copy: sbcopy.c; what AG headers and contents say of a superblock: sbvotes.c; the rest of its fields: sbfields.c.
 */
#include "repair/quota.h"
#include "repair/sbcopy.h"
#include "repair/scan.h"
#include "repair/superblock.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_CHUNK (1u << 20)
#define SCAN_START (16u << 20)		/* no AG is smaller, so no secondary lies before this */

static bool is_inside(const struct repair *r, const struct xfs_sb *sb)
{
	return r->dev.data->size / sb->blocksize >= sb->dblocks;
}

/*
 * What the superblock speaks of must be there: neither a cut image nor a boundless number of groups can be worked on.
 */
static bool fits_device(struct repair *r, const struct xfs_sb *sb)
{
	if (is_inside(r, sb))
		return true;
	repair_say(r, "the device ends before the filesystem: %llu of %llu blocks",
		   (unsigned long long)(r->dev.data->size / sb->blocksize), (unsigned long long)sb->dblocks);
	return false;
}

/* What the copies at the places that `base` names say. */
struct vote {
	uint32_t agreeing;		/* secondaries of base's geometry */
	uint32_t best;			/* most votes for one other geometry */
	struct xfs_sb rival;		/* that geometry */
};

static void take_votes(struct repair *r, const struct xfs_sb *base, struct vote *v)
{
	uint64_t step = (uint64_t)base->agblocks * base->blocksize;
	struct repair_sb_copy c;

	memset(v, 0, sizeof(*v));
	for (uint32_t agno = 1; agno < base->agcount; agno++) {
		if (repair_sb_read(r->dev.data, step * agno, &c))
			continue;
		if (repair_sb_same_geometry(base, &c.sb)) {
			v->agreeing++;
		} else if (is_inside(r, &c.sb) && (!v->best || repair_sb_same_geometry(&v->rival, &c.sb))) {
			/* rivals come from one damage as a rule: the first one stands for them */
			v->rival = c.sb;
			v->best++;
		}
	}
}

/* A copy of `from` as a primary: what only a primary knows is kept from the old one when that is believable. */
static void make_primary(struct repair *r, const struct xfs_sb *from, const struct repair_sb_copy *old)
{
	struct xfs_sb sb = *from;

	if (old->readable && old->sb.magicnum == XFS_SB_MAGIC && old->valid) {
		sb.rootino = old->sb.rootino;
		sb.rbmino = old->sb.rbmino;
		sb.rsumino = old->sb.rsumino;
		sb.uquotino = old->sb.uquotino;
		sb.gquotino = old->sb.gquotino;
		sb.pquotino = old->sb.pquotino;
		sb.qflags = old->sb.qflags;
		sb.metadirino = old->sb.metadirino;
		sb.lsn = old->sb.lsn;
	} else {
		/* secondaries do not know whether there are attributes; where there are none the bit does no harm */
		sb.versionnum |= XFS_SB_VERSION_ATTR;
	}
	sb.inprogress = 0;
	r->primary = sb;
	r->sb_changed = true;
}

/* ---- the primary is lost ---- */

struct search {
	struct repair *r;
	const struct repair_sb_copy *old;	/* the primary as it is */
	struct repair_sb_copy lone;		/* a copy whose fields nobody confirms */
	bool alone;				/* there is one */
};

/* A checksum, or another copy that says the same. */
static bool is_confirmed(struct repair *r, const struct xfs_sb *sb)
{
	const uint16_t later = XFS_SB_VERSION_ATTR | XFS_SB_VERSION_QUOTA;
	uint64_t step = (uint64_t)sb->agblocks * sb->blocksize;
	struct repair_sb_copy c;
	unsigned same = 0;

	if (xfs_sb_is_v5(sb) || sb->crc)
		return true;
	for (uint32_t agno = 1; agno < sb->agcount && same < 2; agno++)
		same += !repair_sb_read(r->dev.data, step * agno, &c) && repair_sb_same_geometry(sb, &c.sb) &&
			repair_sb_same_rest(sb, &c.sb) && c.sb.features2 == sb->features2 &&
			!((c.sb.versionnum ^ sb->versionnum) & ~later);
	return same == 2;
}

/* The copy at this place becomes the primary when others confirm its geometry. */
static bool try_copy(struct search *s, uint64_t off)
{
	struct repair *r = s->r;
	struct repair_sb_copy c;
	struct vote v;

	if (repair_sb_read(r->dev.data, off, &c) || off % ((uint64_t)c.sb.agblocks * c.sb.blocksize))
		return false;	/* a copy inside a file or of an older filesystem */
	repair_say(r, "found candidate secondary superblock...");
	if (!fits_device(r, &c.sb))
		return false;
	take_votes(r, &c.sb, &v);
	if ((v.agreeing < c.sb.agcount / 2 || v.agreeing < v.best) && !repair_sb_headers_agree(r, &c.sb)) {
		repair_say(r, "unable to verify superblock, continuing...");
		return false;
	}
	if (!r->looking && !is_confirmed(r, &c.sb)) {
		repair_say(r, "no other copy confirms it, continuing...");
		if (!s->alone)
			s->lone = c;
		s->alone = true;
		return false;
	}
	repair_say(r, "verified secondary superblock...");
	repair_sb_vote_uuid(r, &c.sb);
	make_primary(r, &c.sb, s->old);
	return true;
}

/*
 * The second AG, where the first one's header puts it, or the AG size that mkfs
 * chooses. Reading a whole disk takes hours.
 */
static bool try_likely(struct search *s)
{
	uint64_t size = s->r->dev.data->size, length = repair_sb_first_length(s->r);

	for (uint64_t block = 512; block <= 65536; block *= 2) {
		const uint64_t places[] = { length * block, xfs_ceil_div(size / block, 4) * block,
					    (UINT64_C(1) << 40) - block };

		for (size_t i = 0; i < XFS_ARRAY_SIZE(places); i++)
			if (places[i] && try_copy(s, places[i]))
				return true;
	}
	return false;
}

/* The first superblock found whose geometry its own copies confirm. */
static int scan(struct search *s)
{
	struct xfs_dev *dev = s->r->dev.data;
	uint8_t *buf = malloc(SCAN_CHUNK);
	int error = buf ? -XFS_E_BADSB : -XFS_E_NOMEM;

	for (uint64_t off = SCAN_START; error == -XFS_E_BADSB; off += SCAN_CHUNK) {
		size_t len;

		off = xfs_dev_next_data(dev, off);
		if (off >= dev->size)
			break;
		off &= ~(uint64_t)511;
		len = (size_t)xfs_min(SCAN_CHUNK, dev->size - off) & ~(size_t)511;
		/* unreadable parts come back as zeroes and can't hold the magic */
		xfs_dev_read(dev, off, buf, len);
		for (size_t at = 0; at + 512 <= len && error; at += 512)
			if (xfs_be32(buf + at) == XFS_SB_MAGIC && try_copy(s, off + at))
				error = 0;
	}
	free(buf);
	return error;
}

/* No copy is good: what all else tells, then what is left of copies. */
static int use_the_rest(struct search *s)
{
	struct repair *r = s->r;
	int error = r->looking ? -XFS_E_BADSB : repair_guess_superblock(r);
	struct xfs_sb twin;

	if (error != -XFS_E_BADSB)
		return error;
	if (s->alone) {
		make_primary(r, &s->lone.sb, s->old);
		return 0;
	}
	if (!repair_sb_by_twins(s->old, &twin) || !fits_device(r, &twin))
		return error;
	make_primary(r, &twin, s->old);
	r->primary.versionnum = twin.versionnum;
	return 0;
}

/* The primary can't be used. */
static int search_secondary(struct repair *r, const struct repair_sb_copy *old)
{
	struct search s = { .r = r, .old = old };
	int error;

	repair_say(r, "%s", "");
	repair_say(r, "attempting to find secondary superblock...");
	error = try_likely(&s) ? 0 : scan(&s);
	if (error == -XFS_E_BADSB)
		error = use_the_rest(&s);
	if (error)
		repair_say(r, "Sorry, could not find valid secondary superblock");
	return error;
}

/* ---- the primary is there ---- */

void repair_sb_note_primary(struct repair *r, const char *why)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_PRIMARY, "sb");

	f.agno = 0;
	xfs_finding_detail(&f, "%s", why);
	repair_note(r, &f, true);
}

/* Fields that are not geometry: what more than half of the copies hold against the primary is right; one alone needs
 * other witnesses. */
static void vote_rest(struct repair *r, const struct repair_sb_copy *primary)
{
	uint64_t step = (uint64_t)primary->sb.agblocks * primary->sb.blocksize;
	struct xfs_sb rival = { 0 };
	uint32_t votes = 0;
	struct repair_sb_copy c;

	for (uint32_t agno = 1; agno < primary->sb.agcount; agno++) {
		if (repair_sb_read(r->dev.data, step * agno, &c) || !repair_sb_same_geometry(&primary->sb, &c.sb) ||
		    (repair_sb_same_rest(&primary->sb, &c.sb) && repair_sb_same_features(&primary->sb, &c.sb)) ||
		    (votes && !repair_sb_same_rest(&rival, &c.sb)))
			continue;
		rival = c.sb;
		votes++;
	}
	if (!votes || votes <= (primary->sb.agcount - 1) / 2)
		return;
	if ((votes < 2 || !repair_sb_same_features(&primary->sb, &rival)) &&
	    repair_sb_evidence(r, &rival) <= repair_sb_evidence(r, &primary->sb))
		return;
	repair_sb_note_primary(r, "fields differ from those that most secondaries hold");
	make_primary(r, &rival, primary);
}

/* Nothing else is a copy of it, but metadata has its uuid. */
static void confirm_uuid(struct repair *r, const struct xfs_sb *sb)
{
	repair_sb_vote_uuid(r, &r->primary);
	if (!memcmp(r->primary.uuid, sb->uuid, 16) && !memcmp(r->primary.meta_uuid, sb->meta_uuid, 16) &&
	    r->primary.features_incompat == sb->features_incompat)
		return;
	repair_sb_note_primary(r, "metadata has another uuid");
	r->sb_changed = true;
}

static int confirm_primary(struct repair *r, const struct repair_sb_copy *primary)
{
	const struct xfs_sb *sb = &primary->sb;
	struct vote v;

	r->primary = *sb;
	if (sb->agcount == 1)
		confirm_uuid(r, sb);
	take_votes(r, sb, &v);
	if (v.agreeing >= sb->agcount / 2 && v.agreeing >= v.best) {
		vote_rest(r, primary);
		return 0;
	}
	if (v.best) {
		unsigned mine = repair_sb_evidence(r, sb), theirs = repair_sb_evidence(r, &v.rival);

		if (theirs > mine) {
			repair_sb_note_primary(r, "differs from a secondary that the rest of the filesystem confirms");
			make_primary(r, &v.rival, primary);
		}
		if (theirs != mine)
			return 0;
	}
	if (sb->agcount == 1) {
		if (r->force_geometry)
			return 0;
		repair_say(r, "Only one AG detected - cannot validate filesystem geometry.");
		repair_say(r, "Use the -o force_geometry option to proceed.");
		return -XFS_E_BADSB;
	}
	if (v.best > v.agreeing && v.best >= sb->agcount / 2 && sb->agcount > 2) {
		repair_sb_note_primary(r, "differs from the geometry that most secondaries hold");
		make_primary(r, &v.rival, primary);
		return 0;
	}
	if (sb->agcount == 2 && v.best && !r->force_geometry) {
		repair_say(r, "Only two AGs detected and they do not match - cannot validate filesystem geometry.");
		repair_say(r, "Use the -o force_geometry option to proceed.");
		return -XFS_E_BADSB;
	}
	/* no secondary where they should be: when the headers contradict the primary, it is wrong about the place */
	if (!v.best && !v.agreeing && repair_sb_headers_deny(r, sb) && !search_secondary(r, primary)) {
		repair_sb_note_primary(r, "the headers of its first group have another length");
		return 0;
	}
	/*
	 * Secondaries are lost, nothing contradicts the primary, and its own checksum is good: on V5 that is a better
	 * witness than any number of missing ones.  Without a checksum the AG headers decide, or the user.
	 */
	if (!v.best && (xfs_sb_is_v5(sb) || r->force_geometry))
		return 0;
	if (v.best <= v.agreeing && repair_sb_headers_agree(r, sb))
		return 0;
	/* two that nothing tells apart, and the user says to go on: the primary is what is mounted */
	if (sb->agcount == 2 && r->force_geometry)
		return 0;
	repair_say(r, "Not enough matching superblocks - cannot proceed.");
	return -XFS_E_BADSB;
}

/* Features that this program does not know, and another copy knows them, too: no damage. */
static bool is_newer(struct repair *r, const struct xfs_sb *sb)
{
	struct repair_sb_copy c;

	if (!xfs_sb_is_v5(sb))
		return false;
	if (sb->agcount > 1) {
		repair_sb_read(r->dev.data, (uint64_t)sb->agblocks * sb->blocksize, &c);
		if (!c.readable || c.sb.magicnum != XFS_SB_MAGIC || xfs_sb_version(&c.sb) != xfs_sb_version(sb) ||
		    !repair_sb_same_words(&c.sb, sb))
			return false;
	}
	repair_say(r, "Superblock has unknown compat/rocompat/incompat features (0x%x/0x%x/0x%x).", sb->features_compat,
		   sb->features_ro_compat & ~XFS_SB_ROCOMPAT_KNOWN, sb->features_incompat & ~XFS_SB_INCOMPAT_KNOWN);
	repair_say(r, "Using a more recent xfs_repair is recommended.");
	repair_say(r, "Found unsupported filesystem features.  Exiting now.");
	return true;
}

int repair_locate(struct repair *r)
{
	struct repair_sb_copy primary;
	const char *why = NULL;
	int error = repair_sb_read(r->dev.data, 0, &primary);

	if (!error && primary.sb.inprogress) {
		primary.valid = false;
		primary.why = "filesystem mkfs-in-progress bit set";
		error = -XFS_E_BADSB;
	}
	if (!error && !fits_device(r, &primary.sb)) {
		primary.valid = false;
		primary.why = "attempted to perform I/O beyond EOF";
		error = -XFS_E_SHORT;
	}
	if (error == -XFS_E_NOMEM || (error == -XFS_E_UNSUPPORTED && is_newer(r, &primary.sb)))
		return error;
	if (error) {
		repair_say(r, "bad primary superblock - %s !!!", primary.why);
		error = search_secondary(r, &primary);
		if (error)
			return error;
		repair_sb_note_primary(r, primary.why);
	} else {
		error = confirm_primary(r, &primary);
		if (error)
			return error;
		if (primary.flipped) {
			repair_sb_note_primary(r, primary.why);
			r->sb_changed = true;
		}
	}
	repair_sb_check_fields(r);
	error = xfs_geometry_init(&r->geo, &r->primary, NULL, &why);
	if (error)
		return error;
	repair_settle_specials(r);
	repair_quota_numbers(r);
	r->geo.sb = r->primary;
	return repair_sb_judge_secondaries(r);
}
