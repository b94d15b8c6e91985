PROGRAMS += xfs_db
xfs_db_SRCS = \
	db/addr.c \
	db/agreport.c \
	db/bmap.c \
	db/btdump.c \
	db/btheight.c \
	db/command.c \
	db/complete.c \
	db/convert.c \
	db/cursor.c \
	db/frag.c \
	db/freesp.c \
	db/fsmap.c \
	db/json.c \
	db/judge.c \
	db/ls.c \
	db/logprint.c \
	db/logprint_item.c \
	db/logprint_match.c \
	db/main.c \
	db/otherdev.c \
	db/owner.c \
	db/owner_links.c \
	db/owner_scan.c \
	db/position.c \
	db/prompt.c \
	db/replay.c \
	db/show.c \
	db/superblock.c \
	mkfs/table.c
xfs_db_CFLAGS = $(EDIT_CFLAGS)
xfs_db_LIBS = $(EDIT_LIBS)
