/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lost.c - what goes with a log, or a part of it, that is thrown away: inodes that have changes in it, and names.
 *
 * The log is replayed above the device; directories that it touches are read with and without it.
 */
#include "repair/logrun.h"
#include "repair/partial.h"

#include "libxfs/base/grow.h"
#include "libxfs/log/transactions.h"
#include "libxfs/name/path.h"
#include "libxfs/recovery/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#define MOST_LINES 200u		/* of inodes and of names, without -v */

struct name {
	uint64_t ino;
	uint8_t len, bytes[XFS_DIR_NAME_MAX];
};

struct names {
	struct name *n;
	size_t count, room;
};

/* How changes are spoken of: of inodes and names that are there with them alone, or without them alone. */
struct verbs {
	const char *new, *old, *changed;
};
static const struct verbs is_lost = { "is lost", "comes back", "are lost" };
static const struct verbs is_kept = { "is kept", "is gone", "are kept" };

struct lost {
	struct repair *r;
	const struct verbs *verbs;
	struct xfs_fs *with, *without;		/* the log; `with` NULL: it cannot be replayed */
	uint64_t *inos;
	size_t ninos, room;
	uint64_t inodes, names;			/* said, or left out */
};

/* ---- inodes in the log ---- */

static int add_ino(struct lost *l, uint64_t ino)
{
	if (xfs_grow(&l->inos, l->ninos, &l->room, 256))
		return -XFS_E_NOMEM;
	l->inos[l->ninos++] = ino;
	return 0;
}

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static int add_items(struct lost *l, const struct xfs_log_trans *t)
{
	int error = 0;

	for (size_t i = 0; i < t->nitems && !error; i++) {
		struct xfs_log_inode_item it;

		if (t->items[i].type != XFS_LI_INODE)
			continue;
		xfs_log_inode_load(&it, &t->items[i]);
		error = add_ino(l, it.f.ino);
	}
	return error;
}

/* As far as the log can be read. */
static int collect(struct lost *l, const struct xfs_log_state *state)
{
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	size_t n = 0;
	int error = xfs_log_iter_new(&it, l->without, state, false, NULL);

	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	do {
		error = xfs_log_iter_next(it, &e, NULL);
		if (!error && e.kind == XFS_LOG_EV_TRANS)
			error = add_items(l, e.trans);
	} while (!error);
	xfs_log_iter_free(it);
	if (l->ninos)
		qsort(l->inos, l->ninos, sizeof(*l->inos), by_number);
	for (size_t i = 0; i < l->ninos; i++)
		if (!n || l->inos[n - 1] != l->inos[i])
			l->inos[n++] = l->inos[i];
	l->ninos = n;
	return error == -XFS_E_NOMEM ? error : 0;
}

/* ---- names ---- */

static int add_name(void *payload, const struct xfs_dir_entry *e)
{
	struct names *s = payload;

	if (e->name[0] == '.' && (e->namelen == 1 || (e->namelen == 2 && e->name[1] == '.')))
		return 0;
	if (xfs_grow(&s->n, s->count, &s->room, 64))
		return -XFS_E_NOMEM;
	s->n[s->count] = (struct name){ .ino = e->ino.v, .len = (uint8_t)e->namelen };
	memcpy(s->n[s->count++].bytes, e->name, e->namelen);
	return 0;
}

static int by_name(const void *pa, const void *pb)
{
	const struct name *a = pa, *b = pb;
	int order = memcmp(a->bytes, b->bytes, xfs_min(a->len, b->len));

	if (!order && a->len != b->len)
		order = a->len < b->len ? -1 : 1;
	return order ? order : by_number(&a->ino, &b->ino);
}

/* Entries of a directory; none when it is no directory. */
static int read_names(struct xfs_fs *fs, uint64_t ino, struct names *s)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_dir dir;
	int error = ip ? 0 : -XFS_E_NOMEM;

	if (!error && !xfs_inode_read(fs, XFS_INO(ino), 0, ip) && xfs_inode_is_dir(ip) && !xfs_dir_open(&dir, ip, NULL))
		error = xfs_dir_each(&dir, 0, add_name, s);
	free(ip);
	if (s->count)
		qsort(s->n, s->count, sizeof(*s->n), by_name);
	return error == -XFS_E_NOMEM ? error : 0;
}

/* Bytes that are no plain text become \ooo. */
static void escape(char *to, size_t room, const uint8_t *p, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len && at + 5 < room; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\')
			to[at++] = (char)p[i];
		else
			at += (size_t)snprintf(to + at, room - at, "\\%03o", p[i]);
	}
	to[at] = 0;
}

