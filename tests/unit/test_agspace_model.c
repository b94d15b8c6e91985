/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_agspace_model.c - random life of an AG against a naive model that knows each block: allocate, free, map, unmap,
 * convert, share, unshare, stage.  Files are only owners here: no inode stands behind them.
 */
#include "libxfs/space/agspace.h"
#include "libxfs/space/rmap.h"
#include "tests/unit/quick.h"
#include "tests/unit/spacefs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define MOST 9000u		/* blocks of an AG */
#define FILES 6u		/* those from SHARING on have the reflink flag */
#define SHARING 3u

struct model {
	/* per file and block: 0 = not mapped, else 1 + offset with flags */
	uint64_t map[FILES][MOST];
	uint8_t staged[MOST];
	uint8_t system[MOST];		/* headers and inode trees: from the start, for ever */
	uint32_t blocks;
};

static struct model m, saved;
static struct spacefs s;
static struct testrand rnd;
static unsigned done[8], nospc;
static uint32_t next_offset;

static uint32_t pick(uint32_t n) { return testrand_below(&rnd, n); }

static uint32_t owners_of(uint32_t b)
{
	uint32_t n = 0;

	for (unsigned f = 0; f < FILES; f++)
		n += m.map[f][b] != 0;
	return n;
}

/* Free as far as files know: the trees may sit there. */
static bool is_free(uint32_t b)
{
	return !m.system[b] && !m.staged[b] && !owners_of(b);
}

/* ---- allocation, with an oracle that looks at every free extent ---- */

struct frees { struct xfs_bnobt_rec e[MOST]; size_t n; };
static struct frees frees;

static int keep_free(void *payload, const void *rec)
{
	(void)payload;
	xfs_bnobt_rec_decode(&frees.e[frees.n++], rec);
	return 0;
}

/* Blocks that the request can get at most, by looking at all free extents. */
static uint32_t oracle(const struct xfs_alloc *a)
{
	uint32_t target = xfs_agspace_agfl_target(s.ag), align = a->alignment ? a->alignment : 1, best = 0, most;
	uint64_t have = (uint64_t)s.ag->agf.freeblks + s.ag->agf.flcount;

	if (have < (uint64_t)target + a->minleft)
		return 0;
	most = (uint32_t)xfs_min(a->maxlen, have - target - a->minleft);
	frees.n = 0;
	qk_assert_int_eq(xfs_btree_query_all(&s.ag->tree[XFS_AGT_BNO], keep_free, NULL), 0);
	for (size_t i = 0; i < frees.n; i++) {
		uint32_t from = frees.e[i].startblock, end = from + frees.e[i].blockcount, n;

		from = (from + align - 1) / align * align;
		if (a->how == XFS_ALLOC_EXACT) {
			if (a->target < frees.e[i].startblock || a->target >= end)
				continue;
			from = a->target;
		}
		n = from < end ? end - from : 0;
		n = n < most ? n : most;
		best = n > best ? n : best;
	}
	return best < a->minlen ? 0 : best;
}

/* True when the blocks were given; the model is not told. */
static bool allocate(struct xfs_alloc *a)
{
	uint32_t want;
	int err;

	qk_assert_int_eq(xfs_agspace_fix_agfl(s.ag, true), 0);
	want = oracle(a);
	err = xfs_agspace_alloc(s.ag, a);
	if (!want) {
		qk_assert_int_eq(err, -XFS_E_NOSPC);
		nospc++;
		return false;
	}
	qk_assert_int_eq(err, 0);
	qk_assert_uint_eq(a->len, want);
	qk_assert(a->alignment < 2 || a->agbno % a->alignment == 0);
	qk_assert(a->how != XFS_ALLOC_EXACT || a->agbno == a->target);
	for (uint32_t i = a->agbno; i < a->agbno + a->len; i++)
		qk_assert(is_free(i));
	return true;
}

