/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classic.h - findings in the words of upstream, for the scripts that look for them (format sheet 06, section 15).
 *
 * Where a finding reads as it always did, those words stand in place of ours (classic.def); -v has both, and JSON and
 * plans have ours alone.  Upstream tells of secondary superblocks when it comes to their AGs: in text these findings
 * wait until then.
 */
#ifndef REPAIR_CLASSIC_H
#define REPAIR_CLASSIC_H

#include "libxfs/base/findings.h"

#include <stdbool.h>
#include <stdint.h>

struct repair;

struct repair_classic {
	struct repair *r;
	bool primary_told;		/* why the primary superblock is not usable */
	bool from_secondary, scanning;
	unsigned made;			/* bits: root directory, realtime bitmap, realtime summary */
};

/* Says on stderr what upstream says to a finding that is repaired, if anything. True: nothing need be added to it. */
bool repair_classic_says(struct repair_classic *, const struct xfs_finding *);
/* True while a finding has to wait. */
bool repair_classic_waits(const struct repair_classic *, const struct xfs_finding *);
/* A line of another kind was said. */
void repair_classic_behind(struct repair_classic *, const char *line);
/* Before the last line of a run that came to its end. */
void repair_classic_end(const struct repair_classic *);

#endif
