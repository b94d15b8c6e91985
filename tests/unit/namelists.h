/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * namelists.h - what the readers of names hand out, copied to lists that the builders take.
 */
#ifndef TESTS_UNIT_NAMELISTS_H
#define TESTS_UNIT_NAMELISTS_H

#include "libxfs/build/attr.h"
#include "libxfs/build/dir.h"

struct attrlist {
	struct xfs_attrs a;
	struct xfs_build_attr *list;
	size_t n, room;
};

struct entrylist {
	struct xfs_build_dirent *list;
	size_t n, room;
	uint64_t parent;
};

/* For xfs_attrs_each(), the list's own `a`; values are read. */
int namelists_keep_attr(void *attrlist, const struct xfs_attr *);
/* Name and value become the list's. */
void namelists_add_attr(struct attrlist *, unsigned flags, const uint8_t *name, unsigned namelen, const uint8_t *value,
			uint32_t valuelen);
void namelists_free_attrs(struct attrlist *);
/* For xfs_dir_each(); "." is left out and ".." is the parent. */
int namelists_keep_entry(void *entrylist, const struct xfs_dir_entry *);
void namelists_free_entries(struct entrylist *);
/* The i-th of 2^bits names that have one hash, of 2 * bits bytes. */
void namelists_one_hash(uint8_t *name, unsigned bits, size_t i);
uint8_t *namelists_copy(const void *, size_t len);

#endif
