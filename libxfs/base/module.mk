# SPDX-License-Identifier: BSD-2-Clause
# base: checksums, sorting, bitmaps, threads, errors, findings
libxfs_SRCS += \
	libxfs/base/crc32c.c \
	libxfs/base/errors.c \
	libxfs/base/findings.c
