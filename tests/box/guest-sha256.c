/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4) for the checksum walk; the constants are computed, not listed. */
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

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void digest_block(struct sha256 *s, const unsigned char *p)
{
	uint32_t w[64], v[8], t1, t2;
	int i;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, s->state, sizeof(v));
	for (i = 0; i < 64; i++) {
		t1 = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) +
		     round_constant[i] + w[i];
		t2 = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		s->state[i] += v[i];
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
