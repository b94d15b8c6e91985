/* SPDX-License-Identifier: BSD-2-Clause */
/* pread.c - pread: reads a range, with -v shows it (format sheet 09, sections 3 and 4). */
#include "io/transfer.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

struct pread_opts {
	int64_t block, seed;
	const char *vectors;
	unsigned rwf;
	int pattern;
	bool quiet, verbose, csv, raw;
};
#define AT(field) offsetof(struct pread_opts, field)

static const struct io_opt pread_options[] = {
	{ 'b', IO_OPT_SIZE, AT(block), 0, "bs", "bytes of one read (the filesystem's block size)", "bsize" },
	{ 'q', IO_OPT_FLAG, AT(quiet), 0, NULL, "no timing lines", NULL },
	{ 'v', IO_OPT_FLAG, AT(verbose), 0, NULL, "show the bytes", NULL },
	{ 'C', IO_OPT_FLAG, AT(csv), 0, NULL, "print numbers in one line: bytes,ops,time,bytes/s,ops/s", NULL },
	{ 'u', IO_OPT_FLAG, AT(raw), 0, NULL, "do not fill the buffer before", NULL },
	{ 'F', IO_OPT_SET, AT(pattern), IO_FORWARD, NULL, "from the offset forwards (default)", NULL },
	{ 'B', IO_OPT_SET, AT(pattern), IO_BACKWARD, NULL, "from the offset backwards", NULL },
	{ 'R', IO_OPT_SET, AT(pattern), IO_RANDOM, NULL, "blocks of the range at random", NULL },
	{ 'Z', IO_OPT_SIZE, AT(seed), 0, "N", "seed of the random numbers (the time)", "seed" },
	{ 'V', IO_OPT_TEXT, AT(vectors), 0, "N", "vectors of N blocks (preadv)", NULL },
	{ 'U', IO_OPT_OR, AT(rwf), RWF_DONTCACHE, NULL, "RWF_DONTCACHE, with -V", NULL },
	{ 0 },
};

static ssize_t read_step(struct io_transfer *t, int64_t off, size_t len)
{
	const struct pread_opts *o = t->payload;
	ssize_t n;
	if (t->vectors) {
		int count = io_transfer_vector(t, len);
		n = t->rwf ? preadv2(t->fd, t->iov, count, off, t->rwf) : preadv(t->fd, t->iov, count, off);
	} else {
		n = pread(t->fd, t->buf, len, off);
	}
	if (o->verbose && n > 0)
		io_dump((uint64_t)off, t->buf, (size_t)n);
	return n;
}

/*
 * Offset and length of the walk; what is negative counts from the end of the file; backwards there is
 * nothing behind the end and nothing before the start.
 */
static bool get_range(struct io *io, struct io_call *c, struct io_transfer *t)
{
	struct stat st;
	const struct io_file *f = io_current(io);
	if (!io_parse_size(f, c->argv[0], &t->offset) || (t->offset < 0 && t->pattern == IO_FORWARD)) {
		printf("non-numeric offset argument -- %s\n", c->argv[0]);
		return false;
	}
	if (!io_parse_size(f, c->argv[1], &t->length) || (t->length < 0 && t->pattern != IO_FORWARD)) {
		printf("non-numeric length argument -- %s\n", c->argv[1]);
		return false;
	}
	bool backward = t->pattern == IO_BACKWARD;
	if (t->offset >= 0 && t->length >= 0 && !backward)
		return true;
	if (fstat(f->fd, &st) < 0) {
		io_perror("fstat");
		return false;
	}
	if (backward && (t->offset < 0 || t->offset > st.st_size))
		t->offset = st.st_size;
	else if (t->offset < 0)
		t->offset = st.st_size > t->length ? st.st_size - t->length : 0;
	if (t->length < 0)
		t->length = st.st_size > t->offset ? st.st_size - t->offset : 0;
	if (backward && t->length > t->offset)
		t->length = t->offset;
	return true;
}

static bool check_options(const struct io_call *c, uint32_t *vectors)
{
	const struct pread_opts *o = c->opts;
	if ((o->rwf && !io_seen(c, 'V')) || c->argc != 2 || (o->pattern != IO_RANDOM && io_seen(c, 'Z'))) {
		if (o->rwf && !io_seen(c, 'V'))
			printf("preadv2 flags require vectored I/O (-V)\n");
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

static int pread_run(struct io *io, struct io_call *c)
{
	const struct pread_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	struct io_transfer t = {
		.fd = f->fd, .pattern = o->pattern, .rwf = (int)o->rwf,
		.block = io_seen(c, 'b') ? o->block : f->block_size, .step = read_step, .payload = (void *)o,
		.seed = io_seen(c, 'Z') ? (unsigned)o->seed : (unsigned)time(NULL),
	};
	if (!check_options(c, &t.vectors) || !get_range(io, c, &t))
		return IO_FAIL;
	if (io_transfer_setup(&t, o->raw ? -1 : 0xab) < 0)
		return io_perror("posix_memalign");
	double start = io_now();
	int res = IO_OK;
	if (io_transfer_run(&t) < 0)
		res = io_perror("pread");
	else if (!o->quiet)
		io_report(&(struct io_report){ .verb = "read", .offset = t.offset, .requested = t.length,
					       .done = t.done,
			.ops = t.ops, .seconds = io_now() - start }, o->csv);
	io_transfer_free(&t);
	return res;
}

const struct io_command io_pread_commands[] = {
	{ .name = "pread", .alias = "r", .args = "[-b bs] [-qvCu] [-FBR [-Z N]] [-V N [-U]] off len",
	  .oneline = "read a range of bytes, block by block", .opts = pread_options,
	  .about = " 'pread -v 512 20' shows 20 bytes from offset 512.\n"
		" A negative length (behind --) means up to the end of the file.\n",
	  .argmin = 2, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = pread_run },
	{ 0 },
};