static struct xfs_alloc random_request(void)
{
	struct xfs_alloc a = { .how = (enum xfs_alloc_how)pick(3), .target = pick(m.blocks), .owner = XFS_OWN_NULL };

	a.minlen = 1 + pick(8);
	a.maxlen = a.minlen + pick(16);
	if (pick(4) == 0)
		a.alignment = 1u << pick(5);
	if (pick(8) == 0)
		a.minleft = pick(200);
	if (a.how == XFS_ALLOC_EXACT && a.alignment)
		a.target -= a.target % a.alignment;
	return a;
}

static void put(unsigned f, const struct xfs_claim *c)
{
	for (uint32_t i = 0; i < c->len; i++)
		m.map[f][c->agbno + i] = 1 + c->offset + (c->offset & XFS_RMAP_BMBT ? 0 : i);
}

/* Behind or in front of a run of the file, so that records join. */
static bool near_run(unsigned f, struct xfs_alloc *a, uint64_t *offset)
{
	uint32_t b = pick(m.blocks), n = 0;

	while (n++ < 300 && b < m.blocks && !m.map[f][b])
		b++;
	if (b >= m.blocks || !m.map[f][b])
		return false;
	while (b + 1 < m.blocks && m.map[f][b + 1] == m.map[f][b] + 1)
		b++;
	a->how = XFS_ALLOC_EXACT;
	a->alignment = 0;
	a->target = b + 1 < m.blocks ? b + 1 : b;
	*offset = m.map[f][b] - 1 + ((m.map[f][b] - 1) & XFS_RMAP_BMBT ? 0 : 1);
	return true;
}

static bool offset_free(unsigned f, uint64_t offset, uint32_t len)
{
	if (offset & XFS_RMAP_BMBT)
		return true;
	for (uint32_t i = 0; i < m.blocks; i++) {
		uint64_t v = m.map[f][i];

		if (v && !((v ^ offset) & (XFS_RMAP_ATTR | XFS_RMAP_BMBT)) &&
		    ((v - 1) & XFS_RMAP_OFFMASK) - (offset & XFS_RMAP_OFFMASK) < len)
			return false;
	}
	return true;
}

static bool grow_file(void)
{
	static const uint64_t flags[] = { 0, 0, XFS_RMAP_UNWRITTEN, XFS_RMAP_ATTR, XFS_RMAP_BMBT };
	unsigned f = pick(FILES);
	struct xfs_alloc a = random_request();
	uint64_t offset = flags[pick(5)];
	struct xfs_claim c;
	bool shared;

	if (!(offset & XFS_RMAP_BMBT)) {
		offset |= next_offset;
		next_offset += 64;
	}
	if (pick(2))
		near_run(f, &a, &offset);
	if (!offset_free(f, offset, a.maxlen))
		return false;
	shared = f >= SHARING && !(offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT));
	if (offset & XFS_RMAP_BMBT) {	/* metadata get their mapping at once */
		a.owner = 130 + f;
		a.offset = offset;
	}
	if (!allocate(&a))
		return false;
	c = (struct xfs_claim){ a.agbno, a.len, 130 + f, offset };
	if (a.owner == XFS_OWN_NULL)
		qk_assert_int_eq(xfs_agspace_rmap_map(s.ag, &c, shared), 0);
	put(f, &c);
	return true;
}

/* A part of a run of one file; len 0 when there is none. */
static struct xfs_claim random_part(unsigned f, uint64_t not)
{
	uint32_t b = pick(m.blocks), n = 0, len = 1, most = 1 + pick(20);
	uint64_t v;

