/* SPDX-License-Identifier: BSD-2-Clause */
/* frag.c - extents that files have, and that they would have if what follows in the file followed on the disk. */
#include "db/report.h"

#include "libxfs/inode/scan.h"

#include <stdlib.h>
#include <unistd.h>

struct wanted {
	bool attrs, dirs, files, links, quota, rt_control, rt_files;
};

struct survey {
	struct db *db;
	struct wanted want;
	bool verbose;
	struct xfs_inode *ip;
	uint64_t actual, ideal;		/* all inodes */
	uint64_t extents, runs, next;	/* one inode; end of the run in the file */
};

static int see_extent(void *payload, const struct xfs_extent *e)
{
	struct survey *s = payload;

	s->extents++;
	s->runs += e->off != s->next;
	s->next = e->off + e->len;
	return 0;
}

static void count_fork(struct survey *s, enum xfs_fork which)
{
	struct xfs_ifork f;

	s->next = XFS_NULL64;
	if (!xfs_ifork_init(&f, s->ip, which))
		xfs_ifork_each(&f, see_extent, s);
}

static bool wants_data(const struct survey *s)
{
	const struct xfs_sb *sb = &s->db->fs->geo.sb;
	const struct wanted *w = &s->want;
	uint64_t ino = s->ip->ino.v;

	switch (xfs_inode_fmt(s->ip)) {
	case XFS_MODE_DIR:
		return w->dirs;
	case XFS_MODE_LNK:
		return w->links;
	case XFS_MODE_REG:
		if (ino == sb->rbmino || ino == sb->rsumino)
			return w->rt_control;
		if (ino && (ino == sb->uquotino || ino == sb->gquotino || ino == sb->pquotino))
			return w->quota;
		return xfs_inode_is_realtime(s->ip) ? w->rt_files : w->files;
	}
	return false;
}

static int see_inode(void *payload, const struct xfs_inode_seen *seen)
{
	struct survey *s = payload;
	bool data, attr;

	if (!seen->raw)
		return 0;
	xfs_inode_parse(s->db->fs, seen->ino, seen->raw, s->ip);
	data = wants_data(s);
	attr = s->want.attrs && s->ip->d.core.forkoff;
	if (!data && !attr)
		return 0;
	s->extents = s->runs = 0;
	if (data)
		count_fork(s, XFS_FORK_DATA);
	if (attr)
		count_fork(s, XFS_FORK_ATTR);
	if (s->verbose)
		db_out(s->db, "inode %llu actual %llu ideal %llu\n", (unsigned long long)seen->ino.v,
		       (unsigned long long)s->extents, (unsigned long long)s->runs);
	s->actual += s->extents;
	s->ideal += s->runs;
	return 0;
}

static bool parse(struct survey *s, int argc, char **argv)
{
	static const struct wanted all = { true, true, true, true, true, true, true };
	struct wanted *w = &s->want;
	bool some = false;
	int opt;

	optind = 0;
	while ((opt = getopt(argc, argv, "adflqRrv")) != -1) {
		switch (opt) {
		case 'a': w->attrs = true; break;
		case 'd': w->dirs = true; break;
		case 'f': w->files = true; break;
		case 'l': w->links = true; break;
		case 'q': w->quota = true; break;
		case 'R': w->rt_control = true; break;
		case 'r': w->rt_files = true; break;
		case 'v': s->verbose = true; break;
		default:
			db_out(s->db, "bad option for frag command\n");
			return false;
		}
		some |= opt != 'v';
	}
	if (!some)
		*w = all;
	return true;
}

void db_run_frag(struct db *db, int argc, char **argv)
{
	struct survey s = { .db = db };
	double actual, ideal;

	if (!parse(&s, argc, argv))
		return;
	s.ip = malloc(sizeof(*s.ip));
	if (!s.ip)
		return;
	for (uint32_t agno = 0; agno < db->fs->geo.agcount; agno++) {
		int err = xfs_inodes_each(db->fs, XFS_AGNO(agno), 0, see_inode, &s, NULL);

		if (err)
			fprintf(stderr, "%s: frag: inodes of AG %u: %s\n", db->prog, agno, xfs_error_text(err));
	}
	free(s.ip);
	actual = (double)s.actual;
	ideal = (double)s.ideal;
	db_out(db, "actual %llu, ideal %llu, fragmentation factor %.2f%%\n", (unsigned long long)s.actual,
	       (unsigned long long)s.ideal, s.actual ? (actual - ideal) * 100.0 / actual : 0.0);
	db_out(db, "Note, this number is largely meaningless.\n");
	if (s.ideal)
		db_out(db, "Files on this filesystem average %.2f extents per file\n", actual / ideal);
	else
		/* what scripts have always seen */
		db_out(db, "Files on this filesystem average -nan extents per file\n");
}
