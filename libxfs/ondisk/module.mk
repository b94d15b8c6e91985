libxfs_SRCS += \
	libxfs/ondisk/agheaders.c \
	libxfs/ondisk/attr.c \
	libxfs/ondisk/btree.c \
	libxfs/ondisk/dir.c \
	libxfs/ondisk/inode.c \
	libxfs/ondisk/inode_forks.c \
	libxfs/ondisk/logrecord.c \
	libxfs/ondisk/superblock.c
