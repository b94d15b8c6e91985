/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agcheck.h - reads an AG back from a device and checks it block by block (format sheet 02, section 8).
 */
#ifndef TESTS_UNIT_AGCHECK_H
#define TESTS_UNIT_AGCHECK_H

#include "libxfs/btree/btree.h"
#include "libxfs/build/ag.h"
#include "libxfs/device/device.h"
#include "libxfs/ondisk/agheaders.h"

struct agcheck_records { uint8_t *bytes; size_t n, reclen; };

/* What was read; free with agcheck_release(). */
struct agcheck {
	const struct xfs_geometry *geo;
	struct xfs_dev *dev;
	xfs_agno_t agno;
	uint32_t length;
	struct xfs_agf agf;
	struct xfs_agi agi;
	struct agcheck_records recs[XFS_TREE_COUNT];
	uint64_t tree_blocks[XFS_TREE_COUNT];
	uint8_t *tree_of;	/* of each block: 0 none, 1 + tree, AGCHECK_AGFL */
	uint32_t *agfl;
};
#define AGCHECK_AGFL 100

/* Reads headers and trees; every CRC, key, link and count is checked. Fails the test otherwise. */
void agcheck_read(struct agcheck *, const struct xfs_geometry *, struct xfs_dev *, xfs_agno_t);
/* Invariants 1 to 9, 12, 16 and 18 between headers and trees. */
void agcheck_invariants(const struct agcheck *);
/* The k-th rmap record as a claim. */
struct xfs_claim agcheck_rmap(const struct agcheck *, size_t k);
void agcheck_release(struct agcheck *);

#endif
