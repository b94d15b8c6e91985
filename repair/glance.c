/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glance.c - names of a filesystem that is in order, read along with the inodes.
 *
 * Each directory is read while its inode is at hand; what its entries say waits in the facts of those they lead to, and
 * is compared once all inodes were seen.  So a clean filesystem is read once, and nothing is kept for a name.  A glance
 * reports nothing and decides nothing: whatever is odd makes it void, and names.c reads all names again by itself, with
 * the findings that belong to them.
 */
#include "repair/names.h"

#include "libxfs/inode/symlink.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify.h"

#include <stdlib.h>
#include <string.h>

#define MOST_WANTS 512u
#define MOST_PIECES 16u			/* of one directory: more extents come one by one */

struct glancing {
	struct repair *r;
	uint64_t ino, parent;		/* the inode that is read; its ".." */
	uint32_t gen;
	uint64_t sums[2];
	struct repair_fact *own;
	const struct repair_ag *ag;	/* where the last entry led, as most follow their neighbours: */
	const struct xfs_inode_chunk *chunk;
};

_Thread_local bool repair_in_glance;

static void make_void(struct repair *r)
{
	__atomic_store_n(&r->glance->off, true, __ATOMIC_RELAXED);
}

static void odd(void *payload, const struct xfs_finding *f)
{
	struct glancing *g = payload;

	(void)f;
	make_void(g->r);
}

static struct repair_fact *fact_of(struct glancing *g, uint64_t ino)
{
	const struct xfs_geometry *geo = &g->r->geo;
	uint32_t agno = xfs_ino_agno(geo, XFS_INO(ino)).v, agino = xfs_ino_agino(geo, XFS_INO(ino)).v, index;

	if (g->chunk && g->ag->agno.v == agno && agino - g->chunk->startino < XFS_INODES_PER_CHUNK) {
		index = agino - g->chunk->startino;
	} else {
		if (!xfs_ino_valid(geo, XFS_INO(ino)))
			return NULL;
		g->ag = &g->r->ags[agno];
		g->chunk = repair_chunk_of(g->ag, agino, &index);
		if (!g->chunk || !g->ag->facts)
			return NULL;
	}
	return &g->ag->facts[(size_t)(g->chunk - g->ag->chunks) * XFS_INODES_PER_CHUNK + index];
}

/* Bits of a fact belong to the thread of its AG; what others add are whole members. */
static int entry(void *payload, const struct xfs_dir_entry *e)
{
	struct glancing *g = payload;
	struct repair *r = g->r;
	bool dots = e->namelen <= 2 && e->name[0] == '.' && e->name[e->namelen - 1] == '.';
	struct repair_fact *f;
	uint8_t was;

	if (dots && e->namelen == 1) {
		if (e->ino.v != g->ino)
			make_void(r);
		return 0;
	}
	f = fact_of(g, e->ino.v);
	if (!f) {
		make_void(r);
		return 0;
	}
	__atomic_fetch_add(&f->links, 1, __ATOMIC_RELAXED);
	if (dots) {
		g->parent = e->ino.v;
		return 0;
	}
	was = __atomic_exchange_n(&f->said, (uint8_t)e->ftype, __ATOMIC_RELAXED);
	if (!e->ftype || (was && was != e->ftype) || e->ino.v == g->ino || e->ino.v == r->primary.rootino ||
	    repair_is_internal(r, e->ino.v))
		make_void(r);
	if (e->ftype == XFS_DIR_FT_DIR && __atomic_exchange_n(&f->parent_seen, g->ino, __ATOMIC_RELAXED))
		make_void(r);
	if (r->geo.parent)
		g->sums[0] += repair_link_hash(r, e->ino.v, g->ino, g->gen, xfs_name_hash(e->name, e->namelen));
	return 0;
}

static int pointer(void *payload, const struct xfs_parent *p)
{
	struct glancing *g = payload;

	g->sums[1] += repair_link_hash(g->r, g->ino, p->ino.v, p->gen, xfs_name_hash(p->name, p->namelen));
	return 0;
}

