/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upgrade.c - -c: features that are added to a filesystem (format sheet 06, section 3.3).
 *
 * What needs no new structure is a bit in the superblock.  New trees of the AGs come with the rebuild, from the same
 * claims as in any repair: the bit and needsrepair are durable before the first header names a new tree, so that a run
 * that is cut off is completed by the next one.  Parent pointers come with the names; where room could be short for
 * them, all of it is tried above the device first.  Everything that could stand in the way is checked before.
 */
#include "repair/logrun.h"
#include "repair/options.h"
#include "repair/repair.h"

#include "libxfs/base/fdio.h"
#include "libxfs/log/logsize.h"
#include "libxfs/ondisk/attr.h"

#include <stdlib.h>
#include <unistd.h>

#define TREES (REPAIR_ADD_FINOBT | REPAIR_ADD_REFLINK | REPAIR_ADD_RMAPBT)

static const struct feature {
	enum repair_add bit, needs;
	uint32_t ro_compat, incompat;
	const char *adding, *already, *v4, *lacking;
} features[] = {
	{ REPAIR_ADD_FINOBT, 0, XFS_SB_ROCOMPAT_FINOBT, 0, "Adding free inode btrees to filesystem.",
	  "Filesystem already has free inode btrees.", "Free inode btree feature only supported on V5 filesystems.",
		  NULL },
	{ REPAIR_ADD_INOBTCNT, REPAIR_ADD_FINOBT, XFS_SB_ROCOMPAT_INOBTCNT, 0,
	 "Adding inode btree counts to filesystem.",
	  "Filesystem already has inode btree counts.", "Inode btree count feature only supported on V5 filesystems.",
	  "Inode btree count feature requires free inode btree." },
	{ REPAIR_ADD_BIGTIME, 0, 0, XFS_SB_INCOMPAT_BIGTIME, "Adding large timestamp support to filesystem.",
	  "Filesystem already supports large timestamps.",
		  "Large timestamp feature only supported on V5 filesystems.", NULL },
	{ REPAIR_ADD_NREXT64, 0, 0, XFS_SB_INCOMPAT_NREXT64, "Adding nrext64 to filesystem.",
	  "Filesystem already supports nrext64.", "Nrext64 only supported on V5 filesystems.", NULL },
	{ REPAIR_ADD_REFLINK, 0, XFS_SB_ROCOMPAT_REFLINK, 0, "Adding reflink support to filesystem.",
	  "Filesystem already supports reflink.", "Reflink feature only supported on V5 filesystems.", NULL },
	{ REPAIR_ADD_RMAPBT, 0, XFS_SB_ROCOMPAT_RMAPBT, 0, "Adding reverse mapping btrees to filesystem.",
	  "Filesystem already has reverse mapping btrees.",
		  "Reverse mapping btree feature only supported on V5 filesystems.", NULL },
	{ REPAIR_ADD_EXCHANGE, REPAIR_ADD_REFLINK, 0, XFS_SB_INCOMPAT_EXCHRANGE,
	 "Adding file exchange-range support to filesystem.",
	  "Filesystem already supports exchange-range.",
		  "File exchange-range feature only supported on V5 filesystems.",
	  "File exchange-range feature cannot be added without reflink." },
	{ REPAIR_ADD_PARENT, 0, 0, XFS_SB_INCOMPAT_PARENT, "Adding parent pointers to filesystem.",
	  "Filesystem already has parent pointers.", "Parent pointer feature only supported on V5 filesystems.", NULL },
};

static bool has(const struct xfs_sb *sb, enum repair_add bit)
{
	for (size_t i = 0; i < XFS_ARRAY_SIZE(features); i++)
		if (features[i].bit == bit)
			return (sb->features_ro_compat & features[i].ro_compat) ||
				(sb->features_incompat & features[i].incompat);
	return false;
}

