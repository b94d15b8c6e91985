libxfs_SRCS += \
	libxfs/mount/ag.c \
	libxfs/mount/agmember.c \
	libxfs/mount/blocks.c \
	libxfs/mount/buffer.c \
	libxfs/mount/buffer_check.c \
	libxfs/mount/buffer_io.c \
	libxfs/mount/buffer_memory.c \
	libxfs/mount/change.c \
	libxfs/mount/fs.c \
	libxfs/mount/geometry.c \
	libxfs/mount/sbrules.c
