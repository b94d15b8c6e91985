PROGRAMS += xfs_repair
# the core needs libc only: it is part of the driver of cross builds, too
repair_core_SRCS = \
	repair/agask.c \
	repair/agcross.c \
	repair/agtrees.c \
	repair/blockscan.c \
	repair/chunks.c \
	repair/conflict.c \
	repair/content.c \
	repair/cores.c \
	repair/flips.c \
	repair/forks.c \
	repair/glance.c \
	repair/guess.c \
	repair/guess_rt.c \
	repair/hints.c \
	repair/in_place.c \
	repair/judge.c \
	repair/lanes.c \
	repair/leaves.c \
	repair/locate.c \
	repair/log.c \
	repair/lost.c \
	repair/mend.c \
	repair/names.c \
	repair/names_attr.c \
	repair/names_attrmend.c \
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
	repair/names_value.c \
	repair/names_want.c \
	repair/newforks.c \
	repair/observe_ags.c \
	repair/observe_inodes.c \
	repair/owners.c \
	repair/partial.c \
	repair/quota.c \
	repair/realtime.c \
	repair/realtime_files.c \
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
	repair/strays.c \
	repair/survey.c \
	repair/switch.c \
	repair/treewalk.c \
	repair/upgrade.c \
	repair/verify.c
# all that has no main()
repair_tool_SRCS = $(repair_core_SRCS) \
	repair/devices.c \
	repair/jsonout.c \
	repair/options.c \
	repair/places.c \
	repair/plan.c \
	repair/progress.c \
	repair/salvage.c \
	repair/salvage_copy.c \
	repair/suboptions.c \
	repair/tool.c \
	repair/undo.c \
	repair/watch.c \
	repair/words.c
xfs_repair_SRCS = $(repair_tool_SRCS) repair/main.c
