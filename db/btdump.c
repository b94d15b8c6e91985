/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btdump.c - all blocks of a tree from a root downwards, level by level.
 *
 * From a block in the middle of a level the blocks to its right belong to the dump too; below that level all blocks
 * are found through their parents, so that broken neighbours hide nothing.  Blocks are shown whatever they hold.
 */
#include "db/report.h"

#include "libxfs/base/grow.h"
#include "libxfs/btree/ptrset.h"
#include "libxfs/ondisk/print_json.h"

#include <stdlib.h>
#include <unistd.h>

#define BATCH_BYTES ((size_t)1 << 20)
#define BATCH_BLOCKS 256u
#define HERE XFS_NULL64			/* the block at the cursor */

enum form { SHORT, LONG, DA };		/* pointers are agbnos, fsbnos, blocks of a file */

struct queue {
	uint64_t *p;
	size_t n, room;
};

struct dump {
	struct db *db;
	const struct xfs_blocktype *type;
	const char *name;		/* of the type */
	enum form form;
	bool nodes;			/* show them */
	struct xfs_json *json;		/* NULL: text */
	struct xfs_place top;		/* table of the blocks */
	struct xfs_ctx c;
	uint32_t agno;			/* SHORT */
	struct xfs_ifork *fork;		/* DA */
	uint32_t bytes;			/* of a block */
	size_t batch;
	struct queue now, below;
	struct xfs_ptrset met;
	struct db_place *places;	/* of a batch */
	struct xfs_iovec *vecs;
	uint8_t *buf;
};

static void complain(struct dump *d, const char *what, uint64_t ptr)
{
	fprintf(stderr, "%s: btdump: %s %llu\n", d->db->prog, what, (unsigned long long)ptr);
}

/* Each block once: so a queue is never longer than the device has blocks. */
static int queue_add(struct dump *d, struct queue *q, uint64_t ptr)
{
	bool had = false;
	int err = ptr == HERE ? 0 : xfs_ptrset_add(&d->met, ptr, &had);

	if (had)
		complain(d, "more than one way leads to block", ptr);
	if (err || had)
		return err;
	if (xfs_grow(&q->p, q->n, &q->room, 64))
		return -XFS_E_NOMEM;
	q->p[q->n++] = ptr;
	return 0;
}

/* ---- fields by name ---- */

static bool field(const struct xfs_ctx *c, struct xfs_place top, const char *name, uint64_t *v)
{
	struct xfs_path path;
	struct xfs_path_error why;

	return xfs_path_parse(c, top, name, &path, &why) == 0 && xfs_field_get(c, &path, v) == 0;
}

/* The level that a block claims; leaves of directories and attributes do not store one. */
static uint64_t level_of(const struct dump *d)
{
	uint64_t v = 0;

	if (d->form != DA)
		field(&d->c, d->top, "level", &v);
	else if (!field(&d->c, d->top, "nhdr.level", &v))
		field(&d->c, d->top, "hdr.level", &v);
	return v;
}

static uint64_t right_of(const struct dump *d)
{
	static const char *const names[] = { "lhdr.info.hdr.forw", "lhdr.info.forw", "nhdr.info.hdr.forw",
					     "nhdr.info.forw",
		"hdr.info.hdr.forw", "hdr.info.forw" };
	uint64_t v = 0;

	if (d->form != DA) {
		field(&d->c, d->top, "rightsib", &v);
		return d->form == SHORT && v == XFS_NULL32 ? XFS_NULL64 : v;
	}
	for (size_t i = 0; i < XFS_ARRAY_SIZE(names); i++)
		if (field(&d->c, d->top, names[i], &v))
			break;
	return v ? v : XFS_NULL64;
}

/* Adds the children that a node or a root in an inode has. */
static int add_children(struct dump *d, const struct xfs_ctx *c, struct xfs_place top, const char *name)
{
	struct xfs_path path;
	struct xfs_path_error why;
	struct xfs_place elem;
	struct xfs_elems e;
	int err = 0;

	if (xfs_path_parse(c, top, name, &path, &why))
		return 0;
	xfs_elems_start(&e, c, path.last, path.steps[path.nsteps - 1].row, 0);
	while (!err && xfs_elems_next(&e, c, path.last, path.steps[path.nsteps - 1].row, &elem)) {
		const struct xfs_row *row = d->form == DA ? xfs_row_find(c, elem, "before", 6) : elem.desc->rows;

		if (row)
			err = queue_add(d, &d->below, xfs_row_value(c, elem, row));
	}
	return err;
}

static const char *children_name(const struct dump *d)
{
	return d->form != DA ? "ptrs" : d->type->type == XT_ATTR ? "btree" : "nbtree";
}

/* ---- one block ---- */

