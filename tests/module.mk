unit_TESTS += \
	tests/unit/test_fingerprint.c \
	tests/unit/test_schema.c
unitlib_SRCS += \
	tests/unit/vectors.c
