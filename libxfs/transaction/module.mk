libxfs_SRCS += \
	libxfs/transaction/defer.c \
	libxfs/transaction/edit.c \
	libxfs/transaction/file_gone.c \
	libxfs/transaction/file_share.c \
	libxfs/transaction/file_space.c \
	libxfs/transaction/file_write.c \
	libxfs/transaction/gather.c \
	libxfs/transaction/inode_items.c \
	libxfs/transaction/intents.c \
	libxfs/transaction/items.c \
	libxfs/transaction/journal.c \
	libxfs/transaction/names.c \
	libxfs/transaction/rename.c \
	libxfs/transaction/transaction.c
