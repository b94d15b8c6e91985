/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_place.c - what no directory names goes to lost+found: the top of each lost tree, under the name that anything
 * still holds for it, else under its inode number.  Deleted files that were still open when the filesystem went down
 * are freed: nobody misses a name for them.
 */
#include "repair/names.h"

#include "repair/evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOST_FOUND "lost+found"
#define FEW_VARIANTS 16u	/* of a name are tried in any case */

/* The k-th name that is tried: as it is, then with the inode's number, then with a count; never longer than may be. */
static size_t variant(const uint8_t *name, size_t len, uint64_t ino, unsigned k, uint8_t out[XFS_DIR_NAME_MAX])
{
	char number[24], suffix[40] = "";
	bool is_number;
	size_t add;

	snprintf(number, sizeof(number), "%" PRIu64, ino);
	is_number = len == strlen(number) && !memcmp(name, number, len);
	if (k && is_number)
		snprintf(suffix, sizeof(suffix), ".%u", k);
	else if (k == 1)
		snprintf(suffix, sizeof(suffix), ".%s", number);
	else if (k)
		snprintf(suffix, sizeof(suffix), ".%s.%u", number, k - 1);
	add = strlen(suffix);
	len = xfs_min(len, XFS_DIR_NAME_MAX - add);
	memcpy(out, name, len);
	memcpy(out + len, suffix, add);
	return len + add;
}

int names_link(struct names *n, uint64_t dir, uint64_t ino, const uint8_t *name, size_t namelen)
{
	uint8_t made[XFS_DIR_NAME_MAX];
	unsigned k = 0;
	uint32_t at;
	size_t len = variant(name, namelen, ino, k, made);

	/* ends: no directory holds them all. Where many have one name, no count is tried a second time */
	while (names_find(n, dir, made, len) != NAMES_NONE) {
		k = k < FEW_VARIANTS ? k + 1 : FEW_VARIANTS + ++n->variants;
		len = variant(name, namelen, ino, k, made);
	}
	return names_insert(n, dir, ino, made, len, &at);
}

/* ---- lost+found ---- */

static int find_lost_found(struct names *n)
{
	uint64_t root = n->r->primary.rootino;
	struct repair_fact *f;
	uint32_t at;
	int error;

	if (n->lost_found != XFS_NULL64)
		return 0;
	error = names_want(n, root);
	if (error)
		return error;
	at = names_find(n, root, (const uint8_t *)LOST_FOUND, sizeof(LOST_FOUND) - 1);
	f = at == NAMES_NONE ? NULL : repair_fact_of(n->r, n->entries[at].ino);
	error = f ? names_want(n, n->entries[at].ino) : 0;
	if (error)
		return error;
	if (f && names_find_dir(n, n->entries[at].ino)) {
		n->lost_found = n->entries[at].ino;
		return 0;
	}
	if (at != NAMES_NONE) {		/* something else has the name: it keeps its contents, under another one */
		uint64_t ino = n->entries[at].ino;

		names_note(n, XFS_F_DIR_NAME, "directory", root, true,
			   "%s (ino %" PRIu64 ") in root (%" PRIu64 ") is not a directory", LOST_FOUND, ino, root);
		names_drop(n, at);
		if (names_link(n, root, ino, (const uint8_t *)LOST_FOUND ".file", sizeof(LOST_FOUND ".file") - 1))
			return -XFS_E_NOMEM;
	}
	return names_make_lost_found(n, &n->lost_found);
}

/* ---- orphans ---- */

struct name {
	uint8_t bytes[XFS_DIR_NAME_MAX];
	size_t len;
};

static void known_name(struct names *n, uint64_t ino, const struct names_dir *d, struct name *out)
{
	size_t lo = names_first_parent(n, ino);

	if (d && d->entry != NAMES_NONE) {
		out->len = n->entries[d->entry].namelen;
		memcpy(out->bytes, n->arena + n->entries[d->entry].name, out->len);
		return;
	}
	if (lo < n->nparents && n->parents[lo].ino == ino) {
		out->len = n->parents[lo].namelen;
		memcpy(out->bytes, n->arena + n->parents[lo].name, out->len);
	} else {
		out->len = (size_t)snprintf((char *)out->bytes, sizeof(out->bytes), "%" PRIu64, ino);
	}
}

static int move(struct names *n, uint64_t ino)
{
	struct names_dir *d;
	struct xfs_dinode core;
	struct name name;
	int error = find_lost_found(n);

	if (error)
		return error;
	d = names_find_dir(n, ino);
	known_name(n, ino, d, &name);
	names_note(n, XFS_F_INODE_UNREACHED, "inode", ino, true, "as \"%.*s\"", (int)xfs_min(name.len, 60),
			(const char *)name.bytes);
	names_say(n, d ? "disconnected dir inode %llu, moving to lost+found" :
			 "disconnected inode %llu, moving to lost+found",
		  d ? "disconnected dir inode %llu, would move to lost+found" :
		      "disconnected inode %llu, would move to lost+found", (unsigned long long)ino);
	error = names_link(n, n->lost_found, ino, name.bytes, name.len);
	if (error)
		return error;
	repair_fact_of(n->r, ino)->links++;
	n->told->moved.inodes++;
	if (!names_read_inode(n, ino, n->image, &core))
		n->told->moved.blocks += core.core.nblocks;
	if (d) {
		d->entry = (uint32_t)n->nentries - 1;
		d->parent = n->lost_found;
	}
	return 0;
}

/* Nothing stands in it, and nobody wants to put something there. */
static bool is_empty(const struct names_dir *d)
{
	return !d->n && !d->dirty && !d->bad && !d->meta;
}

static int place(struct names *n, uint64_t ino, struct repair_fact *f)
{
	struct names_dir *d;

	if (!f->used || f->meta || repair_is_internal(n->r, ino) || ino == n->r->primary.rootino ||
	    repair_is_lost(n->r, ino))
		return 0;
	d = f->ftype == XFS_DIR_FT_DIR ? names_find_dir(n, ino) : NULL;
	if (d ? d->parent != XFS_NULL64 : f->links > 0)
		return 0;
	/* a directory whose core is lost may still name it */
	if (n->r->nlost && (!d || repair_is_lost(n->r, d->said))) {
		names_note(n, XFS_F_INODE_UNREACHED, "inode", ino, false, "left alone while other inodes are lost");
		f->kept = true;
		return 0;
	}
	if ((!d || is_empty(d)) && !f->nlink && f->open && !names_has_parents(n, ino)) {
		names_note(n, XFS_F_INODE_DELETED, "inode", ino, true, "deleted, but was open");
		return names_free_inode(n, ino, f);
	}
	return move(n, ino);	/* facts may move, too: a chunk for lost+found */
}

int names_place_orphans(struct names *n)
{
	struct repair *r = n->r;
	const struct repair_fact *root = repair_fact_of(r, r->primary.rootino);
	int error = 0;

	if (!root || !root->used || root->ftype != XFS_DIR_FT_DIR)
		return 0;	/* told: there is no room for a root */
	for (uint32_t agno = 0; agno < r->geo.agcount; agno++) {
		struct repair_ag *ag = &r->ags[agno];

		/* a chunk for lost+found may come in between */
		for (size_t i = 0; ag->facts && i < ag->nchunks * XFS_INODES_PER_CHUNK && !error; i++) {
			uint32_t agino = ag->chunks[i / XFS_INODES_PER_CHUNK].startino +
					 (uint32_t)(i % XFS_INODES_PER_CHUNK);

			error = place(n, xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(agino)).v, &ag->facts[i]);
		}
	}
	return error;
}
