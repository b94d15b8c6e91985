/* SPDX-License-Identifier: BSD-2-Clause */
/* open.c - opening files, the table of open files, sources of copies. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

static int kernel_flags(unsigned flags)
{
	static const struct { unsigned ours; int kernels; } map[] = {
		{ IO_APPEND, O_APPEND }, { IO_DIRECT, O_DIRECT }, { IO_SYNC, O_SYNC }, { IO_NONBLOCK, O_NONBLOCK },
		{ IO_TMPFILE, O_TMPFILE }, { IO_PATH, O_PATH }, { IO_NOFOLLOW, O_NOFOLLOW }, { IO_CREATE, O_CREAT },
		{ IO_TRUNCATE, O_TRUNC },
	};
	int k = flags & IO_READONLY ? O_RDONLY : O_RDWR;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (flags & map[i].ours)
			k |= map[i].kernels;
	return k;
}

/* Sets the realtime flag. Returns 0 or -1 (errno). */
static int make_realtime(int fd)
{
	struct fsxattr a;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0)
		return -1;
	a.fsx_xflags |= FS_XFLAG_REALTIME;
	return ioctl(fd, FS_IOC_FSSETXATTR, &a);
}

int io_open(const char *path, unsigned flags, mode_t mode)
{
	struct stat st;
	int k = kernel_flags(flags);
	/* opening one end of a fifo would wait for the other end */
	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		k |= O_NONBLOCK;
	int fd = open(path, k, mode);
	if (fd < 0 && errno == EISDIR && !(flags & IO_TMPFILE)) {
		k = (k & ~O_ACCMODE) | O_RDONLY;
		fd = open(path, k, mode);
	}
	if (fd < 0) {
		io_perror(path);
		return -1;
	}
	if ((flags & IO_REALTIME) && make_realtime(fd) < 0) {
		io_perror("FS_IOC_FSSETXATTR");
		close(fd);
		return -1;
	}
	return fd;
}

/* What the commands need to know of the filesystem; anything but XFS with its geometry call is foreign. */
static void examine(struct io_file *f)
{
	struct statfs s;
	struct xfs_fs_geometry g;
	f->foreign = true;
	f->block_size = 4096;
	f->sector_size = 512;
	if (fstatfs(f->fd, &s) < 0 || (unsigned long)s.f_type != XFS_SUPER_MAGIC)
		return;
	if (f->flags & IO_PATH) {		/* no ioctl on such a descriptor */
		f->foreign = false;
		return;
	}
	if (ioctl(f->fd, XFS_IOCTL_FSGEOMETRY, &g) < 0)
		return;
	f->foreign = false;
	f->block_size = g.blocksize;
	f->sector_size = g.sectsize;
}

int io_add_fd(struct io *io, int fd, const char *name, unsigned flags)
{
	struct io_file *files = realloc(io->files, (io->n_files + 1) * sizeof(*files));
	if (!files)
		return -1;
	io->files = files;
	struct io_file *f = &files[io->n_files];
	*f = (struct io_file){ .fd = fd, .flags = flags, .name = strdup(name) };
	if (!f->name)
		return -1;
	examine(f);
	io->current = io->n_files++;
	return 0;
}

int io_add_file(struct io *io, const char *path, unsigned flags, mode_t mode)
{
	int fd = io_open(path, flags, mode);
	if (fd < 0)
		return IO_FAIL;
	if (io_add_fd(io, fd, path, flags) < 0) {
		int res = io_perror(path);
		close(fd);
		return res;
	}
	return IO_OK;
}

void io_drop_file(struct io *io, size_t index)
{
	close(io->files[index].fd);
	free(io->files[index].name);
	io->n_files--;
	memmove(&io->files[index], &io->files[index + 1], (io->n_files - index) * sizeof(io->files[0]));
	if (io->current >= io->n_files)
		io->current = io->n_files ? io->n_files - 1 : 0;
}

void io_free_all(struct io *io)
{
	while (io->n_files) {
		free(io->files[io->n_files - 1].update);
		io_drop_file(io, io->n_files - 1);
	}
	for (size_t i = 0; i < io->n_maps; i++) {
		munmap(io->maps[i].addr, io->maps[i].length);
		free(io->maps[i].name);
	}
	free(io->files);
	free(io->maps);
	io->files = NULL;
	io->maps = NULL;
	io->n_maps = 0;
}

void io_print_flags(const struct io_file *f)
{
	static const struct { unsigned flag; const char *text; } extra[] = {
		{ IO_REALTIME, ",real-time" }, { IO_APPEND, ",append-only" }, { IO_NONBLOCK, ",non-block" },
		{ IO_TMPFILE, ",tmpfile" }, { IO_PATH, ",path" }, { IO_NOFOLLOW, ",nofollow" },
	};
	printf("%s,%s,%s", f->flags & IO_SYNC ? "sync" : "non-sync", f->flags & IO_DIRECT ? "direct" : "non-direct",
		f->flags & IO_READONLY ? "read-only" : "read-write");
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++)
		if (f->flags & extra[i].flag)
			fputs(extra[i].text, stdout);
}

int io_source(struct io *io, const char *number, const char *path, bool *opened)
{
	size_t at;
	*opened = false;
	if (number) {
		int64_t v;
		if (!io_parse_i64(number, &v)) {
			printf("non-numeric file number -- %s\n", number);
			return -1;
		}
		if (v < 0 || (uint64_t)v >= io->n_files) {
			printf("file value %lld is out of range (0-%zu)\n", (long long)v,
			       io->n_files ? io->n_files - 1 : 0);
			return -1;
		}
		at = (size_t)v;
		return io->files[at].fd;
	}
	int fd = io_open(path, IO_READONLY, 0);
	*opened = fd >= 0;
	return fd;
}
