# Every tests/unit/test_*.c is a Check program, every tests/*/*.t a TAP script, every tests/bench/bench_*.c a benchmark.
unit_TESTS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/unit/test_*.c)))
unitlib_SRCS += \
	tests/unit/agcheck.c \
	tests/unit/devmodel.c \
	tests/unit/memdev.c \
	tests/unit/testfs.c \
	tests/unit/vectors.c
tap_TESTS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/*/*.t)))
bench_SRCS += $(patsubst $(srcdir)/%,%,$(sort $(wildcard $(srcdir)/tests/bench/bench_*.c)))
# Cross builds have neither Check nor Jansson: stand-ins with the part of their interface that the tests use.
ifeq ($(ENABLE_TOOLS),0)
CHECK_CFLAGS = -I$(srcdir)/tests/cross/include
unitlib_SRCS += tests/cross/jansson.c
endif
