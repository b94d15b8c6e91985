/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devmodel.h - random operations on a device, compared with an array of bytes.
 */
#ifndef TESTS_UNIT_DEVMODEL_H
#define TESTS_UNIT_DEVMODEL_H

#include "libxfs/device/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct devmodel {
	uint8_t *bytes;		/* what the device must hold */
	size_t size;
	uint64_t seed;
};

/* A model of that many bytes: zeroes, or (fill) noise. Free with devmodel_free(). */
void devmodel_make(struct devmodel *, size_t size, uint64_t seed, bool fill);
void devmodel_free(struct devmodel *);
/* A number in [0, below), from the model's own generator. */
uint64_t devmodel_pick(struct devmodel *, uint64_t below);
/* n random vectored reads and writes of any alignment, zeroes, barriers, each compared; then the whole device. */
void devmodel_run(struct devmodel *, struct xfs_dev *, unsigned n);
/* The whole device against the model. */
void devmodel_compare(const struct devmodel *, struct xfs_dev *);
/* A new temporary file that holds the model's bytes. Caller unlinks and frees the path. */
char *devmodel_file(const struct devmodel *, const char *suffix);

#endif
