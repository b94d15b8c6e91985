/* SPDX-License-Identifier: BSD-2-Clause */
/* imagefill.c - a fresh image gets more than a kernel could write in a test's time: chunks, inodes, then all AGs. */
#include "tests/lib/imagefill.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <string.h>

#define CLAIM_MEMORY ((size_t)512 << 20)

int imagefill_open(struct imagefill *m, const char *image)
{
	int err = xfs_dev_file(&m->set.data, image, 0, 0, NULL);

	err = err ? err : xfs_fs_open(&m->fs, &m->set, NULL, NULL);
	if (err)
		return err;
	m->g = &m->fs->geo;
	if (!m->g->v5 || !m->g->rmapbt || !m->g->lazycount)
		return -XFS_E_UNSUPPORTED;
	m->ags = calloc(m->g->agcount, sizeof(*m->ags));
	for (uint32_t i = 0; m->ags && i < m->g->agcount; i++)
		memset(m->ags[i].heads, 0xff, sizeof(m->ags[i].heads));
	return m->ags ? xfs_claims_new(&m->claims, m->g, CLAIM_MEMORY, NULL) : -XFS_E_NOMEM;
}

void imagefill_close(struct imagefill *m)
{
	for (uint32_t i = 0; m->ags && i < m->g->agcount; i++)
		free(m->ags[i].chunks);
	free(m->ags);
	free(m->inos);
	xfs_claims_free(m->claims);
	xfs_fs_close(m->fs);
	xfs_dev_close(m->set.data);
}

/* ---- what is there ---- */

static int keep_rmap(void *payload, const void *disk)
{
	struct imagefill *m = payload;
	struct xfs_claim c = xfs_claim_decode(disk);
	int err;

	if (c.owner == XFS_OWN_AG || c.owner == XFS_OWN_INOBT || c.owner == XFS_OWN_REFC)
		return 0;	/* built anew */
	err = m->each ? m->each(m->payload, m->agno, &c) : 0;
	return err ? err : xfs_claims_add(m->claims, m->agno, &c);
}

static int add_chunk(struct fill_group *g, const struct xfs_inode_chunk *c)
{
	if (xfs_grow(&g->chunks, g->nchunks, &g->room, 64))
		return -XFS_E_NOMEM;
	g->chunks[g->nchunks++] = *c;
	return 0;
}

static int keep_chunk(void *payload, const void *disk)
{
	struct imagefill *m = payload;
	struct xfs_inobt_rec rec;

	xfs_inobt_rec_decode(&rec, disk);
	return add_chunk(&m->ags[m->agno.v],
			 &(struct xfs_inode_chunk){ rec.startino, rec.holemask, rec.count, rec.freecount, rec.free });
}

int imagefill_read(struct imagefill *m)
{
	int err = 0;

	for (uint32_t i = 0; i < m->g->agcount && !err; i++) {
		struct xfs_btree rmaps, inodes;

		m->agno = XFS_AGNO(i);
		err = xfs_fs_ag_btree(m->fs, m->agno, XFS_BTREE_RMAP, &rmaps);
		err = err ? err : xfs_fs_ag_btree(m->fs, m->agno, XFS_BTREE_INO, &inodes);
		err = err ? err : xfs_btree_query_all(&rmaps, keep_rmap, m);
		err = err ? err : xfs_btree_query_all(&inodes, keep_chunk, m);
	}
	return err;
}

int imagefill_seal(struct imagefill *m)
{
	int err = 0;

	for (uint32_t i = 0; i < m->g->agcount && !err; i++)
		err = xfs_claims_seal(m->claims, XFS_AGNO(i));
	return err;
}

/* ---- inodes ---- */

