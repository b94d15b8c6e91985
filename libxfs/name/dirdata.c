/* SPDX-License-Identifier: BSD-2-Clause */
/* dirdata.c - items of data blocks and of short directories. */
#include "libxfs/name/dirdata.h"

#include "libxfs/base/errors.h"

static int used_item(const struct xfs_geometry *g, const uint8_t *p, uint32_t room, struct xfs_dir_item *it)
{
	const struct xfs_dir_data_ent_disk *d = (const void *)p;

	if (room < sizeof(*d))
		return -XFS_E_CORRUPT;
	it->used = true;
	it->ino = xfs_dir_data_ent_get_inumber(d);
	it->namelen = xfs_dir_data_ent_get_namelen(d);
	it->len = xfs_dir_data_entsize(g->ftype, it->namelen);
	if (!it->namelen || it->len > room)
		return -XFS_E_CORRUPT;
	it->name = p + sizeof(*d);
	it->ftype = g->ftype ? p[xfs_dir_data_ftype_off(it->namelen)] : 0;
	return 1;
}

int xfs_dir_data_next(const struct xfs_geometry *g, const uint8_t *block, uint32_t end, uint32_t *off,
		      struct xfs_dir_item *it)
{
	const uint8_t *p = block + *off;
	uint32_t room;
	int err = 1;

	memset(it, 0, sizeof(*it));
	if (*off >= end)
		return 0;
	room = end - *off;
	it->off = *off;
	if (room < XFS_DIR_ALIGN)
		return -XFS_E_CORRUPT;
	if (xfs_be16(p) == XFS_DIR_FREE_TAG) {
		it->len = xfs_dir_data_unused_get_length((const void *)p);
		if (it->len < XFS_DIR_ALIGN || it->len % XFS_DIR_ALIGN || it->len > room)
			return -XFS_E_CORRUPT;
	} else {
		err = used_item(g, p, room, it);
		if (err < 0)
			return err;
	}
	it->tag = xfs_be16(p + it->len - 2);
	*off += it->len;
	return err;
}

int xfs_dir_sf_start(struct xfs_dir_sf *sf, const uint8_t *fork, uint32_t len)
{
	struct xfs_dir_sf_hdr h;

	memset(sf, 0, sizeof(*sf));
	if (len < xfs_dir_sf_hdr_len(false))
		return -XFS_E_CORRUPT;
	xfs_dir_sf_hdr_decode(&h, fork);
	sf->p = fork;
	sf->len = len;
	sf->count = h.count;
	sf->i8count = h.i8count;
	sf->wide = h.i8count != 0;
	sf->at = xfs_dir_sf_hdr_len(sf->wide);
	if (len < sf->at)
		return -XFS_E_CORRUPT;
	sf->parent = xfs_dir_sf_parent(fork, sf->wide);
	return 0;
}

int xfs_dir_sf_next(const struct xfs_geometry *g, struct xfs_dir_sf *sf, struct xfs_dir_item *it)
{
	const uint8_t *p = sf->p + sf->at;
	struct xfs_dir_sf_ent e;
	uint32_t size;

	memset(it, 0, sizeof(*it));
	if (sf->done == sf->count)
		return 0;
	if (sf->len - sf->at < sizeof(struct xfs_dir_sf_ent_disk))
		return -XFS_E_CORRUPT;
	xfs_dir_sf_ent_decode(&e, p);
	size = xfs_dir_sf_entsize(g->ftype, sf->wide, e.namelen);
	if (!e.namelen || size > sf->len - sf->at)
		return -XFS_E_CORRUPT;
	it->used = true;
	it->off = it->tag = e.offset;
	it->len = xfs_dir_data_entsize(g->ftype, e.namelen);
	it->name = p + sizeof(struct xfs_dir_sf_ent_disk);
	it->namelen = e.namelen;
	it->ftype = g->ftype ? it->name[e.namelen] : 0;
	p += size - (sf->wide ? 8 : 4);
	it->ino = sf->wide ? xfs_be64(p) : xfs_be32(p);
	sf->at += size;
	sf->done++;
	return 1;
}

const char *xfs_dir_entry_problem(const struct xfs_geometry *g, const struct xfs_dir_item *it)
{
	if (!it->namelen)
		return "name is empty";
	if (memchr(it->name, 0, it->namelen))
		return "name holds a zero byte";
	if (memchr(it->name, '/', it->namelen))
		return "name holds a slash";
	if (!xfs_ino_valid(g, XFS_INO(it->ino)))
		return "inode number is impossible";
	if (it->ftype >= XFS_DIR_FT_COUNT)
		return "file type is unknown";
	return NULL;
}
