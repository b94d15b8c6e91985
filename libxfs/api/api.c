/* SPDX-License-Identifier: BSD-2-Clause */
/* api.c - the public interface: thin, over mount, inode and name. */
#include "xfskit/xfskit.h"

#include "libxfs/device/device.h"
#include "libxfs/inode/fork.h"
#include "libxfs/log/state.h"
#include "libxfs/name/path.h"

#include <stdlib.h>
#include <string.h>

struct xfskit {
	struct xfs_dev *dev;
	struct xfs_fs *fs;
};

int xfskit_open(struct xfskit **out, const char *path, uint64_t offset)
{
	struct xfskit *k = calloc(1, sizeof(*k));
	struct xfs_devset set = { 0 };
	struct xfs_dev *top;
	int error;

	if (!k)
		return -XFS_E_NOMEM;
	error = xfs_dev_file(&k->dev, path, XFS_DEV_READONLY, 0, NULL);
	if (!error && offset) {
		error = xfs_dev_slice(&top, k->dev, offset, 0);
		if (!error)
			k->dev = top;
	}
	set.data = k->dev;
	if (!error)
		error = xfs_fs_open(&k->fs, &set, NULL, NULL);
	if (error) {
		xfskit_close(k);
		return error;
	}
	*out = k;
	return 0;
}

void xfskit_close(struct xfskit *k)
{
	if (!k)
		return;
	xfs_fs_close(k->fs);
	xfs_dev_close(k->dev);
	free(k);
}

int xfskit_info(struct xfskit *k, struct xfskit_info *out)
{
	const struct xfs_geometry *g = &k->fs->geo;
	struct xfs_log_state log;
	int error = xfs_log_state(k->fs, &log);

	*out = (struct xfskit_info){
		.block_size = g->blocksize, .sector_size = g->sectsize, .inode_size = g->inodesize,
		.ag_count = g->agcount, .ag_blocks = g->agblocks, .blocks = g->dblocks, .free_blocks = g->sb.fdblocks,
		.inodes = g->sb.icount, .free_inodes = g->sb.ifree, .root_inode = g->sb.rootino, .v5 = g->v5,
		.rmapbt = g->rmapbt, .reflink = g->reflink, .log_dirty = !error && log.kind != XFS_LOG_CLEAN,
	};
	memcpy(out->uuid, g->sb.uuid, sizeof(out->uuid));
	memcpy(out->label, g->sb.fname, sizeof(g->sb.fname));
	return error;
}

struct owners {
	const struct xfs_geometry *geo;
	uint32_t agno;
	xfskit_owner_fn fn;
	void *payload;
};

static int owner_record(void *payload, const void *disk)
{
	struct owners *o = payload;
	struct xfs_rmap_rec r;
	struct xfskit_owner out;

	xfs_rmap_rec_decode(&r, disk);
	out = (struct xfskit_owner){
		.block = (uint64_t)o->agno * o->geo->agblocks + r.startblock, .count = r.blockcount,
		.owner = (int64_t)r.owner, .offset = r.offset,
		.flags = (r.attrfork ? XFSKIT_ATTR : 0) | (r.bmbtblock ? XFSKIT_BMBT : 0) |
			 (r.extentflag ? XFSKIT_UNWRITTEN : 0),
	};
	return o->fn(o->payload, &out);
}

int xfskit_owners(struct xfskit *k, uint64_t block, uint64_t count, xfskit_owner_fn fn, void *payload)
{
	const struct xfs_geometry *g = &k->fs->geo;
	int error = 0;

	if (!count || block >= g->dblocks || count > g->dblocks - block)
		return -XFS_E_RANGE;
	if (!g->rmapbt)
		return -XFS_E_UNSUPPORTED;
	while (count && !error) {
		struct owners o = { g, (uint32_t)(block / g->agblocks), fn, payload };
		uint64_t start = block % g->agblocks, n = xfs_min(count, g->agblocks - start);
		struct xfs_btree_key lo = { { start, 0, 0 } }, hi = { { start + n - 1, UINT64_MAX, UINT64_MAX } };
		struct xfs_btree bt;

		error = xfs_fs_ag_btree(k->fs, XFS_AGNO(o.agno), XFS_BTREE_RMAP, &bt);
		if (!error)
			error = xfs_btree_query_range(&bt, &lo, &hi, owner_record, &o, NULL, NULL, NULL);
		block += n;
		count -= n;
	}
	return error;
}

