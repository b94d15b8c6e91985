PROGRAMS += xfs_repair
# the core needs libc only: it is part of the driver of cross builds, too
repair_core_SRCS = \
	repair/agcross.c \
	repair/agtrees.c \
	repair/chunks.c \
	repair/conflict.c \
	repair/content.c \
	repair/cores.c \
	repair/flips.c \
	repair/forks.c \
	repair/guess.c \
	repair/hints.c \
	repair/judge.c \
	repair/leaves.c \
	repair/locate.c \
	repair/log.c \
	repair/lost.c \
	repair/mend.c \
	repair/names.c \
	repair/names_attr.c \
	repair/names_block.c \
	repair/names_build.c \
	repair/names_decide.c \
	repair/names_dir.c \
	repair/names_gather.c \
	repair/names_new.c \
	repair/names_place.c \
	repair/names_plan.c \
	repair/names_restore.c \
	repair/names_round.c \
	repair/names_short.c \
	repair/names_symlink.c \
	repair/names_table.c \
	repair/names_tree.c \
	repair/newforks.c \
	repair/observe_ags.c \
	repair/observe_inodes.c \
	repair/rebuild.c \
	repair/reconcile.c \
	repair/repair.c \
	repair/replay.c \
	repair/restore.c \
	repair/roots.c \
	repair/sbvotes.c \
	repair/scan.c \
	repair/select.c \
	repair/space.c \
	repair/specials.c \
	repair/survey.c \
	repair/switch.c \
	repair/treewalk.c \
	repair/upgrade.c \
	repair/verify.c
xfs_repair_SRCS = $(repair_core_SRCS) \
	repair/devices.c \
	repair/jsonout.c \
	repair/main.c \
	repair/options.c \
	repair/places.c \
	repair/plan.c \
	repair/progress.c \
	repair/salvage.c \
	repair/salvage_copy.c \
	repair/suboptions.c \
	repair/undo.c \
	repair/watch.c \
	repair/words.c
