/* SPDX-License-Identifier: BSD-2-Clause */
/* xflags.h - the extended flags of inodes: letters and names (format sheet 09, section 8). Layer: tool. */
#ifndef XFSKIT_IO_XFLAGS_H
#define XFSKIT_IO_XFLAGS_H

#include <stdint.h>

struct io_xflag {
	uint32_t bit;
	char letter;
	const char *name;
};

#define IO_XFLAGS 17
/* In the order in which they are shown. */
extern const struct io_xflag io_xflags[IO_XFLAGS];

/* "----------------X" */
void io_xflags_letters(uint32_t flags, char text[IO_XFLAGS + 1]);
/* Prints "[no-atime, has-xattr]". */
void io_xflags_print_names(uint32_t flags);

#endif
