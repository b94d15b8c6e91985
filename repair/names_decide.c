/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_decide.c - each entry by itself: its name, the inode it leads to, its type; and names that occur twice.
 *
 * Nothing is dropped that another witness explains: a name that the hash index or a parent pointer knows, an inode
 * number that is one bit away from an inode that lacks a name.
 */
#include "repair/names.h"

#include "libxfs/name/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Names as they are told: what a terminal could take for a command is a question mark. */
static const char *shown(struct names *n, const struct names_entry *e, char out[72])
{
	unsigned len = e->namelen < 64 ? e->namelen : 64;

	for (unsigned i = 0; i < len; i++) {
		uint8_t c = n->arena[e->name + i];

		out[i] = c < 32 || c == 127 ? '?' : (char)c;
	}
	out[len] = 0;
	return out;
}

static void touch_entry(struct names *n, struct names_entry *e)
{
	e->flags |= NAMES_FRESH;
	names_touch(n, e->dir);
}

/* ---- names ---- */

static void mend_illegal(struct names *n, struct names_entry *e)
{
	const struct names_parent *p = names_only_pointer(n, e);
	char name[72];

	names_note(n, XFS_F_DIR_NAME, "directory", e->dir, true,
		   "entry for inode %" PRIu64 " holds a byte that no name may hold", e->ino);
	if (p) {
		e->name = p->name;
	} else {
		for (unsigned i = 0; i < e->namelen; i++)
			if (!n->arena[e->name + i] || n->arena[e->name + i] == '/')
				n->arena[e->name + i] = '_';
	}
	e->hash = xfs_dir_hash(&n->r->geo, n->arena + e->name, e->namelen);
	e->flags &= (uint8_t)~NAMES_ILLEGAL;
	touch_entry(n, e);
	if (n->r->verbose)
		names_say(n, "entry for inode %llu is named \"%s\"", "entry for inode %llu would be named \"%s\"",
			  (unsigned long long)e->ino, shown(n, e, name));
}

/* A legal name that both its hash and the parent pointer of the inode contradict. */
static void mend_denied(struct names *n, struct names_entry *e)
{
	const struct names_parent *p = names_is_pointed(n, e) ? NULL : names_only_pointer(n, e);
	char name[72];

	if (!p)
		return;
	names_note(n, XFS_F_DIR_NAME, "directory", e->dir, true,
		   "entry \"%s\" for inode %" PRIu64 " is not what its hash and a parent pointer say",
		   shown(n, e, name), e->ino);
	e->name = p->name;
	e->hash = xfs_dir_hash(&n->r->geo, n->arena + e->name, e->namelen);
	touch_entry(n, e);
}

/* ---- twins ---- */

/* Which of two entries with one name has more behind it? */
static unsigned weight(struct names *n, const struct names_entry *e)
{
	struct repair_fact *f = repair_fact_of(n->r, e->ino);

	return (e->flags & NAMES_ASTRAY ? 0 : 4) + (e->flags & NAMES_CONFIRMED ? 2 : 0) +
	       (names_only_pointer(n, e) ? 8 : 0) + (f && e->ftype == f->ftype);
}

/* The same name with the inode's number behind it. */
static int rename_twin(struct names *n, uint32_t at)
{
	struct names_entry e = n->entries[at];
	uint8_t name[XFS_DIR_NAME_MAX];

	memcpy(name, n->arena + e.name, e.namelen);
	names_drop(n, at);
	return names_link(n, e.dir, e.ino, name, e.namelen);
}

static int settle_twin(struct names *n, uint32_t first, uint32_t second)
{
	struct names_entry *a = &n->entries[first], *b = &n->entries[second];
	bool same = a->ino == b->ino;
	uint32_t loser = second;
	char name[72];
	int error;

	names_note(n, XFS_F_DIR_TWIN, "directory", b->dir, true,
		   "entry \"%s\" (ino %" PRIu64 ") in dir %" PRIu64 " already points to ino %" PRIu64,
		   shown(n, b, name), b->ino, b->dir, a->ino);
	if (!same && weight(n, b) > weight(n, a)) {
		loser = first;
		names_drop(n, first);
		error = names_table_add(n, second);
		if (error)
			return error;
	}
	if (same || n->entries[loser].flags & NAMES_ASTRAY) {
		names_drop(n, loser);
		return 0;
	}
	return rename_twin(n, loser);
}

