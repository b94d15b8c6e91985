/* SPDX-License-Identifier: BSD-2-Clause */
/* agmember.c - blocks of an AG's trees within a change, and where their roots are kept. */
#include "libxfs/mount/agmember.h"

#include "libxfs/mount/fs_priv.h"

/* ---- blocks of trees ---- */

static uint64_t daddr_of(const struct xfs_ag_tree *at, uint64_t agbno)
{
	return xfs_agbno_daddr(&at->fs->geo, XFS_AGNO(at->agno), XFS_AGBNO(agbno)).v;
}

static int tree_prepare(void *owner, const struct xfs_btree_block *block)
{
	const struct xfs_agtree *t = owner;
	const struct xfs_ag_tree *at = t->bt->io.owner;

	return xfs_change_join(t->m->change, block->handle, xfs_block_type(at->kind));
}

static int tree_fresh(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	const struct xfs_agtree *t = owner;
	const struct xfs_ag_tree *at = t->bt->io.owner;
	struct xfs_buf *b;
	int err = xfs_change_get_new(t->m->change, daddr_of(at, ptr), at->fs->geo.blocksize / XFS_BBSIZE,
				     xfs_block_type(at->kind), &b);

	if (err)
		return err;
	xfs_buf_hold(b);	/* for put */
	*out = (struct xfs_btree_block){ .ptr = ptr, .data = b->data, .handle = b };
	return 0;
}

static void tree_dirty(void *owner, const struct xfs_btree_block *block, uint32_t off, uint32_t len)
{
	(void)owner;
	xfs_change_dirty(block->handle, off, len);
}

static void tree_moved(void *owner, const struct xfs_btree *bt)
{
	struct xfs_agtree *t = owner;

	*t->root = (uint32_t)bt->root;
	*t->level = bt->levels;
	xfs_agmember_touch(t->m);
}

int xfs_agtree_open(struct xfs_agtree *t, struct xfs_fs *fs, xfs_agno_t agno, enum xfs_btree_id id)
{
	int err = xfs_fs_ag_btree(fs, agno, id, t->bt);

	if (err == -XFS_E_UNSUPPORTED) {
		t->bt->kind = NULL;
		return 0;
	}
	t->bt->io.readahead = NULL;	/* a change wants single blocks here and there */
	t->space.owner = t;
	t->space.prepare = tree_prepare;
	t->space.fresh = tree_fresh;
	t->space.dirty = tree_dirty;
	t->space.moved = tree_moved;
	return err;
}

int xfs_agtree_forget(struct xfs_agtree *t, uint64_t agbno)
{
	const struct xfs_ag_tree *at = t->bt->io.owner;

	return xfs_change_forget(t->m->change, daddr_of(at, agbno), at->fs->geo.blocksize / XFS_BBSIZE);
}

/* ---- the header ---- */

static struct xfs_agmember *of_member(struct xfs_change_member *member)
{
	return (void *)((char *)member - offsetof(struct xfs_agmember, member));
}

static void member_prepare(struct xfs_change_member *member)
{
	struct xfs_agmember *m = of_member(member);

	if (m->changed)
		m->write(m);
	m->changed = false;
}

static void member_ended(struct xfs_change_member *member, bool committed)
{
	struct xfs_agmember *m = of_member(member);

	m->ended(m, committed);
	m->change = NULL;
	for (unsigned i = 0; i < m->ntrees; i++) {
		struct xfs_agtree *t = &m->trees[i];

		t->bt->space = NULL;
		t->bt->root = *t->root;
		t->bt->levels = *t->level;
	}
}

void xfs_agmember_join(struct xfs_agmember *m, struct xfs_change *c)
{
	m->change = c;
	m->changed = false;
	m->member = (struct xfs_change_member){ member_prepare, member_ended, NULL };
	xfs_change_add_member(c, &m->member);
	for (unsigned i = 0; i < m->ntrees; i++)
		m->trees[i].bt->space = &m->trees[i].space;
}

void xfs_agmember_touch(struct xfs_agmember *m)
{
	m->changed = true;
	m->change->writes++;
}
