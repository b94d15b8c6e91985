libxfs_SRCS += \
	libxfs/name/forkblocks.c \
	libxfs/name/hashtree.c \
	libxfs/name/hashtree_join.c \
	libxfs/name/dirdata_change.c \
	libxfs/name/dirindex.c \
	libxfs/name/dirshort.c \
	libxfs/name/dirblock.c \
	libxfs/name/dirleaf.c \
	libxfs/name/dirnode.c \
	libxfs/name/dirfree.c \
	libxfs/name/dirchange.c \
	libxfs/name/attr.c \
	libxfs/name/attr_value.c \
	libxfs/name/da.c \
	libxfs/name/da_verify.c \
	libxfs/name/dir.c \
	libxfs/name/dir_lookup.c \
	libxfs/name/dirdata.c \
	libxfs/name/hash.c \
	libxfs/name/path.c \
	libxfs/name/verify_attr.c \
	libxfs/name/verify_dir.c \
	libxfs/name/verify_dirdata.c \
	libxfs/name/verify_dirindex.c
