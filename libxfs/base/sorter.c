/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sorter.c - sorting with spill: sorted runs in an unlinked file, merged by a tree of losers.
 *
 * One block of memory serves all: while adding, its first half holds records and its second is scratch for sorting;
 * while merging, it is cut in one buffer a run.  When there are more runs than buffers of a useful size, neighbouring
 * runs are merged into a second file first.  Runs keep the order in which they were added, which makes it stable.
 */
#include "libxfs/base/errors.h"
#include "libxfs/base/fdio.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/sort_priv.h"

#include <stdlib.h>
#include <unistd.h>

#define MEMORY_MIN ((size_t)64 << 10)
#define MEMORY_FIRST ((size_t)1 << 20)	/* to begin with; doubled up to the limit */
#define BUFFER_MIN ((size_t)16 << 10)	/* of a run while merging: less makes the disk seek */
#define FAN_MIN 4u

struct run {
	uint64_t off, left;		/* in the file: bytes not read yet */
	uint64_t off_first, len;	/* as written */
	uint8_t *buf, *pos, *end;	/* while merging: records in memory */
	uint64_t key[XFS_SORT_WORDS];	/* of the record at pos */
	bool done;
};

struct xfs_sorter {
	struct xfs_sort_spec spec;
	char *tmpdir;
	int error;
	bool finished;
	uint64_t count;
	size_t limit;			/* bytes of memory allowed */
	uint8_t *memory;
	size_t bytes;			/* of memory, now */
	size_t n, room;			/* records in its first half */
	size_t at;			/* next one to be handed out, when nothing was spilled */
	int fd;				/* runs, or -1 */
	uint64_t file_end;
	struct run *runs;
	size_t nruns, runs_room;
	uint32_t *tree;			/* losers; [0] is the winner */
	size_t leaves;			/* runs being merged: runs[base .. base + leaves) */
	struct run *base;
	bool started;			/* the winner was handed out and must go on first */
};

int xfs_sorter_create(struct xfs_sorter **out, const struct xfs_sort_spec *spec, size_t memory, const char *tmpdir)
{
	struct xfs_sorter *s;

	if (!xfs_sort_spec_is_valid(spec))
		return -XFS_E_INVALID;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -XFS_E_NOMEM;
	s->spec = *spec;
	s->fd = -1;
	s->limit = memory > MEMORY_MIN ? memory : MEMORY_MIN;
	if (tmpdir) {
		s->tmpdir = strdup(tmpdir);
		if (!s->tmpdir) {
			free(s);
			return -XFS_E_NOMEM;
		}
	}
	*out = s;
	return 0;
}

void xfs_sorter_free(struct xfs_sorter *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->tmpdir);
	free(s->memory);
	free(s->runs);
	free(s->tree);
	free(s);
}

uint64_t xfs_sorter_count(const struct xfs_sorter *s)
{
	return s->count;
}

/* --- adding --- */

/* Twice the memory, up to the limit. False when it is at the limit, or that of the machine. */
static bool memory_grow(struct xfs_sorter *s)
{
	size_t bytes = s->bytes ? s->bytes : MEMORY_FIRST / 2;
	uint8_t *memory;

	if (s->bytes >= s->limit)
		return false;
	bytes = bytes > s->limit / 2 ? s->limit : 2 * bytes;
	memory = malloc(bytes);
	if (!memory) {
		if (s->bytes)
			s->limit = s->bytes;	/* not asked for again */
		return false;
	}
	if (s->n)
		memcpy(memory, s->memory, s->n * s->spec.size);
	free(s->memory);
	s->memory = memory;
	s->bytes = bytes;
	s->room = bytes / 2 / s->spec.size;
	return true;
}

static int run_add(struct xfs_sorter *s, uint64_t off, uint64_t len)
{
	if (xfs_grow(&s->runs, s->nruns, &s->runs_room, 16))
		return -XFS_E_NOMEM;
	s->runs[s->nruns++] = (struct run){ .off_first = off, .len = len };
	return 0;
}