	while (n++ < 500 && (!m.map[f][b] || (m.map[f][b] - 1) & not))
		b = b + 1 < m.blocks ? b + 1 : 0;
	v = m.map[f][b];
	if (!v || (v - 1) & not)
		return (struct xfs_claim){ 0, 0, 0, 0 };
	while (pick(2) && b && m.map[f][b - 1] == v - ((v - 1) & XFS_RMAP_BMBT ? 0 : 1))
		v = m.map[f][--b];
	while (len < most && b + len < m.blocks && m.map[f][b + len] == v + ((v - 1) & XFS_RMAP_BMBT ? 0 : len))
		len++;
	return (struct xfs_claim){ b, len, 130 + f, v - 1 };
}

static bool shrink_file(void)
{
	unsigned f = pick(FILES);
	struct xfs_claim c = random_part(f, 0);
	uint32_t freed, want = 0;

	if (!c.len)
		return false;
	memset(&m.map[f][c.agbno], 0, c.len * sizeof(m.map[f][0]));
	for (uint32_t i = 0; i < c.len; i++)
		want += is_free(c.agbno + i);
	if (c.offset & XFS_RMAP_BMBT) {
		qk_assert_int_eq(xfs_agspace_free(s.ag, c.agbno, c.len, c.owner, c.offset), 0);
	} else if (f >= SHARING && !(c.offset & XFS_RMAP_ATTR) && s.geo.reflink) {
		qk_assert_int_eq(xfs_agspace_rmap_unmap(s.ag, &c, true), 0);
		qk_assert_int_eq(xfs_agspace_unshare(s.ag, c.agbno, c.len, &freed), 0);
		qk_assert_uint_eq(freed, want);
	} else {
		qk_assert_int_eq(xfs_agspace_rmap_unmap(s.ag, &c, f >= SHARING && !(c.offset & XFS_RMAP_ATTR)), 0);
		qk_assert_int_eq(xfs_agspace_free(s.ag, c.agbno, c.len, XFS_OWN_NULL, 0), 0);
	}
	return true;
}

static bool share_blocks(void)
{
	unsigned from = SHARING + pick(FILES - SHARING), to = SHARING + pick(FILES - SHARING);
	struct xfs_claim c = random_part(from, XFS_RMAP_FLAGS), old;

	if (!s.geo.reflink || !c.len || from == to)
		return false;
	for (uint32_t i = 0; i < c.len; i++)
		if (m.map[to][c.agbno + i])
			return false;
	old = c;
	c.owner = 130 + to;
	c.offset = next_offset;
	next_offset += 64;
	if (pick(2) && offset_free(to, old.offset, c.len))
		c.offset = old.offset;	/* as when a file is cloned */
	qk_assert_int_eq(xfs_agspace_share(s.ag, c.agbno, c.len), 0);
	qk_assert_int_eq(xfs_agspace_rmap_map(s.ag, &c, true), 0);
	put(to, &c);
	return true;
}

static bool convert_blocks(void)
{
	unsigned f = pick(FILES);
	struct xfs_claim c = random_part(f, XFS_RMAP_ATTR | XFS_RMAP_BMBT);

	for (uint32_t i = 0; i < c.len; i++)
		if (owners_of(c.agbno + i) > 1)
			return false;
	if (!c.len)
		return false;
	qk_assert_int_eq(xfs_agspace_rmap_convert(s.ag, &c, f >= SHARING), 0);
	c.offset ^= XFS_RMAP_UNWRITTEN;
	put(f, &c);
	return true;
}

static bool stage(void)
{
	struct xfs_alloc a = random_request();

	if (!s.geo.reflink || !allocate(&a))
		return false;
	qk_assert_int_eq(xfs_agspace_cow_stage(s.ag, a.agbno, a.len), 0);
	memset(&m.staged[a.agbno], 1, a.len);
	return true;
}

