/* SPDX-License-Identifier: BSD-2-Clause */
/* load.c - reads one record, judges it, and looks for the bit that is wrong. */
#include "libxfs/log/load.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>

#define XHDR_CRC 260u			/* bytes of an extended header that are summed */
#define FIRST_PIECE 4u			/* blocks */
#define HEADER_CRC 328u			/* of the header; 324 by writers on 32-bit x86 */

static int fail(struct xfs_log_loaded *l, int code, const char *why)
{
	l->why = why;
	return code;
}

/* Blocks [blk + done, blk + count) to their place in the buffer, which holds those from blk on. */
static int read_blocks(const struct xfs_log_area *a, uint32_t blk, uint32_t done, uint32_t count,
		       struct xfs_log_loaded *l)
{
	size_t need = (size_t)count * XFS_BBSIZE;
	int err;

	if (need > l->room) {
		uint8_t *more = realloc(l->p, need);

		if (!more)
			return fail(l, -XFS_E_NOMEM, "there is not enough memory for it");
		l->p = more;
		l->room = need;
	}
	err = xfs_log_area_read_most(a, (blk + done) % a->blocks, count - done, l->p + (size_t)done * XFS_BBSIZE, NULL);
	return err ? fail(l, err, "it cannot be read") : 0;
}

/* NULL, or what is wrong with the header at the start of the buffer. */
static const char *judge_header(const struct xfs_log_area *a, uint32_t blk, struct xfs_log_loaded *l)
{
	const char *why = xfs_log_record_parse(a, blk, l->p, &l->r);

	if (why)
		return why;
	if (!l->r.h.len)
		return "a record is empty";
	if (l->r.h.cycle == XFS_LOG_MAGIC)
		return "a record has a cycle number that there is not";
	if (l->r.h.lsn != ((uint64_t)l->r.h.cycle << 32 | blk))
		return "a record is not at its own place";
	return xfs_log_record_is_ours(a, &l->r, true) ? NULL : "a record belongs to another filesystem (uuid)";
}

