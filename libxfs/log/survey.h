/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * survey.h - where the log ends by all of its records, for when cycle numbers of single blocks may be damaged.
 *
 * Reads the whole log. The newest whole record names the tail; between them record follows record.  A gap is the end of
 * the log, as the kernel takes it, only where it can be one that writes left which were under way in a crash: it holds
 * blocks of the pass before, at most eight records stand behind it, and nothing in place is newer.  Any other gap is
 * damage.  Layer: log.
 */
#ifndef XFS_LOG_SURVEY_H
#define XFS_LOG_SURVEY_H

#include "libxfs/log/area.h"
#include "libxfs/log/state.h"

/*
 * `in_place`: an LSN that metadata in place bears. *out: kind, head, tail and what goes with them; `blocks` stays.
 * *torn: records behind a gap were dropped.  NOENT: no record makes sense, *out is as it was.  Other errors: NOMEM, and
 * of the device but for sectors that cannot be read.
 */
int xfs_log_survey(const struct xfs_log_area *, uint64_t in_place, struct xfs_log_state *out, bool *torn);

#endif
