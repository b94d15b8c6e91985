/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * badsectors.c - a library to preload: sectors of one file can't be read until they are written.
 *
 * BAD_FILE: the file; BAD_RANGES: "offset+length,...", bytes, whole sectors of 512.  Only preadv() and pwritev() are
 * looked at: what the device layer of the tools calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define SECTOR 512
#define MOST 65536

static unsigned long long bad[MOST];	/* sector numbers */
static size_t nbad;
static dev_t dev;
static ino_t ino;

static void load(void)
{
	static int done;
	const char *text = getenv("BAD_RANGES"), *file = getenv("BAD_FILE");
	struct stat st;

	if (done++ || !text || !file || stat(file, &st))
		return;
	dev = st.st_dev;
	ino = st.st_ino;
	while (*text) {
		char *end;
		unsigned long long off = strtoull(text, &end, 10), len = strtoull(end + 1, &end, 10);

		for (unsigned long long at = off; at < off + len && nbad < MOST; at += SECTOR)
			bad[nbad++] = at / SECTOR;
		text = *end ? end + 1 : end;
	}
}

static int is_ours(int fd)
{
	struct stat st;

	load();
	return nbad && !fstat(fd, &st) && st.st_dev == dev && st.st_ino == ino;
}

static unsigned long long length_of(const struct iovec *iov, int n)
{
	unsigned long long sum = 0;

	for (int i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

ssize_t preadv64(int fd, const struct iovec *iov, int n, off64_t off)
{
	ssize_t (*next)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, "preadv64");
	unsigned long long end = (unsigned long long)off + length_of(iov, n);

	if (is_ours(fd))
		for (size_t i = 0; i < nbad; i++)
			if (bad[i] * SECTOR < end && (bad[i] + 1) * SECTOR > (unsigned long long)off) {
				errno = EIO;
				return -1;
			}
	return next(fd, iov, n, off);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t off)
{
	ssize_t (*next)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, "pwritev64");
	unsigned long long end = (unsigned long long)off + length_of(iov, n);
	size_t keep = 0;

	if (is_ours(fd)) {	/* the disk puts another sector in its place */
		for (size_t i = 0; i < nbad; i++)
			if (bad[i] * SECTOR < (unsigned long long)off || (bad[i] + 1) * SECTOR > end)
				bad[keep++] = bad[i];
		nbad = keep;
	}
	return next(fd, iov, n, off);
}

ssize_t preadv(int fd, const struct iovec *iov, int n, off_t off)
{
	return preadv64(fd, iov, n, off);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
	return pwritev64(fd, iov, n, off);
}
