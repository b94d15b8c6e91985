/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logrecord.h - header of a log record and of an operation in it (format sheet 04, sections 3 and 4).
 *
 * A record header fills a 512-byte block; the first word of each block of the record is replaced by the cycle number,
 * the words themselves stand in cycle_data.  Layer: ondisk.
 */
#ifndef XFS_ONDISK_LOGRECORD_H
#define XFS_ONDISK_LOGRECORD_H

#include "libxfs/ondisk/schema.h"

#define XFS_LOG_MAGIC UINT32_C(0xfeedbabe)
#define XFS_LOG_FMT_LE 1u
#define XFS_LOG_FMT_BE 2u
#define XFS_LOG_HEADER_DATA 32768u		/* bytes of a record that one header block has cycle words for */
#define XFS_LOG_CYCLE_DATA_OFF 44u		/* 64 words */

#define XFS_LOG_CLIENT_LOG 0xaau
#define XFS_LOG_OP_UNMOUNT 0x20u
#define XFS_LOG_UNMOUNT_MAGIC 0x556eu		/* in the order of the writer */

#define XFS_LOG_REC_ROWS(S, F, V, B, A)							\
	F(S, magicno, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, cycle, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, version, 64, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, len, 96, 32, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, lsn, 128, 64, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, tail_lsn, 192, 64, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, crc, 256, 32, XO_LE, XF_CRC, NULL, XT_NONE)				\
	F(S, prev_block, 288, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, num_logops, 320, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	F(S, fmt, 2400, 32, XO_BE, XF_DEC, NULL, XT_NONE)				\
	B(S, fs_uuid, 2432, 16, XF_UUID, NULL, XT_NONE)					\
	F(S, size, 2560, 32, XO_BE, XF_DEC, NULL, XT_NONE)

#define XFS_LOG_OP_ROWS(S, F, V, B, A)							\
	F(S, tid, 0, 32, XO_BE, XF_HEX, NULL, XT_NONE)					\
	F(S, len, 32, 32, XO_BE, XF_DEC, NULL, XT_NONE)					\
	F(S, clientid, 64, 8, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, flags, 72, 8, XO_BE, XF_HEX, NULL, XT_NONE)				\
	F(S, res2, 80, 16, XO_BE, XF_HEX, NULL, XT_NONE)

XFS_STRUCT_DECLARE(log_rec, 324, XFS_LOG_REC_ROWS);
XFS_STRUCT_DECLARE(log_op, 12, XFS_LOG_OP_ROWS);

#endif
