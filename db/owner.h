/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owner.h - who owns a block: asked of the reverse mappings, or where there are none of everything that can own blocks.
 */
#ifndef DB_OWNER_H
#define DB_OWNER_H

#include "db/report.h"

#define DB_OWNER_FREE XFS_OWN_NULL	/* in this list only: free space */
#define DB_OWNER_FREELIST XFS_OWN_UNKNOWN	/* in this list only: block of the AGFL */

/* One owner of the block. */
struct db_owner {
	uint64_t owner;			/* inode number or XFS_OWN_* */
	uint64_t offset;		/* of the block in the file, blocks; inodes only */
	bool attr, bmbt, unwritten;
};

struct db_owners {
	struct db_owner *list;
	size_t n, room;
};
int db_owners_add(struct db_owners *, const struct db_owner *);

/* All owners of a block of a filesystem without reverse mappings. Reads all inodes. */
int db_owners_scan(struct db *, xfs_agno_t, xfs_agbno_t, struct db_owners *);

/* Paths of inodes. */
struct db_link {
	uint64_t ino, dir;
	size_t name;			/* place in names */
};
struct db_links {
	struct db_link *list;		/* by inode */
	size_t n, room;
	char *names;
	size_t names_len, names_room;
};
/* Where inodes are linked: `inos` ascending. Reads all directories. */
int db_links_find(struct db *, const uint64_t *inos, size_t n, struct db_links *);
void db_links_free(struct db_links *);

#endif
