/* SPDX-License-Identifier: BSD-2-Clause */
/* tool.h - xfs_repair but for its command line and the files of its devices. */
#ifndef REPAIR_TOOL_H
#define REPAIR_TOOL_H

#include "repair/devices.h"

enum { REPAIR_EXIT_CLEAN = 0, REPAIR_EXIT_CORRUPT = 1, REPAIR_EXIT_DIRTY_LOG = 2, REPAIR_EXIT_REPAIRED = 4 };

/* A run with all that it says. Returns the exit status. The devices stay open. */
int repair_tool(struct repair_devices *, const struct repair_options *);

#endif
