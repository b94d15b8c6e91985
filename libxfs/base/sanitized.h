/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sanitized.h - is this a build with AddressSanitizer?  gcc and clang tell it in different ways.
 */
#ifndef XFS_BASE_SANITIZED_H
#define XFS_BASE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define XFS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XFS_SANITIZED 1
#endif
#endif
#ifndef XFS_SANITIZED
#define XFS_SANITIZED 0
#endif

#endif
