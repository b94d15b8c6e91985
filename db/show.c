/* SPDX-License-Identifier: BSD-2-Clause */
/* show.c - print and type. */
#include "db/report.h"

#include <stdlib.h>

static struct xfs_printer printer(struct db *db)
{
	return (struct xfs_printer){ db_sink(db), db_top(db)->crc };
}

/* All paths are resolved before the first one is printed. */
static void print_fields(struct db *db, int argc, char **argv, struct xfs_place top)
{
	struct xfs_path *paths = calloc((size_t)argc, sizeof(*paths));
	struct xfs_printer how = printer(db);
	struct xfs_ctx c = db_ctx(db);
	struct xfs_path_error why;

	if (!paths)
		return;
	for (int i = 1; i < argc; i++)
		if (xfs_path_parse(&c, top, argv[i], &paths[i], &why)) {
			db_out(db, "%s\n", why.text);
			goto out;
		}
	for (int i = 1; i < argc; i++)
		xfs_print_path(&c, top, &paths[i], &how);
out:
	free(paths);
}

void db_run_print(struct db *db, int argc, char **argv)
{
	struct db_level *l = db_top(db);
	const struct xfs_blocktype *t = l->at.type;
	bool v5 = db->fs->geo.v5;
	struct xfs_printer how;
	struct xfs_ctx c;

	if (!t || !l->buf) {
		db_out(db, "no current type\n");
		return;
	}
	if (argc > 1 && strcmp(argv[1], "-j") == 0) {
		db_print_json(db, argc - 2, argv + 2);
		return;
	}
	how = printer(db);
	c = db_ctx(db);
	switch (xfs_blocktype_show(t, v5)) {
	case XW_FIELDS:
		if (argc > 1)
			print_fields(db, argc, argv, (struct xfs_place){ xfs_blocktype_desc(t, v5), 0 });
		else
			xfs_print_all(&c, (struct xfs_place){ xfs_blocktype_desc(t, v5), 0 }, &how);
		break;
	case XW_DATA:
		xfs_print_data(c.p, c.len, &how);
		break;
	case XW_TEXT:
		xfs_print_text(c.p, c.len, &how);
		break;
	case XW_STRING:
		xfs_print_string(c.p, strnlen((const char *)c.p, c.len), &how);
		db_out(db, "\n");
		break;
	case XW_NOTHING:
		db_out(db, "no print function for type %s\n", xfs_blocktype_name(t, v5));
		break;
	}
}

static void list_types(struct db *db)
{
	bool v5 = db->fs->geo.v5;
	unsigned n = 0;

	if (db_top(db)->at.type)
		db_out(db, "current type is \"%s\"\n", xfs_blocktype_name(db_top(db)->at.type, v5));
	else
		db_out(db, "no current type\n");
	db_out(db, "\n supported types are:\n ");
	for (const struct xfs_blocktype *t = xfs_blocktypes; t->type != XT_NONE; t++) {
		if (!xfs_blocktype_name(t, v5))
			continue;
		if (n)
			db_out(db, n % 8 ? ", " : ", \n ");
		db_out(db, "%s", xfs_blocktype_name(t, v5));
		n++;
	}
	db_out(db, "\n");
}

void db_run_type(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct db_place p = db_top(db)->at;
	const struct xfs_blocktype *t;
	uint32_t bytes;

	if (argc == 1) {
		list_types(db);
		return;
	}
	t = xfs_blocktype_named(argv[1], g->v5);
	if (!t) {
		db_out(db, "no such type %s\n", argv[1]);
		return;
	}
	if (!db_top(db)->buf) {
		db_out(db, "no current object\n");
		return;
	}
	/* the inode here, or the first one of the block */
	if (t->type == XT_INODE && !(p.type && p.type->type == XT_INODE)) {
		uint64_t byte = xfs_round_down(p.daddr * XFS_BBSIZE, g->blocksize) + p.off;
		xfs_agno_t agno;
		xfs_agbno_t agbno;

		xfs_daddr_ag(g, XFS_DADDR(byte / XFS_BBSIZE), &agno, &agbno);
		db_go_inode(db, xfs_ino_of(g, agno, XFS_AGINO((uint64_t)agbno.v << g->inopblog |
							      byte % g->blocksize / g->inodesize)).v, true);
		return;
	}
	bytes = db_type_bytes(db, t);
	p.type = t;
	if (bytes != p.len) {
		p.nmap = p.nmap > 1 && bytes == p.bbs * XFS_BBSIZE ? p.nmap : 0;
		p.len = bytes;
		p.bbs = (unsigned)xfs_ceil_div(p.off + bytes, XFS_BBSIZE);
	}
	db_go(db, &p, true);
}
