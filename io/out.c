/* SPDX-License-Identifier: BSD-2-Clause */
/* out.c - see out.h. */
#include "io/out.h"

#include <stdio.h>
#include <string.h>

void io_out_flush(struct io_out *o)
{
	if (o->n)
		fwrite(o->buf, 1, o->n, stdout);
	o->n = o->line = 0;
}

void io_out_line(struct io_out *o)
{
	if (o->n > IO_OUT_SIZE - IO_OUT_LINE)
		io_out_flush(o);
	o->line = o->n;
}

void io_out_char(struct io_out *o, char c)
{
	if (o->n < IO_OUT_SIZE)
		o->buf[o->n++] = c;
}

void io_out_text(struct io_out *o, const char *text)
{
	size_t len = strlen(text), room = IO_OUT_SIZE - o->n;
	if (len > room)
		len = room;
	memcpy(o->buf + o->n, text, len);
	o->n += len;
}

/* Two digits at a time, from the end. */
static size_t to_decimal(uint64_t v, char text[20])
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
		"49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
		"9899";
	size_t at = 20;
	while (v >= 100) {
		unsigned two = (unsigned)(v % 100);
		v /= 100;
		at -= 2;
		memcpy(text + at, pairs + 2 * two, 2);
	}
	if (v >= 10) {
		at -= 2;
		memcpy(text + at, pairs + 2 * v, 2);
	} else {
		text[--at] = (char)('0' + v);
	}
	return at;
}

void io_out_u64(struct io_out *o, uint64_t v)
{
	io_out_u64_right(o, v, 0);
}

void io_out_u64_right(struct io_out *o, uint64_t v, unsigned width)
{
	char text[20];
	size_t at = to_decimal(v, text), len = 20 - at;
	for (; width > len; width--)
		io_out_char(o, ' ');
	if (IO_OUT_SIZE - o->n >= len) {
		memcpy(o->buf + o->n, text + at, len);
		o->n += len;
	}
}

void io_out_hex(struct io_out *o, uint64_t v)
{
	char text[16];
	size_t at = 16;
	do {
		text[--at] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	while (at < 16)
		io_out_char(o, text[at++]);
}

void io_out_octal(struct io_out *o, uint32_t v, unsigned digits)
{
	char text[16];
	size_t at = 16;
	do {
		text[--at] = (char)('0' + (v & 7));
		v >>= 3;
	} while (v || (16 - at < digits && at > 0));
	while (at < 16)
		io_out_char(o, text[at++]);
}

void io_out_pad(struct io_out *o, size_t from, unsigned column)
{
	while (o->n < from + column && o->n < IO_OUT_SIZE)
		o->buf[o->n++] = ' ';
}

void io_out_range(struct io_out *o, uint64_t a, uint64_t b)
{
	io_out_u64(o, a);
	io_out_text(o, "..");
	io_out_u64(o, b);
}

unsigned io_digits(uint64_t v)
{
	char text[20];
	return (unsigned)(20 - to_decimal(v, text));
}
