/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-extents.c - gives the empty files of a fresh image very many extents, where a kernel would take hours.
 *
 *	make-extents IMAGE EXTENTS SHARERS
 *
 * The empty files of the root directory, in the order of their numbers, are taken in groups of SHARERS; each file of a
 * group gets the same EXTENTS single blocks, with holes between them in the file and on the disk, spread over all AGs.
 * What the image holds already stays.  Forks and trees are built as a repair builds them.  Needs rmapbt; reflink when
 * SHARERS > 1.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/build/fork.h"
#include "libxfs/name/dir.h"
#include "tests/lib/building.h"
#include "tests/lib/imagefill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRIPE UINT64_C(1024)			/* extents in one AG before the next one has its turn */

struct group {					/* an AG */
	struct xfs_claim *old;			/* what is there before, ascending */
	size_t nold, old_room, past;
	uint32_t at;				/* next block for data */
};

struct making {
	struct imagefill f;
	struct group *ags;
	uint64_t files[4096];
	size_t nfiles;
	uint64_t extents, sharers, placed;
	xfs_agno_t agno;			/* where a block was taken last */
	uint64_t ino;
};

static int keep_claim(void *payload, xfs_agno_t agno, const struct xfs_claim *c)
{
	struct making *m = payload;
	struct group *g = &m->ags[agno.v];

	if (xfs_grow(&g->old, g->nold, &g->old_room, 64))
		return -XFS_E_NOMEM;
	g->old[g->nold++] = *c;
	return 0;
}

static int keep_file(void *payload, const struct xfs_dir_entry *e)
{
	struct making *m = payload;

	if (e->ftype == XFS_DIR_FT_REG && m->nfiles < XFS_ARRAY_SIZE(m->files))
		m->files[m->nfiles++] = e->ino.v;
	return 0;
}

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static int read_image(struct making *m)
{
	struct xfs_inode *root = malloc(sizeof(*root));
	struct xfs_dir d;
	int err = root ? 0 : -XFS_E_NOMEM;

	m->f.each = keep_claim;
	m->f.payload = m;
	err = err ? err : imagefill_read(&m->f);
	err = err ? err : xfs_inode_read(m->f.fs, XFS_INO(m->f.g->sb.rootino), 0, root);
	err = err ? err : xfs_dir_open(&d, root, NULL);
	err = err ? err : xfs_dir_each(&d, 0, keep_file, m);
	qsort(m->files, m->nfiles, sizeof(*m->files), by_number);
	free(root);
	return err;
}

/* ---- places ---- */

/* Room in front of the data, so that trees are one piece. */
static uint32_t room_for_trees(const struct making *m)
{
	uint64_t mappings = m->extents * m->nfiles / m->f.g->agcount;

	return (uint32_t)(mappings / 80 + m->extents * (m->nfiles / m->sharers) / m->f.g->agcount / 50) + 4096;
}

static int place_block(struct making *m, uint64_t *fsbno)
{
	xfs_agno_t agno = XFS_AGNO(m->placed++ / STRIPE % m->f.g->agcount);
	struct group *g = &m->ags[agno.v];

	while (g->past < g->nold && g->old[g->past].agbno <= g->at) {
		if (g->old[g->past].agbno + g->old[g->past].len > g->at)
			g->at = g->old[g->past].agbno + g->old[g->past].len + 1;
		g->past++;
	}
	if (g->at + 2 > xfs_ag_length(m->f.g, agno))
		return -XFS_E_NOSPC;
	*fsbno = xfs_fsbno_of(m->f.g, agno, XFS_AGBNO(g->at)).v;
	g->at += 2;
	return 0;
}

static int place_group(struct making *m, struct xfs_extent *list, const uint64_t *files)
{
	int err = 0;

	for (uint64_t i = 0; i < m->extents && !err; i++) {
		list[i] = (struct xfs_extent){ .off = 2 * i, .len = 1 };
		err = place_block(m, &list[i].block);
	}
	for (uint64_t k = 0; k < m->sharers; k++)
		for (uint64_t i = 0; i < m->extents && !err; i++) {
			struct xfs_claim c = { xfs_fsbno_agbno(m->f.g, XFS_FSBNO(list[i].block)).v, 1, files[k],
					       list[i].off };

			err = xfs_claims_add(m->f.claims, xfs_fsbno_agno(m->f.g, XFS_FSBNO(list[i].block)), &c);
		}
	return err;
}

/* ---- files ---- */

