/* SPDX-License-Identifier: BSD-2-Clause */
/* devices.c - opens what a run works on (format sheet 06, sections 1.1 and 2.1). */
#include "repair/devices.h"
#include "repair/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* xfs_dev_overlay() holds changes in memory up to this part of what -m allows, and not more than OVERLAY_MOST. */
#define OVERLAY_SHARE 8
#define OVERLAY_MOST ((size_t)64 << 20)
#define DEPTH 8		/* of devices on files on devices */

/* Mounted, and everywhere read-only? Lines of mountinfo: id parent major:minor root mountpoint options ... */
static bool mounted_readonly(const char *path)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	bool found = false, writable = false;
	char *line = NULL;
	struct stat st;
	size_t room = 0;

	if (file && !stat(path, &st) && S_ISBLK(st.st_mode)) {
		while (getline(&line, &room, file) > 0) {
			unsigned maj, min;
			char options[256], *super = strstr(line, " - ");

			if (sscanf(line, "%*d %*d %u:%u %*s %*s %255s", &maj, &min, options) != 3 ||
			    makedev(maj, min) != st.st_rdev)
				continue;
			found = true;
			/* the filesystem itself counts, which stands at the end */
			super = super ? strrchr(super, ' ') : NULL;
			writable |= !super || (strncmp(super + 1, "ro,", 3) && strncmp(super + 1, "ro\n", 3));
		}
	}
	free(line);
	if (file)
		fclose(file);
	return found && !writable;
}

static int open_one(struct xfs_dev **out, const char *path, const struct repair_options *o)
{
	unsigned flags = o->no_modify ? XFS_DEV_READONLY : XFS_DEV_EXCLUSIVE;
	int err = 0, error = xfs_dev_file(out, path, flags, 0, &err);

	if (error == -XFS_E_BUSY && mounted_readonly(path)) {
		if (!o->dangerous) {
			fprintf(stderr,
				"Unmount or use the dangerous (-d) option to repair a read-only mounted filesystem\n");
			return error;
		}
		error = xfs_dev_file(out, path, 0, 0, &err);
	}
	if (error == -XFS_E_BUSY)
		fprintf(stderr, "xfs_repair: %s contains a mounted filesystem or is in use by another process\n", path);
	else if (error)
		fprintf(stderr, "xfs_repair: %s: %s\n", path, err ? strerror(err) : xfs_error_text(error));
	return error;
}

static int cover(struct xfs_dev **dev, struct xfs_dev **below, const struct repair_options *o)
{
	size_t memory = o->memory / OVERLAY_SHARE < OVERLAY_MOST ? o->memory / OVERLAY_SHARE : OVERLAY_MOST;
	struct xfs_dev *top;
	int error = xfs_dev_overlay(&top, *dev, 0, memory, NULL);

	if (error) {
		fprintf(stderr, "xfs_repair: %s: %s\n", (*dev)->name,
			(*dev)->size ? xfs_error_text(error) : "is empty");
		return error;
	}
	*below = *dev;
	*dev = top;
	return 0;
}

/* "ddev=N": the program dies after the N-th write to the data device, for tests of how such a run goes on. */
static int add_crash(struct repair_devices *d)
{
	const char *text = getenv("LIBXFS_DEBUG_WRITE_CRASH"), *part = text ? strstr(text, "ddev=") : NULL;
	struct xfs_dev *top;
	int error;

	if (!part || (part != text && part[-1] != ','))
		return 0;
	d->crash.stop_write_at = strtoull(part + 5, NULL, 0) + 1;
	error = xfs_dev_fault(&top, d->set.data, &d->crash);
	if (!error)
		d->set.data = top;
	return error;
}

