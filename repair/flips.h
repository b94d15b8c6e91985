/* SPDX-License-Identifier: BSD-2-Clause */
/* flips.h - blocks with one flipped bit: read as they should be, and put right on the device (flips.c). */
#ifndef REPAIR_FLIPS_H
#define REPAIR_FLIPS_H

#include "repair/repair.h"

/* Opens the filesystem on r->primary, with blocks that are mended as they are read. Errors: those of xfs_fs_open(). */
int repair_fs_open(struct repair *, struct xfs_fs **out, const struct xfs_sink *);
/*
 * Writes back what was mended so far, durable on return.  Blocks that changed on the device since are left alone.
 * Nothing when looking only.
 */
int repair_write_flips(struct repair *);
void repair_forget_flips(struct repair *);
/* What a view keeps becomes known to r; *news: it was not before. Errors: NOMEM. */
int repair_adopt_flip(struct repair *r, const struct repair *view, size_t n, bool *news);

#endif
