/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc32c.h - CRC32C (Castagnoli), the checksum of all v5 metadata.
 *
 * Own code on purpose: a checksum that is slower than the disk would decide how fast everything else is.  Three
 * interleaved streams of the processor's crc32 instruction where there is one (x86 SSE4.2 with PCLMULQDQ, ARMv8),
 * tables for eight bytes at a time elsewhere; all give the same result for any length and alignment.
 * Layer: base. No state: safe from any thread.
 */
#ifndef XFS_BASE_CRC32C_H
#define XFS_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Running state before the first byte. */
#define XFS_CRC32C_SEED UINT32_C(0xffffffff)

/*
 * Raw running state: takes the state behind the bytes before p (XFS_CRC32C_SEED when there are none) and gives the
 * state behind p[0..len).  The finished CRC is the complement of the last state.  Nothing is inverted in between, so
 * calls chain: state = xfs_crc32c(xfs_crc32c(XFS_CRC32C_SEED, a, n), b, m).
 */
uint32_t xfs_crc32c(uint32_t seed, const void *p, size_t len);

/* The same by tables alone: for processors without the instruction, and for the test that compares both. */
uint32_t xfs_crc32c_portable(uint32_t seed, const void *p, size_t len);
/* True when xfs_crc32c() uses the instruction on this processor. */
bool xfs_crc32c_is_hardware(void);

/*
 * Finished CRC of a metadata block whose four bytes at crc_off are taken as zero (format sheet 01, section 13).
 * crc_off + 4 <= len.
 */
uint32_t xfs_crc32c_block(const void *p, size_t len, size_t crc_off);
/* True when the little-endian field at crc_off holds xfs_crc32c_block(). */
bool xfs_crc32c_check(const void *p, size_t len, size_t crc_off);
/* Computes the CRC and stores it little-endian at crc_off. */
void xfs_crc32c_store(void *p, size_t len, size_t crc_off);

/*
 * Finds the one bit whose flip would make xfs_crc32c_check() true.  Time grows with the number of bits, not with its
 * square: the CRC is linear, so the difference between stored and computed CRC names the bit.  There is at most one
 * such bit up to 2^28 bytes (the order of x modulo the polynomial is 2^31 - 1).
 * Returns true and sets *byte (offset in the block) and *bit (0..7, 0 = least significant); false when no single flip
 * explains the block, or when its CRC is right.
 */
bool xfs_crc32c_find_flip(const void *p, size_t len, size_t crc_off, size_t *byte, unsigned *bit);

#endif
