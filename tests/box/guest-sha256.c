/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4) for the checksum walk; the constants are computed, not listed. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"

static uint32_t round_constant[64];
static uint32_t start_state[8];

/* First 32 bits of the fraction of the square or cube root of a prime, by bisection in integers. */
static uint32_t root_fraction(uint32_t prime, int power)
{
	unsigned __int128 low = 0, high = (unsigned __int128)1 << 40, mid, product;

	while (high - low > 1) {
		mid = (low + high) / 2;
		product = mid * mid;
		if (power == 3) {
			/* mid < 2^35 for every prime used, so the cube fits in 105 bits */
			product *= mid;
			if (product <= (unsigned __int128)prime << 96)
				low = mid;
			else
				high = mid;
		} else if (product <= (unsigned __int128)prime << 64) {
			low = mid;
		} else {
			high = mid;
		}
	}
	return (uint32_t)low;
}

static void make_constants(void)
{
	uint32_t candidate, divisor;
	int found = 0;

	for (candidate = 2; found < 64; candidate++) {
		for (divisor = 2; divisor * divisor <= candidate; divisor++)
			if (candidate % divisor == 0)
				break;
		if (divisor * divisor <= candidate)
			continue;
		if (found < 8)
			start_state[found] = root_fraction(candidate, 2);
		round_constant[found++] = root_fraction(candidate, 3);
	}
}

#define ROR(x, n) ((x) >> (n) | (x) << (32 - (n)))

/* One round; the caller passes the eight variables rotated by one place each time, so that none has to be moved. */
#define ROUND(a, b, c, d, e, f, g, h, i) do { \
	uint32_t t = (h) + (ROR(e, 6) ^ ROR(e, 11) ^ ROR(e, 25)) + ((g) ^ ((e) & ((f) ^ (g)))) + \
		     round_constant[i] + w[i]; \
	(d) += t; \
	(h) = t + (ROR(a, 2) ^ ROR(a, 13) ^ ROR(a, 22)) + (((a) & (b)) | ((c) & ((a) | (b)))); \
} while (0)

static void digest_block(struct sha256 *s, const unsigned char *p)
{
	uint32_t w[64], *v = s->state;
	uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
	int i;

	for (i = 0; i < 16; i++) {
		memcpy(&w[i], p + 4 * i, 4);
		w[i] = be32toh(w[i]);
	}
	for (; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] + (ROR(w[i - 15], 7) ^ ROR(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ROR(w[i - 2], 17) ^ ROR(w[i - 2], 19) ^ w[i - 2] >> 10);
	for (i = 0; i < 64; i += 8) {
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	v[0] += a;
	v[1] += b;
	v[2] += c;
	v[3] += d;
	v[4] += e;
	v[5] += f;
	v[6] += g;
	v[7] += h;
}

void sha256_start(struct sha256 *s)
{
	if (!start_state[0])
		make_constants();
	memcpy(s->state, start_state, sizeof(s->state));
	s->total = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t used = s->total % 64, part;

	s->total += len;
	if (used) {
		part = len < 64 - used ? len : 64 - used;
		memcpy(s->block + used, p, part);
		p += part;
		len -= part;
		if (used + part < 64)
			return;
		digest_block(s, s->block);
	}
	for (; len >= 64; p += 64, len -= 64)
		digest_block(s, p);
	memcpy(s->block, p, len);
}

void sha256_end(struct sha256 *s, char hex[65])
{
	static const unsigned char padding[64] = { 0x80 };
	uint64_t bits = s->total * 8;
	unsigned char length[8];
	int i;

	for (i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_add(s, padding, 1 + (119 - s->total % 64) % 64);
	sha256_add(s, length, 8);
	for (i = 0; i < 8; i++)
		snprintf(hex + 8 * i, 9, "%08x", s->state[i]);
}
