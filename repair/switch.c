/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * switch.c - stage 0 (needsrepair) and stage 2 (pointers) of a repair: headers, inodes, superblocks.
 *
 * Order and barriers make every stop harmless: before stage 2 nothing points to what stage 1 wrote; in stage 2 each
 * sector goes from one consistent state to another, and needsrepair keeps the filesystem from being mounted in between.
 */
#include "repair/evidence.h"
#include "repair/flips.h"
#include "repair/quota.h"
#include "repair/realtime.h"
#include "repair/rebuild.h"
#include "repair/scan.h"
#include "repair/superblock.h"
#include "repair/write.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

/* Sector of a superblock copy: everything behind the fields of this format is zero. */
static int write_sb(struct repair *r, xfs_agno_t agno, const struct xfs_sb *sb)
{
	uint8_t *sector = calloc(1, r->geo.sectsize);
	size_t used = repair_sb_used(sb);
	int error;

	if (!sector)
		return -XFS_E_NOMEM;
	xfs_sb_encode(sector, sb);
	memset(sector + used, 0, r->geo.sectsize - used);
	if (r->geo.v5)
		xfs_crc32c_store(sector, r->geo.sectsize, XFS_SB_CRC_OFF);
	error = xfs_dev_write(r->dev.data, xfs_ag_header_daddr(&r->geo, agno, 0).v * XFS_BBSIZE, sector,
			      r->geo.sectsize);
	free(sector);
	return error;
}

int repair_write_primary(struct repair *r, bool needsrepair)
{
	struct xfs_sb sb = r->primary;

	if (needsrepair && r->geo.v5)
		sb.features_incompat |= XFS_SB_INCOMPAT_NEEDSREPAIR;
	return write_sb(r, XFS_AGNO(0), &sb);
}

int repair_begin_writing(struct repair *r)
{
	int error;

	if (r->writing)
		return 0;
	r->writing = true;
	if (r->geo.v5) {
		error = repair_write_primary(r, true);
		if (!error)
			error = xfs_dev_barrier(r->dev.data);
		if (error)
			return error;
	}
	/* before anything changes that a replay could meet */
	error = r->zero_log ? repair_clear_log(r) : 0;
	return error ? error : repair_write_flips(r);
}

/* Secondaries know nothing of counters and say that they are not the primary (format sheet 01, section 6). */
static int write_secondary(struct repair *r, uint32_t agno)
{
	struct xfs_sb sb = r->primary;

	sb.inprogress = 1;
	sb.icount = sb.ifree = sb.fdblocks = sb.frextents = 0;
	sb.uquotino = sb.gquotino = sb.pquotino = 0;
	sb.qflags = 0;
	sb.lsn = 0;
	return write_sb(r, XFS_AGNO(agno), &sb);
}

int repair_write_secondaries(struct repair *r)
{
	int error = 0;

	for (uint32_t i = 1; i < r->geo.agcount && !error; i++)
		if (r->secondary_bad[i])
			error = write_secondary(r, i);
	return error;
}

static uint32_t tree_blocks(const struct repair_ag *ag, enum xfs_build_tree t)
{
	return (uint32_t)ag->tree[t].blocks;
}

/* An AG whose trees are sound but whose counters are off: the headers alone are written. */
static int write_counters(struct repair *r, struct repair_ag *ag)
{
	uint32_t ss = r->geo.sectsize;
	uint64_t off = xfs_ag_header_daddr(&r->geo, ag->agno, 1).v * XFS_BBSIZE;
	uint8_t *buf = malloc(2 * (size_t)ss);
	struct xfs_agf_disk *agf = (void *)buf;
	struct xfs_agi_disk *agi;
	int error = buf ? xfs_dev_read(r->dev.data, off, buf, 2 * (size_t)ss) : -XFS_E_NOMEM;

	if (error)
		goto out;
	agi = (void *)(buf + ss);
	xfs_agf_set_freeblks(agf, (uint32_t)ag->freeblks);
	xfs_agf_set_longest(agf, ag->longest);
	if (r->geo.lazycount)
		xfs_agf_set_btreeblks(agf, (uint32_t)ag->btreeblks);
	if (r->geo.rmapbt)
		xfs_agf_set_rmapblocks(agf, tree_blocks(ag, XFS_TREE_RMAP));
	if (r->geo.reflink)
		xfs_agf_set_refcntblocks(agf, tree_blocks(ag, XFS_TREE_REFC));
	xfs_agi_set_count(agi, (uint32_t)ag->icount);
	xfs_agi_set_freecount(agi, (uint32_t)ag->ifree);
	for (unsigned i = 0; i < XFS_AGI_BUCKETS; i++)
		xfs_put_be32(buf + ss + XFS_AGI_UNLINKED_OFF + 4 * (size_t)i, XFS_NULL32);
	if (r->geo.inobtcnt) {
		xfs_agi_set_ino_blocks(agi, tree_blocks(ag, XFS_TREE_INO));
		xfs_agi_set_fino_blocks(agi, r->geo.finobt ? tree_blocks(ag, XFS_TREE_FINO) : 0);
	}
	if (r->geo.v5) {
		xfs_crc32c_store(buf, ss, XFS_OFF(agf, crc));
		xfs_crc32c_store(buf + ss, ss, XFS_OFF(agi, crc));
	}
	error = xfs_dev_write(r->dev.data, off, buf, 2 * (size_t)ss);
out:
	free(buf);
	return error;
}

