/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * restore.c - inodes whose core is lost: what reverse mappings, contents and names know of them becomes an inode again.
 *
 * A wiped inode that owns blocks comes back with them: as a directory or symlink when the blocks say so, else as what
 * its names say, else as a file.  Nobody knows its owner, mode and times: root, 0600 (0700), the epoch.  One without
 * blocks comes back when the names know enough to make an empty one; else it becomes free.
 */
#include "repair/content.h"
#include "repair/names.h"
#include "repair/realtime.h"
#include "repair/space.h"

#include "libxfs/inode/inode.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/ondisk/dir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LOOKED 64u		/* blocks that are asked for the type of a file */

static unsigned type_of_ftype(unsigned ftype)
{
	switch (ftype) {
	case XFS_DIR_FT_REG: return XFS_MODE_REG;
	case XFS_DIR_FT_DIR: return XFS_MODE_DIR;
	case XFS_DIR_FT_CHR: return XFS_MODE_CHR;
	case XFS_DIR_FT_BLK: return XFS_MODE_BLK;
	case XFS_DIR_FT_FIFO: return XFS_MODE_FIFO;
	case XFS_DIR_FT_SOCK: return XFS_MODE_SOCK;
	case XFS_DIR_FT_LNK: return XFS_MODE_LNK;
	default: return 0;
	}
}

/* ---- the type is lost, the rest is there ---- */

void repair_restore_type(struct repair *r, struct evidence *e, const struct repair_hint *h)
{
	struct repair_seen s = { .ino = e->ino, .image = e->image, .d = e->d };
	unsigned type = repair_type_of_role(r, e->ino);

	if (e->wiped) {
		memset(e->image, 0, r->geo.inodesize);
		e->d = (struct xfs_dinode){ 0 };
		return;
	}
	if (repair_is_hollow(&e->d) && !h->names && !h->subdirs && !type)
		return;		/* reverse mappings may still know it */
	if (!type)
		type = type_of_ftype(h->ftype);
	if (!type)
		type = h->subdirs ? XFS_MODE_DIR : e->d.core.format == XFS_DINODE_FMT_DEV ? XFS_MODE_CHR : XFS_MODE_REG;
	if (!e->d.core.mode)
		s.d.core.mode = type == XFS_MODE_DIR ? 0700 : 0600;
	s.d.core.mode = (uint16_t)((s.d.core.mode & ~XFS_MODE_FMT) | type);
	s.d.core.next_unlinked = XFS_NULL32;	/* lists are cleared */
	xfs_dinode_encode(e->image, &s.d);
	repair_mend_core(r, &s, e->image);
	e->d = s.d;
}

/* ---- made anew ---- */

struct remade {
	struct repair *r;
	struct evidence *e;
	const struct repair_hint *h;
	struct xfs_dinode d;
	unsigned type;
	uint64_t parent;
	bool meta;			/* of the metadata directory tree */
	struct repair_metafile file;	/* which file of it */
	bool realtime;			/* its data lie in the realtime section */
};

/* Directory and symlink blocks name their owner; a block of a file that looks so without naming it says nothing. */
static unsigned type_of_mappings(struct repair *r, const struct evidence *e)
{
	const struct xfs_mapset *s = &e->side[XFS_FORK_DATA].rmap;
	unsigned type = 0, looked = 0;

	for (size_t i = 0; i < s->n && !type; i++)
		for (uint64_t k = 0; k < s->m[i].len && !type && looked < MOST_LOOKED; k++, looked++)
			type = repair_block_type(r, e->ino, s->m[i].fsbno + k);
	return type;
}

