/* SPDX-License-Identifier: BSD-2-Clause */
/* pwrite.c - pwrite: writes a pattern or the contents of another file (format sheet 09, sections 3 and 4). */
#include "io/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

struct pwrite_opts {
	int64_t block, fill, skip, seed;
	const char *input, *vectors;
	unsigned rwf;
	int pattern;
	bool quiet, csv, raw, direct, datasync, sync;
};
#define AT(field) offsetof(struct pwrite_opts, field)

static const struct io_opt pwrite_options[] = {
	{ 'b', IO_OPT_SIZE, AT(block), 0, "bs", "bytes of one write (the filesystem's block size)", "bsize" },
	{ 'S', IO_OPT_SIZE, AT(fill), 0, "seed", "byte to write (0xcd)", "seed" },
	{ 'F', IO_OPT_SET, AT(pattern), IO_FORWARD, NULL, "from the offset forwards (default)", NULL },
	{ 'B', IO_OPT_SET, AT(pattern), IO_BACKWARD, NULL, "from the offset backwards", NULL },
	{ 'R', IO_OPT_SET, AT(pattern), IO_RANDOM, NULL, "blocks of the range at random", NULL },
	{ 'Z', IO_OPT_SIZE, AT(seed), 0, "N", "seed of the random numbers (the time)", "seed" },
	{ 'O', IO_OPT_SET, AT(pattern), IO_ONCE, NULL, "one single call, however much it writes", NULL },
	{ 'i', IO_OPT_TEXT, AT(input), 0, "infile", "write what this file has", NULL },
	{ 'd', IO_OPT_FLAG, AT(direct), 0, NULL, "read the input file with direct I/O", NULL },
	{ 's', IO_OPT_SIZE, AT(skip), 0, "skip", "start at this offset of the input file", "skip" },
	{ 'w', IO_OPT_FLAG, AT(datasync), 0, NULL, "fdatasync(2) at the end, timed too", NULL },
	{ 'W', IO_OPT_FLAG, AT(sync), 0, NULL, "fsync(2) at the end, timed too", NULL },
	{ 'q', IO_OPT_FLAG, AT(quiet), 0, NULL, "print nothing", NULL },
	{ 'C', IO_OPT_FLAG, AT(csv), 0, NULL, "print numbers in one line: bytes,ops,time,bytes/s,ops/s", NULL },
	{ 'u', IO_OPT_FLAG, AT(raw), 0, NULL, "do not fill the buffer", NULL },
	{ 'V', IO_OPT_TEXT, AT(vectors), 0, "N", "vectors of N blocks (pwritev)", NULL },
	{ 'N', IO_OPT_OR, AT(rwf), RWF_NOWAIT, NULL, "RWF_NOWAIT, with -V", NULL },
	{ 'D', IO_OPT_OR, AT(rwf), RWF_DSYNC, NULL, "RWF_DSYNC, with -V", NULL },
	{ 'A', IO_OPT_OR, AT(rwf), RWF_ATOMIC, NULL, "RWF_ATOMIC, with -V", NULL },
	{ 'U', IO_OPT_OR, AT(rwf), RWF_DONTCACHE, NULL, "RWF_DONTCACHE, with -V", NULL },
	{ 0 },
};

/* Where the data comes from when there is an input file. */
struct input {
	int fd;
	int64_t offset;
};

static ssize_t write_step(struct io_transfer *t, int64_t off, size_t len)
{
	struct input *in = t->payload;
	if (in) {
		ssize_t n = pread(in->fd, t->buf, len, in->offset);
		if (n <= 0)
			return n;
		in->offset += n;
		len = (size_t)n;
	}
	if (!t->vectors)
		return pwrite(t->fd, t->buf, len, off);
	int n = io_transfer_vector(t, len);
	return t->rwf ? pwritev2(t->fd, t->iov, n, off, t->rwf) : pwritev(t->fd, t->iov, n, off);
}

/* What the options forbid; true when all is well. */
static bool check_options(const struct io_call *c, uint32_t *vectors)
{
	const struct pwrite_opts *o = c->opts;
	if (o->rwf && !io_seen(c, 'V')) {
		printf("pwritev2 flags require vectored I/O (-V)\n");
		io_usage(c);
		return false;
	}
	if ((o->input && o->pattern != IO_FORWARD && o->pattern != IO_ONCE) ||
	    (!o->input && (o->direct || io_seen(c, 's'))) || (o->pattern != IO_RANDOM && io_seen(c, 'Z')) ||
	    c->argc != 2) {
		io_usage(c);
		return false;
	}
	if (!io_transfer_vectors(o->vectors, vectors))
		return false;
	if (io_seen(c, 'b') && o->block <= 0) {
		printf("non-numeric bsize -- %lld\n", (long long)o->block);
		return false;
	}
	return true;
}

/* Writes, syncs and reports. */
static int write_and_report(struct io_transfer *t, const struct pwrite_opts *o)
{
	double start = io_now();
	if (io_transfer_run(t) < 0)
		return io_perror("pwrite");
	if (o->sync && fsync(t->fd) < 0)
		return io_perror("fsync");
	if (o->datasync && fdatasync(t->fd) < 0)
		return io_perror("fdatasync");
	if (!o->quiet)
		io_report(&(struct io_report){ .verb = "wrote", .offset = t->offset, .requested = t->length,
					       .done = t->done,
			.ops = t->ops, .seconds = io_now() - start }, o->csv);
	return IO_OK;
}

static int pwrite_run(struct io *io, struct io_call *c)
{
	const struct pwrite_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	struct input in = { .fd = -1, .offset = o->skip };
	struct io_transfer t = {
		.fd = f->fd, .pattern = o->pattern, .rwf = (int)o->rwf,
		.block = io_seen(c, 'b') ? o->block : f->block_size, .step = write_step,
		.seed = io_seen(c, 'Z') ? (unsigned)o->seed : (unsigned)time(NULL),
	};
	if (!check_options(c, &t.vectors) || !io_range(io, c->argv, &t.offset, &t.length))
		return IO_FAIL;
	if (t.pattern == IO_BACKWARD && t.length > t.offset)
		t.length = t.offset;
	if (o->input) {
		in.fd = io_open(o->input, IO_READONLY | (o->direct ? IO_DIRECT : 0u), 0);
		if (in.fd < 0)
			return IO_FAIL;
		t.payload = &in;
	}
	int res = IO_FAIL;
	int byte = io_seen(c, 'S') ? (int)(o->fill & 0xff) : 0xcd;
	if (io_transfer_setup(&t, o->raw ? -1 : byte) < 0)
		io_perror("posix_memalign");
	else
		res = write_and_report(&t, o);
	io_transfer_free(&t);
	if (in.fd >= 0)
		close(in.fd);
	return res;
}

const struct io_command io_pwrite_commands[] = {
	{ .name = "pwrite", .alias = "w",
	  .args = "[-i infile [-d] [-s skip]] [-b bs] [-S seed] [-FBR [-Z N]] [-OqCuwW] [-V N [-NDAU]] off len",
	  .oneline = "write a range of bytes, block by block", .opts = pwrite_options,
	  .about = " 'pwrite 512 20' writes 20 bytes at offset 512.\n"
		" 'pwrite -b 1m -i data 0 1g' copies the first GiB of the file data.\n",
	  .argmin = 2, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = pwrite_run },
	{ 0 },
};
