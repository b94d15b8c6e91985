/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_log_writer.c - checkpoints byte for byte as in the vectors; read back in every shape of record and both byte
 * orders; stopped at every write; the validator's rules.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/log/transactions.h"
#include "libxfs/log/validate.h"
#include "libxfs/log/writer.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/memdev.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

static struct xfs_fs fs;
static struct memdev *data, *log_dev;
static struct testrand rnd;

/* A filesystem whose log, of `blocks` blocks, is on a device of its own. */
static void setup_log(uint32_t blocks, uint32_t sunit)
{
	struct testfs how = { .agblocks = 5000, .agcount = 2, .logblocks = blocks / 8 };

	memset(&fs, 0, sizeof(fs));
	testfs_init(&fs.geo, &how);
	fs.geo.sb.logstart = 0;
	fs.geo.sb.logsunit = sunit;
	for (unsigned i = 0; i < 16; i++)
		fs.geo.sb.uuid[i] = (uint8_t)(0x11 * (i < 4 ? 1 : i < 6 ? 2 : i < 8 ? 3 : i < 10 ? 4 : 5));
	data = memdev_new(fs.geo.dblocks * fs.geo.blocksize);
	log_dev = memdev_new((uint64_t)blocks * 512);
	fs.dev.data = &data->dev;
	fs.dev.log = &log_dev->dev;
	rnd.s = 1;
}

static void teardown(void)
{
	xfs_dev_close(&data->dev);
	xfs_dev_close(&log_dev->dev);
}

/* ---- vectors ---- */

struct line { uint16_t at; const char *hex; };

static void put_lines(uint8_t *p, const struct line *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = l[i].hex;
		unsigned v, k = 0;
		int used;

		for (; sscanf(s, "%2x%n", &v, &used) == 1; s += used)
			p[l[i].at + k++] = (uint8_t)v;
	}
}

