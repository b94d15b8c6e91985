/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_fill_build.c - parent pointers for all inodes that lack some.
 *
 * A batch of inodes after the other is planned and built among the other forks, and waits on a tape until what it leads
 * to is durable.  Where there is no room beside the old forks, each batch is a repair of its own: durable before the
 * next one begins, so that a run that is stopped leaves less for the next one to do.
 */
#include "repair/names_fill.h"

#include "repair/evidence.h"
#include "repair/rebuild.h"
#include "repair/write.h"

#include <stdlib.h>
#include <string.h>

#define INODE_MEMORY ((size_t)2 << 10)	/* that a changed inode takes, with what hangs on it */
#define BATCH_LEAST ((size_t)1 << 10)
#define BATCH_MOST ((size_t)4 << 10)
#define ALONE_MOST ((size_t)16 << 10)	/* each of these costs a fresh look */

/* ---- what is missing ---- */

static bool is_pointer(const struct names_attr *a)
{
	return a->flags & XFS_ATTR_PARENT && a->valuelen == sizeof(struct xfs_parent_rec_disk);
}

/* Entries of the inode that no pointer agrees with: none are listed when nothing will ask. */
static int list_unsaid(const struct repair_fill *f, const struct names_attr *list, size_t count,
		       struct names_pairs *unsaid)
{
	const struct names *n = &f->n;
	struct names_pairs said = { 0 };
	bool asked = false;
	int error = 0;

	for (size_t i = 0; i < count && !asked; i++)
		asked = names_may_be_lost(&list[i]);
	if (!asked)
		return 0;
	for (size_t i = 0; i < count && !error; i++)
		if (is_pointer(&list[i]))
			error = names_pairs_add(n, &said, xfs_be64(n->arena + list[i].value), list[i].name,
						list[i].namelen);
	if (!error)
		error = names_pairs_sort(&said);
	for (size_t i = 0; i < f->n_of[0] && !error; i++) {
		const struct names_parent *e = &f->entries[i];

		if (!names_pairs_hold(n, &said, e->parent, e->name, e->namelen))
			error = names_pairs_add(n, unsaid, e->parent, e->name, e->namelen);
	}
	free(said.list);
	return error ? error : names_pairs_sort(unsaid);
}

static int plan_missing(struct repair_fill *f)
{
	struct names *n = &f->n;
	struct names_pairs unsaid = { 0 };
	struct names_attr *list;
	struct repair_inode *c;
	size_t count, room = 0;
	int error = names_begin_attrs(n, f->ino, &c, &list, &count);

	if (!error)
		error = list_unsaid(f, list, count, &unsaid);
	for (size_t i = 0; i < count && !error; i++) {
		/* those to these directories follow from the entries */
		if (is_pointer(&list[i]) ? !names_fill_doubts(f, xfs_be64(n->arena + list[i].value)) :
					   !names_is_lost(n, &unsaid, &list[i]))
			error = names_plan_attr(c->names, &room, &list[i]);
	}
	for (size_t i = 0; i < f->n_of[0] && !error; i++)
		error = names_plan_pointer(n, c->names, &room, &f->entries[i]);
	free(unsaid.list);
	free(list);
	return error;
}

static int plan_inode(struct repair_fill *f)
{
	return names_fill_wants(f, f->ino) ? plan_missing(f) : 0;
}

static int plan_batch(struct repair_fill *f, size_t most)
{
	struct repair *r = f->n.r;
	int error = 0;

	most = xfs_min(most, xfs_max(f->told->memory / INODE_MEMORY, BATCH_LEAST));
	/* an inode with very many names ends a batch, too */
	while (!error && f->more && r->ninodes + r->nlate < most && f->n.used < most * INODE_MEMORY) {
		error = names_fill_next(f);
		if (!error)
			error = plan_inode(f);
	}
	if (!error)
		names_settle_plans(&f->n);
	return error;
}

/* ---- all in one rebuild ---- */

bool repair_fills(const struct repair *r, uint64_t ino)
{
	return names_fill_wants(r->fill, ino);
}

static int give_up(void *payload, const struct xfs_mapping *m)
{
	repair_ag_of(payload, m->fsbno)->reasons |= REPAIR_FORK;
	return 0;
}

