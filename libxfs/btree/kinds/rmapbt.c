/* SPDX-License-Identifier: BSD-2-Clause */
/* rmapbt.c - reverse mappings; rmapbt and rtrmapbt (format sheet 02, sections 4.1 to 4.5). */
#include "libxfs/btree/kinds/kinds.h"

/* Words of a key: start block; owner; the offset word with fork and bmbt bits, without the unwritten bit. */

/* The 64-bit word of flags and offset; its first bit is the attribute fork bit. */
static uint64_t offset_word(const void *rec)
{
	return xfs_be64((const uint8_t *)rec + XFS_OFF(rmap_rec, attrfork));
}

void xfs_rmapbt_low(struct xfs_btree_key *key, const void *rec)
{
	key->w[0] = xfs_rmap_rec_get_startblock(rec);
	key->w[1] = xfs_rmap_rec_get_owner(rec);
	key->w[2] = offset_word(rec) & ~XFS_RMAP_UNWRITTEN;
}

/* The offset moves along with the block only where the owner has offsets: not for special owners and bmbt blocks. */
void xfs_rmapbt_high(struct xfs_btree_key *key, const void *rec)
{
	uint64_t last = (uint64_t)xfs_rmap_rec_get_blockcount(rec) - 1, word = offset_word(rec) & ~XFS_RMAP_UNWRITTEN;

	key->w[0] = xfs_rmap_rec_get_startblock(rec) + last;
	key->w[1] = xfs_rmap_rec_get_owner(rec);
	if (xfs_owner_is_special(key->w[1]) || word & XFS_RMAP_BMBT)
		key->w[2] = word;
	else
		key->w[2] = ((word & XFS_RMAP_OFFMASK) + last) | (word & XFS_RMAP_ATTR);
}

/* Old kernels stored the unwritten bit in keys; it never takes part (section 4.3). */
void xfs_rmapbt_key_get(struct xfs_btree_key *key, const void *disk)
{
	key->w[0] = xfs_rmap_keypair_get_startblock(disk);
	key->w[1] = xfs_rmap_keypair_get_owner(disk);
	key->w[2] = xfs_be64((const uint8_t *)disk + XFS_OFF(rmap_keypair, attrfork)) & ~XFS_RMAP_UNWRITTEN;
}

void xfs_rmapbt_key_put(void *disk, const struct xfs_btree_key *key)
{
	xfs_rmap_keypair_set_startblock(disk, (uint32_t)key->w[0]);
	xfs_rmap_keypair_set_owner(disk, key->w[1]);
	xfs_put_be64((uint8_t *)disk + XFS_OFF(rmap_keypair, attrfork), key->w[2] & ~XFS_RMAP_UNWRITTEN);
}

/* Written data of a file: the only blocks that may have several owners (section 4.5). */
bool xfs_rmapbt_shareable(const void *rec)
{
	return !xfs_owner_is_special(xfs_rmap_rec_get_owner(rec)) && !(offset_word(rec) & XFS_RMAP_FLAGS);
}

bool xfs_rmapbt_mergeable(const void *rec, const void *next)
{
	uint64_t a = offset_word(rec), b = offset_word(next), owner = xfs_rmap_rec_get_owner(rec);
	uint64_t len = xfs_rmap_rec_get_blockcount(rec);

	if (owner != xfs_rmap_rec_get_owner(next) || (a ^ b) & XFS_RMAP_FLAGS ||
	    xfs_rmap_rec_get_startblock(rec) + len != xfs_rmap_rec_get_startblock(next) ||
	    len + xfs_rmap_rec_get_blockcount(next) > UINT32_MAX)
		return false;
	return xfs_owner_is_special(owner) || a & XFS_RMAP_BMBT || a + len == b;
}
