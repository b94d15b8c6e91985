/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update.c - startupdate, commitupdate, cancelupdate: changes of a file that happen as a whole or not at all.
 *
 * The work goes to a staging file without a name; the commit exchanges its contents with those of the file, provided
 * that nobody changed the file since the start.  Both can't be closed in between.
 */
#include "io/io.h"
#include "io/xfs_ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct io_update {
	int target;			/* descriptor of the file; its place in the table may change */
	struct xfs_commit_range range;	/* with the state of the file at the start */
};

static struct io_file *find_by_fd(struct io *io, int fd)
{
	for (size_t i = 0; i < io->n_files; i++)
		if (io->files[i].fd == fd)
			return &io->files[i];
	return NULL;
}

/* Opens the staging file in the directory of path. Returns a descriptor or -1 after a message. */
static int open_staging(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash) {
		errno = ENOENT;
		io_perror(path);
		return -1;
	}
	char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = dir ? open(dir, O_TMPFILE | O_RDWR, 0600) : -1;
	if (fd < 0)
		io_perror(dir ? dir : path);
	free(dir);
	return fd;
}

struct start_opts {
	bool empty;
};

static const struct io_opt start_options[] = {
	{ 'e', IO_OPT_FLAG, offsetof(struct start_opts, empty), 0, NULL, "start with nothing, not with a clone", NULL },
	{ 0 },
};

static int startupdate_run(struct io *io, struct io_call *c)
{
	const struct start_opts *o = c->opts;
	struct io_file *f = io_current(io);
	char *name = NULL;
	if (c->argc)
		return io_usage(c) | IO_STOP;
	if (f->pinned) {
		fprintf(stderr, "%s: atomic update already in progress.\n", f->name);
		return IO_FAIL | IO_STOP;
	}
	int fd = open_staging(f->name), target = f->fd;
	if (fd < 0)
		return IO_FAIL | IO_STOP;
	struct io_update *u = calloc(1, sizeof(*u));
	if (!u || ioctl(target, XFS_IOCTL_START_COMMIT, &u->range) < 0) {
		io_perror("update prep");
		goto fail;
	}
	u->target = target;
	if (!o->empty && ioctl(fd, FICLONE, target) < 0) {
		io_perror(f->name);
		goto fail;
	}
	if (asprintf(&name, "%s (fileupdate)", f->name) < 0) {
		name = NULL;
		io_perror("update prep");
		goto fail;
	}
	if (io_add_fd(io, fd, name, IO_TMPFILE) < 0) {
		io_perror("update prep");
		goto fail;
	}
	free(name);
	io_current(io)->update = u;
	io_current(io)->pinned = true;
	find_by_fd(io, target)->pinned = true;
	return IO_OK;
fail:
	free(name);
	free(u);
	close(fd);
	return IO_FAIL | IO_STOP;
}

/* Closes the staging file; the file is the current one again. */
static void end_update(struct io *io)
{
	struct io_file *staging = io_current(io);
	int target = staging->update->target;
	free(staging->update);
	io_drop_file(io, io->current);
	struct io_file *f = find_by_fd(io, target);
	f->pinned = false;
	io->current = (size_t)(f - io->files);
}

/* Name of the file behind the staging file; NULL after a message. */
static const char *updated_name(struct io *io)
{
	struct io_file *f = io_current(io);
	if (f->update)
		return find_by_fd(io, f->update->target)->name;
	fprintf(stderr, "Current file is not the staging file for an atomic update.\n");
	return NULL;
}

struct commit_opts {
	bool csv, written, keep_size, dry, quiet;
};

static const struct io_opt commit_options[] = {
	{ 'C', IO_OPT_FLAG, offsetof(struct commit_opts, csv), 0, NULL, "print numbers in one line", NULL },
	{ 'h', IO_OPT_FLAG, offsetof(struct commit_opts, written), 0, NULL, "only what is written in the staging file",
	  NULL },
	{ 'k', IO_OPT_FLAG, offsetof(struct commit_opts, keep_size), 0, NULL, "keep the sizes of both files", NULL },
	{ 'n', IO_OPT_FLAG, offsetof(struct commit_opts, dry), 0, NULL, "check everything, change nothing", NULL },
	{ 'q', IO_OPT_FLAG, offsetof(struct commit_opts, quiet), 0, NULL, "print nothing", NULL },
	{ 0 },
};

static int commitupdate_run(struct io *io, struct io_call *c)
{
	const struct commit_opts *o = c->opts;
	struct io_file *f = io_current(io);
	struct stat st;
	const char *name = c->argc ? NULL : updated_name(io);
	if (!name)
		return c->argc ? io_usage(c) : IO_FAIL;
	if (fstat(f->fd, &st) < 0)
		return io_perror("fstat");
	struct xfs_commit_range *r = &f->update->range;
	r->file1_fd = f->fd;
	r->file1_offset = r->file2_offset = 0;
	r->length = o->keep_size ? (uint64_t)st.st_size : 0;
	r->flags = (o->keep_size ? 0 : XFS_EXCHANGE_TO_EOF) | XFS_EXCHANGE_DSYNC |
		(o->written ? XFS_EXCHANGE_FILE1_WRITTEN : 0) | (o->dry ? XFS_EXCHANGE_DRY_RUN : 0);
	double start = io_now();
	int res = IO_OK;
	if (ioctl(f->update->target, XFS_IOCTL_COMMIT_RANGE, r) < 0) {
		res = io_perror("committing update");
	} else if (!o->quiet) {
		if (!o->csv)
			printf("Committed updates to '%s'.\n", name);
		io_report(&(struct io_report){ .verb = "commitupdate", .requested = st.st_size, .done = st.st_size,
					       .ops = 1,
			.seconds = io_now() - start }, o->csv);
	}
	if (!o->dry)
		end_update(io);
	return res;
}

static int cancelupdate_run(struct io *io, struct io_call *c)
{
	(void)c;
	const char *name = updated_name(io);
	if (!name)
		return IO_FAIL;
	printf("Cancelled updates to '%s'.\n", name);
	end_update(io);
	return IO_OK;
}

const struct io_command io_update_commands[] = {
	{ .name = "startupdate", .args = "[-e]", .oneline = "start an update of the file that happens as a whole",
	  .opts = start_options,
	  .about = " A staging file with the same data becomes the current one. commitupdate puts it in place,\n"
		" cancelupdate drops it.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_ONESHOT, .run = startupdate_run },
	{ .name = "commitupdate", .args = "[-C] [-h] [-k] [-n] [-q]", .oneline = "put the staging file in place",
	  .opts = commit_options, .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_ONESHOT,
	  .run = commitupdate_run },
	{ .name = "cancelupdate", .args = "", .oneline = "drop the staging file",
	  .flags = IO_FOREIGN | IO_ONESHOT, .run = cancelupdate_run },
	{ 0 },
};
