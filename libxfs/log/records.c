/* SPDX-License-Identifier: BSD-2-Clause */
/* records.c - reads whole records and gives their blocks back the words that cycle numbers took the place of. */
#include "libxfs/log/records.h"

#include <stdlib.h>

#define WINDOW 2048u			/* blocks read at once, at most */
#define FIRST_WINDOW 32u
#define BACK 256u			/* blocks looked at at once, going back */
#define WORDS (XFS_LOG_HEADER_DATA / XFS_BBSIZE)	/* cycle words of one header */

static int fail(struct xfs_log_reader *r, int code, const char *why)
{
	r->why = why;
	return code;
}

int xfs_log_reader_init(struct xfs_log_reader *r, const struct xfs_fs *fs, const struct xfs_log_state *state)
{
	memset(r, 0, sizeof(*r));
	r->why = xfs_log_area_find(&r->area, fs);
	if (r->why)
		return -XFS_E_CORRUPT;
	if (state->kind == XFS_LOG_UNREADABLE)
		return fail(r, -XFS_E_CORRUPT, state->reason ? state->reason : "its head or tail cannot be found");
	if (state->head >= r->area.blocks || state->tail >= r->area.blocks)
		return fail(r, -XFS_E_CORRUPT, "its head or tail lies outside");
	r->head = state->head;
	r->cycle = state->cycle;
	r->at = state->tail;
	r->left = state->kind == XFS_LOG_DIRTY ? xfs_log_distance(&r->area, state->tail, state->head) : 0;
	return 0;
}

void xfs_log_reader_free(struct xfs_log_reader *r)
{
	free(r->window);
	r->window = NULL;
	xfs_log_loaded_free(&r->loaded);
}

/* Blocks of the window from blk on. */
static uint32_t at_hand(const struct xfs_log_reader *r, uint32_t blk)
{
	uint32_t in = xfs_log_distance(&r->area, r->window_at, blk);

	return in < r->window_len ? r->window_len - in : 0;
}

/*
 * Blocks [blk, blk + count) in one piece, valid until the next call. Reads ahead up to the head: a little at first, as
 * a damaged log may be read in thousands of pieces.
 */
static int load(struct xfs_log_reader *r, uint32_t blk, uint32_t count, uint8_t **out)
{
	uint32_t want;
	int err;

	if (count <= at_hand(r, blk)) {
		*out = r->window + (size_t)xfs_log_distance(&r->area, r->window_at, blk) * XFS_BBSIZE;
		return 0;
	}
	r->ahead = (uint32_t)(r->ahead ? xfs_min(2 * (uint64_t)r->ahead, WINDOW) : FIRST_WINDOW);
	want = (uint32_t)xfs_max(count, xfs_min(r->ahead, xfs_log_distance(&r->area, blk, r->head)));
	r->window_len = 0;
	if ((size_t)want * XFS_BBSIZE > r->room) {
		uint8_t *more = realloc(r->window, (size_t)want * XFS_BBSIZE);

		if (!more)
			return fail(r, -XFS_E_NOMEM, "there is not enough memory for it");
		r->window = more;
		r->room = (size_t)want * XFS_BBSIZE;
	}
	err = xfs_log_area_read_most(&r->area, blk, want, r->window, NULL);
	if (err)
		return fail(r, err, "it cannot be read");
	r->window_at = blk;
	r->window_len = want;
	*out = r->window;
	return 0;
}

/* The cycle that a block between tail and head must have. */
static uint32_t cycle_of(const struct xfs_log_reader *r, uint32_t blk)
{
	return blk < r->head ? r->cycle : xfs_log_prev_cycle(r->cycle);
}

/*
 * First word of each of the first n blocks: its cycle, but for the first header, which has the magic there.  `from`:
 * those before are known to be right.
 */
static bool stamps_fit(const struct xfs_log_reader *r, const struct xfs_log_record *rec, const uint8_t *p,
		       uint32_t from, uint32_t n)
{
	if (rec->h.cycle != cycle_of(r, rec->block))
		return false;
	for (uint32_t k = from; k < n; k++)
		if (xfs_be32(p + (size_t)k * XFS_BBSIZE) != cycle_of(r, (rec->block + k) % r->area.blocks))
			return false;
	return true;
}

/* Puts the saved words back. */
static void unpack(const struct xfs_log_record *rec, uint8_t *p)
{
	uint32_t blocks = (uint32_t)xfs_ceil_div(rec->h.len, XFS_BBSIZE);
	uint8_t *data = p + (size_t)rec->headers * XFS_BBSIZE;

	for (uint32_t k = 0; k < blocks && k / WORDS < rec->headers; k++) {
		const uint8_t *words = p + (size_t)(k / WORDS) * XFS_BBSIZE +
			(k < WORDS ? XFS_LOG_CYCLE_DATA_OFF : sizeof(uint32_t));

		memcpy(data + (size_t)k * XFS_BBSIZE, words + (size_t)(k % WORDS) * sizeof(uint32_t), sizeof(uint32_t));
	}
}

