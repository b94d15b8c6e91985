/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_meta.c - names in the metadata directory (format sheet 10, section 4.1).
 *
 * There a name follows from what an inode is: so a file without one gets it back, one with another gets the right one,
 * and a file of a realtime group that is not there is made, for all that it holds follows from the files of users.
 * Nothing moves to lost+found.
 */
#include "repair/metafiles.h"
#include "repair/names.h"

#include "repair/evidence.h"

#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/inode/inode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct link {
	uint64_t ino, entry;
};

struct tree {
	struct names *n;
	uint64_t rtgroups, quota;	/* XFS_NULL64: not there */
	struct link *links;		/* entries by the inodes that they lead to */
	size_t nlinks;
};

/* ---- directories ---- */

/* Which of the two each directory of the tree is, as the first of its entries that tells has it. */
static void tell_kinds(struct names *n)
{
	for (size_t i = 0; i < n->ndirs; i++)
		n->dirs[i].kind = 0;
	for (size_t i = 0; i < n->nentries; i++) {
		const struct names_entry *e = &n->entries[i];
		struct names_dir *d = e->flags & NAMES_DROPPED ? NULL : names_find_dir(n, e->dir);
		struct repair_metafile f;
		const char *dir;
		char name[32];

		if (d && d->meta && !d->kind && repair_metafile_by_name(n->r, n->arena + e->name, e->namelen, &f) &&
		    repair_metafile_name(n->r, &f, &dir, name))
			d->kind = (uint8_t)dir[0];
	}
}

static bool is_named(struct names *n, uint64_t ino, const char *name)
{
	uint32_t at = names_find(n, n->r->primary.metadirino, (const uint8_t *)name, strlen(name));

	return at != NAMES_NONE && n->entries[at].ino == ino;
}

/* A directory of the tree that has no right name: one that holds such files, or one that holds nothing. */
static struct names_dir *find_nameless(struct names *n, const char *name)
{
	struct names_dir *empty = NULL;

	tell_kinds(n);
	for (size_t i = 0; i < n->ndirs; i++) {
		struct names_dir *d = &n->dirs[i];

		if (!d->meta || names_is_root(n, d->ino) || is_named(n, d->ino, REPAIR_META_RTGROUPS) ||
		    is_named(n, d->ino, REPAIR_META_QUOTA))
			continue;
		if (d->kind == (uint8_t)name[0])
			return d;
		if (!d->kind && !empty)
			empty = d;
	}
	return empty;
}

/* Entries as they lead to inodes; what is added later leads to what was placed then. */
static int sort_links(struct tree *t)
{
	static const struct xfs_sort_spec order = {
		.size = sizeof(struct link), .words = 2,
		.word_off = { offsetof(struct link, ino), offsetof(struct link, entry) } };
	const struct names *n = t->n;

	t->nlinks = n->nentries;
	t->links = malloc((n->nentries + 1) * sizeof(*t->links));
	if (!t->links)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < n->nentries; i++)
		t->links[i] = (struct link){ n->entries[i].ino, i };
	return xfs_sort(&order, t->links, t->nlinks);
}

/* Entries that lead to this inode under other names go; how many did. */
static unsigned drop_names(struct tree *t, uint64_t ino, uint32_t but)
{
	struct names *n = t->n;
	struct repair_fact *f = repair_fact_of(n->r, ino);
	size_t at = xfs_search(t->nlinks, k, t->links[k].ino < ino);
	unsigned count = 0;

	for (; at < t->nlinks && t->links[at].ino == ino; at++) {
		uint32_t i = (uint32_t)t->links[at].entry;

		if (n->entries[i].ino != ino || i == but || n->entries[i].flags & NAMES_DROPPED)
			continue;
		if (!(n->entries[i].flags & NAMES_ASTRAY) && f->links)
			f->links--;
		names_drop(n, i);
		count++;
	}
	return count;
}