/* STOP: said why there is nothing to do. */
static int add_feature(struct repair *r, const struct feature *f, struct xfs_sb *sb)
{
	if (!xfs_sb_is_v5(sb)) {
		repair_tell(r, "%s", f->v4);
		return -XFS_E_STOP;
	}
	if (has(sb, f->bit)) {
		repair_tell(r, "%s", f->already);
		return -XFS_E_STOP;
	}
	if (f->needs && !has(sb, f->needs)) {
		repair_tell(r, "%s", f->lacking);
		return -XFS_E_STOP;
	}
	if ((f->bit == REPAIR_ADD_REFLINK || f->bit == REPAIR_ADD_RMAPBT) && sb->rblocks) {
		repair_tell(r, "This feature cannot be added to a filesystem with a realtime section.");
		return -XFS_E_UNSUPPORTED;
	}
	repair_tell(r, "%s", f->adding);
	sb->features_ro_compat |= f->ro_compat;
	sb->features_incompat |= f->incompat;
	if (f->bit == REPAIR_ADD_PARENT)	/* they are attributes */
		sb->versionnum |= XFS_SB_VERSION_ATTR;
	return 0;
}

static int set_lazy(struct repair *r, struct xfs_sb *sb)
{
	bool want = r->add & REPAIR_LAZY_ON, v5 = xfs_sb_is_v5(sb);
	bool now = v5 || (sb->versionnum & XFS_SB_VERSION_MOREBITS && sb->features2 & XFS_SB_FEAT2_LAZYSBCOUNT);

	if (!(r->add & (REPAIR_LAZY_ON | REPAIR_LAZY_OFF)))
		return 0;
	if (v5 && !want) {
		repair_tell(r, "Cannot disable lazy-counters on V5 fs");
		return -XFS_E_UNSUPPORTED;
	}
	if (want == now) {
		repair_tell(r, "Lazy-counters are already %s", now ? "enabled" : "disabled");
		return -XFS_E_STOP;
	}
	repair_tell(r, "%s lazy-counters", want ? "Enabling" : "Disabling");
	sb->features2 = want ? sb->features2 | XFS_SB_FEAT2_LAZYSBCOUNT : sb->features2 & ~XFS_SB_FEAT2_LAZYSBCOUNT;
	sb->bad_features2 = sb->features2;
	if (sb->features2)
		sb->versionnum |= XFS_SB_VERSION_MOREBITS;
	else
		sb->versionnum &= (uint16_t)~XFS_SB_VERSION_MOREBITS;
	return 0;
}

/*
 * Where the first inode chunk lies in a fresh filesystem: behind headers, roots, the log when it lies in AG 0, and the
 * shortest free list; aligned.  Others look for the root directory there.
 */
static uint64_t first_chunk(const struct xfs_geometry *geo)
{
	const struct xfs_sb *sb = &geo->sb;
	uint64_t b = xfs_ceil_div(4u * sb->sectsize, sb->blocksize) + 3 + geo->finobt + geo->rmapbt + geo->reflink;

	if (sb->logstart && xfs_fsbno_agno(geo, XFS_FSBNO(sb->logstart)).v == 0)
		b = xfs_fsbno_agbno(geo, XFS_FSBNO(sb->logstart)).v + (uint64_t)sb->logblocks;
	b += xfs_agfl_minimum(geo, 1, 1, 1);
	if (sb->unit && geo->ialloc_align)
		return xfs_round_up(b, sb->unit);
	return sb->versionnum & XFS_SB_VERSION_ALIGN && sb->inoalignmt > 1 ? xfs_round_up(b, sb->inoalignmt) : b;
}

static int check_log(struct repair *r, const struct xfs_geometry *geo)
{
	uint64_t least = xfs_log_minimum(geo, geo->sb.logsunit);

	if (geo->sb.logblocks >= least)
		return 0;
	repair_tell(r, "Filesystem log too small to upgrade filesystem; need %llu blocks, have %u.",
		    (unsigned long long)least,
		    geo->sb.logblocks);
	return -XFS_E_NOSPC;
}

/* A root directory that lies elsewhere already (after a change of the stripe unit) stays there. */
static int check_root(struct repair *r, const struct xfs_geometry *geo)
{
	uint64_t before = first_chunk(&r->geo) << r->geo.inopblog, after = first_chunk(geo) << geo->inopblog;

	if (before == after || r->primary.rootino != before)
		return 0;
	repair_tell(r, "Cannot upgrade filesystem, root inode (%llu) cannot be moved to %llu.",
		    (unsigned long long)r->primary.rootino,
		    (unsigned long long)after);
	return -XFS_E_NOSPC;
}

