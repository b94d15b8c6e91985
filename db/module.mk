PROGRAMS += xfs_db
xfs_db_SRCS = \
	db/addr.c \
	db/bmap.c \
	db/btdump.c \
	db/btheight.c \
	db/command.c \
	db/complete.c \
	db/convert.c \
	db/cursor.c \
	db/fsmap.c \
	db/json.c \
	db/judge.c \
	db/main.c \
	db/otherdev.c \
	db/owner.c \
	db/owner_links.c \
	db/owner_scan.c \
	db/position.c \
	db/prompt.c \
	db/show.c
xfs_db_CFLAGS = $(EDIT_CFLAGS)
xfs_db_LIBS = $(EDIT_LIBS)
