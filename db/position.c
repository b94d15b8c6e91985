/* SPDX-License-Identifier: BSD-2-Clause */
/* position.c - commands that go to a place: AG headers, blocks, inodes, blocks of files. */
#include "db/db.h"

#include "libxfs/name/path.h"

#include <stdlib.h>

/* ---- AG headers ---- */

static void go_header(struct db *db, int argc, char **argv, enum xfs_type type, unsigned sector)
{
	const struct xfs_geometry *g = &db->fs->geo;
	uint64_t agno = db->agno == XFS_NULL32 ? 0 : db->agno;
	struct db_place p;

	if (argc > 1 && (!db_number(argv[1], &agno) || agno >= g->agcount)) {
		db_out(db, "bad allocation group number %s\n", argv[1]);
		return;
	}
	p = db_place_new(db, type, xfs_ag_header_daddr(g, XFS_AGNO(agno), sector).v, g->sectsize);
	if (!db_go(db, &p, true))
		db->agno = (uint32_t)agno;
}

void db_run_sb(struct db *db, int argc, char **argv) { go_header(db, argc, argv, XT_SB, 0); }
void db_run_agf(struct db *db, int argc, char **argv) { go_header(db, argc, argv, XT_AGF, 1); }
void db_run_agi(struct db *db, int argc, char **argv) { go_header(db, argc, argv, XT_AGI, 2); }
void db_run_agfl(struct db *db, int argc, char **argv) { go_header(db, argc, argv, XT_AGFL, 3); }

/* ---- blocks ---- */

bool db_go_agblock(struct db *db, uint32_t agbno, enum xfs_type type)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct db_place p;

	if (agbno >= xfs_ag_length(g, XFS_AGNO(db->agno))) {
		db_out(db, "bad fsblock %llu\n",
		       (unsigned long long)xfs_fsbno_of(g, XFS_AGNO(db->agno), XFS_AGBNO(agbno)).v);
		return false;
	}
	p = db_place_new(db, type, xfs_agbno_daddr(g, XFS_AGNO(db->agno), XFS_AGBNO(agbno)).v, g->blocksize);
	return db_go(db, &p, true) == 0;
}

bool db_go_fsblock(struct db *db, uint64_t fsbno, enum xfs_type type)
{
	const struct xfs_geometry *g = &db->fs->geo;
	xfs_agno_t agno = xfs_fsbno_agno(g, XFS_FSBNO(fsbno));
	xfs_agbno_t agbno = xfs_fsbno_agbno(g, XFS_FSBNO(fsbno));
	struct db_place p;

	if (fsbno >> g->agblklog >= g->agcount || agbno.v >= xfs_ag_length(g, agno)) {
		db_out(db, "bad fsblock %llu\n", (unsigned long long)fsbno);
		return false;
	}
	/* whole directory blocks, as if their other parts came next */
	p = db_place_new(db, type, xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v, type == XT_DIR ? g->dirblksize :
			 g->blocksize);
	if (db_go(db, &p, true))
		return false;
	db->agno = agno.v;
	return true;
}

void db_run_fsblock(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	const struct db_place *now = &db_top(db)->at;
	uint64_t fsbno;
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	if (argc == 1) {
		xfs_daddr_ag(g, XFS_DADDR(now->daddr + now->off / XFS_BBSIZE), &agno, &agbno);
		db_out(db, "current fsblock is %llu\n", (unsigned long long)xfs_fsbno_of(g, agno, agbno).v);
	} else if (!db_number(argv[1], &fsbno)) {
		db_out(db, "bad fsblock %s\n", argv[1]);
	} else {
		db_go_fsblock(db, fsbno, XT_DATA);
	}
}

void db_run_agblock(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	const struct db_place *now = &db_top(db)->at;
	xfs_agno_t agno = XFS_AGNO(db->agno == XFS_NULL32 ? 0 : db->agno);
	xfs_agbno_t agbno;
	uint64_t block;

	if (argc == 1) {
		xfs_daddr_ag(g, XFS_DADDR(now->daddr + now->off / XFS_BBSIZE), &agno, &agbno);
		db_out(db, "current agblock is %u\n", agbno.v);
	} else if (!db_number(argv[1], &block) || block >= xfs_ag_length(g, agno)) {
		db_out(db, "bad agblock %s\n", argv[1]);
	} else {
		db_go_fsblock(db, xfs_fsbno_of(g, agno, XFS_AGBNO(block)).v, XT_DATA);
	}
}

/* ---- inodes ---- */

