/* SPDX-License-Identifier: BSD-2-Clause */
/* fdio.c - whole reads and writes on a file descriptor, and unlinked temporary files. */
#include "libxfs/base/fdio.h"
#include "libxfs/base/errors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* one transfer; Linux moves no more than this much at once anyway */
#define CHUNK ((size_t)1 << 30)

static size_t chunk_of(size_t len)
{
	return len < CHUNK ? len : CHUNK;
}

int xfs_fd_read(int fd, void *buf, size_t len, uint64_t off)
{
	char *p = buf;

	while (len) {
		ssize_t n = pread(fd, p, chunk_of(len), (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xfs_error_from_errno(errno);
		if (n == 0)
			return -XFS_E_SHORT;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int xfs_fd_write(int fd, const void *buf, size_t len, uint64_t off)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, chunk_of(len), (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xfs_error_from_errno(errno);
		if (n == 0)
			return -XFS_E_IO;
		p += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int xfs_fd_temporary(const char *dir)
{
	char path[4096];
	int fd, n;

	if (!dir)
		dir = secure_getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
#ifdef O_TMPFILE
	fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
#endif
	n = snprintf(path, sizeof(path), "%s/xfskit-XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -XFS_E_NAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return xfs_error_from_errno(errno);
	if (unlink(path)) {
		n = xfs_error_from_errno(errno);
		close(fd);
		return n;
	}
	return fd;
}
