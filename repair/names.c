/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - directories, attributes and link counts: every one read once, in the order of the disk, and judged.
 *
 * Facts about inodes (32 bytes each) and two sums over links and parent pointers are all that is kept.  What is wrong
 * with blocks is told here; names, types, parents and counts are told where all evidence is side by side
 * (names_decide.c and the others) unless the run is only looking.
 */
#include "repair/names.h"

#include "libxfs/inode/symlink.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct repair *r;		/* the state that is read */
	struct repair *told;
	struct xfs_inode *ip;
	struct repair_fact *fact;	/* of the inode that is read; scratch when it has none */
	struct repair_fact none;
	uint64_t dir;			/* its number */
	uint64_t parent;		/* its ".." */
	uint32_t gen;
	bool mine, attrs;		/* whose findings follow: an attribute fork's, or an inode's own */
	char target[XFS_SYMLINK_MAXLEN + 1];
	int error;
};

/* What the verifiers find: it is wrong, and built anew. */
static void structure_finding(void *payload, const struct xfs_finding *f)
{
	struct reading *n = payload;

	if (n->attrs)
		n->fact->bad_attrs = true;
	else
		n->fact->bad_names = true;
	n->r->names_bad = true;
	repair_note(n->told, f, true);
}

static void core_finding(void *payload, const struct xfs_finding *f)
{
	struct reading *n = payload;

	repair_note(n->told, f, false);
}

static void touch(struct reading *n, uint64_t ino)
{
	struct repair_fact *f = repair_fact_of(n->r, ino);

	if (f)
		f->touched = REPAIR_TOUCHED;
}

/* Names, types, parents: told by who only looks; otherwise when they are decided. */
static void __attribute__((format(printf, 4, 5))) note(struct reading *n, enum xfs_finding_id id, uint64_t ino,
						       const char *format, ...)
{
	struct xfs_finding f = xfs_finding_of(id, id == XFS_F_LINK_COUNT || id == XFS_F_INODE_UNREACHED ? "inode" :
					      "directory");
	va_list args;

	if (id == XFS_F_PARENT_MISSING)
		n->r->links_differ = true;
	else
		n->r->names_bad = true;
	/* pointers: by their buckets; rings: who lies on them */
	if (id != XFS_F_PARENT_MISSING && id != XFS_F_DIR_RING)
		touch(n, ino);
	if (n->fact)
		n->fact->touched = REPAIR_TOUCHED;
	if (!n->told->looking)
		return;
	f.ino = ino;
	va_start(args, format);
	vsnprintf(f.detail, sizeof(f.detail), format, args);
	va_end(args);
	repair_note(n->told, &f, true);
}

struct repair_fact *repair_fact_of(struct repair *r, uint64_t ino)
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

bool repair_is_internal(const struct repair *r, uint64_t ino)
{
	const struct xfs_sb *sb = &r->primary;

	if (r->geo.metadir)
		return ino == sb->metadirino;
	return ino == sb->rbmino || ino == sb->rsumino || ino == sb->uquotino || ino == sb->gquotino ||
	       ino == sb->pquotino;
}

