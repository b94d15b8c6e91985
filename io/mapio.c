/* SPDX-License-Identifier: BSD-2-Clause */
/* mapio.c - mread, mwrite, msync, mincore, madvise: work on the current memory mapping (format sheet 09, section 9). */
#include "io/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A part of the mapping: offset as given (in the file), place relative to the mapping. */
struct part {
	int64_t offset;
	size_t at, length;
};

/*
 * Operands "off len", or none for the whole mapping; false after a message. align: the part must begin at a page.
 * Offsets are those of the file.
 */
static bool get_part(struct io *io, struct io_call *c, bool align, struct part *p)
{
	const struct io_map *m = &io->maps[io->current_map];
	int64_t page = sysconf(_SC_PAGESIZE), length;
	if (c->argc == 0) {
		*p = (struct part){ .offset = m->offset, .at = 0, .length = m->length };
		return true;
	}
	if (!io_range(io, c->argv, &p->offset, &length))
		return false;
	int64_t end = m->offset + (int64_t)m->length;
	if (p->offset < m->offset) {
		printf("offset (%" PRId64 ") is before start of mapping (%" PRId64 ")\n", p->offset,
		       (int64_t)m->offset);
		return false;
	}
	if (p->offset > end) {
		printf("offset (%" PRId64 ") is beyond end of mapping (%" PRId64 ")\n", p->offset, (int64_t)m->offset);
		return false;
	}
	if (length > end - p->offset) {
		printf("range (%" PRId64 ":%" PRId64 ") is beyond mapping (%" PRId64 ":%" PRId64 ")\n", p->offset,
		       length, (int64_t)m->offset, (int64_t)m->length);
		return false;
	}
	p->at = (size_t)(p->offset - m->offset);
	p->length = (size_t)length;
	if (align && p->at % (size_t)page) {
		printf("offset address (%p) is not page aligned\n", (void *)(m->addr + p->at));
		return false;
	}
	return true;
}

/* --- mread, mwrite --- */

struct mread_opts {
	bool reverse, verbose, file;
};

static const struct io_opt mread_options[] = {
	{ 'f', IO_OPT_FLAG, offsetof(struct mread_opts, file), 0, NULL,
	  "show the bytes, offsets are those of the file", NULL },
	{ 'r', IO_OPT_FLAG, offsetof(struct mread_opts, reverse), 0, NULL, "from the end to the start", NULL },
	{ 'v', IO_OPT_FLAG, offsetof(struct mread_opts, verbose), 0, NULL,
	  "show the bytes, offsets are those of the mapping", NULL },
	{ 0 },
};

/* The dump shows bytes in the order in which they were read: with -r the last one comes first. */
static int mread_run(struct io *io, struct io_call *c)
{
	const struct mread_opts *o = c->opts;
	const struct io_map *m = &io->maps[io->current_map];
	struct part p;
	if (c->argc != 0 && c->argc != 2)
		return io_usage(c);
	if (!get_part(io, c, false, &p))
		return IO_FAIL;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *buf = malloc(page);
	if (!buf)
		return io_perror("mread");
	const volatile unsigned char *from = m->addr + p.at;
	uint64_t label = o->file ? (uint64_t)p.offset : p.at;
	for (size_t done = 0; done < p.length;) {
		/* the odd piece comes first: that shows in the lines of the dump */
		size_t n = !done && p.length % page ? p.length % page : page;
		for (size_t i = 0; i < n; i++)
			buf[i] = from[o->reverse ? p.length - 1 - done - i : done + i];
		if (o->verbose || o->file)
			io_dump(label + done, buf, n);
		done += n;
	}
	free(buf);
	return IO_OK;
}

struct mwrite_opts {
	bool reverse;
	int64_t seed;
};

static const struct io_opt mwrite_options[] = {
	{ 'r', IO_OPT_FLAG, offsetof(struct mwrite_opts, reverse), 0, NULL, "from the end to the start", NULL },
	{ 'S', IO_OPT_SIZE, offsetof(struct mwrite_opts, seed), 0, "seed", "byte to store ('X')", "seed" },
	{ 0 },
};

static int mwrite_run(struct io *io, struct io_call *c)
{
	const struct mwrite_opts *o = c->opts;
	struct part p;
	if (c->argc != 0 && c->argc != 2)
		return io_usage(c);
	if (!get_part(io, c, false, &p))
		return IO_FAIL;
	volatile unsigned char *to = io->maps[io->current_map].addr + p.at;
	unsigned char byte = io_seen(c, 'S') ? (unsigned char)o->seed : 'X';
	for (size_t i = 0; i < p.length; i++)
		to[o->reverse ? p.length - 1 - i : i] = byte;
	return IO_OK;
}

/* --- msync, mincore, madvise --- */

struct flag_opts {
	int flag;
	unsigned flags;
};