static void show_fields(struct dump *d, const struct xfs_ctx *c, struct xfs_place top, const char *const *names,
			enum xfs_crc_state crc)
{
	struct xfs_printer how = { db_sink(d->db), crc };
	struct xfs_path path;
	struct xfs_path_error why;

	for (; *names; names++) {
		const char *last = strrchr(*names, '.');

		if (xfs_path_parse(c, top, *names, &path, &why))
			d->json ? xfs_json_string(d->json, "error", why.text) : db_out(d->db, "%s\n", why.text);
		else if (d->json)
			xfs_json_path(d->json, c, &path, last ? last + 1 : *names, crc);
		else
			xfs_print_path(c, top, &path, &how);
	}
}

static void show_block(struct dump *d, unsigned level, uint64_t nth, const struct db_place *p, enum xfs_crc_state crc)
{
	static const char *const records[] = { "recs", NULL }, *const keys[] = { "keys", "ptrs", NULL };
	static const char *const lents[] = { "lents", NULL }, *const nbtree[] = { "nbtree", NULL };
	static const char *const attrs[] = { "entries", "nvlist", NULL }, *const btree[] = { "btree", NULL };
	const char *const *names = d->form != DA ? level ? keys : records :
		d->type->type == XT_ATTR ? level ? btree : attrs : level ? nbtree : lents;

	if (d->json) {
		xfs_json_object(d->json, NULL);
		xfs_json_string(d->json, "type", d->name);
		xfs_json_u64(d->json, "level", level);
		xfs_json_u64(d->json, "block", nth);
		xfs_json_u64(d->json, "daddr", p->daddr);
	} else {
		db_out(d->db, "%s level %u block %llu daddr %llu\n", d->name, level, (unsigned long long)nth,
		       (unsigned long long)p->daddr);
	}
	show_fields(d, &d->c, d->top, names, crc);
	if (d->json)
		xfs_json_object_end(d->json);
}

/* `data` is the nth block of its level. Its right neighbour is taken on when `chain`. */
static int do_block(struct dump *d, unsigned level, uint64_t nth, const struct db_place *p, const uint8_t *data,
		    bool chain)
{
	bool here = chain && nth == 1;	/* at the cursor: was verified when it was read */
	enum xfs_crc_state crc = here ? db_top(d->db)->crc : db_judge(d->db, p, data);
	uint64_t right;
	int err = 0;

	d->c.p = data;
	d->c.len = p->len;
	if (level == 0 || d->nodes)
		show_block(d, level, nth, p, crc);
	if (level && level_of(d) == level)
		err = add_children(d, &d->c, d->top, children_name(d));
	right = chain ? right_of(d) : XFS_NULL64;
	return err || right == XFS_NULL64 ? err : queue_add(d, &d->now, right);
}

/* ---- reading ---- */

static bool place_of(struct dump *d, uint64_t ptr, struct db_place *p)
{
	const struct xfs_geometry *g = &d->db->fs->geo;
	uint64_t agno = d->form == SHORT ? d->agno : ptr >> g->agblklog;
	uint64_t agbno = d->form == SHORT ? ptr : ptr & ((UINT64_C(1) << g->agblklog) - 1);

	*p = db_place_new(d->db, (enum xfs_type)d->type->type, 0, d->bytes);
	if (d->form == DA)
		return db_map_file(d->db, d->fork, ptr, d->bytes >> g->blocklog, p);
	if (agno >= g->agcount || agbno >= xfs_ag_length(g, XFS_AGNO(agno)))
		return false;
	p->daddr = xfs_agbno_daddr(g, XFS_AGNO(agno), XFS_AGBNO(agbno)).v;
	return true;
}

/* Vectors of one block into `to`; how many. */
static size_t vectors_of(const struct db_place *p, uint8_t *to, struct xfs_iovec *v)
{
	size_t n = 0;

	if (p->nmap <= 1) {
		v[0] = (struct xfs_iovec){ .off = p->daddr * XFS_BBSIZE, .len = (size_t)p->bbs * XFS_BBSIZE,
					   .buf = to };
		return 1;
	}
	for (; n < p->nmap; n++) {
		v[n] = (struct xfs_iovec){ .off = p->map[n].daddr * XFS_BBSIZE,
					   .len = (size_t)p->map[n].bbs * XFS_BBSIZE, .buf = to };
		to += v[n].len;
	}
	return n;
}