static unsigned choose_type(const struct remade *m)
{
	bool blocks = m->e->side[XFS_FORK_DATA].rmap.n;
	unsigned type = repair_type_of_role(m->r, m->e->ino);

	if (!type && m->file.metatype)
		return XFS_MODE_REG;
	if (!type && m->realtime)
		return XFS_MODE_REG;
	if (!type)
		type = type_of_mappings(m->r, m->e);
	if (!type && m->h->subdirs)
		type = XFS_MODE_DIR;
	if (!type)
		type = type_of_ftype(m->h->ftype);
	/* devices have no blocks; what fills those of a symlink must name itself */
	if (blocks && type != XFS_MODE_DIR && type != XFS_MODE_LNK)
		type = XFS_MODE_REG;
	if (!type && (m->e->side[XFS_FORK_ATTR].rmap.n || m->h->names))
		type = XFS_MODE_REG;
	return type;
}

/* A directory of the metadata tree names it. */
static bool in_metadata_tree(const struct remade *m)
{
	const struct repair_fact *f = m->r->geo.metadir && m->h->names ? repair_fact_of(m->r, m->h->parent) : NULL;

	return m->r->geo.metadir && m->h->names &&
	       (m->h->meta || m->h->parent == m->r->primary.metadirino || (f && f->meta));
}

/* Its name says which file of the metadata directory it was, or its blocks do. */
static int find_metafile(struct remade *m)
{
	const struct xfs_mapset *s = &m->e->side[XFS_FORK_DATA].rmap;

	if (!m->r->geo.metadir || repair_type_of_role(m->r, m->e->ino))
		return 0;
	m->meta = in_metadata_tree(m);
	if (m->meta && m->h->file.metatype)
		m->file = m->h->file;
	else if (m->meta || !m->h->names)
		repair_metafile_by_blocks(m->r, m->e->ino, s, &m->file);
	m->meta |= m->file.metatype != XFS_METAFILE_UNKNOWN;
	/* with the directory above it, a directory of that tree lost its name, too */
	return m->meta || m->h->names ? 0 : repair_metadir_by_blocks(m->r, m->e->ino, s, &m->meta);
}

/* Is there enough to make it from? A device's number and a short target are gone with the inode. */
static bool can_be_made(const struct remade *m)
{
	if (m->meta && m->type != XFS_MODE_DIR)
		return m->file.metatype;
	if (m->e->side[XFS_FORK_DATA].rmap.n || repair_type_of_role(m->r, m->e->ino))
		return true;
	return m->type == XFS_MODE_REG || m->type == XFS_MODE_DIR || m->type == XFS_MODE_FIFO ||
	       m->type == XFS_MODE_SOCK;
}

