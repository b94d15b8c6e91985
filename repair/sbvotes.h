/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbvotes.h - what the rest of a filesystem says of a superblock, and what of it can be computed.
 */
#ifndef REPAIR_SBVOTES_H
#define REPAIR_SBVOTES_H

#include "repair/repair.h"

/* Points for each witness that fits `sb`; to be compared with those of another one. 0: its geometry is impossible. */
unsigned repair_sb_evidence(struct repair *, const struct xfs_sb *);

#endif
