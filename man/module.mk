MAN_PAGES += \
	man/man8/xfs_repair.8
