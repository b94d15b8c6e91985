libxfs_SRCS += \
	libxfs/mount/geometry.c \
	libxfs/mount/sbrules.c
