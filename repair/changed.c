/* SPDX-License-Identifier: BSD-2-Clause */
/* changed.c - the list of inodes that change, in ascending order: who decides something of an inode puts it there. */
#include "repair/evidence.h"
#include "repair/names.h"

#include <stdlib.h>
#include <string.h>

struct repair_inode *repair_find_changed(struct repair *r, uint64_t ino)
{
	size_t lo = 0, hi = r->ninodes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->inodes[mid].ino < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->ninodes && r->inodes[lo].ino == ino ? &r->inodes[lo] : NULL;
}

int repair_changed_inode(struct repair *r, uint64_t ino, const uint8_t *image, struct repair_inode **out)
{
	struct repair_inode *c = repair_find_changed(r, ino);
	size_t at = r->ninodes;

	if (!c) {
		if (r->ninodes == r->inode_room) {
			size_t room = r->inode_room ? 2 * r->inode_room : 32;
			struct repair_inode *grown = realloc(r->inodes, room * sizeof(*grown));

			if (!grown)
				return -XFS_E_NOMEM;
			r->inodes = grown;
			r->inode_room = room;
		}
		/* judged in ascending order, so this is at the end as a rule */
		while (at && r->inodes[at - 1].ino > ino)
			at--;
		memmove(&r->inodes[at + 1], &r->inodes[at], (r->ninodes - at) * sizeof(*r->inodes));
		r->ninodes++;
		c = &r->inodes[at];
		*c = (struct repair_inode){ .ino = ino, .image = malloc(r->geo.inodesize) };
		if (!c->image)
			return -XFS_E_NOMEM;
		memcpy(c->image, image, r->geo.inodesize);
	}
	*out = c;
	return 0;
}

void repair_drop_changed(struct repair *r, uint64_t ino)
{
	struct repair_inode *c = repair_find_changed(r, ino);

	if (!c)
		return;
	repair_release_changed(c);
	memmove(c, c + 1, (size_t)(r->inodes + r->ninodes - (c + 1)) * sizeof(*c));
	r->ninodes--;
}

void repair_release_changed(struct repair_inode *c)
{
	xfs_mapset_release(&c->map[0]);
	xfs_mapset_release(&c->map[1]);
	xfs_mapset_release(&c->old);
	repair_name_plan_free(c->names);
	free(c->image);
	free(c->own_blocks);
	*c = (struct repair_inode){ 0 };
}
