/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap.c - bmap: the mapping of a file on XFS by the GETBMAPX ioctl (format sheet 09, section 6). */
#include "io/io.h"
#include "io/out.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define FIRST_ENTRIES 32

enum { FLAG_SHARED = 0100000, FLAG_UNWRITTEN = 010000, FLAG_BEGIN_UNIT = 01000, FLAG_END_UNIT = 0100,
	FLAG_BEGIN_WIDTH = 010, FLAG_END_WIDTH = 01 };

struct bmap_opts {
	int64_t limit;
	bool attr, cow, delalloc, lengths, unwritten;
	unsigned verbose;
};
#define AT(field) offsetof(struct bmap_opts, field)

static const struct io_opt bmap_options[] = {
	{ 'a', IO_OPT_FLAG, AT(attr), 0, NULL, "the attribute fork, not the data", NULL },
	{ 'c', IO_OPT_FLAG, AT(cow), 0, NULL, "the copy-on-write fork (kernels with debugging only)", NULL },
	{ 'e', IO_OPT_FLAG, AT(delalloc), 0, NULL, "delayed allocations as well", NULL },
	{ 'l', IO_OPT_FLAG, AT(lengths), 0, NULL, "show lengths (512-byte blocks)", NULL },
	{ 'n', IO_OPT_SIZE, AT(limit), 0, "nx", "at most nx extents", "extent count" },
	{ 'p', IO_OPT_FLAG, AT(unwritten), 0, NULL, "ask which extents are unwritten (-v shows it)", NULL },
	{ 'v', IO_OPT_COUNT, AT(verbose), 0, NULL, "table with allocation groups; twice: explain the flags", NULL },
	{ 0 },
};

/* Everything in 512-byte blocks. */
struct table {
	uint64_t ag, stripe_unit, stripe_width;	/* ag 0: no groups to show */
	bool realtime, flag_heading, flag_seen;
	unsigned offset_w, block_w, ag_w, ag_offset_w, total_w;
	struct io_out out;
};

static int32_t request_flags(const struct bmap_opts *o)
{
	int32_t flags = 0;
	if (o->attr)
		flags |= XFS_BMAPX_ATTR;
	if (o->cow)
		flags |= XFS_BMAPX_COW | XFS_BMAPX_DELALLOC;
	if (o->delalloc)
		flags |= XFS_BMAPX_DELALLOC;
	if (o->unwritten)
		flags |= XFS_BMAPX_PREALLOC;
	return flags;
}

static bool is_hole(const struct xfs_bmapx *e)
{
	return e->block == XFS_BMAPX_HOLE;
}

static bool is_mapped(const struct xfs_bmapx *e)
{
	return e->block >= 0;
}

/* One request for up to n - 1 extents into map. Returns 0 or -1 (errno). */
static int request(int fd, struct xfs_bmapx *map, int32_t n, int32_t flags)
{
	memset(map, 0, sizeof(*map));
	map->length = -1;
	map->count = n;
	map->iflags = flags;
	return ioctl(fd, XFS_IOCTL_GETBMAPX, map);
}

/*
 * Gets the whole map, or the first `limit` extents. Returns the array (head in element 0, caller frees) or NULL with
 * errno. The head counts the entries behind it.
 */
static struct xfs_bmapx *get_map(int fd, const struct bmap_opts *o)
{
	int32_t flags = request_flags(o);
	bool limited = o->limit > 0 && o->limit < INT32_MAX / 2;
	int32_t n = limited ? (int32_t)o->limit + 1 : FIRST_ENTRIES;
	struct xfs_bmapx *map = malloc((size_t)n * sizeof(*map));
	while (map && request(fd, map, n, flags) == 0) {
		struct fsxattr a;
		if (limited || map->entries < n - 1)
			return map;
		if (ioctl(fd, o->attr ? XFS_IOCTL_FSGETXATTRA : FS_IOC_FSGETXATTR, &a) < 0)
			break;
		/* holes between the extents, one more at the end; the file may have grown */
		int64_t wanted = 2 * (int64_t)a.fsx_nextents + 1;
		if (wanted <= n)
			wanted = 2 * (int64_t)n;
		if (wanted > INT32_MAX / (int64_t)sizeof(*map)) {
			errno = ENOMEM;
			break;
		}
		n = (int32_t)wanted;
		struct xfs_bmapx *bigger = realloc(map, (size_t)n * sizeof(*map));
		if (!bigger)
			break;
		map = bigger;
	}
	int error = errno;
	free(map);
	errno = error;
	return NULL;
}

