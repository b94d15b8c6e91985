/* SPDX-License-Identifier: BSD-2-Clause */
/* verity.c - enable_verity, measure_verity: the fsverity ioctls. */
#include "io/io.h"

#include <errno.h>
#include <linux/fsverity.h>
#include <string.h>
#include <sys/ioctl.h>

#define DIGEST_MAX 64u

struct verity_opts {
	const char *hash, *salt;
	uint32_t block;
};

static const struct io_opt enable_options[] = {
	{ 'h', IO_OPT_TEXT, offsetof(struct verity_opts, hash), 0, "hash", "sha256 (default) or sha512", NULL },
	{ 'b', IO_OPT_U32, offsetof(struct verity_opts, block), 0, "size", "bytes of a block of the hash tree (4096)",
	  "block size" },
	{ 's', IO_OPT_TEXT, offsetof(struct verity_opts, salt), 0, "salt", "up to 32 bytes that go into the hashes",
	  NULL },
	{ 0 },
};

static int enable_run(struct io *io, struct io_call *c)
{
	const struct verity_opts *o = c->opts;
	struct fsverity_enable_arg a;
	if (c->argc)
		return io_usage(c);
	memset(&a, 0, sizeof(a));
	a.version = 1;
	a.block_size = o->block ? o->block : 4096;
	a.hash_algorithm = FS_VERITY_HASH_ALG_SHA256;
	if (o->hash && !strcmp(o->hash, "sha512")) {
		a.hash_algorithm = FS_VERITY_HASH_ALG_SHA512;
	} else if (o->hash && strcmp(o->hash, "sha256")) {
		fprintf(stderr, "unknown hash algorithm -- %s\n", o->hash);
		return IO_FAIL;
	}
	if (o->salt) {
		a.salt_size = (uint32_t)strlen(o->salt);
		a.salt_ptr = (uintptr_t)o->salt;
	}
	return ioctl(io_current(io)->fd, FS_IOC_ENABLE_VERITY, &a) < 0 ? io_perror("FS_IOC_ENABLE_VERITY") : IO_OK;
}

static int measure_run(struct io *io, struct io_call *c)
{
	union {			/* the digest follows the structure */
		struct fsverity_digest head;
		uint8_t bytes[sizeof(struct fsverity_digest) + DIGEST_MAX];
	} d;
	(void)c;
	memset(&d, 0, sizeof(d));
	d.head.digest_size = DIGEST_MAX;
	if (ioctl(io_current(io)->fd, FS_IOC_MEASURE_VERITY, &d) < 0)
		return io_perror("FS_IOC_MEASURE_VERITY");
	if (d.head.digest_algorithm == FS_VERITY_HASH_ALG_SHA256)
		printf("sha256:");
	else if (d.head.digest_algorithm == FS_VERITY_HASH_ALG_SHA512)
		printf("sha512:");
	else
		printf("%u:", d.head.digest_algorithm);
	for (unsigned i = 0; i < d.head.digest_size && i < DIGEST_MAX; i++)
		printf("%02x", d.head.digest[i]);
	printf(" %s\n", io_current(io)->name);
	return IO_OK;
}

const struct io_command io_verity_commands[] = {
	{ .name = "enable_verity", .args = "[-h hash] [-b size] [-s salt]",
	  .oneline = "protect the file (opened with -r) by a tree of hashes", .opts = enable_options,
	  .argmin = 0, .argmax = IO_ANY, .flags = IO_FOREIGN, .run = enable_run },
	{ .name = "measure_verity", .args = "", .oneline = "show the hash of a file that is protected",
	  .flags = IO_FOREIGN, .run = measure_run },
	{ 0 },
};
