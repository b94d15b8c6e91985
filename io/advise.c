/* SPDX-License-Identifier: BSD-2-Clause */
/* advise.c - fadvise: tells the kernel how a range of the file will be used. */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>

struct advise_opts {
	int advice;
};
#define ADVICE offsetof(struct advise_opts, advice)

static const struct io_opt fadvise_options[] = {
	{ 'd', IO_OPT_SET, ADVICE, POSIX_FADV_DONTNEED, NULL, "POSIX_FADV_DONTNEED, needs a range", NULL },
	{ 'n', IO_OPT_SET, ADVICE, POSIX_FADV_NOREUSE, NULL, "POSIX_FADV_NOREUSE, needs a range", NULL },
	{ 'r', IO_OPT_SET, ADVICE, POSIX_FADV_RANDOM, NULL, "POSIX_FADV_RANDOM", NULL },
	{ 's', IO_OPT_SET, ADVICE, POSIX_FADV_SEQUENTIAL, NULL, "POSIX_FADV_SEQUENTIAL", NULL },
	{ 'w', IO_OPT_SET, ADVICE, POSIX_FADV_WILLNEED, NULL, "POSIX_FADV_WILLNEED, needs a range", NULL },
	{ 0 },
};

static int fadvise_run(struct io *io, struct io_call *c)
{
	const struct advise_opts *o = c->opts;
	int64_t offset = 0, length = 0;
	int advice = c->seen ? o->advice : POSIX_FADV_NORMAL;
	bool whole_file = advice == POSIX_FADV_NORMAL || advice == POSIX_FADV_RANDOM || advice == POSIX_FADV_SEQUENTIAL;
	if (c->argc != 2 && !(c->argc == 0 && whole_file))
		return io_usage(c);
	if (c->argc == 2 && !c->seen)
		return io_usage(c);
	if (c->argc == 2 && !io_range(io, c->argv, &offset, &length))
		return IO_FAIL;
	int error = posix_fadvise(io_current(io)->fd, offset, length, advice);
	if (!error)
		return IO_OK;
	errno = error;
	return io_perror("fadvise");
}

const struct io_command io_advise_commands[] = {
	{ .name = "fadvise", .args = "[-dnrsw] [off len]", .oneline = "tell the kernel how the file will be used",
	  .opts = fadvise_options, .about = " Without an option it is POSIX_FADV_NORMAL for the whole file.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = fadvise_run },
	{ 0 },
};
