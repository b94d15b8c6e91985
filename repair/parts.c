/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts.c - names on a filesystem that has no room for all that is new at once, neither beside the old nor in the log.
 *
 * A part of the inodes gets what was decided, as many as there is room for, then the filesystem is looked at afresh and
 * the next ones follow: what the first gave up is room for them.  After each part the disk is whole but for names that
 * are still to come.  What gains names comes first and what loses them last, so wherever this stops all names are
 * there.
 */
#include "repair/names.h"
#include "repair/rebuild.h"

#include <stdlib.h>
#include <string.h>

struct parts {
	struct repair *plan;		/* who decided; has the inodes that are to come */
	struct repair *state;		/* the filesystem as it is now; NULL: to be looked at */
	struct repair_inode *list;
	size_t n, done;
};

#define TURNS 4u

/*
 * 0: goes with inode records that change, or leads to such an inode: all of these at once.  1: gains names.  2: gets
 * other forks.  3: its core alone changes.
 */
static unsigned turn_of(const struct parts *p, const struct repair_inode *c)
{
	if (c->last || c->new_chunk || c->made_free || c->decided || c->ino == p->plan->primary.rootino)
		return 0;
	return c->early ? 1 : c->fork[XFS_FORK_DATA] || c->fork[XFS_FORK_ATTR] ? 2 : 3;
}

/* The list in the order of turns, ascending within each. */
static int line_up(struct parts *p)
{
	struct repair *r = p->plan;
	struct repair_inode *list;

	repair_merge_changed(r);
	list = malloc((r->ninodes + 1) * sizeof(*list));
	if (!list)
		return -XFS_E_NOMEM;
	for (unsigned turn = 0; turn < TURNS; turn++)
		for (size_t i = 0; i < r->ninodes; i++)
			if (turn_of(p, &r->inodes[i]) == turn)
				list[p->n++] = r->inodes[i];
	p->list = list;
	return 0;
}

static size_t next_turn(const struct parts *p)
{
	size_t end = p->done;

	while (end < p->n && turn_of(p, &p->list[end]) == turn_of(p, &p->list[p->done]))
		end++;
	return end - p->done;
}

static int look(struct parts *p)
{
	struct repair *r = p->plan;
	int error = repair_state_afresh(r, &p->state);

	/* where the old forks lie, and what was drawn in for room */
	for (uint32_t i = 0; !error && i < r->geo.agcount && i < p->state->geo.agcount; i++)
		p->state->ags[i].reasons |= r->ags[i].reasons & REPAIR_FORK;
	return error;
}

static void leave(struct parts *p)
{
	if (!p->state || p->state == p->plan)
		return;
	p->plan->primary = p->state->primary;
	p->plan->log = p->state->log;
	p->plan->rebuilt_any |= p->state->rebuilt_any;
	p->plan->fixed_something |= p->state->fixed_something;
	p->plan->max_lsn = xfs_max(p->plan->max_lsn, p->state->max_lsn);
	repair_release(p->state);
	free(p->state);
}

/*
 * NOSPC: nothing was changed, and fewer may fit. While claims are gathered others may turn out to change, too: the
 * state gets a list of its own, and what was in it comes back from there.
 */
static int try_part(struct parts *p, size_t n)
{
	struct repair *r = p->state;
	struct repair_inode *part = p->list + p->done, *list = malloc((n + 1) * sizeof(*list));
	int error;

	if (!list)
		return -XFS_E_NOMEM;
	repair_forget_changed(r);
	memcpy(list, part, n * sizeof(*list));
	r->inodes = list;
	r->ninodes = n;
	r->inode_room = n + 1;
	error = repair_rebuild_one(r);
	for (size_t i = 0; i < n; i++) {
		struct repair_inode gone = { .ino = part[i].ino }, *c = repair_find_changed(r, gone.ino);

		/* one whose chunk was given up is in no list any more */
		part[i] = c ? *c : gone;
		if (c)
			*c = gone;
	}
	repair_forget_changed(r);
	return error;
}

static int do_parts(struct parts *p)
{
	size_t n = next_turn(p);
	int error = 0;

	/* inode records change with the first part, which has all that go with them */
	p->state = p->plan;
	while (p->done < p->n && !error) {
		unsigned turn = turn_of(p, &p->list[p->done]);

		error = p->state ? 0 : look(p);
		if (!error)
			error = try_part(p, n);
		if (error == -XFS_E_NOSPC && n > 1 && turn) {
			n /= 2;
			error = 0;
			continue;
		}
		if (error)
			break;
		p->done += n;
		n = p->done == p->n ? 0 : (size_t)xfs_min(turn == turn_of(p, &p->list[p->done]) ? 2 * n : p->n,
							  next_turn(p));
		leave(p);
		p->state = NULL;
	}
	return error;
}

int repair_rebuild_in_parts(struct repair *r)
{
	struct parts p = { .plan = r };
	int error = line_up(&p);

	if (error)
		return error;
	r->ninodes = 0;			/* they are in the list */
	error = do_parts(&p);
	leave(&p);
	for (size_t i = 0; i < p.n; i++)
		repair_release_changed(&p.list[i]);
	free(p.list);
	xfs_buf_forget(r->fs->cache, 0, 0);
	return error;
}
