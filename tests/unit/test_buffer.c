/* SPDX-License-Identifier: BSD-2-Clause */
/* test_buffer.c - the buffer cache: sharing, overlaps, verifiers, eviction, readahead, write-back, threads. */
#include "libxfs/base/bytes.h"
#include "libxfs/mount/buffer.h"
#include "tests/unit/memdev.h"
#include "tests/unit/vectors.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SIZE (4u << 20)
#define BLOCK 4096u

static struct memdev *dev;
static struct xfs_buf_cache *cache;
static unsigned sealed;
static _Atomic unsigned verified;

static int verify_even(const void *ctx, const struct xfs_buf *b, struct xfs_finding *why)
{
	(void)ctx;
	verified++;
	if (b->data[0] & 1) {
		if (why)
			*why = xfs_finding_of(XFS_F_BLOCK_MAGIC, "test");
		return -XFS_E_BADMAGIC;
	}
	return 0;
}

static void seal_last(const void *ctx, struct xfs_buf *b)
{
	(void)ctx;
	sealed++;
	b->data[b->len - 1] = 0x5a;
}

static const struct xfs_buf_type even = { .name = "even", .verify = verify_even, .seal = seal_last };
static const struct xfs_buf_type any = { .name = "any" };

static void setup(void)
{
	dev = memdev_new(SIZE);
	ck_assert_ptr_nonnull(dev);
	for (uint32_t i = 0; i < SIZE; i += 512) {
		xfs_put_be32(dev->bytes + i, i / 512 * 2);	/* sector number, low bit clear */
		dev->bytes[i] = 0;
	}
	ck_assert_int_eq(xfs_buf_cache_new(&cache, &dev->dev, BLOCK, 1 << 20, NULL), 0);
	verified = sealed = 0;
}

static void teardown(void)
{
	xfs_buf_cache_free(cache);
	xfs_dev_close(&dev->dev);
}

/* Memory of buffers of several lengths: aligned for direct I/O, no byte of it two buffers', and taken again. */
START_TEST(memory)
{
	static const uint32_t bbs[] = { 1, 8, 16, 3, 64, 128 };
	struct xfs_buf *held[200];

	for (unsigned round = 0; round < 3; round++) {
		uint64_t daddr = 0;
		size_t n = 0;

		for (; n < XFS_ARRAY_SIZE(held) && daddr + 128 < SIZE / 512; n++) {
			uint32_t len = bbs[(n * 7 + round) % XFS_ARRAY_SIZE(bbs)];

			ck_assert_int_eq(xfs_buf_get1(cache, daddr, len, NULL, XFS_BUF_NEW, &held[n]), 0);
			ck_assert_uint_eq((uintptr_t)held[n]->data % (len < 8 ? 512 : 4096), 0);
			memset(held[n]->data, (int)n, held[n]->len);
			daddr += len;
		}
		for (size_t i = 0; i < n; i++) {
			uint32_t same = 0;

			while (same < held[i]->len && held[i]->data[same] == (uint8_t)i)
				same++;
			ck_assert_uint_eq(same, held[i]->len);
			xfs_buf_put(held[i]);
		}
		xfs_buf_forget(cache, 0, 0);
	}
}
END_TEST

START_TEST(sharing)
{
	struct xfs_buf *a, *b;
	struct xfs_buf_stats s;

	ck_assert_int_eq(xfs_buf_get1(cache, 80, 8, NULL, XFS_BUF_CACHED, &a), -XFS_E_NOENT);
	ck_assert_int_eq(xfs_buf_get1(cache, 80, 8, NULL, 0, &a), 0);
	ck_assert_uint_eq(xfs_be32(a->data), 160);
	ck_assert_int_eq(xfs_buf_get1(cache, 80, 8, NULL, XFS_BUF_CACHED, &b), 0);
	ck_assert_ptr_eq(a, b);
	xfs_buf_put(a);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get1(cache, 80, 8, NULL, 0, &b), 0);
	xfs_buf_put(b);
	xfs_buf_stats(cache, &s);
	ck_assert_uint_eq(s.reads, 1);
	ck_assert_uint_eq(s.hits, 2);
	ck_assert_uint_eq(dev->reads, 1);
	xfs_buf_forget(cache, 87, 1);
	ck_assert_int_eq(xfs_buf_get1(cache, 80, 8, NULL, XFS_BUF_CACHED, &b), -XFS_E_NOENT);
}
END_TEST