/* What the kernel reserves for trees at each mount must be free, in every AG. */
static int check_space(struct repair *r, const struct xfs_geometry *geo)
{
	for (uint32_t i = 0; i < geo->agcount; i++) {
		const struct repair_ag *ag = &r->ags[i];
		uint64_t have = (uint64_t)ag->agf.freeblks + ag->agf.flcount;
		uint64_t ask = xfs_ag_reserve_meta(geo, ag->agno) + xfs_ag_reserve_rmap(geo, ag->agno);

		for (unsigned t = XFS_TREE_FINO; t < XFS_TREE_COUNT; t++)	/* these hold part of it already */
			have += ag->tree[t].present ? ag->tree[t].blocks : 0;
		if (have >= ask)
			continue;
		repair_tell(r,
			    "Not enough free space in allocation group %u to upgrade filesystem; "
			    "need %llu blocks, have %llu.", i, (unsigned long long)ask, (unsigned long long)have);
		return -XFS_E_NOSPC;
	}
	return 0;
}

int repair_upgrade_check(struct repair *r)
{
	struct xfs_geometry geo;
	struct xfs_sb sb = r->primary;
	int error = 0;

	if (!r->add)
		return 0;
	error = set_lazy(r, &sb);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(features) && !error; i++) {
		if (!(r->add & features[i].bit))
			continue;
		if (r->had_needsrepair && has(&sb, features[i].bit)) {
			/* who added it may have been cut off: what is missing is a matter of repair */
			repair_tell(r, "%s", features[i].already);
			r->add &= ~(unsigned)features[i].bit;
		} else {
			error = add_feature(r, &features[i], &sb);
		}
	}
	if (error || !r->add)
		return error;
	error = xfs_geometry_init(&geo, &sb, NULL, NULL);
	if (!error)
		error = check_log(r, &geo);
	if (!error && r->add & TREES)
		error = check_root(r, &geo);
	if (!error && r->add & TREES)
		error = check_space(r, &geo);
	r->upgraded = sb;
	return error;
}

/* Of one parent pointer as an attribute, at most: what lies in the block, aligned, and its entry. */
#define POINTER_BYTES (xfs_attr_local_size(XFS_DIR_NAME_MAX, sizeof(struct xfs_parent_rec_disk)) + \
		       sizeof(struct xfs_attr_leaf_ent_disk))
#define BLOCKS_EACH 4u		/* that an attribute fork can grow by besides */
#define TRIAL_SHARE 16u		/* of what claims may take: what a trial changed, before it goes to a file */

/* More than enough is free for attributes of every link, in blocks that are half full, and for new trees of all AGs. */
static bool has_plenty(const struct repair *r)
{
	uint64_t have = 0, links = 0, inodes = 0, trees = 0;

	for (uint32_t i = 0; i < r->geo.agcount; i++) {
		const struct repair_ag *ag = &r->ags[i];

		have += ag->agf.freeblks;
		for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
			trees += ag->tree[t].present ? ag->tree[t].blocks : 0;
		for (size_t k = 0; ag->facts && k < ag->nchunks * XFS_INODES_PER_CHUNK; k++) {
			inodes += ag->facts[k].used;
			links += ag->facts[k].used ? ag->facts[k].nlink : 0;
		}
	}
	return have / 2 > BLOCKS_EACH * inodes + 2 * (links * POINTER_BYTES / r->geo.blocksize) + trees;
}

static size_t facts_size(const struct repair_ag *ag)
{
	return ag->nchunks * XFS_INODES_PER_CHUNK * sizeof(*ag->facts);
}

/* The trial has facts of its own: those of this run go to a file. -1: there is none, and they stay. */
static int lay_aside(struct repair *r)
{
	int fd = xfs_fd_temporary(NULL);
	uint64_t at = 0;

	for (uint32_t i = 0; i < r->geo.agcount && fd >= 0; i++) {
		if (r->ags[i].facts && xfs_fd_write(fd, r->ags[i].facts, facts_size(&r->ags[i]), at)) {
			close(fd);
			fd = -1;
		}
		at += facts_size(&r->ags[i]);
	}
	for (uint32_t i = 0; i < r->geo.agcount && fd >= 0; i++) {
		free(r->ags[i].facts);
		r->ags[i].facts = NULL;
	}
	xfs_buf_forget(r->fs->cache, 0, 0);
	return fd;
}