static int glance_dir(struct glancing *g, const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	struct xfs_dir d;
	int error = xfs_dir_open(&d, ip, NULL);

	g->parent = XFS_NULL64;
	if (!error)
		error = xfs_dir_each(&d, 0, entry, g);
	if (!error)
		error = xfs_dir_verify(ip, XFS_NULL64, sink);
	__atomic_fetch_add(&g->own->links, 1, __ATOMIC_RELAXED);	/* "." */
	g->own->parent = g->parent;
	return error;
}

static int glance_attrs(struct glancing *g, const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	struct xfs_attrs a;
	int error = xfs_attrs_verify(ip, sink);

	if (error || !g->r->geo.parent)
		return error;
	error = xfs_attrs_open(&a, ip, NULL);
	return error ? error : xfs_parents_each(&a, pointer, g);
}

/* An inode that is what it is on disk, with nothing to be made right in memory. */
static bool is_plain(const struct repair_seen *s)
{
	return s->identified && s->whole && !s->replaced && !s->nfixes && !s->suspect;
}

/* Most attribute forks are empty: room that a kernel left for later. */
static bool has_attrs(const struct xfs_dinode *d)
{
	return d->core.forkoff && (d->core.aformat != XFS_DINODE_FMT_EXTENTS || xfs_dinode_nextents(d, XFS_FORK_ATTR));
}

int repair_glance(struct repair *r, struct repair_seen *s, struct repair_fact *own)
{
	struct glancing g = { .r = r, .ino = s->ino, .gen = s->d.core.gen, .own = own };
	struct xfs_sink sink = { odd, &g };
	char target[XFS_SYMLINK_MAXLEN + 1];
	struct xfs_inode ip;
	size_t len;
	int error;

	if (__atomic_load_n(&r->glance->off, __ATOMIC_RELAXED))
		return 0;
	if (r->findings || !is_plain(s)) {
		make_void(r);
		return 0;
	}
	ip.fs = r->fs;
	ip.ino = XFS_INO(s->ino);
	ip.d = s->d;
	ip.size = r->geo.inodesize;
	memcpy(ip.raw, s->image, ip.size);
	repair_in_glance = true;
	error = xfs_inode_verify_fields(&ip, &sink);
	if (!error && xfs_inode_is_dir(&ip))
		error = glance_dir(&g, &ip, &sink);
	else if (!error && xfs_inode_fmt(&ip) == XFS_MODE_LNK)
		error = xfs_symlink_target(&ip, target, &len, &sink);
	if (!error && has_attrs(&ip.d))
		error = glance_attrs(&g, &ip, &sink);
	repair_in_glance = false;
	for (unsigned i = 0; i < 2 && r->geo.parent; i++)
		__atomic_fetch_add(&r->glance->sums[i], g.sums[i], __ATOMIC_RELAXED);
	if (error == -XFS_E_NOMEM)
		return error;
	if (error)
		make_void(r);
	return 0;
}

int repair_glance_begin(struct repair *r)
{
	bool known = r->geo.ftype && !r->geo.metadir && !r->findings;

	r->glance = calloc(1, sizeof(*r->glance));
	if (!r->glance)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < r->geo.agcount && known; i++)
		known = r->ags[i].tree[XFS_TREE_INO].sound && !r->ags[i].chunks_doubted;
	r->glance->off = !known;
	/* entries lead to any AG */
	for (uint32_t i = 0; i < r->geo.agcount && known; i++) {
		if (!r->ags[i].nchunks)
			continue;
		r->ags[i].facts = calloc(r->ags[i].nchunks * XFS_INODES_PER_CHUNK, sizeof(struct repair_fact));
		if (!r->ags[i].facts)
			return -XFS_E_NOMEM;
	}
	return 0;
}

void repair_glance_end(struct repair *r)
{
	/* a flipped bit that nobody was told of: whoever reads the block next finds it again */
	if (r->glance->mended)
		xfs_buf_forget(r->fs->cache, 0, 0);
}

bool repair_glance_mends(struct repair *r)
{
	if (!repair_in_glance)
		return false;
	__atomic_store_n(&r->glance->mended, true, __ATOMIC_RELAXED);
	make_void(r);
	return true;
}

/* What entries said of an inode, against what it is. */
static bool agrees(struct repair_fact *f)
{
	if (!f->used)
		return !f->said && !f->links && !f->parent_seen;
	f->named = f->said != 0;
	f->has_parent = f->parent_seen != 0;
	return !f->said || f->said == f->ftype;
}

