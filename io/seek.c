/* SPDX-License-Identifier: BSD-2-Clause */
/* seek.c - seek: where data and holes are, lseek(2) with SEEK_DATA and SEEK_HOLE. */
#include "io/io.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

struct seek_opts {
	unsigned kinds;		/* enum seek_kind */
	bool all, start;
};

enum seek_kind { WANT_DATA = 1, WANT_HOLE = 2 };

static const struct io_opt seek_options[] = {
	{ 'a', IO_OPT_OR, offsetof(struct seek_opts, kinds), WANT_DATA | WANT_HOLE, NULL, "next data and next hole",
	  NULL },
	{ 'd', IO_OPT_OR, offsetof(struct seek_opts, kinds), WANT_DATA, NULL, "next data", NULL },
	{ 'h', IO_OPT_OR, offsetof(struct seek_opts, kinds), WANT_HOLE, NULL, "next hole", NULL },
	{ 'r', IO_OPT_FLAG, offsetof(struct seek_opts, all), 0, NULL, "all that follow", NULL },
	{ 's', IO_OPT_FLAG, offsetof(struct seek_opts, start), 0, NULL, "show where each search began", NULL },
	{ 0 },
};

static void print_row(const struct seek_opts *o, enum seek_kind kind, off_t start, off_t result)
{
	fputs(kind == WANT_DATA ? "DATA\t" : "HOLE\t", stdout);
	if (o->start)
		printf("%" PRId64 "\t", (int64_t)start);
	if (result < 0)
		puts("EOF");
	else
		printf("%" PRId64 "\n", (int64_t)result);
}

/* Next data or hole at or behind `at`; -1 at the end of the file; -2 after a message. */
static off_t find(int fd, enum seek_kind kind, off_t at)
{
	off_t r = lseek(fd, at, kind == WANT_DATA ? SEEK_DATA : SEEK_HOLE);
	if (r >= 0 || errno == ENXIO)
		return r < 0 ? -1 : r;
	io_perror(kind == WANT_DATA ? "lseek(SEEK_DATA)" : "lseek(SEEK_HOLE)");
	return -2;
}

/*
 * Rows of one kind only: with -r the other kind is looked up in between, to get over what was found.
 * Rows of both kinds alternate, beginning with what is at `at`.
 */
static int list(int fd, const struct seek_opts *o, off_t at)
{
	enum seek_kind kind = o->kinds == WANT_HOLE ? WANT_HOLE : WANT_DATA;
	bool both = o->kinds == (WANT_DATA | WANT_HOLE);
	unsigned rows = 0;

	if (both) {	/* a hole right here comes first; at the end of the file it is DATA EOF alone */
		off_t hole = find(fd, WANT_HOLE, at);
		if (hole == -2)
			return IO_FAIL;
		if (hole == at)
			kind = WANT_HOLE;
	}
	for (;;) {
		off_t r = find(fd, kind, at);
		if (r == -2)
			return IO_FAIL;
		if (o->kinds & kind) {
			if (r >= 0 || rows == 0)
				print_row(o, kind, at, r);
			rows++;
		}
		if (r < 0 || (!o->all && rows == (both ? 2 : 1)))
			return IO_OK;
		at = r;
		kind = kind == WANT_DATA ? WANT_HOLE : WANT_DATA;
	}
}

static int seek_run(struct io *io, struct io_call *c)
{
	const struct seek_opts *o = c->opts;
	int64_t start;
	if (!o->kinds || c->argc != 1 || !io_parse_size(io_current(io), c->argv[0], &start) || start < 0)
		return io_usage(c);
	puts(o->start ? "Whence\tStart\tResult" : "Whence\tResult");
	return list(io_current(io)->fd, o, start);
}

const struct io_command io_seek_commands[] = {
	{ .name = "seek", .args = "-a | -d | -h [-r] [-s] off", .oneline = "find the next data or hole in the file",
	  .opts = seek_options,
	  .about = " 'seek -ar 0' lists all data and holes. The end of the file counts as a hole.\n", .argmin = 2,
	  .argmax = 5, .flags = IO_FOREIGN, .run = seek_run },
	{ 0 },
};
