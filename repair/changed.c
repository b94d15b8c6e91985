/* SPDX-License-Identifier: BSD-2-Clause */
/* changed.c - the list of inodes that change, in ascending order: who decides something of an inode puts it there. */
#include "repair/evidence.h"
#include "repair/names.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

#define MOST_LATE 1024u		/* and a part of the list: then the two are merged */
#define LATE_PART 64u

static size_t place_in(const struct repair_inode *list, size_t n, uint64_t ino)
{
	return xfs_search(n, i, list[i].ino < ino);
}

struct repair_inode *repair_find_changed(struct repair *r, uint64_t ino)
{
	size_t at = place_in(r->inodes, r->ninodes, ino);

	if (at < r->ninodes && r->inodes[at].ino == ino)
		return &r->inodes[at];
	at = place_in(r->late, r->nlate, ino);
	return at < r->nlate && r->late[at].ino == ino ? &r->late[at] : NULL;
}

/* ---- the bytes ---- */

/* What all inodes of this place hold stands in no packed one. */
static void turn_known(const struct repair *r, uint64_t ino, uint8_t *image)
{
	uint8_t known[XFS_DINODE_SIZE_V3] = { 0 };
	size_t len = r->geo.v5 ? sizeof(known) : 2;

	xfs_put_be16(known, XFS_DINODE_MAGIC);
	if (r->geo.v5) {
		xfs_put_be64(known + XFS_OFF(dinode_v3, inumber), ino);
		memcpy(known + XFS_OFF(dinode_v3, uuid), r->geo.uuid, 16);
	}
	for (size_t i = 0; i < len; i++)
		image[i] ^= known[i];
}

/* Pairs of lengths, zeroes and then others, with the others behind each; ends where all bytes are there. */
static size_t pack(const uint8_t *image, size_t size, uint8_t *out)
{
	size_t n = 0, at = 0;

	while (at < size) {
		size_t zeroes = 0, others = 0, head = n;

		while (at < size && zeroes < UINT8_MAX && !image[at]) {
			zeroes++;
			at++;
		}
		for (n += 2; at < size && others < UINT8_MAX && (image[at] || (at + 2 < size && image[at + 1]));
		     others++)
			out[n++] = image[at++];
		out[head] = (uint8_t)zeroes;
		out[head + 1] = (uint8_t)others;
	}
	return n;
}

static void unpack(const uint8_t *in, size_t size, uint8_t *image)
{
	for (size_t at = 0; at < size;) {
		memset(image + at, 0, in[0]);
		memcpy(image + at + in[0], in + 2, in[1]);
		at += (size_t)in[0] + in[1];
		in += 2 + in[1];
	}
}

/* Without memory it stays open. */
static void close_image(const struct repair *r, struct repair_inode *c)
{
	/* a pair of lengths has three bytes behind it at least, but for the last one and the full ones */
	uint8_t bytes[2 * XFS_DINODE_MAX_SIZE];
	size_t n;

	if (!c->image)
		return;
	turn_known(r, c->ino, c->image);
	n = pack(c->image, r->geo.inodesize, bytes);
	c->packed = malloc(n);
	if (!c->packed) {
		turn_known(r, c->ino, c->image);
		return;
	}
	memcpy(c->packed, bytes, n);
	free(c->image);
	c->image = NULL;
}

static void remember_open(struct repair *r, uint64_t ino)
{
	uint64_t *oldest = &r->opened[r->nopened++ % REPAIR_OPEN_IMAGES];
	struct repair_inode *c = r->nopened > REPAIR_OPEN_IMAGES ? repair_find_changed(r, *oldest) : NULL;

	if (c && *oldest != ino)
		close_image(r, c);
	*oldest = ino;
}

int repair_open_image(struct repair *r, struct repair_inode *c)
{
	if (c->image)
		return 0;
	c->image = malloc(r->geo.inodesize);
	if (!c->image)
		return -XFS_E_NOMEM;
	unpack(c->packed, r->geo.inodesize, c->image);
	turn_known(r, c->ino, c->image);
	free(c->packed);
	c->packed = NULL;
	remember_open(r, c->ino);
	return 0;
}

void repair_copy_image(const struct repair *r, const struct repair_inode *c, uint8_t *image)
{
	if (c->image) {
		memcpy(image, c->image, r->geo.inodesize);
		return;
	}
	unpack(c->packed, r->geo.inodesize, image);
	turn_known(r, c->ino, image);
}

