/* SPDX-License-Identifier: BSD-2-Clause */
/* madeag.c - AGs to build: claims by hand or at random, and checks of what was built from them. */
#include "tests/unit/madeag.h"

#include <stdlib.h>

void madeag_init(struct madeag *a, const struct testfs *fs, xfs_agno_t agno)
{
	memset(a, 0, sizeof(*a));
	testfs_init(&a->geo, fs);
	a->agno = agno;
	a->dev = recdev_new(xfs_agbno_daddr(&a->geo, agno, XFS_AGBNO(0)).v << XFS_BBSHIFT,
			    (uint64_t)xfs_ag_length(&a->geo, agno) * a->geo.blocksize);
}

void madeag_release(struct madeag *a)
{
	xfs_dev_close(&a->dev->dev);
	free(a->claims);
	free(a->chunks);
}

void madeag_claim(struct madeag *a, uint32_t agbno, uint32_t len, uint64_t owner, uint64_t offset)
{
	if ((a->nclaims & (a->nclaims - 1)) == 0)
		a->claims = realloc(a->claims, (a->nclaims ? 2 * a->nclaims : 1) * sizeof(*a->claims));
	a->claims[a->nclaims++] = (struct xfs_claim){ agbno, len, owner, offset };
}

static void madeag_chunk(struct madeag *a, const struct xfs_inode_chunk *c)
{
	if ((a->nchunks & (a->nchunks - 1)) == 0)
		a->chunks = realloc(a->chunks, (a->nchunks ? 2 * a->nchunks : 1) * sizeof(*a->chunks));
	a->chunks[a->nchunks++] = *c;
}

struct xfs_claims *madeag_seal(const struct madeag *a)
{
	struct xfs_claims *c;

	qk_assert_int_eq(xfs_claims_new(&c, &a->geo, 64 << 20, NULL), 0);
	for (size_t i = 0; i < a->nclaims; i++)
		qk_assert_int_eq(xfs_claims_add(c, a->agno, &a->claims[i]), 0);
	qk_assert_int_eq(xfs_claims_seal(c, a->agno), 0);
	return c;
}

struct xfs_build_ag madeag_request(const struct madeag *a, struct xfs_claims *c)
{
	return (struct xfs_build_ag){ .geo = &a->geo, .claims = c, .agno = a->agno, .chunks = a->chunks,
		.nchunks = a->nchunks, .newino = XFS_NULL32, .leaf_slack = -1, .node_slack = -1, .dev = &a->dev->dev };
}

void madeag_inodes(struct madeag *a, uint32_t agbno, unsigned half, uint64_t free)
{
	uint32_t per = 1u << a->geo.inopblog, blocks = per < 64 ? 64 / per : 1;
	struct xfs_inode_chunk c = { .startino = agbno << a->geo.inopblog, .count = half ? 32 : 64 };
	uint64_t there = half == 1 ? UINT32_MAX : half == 2 ? (uint64_t)UINT32_MAX << 32 : UINT64_MAX;

	c.holemask = half == 1 ? 0xff00 : half == 2 ? 0x00ff : 0;
	c.free = free | ~there;
	c.freecount = (uint8_t)__builtin_popcountll(c.free & there);
	madeag_chunk(a, &c);
	for (uint32_t n = 64; n < per; n += 64) {	/* several chunks in one block */
		c.startino += 64;
		madeag_chunk(a, &c);
	}
	madeag_claim(a, agbno + (half == 2 ? blocks / 2 : 0), half ? blocks / 2 : blocks, XFS_OWN_INODES, 0);
}

/* ---- at random ---- */

static void random_file(struct madeag *a, struct testrand *r, uint32_t at, uint32_t len)
{
	uint64_t ino = 131 + testrand_below(r, 40);

	switch (testrand_below(r, 12)) {
	case 0:
		madeag_claim(a, at, len, ino, XFS_RMAP_BMBT | (testrand_below(r, 2) ? XFS_RMAP_ATTR : 0));
		break;
	case 1:
		madeag_claim(a, at, len, ino, XFS_RMAP_ATTR | at);
		break;
	case 2:
	case 3:
		madeag_claim(a, at, len, ino, XFS_RMAP_UNWRITTEN | (at + testrand_below(r, 2)));
		break;
	case 4:
		if (a->geo.reflink) {
			madeag_claim(a, at, len, XFS_OWN_COW, 0);
			break;
		}
		/* fall through */
	default:
		madeag_claim(a, at, len, ino, at + 3 * testrand_below(r, 2));
	}
}

void madeag_fill(struct madeag *a, struct testrand *r, const struct madeag_density *d)
{
	uint32_t length = xfs_ag_length(&a->geo, a->agno), per = 1u << a->geo.inopblog, chunk = per < 64 ? 64 / per : 1;
	size_t n;

	for (uint32_t at = a->geo.agfl_block + 1, len; at < length; at += len) {
		len = 1 + testrand_below(r, d->longest);
		len = len < length - at ? len : length - at;
		if (testrand_below(r, 100) < d->gap)
			continue;
		if (testrand_below(r, 6) == 0 && at + 2 * chunk <= length) {
			uint32_t skip = (uint32_t)(xfs_round_up(at, chunk) - at);

			madeag_inodes(a, at + skip, a->geo.sparse && chunk > 1 ? testrand_below(r, 3) : 0,
				  testrand_below(r, 2) ? 0 : testrand_next(r));
			len = skip + chunk;
			continue;
		}
		random_file(a, r, at, len);
	}
	n = a->nclaims;
	for (size_t i = 0; a->geo.reflink && i < n * d->shared / 100; i++) {
		struct xfs_claim c = a->claims[testrand_below(r, (uint32_t)n)];
		uint32_t skip = testrand_below(r, c.len);

		if (xfs_claim_shareable(&c))
			madeag_claim(a, c.agbno + skip, 1 + testrand_below(r, c.len - skip), 1000 + i,
				     testrand_below(r, 5));
	}
}

