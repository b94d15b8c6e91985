/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bombs.c - fills a fresh image (with rmapbt) with very many of one thing, where a kernel would take hours.
 *
 *	bombs flat IMAGE N		N empty files in the root directory
 *	bombs equal IMAGE N		N empty files in /d whose names have one hash
 *	bombs links IMAGE N		one file with N names in /d
 *	bombs deep IMAGE N		a chain of N directories below the root, a file in each
 *	bombs ring IMAGE N		the same, but what the root names is the last one's child
 *	bombs attrs IMAGE N LENGTH	one file with N attributes of equal hash, values of LENGTH bytes
 *	bombs copies IMAGE N FILES	FILES files that claim the same N blocks each
 *	bombs unlinked IMAGE N		N deleted files that are still open
 *	bombs wiped IMAGE N		N files in the root directory, of whose inodes nothing is left
 *	bombs rivals IMAGE N		one file with N names in /d, and one without whose parent pointers are the same
 *	bombs counts IMAGE N		N pairs of files: one with a wrong link count, then a deleted one that is still open
 *
 * Forks, directories and trees are built as a repair builds them.
 */
#include "tests/lib/building.h"
#include "tests/lib/imagefill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_LEN 20u

struct making {
	struct imagefill f;
	const struct xfs_geometry *g;
	uint64_t root, n, second;
	uint32_t root_gen;
	uint64_t ino;			/* for whom blocks are taken */
};

static int read_root(struct making *m)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	int err = ip ? xfs_inode_read(m->f.fs, XFS_INO(m->root), 0, ip) : -XFS_E_NOMEM;

	m->root_gen = err ? 0 : ip->d.core.gen;
	free(ip);
	return err;
}

/* ---- space ---- */

static int take(void *payload, uint64_t offset, uint64_t want, uint64_t *fsbno, uint64_t *got)
{
	struct making *m = payload;
	/* behind what is left for trees */
	struct xfs_claim c = { m->g->agblocks / 8, (uint32_t)want, m->ino, offset };

	*got = want;
	return building_take(m->f.claims, m->g, XFS_AGNO((uint32_t)(m->ino / 64) % m->g->agcount), &c, fsbno);
}

static int take_one(void *payload, uint64_t *fsbno)
{
	uint64_t got;

	return take(payload, XFS_RMAP_BMBT, 1, fsbno, &got);
}

static struct xfs_build_target target(struct making *m, uint64_t ino)
{
	m->ino = ino;
	return (struct xfs_build_target){ .geo = m->g, .dev = m->f.set.data, .ino = ino, .alloc = take, .payload = m };
}

/* ---- names ---- */

struct names {
	struct xfs_build_dirent *list;
	uint8_t *bytes;
	uint64_t n;
};

/* The k-th name.  Of equal hash: bit 0 of a byte and bit 7 of the next one meet in the hash, so two that turn together do nothing. */
static void name_of(uint64_t k, bool equal, uint8_t *p, unsigned len)
{
	memset(p, 'a', len);
	if (!equal) {
		for (unsigned i = len; i--; k /= 10)
			p[i] = (uint8_t)('0' + k % 10);
		return;
	}
	for (unsigned i = 0; i + 1 < len; i += 2, k >>= 1)
		if (k & 1) {
			p[i] ^= 1;		/* moved by seven: bit 7 */
			p[i + 1] ^= 0x80;
		}
}

static int make_names(struct names *s, uint64_t n, bool equal)
{
	unsigned len = equal ? 2 * NAME_LEN : NAME_LEN;

	s->list = calloc(n + 1, sizeof(*s->list));
	s->bytes = malloc((n + 1) * len);
	if (!s->list || !s->bytes)
		return -XFS_E_NOMEM;
	for (s->n = 0; s->n < n; s->n++) {
		uint8_t *p = s->bytes + s->n * len;

		name_of(s->n, equal, p, len);
		s->list[s->n] = (struct xfs_build_dirent){ .name = p, .namelen = (uint8_t)len, .ftype = XFS_DIR_FT_REG };
	}
	return 0;
}