START_TEST(shapes)
{
	struct xfs_buf_extent pieces[] = { { 64, 8 }, { 8, 8 }, { 200, 16 } }, twice[] = { { 64, 8 }, { 68, 8 } };
	struct xfs_buf *a, *b;

	ck_assert_int_eq(xfs_buf_get(cache, pieces, 3, NULL, 0, &a), 0);
	ck_assert_uint_eq(a->len, 16384);
	ck_assert_uint_eq(xfs_be32(a->data), 128);
	ck_assert_uint_eq(xfs_be32(a->data + 4096), 16);
	ck_assert_uint_eq(xfs_be32(a->data + 8192), 400);
	/* another shape on the same sectors, while it is held and after */
	ck_assert_int_eq(xfs_buf_get1(cache, 8, 8, NULL, 0, &b), -XFS_E_OVERLAP);
	ck_assert_int_eq(xfs_buf_get1(cache, 208, 1, NULL, 0, &b), -XFS_E_OVERLAP);
	ck_assert_int_eq(xfs_buf_get(cache, pieces, 2, NULL, 0, &b), -XFS_E_OVERLAP);
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, NULL, 0, &b), 0);
	xfs_buf_put(b);
	xfs_buf_put(a);
	ck_assert_int_eq(xfs_buf_get1(cache, 208, 1, NULL, 0, &b), 0);
	ck_assert_uint_eq(xfs_be32(b->data), 416);
	ck_assert_int_eq(xfs_buf_get(cache, pieces, 3, NULL, 0, &a), -XFS_E_OVERLAP);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get(cache, pieces, 3, NULL, 0, &a), 0);
	xfs_buf_put(a);
	/* sectors of one block apart from each other do not overlap */
	ck_assert_int_eq(xfs_buf_get1(cache, 800, 1, NULL, 0, &a), 0);
	ck_assert_int_eq(xfs_buf_get1(cache, 801, 1, NULL, 0, &b), 0);
	xfs_buf_put(a);
	xfs_buf_put(b);
	/* impossible shapes */
	ck_assert_int_eq(xfs_buf_get(cache, twice, 2, NULL, 0, &a), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_buf_get1(cache, SIZE / 512 - 4, 8, NULL, 0, &a), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_buf_get1(cache, UINT64_MAX - 2, 8, NULL, 0, &a), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_buf_get1(cache, 0, 0, NULL, 0, &a), -XFS_E_RANGE);
	ck_assert_int_eq(xfs_buf_get1(cache, 0, 129, NULL, 0, &a), -XFS_E_RANGE);
}
END_TEST

START_TEST(verifiers)
{
	struct xfs_finding why;
	struct xfs_buf *b;

	dev->bytes[8 * 512] = 1;
	ck_assert_int_eq(xfs_buf_get1(cache, 8, 8, &even, 0, &b), -XFS_E_BADMAGIC);
	ck_assert_ptr_null(b);
	ck_assert_int_eq(xfs_buf_get1(cache, 8, 8, &even, XFS_BUF_BROKEN, &b), 0);
	ck_assert_uint_eq(verified, 1);			/* the result was remembered */
	ck_assert_int_eq(xfs_buf_check(b, &even, NULL), -XFS_E_BADMAGIC);
	ck_assert_uint_eq(verified, 1);
	ck_assert_int_eq(xfs_buf_check(b, &even, &why), -XFS_E_BADMAGIC);
	ck_assert_int_eq(why.id, XFS_F_BLOCK_MAGIC);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get1(cache, 8, 8, &any, 0, &b), 0);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get1(cache, 8, 8, &even, XFS_BUF_NOVERIFY, &b), 0);
	xfs_buf_put(b);
	verified = 0;
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, &even, 0, &b), 0);
		xfs_buf_put(b);
	}
	ck_assert_uint_eq(verified, 1);
}
END_TEST

