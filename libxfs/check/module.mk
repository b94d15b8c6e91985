libxfs_SRCS += \
	libxfs/check/fingerprint.c
