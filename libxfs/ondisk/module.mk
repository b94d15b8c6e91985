libxfs_SRCS += \
	libxfs/ondisk/agheaders.c \
	libxfs/ondisk/attr.c \
	libxfs/ondisk/blocktypes.c \
	libxfs/ondisk/btree.c \
	libxfs/ondisk/dir.c \
	libxfs/ondisk/dquot.c \
	libxfs/ondisk/field.c \
	libxfs/ondisk/inode.c \
	libxfs/ondisk/inode_forks.c \
	libxfs/ondisk/logitems.c \
	libxfs/ondisk/logrecord.c \
	libxfs/ondisk/path.c \
	libxfs/ondisk/print.c \
	libxfs/ondisk/print_json.c \
	libxfs/ondisk/realtime.c \
	libxfs/ondisk/superblock.c \
	libxfs/ondisk/values.c
