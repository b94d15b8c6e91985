libxfs_SRCS += \
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
