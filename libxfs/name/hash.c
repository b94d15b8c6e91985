/* SPDX-License-Identifier: BSD-2-Clause */
/* hash.c - hashes of names. */
#include "libxfs/name/hash.h"

static uint32_t rotate(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

uint32_t xfs_name_hash(const void *name, size_t len)
{
	const uint8_t *p = name;
	uint32_t h = 0;

	/* four bytes a turn: their shares do not meet before they are in the word */
	for (; len >= 4; len -= 4, p += 4)
		h = rotate(h, 28) ^ (uint32_t)p[0] << 21 ^ (uint32_t)p[1] << 14 ^ (uint32_t)p[2] << 7 ^ p[3];
	while (len--)
		h = rotate(h, 7) ^ *p++;
	return h;
}

uint8_t xfs_name_lower(uint8_t c)
{
	bool capital = (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7);

	return capital ? (uint8_t)(c + 32) : c;
}

uint32_t xfs_name_hash_ci(const void *name, size_t len)
{
	const uint8_t *p = name;
	uint32_t h = 0;

	while (len--)
		h = rotate(h, 7) ^ xfs_name_lower(*p++);
	return h;
}

uint32_t xfs_dir_hash(const struct xfs_geometry *g, const void *name, size_t len)
{
	return g->asciici ? xfs_name_hash_ci(name, len) : xfs_name_hash(name, len);
}

bool xfs_dir_name_equal(const struct xfs_geometry *g, const void *a, size_t alen, const void *b, size_t blen)
{
	const uint8_t *p = a, *q = b;

	if (alen != blen)
		return false;
	if (!g->asciici)
		return !memcmp(a, b, alen);
	while (alen--)
		if (xfs_name_lower(*p++) != xfs_name_lower(*q++))
			return false;
	return true;
}

uint32_t xfs_parent_hash(const struct xfs_geometry *g, const void *name, size_t len, xfs_ino_t parent)
{
	return xfs_dir_hash(g, name, len) ^ (uint32_t)(parent.v >> 32) ^ (uint32_t)parent.v;
}
