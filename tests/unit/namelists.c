/* SPDX-License-Identifier: BSD-2-Clause */
/* namelists.c - attributes and entries as lists for the builders. */
#include "tests/unit/namelists.h"

#include "libxfs/base/grow.h"
#include "tests/unit/quick.h"

#include <stdlib.h>

uint8_t *namelists_copy(const void *p, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	qk_assert(copy != NULL);
	memcpy(copy, p, len);
	return copy;
}

void namelists_add_attr(struct attrlist *l, unsigned flags, const uint8_t *name, unsigned namelen, const uint8_t *value,
			uint32_t valuelen)
{
	qk_assert_int_eq(xfs_grow(&l->list, l->n, &l->room, 16), 0);
	l->list[l->n++] = (struct xfs_build_attr){ name, value, valuelen, (uint8_t)namelen, (uint8_t)flags };
}

int namelists_keep_attr(void *payload, const struct xfs_attr *attr)
{
	struct attrlist *l = payload;
	uint8_t *value = malloc(attr->valuelen + 1);

	qk_assert(!(attr->flags & XFS_ATTR_INCOMPLETE));
	qk_assert_int_eq(xfs_attr_value(&l->a, attr, value), 0);
	namelists_add_attr(l, attr->flags & XFS_ATTR_NAMESPACES, namelists_copy(attr->name, attr->namelen),
			   attr->namelen, value, attr->valuelen);
	return 0;
}

void namelists_free_attrs(struct attrlist *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((void *)(uintptr_t)l->list[i].name);
		free((void *)(uintptr_t)l->list[i].value);
	}
	free(l->list);
}

int namelists_keep_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct entrylist *l = payload;

	if (e->namelen == 2 && !memcmp(e->name, "..", 2))
		l->parent = e->ino.v;
	if (e->name[0] == '.' && (e->namelen == 1 || (e->namelen == 2 && e->name[1] == '.')))
		return 0;
	qk_assert_int_eq(xfs_grow(&l->list, l->n, &l->room, 16), 0);
	l->list[l->n++] = (struct xfs_build_dirent){ e->ino.v, namelists_copy(e->name, e->namelen), (uint8_t)e->namelen,
						     (uint8_t)e->ftype };
	return 0;
}

void namelists_free_entries(struct entrylist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free((void *)(uintptr_t)l->list[i].name);
	free(l->list);
}

void namelists_one_hash(uint8_t *name, unsigned bits, size_t i)
{
	/* two bytes (x, y) and (x ^ 1, y ^ 0x80) do the same to the hash */
	for (unsigned k = 0; k < bits; k++) {
		name[2 * k] = (uint8_t)('b' ^ (i >> k & 1));
		name[2 * k + 1] = (uint8_t)('q' ^ (i >> k & 1 ? 0x80 : 0));
	}
}
