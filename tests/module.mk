# Every tests/unit/test_*.c is a Check program, every tests/*/*.t a TAP script, every tests/bench/bench_*.c a benchmark.
unit_TESTS += \
	tests/unit/test_crc32c.c \
	tests/unit/test_device.c \
	tests/unit/test_findings.c \
	tests/unit/test_ondisk_blocks.c \
	tests/unit/test_ondisk_coverage.c \
	tests/unit/test_ondisk_fields.c \
	tests/unit/test_ondisk_hostile.c \
	tests/unit/test_ondisk_inode.c \
	tests/unit/test_ondisk_print.c \
	tests/unit/test_overlay.c \
	tests/unit/test_schema.c \
	tests/unit/test_sets.c
unitlib_SRCS += $(filter-out $(unit_TESTS),$(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/unit/*.c))))
tap_TESTS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/*/*.t)))
bench_SRCS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/bench/bench_*.c)))
# Cross builds have neither Check nor Jansson: stand-ins with the part of their interface that the tests use.
ifeq ($(ENABLE_TOOLS),0)
CHECK_CFLAGS = -I$(srcdir)/tests/cross/include
unitlib_SRCS += tests/cross/jansson.c
endif
