/* SPDX-License-Identifier: BSD-2-Clause */
/* owner_scan.c - who owns a block of a filesystem without reverse mappings: everything that can own blocks is read. */
#include "db/owner.h"

#include "libxfs/inode/scan.h"

#include <stdlib.h>

struct scan {
	struct db *db;
	xfs_agno_t agno;
	xfs_agbno_t agbno;
	uint64_t fsbno;
	struct db_owners *owners;
	struct xfs_inode *ip;
	struct xfs_ifork fork;		/* being read */
	bool hit;
};

static int add(struct scan *s, uint64_t owner)
{
	return db_owners_add(s->owners, &(struct db_owner){ .owner = owner });
}

/* ---- what AGs own ---- */

static int see_tree_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct scan *s = payload;

	(void)level;
	(void)data;
	s->hit |= ptr == s->agbno.v;
	return 0;
}

static int skip_bad(void *payload, uint64_t ptr, unsigned level, int error)
{
	(void)error;
	return see_tree_block(payload, ptr, level, NULL);
}

static int scan_tree(struct scan *s, enum xfs_btree_id id, uint64_t owner)
{
	const struct xfs_btree_walk walk = { see_tree_block, skip_bad, s };
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(s->db->fs, s->agno, id, &bt);

	if (err)
		return err == -XFS_E_UNSUPPORTED ? 0 : err;
	s->hit = false;
	err = xfs_btree_walk(&bt, &walk);
	return !err && s->hit ? add(s, owner) : err;
}

static int scan_freelist(struct scan *s)
{
	uint32_t *blocks = malloc(s->db->fs->geo.agfl_size * sizeof(*blocks)), n = 0;
	int err = blocks ? xfs_fs_agfl_blocks(s->db->fs, s->agno, blocks, &n) : -XFS_E_NOMEM;

	for (uint32_t i = 0; !err && i < n; i++)
		if (blocks[i] == s->agbno.v)
			err = add(s, DB_OWNER_FREELIST);
	free(blocks);
	return err;
}

/* Inode records that start in or before the block: its own, or one of the chunk that it belongs to. */
static int scan_chunks(struct scan *s)
{
	const struct xfs_geometry *g = &s->db->fs->geo;
	uint64_t first = (uint64_t)s->agbno.v << g->inopblog;
	struct xfs_btree_key key = { { first + (UINT64_C(1) << g->inopblog) - 1, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree_cursor cur;
	struct xfs_inobt_rec rec;
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(s->db->fs, s->agno, XFS_BTREE_INO, &bt);

	if (err)
		return err;
	xfs_btree_cursor_init(&cur, &bt);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err) {
		uint64_t skip;

		xfs_inobt_load(g, &rec, xfs_btree_record(&cur));
		skip = first > rec.startino ? first - rec.startino : 0;
		if (skip < XFS_INODES_PER_CHUNK && xfs_chunk_has_inode(rec.holemask, (unsigned)skip))
			err = add(s, XFS_OWN_INODES);
	}
	xfs_btree_cursor_close(&cur);
	return err == -XFS_E_NOENT ? 0 : err;
}

static int see_refcount(void *payload, const void *rec)
{
	struct scan *s = payload;

	return xfs_refc_rec_get_cowflag(rec) ? add(s, XFS_OWN_COW) : 0;
}

static int scan_staging(struct scan *s)
{
	struct xfs_btree_key key = { { XFS_REFC_COW | s->agbno.v, 0, 0 } };
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(s->db->fs, s->agno, XFS_BTREE_REFC, &bt);

	if (err)
		return err == -XFS_E_UNSUPPORTED ? 0 : err;
	return xfs_btree_query_range(&bt, &key, &key, see_refcount, s, NULL, NULL, NULL);
}

static bool in_log(const struct scan *s)
{
	const struct xfs_sb *sb = &s->db->fs->geo.sb;

	return sb->logstart && s->fsbno >= sb->logstart && s->fsbno - sb->logstart < sb->logblocks;
}

static int scan_ag(struct scan *s)
{
	static const struct { enum xfs_btree_id id; uint64_t owner; } trees[] = {
		{ XFS_BTREE_BNO, XFS_OWN_AG }, { XFS_BTREE_CNT, XFS_OWN_AG }, { XFS_BTREE_INO, XFS_OWN_INOBT },
		{ XFS_BTREE_FINO, XFS_OWN_INOBT }, { XFS_BTREE_REFC, XFS_OWN_REFC } };
	int err = 0, one;

	if (s->agbno.v <= s->db->fs->geo.agfl_block)
		return add(s, XFS_OWN_FS);
	if (in_log(s))
		err = add(s, XFS_OWN_LOG);
	if (db_block_is_free(s->db, s->agno, s->agbno))
		err = add(s, DB_OWNER_FREE);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(trees); i++) {
		one = scan_tree(s, trees[i].id, trees[i].owner);
		err = err ? err : one;
	}
	one = scan_freelist(s);
	err = err ? err : one;
	one = scan_chunks(s);
	err = err ? err : one;
	one = scan_staging(s);
	return err ? err : one;
}

