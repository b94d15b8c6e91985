# SPDX-License-Identifier: BSD-2-Clause
# device: the stack of devices
libxfs_SRCS += \
	libxfs/device/borrow.c \
	libxfs/device/device.c \
	libxfs/device/fault.c \
	libxfs/device/file.c \
	libxfs/device/file_io.c \
	libxfs/device/file_mounted.c \
	libxfs/device/file_zero.c \
	libxfs/device/overlay.c \
	libxfs/device/overlay_changes.c \
	libxfs/device/overlay_store.c \
	libxfs/device/slice.c \
	libxfs/device/stats.c \
	libxfs/device/undo.c \
	libxfs/device/undo_apply.c
