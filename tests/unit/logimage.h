/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logimage.h - logs that tests write into an image of Linux.
 */
#ifndef TESTS_UNIT_LOGIMAGE_H
#define TESTS_UNIT_LOGIMAGE_H

#include "tests/unit/logwriter.h"
#include "tests/unit/memdev.h"

/*
 * The writer goes on behind the head of the log of this filesystem, which must be clean; little-endian.  `uuid`: 16
 * bytes, which it uses from then on.  Then logwriter_open().
 */
void logimage_find(struct logwriter *, struct memdev *, uint8_t *uuid);
/* Byte of the block of a remote symlink, which is one of 1 KiB. */
uint64_t logimage_symlink(const struct memdev *);

#endif
