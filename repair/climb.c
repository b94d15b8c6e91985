/* SPDX-License-Identifier: BSD-2-Clause */
/* climb.c - ways up the tree of directories, each part once: trees may be as deep as they have directories. */
#include "repair/names.h"

uint64_t repair_climb(struct repair *r, uint64_t ino, uint64_t (*above)(void *payload, uint64_t ino), void *payload)
{
	uint64_t at = ino, ring = XFS_NULL64;
	enum repair_climb end = REPAIR_SETTLED;
	struct repair_fact *f;

	for (f = repair_fact_of(r, at); f && f->climb == REPAIR_UNCLIMBED; f = repair_fact_of(r, at)) {
		f->climb = REPAIR_CLIMBING;
		at = above(payload, at);
	}
	if (f && f->climb != REPAIR_SETTLED)
		end = REPAIR_TO_RING;
	if (f && f->climb == REPAIR_CLIMBING)
		ring = at;
	at = ino;
	for (f = repair_fact_of(r, at); f && f->climb == REPAIR_CLIMBING; f = repair_fact_of(r, at)) {
		f->climb = (uint8_t)end;
		at = above(payload, at);
	}
	return ring;
}
