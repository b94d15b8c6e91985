/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bombs.c - fills a fresh image (with rmapbt) with very many of one thing, where a kernel would take hours.
 *
 *	bombs flat IMAGE N		N empty files in the root directory
 *	bombs equal IMAGE N		N empty files in /d whose names have one hash
 *	bombs links IMAGE N		one file with N names in /d
 *	bombs deep IMAGE N		a chain of N directories below the root, a file in each
 *	bombs ring IMAGE N		the same, but what the root names is the last one's child
 *	bombs attrs IMAGE N LENGTH	one file with N attributes of equal hash, values of LENGTH bytes
 *	bombs shared IMAGE N LENGTH	the same, but all values are one
 *	bombs unflagged IMAGE N		one file with N names in /d, and pointers without the bit that says so
 *	bombs copies IMAGE N FILES	FILES files that claim the same N blocks each
 *	bombs rtcopies IMAGE N FILES	the same, in a realtime section, whose bitmap is left out
 *	bombs unlinked IMAGE N		N deleted files that are still open
 *	bombs wiped IMAGE N		N files in the root directory, of whose inodes nothing is left
 *	bombs rivals IMAGE N		one file with N names in /d, and one without whose parent pointers are the same
 *	bombs counts IMAGE N		N pairs of files: a wrong link count, then a deleted one that is still open
 *	bombs twins IMAGE N		/d with one entry for a file and N of the same name for another one
 *	bombs doubled IMAGE N		N directories in the root, half of which the other half names, too
 */
#include "tests/lib/bombs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make(struct bomb *m, const char *image, int (*bomb)(struct bomb *))
{
	int err = imagefill_open(&m->f, image);

	if (err)
		return err;
	m->g = m->f.g;
	if (m->g->inodesize > 4096)
		return -XFS_E_UNSUPPORTED;
	m->root = m->g->sb.rootino;
	err = imagefill_read(&m->f);
	err = err ? err : imagefill_seal(&m->f);
	err = err ? err : bomb_read_root(m);
	err = err ? err : bomb(m);
	return err ? err : imagefill_commit(&m->f);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*bomb)(struct bomb *); int words; } bombs[] = {
		{ "flat", bomb_flat, 4 }, { "equal", bomb_equal, 4 }, { "links", bomb_links, 4 }, { "deep", bomb_deep,
				4 },
		{ "ring", bomb_ring, 4 },
		{ "attrs", bomb_attrs, 5 }, { "copies", bomb_copies, 5 }, { "rtcopies", bomb_rtcopies, 5 },
		{ "unlinked", bomb_unlinked, 4 },
		{ "wiped", bomb_wiped, 4 }, { "counts", bomb_counts, 4 }, { "rivals", bomb_rivals, 4 },
		{ "twins", bomb_twins, 4 }, { "doubled", bomb_doubled, 4 },
		{ "shared", bomb_shared, 5 }, { "unflagged", bomb_unflagged, 4 },
	};
	struct bomb m = { .n = argc > 3 ? strtoull(argv[3], NULL, 10) : 0,
			  .second = argc > 4 ? strtoull(argv[4], NULL, 10) : 0 };
	int err = -XFS_E_INVALID;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(bombs) && m.n; i++)
		if (argc == bombs[i].words && !strcmp(argv[1], bombs[i].name))
			err = make(&m, argv[2], bombs[i].bomb);
	if (err)
		fprintf(stderr, "bombs: %s\n", xfs_error_text(err));
	imagefill_close(&m.f);
	return err != 0;
}
