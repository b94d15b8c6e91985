/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc32c.c - CRC32C by instruction in three streams, by tables elsewhere.
 *
 * The instruction has a latency of three cycles and a throughput of one, so a buffer is cut in three streams of equal
 * length n.  Their states are joined by linearity: state(A B C) = A x^(2n) + B x^n + C, with A, B, C the states of
 * the streams.  The product of a state and a factor x^(n - 33) has 63 bits; the instruction reduces it.
 *
 * Which path is taken is decided at each call: __builtin_cpu_supports() and getauxval() read a word that the C runtime
 * fills before main(), so there is nothing to gain from a cached pointer, and no state of our own to share.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/base/bytes.h"
#include "libxfs/base/crc32c_tables.h"

#if defined(__x86_64__) || defined(__i386__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#define CRC_HARDWARE __attribute__((target("sse4.2,pclmul")))
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
/* compilers differ in how a function asks for the instruction, assemblers do not */
#define CRC_HARDWARE
#define ARM_CRC(instruction, crc, v) __asm__(".arch_extension crc\n\t" instruction : "+r"(crc) : "r"(v))
#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1ul << 7)
#endif
#endif

#define POLY UINT32_C(0x82f63b78)

/* a table of 256 entries is the sum of eight powers: written as that, the compiler computes it */
#define BIT_(i, m, p) ((i) & (0x80 >> (m)) ? (p) : 0u)
#define E1_(i, a, b, c, d, e, f, g, h) (BIT_(i, 0, a) ^ BIT_(i, 1, b) ^ BIT_(i, 2, c) ^ BIT_(i, 3, d) ^ \
	BIT_(i, 4, e) ^ BIT_(i, 5, f) ^ BIT_(i, 6, g) ^ BIT_(i, 7, h)),
#define E4_(i, ...) E1_(i, __VA_ARGS__) E1_(i + 1, __VA_ARGS__) E1_(i + 2, __VA_ARGS__) E1_(i + 3, __VA_ARGS__)
#define E16_(i, ...) E4_(i, __VA_ARGS__) E4_(i + 4, __VA_ARGS__) E4_(i + 8, __VA_ARGS__) E4_(i + 12, __VA_ARGS__)
#define E64_(i, ...) E16_(i, __VA_ARGS__) E16_(i + 16, __VA_ARGS__) E16_(i + 32, __VA_ARGS__) E16_(i + 48, __VA_ARGS__)
#define TABLE_(...) { E64_(0, __VA_ARGS__) E64_(64, __VA_ARGS__) E64_(128, __VA_ARGS__) E64_(192, __VA_ARGS__) },

/* [k][b]: what byte b with k bytes behind it adds to the state */
static const uint32_t tables[8][256] = { XFS_CRC_ROWS(TABLE_) };

static uint32_t byte_step(uint32_t crc, uint8_t byte)
{
	return crc >> 8 ^ tables[0][(crc ^ byte) & 0xff];
}

uint32_t xfs_crc32c_portable(uint32_t crc, const void *buf, size_t len)
{
	const uint8_t *p = buf;

	for (; len >= 8; len -= 8, p += 8) {
		uint64_t v = xfs_le64(p) ^ crc;

		crc = tables[7][v & 0xff] ^ tables[6][v >> 8 & 0xff] ^ tables[5][v >> 16 & 0xff] ^
		      tables[4][v >> 24 & 0xff] ^ tables[3][v >> 32 & 0xff] ^ tables[2][v >> 40 & 0xff] ^
		      tables[1][v >> 48 & 0xff] ^ tables[0][v >> 56];
	}
	while (len--)
		crc = byte_step(crc, *p++);
	return crc;
}

#ifdef CRC_HARDWARE

/* one stream costs less than cutting in three and joining below this */
#define SPLIT_MIN 192u

/* state after eight more bytes, v = these bytes little-endian */
CRC_HARDWARE XFS_INLINE uint32_t step8(uint32_t crc, uint64_t v)
{
#if defined(__x86_64__)
	return (uint32_t)_mm_crc32_u64(crc, v);
#elif defined(__i386__)
	return _mm_crc32_u32(_mm_crc32_u32(crc, (uint32_t)v), (uint32_t)(v >> 32));
#else
	ARM_CRC("crc32cx %w0, %w0, %x1", crc, v);
	return crc;
#endif
}

CRC_HARDWARE XFS_INLINE uint32_t step4(uint32_t crc, uint32_t v)
{
#if defined(__aarch64__)
	ARM_CRC("crc32cw %w0, %w0, %w1", crc, v);
	return crc;
#else
	return _mm_crc32_u32(crc, v);
#endif
}

CRC_HARDWARE XFS_INLINE uint32_t step1(uint32_t crc, uint8_t v)
{
#if defined(__aarch64__)
	ARM_CRC("crc32cb %w0, %w0, %w1", crc, (uint32_t)v);
	return crc;
#else
	return _mm_crc32_u8(crc, v);
#endif
}

