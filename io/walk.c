/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.c - trees of files for the options -R and -D. */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OPEN 50

/* nftw() hands no argument through; one walk at a time. */
static struct {
	struct io *io;
	bool dirs_only;
	int res;
	int (*fn)(struct io *io, const char *path, int fd, mode_t mode, void *arg);
	void *arg;
} walk;

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type == FTW_NS) {
		fprintf(stderr, "%s: cannot stat %s: %s\n", walk.io->prog, path, strerror(errno));
		walk.res = IO_FAIL;
		return 0;
	}
	if (walk.dirs_only && !S_ISDIR(st->st_mode))
		return 0;
	/* O_NONBLOCK: a fifo without a writer must not stop the walk */
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0) {
		fprintf(stderr, "%s: cannot open %s: %s\n", walk.io->prog, path, strerror(errno));
		walk.res = IO_FAIL;
		return 0;
	}
	walk.res |= walk.fn(walk.io, path, fd, st->st_mode, walk.arg);
	close(fd);
	return 0;
}

int io_walk(struct io *io, const char *path, bool dirs_only,
	int (*fn)(struct io *io, const char *path, int fd, mode_t mode, void *arg), void *arg)
{
	walk.io = io;
	walk.dirs_only = dirs_only;
	walk.res = IO_OK;
	walk.fn = fn;
	walk.arg = arg;
	if (nftw(path, visit, MAX_OPEN, FTW_PHYS | FTW_MOUNT | FTW_DEPTH) < 0)
		return io_perror(path);
	return walk.res;
}
