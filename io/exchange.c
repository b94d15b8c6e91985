/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange.c - exchangerange and swapext: swaps the contents of two files. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct exchange_opts {
	int64_t donor, file, length;
	bool csv, commit, dsync, dry, timing, written;
};
#define AT(field) offsetof(struct exchange_opts, field)

static const struct io_opt exchange_options[] = {
	{ 'C', IO_OPT_FLAG, AT(csv), 0, NULL, "with -t: numbers in one line", NULL },
	{ 'c', IO_OPT_FLAG, AT(commit), 0, NULL, "only if the current file has not changed meanwhile", NULL },
	{ 'd', IO_OPT_SIZE, AT(file), 0, "off", "offset in the current file (0)", "file offset argument" },
	{ 'f', IO_OPT_FLAG, AT(dsync), 0, NULL, "on disk before it returns", NULL },
	{ 'l', IO_OPT_SIZE, AT(length), 0, "len", "bytes (up to the end of both files)", "length argument" },
	{ 'n', IO_OPT_FLAG, AT(dry), 0, NULL, "check everything, change nothing", NULL },
	{ 's', IO_OPT_SIZE, AT(donor), 0, "off", "offset in the donor (0)", "donor offset argument" },
	{ 't', IO_OPT_FLAG, AT(timing), 0, NULL, "print how long it took", NULL },
	{ 'w', IO_OPT_FLAG, AT(written), 0, NULL, "only what is written in the donor", NULL },
	{ 0 },
};

/* Returns 0 or -1 (errno). */
static int exchange(int file, int donor, const struct exchange_opts *o, bool to_eof)
{
	uint64_t flags = (to_eof ? XFS_EXCHANGE_TO_EOF : 0) | (o->dsync ? XFS_EXCHANGE_DSYNC : 0) |
		(o->dry ? XFS_EXCHANGE_DRY_RUN : 0) | (o->written ? XFS_EXCHANGE_FILE1_WRITTEN : 0);
	if (o->commit) {
		struct xfs_commit_range r;
		memset(&r, 0, sizeof(r));
		if (ioctl(file, XFS_IOCTL_START_COMMIT, &r) < 0)
			return -1;
		r.file1_fd = donor;
		r.file1_offset = (uint64_t)o->donor;
		r.file2_offset = (uint64_t)o->file;
		r.length = (uint64_t)o->length;
		r.flags = flags;
		return ioctl(file, XFS_IOCTL_COMMIT_RANGE, &r);
	}
	struct xfs_exchange_range r = { .file1_fd = donor, .file1_offset = (uint64_t)o->donor,
		.file2_offset = (uint64_t)o->file, .length = (uint64_t)o->length, .flags = flags };
	return ioctl(file, XFS_IOCTL_EXCHANGE_RANGE, &r);
}

static int exchange_run(struct io *io, struct io_call *c)
{
	const struct exchange_opts *o = c->opts;
	int file = io_current(io)->fd;
	struct stat st;
	bool to_eof = !io_seen(c, 'l');
	if (c->argc != 1)
		return io_usage(c);
	int donor = io_open(c->argv[0], 0, 0);
	if (donor < 0)
		return IO_FAIL;
	int res = IO_OK;
	int64_t length = o->length;
	if (to_eof && fstat(file, &st) < 0) {
		res = io_perror("fstat");
		goto out;
	}
	if (to_eof)
		length = st.st_size > o->file ? st.st_size - o->file : 0;
	double start = io_now();
	if (exchange(file, donor, o, to_eof) < 0)
		res = io_perror("exchangerange");
	else if (o->timing)
		io_report(&(struct io_report){ .verb = "exchangerange", .offset = o->file, .requested = length,
					       .done = length,
			.ops = 1, .seconds = io_now() - start }, o->csv);
out:
	close(donor);
	return res;
}

/* The kernel compares this with the file as it is when it swaps. Returns 0 or -1 (errno). */
static int get_state(int fd, const struct stat *st, struct xfs_bulkstat_v1 *state)
{
	uint64_t ino = st->st_ino;
	int32_t got = 0;
	struct xfs_bulk_request_v1 r = { .lastip = &ino, .icount = 1, .buffer = state, .ocount = &got };
	return ioctl(fd, XFS_IOCTL_BULKSTAT_SINGLE_V1, &r);
}

static int swapext_run(struct io *io, struct io_call *c)
{
	int file = io_current(io)->fd;
	struct xfs_swap_extents s;
	struct stat st;
	int donor = io_open(c->argv[0], 0, 0);
	if (donor < 0)
		return IO_FAIL;
	memset(&s, 0, sizeof(s));
	s.fd_target = file;
	s.fd_donor = donor;
	int res = IO_OK;
	if (fstat(file, &st) < 0 || get_state(file, &st, &s.stat) < 0) {
		res = io_perror("swapext");
	} else {
		s.length = st.st_size;
		if (ioctl(file, XFS_IOCTL_SWAPEXT, &s) < 0)
			res = io_perror("swapext");
	}
	close(donor);
	return res;
}

const struct io_command io_exchange_commands[] = {
	{ .name = "exchangerange", .args = "[-Ccfntw] [-d off] [-l len] [-s off] donor",
	  .oneline = "exchange contents with another file", .opts = exchange_options,
	  .argmin = 1, .argmax = IO_ANY, .flags = IO_ONESHOT, .run = exchange_run },
	{ .name = "swapext", .args = "donor", .oneline = "swap all extents with another file (old ioctl)",
	  .argmin = 1, .argmax = 1, .flags = 0, .run = swapext_run },
	{ 0 },
};