static uint64_t stir(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

uint64_t repair_link_hash(const struct repair *r, uint64_t ino, uint64_t parent, uint32_t gen, uint32_t hash)
{
	uint64_t h = stir(stir(stir(r->fork_sums.key[0], ino), parent), (uint64_t)gen << 32 | hash);

	return stir(h ^ r->fork_sums.key[1], ino);
}

unsigned repair_link_bucket(const struct repair *r, uint64_t parent)
{
	return (unsigned)(stir(r->fork_sums.key[1], parent) >> (64 - REPAIR_LINK_BUCKET_BITS));
}

/* which: 0 an entry, 1 a parent pointer. */
static void add_link(struct reading *n, unsigned which, uint64_t ino, uint64_t parent, uint32_t gen, uint32_t hash)
{
	uint64_t sum = repair_link_hash(n->r, ino, parent, gen, hash);

	n->r->link_sums[which] += sum;
	n->r->link_buckets[repair_link_bucket(n->r, parent)][which] += sum;
}

static bool is_dot(const struct xfs_dir_entry *e, unsigned dots)
{
	return e->namelen == dots && e->name[0] == '.' && e->name[dots - 1] == '.';
}

static void name_of_directory(struct reading *n, const struct xfs_dir_entry *e, struct repair_fact *f)
{
	if (f->has_parent) {
		note(n, XFS_F_DIR_PARENT, e->ino.v, "named by two directories, the second is inode %" PRIu64, n->dir);
		touch(n, f->parent_seen);
	}
	f->has_parent = true;
	f->parent_seen = n->dir;
}

static int entry(void *payload, const struct xfs_dir_entry *e)
{
	struct reading *n = payload;
	struct repair *r = n->r;
	struct repair_fact *f = repair_fact_of(r, e->ino.v);
	int len = (int)(e->namelen < 60 ? e->namelen : 60);

	if (is_dot(e, 1)) {
		if (e->ino.v != n->dir) {
			note(n, XFS_F_DIR_DOT, n->dir, "\".\" is inode %" PRIu64, e->ino.v);
			n->fact->bad_names = true;
		}
		return 0;
	}
	if (is_dot(e, 2))
		n->parent = e->ino.v;
	if (!f || !f->used) {
		if (!repair_is_lost(r, e->ino.v))
			note(n, XFS_F_DIR_TARGET, n->dir,
			     "entry \"%.*s\" leads to inode %" PRIu64 ", which is not in use", len,
			     (const char *)e->name, e->ino.v);
		else if (e->ftype == XFS_DIR_FT_DIR && !is_dot(e, 2))
			n->fact->links++;	/* its ".." cannot be read */
		return 0;
	}
	f->links++;
	if (is_dot(e, 2))
		return 0;
	f->named = true;
	if (r->geo.parent)
		add_link(n, 0, e->ino.v, n->dir, n->gen, xfs_name_hash(e->name, e->namelen));
	if (e->ino.v == n->dir || e->ino.v == r->primary.rootino || repair_is_internal(r, e->ino.v))
		note(n, XFS_F_DIR_TARGET, n->dir,
		     "entry \"%.*s\" leads to inode %" PRIu64 ", which no name may lead to", len, (const char *)e->name,
		     e->ino.v);
	if (f->meta && !n->fact->meta) {
		note(n, XFS_F_DIR_TARGET, n->dir, "entry \"%.*s\" leads to metadata inode %" PRIu64, len,
				(const char *)e->name, e->ino.v);
		f->touched = REPAIR_TOUCHED;
	}
	if (n->fact->meta && f->meta && repair_metafile_misnamed(r, n->dir, e->ino.v, e->name, e->namelen))
		note(n, XFS_F_DIR_NAME, n->dir, "entry \"%.*s\" leads to a metadata inode of another name, %" PRIu64,
		     len, (const char *)e->name, e->ino.v);
	if ((e->ftype || r->geo.ftype) && e->ftype != f->ftype)
		note(n, XFS_F_DIR_FTYPE, n->dir, "entry \"%.*s\": type %u, inode %" PRIu64 " has type %u", len,
		     (const char *)e->name, e->ftype, e->ino.v, f->ftype);
	if (f->ftype == XFS_DIR_FT_DIR)
		name_of_directory(n, e, f);
	return 0;
}

static void read_directory(struct reading *n)
{
	struct xfs_sink sink = { structure_finding, n };
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
	else if (error && !n->fact->bad_names)
		n->fact->bad_names = n->r->names_bad = true;
	n->fact->links++;		/* "." */
	n->fact->parent = n->parent;
}

static int add_pointer(void *payload, const struct xfs_parent *p)
{
	struct reading *n = payload;

	add_link(n, 1, n->dir, p->ino.v, p->gen, xfs_name_hash(p->name, p->namelen));
	return 0;
}

static void read_attributes(struct reading *n)
{
	struct xfs_sink sink = { structure_finding, n };
	struct xfs_attrs a;
	int error;

	n->attrs = true;
	error = xfs_attrs_verify(n->ip, &sink);
	if (error == -XFS_E_NOMEM) {
		n->error = error;
		return;
	}
	if (error)
		n->fact->bad_attrs = n->r->names_bad = true;
	if (n->r->geo.parent && !xfs_attrs_open(&a, n->ip, NULL) &&
	    xfs_parents_each(&a, add_pointer, n) == -XFS_E_NOMEM)
		n->error = -XFS_E_NOMEM;
}

static void read_symlink(struct reading *n)
{
	struct xfs_sink sink = { structure_finding, n };
	uint64_t before = n->told->findings;
	size_t len;
	int error = xfs_symlink_target(n->ip, n->target, &len, &sink);

	if (error == -XFS_E_NOMEM)
		n->error = error;
	else if (error && n->told->findings == before) {
		struct xfs_finding f = xfs_finding_of(XFS_F_SYMLINK_TARGET, "inode");

		f.ino = n->dir;
		xfs_finding_detail(&f, "%s", xfs_error_text(error));
		structure_finding(n, &f);
	}
}

static int read_names(void *payload, struct repair_seen *s)
{
	struct reading *n = payload;
	struct xfs_sink core = { core_finding, n };
	int error;

	if (s->free || repair_is_lost(n->r, s->ino))
		return 0;
	error = xfs_inode_parse(n->r->fs, XFS_INO(s->ino), s->image, n->ip);
	if (error && error != -XFS_E_BADCRC)
		return 0;	/* told when inodes were observed */
	n->dir = s->ino;
	n->gen = s->d.core.gen;
	n->fact = repair_fact_of(n->r, s->ino);
	if (!n->fact)
		n->fact = &n->none;
	n->attrs = false;
	if (s->ino != n->r->primary.rootino || xfs_inode_is_dir(n->ip))
		xfs_inode_verify(n->ip, &core);		/* a root that is no directory becomes one */
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
	struct reading *n = payload;

	return repair_scan_ag_inodes(n->r, &n->r->ags[agno], read_names, n);
}

static void traversed(struct repair *r)
{
	if (r->looking)
		return;
	repair_say(r, "        - traversal finished ...");
	repair_say(r, "        - moving disconnected inodes to lost+found ...");
}

int repair_directories(struct repair *r)
{
	struct reading n = { .told = r };
	int error = repair_names_state(r, &n.r);

	r->renewal.named = n.r != r;
	if (!r->looking && !r->no_modify)
		repair_say(r, "        - resetting contents of realtime bitmap and summary inodes");
	if (!r->looking)
		repair_say(r, "        - traversing filesystem ...");
	if (!error && repair_glance_holds(n.r)) {
		traversed(r);
		return 0;
	}
	n.ip = error ? NULL : malloc(sizeof(*n.ip));
	if (!error && !n.ip)
		error = -XFS_E_NOMEM;
	if (!error && n.r->geo.parent && !n.r->link_buckets) {
		n.r->link_buckets = calloc(REPAIR_LINK_BUCKETS, sizeof(*n.r->link_buckets));
		error = n.r->link_buckets ? 0 : -XFS_E_NOMEM;
	}
	if (!error)
		n.r->ahead = true;
	if (!error)
		error = repair_each_ag(n.r, read_ag_names, &n);
	if (n.r)
		n.r->ahead = false;
	free(n.ip);
	if (!error)
		traversed(r);
	return error;
}

static bool is_root(const struct repair *r, uint64_t ino)
{
	return ino == r->primary.rootino || (r->geo.metadir && ino == r->primary.metadirino);
}

static void check_fact(struct reading *n, uint64_t ino, struct repair_fact *f)
{
	struct repair *r = n->r;
	bool root = is_root(r, ino);

	if (!f->used || repair_is_lost(r, ino))
		return;
	if (repair_is_internal(r, ino))
		f->named = true;
	if (root ? f->parent != ino : f->ftype == XFS_DIR_FT_DIR && f->has_parent && f->parent != f->parent_seen)
		note(n, XFS_F_DIR_PARENT, ino, "\"..\" is inode %" PRIu64 ", named by inode %" PRIu64, f->parent,
		     root ? ino : f->parent_seen);
	if (!f->named && !root) {
		note(n, XFS_F_INODE_UNREACHED, ino, "no directory names it");
		return;
	}
	if (f->links != f->nlink && (root || !repair_is_internal(r, ino)))
		note(n, XFS_F_LINK_COUNT, ino, "has %u, %u names lead to it", f->nlink, f->links);
}

static uint64_t named_by(void *payload, uint64_t ino)
{
	struct repair *r = payload;
	const struct repair_fact *f = is_root(r, ino) ? NULL : repair_fact_of(r, ino);

	return f && f->has_parent ? f->parent_seen : XFS_NULL64;
}

/* Rings: every directory has a name and a parent that agrees, and still it hangs on no root. */
static void check_ring(struct reading *n, uint64_t ino, struct repair_fact *f)
{
	uint64_t ring, at;

	if (!f->used || f->ftype != XFS_DIR_FT_DIR || !f->has_parent)
		return;
	at = ring = repair_climb(n->r, ino, named_by, n->r);
	if (ring != XFS_NULL64) {
		do {
			touch(n, at);
			at = named_by(n->r, at);
		} while (at != ring);
	}
	if (f->climb == REPAIR_TO_RING)
		note(n, XFS_F_DIR_RING, ino, "it lies below itself");
}

int repair_links(struct repair *r)
{
	struct reading n = { .told = r };
	int error = repair_names_state(r, &n.r);
	struct repair_fact *root = error ? NULL : repair_fact_of(n.r, n.r->primary.rootino);

	if (error)
		return error;
	if ((!root || !root->used || root->ftype != XFS_DIR_FT_DIR) && !(r->looking && repair_is_lost(n.r,
			n.r->primary.rootino)))
		note(&n, XFS_F_ROOT_LOST, n.r->primary.rootino, "the root directory is not there");
	if (n.r->link_sums[0] != n.r->link_sums[1])
		note(&n, XFS_F_PARENT_MISSING, n.r->primary.rootino, "entries and parent pointers do not agree");
	if (repair_metafiles_missing(n.r))
		note(&n, XFS_F_RT_FILE, n.r->primary.metadirino, "files of realtime groups are missing: %" PRIu64,
		     repair_metafiles_missing(n.r));
	for (uint32_t agno = 0; agno < n.r->geo.agcount; agno++) {
		struct repair_ag *ag = &n.r->ags[agno];

		for (size_t i = 0; ag->facts && i < ag->nchunks * XFS_INODES_PER_CHUNK; i++) {
			uint32_t agino = ag->chunks[i / XFS_INODES_PER_CHUNK].startino +
					 (uint32_t)(i % XFS_INODES_PER_CHUNK);
			uint64_t ino = xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(agino)).v;

			check_fact(&n, ino, &ag->facts[i]);
			check_ring(&n, ino, &ag->facts[i]);
		}
	}
	return 0;
}