static int spill(struct xfs_sorter *s)
{
	size_t len = s->n * s->spec.size;
	int err;

	if (s->fd < 0) {
		int fd = xfs_fd_temporary(s->tmpdir);

		if (fd < 0)
			return fd;
		s->fd = fd;
	}
	xfs_sort_with(&s->spec, s->memory, s->n, s->memory + s->room * s->spec.size);
	err = xfs_fd_write(s->fd, s->memory, len, s->file_end);
	if (!err)
		err = run_add(s, s->file_end, len);
	if (err)
		return err;
	s->file_end += len;
	s->n = 0;
	return 0;
}

int xfs_sorter_add(struct xfs_sorter *s, const void *records, size_t n)
{
	const uint8_t *from = records;

	if (s->finished && !s->error)
		return -XFS_E_INVALID;
	while (n && !s->error) {
		size_t k;

		if (s->n == s->room && !memory_grow(s)) {
			s->error = s->memory ? spill(s) : -XFS_E_NOMEM;
			continue;
		}
		k = (size_t)xfs_min(n, s->room - s->n);
		memcpy(s->memory + s->n * s->spec.size, from, k * s->spec.size);
		from += k * s->spec.size;
		s->n += k;
		s->count += k;
		n -= k;
	}
	return s->error;
}

/* --- merging --- */

static void key_load(const struct xfs_sorter *s, struct run *r)
{
	for (unsigned i = 0; i < s->spec.words; i++)
		r->key[i] = xfs_sort_word(r->pos, s->spec.word_off[i]);
}

/* Fills the buffer of a run from the file, or finds that it is done. */
static int run_fill(const struct xfs_sorter *s, struct run *r, size_t room)
{
	size_t len = (size_t)xfs_min(room, r->left);
	int err;

	r->pos = r->end = r->buf;
	r->done = len == 0;
	if (r->done)
		return 0;
	err = xfs_fd_read(s->fd, r->buf, len, r->off);
	if (err)
		return err;
	r->off += len;
	r->left -= len;
	r->end = r->buf + len;
	key_load(s, r);
	return 0;
}

/* True when run a is to be handed out before run b. */
static bool comes_first(const struct xfs_sorter *s, uint32_t a, uint32_t b)
{
	const struct run *x = &s->base[a], *y = &s->base[b];

	if (x->done || y->done)
		return x->done == y->done ? a < b : y->done;
	for (unsigned i = 0; i < s->spec.words; i++)
		if (x->key[i] != y->key[i])
			return x->key[i] < y->key[i];
	return a < b;
}

/*
 * Leaves are nodes leaves .. 2 leaves - 1; node i keeps the loser of the match between its two children, and the
 * winner goes up.  Played from scratch here, for each leaf that arrives first as "waiting" and second as a match.
 */
static void tree_build(struct xfs_sorter *s)
{
	const uint32_t nobody = UINT32_MAX;

	for (size_t i = 0; i < s->leaves; i++)
		s->tree[i] = nobody;
	for (size_t i = 0; i < s->leaves; i++) {
		uint32_t up = (uint32_t)i;
		size_t node = (i + s->leaves) / 2;

		for (; node > 0; node /= 2) {
			uint32_t other = s->tree[node];

			if (other == nobody) {
				s->tree[node] = up;
				break;
			}
			if (comes_first(s, other, up)) {
				s->tree[node] = up;
				up = other;
			}
		}
		if (node == 0)
			s->tree[0] = up;
	}
}

/* The run of the last winner has a new record: plays its way up again. */
static void tree_replay(struct xfs_sorter *s)
{
	uint32_t up = s->tree[0];

	for (size_t node = (up + s->leaves) / 2; node > 0; node /= 2) {
		uint32_t other = s->tree[node];

		if (comes_first(s, other, up)) {
			s->tree[node] = up;
			up = other;
		}
	}
	s->tree[0] = up;
}

/* Bytes of a buffer when memory is cut in n. */
static size_t buffer_of(const struct xfs_sorter *s, size_t n)
{
	return s->bytes / n / s->spec.size * s->spec.size;
}