/* Staged blocks become data of a file, or free. */
static bool unstage(void)
{
	uint32_t b = pick(m.blocks), n = 0, len = 0, most = 1 + pick(10);
	unsigned f = SHARING + pick(FILES - SHARING);
	struct xfs_claim c = { .owner = 130 + f, .offset = next_offset };

	while (n++ < 500 && !m.staged[b])
		b = b + 1 < m.blocks ? b + 1 : 0;
	while (len < most && b + len < m.blocks && m.staged[b + len])
		len++;
	if (!len)
		return false;
	memset(&m.staged[b], 0, len);
	qk_assert_int_eq(xfs_agspace_cow_unstage(s.ag, b, len), 0);
	if (pick(2)) {
		qk_assert_int_eq(xfs_agspace_free(s.ag, b, len, XFS_OWN_NULL, 0), 0);
		return true;
	}
	c.agbno = b;
	c.len = len;
	next_offset += 64;
	qk_assert_int_eq(xfs_agspace_rmap_map(s.ag, &c, true), 0);
	put(f, &c);
	return true;
}

/* As at the next mount after a crash. */
static bool recover(void)
{
	uint64_t blocks, want = 0;
	int err;

	for (uint32_t i = 0; i < m.blocks; i++)
		want += m.staged[i];
	err = xfs_agspace_cow_recover(s.ag, 0, &blocks);
	qk_assert_int_eq(err, want ? 0 : -XFS_E_NOENT);
	qk_assert_uint_eq(blocks, want);
	memset(m.staged, 0, sizeof(m.staged));
	return want;
}

/* ---- comparing ---- */

static int by_key(const void *a, const void *b)
{
	const struct xfs_claim *x = a, *y = b;
	uint64_t u = x->offset & ~XFS_RMAP_UNWRITTEN, v = y->offset & ~XFS_RMAP_UNWRITTEN;

	if (x->agbno != y->agbno)
		return x->agbno < y->agbno ? -1 : 1;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return u < v ? -1 : u > v;
}

static struct xfs_claim *runs;
static size_t nruns;

static void add_block(const struct xfs_claim *c)
{
	struct xfs_claim *last = nruns ? &runs[nruns - 1] : NULL;

	if (last && last->owner == c->owner && last->agbno + last->len == c->agbno &&
	    !((last->offset ^ c->offset) & XFS_RMAP_FLAGS) &&
	    (xfs_claim_no_offset(c) || last->offset + last->len == c->offset)) {
		last->len++;
		return;
	}
	if ((nruns & (nruns - 1)) == 0)
		runs = realloc(runs, (nruns ? 2 * nruns : 1) * sizeof(*runs));
	runs[nruns++] = *c;
}

/* The mappings are the maximal runs of the model. */
static void compare_rmaps(const struct agcheck *a)
{
	size_t k = 0;

	nruns = 0;
	for (unsigned f = 0; f <= FILES; f++)
		for (uint32_t b = 0; b < m.blocks; b++) {
			struct xfs_claim c = { b, 1, XFS_OWN_COW, 0 };

			if (f == FILES ? !m.staged[b] : !m.map[f][b])
				continue;
			if (f < FILES) {
				c.owner = 130 + f;
				c.offset = m.map[f][b] - 1;
			}
			add_block(&c);
		}
	qsort(runs, nruns, sizeof(*runs), by_key);
	for (size_t i = 0; i < a->recs[XFS_TREE_RMAP].n; i++) {
		struct xfs_claim c = agcheck_rmap(a, i);

		if (c.owner >= XFS_OWN_REFC && c.owner <= XFS_OWN_FS)
			continue;
		qk_assert_uint_lt(k, nruns);
		qk_assert_mem_eq(&c, &runs[k], sizeof(c));
		k++;
	}
	qk_assert_uint_eq(k, nruns);
}

/* The counts are those of the model; agcheck compared them with the mappings, but only where there are any. */
static void compare_refcounts(const struct agcheck *a)
{
	uint32_t *refs = calloc(m.blocks, sizeof(*refs));

	for (size_t i = 0; i < a->recs[XFS_TREE_REFC].n; i++) {
		struct xfs_refc_rec r;

		xfs_refc_rec_decode(&r, a->recs[XFS_TREE_REFC].bytes + 12 * i);
		for (uint32_t b = r.startblock; b < r.startblock + r.blockcount; b++)
			refs[b] = r.refcount;
	}
	for (uint32_t b = 0; b < m.blocks; b++) {
		uint32_t n = owners_of(b);

		qk_assert_uint_eq(refs[b], m.staged[b] ? 1 : n > 1 ? n : 0);
	}
	free(refs);
}

