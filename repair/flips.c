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
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

struct repair_flip {
	struct xfs_buf_extent *extents;
	unsigned nextents;
	uint32_t len;		/* bytes of the block */
	size_t byte;		/* in the block */
	uint8_t bit;
	uint32_t sum;		/* over the block as the device has it: what others wrote meanwhile stays */
};

static int keep(struct repair *r, const struct xfs_buf *b, size_t byte, unsigned bit)
{
	struct repair_flip *f;

	if (r->nflips == r->flip_room) {
		size_t room = r->flip_room ? 2 * r->flip_room : 16;
		struct repair_flip *grown = realloc(r->flips, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		r->flips = grown;
		r->flip_room = room;
	}
	f = &r->flips[r->nflips];
	*f = (struct repair_flip){ .nextents = b->nextents, .len = b->len, .byte = byte, .bit = (uint8_t)bit };
	f->extents = malloc(b->nextents * sizeof(*f->extents));
	if (!f->extents)
		return -XFS_E_NOMEM;
	memcpy(f->extents, b->extents, b->nextents * sizeof(*f->extents));
	b->data[byte] ^= (uint8_t)(1u << bit);
	f->sum = xfs_crc32c(XFS_CRC32C_SEED, b->data, b->len);
	b->data[byte] ^= (uint8_t)(1u << bit);
	r->nflips++;
	return 0;
}

static void mended(void *payload, const struct xfs_buf *b, const struct xfs_buf_type *type, size_t byte, unsigned bit)
{
	struct repair *r = payload;
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_BITFLIP, xfs_block_name((enum xfs_block_kind)(type - xfs_buf_types)));
	xfs_agno_t agno;
	xfs_agbno_t agbno;
	int error;

	if (repair_glance_mends(r))
		return;
	error = keep(r, b, byte, bit);

	xfs_daddr_ag(&r->geo, XFS_DADDR(b->extents[0].daddr), &agno, &agbno);
	f.agno = agno.v;
	f.agbno = agbno.v;
	xfs_finding_detail(&f, "byte %zu, bit %u", byte, bit);
	repair_note(r, &f, !error);
	r->flip_error = r->flip_error ? r->flip_error : error;
}

int repair_fs_open(struct repair *r, struct xfs_fs **out, const struct xfs_sink *sink)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .cache = r->cache,
					  .sb = &r->primary };
	int error = xfs_fs_open(out, &r->dev, &options, sink);

	if (!error) {
		(*out)->blocks.last_lsn = ((uint64_t)REPAIR_WILD_CYCLE << 32) - 1;
		xfs_buf_cache_mends((*out)->cache, mended, r);
	}
	return error;
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

	if (!r->nflips || r->looking || error)
		return error;
	error = repair_begin_writing(r);
	bytes = malloc(XFS_BUF_MAXLEN);
	if (!error && !bytes)
		error = -XFS_E_NOMEM;
	for (size_t i = 0; i < r->nflips && !error; i++) {
		struct repair_flip *f = &r->flips[i];

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
	for (size_t i = 0; i < r->nflips; i++)
		free(r->flips[i].extents);
	r->nflips = 0;
}

int repair_put_bits(struct repair *r)
{
	int error = repair_write_flips(r);

	return error || !r->renewed ? error : repair_write_flips(r->renewed);
}
