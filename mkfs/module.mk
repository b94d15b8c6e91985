PROGRAMS += mkfs.xfs
mkfs.xfs_SRCS = \
	mkfs/config.c \
	mkfs/devices.c \
	mkfs/features.c \
	mkfs/geometry.c \
	mkfs/inodes.c \
	mkfs/loggeometry.c \
	mkfs/main.c \
	mkfs/options.c \
	mkfs/rtgeometry.c \
	mkfs/table.c \
	mkfs/wipe.c \
	mkfs/write.c
mkfs.xfs_LIBS = $(BLKID_LIBS) $(UUID_LIBS) $(INIH_LIBS)
mkfs.xfs_CFLAGS = $(BLKID_CFLAGS) $(UUID_CFLAGS) $(INIH_CFLAGS)
