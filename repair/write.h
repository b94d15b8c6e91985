/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write.h - the stages of writing (superblock flag first, then new blocks, then what points to them).
 */
#ifndef REPAIR_WRITE_H
#define REPAIR_WRITE_H

#include "repair/repair.h"

/* sbfields.c: bytes of a superblock sector that the features of this filesystem use; the rest is zero. */
size_t repair_sb_used(const struct xfs_sb *);
/* Before the first write of a run: needsrepair goes to disk (V5) and is durable. Later calls do nothing. */
int repair_begin_writing(struct repair *);
/* log.c: an empty log at this cycle; durable. Errors: RANGE (no such cycle), OPEN (external, not given), IO, NOMEM. */
int repair_format_log(struct repair *, uint32_t cycle);
/* The same some cycles above the one that the log had. */
int repair_clear_log(struct repair *);
/* When this LSN, the greatest of all metadata, lies ahead of the log: says so and formats the log above it. */
int repair_raise_log(struct repair *, uint64_t most);
/* Writes r->primary with its counters; `needsrepair` sets the flag. */
int repair_write_primary(struct repair *, bool needsrepair);
/* Those that differ from it. */
int repair_write_secondaries(struct repair *);

#endif
