/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - images that tests run on, in memory.
 */
#ifndef TESTS_UNIT_IMAGE_H
#define TESTS_UNIT_IMAGE_H

#include "tests/unit/memdev.h"

#include <stdio.h>

/* tests/data/NAME, unpacked with xz. Fails the test when that is not possible. Freed by xfs_dev_close(). */
struct memdev *image_load(const char *name);
/* The unpacked bytes of a file made by xz, as a stream. pclose() it. */
FILE *image_stream(const char *name);

#endif