static void start_core(struct remade *m)
{
	const struct xfs_geometry *geo = &m->r->geo;
	struct xfs_dinode *d = &m->d;
	uint64_t epoch = xfs_time_encode((struct xfs_timestamp){ 0 }, geo->bigtime);

	*d = (struct xfs_dinode){ .core = {
		.magic = XFS_DINODE_MAGIC, .version = geo->v5 ? 3 : 2, .format = XFS_DINODE_FMT_EXTENTS,
		.aformat = XFS_DINODE_FMT_EXTENTS, .next_unlinked = XFS_NULL32, .gen = (uint32_t)m->e->ino,
		.atime = epoch, .mtime = epoch, .ctime = epoch,
		.mode = (uint16_t)(m->type | (m->type == XFS_MODE_DIR ? 0700 : m->type == XFS_MODE_LNK ? 0777 : 0600)),
	} };
	d->core.nlinkv2 = xfs_max(m->h->names, 1u);
	if (m->realtime)
		d->core.flags = XFS_DIFLAG_REALTIME;
	if (m->type == XFS_MODE_DIR)
		d->core.nlinkv2 = 2 + m->h->subdirs;
	if (!geo->v5)
		return;
	d->v3.inumber = m->e->ino;
	memcpy(d->v3.uuid, geo->uuid, sizeof(d->v3.uuid));
	d->v3.crtime = epoch;
	d->v3.flags2 = (geo->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (geo->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
}

static void dress_metadata(struct xfs_dinode *d)
{
	d->core.mode = XFS_MODE_DIR;
	d->core.metatype = XFS_METAFILE_DIR;
	d->core.flags = XFS_DIFLAG_METADATA_DIR;
	d->v3.flags2 |= XFS_DIFLAG2_METADATA;
}

/* Inodes of the superblock have no names, and a form of their own (format sheet 03, section 8). */
static void dress_role(struct remade *m)
{
	struct xfs_dinode *d = &m->d;

	switch (xfs_inode_role(m->r->fs, XFS_INO(m->e->ino))) {
	case XFS_INODE_ROOT:
		d->core.mode = XFS_MODE_DIR | 0755;
		break;
	case XFS_INODE_METADIR:
		dress_metadata(d);
		break;
	case XFS_INODE_RTBITMAP:
		d->core.mode = XFS_MODE_REG;
		d->core.flags = XFS_DIFLAG_NEWRTBM;
		d->core.size = repair_rt_file_blocks(m->r, m->e->ino, m->e->image) * m->r->geo.blocksize;
		break;
	case XFS_INODE_RTSUMMARY:
		d->core.mode = XFS_MODE_REG;
		d->core.size = repair_rt_file_blocks(m->r, m->e->ino, m->e->image) * m->r->geo.blocksize;
		break;
	case XFS_INODE_QUOTA:	/* its size is zero, whatever it holds */
		d->core.mode = XFS_MODE_REG;
		break;
	default:
		if (m->file.metatype)
			repair_metafile_dress(m->r, &m->file, d);
		else if (m->meta)
			dress_metadata(d);
		break;
	}
}

static void make_short_dir(struct remade *m, uint8_t *image)
{
	uint8_t *p = image + xfs_dinode_literal_off((unsigned)m->d.core.version);
	bool wide = m->parent > XFS_NULL32;

	m->d.core.format = XFS_DINODE_FMT_LOCAL;
	m->d.core.size = xfs_dir_sf_hdr_len(wide);
	/* ".." counts, too */
	xfs_dir_sf_hdr_encode(p, &(struct xfs_dir_sf_hdr){ .i8count = wide });
	xfs_dir_sf_set_parent(p, wide, m->parent);
}

static uint64_t piece_bytes(struct repair *r, const struct evidence *e)
{
	const struct xfs_mapset *s = &e->side[XFS_FORK_DATA].rmap;
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint8_t p[sizeof(struct xfs_symlink_hdr_disk)];

		if (!xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(s->m[i].fsbno)), p, sizeof(p)) &&
		    xfs_be32(p) == XFS_SYMLINK_MAGIC)
			sum += xfs_be32(p + XFS_OFF(symlink_hdr, bytes));
	}
	return sum;
}

static uint64_t end_below(const struct xfs_mapset *s, uint64_t limit)
{
	uint64_t end = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->m[i].off < limit)
			end = xfs_max(end, xfs_min(s->m[i].off + s->m[i].len, limit));
	return end;
}

static void set_size(struct remade *m)
{
	const struct xfs_mapset *s = &m->e->side[XFS_FORK_DATA].rmap;
	unsigned blocklog = m->r->geo.blocklog;

	if (!s->n)
		return;
	if (m->type == XFS_MODE_LNK)
		m->d.core.size = piece_bytes(m->r, m->e);
	else if (m->type == XFS_MODE_DIR)
		m->d.core.size = end_below(s, UINT64_C(1) << (XFS_DIR_SPACE_SHIFT - blocklog)) << blocklog;
	else if (!repair_type_of_role(m->r, m->e->ino) && !m->meta)
		m->d.core.size = end_below(s, UINT64_MAX) << blocklog;
}

static bool any_shared(const struct repair *r, const struct xfs_mapset *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->m[i].unwritten && repair_is_shared(r, s->m[i].fsbno, s->m[i].len))
			return true;
	return false;
}

