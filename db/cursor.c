/* SPDX-License-Identifier: BSD-2-Clause */
/* cursor.c - the stack of positions, their bytes, and the ring. */
#include "db/db.h"

#include <stdlib.h>

int db_cursor_init(struct db *db)
{
	db->room = 8;
	db->levels = calloc(db->room, sizeof(*db->levels));
	db->ring = calloc(DB_RING, sizeof(*db->ring));
	if (!db->levels || !db->ring)
		return -XFS_E_NOMEM;
	db->levels[0].at.ino = db->levels[0].at.dirino = XFS_NULL64;
	db->agno = XFS_NULL32;
	return 0;
}

void db_cursor_free(struct db *db)
{
	for (unsigned i = 0; db->levels && i <= db->depth; i++)
		free(db->levels[i].buf);
	free(db->levels);
	free(db->ring);
}

struct db_level *db_top(struct db *db)
{
	return &db->levels[db->depth];
}

struct db_place db_place_new(struct db *db, enum xfs_type type, uint64_t daddr, uint32_t bytes)
{
	const struct db_place *now = &db_top(db)->at;

	return (struct db_place){ .type = xfs_blocktype_of(type), .daddr = daddr,
				  .bbs = (unsigned)xfs_ceil_div(bytes, XFS_BBSIZE), .len = bytes, .ino = now->ino,
				  .dirino = now->dirino, .mode = now->mode };
}

uint32_t db_type_bytes(struct db *db, const struct xfs_blocktype *t)
{
	const struct xfs_geometry *g = &db->fs->geo;

	if (xfs_blocktype_show(t, g->v5) != XW_FIELDS)
		return XFS_BBSIZE;
	switch (t->size) {
	case XS_SECTOR: case XS_DQUOT:
		return g->sectsize;
	case XS_BLOCK:
		return g->blocksize;
	case XS_DIRBLOCK:
		return g->dirblksize;
	case XS_INODE:
		return g->inodesize;
	}
	return 0;
}

struct xfs_ctx db_ctx(struct db *db)
{
	struct db_level *l = db_top(db);
	struct xfs_ctx c = db->fs->ctx;

	c.p = l->buf + l->at.off;
	c.len = l->at.len;
	return c;
}

static struct xfs_dev *device(struct db *db, enum db_device which)
{
	if (which == DB_LOG && db->dev.log)
		return db->dev.log;
	return which == DB_RT ? db->dev.rt : db->dev.data;
}

static int read_place(struct db *db, const struct db_place *p, uint8_t *buf)
{
	struct xfs_dev *dev = device(db, p->dev);
	size_t at = 0;
	int err = 0;

	if (p->nmap <= 1)
		return xfs_dev_read(dev, p->daddr * XFS_BBSIZE, buf, (size_t)p->bbs * XFS_BBSIZE);
	for (unsigned i = 0; !err && i < p->nmap; i++) {
		size_t n = (size_t)p->map[i].bbs * XFS_BBSIZE;

		err = xfs_dev_read(dev, p->map[i].daddr * XFS_BBSIZE, buf + at, n);
		at += n;
	}
	return err;
}

void db_ring_add(struct db *db, const struct db_place *p)
{
	if (db->nring)
		db->nring = db->ring_at + 1;	/* what was ahead is gone */
	if (db->nring == DB_RING) {
		memmove(db->ring, db->ring + 1, (DB_RING - 1) * sizeof(*db->ring));
		db->nring--;
	}
	db->ring[db->nring] = *p;
	db->ring_at = db->nring++;
}

int db_go(struct db *db, const struct db_place *where, bool ring)
{
	struct db_place p = *where;	/* may be in the ring */
	struct db_level *l;
	size_t bytes = (size_t)p.bbs * XFS_BBSIZE;
	uint8_t *buf;
	int err;

	if (!device(db, p.dev)) {	/* an extent of a file leads there */
		db_out(db, "realtime device not loaded, use -R.\n");
		return -XFS_E_NOENT;
	}
	buf = calloc(1, bytes ? bytes : 1);
	err = buf ? read_place(db, &p, buf) : -XFS_E_NOMEM;
	if (err) {
		fprintf(stderr, "%s: can't read block %llu: %s\n", db->prog, (unsigned long long)p.daddr,
			xfs_error_text(err));
		free(buf);
		return err;
	}
	if (!db->depth && !db_push(db)) {
		free(buf);
		return -XFS_E_NOMEM;
	}
	l = db_top(db);
	free(l->buf);
	l->buf = buf;
	l->at = p;
	l->crc = db_judge(db, &p, buf + p.off);
	if (ring)
		db_ring_add(db, &p);
	return 0;
}

