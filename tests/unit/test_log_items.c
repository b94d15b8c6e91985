/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_log_items.c - reading logs that the test writes: every shape of record in both byte orders, torn tails, random
 * damage.  test_log_rules.c: what breaks the rules.
 */
#include "libxfs/log/transactions.h"
#include "tests/unit/logimage.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define BLOCKS 4000u			/* of the log, 512 bytes each */

static struct xfs_fs fs;
static struct memdev *dev;
static struct logwriter w;
static struct testrand rnd;

static void setup_version(bool v4)
{
	dev = logimage_bare(&fs, &w, BLOCKS, v4);
	rnd.s = 1;
}

static void setup(void)
{
	setup_version(false);
}

static void teardown(void)
{
	logwriter_free(&w);
	xfs_dev_close(&dev->dev);
}

/* ---- transactions to write and to compare with ---- */

#define MAX_REGIONS 200u

struct sent {
	uint32_t tid, nregions, nitems, len[MAX_REGIONS];
	uint8_t *p[MAX_REGIONS];
	uint64_t lsn;
};

static uint8_t *add(struct sent *s, uint32_t len)
{
	uint8_t *p = malloc(len);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_lt(s->nregions, MAX_REGIONS);
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)testrand_next(&rnd);
	s->p[s->nregions] = p;
	s->len[s->nregions++] = len;
	return p;
}

static void head(uint8_t *p, unsigned type, unsigned regions)
{
	xfs_st16(p, w.le, (uint16_t)type);
	xfs_st16(p + 2, w.le, (uint16_t)regions);
}

/* A buffer of 64 chunks, of which some are logged. */
static void add_buf(struct sent *s)
{
	uint64_t map = testrand_next(&rnd) & testrand_next(&rnd);
	unsigned runs = 0;
	uint8_t *p = add(s, 28);

	for (unsigned b = 0; b < 64; b++) {
		unsigned n = 0;

		while (b + n < 64 && map >> (b + n) & 1)
			n++;
		if (!n)
			continue;
		add(s, 128 * n);
		runs++;
		b += n;
	}
	head(p, 0x123c, 1 + runs);
	xfs_st16(p + 4, w.le, XFS_BLFT_BTREE << 11);
	xfs_st16(p + 6, w.le, 16);
	xfs_st64(p + 8, w.le, testrand_below(&rnd, 10000));
	xfs_st32(p + 16, w.le, 2);
	xfs_st32(p + 20, w.le, (uint32_t)map);
	xfs_st32(p + 24, w.le, (uint32_t)(map >> 32));
	s->nitems++;
}

static void add_inode(struct sent *s)
{
	uint32_t data = testrand_below(&rnd, 60) * 4, attr = testrand_below(&rnd, 20) * 4, fields = 1;
	uint8_t *p = add(s, 56);

	fields |= (data ? 2u : 0) | (attr ? 0x40u : 0);
	head(p, 0x123b, 2 + !!data + !!attr);
	xfs_st32(p + 4, w.le, fields);
	xfs_st16(p + 8, w.le, (uint16_t)attr);
	xfs_st16(p + 10, w.le, (uint16_t)(data ? data - 3 : 0));
	xfs_st64(p + 16, w.le, 128);
	add(s, 176);
	if (data)
		add(s, data);
	if (attr)
		add(s, attr);
	s->nitems++;
}

static void add_efi(struct sent *s)
{
	uint32_t n = 1 + testrand_below(&rnd, 16);
	uint8_t *p = add(s, 16 + 16 * n);

	head(p, 0x1236, 1);
	xfs_st32(p + 4, w.le, n);
	s->nitems++;
}

static void make(struct sent *s, uint32_t tid, unsigned items)
{
	memset(s, 0, sizeof(*s));
	s->tid = tid;
	for (unsigned i = 0; i < items && s->nregions < MAX_REGIONS - 40; i++)
		switch (testrand_below(&rnd, 3)) {
		case 0: add_buf(s); break;
		case 1: add_inode(s); break;
		case 2: add_efi(s); break;
		}
}

static void drop(struct sent *s)
{
	for (uint32_t i = 0; i < s->nregions; i++)
		free(s->p[i]);
	s->nregions = 0;
}

static void begin(struct sent *s)
{
	logwriter_start(&w, s->tid);
	s->lsn = (uint64_t)w.cycle << 32 | w.at;	/* of the record that is being filled */
	logwriter_header(&w, s->tid, s->nregions);
}