static int judge(struct xfs_log_reader *r, const struct xfs_log_record *rec)
{
	if (rec->h.len == 0)
		return fail(r, -XFS_E_CORRUPT, "a record is empty");
	if (xfs_log_record_blocks(rec) > r->left)
		return fail(r, -XFS_E_CORRUPT, "a record runs over the head");
	if ((uint32_t)rec->h.lsn != rec->block)
		return fail(r, -XFS_E_CORRUPT, "a record is not at its own place");
	if (!xfs_log_record_is_ours(&r->area, rec, false))
		return fail(r, -XFS_E_CORRUPT, "a record belongs to another filesystem (uuid)");
	/* an old mkfs wrote an unmount record that is longer than its header has words for */
	if (rec->h.num_logops > 1 && xfs_ceil_div(rec->h.len, XFS_LOG_HEADER_DATA) > rec->headers)
		return fail(r, -XFS_E_CORRUPT, "a record is longer than its headers can describe");
	if (rec->h.fmt != XFS_LOG_FMT_LE && rec->h.fmt != XFS_LOG_FMT_BE)
		return fail(r, -XFS_E_UNSUPPORTED, "a record is in a format that is not known");
	return 0;
}

/* The record as it is on the device; *p = its packed blocks. */
static int obtain_as_it_is(struct xfs_log_reader *r, uint32_t blk, struct xfs_log_record *rec, uint8_t **p)
{
	const char *why;
	int err = load(r, blk, 1, p);
	uint32_t n, done = 1;

	if (err)
		return err;
	why = xfs_log_record_parse(&r->area, blk, *p, rec);
	err = why ? fail(r, -XFS_E_CORRUPT, why) : judge(r, rec);
	/* as much as is there already, then more and more: where it is no record its length means nothing */
	for (n = xfs_log_record_blocks(rec); !err && done < n;) {
		uint32_t to = (uint32_t)xfs_min(n, xfs_max(at_hand(r, blk), 2 * done));

		err = load(r, blk, to, p);
		if (!err && !stamps_fit(r, rec, *p, done, to))
			return fail(r, -XFS_E_CORRUPT, "blocks of a record are not of its cycle");
		done = to;
	}
	if (err)
		return err;
	if (rec->h.crc && !xfs_log_record_crc_fits(rec, *p))
		return fail(r, -XFS_E_BADCRC, "the checksum of a record is wrong");
	return 0;
}

/* Reads and judges the record at `blk`, with one flipped bit put right; *p = its packed blocks. */
static int obtain(struct xfs_log_reader *r, uint32_t blk, struct xfs_log_record *rec, uint8_t **p)
{
	int err = obtain_as_it_is(r, blk, rec, p), found;
	const char *why = r->why;

	if (err != -XFS_E_CORRUPT && err != -XFS_E_BADCRC)
		return err;
	found = xfs_log_load(&r->area, blk, &r->loaded);
	if (found == -XFS_E_NOMEM)
		return fail(r, found, "there is not enough memory for it");
	if (found || !r->loaded.mended || judge(r, &r->loaded.r) ||
	    !stamps_fit(r, &r->loaded.r, r->loaded.p, 1, xfs_log_record_blocks(&r->loaded.r)))
		return fail(r, err, why);
	r->mended++;
	*rec = r->loaded.r;
	*p = r->loaded.p;
	return 0;
}

int xfs_log_reader_next(struct xfs_log_reader *r, struct xfs_log_record *out)
{
	uint8_t *p;
	int err;

	r->data = NULL;
	if (!r->left)
		return -XFS_E_NOENT;
	err = obtain(r, r->at, out, &p);
	if (err)
		return err;
	unpack(out, p);
	r->data = p + (size_t)out->headers * XFS_BBSIZE;
	r->left -= xfs_log_record_blocks(out);
	r->at = (r->at + xfs_log_record_blocks(out)) % r->area.blocks;
	return 0;
}

/* ---- backwards ---- */

/* The last header at most `most` blocks before the start. NOENT: none. */
static int header_before(struct xfs_log_reader *r, uint32_t most, uint32_t *distance)
{
	for (uint32_t done = 0, step; done < most; done += step) {
		uint8_t *p;
		int err;

		step = (uint32_t)xfs_min(BACK, most - done);
		err = load(r, (r->at + r->area.blocks - done - step) % r->area.blocks, step, &p);
		if (err)
			return err;
		for (uint32_t k = step; k-- > 0;)
			if (xfs_be32(p + (size_t)k * XFS_BBSIZE) == XFS_LOG_MAGIC) {
				*distance = done + step - k;
				return 0;
			}
	}
	return -XFS_E_NOENT;
}

/* Is there a good record that ends where the start is? Then it is the start. */
static int step_back(struct xfs_log_reader *r, uint32_t most, bool *found)
{
	uint32_t at = r->at, left = r->left, distance = 0;
	const char *why = r->why;
	struct xfs_log_record rec;
	uint8_t *p;
	int err = header_before(r, most, &distance);

	if (!err) {
		r->at = (at + r->area.blocks - distance) % r->area.blocks;
		r->left = left + distance;
		err = obtain(r, r->at, &rec, &p);
	}
	*found = !err && xfs_log_record_blocks(&rec) == distance;
	if (!*found) {
		r->at = at;
		r->left = left;
		r->why = why;
	}
	return err == -XFS_E_IO || err == -XFS_E_NOMEM ? err : 0;
}

int xfs_log_reader_extend(struct xfs_log_reader *r)
{
	bool found = true;

	while (found) {
		/* one record must stay away, or a full ring would look like an empty one */
		uint32_t room = r->area.blocks - 1 - r->left;
		int err = step_back(r, (uint32_t)xfs_min(room, XFS_LOG_MAX_RECORD / XFS_BBSIZE), &found);

		if (err)
			return err;
	}
	return 0;
}
