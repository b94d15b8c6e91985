/* SPDX-License-Identifier: BSD-2-Clause */
/* fiemap.c - fiemap: where the data of a file is, on any filesystem (format sheet 09, section 6). */
#include "io/io.h"
#include "io/out.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define BATCH 2048
#define FLAGS_WIDTH 5
#define SAMPLE 32		/* widths come from this many extents at most, whatever the batch */

struct fiemap_opts {
	int64_t limit;
	bool attr, lengths, verbose;
};

static const struct io_opt fiemap_options[] = {
	{ 'a', IO_OPT_FLAG, offsetof(struct fiemap_opts, attr), 0, NULL, "the attribute fork, not the data", NULL },
	{ 'l', IO_OPT_FLAG, offsetof(struct fiemap_opts, lengths), 0, NULL, "show lengths (512-byte blocks)", NULL },
	{ 'n', IO_OPT_SIZE, offsetof(struct fiemap_opts, limit), 0, "nx", "at most nx lines", "extent count" },
	{ 'v', IO_OPT_FLAG, offsetof(struct fiemap_opts, verbose), 0, NULL, "table with the flags of the kernel",
	  NULL },
	{ 0 },
};

/* Kept while the extents of a file are listed. All numbers but the *_w are 512-byte blocks. */
struct listing {
	const struct fiemap_opts *o;
	unsigned offset_w, block_w, total_w;
	bool headed;
	uint64_t rows, limit;
	uint64_t at;			/* end of what was listed */
	struct io_out out;
};

static unsigned range_width(uint64_t a, uint64_t b)
{
	return io_digits(a) + 2 + io_digits(b);
}

static unsigned hex_digits(uint32_t v)
{
	unsigned n = 1;
	while (v >>= 4)
		n++;
	return n;
}

static void grow(unsigned *width, unsigned needed)
{
	if (*width < needed)
		*width = needed;
}

/* Widths and heading of the table, from the first extents. */
static void head(struct listing *l, const struct fiemap_extent *e, uint32_t n)
{
	l->headed = true;
	if (!l->o->verbose)
		return;
	l->offset_w = l->block_w = 16;
	l->total_w = 5;
	for (uint32_t i = 0; i < n && i < SAMPLE; i++) {
		uint64_t off = e[i].fe_logical >> 9, block = e[i].fe_physical >> 9, len = e[i].fe_length >> 9;
		grow(&l->offset_w, range_width(off, off + len - 1) + 2);
		grow(&l->block_w, range_width(block, block + len - 1));
		grow(&l->total_w, io_digits(len));
	}
	printf(" EXT: %-*s %-*s %*s FLAGS\n", (int)l->offset_w, "FILE-OFFSET", (int)l->block_w, "BLOCK-RANGE",
		(int)l->total_w, "TOTAL");
}

/* One row; e NULL: a hole. */
static void table_row(struct listing *l, uint64_t off, uint64_t len, const struct fiemap_extent *e)
{
	struct io_out *o = &l->out;
	io_out_u64_right(o, l->rows, 4);
	io_out_text(o, ": ");
	size_t from = o->n;
	io_out_char(o, '[');
	io_out_range(o, off, off + len - 1);
	io_out_text(o, "]:");
	io_out_pad(o, from, l->offset_w);
	io_out_char(o, ' ');
	from = o->n;
	if (e)
		io_out_range(o, e->fe_physical >> 9, (e->fe_physical >> 9) + len - 1);
	else
		io_out_text(o, "hole");
	io_out_pad(o, from, l->block_w);
	io_out_char(o, ' ');
	io_out_u64_right(o, len, l->total_w);
	if (e) {
		io_out_char(o, ' ');
		for (unsigned w = hex_digits(e->fe_flags) + 2; w < FLAGS_WIDTH; w++)
			io_out_char(o, ' ');
		io_out_text(o, "0x");
		io_out_hex(o, e->fe_flags);
	}
	io_out_char(o, '\n');
}

static void plain_row(struct listing *l, uint64_t off, uint64_t len, const struct fiemap_extent *e)
{
	struct io_out *o = &l->out;
	io_out_char(o, '\t');
	io_out_u64(o, l->rows);
	io_out_text(o, ": [");
	io_out_range(o, off, off + len - 1);
	io_out_text(o, "]: ");
	if (e)
		io_out_range(o, e->fe_physical >> 9, (e->fe_physical >> 9) + len - 1);
	else
		io_out_text(o, "hole");
	if (l->o->lengths) {
		io_out_char(o, ' ');
		io_out_u64(o, len);
		io_out_text(o, " blocks");
	}
	io_out_char(o, '\n');
}

