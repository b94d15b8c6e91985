/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * namemodel.h - a naive tree of names, and system calls at random on it and on a filesystem.
 *
 * There is one at a time: name_fs is opened, then name_start(), then name_step() as often as wanted.  Each call must
 * return what the model says; what both hold is for the test to compare.
 */
#ifndef TESTS_UNIT_NAMEMODEL_H
#define TESTS_UNIT_NAMEMODEL_H

#include "libxfs/name/attrchange.h"
#include "tests/unit/livefs.h"

#define NAME_NODES 400u
#define NAME_ENTRIES 900u
#define NAME_ATTRS 6u

struct name_node {
	uint64_t ino;			/* 0: not in use */
	unsigned mode, links, rdev;
	uint32_t parent;		/* of a directory */
	uint32_t seed;			/* of symlinks */
	uint32_t attr_seed[NAME_ATTRS], attr_len[NAME_ATTRS];
};
struct name_entry {
	uint32_t dir, name, node;
	bool used;
};

extern struct livefs name_fs;
extern struct name_node name_nodes[NAME_NODES];		/* 0 is the root */
extern struct name_entry name_entries[NAME_ENTRIES];
extern uint8_t name_value[XFS_ATTR_VALUE_MAX];		/* of name_attr() */

/* The root alone; steps choose among n names. */
void name_start(unsigned seed, uint32_t n);
/* One system call. */
void name_step(void);

/* What is written for a name, a target, and the k-th attribute that a node has or might have (text: 40 bytes). */
unsigned name_text(uint32_t id, char *name);
size_t name_target(const struct name_node *, char *target);
struct xfs_attr_want name_attr(const struct name_node *, unsigned k, char *text);
struct name_entry *name_find(uint32_t dir, uint32_t name);
bool name_is_dir(uint32_t node);
bool name_is_empty(uint32_t node);
/* One of its names is gone; with the last one it goes, too. */
void name_lose_link(uint32_t node);

#endif
