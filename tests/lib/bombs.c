/* SPDX-License-Identifier: BSD-2-Clause */
/* bombs.c - what the images of the helper program bombs are made of: space, names, forks and directories. */
#include "tests/lib/bombs.h"

#include <stdlib.h>
#include <string.h>

#define NAME_LEN 20u

int bomb_read_root(struct bomb *m)
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
	struct bomb *m = payload;
	/* behind what is left for trees */
	struct xfs_claim c = { m->g->agblocks / 8, (uint32_t)want, m->ino, offset };
	int err = building_take(m->f.claims, m->g, XFS_AGNO((uint32_t)(m->ino / 64) % m->g->agcount), &c, fsbno);

	*got = want;
	if (!err && m->ntaken < BOMB_TAKEN) {
		m->taken[m->ntaken].fsbno = *fsbno;
		m->taken[m->ntaken++].len = want;
	}
	return err;
}

int bomb_take_one(void *payload, uint64_t *fsbno)
{
	uint64_t got;

	return take(payload, XFS_RMAP_BMBT, 1, fsbno, &got);
}

struct xfs_build_target bomb_target(struct bomb *m, uint64_t ino)
{
	m->ino = ino;
	return (struct xfs_build_target){ .geo = m->g, .dev = m->f.set.data, .ino = ino, .alloc = take, .payload = m };
}

/* ---- names ---- */

/*
 * The k-th name.  Of equal hash: bit 0 of a byte and bit 7 of the next one meet in the hash, so two that turn together
 * do nothing.
 */
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

int bomb_make_names(struct bomb_names *s, uint64_t n, bool equal)
{
	unsigned len = equal ? 2 * NAME_LEN : NAME_LEN;

	s->list = calloc(n + 1, sizeof(*s->list));
	s->bytes = malloc((n + 1) * len);
	if (!s->list || !s->bytes)
		return -XFS_E_NOMEM;
	for (s->n = 0; s->n < n; s->n++) {
		uint8_t *p = s->bytes + s->n * len;

		name_of(s->n, equal, p, len);
		s->list[s->n] = (struct xfs_build_dirent){ .name = p, .namelen = (uint8_t)len,
							   .ftype = XFS_DIR_FT_REG };
	}
	return 0;
}

void bomb_free_names(struct bomb_names *s)
{
	free(s->list);
	free(s->bytes);
}

/* Attributes of an inode whose data fork is not set yet. */
int bomb_put_attrs(struct bomb *m, uint64_t ino, const struct xfs_build_attr *list, size_t n, uint8_t *image)
{
	struct xfs_build_attrs b = { .to = bomb_target(m, ino), .list = list, .n = n,
				     .data = { XFS_DINODE_FMT_EXTENTS, 0, 0 } };
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
int bomb_put_parents(struct bomb *m, uint64_t ino, const struct xfs_build_dirent *e, size_t n, uint64_t dir,
		     uint8_t *image)
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
	err = bomb_put_attrs(m, ino, list, n, image);
	free(list);
	return err;
}

int bomb_put_dir(struct bomb *m, uint64_t ino, uint64_t parent, const struct xfs_build_dirent *list, size_t n,
		 uint8_t *image)
{
	struct xfs_build_dir b = { .to = bomb_target(m, ino), .parent = parent, .entries = list, .n = n };
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

int bomb_put_root(struct bomb *m, const struct xfs_build_dirent *list, size_t n)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	int err = ip ? xfs_inode_read(m->f.fs, XFS_INO(m->root), 0, ip) : -XFS_E_NOMEM;

	err = err ? err : bomb_put_dir(m, m->root, m->root, list, n, ip->raw);
	free(ip);
	return err;
}

/* A directory without attributes, but for its pointer. */
int bomb_put_new_dir(struct bomb *m, uint64_t ino, uint64_t parent, const struct xfs_build_dirent *self,
		       const struct xfs_build_dirent *list, size_t n)
{
	uint8_t *image = malloc(m->g->inodesize);
	int err = image ? 0 : -XFS_E_NOMEM;

	if (!err) {
		imagefill_blank(&m->f, ino, XFS_MODE_DIR | 0755, 2, image);
		err = bomb_put_parents(m, ino, self, 1, parent, image);
	}
	err = err ? err : bomb_put_dir(m, ino, parent, list, n, image);
	free(image);
	return err;
}

/* Pointers of files that have one name each. */
int bomb_put_file_parents(struct bomb *m, const struct bomb_names *s, uint64_t dir)
{
	uint8_t *image = malloc(m->g->inodesize);
	int err = image ? 0 : -XFS_E_NOMEM;

	for (uint64_t i = 0; i < s->n && m->g->parent && !err; i++) {
		imagefill_blank(&m->f, s->list[i].ino, XFS_MODE_REG | 0644, 1, image);
		err = bomb_put_parents(m, s->list[i].ino, &s->list[i], 1, dir, image);
		err = err ? err : imagefill_write_inode(&m->f, s->list[i].ino, image);
	}
	free(image);
	return err;
}
