# SPDX-License-Identifier: BSD-2-Clause
# base: checksums, sorting, bitmaps, threads, errors, findings
libxfs_SRCS += \
	libxfs/base/bitmap.c \
	libxfs/base/crc32c.c \
	libxfs/base/errors.c \
	libxfs/base/extents.c \
	libxfs/base/fdio.c \
	libxfs/base/findings.c \
	libxfs/base/grow.c \
	libxfs/base/json.c \
	libxfs/base/mix.c \
	libxfs/base/pool.c \
	libxfs/base/sort.c \
	libxfs/base/sorter.c
