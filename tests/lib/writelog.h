/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writelog.h - what a program writes to a device, in order, and any part of it played back to another one.
 */
#ifndef TESTS_LIB_WRITELOG_H
#define TESTS_LIB_WRITELOG_H

#include "libxfs/device/device.h"

#include <pthread.h>

enum writelog_kind { WRITELOG_WRITE, WRITELOG_ZERO, WRITELOG_DISCARD, WRITELOG_BARRIER };

struct writelog_entry {
	enum writelog_kind kind;
	uint64_t off, len;
	size_t at;		/* of the bytes of a write */
};

struct writelog {
	struct writelog_entry *e;
	size_t n, room;
	uint8_t *bytes;
	size_t nbytes, bytes_room;
	uint64_t writes;	/* all but barriers: counted as the layer that fails counts them */
	pthread_mutex_t lock;
};

void writelog_init(struct writelog *);
void writelog_free(struct writelog *);
/* A layer that passes everything on and remembers what is written. Takes over `below`; the log outlives it. */
int writelog_dev(struct xfs_dev **out, struct xfs_dev *below, struct writelog *);
/* Plays all of it, until the device fails. */
void writelog_play(const struct writelog *, struct xfs_dev *);
/* Length of the n-th write (from 1). */
uint64_t writelog_length(const struct writelog *, uint64_t n);

#endif
