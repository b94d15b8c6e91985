/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attr.h - reading extended attributes in all forms, remote values, and parent pointers (format sheet 03, sections 6,
 * 7).
 *
 * Names and local values are handed out where they lie, with their lengths checked.  What can be read is handed out
 * even when other parts cannot.  Layer: name.
 */
#ifndef XFS_NAME_ATTR_H
#define XFS_NAME_ATTR_H

#include "libxfs/inode/fork.h"
#include "libxfs/name/da.h"

enum xfs_attr_form {
	XFS_ATTR_NONE,			/* no attribute fork, or an empty one */
	XFS_ATTR_SHORT, XFS_ATTR_LEAF, XFS_ATTR_NODE
};

struct xfs_attrs {
	const struct xfs_inode *ip;
	struct xfs_ifork f;
	struct xfs_da da;
	enum xfs_attr_form form;
	const struct xfs_sink *sink;
};

/* `sink` may be NULL. Errors: those of the fork and of its first block. */
int xfs_attrs_open(struct xfs_attrs *, const struct xfs_inode *, const struct xfs_sink *sink);

struct xfs_attr {
	const uint8_t *name;		/* not terminated; without the prefix of its namespace; valid during the call */
	unsigned namelen;
	unsigned flags;			/* XFS_ATTR_ROOT, SECURE, PARENT, INCOMPLETE; LOCAL as in the leaf */
	uint32_t hash;			/* leaf and node form: as stored; short form: computed */
	uint32_t valuelen;
	const uint8_t *value;		/* NULL: remote, at block valueblk of the fork */
	uint32_t valueblk;
};
typedef int (*xfs_attr_fn)(void *payload, const struct xfs_attr *);	/* nonzero stops and is returned */

/*
 * All attributes, incomplete ones included (they do not exist for users).  Entries and blocks that cannot be are left
 * out, each with a finding; the first error is returned after the rest was handed out.
 */
int xfs_attrs_each(struct xfs_attrs *, xfs_attr_fn, void *payload);

/* Why an attribute is not legal by itself, or NULL. */
const char *xfs_attr_problem(const struct xfs_geometry *, const struct xfs_attr *);

/*
 * The value of an attribute that xfs_attrs_each() handed out; room for valuelen bytes.  Errors: CORRUPT (blocks
 * missing, headers that do not fit), and those of reading.
 */
int xfs_attr_value(struct xfs_attrs *, const struct xfs_attr *, void *value);
/*
 * Looks an attribute up by name and namespace (one of ROOT, SECURE, 0; parent pointers: xfs_parents_each()).
 * *len = length of its value, of which at most `room` bytes are stored.  NOENT: not there.
 */
int xfs_attr_get(struct xfs_attrs *, unsigned space, const void *name, size_t namelen, void *value, size_t room,
		 size_t *len);

struct xfs_parent {
	xfs_ino_t ino;
	uint32_t gen;
	const uint8_t *name;
	unsigned namelen;
};
typedef int (*xfs_parent_fn)(void *payload, const struct xfs_parent *);
/* All parent pointers. Those that cannot be are left out with a finding, and CORRUPT is returned at the end. */
int xfs_parents_each(struct xfs_attrs *, xfs_parent_fn, void *payload);

/* ---- used by the verifier too ---- */

/* Entry i (below the clamped count) of a leaf: its name record. CORRUPT: the record does not lie in the block. */
int xfs_attr_leaf_entry(const struct xfs_geometry *, const uint8_t *block, uint32_t i, struct xfs_attr *out,
			uint32_t *at, uint32_t *size);
struct xfs_finding xfs_attr_finding(const struct xfs_attrs *, enum xfs_finding_id, uint64_t block);

#endif
