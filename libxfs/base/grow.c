/* SPDX-License-Identifier: BSD-2-Clause */
/* grow.c - arrays that grow while they are filled. */
#include "libxfs/base/grow.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"

#include <stdlib.h>

static int resize(void *array, size_t *room, size_t want, size_t each)
{
	size_t bytes;
	void *p;

	if (xfs_mul_overflows(want, each, &bytes))
		return -XFS_E_NOMEM;
	memcpy(&p, array, sizeof(p));	/* a pointer to any type: no access as a void * */
	p = realloc(p, bytes);
	if (!p)
		return -XFS_E_NOMEM;
	memcpy(array, &p, sizeof(p));
	*room = want;
	return 0;
}

int xfs_grow_to(void *array, size_t *room, size_t need, size_t each)
{
	size_t want;

	if (need <= *room)
		return 0;
	if (xfs_add_overflows(need, need / 2 + 16, &want))
		return -XFS_E_NOMEM;
	return resize(array, room, want, each);
}

int xfs_grow_one(void *array, size_t n, size_t *room, size_t first, size_t each)
{
	size_t want = first;

	if (n < *room)
		return 0;
	if (*room && xfs_mul_overflows(*room, 2u, &want))
		return -XFS_E_NOMEM;
	return resize(array, room, want, each);
}
