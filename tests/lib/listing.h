/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listing.h - what is in a filesystem, a line a path: type, mode, owner, group, links, size, contents, attributes,
 * path.
 *
 * The same columns as those of the kernel's walk (tests/box/guest-walk.c) without the inode number.
 */
#ifndef TESTS_LIB_LISTING_H
#define TESTS_LIB_LISTING_H

#include "libxfs/mount/fs.h"

struct listing {
	char **lines;		/* sorted by path */
	void **tags;		/* of whoever added the line */
	size_t n, room;
	bool quick;		/* contents by a checksum that is cheap */
};

struct listing_attr { char name[300]; uint8_t *value; size_t len; };

/* `digest` gets 64 digits and a zero byte. */
void listing_digest(const struct listing *, const void *bytes, size_t len, char *digest);
void listing_attrs_digest(const struct listing *, struct listing_attr *, size_t n, char *digest);
/* `size` and `what` as text. */
void listing_add(struct listing *, uint16_t mode, uint32_t uid, uint32_t gid, uint32_t links, const char *size,
		 const char *what, const char *attrs, const char *path, void *tag);
void listing_sort(struct listing *);
/* What a kernel's walk printed. */
int listing_read(struct listing *, const char *file);
const char *listing_path(const char *line);
void listing_free(struct listing *);
/* Everything below the root of what is on the device. */
int listing_of_fs(struct listing *, struct xfs_fs *);

/* Contents of a file of an image, with zeroes up to the next 512 bytes; free() them. */
struct listing_file { uint8_t *bytes; size_t size; };
int listing_file_read(const char *image, const char *path, struct listing_file *);

#endif
