/* SPDX-License-Identifier: BSD-2-Clause */
/* sync.c - fsync, fdatasync, syncfs, sync, sync_range. */
#include "io/io.h"

#include <fcntl.h>
#include <unistd.h>

static int fsync_run(struct io *io, struct io_call *c)
{
	(void)c;
	return fsync(io_current(io)->fd) < 0 ? io_perror("fsync") : IO_OK;
}

static int fdatasync_run(struct io *io, struct io_call *c)
{
	(void)c;
	return fdatasync(io_current(io)->fd) < 0 ? io_perror("fdatasync") : IO_OK;
}

static int syncfs_run(struct io *io, struct io_call *c)
{
	(void)c;
	return syncfs(io_current(io)->fd) < 0 ? io_perror("syncfs") : IO_OK;
}

static int sync_run(struct io *io, struct io_call *c)
{
	(void)io;
	(void)c;
	sync();
	return IO_OK;
}

struct range_opts {
	int flags;
};

static const struct io_opt range_options[] = {
	{ 'a', IO_OPT_SET, offsetof(struct range_opts, flags), SYNC_FILE_RANGE_WAIT_AFTER, NULL,
	  "wait for I/O behind the writing (SYNC_FILE_RANGE_WAIT_AFTER)", NULL },
	{ 'b', IO_OPT_SET, offsetof(struct range_opts, flags), SYNC_FILE_RANGE_WAIT_BEFORE, NULL,
	  "wait for I/O before the writing (SYNC_FILE_RANGE_WAIT_BEFORE)", NULL },
	{ 'w', IO_OPT_SET, offsetof(struct range_opts, flags), SYNC_FILE_RANGE_WRITE, NULL,
	  "write what is dirty (SYNC_FILE_RANGE_WRITE, default)", NULL },
	{ 0 },
};

static int sync_range_run(struct io *io, struct io_call *c)
{
	const struct range_opts *o = c->opts;
	int64_t offset, length;
	if (c->argc != 2)
		return io_usage(c);
	if (!io_range(io, c->argv, &offset, &length))
		return IO_FAIL;
	unsigned flags = o->flags ? (unsigned)o->flags : SYNC_FILE_RANGE_WRITE;
	return sync_file_range(io_current(io)->fd, offset, length, flags) < 0 ? io_perror("sync_file_range") : IO_OK;
}

const struct io_command io_sync_commands[] = {
	{ .name = "fsync", .alias = "s", .args = "", .oneline = "write the file's data and metadata to disk, fsync(2)",
	  .flags = IO_FOREIGN, .run = fsync_run },
	{ .name = "fdatasync", .alias = "ds", .args = "", .oneline = "write the file's data to disk, fdatasync(2)",
	  .flags = IO_FOREIGN, .run = fdatasync_run },
	{ .name = "syncfs", .args = "", .oneline = "write the whole filesystem of the file to disk, syncfs(2)",
	  .flags = IO_FOREIGN, .run = syncfs_run },
	{ .name = "sync", .args = "", .oneline = "write all filesystems to disk, sync(2)",
	  .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = sync_run },
	{ .name = "sync_range", .args = "[-abw] off len", .oneline = "start or await writeback of a range of the file",
	  .opts = range_options, .argmin = 2, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = sync_range_run },
	{ 0 },
};