static void send(struct sent *s)
{
	begin(s);
	for (uint32_t i = 0; i < s->nregions; i++)
		logwriter_region(&w, s->tid, s->p[i], s->len[i]);
	logwriter_commit(&w, s->tid);
}

static void compare(const struct sent *s, const struct xfs_log_trans *t)
{
	uint32_t r = 0;

	ck_assert(t->committed);
	ck_assert_uint_eq(t->tid, s->tid);
	ck_assert_uint_eq(t->lsn, s->lsn);
	ck_assert_uint_eq(t->nregions, s->nregions);
	ck_assert_uint_eq(t->nitems, s->nitems);
	ck_assert_uint_eq(t->hdr.num_items, s->nregions);
	ck_assert(t->writer_le == w.le);
	for (size_t i = 0; i < t->nitems; i++)
		for (uint32_t k = 0; k < t->items[i].nregions; k++, r++) {
			ck_assert_uint_eq(t->items[i].regions[k].len, s->len[r]);
			ck_assert_mem_eq(t->items[i].regions[k].p, s->p[r], s->len[r]);
		}
	ck_assert_uint_eq(r, s->nregions);
}

static void see(void *sent, unsigned number, const struct xfs_log_trans *t)
{
	if (sent)
		compare((const struct sent *)sent + number, t);
}

/* Reads all; the transactions are `sent` in order, as far as they come. */
static struct logimage_seen read_all(struct sent *sent)
{
	return logimage_read(&fs, see, sent);
}

/* ---- shapes ---- */

static const struct shape {
	uint32_t size, unit, most, at, cycle;
	bool v4, v1;
} shapes[] = {
	{ 32768, 512, 0, 2, 1, false, false }, { 32768, 512, 500, 2, 1, false, false },
	{ 16384, 512, 0, 0, 1, false, false }, { 32768, 4096, 0, 8, 7, false, false },
	{ 65536, 512, 0, 100, 7, false, false }, { 262144, 512, 0, 2, 3, false, false },
	{ 262144, 32768, 0, 64, 3, false, false }, { 131072, 512, 0, BLOCKS - 3, 3, false, false },
	{ 32768, 512, 0, BLOCKS - 1, 3, false, false }, { 32768, 512, 700, BLOCKS - 31, 9, false, false },
	{ 262144, 512, 0, BLOCKS - 5, 9, false, false }, { 32768, 512, 0, BLOCKS - 64, 2, false, false },
	{ 32768, 512, 0, 2, 1, true, false }, { 32768, 512, 0, 2, 4, true, true },
	{ 16384, 512, 900, BLOCKS - 9, 4, true, true },
	{ 32768, 512, 40, 2, 1, false, false },
};

START_TEST(every_shape)
{
	const struct shape *s = &shapes[_i / 2];
	struct sent sent[6];
	struct logimage_seen seen;

	setup_version(s->v4);
	if (s->v1)
		fs.geo.sb.versionnum &= (uint16_t)~XFS_SB_VERSION_LOGV2;
	w.v1 = s->v1;
	w.no_crc = s->v4;
	w.le = _i % 2;
	w.size = s->size;
	w.unit = s->unit;
	w.most = s->most;
	w.at = s->at;
	w.cycle = s->cycle;
	logwriter_init(&w);
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(sent); i++) {
		make(&sent[i], 0x1000 + i, s->most == 40 ? 3 : 1 + 8 * i);
		send(&sent[i]);
		if (i % 2)
			logwriter_flush(&w);
	}
	ck_assert_uint_lt(w.nrecords, BLOCKS / 2);
	seen = read_all(sent);
	ck_assert_msg(seen.err == -XFS_E_NOENT, "%s", seen.why.detail);
	ck_assert_uint_eq(seen.trans, XFS_ARRAY_SIZE(sent));
	ck_assert_uint_eq(seen.records, w.nrecords);
	ck_assert_uint_eq(seen.open, 0);
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(sent); i++)
		drop(&sent[i]);
	teardown();
}
END_TEST

