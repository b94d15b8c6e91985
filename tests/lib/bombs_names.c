/* SPDX-License-Identifier: BSD-2-Clause */
/* bombs_names.c - bombs of names: entries, directories, parent pointers, attributes. */
#include "tests/lib/bombs.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/name/dirdata.h"

#include <stdlib.h>
#include <string.h>

int bomb_flat(struct bomb *m)
{
	struct bomb_names s = { 0 };
	int err = imagefill_inodes(&m->f, m->n, XFS_MODE_REG | 0644, 1);

	err = err ? err : bomb_make_names(&s, m->n, false);
	for (uint64_t i = 0; i < m->n && !err; i++)
		s.list[i].ino = m->f.inos[i];
	err = err ? err : bomb_put_file_parents(m, &s, m->root);
	err = err ? err : bomb_put_root(m, s.list, s.n);
	bomb_free_names(&s);
	return err;
}

static struct xfs_build_dirent d_named(uint64_t ino)
{
	return (struct xfs_build_dirent){ ino, (const uint8_t *)"d", 1, XFS_DIR_FT_DIR };
}

int bomb_equal(struct bomb *m)
{
	struct bomb_names s = { 0 };
	struct xfs_build_dirent d;
	int err = imagefill_inodes(&m->f, m->n + 1, XFS_MODE_REG | 0644, 1);

	err = err ? err : bomb_make_names(&s, m->n, true);
	if (err)
		return err;
	d = d_named(m->f.inos[m->n]);
	for (uint64_t i = 0; i < m->n; i++)
		s.list[i].ino = m->f.inos[i];
	err = bomb_put_file_parents(m, &s, d.ino);
	err = err ? err : bomb_put_new_dir(m, d.ino, m->root, &d, s.list, s.n);
	err = err ? err : bomb_put_root(m, &d, 1);
	bomb_free_names(&s);
	return err;
}

/* The second file, if any, has all that the first one has but names. */
static int link_to(struct bomb *m, unsigned files)
{
	struct bomb_names s = { 0 };
	struct xfs_build_dirent d;
	uint8_t *image = malloc(m->g->inodesize);
	int err = image ? imagefill_inodes(&m->f, files + 1, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : bomb_make_names(&s, m->n, false);
	if (err)
		return err;
	d = d_named(m->f.inos[files]);
	for (uint64_t i = 0; i < m->n; i++)
		s.list[i].ino = m->f.inos[0];
	for (unsigned i = 0; i < files && !err; i++) {
		imagefill_blank(&m->f, m->f.inos[i], XFS_MODE_REG | 0644, (uint32_t)m->n, image);
		err = bomb_put_parents(m, m->f.inos[i], s.list, s.n, d.ino, image);
		err = err ? err : imagefill_write_inode(&m->f, m->f.inos[i], image);
	}
	err = err ? err : bomb_put_new_dir(m, d.ino, m->root, &d, s.list, s.n);
	err = err ? err : bomb_put_root(m, &d, 1);
	bomb_free_names(&s);
	free(image);
	return err;
}

int bomb_links(struct bomb *m)
{
	return link_to(m, 1);
}

int bomb_rivals(struct bomb *m)
{
	return link_to(m, 2);
}

static int chain(struct bomb *m, bool ring)
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
		err = bomb_put_parents(m, list[1].ino, &list[1], 1, self.ino, image);
		err = err ? err : imagefill_write_inode(&m->f, list[1].ino, image);
		err = err ? err : bomb_put_new_dir(m, self.ino, above, &self, more ? list : list + 1, more ? 2 : 1);
	}
	if (err || ring)
		return err;
	child = d_named(m->f.inos[0]);
	return bomb_put_root(m, &child, 1);
}

int bomb_deep(struct bomb *m)
{
	return chain(m, false);
}

int bomb_ring(struct bomb *m)
{
	return chain(m, true);
}

