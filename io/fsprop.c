/* SPDX-License-Identifier: BSD-2-Clause */
/* fsprop.c - listfsprops, getfsprops, setfsprops, removefsprops: properties, kept as attributes of the root. */
#include "io/io.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PREFIX "trusted.xfs:"
#define VALUE_MAX 65536

/* Properties that we know with their values; others need -f. */
static const struct { const char *name; const char *values[6]; } known[] = {
	{ "autofsck", { "none", "check", "optimize", "repair", "auto", NULL } },
};

/* A mount's root directory is another device than its parent, or its own parent. */
static bool is_root(int fd)
{
	struct stat st, up;
	int parent = -1;
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	parent = fstatat(fd, "..", &up, 0);
	return parent == 0 && (up.st_dev != st.st_dev || up.st_ino == st.st_ino);
}

static bool check_root(struct io *io)
{
	if (is_root(io_current(io)->fd))
		return true;
	fprintf(stderr, "%s: not the root directory of a filesystem\n", io_current(io)->name);
	return false;
}

/* Name of the attribute; false when it is too long. */
static bool attribute(const char *name, size_t len, char text[XATTR_NAME_MAX + 1])
{
	if (!len || len > XATTR_NAME_MAX - strlen(PREFIX)) {
		fprintf(stderr, "%.*s: invalid property name\n", (int)len, name);
		return false;
	}
	sprintf(text, PREFIX "%.*s", (int)len, name);
	return true;
}

/* Value of an attribute, to be freed; NULL with errno. *len: without the terminator. */
static char *get_value(int fd, const char *attr, ssize_t *len)
{
	char *value = malloc(VALUE_MAX + 1);
	if (!value)
		return NULL;
	*len = fgetxattr(fd, attr, value, VALUE_MAX);
	if (*len < 0) {
		int error = errno;
		free(value);
		errno = error;
		return NULL;
	}
	value[*len] = '\0';
	return value;
}

struct list_opts {
	bool verbose;
};

static const struct io_opt list_options[] = {
	{ 'v', IO_OPT_FLAG, offsetof(struct list_opts, verbose), 0, NULL, "show the values as well", NULL },
	{ 0 },
};

static int list_run(struct io *io, struct io_call *c)
{
	const struct list_opts *o = c->opts;
	int fd = io_current(io)->fd, res = IO_OK;
	if (c->argc)
		return io_usage(c);
	if (!check_root(io))
		return IO_FAIL;
	char *names = malloc(XATTR_LIST_MAX);
	ssize_t n = names ? flistxattr(fd, names, XATTR_LIST_MAX) : -1;
	if (n < 0)
		res = io_perror(io_current(io)->name);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t len;
		if (strncmp(names + at, PREFIX, strlen(PREFIX)))
			continue;
		const char *name = names + at + strlen(PREFIX);
		char *value = o->verbose ? get_value(fd, names + at, &len) : NULL;
		if (o->verbose && !value)
			res = io_perror(name);
		else if (value)
			printf("%s=%s\n", name, value);
		else
			printf("%s\n", name);
		free(value);
	}
	free(names);
	return res;
}

static int get_run(struct io *io, struct io_call *c)
{
	int res = IO_OK;
	if (!check_root(io))
		return IO_FAIL;
	for (int i = 0; i < c->argc; i++) {
		char attr[XATTR_NAME_MAX + 1];
		ssize_t len;
		if (!attribute(c->argv[i], strlen(c->argv[i]), attr))
			return IO_FAIL;
		char *value = get_value(io_current(io)->fd, attr, &len);
		if (value)
			printf("%s=%s\n", c->argv[i], value);
		else
			res = io_perror(c->argv[i]);
		free(value);
	}
	return res;
}

struct set_opts {
	bool force;
};

static const struct io_opt set_options[] = {
	{ 'f', IO_OPT_FLAG, offsetof(struct set_opts, force), 0, NULL, "any name and value", NULL },
	{ 0 },
};

static bool is_known(const char *name, size_t len, const char *value)
{
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		if (strlen(known[k].name) != len || memcmp(known[k].name, name, len))
			continue;
		for (size_t v = 0; known[k].values[v]; v++)
			if (!strcmp(known[k].values[v], value))
				return true;
	}
	return false;
}

static int set_run(struct io *io, struct io_call *c)
{
	const struct set_opts *o = c->opts;
	int res = IO_OK;
	if (!c->argc)
		return io_usage(c);
	if (!check_root(io))
		return IO_FAIL;
	for (int i = 0; i < c->argc; i++) {
		char attr[XATTR_NAME_MAX + 1];
		const char *word = c->argv[i], *equals = strchr(word, '=');
		if (!equals) {
			fprintf(stderr, "%s: property without a value\n", word);
			return IO_FAIL;
		}
		size_t len = (size_t)(equals - word);
		if (!attribute(word, len, attr))
			return IO_FAIL;
		if (!o->force && !is_known(word, len, equals + 1)) {
			fprintf(stderr, "%s: invalid value\n", word);
			return IO_FAIL;
		}
		if (fsetxattr(io_current(io)->fd, attr, equals + 1, strlen(equals + 1), 0) < 0)
			res = io_perror(word);
		else
			printf("%s\n", word);
	}
	return res;
}

static int remove_run(struct io *io, struct io_call *c)
{
	int res = IO_OK;
	if (!check_root(io))
		return IO_FAIL;
	for (int i = 0; i < c->argc; i++) {
		char attr[XATTR_NAME_MAX + 1];
		if (!attribute(c->argv[i], strlen(c->argv[i]), attr))
			return IO_FAIL;
		if (fremovexattr(io_current(io)->fd, attr) < 0)
			res = io_perror(c->argv[i]);
	}
	return res;
}

const struct io_command io_fsprop_commands[] = {
	{ .name = "listfsprops", .args = "[-v]",
	  .oneline = "list the properties of the filesystem (of its root directory)", .opts = list_options, .argmin = 0,
	  .argmax = IO_ANY, .flags = 0, .run = list_run },
	{ .name = "getfsprops", .args = "name [names...]", .oneline = "show properties of the filesystem",
	  .argmin = 1, .argmax = IO_ANY, .flags = 0, .run = get_run },
	{ .name = "setfsprops", .args = "[-f] name=value [name=value...]",
	  .oneline = "set properties of the filesystem", .opts = set_options,
	  .about = " Without -f only autofsck=none|check|optimize|repair|auto.\n", .argmin = 1, .argmax = IO_ANY,
	  .flags = 0, .run = set_run },
	{ .name = "removefsprops", .args = "name [names...]", .oneline = "remove properties of the filesystem",
	  .argmin = 1, .argmax = IO_ANY, .flags = 0, .run = remove_run },
	{ 0 },
};
