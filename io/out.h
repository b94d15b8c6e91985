/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.h - fast assembly of long tables: text and numbers into one buffer that goes to stdout in large pieces.
 *
 * Maps of millions of extents spend their time in printf() otherwise.  Whatever is printed by other means in between
 * must come after io_out_flush().
 * Layer: tool.
 */
#ifndef XFSKIT_IO_OUT_H
#define XFSKIT_IO_OUT_H

#include <stddef.h>
#include <stdint.h>

#define IO_OUT_SIZE 16384
#define IO_OUT_LINE 512			/* room that a line needs at most; longer texts are cut to it */

struct io_out {
	size_t n;
	size_t line;			/* where the current line began, for columns */
	char buf[IO_OUT_SIZE];
};

/* Starts a line; flushes when the buffer might not take it. */
void io_out_line(struct io_out *o);
void io_out_text(struct io_out *o, const char *text);
void io_out_char(struct io_out *o, char c);
void io_out_u64(struct io_out *o, uint64_t v);
/* Right-aligned in at least `width` columns. */
void io_out_u64_right(struct io_out *o, uint64_t v, unsigned width);
void io_out_hex(struct io_out *o, uint64_t v);
/* Exactly `digits` octal digits, more when the value needs them. */
void io_out_octal(struct io_out *o, uint32_t v, unsigned digits);
/* Blanks until `column` of the buffer position `from` is reached. */
void io_out_pad(struct io_out *o, size_t from, unsigned column);
/* "a..b" */
void io_out_range(struct io_out *o, uint64_t a, uint64_t b);
void io_out_flush(struct io_out *o);
/* Decimal digits of v. */
unsigned io_digits(uint64_t v);

#endif
