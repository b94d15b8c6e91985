/* SPDX-License-Identifier: BSD-2-Clause */
/* sha256.h - SHA-256 (FIPS 180-4), to compare file contents with lists made by Linux. */
#ifndef TESTS_UNIT_SHA256_H
#define TESTS_UNIT_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct hash256 {
	uint32_t h[8];
	uint64_t len;
	uint8_t block[64];
};
void hash256_start(struct hash256 *);
void hash256_add(struct hash256 *, const void *p, size_t len);
/* 64 hex digits and a zero byte. */
void hash256_end(struct hash256 *, char *hex);

#endif