/* ---- targets ---- */

static void check_target(struct names *n, struct names_entry *e)
{
	struct repair_fact *f = repair_fact_of(n->r, e->ino);
	struct names_dir *d = names_find_dir(n, e->dir);

	if (repair_is_lost(n->r, e->ino))
		return;
	if (!f || !f->used || e->ino == n->r->primary.rootino || e->ino == e->dir || repair_is_internal(n->r, e->ino) ||
	    (d && f->meta && !d->meta))
		e->flags |= NAMES_ASTRAY;
}

int names_decide_entries(struct names *n)
{
	size_t count = n->nentries;
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		check_target(n, &n->entries[i]);
		if (n->entries[i].flags & NAMES_ILLEGAL)
			mend_illegal(n, &n->entries[i]);
		else if (n->entries[i].flags & NAMES_DENIED && n->r->geo.parent)
			mend_denied(n, &n->entries[i]);
	}
	for (size_t i = 0; i < count && !error; i++) {
		const struct names_entry *e = &n->entries[i];
		uint32_t twin = names_find(n, e->dir, n->arena + e->name, e->namelen);

		error = twin == NAMES_NONE ? names_table_add(n, (uint32_t)i) : settle_twin(n, twin, (uint32_t)i);
	}
	for (size_t i = 0; i < n->nentries; i++) {
		const struct names_entry *e = &n->entries[i];
		struct repair_fact *f = repair_fact_of(n->r, e->ino);

		if (f && !(e->flags & (NAMES_DROPPED | NAMES_ASTRAY)))
			f->links++;
	}
	return error;
}

/* ---- those that lead nowhere ---- */

static bool fits(struct names *n, const struct names_entry *e, uint64_t ino)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);
	struct names_dir *d = names_find_dir(n, e->dir), *child;

	if (!f || !f->used || (f->links && (f->ftype == XFS_DIR_FT_DIR || f->links >= f->nlink)) ||
			repair_is_internal(n->r, ino) || ino == n->r->primary.rootino || ino == e->dir ||
	    repair_is_lost(n->r, ino) || (d && d->meta != f->meta) || (e->ftype && e->ftype != f->ftype))
		return false;
	child = f->ftype == XFS_DIR_FT_DIR ? names_find_dir(n, ino) : NULL;
	return !child || child->said == e->dir;
}

/* The one inode that lacks a name and is a single bit away. */
static uint64_t one_bit_away(struct names *n, const struct names_entry *e)
{
	uint64_t found = XFS_NULL64;

	if (names_is_cut_off(n, e))
		return found;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t ino = e->ino ^ UINT64_C(1) << bit;

		if (!fits(n, e, ino))
			continue;
		if (found != XFS_NULL64)
			return XFS_NULL64;
		found = ino;
	}
	return found;
}

static void retarget(struct names *n, uint32_t at, uint64_t ino)
{
	struct names_entry *e = &n->entries[at];
	struct repair_fact *f = repair_fact_of(n->r, ino), *old = repair_fact_of(n->r, e->ino);
	char name[72];

	names_note(n, XFS_F_DIR_TARGET_BIT, "directory", e->dir, true,
		   "entry \"%s\" leads to inode %" PRIu64 ", meant is %" PRIu64, shown(n, e, name), e->ino, ino);
	if (old && !(e->flags & NAMES_ASTRAY))
		old->links--;
	f->links++;
	e->ino = ino;
	e->ftype = f->ftype;
	e->flags &= (uint8_t)~NAMES_ASTRAY;
	touch_entry(n, e);
}

