/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flips.c - single flipped bits: blocks that are right but for one bit are read as if it had not flipped, and put right
 * on the device before anything else is written.
 *
 * CRC32C is linear, so the checksum names the bit; it is believed when the block then verifies.  Flipping a bit back in
 * place is safe at any moment: the block was of no use before, and is whole afterwards.
 */
#include "repair/write.h"
#include "repair/flips.h"
#include "repair/lanes.h"
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

struct repair_flip {
	struct xfs_buf_extent *extents;
	size_t next;		/* in the chain of its hash; index + 1, 0 ends it */
	unsigned nextents;
	uint32_t len;		/* bytes of the block */
	size_t byte;		/* in the block */
	uint8_t bit;
	uint32_t sum;		/* over the block as the device has it: what others wrote meanwhile stays */
};

static size_t hash_of(const struct repair_flips *l, uint64_t daddr)
{
	return (size_t)xfs_mix(&l->mix, daddr) & (l->nheads - 1);
}

static bool knows(const struct repair_flips *l, const struct xfs_buf_extent *extents, unsigned n)
{
	for (size_t i = l->nheads ? l->heads[hash_of(l, extents[0].daddr)] : 0; i; i = l->list[i - 1].next) {
		const struct repair_flip *f = &l->list[i - 1];

		if (f->nextents == n && !memcmp(f->extents, extents, n * sizeof(*extents)))
			return true;
	}
	return false;
}

static int make_room(struct repair_flips *l)
{
	size_t room = l->room ? 2 * l->room : 16;
	struct repair_flip *grown;
	size_t *heads;

	if (l->n < l->room)
		return 0;
	grown = realloc(l->list, room * sizeof(*grown));
	if (!grown)
		return -XFS_E_NOMEM;
	l->list = grown;
	heads = realloc(l->heads, room * sizeof(*heads));
	if (!heads)
		return -XFS_E_NOMEM;
	l->heads = heads;
	xfs_mix_init(&l->mix);
	l->nheads = l->room = room;
	memset(heads, 0, room * sizeof(*heads));
	for (size_t i = 0; i < l->n; i++) {
		size_t at = hash_of(l, l->list[i].extents[0].daddr);

		l->list[i].next = heads[at];
		heads[at] = i + 1;
	}
	return 0;
}

/* Takes over what *f holds. */
static int add(struct repair_flips *l, const struct repair_flip *f)
{
	int error = make_room(l);
	size_t at;

	if (error)
		return error;
	at = hash_of(l, f->extents[0].daddr);
	l->list[l->n] = *f;
	l->list[l->n].next = l->heads[at];
	l->heads[at] = ++l->n;
	return 0;
}

static int keep(struct repair *r, const struct xfs_buf *b, size_t byte, unsigned bit)
{
	struct repair_flip f = { .nextents = b->nextents, .len = b->len, .byte = byte, .bit = (uint8_t)bit };
	uint8_t as_read = b->data[byte] ^ (uint8_t)(1u << bit);
	int error;

	f.extents = malloc(b->nextents * sizeof(*f.extents));
	if (!f.extents)
		return -XFS_E_NOMEM;
	memcpy(f.extents, b->extents, b->nextents * sizeof(*f.extents));
	/* others may look at the block */
	f.sum = xfs_crc32c(XFS_CRC32C_SEED, b->data, byte);
	f.sum = xfs_crc32c(f.sum, &as_read, 1);
	f.sum = xfs_crc32c(f.sum, b->data + byte + 1, b->len - byte - 1);
	error = add(&r->flips, &f);
	if (error)
		free(f.extents);
	return error;
}

int repair_adopt_flip(struct repair *r, const struct repair *view, size_t n, bool *news)
{
	struct repair_flip f = view->flips.list[n];
	int error = -XFS_E_NOMEM;

	*news = !knows(&r->flips, f.extents, f.nextents);
	if (!*news)
		return 0;
	f.extents = malloc(f.nextents * sizeof(*f.extents));
	if (f.extents) {
		memcpy(f.extents, view->flips.list[n].extents, f.nextents * sizeof(*f.extents));
		error = add(&r->flips, &f);
	}
	if (error)
		free(f.extents);
	return error;
}