/* Prints a row; false when the limit is reached. */
static bool row(struct listing *l, uint64_t off, uint64_t len, const struct fiemap_extent *e)
{
	if (l->rows >= l->limit)
		return false;
	io_out_line(&l->out);
	if (l->o->verbose)
		table_row(l, off, len, e);
	else
		plain_row(l, off, len, e);
	l->rows++;
	l->at = off + len;
	return l->rows < l->limit;
}

/* An extent with the hole before it. */
static bool extent(struct listing *l, const struct fiemap_extent *e)
{
	uint64_t off = e->fe_logical >> 9;
	if (off > l->at && !row(l, l->at, off - l->at, NULL))
		return false;
	return row(l, off, e->fe_length >> 9, e);
}

/* All extents from start on. Returns 0, or -1 with errno. */
static int list(struct listing *l, int fd, struct fiemap *m, uint64_t start, uint64_t length)
{
	uint64_t at = start, end = start + length < start ? UINT64_MAX : start + length;
	while (at < end) {
		memset(m, 0, sizeof(*m));
		m->fm_flags = FIEMAP_FLAG_SYNC | (l->o->attr ? FIEMAP_FLAG_XATTR : 0);
		m->fm_extent_count = BATCH;
		m->fm_start = at;
		m->fm_length = end - at;
		if (ioctl(fd, FS_IOC_FIEMAP, m) < 0)
			return -1;
		uint32_t n = m->fm_mapped_extents < BATCH ? m->fm_mapped_extents : BATCH;
		if (!n)
			break;
		if (!l->headed)
			head(l, m->fm_extents, n);
		for (uint32_t i = 0; i < n; i++)
			if (!extent(l, &m->fm_extents[i]))
				return 0;
		const struct fiemap_extent *last = &m->fm_extents[n - 1];
		uint64_t next = last->fe_logical + last->fe_length;
		if ((last->fe_flags & FIEMAP_EXTENT_LAST) || next <= at)
			break;
		at = next;
	}
	return 0;
}

/* The hole behind the last extent, up to the end of the file or of the range. */
static int last_hole(struct listing *l, int fd, uint64_t start, uint64_t length)
{
	struct stat st;
	if (!l->rows || l->rows >= l->limit)
		return 0;
	if (fstat(fd, &st) < 0)
		return -1;
	uint64_t end = (uint64_t)st.st_size;
	if (length < UINT64_MAX - start && start + length < end)
		end = start + length;
	if (end >> 9 > l->at)
		row(l, l->at, (end >> 9) - l->at, NULL);
	return 0;
}

static int fiemap_run(struct io *io, struct io_call *c)
{
	const struct fiemap_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	int64_t start = 0, length = -1;
	if (c->argc > 2)
		return io_usage(c);
	if ((c->argc > 0 && !io_size(io, c->argv[0], "offset argument", &start)) ||
	    (c->argc > 1 && !io_size(io, c->argv[1], "length argument", &length)))
		return IO_FAIL;
	uint64_t range = length < 0 ? UINT64_MAX - (uint64_t)start : (uint64_t)length;
	struct listing *l = calloc(1, sizeof(*l));
	struct fiemap *m = calloc(1, sizeof(*m) + BATCH * sizeof(m->fm_extents[0]));
	int res = IO_OK;
	if (!l || !m) {
		res = io_perror("fiemap");
		goto out;
	}
	l->o = o;
	l->limit = o->limit > 0 ? (uint64_t)o->limit : UINT64_MAX;
	l->at = (uint64_t)start >> 9;
	printf("%s:\n", f->name);
	if (list(l, f->fd, m, (uint64_t)start, range) < 0 || last_hole(l, f->fd, (uint64_t)start, range) < 0) {
		fprintf(stderr, "%s: ioctl(FS_IOC_FIEMAP) [\"%s\"]: %s\n", io->prog, f->name, strerror(errno));
		res = IO_FAIL;
	}
	io_out_flush(&l->out);
out:
	free(m);
	free(l);
	return res;
}

const struct io_command io_fiemap_commands[] = {
	{ .name = "fiemap", .args = "[-alv] [-n nx] [offset [len]]",
	  .oneline = "list the blocks of the file by the FIEMAP ioctl",
	  .opts = fiemap_options,
	  .about = " Each line: extent: [first..last block of the file]: first..last block of the device, or hole;\n"
		" all in 512-byte blocks. offset and len (bytes) limit the list.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = fiemap_run },
	{ 0 },
};