int bomb_attrs(struct bomb *m)
{
	struct bomb_names s = { 0 };
	struct xfs_build_attr *list = calloc(m->n, sizeof(*list));
	uint8_t *value = malloc(m->second + 1), *image = malloc(m->g->inodesize);
	struct xfs_build_dirent f = { 0, (const uint8_t *)"f", 1, XFS_DIR_FT_REG };
	int err = list && value && image ? imagefill_inodes(&m->f, 1, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : bomb_make_names(&s, m->n, true);
	if (err)
		return err;
	memset(value, 'v', m->second);
	for (uint64_t i = 0; i < m->n; i++)
		list[i] = (struct xfs_build_attr){ s.list[i].name, value, (uint32_t)m->second, s.list[i].namelen, 0 };
	f.ino = m->f.inos[0];
	imagefill_blank(&m->f, f.ino, XFS_MODE_REG | 0644, 1, image);
	err = bomb_put_attrs(m, f.ino, list, m->n, image);
	err = err ? err : imagefill_write_inode(&m->f, f.ino, image);
	err = err ? err : bomb_put_root(m, &f, 1);
	bomb_free_names(&s);
	free(list);
	free(value);
	free(image);
	return err;
}

/* All names in a block of a directory become this one. */
static int rename_all(struct bomb *m, uint64_t fsbno, const uint8_t *name, unsigned len)
{
	uint32_t off = xfs_dir_data_header_len(true);
	uint64_t at = xfs_fsbno_byte(m->g, XFS_FSBNO(fsbno));
	struct xfs_dir_item item;
	uint8_t block[4096];
	int err = m->g->dirblksize == sizeof(block) ? xfs_dev_read(m->f.set.data, at, block, sizeof(block))
						    : -XFS_E_UNSUPPORTED;

	if (err || xfs_be32(block) != XFS_DIR3_DATA_MAGIC)
		return err;
	while (xfs_dir_data_next(m->g, block, sizeof(block), &off, &item) == 1)
		if (item.used && item.namelen == len)
			memcpy(block + (item.name - block), name, len);
	xfs_crc32c_store(block, sizeof(block), XFS_OFF(dir_blkhdr, crc));
	return xfs_dev_write(m->f.set.data, at, block, sizeof(block));
}

/* The first entry of /d leads to one file, and as many as there are to another one, all under one name. */
int bomb_twins(struct bomb *m)
{
	struct bomb_names s = { 0 };
	struct xfs_build_dirent d;
	uint8_t image[4096];
	int err = imagefill_inodes(&m->f, 3, XFS_MODE_REG | 0644, 1);

	err = err ? err : bomb_make_names(&s, m->n + 1, true);
	if (err)
		return err;
	d = d_named(m->f.inos[2]);
	for (uint64_t i = 0; i <= m->n; i++)
		s.list[i].ino = m->f.inos[i > 0];
	for (unsigned i = 0; i < 2 && !err; i++) {
		imagefill_blank(&m->f, m->f.inos[i], XFS_MODE_REG | 0644, i ? (uint32_t)m->n : 1, image);
		err = imagefill_write_inode(&m->f, m->f.inos[i], image);
	}
	err = err ? err : bomb_put_new_dir(m, d.ino, m->root, &d, s.list, s.n);
	for (unsigned i = 0; i < m->ntaken; i++)
		for (uint64_t k = 0; k < m->taken[i].len && !err; k++)
			err = rename_all(m, m->taken[i].fsbno + k, s.list[0].name, s.list[0].namelen);
	err = err ? err : bomb_put_root(m, &d, 1);
	bomb_free_names(&s);
	return err;
}

/* Directories of the root; one of the first half stands in each of the second half, too, from its last one on. */
int bomb_doubled(struct bomb *m)
{
	struct bomb_names s = { 0 };
	int err = imagefill_inodes(&m->f, m->n, XFS_MODE_DIR | 0755, 2);

	err = err ? err : bomb_make_names(&s, m->n, false);
	for (uint64_t i = 0; i < m->n && !err; i++) {
		s.list[i].ino = m->f.inos[i];
		s.list[i].ftype = XFS_DIR_FT_DIR;
	}
	for (uint64_t i = 0; i < m->n && !err; i++) {
		const struct xfs_build_dirent *e = &s.list[i], *other = &s.list[m->n - 1 - i];
		bool below = i < m->n / 2;

		err = bomb_put_new_dir(m, e->ino, below ? other->ino : m->root, e, other, below || e == other ? 0 : 1);
	}
	err = err ? err : bomb_put_root(m, s.list, s.n);
	bomb_free_names(&s);
	return err;
}

/* Parent pointers of a file with very many names lost the bit that says what they are. */
int bomb_unflagged(struct bomb *m)
{
	struct bomb_names s = { 0 };
	struct xfs_build_attr *list = calloc(m->n, sizeof(*list));
	struct xfs_build_dirent d;
	struct xfs_parent_rec rec = { 0, 1 };
	uint8_t value[sizeof(struct xfs_parent_rec_disk)], image[4096];
	int err = list ? imagefill_inodes(&m->f, 2, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : bomb_make_names(&s, m->n, false);
	if (err)
		return err;
	d = d_named(m->f.inos[1]);
	rec = (struct xfs_parent_rec){ d.ino, 1 };
	xfs_parent_rec_encode(value, &rec);
	for (uint64_t i = 0; i < m->n; i++) {
		s.list[i].ino = m->f.inos[0];
		list[i] = (struct xfs_build_attr){ s.list[i].name, value, sizeof(value), s.list[i].namelen, 0 };
	}
	imagefill_blank(&m->f, m->f.inos[0], XFS_MODE_REG | 0644, (uint32_t)m->n, image);
	err = bomb_put_attrs(m, m->f.inos[0], list, m->n, image);
	err = err ? err : imagefill_write_inode(&m->f, m->f.inos[0], image);
	err = err ? err : bomb_put_new_dir(m, d.ino, m->root, &d, s.list, s.n);
	err = err ? err : bomb_put_root(m, &d, 1);
	bomb_free_names(&s);
	free(list);
	return err;
}

/* In a leaf of attributes all values that lie in blocks of their own become one. */
static int share_values(struct bomb *m, uint64_t fsbno)
{
	uint64_t at = xfs_fsbno_byte(m->g, XFS_FSBNO(fsbno));
	struct xfs_attr_leaf_hdr h;
	struct xfs_attr a;
	uint8_t block[4096];
	uint32_t name, size;
	int err = m->g->blocksize == sizeof(block) ? xfs_dev_read(m->f.set.data, at, block, sizeof(block))
						   : -XFS_E_UNSUPPORTED;

	if (err || xfs_be16(block + 8) != XFS_ATTR_LEAF_MAGIC)
		return err;
	xfs_attr_leaf_hdr_load(&h, block, true);
	for (uint32_t i = 0; i < h.count; i++)
		if (!xfs_attr_leaf_entry(m->g, block, i, &a, &name, &size) && !a.value) {
			if (!m->shared)
				m->shared = a.valueblk;
			xfs_put_be32(block + name, m->shared);
		}
	xfs_crc32c_store(block, sizeof(block), XFS_OFF(da3_blkinfo, crc));
	return xfs_dev_write(m->f.set.data, at, block, sizeof(block));
}

/* The one extent of the attribute fork ends behind the value that all have. */
static int cut_values(struct bomb *m, uint64_t ino)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_bmbt_rec rec;
	uint64_t keep = m->shared + xfs_remote_blocks(true, m->g->blocksize, (uint32_t)m->second), cut;
	uint8_t *at;
	int err = ip ? xfs_inode_read(m->f.fs, XFS_INO(ino), 0, ip) : -XFS_E_NOMEM;

	if (!err && (ip->d.core.aformat != XFS_DINODE_FMT_EXTENTS || xfs_dinode_nextents(&ip->d, XFS_FORK_ATTR) != 1))
		err = -XFS_E_UNSUPPORTED;
	if (!err) {
		at = ip->raw + xfs_dinode_fork_off(3, ip->d.core.forkoff, m->g->inodesize, XFS_FORK_ATTR);
		xfs_bmbt_rec_decode(&rec, at);
		cut = rec.blockcount - keep;
		rec.blockcount = (uint32_t)keep;
		xfs_bmbt_rec_encode(at, &rec);
		ip->d.core.nblocks -= cut;
		xfs_dinode_encode(ip->raw, &ip->d);
		err = xfs_claims_release(m->f.claims, xfs_fsbno_agno(m->g, XFS_FSBNO(rec.startblock)),
					 xfs_fsbno_agbno(m->g, XFS_FSBNO(rec.startblock + keep)).v, (uint32_t)cut, ino);
	}
	err = err ? err : imagefill_write_inode(&m->f, ino, ip->raw);
	free(ip);
	return err;
}

int bomb_shared(struct bomb *m)
{
	int err = bomb_attrs(m);

	for (unsigned i = 0; i < m->ntaken; i++)
		for (uint64_t k = 0; k < m->taken[i].len && !err; k++)
			err = share_values(m, m->taken[i].fsbno + k);
	return err ? err : cut_values(m, m->f.inos[0]);
}
