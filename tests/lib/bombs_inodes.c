/* SPDX-License-Identifier: BSD-2-Clause */
/* bombs_inodes.c - bombs of inodes: with space that others have, without names, without contents. */
#include "tests/lib/bombs.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>

static int map_file(struct bomb *m, uint64_t ino, const struct xfs_extent *list, uint16_t flags)
{
	uint8_t image[4096];
	struct xfs_build_fork b = { .ino = ino, .extents = list, .nextents = m->n, .dev = m->f.set.data,
				    .alloc = bomb_take_one,
				    .payload = m, .bytes = image + xfs_dinode_literal_off(3) };
	struct xfs_geometry g = *m->g;
	struct xfs_dinode d;
	int err;

	g.sb.rblocks = g.sb.rextents = g.sb.dblocks;
	b.geo = &g;
	b.realtime = flags & XFS_DIFLAG_REALTIME;
	m->ino = ino;
	imagefill_blank(&m->f, ino, XFS_MODE_REG | 0644, 1, image);
	b.forksize = xfs_dinode_fork_size(3, 0, m->g->inodesize, XFS_FORK_DATA);
	err = xfs_build_fork(&b);
	xfs_dinode_decode(&d, image);
	d.core.format = (uint8_t)b.format;
	d.core.flags = flags;
	d.core.size = (int64_t)(2 * m->n << m->g->blocklog);
	d.core.nblocks = m->n + b.blocks;
	xfs_dinode_set_nextents(&d, XFS_FORK_DATA, m->n);
	xfs_dinode_encode(image, &d);
	return err ? err : imagefill_write_inode(&m->f, ino, image);
}

/* Reverse mappings name the first of them. */
int bomb_copies(struct bomb *m)
{
	struct bomb_names s = { 0 };
	struct xfs_extent *list = calloc(m->n, sizeof(*list));
	int err = list ? imagefill_inodes(&m->f, m->second, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : bomb_make_names(&s, m->second, false);
	for (uint64_t i = 0; i < m->n && !err; i++) {
		uint32_t agno = (uint32_t)(i / 1024 % m->g->agcount);
		uint32_t agbno = m->g->agblocks / 16 * 13 + 2 * (uint32_t)(i / 1024 / m->g->agcount * 1024 + i % 1024);
		struct xfs_claim c = { agbno, 1, m->f.inos[0], 2 * i };

		list[i] = (struct xfs_extent){ .off = 2 * i, .len = 1,
					       .block = xfs_fsbno_of(m->g, XFS_AGNO(agno), XFS_AGBNO(agbno)).v };
		err = xfs_claims_add(m->f.claims, XFS_AGNO(agno), &c);
	}
	for (uint64_t i = 0; i < m->second && !err; i++) {
		s.list[i].ino = m->f.inos[i];
		err = map_file(m, m->f.inos[i], list, 0);
	}
	err = err ? err : bomb_put_root(m, s.list, s.n);
	free(list);
	bomb_free_names(&s);
	return err;
}

/* The realtime section is as long as the filesystem; bitmap and summary are left empty. */
static int add_realtime(struct bomb *m)
{
	uint8_t sector[4096];
	struct xfs_sb sb;
	int err = 0;

	for (uint32_t i = 0; i < m->g->agcount && !err; i++) {
		uint64_t at = xfs_ag_header_daddr(m->g, XFS_AGNO(i), 0).v * XFS_BBSIZE;

		err = xfs_dev_read(m->f.set.data, at, sector, m->g->sectsize);
		if (err)
			break;
		xfs_sb_decode(&sb, sector);
		sb.rblocks = sb.rextents = sb.frextents = m->g->sb.dblocks;
		sb.rextslog = (uint8_t)xfs_log2_floor(sb.rextents);
		sb.rbmblocks = (uint32_t)xfs_ceil_div(sb.rextents, 8 * (uint64_t)sb.blocksize);
		xfs_sb_encode(sector, &sb);
		xfs_crc32c_store(sector, m->g->sectsize, XFS_SB_CRC_OFF);
		err = xfs_dev_write(m->f.set.data, at, sector, m->g->sectsize);
	}
	return err;
}

int bomb_rtcopies(struct bomb *m)
{
	struct bomb_names s = { 0 };
	struct xfs_extent *list = calloc(m->n, sizeof(*list));
	int err = list ? imagefill_inodes(&m->f, m->second, XFS_MODE_REG | 0644, 1) : -XFS_E_NOMEM;

	err = err ? err : bomb_make_names(&s, m->second, false);
	for (uint64_t i = 0; i < m->n && !err; i++)
		list[i] = (struct xfs_extent){ .off = 2 * i, .block = 2 * i, .len = 1 };
	for (uint64_t i = 0; i < m->second && !err; i++) {
		s.list[i].ino = m->f.inos[i];
		err = map_file(m, m->f.inos[i], list, XFS_DIFLAG_REALTIME);
	}
	err = err ? err : bomb_put_root(m, s.list, s.n);
	free(list);
	bomb_free_names(&s);
	return err ? err : add_realtime(m);
}

/* To the front of its list. */
static int delete_file(struct bomb *m, uint64_t ino)
{
	uint32_t agno = xfs_ino_agno(m->g, XFS_INO(ino)).v, agino = xfs_ino_agino(m->g, XFS_INO(ino)).v;
	uint32_t *head = &m->f.ags[agno].heads[agino % XFS_AGI_BUCKETS];
	uint8_t image[4096];

	imagefill_blank(&m->f, ino, XFS_MODE_REG | 0644, 0, image);
	xfs_put_be32(image + XFS_OFF(dinode_core, next_unlinked), *head);
	*head = agino;
	return imagefill_write_inode(&m->f, ino, image);
}

int bomb_unlinked(struct bomb *m)
{
	int err = imagefill_inodes(&m->f, m->n, XFS_MODE_REG | 0644, 0);

	for (uint64_t i = 0; i < m->n && !err; i++)
		err = delete_file(m, m->f.inos[i]);
	return err;
}

int bomb_wiped(struct bomb *m)
{
	static const uint8_t nothing[4096];
	int err = bomb_flat(m);

	for (uint64_t i = 0; i < m->n && !err; i++)
		err = xfs_dev_write(m->f.set.data, xfs_ino_byte(m->g, XFS_INO(m->f.inos[i])), nothing, m->g->inodesize);
	return err;
}

int bomb_counts(struct bomb *m)
{
	struct bomb_names s = { 0 };
	uint8_t image[4096];
	int err = imagefill_inodes(&m->f, 2 * m->n, XFS_MODE_REG | 0644, 0);

	err = err ? err : bomb_make_names(&s, m->n, false);
	for (uint64_t i = 0; i < m->n && !err; i++) {
		s.list[i].ino = m->f.inos[2 * i];
		imagefill_blank(&m->f, s.list[i].ino, XFS_MODE_REG | 0644, 3, image);
		err = imagefill_write_inode(&m->f, s.list[i].ino, image);
		err = err ? err : delete_file(m, m->f.inos[2 * i + 1]);
	}
	err = err ? err : bomb_put_root(m, s.list, s.n);
	bomb_free_names(&s);
	return err;
}
