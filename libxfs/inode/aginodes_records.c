/* SPDX-License-Identifier: BSD-2-Clause */
/* aginodes_records.c - records of the inode trees: found and changed in both (format sheet 02, section 2.2). */
#include "libxfs/inode/aginodes.h"

#define STEPS 10u		/* chunks that are looked at on each side where there is no finobt */

static void encode(const struct xfs_geometry *g, void *disk, const struct xfs_inobt_rec *r)
{
	memset(disk, 0, sizeof(struct xfs_inobt_rec_disk));
	xfs_inobt_rec_encode(disk, r);
	if (!g->sparse)
		xfs_inobt_rec_set_freecount32(disk, r->freecount);
}

static int load(const struct xfs_aginodes *ag, const void *disk, struct xfs_inobt_rec *out)
{
	xfs_inobt_load(&ag->fs->geo, out, disk);
	return xfs_inobt_valid(&ag->fs->geo, ag->agno, out) ? 0 : -XFS_E_CORRUPT;
}

/* ---- finding ---- */

int xfs_aginodes_lookup(struct xfs_aginodes *ag, uint32_t agino, struct xfs_inobt_rec *out)
{
	const struct xfs_btree_key key = { { agino, 0, 0 } };
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, &ag->tree[XFS_AIT_INO]);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err)
		err = load(ag, xfs_btree_record(&cur), out);
	if (!err && agino - out->startino >= XFS_INODES_PER_CHUNK)
		err = -XFS_E_NOENT;
	xfs_btree_cursor_close(&cur);
	return err;
}

static uint32_t distance(const struct xfs_inobt_rec *r, uint32_t agino)
{
	return r->startino > agino ? r->startino - agino : agino - r->startino;
}

/* All records of the finobt have free inodes: the nearer of both neighbours. */
static int find_in_finobt(struct xfs_aginodes *ag, uint32_t near, struct xfs_inobt_rec *out)
{
	const struct xfs_btree_key key = { { near, 0, 0 } };
	struct xfs_btree_cursor cur;
	struct xfs_inobt_rec r;
	int left, err;

	xfs_btree_cursor_init(&cur, &ag->tree[XFS_AIT_FINO]);
	err = left = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err)
		err = load(ag, xfs_btree_record(&cur), out);
	if (err && err != -XFS_E_NOENT)
		goto out;
	err = left ? xfs_btree_first(&cur) : xfs_btree_next(&cur);
	if (!err)
		err = load(ag, xfs_btree_record(&cur), &r);
	if (!err && (left || distance(&r, near) < distance(out, near)))
		*out = r;
	if (err == -XFS_E_NOENT && !left)
		err = 0;
out:
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
}

/* From the cursor on, at most `most` records (0: all). */
static int scan(struct xfs_aginodes *ag, struct xfs_btree_cursor *cur, int err, bool up, unsigned most,
		struct xfs_inobt_rec *out)
{
	for (unsigned n = 0; !err && (!most || n < most); n++) {
		err = load(ag, xfs_btree_record(cur), out);
		if (err || out->freecount)
			return err;
		err = up ? xfs_btree_next(cur) : xfs_btree_prev(cur);
	}
	return err ? err : -XFS_E_NOENT;
}

/* Nearby, then the newest chunk, then from the start: as the trees of old filesystems are searched. */
static int find_in_inobt(struct xfs_aginodes *ag, uint32_t near, struct xfs_inobt_rec *out)
{
	const struct xfs_btree_key key = { { near, 0, 0 } };
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, &ag->tree[XFS_AIT_INO]);
	err = scan(ag, &cur, xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key), false, STEPS, out);
	if (err == -XFS_E_NOENT)
		err = scan(ag, &cur, xfs_btree_lookup(&cur, XFS_LOOKUP_GE, &key), true, STEPS, out);
	if (err == -XFS_E_NOENT && ag->agi.newino != XFS_NULL32) {
		err = xfs_aginodes_lookup(ag, ag->agi.newino, out);
		if (!err && !out->freecount)
			err = -XFS_E_NOENT;
	}
	if (err == -XFS_E_NOENT)
		err = scan(ag, &cur, xfs_btree_first(&cur), true, 0, out);
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
}

int xfs_aginodes_find_free(struct xfs_aginodes *ag, uint32_t near, struct xfs_inobt_rec *out)
{
	int err;

	if (!ag->agi.freecount)
		return -XFS_E_NOENT;
	err = ag->tree[XFS_AIT_FINO].kind ? find_in_finobt(ag, near, out) : find_in_inobt(ag, near, out);
	return err || out->freecount ? err : -XFS_E_CORRUPT;
}

/* ---- changing ---- */

static int change_tree(struct xfs_aginodes *ag, enum xfs_aginodes_tree t, const struct xfs_inobt_rec *old,
		       const struct xfs_inobt_rec *new)
{
	struct xfs_btree *bt = &ag->tree[t];
	uint8_t rec[sizeof(struct xfs_inobt_rec_disk)];
	struct xfs_btree_cursor cur;
	struct xfs_btree_key key = { { old ? old->startino : 0, 0, 0 } };
	int err;

	if (new)
		encode(&ag->fs->geo, rec, new);
	if (!old)
		return new ? xfs_btree_insert(bt, rec) : 0;
	xfs_btree_cursor_init(&cur, bt);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_EQ, &key);
	if (err == -XFS_E_NOENT)
		err = -XFS_E_CORRUPT;
	if (!err)
		err = new ? xfs_btree_update(&cur, rec) : xfs_btree_delete(&cur);
	xfs_btree_cursor_close(&cur);
	return err;
}

static const struct xfs_inobt_rec *if_free(const struct xfs_inobt_rec *r)
{
	return r && r->freecount ? r : NULL;
}

int xfs_aginodes_change(struct xfs_aginodes *ag, const struct xfs_inobt_rec *old, const struct xfs_inobt_rec *new)
{
	uint64_t writes = ag->m.change->writes;
	int err = xfs_agspace_fix_agfl(ag->space, true);	/* the rmapbt may grow with the trees */

	if (!err)
		err = change_tree(ag, XFS_AIT_INO, old, new);
	if (!err && ag->tree[XFS_AIT_FINO].kind)
		err = change_tree(ag, XFS_AIT_FINO, if_free(old), if_free(new));
	if (!err) {
		ag->agi.count += (uint32_t)((new ? new->count : 0) - (old ? old->count : 0));
		ag->agi.freecount += (uint32_t)((new ? new->freecount : 0) - (old ? old->freecount : 0));
		xfs_agmember_touch(&ag->m);
	}
	return xfs_change_check(ag->m.change, writes, err);
}

void xfs_aginodes_set_bucket(struct xfs_aginodes *ag, uint32_t bucket, uint32_t agino)
{
	ag->unlinked[bucket] = agino;
	xfs_agmember_touch(&ag->m);
}

void xfs_aginodes_set_newino(struct xfs_aginodes *ag, uint32_t agino)
{
	ag->agi.newino = agino;
	xfs_agmember_touch(&ag->m);
}
