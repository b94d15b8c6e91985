/* SPDX-License-Identifier: BSD-2-Clause */
/* agcheck.c - reads an AG back and checks it block by block, with arrays that have an element per block. */
#include "tests/unit/agcheck.h"

#include "libxfs/base/crc32c.h"

#include "tests/unit/quick.h"

#include <stdlib.h>

static const enum xfs_btree_id ids[XFS_TREE_COUNT] = {
	XFS_BTREE_BNO, XFS_BTREE_CNT, XFS_BTREE_INO, XFS_BTREE_FINO, XFS_BTREE_RMAP, XFS_BTREE_REFC
};

/* ---- reading ---- */

static int get_block(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct agcheck *a = owner;
	uint8_t *data;

	qk_assert_uint_gt(ptr, a->geo->agfl_block);
	qk_assert_uint_lt(ptr, a->length);
	data = malloc(a->geo->blocksize);
	qk_assert_int_eq(xfs_dev_read(a->dev, xfs_agbno_daddr(a->geo, a->agno, XFS_AGBNO(ptr)).v << XFS_BBSHIFT, data,
				      a->geo->blocksize), 0);
	*out = (struct xfs_btree_block){ ptr, data, data };
	return 0;
}

static void put_block(void *owner, struct xfs_btree_block *b)
{
	(void)owner;
	free(b->handle);
}

static uint64_t daddr_of(void *owner, uint64_t ptr)
{
	struct agcheck *a = owner;

	return xfs_agbno_daddr(a->geo, a->agno, XFS_AGBNO(ptr)).v;
}

static void on_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

static int keep_record(void *payload, const void *rec)
{
	struct agcheck_records *r = payload;

	if ((r->n & (r->n - 1)) == 0)
		r->bytes = realloc(r->bytes, (r->n ? 2 * r->n : 1) * r->reclen);
	memcpy(r->bytes + r->n++ * r->reclen, rec, r->reclen);
	return 0;
}

struct marking { struct agcheck *a; unsigned tree; };

static int mark_block(void *payload, uint64_t ptr, unsigned level, const uint8_t *data)
{
	struct marking *m = payload;

	(void)level;
	(void)data;
	qk_assert_msg(!m->a->tree_of[ptr], "block %u is in two trees", (unsigned)ptr);
	m->a->tree_of[ptr] = (uint8_t)(1 + m->tree);
	m->a->tree_blocks[m->tree]++;
	return 0;
}

static void read_tree(struct agcheck *a, unsigned t, uint32_t root, uint32_t levels)
{
	const struct xfs_sink sink = { on_finding, NULL };
	struct xfs_btree bt = {
		.kind = &xfs_btree_kinds[ids[t]], .io = { a, get_block, put_block, NULL },
		.blocksize = a->geo->blocksize, .v5 = a->geo->v5, .root = root, .levels = levels, .uuid = a->geo->uuid,
		.owner = a->agno.v, .daddr_of = daddr_of, .ptr_min = a->geo->agfl_block + 1, .ptr_max = a->length,
	};
	struct xfs_btree_verify v = { .sink = &sink, .no_sharing = !a->geo->reflink };
	struct marking m = { a, t };
	struct xfs_btree_walk walk = { mark_block, NULL, &m };

	a->recs[t].reclen = bt.kind->shape->reclen;
	qk_assert_int_eq(xfs_btree_verify(&bt, &v), 0);
	qk_assert_uint_eq(v.findings, 0);
	qk_assert_int_eq(xfs_btree_query_all(&bt, keep_record, &a->recs[t]), 0);
	qk_assert_int_eq(xfs_btree_walk(&bt, &walk), 0);
	qk_assert_uint_eq(a->recs[t].n, v.records);
	qk_assert_uint_eq(a->tree_blocks[t], v.blocks);
}