/* Format sheet 04, section 15.5. */
static const struct line smallest[] = {
	{ 0x000, "fe ed ba be 00 00 00 01 00 00 00 02 00 00 02 00" },
	{ 0x010, "00 00 00 01 00 00 00 56 00 00 00 01 00 00 00 56" },
	{ 0x020, "1a 0b 30 3c 00 00 00 54 00 00 00 05 11 22 33 44" },
	{ 0x120, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01" },
	{ 0x130, "11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55" },
	{ 0x140, "00 00 80 00 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x200, "00 00 00 01 00 00 00 00 69 01 00 00 11 22 33 44" },
	{ 0x210, "00 00 00 10 69 00 00 00 4e 41 52 54 28 00 00 00" },
	{ 0x220, "44 33 22 11 02 00 00 00 11 22 33 44 00 00 00 18" },
	{ 0x230, "69 00 00 00 3c 12 02 00 00 48 08 00 f0 00 00 00" },
	{ 0x240, "00 00 00 00 01 00 00 00 01 00 00 00 11 22 33 44" },
	{ 0x250, "00 00 00 80 69 00 00 00 58 53 4c 4d 00 00 00 00" },
	{ 0x260, "00 00 02 59 ae b8 e3 aa 11 11 11 11 22 22 33 33" },
	{ 0x270, "44 44 55 55 55 55 55 55 00 00 00 00 00 00 00 87" },
	{ 0x280, "00 00 00 00 00 00 00 f0 00 00 00 01 00 00 00 23" },
	{ 0x290, "2f 73 73 73 73 73 73 73 73 73 5a 73 73 73 73 73" },
	{ 0x2a0, "73 73 73 73 73 73 73 73 73 73 73 73 73 73 73 73" },
	{ 0x2b0, "73 73 73 73 73 73 73 73 73 73 73 73 73 73 73 73" },
	{ 0x2c0, "73 73 73 73 73 73 73 73 73 73 73 73 73 73 73 73" },
	{ 0x2d0, "73 73 73 73 73 73 73 73 11 22 33 44 00 00 00 00" },
	{ 0x2e0, "69 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00" },
};

/* Section 13.2. */
static const struct line cover[] = {
	{ 0x000, "fe ed ba be 00 00 00 04 00 00 00 02 00 00 02 00" },
	{ 0x010, "00 00 00 04 00 00 00 06 00 00 00 04 00 00 00 04" },
	{ 0x020, "11 82 a4 e4 00 00 00 04 00 00 00 05 da 94 9b 13" },
	{ 0x120, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01" },
	{ 0x130, "11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55" },
	{ 0x140, "00 00 80 00 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x200, "00 00 00 04 00 00 00 00 69 01 00 00 da 94 9b 13" },
	{ 0x210, "00 00 00 10 69 00 00 00 4e 41 52 54 28 00 00 00" },
	{ 0x220, "13 9b 94 da 02 00 00 00 da 94 9b 13 00 00 00 18" },
	{ 0x230, "69 00 00 00 3c 12 02 00 00 90 01 00 00 00 00 00" },
	{ 0x240, "00 00 00 00 01 00 00 00 07 00 00 00 da 94 9b 13" },
	{ 0x250, "00 00 01 80 69 00 00 00 58 46 53 42 00 00 10 00" },
	{ 0x260, "00 00 00 00 00 04 00 00 00 00 00 00 00 00 00 00" },
	{ 0x270, "00 00 00 00 00 00 00 00 11 11 11 11 22 22 33 33" },
	{ 0x280, "44 44 55 55 55 55 55 55 00 00 00 00 00 02 00 07" },
	{ 0x290, "00 00 00 00 00 00 00 80 00 00 00 00 00 00 00 81" },
	{ 0x2a0, "00 00 00 00 00 00 00 82 00 00 00 01 00 01 00 00" },
	{ 0x2b0, "00 00 00 04 00 00 00 00 00 00 40 00 b4 b5 02 00" },
	{ 0x2c0, "02 00 00 08 00 00 00 00 00 00 00 00 00 00 00 00" },
	{ 0x2d0, "0c 09 09 03 10 00 00 19 00 00 00 00 00 00 00 40" },
	{ 0x2e0, "00 00 00 00 00 00 00 0d 00 00 00 00 00 03 bb b2" },
	{ 0x2f0, "00 00 00 00 00 00 00 00 ff ff ff ff ff ff ff ff" },
	{ 0x300, "ff ff ff ff ff ff ff ff 00 00 00 00 00 00 00 08" },
	{ 0x310, "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01" },
	{ 0x320, "00 00 01 8a 00 00 01 8a 00 00 00 00 00 00 00 0f" },
	{ 0x330, "00 00 00 eb 00 00 00 00 6d 0e dc 6d 00 00 00 04" },
	{ 0x340, "ff ff ff ff ff ff ff ff 00 00 00 01 00 00 00 3c" },
	{ 0x3d0, "00 00 00 00 00 00 00 00 da 94 9b 13 00 00 00 00" },
	{ 0x3e0, "69 02 00 00" },
};

static struct xfs_log_writer *open_at(uint32_t cycle, uint32_t head, uint32_t prev, const struct xfs_log_writing *how)
{
	struct xfs_log_state s = {
		.kind = XFS_LOG_CLEAN, .head = head, .cycle = cycle, .last_lsn = (uint64_t)cycle << 32 | prev,
		.blocks = (uint32_t)(log_dev->dev.size / 512),
	};
	struct xfs_log_writer *w;

	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, how), 0);
	return w;
}

START_TEST(vectors_byte_for_byte)
{
	const struct { const struct line *lines; size_t n; uint32_t cycle, head, prev, tid, tail, len; } v[] = {
		{ smallest, XFS_ARRAY_SIZE(smallest), 1, 0x56, 0x54, 0x11223344, 0x56, 128 },
		{ cover, XFS_ARRAY_SIZE(cover), 4, 6, 4, 0xda949b13, 4, 384 },
	};
	uint8_t want[1024] = { 0 };
	struct xfs_log_region r[2] = { { want + 0x234, 24 }, { want + 0x258, v[_i].len } };
	struct xfs_log_writing how = { .swapped = !XFS_HOST_LE };
	struct xfs_log_writer *w;
	uint64_t lsn;

	setup_log(4096, 1);
	put_lines(want, v[_i].lines, v[_i].n);
	w = open_at(v[_i].cycle, v[_i].head, v[_i].prev, &how);
	w->tid = v[_i].tid;
	if (v[_i].tail != v[_i].head)
		w->tail_lsn = (uint64_t)v[_i].cycle << 32 | v[_i].tail;
	ck_assert_int_eq(xfs_log_checkpoint_write(w, r, 2, &lsn), 0);
	ck_assert_uint_eq(lsn, (uint64_t)v[_i].cycle << 32 | v[_i].head);
	ck_assert_mem_eq(log_dev->bytes + v[_i].head * 512, want, sizeof(want));
	ck_assert_uint_eq(w->head, v[_i].head + 2);
	xfs_log_writer_close(w);
	teardown();
}
END_TEST

/* ---- random checkpoints ---- */

#define MOST_REGIONS 400u

struct sent {
	uint32_t n, nitems;
	struct xfs_log_region r[MOST_REGIONS];
	uint64_t lsn;
};

static uint8_t *add(struct sent *s, uint32_t len)
{
	uint8_t *p = malloc(len);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_lt(s->n, MOST_REGIONS);
	for (uint32_t i = 0; i < len; i++)
		p[i] = (uint8_t)testrand_next(&rnd);
	s->r[s->n++] = (struct xfs_log_region){ p, len };
	return p;
}

static void let_go(struct sent *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		free((void *)s->r[i].p);
	s->n = s->nitems = 0;
}

/* Buffers with random runs, at addresses that no other one of the checkpoint has. */
static void make(struct sent *s, bool le, unsigned items)
{
	*s = (struct sent){ .n = 0 };
	for (unsigned k = 0; k < items && s->n + 40 < MOST_REGIONS; k++) {
		uint64_t map = testrand_next(&rnd) | 1;
		unsigned runs = 0;
		uint8_t *p = add(s, 28);

		if (testrand_below(&rnd, 2))
			map = UINT64_MAX;
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
		xfs_st16(p, le, XFS_LI_BUF);
		xfs_st16(p + 2, le, (uint16_t)(1 + runs));
		xfs_st16(p + 4, le, XFS_BLFT_BTREE << XFS_BLF_TYPE_SHIFT);
		xfs_st16(p + 6, le, 16);
		xfs_st64(p + 8, le, 1000 + 16 * k);
		xfs_st32(p + 16, le, 2);
		xfs_st32(p + 20, le, (uint32_t)map);
		xfs_st32(p + 24, le, (uint32_t)(map >> 32));
		s->nitems++;
	}
}

static void check_same(const struct sent *s, const struct xfs_log_trans *t)
{
	size_t k = 0;

	ck_assert_uint_eq(t->lsn, s->lsn);
	ck_assert_uint_eq(t->nregions, s->n);
	ck_assert_uint_eq(t->nitems, s->nitems);
	for (size_t i = 0; i < t->nitems; i++)
		for (uint32_t j = 0; j < t->items[i].nregions; j++, k++) {
			ck_assert_uint_eq(t->items[i].regions[j].len, s->r[k].len);
			ck_assert_mem_eq(t->items[i].regions[j].p, s->r[k].p, s->r[k].len);
		}
}

/* Reads what is there: transactions `first`.. of those sent. Returns how many. */
static unsigned read_back(const struct sent *sent, unsigned first, unsigned n, bool le)
{
	struct xfs_log_audit audit;
	struct xfs_log_state s;
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	unsigned k = 0;

	ck_assert_int_eq(xfs_log_state(&fs, &s), 0);
	ck_assert_int_ne(s.kind, XFS_LOG_UNREADABLE);
	if (s.kind == XFS_LOG_CLEAN)
		return 0;
	if (xfs_log_validate(&fs, &s, &audit))
		ck_abort_msg("block %u, %u: %s", audit.block, audit.number, audit.why ? audit.why : "?");
	ck_assert_int_eq(xfs_log_iter_new(&it, &fs, &s, false, NULL), 0);
	while (!xfs_log_iter_next(it, &e, NULL)) {
		if (e.kind != XFS_LOG_EV_TRANS)
			continue;
		ck_assert_uint_lt(first + k, n);
		ck_assert_int_eq(e.trans->writer_le, le);
		check_same(&sent[first + k], e.trans);
		k++;
	}
	xfs_log_iter_free(it);
	ck_assert_uint_eq(audit.checkpoints, k);
	return k;
}

struct shape { uint32_t size, sunit; };
static const struct shape shapes[] = {
	{ 16384, 1 }, { 0, 1 }, { 32768, 4096 }, { 65536, 1 }, { 131072, 1 }, { 262144, 1 }, { 32768, 32768 },
	{ 0, 65536 },
	{ 262144, 131072 }, { 262144, 262144 },
};

/* Enough of them for the log to go round a few times; the tail moves now and then. */
static void round_and_round(const struct shape *shape, bool swapped)
{
	struct xfs_log_writing how = { .record_size = shape->size, .swapped = swapped };
	const uint32_t blocks = 16384;
	struct sent sent[12];
	struct xfs_log_writer *w;
	unsigned first = 0, n = 0, rounds = 0;
	struct xfs_log_state s;
	uint32_t cycle;

	setup_log(blocks, shape->sunit);
	ck_assert_int_eq(xfs_log_state(&fs, &s), 0);
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, &how), 0);
	cycle = w->cycle;
	while (w->cycle < cycle + 3) {
		uint64_t most, need;
		int err;

		if (n == XFS_ARRAY_SIZE(sent) || xfs_log_writer_used(w) > blocks / 3) {
			ck_assert_uint_eq(read_back(sent, first, n, w->le), n - first);
			for (unsigned i = 0; i < n; i++)
				let_go(&sent[i]);
			first = n = 0;
			xfs_log_writer_release(w, XFS_NULL64);
		}
		make(&sent[n], w->le, testrand_below(&rnd, 8) ? 1 + testrand_below(&rnd, 20) : 200);
		need = xfs_log_checkpoint_blocks(w, sent[n].r, sent[n].n);
		most = xfs_log_distance(&w->area, 0, w->head);
		err = xfs_log_checkpoint_write(w, sent[n].r, sent[n].n, &sent[n].lsn);
		ck_assert_int_eq(err, 0);
		ck_assert_uint_eq((most + need) % blocks, w->head);
		n++;
		rounds++;
	}
	ck_assert_uint_gt(rounds, 12);
	ck_assert_uint_eq(read_back(sent, first, n, w->le), n - first);
	xfs_log_writer_release(w, XFS_NULL64);
	ck_assert_int_eq(xfs_log_writer_unmount(w), 0);
	ck_assert_int_eq(xfs_log_state(&fs, &s), 0);
	ck_assert_int_eq(s.kind, XFS_LOG_CLEAN);
	ck_assert_uint_eq(s.head, w->head);
	ck_assert_uint_eq(s.cycle, w->cycle);
	for (unsigned i = 0; i < n; i++)
		let_go(&sent[i]);
	xfs_log_writer_close(w);
	teardown();
}

