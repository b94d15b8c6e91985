/* SPDX-License-Identifier: BSD-2-Clause */
/* dirindex.c - sorted arrays of hashes and addresses, with stale entries (format sheet 03, sections 5.2 and 5.3). */
#include "libxfs/name/dirprivate.h"

static uint32_t hash_at(const uint8_t *entries, uint32_t i)
{
	return xfs_be32(entries + 8 * (size_t)i);
}

static uint32_t address_at(const uint8_t *entries, uint32_t i)
{
	return xfs_be32(entries + 8 * (size_t)i + 4);
}

void xfs_dirindex_put(uint8_t *at, uint32_t hash, uint32_t address)
{
	xfs_put_be32(at, hash);
	xfs_put_be32(at + 4, address);
}

uint32_t xfs_dirindex_search(const uint8_t *entries, uint32_t count, uint32_t hash)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (hash_at(entries, mid) < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t xfs_dirindex_find(const uint8_t *entries, uint32_t count, uint32_t hash, uint32_t address)
{
	uint32_t i = xfs_dirindex_search(entries, count, hash);

	for (; i < count && hash_at(entries, i) == hash; i++)
		if (address_at(entries, i) == address)
			return i;
	return count;
}

int xfs_dirindex_reuse(struct xfs_buf *b, uint32_t off, uint32_t count, uint32_t i, uint32_t hash, uint32_t address)
{
	uint8_t *entries = b->data + off;
	uint32_t d = 0;

	/* distances 0, 1, 2, ... to the right (from i) and to the left (from i - 1) */
	for (; i + d < count || d < i; d++) {
		if (i + d < count && address_at(entries, i + d) == XFS_DIR_NULL_ADDRESS) {
			memmove(entries + 8 * (size_t)(i + 1), entries + 8 * (size_t)i, 8 * (size_t)d);
			break;
		}
		if (d < i && address_at(entries, i - 1 - d) == XFS_DIR_NULL_ADDRESS) {
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
		if (address_at(entries, i) != XFS_DIR_NULL_ADDRESS) {
			if (n != i)
				memcpy(entries + 8 * (size_t)n, entries + 8 * (size_t)i, 8);
			n++;
		}
	return n;
}