static int to_list(void *payload, const struct xfs_claim *c)
{
	struct madeag *l = payload;

	madeag_claim(l, c->agbno, c->len, c->owner, c->offset);
	return 0;
}

void madeag_check_records(const struct madeag *a, const struct agcheck *k)
{
	struct xfs_claims *c;
	struct madeag list = { .nclaims = 0 };

	qk_assert_int_eq(xfs_claims_new(&c, &a->geo, 64 << 20, NULL), 0);
	for (size_t i = 0; i < a->nclaims; i++)
		qk_assert_int_eq(xfs_claims_add(c, a->agno, &a->claims[i]), 0);
	qk_assert_int_eq(xfs_claims_add(c, a->agno, &(struct xfs_claim){ 0, a->geo.agfl_block + 1, XFS_OWN_FS, 0 }), 0);
	for (uint32_t b = 0; b < k->length; b++) {
		uint8_t t = k->tree_of[b];
		uint64_t owner = t == 1 + XFS_TREE_INO || t == 1 + XFS_TREE_FINO ? XFS_OWN_INOBT :
			t == 1 + XFS_TREE_REFC ? XFS_OWN_REFC : XFS_OWN_AG;

		if (t)
			qk_assert_int_eq(xfs_claims_add(c, a->agno, &(struct xfs_claim){ b, 1, owner, 0 }), 0);
	}
	qk_assert_int_eq(xfs_claims_seal(c, a->agno), 0);
	qk_assert_int_eq(xfs_claims_each(c, a->agno, to_list, &list), 0);
	qk_assert_uint_eq(list.nclaims, k->recs[XFS_TREE_RMAP].n);
	for (size_t i = 0; i < list.nclaims; i++) {
		struct xfs_claim got = agcheck_rmap(k, i);

		qk_assert_mem_eq(&got, &list.claims[i], sizeof(got));
	}
	free(list.claims);
	xfs_claims_free(c);
}

/* Only headers and all blocks of the trees were written, each once. */
static void check_writes(const struct madeag *a, const struct agcheck *k)
{
	uint32_t per = a->geo.blocksize / 512, header = a->geo.sectsize / 512;

	for (uint64_t s = 0; s < (uint64_t)k->length * per; s++) {
		uint8_t owner = k->tree_of[s / per];
		bool want = (owner && owner != AGCHECK_AGFL) || (s >= header && s < 4 * header);

		qk_assert_msg(a->dev->written[s] == want, "sector %u", (unsigned)s);
	}
}

static void check_free_list(const struct madeag *a, const struct agcheck *k)
{
	uint32_t min = xfs_agfl_minimum(&a->geo, k->agf.bnolevel, k->agf.cntlevel, k->agf.rmaplevel);

	/* a few blocks that a tree turned out not to need may be there too */
	qk_assert_uint_le(k->agf.flcount, min + 12);
	if (k->agf.freeblks)
		qk_assert_uint_ge(k->agf.flcount, min);
}

int madeag_build(struct madeag *a, struct xfs_build_ag *want, uint64_t *vectors)
{
	struct xfs_ag_switch sw;
	struct agcheck k;
	int err;

	recdev_forget(a->dev);
	err = xfs_build_ag(want, &sw);
	if (err)
		return err;
	if (vectors)
		*vectors = a->dev->vectors;
	qk_assert(a->dev->ascending);
	qk_assert_int_eq(xfs_build_ag_commit(want, &sw), 0);
	agcheck_read(&k, &a->geo, &a->dev->dev, a->agno);
	check_writes(a, &k);
	agcheck_invariants(&k);
	check_free_list(a, &k);
	if (a->geo.rmapbt)
		madeag_check_records(a, &k);
	qk_assert_uint_eq(sw.freeblks, k.agf.freeblks);
	qk_assert_uint_eq(sw.flcount, k.agf.flcount);
	qk_assert_uint_eq(sw.icount, k.agi.count);
	qk_assert_uint_eq(sw.ifree, k.agi.freecount);
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		qk_assert_uint_eq(sw.tree_blocks[t], k.tree_blocks[t]);
	agcheck_release(&k);
	xfs_ag_switch_release(&sw);
	return 0;
}

const struct testfs madeag_kinds[MADEAG_KINDS] = {
	{ .agblocks = 5000, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .last = 19000 },
	{ .blocksize = 65536, .agblocks = 500, .agcount = 2 },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .no_reflink = true },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .no_rmapbt = true },
	{ .blocksize = 1024, .agblocks = 20000, .agcount = 2, .no_finobt = true, .no_sparse = true },
	{ .blocksize = 512, .agblocks = 33000, .agcount = 2, .v4 = true },
	{ .blocksize = 4096, .agblocks = 20000, .agcount = 2, .v4 = true },
	{ .blocksize = 2048, .sectsize = 1024, .agblocks = 20000, .agcount = 2, .no_inobtcnt = true },
};
