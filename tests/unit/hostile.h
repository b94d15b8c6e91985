/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.h - reads everything that a filesystem holds, whatever state it is in.
 */
#ifndef TESTS_UNIT_HOSTILE_H
#define TESTS_UNIT_HOSTILE_H

#include "libxfs/mount/fs.h"

struct everything {
	uint64_t records, inodes, extents, entries, attributes, targets, touched, errors;
};
/* AG headers, trees, inodes, forks, directories, attributes, symlinks, log; each with its verifier. */
void read_everything(struct xfs_fs *, const struct xfs_sink *, struct everything *out);

#endif