static void read_headers(struct agcheck *a)
{
	uint32_t ss = a->geo->sectsize, slots = a->geo->agfl_size;
	uint8_t *s = malloc(3 * (size_t)ss);

	qk_assert_int_eq(xfs_dev_read(a->dev, xfs_ag_header_daddr(a->geo, a->agno, 1).v << XFS_BBSHIFT, s,
				      3 * (size_t)ss), 0);
	xfs_agf_decode(&a->agf, s);
	xfs_agi_decode(&a->agi, s + ss);
	qk_assert_uint_eq(a->agf.magicnum, XFS_AGF_MAGIC);
	qk_assert_uint_eq(a->agi.magicnum, XFS_AGI_MAGIC);
	if (a->geo->v5) {
		qk_assert(xfs_crc32c_check(s, ss, XFS_OFF(agf, crc)));
		qk_assert(xfs_crc32c_check(s + ss, ss, XFS_OFF(agi, crc)));
		qk_assert(xfs_crc32c_check(s + 2 * ss, ss, XFS_OFF(agfl, crc)));
		qk_assert_uint_eq(xfs_be32(s + 2 * ss), XFS_AGFL_MAGIC);
		qk_assert_mem_eq(a->agf.uuid, a->geo->uuid, 16);
		qk_assert_mem_eq(a->agi.uuid, a->geo->uuid, 16);
	}
	qk_assert_uint_eq(a->agf.seqno, a->agno.v);
	qk_assert_uint_eq(a->agi.seqno, a->agno.v);
	qk_assert_uint_eq(a->agf.length, a->length);
	qk_assert_uint_eq(a->agi.length, a->length);
	qk_assert_uint_lt(a->agf.flfirst, slots);
	qk_assert_uint_lt(a->agf.fllast, slots);
	qk_assert_uint_le(a->agf.flcount, slots);
	qk_assert_uint_eq((a->agf.flfirst + a->agf.flcount + slots - 1) % slots, a->agf.fllast);
	a->agfl = calloc(a->agf.flcount + 1, sizeof(*a->agfl));
	for (uint32_t i = 0; i < slots; i++) {
		uint32_t pos = (i + slots - a->agf.flfirst) % slots;
		uint32_t v = xfs_be32(s + 2 * ss + xfs_agfl_slot_off(a->geo->v5, i));

		if (pos >= a->agf.flcount)
			continue;
		qk_assert_uint_gt(v, a->geo->agfl_block);
		qk_assert_uint_lt(v, a->length);
		qk_assert_uint_eq(a->tree_of[v], 0);
		a->tree_of[v] = AGCHECK_AGFL;
		a->agfl[pos] = v;
	}
	free(s);
}

void agcheck_read(struct agcheck *a, const struct xfs_geometry *geo, struct xfs_dev *dev, xfs_agno_t agno)
{
	memset(a, 0, sizeof(*a));
	a->geo = geo;
	a->dev = dev;
	a->agno = agno;
	a->length = xfs_ag_length(geo, agno);
	a->tree_of = calloc(a->length, 1);
	read_headers(a);
	read_tree(a, XFS_TREE_BNO, a->agf.bnoroot, a->agf.bnolevel);
	read_tree(a, XFS_TREE_CNT, a->agf.cntroot, a->agf.cntlevel);
	read_tree(a, XFS_TREE_INO, a->agi.root, a->agi.level);
	if (geo->finobt)
		read_tree(a, XFS_TREE_FINO, a->agi.free_root, a->agi.free_level);
	if (geo->rmapbt)
		read_tree(a, XFS_TREE_RMAP, a->agf.rmaproot, a->agf.rmaplevel);
	if (geo->reflink)
		read_tree(a, XFS_TREE_REFC, a->agf.refcntroot, a->agf.refcntlevel);
}

void agcheck_release(struct agcheck *a)
{
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		free(a->recs[t].bytes);
	free(a->tree_of);
	free(a->agfl);
}

struct xfs_claim agcheck_rmap(const struct agcheck *a, size_t k)
{
	struct xfs_rmap_rec r;

	xfs_rmap_rec_decode(&r, a->recs[XFS_TREE_RMAP].bytes + k * 24);
	return (struct xfs_claim){ r.startblock, r.blockcount, r.owner, r.offset | (r.attrfork ? XFS_RMAP_ATTR : 0) |
		(r.bmbtblock ? XFS_RMAP_BMBT : 0) | (r.extentflag ? XFS_RMAP_UNWRITTEN : 0) };
}

/* ---- invariants ---- */

