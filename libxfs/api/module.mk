libxfs_SRCS += \
	libxfs/api/api.c
PUBLIC_HEADERS += \
	include/xfskit/xfskit.h
