/* SPDX-License-Identifier: BSD-2-Clause */
/* dir.c - the form of a directory, and all its entries in order. */
#include "libxfs/name/dir.h"

#define AHEAD 16u			/* data blocks read ahead together */

int xfs_dir_open(struct xfs_dir *d, const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	const struct xfs_geometry *g = &ip->fs->geo;
	struct xfs_extent last;
	uint64_t end;
	int err;

	memset(d, 0, sizeof(*d));
	d->ip = ip;
	d->sink = sink;
	d->leafblk = XFS_DIR_LEAF_OFFSET >> g->blocklog;
	d->freeblk = XFS_DIR_FREE_OFFSET >> g->blocklog;
	if (!xfs_inode_is_dir(ip))
		return -XFS_E_NOTDIR;
	err = xfs_ifork_init(&d->f, ip, XFS_FORK_DATA);
	d->f.sink = sink;
	if (err)
		return err;
	if (d->f.format == XFS_DINODE_FMT_LOCAL)
		return 0;
	err = xfs_ifork_last(&d->f, &last);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	end = last.off + last.len;
	if (end == g->dirblkfsbs)
		d->form = ip->d.core.size == g->dirblksize ? XFS_DIR_BLOCK : XFS_DIR_ODD;
	else if (end == d->leafblk + g->dirblkfsbs)
		d->form = XFS_DIR_LEAF;
	else
		d->form = end > d->leafblk + g->dirblkfsbs ? XFS_DIR_NODE : XFS_DIR_ODD;
	return 0;
}

struct xfs_finding xfs_dir_finding(const struct xfs_dir *d, enum xfs_finding_id id, uint64_t db)
{
	struct xfs_finding f = xfs_inode_finding(d->ip, id, NULL);

	f.structure = "directory";
	if (db != XFS_NULL64)
		f.fileoff = db << d->ip->fs->geo.sb.dirblklog;
	return f;
}

/* ---- blocks ---- */

int xfs_dir_get_data(struct xfs_dir *d, uint64_t db, struct xfs_buf **out, uint32_t *end)
{
	const struct xfs_geometry *g = &d->ip->fs->geo;
	int err = xfs_ifork_get(&d->f, db << g->sb.dirblklog, g->dirblkfsbs, XFS_BLK_DIR_ANYDATA, out);

	if (!err)
		*end = xfs_dir_data_end((*out)->data, g->v5, g->dirblksize);
	return err;
}

int xfs_dir_next_data(struct xfs_dir *d, uint64_t *db)
{
	unsigned shift = d->ip->fs->geo.sb.dirblklog;
	struct xfs_extent e;
	int err = xfs_ifork_lookup(&d->f, *db << shift, &e);

	if (err)
		return err;
	if (e.off >= d->leafblk)
		return -XFS_E_NOENT;
	if (e.off >> shift > *db)
		*db = e.off >> shift;
	return 0;
}

/* ---- all entries ---- */

struct walk {
	struct xfs_dir *d;
	uint32_t from;
	xfs_dir_fn fn;
	void *payload;
	int err;			/* first damage */
	bool stopped;
};

static void damage(struct walk *w, int err, enum xfs_finding_id id, uint64_t db, uint32_t off, const char *what)
{
	struct xfs_finding f = xfs_dir_finding(w->d, id, db);

	f.found = off;
	f.field = "offset";
	xfs_finding_detail(&f, "%s", what);
	xfs_finding_emit(w->d->sink, &f);
	w->err = w->err ? w->err : err;
}

/* Hands out one item that its block vouches for. */
static int hand_out(struct walk *w, const struct xfs_dir_item *it, uint64_t db)
{
	const struct xfs_geometry *g = &w->d->ip->fs->geo;
	uint64_t cookie = (db * g->dirblksize + it->off) / XFS_DIR_ALIGN;
	const char *problem = xfs_dir_entry_problem(g, it);
	struct xfs_dir_entry e = { it->name, it->namelen, it->ftype, XFS_INO(it->ino), (uint32_t)cookie };
	int err;

	if (cookie < w->from)
		return 0;
	if (problem) {
		damage(w, -XFS_E_CORRUPT, XFS_F_DIR_ENTRY, db, it->off, problem);
		return 0;
	}
	err = w->fn(w->payload, &e);
	w->stopped = err != 0;
	return err;
}