static void free_names(struct names *s)
{
	free(s->list);
	free(s->bytes);
}

/* Attributes of an inode whose data fork is not set yet. */
static int put_attrs(struct making *m, uint64_t ino, const struct xfs_build_attr *list, size_t n, uint8_t *image)
{
	struct xfs_build_attrs b = { .to = target(m, ino), .list = list, .n = n, .data = { XFS_DINODE_FMT_EXTENTS, 0, 0 } };
	struct xfs_dinode d;
	int err;

	b.bytes = calloc(1, m->g->litino);
	err = b.bytes ? xfs_build_attrs(&b) : -XFS_E_NOMEM;
	if (!err) {
		xfs_dinode_decode(&d, image);
		building_set_attrs(&d, &b);
		xfs_dinode_encode(image, &d);
		memcpy(image + xfs_dinode_fork_off(3, b.forkoff, m->g->inodesize, XFS_FORK_ATTR), b.bytes, b.forksize);
	}
	free(b.bytes);
	return err;
}

/* A pointer for each name, in the order of the list. */
static int put_parents(struct making *m, uint64_t ino, const struct xfs_build_dirent *e, size_t n, uint64_t dir, uint8_t *image)
{
	struct xfs_build_attr *list = m->g->parent ? calloc(n, sizeof(*list)) : NULL;
	struct xfs_parent_rec rec = { dir, dir == m->root ? m->root_gen : 1 };
	uint8_t value[sizeof(struct xfs_parent_rec_disk)];
	int err;

	if (!m->g->parent)
		return 0;
	if (!list)
		return -XFS_E_NOMEM;
	xfs_parent_rec_encode(value, &rec);
	for (size_t i = 0; i < n; i++)
		list[i] = (struct xfs_build_attr){ e[i].name, value, sizeof(value), e[i].namelen, XFS_ATTR_PARENT };
	err = put_attrs(m, ino, list, n, image);
	free(list);
	return err;
}

static int put_dir(struct making *m, uint64_t ino, uint64_t parent, const struct xfs_build_dirent *list, size_t n, uint8_t *image)
{
	struct xfs_build_dir b = { .to = target(m, ino), .parent = parent, .entries = list, .n = n };
	struct xfs_dinode d;
	int err;

	xfs_dinode_decode(&d, image);
	b.forksize = xfs_dinode_fork_size(3, d.core.forkoff, m->g->inodesize, XFS_FORK_DATA);
	b.bytes = image + xfs_dinode_literal_off(3);
	err = xfs_build_dir(&b);
	if (err)
		return err;
	d.core.mode = XFS_MODE_DIR | 0755;
	d.core.nlinkv2 = b.shape.subdirs + 2;
	building_set_dir(&d, &b);
	xfs_dinode_encode(image, &d);
	return imagefill_write_inode(&m->f, ino, image);
}

static int put_root(struct making *m, const struct xfs_build_dirent *list, size_t n)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	int err = ip ? xfs_inode_read(m->f.fs, XFS_INO(m->root), 0, ip) : -XFS_E_NOMEM;

	err = err ? err : put_dir(m, m->root, m->root, list, n, ip->raw);
	free(ip);
	return err;
}

/* A directory without attributes, but for its pointer. */
static int put_new_dir(struct making *m, uint64_t ino, uint64_t parent, const struct xfs_build_dirent *self,
		       const struct xfs_build_dirent *list, size_t n)
{
	uint8_t *image = malloc(m->g->inodesize);
	int err = image ? 0 : -XFS_E_NOMEM;

	if (!err) {
		imagefill_blank(&m->f, ino, XFS_MODE_DIR | 0755, 2, image);
		err = put_parents(m, ino, self, 1, parent, image);
	}
	err = err ? err : put_dir(m, ino, parent, list, n, image);
	free(image);
	return err;
}

