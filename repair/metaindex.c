/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metaindex.c - files of the metadata directory by what they are and by their inodes: an open hash above the lists of
 * the AGs.
 *
 * Several inodes may say that they are one file: these are a chain, in the order in which they were met. Who becomes
 * another file leaves its chain when it comes to its front, so that the front always counts.
 */
#include "repair/metafiles.h"
#include "repair/realtime.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define BY_FILE (UINT64_C(1) << 63)	/* in a key: no inode has such a number */

struct place {
	uint32_t agno, at;		/* in the list of the AG */
	uint32_t next;			/* of the same file */
};

struct slot {
	uint64_t key;
	uint32_t first, last;		/* NONE: the slot is empty, or all have left */
	uint32_t n;			/* that are this file now */
	bool taken;
};

struct repair_metaindex {
	struct slot *slots;
	unsigned bits;
	size_t taken;
	struct place *places;
	size_t n, room;
};

static uint64_t key_of(unsigned metatype, uint32_t group)
{
	return BY_FILE | (uint64_t)metatype << 32 | group;
}

static struct slot *slot_of(const struct repair *r, const struct repair_metaindex *x, uint64_t key)
{
	size_t mask = ((size_t)1 << x->bits) - 1;
	size_t i = (size_t)(xfs_fingerprint_hash(&r->fork_sums, key, 0, 0) >> (64 - x->bits));

	while (x->slots[i].taken && x->slots[i].key != key)
		i = (i + 1) & mask;
	return &x->slots[i];
}

static int grow(const struct repair *r, struct repair_metaindex *x)
{
	struct repair_metaindex wide = *x;

	wide.bits = x->bits ? x->bits + 1 : 6;
	wide.slots = calloc((size_t)1 << wide.bits, sizeof(*wide.slots));
	if (!wide.slots)
		return -XFS_E_NOMEM;
	for (size_t i = 0; x->slots && i < (size_t)1 << x->bits; i++)
		if (x->slots[i].taken)
			*slot_of(r, &wide, x->slots[i].key) = x->slots[i];
	free(x->slots);
	*x = wide;
	return 0;
}

static int add(const struct repair *r, struct repair_metaindex *x, uint64_t key, uint32_t agno, uint32_t at)
{
	struct slot *s;
	int error = !x->slots || x->taken >= (size_t)1 << (x->bits - 1) ? grow(r, x) : 0;

	if (!error)
		error = x->n < NONE ? xfs_grow(&x->places, x->n, &x->room, 64) : -XFS_E_NOMEM;
	if (error)
		return error;
	x->places[x->n] = (struct place){ agno, at, NONE };
	s = slot_of(r, x, key);
	if (!s->taken) {
		*s = (struct slot){ .key = key, .first = NONE, .taken = true };
		x->taken++;
	}
	if (s->first == NONE)
		s->first = (uint32_t)x->n;
	else
		x->places[s->last].next = (uint32_t)x->n;
	s->last = (uint32_t)x->n++;
	s->n++;
	return 0;
}

static const struct repair_rt_file *file_at(const struct repair *r, const struct place *p)
{
	return &r->ags[p->agno].rt_files[p->at];
}

static int add_file(struct repair *r, uint32_t agno, size_t at)
{
	const struct repair_rt_file *f = &r->ags[agno].rt_files[at];
	int error = add(r, r->metas, key_of(f->metatype, f->group), agno, (uint32_t)at);

	return error ? error : add(r, r->metas, f->ino, agno, (uint32_t)at);
}

int repair_metafiles_index(struct repair *r)
{
	int error = 0;

	repair_metaindex_free(r->metas);
	r->metas = calloc(1, sizeof(*r->metas));
	if (!r->metas)
		return -XFS_E_NOMEM;
	error = grow(r, r->metas);
	for (uint32_t a = 0; a < r->geo.agcount; a++)
		for (size_t i = 0; i < r->ags[a].nrt_files && !error; i++)
			error = add_file(r, a, i);
	return error;
}

void repair_metaindex_free(struct repair_metaindex *x)
{
	if (!x)
		return;
	free(x->slots);
	free(x->places);
	free(x);
}

const struct repair_rt_file *repair_metafile_of(const struct repair *r, uint64_t ino)
{
	const struct slot *s = r->metas ? slot_of(r, r->metas, ino) : NULL;

	return s && s->n ? file_at(r, &r->metas->places[s->first]) : NULL;
}

uint64_t repair_metafile_find(const struct repair *r, const struct repair_metafile *f)
{
	const struct slot *s = r->metas ? slot_of(r, r->metas, key_of(f->metatype, f->group)) : NULL;

	return s && s->n ? file_at(r, &r->metas->places[s->first])->ino : XFS_NULL64;
}

bool repair_metafile_is_doubled(const struct repair *r, const struct repair_metafile *f)
{
	const struct slot *s = r->metas ? slot_of(r, r->metas, key_of(f->metatype, f->group)) : NULL;

	return s && s->n > 1;
}

/* The file at this place is none of the chain any more. */
static void leave(struct repair *r, struct slot *s)
{
	s->n--;
	while (s->first != NONE) {
		const struct repair_rt_file *f = file_at(r, &r->metas->places[s->first]);

		if (key_of(f->metatype, f->group) == s->key)
			break;
		s->first = r->metas->places[s->first].next;
	}
}

int repair_metafile_add(struct repair *r, uint64_t ino, const struct repair_metafile *f)
{
	uint32_t agno = xfs_ino_agno(&r->geo, XFS_INO(ino)).v;
	struct repair_ag *ag = &r->ags[agno];
	struct repair_rt_file *known = (struct repair_rt_file *)repair_metafile_of(r, ino);
	const struct repair_rt_file file = { .ino = ino, .group = f->group, .metatype = f->metatype };
	const struct repair_rt_file was = known ? *known : file;
	int error;

	if (!known) {
		error = repair_rt_add_file(ag, &file);
		return error || !r->metas ? error : add_file(r, agno, ag->nrt_files - 1);
	}
	*known = file;
	if (was.metatype == f->metatype && was.group == f->group)
		return 0;
	leave(r, slot_of(r, r->metas, key_of(was.metatype, was.group)));
	return add(r, r->metas, key_of(f->metatype, f->group), agno, (uint32_t)(known - ag->rt_files));
}
