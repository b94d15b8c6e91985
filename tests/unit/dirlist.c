/* SPDX-License-Identifier: BSD-2-Clause */
/* dirlist.c - lists of entries for the builder of directories. */
#include "tests/unit/dirlist.h"

#include "libxfs/name/hash.h"
#include "tests/unit/namelists.h"
#include "tests/unit/quick.h"

#include <stdlib.h>

static uint64_t some_ino(const struct xfs_geometry *g, struct testrand *rnd, bool large)
{
	uint32_t agno = large ? testrand_below(rnd, g->agcount) : 0;

	return xfs_ino_of(g, XFS_AGNO(agno), XFS_AGINO(xfs_first_agino(g) + testrand_below(rnd, 5000))).v;
}

void dirlist_make(struct dirlist *l, const struct xfs_geometry *g, struct testrand *rnd, size_t n, unsigned least,
		  unsigned most, unsigned large)
{
	size_t at = 0;

	l->n = n;
	l->e = calloc(n + 1, sizeof(*l->e));
	l->names = malloc((n + 1) * (size_t)most);
	for (size_t i = 0; i < n; i++) {
		unsigned len = least + testrand_below(rnd, most - least + 1);
		uint8_t *name = l->names + at;
		char number[24];
		unsigned digits = (unsigned)snprintf(number, sizeof(number), "%zu", i);

		qk_assert_uint_le(digits, len);
		/* all bytes but zero, slash and digits */
		for (unsigned k = 0; k < len - digits; k++)
			name[k] = (uint8_t)(128 + testrand_below(rnd, 128));
		memcpy(name + len - digits, number, digits);
		l->e[i] = (struct xfs_build_dirent){ some_ino(g, rnd, testrand_below(rnd, 100) < large), name,
			(uint8_t)len, (uint8_t)testrand_below(rnd, XFS_DIR_FT_COUNT) };
		at += len;
	}
}

void dirlist_free(struct dirlist *l)
{
	free(l->e);
	free(l->names);
}

void dirlist_equal_hashes(struct dirlist *l, unsigned bits)
{
	size_t n = (size_t)1 << bits;

	*l = (struct dirlist){ calloc(n, sizeof(*l->e)), malloc(n * 2 * bits), n };
	for (size_t i = 0; i < n; i++) {
		uint8_t *name = l->names + i * 2 * bits;

		namelists_one_hash(name, bits, i);
		l->e[i] = (struct xfs_build_dirent){ 131 + i, name, (uint8_t)(2 * bits), XFS_DIR_FT_REG };
		qk_assert_uint_eq(xfs_name_hash(name, 2 * bits), xfs_name_hash(l->names, 2 * bits));
	}
}
