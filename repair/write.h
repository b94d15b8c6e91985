/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write.h - the stages of writing (superblock flag first, then new blocks, then what points to them).
 */
#ifndef REPAIR_WRITE_H
#define REPAIR_WRITE_H

#include "repair/repair.h"

/* Before the first write of a run: needsrepair goes to disk (V5) and is durable. Later calls do nothing. */
int repair_begin_writing(struct repair *);
/* Writes r->primary with its counters; `needsrepair` sets the flag. */
int repair_write_primary(struct repair *, bool needsrepair);

#endif
