/* SPDX-License-Identifier: BSD-2-Clause */
/* undo.c - takes a repair back: says what an undo file is, whether it fits this filesystem, and applies it. */
#include "repair/devices.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void repair_find_uuid(const struct xfs_devset *dev, uint8_t uuid[16])
{
	struct repair look = { .looking = true, .no_modify = true, .force_geometry = true, .dev = *dev, .name = "" };

	memset(uuid, 0, 16);
	if (!repair_locate(&look))
		memcpy(uuid, look.primary.uuid, 16);
	repair_release(&look);
}

static bool is_zero(const uint8_t uuid[16])
{
	static const uint8_t zero[16];

	return !memcmp(uuid, zero, 16);
}

/* NULL, or why this file does not belong to this filesystem as it is. */
static const char *mismatch(const struct xfs_dev_undo_info *info, const struct repair_devices *d)
{
	uint8_t uuid[16];

	if (info->state == XFS_UNDO_APPLIED)
		return "was taken back already";
	if (info->device_size != d->set.data->size)
		return "was made for a device of another size";
	repair_find_uuid(&d->set, uuid);
	/* a filesystem without any superblock had none before either, or lost it; the file's own checks must do then */
	if (!is_zero(info->uuid) && !is_zero(uuid) && memcmp(info->uuid, uuid, 16))
		return "was made for another filesystem";
	if (info->state == XFS_UNDO_OPEN && is_zero(uuid) != is_zero(info->uuid))
		return "was not finished, and the device can't be told to be the one it was made for";
	return NULL;
}

static int complain(const struct repair_options *o, const char *why)
{
	fprintf(stderr, "xfs_repair: %s %s\n", o->undo_apply, why);
	return 1;
}

int repair_take_back(const struct repair_options *o)
{
	struct xfs_dev_undo_info info;
	struct repair_devices d;
	const char *why;
	int error = xfs_dev_undo_info(o->undo_apply, &info);

	if (error) {
		fprintf(stderr, "xfs_repair: %s: %s\n", o->undo_apply,
			error == -XFS_E_BADMAGIC || error == -XFS_E_SHORT ? "is no undo file" : xfs_error_text(error));
		return 1;
	}
	error = repair_devices_open(&d, o);
	why = error ? NULL : mismatch(&info, &d);
	if (error || why) {
		repair_devices_close(&d);
		return error ? 1 : complain(o, why);
	}
	error = xfs_dev_undo_apply(d.set.data, o->undo_apply);
	repair_devices_close(&d);
	if (error == -XFS_E_INVALID)
		return complain(o, "does not fit: the filesystem was changed since the repair");
	if (error == -XFS_E_BADCRC || error == -XFS_E_CORRUPT || error == -XFS_E_BADMAGIC || error == -XFS_E_SHORT)
		return complain(o, "is damaged; nothing was written");
	if (error) {
		fprintf(stderr, "xfs_repair: %s: %s; run it again\n", o->device, xfs_error_text(error));
		return 1;
	}
	xfs_dev_undo_info(o->undo_apply, &info);
	fprintf(stderr, "%s is as it was before the repair (%" PRIu64 " ranges written)\n", o->device, info.records);
	return 0;
}
