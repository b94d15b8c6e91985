/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - xfs_repair: from a command line to open devices.
 *
 * Everything is said on stderr, but for what scripts expect on stdout: the line about phase 5 with -n, feature
 * upgrades, -V, and findings as JSON.
 */
#include "repair/tool.h"

#include <malloc.h>
#include <stdio.h>

/* Large arrays go back to the system when they are freed, and do not make others grow into what they leave. */
static void tame_allocator(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
}

static int add_undo(struct repair_devices *d, const struct repair_options *o)
{
	uint8_t uuid[16];

	repair_find_uuid(&d->set, uuid);
	return repair_devices_add_undo(d, o, uuid);
}

int main(int argc, char **argv)
{
	struct repair_options o;
	struct repair_devices d;
	int error, status = repair_parse_options(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.undo_apply)
		return repair_take_back(&o);
	tame_allocator();
	error = repair_devices_open(&d, &o);
	if (error)
		fprintf(stderr, "\nfatal error -- couldn't initialize XFS library\n");
	else if (o.undo)
		error = add_undo(&d, &o);
	status = error ? REPAIR_EXIT_CORRUPT : repair_tool(&d, &o);
	repair_devices_close(&d);
	return status;
}
