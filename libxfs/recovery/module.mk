libxfs_SRCS += \
	libxfs/recovery/batch.c \
	libxfs/recovery/buffers.c \
	libxfs/recovery/cancel.c \
	libxfs/recovery/careful.c \
	libxfs/recovery/contents.c \
	libxfs/recovery/doubt.c \
	libxfs/recovery/finish.c \
	libxfs/recovery/images.c \
	libxfs/recovery/inodes.c \
	libxfs/recovery/intents.c \
	libxfs/recovery/owner.c \
	libxfs/recovery/pieces.c \
	libxfs/recovery/quota.c \
	libxfs/recovery/replay.c \
	libxfs/recovery/run.c \
	libxfs/recovery/settle.c \
	libxfs/recovery/works.c
