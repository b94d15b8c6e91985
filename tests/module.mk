unit_TESTS += \
	tests/unit/test_ondisk_inode.c \
	tests/unit/test_schema.c
unitlib_SRCS += \
	tests/unit/vectors.c