static unsigned bits(uint32_t x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

/* Bits that differ in the stamps of blocks [from, to) of the record. */
static unsigned wrong_stamps(const struct xfs_log_area *a, const struct xfs_log_loaded *l, uint32_t from, uint32_t to)
{
	unsigned n = 0;

	for (uint32_t k = from; k < to; k++) {
		bool wrapped = l->r.block + k >= a->blocks;
		uint32_t here = wrapped ? xfs_log_next_cycle(l->r.h.cycle) : l->r.h.cycle;

		n += bits(xfs_be32(l->p + (size_t)k * XFS_BBSIZE) ^ here);
	}
	return n;
}

/*
 * The rest of the record whose header stands in the buffer, in pieces: with more than one bit of the stamps wrong it is
 * none, and nothing can mend it.  A header is no stamp, so records that are read farther do not lie over each other,
 * and looking for one at each block takes no more than a few times the log.
 */
static int read_record(const struct xfs_log_area *a, uint32_t blk, struct xfs_log_loaded *l)
{
	uint32_t n = xfs_log_record_blocks(&l->r), done = 1;
	unsigned wrong = 0;

	for (uint32_t piece = FIRST_PIECE; done < n && wrong <= 1; piece *= 2) {
		uint32_t to = (uint32_t)xfs_min(n, (uint64_t)done + piece);
		int err = read_blocks(a, blk, done, to, l);

		if (err)
			return err;
		wrong += wrong_stamps(a, l, done, to);
		done = to;
	}
	if (wrong <= 1)
		return 0;
	return l->r.h.crc ? fail(l, -XFS_E_BADCRC, "the checksum of a record is wrong")
			  : fail(l, -XFS_E_CORRUPT, "blocks of a record are not of its cycle");
}

/* The whole record, whose header is in order. */
static int judge_body(const struct xfs_log_area *a, struct xfs_log_loaded *l)
{
	if (l->r.h.crc && !xfs_log_record_crc_fits(&l->r, l->p))
		return fail(l, -XFS_E_BADCRC, "the checksum of a record is wrong");
	if (wrong_stamps(a, l, 1, xfs_log_record_blocks(&l->r)))
		return fail(l, -XFS_E_CORRUPT, "blocks of a record are not of its cycle");
	return 0;
}

/* ---- one flipped bit ---- */

/* What the checksum covers, in one piece; *len bytes, NULL: no memory. */
static uint8_t *covered(const struct xfs_log_loaded *l, uint32_t header, size_t *len)
{
	uint32_t extended = (uint32_t)xfs_min(l->r.headers, xfs_ceil_div(l->r.h.len, XFS_LOG_HEADER_DATA)) - 1;
	uint8_t *p;

	*len = header + (size_t)extended * XHDR_CRC + l->r.h.len;
	p = malloc(*len);
	if (!p)
		return NULL;
	memcpy(p, l->p, header);
	for (uint32_t i = 0; i < extended; i++)
		memcpy(p + header + (size_t)i * XHDR_CRC, l->p + (size_t)(i + 1) * XFS_BBSIZE, XHDR_CRC);
	memcpy(p + header + (size_t)extended * XHDR_CRC, l->p + (size_t)l->r.headers * XFS_BBSIZE, l->r.h.len);
	return p;
}

/* Byte of the record that is byte `at` of what is covered. */
static size_t place_of(const struct xfs_log_loaded *l, uint32_t header, size_t at)
{
	size_t extended = (xfs_min(l->r.headers, xfs_ceil_div(l->r.h.len, XFS_LOG_HEADER_DATA)) - 1) * XHDR_CRC;

	if (at < header)
		return at;
	at -= header;
	if (at < extended)
		return (1 + at / XHDR_CRC) * XFS_BBSIZE + at % XHDR_CRC;
	return (size_t)l->r.headers * XFS_BBSIZE + (at - extended);
}

/* The header tells how long the record is: the checksum tells which bit is wrong. */
static int mend_body(const struct xfs_log_area *a, uint32_t blk, struct xfs_log_loaded *l)
{
	const uint32_t headers[] = { HEADER_CRC, HEADER_CRC - 4 };
	uint32_t blocks = xfs_log_record_blocks(&l->r);

	for (unsigned i = 0; i < XFS_ARRAY_SIZE(headers); i++) {
		size_t len, byte;
		unsigned bit;
		uint8_t *p = covered(l, headers[i], &len);
		bool found = p && xfs_crc32c_find_flip(p, len, XFS_OFF(log_rec, crc), &byte, &bit);

		free(p);
		if (!p)
			return -XFS_E_NOMEM;
		if (!found)
			continue;
		byte = place_of(l, headers[i], byte);
		l->p[byte] ^= (uint8_t)(1u << bit);
		if (!judge_header(a, blk, l) && xfs_log_record_blocks(&l->r) == blocks && !judge_body(a, l)) {
			l->mended = true;
			return 0;
		}
		l->p[byte] ^= (uint8_t)(1u << bit);
	}
	return -XFS_E_BADCRC;
}

/* Fields of the header that must have a certain value: how many bits are wrong. */
static unsigned wrong_bits(const struct xfs_log_area *a, uint32_t blk, const uint8_t *p)
{
	return bits(xfs_be32(p) ^ XFS_LOG_MAGIC) + bits(xfs_be32(p + XFS_OFF(log_rec, version)) ^ (a->v2 ? 2u : 1u)) +
	       bits(xfs_be32(p + XFS_OFF(log_rec, lsn)) ^ xfs_be32(p + XFS_OFF(log_rec, cycle))) +
	       bits(xfs_be32(p + XFS_OFF(log_rec, lsn) + 4) ^ blk);
}

/* Fields without which nothing else of the record is found. */
static bool is_framing(size_t byte)
{
	return byte < XFS_OFF(log_rec, tail_lsn) ||
	       (byte >= XFS_OFF(log_rec, size) && byte < XFS_OFF(log_rec, size) + 4);
}

/* With this bit flipped it is a header, of a record as writers make them. */
static bool may_be(const struct xfs_log_area *a, uint32_t blk, struct xfs_log_loaded *l)
{
	return !wrong_bits(a, blk, l->p) && !judge_header(a, blk, l) && l->r.h.crc &&
	       (uint64_t)xfs_log_record_blocks(&l->r) * XFS_BBSIZE <= xfs_max(l->r.h.size, XFS_LOG_HEADER_DATA);
}

static int mend_header(const struct xfs_log_area *a, uint32_t blk, struct xfs_log_loaded *l)
{
	for (size_t byte = 0; byte < HEADER_CRC; byte++)
		for (unsigned bit = 0; bit < 8 && is_framing(byte); bit++) {
			const uint8_t mask = (uint8_t)(1u << bit);
			int err;

			l->p[byte] ^= mask;
			if (!may_be(a, blk, l)) {
				l->p[byte] ^= mask;
				continue;
			}
			err = read_record(a, blk, l);
			if (err && err != -XFS_E_BADCRC && err != -XFS_E_CORRUPT)
				return err;
			if (!err && !judge_body(a, l)) {
				l->mended = true;
				return 0;
			}
			l->p[byte] ^= mask;
		}
	return -XFS_E_CORRUPT;
}

int xfs_log_load(const struct xfs_log_area *a, uint32_t blk, struct xfs_log_loaded *l)
{
	int err = read_blocks(a, blk, 0, 1, l), found = -XFS_E_CORRUPT;
	bool readable, whole = false;

	l->mended = false;
	l->why = "it cannot be read";
	if (err)
		return err;
	l->why = judge_header(a, blk, l);
	readable = !l->why;
	if (readable) {
		err = read_record(a, blk, l);
		whole = !err;
		if (!err)
			err = judge_body(a, l);
		if (!err || err == -XFS_E_NOMEM)
			return err;
	} else {
		err = -XFS_E_CORRUPT;
	}
	if (wrong_bits(a, blk, l->p) > 1 || !l->r.h.crc)
		return err;
	if (whole)
		found = mend_body(a, blk, l);
	if (found && found != -XFS_E_NOMEM) {
		const char *why = l->why;

		found = read_blocks(a, blk, 0, 1, l);
		if (!found)
			found = mend_header(a, blk, l);
		l->why = why;
	}
	return !found || found == -XFS_E_NOMEM ? found : err;
}

void xfs_log_loaded_free(struct xfs_log_loaded *l)
{
	free(l->p);
	l->p = NULL;
	l->room = 0;
}