START_TEST(eviction)
{
	struct xfs_buf_stats s;
	struct xfs_buf *b, *kept;

	ck_assert_int_eq(xfs_buf_get1(cache, 0, 8, NULL, 0, &kept), 0);
	for (int round = 0; round < 2; round++)
		for (uint32_t d = 8; d < SIZE / 512; d += 8) {
			ck_assert_int_eq(xfs_buf_get1(cache, d, 8, NULL, 0, &b), 0);
			ck_assert_uint_eq(xfs_be32(b->data), 2 * d);
			xfs_buf_put(b);
		}
	xfs_buf_stats(cache, &s);
	ck_assert_uint_le(s.bytes, (1 << 20) + BLOCK);
	ck_assert_uint_ge(s.evictions, 3 * 256);
	ck_assert_uint_eq(s.misses, s.evictions + s.buffers);
	ck_assert_uint_eq(xfs_be32(kept->data), 0);
	xfs_buf_put(kept);
}
END_TEST

START_TEST(read_errors)
{
	struct xfs_buf *b;
	struct xfs_buf_stats s;

	dev->bad_off = 100 * 512;
	dev->bad_len = 1;
	ck_assert_int_eq(xfs_buf_get1(cache, 96, 8, &any, XFS_BUF_BROKEN, &b), -XFS_E_IO);
	xfs_buf_stats(cache, &s);
	ck_assert_uint_eq(s.buffers, 0);
	dev->bad_len = 0;
	ck_assert_int_eq(xfs_buf_get1(cache, 96, 8, &any, 0, &b), 0);
	xfs_buf_put(b);
}
END_TEST

START_TEST(readahead)
{
	struct xfs_buf_extent e[] = { { 800, 8 }, { 80, 8 }, { 160, 8 }, { 400, 8 }, { UINT64_MAX, 8 }, { 80, 16 } };
	struct xfs_buf_extent pieces[] = { { 1000, 8 }, { 900, 8 } };
	struct xfs_buf_want w[] = { { e, 1 }, { e + 1, 1 }, { e + 2, 1 }, { e + 3, 1 }, { e + 4, 1 }, { e + 5, 1 },
				   { pieces, 2 } };
	struct xfs_buf *b;

	ck_assert_int_eq(xfs_buf_get(cache, e + 2, 1, NULL, 0, &b), 0);
	xfs_buf_put(b);
	dev->bad_off = 400 * 512;
	dev->bad_len = 512;
	dev->reads = dev->read_vectors = 0;
	xfs_buf_readahead(cache, w, 7);
	ck_assert_uint_eq(dev->reads, 1);
	ck_assert_uint_eq(dev->read_vectors, 5);	/* three blocks, one in two pieces, one bad */
	ck_assert_int_eq(xfs_buf_get(cache, e, 1, NULL, XFS_BUF_CACHED, &b), 0);
	ck_assert_uint_eq(xfs_be32(b->data), 1600);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get(cache, pieces, 2, NULL, XFS_BUF_CACHED, &b), 0);
	ck_assert_uint_eq(xfs_be32(b->data + 4096), 1800);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get(cache, e + 3, 1, NULL, 0, &b), -XFS_E_IO);
}
END_TEST