static bool is_shared(const struct remade *m)
{
	return m->realtime ? m->e->rt_others : any_shared(m->r, &m->e->side[XFS_FORK_DATA].rmap);
}

/*
 * Reverse mappings of realtime groups name it, those of the data device give its data fork nothing: it is a file, and
 * its data lie there.
 */
static int take_groups(struct remade *m)
{
	struct xfs_mapset *s = &m->e->side[XFS_FORK_DATA].rmap;
	unsigned type = type_of_ftype(m->h->ftype);

	if (!m->e->rt.n || s->n || m->meta || m->h->subdirs || repair_type_of_role(m->r, m->e->ino) ||
	    (type && type != XFS_MODE_REG))
		return 0;
	xfs_mapset_release(s);
	*s = m->e->rt;
	m->e->rt = (struct xfs_mapset){ 0 };
	m->realtime = true;
	return repair_rt_align(m->r, s);
}

static int take_maps(struct remade *m, struct repair_inode *c)
{
	struct repair *r = m->r;

	for (unsigned k = 0; k < 2; k++) {
		struct evidence_side *s = &m->e->side[k];

		for (size_t i = 0; i < s->nbmbt; i++)
			repair_ag_of(r, s->bmbt[i])->reasons |= REPAIR_FORK;
		if (!s->rmap.n)
			continue;
		c->fork[k] = true;
		xfs_mapset_release(&c->map[k]);
		c->map[k] = s->rmap;
		s->rmap = (struct xfs_mapset){ 0 };
		/* half of the room, in the units of the field */
		if (k)
			m->d.core.forkoff = (uint8_t)(xfs_dinode_literal_size((unsigned)m->d.core.version,
									      r->geo.inodesize) / 16);
	}
	return 0;
}

static void note_remade(struct remade *m)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_REMADE, "inode");
	const char *what = m->type == XFS_MODE_DIR ? "directory" : m->type == XFS_MODE_LNK ? "symlink" :
			   m->type == XFS_MODE_REG ? "file" : "special file", *dir;
	char name[32];

	f.ino = m->e->ino;
	f.len = xfs_mapset_blocks(&m->e->side[XFS_FORK_DATA].rmap);
	if (m->file.metatype && repair_metafile_name(m->r, &m->file, &dir, name))
		xfs_finding_detail(&f, "metadata file /%s/%s with %" PRIu64 " blocks", dir, name, f.len);
	else
		xfs_finding_detail(&f, "%s with %" PRIu64 " blocks, mode %04o, owner root", what, f.len,
				   m->d.core.mode & 07777u);
	repair_note(m->r, &f, true);
}

/* Everybody learns that the inode is there. */
static void announce(struct repair *r, uint64_t ino, const struct xfs_dinode *d)
{
	struct repair_ag *ag = &r->ags[xfs_ino_agno(&r->geo, XFS_INO(ino)).v];
	struct xfs_inode_chunk *chunk;
	struct repair_fact *f;
	unsigned index;

	repair_drop_lost(r, ino);
	chunk = repair_chunk_of(ag, xfs_ino_agino(&r->geo, XFS_INO(ino)).v, &index);
	if (!chunk)
		return;
	if ((chunk->free >> index & 1) != !d)
		repair_flip_free(ag, chunk, index);
	f = &ag->facts[(size_t)(chunk - ag->chunks) * XFS_INODES_PER_CHUNK + index];
	*f = (struct repair_fact){ .used = d != NULL };
	if (d) {
		f->ftype = (uint8_t)xfs_mode_ftype(d->core.mode);
		f->nlink = xfs_dinode_nlink(d);
		f->meta = r->geo.metadir && xfs_dinode_is_metadata(d);
	}
}

