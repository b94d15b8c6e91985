/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * close.h - the end of a log whose changes are all in place: an unmount record behind the last one (format sheet 04,
 * sections 7 J and 8.5).
 *
 * Nothing that a replay would need is overwritten, so that the log is either as dirty as before or clean, wherever the
 * writing stops.  Layer: log.
 */
#ifndef XFS_LOG_CLOSE_H
#define XFS_LOG_CLOSE_H

#include "libxfs/log/state.h"

struct xfs_log_parts;

/*
 * `state` is what xfs_log_state() found; a clean log is left alone.  Stale blocks ahead of the head become empty
 * records first, as half-written ones behind a torn head could be taken for the next.  Everything else must be on
 * stable storage before; the log is, when this returns.  Errors: CORRUPT (it has no head), NOSPC (no room between head
 * and tail), READONLY, IO, NOMEM.
 */
int xfs_log_close(const struct xfs_fs *, const struct xfs_log_state *state);
/*
 * A log that is damaged (parts.h) ends before its damage afterwards, as a crash there would have left it: all blocks
 * from there to the tail become empty records of the cycle before.  From the far end on, so that wherever the writing
 * stops the damage is where it was, or the log ends there.  Errors: NOSPC, and nothing was written (what the last
 * record before the damage needs is overwritten); CORRUPT (no record stands before the damage), READONLY, IO, NOMEM.
 */
int xfs_log_cut(const struct xfs_fs *, const struct xfs_log_parts *parts);

#endif
