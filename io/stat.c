/* SPDX-License-Identifier: BSD-2-Clause */
/* stat.c - stat: what is known of the current file (format sheet 09, section 8). */
#include "io/io.h"
#include "io/stat.h"
#include "io/xflags.h"
#include "io/xfs_ioctl.h"

#include <inttypes.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

const char *io_type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFDIR:
		return "directory";
	case S_IFCHR:
		return "char device";
	case S_IFBLK:
		return "block device";
	case S_IFREG:
		return "regular file";
	case S_IFLNK:
		return "symbolic link";
	case S_IFIFO:
		return "fifo";
	default:
		return "unknown";
	}
}

void io_print_ctime(const char *name, int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[32];
	printf("stat.%s = %s", name, ctime_r(&t, text) ? text : "?\n");
}

void io_print_opened(const struct io_file *f)
{
	printf("fd.path = \"%s\"\nfd.flags = ", f->name);
	io_print_flags(f);
	putchar('\n');
}

void io_print_xattr(const struct io_file *f, bool verbose)
{
	struct fsxattr a, attr_fork;
	struct xfs_dio_info dio = { 0 };
	char letters[IO_XFLAGS + 1];

	if (ioctl(f->fd, FS_IOC_FSGETXATTR, &a) < 0)
		return;
	printf("fsxattr.xflags = 0x%x ", a.fsx_xflags);
	if (verbose) {
		io_xflags_print_names(a.fsx_xflags);
		putchar('\n');
	} else {
		io_xflags_letters(a.fsx_xflags, letters);
		printf("[%s]\n", letters);
	}
	printf("fsxattr.projid = %u\nfsxattr.extsize = %u\nfsxattr.cowextsize = %u\nfsxattr.nextents = %u\n",
	       a.fsx_projid, a.fsx_extsize, a.fsx_cowextsize, a.fsx_nextents);
	if (f->foreign)
		return;
	if (ioctl(f->fd, XFS_IOCTL_FSGETXATTRA, &attr_fork) == 0)
		printf("fsxattr.naextents = %u\n", attr_fork.fsx_nextents);
	/* of what is no regular file the kernel knows nothing: zeroes are shown */
	if (ioctl(f->fd, XFS_IOCTL_DIOINFO, &dio) < 0)
		dio = (struct xfs_dio_info){ 0 };
	printf("dioattr.mem = 0x%x\ndioattr.miniosz = %u\ndioattr.maxiosz = %u\n", dio.mem, dio.min_io, dio.max_io);
}

static void print_raw(const struct stat *st)
{
	printf("stat.blksize = %u\nstat.nlink = %u\nstat.uid = %u\nstat.gid = %u\nstat.mode: 0%o\n",
		(unsigned)st->st_blksize, (unsigned)st->st_nlink, st->st_uid, st->st_gid, st->st_mode);
	printf("stat.ino = %" PRIu64 "\nstat.size = %" PRId64 "\nstat.blocks = %" PRId64 "\n", (uint64_t)st->st_ino,
		(int64_t)st->st_size, (int64_t)st->st_blocks);
	const struct { const char *name; struct timespec t; } times[] = {
		{ "atime", st->st_atim }, { "ctime", st->st_ctim }, { "mtime", st->st_mtim },
	};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		printf("stat.%s.tv_sec = %" PRId64 "\nstat.%s.tv_nsec = %ld\n", times[i].name,
		       (int64_t)times[i].t.tv_sec, times[i].name, (long)times[i].t.tv_nsec);
	printf("stat.rdev_major = %u\nstat.rdev_minor = %u\nstat.dev_major = %u\nstat.dev_minor = %u\n",
	       major(st->st_rdev), minor(st->st_rdev), major(st->st_dev), minor(st->st_dev));
}

int io_print_stat(struct io *io, bool verbose)
{
	const struct io_file *f = io_current(io);
	struct stat st;
	io_print_opened(f);
	if (fstat(f->fd, &st) < 0)
		return io_perror("fstat");
	printf("stat.ino = %" PRIu64 "\nstat.type = %s\nstat.size = %" PRId64 "\nstat.blocks = %" PRId64 "\n",
		(uint64_t)st.st_ino, io_type_name(st.st_mode), (int64_t)st.st_size, (int64_t)st.st_blocks);
	if (verbose) {
		io_print_ctime("atime", st.st_atime);
		io_print_ctime("mtime", st.st_mtime);
		io_print_ctime("ctime", st.st_ctime);
	}
	io_print_xattr(f, verbose);
	return IO_OK;
}

struct stat_opts {
	bool verbose, raw;
};

static const struct io_opt stat_options[] = {
	{ 'v', IO_OPT_FLAG, offsetof(struct stat_opts, verbose), 0, NULL, "times, and names of the flags", NULL },
	{ 'r', IO_OPT_FLAG, offsetof(struct stat_opts, raw), 0, NULL, "the fields of struct stat", NULL },
	{ 0 },
};

static int stat_run(struct io *io, struct io_call *c)
{
	const struct stat_opts *o = c->opts;
	struct stat st;
	if (!o->raw)
		return io_print_stat(io, o->verbose);
	if (fstat(io_current(io)->fd, &st) < 0)
		return io_perror("fstat");
	print_raw(&st);
	return IO_OK;
}

const struct io_command io_stat_commands[] = {
	{ .name = "stat", .args = "[-v|-r]", .oneline = "show what is known of the file", .opts = stat_options,
	  .argmin = 0, .argmax = 1, .flags = IO_FOREIGN, .run = stat_run },
	{ 0 },
};