static void compare(void)
{
	uint8_t *is_listed = calloc(m.blocks, 1);
	struct agcheck a;

	qk_assert_int_eq(xfs_change_sync(s.fs), 0);
	spacefs_check(&s, &a);
	for (size_t i = 0; i < a.recs[XFS_TREE_BNO].n; i++) {
		struct xfs_bnobt_rec r;

		xfs_bnobt_rec_decode(&r, a.recs[XFS_TREE_BNO].bytes + 8 * i);
		memset(is_listed + r.startblock, 1, r.blockcount);
	}
	for (uint32_t b = 0; b < m.blocks; b++)
		qk_assert_msg(is_listed[b] == (is_free(b) && !a.tree_of[b]), "block %u: free %u", b, is_listed[b]);
	if (s.geo.rmapbt)
		compare_rmaps(&a);
	if (s.geo.reflink)
		compare_refcounts(&a);
	qk_assert_mem_eq(&s.ag->agf, &a.agf, offsetof(struct xfs_agf, crc));
	agcheck_release(&a);
	free(is_listed);
}

/* ---- the test ---- */

static bool step(bool full)
{
	switch (pick(full ? 13 : 20)) {
	case 0: case 1: case 2: case 3: case 4:
		return done[0] += shrink_file();
	case 5: case 6:
		return done[1] += convert_blocks();
	case 7: case 8: case 9:
		return done[2] += share_blocks();
	case 10:
		return done[3] += unstage();
	case 11:
		return pick(40) ? false : (done[4] += recover());
	case 12:
		return done[5] += stage();
	default:
		return done[6] += grow_file();
	}
}

static void model_init(const struct testfs *fs)
{
	const struct spacefs_options o = {
		.fs = *fs, .flfirst = xfs_agfl_size(!fs->v4, fs->sectsize ? fs->sectsize : 512) - 8,
	};
	struct agcheck a;

	memset(&m, 0, sizeof(m));
	memset(done, 0, sizeof(done));
	nospc = 0;
	next_offset = 1;
	spacefs_init(&s, &o);
	m.blocks = s.ag->length;
	qk_assert_uint_le(m.blocks, MOST);
	spacefs_check(&s, &a);
	for (uint32_t b = 0; b < m.blocks; b++)
		m.system[b] = b <= s.geo.agfl_block || a.tree_of[b] == 1 + XFS_TREE_INO ||
			a.tree_of[b] == 1 + XFS_TREE_FINO;
	agcheck_release(&a);
}

struct config { struct testfs fs; unsigned batches, levels; };
static const struct config configs[] = {
	{ { .blocksize = 1024, .agblocks = 16384, .agcount = 2, .last = 8192 }, 10000, 3 },
	{ { .blocksize = 4096, .agblocks = 4096, .agcount = 1 }, 4000, 2 },
	{ { .blocksize = 1024, .agblocks = 16384, .agcount = 2, .last = 9000, .no_reflink = true }, 4000, 2 },
	{ { .blocksize = 1024, .agblocks = 16384, .agcount = 2, .last = 8192, .no_rmapbt = true }, 4000, 0 },
	{ { .blocksize = 512, .agblocks = 32768, .agcount = 2, .last = 8192, .v4 = true }, 4000, 0 },
	{ { .blocksize = 1024, .agblocks = 16384, .agcount = 2, .last = 700, .sectsize = 1024 }, 4000, 2 },
};