/* First and last block in the file; the hole that an empty file is ends before it begins. */
static void put_offsets(struct io_out *o, const struct xfs_bmapx *e)
{
	int64_t last = e->offset + e->length - 1;
	io_out_u64(o, (uint64_t)e->offset);
	io_out_text(o, last < 0 ? "..-" : "..");
	io_out_u64(o, (uint64_t)(last < 0 ? -last : last));
}

/* --- plain --- */

static void plain(const struct xfs_bmapx *map, const struct bmap_opts *o, struct io_out *out)
{
	for (int32_t i = 0; i < map->entries; i++) {
		const struct xfs_bmapx *e = &map[i + 1];
		io_out_line(out);
		io_out_char(out, '\t');
		io_out_u64(out, (uint64_t)i);
		io_out_text(out, ": [");
		put_offsets(out, e);
		io_out_text(out, "]: ");
		if (is_hole(e))
			io_out_text(out, "hole");
		else if (!is_mapped(e))
			io_out_text(out, "delalloc");
		else
			io_out_range(out, (uint64_t)e->block, (uint64_t)(e->block + e->length - 1));
		if (o->lengths) {
			io_out_char(out, ' ');
			io_out_u64(out, (uint64_t)e->length);
			io_out_text(out, " blocks");
		}
		io_out_char(out, '\n');
	}
}

/* --- table --- */

static uint32_t row_flags(const struct table *t, const struct xfs_bmapx *e)
{
	uint32_t flags = 0;
	uint64_t first = (uint64_t)e->block, next = first + (uint64_t)e->length;
	if (e->oflags & XFS_BMAPX_OF_PREALLOC)
		flags |= FLAG_UNWRITTEN;
	if (e->oflags & XFS_BMAPX_OF_SHARED)
		flags |= FLAG_SHARED;
	if (!is_mapped(e) || t->realtime)
		return flags;
	if (t->stripe_unit && first % t->stripe_unit)
		flags |= FLAG_BEGIN_UNIT;
	if (t->stripe_unit && next % t->stripe_unit)
		flags |= FLAG_END_UNIT;
	if (t->stripe_width && first % t->stripe_width)
		flags |= FLAG_BEGIN_WIDTH;
	if (t->stripe_width && next % t->stripe_width)
		flags |= FLAG_END_WIDTH;
	return flags;
}

static void grow(unsigned *width, unsigned needed)
{
	if (*width < needed)
		*width = needed;
}

static unsigned range_width(uint64_t first, uint64_t length)
{
	return io_digits(first) + 2 + io_digits(first + length - 1);
}

static void measure(struct table *t, const struct xfs_bmapx *map)
{
	t->offset_w = t->block_w = t->ag_offset_w = 16;
	t->ag_w = 2;
	t->total_w = 5;
	for (int32_t i = 1; i <= map->entries; i++) {
		const struct xfs_bmapx *e = &map[i];
		uint64_t len = (uint64_t)e->length;
		grow(&t->offset_w, range_width((uint64_t)e->offset, len) + 3);
		grow(&t->total_w, io_digits(len));
		if (!is_mapped(e))
			continue;
		grow(&t->block_w, range_width((uint64_t)e->block, len));
		if (t->ag) {
			grow(&t->ag_w, io_digits((uint64_t)e->block / t->ag));
			grow(&t->ag_offset_w, range_width((uint64_t)e->block % t->ag, len) + 2);
		}
		if (e->oflags & XFS_BMAPX_OF_PREALLOC)
			t->flag_heading = true;
	}
}

static void put_place(struct table *t, struct io_out *o, const struct xfs_bmapx *e)
{
	size_t from = o->n;
	if (is_hole(e))
		io_out_text(o, "hole");
	else if (!is_mapped(e))
		io_out_text(o, "delalloc");
	else
		io_out_range(o, (uint64_t)e->block, (uint64_t)(e->block + e->length - 1));
	io_out_pad(o, from, t->block_w);
	io_out_char(o, ' ');
	from = o->n;
	if (is_mapped(e) && t->ag) {
		uint64_t in_ag = (uint64_t)e->block % t->ag;
		io_out_u64_right(o, (uint64_t)e->block / t->ag, t->ag_w);
		io_out_text(o, " (");
		io_out_range(o, in_ag, in_ag + (uint64_t)e->length - 1);
		io_out_char(o, ')');
	}
	io_out_pad(o, from, t->ag_w + 1 + t->ag_offset_w);
	io_out_char(o, ' ');
}

