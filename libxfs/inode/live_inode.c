/* SPDX-License-Identifier: BSD-2-Clause */
/* live_inode.c - inodes that are being changed: found by number, written into their blocks before a commit. */
#include "libxfs/inode/live.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>

/* A live inode and its state before the change, in one piece. */
struct pair { struct xfs_live_inode live; struct xfs_inode before; };

/* ---- by number ---- */

static size_t slot_of(const struct xfs_live *l, uint64_t ino, size_t room)
{
	return (size_t)xfs_mix(&l->mix, ino) & (room - 1);
}

static struct xfs_live_inode *find(const struct xfs_live *l, uint64_t ino)
{
	struct xfs_live_inode *li = l->room ? l->inodes[slot_of(l, ino, l->room)] : NULL;

	while (li && li->i.ino.v != ino)
		li = li->next;
	return li;
}

/* Chains stay short: the table doubles when there are as many inodes as slots. */
static int grow(struct xfs_live *l)
{
	size_t room = l->room ? 2 * l->room : 64;
	struct xfs_live_inode **slots;

	if (l->ninodes < l->room)
		return 0;
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		return l->room ? 0 : -XFS_E_NOMEM;
	xfs_mix_init(&l->mix);
	for (size_t i = 0; i < l->room; i++) {
		struct xfs_live_inode *li;

		while ((li = l->inodes[i])) {
			size_t at = slot_of(l, li->i.ino.v, room);

			l->inodes[i] = li->next;
			li->next = slots[at];
			slots[at] = li;
		}
	}
	free(l->inodes);
	l->inodes = slots;
	l->room = room;
	return 0;
}

/* Nobody finds it any more. */
static void unhash(struct xfs_live_inode *li)
{
	struct xfs_live *l = li->live;
	struct xfs_live_inode **at;

	if (li->unhashed)
		return;
	at = &l->inodes[slot_of(l, li->i.ino.v, l->room)];
	while (*at != li)
		at = &(*at)->next;
	*at = li->next;
	l->ninodes--;
	li->unhashed = true;
}

static void drop_unused(struct xfs_live_inode *li)
{
	if (li->refs || li->change)
		return;
	unhash(li);
	free(li);
}

int xfs_live_inode_get(struct xfs_live *l, uint64_t ino, struct xfs_live_inode **out)
{
	struct xfs_live_inode *li = find(l, ino);
	struct pair *p;
	size_t at;
	int err;

	*out = NULL;
	if (li) {
		li->refs++;
		*out = li;
		return 0;
	}
	err = grow(l);
	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -XFS_E_NOMEM;
	err = xfs_inode_read(l->fs, XFS_INO(ino), 0, &p->live.i);
	if (!err)
		err = xfs_inode_verify(&p->live.i, &l->fs->sink);
	if (err) {
		free(p);
		return err;
	}
	li = &p->live;
	li->live = l;
	li->before = &p->before;
	li->refs = 1;
	at = slot_of(l, ino, l->room);
	li->next = l->inodes[at];
	l->inodes[at] = li;
	l->ninodes++;
	*out = li;
	return 0;
}

void xfs_live_inode_put(struct xfs_live_inode *li)
{
	if (!li)
		return;
	li->refs--;
	drop_unused(li);
}

struct xfs_live_inode *xfs_live_inode_find(struct xfs_live *l, uint64_t ino)
{
	return find(l, ino);
}

/* ---- in a change ---- */

static struct xfs_live_inode *of_member(struct xfs_change_member *m)
{
	return (void *)((char *)m - offsetof(struct xfs_live_inode, member));
}

static void member_prepare(struct xfs_change_member *m)
{
	struct xfs_live_inode *li = of_member(m);
	struct xfs_inode *ip = &li->i;
	uint32_t at;

	if (!li->unwritten || li->gone)
		return;
	xfs_dinode_encode(ip->raw, &ip->d);
	if (ip->fs->geo.v5) {
		xfs_crc32c_store(ip->raw, ip->size, XFS_DINODE_CRC_OFF);
		ip->d.v3.crc = xfs_le32(ip->raw + XFS_DINODE_CRC_OFF);
	}
	at = (uint32_t)(xfs_ino_byte(&ip->fs->geo, ip->ino) & (ip->fs->geo.blocksize - 1));
	memcpy(li->block->data + at, ip->raw, ip->size);
	xfs_change_dirty(li->block, at, ip->size);
	li->unwritten = false;
}

static void member_ended(struct xfs_change_member *m, bool committed)
{
	struct xfs_live_inode *li = of_member(m);
	bool unborn = !committed && li->block->joined->fresh;	/* its chunk does not exist */

	if (!committed)
		li->i = *li->before;
	if ((committed && li->gone) || unborn)
		unhash(li);
	li->change = NULL;
	li->block = NULL;
	li->parts = 0;
	li->unwritten = li->gone = false;
	drop_unused(li);
}

int xfs_live_inode_join(struct xfs_live_inode *li, struct xfs_change *c)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	uint64_t block = xfs_ino_byte(g, li->i.ino) >> g->blocklog << g->blocklog;
	int err;

	if (li->change == c)
		return 0;
	if (li->change || li->unhashed)
		return -XFS_E_BUSY;
	err = xfs_change_get(c, block / XFS_BBSIZE, g->blocksize / XFS_BBSIZE, xfs_block_type(XFS_BLK_INODES),
			     &li->block);
	if (err)
		return err;
	*li->before = li->i;
	li->change = c;
	li->parts = 0;
	li->unwritten = li->gone = false;
	li->member = (struct xfs_change_member){ member_prepare, member_ended, NULL };
	xfs_change_add_member(c, &li->member);
	return 0;
}

void xfs_live_inode_dirty(struct xfs_live_inode *li, unsigned parts)
{
	if (parts & ~(unsigned)XFS_LIVE_UNLINKED)
		parts |= XFS_LIVE_CORE;
	/* one step of the version a change */
	if (parts & XFS_LIVE_CORE && !(li->parts & XFS_LIVE_CORE) && li->i.d.core.version >= 3)
		li->i.d.v3.change_count++;
	li->parts |= parts;
	li->unwritten = true;
	li->change->writes++;
}

/*
 * Inodes written before the feature was there get the wide form with the first new time (format sheet 03, section 2).
 */
static void widen_times(struct xfs_dinode *d)
{
	uint64_t *const times[] = { &d->core.atime, &d->core.mtime, &d->core.ctime, &d->v3.crtime };

	for (size_t i = 0; i < XFS_ARRAY_SIZE(times); i++)
		*times[i] = xfs_time_encode(xfs_time_decode(*times[i], false), true);
	d->v3.flags2 |= XFS_DIFLAG2_BIGTIME;
}

void xfs_live_inode_stamp(struct xfs_live_inode *li, unsigned which)
{
	struct xfs_dinode *d = &li->i.d;
	uint64_t now;

	if (li->i.fs->geo.bigtime && d->core.version >= 3 && !xfs_dinode_has_bigtime(d))
		widen_times(d);
	now = xfs_time_encode(li->live->now, xfs_dinode_has_bigtime(d));
	if (which & 1)
		d->core.atime = now;
	if (which & 2)
		d->core.mtime = now;
	if (which & 4)
		d->core.ctime = now;
	if (which & 8 && d->core.version >= 3)
		d->v3.crtime = now;
	xfs_live_inode_dirty(li, XFS_LIVE_CORE);
}

uint8_t *xfs_live_fork_bytes(struct xfs_live_inode *li, enum xfs_fork which, uint32_t *len)
{
	return (uint8_t *)(uintptr_t)xfs_inode_fork_bytes(&li->i, which, len);
}