static int name_dir(struct tree *t, struct names_dir *d, const char *name)
{
	struct names *n = t->n;
	uint64_t root = n->r->primary.metadirino, ino = d->ino;
	struct repair_fact *f = repair_fact_of(n->r, ino);
	uint32_t at;
	int error;

	names_note(n, drop_names(t, ino, NAMES_NONE) ? XFS_F_DIR_NAME : XFS_F_INODE_UNREACHED, "metadata directory",
		   ino, true, "it is /%s", name);
	error = names_insert(n, root, ino, (const uint8_t *)name, strlen(name), &at);
	if (error)
		return error;
	f->links++;
	d = names_find_dir(n, ino);
	d->entry = at;
	if (d->said != root)
		d->dirty = true;
	d->parent = root;
	return 0;
}

static int new_meta_inode(struct names *n, const struct xfs_dinode *like, struct xfs_dinode *d,
			  struct repair_inode **c, uint64_t *ino)
{
	struct xfs_dinode old;
	bool fresh;
	int error = names_new_inode(n, ino);

	if (error)
		return error;
	names_new_core(n, *ino, XFS_MODE_DIR, like, d);
	*c = repair_find_changed(n->r, *ino);
	fresh = *c && (*c)->new_chunk;
	if (!fresh && !names_read_inode(n, *ino, n->image, &old))
		d->core.gen = old.core.gen + 1;
	memset(n->image, 0, n->r->geo.inodesize);
	error = repair_changed_inode(n->r, *ino, n->image, c);
	if (error)
		return error;
	(*c)->made_free = false;
	(*c)->last = true;
	*repair_fact_of(n->r, *ino) = (struct repair_fact){ .used = true, .meta = true, .nlink = 1,
							    .ftype = XFS_DIR_FT_REG };
	return 0;
}

static int make_dir(struct tree *t, const char *name, uint64_t *ino)
{
	struct names *n = t->n;
	struct xfs_dinode like, d;
	struct repair_inode *c;
	int error = names_read_inode(n, n->r->primary.metadirino, n->image, &like);

	if (!error)
		error = new_meta_inode(n, &like, &d, &c, ino);
	if (error)
		return error;
	d.core.metatype = XFS_METAFILE_DIR;
	d.core.flags = XFS_DIFLAG_METADATA_DIR;
	d.v3.flags2 |= XFS_DIFLAG2_METADATA;
	memset(c->image, 0, n->r->geo.inodesize);
	xfs_dinode_encode(c->image, &d);
	error = names_become_dir(n, *ino, &d, XFS_NULL64);
	if (error)
		return error;
	repair_fact_of(n->r, *ino)->meta = true;
	names_find_dir(n, *ino)->meta = true;
	return name_dir(t, names_find_dir(n, *ino), name);
}

/* *ino: the directory of this name, found, named, or made. */
static int settle_dir(struct tree *t, const char *name, bool needed, uint64_t *ino)
{
	struct names *n = t->n;
	uint32_t at = names_find(n, n->r->primary.metadirino, (const uint8_t *)name, strlen(name));
	struct repair_fact *f = at == NAMES_NONE ? NULL : repair_fact_of(n->r, n->entries[at].ino);
	struct names_dir *d;
	int error = 0;

	*ino = XFS_NULL64;
	if (f && f->used && f->meta && f->ftype == XFS_DIR_FT_DIR) {
		*ino = n->entries[at].ino;
		return names_want(n, *ino);
	}
	if (at != NAMES_NONE) {
		names_drop(n, at);
		if (f && f->links)
			f->links--;
	}
	for (size_t i = 0; i < n->nentries; i++) {	/* those with names that are none */
		error = n->entries[i].dir == n->r->primary.metadirino ? names_want(n, n->entries[i].ino) : 0;

		if (error)
			return error;
	}
	error = names_settle_dirs(n);
	free(t->links);
	t->links = NULL;
	if (!error)
		error = sort_links(t);
	if (error)
		return error;
	d = find_nameless(n, name);
	if (d) {
		*ino = d->ino;
		return name_dir(t, d, name);
	}
	return needed ? make_dir(t, name, ino) : 0;
}

/* ---- files ---- */

