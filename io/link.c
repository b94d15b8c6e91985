/* SPDX-License-Identifier: BSD-2-Clause */
/* link.c - reflink and dedupe: files that share blocks. */
#include "io/io.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct link_opts {
	bool csv, quiet;
};

static const struct io_opt link_options[] = {
	{ 'C', IO_OPT_FLAG, offsetof(struct link_opts, csv), 0, NULL,
	  "print numbers in one line: bytes,ops,time,bytes/s,ops/s", NULL },
	{ 'q', IO_OPT_FLAG, offsetof(struct link_opts, quiet), 0, NULL, "print nothing", NULL },
	{ 0 },
};

struct ranges {
	int64_t source, target, length;
};

static bool get_ranges(struct io *io, char **argv, struct ranges *r)
{
	if (!io_size(io, argv[0], "src offset argument", &r->source) ||
	    !io_size(io, argv[1], "dest offset argument", &r->target))
		return false;
	if (io_parse_size(io_current(io), argv[2], &r->length) && r->length >= 0)
		return true;
	printf("non-positive length argument -- %s\n", argv[2]);
	return false;
}

/* All of the source, or a range of it. Returns 0 or -1 after a message. */
static int clone(int to, int from, bool whole, const struct ranges *r)
{
	struct file_clone_range range = { .src_fd = from, .src_offset = (uint64_t)r->source,
		.src_length = (uint64_t)r->length, .dest_offset = (uint64_t)r->target };
	int res = whole ? ioctl(to, FICLONE, from) : ioctl(to, FICLONERANGE, &range);
	if (res < 0)
		io_perror(whole ? "XFS_IOC_CLONE" : "XFS_IOC_CLONE_RANGE");
	return res;
}

static int reflink_run(struct io *io, struct io_call *c)
{
	const struct link_opts *o = c->opts;
	struct ranges r = { 0 };
	if (c->argc != 1 && c->argc != 4)
		return io_usage(c);
	int fd = io_open(c->argv[0], IO_READONLY, 0);
	if (fd < 0)
		return IO_FAIL;
	int res = IO_FAIL;
	if (c->argc == 4 && !get_ranges(io, c->argv + 1, &r))
		goto out;
	double start = io_now();
	if (clone(io_current(io)->fd, fd, c->argc == 1, &r) < 0)
		goto out;
	res = IO_OK;
	if (!o->quiet)
		io_report(&(struct io_report){ .verb = "linked", .offset = r.target, .requested = r.length,
					       .done = r.length,
			.ops = 1, .seconds = io_now() - start }, o->csv);
out:
	close(fd);
	return res;
}

/* What dedupe() gives. */
struct deduped {
	int64_t done, ops;
	bool differs;
};

/* Asks the kernel to share the range, in as many calls as it likes. Returns IO_FAIL after a message. */
static int dedupe(int to, int from, const struct ranges *r, struct deduped *d)
{
	union {			/* one range follows the structure */
		struct file_dedupe_range head;
		char bytes[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)];
	} q;
	struct file_dedupe_range_info *info = q.head.info;
	do {
		q.head = (struct file_dedupe_range){ .src_offset = (uint64_t)(r->source + d->done),
			.src_length = (uint64_t)(r->length - d->done), .dest_count = 1 };
		*info = (struct file_dedupe_range_info){ .dest_fd = to,
							 .dest_offset = (uint64_t)(r->target + d->done) };
		if (ioctl(from, FIDEDUPERANGE, &q) < 0)
			return io_perror("XFS_IOC_FILE_EXTENT_SAME");
		d->ops++;
		if (info->status < 0) {
			errno = -info->status;
			return io_perror("XFS_IOC_FILE_EXTENT_SAME");
		}
		if (info->status == FILE_DEDUPE_RANGE_DIFFERS) {
			d->differs = true;
			return IO_OK;
		}
		d->done += (int64_t)info->bytes_deduped;
	} while (info->bytes_deduped && d->done < r->length);
	return IO_OK;
}

static int dedupe_run(struct io *io, struct io_call *c)
{
	const struct link_opts *o = c->opts;
	struct ranges r = { 0 };
	struct deduped d = { 0 };
	if (c->argc != 4)
		return io_usage(c);
	int fd = io_open(c->argv[0], IO_READONLY, 0);
	if (fd < 0)
		return IO_FAIL;
	int res = IO_FAIL;
	if (get_ranges(io, c->argv + 1, &r)) {
		double start = io_now();
		res = dedupe(io_current(io)->fd, fd, &r, &d);
		if (d.differs)		/* the sheet: that is no failure */
			fprintf(stderr, "XFS_IOC_FILE_EXTENT_SAME: Extents did not match.\n");
		else if (res == IO_OK && !o->quiet)
			io_report(&(struct io_report){ .verb = "deduped", .offset = r.target, .requested = r.length,
				.done = d.done, .ops = d.ops, .seconds = io_now() - start }, o->csv);
	}
	close(fd);
	return res;
}

const struct io_command io_link_commands[] = {
	{ .name = "reflink", .alias = "rl", .args = "[-C] [-q] infile [src_off dst_off len]",
	  .oneline = "let the file share blocks of another one", .opts = link_options,
	  .about = " Without a range the whole of infile. Offsets and lengths must be multiples of the block size.\n",
	  .argmin = 1, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_ONESHOT, .run = reflink_run },
	{ .name = "dedupe", .alias = "dd", .args = "[-C] [-q] infile src_off dst_off len",
	  .oneline = "share blocks with another file where both have the same data", .opts = link_options,
	  .argmin = 4, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_ONESHOT, .run = dedupe_run },
	{ 0 },
};
