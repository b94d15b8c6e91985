/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logwriter.h - writes logs as kernels do, in either byte order, for tests of what reads them.
 *
 * Independent of the library's own writing of logs: records are put together from the offsets of format sheet 04.
 */
#ifndef TESTS_UNIT_LOGWRITER_H
#define TESTS_UNIT_LOGWRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct logwriter {
	/* set by the test before the first call */
	uint8_t *area;			/* the log */
	uint32_t blocks;		/* its length, 512-byte blocks */
	const uint8_t *uuid;
	bool le, v1;
	uint32_t size;			/* h_size, bytes */
	uint32_t unit;			/* bytes that records are rounded to */
	uint32_t at, cycle;		/* of the first record */
	uint32_t most;			/* data bytes in a record; 0: what h_size allows */
	bool no_crc;
	/* state */
	uint64_t tail_lsn, lsn;		/* of the first record and of the current one */
	uint32_t prev, nops, len, nrecords;
	uint8_t *data;			/* of the current record */
	uint32_t starts[4096];		/* blocks of the records written */
};

/* Fills the log as a used one, in which the first record comes next; cycle 1: zeroes. */
void logwriter_init(struct logwriter *);
/* The same on a log that is there: it goes on at `at` in `cycle`. */
void logwriter_open(struct logwriter *);
void logwriter_free(struct logwriter *);
/* An operation as it stands, in this record. */
void logwriter_op(struct logwriter *, uint32_t tid, unsigned client, unsigned flags, const void *p, uint32_t len);
void logwriter_start(struct logwriter *, uint32_t tid);
void logwriter_header(struct logwriter *, uint32_t tid, uint32_t regions);
/* A region, cut over records where it must. */
void logwriter_region(struct logwriter *, uint32_t tid, const void *p, uint32_t len);
void logwriter_commit(struct logwriter *, uint32_t tid);
/* Start and header of a transaction. */
void logwriter_begin(struct logwriter *, uint32_t tid);
/* Ends it, and the record: the next one has an LSN of its own. */
void logwriter_end(struct logwriter *, uint32_t tid);
/* Ends the record, when there is something in it. */
void logwriter_flush(struct logwriter *);
/* Sets the checksum of the record whose first block is `blk` anew (one that does not go round the end). */
void logwriter_seal(const struct logwriter *, uint32_t blk);

#endif
