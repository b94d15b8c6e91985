libxfs_SRCS += \
	libxfs/check/fingerprint.c \
	libxfs/check/mapset.c