static int rec8_cmp(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

/* 2 and the free part of 1: marks free blocks */
static void check_free_space(const struct agcheck *a, uint8_t *used)
{
	const struct agcheck_records *bno = &a->recs[XFS_TREE_BNO], *cnt = &a->recs[XFS_TREE_CNT];
	uint8_t *sorted = malloc(cnt->n * 8 + 1);
	uint64_t sum = 0, longest = 0, end = 0;

	qk_assert_uint_eq(bno->n, cnt->n);
	if (cnt->n)
		memcpy(sorted, cnt->bytes, cnt->n * 8);
	qsort(sorted, cnt->n, 8, rec8_cmp);
	for (size_t i = 0; i < bno->n; i++) {
		struct xfs_bnobt_rec r;

		qk_assert_mem_eq(sorted + 8 * i, bno->bytes + 8 * i, 8);
		xfs_bnobt_rec_decode(&r, bno->bytes + 8 * i);
		qk_assert_uint_gt(r.startblock, end);	/* block 0 is never free, and no two touch */
		qk_assert_uint_gt(r.blockcount, 0);
		end = (uint64_t)r.startblock + r.blockcount;
		qk_assert_uint_le(end, a->length);
		memset(used + r.startblock, 0, r.blockcount);
		sum += r.blockcount;
		longest = xfs_max(longest, r.blockcount);
	}
	qk_assert_uint_eq(sum, a->agf.freeblks);
	qk_assert_uint_eq(longest, a->agf.longest);
	free(sorted);
}

static uint64_t without_root(uint64_t blocks)
{
	return blocks ? blocks - 1 : 0;
}

/* 4, 5, 9 as far as headers tell */
static void check_counts(const struct agcheck *a)
{
	const uint64_t *n = a->tree_blocks;

	qk_assert_uint_eq(a->agf.rmapblocks, n[XFS_TREE_RMAP]);
	qk_assert_uint_eq(a->agf.refcntblocks, n[XFS_TREE_REFC]);
	qk_assert_uint_eq(a->agi.ino_blocks, a->geo->inobtcnt ? n[XFS_TREE_INO] : 0);
	qk_assert_uint_eq(a->agi.fino_blocks, a->geo->inobtcnt ? n[XFS_TREE_FINO] : 0);
	if (a->geo->lazycount)
		qk_assert_uint_eq(a->agf.btreeblks, without_root(n[XFS_TREE_BNO]) + without_root(n[XFS_TREE_CNT]) +
				  without_root(n[XFS_TREE_RMAP]));
}

static struct xfs_inobt_rec chunk_at(const struct agcheck *a, enum xfs_build_tree t, size_t k)
{
	struct xfs_inobt_rec r;

	xfs_inobt_rec_decode(&r, a->recs[t].bytes + 16 * k);
	if (!a->geo->sparse) {
		qk_assert_uint_eq(r.holemask, 0);
		qk_assert_uint_eq(r.count, 0);
		r.count = 64;
	}
	return r;
}

/* 6 and 17: marks blocks of inodes in `inodes` */
static void check_inodes(const struct agcheck *a, uint8_t *inodes)
{
	uint64_t count = 0, nfree = 0, k = 0;

	for (size_t i = 0; i < a->recs[XFS_TREE_INO].n; i++) {
		struct xfs_inobt_rec r = chunk_at(a, XFS_TREE_INO, i);

		count += r.count;
		nfree += r.freecount;
		for (unsigned n = 0; n < 64; n++)
			if (!(r.holemask >> n / 4 & 1))
				inodes[(r.startino + n) >> a->geo->inopblog] = 1;
		if (a->geo->finobt && r.freecount) {	/* 16 */
			qk_assert_uint_lt(k, a->recs[XFS_TREE_FINO].n);
			qk_assert_mem_eq(a->recs[XFS_TREE_FINO].bytes + 16 * k, a->recs[XFS_TREE_INO].bytes + 16 * i,
					 16);
			k++;
		}
	}
	qk_assert_uint_eq(k, a->recs[XFS_TREE_FINO].n);
	qk_assert_uint_eq(count, a->agi.count);
	qk_assert_uint_eq(nfree, a->agi.freecount);
}

struct layers { uint32_t *all, *shareable; uint8_t *special; };	/* per block; special: low byte of the owner */

static void lay(struct layers *l, const struct agcheck *a)
{
	for (size_t k = 0; k < a->recs[XFS_TREE_RMAP].n; k++) {
		struct xfs_claim c = agcheck_rmap(a, k);

		qk_assert_uint_le((uint64_t)c.agbno + c.len, a->length);
		for (uint32_t b = c.agbno; b < c.agbno + c.len; b++) {
			l->all[b]++;
			l->shareable[b] += xfs_claim_shareable(&c);
			if (xfs_owner_is_special(c.owner))
				l->special[b] = (uint8_t)c.owner;
		}
	}
}

/* Owner that a block of a tree or of the free list must have, 0: none of these. */
static uint8_t tree_owner(uint8_t tree)
{
	switch (tree) {
	case 0:
		return 0;
	case 1 + XFS_TREE_INO:
	case 1 + XFS_TREE_FINO:
		return (uint8_t)XFS_OWN_INOBT;
	case 1 + XFS_TREE_REFC:
		return (uint8_t)XFS_OWN_REFC;
	default:
		return (uint8_t)XFS_OWN_AG;
	}
}

static bool is_tree_owner(uint8_t owner)
{
	return owner == (uint8_t)XFS_OWN_INOBT || owner == (uint8_t)XFS_OWN_REFC || owner == (uint8_t)XFS_OWN_AG;
}

/* 1, 3 to 8, 12, 18 */
static void check_owners(const struct agcheck *a, const uint8_t *used, const uint8_t *inodes)
{
	struct layers l = { calloc(a->length, 4), calloc(a->length, 4), calloc(a->length, 1) };
	uint32_t *refs = calloc(a->length, 4);
	uint8_t *cow = calloc(a->length, 1);

	for (size_t k = 0; k < a->recs[XFS_TREE_REFC].n; k++) {
		struct xfs_refc_rec r;

		xfs_refc_rec_decode(&r, a->recs[XFS_TREE_REFC].bytes + 12 * k);
		qk_assert(r.cowflag ? r.refcount == 1 : r.refcount >= 2);
		for (uint32_t b = r.startblock; b < r.startblock + r.blockcount; b++) {
			cow[b] += r.cowflag;
			refs[b] += r.cowflag ? 0 : r.refcount;
		}
	}
	lay(&l, a);
	for (uint32_t b = 0; b < a->length; b++) {
		uint8_t want = tree_owner(a->tree_of[b]);

		qk_assert_msg(used[b] == (l.all[b] != 0), "block %u: free %d, records %u", b, !used[b], l.all[b]);
		qk_assert_msg(l.all[b] < 2 || (a->geo->reflink && l.all[b] == l.shareable[b]), "block %u", b);
		qk_assert(want ? l.special[b] == want : !is_tree_owner(l.special[b]));
		qk_assert((l.special[b] == (uint8_t)XFS_OWN_INODES) == inodes[b]);
		qk_assert((l.special[b] == (uint8_t)XFS_OWN_FS) == (b <= a->geo->agfl_block));
		qk_assert(!a->geo->reflink || (l.special[b] == (uint8_t)XFS_OWN_COW) == cow[b]);
		qk_assert(!a->geo->reflink || refs[b] == (l.shareable[b] > 1 ? l.shareable[b] : 0));
	}
	free(l.all);
	free(l.shareable);
	free(l.special);
	free(refs);
	free(cow);
}

/* trees that hold nothing say at least that tree blocks, inodes and free space are apart */
static void check_without_rmap(const struct agcheck *a, const uint8_t *used, const uint8_t *inodes)
{
	for (uint32_t b = 0; b < a->length; b++) {
		qk_assert(used[b] || !(a->tree_of[b] || inodes[b] || b <= a->geo->agfl_block));
		qk_assert(!inodes[b] || !a->tree_of[b]);
	}
}

void agcheck_invariants(const struct agcheck *a)
{
	uint8_t *used = malloc(a->length), *inodes = calloc(a->length, 1);

	memset(used, 1, a->length);
	check_free_space(a, used);
	check_counts(a);
	check_inodes(a, inodes);
	if (a->geo->rmapbt)
		check_owners(a, used, inodes);
	else
		check_without_rmap(a, used, inodes);
	free(used);
	free(inodes);
}
