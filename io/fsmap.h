/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fsmap.h - the parts of the fsmap command: fsmap.c asks the kernel, fsmap_text.c and fsmap_sums.c print.
 *
 * Records come in batches in the kernel's order.  A printer is told of each batch before its rows, since the widths of
 * the long listing are those that the batch needs, and its heading those of the first (format sheet 09, section 6).
 * Layer: tool.
 */
#ifndef XFSKIT_IO_FSMAP_H
#define XFSKIT_IO_FSMAP_H

#include "io/io.h"
#include "io/out.h"

#include <linux/fsmap.h>

/* Owners of XFS, beyond those that linux/fsmap.h knows; the code of FMR_OWNER('X', code). */
enum xfs_fsmap_code {
	XFS_FSMAP_FS = 1, XFS_FSMAP_LOG, XFS_FSMAP_AG, XFS_FSMAP_INOBT, XFS_FSMAP_INODES, XFS_FSMAP_REFC, XFS_FSMAP_COW,
	XFS_FSMAP_DEFECTIVE,
};

struct fsmap_geometry {
	bool known;
	uint32_t data_device;		/* records of it have AG numbers */
	uint64_t ag_sectors;		/* 512-byte blocks of one AG */
	uint64_t stripe_unit, stripe_width;	/* 512-byte blocks, 0: none */
};

struct fsmap_printer {
	/* is_first comes once, with n 0 when there are no records at all */
	void (*batch)(struct fsmap_printer *p, const struct fsmap *r, uint32_t n, bool is_first);
	void (*row)(struct fsmap_printer *p, const struct fsmap *r, uint64_t index);
	void (*end)(struct fsmap_printer *p);
	struct fsmap_geometry geometry;
	struct io_out out;
};

/* Name of a special owner; NULL: it has none, see fsmap_special_text(). */
const char *fsmap_owner_name(uint64_t owner);
/* Name, or "special TYPE:CODE" written to text. */
const char *fsmap_special_text(uint64_t owner, char text[IO_TEXT_SIZE]);

struct fsmap_printer *fsmap_plain_new(void);
struct fsmap_printer *fsmap_csv_new(void);
struct fsmap_printer *fsmap_long_new(void);
struct fsmap_printer *fsmap_json_new(void);
struct fsmap_printer *fsmap_sums_new(bool json);

#endif
