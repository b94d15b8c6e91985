libxfs_SRCS += \
	libxfs/transaction/defer.c \
	libxfs/transaction/edit.c \
	libxfs/transaction/transaction.c
