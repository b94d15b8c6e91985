# Every tests/unit/test_*.c is a Check program, every tests/*/*.t a TAP script, every tests/bench/bench_*.c a benchmark;
# the other .c files there are helpers of tests/bench/compare.
unit_TESTS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/unit/test_*.c)))
# all other .c files there are linked to each of them
unitlib_SRCS += $(filter-out $(unit_TESTS),$(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/unit/*.c))))
tap_TESTS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/*/*.t)))
bench_SRCS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/bench/bench_*.c)))
benchtool_SRCS += $(filter-out $(bench_SRCS),$(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/bench/*.c))))
helper_SRCS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/helpers/*.c)))
# linked with the core of xfs_repair
repairhelper_SRCS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/damage/*.c)))
# and these with them
repairhelperlib_SRCS += tests/lib/listing.c tests/lib/listing_fs.c tests/lib/writelog.c tests/unit/sha256.c
# Images with very much in them.
bin/tests/helpers/bombs bin/tests/bench/make-extents: obj/tests/lib/imagefill.o obj/tests/lib/building.o
bin/tests/helpers/metadir: obj/tests/lib/metadir.o obj/tests/lib/metadir_groups.o
bin/tests/helpers/bombs: $(patsubst %,obj/tests/lib/%.o,bombs bombs_names bombs_inodes)
# What tests that build forks share.
bin/tests/unit/test_build_image: obj/tests/lib/building.o
# The driver of scripts of operations, and its model.
fsx_SRCS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/lib/*.c))) tests/unit/sha256.c tests/unit/failmalloc.c
# Cross builds have neither Check nor Jansson: stand-ins with the part of their interface that the tests use.
ifeq ($(ENABLE_TOOLS),0)
CHECK_CFLAGS = -I$(srcdir)/tests/cross/include
unitlib_SRCS += tests/cross/jansson.c
endif
# The driver needs libc only: formats, damages, repairs and prints by a script, on any architecture.
driver_SRCS = tests/cross/driver.c $(filter-out mkfs/main.c mkfs/config.c mkfs/devices.c,$(mkfs.xfs_SRCS)) $(repair_core_SRCS)
# Runs of the core of xfs_repair on devices that fail.
bin/tests/unit/test_repair_changed bin/tests/unit/test_repair_links bin/tests/unit/test_repair_names bin/tests/unit/test_repair_reads bin/tests/unit/test_repair_survey \
	bin/tests/unit/test_repair_threads: $(patsubst %.c,obj/%.o,$(repair_core_SRCS))
test_repair_changed_LIBS = libxfskit.a
test_repair_links_LIBS = libxfskit.a
test_repair_names_LIBS = libxfskit.a
test_repair_reads_LIBS = libxfskit.a
test_repair_survey_LIBS = libxfskit.a
test_repair_threads_LIBS = libxfskit.a
