/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write.h - the image of a fresh filesystem (format sheet 05, sections 9.6 to 12).
 */
#ifndef MKFS_WRITE_H
#define MKFS_WRITE_H

#include "mkfs/devices.h"

int mkfs_write(const struct mkfs_options *, const struct mkfs_geometry *, struct mkfs_devices *, struct mkfs_error *);

#endif
