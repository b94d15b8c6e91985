/* SPDX-License-Identifier: BSD-2-Clause */
/* places.h - what lies at a byte of the data device, for plans and for lists of unreadable sectors. */
#ifndef REPAIR_PLACES_H
#define REPAIR_PLACES_H

#include "repair/repair.h"

/* In which AG and block of it a byte lies; false: behind the last AG, or no geometry is known. */
bool repair_place_of(const struct repair *, uint64_t off, uint32_t *agno, uint32_t *agbno);
/*
 * The structure at a byte; *end: where it ends.  `block` holds the filesystem block around it, as it is now.  Static
 * strings.
 */
const char *repair_structure_at(const struct repair *, uint64_t off, const uint8_t *block, uint64_t *end);

/* A part of the device that could not be read, one structure each. */
struct repair_hit {
	uint64_t off, len;
	uint32_t agno, agbno;		/* XFS_NULL32: none */
	uint64_t owner;			/* by the reverse mappings after the run: an inode, or XFS_NULL64 */
	const char *structure;
	bool gone;			/* it can be read now: it was written */
};
/* All of them, ascending; *hits is freed by the caller. Errors: NOMEM. */
int repair_list_hits(struct repair *, const struct xfs_dev *watch, struct repair_hit **hits, size_t *n);

#endif
