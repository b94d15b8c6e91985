/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap.c - the block map of the current inode. */
#include "db/report.h"

#include <stdlib.h>
#include <unistd.h>

struct range {
	bool data, attr;		/* forks */
	bool part;			/* only [from, to) */
	uint64_t from, to;
};

struct shower {
	struct db *db;
	struct xfs_json *json;
	struct xfs_ifork fork;		/* being shown */
};

static int show(void *payload, const struct xfs_extent *e)
{
	const struct shower *s = payload;
	const struct xfs_geometry *g = &s->db->fs->geo;
	const char *fork = s->fork.which == XFS_FORK_ATTR ? "attr" : "data";
	unsigned long long off = e->off, block = e->block;
	unsigned agno = xfs_fsbno_agno(g, XFS_FSBNO(e->block)).v, agbno = xfs_fsbno_agbno(g, XFS_FSBNO(e->block)).v;

	if (s->json) {
		xfs_json_object(s->json, NULL);
		xfs_json_string(s->json, "fork", fork);
		xfs_json_u64(s->json, "offset", e->off);
		xfs_json_u64(s->json, "startblock", e->block);
		if (!s->fork.realtime) {
			xfs_json_u64(s->json, "agno", agno);
			xfs_json_u64(s->json, "agbno", agbno);
		}
		xfs_json_u64(s->json, "count", e->len);
		xfs_json_bool(s->json, "unwritten", e->unwritten);
		xfs_json_object_end(s->json);
	} else if (s->fork.realtime) {
		db_out(s->db, "%s offset %llu startblock %llu count %u flag %d\n", fork, off, block, e->len,
		       e->unwritten);
	} else {
		db_out(s->db, "%s offset %llu startblock %llu (%u/%u) count %u flag %d\n", fork, off, block, agno,
		       agbno, e->len, e->unwritten);
	}
	return 0;
}

/* Parts of extents in [from, to). */
static int show_part(struct shower *s, uint64_t from, uint64_t to)
{
	struct xfs_extent e;
	int err = 0;

	while (from < to && (err = xfs_ifork_lookup(&s->fork, from, &e)) == 0 && e.off < to) {
		uint64_t end = e.off + e.len;

		if (e.off < from) {
			e.block += from - e.off;
			e.off = from;
		}
		e.len = (uint32_t)(xfs_min(end, to) - e.off);
		show(s, &e);
		from = end;
	}
	return err == -XFS_E_NOENT ? 0 : err;
}

static void show_fork(struct shower *s, const struct xfs_inode *ip, enum xfs_fork which, const struct range *r)
{
	int err = xfs_ifork_init(&s->fork, ip, which);

	if (err == -XFS_E_NOENT)
		return;
	if (!err)
		err = r->part ? show_part(s, r->from, r->to) : xfs_ifork_each(&s->fork, show, s);
	if (err)
		fprintf(stderr, "%s: bmap: %s fork of inode %llu: %s\n", s->db->prog, which == XFS_FORK_ATTR ? "attr" :
			"data", (unsigned long long)ip->ino.v, xfs_error_text(err));
}

/* What follows the options: [block [len]], one block by default. */
static bool parse_range(struct db *db, char **args, struct range *r)
{
	uint64_t len = 1;

	if (!args[0])
		return true;
	r->part = true;
	if (!db_number(args[0], &r->from)) {
		db_out(db, "bad block number for bmap %s\n", args[0]);
		return false;
	}
	if (args[1] && !db_number(args[1], &len)) {
		db_out(db, "bad len for bmap %s\n", args[1]);
		return false;
	}
	if (xfs_add_overflows(r->from, len, &r->to))
		r->to = UINT64_MAX;
	return true;
}

void db_run_bmap(struct db *db, int argc, char **argv)
{
	struct shower s = { .db = db };
	struct range r = { .part = false };
	uint64_t ino = db_top(db)->at.ino;
	struct xfs_inode *ip;
	struct xfs_json json;
	int opt;

	if (ino == XFS_NULL64) {
		db_out(db, "no current inode\n");
		return;
	}
	optind = 0;
	while ((opt = getopt(argc, argv, "adj")) != -1) {
		switch (opt) {
		case 'a': r.attr = true; break;
		case 'd': r.data = true; break;
		case 'j': s.json = &json; break;
		default:
			db_out(db, "bad option for bmap command\n");
			return;
		}
	}
	if (!r.attr && !r.data)
		r.attr = r.data = true;
	if (!parse_range(db, argv + optind, &r))
		return;
	ip = malloc(sizeof(*ip));
	if (!ip || xfs_inode_read(db->fs, XFS_INO(ino), XFS_INODE_NOCHECK, ip)) {
		fprintf(stderr, "%s: bmap: can't read inode %llu\n", db->prog, (unsigned long long)ino);
		free(ip);
		return;
	}
	if (s.json)
		db_json_start(db, s.json);
	if (r.data)
		show_fork(&s, ip, XFS_FORK_DATA, &r);
	if (r.attr)
		show_fork(&s, ip, XFS_FORK_ATTR, &r);
	if (s.json)
		db_json_end(db, s.json);
	free(ip);
}
