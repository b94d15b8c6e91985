/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_pointers.c - which parent pointers of an inode mean an entry?
 *
 * Pointers stay in the order in which they were found.  Most inodes have one or two; those of an inode with many are
 * sorted beside it, so that many entries may ask.  One that lost its flag is known by the entry that misses it.
 */
#include "repair/names.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>

#define FEW 16u

struct names_sorted {
	uint64_t ino, parent;
	uint64_t key;		/* length of the name above its keyed hash */
	size_t at;
};

/* A directory, and a name in it. */
struct names_pair {
	uint64_t key, dir;
	uint32_t name;
	unsigned namelen;
};

static uint64_t key_of(const struct names *n, const struct names_parent *p)
{
	return (uint64_t)p->namelen << 56 | names_hash(n, p->parent, n->arena + p->name, p->namelen) >> 8;
}

static bool has_many(const struct names *n, size_t first)
{
	return n->nparents - first > FEW && n->parents[first + FEW].ino == n->parents[first].ino;
}

int names_sort_pointers(struct names *n)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct names_sorted), .words = 3,
		.word_off = { offsetof(struct names_sorted, ino), offsetof(struct names_sorted, parent),
			      offsetof(struct names_sorted, key) } };
	size_t many = 0;

	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0, end; i < n->nparents; i = end) {
			bool keep = has_many(n, i);

			for (end = i; end < n->nparents && n->parents[end].ino == n->parents[i].ino; end++) {
				const struct names_parent *p = &n->parents[end];

				if (keep && round)
					n->sorted[n->nsorted++] =
						(struct names_sorted){ p->ino, p->parent, key_of(n, p), end };
				many += keep && !round;
			}
		}
		if (!round && many) {
			n->sorted = malloc(many * sizeof(*n->sorted));
			if (!n->sorted)
				return -XFS_E_NOMEM;
		}
	}
	return n->nsorted ? xfs_sort(&order, n->sorted, n->nsorted) : 0;
}

/* Index of the first one that is not before this. */
static size_t first_sorted(const struct names *n, uint64_t ino, uint64_t parent, uint64_t key)
{
	const struct names_sorted *s = n->sorted;

	return xfs_search(n->nsorted, i, s[i].ino != ino ? s[i].ino < ino :
					 s[i].parent != parent ? s[i].parent < parent : s[i].key < key);
}

static bool is_pointer_to(const struct names *n, const struct names_parent *p, const struct names_entry *e)
{
	return p->parent == e->dir && p->namelen == e->namelen &&
	       !memcmp(n->arena + p->name, n->arena + e->name, e->namelen);
}

bool names_is_pointed(const struct names *n, const struct names_entry *e)
{
	struct names_parent like = { .parent = e->dir, .name = e->name, .namelen = e->namelen };
	size_t first = names_first_parent(n, e->ino);
	uint64_t key;

	if (first == n->nparents || n->parents[first].ino != e->ino || !has_many(n, first)) {
		for (size_t i = first; i < n->nparents && n->parents[i].ino == e->ino; i++)
			if (is_pointer_to(n, &n->parents[i], e))
				return true;
		return false;
	}
	key = key_of(n, &like);
	for (size_t i = first_sorted(n, e->ino, e->dir, key); i < n->nsorted && n->sorted[i].key == key; i++) {
		const struct names_parent *p = &n->parents[n->sorted[i].at];

		if (p->ino != e->ino || p->parent != e->dir)
			break;
		if (is_pointer_to(n, p, e))
			return true;
	}
	return false;
}

const struct names_parent *names_only_pointer(const struct names *n, const struct names_entry *e)
{
	const struct names_parent *found = NULL, *p;
	size_t first = names_first_parent(n, e->ino);
	bool many = first < n->nparents && n->parents[first].ino == e->ino && has_many(n, first);

	if (many)
		first = first_sorted(n, e->ino, e->dir, (uint64_t)e->namelen << 56);
	for (size_t i = first; i < (many ? n->nsorted : n->nparents); i++) {
		p = &n->parents[many ? n->sorted[i].at : i];
		if (p->ino != e->ino || (many && (p->parent != e->dir || p->namelen != e->namelen)))
			break;
		if (p->parent != e->dir || p->namelen != e->namelen)
			continue;
		if (found)
			return NULL;
		found = p;
	}
	return found;
}

/* ---- pointers without their flag ---- */

int names_pairs_add(const struct names *n, struct names_pairs *p, uint64_t dir, uint32_t name, unsigned namelen)
{
	if (xfs_grow(&p->list, p->n, &p->room, 16))
		return -XFS_E_NOMEM;
	p->list[p->n++] = (struct names_pair){ names_hash(n, dir, n->arena + name, namelen), dir, name, namelen };
	return 0;
}

int names_pairs_sort(struct names_pairs *p)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct names_pair), .words = 1,
						    .word_off = { offsetof(struct names_pair, key) } };

	return p->n ? xfs_sort(&order, p->list, p->n) : 0;
}

bool names_pairs_hold(const struct names *n, const struct names_pairs *p, uint64_t dir, uint32_t name, unsigned namelen)
{
	uint64_t key = names_hash(n, dir, n->arena + name, namelen);

	for (size_t at = xfs_search(p->n, i, p->list[i].key < key); at < p->n && p->list[at].key == key; at++) {
		const struct names_pair *o = &p->list[at];

		if (o->dir == dir && o->namelen == namelen && !memcmp(n->arena + o->name, n->arena + name, namelen))
			return true;
	}
	return false;
}

bool names_may_be_lost(const struct names_attr *a)
{
	return !a->flags && a->valuelen == sizeof(struct xfs_parent_rec_disk);
}

bool names_is_lost(const struct names *n, const struct names_pairs *unsaid, const struct names_attr *a)
{
	return names_may_be_lost(a) &&
	       names_pairs_hold(n, unsaid, xfs_be64(n->arena + a->value), a->name, a->namelen);
}
