/* SPDX-License-Identifier: BSD-2-Clause */
/* label.c - label, fsuuid, sysfspath: names of the filesystem. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct label_opts {
	const char *label;
	bool clear;
};

static const struct io_opt label_options[] = {
	{ 's', IO_OPT_TEXT, offsetof(struct label_opts, label), 0, "newlabel", "set the label", NULL },
	{ 'c', IO_OPT_FLAG, offsetof(struct label_opts, clear), 0, NULL, "clear the label", NULL },
	{ 0 },
};

static int label_run(struct io *io, struct io_call *c)
{
	const struct label_opts *o = c->opts;
	int fd = io_current(io)->fd;
	char label[FSLABEL_MAX + 1] = "";
	if (c->argc || (o->label && o->clear))
		return io_usage(c);
	if (o->label) {
		if (strlen(o->label) >= FSLABEL_MAX) {
			errno = EINVAL;
			return io_perror("label");
		}
		strcpy(label, o->label);
	}
	if ((o->label || o->clear) && ioctl(fd, FS_IOC_SETFSLABEL, label) < 0)
		return io_perror("label");
	memset(label, 0, sizeof(label));
	if (ioctl(fd, FS_IOC_GETFSLABEL, label) < 0)
		return io_perror("label");
	printf("label = \"%s\"\n", label);
	return IO_OK;
}

static void print_uuid(const uint8_t u[16])
{
	printf("UUID = ");
	for (int i = 0; i < 16; i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
	putchar('\n');
}

static int fsuuid_run(struct io *io, struct io_call *c)
{
	const struct io_file *f = io_current(io);
	struct xfs_fs_geometry g;
	struct fs_uuid_answer a = { 0 };
	(void)c;
	if (!f->foreign && ioctl(f->fd, XFS_IOCTL_FSGEOMETRY, &g) == 0) {
		print_uuid(g.uuid);
		return IO_OK;
	}
	if (ioctl(f->fd, FS_IOCTL_GETUUID, &a) < 0)
		return io_perror("fsuuid");
	print_uuid(a.uuid);
	return IO_OK;
}

struct path_opts {
	bool debug;
};

static const struct io_opt path_options[] = {
	{ 'd', IO_OPT_FLAG, offsetof(struct path_opts, debug), 0, NULL, "the path below /sys/kernel/debug", NULL },
	{ 0 },
};

static int sysfspath_run(struct io *io, struct io_call *c)
{
	const struct path_opts *o = c->opts;
	struct fs_sysfs_answer a = { 0 };
	if (c->argc)
		return io_usage(c);
	if (ioctl(io_current(io)->fd, FS_IOCTL_GETSYSFSPATH, &a) < 0)
		return io_perror("FS_IOC_GETFSSYSFSPATH");
	printf("%s/%.*s\n", o->debug ? "/sys/kernel/debug" : "/sys/fs", (int)sizeof(a.name), (const char *)a.name);
	return IO_OK;
}

const struct io_command io_label_commands[] = {
	{ .name = "label", .args = "[-s label|-c]", .oneline = "show, set or clear the label of the mounted filesystem",
	  .opts = label_options, .argmin = 0, .argmax = 3, .flags = IO_FOREIGN, .run = label_run },
	{ .name = "fsuuid", .args = "", .oneline = "show the UUID of the mounted filesystem",
	  .flags = IO_FOREIGN | IO_ONESHOT, .run = fsuuid_run },
	{ .name = "sysfspath", .args = "[-d]", .oneline = "show where the filesystem is found below /sys",
	  .opts = path_options, .argmin = 0, .argmax = 1, .flags = IO_FOREIGN, .run = sysfspath_run },
	{ 0 },
};