START_TEST(read_again)
{
	round_and_round(&shapes[_i / 2], _i % 2);
}
END_TEST

/* ---- stops ---- */

/*
 * Checkpoints on a log that has been round, until the device stops; then what is there is a prefix of what was sent,
 * and at least all that was reported as durable.
 */
static unsigned stop_at(uint64_t stop, uint32_t tear, uint64_t lose, uint32_t head)
{
	struct xfs_dev_fault plan = { .stop_write_at = stop, .tear_bytes = tear, .lose_seed = lose };
	struct xfs_dev *below, *top;
	struct xfs_log_writer *w;
	struct sent sent[6];
	unsigned n = 0, got, durable = 0;

	setup_log(4096, 1);
	/* an older cycle everywhere */
	for (uint32_t b = 0; b < 4096; b++)
		xfs_put_be32(log_dev->bytes + b * 512, b < head ? 7 : 6);
	below = &log_dev->dev;
	{
		/* a clean end in front of the head */
		struct xfs_log_writer *first = open_at(7, head - 2, 0, NULL);

		first->tail_lsn = XFS_NULL64;
		ck_assert_int_eq(xfs_log_writer_unmount(first), 0);
		xfs_log_writer_close(first);
	}
	ck_assert_int_eq(xfs_dev_fault(&top, below, &plan), 0);
	fs.dev.log = top;
	w = open_at(7, head, head - 2, NULL);
	for (; n < XFS_ARRAY_SIZE(sent); n++) {
		int err;

		make(&sent[n], w->le, n % 3 == 2 ? 40 : 2);
		err = xfs_log_checkpoint_write(w, sent[n].r, sent[n].n, &sent[n].lsn);
		if (err) {
			ck_assert_int_eq(err, -XFS_E_FAULT);
			n++;
			break;
		}
		durable = n + 1;
	}
	xfs_log_writer_close(w);
	fs.dev.log = below;
	got = read_back(sent, 0, n, XFS_HOST_LE);
	ck_assert_uint_ge(got, durable);
	/* another writer goes on behind what is left, once that is in place */
	{
		struct xfs_log_state s;
		struct sent more;
		struct xfs_log_writer *next;

		ck_assert_int_eq(xfs_log_state(&fs, &s), 0);
		if (s.kind == XFS_LOG_DIRTY)
			s.kind = XFS_LOG_CLEAN;
		make(&more, XFS_HOST_LE, 1);
		ck_assert_int_eq(xfs_log_writer_open(&next, &fs, &s, NULL), 0);
		ck_assert_int_eq(xfs_log_checkpoint_write(next, more.r, more.n, &more.lsn), 0);
		ck_assert_uint_eq(read_back(&more, 0, 1, XFS_HOST_LE), 1);
		xfs_log_writer_close(next);
		let_go(&more);
	}
	for (unsigned i = 0; i < n; i++)
		let_go(&sent[i]);
	fs.dev.log = top;
	xfs_dev_close(&data->dev);
	xfs_dev_close(top);
	return durable;
}