static uint64_t dir_of(const struct tree *t, const char *dir)
{
	return !strcmp(dir, REPAIR_META_QUOTA) ? t->quota : t->rtgroups;
}

static int link_file(struct tree *t, uint64_t ino, const struct repair_metafile *file)
{
	struct names *n = t->n;
	struct repair_fact *f = repair_fact_of(n->r, ino);
	const char *dir;
	char name[32];
	uint32_t at;
	unsigned others;

	if (!repair_metafile_name(n->r, file, &dir, name) || dir_of(t, dir) == XFS_NULL64)
		return 0;
	at = names_find(n, dir_of(t, dir), (const uint8_t *)name, strlen(name));
	if (at != NAMES_NONE && n->entries[at].ino != ino) {
		struct repair_fact *other = repair_fact_of(n->r, n->entries[at].ino);

		if (other && other->links)
			other->links--;
		names_drop(n, at);
		at = NAMES_NONE;
	}
	others = drop_names(t, ino, at);
	if (at != NAMES_NONE)
		return 0;
	names_note(n, others ? XFS_F_DIR_NAME : XFS_F_INODE_UNREACHED, "metadata file", ino, true,
		   "it is /%s/%s", dir, name);
	f->links++;
	return names_insert(n, dir_of(t, dir), ino, (const uint8_t *)name, strlen(name), &at);
}

/* It is no file that this filesystem has, or another inode is it: nobody would ever find it. */
static int drop_file(struct tree *t, uint64_t ino)
{
	struct names *n = t->n;

	names_note(n, XFS_F_INODE_UNREACHED, "metadata file", ino, true,
		   "it is none that belongs here, and becomes free");
	drop_names(t, ino, NAMES_NONE);
	return names_free_inode(n, ino, repair_fact_of(n->r, ino));
}

static int settle_files(struct tree *t)
{
	struct repair *r = t->n->r;
	int error = 0;

	for (uint32_t a = 0; a < r->geo.agcount; a++)
		for (size_t i = 0; i < r->ags[a].nrt_files && !error; i++) {
			const struct repair_rt_file f = r->ags[a].rt_files[i];
			const struct repair_metafile file = { f.metatype, f.group };
			struct repair_fact *fact = repair_fact_of(r, f.ino);

			if (!fact || !fact->used)
				continue;
			if (repair_metafile_possible(r, &file) && repair_metafile_find(r, &file) == f.ino)
				error = link_file(t, f.ino, &file);
			else
				error = drop_file(t, f.ino);
		}
	return error;
}

/*
 * A name that leads to no file of metadata: it may have been one of which nothing is left that says so. All that it
 * held follows from other files.
 */
static int clear_name(struct tree *t, uint64_t dir, const char *name)
{
	struct names *n = t->n;
	uint32_t at = names_find(n, dir, (const uint8_t *)name, strlen(name));
	struct repair_fact *f;
	uint64_t ino;

	if (at == NAMES_NONE)
		return 0;
	ino = n->entries[at].ino;
	f = repair_fact_of(n->r, ino);
	names_drop(n, at);
	if (f && f->links)
		f->links--;
	if (!f || !f->used || f->meta || f->links || f->ftype != XFS_DIR_FT_REG)
		return 0;
	names_note(n, XFS_F_INODE_UNREACHED, "metadata file", ino, true, "nothing is left of it, and it becomes free");
	return names_free_inode(n, ino, f);
}

static int make_file(struct tree *t, const struct repair_metafile *file)
{
	struct names *n = t->n;
	struct xfs_dinode like, d;
	struct repair_inode *c;
	const char *dir;
	char name[32];
	uint64_t ino;
	uint32_t at;
	int error = names_read_inode(n, n->r->primary.metadirino, n->image, &like);

	if (!error)
		error = new_meta_inode(n, &like, &d, &c, &ino);
	if (error)
		return error;
	repair_metafile_name(n->r, file, &dir, name);
	names_note(n, XFS_F_RT_FILE, "metadata file", ino, true, "/%s/%s was not there", dir, name);
	d.core.format = XFS_DINODE_FMT_EXTENTS;
	d.core.nlinkv2 = 1;
	repair_metafile_dress(n->r, file, &d);
	memset(c->image, 0, n->r->geo.inodesize);
	xfs_dinode_encode(c->image, &d);
	c->fork[XFS_FORK_DATA] = true;
	error = repair_metafile_add(n->r, ino, file);
	if (!error)
		error = clear_name(t, dir_of(t, dir), name);
	if (!error)
		error = names_insert(n, dir_of(t, dir), ino, (const uint8_t *)name, strlen(name), &at);
	repair_fact_of(n->r, ino)->links = 1;
	return error;
}

