/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memdev.h - a device in memory that counts calls and fails where it is told, for unit tests.
 */
#ifndef TESTS_UNIT_MEMDEV_H
#define TESTS_UNIT_MEMDEV_H

#include "libxfs/device/device.h"

#include <pthread.h>

struct memdev {
	struct xfs_dev dev;
	uint8_t *bytes;
	pthread_mutex_t lock;
	unsigned reads, read_vectors, writes;	/* calls, vectors */
	uint64_t bad_off, bad_len;		/* vectors that touch this fail with IO */
	bool in_order;				/* out: all vectors of the last call ascended */
};

/* Zero filled. Freed by xfs_dev_close(). */
struct memdev *memdev_new(uint64_t size);

#endif