static void drop_astray(struct names *n, uint32_t at)
{
	struct names_entry *e = &n->entries[at];
	char name[72];

	names_note(n, XFS_F_DIR_TARGET, "directory", e->dir, true,
		   "entry \"%s\" leads to inode %" PRIu64 ", which is not in use", shown(n, e, name), e->ino);
	names_say(n, "junking entry \"%s\" in directory inode %llu",
		  "would have junked entry \"%s\" in directory inode %llu", name, (unsigned long long)e->dir);
	names_drop(n, at);
}

static void set_type(struct names *n, struct names_entry *e, unsigned ftype)
{
	char name[72];

	names_note(n, XFS_F_DIR_FTYPE, "directory", e->dir, true,
		   "entry \"%s\": type %u, inode %" PRIu64 " has type %u", shown(n, e, name), e->ftype, e->ino, ftype);
	names_say(n, "fixing ftype mismatch (%u/%u) in directory/child inode %llu/%llu",
		  "would fix ftype mismatch (%u/%u) in directory/child inode %llu/%llu", e->ftype, ftype,
		  (unsigned long long)e->dir, (unsigned long long)e->ino);
	e->ftype = (uint8_t)ftype;
	touch_entry(n, e);
}

/* A file that lacks all its names. */
static bool is_nameless(struct names *n, uint64_t ino, const struct repair_fact *f)
{
	return f->used && !f->links && f->nlink && !f->meta && f->ftype != XFS_DIR_FT_DIR &&
	       !repair_is_internal(n->r, ino) && !repair_is_lost(n->r, ino);
}

enum { TYPES = XFS_DIR_FT_LNK + 1 };

struct leftover {
	uint64_t ino;
	uint32_t entry;
	unsigned files, entries;
};

static int count_nameless(struct names *n, uint64_t ino, struct repair_fact *f, void *payload)
{
	struct leftover *l = payload;

	if (is_nameless(n, ino, f) && f->ftype < TYPES && !l[f->ftype].files++)
		l[f->ftype].ino = ino;
	return 0;
}

/* Of all files of one type one lacks a name, and of all names for that type one leads nowhere: they belong together. */
static void match_last(struct names *n)
{
	struct leftover l[TYPES] = { 0 };
	bool any = false;

	for (uint32_t i = 0; i < n->nentries; i++) {
		const struct names_entry *e = &n->entries[i];

		if ((e->flags & (NAMES_ASTRAY | NAMES_DROPPED)) != NAMES_ASTRAY || e->ftype >= TYPES)
			continue;
		/* where an inode could be it may have been one that is gone */
		l[e->ftype].entries += repair_fact_of(n->r, e->ino) ? 2 : 1;
		l[e->ftype].entry = i;
		any = true;
	}
	if (!any || names_each_fact(n, count_nameless, l))
		return;
	for (unsigned t = 1; t < TYPES; t++)
		if (l[t].files == 1 && l[t].entries == 1 &&
		    !(n->entries[l[t].entry].flags & (NAMES_DOUBTED | NAMES_ILLEGAL)))
			retarget(n, l[t].entry, l[t].ino);
}

int names_decide_strays(struct names *n)
{
	for (uint32_t i = 0; i < n->nentries; i++) {
		struct names_entry *e = &n->entries[i];
		struct repair_fact *f = repair_fact_of(n->r, e->ino);
		bool astray = e->flags & NAMES_ASTRAY;
		bool other = f && f->used && (e->ftype || n->r->geo.ftype) && e->ftype != f->ftype &&
			     !repair_is_lost(n->r, e->ino);
		uint64_t meant;

		if (e->flags & NAMES_DROPPED || (!astray && !other))
			continue;
		/* more names than links, and another type: then the number is wrong, not the type */
		meant = astray || f->links > f->nlink || f->ftype == XFS_DIR_FT_DIR ? one_bit_away(n, e) : XFS_NULL64;
		if (meant != XFS_NULL64)
			retarget(n, i, meant);
		else if (!astray)
			set_type(n, e, f->ftype);
	}
	match_last(n);
	for (uint32_t i = 0; i < n->nentries; i++)
		if ((n->entries[i].flags & (NAMES_ASTRAY | NAMES_DROPPED)) == NAMES_ASTRAY)
			drop_astray(n, i);
	return 0;
}

