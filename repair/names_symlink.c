/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_symlink.c - symbolic links whose target does not read well: what can be had of it is written anew.
 *
 * A flipped bit is turned back, a header that is wrong does not make the bytes behind it wrong.  Where nothing is left
 * the link stays, with a target that says so: name, owner and attributes are not lost with it.
 */
#include "repair/names.h"

#include "repair/evidence.h"
#include "repair/forks.h"
#include "repair/rebuild.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#define NO_TARGET "(target lost)"

/* Target bytes from extents of the fork, one header each on V5; the length that was read. */
static size_t read_blocks(struct names *n, uint64_t ino, const struct xfs_mapset *map, size_t want, uint8_t *target)
{
	const struct xfs_geometry *g = &n->r->geo;
	uint32_t header = xfs_remote_header_len(g->v5);
	size_t done = 0;

	for (size_t i = 0; i < map->n && done < want; i++) {
		unsigned blocks = (unsigned)xfs_min(map->m[i].len, XFS_BUF_MAXLEN >> g->blocklog);
		uint32_t len = blocks << g->blocklog;
		size_t part = (size_t)xfs_min(len - header, want - done);
		uint64_t fsbno;

		if (names_read_block(n, map, map->m[i].off, blocks, n->block, &fsbno) ||
		    (g->v5 && names_judge_block(n, XFS_BLK_SYMLINK, ino, fsbno, n->block, len) == NAMES_FOREIGN))
			break;
		memcpy(target + done, n->block + header, part);
		done += part;
	}
	return done;
}

static int read_target(struct names *n, uint64_t ino, const struct xfs_dinode *d, uint8_t *target, size_t *len)
{
	const struct xfs_geometry *g = &n->r->geo;
	size_t want = d->core.size && d->core.size < XFS_SYMLINK_MAXLEN ? (size_t)d->core.size : XFS_SYMLINK_MAXLEN - 1;
	struct xfs_mapset map = { 0 };
	int error = names_map(n, ino, d, n->image, XFS_FORK_DATA, &map);

	*len = 0;
	if (!error && map.n) {
		*len = read_blocks(n, ino, &map, want, target);
	} else if (!error && d->core.format == XFS_DINODE_FMT_LOCAL) {
		const uint8_t *bytes = n->image + xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff,
								      g->inodesize, XFS_FORK_DATA);

		want = (size_t)xfs_min(want, repair_fork_size(n->r, d, XFS_FORK_DATA));
		*len = want;
		memcpy(target, bytes, want);
	}
	xfs_mapset_release(&map);
	/* zeroes at the end are no target; one inside is a byte that is lost */
	while (*len && !target[*len - 1])
		--*len;
	for (size_t i = 0; i < *len; i++)
		if (!target[i])
			target[i] = '?';
	return error;
}

int names_mend_symlink(struct names *n, uint64_t ino)
{
	uint8_t target[XFS_SYMLINK_MAXLEN];
	struct repair_inode *c;
	struct xfs_dinode d;
	size_t len;
	int error = names_read_inode(n, ino, n->image, &d);

	if (!error)
		error = read_target(n, ino, &d, target, &len);
	if (!error)
		error = repair_changed_inode(n->r, ino, n->image, &c);
	if (!error)
		error = names_give_up(n, c, &d, n->image, XFS_FORK_DATA);
	if (!error && !c->names && !(c->names = calloc(1, sizeof(*c->names))))
		error = -XFS_E_NOMEM;
	if (error)
		return error;
	if (!len) {
		names_note(n, XFS_F_SYMLINK_LOST, "inode", ino, true, "it had %lld bytes", (long long)d.core.size);
		len = sizeof(NO_TARGET) - 1;
		memcpy(target, NO_TARGET, len);
	} else if (len != d.core.size) {
		names_note(n, XFS_F_SYMLINK_TARGET, "inode", ino, true, "%zu of %lld bytes are left", len,
			   (long long)d.core.size);
	}
	c->names->target = malloc(len);
	if (!c->names->target)
		return -XFS_E_NOMEM;
	memcpy(c->names->target, target, len);
	c->names->targetlen = len;
	c->fork[XFS_FORK_DATA] = true;
	return 0;
}

/* ---- the other way round ---- */

static int take_blocks(struct repair *r, uint64_t ino, uint32_t blocks, uint64_t *fsbno)
{
	uint32_t first = xfs_ino_agno(&r->geo, XFS_INO(ino)).v;

	for (uint32_t i = 0; i < r->geo.agcount; i++) {
		int error = repair_take_blocks(r, (first + i) % r->geo.agcount, blocks, ino, 0, fsbno);

		if (error != -XFS_E_NOSPC)
			return error;
	}
	return -XFS_E_NOSPC;
}

static int write_target(struct repair *r, const struct repair_inode *c, uint64_t fsbno, uint32_t len)
{
	const struct xfs_geometry *g = &r->geo;
	uint8_t *block = calloc(1, len);
	struct xfs_symlink_hdr h = { .magic = XFS_SYMLINK_MAGIC, .bytes = (uint32_t)c->names->targetlen,
				     .owner = c->ino, .bno = xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v };
	int error;

	if (!block)
		return -XFS_E_NOMEM;
	memcpy(h.uuid, g->uuid, sizeof(h.uuid));
	memcpy(block + xfs_remote_header_len(g->v5), c->names->target, c->names->targetlen);
	if (g->v5) {
		xfs_symlink_hdr_encode(block, &h);
		xfs_crc32c_store(block, len, XFS_OFF(symlink_hdr, crc));
	}
	error = xfs_dev_write(r->dev.data, xfs_fsbno_byte(g, XFS_FSBNO(fsbno)), block, len);
	free(block);
	return error;
}

int repair_build_symlink(struct repair *r, struct repair_inode *c, struct xfs_dinode *d)
{
	const struct xfs_geometry *g = &r->geo;
	uint8_t *fork = c->image + xfs_dinode_literal_off((unsigned)d->core.version);
	uint32_t size = repair_fork_size(r, d, XFS_FORK_DATA);
	uint32_t blocks = (uint32_t)xfs_ceil_div(c->names->targetlen + xfs_remote_header_len(g->v5), g->blocksize);
	struct xfs_bmbt_rec rec = { .blockcount = blocks };
	uint64_t fsbno;
	int error;

	memset(fork, 0, size);
	d->core.size = (int64_t)c->names->targetlen;
	if (c->names->targetlen <= size) {
		memcpy(fork, c->names->target, c->names->targetlen);
		d->core.format = XFS_DINODE_FMT_LOCAL;
		c->names->blocks[XFS_FORK_DATA] = 0;
		return xfs_dinode_set_nextents(d, XFS_FORK_DATA, 0) ? 0 : -XFS_E_RANGE;
	}
	error = take_blocks(r, c->ino, blocks, &fsbno);
	if (!error)
		error = write_target(r, c, fsbno, blocks << g->blocklog);
	if (error)
		return error;
	rec.startblock = fsbno;
	xfs_bmbt_rec_encode(fork, &rec);
	d->core.format = XFS_DINODE_FMT_EXTENTS;
	c->names->blocks[XFS_FORK_DATA] = blocks;
	return xfs_dinode_set_nextents(d, XFS_FORK_DATA, 1) ? 0 : -XFS_E_RANGE;
}