/* Pointers of files that have one name each. */
static int put_file_parents(struct making *m, const struct names *s, uint64_t dir)
{
	uint8_t *image = malloc(m->g->inodesize);
	int err = image ? 0 : -XFS_E_NOMEM;

	for (uint64_t i = 0; i < s->n && m->g->parent && !err; i++) {
		imagefill_blank(&m->f, s->list[i].ino, XFS_MODE_REG | 0644, 1, image);
		err = put_parents(m, s->list[i].ino, &s->list[i], 1, dir, image);
		err = err ? err : imagefill_write_inode(&m->f, s->list[i].ino, image);
	}
	free(image);
	return err;
}

/* ---- bombs ---- */

static int flat(struct making *m)
{
	struct names s = { 0 };
	int err = imagefill_inodes(&m->f, m->n, XFS_MODE_REG | 0644, 1);

	err = err ? err : make_names(&s, m->n, false);
	for (uint64_t i = 0; i < m->n && !err; i++)
		s.list[i].ino = m->f.inos[i];
	err = err ? err : put_file_parents(m, &s, m->root);
	err = err ? err : put_root(m, s.list, s.n);
	free_names(&s);
	return err;
}

static struct xfs_build_dirent d_named(uint64_t ino)
{
	return (struct xfs_build_dirent){ ino, (const uint8_t *)"d", 1, XFS_DIR_FT_DIR };
}

static int equal(struct making *m)
{
	struct names s = { 0 };
	struct xfs_build_dirent d;
	int err = imagefill_inodes(&m->f, m->n + 1, XFS_MODE_REG | 0644, 1);

	err = err ? err : make_names(&s, m->n, true);
	if (err)
		return err;
	d = d_named(m->f.inos[m->n]);
	for (uint64_t i = 0; i < m->n; i++)
		s.list[i].ino = m->f.inos[i];
	err = put_file_parents(m, &s, d.ino);
	err = err ? err : put_new_dir(m, d.ino, m->root, &d, s.list, s.n);
	err = err ? err : put_root(m, &d, 1);
	free_names(&s);
	return err;
}

