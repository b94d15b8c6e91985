/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_block.c - blocks of directories and attributes as they lie on the disk, and how far each can be trusted.
 *
 * They are read past the cache, whose verifiers refuse what is damaged.
 */
#include "repair/names.h"

#include "repair/forks.h"

#include "libxfs/base/crc32c.h"

#include <string.h>

static int keep_mapping(void *payload, const struct xfs_mapping *m)
{
	return m->unwritten ? 0 : xfs_mapset_add(payload, m);
}

int names_map(struct names *n, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image, enum xfs_fork which,
	      struct xfs_mapset *out)
{
	struct repair_fork f;
	int64_t cut = 0;
	int error = repair_fork_scan(n->r, ino, d, image, which, &f, keep_mapping, out);

	repair_fork_release(&f);
	if (!error)
		cut = xfs_mapset_normalise(out);
	return error ? error : cut < 0 ? (int)cut : 0;
}

int names_read_block(struct names *n, const struct xfs_mapset *map, uint64_t off, unsigned fsbs, uint8_t *block,
		     uint64_t *fsbno)
{
	unsigned blocklog = n->r->geo.blocklog, done = 0;

	*fsbno = XFS_NULL64;
	memset(block, 0, (size_t)fsbs << blocklog);
	while (done < fsbs) {
		size_t i = xfs_mapset_find(map, off + done);
		const struct xfs_mapping *m = &map->m[i];
		uint64_t skip, take, at;

		if (i == map->n || m->off >= off + fsbs)
			break;
		if (m->off > off + done)
			done = (unsigned)(m->off - off);
		skip = off + done - m->off;
		take = xfs_min(m->len - skip, fsbs - done);
		at = m->fsbno + skip;
		if (!done)
			*fsbno = at;
		/* what cannot be read is lost, and was told when the directory was first read */
		if (xfs_dev_read(n->r->dev.data, xfs_fsbno_byte(&n->r->geo, XFS_FSBNO(at)),
				 block + ((size_t)done << blocklog), (size_t)take << blocklog) == -XFS_E_NOMEM)
			return -XFS_E_NOMEM;
		done += (unsigned)take;
	}
	return 0;
}

/* Where the identity of a block lies. */
struct place {
	unsigned crc, bno, uuid, owner;
};

static struct place place_of(enum xfs_block_kind kind)
{
	if (kind == XFS_BLK_DIR_ANYDATA)
		return (struct place){ XFS_OFF(dir_blkhdr, crc), XFS_OFF(dir_blkhdr, bno), XFS_OFF(dir_blkhdr, uuid),
				       XFS_OFF(dir_blkhdr, owner) };
	if (kind == XFS_BLK_ATTR_REMOTE || kind == XFS_BLK_SYMLINK)
		return (struct place){ XFS_OFF(attr_rmt_hdr, crc), XFS_OFF(attr_rmt_hdr, bno),
				       XFS_OFF(attr_rmt_hdr, uuid), XFS_OFF(attr_rmt_hdr, owner) };
	return (struct place){ XFS_OFF(da3_blkinfo, crc), XFS_OFF(da3_blkinfo, bno), XFS_OFF(da3_blkinfo, uuid),
			       XFS_OFF(da3_blkinfo, owner) };
}

bool names_may_be_other(struct names *n, enum xfs_block_kind kind, uint64_t daddr, uint64_t owner)
{
	const struct xfs_geometry *g = &n->r->geo;
	const struct repair_fact *f = repair_fact_of(n->r, owner);
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	if (!repair_is_lost(n->r, owner) &&
	    (!f || !f->used || (kind == XFS_BLK_DIR_ANYDATA && f->ftype != XFS_DIR_FT_DIR) ||
	     (kind == XFS_BLK_SYMLINK && f->ftype != XFS_DIR_FT_LNK)))
		return false;
	if (daddr % (g->blocksize / XFS_BBSIZE))
		return false;
	xfs_daddr_ag(g, XFS_DADDR(daddr), &agno, &agbno);
	return agno.v < g->agcount && agbno.v < xfs_ag_length(g, agno);
}

/* The first entry of a directory is ".", and leads to it. */
static bool has_dot(const struct names *n, enum xfs_block_kind kind, const uint8_t *block, uint32_t len, uint64_t *ino)
{
	uint32_t at = xfs_dir_data_header_len(true);
	struct xfs_dir_item it;

	if (kind != XFS_BLK_DIR_ANYDATA || xfs_dir_data_next(&n->r->geo, block, len, &at, &it) != 1 || !it.used ||
	    !xfs_dir_is_dot(&it))
		return false;
	*ino = it.ino;
	return true;
}

/* Only place and owner in the header of a block that was written whole are others: is it another block? */
static bool is_other(struct names *n, enum xfs_block_kind kind, uint64_t ino, const uint8_t *block, uint32_t len,
		     const struct place *p)
{
	uint64_t own;

	if (has_dot(n, kind, block, len, &own))
		return own != ino;
	return names_may_be_other(n, kind, xfs_be64(block + p->bno), xfs_be64(block + p->owner));
}

enum names_quality names_judge_block(struct names *n, enum xfs_block_kind kind, uint64_t ino, uint64_t fsbno,
		uint8_t *block,
				     uint32_t len)
{
	const struct xfs_geometry *g = &n->r->geo;
	struct place p = place_of(kind);
	uint64_t daddr = fsbno == XFS_NULL64 ? XFS_NULL64 : xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v;
	bool bno, uuid, owner, whole, form;
	unsigned bit;
	size_t byte;

	if (!g->v5)
		return xfs_block_form(kind, false, block, len) ? NAMES_GOOD : NAMES_WEAK;
	whole = xfs_crc32c_check(block, len, p.crc);
	if (!whole && xfs_crc32c_find_flip(block, len, p.crc, &byte, &bit)) {
		block[byte] ^= (uint8_t)(1u << bit);
		/* any bytes differ from some right ones in a bit; only a block that then is what it should be counts */
		whole = xfs_block_form(kind, true, block, len) && xfs_be64(block + p.bno) == daddr &&
			xfs_be64(block + p.owner) == ino && !memcmp(block + p.uuid, g->uuid, 16);
		if (!whole)
			block[byte] ^= (uint8_t)(1u << bit);
	}
	bno = xfs_be64(block + p.bno) == daddr;
	owner = xfs_be64(block + p.owner) == ino;
	uuid = !memcmp(block + p.uuid, g->uuid, 16);
	form = xfs_block_form(kind, true, block, len) != NULL;
	if (whole && bno && owner && uuid && form)
		return NAMES_GOOD;
	/* a header without one right field is junk: it does not say that the block is anybody else's */
	if (!whole || !(bno || owner || uuid || form))
		return NAMES_WEAK;
	if (uuid && form && !bno && !owner)
		return is_other(n, kind, ino, block, len, &p) ? NAMES_FOREIGN : NAMES_WEAK;
	return (owner || (bno && uuid && form)) && bno + owner + uuid >= 2 ? NAMES_WEAK : NAMES_FOREIGN;
}
