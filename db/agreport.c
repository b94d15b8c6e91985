/* SPDX-License-Identifier: BSD-2-Clause */
/* agreport.c - reports on allocation groups: reservations, lists of unlinked inodes. */
#include "db/report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- agresv ---- */

static int count_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	uint64_t *n = payload;

	(void)ptr;
	(void)level;
	(void)data;
	(*n)++;
	return 0;
}

static uint64_t finobt_blocks(struct db *db, xfs_agno_t agno, const struct xfs_agi *agi)
{
	const struct xfs_geometry *g = &db->fs->geo;
	uint64_t n = 0;
	const struct xfs_btree_walk walk = { count_block, NULL, &n };
	struct xfs_btree bt;

	if (!g->finobt || g->inobtcnt)
		return g->finobt ? agi->fino_blocks : 0;
	if (!xfs_fs_ag_btree(db->fs, agno, XFS_BTREE_FINO, &bt))
		xfs_btree_walk(&bt, &walk);
	return n;
}

static void show_reservation(struct db *db, xfs_agno_t agno)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct xfs_agf agf;
	struct xfs_agi agi;
	uint64_t used[2], ask[2], left, reserved;

	xfs_fs_agf(db->fs, agno, &agf);
	xfs_fs_agi(db->fs, agno, &agi, NULL);
	used[0] = (g->reflink ? agf.refcntblocks : 0) + finobt_blocks(db, agno, &agi);
	used[1] = g->rmapbt ? agf.rmapblocks : 0;
	ask[0] = xfs_max(xfs_ag_reserve_meta(g, agno), used[0]);
	ask[1] = xfs_max(xfs_ag_reserve_rmap(g, agno), used[1]);
	left = (uint64_t)agf.freeblks + agf.flcount;
	reserved = ask[0] + ask[1];
	db_out(db, "AG %u: length: %u free: %llu reserved: %llu used: %llu%s\n", agno.v, agf.length,
	       (unsigned long long)left, (unsigned long long)reserved, (unsigned long long)(used[0] + used[1]),
	       reserved - used[0] - used[1] > left ? " <not enough space>" : "");
}

void db_run_agresv(struct db *db, int argc, char **argv)
{
	uint64_t agno;

	for (uint32_t a = 0; argc == 1 && a < db->fs->geo.agcount; a++)
		show_reservation(db, XFS_AGNO(a));
	for (int i = 1; i < argc; i++) {
		if (!db_number(argv[i], &agno))
			fprintf(stderr, "%s: %s\n", argv[i], strerror(ERANGE));
		else if (agno >= db->fs->geo.agcount)
			fprintf(stderr, "%llu: Not a AG.\n", (unsigned long long)agno);
		else
			show_reservation(db, XFS_AGNO(agno));
	}
}

/* ---- dump_iunlinked ---- */

struct chains {
	struct db *db;
	uint64_t agno, bucket;		/* XFS_NULL64: all */
	bool quiet, verbose;
	struct xfs_inode *ip;
};

static void show_size(const struct chains *c)
{
	unsigned long long blocks = c->ip->d.core.nblocks;
	bool rt = xfs_inode_is_realtime(c->ip);

	if (c->verbose)
		db_out(c->db, " blocks %llu rtblocks %llu", rt ? 0 : blocks, rt ? blocks : 0);
}

/* Reads an inode of a chain; false and a complaint when there is none. */
static bool read_inode(struct chains *c, xfs_agno_t agno, uint32_t agino)
{
	int err = xfs_agino_valid(&c->db->fs->geo, agno, agino)
		? xfs_inode_read(c->db->fs, xfs_ino_of(&c->db->fs->geo, agno, XFS_AGINO(agino)), 0, c->ip)
		: -XFS_E_RANGE;

	if (err)
		fprintf(stderr, "%s: unlinked inode %u of AG %u: %s\n", c->db->prog, agino, agno.v,
			xfs_error_text(err));
	return !err;
}

static void show_chain(struct chains *c, xfs_agno_t agno, unsigned bucket, uint32_t agino)
{
	uint64_t limit = (uint64_t)xfs_last_agino(&c->db->fs->geo, agno) + 1;	/* a longer chain is a loop */

	if (agino == XFS_NULL32) {
		if (!c->quiet)
			db_out(c->db, "AG %u bucket %u agino NULL\n", agno.v, bucket);
		return;
	}
	db_out(c->db, "AG %u bucket %u agino %u", agno.v, bucket, agino);
	for (uint64_t i = 0; agino != XFS_NULL32; i++) {
		bool good = read_inode(c, agno, agino);

		if (i)
			db_out(c->db, "    [%llu] agino %u", (unsigned long long)i - 1, agino);
		if (good)
			show_size(c);
		db_out(c->db, "\n");
		if (!good || i == limit)
			return;
		agino = c->ip->d.core.next_unlinked;
	}
}

static bool parse_number(struct db *db, const char *text, uint64_t below, const char *what, uint64_t *v)
{
	if (db_number(text, v) && *v < below)
		return true;
	db_out(db, "bad %s number %s\n", what, text);
	return false;
}

void db_run_dump_iunlinked(struct db *db, int argc, char **argv)
{
	struct chains c = { .db = db, .agno = XFS_NULL64, .bucket = XFS_NULL64 };
	uint32_t buckets[XFS_AGI_BUCKETS];
	struct xfs_agi agi;
	int opt;

	optind = 0;
	while ((opt = getopt(argc, argv, "a:b:qv")) != -1) {
		if (opt == 'a' && !parse_number(db, optarg, db->fs->geo.agcount, "allocation group", &c.agno))
			return;
		if (opt == 'b' && !parse_number(db, optarg, XFS_AGI_BUCKETS, "bucket", &c.bucket))
			return;
		if (opt == '?') {
			db_out(db, "bad option for dump_iunlinked command\n");
			return;
		}
		c.quiet |= opt == 'q';
		c.verbose |= opt == 'v';
	}
	c.ip = malloc(sizeof(*c.ip));
	for (uint32_t a = 0; c.ip && a < db->fs->geo.agcount; a++) {
		if (c.agno != XFS_NULL64 && c.agno != a)
			continue;
		xfs_fs_agi(db->fs, XFS_AGNO(a), &agi, buckets);
		for (unsigned b = 0; b < XFS_AGI_BUCKETS; b++)
			if (c.bucket == XFS_NULL64 || c.bucket == b)
				show_chain(&c, XFS_AGNO(a), b, buckets[b]);
	}
	free(c.ip);
}