/* Starts to merge runs [base, base + n) with buffers of `room` bytes from the start of memory. */
static int merge_start(struct xfs_sorter *s, struct run *base, size_t n, size_t room)
{
	int err = 0;

	s->base = base;
	s->leaves = n;
	s->started = false;
	for (size_t i = 0; i < n && !err; i++) {
		base[i].buf = s->memory + i * room;
		base[i].off = base[i].off_first;
		base[i].left = base[i].len;
		err = run_fill(s, &base[i], room);
	}
	if (!err)
		tree_build(s);
	return err;
}

static int merge_next(struct xfs_sorter *s, size_t room, const void **record)
{
	struct run *r = &s->base[s->tree[0]];
	int err = 0;

	if (s->started && !r->done) {
		r->pos += s->spec.size;
		if (r->pos < r->end)
			key_load(s, r);
		else
			err = run_fill(s, r, room);
		tree_replay(s);
		r = &s->base[s->tree[0]];
	}
	s->started = true;
	*record = r->done ? NULL : r->pos;
	return err;
}

/* Merges n neighbouring runs into one at the end of another file. */
static int runs_join(struct xfs_sorter *s, struct run *base, size_t n, int fd, uint64_t *end)
{
	size_t room = buffer_of(s, n + 1), used = 0;
	uint8_t *out = s->memory + n * room;
	const void *record;
	int err = merge_start(s, base, n, room);

	while (!err) {
		err = merge_next(s, room, &record);
		if (err || !record)
			break;
		memcpy(out + used, record, s->spec.size);
		used += s->spec.size;
		if (used == room) {
			err = xfs_fd_write(fd, out, used, *end);
			*end += used;
			used = 0;
		}
	}
	if (!err && used) {
		err = xfs_fd_write(fd, out, used, *end);
		*end += used;
	}
	return err;
}

/* Largest number of runs that are merged at once. */
static size_t fan_of(const struct xfs_sorter *s)
{
	size_t smallest = (size_t)xfs_max(BUFFER_MIN, s->spec.size);

	return (size_t)xfs_max(FAN_MIN, s->bytes / smallest);
}

/* One pass over all runs: each group of up to `fan` becomes one, in a new file. */
static int runs_reduce(struct xfs_sorter *s, size_t fan)
{
	uint64_t end = 0, start;
	size_t made = 0, n;
	int err = 0, fd = xfs_fd_temporary(s->tmpdir);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < s->nruns && !err; i += n) {
		n = (size_t)xfs_min(fan, s->nruns - i);
		start = end;
		err = runs_join(s, s->runs + i, n, fd, &end);
		s->runs[made++] = (struct run){ .off_first = start, .len = end - start };	/* made <= i */
	}
	close(s->fd);
	s->fd = fd;
	s->nruns = made;
	s->file_end = end;
	return err;
}

/* Everything is in runs from here on. */
static int merge_prepare(struct xfs_sorter *s)
{
	size_t fan = fan_of(s);
	int err = 0;

	if (s->n)
		err = spill(s);
	if (!err && !s->tree) {
		s->tree = calloc((size_t)xfs_min(fan, s->nruns) + 1, sizeof(*s->tree));
		err = s->tree ? 0 : -XFS_E_NOMEM;
	}
	while (!err && s->nruns > fan)
		err = runs_reduce(s, fan - 1);	/* one buffer is for the output */
	return err;
}

int xfs_sorter_finish(struct xfs_sorter *s)
{
	if (s->error)
		return s->error;
	if (!s->finished && s->nruns)
		s->error = merge_prepare(s);
	else if (!s->finished && s->n)
		s->error = xfs_sort_with(&s->spec, s->memory, s->n, s->memory + s->room * s->spec.size);
	s->finished = true;
	s->at = 0;
	if (!s->error && s->nruns)
		s->error = merge_start(s, s->runs, s->nruns, buffer_of(s, s->nruns));
	return s->error;
}

int xfs_sorter_next(struct xfs_sorter *s, const void **record)
{
	*record = NULL;
	if (s->error)
		return s->error;
	if (!s->finished)
		return -XFS_E_INVALID;
	if (s->nruns) {
		s->error = merge_next(s, buffer_of(s, s->nruns), record);
		if (s->error)
			*record = NULL;
		return s->error;
	}
	if (s->at < s->n)
		*record = s->memory + s->at++ * s->spec.size;
	return 0;
}
