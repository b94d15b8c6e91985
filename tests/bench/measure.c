/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure.c - runs a command and says what it cost: wall, user and system time (s), peak memory (KiB), exit status.
 *
 *	measure RESULT COMMAND ARGUMENT...
 *
 * One line is written to the file RESULT.  A child starts with the peak memory of the one that forked it, so a small
 * program has to do it.  A command that a signal ended has status 128 + signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct rusage used;
	double start, wall;
	int status = 0;
	FILE *out;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: measure RESULT COMMAND ARGUMENT...\n");
		return 2;
	}
	out = fopen(argv[1], "we");
	start = now();
	pid = out ? fork() : -1;
	if (pid == 0) {
		execv(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
		perror("measure");
		return 1;
	}
	wall = now() - start;
	fprintf(out, "%.6f %.6f %.6f %ld %d\n", wall, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(out) ? 1 : 0;
}
