/* SPDX-License-Identifier: BSD-2-Clause */
/* blockscan.c - looking at all blocks of an AG, for what nothing leads to any more. */
#include "repair/scan.h"

#include <stdlib.h>

#define PIECE (1u << 20)

/* The first unit from `at` on that may hold something. */
static uint32_t pass_over(struct repair *r, uint64_t base, const struct repair_blockscan *s, uint32_t at)
{
	uint64_t next;

	if (s->holes)
		return at;
	next = xfs_dev_next_data(r->dev.data, base + (uint64_t)at * r->geo.blocksize) - base;
	next = next / r->geo.blocksize / s->unit * s->unit;
	return next > s->end ? s->end : (uint32_t)xfs_max(next, at);
}

int repair_scan_blocks(struct repair *r, xfs_agno_t agno, const struct repair_blockscan *s)
{
	uint64_t base = xfs_agbno_daddr(&r->geo, agno, XFS_AGBNO(0)).v * XFS_BBSIZE;
	uint32_t at = (uint32_t)xfs_round_up(s->from, s->unit), step = PIECE / r->geo.blocksize / s->unit * s->unit;
	uint8_t *bytes = malloc(PIECE);
	int error = bytes ? 0 : -XFS_E_NOMEM;

	while (!error) {
		uint32_t n;

		at = pass_over(r, base, s, at);
		if (at >= s->end || s->end - at < s->unit)
			break;
		n = (s->end - at < step ? s->end - at : step) / s->unit * s->unit;
		/* what can't be read comes back as zeroes */
		if (xfs_dev_read(r->dev.data, base + (uint64_t)at * r->geo.blocksize, bytes,
				 (size_t)n * r->geo.blocksize) ==
		    -XFS_E_SHORT)
			break;
		for (uint32_t k = 0; k < n && !error; k += s->unit)
			error = s->each(s->payload, at + k, bytes + (size_t)k * r->geo.blocksize);
		at += n;
	}
	free(bytes);
	return error;
}