static int write_some_inodes(struct repair *r, bool last, size_t *left)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	int error = 0;

	*left = 0;
	for (size_t i = 0; i < r->ninodes && !error; i++) {
		const struct repair_inode *c = &r->inodes[i];

		if (c->last != last) {
			++*left;
			continue;
		}
		repair_copy_image(r, c, image);
		error = xfs_dev_write(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(c->ino)), image, r->geo.inodesize);
	}
	return error;
}

/*
 * A directory that is new comes last: a name that leads to a free inode says that this was cut off, a directory without
 * a name could be anything.
 */
static int write_inodes(struct repair *r)
{
	size_t left;
	int error = write_some_inodes(r, false, &left);

	if (!error && r->fill)
		error = repair_fill_write(r);
	if (error || !left)
		return error;
	error = xfs_dev_barrier(r->dev.data);
	return error ? error : write_some_inodes(r, true, &left);
}

static void check_counter(struct repair *r, const char *field, uint64_t *value, uint64_t expected)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_COUNTER, "sb");

	if (*value == expected)
		return;
	f.field = field;
	f.found = *value;
	f.expected = expected;
	/* counters that follow from other repairs of this run are no findings of their own */
	if (!r->rebuilt_any)
		repair_note(r, &f, true);
	if (r->holds.space || (!r->rebuilt_any && repair_is_held(r, f.id)))
		return;
	*value = expected;
	r->sb_changed = true;
}

static int sum_counters(struct repair *r)
{
	uint64_t icount = 0, ifree = 0, fdblocks = 0, frextents = 0;
	bool realtime;
	int error = repair_rt_free(r, &frextents, &realtime);

	for (uint32_t i = 0; i < r->geo.agcount; i++) {
		const struct repair_ag *ag = &r->ags[i];

		icount += ag->icount;
		ifree += ag->ifree;
		fdblocks += ag->freeblks + ag->flcount + ag->btreeblks;	/* whether agf_btreeblks counts them or not */
	}
	check_counter(r, "icount", &r->primary.icount, icount);
	check_counter(r, "ifree", &r->primary.ifree, ifree);
	check_counter(r, "fdblocks", &r->primary.fdblocks, fdblocks);
	if (realtime)
		check_counter(r, "frextents", &r->primary.frextents, frextents);
	return error;
}

/* True when anything is written besides what the rebuild wrote. */
static bool anything_to_write(const struct repair *r)
{
	for (uint32_t i = 0; i < r->geo.agcount; i++)
		if (r->ags[i].rebuilt || r->ags[i].reasons || r->secondary_bad[i])
			return true;
	return r->sb_changed || r->ninodes || r->fill || r->flips.n || r->zero_log;
}

static void doubt_quota(struct repair *r)
{
	if (!r->holds.all)
		r->sb_changed |= repair_doubt_quota(r);
}

int repair_switch_over(struct repair *r)
{
	int error = r->switched ? 0 : sum_counters(r);

	if (error || r->switched)
		return error;
	if (!r->looking && r->no_quota)
		doubt_quota(r);
	if (r->looking || !anything_to_write(r))
		return 0;
	/* who owns which blocks may have changed */
	if (r->rebuilt_any || r->ninodes || r->fill)
		doubt_quota(r);
	repair_merge_changed(r);
	error = repair_begin_writing(r);
	if (!error)	/* stage 1 ends: what the rebuild wrote is durable */
		error = xfs_dev_barrier(r->dev.data);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		struct repair_ag *ag = &r->ags[i];

		if (ag->rebuilt)
			error = xfs_build_ag_commit(&ag->build, &ag->sw);
		else if (ag->reasons & REPAIR_COUNTERS)
			error = write_counters(r, ag);
	}
	if (!error)
		error = repair_write_secondaries(r);
	if (!error)
		error = write_inodes(r);
	if (!error)
		error = repair_write_primary(r, true);
	r->fixed_something = true;
	return error ? error : xfs_dev_barrier(r->dev.data);
}
