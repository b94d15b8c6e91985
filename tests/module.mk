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
unitlib_SRCS += \
	tests/unit/devmodel.c \
	tests/unit/failmalloc.c \
	tests/unit/ondisk.c \
	tests/unit/vectors.c
bench_SRCS += \
	tests/bench/bench_crc.c