/* Two transactions whose regions come in turns; one that is never committed; one without start. */
START_TEST(interleaved)
{
	struct sent a, b, c;
	struct logimage_seen seen;

	logwriter_init(&w);
	make(&a, 5, 12);
	make(&b, 5 + 64, 9);	/* the same bucket */
	make(&c, 9, 3);
	begin(&a);
	begin(&b);
	begin(&c);
	for (uint32_t i = 0; i < a.nregions || i < b.nregions; i++) {
		if (i < a.nregions)
			logwriter_region(&w, a.tid, a.p[i], a.len[i]);
		if (i < b.nregions)
			logwriter_region(&w, b.tid, b.p[i], b.len[i]);
		if (i < c.nregions)
			logwriter_region(&w, c.tid, c.p[i], c.len[i]);
		logwriter_op(&w, 77, 0x69, 0, "strange!", 8);
	}
	logwriter_commit(&w, 77);
	logwriter_commit(&w, b.tid);
	logwriter_commit(&w, a.tid);
	logwriter_flush(&w);
	seen = read_all((struct sent[]){ b, a });
	ck_assert_int_eq(seen.err, -XFS_E_NOENT);
	ck_assert_uint_eq(seen.trans, 2);
	ck_assert_uint_eq(seen.open, 1);
	drop(&a);
	drop(&b);
	drop(&c);
}
END_TEST

/* Cuts the last record after every block: what was committed before is there, and nothing else. */
START_TEST(torn)
{
	struct sent sent[3];
	uint8_t *whole = malloc((size_t)BLOCKS * 512);

	ck_assert_ptr_nonnull(whole);
	w.le = _i;
	w.most = 3000;
	w.at = 0;
	logwriter_init(&w);
	logwriter_op(&w, 9, 0xaa, 0x20, "nU\0\0\0\0\0", 8);
	logwriter_flush(&w);
	w.nrecords = 0;
	w.tail_lsn = UINT64_C(1) << 32 | w.at;
	for (unsigned i = 0; i < 3; i++) {
		make(&sent[i], 100 + i, 7);
		send(&sent[i]);
		logwriter_flush(&w);
	}
	memcpy(whole, w.area, (size_t)BLOCKS * 512);
	for (uint32_t end = w.at - 1; end >= w.starts[0]; end--) {
		unsigned trans = 0, records = 0;
		struct logimage_seen seen;

		memset(w.area + (size_t)end * 512, 0, 512);
		for (unsigned k = 0; k < w.nrecords; k++)
			records += end >= (k + 1 < w.nrecords ? w.starts[k + 1] : w.at);
		for (unsigned i = 0; i < 3; i++)	/* a transaction ends with a record */
			trans += i < 2 ? (uint32_t)sent[i + 1].lsn <= end : false;
		seen = read_all(sent);
		ck_assert_msg(seen.err == -XFS_E_NOENT, "cut at %u: %s", end, seen.why.detail);
		ck_assert_uint_eq(seen.records, records);
		ck_assert_uint_eq(seen.trans, trans);
		ck_assert_uint_le(seen.open, 1);
	}
	/*
	 * one bit of the last records flipped: it is put right; more: the log
	 * ends there, or it is damaged when it goes on
	 */
	for (unsigned k = w.nrecords > 8 ? w.nrecords - 8 : 0; k < w.nrecords; k++) {
		uint8_t *p = w.area + (size_t)w.starts[k] * 512;
		struct xfs_log_state st;

		memcpy(w.area, whole, (size_t)BLOCKS * 512);
		p[700] ^= 4;
		ck_assert_uint_eq(read_all(sent).records, w.nrecords);
		p[701] ^= 8;
		ck_assert_int_eq(xfs_log_state(&fs, &st), 0);
		if (k + 1 < w.nrecords) {
			ck_assert_msg(st.kind == XFS_LOG_UNREADABLE && st.damaged, "record %u: kind %d", k, st.kind);
			ck_assert_uint_eq(st.bad, w.starts[k]);
			ck_assert_uint_eq(st.head, w.at);
		} else {
			ck_assert_uint_eq(read_all(sent).records, k);
		}
	}
	/* each bit of the framing of a record, and of a cycle number in it */
	for (unsigned bit = 0; bit < 8 * (24 + 4 + 4); bit++) {
		unsigned k = bit % w.nrecords;
		size_t byte = bit / 8 < 24 ? bit / 8 : bit / 8 < 28 ? 320 + bit / 8 - 24 : 512 + bit / 8 - 28;

		memcpy(w.area, whole, (size_t)BLOCKS * 512);
		w.area[(size_t)w.starts[k] * 512 + byte] ^= (uint8_t)(1u << bit % 8);
		ck_assert_msg(read_all(sent).records == w.nrecords, "record %u, bit %u: not put right", k, bit);
	}
	free(whole);
	for (unsigned i = 0; i < 3; i++)
		drop(&sent[i]);
}
END_TEST

