PROGRAMS += xfs_db
xfs_db_SRCS = \
	db/addr.c \
	db/command.c \
	db/convert.c \
	db/cursor.c \
	db/main.c \
	db/otherdev.c \
	db/position.c \
	db/show.c
