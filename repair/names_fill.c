/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_fill.c - names are in order, and nothing but parent pointers is missing: the filesystem gets the feature, or that
 * was cut off.
 *
 * Nothing is to be decided then.  Entries of the directories whose sums differ are sorted by the inodes that they lead
 * to, within a limit of memory.  Those inodes are known by one bit each: a batch after the other is planned and built
 * among the other forks, and waits on a tape until what it leads to is durable.  Where there is no room beside the old
 * forks, each batch is a repair of its own.
 */
#include "repair/names.h"

#include "repair/evidence.h"
#include "repair/names_links.h"
#include "repair/options.h"
#include "repair/rebuild.h"
#include "repair/tape.h"
#include "repair/write.h"

#include "libxfs/base/sort.h"
#include "libxfs/name/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_SHARE 4u			/* of what claims may take */
#define INODE_MEMORY ((size_t)2 << 10)	/* that a changed inode takes, with what hangs on it */
#define BATCH_LEAST ((size_t)1 << 10)
#define BATCH_MOST ((size_t)4 << 10)
#define ALONE_MOST ((size_t)16 << 10)	/* each of these costs a fresh look */

struct repair_fill {
	struct repair *told;
	struct repair *first;		/* the state whose names were read: its keys make the sums */
	struct names n;			/* n.r: the state at hand, NULL when it has to be looked at */
	struct names_links *links;
	uint8_t differs[REPAIR_LINK_BUCKETS];	/* by bucket of directories */
	bool fresh;			/* there is no pointer anywhere */
	uint64_t pointers;		/* sums of these buckets: of all pointers; of those with an entry */
	uint64_t pointed;
	struct names_link next;		/* the first link of the next inode */
	bool more;
	struct names_parent *entries;	/* those of one inode, as pointers to them */
	uint64_t *keys[2];		/* of its entries, of its pointers; sorted */
	size_t n_of[2], room[2], entry_room;
	uint64_t ino;
	uint32_t gen;			/* of the directory that is read */
	uint64_t **wanted;		/* by AG and chunk: inodes that lack some, one bit each */
	uint64_t nwanted;
	struct tape images;		/* inodes as they will be, each behind its number */
	uint64_t nimages;
};

