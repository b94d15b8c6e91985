/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recdev.h - a device in memory for unit tests, which remembers what was written.
 */
#ifndef TESTS_UNIT_RECDEV_H
#define TESTS_UNIT_RECDEV_H

#include "libxfs/device/device.h"

struct recdev {
	struct xfs_dev dev;
	uint64_t base;		/* only bytes behind it exist */
	uint8_t *bytes;		/* of `base` */
	uint8_t *written;	/* one a sector of 512 bytes from base on: how often, at most 255 */
	uint64_t vectors;	/* written so far */
	uint64_t last;		/* end of the last vector written */
	bool ascending;		/* vectors came in order of address; set it to true before what is looked at */
};

/* Bytes [base, base + len), all zeroes; access outside fails the test. Closing the device frees it. */
struct recdev *recdev_new(uint64_t base, uint64_t len);
/* Forgets what was written. */
void recdev_forget(struct recdev *);

#endif
