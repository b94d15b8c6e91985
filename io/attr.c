/* SPDX-License-Identifier: BSD-2-Clause */
/* attr.c - lsattr and chattr: the extended flags of inodes. */
#include "io/io.h"
#include "io/xflags.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

const struct io_xflag io_xflags[IO_XFLAGS] = {
	{ 0x1, 'r', "realtime" }, { 0x2, 'p', "prealloc" }, { 0x8, 'i', "immutable" }, { 0x10, 'a', "append-only" },
	{ 0x20, 's', "sync" }, { 0x40, 'A', "no-atime" }, { 0x80, 'd', "no-dump" }, { 0x100, 't', "rt-inherit" },
	{ 0x200, 'P', "proj-inherit" }, { 0x400, 'n', "nosymlinks" }, { 0x800, 'e', "extsize" },
	{ 0x1000, 'E', "extsz-inherit" }, { 0x2000, 'f', "no-defrag" }, { 0x4000, 'S', "filestream" },
	{ 0x8000, 'x', "dax" }, { 0x10000, 'C', "cowextsize" }, { 0x80000000, 'X', "has-xattr" },
};

/* These two the filesystem sets by itself. */
#define READ_ONLY_LETTERS "pX"

void io_xflags_letters(uint32_t flags, char text[IO_XFLAGS + 1])
{
	for (size_t i = 0; i < IO_XFLAGS; i++)
		text[i] = flags & io_xflags[i].bit ? io_xflags[i].letter : '-';
	text[IO_XFLAGS] = '\0';
}

void io_xflags_print_names(uint32_t flags)
{
	const char *between = "";
	putchar('[');
	for (size_t i = 0; i < IO_XFLAGS; i++) {
		if (!(flags & io_xflags[i].bit))
			continue;
		printf("%s%s", between, io_xflags[i].name);
		between = ", ";
	}
	putchar(']');
}

struct attr_opts {
	bool recurse, dirs, all, verbose;
};

static const struct io_opt lsattr_options[] = {
	{ 'R', IO_OPT_FLAG, offsetof(struct attr_opts, recurse), 0, NULL, "everything below the directory", NULL },
	{ 'D', IO_OPT_FLAG, offsetof(struct attr_opts, dirs), 0, NULL, "all directories below the directory", NULL },
	{ 'a', IO_OPT_FLAG, offsetof(struct attr_opts, all), 0, NULL, "show the letters that there are as well", NULL },
	{ 'v', IO_OPT_FLAG, offsetof(struct attr_opts, verbose), 0, NULL, "names, not letters", NULL },
	{ 0 },
};

static int show(struct io *io, const char *path, int fd, mode_t mode, void *arg)
{
	const struct attr_opts *o = arg;
	struct fsxattr a;
	char text[IO_XFLAGS + 1];
	(void)mode;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0) {
		fprintf(stderr, "%s: cannot get flags on %s: %s\n", io->prog, path, strerror(errno));
		return IO_FAIL;
	}
	if (o->verbose) {
		io_xflags_print_names(a.fsx_xflags);
	} else {
		io_xflags_letters(a.fsx_xflags, text);
		fputs(text, stdout);
	}
	if (o->all) {
		io_xflags_letters(UINT32_MAX, text);
		printf("/%s", text);
	}
	printf(" %s \n", path);
	return IO_OK;
}

/* On the current file, or on the tree below it. */
static int on_files(struct io *io, bool recurse, bool dirs,
	int (*fn)(struct io *, const char *, int, mode_t, void *), void *arg)
{
	const struct io_file *f = io_current(io);
	return recurse || dirs ? io_walk(io, f->name, dirs, fn, arg) : fn(io, f->name, f->fd, 0, arg);
}

static int lsattr_run(struct io *io, struct io_call *c)
{
	struct attr_opts o = *(const struct attr_opts *)c->opts;
	return c->argc ? io_usage(c) : on_files(io, o.recurse, o.dirs, show, &o);
}

struct change {
	uint32_t set, clear;
};

