/* SPDX-License-Identifier: BSD-2-Clause */
/* addr.c - follows the field of the current object that holds an address. */
#include "db/db.h"

/* The number that a path leads to, going down to the first field of structures. */
struct target {
	const struct xfs_row *named;	/* the row that messages name */
	const struct xfs_row *row;	/* of the number */
	struct xfs_place in;
};

static void descend(const struct xfs_ctx *c, const struct xfs_path *path, struct target *t)
{
	const struct xfs_path_step *step = &path->steps[path->nsteps - 1];
	size_t k = (size_t)(step->low - step->row->to);

	*t = (struct target){ step->row, step->row, path->last };
	for (unsigned depth = 0; t->row->kind == XR_ARRAY && depth < XFS_PATH_DEPTH; depth++) {
		struct xfs_place elem = { t->row->elem, t->row->at(c, t->in.off, k) };
		bool scalar = t->row->order & XA_SCALAR;
		const struct xfs_row *found = NULL;

		if (t->row->order & XA_REC)	/* records lead nowhere as a whole */
			break;
		for (uint32_t r = 0; r < elem.desc->nrows && !found; r++)
			if (xfs_place_valid(c, elem) && !xfs_row_is_hidden(&elem.desc->rows[r]) &&
			    xfs_row_count(c, elem, &elem.desc->rows[r]))
				found = &elem.desc->rows[r];
		if (!found)
			break;
		t->named = scalar ? t->row : found;
		t->row = found;
		t->in = elem;
		k = 0;
	}
}

static bool need_agno(struct db *db)
{
	if (db->agno != XFS_NULL32)
		return true;
	db_out(db, "no current allocation group, cannot set new addr\n");
	return false;
}

static void follow_inode(struct db *db, const struct xfs_row *row, uint64_t v)
{
	bool in_ag = (row->fmt & XF_MASK) != XF_INO;

	if (v == (row->bits == 32 ? UINT32_MAX : UINT64_MAX))
		db_out(db, "null inode number, cannot set new addr\n");
	else if (!in_ag || need_agno(db))
		db_go_inode(db, in_ag ? xfs_ino_of(&db->fs->geo, XFS_AGNO(db->agno), XFS_AGINO(v)).v : v, false);
}

/* Block of a directory or of attributes, by its number in the file. */
static void follow_fileblock(struct db *db, enum xfs_type here, enum xfs_type to, uint64_t v)
{
	bool attr = here == XT_ATTR || to == XT_ATTR;

	if (!v)
		db_out(db, "null %s block number, cannot set new addr\n", attr ? "attribute" : "directory");
	else
		db_go_fileblock(db, attr ? XFS_FORK_ATTR : XFS_FORK_DATA, v, attr ? XT_ATTR : here,
				attr ? "attribute block" : "directory block");
}

/* Extents of an inode: which fork the path goes through decides. */
static enum xfs_type extent_type(struct db *db, enum xfs_type here, const struct xfs_path *path)
{
	bool attr = here == XT_BMAPBTA || (here == XT_INODE && strcmp(path->steps[0].row->name, "a") == 0);

	return attr ? XT_ATTR : db_data_type(db);
}

/* In the last component a range is its first element. */
static bool has_range(const struct xfs_path *path)
{
	for (unsigned i = 0; i + 1 < path->nsteps; i++)
		if (path->steps[i].ranged)
			return true;
	return false;
}

/* V4 has fields that would lead to types that it does not have. */
static bool leads_anywhere(struct db *db, enum xfs_type to)
{
	const struct xfs_blocktype *t = to == XT_NONE || to == XT_SELF ? NULL : xfs_blocktype_of(to);

	return to == XT_SELF || (t && xfs_blocktype_name(t, db->fs->geo.v5));
}

static void follow(struct db *db, const struct xfs_ctx *c, const struct xfs_path *path, const struct target *t)
{
	enum xfs_type here = (enum xfs_type)db_top(db)->at.type->type;
	enum xfs_type to = (enum xfs_type)t->row->to;
	uint64_t v = t->row->kind == XR_ARRAY ? 0 : xfs_row_value(c, t->in, t->row);

	if (t->row->kind == XR_ARRAY || !leads_anywhere(db, to)) {
		db_out(db, "no next type for field %.*s\n", (int)xfs_row_label_len(t->named), t->named->name);
	} else if (has_range(path)) {
		db_out(db, "array not allowed for addr command\n");
	} else if (to == XT_INODE) {
		follow_inode(db, t->row, v);
	} else if (here == XT_DIR || here == XT_ATTR) {
		follow_fileblock(db, here, to, v);
	} else if (t->row->bits == 32 ? v == UINT32_MAX : v == UINT64_MAX || ((t->row->fmt & XF_MASK) == XF_FSB &&
		   t->row->bits == 52 && v == (UINT64_C(1) << 52) - 1)) {
		db_out(db, "null block number, cannot set new addr\n");
	} else if ((t->row->fmt & XF_MASK) == XF_FSB) {
		db_go_fsblock(db, v, to == XT_SELF ? here : to == XT_INODATA ? extent_type(db, here, path) : to);
	} else if (need_agno(db)) {
		if (t->row->bits == 32 && (t->row->fmt & XF_MASK) == XF_AGBZ && here == XT_AGFL && v == 0)
			db_out(db, "null block number, cannot set new addr\n");
		else
			db_go_agblock(db, (uint32_t)v, to == XT_SELF ? here : to);
	}
}

void db_run_addr(struct db *db, int argc, char **argv)
{
	struct db_level *l = db_top(db);
	struct xfs_path_error why;
	struct xfs_path path;
	struct xfs_place top;
	struct target t;
	struct xfs_ctx c;

	if (argc == 1) {
		db_out(db, "current\n");
		db_place_show(db, &l->at);
		return;
	}
	if (!l->at.type || !l->buf) {
		db_out(db, "no current type\n");
		return;
	}
	top = (struct xfs_place){ xfs_blocktype_desc(l->at.type, db->fs->geo.v5), 0 };
	if (!top.desc) {
		db_out(db, "no fields for type %s\n", xfs_blocktype_name(l->at.type, db->fs->geo.v5));
		return;
	}
	c = db_ctx(db);
	if (xfs_path_parse(&c, top, argv[1], &path, &why)) {
		db_out(db, "%s\n", why.text);
		return;
	}
	descend(&c, &path, &t);
	follow(db, &c, &path, &t);
}
