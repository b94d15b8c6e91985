/* SPDX-License-Identifier: BSD-2-Clause */
/* extsize.c - extsize and cowextsize: how large the extents of a file shall be. */
#include "io/io.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

struct size_opts {
	bool recurse, dirs;
};

static const struct io_opt size_options[] = {
	{ 'R', IO_OPT_FLAG, offsetof(struct size_opts, recurse), 0, NULL, "everything below the directory", NULL },
	{ 'D', IO_OPT_FLAG, offsetof(struct size_opts, dirs), 0, NULL, "all directories below the directory", NULL },
	{ 0 },
};

/* What to do with one file. */
struct job {
	bool cow, set;
	uint32_t size;
};

static int failed(const struct io *io, const char *call, const char *path)
{
	printf("%s: %s %s: %s\n", io->prog, call, path, strerror(errno));
	return IO_FAIL;
}

static int on_file(struct io *io, const char *path, int fd, mode_t mode, void *arg)
{
	const struct job *j = arg;
	struct fsxattr a;
	struct stat st;
	if (!mode && fstat(fd, &st) < 0)
		return failed(io, "fstat", path);
	mode = mode ? mode : st.st_mode;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0)
		return failed(io, "FS_IOC_FSGETXATTR", path);
	if (!j->set) {
		printf("[%u] %s\n", j->cow ? a.fsx_cowextsize : a.fsx_extsize, path);
		return IO_OK;
	}
	if (!S_ISREG(mode) && !S_ISDIR(mode)) {
		printf("invalid target file type - file %s\n", path);
		return IO_OK;
	}
	/* a size of 0 drops the hint */
	uint32_t flag = j->cow ? FS_XFLAG_COWEXTSIZE : S_ISDIR(mode) ? FS_XFLAG_EXTSZINHERIT : FS_XFLAG_EXTSIZE;
	a.fsx_xflags = j->size ? a.fsx_xflags | flag : a.fsx_xflags & ~flag;
	*(j->cow ? &a.fsx_cowextsize : &a.fsx_extsize) = j->size;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &a) < 0)
		return failed(io, "FS_IOC_FSSETXATTR", path);
	return IO_OK;
}

static int size_command(struct io *io, struct io_call *c, bool cow)
{
	const struct size_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	struct job j = { .cow = cow, .set = c->argc == 1 };
	int64_t v;
	if (c->argc > 1)
		return io_usage(c);
	if (j.set) {
		if (!io_parse_size(f, c->argv[0], &v) || v < 0 || v > UINT32_MAX) {
			printf("non-numeric %s argument -- %s\n", c->cmd->name, c->argv[0]);
			return IO_FAIL;
		}
		j.size = (uint32_t)v;
	}
	return o->recurse || o->dirs ? io_walk(io, f->name, o->dirs, on_file, &j) : on_file(io, f->name, f->fd, 0, &j);
}

static int extsize_run(struct io *io, struct io_call *c)
{
	return size_command(io, c, false);
}

static int cowextsize_run(struct io *io, struct io_call *c)
{
	return size_command(io, c, true);
}

const struct io_command io_extsize_commands[] = {
	{ .name = "extsize", .args = "[-D | -R] [extsize]",
	  .oneline = "show or set the extent size hint of the file (bytes)", .opts = size_options, .argmin = 0,
	  .argmax = IO_ANY, .flags = 0, .run = extsize_run },
	{ .name = "cowextsize", .args = "[-D | -R] [cowextsize]",
	  .oneline = "show or set the copy-on-write extent size hint of the file (bytes)", .opts = size_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = cowextsize_run },
	{ 0 },
};
