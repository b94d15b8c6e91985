libxfs_SRCS += \
	libxfs/build/ag.c \
	libxfs/build/ag_headers.c \
	libxfs/build/ag_layout.c \
	libxfs/build/ag_load.c \
	libxfs/build/ag_records.c \
	libxfs/build/attr.c \
	libxfs/build/attr_blocks.c \
	libxfs/build/datree.c \
	libxfs/build/dir.c \
	libxfs/build/dir_blocks.c \
	libxfs/build/filemap.c \
	libxfs/build/fork.c \
	libxfs/build/hashkeys.c \
	libxfs/build/treewrite.c
