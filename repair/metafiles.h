/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metafiles.h - the files of the metadata directory: what each of them is, told by its inode, its name, its blocks
 * (format sheet 10, sections 4.1 and 4.2).
 *
 * The tree has two levels: /rtgroups with the files of realtime groups, /quota with those of quota types.
 */
#ifndef REPAIR_METAFILES_H
#define REPAIR_METAFILES_H

#include "repair/scan.h"

struct repair_metafile {
	uint16_t metatype;	/* XFS_METAFILE_*; UNKNOWN: nothing is known */
	uint32_t group;		/* of files of groups; else 0 */
};

#define REPAIR_META_RTGROUPS "rtgroups"
#define REPAIR_META_QUOTA "quota"

/* May this filesystem have such a file? */
bool repair_metafile_possible(const struct repair *, const struct repair_metafile *);
/* Whether a file has a tree as its data fork. */
bool repair_metafile_is_tree(unsigned metatype);
bool repair_metafile_by_name(const struct repair *, const void *name, size_t len, struct repair_metafile *out);
/*
 * By blocks that name this inode, or hold quota records; which group it was
 * they do not say: the lowest one without such a file.
 */
bool repair_metafile_by_blocks(struct repair *, uint64_t ino, const struct xfs_mapset *, struct repair_metafile *out);
/* *yes: data blocks of this directory hold names of such files that lead to some. Errors: NOMEM. */
int repair_metadir_by_blocks(struct repair *, uint64_t ino, const struct xfs_mapset *, bool *yes);
/* The directory and the name that a file has; false: none. */
bool repair_metafile_name(const struct repair *, const struct repair_metafile *, const char **dir, char name[32]);
/*
 * metaindex.c: all that inodes say of themselves is in the lists of the AGs; before any of those below. Errors: NOMEM.
 */
int repair_metafiles_index(struct repair *);
void repair_metaindex_free(struct repair_metaindex *);
/* The file that has this inode, or NULL; the inode of a file, or XFS_NULL64; do several inodes say that they are it? */
const struct repair_rt_file *repair_metafile_of(const struct repair *, uint64_t ino);
uint64_t repair_metafile_find(const struct repair *, const struct repair_metafile *);
bool repair_metafile_is_doubled(const struct repair *, const struct repair_metafile *);
/* One more is known, or one is now something else. Errors: NOMEM. */
int repair_metafile_add(struct repair *, uint64_t ino, const struct repair_metafile *);
/* Makes a core, which has mode and times, that of this file. */
void repair_metafile_dress(const struct repair *, const struct repair_metafile *, struct xfs_dinode *);
/* Inodes that say of themselves what cannot be, or what another one says, too, become what their names say. */
int repair_metafiles_settle(struct repair *);

#endif