static int mark_inode(void *payload, struct repair_seen *s)
{
	struct repair *r = payload;
	int error = 0;

	if (s->free || !s->identified || !repair_fills(r, s->ino))
		return 0;
	for (unsigned k = 0; k < 2 && !error; k++) {
		struct repair_fork f;

		error = repair_fork_scan(r, s->ino, &s->d, s->image, (enum xfs_fork)k, &f, k ? give_up : NULL, r);
		for (size_t i = 0; i < f.nown; i++)
			repair_ag_of(r, f.own[i])->reasons |= REPAIR_FORK;
		repair_fork_release(&f);
	}
	return error;
}

/* AGs with blocks that are given up. */
static int mark_ag(void *payload, size_t agno)
{
	struct repair *r = payload;

	return repair_scan_ag_inodes(r, &r->ags[agno], mark_inode, r);
}

static int keep_image(struct repair_fill *f, const struct repair_inode *c)
{
	const struct repair *r = f->n.r;
	uint8_t bytes[sizeof(c->ino) + XFS_DINODE_MAX_SIZE];
	uint64_t at;
	int error;

	memcpy(bytes, &c->ino, sizeof(c->ino));
	repair_copy_image(r, c, bytes + sizeof(c->ino));
	error = tape_add(&f->images, bytes, sizeof(c->ino) + r->geo.inodesize, &at);
	f->nimages += !error;
	return error;
}

static uint64_t count_changing(const struct repair *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r->geo.agcount; i++)
		n += repair_ag_changes(r, i);
	return n;
}

int repair_fill_build(struct repair *r)
{
	struct repair_fill *f = r->fill;
	uint64_t before = count_changing(r);
	/* what came to change while claims were gathered is written by itself */
	struct repair_inode *others = r->inodes;
	size_t nothers = r->ninodes, others_room = r->inode_room;
	int error = names_fill_begin(f);

	r->inodes = NULL;
	r->ninodes = r->inode_room = 0;
	tape_release(&f->images);	/* of an attempt that had no room */
	f->nimages = 0;
	while (!error && f->more) {
		error = plan_batch(f, BATCH_MOST);
		/* where nothing was claimed, nothing may be taken */
		if (!error && count_changing(r) != before)
			error = -XFS_E_INTERNAL;
		repair_merge_changed(r);
		for (size_t i = 0; i < r->ninodes && !error; i++) {
			error = repair_build_inode(r, &r->inodes[i]);
			if (!error)
				error = keep_image(f, &r->inodes[i]);
		}
		repair_forget_changed(r);
		f->n.used = 0;
	}
	r->inodes = others;
	r->ninodes = nothers;
	r->inode_room = others_room;
	return error;
}

int repair_fill_write(struct repair *r)
{
	struct repair_fill *f = r->fill;
	size_t size = sizeof(uint64_t) + r->geo.inodesize;
	int error = 0;

	for (uint64_t i = 0; i < f->nimages && !error; i++) {
		const uint8_t *bytes;
		uint64_t ino;

		error = tape_read(&f->images, i * size, size, &bytes);
		if (error)
			break;
		memcpy(&ino, bytes, sizeof(ino));
		error = xfs_dev_write(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), bytes + sizeof(ino),
				      r->geo.inodesize);
	}
	return error;
}

int names_fill_at_once(struct repair_fill *f)
{
	struct repair *r = f->n.r;
	int error;

	repair_rest(r);
	r->fill = f;
	error = repair_each_ag(r, mark_ag, r);
	if (!error)
		error = repair_build_new(r);
	if (!error)
		error = repair_switch_over(r);
	r->fill = NULL;
	if (!error)
		repair_take_over(f->told, r);
	return error;
}

/* ---- where that has no room: batch after batch ---- */

/* What the batch changed; where that was inodes alone, all else that is known of the filesystem stays true. */
static void leave(struct repair_fill *f, bool keep)
{
	struct repair *r = f->n.r;

	if (!r)
		return;
	keep = keep && !count_changing(r);
	repair_forget_changed(r);
	repair_rest(r);
	f->n.used = 0;
	if (keep)
		return;
	if (r != f->told && r != f->told->renewed) {
		repair_release(r);
		free(r);
	}
	f->n.r = NULL;
}

int names_fill_batches(struct repair_fill *f)
{
	int error = names_fill_begin(f);

	while (!error && f->more) {
		if (!f->n.r)
			error = repair_state_afresh(f->told, &f->n.r);
		if (error)
			break;
		repair_rest(f->n.r);
		error = plan_batch(f, ALONE_MOST);
		if (!error && f->n.r->ninodes + f->n.r->nlate)
			error = repair_rebuild_and_switch(f->n.r);
		if (!error)
			repair_take_over(f->told, f->n.r);
		leave(f, !error && f->more);
	}
	return error;
}
