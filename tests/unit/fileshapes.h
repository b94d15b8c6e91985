/* SPDX-License-Identifier: BSD-2-Clause */
/* fileshapes.h - filesystems on which files change. The last one is V4, which has no logged mode. */
#ifndef TESTS_UNIT_FILESHAPES_H
#define TESTS_UNIT_FILESHAPES_H

#include "tests/unit/testfs.h"

static const struct testfs file_shapes[] = {
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .exchange = true },
	{ .blocksize = 4096, .agblocks = 4096, .agcount = 3 },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .no_rmapbt = true },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .no_reflink = true },
	{ .blocksize = 512, .agblocks = 32768, .agcount = 2, .v4 = true, .no_rmapbt = true, .no_reflink = true,
	  .no_finobt = true },
};

#endif
