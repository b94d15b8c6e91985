/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbvotes.h - what the rest of a filesystem says of a superblock, and what of it can be computed.
 */
#ifndef REPAIR_SBVOTES_H
#define REPAIR_SBVOTES_H

#include "repair/repair.h"

/* Points for each witness that fits `sb`; to be compared with those of another one. 0: its geometry is impossible. */
unsigned repair_sb_evidence(struct repair *, const struct xfs_sb *);
/* The root directory's number as mkfs chooses it. */
uint64_t repair_expected_root(const struct xfs_geometry *);
/* Sets the inode numbers of r->primary (whose geometry is r->geo) that are wrong, with findings. */
void repair_special_numbers(struct repair *);

#endif
