/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirdata.h - what lies in a short directory and in a data block, item by item (format sheet 03, sections 5.1, 5.2).
 *
 * Plain memory in, items out: sizes are checked before an item is handed out, so its name lies in the buffer.  Contents
 * (inode numbers, characters) are judged by xfs_dir_entry_problem().  Layer: name.
 */
#ifndef XFS_NAME_DIRDATA_H
#define XFS_NAME_DIRDATA_H

#include "libxfs/mount/geometry.h"
#include "libxfs/ondisk/dir.h"

struct xfs_dir_item {
	bool used;
	uint32_t off, len;		/* place in the block; short form: as if it were there */
	uint32_t tag;			/* its own offset as stored at its end; short form: = off */
	/* used ones */
	uint64_t ino;
	const uint8_t *name;
	uint8_t namelen, ftype;		/* ftype 0 without the feature */
};

/*
 * The item at *off of a data block whose entries end at `end`; *off moves behind it.  1: an item, 0: the end,
 * -CORRUPT: what is there cannot be an item.  Start with xfs_dir_data_header_len().
 */
int xfs_dir_data_next(const struct xfs_geometry *, const uint8_t *block, uint32_t end, uint32_t *off,
		      struct xfs_dir_item *);

struct xfs_dir_sf {
	const uint8_t *p;
	uint32_t len;			/* bytes in use: di_size cut to the fork */
	unsigned count, i8count;
	bool wide;
	uint64_t parent;
	/* position */
	uint32_t at;
	unsigned done;
};
/* CORRUPT: not even a header. */
int xfs_dir_sf_start(struct xfs_dir_sf *, const uint8_t *fork, uint32_t len);
/* Next entry. 1: an item, 0: all `count` were handed out, -CORRUPT: the next one does not fit. */
int xfs_dir_sf_next(const struct xfs_geometry *, struct xfs_dir_sf *, struct xfs_dir_item *);

/* Why an entry is not legal by itself, or NULL. Names are 1 to 255 bytes without zero and slash. */
const char *xfs_dir_entry_problem(const struct xfs_geometry *, const struct xfs_dir_item *);

XFS_INLINE bool xfs_dir_is_dot(const struct xfs_dir_item *i) { return i->namelen == 1 && i->name[0] == '.'; }
XFS_INLINE bool xfs_dir_is_dotdot(const struct xfs_dir_item *i)
{
	return i->namelen == 2 && i->name[0] == '.' && i->name[1] == '.';
}

#endif
