/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.h - text of structures and fields, exactly as xfs_db shows them (format sheet 07, sections 4 and 5).
 *
 * Text goes to a sink in pieces of any size.  The output grows with the buffer, not with what counts in it claim.
 * Times are shown in the zone of the process (localtime_r).  Layer: ondisk.
 */
#ifndef XFS_ONDISK_PRINT_H
#define XFS_ONDISK_PRINT_H

#include "libxfs/ondisk/path.h"

struct xfs_text_sink {
	/* Takes len bytes, without a NUL. Returns 0 or a negative code, which stops the printing. */
	int (*write)(void *payload, const char *text, size_t len);
	void *payload;
};

/* What is said behind a checksum: the state of the whole loaded buffer. */
enum xfs_crc_state { XFS_CRC_UNCHECKED, XFS_CRC_GOOD, XFS_CRC_BAD };

struct xfs_printer {
	struct xfs_text_sink sink;
	enum xfs_crc_state crc;
};

/* All fields that are not hidden. 0 or the code of the sink. */
int xfs_print_all(const struct xfs_ctx *, struct xfs_place top, const struct xfs_printer *);
/* One field with what is in it, hidden ones too when they are named. */
int xfs_print_path(const struct xfs_ctx *, struct xfs_place top, const struct xfs_path *, const struct xfs_printer *);

/* Bytes without structure: 32 a line in groups of four ("000: 58465342 ..."), and 16 a line with text. */
int xfs_print_data(const uint8_t *p, size_t len, const struct xfs_printer *);
int xfs_print_text(const uint8_t *p, size_t len, const struct xfs_printer *);
/* Bytes as a quoted string with escapes. */
int xfs_print_string(const uint8_t *p, size_t len, const struct xfs_printer *);

/* The value of a number or text row alone, as behind " = ". */
int xfs_print_value(const struct xfs_ctx *, struct xfs_place, const struct xfs_row *, const struct xfs_printer *);
/* "Mon Nov 23 05:04:41 2026" in local time, or the seconds when there is no such date. Cut to size; 32 is enough. */
void xfs_time_text(int64_t seconds, char *buf, size_t size);
/* Words of formats and metafile types; NULL when there is none. */
const char *xfs_dinode_fmt_word(uint64_t fmt);
const char *xfs_metafile_word(uint64_t type);

#endif
