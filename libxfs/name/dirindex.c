/* SPDX-License-Identifier: BSD-2-Clause */
/* dirindex.c - sorted arrays of hashes and addresses, with stale entries (format sheet 03, sections 5.2 and 5.3). */
#include "libxfs/name/dirprivate.h"

#include "libxfs/base/search.h"

void xfs_dirindex_put(uint8_t *at, uint32_t hash, uint32_t address)
{
	xfs_dir_leaf_ent_encode(at, &(struct xfs_dir_leaf_ent){ hash, address });
}

void xfs_dirindex_retire(struct xfs_buf *b, uint32_t off, uint32_t i)
{
	uint32_t at = off + i * (uint32_t)sizeof(struct xfs_dir_leaf_ent_disk) +
		      (uint32_t)XFS_OFF(dir_leaf_ent, address);

	xfs_put_be32(b->data + at, XFS_DIR_NULL_ADDRESS);
	xfs_change_dirty(b, at, 4);
}

uint32_t xfs_dirindex_search(const uint8_t *entries, uint32_t count, uint32_t hash)
{
	return (uint32_t)xfs_search(count, i, xfs_dir_leaf_hash(entries, i) < hash);
}

uint32_t xfs_dirindex_find(const uint8_t *entries, uint32_t count, uint32_t hash, uint32_t address)
{
	uint32_t i = xfs_dirindex_search(entries, count, hash);

	for (; i < count && xfs_dir_leaf_hash(entries, i) == hash; i++)
		if (xfs_dir_leaf_address(entries, i) == address)
			return i;
	return count;
}

int xfs_dirindex_reuse(struct xfs_buf *b, uint32_t off, uint32_t count, uint32_t i, uint32_t hash, uint32_t address)
{
	uint8_t *entries = b->data + off;
	uint32_t d = 0;

	/* distances 0, 1, 2, ... to the right (from i) and to the left (from i - 1) */
	for (; i + d < count || d < i; d++) {
		if (i + d < count && xfs_dir_leaf_address(entries, i + d) == XFS_DIR_NULL_ADDRESS) {
			memmove(entries + 8 * (size_t)(i + 1), entries + 8 * (size_t)i, 8 * (size_t)d);
			break;
		}
		if (d < i && xfs_dir_leaf_address(entries, i - 1 - d) == XFS_DIR_NULL_ADDRESS) {
			i--;
			memmove(entries + 8 * (size_t)(i - d), entries + 8 * (size_t)(i + 1 - d), 8 * (size_t)d);
			xfs_dirindex_put(entries + 8 * (size_t)i, hash, address);
			xfs_change_dirty(b, off + 8 * (i - d), 8 * (d + 1));
			return 0;
		}
	}
	if (i + d >= count)
		return -XFS_E_NOENT;
	xfs_dirindex_put(entries + 8 * (size_t)i, hash, address);
	xfs_change_dirty(b, off + 8 * i, 8 * (d + 1));
	return 0;
}

uint32_t xfs_dirindex_compact(uint8_t *entries, uint32_t count)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
		if (xfs_dir_leaf_address(entries, i) != XFS_DIR_NULL_ADDRESS) {
			if (n != i)
				memcpy(entries + 8 * (size_t)n, entries + 8 * (size_t)i, 8);
			n++;
		}
	return n;
}
