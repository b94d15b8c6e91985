libxfs_SRCS += \
	libxfs/log/area.c \
	libxfs/log/checkpoint.c \
	libxfs/log/close.c \
	libxfs/log/format.c \
	libxfs/log/items.c \
	libxfs/log/load.c \
	libxfs/log/logsize.c \
	libxfs/log/parts.c \
	libxfs/log/records.c \
	libxfs/log/state.c \
	libxfs/log/survey.c \
	libxfs/log/transactions.c \
	libxfs/log/validate.c \
	libxfs/log/validate_items.c \
	libxfs/log/writer.c
