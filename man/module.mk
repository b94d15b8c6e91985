MAN_PAGES += \
	man/man8/mkfs.xfs.8 \
	man/man8/xfs_db.8 \
	man/man8/xfs_io.8 \
	man/man8/xfs_repair.8