/* ---- what is left over on both sides ---- */

/* Has the inode fewer names than links? */
static bool lacks_name(struct names *n, uint64_t ino, const struct repair_fact *f)
{
	return f->used && !f->meta && !f->open && f->links < f->nlink && f->ftype != XFS_DIR_FT_DIR &&
	       ino != n->r->primary.rootino && !repair_is_internal(n->r, ino) && !repair_is_lost(n->r, ino);
}

struct leftovers {
	uint64_t ino[XFS_DIR_FT_LNK + 1];	/* by type; at 0 of any type */
	uint32_t entry[XFS_DIR_FT_LNK + 1];
	unsigned inodes[XFS_DIR_FT_LNK + 1], entries[XFS_DIR_FT_LNK + 1];
};

static void count_inodes(struct names *n, struct leftovers *l)
{
	for (uint32_t agno = 0; agno < n->r->geo.agcount; agno++) {
		struct repair_ag *ag = &n->r->ags[agno];

		for (size_t i = 0; ag->facts && i < ag->nchunks * XFS_INODES_PER_CHUNK; i++) {
			uint32_t agino = ag->chunks[i / XFS_INODES_PER_CHUNK].startino +
					 (uint32_t)(i % XFS_INODES_PER_CHUNK);
			uint64_t ino = xfs_ino_of(&n->r->geo, ag->agno, XFS_AGINO(agino)).v;
			unsigned type = ag->facts[i].ftype;

			if (type > XFS_DIR_FT_LNK || !lacks_name(n, ino, &ag->facts[i]))
				continue;
			l->ino[type] = l->ino[0] = ino;
			l->inodes[type]++;
			l->inodes[0]++;
		}
	}
}

static void count_entries(struct names *n, struct leftovers *l)
{
	for (uint32_t i = 0; i < n->nentries; i++) {
		const struct names_entry *e = &n->entries[i];
		unsigned both = NAMES_DROPPED | NAMES_ASTRAY;

		if ((e->flags & both) != both || e->ftype > XFS_DIR_FT_LNK || e->ftype == XFS_DIR_FT_DIR)
			continue;
		l->entry[e->ftype] = i;
		l->entries[e->ftype]++;
	}
}

/*
 * Of one type one entry led astray, and one inode has fewer names than links: they belong together.  Where entries have
 * no types, or this one's is gone, it must be the only one of all.
 */
int names_match_strays(struct names *n)
{
	struct leftovers l = { 0 };
	unsigned all = 0;
	int error = 0;

	if (n->r->nlost)
		return 0;
	count_entries(n, &l);
	for (unsigned type = 0; type <= XFS_DIR_FT_LNK; type++)
		all += l.entries[type];
	if (!all)
		return 0;
	count_inodes(n, &l);
	for (unsigned type = 0; type <= XFS_DIR_FT_LNK && !error; type++) {
		const struct names_entry *e = &n->entries[l.entry[type]];
		uint32_t at;

		if (l.entries[type] != 1 || l.inodes[type] != 1 || (l.entries[0] && all != 1) ||
		    !names_find_dir(n, e->dir) || names_find(n, e->dir, n->arena + e->name, e->namelen) != NAMES_NONE)
			continue;
		names_note(n, XFS_F_DIR_TARGET_BIT, "directory", e->dir, true,
			   "entry \"%.*s\": the inode that misses a name is %" PRIu64,
			   e->namelen < 60 ? e->namelen : 60, (const char *)n->arena + e->name, l.ino[type]);
		repair_fact_of(n->r, l.ino[type])->links++;
		error = names_insert(n, e->dir, l.ino[type], n->arena + e->name, e->namelen, &at);
	}
	return error;
}
