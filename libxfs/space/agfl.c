/* SPDX-License-Identifier: BSD-2-Clause */
/* agfl.c - the free list of an AG: a ring of single blocks for the trees (format sheet 01, sections 9.3 and 10). */
#include "libxfs/space/agspace_priv.h"

#include "libxfs/base/bytes.h"

#define BATCH 32u	/* blocks taken off a list that is too long at once */

static uint8_t *slot_of(struct xfs_agspace *ag, uint32_t i)
{
	return ag->agfl_buf->data + xfs_agfl_slot_off(ag->fs->geo.v5, i);
}

int xfs_agfl_take(struct xfs_agspace *ag, uint32_t *agbno)
{
	struct xfs_agf *f = &ag->agf;
	uint32_t size = ag->fs->geo.agfl_size;

	if (!f->flcount)
		return -XFS_E_NOSPC;
	*agbno = xfs_be32(slot_of(ag, f->flfirst));
	if (!xfs_agbno_range_valid(&ag->fs->geo, ag->agno, *agbno, 1))
		return -XFS_E_CORRUPT;
	f->flfirst = (f->flfirst + 1) % size;
	f->flcount--;
	xfs_agf_touch(ag);
	return 0;
}

int xfs_agfl_put(struct xfs_agspace *ag, uint32_t agbno)
{
	struct xfs_agf *f = &ag->agf;
	uint32_t size = ag->fs->geo.agfl_size, at = (f->flfirst + f->flcount) % size;

	if (f->flcount >= size)
		return -XFS_E_NOSPC;
	xfs_put_be32(slot_of(ag, at), agbno);
	xfs_change_dirty(ag->agfl_buf, (uint32_t)xfs_agfl_slot_off(ag->fs->geo.v5, at), 4);
	f->fllast = at;
	f->flcount++;
	xfs_agf_touch(ag);
	return 0;
}

uint32_t xfs_agspace_agfl_target(const struct xfs_agspace *ag)
{
	uint32_t want = xfs_agfl_minimum(&ag->fs->geo, ag->agf.bnolevel, ag->agf.cntlevel, ag->agf.rmaplevel);

	return want < ag->fs->geo.agfl_size ? want : ag->fs->geo.agfl_size;
}

/* Several at once: while they are freed, the trees may give blocks back to the list, which may have been full. */
static int drain(struct xfs_agspace *ag)
{
	uint64_t writes = ag->m.change->writes;
	uint32_t blocks[BATCH], n = 0;
	int err = 0;

	while (n < BATCH && ag->agf.flcount > xfs_agspace_agfl_target(ag) && !err) {
		err = xfs_agfl_take(ag, &blocks[n]);
		n += !err;
	}
	for (uint32_t i = 0; i < n && !err; i++)
		err = xfs_agspace_free_raw(ag, blocks[i], 1, XFS_OWN_AG, 0);
	return xfs_change_check(ag->m.change, writes, err);
}

static int refill(struct xfs_agspace *ag)
{
	struct xfs_alloc a = {
		.how = XFS_ALLOC_SIZE, .pool = XFS_POOL_AGFL, .minlen = 1, .owner = XFS_OWN_AG,
		.maxlen = xfs_agspace_agfl_target(ag) - ag->agf.flcount,
	};
	struct xfs_free_extent whole;
	uint64_t writes;
	int err = xfs_alloc_choose(ag, &a, &whole);

	if (err)
		return err;
	writes = ag->m.change->writes;
	err = xfs_alloc_take(ag, &a, &whole);
	for (uint32_t i = 0; i < a.len && !err; i++)
		err = xfs_agfl_put(ag, a.agbno + i);
	return xfs_change_check(ag->m.change, writes, err);
}

/*
 * First down, then up, and not down again: a block that goes or comes may let a tree lose or gain a level, which
 * changes what the list should have; at such a point there may be no length that both ways agree on.  A list that is
 * too long is legal and is cut another time.
 */
int xfs_agspace_fix_agfl(struct xfs_agspace *ag, bool freeing)
{
	uint32_t turns = ag->fs->geo.agfl_size;
	int err = 0;

	if (!ag->m.change)
		return -XFS_E_READONLY;
	while (turns-- && !err && ag->agf.flcount > xfs_agspace_agfl_target(ag))
		err = drain(ag);
	while (!err && ag->agf.flcount < xfs_agspace_agfl_target(ag))
		err = refill(ag);
	if (err == -XFS_E_NOSPC && freeing && !ag->m.change->error)
		return 0;	/* nothing was begun: the list is only shorter than it should be */
	return err;
}