void imagefill_blank(const struct imagefill *m, uint64_t ino, unsigned mode, uint32_t nlink, uint8_t *image)
{
	uint64_t now = m->g->bigtime ? XFS_BIGTIME_EPOCH * XFS_NSEC_PER_SEC : 0;
	struct xfs_dinode d = { .core = {
		.magic = XFS_DINODE_MAGIC, .mode = (uint16_t)mode, .version = 3, .format = XFS_DINODE_FMT_EXTENTS,
		.aformat = XFS_DINODE_FMT_EXTENTS, .nlinkv2 = nlink, .next_unlinked = XFS_NULL32, .gen = 1,
		.atime = now, .mtime = now, .ctime = now } };

	d.v3.inumber = ino;
	memcpy(d.v3.uuid, m->g->uuid, sizeof(d.v3.uuid));
	d.v3.crtime = now;
	d.v3.flags2 = (m->g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (m->g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
	memset(image, 0, m->g->inodesize);
	xfs_dinode_encode(image, &d);
	xfs_crc32c_store(image, m->g->inodesize, XFS_DINODE_CRC_OFF);
}

int imagefill_write_inode(struct imagefill *m, uint64_t ino, uint8_t *image)
{
	xfs_crc32c_store(image, m->g->inodesize, XFS_DINODE_CRC_OFF);
	return xfs_dev_write(m->set.data, xfs_ino_byte(m->g, XFS_INO(ino)), image, m->g->inodesize);
}

static int write_chunk(struct imagefill *m, uint32_t agno, uint32_t agino, unsigned used, unsigned mode, uint32_t nlink)
{
	size_t size = m->g->inodesize;
	uint8_t *bytes = malloc(64 * size);
	uint64_t first = xfs_ino_of(m->g, XFS_AGNO(agno), XFS_AGINO(agino)).v;
	int err;

	if (!bytes)
		return -XFS_E_NOMEM;
	for (unsigned k = 0; k < 64; k++) {
		imagefill_blank(m, first + k, k < used ? mode : 0, k < used ? nlink : 0, bytes + k * size);
		if (k < used)
			m->inos[m->ninos++] = first + k;
	}
	err = xfs_dev_write(m->set.data, xfs_ino_byte(m->g, XFS_INO(first)), bytes, 64 * size);
	free(bytes);
	return err;
}

/* Chunk after chunk, AG after AG. */
int imagefill_inodes(struct imagefill *m, uint64_t count, unsigned mode, uint32_t nlink)
{
	uint32_t blocks = 64u >> m->g->inopblog, per = (m->g->agblocks / 2) / blocks;
	uint64_t chunks = xfs_ceil_div(count, 64);
	int err = 0;

	m->inos = malloc((chunks + 1) * 64 * sizeof(*m->inos));
	if (!m->inos)
		return -XFS_E_NOMEM;
	for (uint32_t agno = 0; agno < m->g->agcount && count && !err; agno++)
		for (uint32_t i = 0; i < per && count && !err; i++) {
			uint32_t agbno = m->g->agblocks / 4, align = m->g->ialloc_align ? m->g->ialloc_align : blocks;
			unsigned used = (unsigned)xfs_min(count, 64);

			agbno = (uint32_t)xfs_round_up(agbno, xfs_max(align, blocks)) + i * blocks;
			err = xfs_claims_add(m->claims, XFS_AGNO(agno),
					     &(struct xfs_claim){ agbno, blocks, XFS_OWN_INODES, 0 });
			err = err ? err : add_chunk(&m->ags[agno],
						    &(struct xfs_inode_chunk){ agbno << m->g->inopblog, 0, 64,
									       (uint8_t)(64 - used),
									       used == 64 ? 0 : UINT64_MAX << used });
			err = err ? err : write_chunk(m, agno, agbno << m->g->inopblog, used, mode, nlink);
			count -= used;
		}
	return err ? err : count ? -XFS_E_NOSPC : 0;
}

/* ---- all of it ---- */

int imagefill_commit(struct imagefill *m)
{
	struct xfs_sb sb = m->g->sb;
	uint8_t sector[32768];
	int err = 0;

	sb.fdblocks = sb.icount = sb.ifree = 0;
	sb.versionnum |= XFS_SB_VERSION_ATTR;
	for (uint32_t i = 0; i < m->g->agcount && !err; i++) {
		struct xfs_build_ag want = { .geo = m->g, .claims = m->claims, .agno = XFS_AGNO(i),
					     .chunks = m->ags[i].chunks,
			.nchunks = m->ags[i].nchunks, .newino = XFS_NULL32, .leaf_slack = -1, .node_slack = -1,
			.dev = m->set.data, .unlinked = m->ags[i].heads };
		struct xfs_ag_switch done;

		err = xfs_build_ag(&want, &done);
		if (err)
			break;
		err = xfs_build_ag_commit(&want, &done);
		sb.fdblocks += done.freeblks + done.flcount + done.btreeblks;
		sb.icount += done.icount;
		sb.ifree += done.ifree;
		xfs_ag_switch_release(&done);
	}
	err = err ? err : xfs_dev_read(m->set.data, 0, sector, m->g->sectsize);
	if (err)
		return err;
	xfs_sb_encode(sector, &sb);
	xfs_crc32c_store(sector, m->g->sectsize, XFS_SB_CRC_OFF);
	return xfs_dev_write(m->set.data, 0, sector, m->g->sectsize);
}
