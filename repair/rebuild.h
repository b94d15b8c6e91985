/* SPDX-License-Identifier: BSD-2-Clause */
/* rebuild.h - stage 1 of a repair: claims, new forks, new trees. */
#ifndef REPAIR_REBUILD_H
#define REPAIR_REBUILD_H

#include "repair/evidence.h"

/* True when the trees of this AG are rebuilt. */
bool repair_ag_changes(const struct repair *, uint32_t agno);
/*
 * `len` blocks in a row for an inode, of an AG that changes, after the forks were claimed.  NOSPC: not there, or the
 * trees of the AG need them.
 */
int repair_take_blocks(struct repair *, uint32_t agno, uint32_t len, uint64_t ino, uint64_t offword, uint64_t *fsbno);
/* Decides the form of each fork that changes and where its btree blocks may go; marks those AGs. */
int repair_plan_forks(struct repair *);
/* Writes the btree blocks of the forks and completes the inodes' images. Claims are sealed. */
int repair_build_forks(struct repair *);
/* The same for one inode of the list. */
int repair_build_inode(struct repair *, struct repair_inode *);

/*
 * names_fill_build.c: inodes that stand in no list, as they are many: r->fill knows which these are, builds their forks
 * with the others, and writes them when what they lead to is durable.
 */
bool repair_fills(const struct repair *, uint64_t ino);
int repair_fill_build(struct repair *);
int repair_fill_write(struct repair *);

/* Claims, forks and trees: all that nothing points to yet. NOSPC: no room beside what is there. */
int repair_build_new(struct repair *);

/*
 * in_place.c: repair_build_new() and repair_switch_over(), and where there is no room to keep the old beside the new,
 * the same over what is given up.  Errors: NOSPC when that does not suffice or the log cannot take it; nothing has
 * changed.
 */
int repair_rebuild_one(struct repair *);
/* The same, in as many parts as it takes. */
int repair_rebuild_and_switch(struct repair *);
/* parts.c: part by part. Errors: NOSPC when there is no room for one inode; parts before it are done. */
int repair_rebuild_in_parts(struct repair *);

#endif
