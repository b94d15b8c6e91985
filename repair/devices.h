/* SPDX-License-Identifier: BSD-2-Clause */
/* devices.h - the stacks of devices that a run works on. */
#ifndef REPAIR_DEVICES_H
#define REPAIR_DEVICES_H

#include "repair/options.h"
#include "repair/repair.h"

struct repair_devices {
	struct xfs_devset set;		/* tops of the stacks */
	struct xfs_dev *watch;		/* knows what could not be read of the data device (watch.h) */
	struct xfs_devset below;	/* with -n: below the overlays of `set` */
	struct xfs_dev_fault crash;	/* LIBXFS_DEBUG_WRITE_CRASH: stop_write_at of the data device; 0 = none */
};

/* Says on stderr what is wrong. Errors: those of the layers; what was opened is closed by repair_devices_close(). */
int repair_devices_open(struct repair_devices *, const struct repair_options *);
/* The second half of that: layers above the devices of `set`, which the caller has opened. */
int repair_devices_stack(struct repair_devices *, const struct repair_options *);
/* Before-images of all that is written from now on go to o->undo; the filesystem is `uuid`. */
int repair_devices_add_undo(struct repair_devices *, const struct repair_options *, const uint8_t uuid[16]);
/* The debugging hook has stopped the device: the program must die without unwinding. */
bool repair_devices_crashed(const struct repair_devices *);
void repair_devices_close(struct repair_devices *);

/* undo.c: --undo-apply. Returns the exit status. */
int repair_take_back(const struct repair_options *);
/* The uuid of the filesystem on these devices by its best superblock; all zero when there is none. Silent. */
void repair_find_uuid(const struct xfs_devset *, uint8_t uuid[16]);

#endif
