/* SPDX-License-Identifier: BSD-2-Clause */
/* uuid.h - the one function of libuuid that the core of mkfs needs, for targets that have no such library. */
#ifndef TESTS_CROSS_UUID_H
#define TESTS_CROSS_UUID_H

#include <stdio.h>
#include <string.h>

/* 0, or -1 when it is no uuid. */
static inline int uuid_parse(const char *text, unsigned char *out)
{
	size_t n = 0;

	if (strlen(text) != 36)
		return -1;
	for (const char *p = text; *p; ) {
		unsigned byte;

		if (*p == '-') {
			p++;
			continue;
		}
		if (n == 16 || sscanf(p, "%2x", &byte) != 1)
			return -1;
		out[n++] = (unsigned char)byte;
		p += 2;
	}
	return n == 16 ? 0 : -1;
}

#endif
