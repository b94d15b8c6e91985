/* SPDX-License-Identifier: BSD-2-Clause */
/* files.c - open, close, file, print, quit. */
#include "io/io.h"

#include <stdlib.h>

static void print_file(const struct io *io, size_t i, bool bracket)
{
	const struct io_file *f = &io->files[i];
	printf("%c%03zu%c %-14s (%s,", bracket ? '[' : ' ', i, bracket ? ']' : ' ', f->name, f->foreign ? "foreign" :
	       "xfs");
	io_print_flags(f);
	printf(")\n");
}

static void print_files(const struct io *io)
{
	for (size_t i = 0; i < io->n_files; i++)
		print_file(io, i, i == io->current);
}

struct open_opts {
	unsigned flags;
	const char *mode;
};

static const struct io_opt open_options[] = {
	{ 'a', IO_OPT_OR, offsetof(struct open_opts, flags), IO_APPEND, NULL, "append to the file (O_APPEND)", NULL },
	{ 'c', IO_OPT_OR, offsetof(struct open_opts, flags), IO_CREATE, NULL, "the same as -f", NULL },
	{ 'd', IO_OPT_OR, offsetof(struct open_opts, flags), IO_DIRECT, NULL, "direct I/O (O_DIRECT)", NULL },
	{ 'f', IO_OPT_OR, offsetof(struct open_opts, flags), IO_CREATE, NULL, "create the file when missing (O_CREAT)",
	  NULL },
	{ 'm', IO_OPT_TEXT, offsetof(struct open_opts, mode), 0, "mode", "permissions of a new file, octal (0600)",
	  NULL },
	{ 'n', IO_OPT_OR, offsetof(struct open_opts, flags), IO_NONBLOCK, NULL, "do not wait (O_NONBLOCK)", NULL },
	{ 'r', IO_OPT_OR, offsetof(struct open_opts, flags), IO_READONLY, NULL, "only for reading (O_RDONLY)", NULL },
	{ 's', IO_OPT_OR, offsetof(struct open_opts, flags), IO_SYNC, NULL, "synchronous writes (O_SYNC)", NULL },
	{ 't', IO_OPT_OR, offsetof(struct open_opts, flags), IO_TRUNCATE, NULL, "empty the file (O_TRUNC)", NULL },
	{ 'x', IO_OPT_OR, offsetof(struct open_opts, flags), 0, NULL, "accepted, does nothing", NULL },
	{ 'R', IO_OPT_OR, offsetof(struct open_opts, flags), IO_REALTIME, NULL, "set the realtime flag of the file",
	  NULL },
	{ 'T', IO_OPT_OR, offsetof(struct open_opts, flags), IO_TMPFILE, NULL,
	  "file without a name in the directory PATH (O_TMPFILE)", NULL },
	{ 'P', IO_OPT_OR, offsetof(struct open_opts, flags), IO_PATH, NULL, "only a reference to the path (O_PATH)",
	  NULL },
	{ 'L', IO_OPT_OR, offsetof(struct open_opts, flags), IO_NOFOLLOW, NULL, "no symbolic link (O_NOFOLLOW)", NULL },
	{ 0 },
};

static int open_run(struct io *io, struct io_call *c)
{
	const struct open_opts *o = c->opts;
	mode_t mode = 0600;

	if (c->argc == 0 && !c->seen)
		return io->n_files ? io_print_stat(io, false)
			       : (fprintf(stderr, "no files are open, try 'help open'\n"), IO_FAIL);
	if (o->mode) {
		char *end;
		unsigned long v = strtoul(o->mode, &end, 8);
		if (end == o->mode || *end || v > 07777) {
			printf("non-numeric mode argument -- %s\n", o->mode);
			return IO_FAIL;
		}
		mode = (mode_t)v;
	}
	if (c->argc != 1)
		return io_usage(c);
	if ((o->flags & IO_TMPFILE) && (o->flags & IO_READONLY)) {
		fprintf(stderr, "-T and -r options are incompatible\n");
		return IO_FAIL | IO_STOP;
	}
	unsigned located = o->flags & (IO_PATH | IO_NOFOLLOW);
	if (located && (o->flags & ~located)) {
		fprintf(stderr, "-P and -L are incompatible with the other options\n");
		return IO_FAIL | IO_STOP;
	}
	return io_add_file(io, c->argv[0], o->flags, mode);
}

static int close_run(struct io *io, struct io_call *c)
{
	(void)c;
	struct io_file *f = io_current(io);
	if (f->pinned) {
		fprintf(stderr, "%s: atomic update in progress, cannot close.\n", f->name);
		return IO_OK;
	}
	io_drop_file(io, io->current);
	print_files(io);
	return IO_OK;
}

static int file_run(struct io *io, struct io_call *c)
{
	if (c->argc == 1) {
		size_t i;
		if (!io_index(c->argv[0], io->n_files, "file number", &i))
			return IO_FAIL;
		io->current = i;
	}
	print_files(io);
	return IO_OK;
}

static int print_run(struct io *io, struct io_call *c)
{
	(void)c;
	print_files(io);
	io_print_maps(io, false);
	return IO_OK;
}

static int quit_run(struct io *io, struct io_call *c)
{
	(void)io;
	(void)c;
	return IO_STOP;
}

const struct io_command io_file_commands[] = {
	{ .name = "open", .alias = "o", .args = "[-acdfnrstxRTPL] [-m mode] [path]",
	  .oneline = "open another file and make it the current one", .opts = open_options,
	  .about = " Without arguments it shows the current file as `stat` does.\n"
		" Direct I/O needs offsets, lengths and buffers aligned to sectors or blocks.\n",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = open_run },
	{ .name = "close", .alias = "c", .args = "", .oneline = "close the current file, list the others",
	  .argmin = 0, .argmax = 0, .flags = IO_FOREIGN | IO_ONESHOT, .run = close_run },
	{ .name = "file", .alias = "f", .args = "[N]", .oneline = "make file N the current one, list the open files",
	  .argmin = 0, .argmax = 1, .flags = IO_FOREIGN | IO_ONESHOT, .run = file_run },
	{ .name = "print", .alias = "p", .args = "", .oneline = "list open files and memory mappings",
	  .argmin = 0, .argmax = 0, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = print_run },
	{ .name = "quit", .alias = "q", .args = "", .oneline = "leave the program",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = quit_run },
	{ 0 },
};
