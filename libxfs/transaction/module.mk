libxfs_SRCS += \
	libxfs/transaction/defer.c \
	libxfs/transaction/edit.c \
	libxfs/transaction/file_gone.c \
	libxfs/transaction/file_share.c \
	libxfs/transaction/file_space.c \
	libxfs/transaction/file_write.c \
	libxfs/transaction/transaction.c