START_TEST(random_life)
{
	const struct config *c = &configs[_i];
	unsigned deepest = 0, aborts = 0;
	bool wrapped = false;

	rnd.s = 77 + (unsigned)_i;
	model_init(&c->fs);
	for (unsigned i = 0; i < c->batches; i++) {
		bool abort = pick(8) == 0, full = i / 500 % 2;

		spacefs_begin(&s);
		if (abort)
			saved = m;
		for (unsigned n = 1 + pick(12); n; n--)
			step(full);
		if (abort) {
			xfs_change_abort(&s.change);
			m = saved;
			aborts++;
		} else {
			qk_assert_int_eq(xfs_change_commit(&s.change), 0);
		}
		deepest = s.ag->agf.rmaplevel > deepest ? s.ag->agf.rmaplevel : deepest;
		wrapped |= s.ag->agf.flcount && s.ag->agf.fllast < s.ag->agf.flfirst;
		if (i % 25 == 0)
			compare();
	}
	compare();
	for (unsigned k = 0; k < 7; k++)
		ck_assert_msg(done[k] > 20 || !s.geo.reflink || k == 4, "step %u: %u times", k, done[k]);
	ck_assert_uint_gt(done[0], 500);
	ck_assert_uint_gt(done[6], 500);
	ck_assert_uint_gt(aborts, 100);
	ck_assert_uint_gt(nospc, 50);
	ck_assert_uint_ge(deepest, c->levels);
	if (getenv("VERBOSE"))
		printf("config %d: %u %u %u %u %u %u %u steps, %u nospc, %u levels, wrapped %d\n", _i, done[0], done[1],
		       done[2], done[3], done[4], done[5], done[6], nospc, deepest, wrapped);
	ck_assert(wrapped);
	spacefs_release(&s);
}
END_TEST

/* Everything is given back: the AG is as empty as at the start, whatever the trees went through. */
START_TEST(and_back)
{
	uint64_t blocks;
	struct agcheck a;

	rnd.s = 4711;
	model_init(&configs[0].fs);
	spacefs_begin(&s);
	for (unsigned i = 0; i < 3000; i++)
		step(false);
	for (unsigned f = 0; f < FILES; f++)
		for (struct xfs_claim c = random_part(f, 0); ; c = random_part(f, 0)) {
			bool shared = f >= SHARING && !(c.offset & (XFS_RMAP_ATTR | XFS_RMAP_BMBT));
			uint32_t b;

			for (b = 0; b < m.blocks && !m.map[f][b]; b++)
				;
			if (b == m.blocks)
				break;
			if (!c.len)
				continue;
			memset(&m.map[f][c.agbno], 0, c.len * sizeof(m.map[f][0]));
			qk_assert_int_eq(xfs_agspace_rmap_unmap(s.ag, &c, shared), 0);
			if (shared)
				qk_assert_int_eq(xfs_agspace_unshare(s.ag, c.agbno, c.len, NULL), 0);
			else
				qk_assert_int_eq(xfs_agspace_free(s.ag, c.agbno, c.len, XFS_OWN_NULL, 0), 0);
		}
	xfs_agspace_cow_recover(s.ag, 0, &blocks);
	memset(m.staged, 0, sizeof(m.staged));
	qk_assert_int_eq(xfs_agspace_fix_agfl(s.ag, false), 0);
	spacefs_sync(&s);
	compare();
	spacefs_check(&s, &a);
	ck_assert_uint_eq(a.agf.btreeblks, 0);
	ck_assert_uint_eq(a.agf.flcount, 6);
	ck_assert_uint_eq(a.agf.rmaplevel, 1);
	ck_assert_uint_eq(s.fs->geo.sb.fdblocks, s.geo.sb.fdblocks);
	agcheck_release(&a);
	spacefs_release(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agspace_model");
	TCase *t = tcase_create("agspace_model");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, random_life, 0, XFS_ARRAY_SIZE(configs));
	tcase_add_test(t, and_back);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