static int each_short(struct walk *w)
{
	const struct xfs_geometry *g = &w->d->ip->fs->geo;
	struct xfs_dir_item it = { .used = true };
	struct xfs_dir_sf sf;
	int err = xfs_dir_sf_start(&sf, w->d->f.bytes, (uint32_t)xfs_min(w->d->ip->d.core.size, w->d->f.len)), more;

	if (err) {
		damage(w, err, XFS_F_DIR_SHORT, XFS_NULL64, 0, "there is no room for a header");
		return 0;
	}
	it.off = xfs_dir_data_header_len(g->v5);
	it.ftype = g->ftype ? XFS_DIR_FT_DIR : 0;
	it.ino = w->d->ip->ino.v;
	it.name = (const uint8_t *)"..";
	it.namelen = 1;
	err = hand_out(w, &it, 0);
	it.off += 16;
	it.ino = sf.parent;
	it.namelen = 2;
	if (!err)
		err = hand_out(w, &it, 0);
	while (!err && (more = xfs_dir_sf_next(g, &sf, &it))) {
		if (more < 0) {
			damage(w, more, XFS_F_DIR_SHORT, XFS_NULL64, sf.at, "the entry here does not fit");
			break;
		}
		err = hand_out(w, &it, 0);
	}
	return err;
}

static int each_in_block(struct walk *w, uint64_t db)
{
	const struct xfs_geometry *g = &w->d->ip->fs->geo;
	uint32_t off = xfs_dir_data_header_len(g->v5), end;
	struct xfs_dir_item it;
	struct xfs_buf *b;
	int err = xfs_dir_get_data(w->d, db, &b, &end), more;

	if (err) {
		struct xfs_finding f = xfs_dir_finding(w->d, XFS_F_BLOCK_IO, db);

		xfs_finding_detail(&f, "data block: %s", xfs_error_text(err));
		xfs_finding_emit(w->d->sink, &f);
		w->err = w->err ? w->err : err;
		return err == -XFS_E_NOMEM ? err : 0;
	}
	while (!err && (more = xfs_dir_data_next(g, b->data, end, &off, &it))) {
		if (more < 0) {
			damage(w, more, XFS_F_DIR_TILING, db, off, "what is here is no entry");
			break;
		}
		if (it.used)
			err = hand_out(w, &it, db);
	}
	xfs_buf_put(b);
	return err;
}

static void read_ahead(struct xfs_dir *d, uint64_t db)
{
	const struct xfs_geometry *g = &d->ip->fs->geo;
	uint64_t offs[AHEAD];

	for (unsigned i = 0; i < AHEAD; i++)
		offs[i] = (db + i) << g->sb.dirblklog;
	xfs_ifork_readahead(&d->f, offs, AHEAD, g->dirblkfsbs);
}

static int each_data(struct walk *w)
{
	const struct xfs_geometry *g = &w->d->ip->fs->geo;
	uint64_t db = (uint64_t)w->from * XFS_DIR_ALIGN / g->dirblksize, seen = 0;
	int err = 0;

	/* no directory has more blocks than the filesystem: a map that sends us over the same ones again ends there */
	for (; !err && seen <= g->dblocks / g->dirblkfsbs; seen++, db++) {
		err = xfs_dir_next_data(w->d, &db);
		if (err == -XFS_E_NOENT)
			return 0;
		if (err) {
			w->err = w->err ? w->err : err;
			return err == -XFS_E_NOMEM ? err : 0;
		}
		if (seen % AHEAD == 0 && w->d->form != XFS_DIR_BLOCK)
			read_ahead(w->d, db);
		err = each_in_block(w, db);
	}
	if (!err)
		w->err = w->err ? w->err : -XFS_E_CORRUPT;
	return err;
}

int xfs_dir_each(struct xfs_dir *d, uint32_t from, xfs_dir_fn fn, void *payload)
{
	struct walk w = { .d = d, .from = from, .fn = fn, .payload = payload };
	int err = d->form == XFS_DIR_SHORT ? each_short(&w) : each_data(&w);

	return err ? err : w.err;
}
