libxfs_SRCS += \
	libxfs/ondisk/agheaders.c \
	libxfs/ondisk/btree.c \
	libxfs/ondisk/superblock.c
