/* SPDX-License-Identifier: BSD-2-Clause */
/* fsmap_text.c - fsmap as text: plain lines, comma separated values, the long listing (format sheet 09, section 6). */
#include "io/fsmap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { FLAG_ATTR = 01000000, FLAG_SHARED = 0100000, FLAG_UNWRITTEN = 010000, FLAG_BEGIN_UNIT = 01000,
	FLAG_END_UNIT = 0100, FLAG_BEGIN_WIDTH = 010, FLAG_END_WIDTH = 01 };

static uint64_t sectors(uint64_t bytes)
{
	return bytes >> 9;
}

static uint64_t last_sector(uint64_t first_byte, uint64_t length)
{
	return sectors(first_byte + length - 1);
}

/* --- plain and CSV --- */

static void no_batch(struct fsmap_printer *p, const struct fsmap *r, uint32_t n, bool is_first)
{
	(void)p;
	(void)r;
	(void)n;
	(void)is_first;
}

static void nothing_last(struct fsmap_printer *p)
{
	(void)p;
}

static void put_device(struct io_out *o, uint32_t device, char between)
{
	io_out_u64(o, major(device));
	io_out_char(o, between);
	io_out_u64(o, minor(device));
}

static void plain_row(struct fsmap_printer *p, const struct fsmap *r, uint64_t index)
{
	struct io_out *o = &p->out;
	char text[IO_TEXT_SIZE];
	io_out_line(o);
	io_out_char(o, '\t');
	io_out_u64(o, index);
	io_out_text(o, ": ");
	put_device(o, r->fmr_device, ':');
	io_out_text(o, " [");
	io_out_range(o, sectors(r->fmr_physical), last_sector(r->fmr_physical, r->fmr_length));
	io_out_text(o, "]: ");
	if (r->fmr_flags & FMR_OF_SPECIAL_OWNER) {
		io_out_text(o, fsmap_special_text(r->fmr_owner, text));
		io_out_char(o, ' ');
	} else {
		io_out_text(o, "inode ");
		io_out_u64(o, r->fmr_owner);
		io_out_text(o, r->fmr_flags & FMR_OF_ATTR_FORK ? " attr " : " data ");
		if (r->fmr_flags & FMR_OF_EXTENT_MAP)
			io_out_text(o, "extent map");
		else
			io_out_range(o, sectors(r->fmr_offset), last_sector(r->fmr_offset, r->fmr_length));
		io_out_char(o, ' ');
	}
	io_out_u64(o, sectors(r->fmr_length));
	io_out_char(o, '\n');
}

static void csv_batch(struct fsmap_printer *p, const struct fsmap *r, uint32_t n, bool is_first)
{
	(void)r;
	if (!is_first || !n)
		return;
	io_out_line(&p->out);
	io_out_text(&p->out, "EXT,MAJOR,MINOR,PSTART,PEND,OWNER,OSTART,OEND,LENGTH\n");
}

static void csv_row(struct fsmap_printer *p, const struct fsmap *r, uint64_t index)
{
	struct io_out *o = &p->out;
	io_out_line(o);
	io_out_u64(o, index);
	io_out_char(o, ',');
	put_device(o, r->fmr_device, ',');
	io_out_char(o, ',');
	io_out_u64(o, sectors(r->fmr_physical));
	io_out_char(o, ',');
	io_out_u64(o, last_sector(r->fmr_physical, r->fmr_length));
	if (r->fmr_flags & FMR_OF_SPECIAL_OWNER) {
		io_out_text(o, ",special_");
		io_out_u64(o, r->fmr_owner >> 32);
		io_out_char(o, ':');
		io_out_u64(o, r->fmr_owner & UINT32_MAX);
		io_out_text(o, ",,,");
	} else {
		io_out_text(o, ",inode_");
		io_out_u64(o, r->fmr_owner);
		io_out_text(o, r->fmr_flags & FMR_OF_ATTR_FORK ? "_attr" : "_data");
		if (r->fmr_flags & FMR_OF_EXTENT_MAP) {
			io_out_text(o, "_bmbt,,,");
		} else {
			io_out_char(o, ',');
			io_out_u64(o, sectors(r->fmr_offset));
			io_out_char(o, ',');
			io_out_u64(o, last_sector(r->fmr_offset, r->fmr_length));
			io_out_char(o, ',');
		}
	}
	io_out_u64(o, sectors(r->fmr_length));
	io_out_char(o, '\n');
}

