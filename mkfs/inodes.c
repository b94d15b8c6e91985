/* SPDX-License-Identifier: BSD-2-Clause */
/* inodes.c - inodes of a fresh filesystem. */
#include "mkfs/inodes.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/attr.h"

#include <string.h>

struct maker {
	const struct mkfs_geometry *g;
	const struct mkfs_chance *chance;
	uint64_t first;		/* number of the chunk's first inode */
	uint8_t *p;		/* its bytes */
};

static uint8_t *inode_at(const struct maker *m, uint64_t ino)
{
	return m->p + ((ino - m->first) << m->g->geo.inodelog);
}

static uint8_t *fork_at(const struct maker *m, uint64_t ino)
{
	return inode_at(m, ino) + xfs_dinode_literal_off(m->g->f.crc ? 3 : 2);
}

/* What all inodes have; free ones have no more. */
static struct xfs_dinode blank(const struct maker *m, uint64_t ino, uint32_t gen)
{
	struct xfs_dinode d = { 0 };

	d.core.magic = XFS_DINODE_MAGIC;
	d.core.version = m->g->f.crc ? 3 : 2;
	d.core.gen = gen;
	d.core.next_unlinked = XFS_NULL32;
	if (m->g->f.crc) {
		d.v3.inumber = ino;
		memcpy(d.v3.uuid, m->g->sb.uuid, sizeof(d.v3.uuid));
	}
	return d;
}

static struct xfs_dinode used(const struct maker *m, uint64_t ino, uint32_t gen, unsigned mode,
		enum xfs_dinode_fmt format)
{
	const struct mkfs_features *f = &m->g->f;
	struct xfs_dinode d = blank(m, ino, gen);
	uint64_t now = xfs_time_encode(m->chance->now, f->bigtime);

