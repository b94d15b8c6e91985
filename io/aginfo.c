/* SPDX-License-Identifier: BSD-2-Clause */
/* aginfo.c - aginfo and rginfo: what the kernel tells of allocation groups and realtime groups. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

struct group_opts {
	uint32_t number;
};

static const struct io_opt ag_options[] = {
	{ 'a', IO_OPT_U32, offsetof(struct group_opts, number), 0, "agno", "only this allocation group", "AG number" },
	{ 0 },
};

static const struct io_opt rg_options[] = {
	{ 'r', IO_OPT_U32, offsetof(struct group_opts, number), 0, "rgno", "only this realtime group",
	  "rtgroup number" },
	{ 0 },
};

static int print_ag(int fd, uint32_t number)
{
	struct xfs_ag_geometry a;
	memset(&a, 0, sizeof(a));
	a.number = number;
	if (ioctl(fd, XFS_IOCTL_AG_GEOMETRY, &a) < 0)
		return io_perror("XFS_IOC_AG_GEOMETRY");
	printf("AG: %u\nBlocks: %u\nFree Blocks: %u\nInodes: %u\nFree Inodes: %u\nSick: 0x%x\nChecked: "
	       "0x%x\nFlags: 0x%x\n", a.number, a.length, a.freeblks, a.icount, a.ifree, a.sick, a.checked, a.flags);
	return IO_OK;
}

static int print_group(int fd, uint32_t number)
{
	struct xfs_rtgroup_geometry r;
	memset(&r, 0, sizeof(r));
	r.number = number;
	if (ioctl(fd, XFS_IOCTL_RTGROUP_GEOMETRY, &r) < 0)
		return io_perror("XFS_IOC_RTGROUP_GEOMETRY");
	printf("RTG: %u\nLength: %u\nSick: 0x%x\nChecked: 0x%x\nFlags: 0x%x\n", r.number, r.length, r.sick, r.checked,
		r.flags);
	return IO_OK;
}

/* The group of the option, or all of them. */
static int print_groups(struct io *io, struct io_call *c, char letter, int (*print)(int fd, uint32_t number))
{
	const struct group_opts *o = c->opts;
	struct xfs_fs_geometry g;
	int fd = io_current(io)->fd, res = IO_OK;
	if (c->argc)
		return io_usage(c);
	if (io_seen(c, letter))
		return print(fd, o->number);
	if (ioctl(fd, XFS_IOCTL_FSGEOMETRY, &g) < 0)
		return io_perror("XFS_IOC_FSGEOMETRY");
	uint32_t n = letter == 'a' ? g.agcount : g.rgcount;
	for (uint32_t i = 0; i < n && res == IO_OK; i++)
		res = print(fd, i);
	return res;
}

static int aginfo_run(struct io *io, struct io_call *c)
{
	return print_groups(io, c, 'a', print_ag);
}

static int rginfo_run(struct io *io, struct io_call *c)
{
	return print_groups(io, c, 'r', print_group);
}

const struct io_command io_aginfo_commands[] = {
	{ .name = "aginfo", .args = "[-a agno]", .oneline = "show size, free space and health of allocation groups",
	  .opts = ag_options, .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = aginfo_run },
	{ .name = "rginfo", .args = "[-r rgno]", .oneline = "show size and health of realtime groups",
	  .opts = rg_options, .argmin = 0, .argmax = IO_ANY, .flags = 0, .run = rginfo_run },
	{ 0 },
};
