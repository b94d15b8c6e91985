/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * careful.c - the rules for a log whose end is not known: what stands before its damage must not land in what came
 * later.
 */
#include "libxfs/recovery/private.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/search.h"
#include "libxfs/ondisk/attr.h"

#include <stdlib.h>

#define MOST_LIVES 0xffffu		/* of an inode, since its chunk was made */

bool replay_is_beyond(const struct replay *rp, uint64_t lsn)
{
	bool yes = rp->careful && lsn != XFS_NULL64 && lsn >= xfs_log_head_lsn(&rp->careful->log);

	if (yes)
		rp->careful->beyond++;
	return yes;
}

bool replay_is_inode(const struct replay *rp, const uint8_t *raw, uint64_t ino)
{
	if (xfs_be16(raw) != XFS_DINODE_MAGIC)
		return false;
	return !rp->geo.v5 || (xfs_be64(raw + XFS_OFF(dinode_v3, inumber)) == ino &&
			       !memcmp(raw + XFS_OFF(dinode_v3, uuid), rp->geo.uuid, 16));
}

bool replay_lives_on(const uint8_t *in_place, const uint8_t *fresh)
{
	const size_t gen = XFS_OFF(dinode_core, gen), mode = XFS_OFF(dinode_core, mode);
	const size_t flush = XFS_OFF(dinode_core, flushiter);

	if (xfs_be16(in_place) != XFS_DINODE_MAGIC || xfs_be16(fresh) != XFS_DINODE_MAGIC)
		return false;
	/* each file that the inode was adds one to the number that its chunk began with */
	return (xfs_be16(in_place + mode) || xfs_be16(in_place + flush)) &&
	       xfs_be32(in_place + gen) - xfs_be32(fresh + gen) <= MOST_LIVES;
}

int replay_leave_out(struct replay *rp, const struct xfs_log_item *it, int err)
{
	if (err != -XFS_E_CORRUPT || !rp->careful)
		return err;
	rp->careful->left_out++;
	if (it)
		return replay_left_item(rp, it);
	replay_left_any(rp);
	return 0;
}

int replay_take_back(struct replay *rp, struct touched *t)
{
	t->dirty = false;
	t->newer = t->judged = true;
	return xfs_dev_read(rp->fs->dev.data, t->daddr * XFS_BBSIZE, t->buf->data, t->buf->len);
}

/* The sectors in front of each AG never become anything else. */
static bool is_header(const struct replay *rp, const struct touched *t)
{
	return replay_in_ag(rp, t->daddr) + t->bbs <= 4u * (rp->geo.sectsize / XFS_BBSIZE);
}

bool replay_says_what_it_is(const struct replay *rp, const struct touched *t)
{
	const uint8_t *p = t->buf->data;
	const struct xfs_blockform *f = rp->geo.v5 ? xfs_blockform_of(XT_NONE, true, p, t->buf->len) : NULL;
	struct xfs_block_facts facts = { .v5 = true, .uuid = rp->geo.uuid };
	int err;

	if (!f || f->type == XT_INODE || f->type == XT_SB || f->magic5 == XFS_ATTR_REMOTE_MAGIC ||
	    (f->blkno == XFS_NO_POS && f->type != XT_DQBLK))
		return false;
	facts.daddr = f->blkno != XFS_NO_POS ? &t->daddr : NULL;
	err = xfs_blockform_verify(f, &facts, p, t->buf->len, NULL);
	return !err || err == -XFS_E_BADCRC;
}

/* A block of an attribute's value, whole. */
static bool is_value(const struct replay *rp, const struct touched *t)
{
	const uint8_t *p = t->buf->data;
	const struct xfs_blockform *f = rp->geo.v5 ? xfs_blockform_of(XT_NONE, true, p, t->buf->len) : NULL;
	struct xfs_block_facts facts = { .v5 = true, .uuid = rp->geo.uuid, .daddr = &t->daddr };

	return f && f->magic5 == XFS_ATTR_REMOTE_MAGIC && !xfs_blockform_verify(f, &facts, p, rp->geo.blocksize, NULL);
}

static uint64_t owner_of(const struct replay_image *image)
{
	const struct xfs_blockform *f;

	if (!image->p || image->off)
		return XFS_NULL64;
	f = xfs_blockform_of(XT_NONE, true, image->p, image->len);
	return f && f->owner_bits == 64 && f->owner != XFS_NO_POS && f->owner + 8u <= image->len ?
	       xfs_be64(image->p + f->owner) : XFS_NULL64;
}

bool replay_is_taken(struct replay *rp, const struct touched *t, const struct replay_image *image, int *err)
{
	struct xfs_recovery_careful *c = rp->careful;
	struct xfs_recovery_place place = { t->daddr, t->bbs, false, XFS_NULL64 };

	if (!c || is_header(rp, t) || replay_says_what_it_is(rp, t))
		return false;
	/* a change of what is no longer there */
	if (!image->headless && image->off) {
		c->left_out++;
		*err = replay_left_block(rp, t, image->content, NULL, false);
		return true;
	}
	place.owner = owner_of(image);
	place.value = is_value(rp, t);
	if (c->may_write) {
		if (c->may_write(c->payload, &place))
			return false;
		*err = replay_left_block(rp, t, image->content, image->off ? NULL : image->p, false);
		return true;
	}
	if (xfs_grow_to(&c->places, &c->room, c->nplaces + 1, sizeof(*c->places)))
		*err = -XFS_E_NOMEM;
	else
		c->places[c->nplaces++] = place;
	return *err != 0;
}

static int by_address(const void *a, const void *b)
{
	const struct xfs_recovery_place *x = a, *y = b;

	if (x->daddr != y->daddr)
		return x->daddr < y->daddr ? -1 : 1;
	return x->bbs < y->bbs ? -1 : x->bbs > y->bbs;
}

void replay_sort_places(struct xfs_recovery_careful *c)
{
	size_t n = 0;

	if (c->nplaces)
		qsort(c->places, c->nplaces, sizeof(*c->places), by_address);
	for (size_t i = 0; i < c->nplaces; i++)
		if (!n || by_address(&c->places[n - 1], &c->places[i]))
			c->places[n++] = c->places[i];
	c->nplaces = n;
}

size_t xfs_recovery_place_find(const struct xfs_recovery_place *list, size_t n, const struct xfs_recovery_place *key)
{
	size_t at = xfs_search(n, i, by_address(&list[i], key) < 0);

	return at < n && !by_address(&list[at], key) ? at : n;
}

void xfs_recovery_careful_free(struct xfs_recovery_careful *c)
{
	free(c->places);
	c->places = NULL;
	c->nplaces = c->room = 0;
}
