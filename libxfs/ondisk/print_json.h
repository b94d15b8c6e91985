/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_json.h - structures as JSON: the same fields as print.h shows, for programs.
 *
 * Numbers are numbers, what reads as hexadecimal is a string "0x...", all ones of addresses is null, times are seconds,
 * formats are their words.  Arrays count from 0 here, also those that users count from 1.  A checksum has a sibling
 * "crc_state".  Layer: ondisk.
 */
#ifndef XFS_ONDISK_PRINT_JSON_H
#define XFS_ONDISK_PRINT_JSON_H

#include "libxfs/base/json.h"
#include "libxfs/ondisk/print.h"

/* Members of one structure into an object that is open. */
void xfs_json_fields(struct xfs_json *, const struct xfs_ctx *, struct xfs_place top, enum xfs_crc_state);
/*
 * The part that a path names, as a member called `name` of an object that is open; a range in the last component is an
 * array, components before it count as their first element.
 */
void xfs_json_path(struct xfs_json *, const struct xfs_ctx *, const struct xfs_path *, const char *name,
		enum xfs_crc_state);

#endif