	d.core.mode = (uint16_t)mode;
	d.core.format = (uint8_t)format;
	d.core.aformat = XFS_DINODE_FMT_EXTENTS;
	d.core.nlinkv2 = 1;
	d.core.atime = d.core.mtime = d.core.ctime = now;
	if (f->crc) {
		d.v3.crtime = now;
		d.v3.change_count = 2;
		d.v3.flags2 = (f->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (f->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
	}
	return d;
}

static void store(const struct maker *m, uint64_t ino, const struct xfs_dinode *d)
{
	uint8_t *p = inode_at(m, ino);

	xfs_dinode_encode(p, d);
	if (m->g->f.crc)
		xfs_crc32c_store(p, m->g->sb.inodesize, XFS_DINODE_CRC_OFF);
}

/* --- contents of forks --- */

/* Short directory: header and at most one entry, a directory. Returns its size. */
static uint32_t put_directory(const struct maker *m, uint64_t ino, uint64_t parent, const char *name, uint64_t to)
{
	const struct mkfs_features *f = &m->g->f;
	bool wide = parent > UINT32_MAX || to > UINT32_MAX;
	unsigned width = wide ? 8 : 4, n = name ? (unsigned)strlen(name) : 0;
	uint8_t *p = fork_at(m, ino);
	struct xfs_dir_sf_hdr head = {
		.count = name != NULL, .i8count = (uint8_t)((parent > UINT32_MAX) + (to > UINT32_MAX))
	};
	struct xfs_dir_sf_ent entry = { .namelen = (uint8_t)n, .offset = f->crc ? 0x60 : 0x30 };
	uint32_t size = xfs_dir_sf_hdr_len(wide);

	xfs_dir_sf_hdr_encode(p, &head);
	xfs_bits_put(p + 2, 0, width * 8, false, parent);
	if (!name)
		return size;
	p += size;
	xfs_dir_sf_ent_encode(p, &entry);
	memcpy(p + 3, name, n);
	if (f->ftype)
		p[3 + n] = XFS_DIR_FT_DIR;
	xfs_bits_put(p + 3 + n + f->ftype, 0, width * 8, false, to);
	return size + xfs_dir_sf_entsize(f->ftype, wide, n);
}

/* The only attribute of an inode, in its inode from forkoff * 8 on. */
static void put_attribute(const struct maker *m, uint64_t ino, unsigned forkoff, uint8_t flags, const char *name,
			  const void *value, size_t len)
{
	uint8_t *p = fork_at(m, ino) + 8 * forkoff;
	size_t n = strlen(name);
	struct xfs_attr_sf_hdr head = { .totsize = (uint16_t)(4 + xfs_attr_sf_entsize((unsigned)n, (unsigned)len)),
			.count = 1 };
	struct xfs_attr_sf_ent entry = { .namelen = (uint8_t)n, .valuelen = (uint8_t)len, .flags = flags };

	xfs_attr_sf_hdr_encode(p, &head);
	xfs_attr_sf_ent_encode(p + 4, &entry);
	memcpy(p + 7, name, n);
	memcpy(p + 7 + n, value, len);
}

/* --- the inodes in use --- */

static void make_root(const struct maker *m)
{
	static const char *const words[] = { "none", "check", "optimize", "repair" };
	const struct mkfs_geometry *g = m->g;
	uint64_t ino = g->sb.rootino;
	struct xfs_dinode d = used(m, ino, 0, XFS_MODE_DIR | 0755, XFS_DINODE_FMT_LOCAL);

	d.core.nlinkv2 = 2;
	d.core.flags = (uint16_t)((g->f.rtinherit ? XFS_DIFLAG_RTINHERIT : 0) | (g->projinherit
			? XFS_DIFLAG_PROJINHERIT : 0) |
				  (g->extsize ? XFS_DIFLAG_EXTSZINHERIT : 0));
	d.core.extsize = g->extsize;
	xfs_dinode_set_projid(&d, g->projid);
	if (g->f.crc) {
		d.v3.flags2 |= (g->daxinherit ? XFS_DIFLAG2_DAX : 0) | (g->cowextsize ? XFS_DIFLAG2_COWEXTSIZE : 0);
		d.v3.cowextsize = g->cowextsize;
	}
	d.core.size = put_directory(m, ino, ino, NULL, 0);
	if (g->f.autofsck >= 0) {
		/* the attribute fork begins as far back as it may (format sheet 03, 2, forkoff rules) */
		d.core.forkoff = (uint8_t)((g->geo.litino - 36) / 8);
		d.core.aformat = XFS_DINODE_FMT_LOCAL;
		put_attribute(m, ino, d.core.forkoff, XFS_ATTR_ROOT, "xfs:autofsck", words[g->f.autofsck],
			      strlen(words[g->f.autofsck]));
	}
	store(m, ino, &d);
}

/* Files of the realtime section; they exist without one, too. */
static void make_rt_files(const struct maker *m)
{
	const struct xfs_sb *sb = &m->g->sb;
	struct xfs_dinode d = used(m, sb->rbmino, m->chance->gen[1], XFS_MODE_REG, XFS_DINODE_FMT_EXTENTS);

	d.core.flags = XFS_DIFLAG_NEWRTBM;
	d.core.atime = xfs_time_encode((struct xfs_timestamp){ 0, 0 }, m->g->f.bigtime);
	store(m, sb->rbmino, &d);
	d = used(m, sb->rsumino, m->chance->gen[2], XFS_MODE_REG, XFS_DINODE_FMT_EXTENTS);
	store(m, sb->rsumino, &d);
}

static struct xfs_dinode metadata_directory(const struct maker *m, uint64_t ino, uint32_t gen)
{
	struct xfs_dinode d = used(m, ino, gen, XFS_MODE_DIR, XFS_DINODE_FMT_LOCAL);

	d.core.metatype = XFS_METAFILE_DIR;
	d.core.flags = XFS_DIFLAG_METADATA_DIR;
	d.core.nlinkv2 = 2;
	d.v3.flags2 |= XFS_DIFLAG2_METADATA;
	return d;
}

static void make_metadata_root(const struct maker *m)
{
	uint64_t ino = m->g->sb.metadirino;
	struct xfs_dinode d = metadata_directory(m, ino, m->chance->gen[1]);

	d.core.nlinkv2 = 3;
	d.v3.change_count = 3;
	d.core.size = put_directory(m, ino, ino, "rtgroups", m->g->rtgroups_ino);
	store(m, ino, &d);
}

static void make_rtgroups(const struct maker *m)
{
	uint64_t ino = m->g->rtgroups_ino, parent = m->g->sb.metadirino;
	struct xfs_dinode d = metadata_directory(m, ino, m->chance->gen[3]);
	struct xfs_parent_rec up = { .inumber = parent, .gen = m->chance->gen[1] };
	uint8_t value[sizeof(struct xfs_parent_rec_disk)];

	d.core.size = put_directory(m, ino, parent, NULL, 0);
	if (m->g->f.parent) {
		d.core.forkoff = 24;
		d.core.aformat = XFS_DINODE_FMT_LOCAL;
		xfs_parent_rec_encode(value, &up);
		put_attribute(m, ino, 24, XFS_ATTR_PARENT, "rtgroups", value, sizeof(value));
	}
	store(m, ino, &d);
}

unsigned mkfs_chunk_used(const struct mkfs_geometry *g, unsigned n)
{
	return g->nchunks == 1 ? 3 : n == 0 ? 2 : 1;
}

void mkfs_make_chunk(const struct mkfs_geometry *g, const struct mkfs_chance *chance, unsigned n, uint8_t *p)
{
	struct maker m = { g, chance, 0, p };

	m.first = xfs_ino_of(&g->geo, XFS_AGNO(g->chunk[n].agno), XFS_AGINO(g->chunk[n].agbno << g->geo.inopblog)).v;
	for (uint64_t i = mkfs_chunk_used(g, n); i < g->geo.ialloc_inos; i++) {
		struct xfs_dinode d = blank(&m, m.first + i, chance->gen[0]);

		store(&m, m.first + i, &d);
	}
	if (n == 0) {
		make_root(&m);
		if (g->f.metadir)
			make_metadata_root(&m);
		else
			make_rt_files(&m);
	}
	if (g->f.metadir && n == g->nchunks - 1)
		make_rtgroups(&m);
}