static void table_rows(struct table *t, const struct xfs_bmapx *map)
{
	struct io_out *o = &t->out;
	for (int32_t i = 0; i < map->entries; i++) {
		const struct xfs_bmapx *e = &map[i + 1];
		uint32_t flags = row_flags(t, e);
		io_out_line(o);
		io_out_u64_right(o, (uint64_t)i, 4);
		io_out_text(o, ": ");
		size_t from = o->n;
		io_out_char(o, '[');
		put_offsets(o, e);
		io_out_text(o, "]:");
		io_out_pad(o, from, t->offset_w);
		io_out_char(o, ' ');
		put_place(t, o, e);
		io_out_u64_right(o, (uint64_t)e->length, t->total_w);
		if (flags || (t->flag_heading && !is_hole(e))) {
			t->flag_seen |= flags != 0;
			io_out_char(o, ' ');
			io_out_octal(o, flags, 6);
		}
		io_out_char(o, '\n');
	}
	io_out_flush(o);
}

static int table(int fd, const struct xfs_bmapx *map, const struct bmap_opts *o, struct table *t)
{
	struct xfs_fs_geometry g;
	struct fsxattr a;
	if (ioctl(fd, XFS_IOCTL_FSGEOMETRY, &g) < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0)
		return -1;
	uint64_t sectors = g.blocksize / 512;
	t->realtime = !o->attr && (a.fsx_xflags & FS_XFLAG_REALTIME);
	t->ag = t->realtime ? (g.rgcount ? g.rgextents * (uint64_t)g.rtextsize * sectors : 0) : g.agblocks * sectors;
	t->stripe_unit = g.sunit * sectors;
	t->stripe_width = g.swidth * sectors;
	t->flag_heading = o->unwritten || (g.sunit && !t->realtime);
	measure(t, map);
	printf(" EXT: %-*s %-*s %-*s %-*s %*s%s\n", (int)t->offset_w, "FILE-OFFSET", (int)t->block_w,
		t->realtime ? "RT-BLOCK-RANGE" : "BLOCK-RANGE", (int)t->ag_w, t->realtime ? (t->ag ? "RG" : "") : "AG",
		(int)t->ag_offset_w, t->realtime ? (t->ag ? "RG-OFFSET" : "") : "AG-OFFSET", (int)t->total_w, "TOTAL",
		t->flag_heading ? " FLAGS" : "");
	table_rows(t, map);
	if (o->verbose > 1 && (t->flag_heading || t->flag_seen))
		printf(" FLAG Values:\n"
			"    0100000 Shared extent\n"
			"    0010000 Unwritten preallocated extent\n"
			"    0001000 Doesn't begin on stripe unit\n"
			"    0000100 Doesn't end   on stripe unit\n"
			"    0000010 Doesn't begin on stripe width\n"
			"    0000001 Doesn't end   on stripe width\n");
	return 0;
}

static int bmap_run(struct io *io, struct io_call *c)
{
	const struct bmap_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	int res = IO_OK;
	struct table *t = calloc(1, sizeof(*t));
	struct xfs_bmapx *map = t ? get_map(f->fd, o) : NULL;
	if (!map) {
		fprintf(stderr, "%s: xfsctl(XFS_IOC_GETBMAPX) iflags=0x%x [\"%s\"]: %s\n", io->prog, request_flags(o),
			f->name, strerror(errno));
		res = IO_FAIL;
		goto out;
	}
	if (map->entries <= 0) {
		printf("%s: no extents\n", f->name);
		goto out;
	}
	printf("%s:\n", f->name);
	if (!o->verbose)
		plain(map, o, &t->out);
	else if (table(f->fd, map, o, t) < 0)
		res = io_perror(f->name);
	io_out_flush(&t->out);
out:
	free(map);
	free(t);
	return res;
}

const struct io_command io_bmap_commands[] = {
	{ .name = "bmap", .args = "[-acelpv] [-n nx]",
	  .oneline = "list the blocks of the file by the GETBMAPX ioctl of XFS", .opts = bmap_options,
	  .about = " Each line: extent: [first..last block of the file]: first..last block of the device, or hole;\n"
		" all in 512-byte blocks. What is no regular file must be opened with -r.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = bmap_run },
	{ 0 },
};
