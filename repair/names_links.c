/* SPDX-License-Identifier: BSD-2-Clause */
/* names_links.c - links by inodes: numbers in a sorter, names behind them in a file. */
#include "repair/names_links.h"

#include "libxfs/base/errors.h"
#include "libxfs/base/fdio.h"
#include "libxfs/base/sort.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW ((size_t)64 << 10)
#define PIECE ((size_t)8 << 10)		/* that is read at once: names of neighbours are neighbours as a rule */

struct numbers {
	uint64_t ino, at;		/* where the rest stands in the file */
};

/* In the file each name has this in front of it: its directory, the generation of that, its length. */
#define HEAD (sizeof(uint64_t) + sizeof(uint32_t) + 1)

struct names_links {
	struct xfs_sorter *sorter;
	int fd;				/* -1: all lies in the window */
	uint8_t *window;		/* of the file, from `at` on */
	uint64_t at;
	size_t used;
	uint64_t end;			/* of what is in the file itself */
};

int names_links_new(struct names_links **out, size_t memory)
{
	static const struct xfs_sort_spec order = { .size = sizeof(struct numbers), .words = 2,
						    .word_off = { offsetof(struct numbers, ino), offsetof(struct numbers, at) } };
	struct names_links *l = *out = calloc(1, sizeof(*l));
	int error = -XFS_E_NOMEM;

	if (!l)
		return error;
	l->fd = -1;
	l->window = malloc(WINDOW);
	if (l->window)
		error = xfs_sorter_create(&l->sorter, &order, memory, NULL);
	if (error) {
		names_links_free(l);
		*out = NULL;
	}
	return error;
}

void names_links_free(struct names_links *l)
{
	if (!l)
		return;
	xfs_sorter_free(l->sorter);
	if (l->fd >= 0)
		close(l->fd);
	free(l->window);
	free(l);
}

static int flush(struct names_links *l)
{
	int error;

	if (l->fd < 0)
		l->fd = xfs_fd_temporary(NULL);
	if (l->fd < 0)
		return l->fd;
	error = xfs_fd_write(l->fd, l->window, l->used, l->at);
	if (error)
		return error;
	l->end = l->at += l->used;
	l->used = 0;
	return 0;
}

int names_links_add(struct names_links *l, const struct names_link *link)
{
	size_t size = HEAD + link->namelen;
	struct numbers numbers;
	int error = l->used + size > WINDOW ? flush(l) : 0;
	uint8_t *to = l->window + l->used;

	if (error)
		return error;
	numbers = (struct numbers){ link->ino, l->at + l->used };
	memcpy(to, &link->dir, sizeof(link->dir));
	memcpy(to + sizeof(link->dir), &link->gen, sizeof(link->gen));
	to[HEAD - 1] = link->namelen;
	memcpy(to + HEAD, link->name, link->namelen);
	l->used += size;
	return xfs_sorter_add(l->sorter, &numbers, 1);
}

int names_links_rewind(struct names_links *l)
{
	/* the first time the window has the end of what was added */
	int error = l->fd >= 0 && l->at == l->end && l->used ? flush(l) : 0;

	return error ? error : xfs_sorter_finish(l->sorter);
}

/* `size` bytes of the file, none of which was not written. */
static int see(struct names_links *l, uint64_t at, size_t size, const uint8_t **bytes)
{
	if (at < l->at || at + size > l->at + l->used) {
		size_t len = PIECE;
		int error;

		if (l->fd < 0 || at + size > l->end)
			return -XFS_E_INTERNAL;
		if (len > l->end - at)
			len = (size_t)(l->end - at);
		l->used = 0;
		error = xfs_fd_read(l->fd, l->window, len, at);
		if (error)
			return error;
		l->at = at;
		l->used = len;
	}
	*bytes = l->window + (at - l->at);
	return 0;
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
	error = see(l, numbers->at, HEAD, &bytes);
	if (error)
		return error;
	memcpy(&link->dir, bytes, sizeof(link->dir));
	memcpy(&link->gen, bytes + sizeof(link->dir), sizeof(link->gen));
	link->namelen = bytes[HEAD - 1];
	error = see(l, numbers->at, HEAD + link->namelen, &bytes);
	if (!error)
		memcpy(link->name, bytes + HEAD, link->namelen);
	return error;
}
