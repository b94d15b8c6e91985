/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - operations on files as lines of text, one each; fsx.c lists them.
 *
 * A line is a verb and its arguments with single spaces between; numbers are decimal (modes: octal).  Before the verb
 * may stand "fail NAME": the operation must fail with that error of the library.
 */
#ifndef TESTS_LIB_SCRIPT_H
#define TESTS_LIB_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSX_ARGS 6
#define FSX_LINE 2600		/* bytes of a line, with the zero byte */

enum fsx_verb {
	FSX_CREATE, FSX_MKDIR, FSX_SYMLINK, FSX_MKNOD, FSX_TMPFILE, FSX_LINK, FSX_UNLINK, FSX_RMDIR, FSX_RENAME,
	FSX_WRITE, FSX_TRUNCATE, FSX_PUNCH, FSX_COLLAPSE, FSX_INSERT, FSX_PREALLOC, FSX_ZERO, FSX_SHARE, FSX_UNSHARE,
	FSX_SWAP, FSX_SETATTR, FSX_REMOVEATTR, FSX_CHMOD, FSX_CHOWN, FSX_SYNC, FSX_QUIESCE, FSX_VERBS
};

struct fsx_op {
	enum fsx_verb verb;
	const char *text[FSX_ARGS];	/* into the line */
	uint64_t n[FSX_ARGS];		/* numbers, at the place of their argument */
	unsigned nargs;
	const char *error;		/* that it must fail with, or NULL */
};

/* Cuts the line up in place. NULL, or what is wrong with it. */
const char *fsx_parse(char *line, struct fsx_op *);
/* The same bytes for the same seed, from the first one on. */
void fsx_fill(uint8_t *, size_t len, uint64_t seed);
/* What the first argument of an operation names has contents that change in steps; so has the third one's. */
bool fsx_in_steps(enum fsx_verb);

#endif
