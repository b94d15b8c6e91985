/* SPDX-License-Identifier: BSD-2-Clause */
/* write.c - the image of a fresh filesystem. */
#include "mkfs/write.h"

int mkfs_write(const struct mkfs_options *o, const struct mkfs_geometry *g, struct mkfs_devices *d,
		struct mkfs_error *err)
{
	(void)o;
	(void)g;
	(void)d;
	return mkfs_fail(err, false, "not yet");
}
