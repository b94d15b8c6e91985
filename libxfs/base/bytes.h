/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes.h - load and store of integers of a stated byte order at any alignment, and checked arithmetic.
 *
 * memcpy plus byte swap: compilers turn it into one instruction, and no alignment or host order is assumed.
 */
#ifndef XFS_BASE_BYTES_H
#define XFS_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XFS_HOST_LE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#define XFS_INLINE static inline __attribute__((always_inline, unused))

#define XFS_BYTES_CODEC_(N)								\
	XFS_INLINE uint##N##_t xfs_ld##N(const void *p, bool le)			\
	{										\
		uint##N##_t v;								\
		memcpy(&v, p, sizeof(v));						\
		return le == XFS_HOST_LE ? v : __builtin_bswap##N(v);			\
	}										\
	XFS_INLINE void xfs_st##N(void *p, bool le, uint##N##_t v)			\
	{										\
		v = le == XFS_HOST_LE ? v : __builtin_bswap##N(v);			\
		memcpy(p, &v, sizeof(v));						\
	}										\
	XFS_INLINE uint##N##_t xfs_be##N(const void *p) { return xfs_ld##N(p, false); }	\
	XFS_INLINE uint##N##_t xfs_le##N(const void *p) { return xfs_ld##N(p, true); }	\
	XFS_INLINE void xfs_put_be##N(void *p, uint##N##_t v) { xfs_st##N(p, false, v); } \
	XFS_INLINE void xfs_put_le##N(void *p, uint##N##_t v) { xfs_st##N(p, true, v); }
XFS_BYTES_CODEC_(16)
XFS_BYTES_CODEC_(32)
XFS_BYTES_CODEC_(64)
#undef XFS_BYTES_CODEC_

/* True when the result does not fit; *r then holds the wrapped value and must not be used. */
#define xfs_add_overflows(a, b, r) __builtin_add_overflow((a), (b), (r))
#define xfs_mul_overflows(a, b, r) __builtin_mul_overflow((a), (b), (r))

XFS_INLINE uint64_t xfs_min(uint64_t a, uint64_t b) { return a < b ? a : b; }
XFS_INLINE uint64_t xfs_max(uint64_t a, uint64_t b) { return a > b ? a : b; }
XFS_INLINE uint64_t xfs_ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }
XFS_INLINE uint64_t xfs_round_up(uint64_t a, uint64_t b) { return xfs_ceil_div(a, b) * b; }
XFS_INLINE uint64_t xfs_round_down(uint64_t a, uint64_t b) { return a / b * b; }
XFS_INLINE bool xfs_is_pow2(uint64_t a) { return a && !(a & (a - 1)); }
/* floor(log2(a)), a > 0 */
XFS_INLINE unsigned xfs_log2_floor(uint64_t a) { return 63u - (unsigned)__builtin_clzll(a); }
/* ceil(log2(a)), a > 0 */
XFS_INLINE unsigned xfs_log2_ceil(uint64_t a) { return a <= 1 ? 0 : 1 + xfs_log2_floor(a - 1); }

#endif
