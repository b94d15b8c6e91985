/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksum walk: one line per file of a tree, in byte order of the paths. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "guest.h"

/*
 * A line is: type inode mode uid gid nlink size contents xattrs path, separated by single spaces.
 *   type      f d l c b p s
 *   size      bytes of a file or link target; major:minor of a device; - of anything else
 *   contents  SHA-256 of a file's data or a link's target, - of anything else
 *   xattrs    SHA-256 over (name NUL length NUL value) of all attributes in byte order of their names, - if none
 *   path      relative, "." for the top; bytes outside 33..126 and the backslash as \ooo
 */

static int errors;

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "walk: %s: %s: %s\n", path, what, strerror(errno));
	errors++;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Links of one inode that follow each other are read once: directories of thousands of links are test material. */
static int hash_file(const char *path, const struct stat *st, char hex[65])
{
	static char last_hex[65];
	static dev_t last_dev;
	static ino_t last_ino;
	static unsigned char buffer[1 << 18];
	struct sha256 s;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_NOFOLLOW);

	if (fd >= 0 && last_hex[0] && last_dev == st->st_dev && last_ino == st->st_ino) {
		strcpy(hex, last_hex);
		close(fd);
		return 0;
	}
	strcpy(hex, "unreadable");
	if (fd < 0)
		return -1;
	sha256_start(&s);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		sha256_add(&s, buffer, (size_t)got);
	close(fd);
	if (got < 0)
		return -1;
	sha256_end(&s, hex);
	strcpy(last_hex, hex);
	last_dev = st->st_dev;
	last_ino = st->st_ino;
	return 0;
}

static int hash_link(const char *path, char hex[65])
{
	char target[PATH_MAX];
	struct sha256 s;
	ssize_t got = readlink(path, target, sizeof(target));

	strcpy(hex, "unreadable");
	if (got < 0)
		return -1;
	sha256_start(&s);
	sha256_add(&s, target, (size_t)got);
	sha256_end(&s, hex);
	return 0;
}

static int hash_xattr(struct sha256 *s, const char *path, const char *name)
{
	static char value[1 << 16];
	char length[24];
	ssize_t got = lgetxattr(path, name, value, sizeof(value));
	int digits;

	if (got < 0)
		return -1;
	digits = snprintf(length, sizeof(length), "%zd", got);
	sha256_add(s, name, strlen(name) + 1);
	sha256_add(s, length, (size_t)digits + 1);
	sha256_add(s, value, (size_t)got);
	return 0;
}

static int hash_xattrs(const char *path, char hex[65])
{
	static char list[1 << 16];
	static char *names[1 << 15];
	struct sha256 s;
	size_t n = 0, i;
	ssize_t size = llistxattr(path, list, sizeof(list));
	char *p;

	strcpy(hex, size < 0 ? "unreadable" : "-");
	if (size <= 0)
		return (int)size;
	for (p = list; p < list + size; p += strlen(p) + 1)
		names[n++] = p;
	qsort(names, n, sizeof(names[0]), compare_names);
	sha256_start(&s);
	for (i = 0; i < n; i++)
		if (hash_xattr(&s, path, names[i])) {
			strcpy(hex, "unreadable");
			return -1;
		}
	sha256_end(&s, hex);
	return 0;
}

static void print_path(const char *path)
{
	const unsigned char *p;

	for (p = (const unsigned char *)path; *p; p++)
		if (*p <= 32 || *p >= 127 || *p == '\\')
			printf("\\%03o", *p);
		else
			putchar(*p);
	putchar('\n');
}

static int print_line(const char *path, struct stat *st)
{
	char contents[65] = "-", xattrs[65], size[32] = "-";
	char type = '?';

	switch (st->st_mode & S_IFMT) {
	case S_IFREG: type = 'f'; break;
	case S_IFDIR: type = 'd'; break;
	case S_IFLNK: type = 'l'; break;
	case S_IFCHR: type = 'c'; break;
	case S_IFBLK: type = 'b'; break;
	case S_IFIFO: type = 'p'; break;
	case S_IFSOCK: type = 's'; break;
	}
	if (type == 'f' || type == 'l')
		snprintf(size, sizeof(size), "%lld", (long long)st->st_size);
	if (type == 'c' || type == 'b')
		snprintf(size, sizeof(size), "%u:%u", major(st->st_rdev), minor(st->st_rdev));
	if (type == 'f' && hash_file(path, st, contents))
		complain(path, "data");
	if (type == 'l' && hash_link(path, contents))
		complain(path, "link");
	if (hash_xattrs(path, xattrs))
		complain(path, "attributes");
	printf("%c %llu %04o %u %u %lu %s %s %s ", type, (unsigned long long)st->st_ino,
	       (unsigned)(st->st_mode & 07777), st->st_uid, st->st_gid, (unsigned long)st->st_nlink, size, contents,
	       xattrs);
	print_path(path);
	return type == 'd';
}

/* Sorted names of a directory, without . and ..; NULL when it cannot be read. */
static char **read_names(const char *path, size_t *count)
{
	size_t n = 0, room = 64;
	char **names = malloc(room * sizeof(*names));
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir || !names) {
		complain(path, "directory");
		free(names);
		if (dir)
			closedir(dir);
		return NULL;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (n == room) {
			room *= 2;
			names = realloc(names, room * sizeof(*names));
			if (!names)
				die(path, "memory");
		}
		names[n] = strdup(entry->d_name);
		if (!names[n++])
			die(path, "memory");
	}
	if (errno)
		complain(path, "directory");
	closedir(dir);
	qsort(names, n, sizeof(*names), compare_names);
	*count = n;
	return names;
}

static void walk(const char *path)
{
	char child[PATH_MAX];
	struct stat st;
	size_t n = 0, i;
	char **names;

	if (lstat(path, &st)) {
		complain(path, "stat");
		return;
	}
	if (!print_line(path, &st))
		return;
	names = read_names(path, &n);
	for (i = 0; i < n; i++) {
		if (!strcmp(path, "."))
			snprintf(child, sizeof(child), "%s", names[i]);
		else if ((size_t)snprintf(child, sizeof(child), "%s/%s", path, names[i]) >= sizeof(child))
			die(path, "path too long");
		walk(child);
		free(names[i]);
	}
	free(names);
}

/* walk DIR [START]: list the tree below START (default: all), with paths relative to DIR. */
int walk_main(int argc, char **argv)
{
	if (argc < 2 || argc > 3 || chdir(argv[1]))
		die(argc > 1 ? argv[1] : "walk", "walk DIR [START]");
	walk(argc == 3 ? argv[2] : ".");
	if (fflush(stdout))
		die("stdout", "write");
	return errors != 0;
}