static bool is_doubted(const struct repair_fill *f, uint64_t dir)
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

	if (s->free || !s->identified || (s->d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR || !is_doubted(f, s->ino))
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

static int make_room(void **list, size_t *room, size_t n, size_t size)
{
	size_t want = *room ? 2 * *room : 16;
	void *grown;

	if (n < *room)
		return 0;
	grown = realloc(*list, want * size);
	if (!grown)
		return -XFS_E_NOMEM;
	*list = grown;
	*room = want;
	return 0;
}

/* All of a link, byte for byte, keyed by numbers of this run. */
static int add_key(struct repair_fill *f, unsigned which, uint64_t dir, uint32_t gen, const uint8_t *name, size_t len)
{
	uint64_t h = repair_link_hash(f->first, f->ino, dir, gen, (uint32_t)len);
	void *list = f->keys[which];
	int error = make_room(&list, &f->room[which], f->n_of[which], sizeof(h));

	f->keys[which] = list;
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
	void *list = f->entries;
	int error = names_keep(&f->n, l->name, l->namelen, &p.name);

	if (!error)
		error = make_room(&list, &f->entry_room, f->n_of[0], sizeof(p));
	f->entries = list;
	if (error)
		return error;
	f->entries[f->n_of[0]] = p;
	return add_key(f, 0, l->dir, l->gen, l->name, l->namelen);
}

/* All entries that lead to the next inode. */
static int next_inode(struct repair_fill *f)
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

static int begin(struct repair_fill *f)
{
	int error = names_links_rewind(f->links);

	return error ? error : names_links_next(f->links, &f->next, &f->more);
}

static int keep_pointer(void *payload, const struct xfs_parent *p)
{
	struct repair_fill *f = payload;

	if (!is_doubted(f, p->ino.v))
		return 0;
	f->pointed += repair_link_hash(f->first, f->ino, p->ino.v, p->gen, xfs_name_hash(p->name, p->namelen));
	return add_key(f, 1, p->ino.v, p->gen, p->name, p->namelen);
}

static int read_pointers(struct repair_fill *f)
{
	static const struct xfs_sort_spec order = { .size = sizeof(uint64_t), .words = 1 };
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
	return f->n_of[1] ? xfs_sort(&order, f->keys[1], f->n_of[1]) : 0;
}

static bool has_key(const struct repair_fill *f, unsigned which, uint64_t key)
{
	size_t lo = 0, hi = f->n_of[which];

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->keys[which][mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->n_of[which] && f->keys[which][lo] == key;
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

bool repair_fills(const struct repair *r, uint64_t ino)
{
	unsigned index;
	const uint64_t *word = word_of(r->fill, ino, &index);

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
	static const struct xfs_sort_spec order = { .size = sizeof(uint64_t), .words = 1 };
	int error = xfs_sort(&order, f->keys[0], f->n_of[0]);

	for (size_t i = 0; i < f->n_of[1] && !error; i++)
		if (!has_key(f, 0, f->keys[1][i]) || (i && f->keys[1][i] == f->keys[1][i - 1]))
			error = -XFS_E_AGAIN;
	return error;
}

/* A first time to see whether there is something to decide, then again to tell what is missing. */
static int go_over(struct repair_fill *f, int (*job)(struct repair_fill *))
{
	int error = begin(f);

	while (!error && f->more) {
		error = next_inode(f);
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

/* ---- what is missing ---- */

static bool is_named(const struct names *n, const struct names_parent *p, const struct names_attr *a)
{
	return a->valuelen == sizeof(struct xfs_parent_rec_disk) && p->parent == xfs_be64(n->arena + a->value) &&
	       p->namelen == a->namelen && !memcmp(n->arena + p->name, n->arena + a->name, a->namelen);
}

/* A pointer that lost its flag: it says the same as an entry that no other one says. */
static bool is_lost_pointer(const struct repair_fill *f, const struct names_attr *list, size_t count,
			    const struct names_attr *a)
{
	const struct names *n = &f->n;
	bool entry = false;

	if (a->flags || a->valuelen != sizeof(struct xfs_parent_rec_disk))
		return false;
	for (size_t i = 0; i < f->n_of[0] && !entry; i++)
		if (is_named(n, &f->entries[i], a)) {
			entry = true;
			for (size_t k = 0; k < count; k++)
				if (list[k].flags & XFS_ATTR_PARENT && is_named(n, &f->entries[i], &list[k]))
					return false;
		}
	return entry;
}

static int plan_missing(struct repair_fill *f)
{
	struct names *n = &f->n;
	struct names_attr *list;
	struct repair_inode *c;
	size_t count, room = 0;
	int error = names_begin_attrs(n, f->ino, &c, &list, &count);

	for (size_t i = 0; i < count && !error; i++) {
		bool pointer = list[i].flags & XFS_ATTR_PARENT &&
			       list[i].valuelen == sizeof(struct xfs_parent_rec_disk);

		/* those to these directories follow from the entries */
		if (pointer ? !is_doubted(f, xfs_be64(n->arena + list[i].value)) :
			      !is_lost_pointer(f, list, count, &list[i]))
			error = names_plan_attr(c->names, &room, &list[i]);
	}
	for (size_t i = 0; i < f->n_of[0] && !error; i++)
		error = names_plan_pointer(n, c->names, &room, &f->entries[i]);
	free(list);
	return error;
}

static int plan_inode(struct repair_fill *f)
{
	unsigned index;
	const uint64_t *word = word_of(f, f->ino, &index);

	return word && *word >> index & 1 ? plan_missing(f) : 0;
}

static int plan_batch(struct repair_fill *f, size_t most)
{
	struct repair *r = f->n.r;
	int error = 0;

	most = xfs_min(most, xfs_max(f->told->memory / INODE_MEMORY, BATCH_LEAST));
	/* an inode with very many names ends a batch, too */
	while (!error && f->more && r->ninodes + r->nlate < most && f->n.used < most * INODE_MEMORY) {
		error = next_inode(f);
		if (!error)
			error = plan_inode(f);
	}
	if (!error)
		names_settle_plans(&f->n);
	return error;
}

/* ---- all in one rebuild ---- */

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
	int error = begin(f);

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

static int do_at_once(struct repair_fill *f)
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

static int do_batches(struct repair_fill *f)
{
	int error = begin(f);

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
		error = do_at_once(f);
		if (error == -XFS_E_NOSPC)
			error = do_batches(f);
	}
	release(f);
	return error;
}
