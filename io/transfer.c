/* SPDX-License-Identifier: BSD-2-Clause */
/* transfer.c - see transfer.h. */
#include "io/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Bytes of one call. */
static int64_t stride(const struct io_transfer *t)
{
	return t->block * (t->vectors ? t->vectors : 1);
}

bool io_transfer_vectors(const char *text, uint32_t *n)
{
	int64_t v = 0;
	if (text && (!io_parse_size(NULL, text, &v) || v <= 0 || v > INT32_MAX)) {
		printf("non-numeric vector count == %s\n", text);
		return false;
	}
	*n = (uint32_t)v;
	return true;
}

int io_transfer_setup(struct io_transfer *t, int byte)
{
	uint32_t buffers = t->vectors ? t->vectors : 1;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;
	if (t->pattern == IO_ONCE && t->length > 0)
		t->block = (t->length + buffers - 1) / buffers;
	if (t->block > INT64_MAX / buffers || (uint64_t)stride(t) > SIZE_MAX) {
		errno = ENOMEM;
		return -1;
	}
	/* a block far larger than the range needs no more memory than the range */
	size_t size = (size_t)min64(stride(t), t->length > 0 ? t->length : 1);
	int error = posix_memalign(&p, page, size);
	if (error) {
		errno = error;
		return -1;
	}
	t->buf = p;
	if (byte >= 0)
		memset(t->buf, byte, size);
	if (t->vectors) {
		t->iov = calloc(t->vectors, sizeof(*t->iov));
		if (!t->iov) {
			io_transfer_free(t);
			return -1;
		}
	}
	return 0;
}

void io_transfer_free(struct io_transfer *t)
{
	free(t->buf);
	free(t->iov);
	t->buf = NULL;
	t->iov = NULL;
}

int io_transfer_vector(struct io_transfer *t, size_t len)
{
	int n = 0;
	for (size_t at = 0; at < len; n++) {
		size_t part = len - at < (size_t)t->block ? len - at : (size_t)t->block;
		t->iov[n] = (struct iovec){ .iov_base = t->buf + at, .iov_len = part };
		at += part;
	}
	return n;
}

/* One step; returns 1 to go on, 0 at the end, -1 with errno. */
static int step(struct io_transfer *t, int64_t off, int64_t len)
{
	ssize_t n = t->step(t, off, (size_t)len);
	if (n < 0)
		return -1;
	if (n == 0)
		return 0;
	t->ops++;
	t->done += n;
	return n == len;
}

static int run_forward(struct io_transfer *t)
{
	int more = 1;
	for (int64_t at = 0; at < t->length && more > 0; at += stride(t))
		more = step(t, t->offset + at, min64(stride(t), t->length - at));
	return more < 0 ? -1 : 0;
}

static int run_backward(struct io_transfer *t)
{
	int more = 1;
	int64_t low = t->length < t->offset ? t->offset - t->length : 0;
	for (int64_t end = t->offset; end > low && more > 0;) {
		int64_t odd = end % stride(t);
		int64_t len = min64(odd ? odd : stride(t), end - low);
		end -= len;
		more = step(t, end, len);
	}
	return more < 0 ? -1 : 0;
}

static int run_random(struct io_transfer *t)
{
	int more = 1;
	int64_t places = t->length / stride(t) + (t->length % stride(t) != 0);
	srandom(t->seed);
	for (int64_t i = 0; i < places && more > 0; i++) {
		uint64_t draw = ((uint64_t)random() << 31) | (uint64_t)random();
		int64_t at = (int64_t)(draw % (uint64_t)places) * stride(t);
		more = step(t, t->offset + at, min64(stride(t), t->length - at));
		if (more == 0 && t->done)	/* a short piece at the end of the file is no reason to stop */
			more = 1;
	}
	return more < 0 ? -1 : 0;
}

int io_transfer_run(struct io_transfer *t)
{
	switch (t->pattern) {
	case IO_BACKWARD:
		return run_backward(t);
	case IO_RANDOM:
		return run_random(t);
	default:
		return run_forward(t);
	}
}
