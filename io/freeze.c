/* SPDX-License-Identifier: BSD-2-Clause */
/* freeze.c - freeze, thaw, shutdown, resblks: the filesystem of the current file as a whole. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

static int freeze_run(struct io *io, struct io_call *c)
{
	int level = 1;
	(void)c;
	if (ioctl(io_current(io)->fd, FIFREEZE, &level) == 0)
		return IO_OK;
	fprintf(stderr, "%s: cannot freeze filesystem at %s: %s\n", io->prog, io_current(io)->name, strerror(errno));
	return IO_FAIL;
}

static int thaw_run(struct io *io, struct io_call *c)
{
	int level = 1;
	(void)c;
	if (ioctl(io_current(io)->fd, FITHAW, &level) == 0)
		return IO_OK;
	fprintf(stderr, "%s: cannot unfreeze filesystem mounted at %s: %s\n", io->prog, io_current(io)->name,
		strerror(errno));
	return IO_FAIL;
}

enum { GOING_LOG_FLUSH = 1, GOING_NO_LOG_FLUSH = 2 };

struct shutdown_opts {
	bool flush;
};

static const struct io_opt shutdown_options[] = {
	{ 'f', IO_OPT_FLAG, offsetof(struct shutdown_opts, flush), 0, NULL, "write what is in the log before", NULL },
	{ 0 },
};

static int shutdown_run(struct io *io, struct io_call *c)
{
	const struct shutdown_opts *o = c->opts;
	uint32_t how = o->flush ? GOING_LOG_FLUSH : GOING_NO_LOG_FLUSH;
	if (c->argc)
		return io_usage(c);
	return ioctl(io_current(io)->fd, XFS_IOCTL_GOINGDOWN, &how) < 0 ? io_perror("XFS_IOC_GOINGDOWN") : IO_OK;
}

static int resblks_run(struct io *io, struct io_call *c)
{
	struct xfs_reserved_blocks r = { 0 };
	int fd = io_current(io)->fd;
	if (c->argc == 1) {
		int64_t n;
		if (!io_size(io, c->argv[0], "argument", &n))
			return IO_FAIL;
		r.blocks = (uint64_t)n;
		if (ioctl(fd, XFS_IOCTL_SET_RESBLKS, &r) < 0)
			return io_perror("XFS_IOC_SET_RESBLKS");
	} else if (ioctl(fd, XFS_IOCTL_GET_RESBLKS, &r) < 0) {
		return io_perror("XFS_IOC_GET_RESBLKS");
	}
	printf("reserved blocks = %" PRIu64 "\navailable reserved blocks = %" PRIu64 "\n", r.blocks, r.available);
	return IO_OK;
}

const struct io_command io_freeze_commands[] = {
	{ .name = "freeze", .args = "", .oneline = "freeze the filesystem of the file",
	  .flags = IO_FOREIGN | IO_ONESHOT | IO_EXPERT, .run = freeze_run },
	{ .name = "thaw", .args = "", .oneline = "thaw the filesystem of the file",
	  .flags = IO_FOREIGN | IO_ONESHOT | IO_EXPERT, .run = thaw_run },
	{ .name = "shutdown", .args = "[-f]", .oneline = "stop all I/O of the filesystem of the file, as a crash would",
	  .opts = shutdown_options, .argmin = 0, .argmax = 1, .flags = IO_FOREIGN | IO_ONESHOT | IO_EXPERT,
	  .run = shutdown_run },
	{ .name = "resblks", .args = "[blocks]", .oneline = "show or set how many blocks are kept in reserve",
	  .argmin = 0, .argmax = 1, .flags = IO_ONESHOT | IO_EXPERT, .run = resblks_run },
	{ 0 },
};