/* The buffer is the cluster that the inode lies in, the object the inode itself. */
bool db_go_inode(struct db *db, uint64_t ino, bool any)
{
	const struct xfs_geometry *g = &db->fs->geo;
	xfs_agno_t agno = xfs_ino_agno(g, XFS_INO(ino));
	uint32_t agbno = xfs_ino_agino(g, XFS_INO(ino)).v >> g->inopblog;
	uint32_t first = agbno - agbno % (uint32_t)xfs_max(g->blocks_per_cluster, 1);
	uint64_t end = (uint64_t)first + g->blocks_per_cluster;
	struct db_place p;
	struct db_level *l;

	if (any ? agno.v >= g->agcount || agbno >= xfs_ag_length(g, agno) : !xfs_ino_valid(g, XFS_INO(ino))) {
		db_out(db, "bad inode number %lld\n", (long long)ino);
		return false;
	}
	end = xfs_min(end, xfs_ag_length(g, agno));
	p = db_place_new(db, XT_INODE, xfs_agbno_daddr(g, agno, XFS_AGBNO(first)).v,
			 (uint32_t)(end - first) << g->blocklog);
	p.off = (uint32_t)(xfs_ino_byte(g, XFS_INO(ino)) - p.daddr * XFS_BBSIZE);
	p.len = g->inodesize;
	p.ino = ino;
	if (db_go(db, &p, false))
		return false;
	l = db_top(db);
	l->at.mode = xfs_dinode_core_get_mode((const void *)(l->buf + l->at.off));
	if ((l->at.mode & XFS_MODE_FMT) == XFS_MODE_DIR)
		l->at.dirino = ino;
	db->agno = agno.v;
	db_ring_add(db, &l->at);
	return true;
}

void db_run_inode(struct db *db, int argc, char **argv)
{
	const struct db_place *now = &db_top(db)->at;
	uint64_t ino;

	if (argc == 1) {
		if (now->ino == XFS_NULL64)
			db_out(db, "no current inode\n");
		else
			db_out(db, "current inode number is %lld\n", (long long)now->ino);
	} else if (!db_number(argv[1], &ino)) {
		db_out(db, "bad value for inode number %s\n", argv[1]);
	} else {
		db_go_inode(db, ino, false);
	}
}

void db_run_path(struct db *db, int argc, char **argv)
{
	const struct xfs_sb *sb = &db->fs->geo.sb;
	const char *path = argv[argc - 1];
	bool meta = argc == 3 && strcmp(argv[1], "-m") == 0;
	uint64_t from = meta ? sb->metadirino : *path == '/' ? sb->rootino : db_top(db)->at.ino;
	xfs_ino_t ino;
	int err;

	if (argc == 3 && !meta) {
		db_out(db, "bad option for path command\n");
		return;
	}
	if (meta && !db->fs->geo.metadir) {
		db_out(db, "filesystem does not support metadata directories.\n");
		db->status = 1;
		return;
	}
	err = from == XFS_NULL64 ? -XFS_E_NOTDIR : xfs_path_lookup(db->fs, XFS_INO(from), path, &ino);
	if (err) {
		db_out(db, "%s: %s\n", path, strerror(xfs_error_errno(err)));
		db->status = 1;
		return;
	}
	db_go_inode(db, ino.v, false);
}

/* ---- blocks of files ---- */

static enum xfs_type metafile_type(unsigned metatype)
{
	switch (metatype) {
	case XFS_METAFILE_RTBITMAP:
		return XT_RGBITMAP;
	case XFS_METAFILE_RTSUMMARY:
		return XT_RGSUMMARY;
	case XFS_METAFILE_USRQUOTA: case XFS_METAFILE_GRPQUOTA: case XFS_METAFILE_PRJQUOTA:
		return XT_DQBLK;
	}
	return XT_DATA;
}

static enum xfs_type data_type_of(struct db *db, const struct xfs_inode *ip)
{
	const struct xfs_sb *sb = &db->fs->geo.sb;

	switch (xfs_inode_fmt(ip)) {
	case XFS_MODE_DIR:
		return XT_DIR;
	case XFS_MODE_LNK:
		return XT_SYMLINK;
	case XFS_MODE_REG:
		if (xfs_dinode_is_metadata(&ip->d))
			return metafile_type(ip->d.core.metatype);
		if (ip->ino.v == sb->rbmino)
			return XT_RTBITMAP;
		if (ip->ino.v == sb->rsumino)
			return XT_RTSUMMARY;
		if (ip->ino.v && (ip->ino.v == sb->uquotino || ip->ino.v == sb->gquotino || ip->ino.v == sb->pquotino))
			return XT_DQBLK;
		return XT_DATA;
	}
	return XT_NONE;
}