/* carry-less product of two polynomials */
CRC_HARDWARE XFS_INLINE uint64_t multiply(uint32_t a, uint32_t b)
{
#if defined(__aarch64__)
	/*
	 * Not every core with crc32 has PMULL.  Integer products do as well when each operand keeps every fourth bit
	 * only: at most eight ones meet at a place, and their sum does not reach the next one that counts.
	 */
	const uint64_t every4 = UINT64_C(0x1111111111111111);
	uint64_t part[4] = { 0 };

	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = 0; j < 4; j++)
			part[(i + j) & 3] ^= (a & (every4 << i)) * (b & (every4 << j));
	return (part[0] & every4) | (part[1] & every4 << 1) | (part[2] & every4 << 2) | (part[3] & every4 << 3);
#else
	__m128i r = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)a), _mm_cvtsi32_si128((int)b), 0);
	uint64_t v;

	memcpy(&v, &r, sizeof(v));	/* i386 has no move to a 64-bit integer */
	return v;
#endif
}

/* Three streams of `units` times eight bytes each; units <= XFS_CRC_FOLD_MAX / 2. */
CRC_HARDWARE static uint32_t three_streams(uint32_t crc, const uint8_t *p, size_t units)
{
	const uint8_t *q = p + 8 * units, *r = q + 8 * units;
	uint32_t b = 0, c = 0;

	for (size_t i = 0; i < units; i++) {
		crc = step8(crc, xfs_le64(p + 8 * i));
		b = step8(b, xfs_le64(q + 8 * i));
		c = step8(c, xfs_le64(r + 8 * i));
	}
	return step8(0, multiply(crc, xfs_crc_folds[2 * units - 1]) ^ multiply(b, xfs_crc_folds[units - 1])) ^ c;
}

CRC_HARDWARE static uint32_t hardware(uint32_t crc, const uint8_t *p, size_t len)
{
	while (len >= SPLIT_MIN) {
		size_t units = xfs_min(len / 24, XFS_CRC_FOLD_MAX / 2);

		crc = three_streams(crc, p, units);
		p += 24 * units;
		len -= 24 * units;
	}
	for (; len >= 8; len -= 8, p += 8)
		crc = step8(crc, xfs_le64(p));
	if (len >= 4) {
		crc = step4(crc, xfs_le32(p));
		p += 4;
		len -= 4;
	}
	while (len--)
		crc = step1(crc, *p++);
	return crc;
}

#endif

bool xfs_crc32c_is_hardware(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
#elif defined(CRC_HARDWARE)
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
	return false;
#endif
}

uint32_t xfs_crc32c(uint32_t seed, const void *p, size_t len)
{
#ifdef CRC_HARDWARE
	if (xfs_crc32c_is_hardware())
		return hardware(seed, p, len);
#endif
	return xfs_crc32c_portable(seed, p, len);
}

uint32_t xfs_crc32c_block(const void *buf, size_t len, size_t crc_off)
{
	static const uint8_t zero[4];
	const uint8_t *p = buf;
	uint32_t crc = xfs_crc32c(XFS_CRC32C_SEED, p, crc_off);

	crc = xfs_crc32c(crc, zero, sizeof(zero));
	return ~xfs_crc32c(crc, p + crc_off + 4, len - crc_off - 4);
}

bool xfs_crc32c_check(const void *p, size_t len, size_t crc_off)
{
	return xfs_le32((const uint8_t *)p + crc_off) == xfs_crc32c_block(p, len, crc_off);
}

void xfs_crc32c_store(void *p, size_t len, size_t crc_off)
{
	xfs_put_le32((uint8_t *)p + crc_off, xfs_crc32c_block(p, len, crc_off));
}

bool xfs_crc32c_find_flip(const void *buf, size_t len, size_t crc_off, size_t *byte, unsigned *bit)
{
	uint32_t stored = xfs_le32((const uint8_t *)buf + crc_off);
	uint32_t syndrome = stored ^ xfs_crc32c_block(buf, len, crc_off);
	uint32_t power = UINT32_C(1) << 31;

	if (syndrome == 0)
		return false;
	if (xfs_is_pow2(syndrome)) {	/* a bit of the field itself */
		*bit = xfs_log2_floor(syndrome) % 8;
		*byte = crc_off + xfs_log2_floor(syndrome) / 8;
		return true;
	}
	/* the last byte's top bit stands for x^32, each bit before it for one power more */
	for (unsigned i = 0; i < 32; i++)
		power = power >> 1 ^ (power & 1 ? POLY : 0);
	for (size_t i = len; i-- > 0;) {
		for (unsigned b = 8; b-- > 0; power = power >> 1 ^ (power & 1 ? POLY : 0)) {
			if (power != syndrome || (i >= crc_off && i < crc_off + 4))
				continue;
			*byte = i;
			*bit = b;
			return true;
		}
	}
	return false;
}