static bool may_say(const struct lost *l, uint64_t said)
{
	return l->r->verbose || said < MOST_LINES;
}

static void say_name(struct lost *l, const char *dir, const struct name *n, bool added)
{
	char text[3 * XFS_DIR_NAME_MAX];

	if (may_say(l, l->names++)) {
		escape(text, sizeof(text), n->bytes, n->len);
		repair_say(l->r, "        - name %s/%s of inode %" PRIu64 " %s", dir, text, n->ino,
			   added ? l->verbs->new : l->verbs->old);
	}
}

/* Where the directory is, "" for the root. */
static void path_of(struct lost *l, uint64_t ino, char *path, size_t room)
{
	char raw[1024];

	if (xfs_path_of(l->with, XFS_INO(ino), raw, sizeof(raw)) &&
	    xfs_path_of(l->without, XFS_INO(ino), raw, sizeof(raw)))
		snprintf(path, room, "(directory %" PRIu64 ")", ino);
	else
		escape(path, room, (const uint8_t *)raw, strcmp(raw, "/") ? strlen(raw) : 0);
}

static int compare_dir(struct lost *l, uint64_t ino)
{
	struct names with = { .count = 0 }, without = { .count = 0 };
	size_t i = 0, j = 0;
	char path[400];
	int error = read_names(l->with, ino, &with);

	if (!error)
		error = read_names(l->without, ino, &without);
	if (!error && (with.count || without.count))
		path_of(l, ino, path, sizeof(path));
	while (!error && (i < with.count || j < without.count)) {
		int order = i == with.count ? 1 : j == without.count ? -1 : by_name(&with.n[i], &without.n[j]);

		if (order < 0)
			say_name(l, path, &with.n[i], true);
		if (order > 0)
			say_name(l, path, &without.n[j], false);
		i += order <= 0;
		j += order >= 0;
	}
	free(with.n);
	free(without.n);
	return error;
}

/* ---- inodes ---- */

/* False: it is not in use. */
static bool look(struct xfs_fs *fs, uint64_t ino, struct xfs_inode *ip)
{
	return fs && !xfs_inode_read(fs, XFS_INO(ino), 0, ip) && ip->d.core.mode;
}

static void say_inode(struct lost *l, uint64_t ino, const struct xfs_inode *with, const struct xfs_inode *without)
{
	const struct verbs *v = l->verbs;

	if (with && !without)
		repair_say(l->r, "        - inode %" PRIu64 ", size %" PRIu64 ", %s", ino, with->d.core.size, v->new);
	else if (without && l->with && !with)
		repair_say(l->r, "        - inode %" PRIu64 ", size %" PRIu64 ", %s", ino, without->d.core.size,
			   v->old);
	else if (with && v == &is_lost && with->d.core.size != without->d.core.size)
		repair_say(l->r,
			   "        - changes of inode %" PRIu64 " are lost: "
			   "its size goes from %" PRIu64 " back to %" PRIu64, ino, with->d.core.size,
			   without->d.core.size);
	else
		repair_say(l->r, "        - changes of inode %" PRIu64 " %s", ino, v->changed);
}

static int compare_inode(struct lost *l, uint64_t ino)
{
	struct xfs_inode *with = malloc(2 * sizeof(*with));
	bool after, before;

	if (!with)
		return -XFS_E_NOMEM;
	after = look(l->with, ino, with);
	before = look(l->without, ino, with + 1);
	if (may_say(l, l->inodes++))
		say_inode(l, ino, after ? with : NULL, before ? with + 1 : NULL);
	free(with);
	return 0;
}

/* ---- all of it ---- */

static int say_all(struct lost *l)
{
	int error = 0;

	for (size_t i = 0; i < l->ninos && !error && l->with; i++)
		error = compare_dir(l, l->inos[i]);
	for (size_t i = 0; i < l->ninos && !error; i++)
		error = compare_inode(l, l->inos[i]);
	if (!error && !l->r->verbose && (l->inodes > MOST_LINES || l->names > MOST_LINES))
		repair_say(l->r, "        - and more (-v shows all)");
	if (!error)
		repair_say(l->r, "        - changes of %" PRIu64 " inodes and %" PRIu64 " names in all", l->inodes,
			   l->names);
	return error;
}

/* What it will be, if that can be opened: else only what it was is told. */
static int open_with(struct lost *l, const struct xfs_devset *top)
{
	int error = xfs_fs_open(&l->with, top, NULL, NULL);

	return error == -XFS_E_NOMEM ? error : 0;
}

