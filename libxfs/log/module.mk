libxfs_SRCS += \
	libxfs/log/format.c \
	libxfs/log/logsize.c \
	libxfs/log/state.c
