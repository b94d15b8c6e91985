/* SPDX-License-Identifier: BSD-2-Clause */
/* nameshapes.h - filesystems on which names change: each form of entries, each size of directory blocks. */
#ifndef TESTS_UNIT_NAMESHAPES_H
#define TESTS_UNIT_NAMESHAPES_H

#include "tests/unit/testfs.h"

static const struct testfs name_shapes[] = {
	{ .blocksize = 1024, .agblocks = 32768, .agcount = 2, .parent = true },
	{ .blocksize = 4096, .agblocks = 8192, .agcount = 3 },
	{ .blocksize = 4096, .agblocks = 8192, .agcount = 2, .parent = true, .dirblklog = 1 },
	{ .blocksize = 1024, .agblocks = 32768, .agcount = 2, .dirblklog = 2, .no_rmapbt = true, .no_reflink = true },
	{ .blocksize = 512, .agblocks = 65536, .agcount = 2, .v4 = true, .no_rmapbt = true, .no_reflink = true,
	  .no_finobt = true, .no_ftype = true },
	{ .blocksize = 1024, .agblocks = 32768, .agcount = 2, .v4 = true, .ci = true, .no_rmapbt = true,
	  .no_reflink = true, .no_finobt = true },
};

#endif
