/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - directories, attributes and link counts: read and judged, not repaired by this version.
 *
 * One byte of type and four of counted links an inode; every directory is read once, in the order of the disk.
 */
#include "repair/scan.h"

#include "libxfs/inode/symlink.h"
#include "libxfs/name/dir.h"
#include "libxfs/name/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct names {
	struct repair *r;
	struct xfs_fs *fs;
	struct xfs_inode *ip;
	uint64_t dir;			/* the directory that is read */
	uint64_t parent;		/* its ".." */
	char target[XFS_SYMLINK_MAXLEN + 1];
	int error;
};

static void dir_finding(void *payload, const struct xfs_finding *f)
{
	struct names *n = payload;

	repair_note(n->r, f, false);
}

static void __attribute__((format(printf, 4, 5))) note(struct repair *r, enum xfs_finding_id id, uint64_t ino,
							const char *format, ...)
{
	struct xfs_finding f = xfs_finding_of(id, id == XFS_F_INODE_BAD || id == XFS_F_LINK_COUNT || id == XFS_F_INODE_UNREACHED ? "inode" : "directory");
	va_list args;

	f.ino = ino;
	va_start(args, format);
	vsnprintf(f.detail, sizeof(f.detail), format, args);
	va_end(args);
	repair_note(r, &f, false);
}

/* Where the facts about an inode are kept, or NULL when no chunk holds it. */
static struct repair_fact *fact_of(struct repair *r, uint64_t ino)
{
	struct xfs_inode_chunk *c;
	struct repair_ag *ag;
	unsigned index;

	if (!xfs_ino_valid(&r->geo, XFS_INO(ino)))
		return NULL;
	ag = &r->ags[xfs_ino_agno(&r->geo, XFS_INO(ino)).v];
	c = repair_chunk_of(ag, xfs_ino_agino(&r->geo, XFS_INO(ino)).v, &index);
	return c && ag->facts ? &ag->facts[(size_t)(c - ag->chunks) * XFS_INODES_PER_CHUNK + index] : NULL;
}

static bool is_dot(const struct xfs_dir_entry *e, unsigned dots)
{
	return e->namelen == dots && e->name[0] == '.' && e->name[dots - 1] == '.';
}

static int entry(void *payload, const struct xfs_dir_entry *e)
{
	struct names *n = payload;
	struct repair *r = n->r;
	struct repair_fact *f = fact_of(r, e->ino.v);

	if (is_dot(e, 1)) {
		if (e->ino.v != n->dir)
			note(r, XFS_F_DIR_DOT, n->dir, "\".\" is inode %" PRIu64, e->ino.v);
		return 0;
	}
	if (!f || !f->used) {
		if (!repair_is_lost(r, e->ino.v))
			note(r, XFS_F_DIR_TARGET, n->dir, "entry \"%.*s\" leads to inode %" PRIu64 ", which is not in use",
			     (int)(e->namelen < 60 ? e->namelen : 60), (const char *)e->name, e->ino.v);
		return 0;
	}
	if (is_dot(e, 2)) {
		n->parent = e->ino.v;
		f->links++;
		return 0;
	}
	f->links++;
	f->named = true;
	if (e->ftype && e->ftype != f->ftype)
		note(r, XFS_F_DIR_FTYPE, n->dir, "entry \"%.*s\": type %u, inode %" PRIu64 " has type %u",
		     (int)(e->namelen < 60 ? e->namelen : 60), (const char *)e->name, e->ftype, e->ino.v, f->ftype);
	if (f->ftype == XFS_DIR_FT_DIR) {
		if (f->has_parent)
			note(r, XFS_F_DIR_PARENT, e->ino.v, "named by two directories, the second is inode %" PRIu64, n->dir);
		f->has_parent = true;
		f->parent_seen = n->dir;
	}
	return 0;
}

static void read_directory(struct names *n)
{
	struct xfs_sink sink = { dir_finding, n };
	struct repair_fact *f = fact_of(n->r, n->dir);
	struct xfs_dir d;
	int error = xfs_dir_open(&d, n->ip, NULL);

	n->parent = XFS_NULL64;
	/* findings about blocks come from the verifier below, once */
	if (!error)
		error = xfs_dir_each(&d, 0, entry, n);
	if (error != -XFS_E_NOMEM)
		error = xfs_dir_verify(n->ip, XFS_NULL64, &sink);
	if (error == -XFS_E_NOMEM)
		n->error = error;
	if (f) {
		f->links++;		/* "." */
		f->parent = n->parent;
	}
}