START_TEST(stopped_anywhere)
{
	const uint32_t heads[] = { 100, 4096 - 64, 4096 - 2, 4094 - 127 };
	unsigned done = 0;

	for (uint64_t stop = 1; done < 6; stop++) {
		const uint32_t tears[] = { 0, 512, 31 * 512 };

		ck_assert_uint_lt(stop, 1000);
		for (unsigned t = 0; t < XFS_ARRAY_SIZE(tears); t++)
			done = stop_at(stop, tears[t], 0, heads[_i]);
		done = stop_at(stop, 0, stop * 77 + 1, heads[_i]);
	}
}
END_TEST

/* ---- limits and errors ---- */

START_TEST(no_room)
{
	struct xfs_log_writer *w;
	struct sent s;
	uint64_t lsn;
	unsigned n = 0;
	int err = 0;

	setup_log(4096, 1);
	w = open_at(1, 2, 0, NULL);
	for (; n < 100 && !err; n++) {
		make(&s, w->le, 30);
		err = xfs_log_checkpoint_write(w, s.r, s.n, &lsn);
		let_go(&s);
	}
	ck_assert_int_eq(err, -XFS_E_NOSPC);
	ck_assert_uint_gt(xfs_log_writer_used(w), 3000);
	/* released, but the last record on disk still names the old tail: what is behind it stays whole */
	xfs_log_writer_release(w, XFS_NULL64);
	make(&s, w->le, 30);
	ck_assert_int_eq(xfs_log_checkpoint_write(w, s.r, s.n, &lsn), -XFS_E_NOSPC);
	let_go(&s);
	make(&s, w->le, 1);
	ck_assert_int_eq(xfs_log_checkpoint_write(w, s.r, s.n, &lsn), 0);
	let_go(&s);
	for (unsigned i = 0; i < 8; i++) {
		make(&s, w->le, 30);
		ck_assert_int_eq(xfs_log_checkpoint_write(w, s.r, s.n, &lsn), 0);
		let_go(&s);
	}
	xfs_log_writer_close(w);
	teardown();
}
END_TEST

