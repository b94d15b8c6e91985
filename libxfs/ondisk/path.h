/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.h - names of fields: "u3.bmx[0-3].startblock" (grammar and error texts: format sheet 07, section 4).
 *
 * A path is resolved against a buffer, since names exist only where their part of a structure does.  It stays valid as
 * long as the tables; its indexes are those that the user wrote or the whole array.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_PATH_H
#define XFS_ONDISK_PATH_H

#include "libxfs/ondisk/field.h"

#define XFS_PATH_DEPTH 12u

struct xfs_path_step {
	const struct xfs_row *row;
	/* elements, as the user counts them (from row->to); 0, 0 where there is no index */
	uint64_t low, high;
	bool indexed, ranged;		/* the user wrote [low], [low-high] */
};

struct xfs_path {
	unsigned nsteps;		/* > 0 */
	struct xfs_path_step steps[XFS_PATH_DEPTH];
	struct xfs_place last;		/* structure of the last step, along the lowest elements */
};

struct xfs_path_error {
	char text[160];			/* one line without its end, cut to fit */
};

/* Parses `text` for a structure that starts at `top`. 0, or -XFS_E_INVALID with *why filled. */
int xfs_path_parse(const struct xfs_ctx *, struct xfs_place top, const char *text, struct xfs_path *out,
		   struct xfs_path_error *why);

/*
 * The bits that a path names, along the lowest elements: a number, a text, elements low to high of an array, or all
 * bytes of a structure of fixed size.  False for structures of varying size.
 */
bool xfs_path_bits(const struct xfs_ctx *, const struct xfs_path *, struct xfs_bitrange *);

/* Value of a field of at most 64 bits; -XFS_E_RANGE when it has more or varies. */
int xfs_field_get(const struct xfs_ctx *, const struct xfs_path *, uint64_t *value);
/*
 * Stores into `buf`, which is ctx->p in writable form; the value must fit (two's complement allowed), else
 * -XFS_E_RANGE.
 */
int xfs_field_put(const struct xfs_ctx *, const struct xfs_path *, uint8_t *buf, uint64_t value);

#endif