static int open_both(struct lost *l, struct xfs_devset *top, const struct xfs_log_state *state)
{
	struct xfs_recovery rec = { .nintents = 0 };
	int error = repair_open_for_log(l->r, &l->r->dev, &l->without);

	if (!error)
		error = collect(l, state);
	if (!error)
		error = xfs_dev_scratch(&top->data, l->r->dev.data, REPAIR_SCRATCH);
	if (error)
		return error;
	top->log = l->r->dev.log;
	error = xfs_recovery_replay_part(top, state, &rec, NULL);
	xfs_recovery_free(&rec);
	if (!error)
		error = open_with(l, top);
	return error == -XFS_E_NOMEM ? error : 0;
}

static void release(struct lost *l)
{
	xfs_fs_close(l->with);
	xfs_fs_close(l->without);
	free(l->inos);
}

int repair_list_lost(struct repair *r, const struct xfs_log_state *state)
{
	struct xfs_devset top = { .data = NULL };
	struct lost l = { .r = r, .verbs = &is_lost };
	int error = open_both(&l, &top, state);

	if (!error)
		error = say_all(&l);
	release(&l);
	xfs_dev_close(top.data);
	return error;
}

/* ---- both sides of a damage ---- */

/* Onto a device that nobody keeps; what does not fit stays out. */
static int apply(const struct xfs_devset *top, const struct xfs_log_state *part, struct repair_partial *p)
{
	struct xfs_recovery_careful careful = { .log = *part, .payload = p };
	struct xfs_recovery rec = { .nintents = 0 };
	int error;

	careful.may_write = p ? repair_partial_may_write : NULL;
	error = xfs_recovery_replay_careful(top, &careful, &rec, NULL);
	xfs_recovery_free(&rec);
	xfs_recovery_careful_free(&careful);
	return error == -XFS_E_NOMEM ? error : 0;
}

/* What `below` gets with the part: directories and inodes that it touches. */
static int list_before(struct repair *r, struct repair_partial *p, const struct xfs_devset *top)
{
	struct lost l = { .r = r, .verbs = &is_kept };
	int error = repair_open_for_log(r, &r->dev, &l.without);

	if (!error)
		error = collect(&l, &p->parts.before);
	if (!error)
		error = apply(top, &p->parts.before, p);
	if (!error)
		error = open_with(&l, top);
	if (!error)
		error = say_all(&l);
	release(&l);
	return error;
}

/* Each piece that can be read behind the damage, one above the other. */
static int list_behind(struct repair *r, struct repair_partial *p, const struct xfs_devset *below,
		       const struct xfs_devset *top)
{
	struct lost l = { .r = r, .verbs = &is_lost };
	uint32_t bad = p->parts.bad, pieces = 0;
	struct xfs_log_parts piece;
	int error = repair_open_for_log(r, below, &l.without);

	while (!error) {
		error = xfs_log_parts_next(l.without, &p->parts.whole, &bad, &piece);
		if (error)
			break;
		pieces++;
		error = collect(&l, &piece.before);
		if (!error)
			error = apply(top, &piece.before, NULL);
	}
	error = error == -XFS_E_NOENT ? 0 : error;
	if (!error && !pieces)
		repair_say(r, "        - nothing of it can be read");
	if (!error && pieces)
		error = open_with(&l, top);
	if (!error && pieces)
		error = say_all(&l);
	release(&l);
	return error;
}

int repair_list_parts(struct repair *r, struct repair_partial *p)
{
	struct xfs_devset before = { .rt = r->dev.rt, .log = r->dev.log }, behind = before;
	bool any = p->parts.before.kind == XFS_LOG_DIRTY;
	int error = xfs_dev_scratch(&before.data, r->dev.data, REPAIR_SCRATCH);

	if (!error)
		error = repair_ready_primary(r, before.data);
	if (!error && any)
		repair_say(r, r->zero_log ? "What stands before the damage is replayed, %llu transactions:"
					  : "What stands before the damage would be replayed with -L, "
					    "%llu transactions:",
			   (unsigned long long)p->parts.transactions);
	if (!error && any)
		error = list_before(r, p, &before);
	if (!error && p->parts.open)
		repair_say(r, r->zero_log ? "%llu transactions that go on behind it are lost."
					  : "%llu transactions that go on behind it would be lost with -L.",
			   (unsigned long long)p->parts.open);
	if (!error)
		repair_say(r, r->zero_log ? "What stands behind the damage is lost:"
					  : "What stands behind the damage would be lost with -L:");
	if (!error)
		error = xfs_dev_scratch(&behind.data, before.data, REPAIR_SCRATCH);
	if (!error)
		error = list_behind(r, p, &before, &behind);
	xfs_dev_close(behind.data);
	xfs_dev_close(before.data);
	return error;
}
