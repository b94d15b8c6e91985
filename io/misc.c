/* SPDX-License-Identifier: BSD-2-Clause */
/* misc.c - crc32cselftest, getrusage, log_writes: aids for debugging. */
#include "io/io.h"
#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>

#define SELFTEST_BYTES 225944u		/* what the output has always said */
#define SELFTEST_SPAN 4096u

/* Bytes that look random and are the same everywhere. */
static void fill(unsigned char *bytes, size_t n)
{
	uint32_t x = 0x2545f491;
	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		bytes[i] = (unsigned char)(x >> 24);
	}
}

/* Pieces of all alignments by both implementations, and one value that is known from elsewhere. */
static unsigned count_errors(const unsigned char *bytes)
{
	unsigned errors = ~xfs_crc32c(XFS_CRC32C_SEED, "123456789", 9) != 0xe3069283u;
	size_t at = 0;
	for (uint32_t i = 0; at < SELFTEST_BYTES; i++) {
		size_t n = (size_t)(i * 397u) % SELFTEST_SPAN + 1;
		if (n > SELFTEST_BYTES - at)
			n = SELFTEST_BYTES - at;
		uint32_t seed = i * 0x9e3779b9u;
		errors += xfs_crc32c(seed, bytes + at, n) != xfs_crc32c_portable(seed, bytes + at, n);
		at += n;
	}
	return errors;
}

static int selftest_run(struct io *io, struct io_call *c)
{
	(void)io;
	(void)c;
	unsigned char *bytes = malloc(SELFTEST_BYTES);
	if (!bytes)
		return io_perror("crc32cselftest");
	fill(bytes, SELFTEST_BYTES);
	double start = io_now();
	xfs_crc32c(XFS_CRC32C_SEED, bytes, SELFTEST_BYTES);
	double seconds = io_now() - start;
	unsigned errors = count_errors(bytes);
	free(bytes);
	if (errors) {
		printf("crc32c: %u self tests failed\n", errors);
		return IO_FAIL;
	}
	printf("crc32c: tests passed, %u bytes in %.0f usec\n", SELFTEST_BYTES, seconds * 1e6);
	return IO_OK;
}

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static int getrusage_run(struct io *io, struct io_call *c)
{
	struct rusage r;
	(void)io;
	(void)c;
	if (getrusage(RUSAGE_SELF, &r) < 0)
		return io_perror("getrusage");
	double user = seconds_of(r.ru_utime), sys = seconds_of(r.ru_stime);
	static double started;		/* the first call starts the clock */
	double now = io_now();
	if (started == 0.0)
		started = now;
	double elapsed = now - started;
	printf("%.3fu %.3fs %u:%05.2f %.1f%%\t%ld+%ldk %ld+%ldio %ldpf+%ldw\n", user, sys, (unsigned)(elapsed / 60.0),
		elapsed - 60.0 * (double)(unsigned)(elapsed / 60.0),
		elapsed > 0.0 ? 100.0 * (user + sys) / elapsed : 100.0, r.ru_maxrss,
		r.ru_ixrss + r.ru_isrss + r.ru_idrss, r.ru_inblock, r.ru_oublock, r.ru_majflt, r.ru_nswap);
	return IO_OK;
}

struct mark_opts {
	const char *device, *mark;
};

static const struct io_opt mark_options[] = {
	{ 'd', IO_OPT_TEXT, offsetof(struct mark_opts, device), 0, "device", "name of the dm-log-writes device", NULL },
	{ 'm', IO_OPT_TEXT, offsetof(struct mark_opts, mark), 0, "mark", "name of the mark", NULL },
	{ 0 },
};

static int log_writes_run(struct io *io, struct io_call *c)
{
	const struct mark_opts *o = c->opts;
	(void)io;
	if (!o->device || !o->mark || c->argc)
		return io_usage(c);
	fprintf(stderr, "log_writes: %s: not built with libdevmapper\n", o->device);
	return IO_FAIL;
}

const struct io_command io_misc_commands[] = {
	{ .name = "crc32cselftest", .alias = "crc", .args = "", .oneline = "check the CRC32C code of this program",
	  .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = selftest_run },
	{ .name = "getrusage", .alias = "g", .args = "", .oneline = "show what this process has used",
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT | IO_EXPERT,
	  .run = getrusage_run },
	{ .name = "log_writes", .alias = "lw", .args = "-d device -m mark",
	  .oneline = "put a mark into the log of a dm-log-writes device", .opts = mark_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN | IO_NOFILE | IO_ONESHOT, .run = log_writes_run },
	{ 0 },
};
