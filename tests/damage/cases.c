/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cases.c - what xfs_repair makes of one damaged image after the other, without an image for each.
 *
 * cases IMAGE
 *	Each line of the input is a case, its words are changes of IMAGE:
 *	OFFSET=HEX	these bytes stand there
 *	OFFSET^LENGTH@FIELD	the CRC32C of LENGTH bytes at OFFSET, stored at byte FIELD of them
 * For each case xfs_repair runs above the image, with -L where it asks for it, and then xfs_repair -n; in a process of
 * its own, so that one which dies is noticed.  The image is never changed.
 * Prints "SIGNAL LENGTH" and a newline, then LENGTH bytes: what was said, each run headed by "--- xfs_repair OPTIONS:
 * exit STATUS" (behind what it said).  SIGNAL: what killed the process, or 0.
 * Exit status: 0 the input ended, 2 it makes no sense, or the image cannot be used.
 */
#include "repair/tool.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/sanitized.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY ((size_t)64 << 20)	/* of changes, before they go to a file */
#define SPACE ((rlim_t)512 << 20)	/* of addresses */
#define SECONDS 60u			/* of processor time */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int write_hex(struct xfs_dev *dev, uint64_t off, const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = malloc(len + 1);
	int error = bytes && len && strlen(hex) % 2 == 0 ? 0 : -XFS_E_INVALID;

	for (size_t i = 0; i < len && !error; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			error = -XFS_E_INVALID;
		else
			bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (!error)
		error = xfs_dev_write(dev, off, bytes, len);
	free(bytes);
	return error;
}

static int write_crc(struct xfs_dev *dev, uint64_t off, char *rest)
{
	char *end;
	size_t len = strtoul(rest, &end, 10), field = *end == '@' ? strtoul(end + 1, &end, 10) : len;
	uint8_t *bytes = malloc(len + 1);
	int error = bytes && !*end && field + 4 <= len ? 0 : -XFS_E_INVALID;

	if (!error)
		error = xfs_dev_read(dev, off, bytes, len);
	if (!error) {
		xfs_crc32c_store(bytes, len, field);
		error = xfs_dev_write(dev, off + field, bytes + field, 4);
	}
	free(bytes);
	return error;
}

/* The changes of one line. */
static int damage(struct xfs_dev *dev, char *line)
{
	int error = 0;

	for (char *word = strtok(line, " \n"); word && !error; word = strtok(NULL, " \n")) {
		char *end;
		uint64_t off = strtoull(word, &end, 10);

		error = end == word ? -XFS_E_INVALID : *end == '=' ? write_hex(dev, off, end + 1) :
			*end == '^' ? write_crc(dev, off, end + 1) : -XFS_E_INVALID;
	}
	return error;
}

/* The exit status of one run with these options, which is also said. */
static int run_tool(struct xfs_dev *dev, const char *name, const char *option)
{
	char how[] = "force_geometry,threads=1";	/* cases beside each other take the processors */
	char *argv[] = { "xfs_repair", "--json", "-o", how, (char *)(option ? option : name), option ? (char *)name :
			 NULL, NULL };
	struct repair_options o;
	struct repair_devices d = { 0 };
	int status;

	optind = 0;
	status = repair_parse_options(&o, option ? 6 : 5, argv);
	if (status < 0) {
		status = xfs_dev_borrow(&d.set.data, dev) || repair_devices_stack(&d, &o)
				 ? REPAIR_EXIT_CORRUPT : repair_tool(&d, &o);
		repair_devices_close(&d);
	}
	printf("--- xfs_repair%s%s: exit %d\n", option ? " " : "", option ? option : "", status);
	fflush(stdout);
	return status;
}

/* In a process of its own: all that is said goes to `out`. */
static void one_case(struct xfs_dev *image, char *line, int out)
{
	struct rlimit space = { SPACE, SPACE }, seconds = { SECONDS, SECONDS + 5 };
	int none = open("/dev/null", O_RDONLY);
	struct xfs_dev *dev;

	/* the place in the input is that of the process above */
	if (dup2(none, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 ||
	    setrlimit(RLIMIT_CPU, &seconds) || (!XFS_SANITIZED && setrlimit(RLIMIT_AS, &space)))
		_exit(2);
	setvbuf(stdout, NULL, _IOLBF, 0);	/* lines of both streams, whole */
	if (xfs_dev_scratch(&dev, image, MEMORY) || damage(dev, line)) {
		printf("cases: this change cannot be made\n");
		fflush(stdout);
		_exit(2);
	}
	if (run_tool(dev, image->name, NULL) == REPAIR_EXIT_DIRTY_LOG)
		run_tool(dev, image->name, "-L");
	run_tool(dev, image->name, "-n");
	xfs_dev_close(dev);
	exit(0);	/* leaks are looked for at the end */
}

static int print_result(int status, int out)
{
	off_t len = lseek(out, 0, SEEK_END);
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	char piece[65536];

	printf("%d %lld\n", sig, (long long)len);
	for (off_t at = 0; at < len;) {
		ssize_t got = pread(out, piece, sizeof(piece), at);

		if (got <= 0)
			return 2;
		fwrite(piece, 1, (size_t)got, stdout);
		at += got;
	}
	fflush(stdout);
	return WIFEXITED(status) && WEXITSTATUS(status) == 2 ? 2 : 0;
}

int main(int argc, char **argv)
{
	int out = memfd_create("said", 0), result = 0;
	struct xfs_dev *image = NULL;
	char *line = NULL;
	size_t room = 0;

	if (argc != 2 || out < 0 || xfs_dev_file(&image, argv[1], XFS_DEV_READONLY, 0, NULL)) {
		fprintf(stderr, "usage: cases IMAGE\n");
		return 2;
	}
	while (!result && getline(&line, &room, stdin) > 0) {
		pid_t child;
		int status;

		if (ftruncate(out, 0) || lseek(out, 0, SEEK_SET) < 0)
			return 2;
		child = fork();
		if (!child)
			one_case(image, line, out);
		if (child < 0 || waitpid(child, &status, 0) < 0)
			return 2;
		result = print_result(status, out);
	}
	free(line);
	xfs_dev_close(image);
	close(out);
	return result;
}