enum xfs_type db_data_type(struct db *db)
{
	struct xfs_inode *ip = NULL;
	enum xfs_type type = XT_DATA;
	uint64_t ino = db_top(db)->at.ino;

	if (ino == XFS_NULL64 || !(ip = malloc(sizeof(*ip))))
		return type;
	if (xfs_inode_read(db->fs, XFS_INO(ino), XFS_INODE_NOCHECK, ip) == 0)
		type = data_type_of(db, ip);
	free(ip);
	return type == XT_NONE ? XT_DATA : type;
}

bool db_map_file(struct db *db, struct xfs_ifork *f, uint64_t off, unsigned n, struct db_place *p)
{
	const struct xfs_geometry *g = &db->fs->geo;
	unsigned shift = g->blocklog - XFS_BBSHIFT, total = 0;

	for (unsigned done = 0; done < n;) {
		struct xfs_extent e;
		struct xfs_dev *dev = db->dev.data;
		uint64_t skip, daddr;
		unsigned take;

		if (xfs_ifork_lookup(f, off + done, &e) || e.off > off + done) {
			if (!done)
				return false;
			p->map[p->nmap - 1].bbs += (n - done) << shift;
			total += (n - done) << shift;
			break;
		}
		skip = off + done - e.off;
		take = (unsigned)xfs_min(n - done, e.len - skip);
		daddr = f->realtime ? xfs_rtblock_byte(db->fs, e.block + skip, &dev) >> XFS_BBSHIFT
				    : xfs_fsbno_daddr(g, XFS_FSBNO(e.block + skip)).v;
		p->dev = dev == db->dev.data ? DB_DATA : DB_RT;
		if (p->nmap && p->map[p->nmap - 1].daddr + p->map[p->nmap - 1].bbs == daddr)
			p->map[p->nmap - 1].bbs += take << shift;
		else if (p->nmap < XFS_BUF_MAXEXTENTS)
			p->map[p->nmap++] = (struct xfs_buf_extent){ daddr, take << shift };
		else
			return false;
		total += take << shift;
		done += take;
	}
	p->daddr = p->map[0].daddr;
	p->bbs = total;
	p->len = total * XFS_BBSIZE;
	return true;
}

bool db_go_fileblock(struct db *db, enum xfs_fork which, uint64_t off, enum xfs_type type, const char *unmapped)
{
	uint64_t ino = db_top(db)->at.ino;
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_ifork f;
	struct db_place p;
	bool ok = false;
	int err;

	if (!ip || ino == XFS_NULL64 || xfs_inode_read(db->fs, XFS_INO(ino), XFS_INODE_NOCHECK, ip)) {
		db_out(db, "bad inode number %lld\n", (long long)ino);
		db_out(db, which == XFS_FORK_ATTR ? "no current inode\n" : "no type for file data\n");
		goto out;
	}
	if (type == XT_NONE)
		type = which == XFS_FORK_ATTR ? XT_ATTR : data_type_of(db, ip);
	if (type == XT_NONE) {
		db_out(db, "no type for file data\n");
		goto out;
	}
	p = db_place_new(db, type, 0, 0);
	err = xfs_ifork_init(&f, ip, which);
	if (err == -XFS_E_NOENT) {
		db_out(db, "no attribute data for file\n");
		goto out;
	}
	if (err || !db_map_file(db, &f, off, type == XT_DIR ? db->fs->geo.dirblkfsbs : 1, &p)) {
		db_out(db, "%s is unmapped\n", unmapped);
		goto out;
	}
	ok = db_go(db, &p, true) == 0;
out:
	free(ip);
	return ok;
}

static void go_file(struct db *db, char **argv, enum xfs_fork which, const char *unmapped)
{
	uint64_t off;

	if (!db_number(argv[1], &off))
		db_out(db, "bad block number %s\n", argv[1]);
	else
		db_go_fileblock(db, which, off, XT_NONE, unmapped);
}

void db_run_dblock(struct db *db, int argc, char **argv)
{
	(void)argc;
	go_file(db, argv, XFS_FORK_DATA, "file data block");
}

void db_run_ablock(struct db *db, int argc, char **argv)
{
	(void)argc;
	go_file(db, argv, XFS_FORK_ATTR, "file attr block");
}
