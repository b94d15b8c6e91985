/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.c - findings that are not to be repaired (--only, --skip), and what must then stay as it is.
 *
 * Units of a repair are an AG (its trees and headers are written as one), an inode, a secondary superblock, the log.  A
 * held finding holds its unit, with all other findings in it.  A fork that is left as it is keeps every AG from being
 * rebuilt: their reverse mappings may be all that is known of it.  An AG that is left keeps all forks from being
 * rebuilt, as their blocks and its trees must agree.  Names, attributes and link counts are one unit for the whole
 * filesystem, as each entry counts elsewhere.  So what is left is never less than what was there.
 */
#include "repair/evidence.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <string.h>

#define WRITES_TREES (REPAIR_TREE | REPAIR_FORK | REPAIR_INODES)

bool repair_is_held(const struct repair *r, enum xfs_finding_id id)
{
	return r->held && id > XFS_F_NONE && id < XFS_F_COUNT && r->held[id];
}

static int by_agno(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return a < b ? -1 : a > b;
}

static int by_ino(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

/* Without memory for one more nothing is written at all. */
static void hold_ag(struct repair_holds *h, uint32_t agno)
{
	if (xfs_grow(&h->ags, h->nags, &h->ags_room, 64))
		h->all = true;
	else
		h->ags[h->nags++] = agno;
}

static void hold_inode(struct repair_holds *h, uint64_t ino)
{
	if (xfs_grow(&h->inodes, h->ninodes, &h->inodes_room, 64))
		h->all = true;
	else
		h->inodes[h->ninodes++] = ino;
}

void repair_hold(struct repair *r, const struct xfs_finding *f)
{
	struct repair_holds *h = &r->holds;

	h->findings++;
	h->names |= h->selected;
	switch (f->id) {
	case XFS_F_SB_PRIMARY:
	case XFS_F_SB_FEATURES2:
	case XFS_F_SB_FIELD:
		h->all = true;	/* every repair writes the primary */
		return;
	case XFS_F_SB_COUNTER:
	case XFS_F_SB_SECONDARY:	/* see repair_select() */
		break;
	case XFS_F_FORK_CONFLICT:
		h->conflict = true;
		break;
	default:
		break;
	}
	if (f->agno != XFS_NULL32 && f->id != XFS_F_SB_SECONDARY)
		hold_ag(h, f->agno);
	else if (f->ino != XFS_NULL64)
		hold_inode(h, f->ino);
}

static bool has_inode(const struct repair_holds *h, uint64_t ino)
{
	return h->ninodes && bsearch(&ino, h->inodes, h->ninodes, sizeof(ino), by_ino);
}

static bool has_ag(const struct repair_holds *h, uint32_t agno)
{
	return h->nags && bsearch(&agno, h->ags, h->nags, sizeof(agno), by_agno);
}

static bool changes_forks(const struct repair_inode *c)
{
	return c->fork[0] || c->fork[1] || c->made_free;
}

/* No AG is rebuilt and no fork changes. */
static bool leaves_space(const struct repair *r)
{
	const struct repair_holds *h = &r->holds;

	if (h->conflict)
		return true;
	for (uint32_t i = 0; i < r->geo.agcount; i++)
		if (has_ag(h, i) && r->ags[i].reasons & WRITES_TREES)
			return true;
	for (size_t i = 0; i < r->ninodes; i++)
		if (has_inode(h, r->inodes[i].ino) && changes_forks(&r->inodes[i]))
			return true;
	return false;
}

static void drop_inodes(struct repair *r, bool space)
{
	size_t keep = 0;

	for (size_t i = 0; i < r->ninodes; i++) {
		struct repair_inode *c = &r->inodes[i];

		if (r->holds.all || has_inode(&r->holds, c->ino) || (space && changes_forks(c)))
			repair_release_changed(c);
		else
			r->inodes[keep++] = *c;
	}
	r->ninodes = keep;
}

int repair_select(struct repair *r)
{
	struct repair_holds *h = &r->holds;

	h->selected = true;
	if (!h->findings)
		return 0;
	if (h->nags)
		qsort(h->ags, h->nags, sizeof(*h->ags), by_agno);
	if (h->ninodes)
		qsort(h->inodes, h->ninodes, sizeof(*h->inodes), by_ino);
	repair_merge_changed(r);
	h->space = h->all || leaves_space(r);
	drop_inodes(r, h->space);
	for (uint32_t i = 0; i < r->geo.agcount; i++) {
		if (h->all || has_ag(h, i) || (h->space && r->ags[i].reasons & WRITES_TREES))
			r->ags[i].reasons = 0;
		if (h->all || repair_is_held(r, XFS_F_SB_SECONDARY))
			r->secondary_bad[i] = false;
	}
	if (h->all)
		r->zero_log = r->sb_changed = false;
	return 0;
}

bool repair_names_are_held(const struct repair *r)
{
	return r->holds.all || r->holds.space || r->holds.names;
}

void repair_release_holds(struct repair_holds *h)
{
	free(h->ags);
	free(h->inodes);
	memset(h, 0, sizeof(*h));
}
