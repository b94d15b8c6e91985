PROGRAMS += xfs_repair
# the core needs libc only: it is part of the driver of cross builds, too
repair_core_SRCS = \
	repair/agcross.c \
	repair/agtrees.c \
	repair/chunks.c \
	repair/conflict.c \
	repair/cores.c \
	repair/forks.c \
	repair/judge.c \
	repair/locate.c \
	repair/log.c \
	repair/lost.c \
	repair/names.c \
	repair/newforks.c \
	repair/observe_ags.c \
	repair/observe_inodes.c \
	repair/rebuild.c \
	repair/reconcile.c \
	repair/repair.c \
	repair/replay.c \
	repair/roots.c \
	repair/scan.c \
	repair/space.c \
	repair/switch.c \
	repair/verify.c
xfs_repair_SRCS = $(repair_core_SRCS) \
	repair/main.c \
	repair/options.c \
	repair/words.c
