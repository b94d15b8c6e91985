libxfs_SRCS += \
	libxfs/log/state.c