static int set_free(struct remade *m)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_GONE, "inode");
	struct repair_inode *c;
	int error;

	f.ino = m->e->ino;
	if (m->h->names) {
		xfs_finding_detail(&f, "%u names, type %u", m->h->names, m->h->ftype);
		repair_note(m->r, &f, true);
	}
	error = repair_make_free(m->r, m->e->ino, m->e->wiped ? (uint32_t)m->e->ino : m->e->d.core.gen);
	c = error ? NULL : repair_find_changed(m->r, m->e->ino);
	if (c)
		c->decided = true;
	announce(m->r, m->e->ino, NULL);
	return error;
}

static int make_anew(struct remade *m)
{
	uint64_t root = m->r->primary.rootino;
	struct repair_inode *c;
	int error;

	start_core(m);
	dress_role(m);
	set_size(m);
	if (m->r->geo.reflink && m->type == XFS_MODE_REG && is_shared(m))
		m->d.v3.flags2 |= XFS_DIFLAG2_REFLINK;
	note_remade(m);
	m->parent = m->e->ino == root || m->e->ino == m->r->primary.metadirino ? m->e->ino :
		    m->h->names ? m->h->parent : root;
	error = repair_changed_inode(m->r, m->e->ino, m->e->image, &c);
	if (error)
		return error;
	memset(c->image, 0, m->r->geo.inodesize);
	c->decided = true;
	error = take_maps(m, c);
	if (repair_metafile_is_tree(m->file.metatype)) {	/* its records follow from the files */
		xfs_mapset_release(&c->map[XFS_FORK_DATA]);
		c->fork[XFS_FORK_DATA] = true;
	}
	if (m->type == XFS_MODE_DIR && !c->fork[XFS_FORK_DATA])
		make_short_dir(m, c->image);
	else if (m->type == XFS_MODE_FIFO || m->type == XFS_MODE_SOCK)
		m->d.core.format = XFS_DINODE_FMT_DEV;
	if (m->d.core.format == XFS_DINODE_FMT_DEV && m->d.core.forkoff)
		m->d.core.forkoff = 1;
	xfs_dinode_encode(c->image, &m->d);
	announce(m->r, m->e->ino, &m->d);
	return error || !m->file.metatype ? error : repair_metafile_add(m->r, m->e->ino, &m->file);
}

/* The core is there, but for its type: forks are judged as those of any other inode. */
static int complete(struct repair *r, struct evidence *e)
{
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	e->suspect = true;
	error = repair_judge(r, e);
	if (!error)
		error = repair_changed_inode(r, e->ino, e->image, &c);
	if (error)
		return error;
	c->decided = true;
	xfs_dinode_decode(&d, c->image);
	announce(r, e->ino, &d);
	return 0;
}

/*
 * Not what is no inode at all; nor what stands where the root directory was and is none; nor a directory without
 * anything in it.
 */
static bool can_be_completed(const struct repair *r, const struct evidence *e)
{
	const struct evidence_side *s = &e->side[XFS_FORK_DATA];

	if (e->wiped || repair_type_of_role(r, e->ino) || xfs_mode_ftype(e->d.core.mode) == XFS_DIR_FT_UNKNOWN)
		return false;
	return (e->d.core.mode & XFS_MODE_FMT) != XFS_MODE_DIR || e->d.core.format == XFS_DINODE_FMT_LOCAL ||
	       s->fork.n || s->rmap.n;
}

int repair_restore(struct repair *r, struct evidence *e, const struct repair_hint *h)
{
	struct remade m = { .r = r, .e = e, .h = h };
	int64_t cut;
	int error;

	if (can_be_completed(r, e))
		return complete(r, e);
	for (unsigned k = 0; k < 2; k++) {
		cut = xfs_mapset_normalise(&e->side[k].rmap);
		if (cut < 0)
			return (int)cut;
	}
	error = find_metafile(&m);
	if (error)
		return error;
	cut = take_groups(&m);
	if (cut < 0)
		return (int)cut;
	m.type = choose_type(&m);
	return m.type && can_be_made(&m) ? make_anew(&m) : set_free(&m);
}