static int new_block(void *payload, uint64_t *fsbno)
{
	struct making *m = payload;
	struct xfs_claim c = { 0, 1, m->ino, XFS_RMAP_BMBT };
	int err = building_take(m->f.claims, m->f.g, m->agno, &c, fsbno);

	if (!err)
		m->agno = xfs_fsbno_agno(m->f.g, XFS_FSBNO(*fsbno));
	return err;
}

static int fill_file(struct making *m, uint64_t ino, const struct xfs_extent *list)
{
	const struct xfs_geometry *geo = m->f.g;
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_build_fork b = { .geo = geo, .ino = ino, .extents = list, .nextents = m->extents,
				    .dev = m->f.set.data, .alloc = new_block, .payload = m };
	struct xfs_dinode d;
	int err = ip ? xfs_inode_read(m->f.fs, XFS_INO(ino), 0, ip) : -XFS_E_NOMEM;

	if (err)
		goto out;
	d = ip->d;
	m->ino = ino;
	b.forksize = xfs_dinode_fork_size((unsigned)d.core.version, d.core.forkoff, geo->inodesize, XFS_FORK_DATA);
	b.bytes = ip->raw + xfs_dinode_fork_off((unsigned)d.core.version, d.core.forkoff, geo->inodesize,
						XFS_FORK_DATA);
	err = xfs_build_fork(&b);
	if (err)
		goto out;
	d.core.format = (uint8_t)b.format;
	d.core.size = 2 * m->extents << geo->blocklog;
	d.core.nblocks = m->extents + b.blocks;
	if (m->sharers > 1)
		d.v3.flags2 |= XFS_DIFLAG2_REFLINK;
	if (!xfs_dinode_set_nextents(&d, XFS_FORK_DATA, m->extents))
		err = -XFS_E_RANGE;
	xfs_dinode_encode(ip->raw, &d);
	xfs_crc32c_store(ip->raw, geo->inodesize, XFS_DINODE_CRC_OFF);
	if (!err)
		err = xfs_dev_write(m->f.set.data, xfs_ino_byte(geo, XFS_INO(ino)), ip->raw, geo->inodesize);
out:
	free(ip);
	return err;
}

static int fill_files(struct making *m)
{
	size_t ngroups = m->nfiles / m->sharers;
	struct xfs_extent *list = calloc(m->extents * ngroups, sizeof(*list));
	int err = list ? 0 : -XFS_E_NOMEM;

	for (size_t g = 0; g < ngroups && !err; g++)
		err = place_group(m, list + g * m->extents, m->files + g * m->sharers);
	err = err ? err : imagefill_seal(&m->f);
	for (size_t i = 0; i < ngroups * m->sharers && !err; i++) {
		m->agno = XFS_AGNO(i % m->f.g->agcount);
		err = fill_file(m, m->files[i], list + i / m->sharers * m->extents);
	}
	free(list);
	return err;
}

static int make(struct making *m, const char *image)
{
	int err = imagefill_open(&m->f, image);

	if (err)
		return err;
	m->ags = calloc(m->f.g->agcount, sizeof(*m->ags));
	err = m->ags ? read_image(m) : -XFS_E_NOMEM;
	if (!err && m->nfiles < m->sharers)
		err = -XFS_E_INVALID;
	for (uint32_t i = 0; i < m->f.g->agcount && !err; i++)
		m->ags[i].at = room_for_trees(m);
	err = err ? err : fill_files(m);
	return err ? err : imagefill_commit(&m->f);
}

static void release(struct making *m)
{
	for (uint32_t i = 0; m->ags && i < m->f.g->agcount; i++)
		free(m->ags[i].old);
	free(m->ags);
	imagefill_close(&m->f);
	free(m);
}

int main(int argc, char **argv)
{
	struct making *m = calloc(1, sizeof(*m));
	char *e1 = NULL, *e2 = NULL;
	int err;

	if (m && argc == 4) {
		m->extents = strtoull(argv[2], &e1, 10);
		m->sharers = strtoull(argv[3], &e2, 10);
	}
	if (!m || argc != 4 || *e1 || *e2 || !m->extents || m->extents > UINT32_C(100000000) || !m->sharers) {
		fputs("usage: make-extents IMAGE EXTENTS SHARERS\n", stderr);
		free(m);
		return 2;
	}
	err = make(m, argv[1]);
	if (err)
		fprintf(stderr, "make-extents: %s: %s\n", argv[1], xfs_error_text(err));
	release(m);
	return err != 0;
}