void repair_changed_core(const struct repair *r, const struct repair_inode *c, struct xfs_dinode *d)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];

	repair_copy_image(r, c, image);
	xfs_dinode_decode(d, image);
}

int repair_read_decided(struct repair *r, uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	const struct repair_inode *c = repair_find_changed(r, ino);

	if (!c)
		return repair_read_inode(r, ino, image, d);
	if (c->made_free)
		return -XFS_E_NOENT;
	repair_copy_image(r, c, image);
	xfs_dinode_decode(d, image);
	return 0;
}

void repair_pack_images(struct repair *r)
{
	repair_merge_changed(r);
	for (size_t i = 0; i < r->ninodes; i++)
		close_image(r, &r->inodes[i]);
	r->nopened = 0;
}

/* ---- the list ---- */

void repair_merge_changed(struct repair *r)
{
	size_t from = r->ninodes, late = r->nlate, to = from + late;

	r->ninodes = to;
	r->nlate = 0;
	while (late)
		r->inodes[--to] = from && r->inodes[from - 1].ino > r->late[late - 1].ino
					  ? r->inodes[--from] : r->late[--late];
}

/*
 * Judged in ascending order, so it comes last as a rule, in the list or among those that come between: these join the
 * list when they are many.
 */
static int insert(struct repair *r, uint64_t ino, const uint8_t *image, struct repair_inode **out)
{
	struct repair_inode *list;
	uint8_t *copy;
	size_t *n, at;
	int error;

	if (r->nlate >= MOST_LATE + r->ninodes / LATE_PART)
		repair_merge_changed(r);
	error = xfs_grow(&r->inodes, r->ninodes + r->nlate, &r->inode_room, 32);
	if (!error)
		error = xfs_grow(&r->late, r->nlate, &r->late_room, 32);
	copy = error ? NULL : malloc(r->geo.inodesize);
	if (!copy)
		return -XFS_E_NOMEM;
	memcpy(copy, image, r->geo.inodesize);
	at = place_in(r->inodes, r->ninodes, ino);
	n = at == r->ninodes && !r->nlate ? &r->ninodes : &r->nlate;
	list = n == &r->nlate ? r->late : r->inodes;
	at = n == &r->nlate ? place_in(r->late, r->nlate, ino) : at;
	memmove(&list[at + 1], &list[at], ((*n)++ - at) * sizeof(*list));
	list[at] = (struct repair_inode){ .ino = ino, .image = copy };
	remember_open(r, ino);
	*out = &list[at];
	return 0;
}

int repair_changed_inode(struct repair *r, uint64_t ino, const uint8_t *image, struct repair_inode **out)
{
	*out = repair_find_changed(r, ino);
	return *out ? repair_open_image(r, *out) : insert(r, ino, image, out);
}

void repair_drop_changed(struct repair *r, uint64_t from, uint64_t to, bool (*gone)(void *payload, uint64_t ino),
			 void *payload)
{
	size_t keep, i, end;

	repair_merge_changed(r);
	keep = i = place_in(r->inodes, r->ninodes, from);
	end = place_in(r->inodes, r->ninodes, to);
	for (; i < end; i++) {
		if (gone(payload, r->inodes[i].ino))
			repair_release_changed(&r->inodes[i]);
		else if (keep++ != i)
			r->inodes[keep - 1] = r->inodes[i];
	}
	if (keep != end)
		memmove(&r->inodes[keep], &r->inodes[end], (r->ninodes - end) * sizeof(*r->inodes));
	r->ninodes -= end - keep;
}

void repair_release_changed(struct repair_inode *c)
{
	xfs_mapset_release(&c->map[0]);
	xfs_mapset_release(&c->map[1]);
	xfs_mapset_release(&c->old);
	repair_name_plan_free(c->names);
	free(c->image);
	free(c->packed);
	free(c->own_blocks);
	*c = (struct repair_inode){ 0 };
}

void repair_forget_changed(struct repair *r)
{
	repair_merge_changed(r);
	for (size_t i = 0; i < r->ninodes; i++)
		repair_release_changed(&r->inodes[i]);
	free(r->inodes);
	free(r->late);
	r->inodes = r->late = NULL;
	r->ninodes = r->inode_room = r->late_room = 0;
	r->nopened = 0;
}
