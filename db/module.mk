PROGRAMS += xfs_db
xfs_db_SRCS = \
	db/addr.c \
	db/btdump.c \
	db/command.c \
	db/convert.c \
	db/cursor.c \
	db/json.c \
	db/main.c \
	db/position.c \
	db/show.c