bool db_push(struct db *db)
{
	struct db_level *from, *to;

	if (db->depth + 1 == db->room) {
		struct db_level *more = realloc(db->levels, 2 * db->room * sizeof(*more));

		if (!more)
			return false;
		db->levels = more;
		db->room *= 2;
	}
	from = &db->levels[db->depth];
	to = &db->levels[db->depth + 1];
	*to = *from;
	to->buf = NULL;
	if (from->buf) {
		size_t bytes = (size_t)from->at.bbs * XFS_BBSIZE;

		to->buf = malloc(bytes ? bytes : 1);
		if (!to->buf)
			return false;
		memcpy(to->buf, from->buf, bytes);
	}
	db->depth++;
	return true;
}

/* ---- commands ---- */

void db_place_show(struct db *db, const struct db_place *p)
{
	static const char *const units[] = { "fsbno", "logbno", "rtbno" };
	const struct xfs_geometry *g = &db->fs->geo;
	unsigned long long block = p->daddr >> (g->blocklog - XFS_BBSHIFT);

	db_out(db, "\tbyte offset %llu, length %u\n", (unsigned long long)p->daddr * XFS_BBSIZE + p->off, p->len);
	if (p->dev == DB_DATA) {
		xfs_agno_t agno;
		xfs_agbno_t agbno;

		xfs_daddr_ag(g, XFS_DADDR(p->daddr), &agno, &agbno);
		block = xfs_fsbno_of(g, agno, agbno).v;
	}
	db_out(db, "\tbuffer block %llu (%s %llu), %u bb%s\n", (unsigned long long)p->daddr, units[p->dev], block,
	       p->bbs, p->bbs == 1 ? "" : "s");
	if (p->nmap > 1) {
		db_out(db, "\tblock map");
		for (unsigned i = 0; i < p->nmap; i++)
			db_out(db, " %llu:%u", (unsigned long long)p->map[i].daddr, p->map[i].bbs);
		db_out(db, "\n");
	}
	db_out(db, "\tinode %lld, dir inode %lld, type %s\n", (long long)p->ino, (long long)p->dirino,
	       p->type ? xfs_blocktype_name(p->type, g->v5) : "none");
}

void db_run_stack(struct db *db, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (unsigned i = db->depth; i > 0; i--) {
		db_out(db, "%u: \n", i);
		db_place_show(db, &db->levels[i].at);
	}
}

void db_run_push(struct db *db, int argc, char **argv)
{
	const struct db_command *c = argc > 1 ? db_command_find(argv[1]) : NULL;
	char *line;
	size_t len = 0;

	if (argc > 1 && !c) {
		db_out(db, "no such command %s\n", argv[1]);
		return;
	}
	if (c && !c->push) {
		db_out(db, "no push form allowed for %s\n", argv[1]);
		return;
	}
	if (!db_push(db)) {
		db_out(db, "%s\n", xfs_error_text(-XFS_E_NOMEM));
		return;
	}
	if (!c)
		return;
	for (int i = 1; i < argc; i++)
		len += strlen(argv[i]) + 1;
	line = malloc(len + 1);
	if (!line)
		return;
	*line = 0;
	for (int i = 1; i < argc; i++) {
		strcat(line, argv[i]);
		strcat(line, " ");
	}
	db_line_run(db, line);
	free(line);
}

void db_run_pop(struct db *db, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!db->depth)
		return;
	free(db_top(db)->buf);
	db->depth--;
}

static void ring_row(struct db *db, unsigned i)
{
	const struct db_place *p = &db->ring[i];
	const struct xfs_geometry *g = &db->fs->geo;
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	xfs_daddr_ag(g, XFS_DADDR(p->daddr), &agno, &agbno);
	db_out(db, "%s%2u: %-7.7s %8lld %5d %8lld %9lld\n", i == db->ring_at ? "*" : " ", i,
	       p->type ? xfs_blocktype_name(p->type, g->v5) : "none", (long long)p->daddr, (int)p->bbs,
	       (long long)xfs_fsbno_of(g, agno, agbno).v, (long long)p->ino);
}

static void ring_go(struct db *db, unsigned i)
{
	if (!db_go(db, &db->ring[i], false))
		db->ring_at = i;
}

void db_run_ring(struct db *db, int argc, char **argv)
{
	uint64_t i;

	if (!db->nring) {
		db_out(db, "no entries in location ring.\n");
	} else if (argc == 1) {
		db_out(db, "      type    bblock  bblen    fsbno     inode\n");
		for (unsigned k = db->nring; k-- > 0;)
			ring_row(db, k);
	} else if (!db_number(argv[1], &i) || i >= db->nring) {
		db_out(db, "invalid entry: %s\n", argv[1]);
	} else {
		ring_go(db, (unsigned)i);
	}
}

void db_run_back(struct db *db, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!db->nring)
		db_out(db, "ring is empty\n");
	else if (!db->ring_at)
		db_out(db, "no previous entries\n");
	else
		ring_go(db, db->ring_at - 1);
}

void db_run_forward(struct db *db, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!db->nring)
		db_out(db, "ring is empty\n");
	else if (db->ring_at + 1 >= db->nring)
		db_out(db, "no further entries\n");
	else
		ring_go(db, db->ring_at + 1);
}
