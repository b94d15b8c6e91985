/* SPDX-License-Identifier: BSD-2-Clause */
/* names_links.c - links by inodes: numbers in a sorter, names behind them on a tape. */
#include "repair/names_links.h"

#include "repair/tape.h"

#include "libxfs/base/errors.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>

struct numbers {
	uint64_t ino, at;		/* where the rest stands on the tape */
};

/* On the tape each name has this in front of it: its directory, the generation of that, its length. */
#define HEAD (sizeof(uint64_t) + sizeof(uint32_t) + 1)

struct names_links {
	struct xfs_sorter *sorter;
	struct tape names;
};

int names_links_new(struct names_links **out, size_t memory)
{
	static const struct xfs_sort_spec order = {
		.size = sizeof(struct numbers), .words = 2,
		.word_off = { offsetof(struct numbers, ino), offsetof(struct numbers, at) } };
	struct names_links *l = *out = calloc(1, sizeof(*l));
	int error = l ? xfs_sorter_create(&l->sorter, &order, memory, NULL) : -XFS_E_NOMEM;

	if (error) {
		free(l);
		*out = NULL;
	}
	return error;
}

void names_links_free(struct names_links *l)
{
	if (!l)
		return;
	xfs_sorter_free(l->sorter);
	tape_release(&l->names);
	free(l);
}

int names_links_add(struct names_links *l, const struct names_link *link)
{
	struct numbers numbers = { .ino = link->ino };
	uint8_t bytes[HEAD + XFS_DIR_NAME_MAX];
	int error;

	memcpy(bytes, &link->dir, sizeof(link->dir));
	memcpy(bytes + sizeof(link->dir), &link->gen, sizeof(link->gen));
	bytes[HEAD - 1] = link->namelen;
	memcpy(bytes + HEAD, link->name, link->namelen);
	error = tape_add(&l->names, bytes, HEAD + link->namelen, &numbers.at);
	return error ? error : xfs_sorter_add(l->sorter, &numbers, 1);
}

int names_links_rewind(struct names_links *l)
{
	return xfs_sorter_finish(l->sorter);
}

int names_links_next(struct names_links *l, struct names_link *link, bool *more)
{
	const struct numbers *numbers;
	const void *record;
	const uint8_t *bytes;
	int error = xfs_sorter_next(l->sorter, &record);

	*more = !error && record;
	if (!*more)
		return error;
	numbers = record;
	link->ino = numbers->ino;
	error = tape_read(&l->names, numbers->at, HEAD, &bytes);
	if (error)
		return error;
	memcpy(&link->dir, bytes, sizeof(link->dir));
	memcpy(&link->gen, bytes + sizeof(link->dir), sizeof(link->gen));
	link->namelen = bytes[HEAD - 1];
	error = tape_read(&l->names, numbers->at, HEAD + link->namelen, &bytes);
	if (!error)
		memcpy(link->name, bytes + HEAD, link->namelen);
	return error;
}