START_TEST(opening)
{
	struct xfs_log_state s = { .kind = XFS_LOG_DIRTY, .cycle = 1 };
	struct xfs_log_writing how = { .record_size = 1000 };
	struct xfs_log_writer *w;

	setup_log(4096, 1);
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, NULL), -XFS_E_DIRTYLOG);
	s.kind = XFS_LOG_UNREADABLE;
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, NULL), -XFS_E_CORRUPT);
	s.kind = XFS_LOG_CLEAN;
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, &how), -XFS_E_INVALID);
	how.record_size = 262144 + 512;
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, &how), -XFS_E_INVALID);
	how.record_size = 262144;
	fs.geo.sb.logsunit = 262144;
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, &how), 0);
	xfs_log_writer_close(w);
	fs.geo.sb.logsunit = 12345;
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, NULL), -XFS_E_INVALID);
	fs.geo.sb.logsunit = 1;
	s.head = 5000;
	ck_assert_int_eq(xfs_log_writer_open(&w, &fs, &s, NULL), -XFS_E_UNSUPPORTED);
	s.head = 2;
	for (uint64_t n = 1;; n++) {
		int err;

		failmalloc_start(n, false);
		err = xfs_log_writer_open(&w, &fs, &s, NULL);
		if (failmalloc_stop() < n) {
			ck_assert_int_eq(err, 0);
			break;
		}
		ck_assert_int_eq(err, -XFS_E_NOMEM);
		ck_assert_ptr_null(w);
	}
	xfs_log_writer_close(w);
	teardown();
}
END_TEST

