/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-load.c - fills a mounted filesystem for tests/bench/compare, through the kernel.
 *
 * make-load files FOLDER FILES FOLDERS     so many files of one extent each, in so many folders
 * make-load extents FILE EXTENTS           one file whose extents are single blocks with holes between them
 * make-load clones FILE CLONES             so many copies of the file that share all its blocks
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *what)
{
	perror(what);
	return 1;
}

static bool make_file(int dir, unsigned long i)
{
	static const char bytes[3072] = "a file";
	char name[32];
	int fd;
	bool good;

	snprintf(name, sizeof(name), "file-%lu", i);
	fd = openat(dir, name, O_CREAT | O_WRONLY | O_EXCL, 0644);
	if (fd < 0)
		return false;
	good = write(fd, bytes, 1024 + i % 3 * 1000) > 0;
	return !close(fd) && good;
}

static int make_files(const char *folder, unsigned long files, unsigned long folders)
{
	char name[32];

	if (chdir(folder))
		return failed(folder);
	for (unsigned long d = 0; d < folders; d++) {
		int fd;

		snprintf(name, sizeof(name), "folder-%lu", d);
		fd = mkdir(name, 0755) ? -1 : open(name, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			return failed(name);
		for (unsigned long i = 0; i < files / folders; i++)
			if (!make_file(fd, i))
				return failed(name);
		close(fd);
	}
	return 0;
}

/* Every second block of one allocation is given back. */
static int make_extents(const char *path, unsigned long extents)
{
	int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || fallocate(fd, 0, 0, 2 * (off_t)extents * st.st_blksize))
		return failed(path);
	for (unsigned long i = 0; i < extents; i++)
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (2 * (off_t)i + 1) * st.st_blksize,
			      st.st_blksize))
			return failed("punch");
	return close(fd) ? failed(path) : 0;
}

static int make_clones(const char *path, unsigned long clones)
{
	int from = open(path, O_RDONLY);
	char name[4096];

	if (from < 0)
		return failed(path);
	for (unsigned long i = 0; i < clones; i++) {
		int to;

		snprintf(name, sizeof(name), "%s.%lu", path, i);
		to = open(name, O_CREAT | O_WRONLY | O_EXCL, 0644);
		if (to < 0 || ioctl(to, FICLONE, from) || close(to))
			return failed(name);
	}
	close(from);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "files") && strtoul(argv[4], NULL, 10))
		return make_files(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "extents"))
		return make_extents(argv[2], strtoul(argv[3], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "clones"))
		return make_clones(argv[2], strtoul(argv[3], NULL, 10));
	fputs("usage: make-load files FOLDER FILES FOLDERS | extents FILE EXTENTS | clones FILE CLONES\n", stderr);
	return 2;
}