/* A log of another filesystem, of an unknown order, and one that goes on where it should not. */
START_TEST(foreign)
{
	struct sent s;
	struct logimage_seen seen;

	logwriter_init(&w);
	make(&s, 1, 5);
	send(&s);
	logwriter_flush(&w);
	drop(&s);
	xfs_put_be32(w.area + 2 * 512 + 300, 3);
	logwriter_seal(&w, 2);
	seen = read_all(NULL);
	ck_assert_int_eq(seen.err, -XFS_E_UNSUPPORTED);
	xfs_put_be32(w.area + 2 * 512 + 300, 1);
	memset(w.area + 2 * 512 + 304, 0, 16);	/* nil: accepted when looking for the head, not for replay */
	logwriter_seal(&w, 2);
	seen = read_all(NULL);
	ck_assert_int_eq(seen.err, -XFS_E_CORRUPT);
	ck_assert_ptr_nonnull(strstr(seen.why.detail, "uuid"));
}
END_TEST

/* Damage behind a good checksum, thousands of times: it ends, and in one of the known ways. */
START_TEST(random_damage)
{
	uint8_t *whole = malloc((size_t)BLOCKS * 512);
	unsigned good = 0, bad = 0;
	struct sent s[3];

	ck_assert_ptr_nonnull(whole);
	w.le = _i % 2;
	w.most = 2000;
	logwriter_init(&w);
	for (unsigned i = 0; i < 3; i++) {
		make(&s[i], 50 + i, 10);
		send(&s[i]);
		drop(&s[i]);
	}
	logwriter_flush(&w);
	memcpy(whole, w.area, (size_t)BLOCKS * 512);
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t k = testrand_below(&rnd, w.nrecords), from = w.starts[k];
		uint32_t end = k + 1 < w.nrecords ? w.starts[k + 1] : w.at, n = 1 + testrand_below(&rnd, 3);
		struct logimage_seen seen;

		memcpy(w.area, whole, (size_t)BLOCKS * 512);
		while (n--) {
			uint8_t *p = w.area + (size_t)from * 512 + testrand_below(&rnd, (end - from) * 512);

			*p = testrand_below(&rnd, 2) ? (uint8_t)testrand_next(&rnd) :
				(uint8_t)(*p ^ 1u << testrand_below(&rnd, 8));
		}
		if (testrand_below(&rnd, 4))
			logwriter_seal(&w, from);
		seen = read_all(NULL);
		ck_assert(seen.err == -XFS_E_NOENT || seen.err == -XFS_E_CORRUPT || seen.err == -XFS_E_BADCRC ||
			  seen.err == -XFS_E_UNSUPPORTED);
		if (seen.err == -XFS_E_NOENT)
			good++;
		else
			bad++;
	}
	ck_assert_uint_gt(good, 100);
	ck_assert_uint_gt(bad, 100);
	free(whole);
}
END_TEST

/* What a clean log still holds: from the first record that reads. */
START_TEST(history)
{
	struct xfs_log_state st;
	struct xfs_log_event e;
	struct xfs_log_iter *it;
	struct sent s[4];
	unsigned trans = 0;

	w.at = _i ? BLOCKS - 11 : 2;
	w.cycle = _i ? 5 : 1;
	w.most = 1500;
	logwriter_init(&w);
	for (unsigned i = 0; i < 4; i++) {
		make(&s[i], 50 + i, 4);
		send(&s[i]);
	}
	logwriter_flush(&w);
	w.tail_lsn = (uint64_t)w.cycle << 32 | w.at;
	logwriter_op(&w, 9, 0xaa, 0x20, "nU\0\0\0\0\0", 8);
	logwriter_flush(&w);
	ck_assert_int_eq(xfs_log_state(&fs, &st), 0);
	ck_assert_int_eq(st.kind, XFS_LOG_CLEAN);
	ck_assert_int_eq(xfs_log_iter_new(&it, &fs, &st, true, NULL), 0);
	while (!xfs_log_iter_next(it, &e, NULL))
		if (e.kind == XFS_LOG_EV_TRANS)
			compare(&s[trans++], e.trans);
	ck_assert_uint_eq(trans, 4);
	xfs_log_iter_free(it);
	for (unsigned i = 0; i < 4; i++)
		drop(&s[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("log_items");
	TCase *t = tcase_create("shapes"), *u = tcase_create("reading");

	tcase_add_loop_test(t, every_shape, 0, 2 * XFS_ARRAY_SIZE(shapes));
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup, teardown);
	tcase_set_timeout(u, 60);
	tcase_add_test(u, interleaved);
	tcase_add_loop_test(u, torn, 0, 2);
	tcase_add_test(u, foreign);
	tcase_add_loop_test(u, random_damage, 0, 2);
	tcase_add_loop_test(u, history, 0, 2);
	suite_add_tcase(s, u);
	return vectors_main(s);
}
