/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * undo_priv.h - format of undo files, shared by the layer that writes them (undo.c) and what takes back (undo_apply.c).
 *
 * A header of 512 bytes, then records, each a head of 40 bytes and its data.  All integers are big-endian.  A range of
 * the device is in at most one record, so their order does not matter.  What a record says of its range:
 *	DATA		these bytes were there
 *	ZERO		zeroes were there (no data)
 *	UNREADABLE	it could not be read: nothing can be put back (no data)
 * Header: the part of the file that is known to be durable (all records in it must be sound) is told apart from the
 * part written last, which a crash may have torn; writes of that part were not released to the device then.
 */
#ifndef XFS_DEVICE_UNDO_PRIV_H
#define XFS_DEVICE_UNDO_PRIV_H

#include "libxfs/device/device.h"

#define XFS_UNDO_MAGIC UINT64_C(0x5846534b554e444f)	/* "XFSKUNDO" */
#define XFS_UNDO_VERSION 1u
#define XFS_UNDO_RECORD_MAGIC UINT32_C(0x556e5265)	/* "UnRe" */
#define XFS_UNDO_HEADER 512u
#define XFS_UNDO_HEAD 40u
#define XFS_UNDO_DATA_MAX (1u << 20)	/* data of one record */

enum undo_kind { UNDO_DATA = 1, UNDO_ZERO = 2, UNDO_UNREADABLE = 3 };

struct undo_head {
	uint32_t kind;
	uint64_t off, len;	/* bytes on the device */
	uint32_t data_crc;	/* of the data; 0 when there is none */
};

void xfs_undo_header_encode(uint8_t out[XFS_UNDO_HEADER], const struct xfs_dev_undo_info *);
/* Errors: BADMAGIC, BADCRC, UNSUPPORTED (version), CORRUPT (values). */
int xfs_undo_header_decode(struct xfs_dev_undo_info *, const uint8_t in[XFS_UNDO_HEADER]);
void xfs_undo_head_encode(uint8_t out[XFS_UNDO_HEAD], const struct undo_head *);
/* Errors: BADMAGIC, BADCRC, CORRUPT. */
int xfs_undo_head_decode(struct undo_head *, const uint8_t in[XFS_UNDO_HEAD]);

/* CRC over a range of a device as it is now, continued from crc; what can't be read counts as zeroes. Errors: NOMEM. */
int xfs_undo_crc_range(struct xfs_dev *, uint64_t off, uint64_t len, uint32_t *crc);

#endif