static bool all_agree(struct repair *r)
{
	for (uint32_t agno = 0; agno < r->geo.agcount; agno++)
		for (size_t i = 0; r->ags[agno].facts && i < r->ags[agno].nchunks * XFS_INODES_PER_CHUNK; i++)
			if (!agrees(&r->ags[agno].facts[i]))
				return false;
	return true;
}

bool repair_glance_holds(struct repair *r)
{
	bool holds = r->glance && !r->glance->off && !r->glance->mended && !r->findings && !r->ninodes && !r->nlost &&
		     !r->flips.n && !r->names_bad && r->glance->sums[0] == r->glance->sums[1] && all_agree(r);

	if (holds) {
		memcpy(r->link_sums, r->glance->sums, sizeof(r->link_sums));
		return true;
	}
	for (uint32_t agno = 0; agno < r->geo.agcount; agno++)
		for (size_t i = 0; r->ags[agno].facts && i < r->ags[agno].nchunks * XFS_INODES_PER_CHUNK; i++) {
			struct repair_fact *f = &r->ags[agno].facts[i];

			f->named = f->has_parent = false;
			f->said = 0;
			f->links = 0;
			f->parent = f->parent_seen = 0;
		}
	return false;
}

/* ---- readahead ---- */

struct wants {
	struct xfs_buf_extent e[MOST_WANTS];
	struct xfs_buf_want w[MOST_WANTS];
	size_t n;
};

static void flush(struct repair *r, struct wants *w)
{
	xfs_buf_readahead(r->fs->cache, w->w, w->n);
	w->n = 0;
}

/* Whole directory blocks of one extent; those in pieces are read when they are needed. */
static void want_extent(struct repair *r, struct wants *w, const struct xfs_bmbt_rec *rec)
{
	const struct xfs_geometry *g = &r->geo;
	uint64_t skip = (g->dirblkfsbs - rec->startoff % g->dirblkfsbs) % g->dirblkfsbs;

	if (!rec->blockcount || rec->blockcount > MOST_WANTS ||
	    !xfs_fsbno_range_valid(g, rec->startblock, rec->blockcount))
		return;
	for (uint64_t at = skip; at + g->dirblkfsbs <= rec->blockcount; at += g->dirblkfsbs) {
		w->e[w->n] = (struct xfs_buf_extent){ xfs_fsbno_daddr(g, XFS_FSBNO(rec->startblock + at)).v,
						      g->dirblksize / XFS_BBSIZE };
		w->w[w->n] = (struct xfs_buf_want){ &w->e[w->n], 1 };
		if (++w->n == MOST_WANTS)
			flush(r, w);
	}
}

static void want_dir(struct repair *r, struct wants *w, const uint8_t *image)
{
	struct xfs_dinode d;
	const uint8_t *bytes;
	uint64_t count;

	if (xfs_be16(image) != XFS_DINODE_MAGIC ||
	    (xfs_be16(image + XFS_OFF(dinode_core, mode)) & XFS_MODE_FMT) != XFS_MODE_DIR ||
	    image[XFS_OFF(dinode_core, format)] != XFS_DINODE_FMT_EXTENTS)
		return;
	xfs_dinode_decode(&d, image);
	count = xfs_dinode_nextents(&d, XFS_FORK_DATA);
	if (count > MOST_PIECES || count > xfs_dinode_fork_size((unsigned)d.core.version, d.core.forkoff,
								r->geo.inodesize, XFS_FORK_DATA) / 16)
		return;
	bytes = image + xfs_dinode_fork_off((unsigned)d.core.version, d.core.forkoff, r->geo.inodesize, XFS_FORK_DATA);
	for (uint64_t i = 0; i < count; i++) {
		struct xfs_bmbt_rec rec;

		xfs_bmbt_rec_decode(&rec, bytes + 16 * i);
		want_extent(r, w, &rec);
	}
}

void repair_read_ahead(struct repair *r, const uint8_t *inodes, size_t count)
{
	struct wants *w = malloc(sizeof(*w));

	if (!w)
		return;
	w->n = 0;
	for (size_t i = 0; i < count; i++)
		want_dir(r, w, inodes + i * r->geo.inodesize);
	if (w->n)
		flush(r, w);
	free(w);
}
