/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salvage.h - copies files out of the filesystem into a folder of the host.
 *
 * Nothing in the image decides where a file goes but names that are one part of a path: each is checked, every step
 * goes through openat() without following links, and nothing that exists is overwritten.  Set-id bits, device files and
 * security attributes are not copied.
 */
#ifndef REPAIR_SALVAGE_H
#define REPAIR_SALVAGE_H

#include "repair/repair.h"

#include "libxfs/base/json.h"
#include "libxfs/base/mix.h"
#include "libxfs/inode/inode.h"

#include <stdio.h>

struct salvage {
	struct repair *r;
	struct xfs_fs *fs;		/* as the filesystem is after the run */
	int root;			/* the folder */
	const char *name;
	struct xfs_json report;		/* lines in report.json */
	FILE *report_file;
	uint8_t *buf;
	uint64_t files, bytes, unreadable, left_out;
	/* hard links: where the first one is, by inode; open addressing, ino 0 = empty */
	struct salvage_link { uint64_t ino; char *path; } *links;
	size_t nlinks, links_room;
	struct xfs_mix mix;
	int error;
};

/*
 * --salvage-to: what the run could not put back goes to `dir`, which is new or empty; with `all` everything that has a
 * name, too.  Says on stderr what went wrong and how much was copied.  Returns 0, or 1 when it could not be done.
 */
int repair_salvage(struct repair *, const char *dir, bool all);

/* salvage_copy.c */
#define SALVAGE_PIECE ((size_t)1 << 20)
/* A name that may become one part of a path. */
bool salvage_name_ok(const void *name, size_t len);
/*
 * Copies the inode (no directory) to `name` in an open folder; `path` is for the report and for hard links.  Problems
 * of one file go to the report; errors are those of the host that concern all (NOSPC, IO of the report) and NOMEM.
 */
int salvage_copy(struct salvage *, const struct xfs_inode *, int folder, const char *name, const char *path);
/* Mode, times, owner, attributes of what is open. */
void salvage_dress(struct salvage *, const struct xfs_inode *, int fd);
/* Written data at a place of a file: the blocks, as far as they can be read. */
int salvage_put(struct salvage *, int fd, uint64_t fsbno, uint64_t blocks, uint64_t off, uint64_t size, uint64_t *bad);
/* One line of the report; note NULL: all is well. */
void salvage_note(struct salvage *, uint64_t ino, const char *path, const char *type, uint64_t bytes, uint64_t bad,
		  const char *note);

#endif
