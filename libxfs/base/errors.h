/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors.h - error codes of the library. Functions return 0 or a negated code.
 *
 * An error means "cannot go on". Wrong metadata that the caller can judge is a finding (findings.h) instead.
 */
#ifndef XFS_BASE_ERRORS_H
#define XFS_BASE_ERRORS_H

#include <errno.h>

/* names that not every libc has; the values are those that the kernel reports for them */
#ifndef EUCLEAN
#define EUCLEAN 117
#endif
#define EFSCORRUPTED EUCLEAN
#define EFSBADCRC EBADMSG
#define EWRONGFS EMEDIUMTYPE
#ifndef EMEDIUMTYPE
#define EMEDIUMTYPE 124
#endif

enum xfs_error {
	XFS_OK = 0,
#define X(name, number, errno_, text) XFS_E_##name = number,
#include "libxfs/base/errors.def"
#undef X
};

/* Text of a code as returned (negated or not); never NULL. */
const char *xfs_error_text(int code);
/* Symbolic name, such as "CORRUPT"; never NULL. */
const char *xfs_error_name(int code);
/* errno value for a code as returned; 0 for 0. */
int xfs_error_errno(int code);
/* Negated code for an errno value (from a system call). */
int xfs_error_from_errno(int err);

#endif