/* Reads the blocks of pointers from `first` on, as many as one batch takes; sets bbs to 0 for what there is not. */
static void read_batch(struct dump *d, size_t first, size_t n)
{
	size_t vecs = 0;

	for (size_t i = 0; i < n; i++) {
		struct db_place *p = &d->places[i];
		uint64_t ptr = d->now.p[first + i];

		if (ptr == HERE) {
			*p = db_top(d->db)->at;
			memcpy(d->buf + i * d->bytes, db_top(d->db)->buf + p->off, (size_t)xfs_min(d->bytes, p->len));
		} else if (place_of(d, ptr, p)) {
			vecs += vectors_of(p, d->buf + i * d->bytes, d->vecs + vecs);
		} else {
			p->bbs = 0;
		}
	}
	if (vecs && xfs_dev_readv(d->db->dev.data, d->vecs, vecs))	/* bad sectors are read as zeroes */
		for (size_t i = 0; i < vecs; i++)
			if (d->vecs[i].error)
				fprintf(stderr, "%s: can't read block %llu: %s\n", d->db->prog,
					(unsigned long long)(d->vecs[i].off / XFS_BBSIZE),
					xfs_error_text(d->vecs[i].error));
}

static int do_level(struct dump *d, unsigned level, bool chain)
{
	uint64_t nth = 0;
	int err = 0;

	for (size_t i = 0, n; i < d->now.n && !err; i += n) {
		n = (size_t)xfs_min(chain ? 1 : d->batch, d->now.n - i);
		read_batch(d, i, n);
		for (size_t k = 0; k < n && !err; k++) {
			nth++;
			if (d->places[k].bbs)
				err = do_block(d, level, nth, &d->places[k], d->buf + k * d->bytes, chain);
			else
				complain(d, "there is no block", d->now.p[i + k]);
		}
	}
	return err;
}

/* ---- whole trees ---- */

static void free_dump(struct dump *d)
{
	free(d->now.p);
	free(d->below.p);
	free(d->places);
	free(d->vecs);
	free(d->buf);
	xfs_ptrset_release(&d->met);
}

/* Shows all blocks in d->now, which are of `level`, and those below. */
static int do_tree(struct dump *d, uint64_t level, bool chain)
{
	bool v5 = d->db->fs->geo.v5;
	int err = 0;

	d->name = xfs_blocktype_name(d->type, v5);
	d->top = (struct xfs_place){ xfs_blocktype_desc(d->type, v5), 0 };
	d->batch = (size_t)xfs_max(1, xfs_min(BATCH_BLOCKS, BATCH_BYTES / d->bytes));
	d->places = malloc(d->batch * sizeof(*d->places));
	d->vecs = malloc(d->batch * (d->form == DA ? d->bytes / XFS_BBSIZE : 1) * sizeof(*d->vecs));
	d->buf = malloc(d->batch * d->bytes);
	if (!d->places || !d->vecs || !d->buf)
		return -XFS_E_NOMEM;
	if (level > XFS_BTREE_MAXLEVELS) {
		complain(d, "no tree has level", level);
		return 0;
	}
	for (;;) {
		struct queue done;

		err = do_level(d, (unsigned)level, chain);
		if (err || level-- == 0)
			return err;
		done = d->now;
		d->now = d->below;
		d->below = (struct queue){ done.p, 0, done.room };
		chain = false;
	}
}

/* The tree whose root is in the inode at the cursor. */
static int dump_fork(struct dump *d, bool attr)
{
	static const char *const roots[][3] = { { "u3.bmbt", "u3.bmbt.keys", "u3.bmbt.ptrs" },
		{ "u.bmbt", "u.bmbt.keys", "u.bmbt.ptrs" }, { "a.bmbt", "a.bmbt.keys", "a.bmbt.ptrs" },
		{ "u3.rtrmapbt", "u3.rtrmapbt.keys", "u3.rtrmapbt.ptrs" },
		{ "u3.rtrefcbt", "u3.rtrefcbt.keys", "u3.rtrefcbt.ptrs" } };
	static const enum xfs_type types[] = { XT_BMAPBTD, XT_BMAPBTD, XT_BMAPBTA, XT_RTRMAPBT, XT_RTREFCBT };
	static const char *const leaves[][2] = { [3] = { "u3.rtrmapbt.recs" }, [4] = { "u3.rtrefcbt.recs" } };
	struct xfs_ctx c = db_ctx(d->db);
	struct xfs_place top = { xfs_blocktype_desc(db_top(d->db)->at.type, c.v5), 0 };
	uint64_t level = 0;
	char name[32];

	for (size_t i = 0; i < XFS_ARRAY_SIZE(roots); i++) {
		const char *const inner[] = { roots[i][1], roots[i][2], NULL };

		snprintf(name, sizeof(name), "%s.level", roots[i][0]);
		if ((types[i] == XT_BMAPBTA) != attr || !field(&c, top, name, &level))
			continue;
		d->type = xfs_blocktype_of(types[i]);
		d->form = LONG;
		d->bytes = d->db->fs->geo.blocksize;
		if (level == 0 || d->nodes) {
			if (d->json)
				xfs_json_object(d->json, NULL);
			show_fields(d, &c, top, level || !leaves[i][0] ? inner : leaves[i], db_top(d->db)->crc);
			if (d->json)
				xfs_json_object_end(d->json);
		}
		if (level == 0 || add_children(d, &c, top, roots[i][2]))
			return level ? -XFS_E_NOMEM : 0;
		d->now = d->below;
		d->below = (struct queue){ NULL, 0, 0 };
		return do_tree(d, level - 1, false);
	}
	db_out(d->db, "%s fork not in btree format\n", attr ? "attr" : "data");
	return 0;
}

