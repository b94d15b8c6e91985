/* SPDX-License-Identifier: BSD-2-Clause */
/* values.h - how single values read, and the buffered way of text to a sink. Internal to ondisk. */
#ifndef XFS_ONDISK_VALUES_H
#define XFS_ONDISK_VALUES_H

#include "libxfs/ondisk/print.h"

struct xfs_text_out {
	struct xfs_text_sink sink;
	int err;			/* first code of the sink: everything behind it is dropped */
	size_t n;
	char buf[8192];
};

void xfs_out_bytes(struct xfs_text_out *, const char *, size_t len);
void xfs_out_char(struct xfs_text_out *, char);
void xfs_out_text(struct xfs_text_out *, const char *);
void xfs_out_number(struct xfs_text_out *, uint64_t);
void xfs_out_hex(struct xfs_text_out *, uint64_t, unsigned digits);	/* at least so many digits */
void xfs_out_string(struct xfs_text_out *, const uint8_t *, size_t len);
/* Hands over what is left; returns the first error. */
int xfs_out_flush(struct xfs_text_out *);

/* Writes the digits without a NUL and returns how many (at most 20). */
size_t xfs_decimal(char *buf, uint64_t v);

void xfs_out_value(struct xfs_text_out *, const struct xfs_ctx *, struct xfs_place, const struct xfs_row *,
		   enum xfs_crc_state);
/* True for elements of arrays that are left out. */
bool xfs_value_is_skipped(const struct xfs_ctx *, struct xfs_place, const struct xfs_row *);
/* The number in two's complement. */
int64_t xfs_sign_extend(uint64_t v, unsigned bits);
/* Seconds and nanoseconds of a time row. */
int64_t xfs_value_seconds(uint64_t v, unsigned bits);
uint64_t xfs_value_nanoseconds(uint64_t v, unsigned bits);
/* Seconds of a quota timer; false when it is to be shown as a plain number. */
bool xfs_value_quota_time(const struct xfs_ctx *, struct xfs_place, uint64_t v, int64_t *seconds);
/* A number that stands for "none". */
bool xfs_value_is_null(const struct xfs_row *, uint64_t v);

#endif
