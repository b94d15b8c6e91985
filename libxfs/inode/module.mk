libxfs_SRCS += \
	libxfs/inode/fork.c \
	libxfs/inode/fork_io.c \
	libxfs/inode/inode.c \
	libxfs/inode/inode_verify.c \
	libxfs/inode/live.c \
	libxfs/inode/scan.c \
	libxfs/inode/symlink.c