/* Calls job() for each file of a realtime group that must be there and is not. */
static int each_missing(struct repair *r, int (*job)(void *payload, const struct repair_metafile *), void *payload)
{
	static const uint16_t types[] = { XFS_METAFILE_RTBITMAP, XFS_METAFILE_RTSUMMARY, XFS_METAFILE_RTRMAP,
					  XFS_METAFILE_RTREFCOUNT };
	int error = 0;

	for (uint32_t g = 0; g < r->geo.sb.rgcount && r->geo.sb.rblocks; g++)
		for (unsigned k = 0; k < XFS_ARRAY_SIZE(types) && !error; k++) {
			const struct repair_metafile file = { types[k], g };

			if (repair_metafile_possible(r, &file) && repair_metafile_find(r, &file) == XFS_NULL64)
				error = job(payload, &file);
		}
	return error;
}

static int make_missing(void *payload, const struct repair_metafile *file) { return make_file(payload, file); }

static int count_missing(void *payload, const struct repair_metafile *file)
{
	(void)file;
	++*(uint64_t *)payload;
	return 0;
}

uint64_t repair_metafiles_missing(struct repair *r)
{
	uint64_t n = 0;

	if (r->geo.metadir)
		each_missing(r, count_missing, &n);
	return n;
}

bool repair_metafile_misnamed(const struct repair *r, uint64_t dir, uint64_t ino, const void *name, size_t len)
{
	const struct repair_rt_file *f = repair_metafile_of(r, ino);
	const char *folder;
	char right[32];

	if (!f)		/* a directory: of the root, where there are two */
		return dir == r->primary.metadirino &&
		       !(len == strlen(REPAIR_META_QUOTA) && !memcmp(name, REPAIR_META_QUOTA, len)) &&
		       !(len == strlen(REPAIR_META_RTGROUPS) && !memcmp(name, REPAIR_META_RTGROUPS, len));
	return !repair_metafile_name(r, &(struct repair_metafile){ f->metatype, f->group }, &folder, right) ||
	       len != strlen(right) || memcmp(name, right, len);
}

static bool has_quota(const struct repair *r)
{
	for (uint16_t t = XFS_METAFILE_USRQUOTA; t <= XFS_METAFILE_PRJQUOTA; t++)
		if (repair_metafile_find(r, &(struct repair_metafile){ t, 0 }) != XFS_NULL64)
			return true;
	return false;
}

int names_place_metadata(struct names *n)
{
	struct tree t = { .n = n };
	struct repair_fact *root;
	int error;

	if (!n->r->geo.metadir)
		return 0;
	root = repair_fact_of(n->r, n->r->primary.metadirino);
	if (!root || !root->used || root->ftype != XFS_DIR_FT_DIR)
		return 0;
	error = names_want(n, n->r->primary.metadirino);
	if (!error)
		error = names_settle_dirs(n);
	if (!error)
		error = settle_dir(&t, REPAIR_META_RTGROUPS, n->r->geo.sb.rgcount && n->r->geo.sb.rblocks, &t.rtgroups);
	if (!error)
		error = settle_dir(&t, REPAIR_META_QUOTA, has_quota(n->r), &t.quota);
	free(t.links);
	t.links = NULL;
	if (!error)
		error = sort_links(&t);
	if (!error)
		error = settle_files(&t);
	free(t.links);
	return error ? error : each_missing(n->r, make_missing, &t);
}
