/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tape.h - bytes that are written one after the other and read again later, most of them in a temporary file.
 *
 * What is added first is written first: reading may begin when all was added, at any place; neighbours are read at
 * once.
 */
#ifndef REPAIR_TAPE_H
#define REPAIR_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAPE_MOST ((size_t)8 << 10)	/* bytes that are added or read at a time */

struct tape {
	uint8_t *window;		/* NULL: nothing was added so far */
	uint64_t at;			/* where it stands in the file */
	size_t used;
	uint64_t end;			/* of the file */
	int fd;				/* while end is not 0 */
	bool reading;
};

/* *at: where it stands. Errors: NOMEM, IO, NOSPC (temporary file). */
int tape_add(struct tape *, const void *bytes, size_t len, uint64_t *at);
/* *bytes holds until the next call. Errors: IO, INTERNAL (not written). */
int tape_read(struct tape *, uint64_t at, size_t len, const uint8_t **bytes);
/* A zeroed tape again. */
void tape_release(struct tape *);

#endif
