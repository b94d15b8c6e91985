/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_build.c - directories and attribute forks from the lists of a plan, in blocks that nobody claims.
 *
 * The attribute fork comes first: where it begins says what the data fork has.  May run again after it was out of
 * space.
 */
#include "repair/names.h"

#include "repair/forks.h"
#include "repair/rebuild.h"

#include <stdlib.h>
#include <string.h>

struct taking {
	struct repair *r;
	uint64_t ino;
	uint32_t agno;		/* where the last blocks came from */
};

void repair_name_plan_free(struct repair_name_plan *p)
{
	if (!p)
		return;
	free(p->entries);
	free(p->list);
	free(p->target);
	free(p);
}

/* The longest run that first fit finds among halves of what is wanted, in AGs that are rebuilt. */
static int take(void *payload, uint64_t offset, uint64_t want, uint64_t *fsbno, uint64_t *got)
{
	struct taking *t = payload;
	struct repair *r = t->r;

	for (uint64_t len = xfs_min(want, r->geo.agblocks); len; len /= 2)
		for (uint32_t i = 0; i < r->geo.agcount; i++) {
			uint32_t agno = (t->agno + i) % r->geo.agcount;
			int error = repair_take_blocks(r, agno, (uint32_t)len, t->ino, offset, fsbno);

			if (error == -XFS_E_NOSPC)
				continue;
			t->agno = agno;
			*got = len;
			return error;
		}
	return -XFS_E_NOSPC;
}

static struct xfs_build_target target(struct taking *t)
{
	return (struct xfs_build_target){ .geo = &t->r->geo, .dev = t->r->dev.data, .ino = t->ino, .alloc = take,
			.payload = t };
}

/* ---- attributes ---- */

/* The pointers of a root lie at its end. */
static uint64_t meta_root_used(struct repair *r, const struct xfs_dinode *d, const uint8_t *bytes)
{
	const struct xfs_btree_shape *shape = d->core.metatype == XFS_METAFILE_RTREFCOUNT ? &xfs_btree_shape_rtrefcbt
											  : &xfs_btree_shape_rtrmapbt;
	uint32_t size = repair_fork_size(r, d, XFS_FORK_DATA);
	struct xfs_bmdr root;

	xfs_bmdr_decode(&root, bytes);
	return root.level ? size : xfs_min(size, (uint32_t)sizeof(struct xfs_bmdr_disk) +
						 shape->reclen * (uint32_t)root.numrecs);
}

/* What the data fork needs. Of one that is made anew as well: what it is going to need. */
static void data_facts(struct repair *r, struct repair_inode *c, const struct xfs_dinode *d,
		struct xfs_forkoff_facts *f)
{
	const uint8_t *bytes = c->image + xfs_dinode_literal_off((unsigned)d->core.version);

	*f = (struct xfs_forkoff_facts){ d->core.format, (uint64_t)d->core.size, d->core.forkoff };
	if (c->names->dir) {
		struct xfs_build_dir b = { .to = { .geo = &r->geo, .ino = c->ino }, .parent = c->names->parent,
					   .entries = c->names->entries, .n = c->names->nentries,
					   .forksize = repair_fork_size(r, d, XFS_FORK_DATA) };
		struct xfs_build_dir_shape shape;

		f->format = XFS_DINODE_FMT_EXTENTS;
		f->used = 3;
		if (!xfs_build_dir_shape(&b, &shape) && shape.form == XFS_DIR_SHORT) {
			f->format = XFS_DINODE_FMT_LOCAL;
			f->used = shape.size;
		}
	} else if (c->names->target) {
		f->format = c->names->targetlen <= repair_fork_size(r, d,
				XFS_FORK_DATA) ? XFS_DINODE_FMT_LOCAL : XFS_DINODE_FMT_EXTENTS;
		f->used = f->format == XFS_DINODE_FMT_LOCAL ? c->names->targetlen : 1;
	} else if (f->format == XFS_DINODE_FMT_EXTENTS) {
		f->used = xfs_dinode_nextents(d, XFS_FORK_DATA);
	} else if (f->format == XFS_DINODE_FMT_META_BTREE) {
		f->used = c->fork[XFS_FORK_DATA] ? sizeof(struct xfs_bmdr_disk) : meta_root_used(r, d, bytes);
	} else if (f->format == XFS_DINODE_FMT_BTREE) {
		f->used = xfs_min(xfs_be16(bytes + XFS_OFF(bmdr, numrecs)),
				  xfs_bmdr_maxrecs(repair_fork_size(r, d, XFS_FORK_DATA)));
	}
}

