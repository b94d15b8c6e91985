libxfs_SRCS +=