static void read_attributes(struct names *n)
{
	struct xfs_sink sink = { dir_finding, n };
	int error = xfs_attrs_verify(n->ip, &sink);

	if (error == -XFS_E_NOMEM)
		n->error = error;
}

static void read_symlink(struct names *n)
{
	struct xfs_sink sink = { dir_finding, n };
	uint64_t before = n->r->findings;
	size_t len;
	int error = xfs_symlink_target(n->ip, n->target, &len, &sink);

	if (error == -XFS_E_NOMEM)
		n->error = error;
	else if (error && n->r->findings == before)
		note(n->r, XFS_F_SYMLINK_TARGET, n->dir, "%s", xfs_error_text(error));
}

static int read_names(void *payload, struct repair_seen *s)
{
	struct names *n = payload;
	struct xfs_sink sink = { dir_finding, n };
	int error;

	if (s->free || repair_is_lost(n->r, s->ino))
		return 0;
	error = xfs_inode_parse(n->fs, XFS_INO(s->ino), s->image, n->ip);
	if (error && error != -XFS_E_BADCRC)
		return 0;	/* told when inodes were observed */
	n->dir = s->ino;
	xfs_inode_verify(n->ip, &sink);
	if (xfs_inode_is_dir(n->ip))
		read_directory(n);
	else if ((n->ip->d.core.mode & XFS_MODE_FMT) == XFS_MODE_LNK)
		read_symlink(n);
	if (n->ip->d.core.forkoff)
		read_attributes(n);
	return n->error;
}

static int read_ag_names(void *payload, size_t agno)
{
	struct names *n = payload;

	return repair_scan_ag_inodes(n->r, &n->r->ags[agno], read_names, n);
}

int repair_directories(struct repair *r)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .cache = r->cache, .sb = &r->primary };
	struct names n = { .r = r, .fs = r->fs };
	int error = 0;

	if (!r->looking)
		repair_say(r, "        - traversing filesystem ...");
	/* after changes, what was read before may be stale */
	if (r->writing)
		error = xfs_fs_open(&n.fs, &r->dev, &options, NULL);
	n.ip = error ? NULL : malloc(sizeof(*n.ip));
	if (!error && !n.ip)
		error = -XFS_E_NOMEM;
	if (!error)
		error = repair_each_ag(r, read_ag_names, &n);
	free(n.ip);
	if (n.fs != r->fs) {
		r->max_lsn = n.fs ? xfs_max(r->max_lsn, atomic_load(&n.fs->max_lsn)) : r->max_lsn;
		xfs_fs_close(n.fs);
	}
	if (!error && !r->looking)
		repair_say(r, "        - traversal finished ...");
	return error;
}

static bool is_internal(const struct repair *r, uint64_t ino)
{
	const struct xfs_sb *sb = &r->primary;

	return ino == sb->rbmino || ino == sb->rsumino || ino == sb->uquotino || ino == sb->gquotino || ino == sb->pquotino ||
	       (r->geo.metadir && ino == sb->metadirino);
}

static void check_fact(struct repair *r, uint64_t ino, struct repair_fact *f)
{
	bool root = ino == r->primary.rootino;

	if (!f->used || repair_is_lost(r, ino))
		return;
	if (is_internal(r, ino))
		f->named = true;
	if (root ? f->parent != ino : f->ftype == XFS_DIR_FT_DIR && f->has_parent && f->parent != f->parent_seen)
		note(r, XFS_F_DIR_PARENT, ino, "\"..\" is inode %" PRIu64 ", named by inode %" PRIu64, f->parent,
		     root ? ino : f->parent_seen);
	if (!f->named && !root) {
		note(r, XFS_F_INODE_UNREACHED, ino, "no directory names it");
		return;
	}
	if (f->links != f->nlink && !is_internal(r, ino))
		note(r, XFS_F_LINK_COUNT, ino, "has %u, %u names lead to it", f->nlink, f->links);
}

int repair_links(struct repair *r)
{
	struct repair_fact *root = fact_of(r, r->primary.rootino);

	if ((!root || !root->used || root->ftype != XFS_DIR_FT_DIR) && !repair_is_lost(r, r->primary.rootino))
		note(r, XFS_F_INODE_BAD, r->primary.rootino, "the root directory is not there");
	for (uint32_t agno = 0; agno < r->geo.agcount; agno++) {
		struct repair_ag *ag = &r->ags[agno];

		for (size_t i = 0; ag->facts && i < ag->nchunks * XFS_INODES_PER_CHUNK; i++)
			check_fact(r, xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(ag->chunks[i / XFS_INODES_PER_CHUNK].startino +
									      i % XFS_INODES_PER_CHUNK)).v, &ag->facts[i]);
	}
	return 0;
}
