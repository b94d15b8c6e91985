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

/*
 * `state` is what xfs_log_state() found; a clean log is left alone.  Stale blocks ahead of the head become empty records
 * first, as half-written ones behind a torn head could be taken for the next.  Everything else must be on stable storage
 * before; the log is, when this returns.  Errors: CORRUPT (it has no head), NOSPC (no room between head and tail),
 * READONLY, IO, NOMEM.
 */
int xfs_log_close(const struct xfs_fs *, const struct xfs_log_state *state);

#endif
