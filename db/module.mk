PROGRAMS += xfs_db
xfs_db_SRCS = \
	db/addr.c \
	db/command.c \
	db/convert.c \
	db/cursor.c \
	db/logprint.c \
	db/logprint_item.c \
	db/logprint_match.c \
	db/main.c \
	db/otherdev.c \
	db/position.c \
	db/show.c
