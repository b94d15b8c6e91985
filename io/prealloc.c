/* SPDX-License-Identifier: BSD-2-Clause */
/* prealloc.c - truncate, the fallocate family and the old XFS space ioctls (format sheet 09, section 5). */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int truncate_run(struct io *io, struct io_call *c)
{
	int64_t size;
	if (!io_size(io, c->argv[0], "truncate argument", &size))
		return IO_FAIL;
	return ftruncate(io_current(io)->fd, size) < 0 ? io_perror("ftruncate") : IO_OK;
}

/* fallocate(2) with a mode on the range in argv[0] and argv[1]. */
static int allocate(struct io *io, char **argv, int mode)
{
	int64_t offset, length;
	if (!io_range(io, argv, &offset, &length))
		return IO_FAIL;
	return fallocate(io_current(io)->fd, mode, offset, length) < 0 ? io_perror("fallocate") : IO_OK;
}

struct falloc_opts {
	int mode;
};
#define MODE offsetof(struct falloc_opts, mode)

static const struct io_opt falloc_options[] = {
	{ 'c', IO_OPT_SET, MODE, FALLOC_FL_COLLAPSE_RANGE, NULL, "take the range out, what follows moves down", NULL },
	{ 'i', IO_OPT_SET, MODE, FALLOC_FL_INSERT_RANGE, NULL, "insert a hole, what follows moves up", NULL },
	{ 'k', IO_OPT_SET, MODE, FALLOC_FL_KEEP_SIZE, NULL, "keep the size of the file", NULL },
	{ 'p', IO_OPT_SET, MODE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, NULL, "make a hole", NULL },
	{ 'u', IO_OPT_SET, MODE, FALLOC_FL_UNSHARE_RANGE, NULL, "give shared blocks copies of their own", NULL },
	{ 0 },
};

static int falloc_run(struct io *io, struct io_call *c)
{
	const struct falloc_opts *o = c->opts;
	return c->argc != 2 ? io_usage(c) : allocate(io, c->argv, o->mode);
}

static int fpunch_run(struct io *io, struct io_call *c)
{
	return allocate(io, c->argv, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
}

static int fcollapse_run(struct io *io, struct io_call *c)
{
	return allocate(io, c->argv, FALLOC_FL_COLLAPSE_RANGE);
}

static int finsert_run(struct io *io, struct io_call *c)
{
	return allocate(io, c->argv, FALLOC_FL_INSERT_RANGE);
}

static int funshare_run(struct io *io, struct io_call *c)
{
	return allocate(io, c->argv, FALLOC_FL_UNSHARE_RANGE);
}

static const struct io_opt fzero_options[] = {
	{ 'k', IO_OPT_SET, MODE, FALLOC_FL_KEEP_SIZE, NULL, "keep the size of the file", NULL },
	{ 0 },
};

static int fzero_run(struct io *io, struct io_call *c)
{
	const struct falloc_opts *o = c->opts;
	if (c->argc != 2)
		return io_usage(c);
	allocate(io, c->argv, FALLOC_FL_ZERO_RANGE | o->mode);
	return IO_OK;		/* the sheet: a failure does not change the exit code */
}

static int space_ioctl(struct io *io, struct io_call *c, unsigned long request, const char *name)
{
	struct xfs_file_range r;
	memset(&r, 0, sizeof(r));
	if (!io_range(io, c->argv, &r.start, &r.length))
		return IO_FAIL;
	return ioctl(io_current(io)->fd, request, &r) < 0 ? io_perror(name) : IO_OK;
}

static int resvsp_run(struct io *io, struct io_call *c)
{
	return space_ioctl(io, c, XFS_IOCTL_RESVSP64, "XFS_IOC_RESVSP64");
}

static int unresvsp_run(struct io *io, struct io_call *c)
{
	return space_ioctl(io, c, XFS_IOCTL_UNRESVSP64, "XFS_IOC_UNRESVSP64");
}

static int zero_run(struct io *io, struct io_call *c)
{
	return space_ioctl(io, c, XFS_IOCTL_ZERO_RANGE, "XFS_IOC_ZERO_RANGE");
}

static int allocsp_run(struct io *io, struct io_call *c)
{
	return space_ioctl(io, c, XFS_IOCTL_ALLOCSP64, "XFS_IOC_ALLOCSP64");
}

static int freesp_run(struct io *io, struct io_call *c)
{
	return space_ioctl(io, c, XFS_IOCTL_FREESP64, "XFS_IOC_FREESP64");
}

const struct io_command io_prealloc_commands[] = {
	{ .name = "truncate", .alias = "t", .args = "off", .oneline = "set the size of the file",
	  .argmin = 1, .argmax = 1, .flags = IO_FOREIGN, .run = truncate_run },
	{ .name = "falloc", .args = "[-c] [-i] [-k] [-p] [-u] off len",
	  .oneline = "fallocate(2) on a range of the file", .opts = falloc_options,
	  .about = " 'falloc 0 1m' allocates what is not allocated of the first MiB.\n", .argmin = 2, .argmax = IO_ANY,
	  .flags = IO_FOREIGN, .run = falloc_run },
	{ .name = "fpunch", .args = "off len", .oneline = "make a hole in the file",
	  .argmin = 2, .argmax = 2, .flags = IO_FOREIGN, .run = fpunch_run },
	{ .name = "fzero", .args = "[-k] off len", .oneline = "turn a range of the file into allocated zeroes",
	  .opts = fzero_options, .argmin = 2, .argmax = 3, .flags = IO_FOREIGN, .run = fzero_run },
	{ .name = "fcollapse", .args = "off len", .oneline = "take a range out of the file, what follows moves down",
	  .argmin = 2, .argmax = 2, .flags = IO_FOREIGN, .run = fcollapse_run },
	{ .name = "finsert", .args = "off len", .oneline = "insert a hole into the file, what follows moves up",
	  .argmin = 2, .argmax = 2, .flags = IO_FOREIGN, .run = finsert_run },
	{ .name = "funshare", .args = "off len", .oneline = "give shared blocks of a range copies of their own",
	  .argmin = 2, .argmax = 2, .flags = IO_FOREIGN, .run = funshare_run },
	{ .name = "resvsp", .args = "off len", .oneline = "reserve space for a range of the file (XFS ioctl)",
	  .argmin = 2, .argmax = 2, .flags = IO_FOREIGN, .run = resvsp_run },
	{ .name = "unresvsp", .args = "off len", .oneline = "free the space of a range of the file (XFS ioctl)",
	  .argmin = 2, .argmax = 2, .run = unresvsp_run },
	{ .name = "zero", .args = "off len", .oneline = "turn a range of the file into allocated zeroes (XFS ioctl)",
	  .argmin = 2, .argmax = 2, .run = zero_run },
	{ .name = "allocsp", .args = "off len", .oneline = "allocate zeroed space (XFS ioctl that new kernels lack)",
	  .argmin = 2, .argmax = 2, .run = allocsp_run },
	{ .name = "freesp", .args = "off len", .oneline = "free space (XFS ioctl that new kernels lack)",
	  .argmin = 2, .argmax = 2, .run = freesp_run },
	{ 0 },
};
