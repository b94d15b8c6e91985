/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h - a layer that remembers which sectors could not be read; and what lay there. */
#ifndef REPAIR_WATCH_H
#define REPAIR_WATCH_H

#include "libxfs/device/device.h"

/* Takes over `below` on success. Errors: NOMEM. */
int repair_watch(struct xfs_dev **out, struct xfs_dev *below);
/* Ranges that could not be read so far, ascending, merged. Nonzero from found() stops and is returned. */
int repair_watch_each(const struct xfs_dev *watch, int (*found)(void *payload, uint64_t off, uint64_t len),
		      void *payload);

#endif
