/* SPDX-License-Identifier: BSD-2-Clause */
/* listing.c - lists of files: made, sorted, read. */
#include "tests/lib/listing.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/inode.h"
#include "tests/unit/sha256.h"

#include <stdlib.h>

static void out_of_memory(const void *p)
{
	if (p)
		return;
	fputs("fsx: out of memory\n", stderr);
	exit(2);
}

void listing_digest(const struct listing *l, const void *bytes, size_t len, char *digest)
{
	struct hash256 h;

	if (l->quick) {
		sprintf(digest, "%08x", (unsigned)xfs_crc32c(~0u, bytes, len));
		return;
	}
	hash256_start(&h);
	hash256_add(&h, bytes, len);
	hash256_end(&h, digest);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct listing_attr *)a)->name, ((const struct listing_attr *)b)->name);
}

void listing_attrs_digest(const struct listing *l, struct listing_attr *attrs, size_t n, char *digest)
{
	struct hash256 h;
	char text[30];

	(void)l;
	if (!n) {
		strcpy(digest, "-");
		return;
	}
	qsort(attrs, n, sizeof(*attrs), by_name);
	hash256_start(&h);
	for (size_t i = 0; i < n; i++) {
		hash256_add(&h, attrs[i].name, strlen(attrs[i].name) + 1);
		sprintf(text, "%zu", attrs[i].len);
		hash256_add(&h, text, strlen(text) + 1);
		hash256_add(&h, attrs[i].value, attrs[i].len);
	}
	hash256_end(&h, digest);
}

static void add_line(struct listing *l, const char *line, void *tag)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->lines = realloc(l->lines, l->room * sizeof(*l->lines));
		l->tags = realloc(l->tags, l->room * sizeof(*l->tags));
		out_of_memory(l->lines);
		out_of_memory(l->tags);
	}
	l->tags[l->n] = tag;
	out_of_memory(l->lines[l->n++] = strdup(line));
}

void listing_add(struct listing *l, uint16_t mode, uint32_t uid, uint32_t gid, uint32_t links, const char *size,
		 const char *what, const char *attrs, const char *path, void *tag)
{
	static const char types[] = "?pc?d?b?f?l?s???";
	static char line[9000];

	snprintf(line, sizeof(line), "%c %04o %u %u %u %s %s %s %s", types[mode >> 12], mode & 07777u, (unsigned)uid,
		 (unsigned)gid, (unsigned)links, size, what, attrs, *path ? path : ".");
	add_line(l, line, tag);
}

const char *listing_path(const char *line)
{
	const char *space = strrchr(line, ' ');

	return space ? space + 1 : line;
}

struct pair { char *line; void *tag; };

static int by_path(const void *a, const void *b)
{
	return strcmp(listing_path(((const struct pair *)a)->line), listing_path(((const struct pair *)b)->line));
}

void listing_sort(struct listing *l)
{
	struct pair *p = malloc((l->n + 1) * sizeof(*p));

	out_of_memory(p);
	for (size_t i = 0; i < l->n; i++)
		p[i] = (struct pair){ l->lines[i], l->tags[i] };
	qsort(p, l->n, sizeof(*p), by_path);
	for (size_t i = 0; i < l->n; i++) {
		l->lines[i] = p[i].line;
		l->tags[i] = p[i].tag;
	}
	free(p);
}

int listing_read(struct listing *l, const char *file)
{
	static char line[9000];
	FILE *f = fopen(file, "r");

	if (!f)
		return -XFS_E_OPEN;
	while (fgets(line, sizeof(line), f)) {
		char *rest = strchr(line + 2, ' ');

		line[strcspn(line, "\n")] = 0;
		if (!rest || line[1] != ' ')
			continue;
		*--rest = line[0];	/* the inode number goes */
		add_line(l, rest, NULL);
	}
	fclose(f);
	listing_sort(l);
	return 0;
}

void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->lines[i]);
	free(l->lines);
	free(l->tags);
	*l = (struct listing){ .quick = l->quick };
}
