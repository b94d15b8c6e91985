/* SPDX-License-Identifier: BSD-2-Clause */
/* spacefs.c - filesystems in memory whose AGs hold nothing but their trees. */
#include "tests/unit/spacefs.h"

#include "libxfs/base/crc32c.h"
#include "tests/unit/quick.h"

#include <stdlib.h>

static uint64_t build(struct spacefs *s, const struct spacefs_options *o, uint32_t agno)
{
	static const uint32_t none;
	struct xfs_build_ag want = {
		.geo = &s->geo, .agno = XFS_AGNO(agno), .newino = XFS_NULL32, .dev = &s->dev->dev,
		.leaf_slack = o->full_blocks ? 0 : -1, .node_slack = o->full_blocks ? 0 : -1,
	};
	struct xfs_ag_switch sw;
	uint64_t blocks;

	qk_assert_int_eq(xfs_claims_new(&want.claims, &s->geo, 64 << 20, NULL), 0);
	for (size_t i = 0; agno == s->agno.v && i < o->nclaims; i++)
		qk_assert_int_eq(xfs_claims_add(want.claims, want.agno, &o->claims[i]), 0);
	qk_assert_int_eq(xfs_claims_seal(want.claims, want.agno), 0);
	if (agno == s->agno.v) {
		want.agfl = o->no_agfl ? &none : o->agfl;
		want.nagfl = o->nagfl;
	}
	qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
	qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
	blocks = sw.freeblks + sw.flcount + sw.btreeblks;
	xfs_ag_switch_release(&sw);
	xfs_claims_free(want.claims);
	return blocks;
}

/* Moves the free list in its ring. */
static void turn_agfl(struct spacefs *s, uint32_t first)
{
	uint32_t size = s->geo.agfl_size, ss = s->geo.sectsize, *slots = malloc(size * sizeof(*slots));
	uint8_t *agf = s->dev->bytes + (xfs_ag_header_daddr(&s->geo, s->agno, 1).v << XFS_BBSHIFT),
		 *agfl = agf + 2 * ss;
	struct xfs_agf f;

	xfs_agf_decode(&f, agf);
	for (uint32_t i = 0; i < size; i++)
		slots[(i + size - f.flfirst + first) % size] = xfs_be32(agfl + xfs_agfl_slot_off(s->geo.v5, i));
	for (uint32_t i = 0; i < size; i++)
		xfs_put_be32(agfl + xfs_agfl_slot_off(s->geo.v5, i), slots[i]);
	f.fllast = (f.fllast + size - f.flfirst + first) % size;
	f.flfirst = first;
	if (s->geo.v5) {
		xfs_agf_encode(agf, &f);
		xfs_crc32c_store(agf, ss, XFS_OFF(agf, crc));
		xfs_crc32c_store(agfl, ss, XFS_OFF(agfl, crc));
	} else {
		xfs_put_be32(agf + XFS_OFF(agf, flfirst), f.flfirst);
		xfs_put_be32(agf + XFS_OFF(agf, fllast), f.fllast);
	}
	free(slots);
}

void spacefs_init(struct spacefs *s, const struct spacefs_options *o)
{
	memset(s, 0, sizeof(*s));
	testfs_init(&s->geo, &o->fs);
	s->agno = XFS_AGNO(s->geo.agcount - 1);
	s->dev = memdev_new(s->geo.dblocks * s->geo.blocksize);
	s->set = (struct xfs_devset){ .data = &s->dev->dev };
	s->geo.sb.fdblocks = 0;
	for (uint32_t agno = 0; agno < s->geo.agcount; agno++)
		s->geo.sb.fdblocks += build(s, o, agno);
	if (o->flfirst)
		turn_agfl(s, o->flfirst);
	xfs_sb_encode(s->dev->bytes, &s->geo.sb);
	if (s->geo.v5)
		xfs_crc32c_store(s->dev->bytes, s->geo.sectsize, XFS_SB_CRC_OFF);
	qk_assert_int_eq(xfs_fs_open(&s->fs, &s->set, NULL, NULL), 0);
	qk_assert_int_eq(xfs_change_init(&s->change, s->fs), 0);
	qk_assert_int_eq(xfs_agspace_open(&s->ag, s->fs, s->agno), 0);
}

void spacefs_release(struct spacefs *s)
{
	xfs_change_release(&s->change);
	xfs_agspace_close(s->ag);
	xfs_fs_close(s->fs);
	xfs_dev_close(&s->dev->dev);
}

void spacefs_begin(struct spacefs *s)
{
	qk_assert_int_eq(xfs_agspace_join(s->ag, &s->change), 0);
}

void spacefs_sync(struct spacefs *s)
{
	qk_assert_int_eq(xfs_change_commit(&s->change), 0);
	qk_assert_int_eq(xfs_change_sync(s->fs), 0);
}

void spacefs_check(struct spacefs *s, struct agcheck *a)
{
	uint64_t blocks = 0;
	struct xfs_agf agf;

	agcheck_read(a, &s->fs->geo, &s->dev->dev, s->agno);
	agcheck_invariants(a);
	for (uint32_t agno = 0; agno < s->geo.agcount; agno++) {
		qk_assert_int_eq(xfs_fs_agf(s->fs, XFS_AGNO(agno), &agf), 0);
		blocks += (uint64_t)agf.freeblks + agf.flcount + agf.btreeblks;
	}
	/* what the library keeps, and what is on disk */
	qk_assert(!memcmp(&s->ag->agf.freeblks, &a->agf.freeblks, sizeof(a->agf.freeblks)));
	if (s->geo.lazycount)
		qk_assert_uint_eq(s->fs->geo.sb.fdblocks, blocks);
	qk_assert_uint_eq(xfs_sb_get_fdblocks((const void *)s->dev->bytes), s->fs->geo.sb.fdblocks);
}
