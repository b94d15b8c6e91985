/* SPDX-License-Identifier: BSD-2-Clause */
/* mix.c - keys that no image can know. */
#include "libxfs/base/mix.h"

#include <sys/random.h>
#include <time.h>

void xfs_mix_init(struct xfs_mix *m)
{
	uint64_t key[2];

	if (m->times)
		return;
	/* early in a boot there may be nothing to draw from: when and where this is will do */
	if (getrandom(key, sizeof(key), GRND_NONBLOCK) != sizeof(key)) {
		struct timespec now = { 0, 0 };

		clock_gettime(CLOCK_MONOTONIC, &now);
		key[0] = (uint64_t)(uintptr_t)m * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)now.tv_sec;
		key[1] = (uint64_t)(uintptr_t)&key * UINT64_C(0xd6e8feb86659fd93) ^ (uint64_t)now.tv_nsec << 20;
	}
	m->add = key[0];
	m->times = key[1] | 1;
}
