/* SPDX-License-Identifier: BSD-2-Clause */
/* ptrset.c - set of block pointers: open addressing, at most half full. */
#include "libxfs/btree/ptrset.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/types.h"

#include <stdlib.h>

#define FIRST_SIZE 256u

/* Slot of ptr, or the free one where it belongs. */
static size_t slot_of(const struct xfs_mix *mix, const uint64_t *slots, size_t size, uint64_t ptr)
{
	size_t i = (size_t)xfs_mix(mix, ptr) & (size - 1);

	while (slots[i] != XFS_NULL64 && slots[i] != ptr)
		i = (i + 1) & (size - 1);
	return i;
}

static int grow(struct xfs_ptrset *set)
{
	size_t size = set->size ? set->size * 2 : FIRST_SIZE, bytes;
	uint64_t *slots;

	if (xfs_mul_overflows(size, sizeof(*slots), &bytes))
		return -XFS_E_NOMEM;
	slots = malloc(bytes);
	if (!slots)
		return -XFS_E_NOMEM;
	memset(slots, 0xff, bytes);
	xfs_mix_init(&set->mix);
	for (size_t i = 0; i < set->size; i++)
		if (set->slots[i] != XFS_NULL64)
			slots[slot_of(&set->mix, slots, size, set->slots[i])] = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->size = size;
	return 0;
}

int xfs_ptrset_add(struct xfs_ptrset *set, uint64_t ptr, bool *had)
{
	size_t i;

	if (set->used >= set->size / 2) {
		int err = grow(set);

		if (err)
			return err;
	}
	i = slot_of(&set->mix, set->slots, set->size, ptr);
	*had = set->slots[i] == ptr;
	if (!*had) {
		set->slots[i] = ptr;
		set->used++;
	}
	return 0;
}

void xfs_ptrset_release(struct xfs_ptrset *set)
{
	free(set->slots);
	*set = (struct xfs_ptrset){ .slots = NULL };
}
