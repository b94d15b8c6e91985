/* SPDX-License-Identifier: BSD-2-Clause */
/* copy.c - copy_range, sendfile, splice: copies that the kernel makes. */
#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct copy_opts {
	const char *source, *target, *length, *number;
};

static const struct io_opt copy_options[] = {
	{ 's', IO_OPT_TEXT, offsetof(struct copy_opts, source), 0, "off", "offset in the source (0)", NULL },
	{ 'd', IO_OPT_TEXT, offsetof(struct copy_opts, target), 0, "off", "offset in the current file (0)", NULL },
	{ 'l', IO_OPT_TEXT, offsetof(struct copy_opts, length), 0, "len", "bytes (up to the end of the source)", NULL },
	{ 'f', IO_OPT_TEXT, offsetof(struct copy_opts, number), 0, "N", "source is open file N", NULL },
	{ 0 },
};

/* A number of copy_range; NULL: keeps what *value has. */
static bool copy_number(struct io *io, const char *text, const char *what, int64_t *value)
{
	if (!text || (io_parse_size(io_current(io), text, value) && *value >= 0))
		return true;
	printf("invalid %s -- %s\n", what, text);
	return false;
}

/* Copies until all is done, the source ends or a call fails (-1, errno). */
static int copy(int from, int to, int64_t source, int64_t target, int64_t length)
{
	loff_t in = source, out = target;
	do {
		size_t part = length > SSIZE_MAX ? SSIZE_MAX : (size_t)length;
		ssize_t n = copy_file_range(from, &in, to, &out, part, 0);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length -= n;
	} while (length > 0);
	return 0;
}

static int copy_range_run(struct io *io, struct io_call *c)
{
	const struct copy_opts *o = c->opts;
	int64_t source = 0, target = 0, length = 0;
	struct stat st;
	bool opened;

	if (!copy_number(io, o->source, "source offset", &source) ||
	    !copy_number(io, o->target, "destination offset", &target) ||
	    !copy_number(io, o->length, "length", &length))
		return IO_FAIL;
	if (c->argc != (o->number ? 0 : 1))
		return io_usage(c);
	int fd = io_source(io, o->number, c->argv[0], &opened);
	if (fd < 0)
		return IO_FAIL;
	int res = IO_OK;
	if (!o->length && fstat(fd, &st) < 0)
		res = io_perror("fstat");
	else if (!o->length)
		length = st.st_size > source ? st.st_size - source : 0;
	if (res == IO_OK && copy(fd, io_current(io)->fd, source, target, length) < 0) {
		io_perror("copy_range");
		res = IO_STOP;		/* the sheet: the list of commands ends, the exit code stays */
	}
	if (opened)
		close(fd);
	return res;
}

struct send_opts {
	const char *number, *path;
	bool quiet;
};

static const struct io_opt send_options[] = {
	{ 'f', IO_OPT_TEXT, offsetof(struct send_opts, number), 0, "N", "source is open file N", NULL },
	{ 'i', IO_OPT_TEXT, offsetof(struct send_opts, path), 0, "infile", "source is this file", NULL },
	{ 'q', IO_OPT_FLAG, offsetof(struct send_opts, quiet), 0, NULL, "print nothing", NULL },
	{ 0 },
};

/* Moves up to len bytes at *off to the current position of `to`. Returns bytes, 0 at the end, -1 (errno). */
typedef ssize_t send_fn(int to, int from, loff_t *off, size_t len);

static ssize_t send_step(int to, int from, loff_t *off, size_t len)
{
	return sendfile64(to, from, off, len);
}

/* Through a pipe, as splice(2) wants it; what has gone into the pipe is written before the next piece. */
static ssize_t splice_step(int to, int from, loff_t *off, size_t len)
{
	int ends[2];
	if (pipe(ends) < 0)
		return -1;
	ssize_t got = splice(from, off, ends[1], NULL, len, SPLICE_F_MOVE), put = 0;
	while (got > 0 && put < got) {
		ssize_t n = splice(ends[0], NULL, to, NULL, (size_t)(got - put), SPLICE_F_MOVE);
		if (n <= 0) {
			got = n;
			break;
		}
		put += n;
	}
	int error = errno;
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return got;
}

static int send_all(struct io *io, struct io_call *c, int fd, send_fn *step, const char *what)
{
	const struct send_opts *o = c->opts;
	int64_t offset = 0, length = 0, done = 0, ops = 0;
	struct stat st;
	if (c->argc == 2) {
		if (!io_range(io, c->argv, &offset, &length))
			return IO_FAIL;
	} else if (fstat(fd, &st) < 0) {
		return io_perror("fstat");
	} else {
		length = st.st_size;
	}
	double start = io_now();
	loff_t at = offset;
	while (done < length) {
		ssize_t n = step(io_current(io)->fd, fd, &at, (size_t)(length - done));
		if (n < 0)
			return io_perror(what);
		if (n == 0)
			break;
		done += n;
		ops++;
	}
	if (!o->quiet)
		io_report(&(struct io_report){ .verb = "sent", .offset = offset, .requested = length, .done = done,
					       .ops = ops,
			.seconds = io_now() - start }, false);
	return IO_OK;
}

static int send_from(struct io *io, struct io_call *c, send_fn *step, const char *what)
{
	const struct send_opts *o = c->opts;
	bool opened;
	if (!o->number == !o->path || (c->argc != 0 && c->argc != 2))
		return io_usage(c);
	int fd = io_source(io, o->number, o->path, &opened);
	if (fd < 0)
		return IO_FAIL;
	int res = send_all(io, c, fd, step, what);
	if (opened)
		close(fd);
	return res;
}

static int sendfile_run(struct io *io, struct io_call *c)
{
	return send_from(io, c, send_step, "sendfile");
}

static int splice_run(struct io *io, struct io_call *c)
{
	return send_from(io, c, splice_step, "splice");
}

const struct io_command io_copy_commands[] = {
	{ .name = "copy_range", .args = "[-s src_off] [-d dst_off] [-l len] src_file | -f N",
	  .oneline = "copy a range of another file, copy_file_range(2)", .opts = copy_options,
	  .about = " 'copy_range -s 100 -d 200 -l 300 src' copies 300 bytes from offset 100 of src to offset 200.\n"
		" 'copy_range -f 2' copies all of open file 2.\n",
	  .argmin = 1, .argmax = 8, .flags = IO_FOREIGN, .run = copy_range_run },
	{ .name = "sendfile", .alias = "send", .args = "[-q] -i infile | -f N [off len]",
	  .oneline = "copy a range of another file to the current position, sendfile(2)", .opts = send_options,
	  .argmin = 2, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = sendfile_run },
	{ .name = "splice", .args = "[-q] -i infile | -f N [off len]",
	  .oneline = "copy a range of another file to the current position, splice(2)", .opts = send_options,
	  .argmin = 2, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = splice_run },
	{ 0 },
};
