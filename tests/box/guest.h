/* SPDX-License-Identifier: BSD-2-Clause */
/* Helper program of the kernel box: what its files share. */
#ifndef BOX_GUEST_H
#define BOX_GUEST_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t	state[8];
	uint64_t	total;
	unsigned char	block[64];
};

void sha256_start(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t len);
/* Writes 64 hex digits and a NUL. */
void sha256_end(struct sha256 *s, char hex[65]);

/* Print `path: text` with the meaning of errno and exit 1. */
_Noreturn void die(const char *path, const char *text);
/* Decimal, 0x hex, or a number with the suffix k, m or g. Exits 2 when it is none of these. */
uint64_t number(const char *text);

int walk_main(int argc, char **argv);
int fill_main(int argc, char **argv);

#endif