static int take_back(struct repair *r, int fd)
{
	uint64_t at = 0;
	int error = 0;

	if (fd < 0)
		return 0;
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		struct repair_ag *ag = &r->ags[i];

		if (!ag->nchunks)
			continue;
		ag->facts = malloc(facts_size(ag));
		error = ag->facts ? xfs_fd_read(fd, ag->facts, facts_size(ag), at) : -XFS_E_NOMEM;
		at += facts_size(ag);
	}
	close(fd);
	return error;
}

/*
 * The whole run above the device. Errors: NOSPC, said; NOMEM; IO (temporary file).  What else it meets the real one
 * will tell.
 */
static int try_parents(struct repair *r)
{
	struct repair trial = {
		.trying = true, .no_modify = true, .zero_log = r->zero_log, .no_replay = r->no_replay,
		.force_geometry = true, .leaf_slack = r->leaf_slack, .node_slack = r->node_slack, .memory = r->memory,
		.cache = r->cache, .threads = r->threads, .add = r->add, .no_quota = r->no_quota, .held = r->held,
		.name = r->name
	};
	size_t memory = xfs_min(r->memory / TRIAL_SHARE, REPAIR_SCRATCH);
	int back = 0, error = xfs_dev_scratch(&trial.dev.data, r->dev.data, memory);

	if (!error && r->dev.log)
		error = xfs_dev_scratch(&trial.dev.log, r->dev.log, memory);
	if (!error && r->dev.rt)
		error = xfs_dev_scratch(&trial.dev.rt, r->dev.rt, memory);
	if (!error) {
		int fd = lay_aside(r);

		error = repair_run(&trial);
		repair_release(&trial);
		back = take_back(r, fd);
	}
	xfs_dev_close(trial.dev.rt);
	xfs_dev_close(trial.dev.log);
	xfs_dev_close(trial.dev.data);
	if (error == -XFS_E_NOSPC)
		repair_tell(r, "Not enough free space to add parent pointers to filesystem.");
	if (back)
		return back;
	return error == -XFS_E_NOSPC || error == -XFS_E_NOMEM ? error : 0;
}

bool repair_is_upgrade(const struct repair *r, enum xfs_finding_id id)
{
	return id == XFS_F_PARENT_MISSING && r->add & REPAIR_ADD_PARENT && r->holds.selected;
}

int repair_upgrade(struct repair *r)
{
	int error;

	if (!r->add)
		return 0;
	/* new trees testify for ever to what they were made from */
	if (r->add & (TREES | REPAIR_ADD_PARENT) && (r->findings || r->nlost)) {
		repair_tell(r, "The filesystem must be repaired before this feature can be added; "
			    "run xfs_repair without -c.");
		return -XFS_E_CORRUPT;
	}
	if (r->add & REPAIR_ADD_PARENT && !r->trying && !has_plenty(r)) {
		error = try_parents(r);
		if (error)
			return error;
	}
	r->primary.features_ro_compat = r->upgraded.features_ro_compat;
	r->primary.features_incompat = r->upgraded.features_incompat;
	r->primary.features2 = r->primary.bad_features2 = r->upgraded.features2;
	r->primary.versionnum = r->upgraded.versionnum;
	r->sb_changed = true;
	error = xfs_geometry_init(&r->geo, &r->primary, NULL, NULL);
	if (!error)
		error = xfs_geometry_init(&r->fs->geo, &r->primary, NULL, NULL);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		if (i)
			r->secondary_bad[i] = true;
		if (r->add & TREES)
			r->ags[i].reasons |= REPAIR_TREE;
		else if (r->add & (REPAIR_ADD_INOBTCNT | REPAIR_LAZY_ON | REPAIR_LAZY_OFF))
			r->ags[i].reasons |= REPAIR_COUNTERS;
	}
	return error;
}
