/* SPDX-License-Identifier: BSD-2-Clause */
/* logwriter.c - writes logs as kernels do, for tests. */
#include "tests/unit/logwriter.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c.h"

#include <check.h>
#include <stdlib.h>

#define BB 512u
#define MAGIC 0xfeedbabeu

static uint32_t headers(const struct logwriter *w)
{
	return w->v1 || w->size <= 32768 ? 1 : (w->size + 32767) / 32768;
}

static uint32_t capacity(const struct logwriter *w)
{
	uint32_t cap = w->size - headers(w) * BB;

	return w->most && w->most < cap ? w->most : cap;
}

void logwriter_init(struct logwriter *w)
{
	for (uint32_t b = 0; b < w->blocks; b++) {
		memset(w->area + (size_t)b * BB, 0, BB);
		if (w->cycle > 1 || b < w->at)
			xfs_put_be32(w->area + (size_t)b * BB, b < w->at ? w->cycle : w->cycle - 1);
	}
	logwriter_open(w);
}

void logwriter_open(struct logwriter *w)
{
	w->data = calloc(1, w->size);
	ck_assert_ptr_nonnull(w->data);
	w->tail_lsn = w->lsn = (uint64_t)w->cycle << 32 | w->at;
	w->prev = UINT32_MAX;
	w->nops = w->len = w->nrecords = 0;
}

void logwriter_free(struct logwriter *w)
{
	free(w->data);
	w->data = NULL;
}

void logwriter_op(struct logwriter *w, uint32_t tid, unsigned client, unsigned flags, const void *p, uint32_t len)
{
	uint8_t *q = w->data + w->len;

	ck_assert_uint_le(w->len + 12 + len, w->size - headers(w) * BB);
	xfs_put_be32(q, tid);
	xfs_put_be32(q + 4, len);
	q[8] = (uint8_t)client;
	q[9] = (uint8_t)flags;
	q[10] = q[11] = 0;
	if (len)
		memcpy(q + 12, p, len);
	w->len += 12 + len;
	w->nops++;
}

static void need(struct logwriter *w, uint32_t bytes)
{
	if (w->len + bytes > capacity(w))
		logwriter_flush(w);
}

void logwriter_start(struct logwriter *w, uint32_t tid)
{
	need(w, 12);
	logwriter_op(w, tid, 0x69, 1, NULL, 0);
}

void logwriter_commit(struct logwriter *w, uint32_t tid)
{
	need(w, 12);
	logwriter_op(w, tid, 0x69, 2, NULL, 0);
}

void logwriter_header(struct logwriter *w, uint32_t tid, uint32_t regions)
{
	uint8_t p[16];

	need(w, 28);
	xfs_st32(p, w->le, 0x5452414e);
	xfs_st32(p + 4, w->le, 40);
	xfs_st32(p + 8, w->le, tid);
	xfs_st32(p + 12, w->le, regions);
	logwriter_op(w, tid, 0x69, 0, p, sizeof(p));
}

void logwriter_region(struct logwriter *w, uint32_t tid, const void *p, uint32_t len)
{
	const uint8_t *from = p;
	unsigned flags = 0;

	do {
		uint32_t room;

		need(w, 16);
		room = (capacity(w) - w->len - 12) & ~3u;
		if (len <= room) {
			logwriter_op(w, tid, 0x69, flags ? 0x18 : 0, from, len);
			return;
		}
		logwriter_op(w, tid, 0x69, flags | 4, from, room);
		from += room;
		len -= room;
		flags = 8;
		logwriter_flush(w);
	} while (true);
}

static uint32_t crc_of(const struct logwriter *w, const uint8_t *p, uint32_t len)
{
	static const uint8_t zero[4];
	uint32_t c = xfs_crc32c(XFS_CRC32C_SEED, p, 32);

	c = xfs_crc32c(c, zero, 4);
	c = xfs_crc32c(c, p + 36, 328 - 36);
	for (uint32_t h = 1; h * 32768 < len; h++)
		c = xfs_crc32c(c, p + h * BB, 260);
	return ~xfs_crc32c(c, p + headers(w) * BB, len);
}

static uint32_t bumped(uint32_t cycle)
{
	return cycle + 1 == MAGIC ? cycle + 2 : cycle + 1;
}

static void fill_headers(const struct logwriter *w, uint8_t *p, uint32_t len)
{
	xfs_put_be32(p, MAGIC);
	xfs_put_be32(p + 4, w->cycle);
	xfs_put_be32(p + 8, w->v1 ? 1 : 2);
	xfs_put_be32(p + 12, len);
	xfs_put_be64(p + 16, w->lsn);
	xfs_put_be64(p + 24, w->tail_lsn);
	xfs_put_be32(p + 36, w->prev);
	xfs_put_be32(p + 40, w->nops);
	xfs_put_be32(p + 300, w->le ? 1 : 2);
	memcpy(p + 304, w->uuid, 16);
	xfs_put_be32(p + 320, w->v1 ? 0 : w->size);
	for (uint32_t h = 1; h < headers(w); h++)
		xfs_put_be32(p + h * BB, w->cycle);
}

void logwriter_flush(struct logwriter *w)
{
	uint32_t hdr = headers(w) * BB, total, len;
	uint8_t *p;

	if (!w->nops)
		return;
	total = (hdr + w->len + w->unit - 1) / w->unit * w->unit;
	len = total - hdr;
	p = calloc(1, total);
	ck_assert_ptr_nonnull(p);
	memcpy(p + hdr, w->data, w->len);
	w->lsn = (uint64_t)w->cycle << 32 | w->at;
	fill_headers(w, p, len);
	for (uint32_t k = 0; k < len / BB; k++) {
		uint8_t *word = p + hdr + k * BB;

		memcpy(k < 64 ? p + 44 + 4 * k : p + k / 64 * BB + 4 + 4 * (k % 64), word, 4);
		xfs_put_be32(word, w->cycle);
	}
	for (uint32_t k = w->blocks - w->at; k < total / BB; k++)	/* behind the end */
		xfs_put_be32(p + k * BB, bumped(w->cycle));
	if (!w->no_crc)
		xfs_put_le32(p + 32, crc_of(w, p, len));
	for (uint32_t k = 0; k < total / BB; k++)
		memcpy(w->area + (size_t)((w->at + k) % w->blocks) * BB, p + k * BB, BB);
	free(p);
	ck_assert_uint_lt(w->nrecords, 4096);
	w->starts[w->nrecords++] = w->at;
	w->prev = w->at;
	w->at += total / BB;
	if (w->at >= w->blocks) {
		w->at -= w->blocks;
		w->cycle = bumped(w->cycle);
	}
	memset(w->data, 0, w->size);
	w->len = w->nops = 0;
}

void logwriter_seal(const struct logwriter *w, uint32_t blk)
{
	uint8_t *p = w->area + (size_t)blk * BB;
	uint32_t len = xfs_be32(p + 12);

	if ((uint64_t)blk + headers(w) + (len + BB - 1) / BB <= w->blocks)
		xfs_put_le32(p + 32, crc_of(w, p, len));
}

void logwriter_begin(struct logwriter *w, uint32_t tid)
{
	logwriter_start(w, tid);
	logwriter_header(w, tid, 1);
}

void logwriter_end(struct logwriter *w, uint32_t tid)
{
	logwriter_commit(w, tid);
	logwriter_flush(w);
}
