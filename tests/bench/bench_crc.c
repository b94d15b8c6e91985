/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_crc.c - prints the throughput of CRC32C for several buffer sizes, both paths. */
#include "libxfs/base/crc32c.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* processor time: other work on the machine does not count */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* GB/s; best of five */
static double measure(uint32_t (*crc)(uint32_t, const void *, size_t), const uint8_t *p, size_t len, size_t total)
{
	size_t rounds = total / len;
	volatile uint32_t sink = 0;
	double best = 0;

	for (int turn = 0; turn < 5; turn++) {
		double start = now(), rate;

		for (size_t i = 0; i < rounds; i++)
			sink = crc(sink, p, len);
		rate = (double)(rounds * len) / (now() - start) / 1e9;
		best = rate > best ? rate : best;
	}
	return best;
}

static uint32_t block(uint32_t seed, const void *p, size_t len)
{
	return seed ^ xfs_crc32c_block(p, len, 12);
}

int main(void)
{
	static const size_t sizes[] = { 64, 512, 1024, 4096, 16384, 65536, 1048576 };
	uint8_t *p = calloc(1, 1048576);

	if (!p)
		return 1;
	printf("hardware: %s\n%10s %12s %12s %12s  GB/s\n", xfs_crc32c_is_hardware() ? "yes" : "no", "bytes", "crc32c",
	       "block", "portable");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		printf("%10zu %12.2f %12.2f %12.2f\n", sizes[i], measure(xfs_crc32c, p, sizes[i], (size_t)1 << 29),
		       measure(block, p, sizes[i], (size_t)1 << 29),
		       measure(xfs_crc32c_portable, p, sizes[i], (size_t)1 << 27));
	free(p);
	return 0;
}