/* The attribute fork begins elsewhere: what the data fork gains is zero. False: its contents do not fit any more. */
static bool move_border(struct repair *r, struct repair_inode *c, struct xfs_dinode *d, unsigned forkoff)
{
	unsigned version = (unsigned)d->core.version;
	uint8_t *literal = c->image + xfs_dinode_literal_off(version);
	uint32_t before = xfs_dinode_fork_size(version, d->core.forkoff, r->geo.inodesize, XFS_FORK_DATA);
	uint32_t after = xfs_dinode_fork_size(version, forkoff, r->geo.inodesize, XFS_FORK_DATA);

	if (!c->fork[XFS_FORK_DATA] && after < before) {
		if (d->core.format == XFS_DINODE_FMT_LOCAL ? (uint64_t)d->core.size > after :
		    d->core.format == XFS_DINODE_FMT_EXTENTS ? 16 * xfs_dinode_nextents(d, XFS_FORK_DATA) > after :
		    d->core.format == XFS_DINODE_FMT_META_BTREE ? meta_root_used(r, d, literal) > after :
		    d->core.format != XFS_DINODE_FMT_DEV)
			return false;
	}
	if (after > before)
		memset(literal + before, 0, after - before);
	d->core.forkoff = (uint8_t)forkoff;
	return true;
}

static int build_attrs(struct taking *t, struct repair_inode *c, struct xfs_dinode *d)
{
	struct repair *r = t->r;
	unsigned version = (unsigned)d->core.version;
	uint8_t *bytes = calloc(1, xfs_dinode_literal_size(version, r->geo.inodesize));
	struct xfs_build_attrs b = { .to = target(t), .list = c->names->list, .n = c->names->nlist, .bytes = bytes };
	int error;

	if (!bytes)
		return -XFS_E_NOMEM;
	data_facts(r, c, d, &b.data);
	error = xfs_build_attrs(&b);
	if (!error && b.forkoff != d->core.forkoff && !move_border(r, c, d, b.forkoff))
		error = -XFS_E_TOOBIG;
	if (!error && !xfs_dinode_set_nextents(d, XFS_FORK_ATTR, b.fork.nextents))
		error = -XFS_E_RANGE;
	if (!error) {
		memcpy(c->image + xfs_dinode_fork_off(version, d->core.forkoff, r->geo.inodesize, XFS_FORK_ATTR), bytes,
		       b.forksize);
		d->core.aformat = (uint8_t)b.fork.format;
		c->names->blocks[XFS_FORK_ATTR] = b.fork.nblocks;
		if (b.n && !(r->primary.versionnum & XFS_SB_VERSION_ATTR)) {
			r->primary.versionnum |= XFS_SB_VERSION_ATTR;
			r->sb_changed = true;
		}
	}
	free(bytes);
	return error;
}

/* ---- data forks ---- */

static int build_dir(struct taking *t, struct repair_inode *c, struct xfs_dinode *d)
{
	struct xfs_build_dir b = {
		.to = target(t), .parent = c->names->parent, .entries = c->names->entries, .n = c->names->nentries,
		.forksize = repair_fork_size(t->r, d, XFS_FORK_DATA),
		.bytes = c->image + xfs_dinode_literal_off((unsigned)d->core.version),
	};
	int error = xfs_build_dir(&b);

	if (!error && !xfs_dinode_set_nextents(d, XFS_FORK_DATA, b.fork.nextents))
		error = -XFS_E_RANGE;
	if (error)
		return error;
	d->core.size = (int64_t)b.shape.size;
	d->core.format = (uint8_t)b.fork.format;
	c->names->blocks[XFS_FORK_DATA] = b.fork.nblocks;
	return 0;
}

int repair_build_names(struct repair *r, struct repair_inode *c, struct xfs_dinode *d)
{
	struct taking t = { r, c->ino, xfs_ino_agno(&r->geo, XFS_INO(c->ino)).v };
	int error = c->names->attrs ? build_attrs(&t, c, d) : 0;

	if (!error && c->names->dir)
		error = build_dir(&t, c, d);
	if (!error && c->names->target)
		error = repair_build_symlink(r, c, d);
	return error;
}
