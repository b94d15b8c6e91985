PROGRAMS += xfs_io
xfs_io_SRCS = \
	io/advise.c \
	io/aginfo.c \
	io/attr.c \
	io/bmap.c \
	io/bulk.c \
	io/bulkstat.c \
	io/command.c \
	io/copy.c \
	io/encrypt.c \
	io/exchange.c \
	io/extsize.c \
	io/fiemap.c \
	io/files.c \
	io/freeze.c \
	io/fsmap.c \
	io/fsmap_sums.c \
	io/fsmap_text.c \
	io/fsprop.c \
	io/inject.c \
	io/inode.c \
	io/input.c \
	io/label.c \
	io/link.c \
	io/main.c \
	io/mapio.c \
	io/misc.c \
	io/mmap.c \
	io/number.c \
	io/open.c \
	io/out.c \
	io/parent.c \
	io/pread.c \
	io/prealloc.c \
	io/projid.c \
	io/pwrite.c \
	io/readdir.c \
	io/report.c \
	io/scrub.c \
	io/seek.c \
	io/stat.c \
	io/statfs.c \
	io/statx.c \
	io/sync.c \
	io/times.c \
	io/transfer.c \
	io/update.c \
	io/verity.c \
	io/walk.c
xfs_io_LIBS = $(EDIT_LIBS)
xfs_io_CFLAGS = $(EDIT_CFLAGS)
BASH_COMPLETIONS += io/xfs_io.bash
