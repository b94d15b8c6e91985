/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_fill.c - names are in order, and nothing but parent pointers is missing: the filesystem gets the feature, or
 * that was cut off.
 *
 * Nothing is to be decided then.  Entries of the directories whose sums differ are sorted by the inodes that they lead
 * to, within a limit of memory.  Those inodes are known by one bit each, and built by names_fill_build.c.
 */
#include "repair/names_fill.h"

#include "repair/options.h"
#include "repair/scan.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/name/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_SHARE 4u			/* of what claims may take */

bool names_fill_doubts(const struct repair_fill *f, uint64_t dir)
{
	return f->differs[repair_link_bucket(f->first, dir)];
}

/* ---- what there is ---- */

static int keep_link(void *payload, const struct xfs_dir_entry *e)
{
	struct repair_fill *f = payload;
	struct names_link link = { .ino = e->ino.v, .dir = f->ino, .gen = f->gen, .namelen = (uint8_t)e->namelen };

	if (e->namelen <= 2 && e->name[0] == '.' && e->name[e->namelen - 1] == '.')
		return 0;
	memcpy(link.name, e->name, e->namelen);
	return names_links_add(f->links, &link);
}

static int gather_inode(void *payload, struct repair_seen *s)
{
	struct repair_fill *f = payload;
	struct xfs_inode *ip = f->n.ip;
	struct xfs_dir dir;
	int error;

	if (s->free || !s->identified || (s->d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR ||
	    !names_fill_doubts(f, s->ino))
		return 0;
	f->ino = s->ino;
	f->gen = s->d.core.gen;
	error = xfs_inode_parse(f->n.r->fs, XFS_INO(s->ino), s->image, ip);
	if (!error)
		error = xfs_dir_open(&dir, ip, NULL);
	return error ? error : xfs_dir_each(&dir, 0, keep_link, f);
}

static int gather_ag(void *payload, size_t agno)
{
	struct repair_fill *f = payload;

	return repair_scan_ag_inodes(f->n.r, &f->n.r->ags[agno], gather_inode, f);
}

static int gather(struct repair_fill *f)
{
	struct repair *r = f->n.r;
	int error = names_links_new(&f->links, f->told->memory / LINKS_SHARE);

	r->ahead = true;
	if (!error)
		error = repair_each_ag(r, gather_ag, f);
	r->ahead = false;
	return error;
}

/* ---- one inode ---- */

/* All of a link, byte for byte, keyed by numbers of this run. */
static int add_key(struct repair_fill *f, unsigned which, uint64_t dir, uint32_t gen, const uint8_t *name, size_t len)
{
	uint64_t h = repair_link_hash(f->first, f->ino, dir, gen, (uint32_t)len);
	int error = xfs_grow(&f->keys[which], f->n_of[which], &f->room[which], 16);

	if (error)
		return error;
	for (size_t i = 0; i < len; i++) {
		h = (h ^ name[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	f->keys[which][f->n_of[which]++] = h ^ f->first->fork_sums.key[1];
	return 0;
}

static int add_entry(struct repair_fill *f)
{
	const struct names_link *l = &f->next;
	struct names_parent p = { .ino = l->ino, .parent = l->dir, .gen = l->gen, .namelen = l->namelen };
	int error = names_keep(&f->n, l->name, l->namelen, &p.name);

	if (!error)
		error = xfs_grow(&f->entries, f->n_of[0], &f->entry_room, 16);
	if (error)
		return error;
	f->entries[f->n_of[0]] = p;
	return add_key(f, 0, l->dir, l->gen, l->name, l->namelen);
}

static int sort_keys(struct repair_fill *f, unsigned which)
{
	static const struct xfs_sort_spec order = { .size = sizeof(uint64_t), .words = 1 };

	return f->n_of[which] ? xfs_sort(&order, f->keys[which], f->n_of[which]) : 0;
}

/* All entries that lead to the next inode. */
int names_fill_next(struct repair_fill *f)
{
	int error = 0;

	f->n_of[0] = f->n_of[1] = 0;
	f->ino = f->next.ino;
	while (!error && f->more && f->next.ino == f->ino) {
		error = add_entry(f);
		if (!error)
			error = names_links_next(f->links, &f->next, &f->more);
	}
	return error;
}

int names_fill_begin(struct repair_fill *f)
{
	int error = names_links_rewind(f->links);

	return error ? error : names_links_next(f->links, &f->next, &f->more);
}

static int keep_pointer(void *payload, const struct xfs_parent *p)
{
	struct repair_fill *f = payload;

	if (!names_fill_doubts(f, p->ino.v))
		return 0;
	f->pointed += repair_link_hash(f->first, f->ino, p->ino.v, p->gen, xfs_name_hash(p->name, p->namelen));
	return add_key(f, 1, p->ino.v, p->gen, p->name, p->namelen);
}

static int read_pointers(struct repair_fill *f)
{
	struct names *n = &f->n;
	struct xfs_dinode d;
	struct xfs_attrs a;
	int error = f->fresh ? 0 : repair_read_inode(n->r, f->ino, n->image, &d);

	if (!error && !f->fresh && d.core.forkoff) {
		error = xfs_inode_parse(n->r->fs, XFS_INO(f->ino), n->image, n->ip);
		if (!error)
			error = xfs_attrs_open(&a, n->ip, NULL);
		if (!error)
			error = xfs_parents_each(&a, keep_pointer, f);
	}
	/* one that cannot be: nothing was written so far */
	if (error)
		return error == -XFS_E_NOMEM ? error : -XFS_E_AGAIN;
	return sort_keys(f, 1);
}

static bool has_key(const struct repair_fill *f, unsigned which, uint64_t key)
{
	size_t at = xfs_search(f->n_of[which], i, f->keys[which][i] < key);

	return at < f->n_of[which] && f->keys[which][at] == key;
}

/* ---- who lacks some, and is anything else wrong? ---- */

static uint64_t *word_of(const struct repair_fill *f, uint64_t ino, unsigned *index)
{
	const struct repair *r = f->first;
	uint32_t agno;
	const struct xfs_inode_chunk *c;

	if (!xfs_ino_valid(&r->geo, XFS_INO(ino)))
		return NULL;
	agno = xfs_ino_agno(&r->geo, XFS_INO(ino)).v;
	c = repair_chunk_of(&r->ags[agno], xfs_ino_agino(&r->geo, XFS_INO(ino)).v, index);
	return c && f->wanted[agno] ? &f->wanted[agno][c - r->ags[agno].chunks] : NULL;
}

bool names_fill_wants(const struct repair_fill *f, uint64_t ino)
{
	unsigned index;
	const uint64_t *word = word_of(f, ino, &index);

	return word && *word >> index & 1;
}

static int want(struct repair_fill *f)
{
	unsigned index;
	uint64_t *word = word_of(f, f->ino, &index);

	if (!word)
		return -XFS_E_AGAIN;
	*word |= UINT64_C(1) << index;
	f->nwanted++;
	return 0;
}

/* Tells what the inode lacks. */
static int note_missing(struct repair_fill *f)
{
	struct names *n = &f->n;
	bool any = false;

	for (size_t i = 0; i < f->n_of[0]; i++) {
		const struct names_parent *p = &f->entries[i];

		if (has_key(f, 1, f->keys[0][i]))
			continue;
		any = true;
		names_note(n, XFS_F_PARENT_MISSING, "attributes", f->ino, true, "ino %" PRIu64 " name \"%.*s\"",
			   p->parent, (int)xfs_min(p->namelen, 60), (const char *)n->arena + p->name);
	}
	return any ? want(f) : 0;
}

/* Every pointer to a directory whose sums differ must have its entry. */
static int check_pointers(struct repair_fill *f)
{
	int error = sort_keys(f, 0);

	for (size_t i = 0; i < f->n_of[1] && !error; i++)
		if (!has_key(f, 0, f->keys[1][i]) || (i && f->keys[1][i] == f->keys[1][i - 1]))
			error = -XFS_E_AGAIN;
	return error;
}

/* A first time to see whether there is something to decide, then again to tell what is missing. */
static int go_over(struct repair_fill *f, int (*job)(struct repair_fill *))
{
	int error = names_fill_begin(f);

	while (!error && f->more) {
		error = names_fill_next(f);
		if (!error)
			error = read_pointers(f);
		if (!error)
			error = job(f);
		f->n.used = 0;
	}
	return error;
}

static int survey(struct repair_fill *f)
{
	const struct repair *r = f->first;
	int error = f->fresh ? 0 : go_over(f, check_pointers);

	if (!error && f->pointed != f->pointers)
		return -XFS_E_AGAIN;
	f->wanted = error ? NULL : calloc(r->geo.agcount, sizeof(*f->wanted));
	if (!error && !f->wanted)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		if (r->ags[i].nchunks && !(f->wanted[i] = calloc(r->ags[i].nchunks, sizeof(uint64_t))))
			error = -XFS_E_NOMEM;
	if (!error)
		error = go_over(f, note_missing);
	return error || f->nwanted ? error : -XFS_E_AGAIN;
}

/* Which directories differ. The sums themselves go with all that only decisions need. */
static bool choose(struct repair_fill *f)
{
	const struct repair *r = f->n.r, *told = f->told;

	if (r->names_bad || !r->link_buckets || r->nlost || r->ninodes || r->flips.n || told->held ||
	    told->holds.findings)
		return false;
	f->fresh = told->add & REPAIR_ADD_PARENT;
	for (unsigned i = 0; i < REPAIR_LINK_BUCKETS; i++) {
		f->fresh = f->fresh && !r->link_buckets[i][1];
		f->differs[i] = r->link_buckets[i][0] != r->link_buckets[i][1];
		if (f->differs[i])
			f->pointers += r->link_buckets[i][1];
	}
	return true;
}

static void release(struct repair_fill *f)
{
	for (uint32_t i = 0; f->wanted && i < f->told->geo.agcount; i++)
		free(f->wanted[i]);
	free(f->wanted);
	names_links_free(f->links);
	names_release(&f->n);
	tape_release(&f->images);
	free(f->entries);
	free(f->keys[0]);
	free(f->keys[1]);
	free(f);
}

/* What cannot be read like this is a matter of decisions, when what they need is there still. */
static int look(struct repair_fill *f)
{
	int error = gather(f);

	if (!error)
		error = survey(f);
	if (error && error != -XFS_E_NOMEM && !f->fresh)
		return -XFS_E_AGAIN;
	return error == -XFS_E_AGAIN ? -XFS_E_INTERNAL : error;
}

int names_fill(struct repair *told, struct repair *state)
{
	struct repair_fill *f = calloc(1, sizeof(*f));
	int error = f ? 0 : -XFS_E_NOMEM;

	if (error)
		return error;
	f->told = told;
	f->first = state;
	f->n = (struct names){ .told = told, .r = state, .lost_found = XFS_NULL64 };
	error = choose(f) ? names_prepare(&f->n) : -XFS_E_AGAIN;
	if (!error && f->fresh)		/* nothing that asks for decisions will be found */
		repair_rest(state);
	if (!error)
		error = look(f);
	if (!error) {
		error = names_fill_at_once(f);
		if (error == -XFS_E_NOSPC)
			error = names_fill_batches(f);
	}
	release(f);
	return error;
}
