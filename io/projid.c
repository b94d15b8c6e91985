/* SPDX-License-Identifier: BSD-2-Clause */
/* projid.c - lsproj and chproj: the project a file belongs to. */
#include "io/io.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct proj_opts {
	bool recurse, dirs;
};

static const struct io_opt proj_options[] = {
	{ 'R', IO_OPT_FLAG, offsetof(struct proj_opts, recurse), 0, NULL, "everything below the directory", NULL },
	{ 'D', IO_OPT_FLAG, offsetof(struct proj_opts, dirs), 0, NULL, "all directories below the directory", NULL },
	{ 0 },
};

static int show_one(struct io *io, const char *path, int fd, mode_t mode, void *arg)
{
	struct fsxattr a;
	(void)mode;
	(void)arg;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0) {
		fprintf(stderr, "%s: cannot get project ID of %s: %s\n", io->prog, path, strerror(errno));
		return IO_FAIL;
	}
	printf("[%u] %s\n", a.fsx_projid, path);
	return IO_OK;
}

static int lsproj_run(struct io *io, struct io_call *c)
{
	const struct proj_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	struct fsxattr a;
	if (c->argc)
		return io_usage(c);
	if (o->recurse || o->dirs)
		return io_walk(io, f->name, o->dirs, show_one, NULL);
	if (ioctl(f->fd, FS_IOC_FSGETXATTR, &a) < 0)
		return io_perror("getprojid");
	printf("projid = %u\n", a.fsx_projid);
	return IO_OK;
}

static int set_project(int fd, uint32_t id)
{
	struct fsxattr a;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0)
		return -1;
	a.fsx_projid = id;
	return ioctl(fd, FS_IOC_FSSETXATTR, &a);
}

static int change_one(struct io *io, const char *path, int fd, mode_t mode, void *arg)
{
	(void)mode;
	if (set_project(fd, *(uint32_t *)arg) == 0)
		return IO_OK;
	fprintf(stderr, "%s: cannot set project on %s: %s\n", io->prog, path, strerror(errno));
	return IO_FAIL;
}

/* Number, or a name of /etc/projid ("name:number" lines). */
static bool find_project(const char *text, uint32_t *id)
{
	uint64_t v;
	if (io_parse_u64(text, UINT32_MAX, &v)) {
		*id = (uint32_t)v;
		return true;
	}
	FILE *f = fopen("/etc/projid", "re");
	char *line = NULL;
	size_t room = 0;
	bool found = false;
	while (f && !found && getline(&line, &room, f) > 0) {
		char *colon = strchr(line, ':');
		if (line[0] == '#' || !colon)
			continue;
		*colon = '\0';
		colon[1 + strcspn(colon + 1, "\n")] = '\0';
		if (!strcmp(line, text) && io_parse_u64(colon + 1, UINT32_MAX, &v)) {
			*id = (uint32_t)v;
			found = true;
		}
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static int chproj_run(struct io *io, struct io_call *c)
{
	const struct proj_opts *o = c->opts;
	const struct io_file *f = io_current(io);
	uint32_t id;
	if (c->argc != 1)
		return io_usage(c);
	if (!find_project(c->argv[0], &id)) {
		printf("invalid project ID -- %s\n", c->argv[0]);
		return IO_FAIL;
	}
	if (o->recurse || o->dirs)
		return io_walk(io, f->name, o->dirs, change_one, &id);
	return set_project(f->fd, id) < 0 ? io_perror("setprojid") : IO_OK;
}

const struct io_command io_projid_commands[] = {
	{ .name = "lsproj", .args = "[-D | -R]", .oneline = "show the project of the file", .opts = proj_options,
	  .argmin = 0, .argmax = 1, .flags = IO_FOREIGN, .run = lsproj_run },
	{ .name = "chproj", .args = "[-D | -R] projid", .oneline = "set the project of the file, a number or a name",
	  .opts = proj_options, .argmin = 1, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = chproj_run },
	{ 0 },
};