static struct fsmap_printer *simple_new(void (*batch)(struct fsmap_printer *, const struct fsmap *, uint32_t, bool),
	void (*row)(struct fsmap_printer *, const struct fsmap *, uint64_t))
{
	struct fsmap_printer *p = calloc(1, sizeof(*p));
	if (p) {
		p->batch = batch;
		p->row = row;
		p->end = nothing_last;
	}
	return p;
}

struct fsmap_printer *fsmap_plain_new(void)
{
	return simple_new(no_batch, plain_row);
}

struct fsmap_printer *fsmap_csv_new(void)
{
	return simple_new(csv_batch, csv_row);
}

/* --- the long listing --- */

struct long_printer {
	struct fsmap_printer base;
	uint64_t next;			/* index of the next row */
	unsigned ext_w, device_w, block_w, owner_w, offset_w, ag_w, ag_offset_w, total_w;
	bool flag_seen;
};

static uint32_t row_flags(const struct fsmap_geometry *g, const struct fsmap *r)
{
	uint32_t flags = 0;
	uint64_t first = sectors(r->fmr_physical), next = first + sectors(r->fmr_length);
	if (r->fmr_flags & FMR_OF_ATTR_FORK)
		flags |= FLAG_ATTR;
	if (r->fmr_flags & FMR_OF_SHARED)
		flags |= FLAG_SHARED;
	if (r->fmr_flags & FMR_OF_PREALLOC)
		flags |= FLAG_UNWRITTEN;
	if (r->fmr_device != g->data_device)
		return flags;
	if (g->stripe_unit && first % g->stripe_unit)
		flags |= FLAG_BEGIN_UNIT;
	if (g->stripe_unit && next % g->stripe_unit)
		flags |= FLAG_END_UNIT;
	if (g->stripe_width && first % g->stripe_width)
		flags |= FLAG_BEGIN_WIDTH;
	if (g->stripe_width && next % g->stripe_width)
		flags |= FLAG_END_WIDTH;
	return flags;
}

static void grow(unsigned *width, unsigned needed)
{
	if (*width < needed)
		*width = needed;
}

/* Columns of "a..b" */
static unsigned range_width(uint64_t a, uint64_t b)
{
	return io_digits(a) + 2 + io_digits(b);
}

static void measure(struct long_printer *l, const struct fsmap *recs, uint32_t n)
{
	const struct fsmap_geometry *g = &l->base.geometry;
	char text[IO_TEXT_SIZE];
	l->next += n;
	l->ext_w = 4;
	grow(&l->ext_w, io_digits(l->next ? l->next - 1 : 0));
	l->device_w = 3;
	l->block_w = l->owner_w = l->offset_w = l->ag_offset_w = 16;
	l->ag_w = 2;
	l->total_w = 5;
	for (uint32_t i = 0; i < n; i++) {
		const struct fsmap *r = &recs[i];
		uint64_t start = sectors(r->fmr_physical), len = sectors(r->fmr_length);
		grow(&l->device_w, io_digits(major(r->fmr_device)) + 1 + io_digits(minor(r->fmr_device)));
		grow(&l->block_w, range_width(start, last_sector(r->fmr_physical, r->fmr_length)) + 3);
		if (r->fmr_flags & FMR_OF_SPECIAL_OWNER) {
			grow(&l->owner_w, (unsigned)strlen(fsmap_special_text(r->fmr_owner, text)));
		} else {
			grow(&l->owner_w, io_digits(r->fmr_owner));
			if (!(r->fmr_flags & FMR_OF_EXTENT_MAP))
				grow(&l->offset_w,
				     range_width(sectors(r->fmr_offset), last_sector(r->fmr_offset, r->fmr_length)));
		}
		if (r->fmr_device == g->data_device && g->ag_sectors) {
			uint64_t in_ag = start % g->ag_sectors;
			grow(&l->ag_w, io_digits(start / g->ag_sectors));
			grow(&l->ag_offset_w, range_width(in_ag, in_ag + len - 1) + 2);
		}
		grow(&l->total_w, io_digits(len));
	}
}

