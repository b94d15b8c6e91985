libxfs_SRCS += \
	libxfs/base/errors.c
