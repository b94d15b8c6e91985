/* SPDX-License-Identifier: BSD-2-Clause */
/* attrremote.c - values of attributes in blocks of their own, written and given up (format sheet 03, section 6.3). */
#include "libxfs/name/attrprivate.h"

/* One block of the value. */
static int put_block(const struct xfs_attrop *op, uint64_t fsblock, uint32_t done)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t head = xfs_remote_header_len(g->v5), part = (uint32_t)xfs_min(g->blocksize - head,
									       op->want->valuelen - done);
	uint64_t daddr = xfs_fsbno_daddr(g, XFS_FSBNO(fsblock)).v;
	struct xfs_buf *b;
	int err = xfs_change_get_new(op->k.ip->change, daddr, g->blocksize / XFS_BBSIZE,
				     xfs_block_type(XFS_BLK_ATTR_REMOTE), &b);

	if (err)
		return err;
	memset(b->data, 0, b->len);
	if (g->v5) {
		struct xfs_attr_rmt_hdr h = {
			.magic = XFS_ATTR_REMOTE_MAGIC, .offset = done, .bytes = part, .owner = op->k.ip->i.ino.v,
			.bno = daddr, .lsn = XFS_NULL64,
		};

		memcpy(h.uuid, g->uuid, sizeof(h.uuid));
		xfs_attr_rmt_hdr_encode(b->data, &h);
	}
	memcpy(b->data + head, op->want->value + done, part);
	xfs_change_order(b);
	return 0;
}

int xfs_attrremote_write(const struct xfs_attrop *op, uint32_t *valueblk)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t n = xfs_remote_blocks(g->v5, g->blocksize, op->want->valuelen), done = 0;
	uint32_t room = g->blocksize - xfs_remote_header_len(g->v5);
	uint64_t off;
	int err = xfs_forkop_hole(&op->k, 1, op->k.to, n, &off);

	*valueblk = (uint32_t)off;
	while (!err && done < n) {
		const struct xfs_bmap_want want = {
			.off = off + done, .minlen = 1, .maxlen = n - done, .near = XFS_NULL64,
		};
		struct xfs_extent got;

		err = xfs_bmap_alloc(op->k.ip, op->k.ip->change, XFS_FORK_ATTR, &want, &got);
		for (uint32_t i = 0; !err && i < got.len; i++)
			err = put_block(op, got.block + i, (done + i) * room);
		if (!err)
			done += got.len;
	}
	return err;
}

int xfs_attrremote_free(const struct xfs_attrop *op, uint32_t valueblk, uint32_t valuelen)
{
	const struct xfs_geometry *g = op->k.g;

	if (!valueblk || !valuelen)		/* of an entry that was never completed */
		return 0;
	if (valuelen > XFS_ATTR_VALUE_MAX)
		return -XFS_E_CORRUPT;
	return xfs_forkop_free_all(&op->k, valueblk,
				   (uint64_t)valueblk + xfs_remote_blocks(g->v5, g->blocksize, valuelen));
}
