libxfs_SRCS += \
	libxfs/log/logsize.c \
	libxfs/log/state.c