/* ---- what inodes own ---- */

static int see_extent(void *payload, const struct xfs_extent *e)
{
	struct scan *s = payload;
	struct db_owner o = { .owner = s->ip->ino.v, .attr = s->fork.which == XFS_FORK_ATTR,
			      .unwritten = e->unwritten };

	if (s->fsbno < e->block || s->fsbno - e->block >= e->len)
		return 0;
	o.offset = e->off + (s->fsbno - e->block);
	return db_owners_add(s->owners, &o);
}

static int see_bmbt_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct scan *s = payload;

	(void)level;
	(void)data;
	s->hit |= ptr == s->fsbno;
	return 0;
}

static int skip_bad_bmbt(void *payload, uint64_t ptr, unsigned level, int error)
{
	(void)error;
	return see_bmbt_block(payload, ptr, level, NULL);
}

static int scan_fork(struct scan *s, enum xfs_fork which)
{
	const struct xfs_btree_walk walk = { see_bmbt_block, skip_bad_bmbt, s };
	int err = xfs_ifork_init(&s->fork, s->ip, which);

	if (err || s->fork.realtime)
		return err == -XFS_E_NOENT ? 0 : err;
	err = xfs_ifork_each(&s->fork, see_extent, s);
	if (s->fork.format != XFS_DINODE_FMT_BTREE)
		return err;
	s->hit = false;
	if (!err)
		err = xfs_btree_walk(&s->fork.bt, &walk);
	if (!s->hit)
		return err;
	return db_owners_add(s->owners, &(struct db_owner){ .owner = s->ip->ino.v, .attr = which == XFS_FORK_ATTR,
			     .bmbt = true });
}

static int see_inode(void *payload, const struct xfs_inode_seen *seen)
{
	struct scan *s = payload;

	if (!seen->raw)
		return 0;
	xfs_inode_parse(s->db->fs, seen->ino, seen->raw, s->ip);
	if (scan_fork(s, XFS_FORK_DATA) == -XFS_E_NOMEM || scan_fork(s, XFS_FORK_ATTR) == -XFS_E_NOMEM)
		return -XFS_E_NOMEM;
	return 0;
}

int db_owners_scan(struct db *db, xfs_agno_t agno, xfs_agbno_t agbno, struct db_owners *owners)
{
	struct scan s = { .db = db, .agno = agno, .agbno = agbno, .owners = owners };
	int err, one;

	s.fsbno = xfs_fsbno_of(&db->fs->geo, agno, agbno).v;
	s.ip = malloc(sizeof(*s.ip));
	if (!s.ip)
		return -XFS_E_NOMEM;
	err = scan_ag(&s);
	for (uint32_t a = 0; a < db->fs->geo.agcount && err != -XFS_E_NOMEM; a++) {
		one = xfs_inodes_each(db->fs, XFS_AGNO(a), 0, see_inode, &s, NULL);
		err = err && one != -XFS_E_NOMEM ? err : one;
	}
	free(s.ip);
	return err;
}
