/* SPDX-License-Identifier: BSD-2-Clause */
/* tape.c - a window of a temporary file; no file as long as all fits into the window. */
#include "repair/tape.h"

#include "libxfs/base/errors.h"
#include "libxfs/base/fdio.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW ((size_t)128 << 10)

static int flush(struct tape *t)
{
	int error;

	if (!t->end)
		t->fd = xfs_fd_temporary(NULL);
	if (t->fd < 0)
		return t->fd;
	error = xfs_fd_write(t->fd, t->window, t->used, t->at);
	if (error) {
		if (!t->end)
			close(t->fd);
		return error;
	}
	t->end = t->at += t->used;
	t->used = 0;
	return 0;
}

int tape_add(struct tape *t, const void *bytes, size_t len, uint64_t *at)
{
	int error;

	if (len > TAPE_MOST || t->reading)
		return -XFS_E_INTERNAL;
	if (!t->window)
		t->window = malloc(WINDOW);
	if (!t->window)
		return -XFS_E_NOMEM;
	error = t->used + len > WINDOW ? flush(t) : 0;
	if (error)
		return error;
	*at = t->at + t->used;
	memcpy(t->window + t->used, bytes, len);
	t->used += len;
	return 0;
}

int tape_read(struct tape *t, uint64_t at, size_t len, const uint8_t **bytes)
{
	/* once there is a file it has all of it, and the window is a part of that */
	int error = t->end && !t->reading && t->used ? flush(t) : 0;

	t->reading = true;
	if (error)
		return error;
	if (at < t->at || at + len > t->at + t->used) {
		size_t ahead = TAPE_MOST;

		if (len > ahead || at > t->end || len > t->end - at)
			return -XFS_E_INTERNAL;
		if (ahead > t->end - at)
			ahead = (size_t)(t->end - at);
		t->used = 0;
		error = xfs_fd_read(t->fd, t->window, ahead, at);
		if (error)
			return error;
		t->at = at;
		t->used = ahead;
	}
	*bytes = t->window + (at - t->at);
	return 0;
}

void tape_release(struct tape *t)
{
	if (t->end)
		close(t->fd);
	free(t->window);
	*t = (struct tape){ 0 };
}
