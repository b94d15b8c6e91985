/* SPDX-License-Identifier: BSD-2-Clause */
/* times.c - utimes, chmod, flink: small changes of the current file. */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two words: seconds and nanoseconds. */
static bool get_time(char **argv, struct timespec *t)
{
	int64_t sec, nsec;
	if (!io_parse_i64(argv[0], &sec) || !io_parse_i64(argv[1], &nsec) || (int64_t)(time_t)sec != sec ||
	    (int64_t)(long)nsec != nsec)
		return false;
	t->tv_sec = (time_t)sec;
	t->tv_nsec = (long)nsec;
	return true;
}

static int utimes_run(struct io *io, struct io_call *c)
{
	struct timespec t[2];
	for (int i = 0; i < 2; i++) {
		if (!get_time(c->argv + 2 * i, &t[i])) {
			fprintf(stderr, "Bad value for %s\n", i ? "mtime" : "atime");
			return IO_FAIL;
		}
	}
	return futimens(io_current(io)->fd, t) < 0 ? io_perror("futimens") : IO_OK;
}

struct chmod_opts {
	int mode;
};

static const struct io_opt chmod_options[] = {
	{ 'r', IO_OPT_SET, offsetof(struct chmod_opts, mode), 0444, NULL, "only for reading (0444)", NULL },
	{ 'w', IO_OPT_SET, offsetof(struct chmod_opts, mode), 0664, NULL, "for reading and writing (0664)", NULL },
	{ 0 },
};

static int chmod_run(struct io *io, struct io_call *c)
{
	const struct chmod_opts *o = c->opts;
	if (!o->mode || c->argc)
		return io_usage(c);
	return fchmod(io_current(io)->fd, (mode_t)o->mode) < 0 ? io_perror("fchmod") : IO_OK;
}

static int flink_run(struct io *io, struct io_call *c)
{
	int fd = io_current(io)->fd;
	char path[64];
	if (linkat(fd, "", AT_FDCWD, c->argv[0], AT_EMPTY_PATH) == 0)
		return IO_OK;
	if (errno != ENOENT)
		return io_perror("flink");
	/* without the capability that AT_EMPTY_PATH wants */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, c->argv[0], AT_SYMLINK_FOLLOW) < 0 ? io_perror("flink") : IO_OK;
}

const struct io_command io_times_commands[] = {
	{ .name = "utimes", .args = "atime_sec atime_nsec mtime_sec mtime_nsec", .oneline = "set the times of the file",
	  .argmin = 4, .argmax = 4, .flags = IO_FOREIGN, .run = utimes_run },
	{ .name = "chmod", .args = "-r | -w", .oneline = "allow reading only, or reading and writing",
	  .opts = chmod_options, .argmin = 1, .argmax = 1, .flags = IO_FOREIGN | IO_ONESHOT, .run = chmod_run },
	{ .name = "flink", .args = "filename", .oneline = "give the open file (-T) a name",
	  .argmin = 1, .argmax = 1, .flags = IO_FOREIGN | IO_ONESHOT, .run = flink_run },
	{ 0 },
};
