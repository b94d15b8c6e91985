/* SPDX-License-Identifier: BSD-2-Clause */
/* errors.c - texts and errno values of the error table. */
#include "libxfs/base/errors.h"
#include "xfskit/xfskit.h"		/* these three are public */

#include <stddef.h>

static const struct {
	const char *name, *text;
	int number, err;
} rows[] = {
#define X(name, number, errno_, text) { #name, text, number, errno_ },
#include "libxfs/base/errors.def"
#undef X
};

static ptrdiff_t row_of(int code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == code || -rows[i].number == code)
			return (ptrdiff_t)i;
	return -1;
}

const char *xfs_error_text(int code)
{
	ptrdiff_t i = row_of(code);

	return code == 0 ? "no error" : i < 0 ? "unknown error" : rows[i].text;
}

const char *xfs_error_name(int code)
{
	ptrdiff_t i = row_of(code);

	return code == 0 ? "OK" : i < 0 ? "UNKNOWN" : rows[i].name;
}

int xfs_error_errno(int code)
{
	ptrdiff_t i = row_of(code);

	return code == 0 ? 0 : i < 0 ? EINVAL : rows[i].err;
}

int xfs_error_from_errno(int err)
{
	switch (err) {
	case 0:
		return 0;
	case ENOMEM:
		return -XFS_E_NOMEM;
	case ENOENT:
		return -XFS_E_NOENT;
	case EEXIST:
		return -XFS_E_EXISTS;
	case ENOSPC:
	case EDQUOT:
		return -XFS_E_NOSPC;
	case EROFS:
		return -XFS_E_READONLY;
	case EBUSY:
		return -XFS_E_BUSY;
	case EINVAL:
		return -XFS_E_INVALID;
	case EFBIG:
		return -XFS_E_TOOBIG;
	default:
		return -XFS_E_IO;
	}
}