/* The tree of a directory or of attributes, of which the block at the cursor is a part. */
static int dump_da(struct dump *d)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct db_level *l = db_top(d->db);
	bool attr = l->at.type->type == XT_ATTR;
	struct xfs_ifork f;
	int err = -XFS_E_NOMEM;

	if (!ip)
		return err;
	if (l->at.ino == XFS_NULL64 ||
	    xfs_inode_read(d->db->fs, XFS_INO(l->at.ino), XFS_INODE_NOCHECK, ip) ||
	    xfs_ifork_init(&f, ip, attr ? XFS_FORK_ATTR : XFS_FORK_DATA)) {
		db_out(d->db, "no current inode\n");
		err = 0;
	} else {
		d->fork = &f;
		err = queue_add(d, &d->now, HERE);
		if (!err)
			err = do_tree(d, level_of(d), true);
	}
	free(ip);
	return err;
}

/* Leaf or node, not one of the other blocks of a directory or a remote value. */
static bool is_da_block(const struct dump *d)
{
	static const char *const heads[] = { "lhdr", "nhdr", "hdr.info" };
	struct xfs_path path;
	struct xfs_path_error why;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(heads); i++)
		if (xfs_path_parse(&d->c, d->top, heads[i], &path, &why) == 0)
			return true;
	return false;
}

static int dump_here(struct dump *d, bool attr)
{
	struct db_level *l = db_top(d->db);
	const struct xfs_geometry *g = &d->db->fs->geo;
	bool v5 = g->v5;
	xfs_agno_t agno;
	xfs_agbno_t agbno;
	int err;

	d->type = l->at.type;
	d->c = db_ctx(d->db);
	if (d->type->type == XT_INODE)
		return dump_fork(d, attr);
	d->top = (struct xfs_place){ xfs_blocktype_desc(d->type, v5), 0 };
	d->bytes = l->at.len;
	xfs_daddr_ag(g, XFS_DADDR(l->at.daddr), &agno, &agbno);
	d->agno = agno.v;
	switch (d->type->type) {
	case XT_BNOBT: case XT_CNTBT: case XT_INOBT: case XT_FINOBT: case XT_RMAPBT: case XT_REFCBT:
		d->form = SHORT;
		break;
	case XT_BMAPBTA: case XT_BMAPBTD: case XT_RTRMAPBT: case XT_RTREFCBT:
		d->form = LONG;
		break;
	case XT_DIR: case XT_ATTR:
		d->form = DA;
		break;
	default:
		db_out(d->db, "type \"%s\" is not a btree type or inode\n", xfs_blocktype_name(d->type, v5));
		return 0;
	}
	if (attr) {
		db_out(d->db, "attrfork flag doesn't apply here\n");
		return 0;
	}
	if (d->form != DA) {
		bool had;

		err = xfs_ptrset_add(&d->met, d->form == SHORT ? agbno.v : xfs_fsbno_of(g, agno, agbno).v, &had);
		if (!err)
			err = queue_add(d, &d->now, HERE);
		return err ? err : do_tree(d, level_of(d), true);
	}
	if (is_da_block(d))
		return dump_da(d);
	db_out(d->db, "Current location is not part of a dir/attr btree.\n");
	return 0;
}

void db_run_btdump(struct db *db, int argc, char **argv)
{
	struct dump d = { .db = db };
	struct xfs_json json;
	bool attr = false;
	int opt, err;

	if (!db_top(db)->at.type || !db_top(db)->buf) {
		db_out(db, "no current type\n");
		return;
	}
	optind = 0;
	while ((opt = getopt(argc, argv, "aij")) != -1) {
		switch (opt) {
		case 'a': attr = true; break;
		case 'i': d.nodes = true; break;
		case 'j': d.json = &json; break;
		default:
			db_out(db, "bad option for btdump command\n");
			return;
		}
	}
	if (optind != argc) {
		db_out(db, "bad options for btdump command\n");
		return;
	}
	if (d.json)
		db_json_start(db, d.json);
	err = dump_here(&d, attr);
	if (d.json)
		db_json_end(db, d.json);
	if (err)
		db_out(db, "%s\n", xfs_error_text(err));
	free_dump(&d);
}