/* An inode and a fork of it; one allocation, for callers may be on small stacks. */
struct opened {
	struct xfs_inode ip;
	struct xfs_ifork f;
};

static int open_fork(struct opened **out, struct xfskit *k, uint64_t ino, enum xfs_fork which)
{
	struct opened *o = malloc(sizeof(*o));
	int error = o ? xfs_inode_read(k->fs, XFS_INO(ino), 0, &o->ip) : -XFS_E_NOMEM;

	if (!error && !o->ip.d.core.mode)
		error = -XFS_E_NOENT;
	if (!error)
		error = xfs_ifork_init(&o->f, &o->ip, which);
	if (error)
		free(o);
	else
		*out = o;
	return error;
}

struct extents {
	const struct xfs_geometry *geo;
	xfskit_extent_fn fn;
	void *payload;
};

static int one_extent(void *payload, const struct xfs_extent *e)
{
	struct extents *x = payload;
	xfs_fsbno_t b = XFS_FSBNO(e->block);
	struct xfskit_extent out = {
		e->off, (uint64_t)xfs_fsbno_agno(x->geo, b).v * x->geo->agblocks + xfs_fsbno_agbno(x->geo, b).v, e->len,
		e->unwritten
	};

	return x->fn(x->payload, &out);
}

int xfskit_extents(struct xfskit *k, uint64_t ino, bool attr, xfskit_extent_fn fn, void *payload)
{
	struct extents x = { &k->fs->geo, fn, payload };
	struct opened *o;
	int error = open_fork(&o, k, ino, attr ? XFS_FORK_ATTR : XFS_FORK_DATA);

	if (error)
		return error;
	error = o->f.realtime ? -XFS_E_UNSUPPORTED : xfs_ifork_each(&o->f, one_extent, &x);
	free(o);
	return error;
}

int xfskit_lookup(struct xfskit *k, const char *path, uint64_t *ino)
{
	xfs_ino_t found;
	int error = xfs_path_lookup(k->fs, XFS_INO(k->fs->geo.sb.rootino), path, &found);

	if (!error)
		*ino = found.v;
	return error;
}

int xfskit_path(struct xfskit *k, uint64_t ino, char *path, size_t room)
{
	return xfs_path_of(k->fs, XFS_INO(ino), path, room);
}

int xfskit_stat(struct xfskit *k, uint64_t ino, struct xfskit_stat *out)
{
	struct opened *o;
	int error = open_fork(&o, k, ino, XFS_FORK_DATA);
	bool big;

	if (error)
		return error;
	big = xfs_dinode_has_bigtime(&o->ip.d);
	*out = (struct xfskit_stat){
		.mode = o->ip.d.core.mode, .uid = o->ip.d.core.uid, .gid = o->ip.d.core.gid,
		.links = xfs_dinode_nlink(&o->ip.d), .size = o->ip.d.core.size, .blocks = o->ip.d.core.nblocks,
		.extents = xfs_dinode_nextents(&o->ip.d, XFS_FORK_DATA),
		.atime = xfs_time_decode(o->ip.d.core.atime, big).sec,
		.mtime = xfs_time_decode(o->ip.d.core.mtime, big).sec,
		.ctime = xfs_time_decode(o->ip.d.core.ctime, big).sec,
	};
	free(o);
	return 0;
}

struct names {
	xfskit_name_fn fn;
	void *payload;
};

static int one_name(void *payload, const struct xfs_dir_entry *e)
{
	struct names *n = payload;

	return n->fn(n->payload, (const char *)e->name, e->namelen, e->ino.v);
}

int xfskit_readdir(struct xfskit *k, uint64_t ino, xfskit_name_fn fn, void *payload)
{
	struct names n = { fn, payload };
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_dir d;
	int error = ip ? xfs_inode_read(k->fs, XFS_INO(ino), 0, ip) : -XFS_E_NOMEM;

	if (!error)
		error = xfs_dir_open(&d, ip, NULL);
	if (!error)
		error = xfs_dir_each(&d, 0, one_name, &n);
	free(ip);
	return error;
}

int xfskit_read(struct xfskit *k, uint64_t ino, uint64_t offset, void *buf, size_t len, size_t *got)
{
	struct opened *o;
	int error = open_fork(&o, k, ino, XFS_FORK_DATA);

	*got = 0;
	if (error)
		return error;
	error = xfs_ifork_read(&o->f, offset, buf, len, got);
	free(o);
	return error;
}