/* The second file, if any, has all that the first one has but names. */
static int link_to(struct making *m, unsigned files)
{
	struct names s = { 0 };
	struct xfs_build_dirent d;
	uint8_t *image = malloc(m->g->inodesize);
	int err = image ? imagefill_inodes(&m->f, files + 1, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : make_names(&s, m->n, false);
	if (err)
		return err;
	d = d_named(m->f.inos[files]);
	for (uint64_t i = 0; i < m->n; i++)
		s.list[i].ino = m->f.inos[0];
	for (unsigned i = 0; i < files && !err; i++) {
		imagefill_blank(&m->f, m->f.inos[i], XFS_MODE_REG | 0644, (uint32_t)m->n, image);
		err = put_parents(m, m->f.inos[i], s.list, s.n, d.ino, image);
		err = err ? err : imagefill_write_inode(&m->f, m->f.inos[i], image);
	}
	err = err ? err : put_new_dir(m, d.ino, m->root, &d, s.list, s.n);
	err = err ? err : put_root(m, &d, 1);
	free_names(&s);
	free(image);
	return err;
}

static int links(struct making *m)
{
	return link_to(m, 1);
}

static int rivals(struct making *m)
{
	return link_to(m, 2);
}

static int chain(struct making *m, bool ring)
{
	struct xfs_build_dirent child, file = { 0, (const uint8_t *)"f", 1, XFS_DIR_FT_REG };
	int err = imagefill_inodes(&m->f, 2 * m->n, XFS_MODE_REG | 0644, 1);

	for (uint64_t i = 0; i < m->n && !err; i++) {
		struct xfs_build_dirent list[2] = { d_named(m->f.inos[2 * ((i + 1) % m->n)]), file };
		struct xfs_build_dirent self = d_named(m->f.inos[2 * i]);
		uint64_t above = i ? m->f.inos[2 * (i - 1)] : ring ? m->f.inos[2 * (m->n - 1)] : m->root;
		bool more = i + 1 < m->n || ring;
		uint8_t image[4096];

		list[1].ino = m->f.inos[2 * i + 1];
		imagefill_blank(&m->f, list[1].ino, XFS_MODE_REG | 0644, 1, image);
		err = put_parents(m, list[1].ino, &list[1], 1, self.ino, image);
		err = err ? err : imagefill_write_inode(&m->f, list[1].ino, image);
		err = err ? err : put_new_dir(m, self.ino, above, &self, more ? list : list + 1, more ? 2 : 1);
	}
	if (err || ring)
		return err;
	child = d_named(m->f.inos[0]);
	return put_root(m, &child, 1);
}

static int deep(struct making *m)
{
	return chain(m, false);
}

static int ring(struct making *m)
{
	return chain(m, true);
}

static int attrs(struct making *m)
{
	struct names s = { 0 };
	struct xfs_build_attr *list = calloc(m->n, sizeof(*list));
	uint8_t *value = malloc(m->second + 1), *image = malloc(m->g->inodesize);
	struct xfs_build_dirent f = { 0, (const uint8_t *)"f", 1, XFS_DIR_FT_REG };
	int err = list && value && image ? imagefill_inodes(&m->f, 1, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : make_names(&s, m->n, true);
	if (err)
		return err;
	memset(value, 'v', m->second);
	for (uint64_t i = 0; i < m->n; i++)
		list[i] = (struct xfs_build_attr){ s.list[i].name, value, (uint32_t)m->second, s.list[i].namelen, 0 };
	f.ino = m->f.inos[0];
	imagefill_blank(&m->f, f.ino, XFS_MODE_REG | 0644, 1, image);
	err = put_attrs(m, f.ino, list, m->n, image);
	err = err ? err : imagefill_write_inode(&m->f, f.ino, image);
	err = err ? err : put_root(m, &f, 1);
	free_names(&s);
	free(list);
	free(value);
	free(image);
	return err;
}

static int map_file(struct making *m, uint64_t ino, const struct xfs_extent *list)
{
	uint8_t image[4096];
	struct xfs_build_fork b = { .geo = m->g, .ino = ino, .extents = list, .nextents = m->n, .dev = m->f.set.data, .alloc = take_one,
				    .payload = m, .bytes = image + xfs_dinode_literal_off(3) };
	struct xfs_dinode d;
	int err;

	m->ino = ino;
	imagefill_blank(&m->f, ino, XFS_MODE_REG | 0644, 1, image);
	b.forksize = xfs_dinode_fork_size(3, 0, m->g->inodesize, XFS_FORK_DATA);
	err = xfs_build_fork(&b);
	xfs_dinode_decode(&d, image);
	d.core.format = (uint8_t)b.format;
	d.core.size = (int64_t)(2 * m->n << m->g->blocklog);
	d.core.nblocks = m->n + b.blocks;
	xfs_dinode_set_nextents(&d, XFS_FORK_DATA, m->n);
	xfs_dinode_encode(image, &d);
	return err ? err : imagefill_write_inode(&m->f, ino, image);
}

/* Reverse mappings name the first of them. */
static int copies(struct making *m)
{
	struct names s = { 0 };
	struct xfs_extent *list = calloc(m->n, sizeof(*list));
	int err = list ? imagefill_inodes(&m->f, m->second, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : make_names(&s, m->second, false);
	for (uint64_t i = 0; i < m->n && !err; i++) {
		uint32_t agno = (uint32_t)(i / 1024 % m->g->agcount);
		uint32_t agbno = m->g->agblocks / 16 * 13 + 2 * (uint32_t)(i / 1024 / m->g->agcount * 1024 + i % 1024);
		struct xfs_claim c = { agbno, 1, m->f.inos[0], 2 * i };

		list[i] = (struct xfs_extent){ .off = 2 * i, .block = xfs_fsbno_of(m->g, XFS_AGNO(agno), XFS_AGBNO(agbno)).v, .len = 1 };
		err = xfs_claims_add(m->f.claims, XFS_AGNO(agno), &c);
	}
	for (uint64_t i = 0; i < m->second && !err; i++) {
		s.list[i].ino = m->f.inos[i];
		err = map_file(m, m->f.inos[i], list);
	}
	err = err ? err : put_root(m, s.list, s.n);
	free(list);
	free_names(&s);
	return err;
}

/* To the front of its list. */
static int delete_file(struct making *m, uint64_t ino)
{
	uint32_t agno = xfs_ino_agno(m->g, XFS_INO(ino)).v, agino = xfs_ino_agino(m->g, XFS_INO(ino)).v;
	uint32_t *head = &m->f.ags[agno].heads[agino % XFS_AGI_BUCKETS];
	uint8_t image[4096];

	imagefill_blank(&m->f, ino, XFS_MODE_REG | 0644, 0, image);
	xfs_put_be32(image + XFS_OFF(dinode_core, next_unlinked), *head);
	*head = agino;
	return imagefill_write_inode(&m->f, ino, image);
}

static int unlinked(struct making *m)
{
	int err = imagefill_inodes(&m->f, m->n, XFS_MODE_REG | 0644, 0);

	for (uint64_t i = 0; i < m->n && !err; i++)
		err = delete_file(m, m->f.inos[i]);
	return err;
}

static int wiped(struct making *m)
{
	static const uint8_t nothing[4096];
	int err = flat(m);

	for (uint64_t i = 0; i < m->n && !err; i++)
		err = xfs_dev_write(m->f.set.data, xfs_ino_byte(m->g, XFS_INO(m->f.inos[i])), nothing, m->g->inodesize);
	return err;
}

static int counts(struct making *m)
{
	struct names s = { 0 };
	uint8_t image[4096];
	int err = imagefill_inodes(&m->f, 2 * m->n, XFS_MODE_REG | 0644, 0);

	err = err ? err : make_names(&s, m->n, false);
	for (uint64_t i = 0; i < m->n && !err; i++) {
		s.list[i].ino = m->f.inos[2 * i];
		imagefill_blank(&m->f, s.list[i].ino, XFS_MODE_REG | 0644, 3, image);
		err = imagefill_write_inode(&m->f, s.list[i].ino, image);
		err = err ? err : delete_file(m, m->f.inos[2 * i + 1]);
	}
	err = err ? err : put_root(m, s.list, s.n);
	free_names(&s);
	return err;
}

/* ---- all of it ---- */

static int make(struct making *m, const char *image, int (*bomb)(struct making *))
{
	int err = imagefill_open(&m->f, image);

	if (err)
		return err;
	m->g = m->f.g;
	if (m->g->inodesize > 4096)
		return -XFS_E_UNSUPPORTED;
	m->root = m->g->sb.rootino;
	err = imagefill_read(&m->f);
	err = err ? err : imagefill_seal(&m->f);
	err = err ? err : read_root(m);
	err = err ? err : bomb(m);
	return err ? err : imagefill_commit(&m->f);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*bomb)(struct making *); int words; } bombs[] = {
		{ "flat", flat, 4 }, { "equal", equal, 4 }, { "links", links, 4 }, { "deep", deep, 4 }, { "ring", ring, 4 },
		{ "attrs", attrs, 5 }, { "copies", copies, 5 }, { "unlinked", unlinked, 4 },
		{ "wiped", wiped, 4 }, { "counts", counts, 4 }, { "rivals", rivals, 4 },
	};
	struct making m = { .n = argc > 3 ? strtoull(argv[3], NULL, 10) : 0, .second = argc > 4 ? strtoull(argv[4], NULL, 10) : 0 };
	int err = -XFS_E_INVALID;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(bombs) && m.n; i++)
		if (argc == bombs[i].words && !strcmp(argv[1], bombs[i].name))
			err = make(&m, argv[2], bombs[i].bomb);
	if (err)
		fprintf(stderr, "bombs: %s\n", xfs_error_text(err));
	imagefill_close(&m.f);
	return err != 0;
}