START_TEST(write_back)
{
	struct xfs_buf_stats s;
	struct xfs_buf *b;

	for (unsigned i = 40; i--;) {
		ck_assert_int_eq(xfs_buf_get1(cache, 16 * i, 8, &even, i & 1 ? XFS_BUF_NEW : 0, &b), 0);
		ck_assert_uint_eq(xfs_be32(b->data), i & 1 ? 0 : 32 * i);
		xfs_put_be32(b->data, 0x00112200 + i);
		ck_assert_int_eq(xfs_buf_dirty(b, &even), 0);
		xfs_buf_put(b);
	}
	/* dirty buffers are neither dropped nor verified */
	xfs_buf_forget(cache, 0, 0);
	verified = 0;
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, &even, XFS_BUF_CACHED, &b), 0);
	ck_assert_uint_eq(verified, 0);
	xfs_buf_put(b);
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 4, &even, 0, &b), -XFS_E_OVERLAP);
	dev->bad_off = 16 * 512;
	dev->bad_len = 512;
	ck_assert_int_eq(xfs_buf_flush(cache), -XFS_E_IO);
	ck_assert(dev->in_order);
	ck_assert_uint_eq(dev->writes, 1);
	ck_assert_uint_eq(sealed, 40);
	xfs_buf_stats(cache, &s);
	ck_assert_uint_eq(s.dirty_bytes, BLOCK);
	ck_assert_uint_eq(s.writes, 39);
	dev->bad_len = 0;
	ck_assert_int_eq(xfs_buf_flush(cache), 0);
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_uint_eq(xfs_be32(dev->bytes + 16 * 512 * i), 0x00112200 + i);
		ck_assert_uint_eq(dev->bytes[16 * 512 * i + BLOCK - 1], 0x5a);
	}
	xfs_buf_stats(cache, &s);
	ck_assert_uint_eq(s.dirty_bytes, 0);
	ck_assert_int_eq(xfs_buf_flush(cache), 0);
	ck_assert_uint_eq(dev->writes, 2);
	dev->dev.readonly = true;
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, NULL, 0, &b), 0);
	ck_assert_int_eq(xfs_buf_dirty(b, &even), -XFS_E_READONLY);
	xfs_buf_put(b);
}
END_TEST

static void *worker(void *arg)
{
	uint64_t x = (uintptr_t)arg * 2654435761u + 1, bad = 0;

	for (int i = 0; i < 20000; i++) {
		struct xfs_buf_extent e[4];
		struct xfs_buf_want w[4];
		struct xfs_buf *b;

		for (int k = 0; k < 4; k++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			e[k] = (struct xfs_buf_extent){ (x >> 33) % (SIZE / 4096) * 8, 8 };
			w[k] = (struct xfs_buf_want){ &e[k], 1 };
		}
		if (i % 8 == 0)
			xfs_buf_readahead(cache, w, 4);
		if (xfs_buf_get(cache, e, 1, &any, 0, &b)) {
			bad++;
			continue;
		}
		bad += xfs_be32(b->data) != 2 * e[0].daddr;
		xfs_buf_put(b);
	}
	return (void *)(uintptr_t)bad;
}

START_TEST(threads)
{
	struct xfs_buf_stats s;
	pthread_t t[4];

	for (uintptr_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, worker, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(t[i], &bad);
		ck_assert_ptr_null(bad);
	}
	xfs_buf_stats(cache, &s);
	ck_assert_uint_le(s.bytes, 1 << 20);
	ck_assert_uint_eq(s.overlaps, 0);
}
END_TEST

/* Bit 0 of the first byte is the one that flips. */
static bool mend_even(const void *ctx, struct xfs_buf *b, size_t *byte, unsigned *bit)
{
	(void)ctx;
	b->data[0] ^= 1;
	*byte = *bit = 0;
	return true;
}

static const struct xfs_buf_type mending = { .name = "mending", .verify = verify_even, .mend = mend_even };
static const struct xfs_buf_type other = { .name = "other", .verify = verify_even };