static int change(struct io *io, const char *path, int fd, mode_t mode, void *arg)
{
	const struct change *ch = arg;
	struct fsxattr a;
	(void)mode;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0) {
		fprintf(stderr, "%s: cannot get flags on %s: %s\n", io->prog, path, strerror(errno));
		return IO_FAIL;
	}
	a.fsx_xflags = (a.fsx_xflags | ch->set) & ~ch->clear;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &a) < 0) {
		fprintf(stderr, "%s: cannot set flags on %s: %s\n", io->prog, path, strerror(errno));
		return IO_FAIL;
	}
	return IO_OK;
}

/* Words such as +sA and -d; false after a message. */
static bool parse_change(const struct io *io, const char *word, struct change *ch)
{
	if (*word != '+' && *word != '-') {
		fprintf(stderr, "%s: bad chattr command, not +/-X\n", io->prog);
		return false;
	}
	for (const char *l = word + 1; *l; l++) {
		size_t i = 0;
		while (i < IO_XFLAGS && io_xflags[i].letter != *l)
			i++;
		if (i == IO_XFLAGS || strchr(READ_ONLY_LETTERS, *l)) {
			fprintf(stderr, "%s: unknown flag\n", io->prog);
			return false;
		}
		*(*word == '+' ? &ch->set : &ch->clear) |= io_xflags[i].bit;
	}
	return true;
}

/* Its words look like options but are none, so they are read here. */
static int chattr_run(struct io *io, struct io_call *c)
{
	struct change ch = { 0 };
	bool recurse = false, dirs = false;
	for (int i = 0; i < c->argc; i++) {
		if (!strcmp(c->argv[i], "-R"))
			recurse = true;
		else if (!strcmp(c->argv[i], "-D"))
			dirs = true;
		else if (!parse_change(io, c->argv[i], &ch))
			return IO_FAIL;
	}
	return on_files(io, recurse, dirs, change, &ch);
}

const struct io_command io_attr_commands[] = {
	{ .name = "lsattr", .args = "[-R|-D|-a|-v]", .oneline = "show the extended flags of the file",
	  .opts = lsattr_options,
	  .about = " The letters, in their order:\n"
		" r -- data is in the realtime section\n"
		" p -- has preallocated extents (set by the filesystem)\n"
		" i -- can't be changed\n"
		" a -- can only be appended to\n"
		" s -- all writes are synchronous\n"
		" A -- the access time is not kept\n"
		" d -- is left out of dumps\n"
		" t -- new files in the directory become realtime\n"
		" P -- new files in the directory get its project\n"
		" n -- no symbolic links in the directory\n"
		" e -- has an extent size hint\n"
		" E -- new files in the directory get its extent size hint\n"
		" f -- is left alone by defragmentation\n"
		" S -- files of the directory are kept together (filestreams)\n"
		" x -- direct access to persistent memory (DAX)\n"
		" C -- has a copy-on-write extent size hint\n"
		" X -- has extended attributes (set by the filesystem)\n",
	  .argmin = 0, .argmax = 1, .flags = IO_FOREIGN, .run = lsattr_run },
	{ .name = "chattr", .args = "[-R|-D] [+/-riasAdtPneEfSxC]", .oneline = "change the extended flags of the file",
	  .about = " 'chattr +sA' sets two flags, 'chattr -s' clears one; `help lsattr` explains the letters.\n"
		" -R -- everything below the directory\n"
		" -D -- all directories below the directory\n"
		" +/-r -- set/clear the realtime flag\n"
		" +/-i -- set/clear the immutable flag\n"
		" +/-a -- set/clear the append-only flag\n"
		" +/-s -- set/clear the sync flag\n"
		" +/-A -- set/clear the no-atime flag\n"
		" +/-d -- set/clear the no-dump flag\n"
		" +/-t -- set/clear the realtime inheritance flag\n"
		" +/-P -- set/clear the project inheritance flag\n"
		" +/-n -- set/clear the no-symlinks flag\n"
		" +/-e -- set/clear the extent size flag\n"
		" +/-E -- set/clear the extent size inheritance flag\n"
		" +/-f -- set/clear the no-defragmentation flag\n"
		" +/-S -- set/clear the filestreams flag\n"
		" +/-x -- set/clear the DAX flag\n"
		" +/-C -- set/clear the copy-on-write extent size flag\n",
	  .argmin = 1, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = chattr_run },
	{ 0 },
};
