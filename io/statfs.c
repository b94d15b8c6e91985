/* SPDX-License-Identifier: BSD-2-Clause */
/* statfs.c - statfs: numbers of the filesystem: statfs(2), geometry and counters of XFS. */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

enum { PART_COUNTS = 1, PART_GEOMETRY = 2, PART_STATFS = 4 };

struct statfs_opts {
	unsigned parts;
};

static const struct io_opt statfs_options[] = {
	{ 'c', IO_OPT_OR, offsetof(struct statfs_opts, parts), PART_COUNTS, NULL, "only the counters of XFS", NULL },
	{ 'g', IO_OPT_OR, offsetof(struct statfs_opts, parts), PART_GEOMETRY, NULL, "only the geometry of XFS", NULL },
	{ 's', IO_OPT_OR, offsetof(struct statfs_opts, parts), PART_STATFS, NULL, "only statfs(2)", NULL },
	{ 0 },
};

static int print_statfs(int fd)
{
	struct statfs s;
	if (fstatfs(fd, &s) < 0)
		return io_perror("fstatfs");
	printf("statfs.f_bsize = %" PRId64 "\nstatfs.f_blocks = %" PRIu64 "\nstatfs.f_bavail = %" PRIu64 "\n",
		(int64_t)s.f_bsize, (uint64_t)s.f_blocks, (uint64_t)s.f_bavail);
	printf("statfs.f_files = %" PRIu64 "\nstatfs.f_ffree = %" PRIu64 "\nstatfs.f_flags = 0x%" PRIx64 "\n",
		(uint64_t)s.f_files, (uint64_t)s.f_ffree, (uint64_t)s.f_flags);
	return IO_OK;
}

static int print_geometry(int fd)
{
	struct xfs_fs_geometry g;
	if (ioctl(fd, XFS_IOCTL_FSGEOMETRY, &g) < 0)
		return io_perror("XFS_IOC_FSGEOMETRY");
	printf("geom.bsize = %u\ngeom.agcount = %u\ngeom.agblocks = %u\ngeom.datablocks = %" PRIu64 "\n", g.blocksize,
		g.agcount, g.agblocks, g.datablocks);
	printf("geom.rtblocks = %" PRIu64 "\ngeom.rtextents = %" PRIu64 "\ngeom.rtextsize = %u\ngeom.sunit = %u\n"
		"geom.swidth = %u\n", g.rtblocks, g.rtextents, g.rtextsize, g.sunit, g.swidth);
	return IO_OK;
}

static int print_counts(int fd)
{
	struct xfs_fs_counts n;
	if (ioctl(fd, XFS_IOCTL_FSCOUNTS, &n) < 0)
		return io_perror("XFS_IOC_FSCOUNTS");
	printf("counts.freedata = %" PRIu64 "\ncounts.freertx = %" PRIu64 "\ncounts.freeino = %" PRIu64 "\n"
		"counts.allocino = %" PRIu64 "\n", n.freedata, n.freertx, n.freeino, n.allocino);
	return IO_OK;
}

static int statfs_run(struct io *io, struct io_call *c)
{
	const struct statfs_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	unsigned parts = o->parts ? o->parts : PART_COUNTS | PART_GEOMETRY | PART_STATFS;
	int res = IO_OK;
	if (c->argc)
		return io_usage(c);
	printf("fd.path = \"%s\"\n", f->name);
	if (parts & PART_STATFS)
		res |= print_statfs(f->fd);
	if (f->foreign)
		return res;
	if (parts & PART_GEOMETRY)
		res |= print_geometry(f->fd);
	if (parts & PART_COUNTS)
		res |= print_counts(f->fd);
	return res;
}

const struct io_command io_statfs_commands[] = {
	{ .name = "statfs", .args = "[-c] [-g] [-s]", .oneline = "show numbers of the filesystem of the file",
	  .opts = statfs_options, .about = " All three parts without an option.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = statfs_run },
	{ 0 },
};
