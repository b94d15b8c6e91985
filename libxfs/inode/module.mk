libxfs_SRCS += \
	libxfs/inode/aginodes.c \
	libxfs/inode/aginodes_records.c \
	libxfs/inode/alloc.c \
	libxfs/inode/bmap.c \
	libxfs/inode/bmap_alloc.c \
	libxfs/inode/bmap_records.c \
	libxfs/inode/bmap_shift.c \
	libxfs/inode/bmap_tree.c \
	libxfs/inode/chunk.c \
	libxfs/inode/exchange.c \
	libxfs/inode/fork.c \
	libxfs/inode/fork_io.c \
	libxfs/inode/fork_place.c \
	libxfs/inode/forkoff.c \
	libxfs/inode/inode.c \
	libxfs/inode/inode_verify.c \
	libxfs/inode/live.c \
	libxfs/inode/live_inode.c \
	libxfs/inode/remap.c \
	libxfs/inode/scan.c \
	libxfs/inode/symlink.c \
	libxfs/inode/symlink_make.c \
	libxfs/inode/truncate.c \
	libxfs/inode/unlinked.c
