/* SPDX-License-Identifier: BSD-2-Clause */
/* attr_private.h - what the files of the attribute builder share. */
#ifndef XFS_BUILD_ATTR_PRIVATE_H
#define XFS_BUILD_ATTR_PRIVATE_H

#include "libxfs/build/attr.h"
#include "libxfs/build/datree.h"

struct xfs_attr_plan {
	const struct xfs_build_attrs *b;
	uint32_t n;
	uint64_t *keys;			/* hash << 32 | number of the attribute, ascending */
	uint32_t *value;		/* file offset of the value of keys[i]; equal to value[i + 1]: not remote */
	uint32_t *first;		/* first key of each leaf, and n behind the last */
	uint32_t *last;			/* last hash of each leaf */
	uint64_t leaves;
	struct xfs_datree tree;
};

XFS_INLINE const struct xfs_build_attr *xfs_attr_plan_at(const struct xfs_attr_plan *p, uint32_t i)
{
	return &p->b->list[(uint32_t)p->keys[i]];
}
XFS_INLINE bool xfs_attr_plan_is_remote(const struct xfs_geometry *g, const struct xfs_build_attr *a)
{
	return xfs_attr_local_size(a->namelen, a->valuelen) >= xfs_attr_local_limit(g->blocksize);
}
/* Bytes of the name record in a leaf. */
XFS_INLINE uint32_t xfs_attr_plan_record(const struct xfs_geometry *g, const struct xfs_build_attr *a)
{
	return xfs_attr_plan_is_remote(g, a) ? xfs_attr_remote_size(a->namelen)
					     : xfs_attr_local_size(a->namelen, a->valuelen);
}

/* Contents of the block at file offset `off`. */
void xfs_attr_plan_make(void *plan, uint64_t off, uint8_t *block);
/* The short form. */
void xfs_attr_plan_short(const struct xfs_build_attrs *, uint32_t bytes, uint8_t *fork);

#endif