static void long_batch(struct fsmap_printer *p, const struct fsmap *r, uint32_t n, bool is_first)
{
	struct long_printer *l = (struct long_printer *)p;
	bool flags = false;
	measure(l, r, n);
	if (!is_first || !n)
		return;
	for (uint32_t i = 0; i < n && !flags; i++)
		flags = row_flags(&p->geometry, &r[i]) != 0;
	printf("%*s: %-*s %-*s %-*s %-*s %-*s %-*s %*s%s\n", (int)l->ext_w, "EXT", (int)l->device_w, "DEV",
		(int)l->block_w, "BLOCK-RANGE", (int)l->owner_w, "OWNER", (int)l->offset_w, "FILE-OFFSET", (int)l->ag_w,
		"AG", (int)l->ag_offset_w, "AG-OFFSET", (int)l->total_w, "TOTAL", flags ? " FLAGS" : "");
}

/* Owner and offset columns, each followed by its blank. */
static void put_owner(const struct long_printer *l, struct io_out *o, const struct fsmap *r)
{
	char text[IO_TEXT_SIZE];
	size_t from = o->n;
	if (r->fmr_flags & FMR_OF_SPECIAL_OWNER)
		io_out_text(o, fsmap_special_text(r->fmr_owner, text));
	else
		io_out_u64(o, r->fmr_owner);
	io_out_pad(o, from, l->owner_w);
	io_out_char(o, ' ');
	from = o->n;
	if (r->fmr_flags & FMR_OF_SPECIAL_OWNER)
		;
	else if (r->fmr_flags & FMR_OF_EXTENT_MAP)
		io_out_text(o, "extent map");
	else
		io_out_range(o, sectors(r->fmr_offset), last_sector(r->fmr_offset, r->fmr_length));
	io_out_pad(o, from, l->offset_w);
	io_out_char(o, ' ');
}

static void long_row(struct fsmap_printer *p, const struct fsmap *r, uint64_t index)
{
	struct long_printer *l = (struct long_printer *)p;
	const struct fsmap_geometry *g = &p->geometry;
	struct io_out *o = &p->out;
	uint64_t start = sectors(r->fmr_physical), len = sectors(r->fmr_length);
	io_out_line(o);
	io_out_u64_right(o, index, l->ext_w);
	io_out_text(o, ": ");
	size_t from = o->n;
	put_device(o, r->fmr_device, ':');
	io_out_pad(o, from, l->device_w);
	io_out_char(o, ' ');
	from = o->n;
	io_out_char(o, '[');
	io_out_range(o, start, last_sector(r->fmr_physical, r->fmr_length));
	io_out_text(o, "]:");
	io_out_pad(o, from, l->block_w);
	io_out_char(o, ' ');
	put_owner(l, o, r);
	from = o->n;
	if (r->fmr_device == g->data_device && g->ag_sectors) {
		uint64_t in_ag = start % g->ag_sectors;
		io_out_u64(o, start / g->ag_sectors);
		io_out_pad(o, from, l->ag_w + 1);
		io_out_char(o, '(');
		io_out_range(o, in_ag, in_ag + len - 1);
		io_out_char(o, ')');
	}
	io_out_pad(o, from, l->ag_w + 1 + l->ag_offset_w);
	io_out_char(o, ' ');
	io_out_u64_right(o, len, l->total_w);
	uint32_t flags = row_flags(g, r);
	if (flags) {
		l->flag_seen = true;
		io_out_char(o, ' ');
		io_out_octal(o, flags, 7);
	}
	io_out_char(o, '\n');
}

static void long_last(struct fsmap_printer *p)
{
	if (!((struct long_printer *)p)->flag_seen)
		return;
	io_out_flush(&p->out);
	io_out_text(&p->out, " FLAG Values:\n"
		"    01000000 Attribute fork\n"
		"    00100000 Shared extent\n"
		"    00010000 Unwritten preallocated extent\n"
		"    00001000 Doesn't begin on stripe unit\n"
		"    00000100 Doesn't end   on stripe unit\n"
		"    00000010 Doesn't begin on stripe width\n"
		"    00000001 Doesn't end   on stripe width\n");
}

struct fsmap_printer *fsmap_long_new(void)
{
	struct long_printer *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->base.batch = long_batch;
	l->base.row = long_row;
	l->base.end = long_last;
	return &l->base;
}