static void mended(void *payload, const struct xfs_buf *b, const struct xfs_buf_type *type, size_t byte, unsigned bit)
{
	struct repair *r = repair_view(payload);
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_BITFLIP,
					      xfs_block_name((enum xfs_block_kind)(type - xfs_buf_types)));
	xfs_agno_t agno;
	xfs_agbno_t agbno;
	int error;

	if (repair_glance_mends(r) || knows(&r->flips, b->extents, b->nextents))
		return;
	error = keep(r, b, byte, bit);

	xfs_daddr_ag(&r->geo, XFS_DADDR(b->extents[0].daddr), &agno, &agbno);
	f.agno = agno.v;
	f.agbno = agbno.v;
	xfs_finding_detail(&f, "byte %zu, bit %u", byte, bit);
	if (r->lane && !error)
		repair_lane_flip(r, r->flips.n - 1, &f);
	else
		repair_note(r, &f, !error);
	r->flip_error = r->flip_error ? r->flip_error : error;
}

int repair_fs_open(struct repair *r, struct xfs_fs **out, const struct xfs_sink *sink)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK | XFS_FS_NOWILDLSN,
					  .cache = r->cache, .sb = &r->primary };
	int error = xfs_fs_open(out, &r->dev, &options, sink);

	if (error)
		return error;
	xfs_buf_cache_mends((*out)->cache, mended, r);
	xfs_buf_cache_only_reads((*out)->cache);
	return 0;
}

static int transfer(struct xfs_dev *dev, const struct repair_flip *f, uint8_t *bytes)
{
	int error = 0;

	for (unsigned i = 0; i < f->nextents && !error; i++) {
		size_t len = (size_t)f->extents[i].bbs * XFS_BBSIZE;

		error = xfs_dev_read(dev, f->extents[i].daddr * XFS_BBSIZE, bytes, len);
		bytes += len;
	}
	return error;
}

/* The sector that holds the bit. */
static int flip(struct repair *r, const struct repair_flip *f, const uint8_t *bytes)
{
	size_t at = f->byte & ~(size_t)(XFS_BBSIZE - 1), before = 0;
	unsigned i = 0;

	while (at - before >= (size_t)f->extents[i].bbs * XFS_BBSIZE)
		before += (size_t)f->extents[i++].bbs * XFS_BBSIZE;
	return xfs_dev_write(r->dev.data, f->extents[i].daddr * XFS_BBSIZE + (at - before), bytes + at, XFS_BBSIZE);
}

int repair_write_flips(struct repair *r)
{
	uint8_t *bytes;
	int error = r->flip_error;

	if (!r->flips.n || r->looking || error)
		return error;
	error = repair_begin_writing(r);
	bytes = malloc(XFS_BUF_MAXLEN);
	if (!error && !bytes)
		error = -XFS_E_NOMEM;
	for (size_t i = 0; i < r->flips.n && !error; i++) {
		struct repair_flip *f = &r->flips.list[i];

		error = transfer(r->dev.data, f, bytes);
		if (error || xfs_crc32c(XFS_CRC32C_SEED, bytes, f->len) != f->sum)
			continue;
		bytes[f->byte] ^= (uint8_t)(1u << f->bit);
		error = flip(r, f, bytes);
	}
	free(bytes);
	repair_forget_flips(r);
	r->fixed_something = true;
	return error ? error : xfs_dev_barrier(r->dev.data);
}

void repair_forget_flips(struct repair *r)
{
	for (size_t i = 0; i < r->flips.n; i++)
		free(r->flips.list[i].extents);
	free(r->flips.list);
	free(r->flips.heads);
	r->flips = (struct repair_flips){ 0 };
}

int repair_put_bits(struct repair *r)
{
	int error = repair_write_flips(r);

	return error || !r->renewed ? error : repair_write_flips(r->renewed);
}
