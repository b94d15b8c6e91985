/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - xfs_io: options, opening the files, running the commands (format sheet 09, section 2). */
#include "io/io.h"

#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The release whose command line and outputs these are; scripts parse the line. */
#define COMPATIBLE_VERSION "6.15.0"

struct task {
	const char *line;
	bool per_file;
};

struct arguments {
	unsigned flags;
	mode_t mode;
	bool idle_thread;
	struct task *tasks;
	size_t n_tasks;
};

/* -1: go on; else exit with this code */
enum { GO_ON = -1 };

static int usage(const struct io *io)
{
	fprintf(stderr, "Usage: %s [-adfinrRstVx] [-m mode] [-p prog] [[-c|-C] cmd]... file\n", io->prog);
	return 1;
}

static int parse_mode(struct arguments *a, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 8);
	if (end == text || *end || v > 07777) {
		fprintf(stderr, "non-numeric mode -- %s\n", text);
		return 1;
	}
	a->mode = (mode_t)v;
	return GO_ON;
}

static int parse_options(struct io *io, struct arguments *a, int argc, char **argv)
{
	static const struct { char letter; unsigned flag; } map[] = {
		{ 'a', IO_APPEND }, { 'd', IO_DIRECT }, { 'f', IO_CREATE }, { 'n', IO_NONBLOCK }, { 'r', IO_READONLY },
		{ 'R', IO_REALTIME }, { 's', IO_SYNC }, { 't', IO_TRUNCATE }, { 'T', IO_TMPFILE }, { 'P', IO_PATH },
		{ 'L', IO_NOFOLLOW }, { 'F', 0 },
	};
	int letter;
	while ((letter = getopt(argc, argv, "ac:C:dFfim:np:rRstTPLVx")) != -1) {
		switch (letter) {
		case 'c':
		case 'C':
			a->tasks[a->n_tasks++] = (struct task){ optarg, letter == 'c' };
			break;
		case 'i':
			a->idle_thread = true;
			break;
		case 'm':
			if (parse_mode(a, optarg) != GO_ON)
				return 1;
			break;
		case 'p':
			io->prog = optarg;
			break;
		case 'V':
			printf("%s version %s\n", io->prog, COMPATIBLE_VERSION);
			return 0;
		case 'x':
			io->expert = true;
			break;
		case '?':
			return usage(io);
		default:
			for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
				if (map[i].letter == letter)
					a->flags |= map[i].flag;
		}
	}
	return GO_ON;
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* A second thread makes the kernel treat the table of descriptors as shared. */
static int start_idle_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, idle, NULL);
	if (!error)
		return GO_ON;
	fprintf(stderr, "pthread_create: %s\n", strerror(error));
	return 1;
}

static int run(struct io *io, int argc, char **argv)
{
	struct arguments a = { .mode = 0600 };
	int code = 1;
	a.tasks = calloc((size_t)argc, sizeof(*a.tasks));
	if (!a.tasks || io_commands_setup() < 0) {
		io_perror(io->prog);
		goto out;
	}
	code = parse_options(io, &a, argc, argv);
	if (code == GO_ON && a.idle_thread)
		code = start_idle_thread();
	if (code != GO_ON)
		goto out;
	code = 1;
	for (int i = optind; i < argc; i++)
		if (io_add_file(io, argv[i], a.flags, a.mode) != IO_OK)
			goto out;
	int res = IO_OK;
	for (size_t i = 0; i < a.n_tasks && !(res & IO_STOP); i++)
		res = io_run_line(io, a.tasks[i].line, a.tasks[i].per_file);
	if (!a.n_tasks)
		io_interact(io);
	code = io->failed ? 1 : 0;
out:
	io_free_all(io);
	io_commands_free();
	free(a.tasks);
	return code;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	struct io io = { .prog = slash ? slash + 1 : argv[0] };
	int code = run(&io, argc, argv);
	if (fflush(stdout) || ferror(stdout)) {
		io_perror("stdout");
		code = 1;
	}
	return code;
}