/* ---- the validator ---- */

/* Changes one checkpoint's record, with the checksum put right again, and sees what is said. */
struct harm { uint32_t at; uint8_t v; const char *why; };
static const struct harm harms[] = {
	{ 0x27, 0x53, NULL },			/* of the first record nobody knows what came before */
	{ 0x1f, 0x57, "" },
	{ 0x2b, 4, "a transaction" },		/* the commit is lost: said of the transaction that stays open */
	{ 0x209, 3, "an operation" },
	{ 0x20a, 1, "an operation is of another client" },
	{ 0x213, 12, "" }, { 0x21c, 0x4f, "" }, { 0x220, 0x45, "the header of a transaction is not a checkpoint's" },
	{ 0x224, 3, "a transaction is committed before it is whole" },
	{ 0x231, 0x80, "" }, { 0x239, 0x00, "a buffer does not say what it holds" },
	{ 0x238, 0x02, "a cancelled buffer says more" }, { 0x239, 0x40, "inodes are logged as a buffer" },
	{ 0x23e, 0xff, "a buffer is not on the device" }, { 0x244, 2, "" },
	{ 0x248, 3, "" }, { 0x2e8, 1, "there is something behind the last operation of a record" },
	{ 0x325 - 0x1e5, 0, NULL },		/* nothing changed */
};

START_TEST(strict)
{
	const struct harm *h = &harms[_i];
	struct xfs_log_audit audit;
	struct xfs_log_record r;
	struct xfs_log_state s;
	uint8_t *rec;
	int err;

	setup_log(4096, 1);
	for (uint32_t b = 0; b < 0x54; b++)
		xfs_put_be32(log_dev->bytes + b * 512, 1);
	{
		struct xfs_log_writer *w = open_at(1, 0x54, 0, NULL);

		ck_assert_int_eq(xfs_log_writer_unmount(w), 0);
		xfs_log_writer_close(w);
	}
	rec = log_dev->bytes + 0x56 * 512;
	put_lines(rec, smallest, XFS_ARRAY_SIZE(smallest));
	rec[h->at] = h->v;
	xfs_log_rec_decode(&r.h, rec);
	r.headers = 1;
	xfs_put_le32(rec + 0x20, xfs_log_record_crc(&r, rec, 328));
	ck_assert_int_eq(xfs_log_state(&fs, &s), 0);
	err = xfs_log_validate(&fs, &s, &audit);
	if (!h->why) {
		ck_assert_msg(!err, "%s", audit.why);
		ck_assert_ptr_null(audit.why);
		ck_assert_uint_eq(audit.of_type[XFS_LI_BUF - 0x1230], 1);
	} else if (h->at == 0x2b) {
		/* without its commit it is no checkpoint */
		ck_assert_int_eq(err, -XFS_E_CORRUPT);
	} else {
		ck_assert_int_eq(err, -XFS_E_CORRUPT);
		ck_assert_ptr_nonnull(audit.why);
		ck_assert_msg(!strncmp(audit.why, h->why, strlen(h->why)), "%s", audit.why);
	}
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log writer");
	TCase *t = tcase_create("log writer");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, vectors_byte_for_byte, 0, 2);
	tcase_add_loop_test(t, read_again, 0, 2 * XFS_ARRAY_SIZE(shapes));
	tcase_add_loop_test(t, stopped_anywhere, 0, 4);
	tcase_add_test(t, no_room);
	tcase_add_test(t, opening);
	tcase_add_loop_test(t, strict, 0, XFS_ARRAY_SIZE(harms));
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