static void count_told(void *payload, const struct xfs_buf *b, const struct xfs_buf_type *type, size_t byte,
		       unsigned bit)
{
	ck_assert(type == &mending && !byte && !bit && !(b->data[0] & 1));
	__atomic_add_fetch((unsigned *)payload, 1, __ATOMIC_RELAXED);
}

START_TEST(only_reads)
{
	struct xfs_buf *a, *b, *c;
	unsigned told = 0;
	uint8_t raw[64];

	xfs_buf_cache_only_reads(cache);
	xfs_buf_cache_mends(cache, count_told, &told);
	/* what is held in another shape does not matter */
	ck_assert_int_eq(xfs_buf_get1(cache, 64, 16, NULL, 0, &a), 0);
	ck_assert_int_eq(xfs_buf_get1(cache, 72, 8, NULL, 0, &b), 0);
	ck_assert_ptr_ne(a->data + 4096, b->data);
	ck_assert_mem_eq(a->data + 4096, b->data, 4096);
	ck_assert_int_eq(xfs_buf_dirty(b, &even), -XFS_E_READONLY);
	xfs_buf_hold(b);
	xfs_buf_put(b);
	xfs_buf_put(b);
	xfs_buf_put(a);
	ck_assert_int_eq(xfs_buf_get1(cache, 64, 16, NULL, XFS_BUF_CACHED, &a), 0);
	xfs_buf_put(a);
	/* each reader of a mended block is told */
	dev->bytes[8 * 512] = 1;
	for (unsigned i = 1; i < 4; i++) {
		ck_assert_int_eq(xfs_buf_get1(cache, 8, 8, &mending, 0, &b), 0);
		ck_assert_uint_eq(told, i);
		xfs_buf_as_read(b, raw, sizeof(raw));
		ck_assert_uint_eq(raw[0], 1);
		ck_assert_mem_eq(raw + 1, b->data + 1, sizeof(raw) - 1);
		xfs_buf_put(b);
	}
	/* a block that somebody looks at stays as it is under his eyes */
	dev->bytes[16 * 512] = 1;
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, &other, XFS_BUF_BROKEN, &a), 0);
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, &mending, 0, &b), 0);
	ck_assert_ptr_ne(a, b);
	ck_assert_uint_eq(a->data[0], 1);
	ck_assert_uint_eq(b->data[0], 0);
	ck_assert_uint_eq(told, 4);
	xfs_buf_put(a);
	ck_assert_int_eq(xfs_buf_get1(cache, 16, 8, &mending, 0, &c), 0);
	ck_assert_uint_eq(told, 5);
	xfs_buf_put(b);
	xfs_buf_put(c);
}
END_TEST

static void *mender(void *arg)
{
	uintptr_t bad = 0;

	(void)arg;
	for (unsigned i = 0; i < 2000; i++) {
		struct xfs_buf *b;

		if (xfs_buf_get1(cache, i % 256 * 8, 8, &mending, 0, &b)) {
			bad++;
			continue;
		}
		bad += b->data[0] & 1;
		xfs_buf_put(b);
	}
	return (void *)bad;
}

START_TEST(mending_threads)
{
	unsigned told = 0;
	pthread_t t[4];

	for (unsigned i = 0; i < 256; i++)
		dev->bytes[i * BLOCK] = 1;
	xfs_buf_cache_only_reads(cache);
	xfs_buf_cache_mends(cache, count_told, &told);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, mender, NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *bad;

		pthread_join(t[i], &bad);
		ck_assert_ptr_null(bad);
	}
	ck_assert_uint_eq(told, 4 * 2000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buffer");
	TCase *t = tcase_create("cache");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, memory);
	tcase_add_test(t, sharing);
	tcase_add_test(t, shapes);
	tcase_add_test(t, verifiers);
	tcase_add_test(t, eviction);
	tcase_add_test(t, read_errors);
	tcase_add_test(t, readahead);
	tcase_add_test(t, write_back);
	tcase_add_test(t, threads);
	tcase_add_test(t, only_reads);
	tcase_add_test(t, mending_threads);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
