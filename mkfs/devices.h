/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices.h - what mkfs.xfs finds out about its devices before it writes, and the stack that it writes through.
 */
#ifndef MKFS_DEVICES_H
#define MKFS_DEVICES_H

#include "libxfs/device/device.h"
#include "mkfs/geometry.h"

struct mkfs_devices {
	const char *data_name, *log_name, *rt_name;	/* as given; NULL = none */
	bool data_block, log_block;			/* block devices */
	struct xfs_dev *data, *log;			/* log: external only */
};

/* Looks at the devices; writes nothing. */
int mkfs_devices_probe(const struct mkfs_options *, struct mkfs_devices *, struct mkfs_device_facts *,
		struct mkfs_error *);
/* Refuses what is mounted or (without -f) looks used (format sheet 05, 6.3 and 6.4). */
int mkfs_devices_check(const struct mkfs_options *, const struct mkfs_devices *, struct mkfs_error *);
/* Opens data and external log for writing, with the sizes that the geometry asks for. */
int mkfs_devices_open(const struct mkfs_options *, const struct mkfs_geometry *, struct mkfs_devices *,
		struct mkfs_error *);
void mkfs_devices_close(struct mkfs_devices *);

#endif
