/* SPDX-License-Identifier: BSD-2-Clause */
/* random.h - scripts of random operations that fit what a model holds. */
#ifndef TESTS_LIB_RANDOM_H
#define TESTS_LIB_RANDOM_H

#include "tests/lib/model.h"

struct fsx_random {
	struct model *m;
	uint64_t s;			/* seed, then state */
	uint64_t most;			/* bytes of a file */
	uint32_t block;			/* where blocks lie */
	unsigned nodes;			/* of the model, at most */
	bool reflink, swap;		/* what the filesystem can */
	bool aligned;			/* no data change in place: whole blocks, written behind the end alone */
	unsigned sync_every;		/* 0: never; each second one is a quiesce */
	unsigned count;			/* lines made */
};

/* The next line; room for FSX_LINE bytes. */
void fsx_random_line(struct fsx_random *, char *line);

#endif