int repair_devices_stack(struct repair_devices *d, const struct repair_options *o)
{
	int error = repair_watch(&d->watch, d->set.data);

	if (!error)
		d->set.data = d->watch;
	/* -n works on a copy in memory, so the device is never written and the result can be checked */
	if (!error && o->no_modify)
		error = cover(&d->set.data, &d->below.data, o);
	if (!error && o->no_modify && d->set.log)
		error = cover(&d->set.log, &d->below.log, o);
	if (!error && o->no_modify && d->set.rt)
		error = cover(&d->set.rt, &d->below.rt, o);
	if (!error && !o->no_modify)
		error = add_crash(d);
	return error;
}

int repair_devices_open(struct repair_devices *d, const struct repair_options *o)
{
	int error;

	*d = (struct repair_devices){ 0 };
	error = open_one(&d->set.data, o->device, o);
	if (!error && o->logdev)
		error = open_one(&d->set.log, o->logdev, o);
	if (!error && o->rtdev)
		error = open_one(&d->set.rt, o->rtdev, o);
	return error ? error : repair_devices_stack(d, o);
}

bool repair_devices_crashed(const struct repair_devices *d)
{
	return d->crash.stop_write_at && d->crash.writes >= d->crash.stop_write_at;
}

void repair_devices_close(struct repair_devices *d)
{
	xfs_dev_close(d->set.data);
	xfs_dev_close(d->set.log);
	xfs_dev_close(d->set.rt);
	*d = (struct repair_devices){ 0 };
}

/* ---- undo ---- */

/* Does what is stored on this block device end up on the target? Through files of loop devices, too. */
static bool reaches(dev_t dev, const struct stat *target)
{
	for (int i = 0; i < DEPTH; i++) {
		char path[64], file[4096];
		struct stat st;
		FILE *f;

		if (S_ISBLK(target->st_mode) && dev == target->st_rdev)
			return true;
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/loop/backing_file", major(dev), minor(dev));
		f = fopen(path, "re");
		if (!f)
			return false;
		file[0] = '\0';
		if (fgets(file, sizeof(file), f))
			file[strcspn(file, "\n")] = '\0';
		fclose(f);
		if (!*file || stat(file, &st))
			return false;
		if (st.st_dev == target->st_dev && st.st_ino == target->st_ino)
			return true;
		dev = st.st_dev;
	}
	return true;
}

static int check_place(const struct repair_options *o)
{
	const char *slash = strrchr(o->undo, '/');
	struct stat target, folder;
	char *dir = slash ? strndup(o->undo, slash == o->undo ? 1 : (size_t)(slash - o->undo)) : strdup(".");
	int failed = !dir || stat(dir, &folder);

	if (failed)
		fprintf(stderr, "xfs_repair: %s: %s\n", dir ? dir : o->undo, strerror(dir ? errno : ENOMEM));
	free(dir);
	if (failed)
		return -XFS_E_OPEN;
	if (stat(o->device, &target) || !reaches(folder.st_dev, &target))
		return 0;
	fprintf(stderr, "xfs_repair: %s lies on %s, which is going to be repaired\n", o->undo, o->device);
	return -XFS_E_INVALID;
}

int repair_devices_add_undo(struct repair_devices *d, const struct repair_options *o, const uint8_t uuid[16])
{
	struct xfs_dev *top;
	int error = check_place(o);

	if (error)
		return error;
	if (d->set.log)
		fprintf(stderr, "xfs_repair: --undo keeps what is on %s; the external log can't be taken back\n",
			o->device);
	if (d->set.rt)
		fprintf(stderr,
			"xfs_repair: --undo keeps what is on %s; the superblock of the realtime device can't be taken "
			"back\n", o->device);
	error = xfs_dev_undo(&top, d->set.data, o->undo, uuid);
	if (error)
		fprintf(stderr, "xfs_repair: %s: %s\n", o->undo,
			error == -XFS_E_EXISTS ? "exists already; it is not overwritten" :
			error == -XFS_E_OPEN ? strerror(errno) : xfs_error_text(error));
	else
		d->set.data = top;
	return error;
}
