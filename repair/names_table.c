/* SPDX-License-Identifier: BSD-2-Clause */
/* names_table.c - entries by directory and name. */
#include "repair/names.h"

#include "libxfs/name/hash.h"

#include <stdlib.h>
#include <string.h>

uint64_t names_hash(const struct names *n, uint64_t dir, const uint8_t *name, size_t len)
{
	bool fold = n->r->geo.asciici;
	uint64_t h = n->r->fork_sums.key[0] ^ dir * UINT64_C(0xff51afd7ed558ccd);

	for (size_t i = 0; i < len; i++) {
		h = (h ^ (fold ? xfs_name_lower(name[i]) : name[i])) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return (h ^ n->r->fork_sums.key[1]) * UINT64_C(0xc4ceb9fe1a85ec53);
}

static bool is_same(const struct names *n, const struct names_entry *e, uint64_t dir, const uint8_t *name, size_t len)
{
	return e->dir == dir && !(e->flags & NAMES_DROPPED) &&
	       xfs_dir_name_equal(&n->r->geo, n->arena + e->name, e->namelen, name, len);
}

uint32_t names_find(struct names *n, uint64_t dir, const uint8_t *name, size_t len)
{
	size_t mask = ((size_t)1 << n->table_bits) - 1, at;

	if (!n->table)
		return NAMES_NONE;
	for (at = names_hash(n, dir, name, len) >> (64 - n->table_bits); n->table[at] != NAMES_NONE;
	     at = (at + 1) & mask)
		if (is_same(n, &n->entries[n->table[at]], dir, name, len))
			return n->table[at];
	return NAMES_NONE;
}

static void put(struct names *n, uint32_t entry)
{
	const struct names_entry *e = &n->entries[entry];
	size_t mask = ((size_t)1 << n->table_bits) - 1;
	size_t at = names_hash(n, e->dir, n->arena + e->name, e->namelen) >> (64 - n->table_bits);

	while (n->table[at] != NAMES_NONE)
		at = (at + 1) & mask;
	n->table[at] = entry;
}

static int grow(struct names *n)
{
	unsigned bits = n->table_bits ? n->table_bits + 1 : 10, old_bits = n->table_bits;
	uint32_t *old = n->table;

	while ((size_t)1 << bits < 2 * n->nentries)
		bits++;
	n->table = malloc(sizeof(*n->table) << bits);
	if (!n->table) {
		n->table = old;
		return -XFS_E_NOMEM;
	}
	n->table_bits = bits;
	memset(n->table, 0xff, sizeof(*n->table) << bits);
	for (size_t i = 0; old && i < (size_t)1 << old_bits; i++)
		if (old[i] != NAMES_NONE)
			put(n, old[i]);
	free(old);
	return 0;
}

int names_table_add(struct names *n, uint32_t entry)
{
	if (!n->table || n->tabled >= (size_t)1 << (n->table_bits - 1)) {
		int error = grow(n);

		if (error)
			return error;
	}
	put(n, entry);
	n->tabled++;
	return 0;
}

void names_table_clear(struct names *n)
{
	free(n->table);
	n->table = NULL;
	n->table_bits = 0;
	n->tabled = 0;
}

void names_touch(struct names *n, uint64_t ino)
{
	struct names_dir *d = names_find_dir(n, ino);

	if (d)
		d->dirty = true;
}

void names_drop(struct names *n, uint32_t entry)
{
	n->entries[entry].flags |= NAMES_DROPPED;
	names_touch(n, n->entries[entry].dir);
}

int names_insert(struct names *n, uint64_t dir, uint64_t ino, const uint8_t *name, size_t len, uint32_t *at)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);
	struct names_entry e = { .dir = dir, .ino = ino, .order = n->fresh++, .namelen = (uint8_t)len,
				 .ftype = f ? f->ftype : 0, .flags = NAMES_FRESH };
	uint8_t copy[XFS_DIR_NAME_MAX];
	int error;

	/* the name may lie in the arena, which moves when it grows */
	memcpy(copy, name, len);
	e.hash = xfs_dir_hash(&n->r->geo, copy, len);
	error = names_keep(n, copy, len, &e.name);
	if (!error)
		error = names_add_entry(n, &e);
	if (error)
		return error;
	*at = (uint32_t)n->nentries - 1;
	names_touch(n, dir);
	return names_table_add(n, *at);
}
