libxfs_SRCS += \
	libxfs/build/fork.c
