/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir.h - reading directories in all forms: all entries in order, and one by its name (format sheet 03, section 5).
 *
 * Every block is verified and every size checked before use; entries that cannot be (name, inode number) are left out
 * with a finding.  What can be read is handed out even when other parts of the directory cannot.  Layer: name.
 */
#ifndef XFS_NAME_DIR_H
#define XFS_NAME_DIR_H

#include "libxfs/inode/fork.h"
#include "libxfs/name/dirdata.h"

enum xfs_dir_form {
	XFS_DIR_SHORT, XFS_DIR_BLOCK, XFS_DIR_LEAF, XFS_DIR_NODE,
	XFS_DIR_ODD			/* its blocks fit no form; the data blocks may be readable all the same */
};

struct xfs_dir {
	const struct xfs_inode *ip;
	struct xfs_ifork f;
	enum xfs_dir_form form;
	uint64_t leafblk, freeblk;	/* starts of the spaces, filesystem blocks of the file */
	const struct xfs_sink *sink;
};

/* `sink` may be NULL. Errors: NOTDIR, and those of the data fork. */
int xfs_dir_open(struct xfs_dir *, const struct xfs_inode *, const struct xfs_sink *sink);

struct xfs_dir_entry {
	const uint8_t *name;		/* not terminated; valid during the call */
	unsigned namelen, ftype;	/* ftype 0: not stored */
	xfs_ino_t ino;
	uint32_t cookie;		/* place, in units of 8 bytes; rises; what leaf entries call address */
};
typedef int (*xfs_dir_fn)(void *payload, const struct xfs_dir_entry *);	/* nonzero stops and is returned */

/*
 * All entries with a cookie of at least `from`, "." and ".." included (a short directory does not store them; they are
 * made up).  Blocks that cannot be read or trusted are left out, each with a finding; the first such error is returned
 * after the rest was handed out.
 */
int xfs_dir_each(struct xfs_dir *, uint32_t from, xfs_dir_fn, void *payload);

/*
 * Looks a name up by its hash. NOENT: not there.  CORRUPT and others: the index is damaged; xfs_dir_find() may help.
 * `cookie` and `ftype` may be NULL.
 */
int xfs_dir_lookup(struct xfs_dir *, const void *name, size_t len, xfs_ino_t *ino, unsigned *ftype, uint32_t *cookie);
/* The same by reading all entries. */
int xfs_dir_find(struct xfs_dir *, const void *name, size_t len, xfs_ino_t *ino, unsigned *ftype, uint32_t *cookie);
/* The directory's "..". Errors: NOENT, and those of reading it. */
int xfs_dir_parent(struct xfs_dir *, xfs_ino_t *parent);

/* ---- used by the verifier too ---- */

/* Data block number `db`: its buffer, and where its entries end. NOENT: a hole. */
int xfs_dir_get_data(struct xfs_dir *, uint64_t db, struct xfs_buf **out, uint32_t *end);
/* Next mapped data block number >= *db. NOENT: none. */
int xfs_dir_next_data(struct xfs_dir *, uint64_t *db);
struct xfs_finding xfs_dir_finding(const struct xfs_dir *, enum xfs_finding_id, uint64_t db);

#endif