static const struct io_opt msync_options[] = {
	{ 'a', IO_OPT_OR, offsetof(struct flag_opts, flags), MS_ASYNC, NULL, "start it and go on (MS_ASYNC)", NULL },
	{ 'i', IO_OPT_OR, offsetof(struct flag_opts, flags), MS_INVALIDATE, NULL,
	  "drop other copies of the pages (MS_INVALIDATE)", NULL },
	{ 's', IO_OPT_OR, offsetof(struct flag_opts, flags), MS_SYNC, NULL, "wait for it (MS_SYNC)", NULL },
	{ 0 },
};

static int msync_run(struct io *io, struct io_call *c)
{
	const struct flag_opts *o = c->opts;
	struct part p;
	if (c->argc != 0 && c->argc != 2)
		return io_usage(c);
	if (!get_part(io, c, true, &p))
		return IO_FAIL;
	return msync(io->maps[io->current_map].addr + p.at, p.length, (int)o->flags) < 0 ? io_perror("msync") : IO_OK;
}

static const struct io_opt madvise_options[] = {
	{ 'd', IO_OPT_SET, offsetof(struct flag_opts, flag), MADV_DONTNEED, NULL, "MADV_DONTNEED", NULL },
	{ 'r', IO_OPT_SET, offsetof(struct flag_opts, flag), MADV_RANDOM, NULL, "MADV_RANDOM", NULL },
	{ 's', IO_OPT_SET, offsetof(struct flag_opts, flag), MADV_SEQUENTIAL, NULL, "MADV_SEQUENTIAL", NULL },
	{ 'w', IO_OPT_SET, offsetof(struct flag_opts, flag), MADV_WILLNEED, NULL, "MADV_WILLNEED", NULL },
	{ 0 },
};

static int madvise_run(struct io *io, struct io_call *c)
{
	const struct flag_opts *o = c->opts;
	struct part p;
	if (c->argc != 0 && c->argc != 2)
		return io_usage(c);
	if (!get_part(io, c, true, &p))
		return IO_FAIL;
	return madvise(io->maps[io->current_map].addr + p.at, p.length, o->flag) < 0 ? io_perror("madvise") : IO_OK;
}

static void print_resident(const struct io_map *m, size_t at, size_t length, size_t page)
{
	const unsigned char *from = m->addr + at;
	printf("0x%lx - 0x%lx  %zu pages (%zu : %zu)\n", (unsigned long)from, (unsigned long)(from + length),
		(length + page - 1) / page, at, length);
}

static int mincore_run(struct io *io, struct io_call *c)
{
	const struct io_map *m = &io->maps[io->current_map];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct part p;
	if (c->argc != 0 && c->argc != 2)
		return io_usage(c);
	if (!get_part(io, c, true, &p))
		return IO_FAIL;
	size_t pages = (p.length + page - 1) / page;
	unsigned char *resident = malloc(pages ? pages : 1);
	if (!resident || mincore(m->addr + p.at, p.length, resident) < 0) {
		int res = io_perror("mincore");
		free(resident);
		return res;
	}
	size_t run = 0;		/* resident pages before page i */
	for (size_t i = 0; i <= pages; i++) {
		if (i < pages && (resident[i] & 1)) {
			run++;
		} else if (run) {
			size_t length = i == pages ? p.length - (i - run) * page : run * page;
			print_resident(m, p.at + (i - run) * page, length, page);
			run = 0;
		}
	}
	free(resident);
	return IO_OK;
}

const struct io_command io_mapio_commands[] = {
	{ .name = "mread", .alias = "mr", .args = "[-f|-v] [-r] [off len]",
	  .oneline = "read bytes of the current mapping", .opts = mread_options,
	  .about = " 'mread -v 512 20' shows 20 bytes. A page behind the end of the file is answered with SIGBUS.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NEEDMAP, .run = mread_run },
	{ .name = "mwrite", .alias = "mw", .args = "[-r] [-S seed] [off len]",
	  .oneline = "store bytes into the current mapping", .opts = mwrite_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NEEDMAP, .run = mwrite_run },
	{ .name = "msync", .alias = "ms", .args = "[-ais] [off len]",
	  .oneline = "write changed pages of the current mapping to the file", .opts = msync_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NEEDMAP, .run = msync_run },
	{ .name = "mincore", .alias = "mi", .args = "[off len]",
	  .oneline = "list pages of the mapping that are in memory", .argmin = 0, .argmax = 2,
	  .flags = IO_FOREIGN | IO_NEEDMAP, .run = mincore_run },
	{ .name = "madvise", .alias = "ma", .args = "[-drsw] [off len]",
	  .oneline = "tell the kernel how the current mapping will be used", .opts = madvise_options,
	  .about = " Without an option it is MADV_NORMAL.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NEEDMAP, .run = madvise_run },
	{ 0 },
};
