/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirshort.c - changes of short directories (format sheet 03, section 5.1).
 *
 * They are small and lie in the inode, which is logged as a whole: each change takes the list apart and writes it anew.
 */
#include "libxfs/name/dirprivate.h"

#include "libxfs/name/hash.h"

#include <stdlib.h>

int xfs_dirshort_load(const struct xfs_dirop *op, struct xfs_sf_list **out)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t len, least = xfs_dir_data_first_off(g->v5);
	const uint8_t *bytes = xfs_inode_fork_bytes(&op->k.ip->i, XFS_FORK_DATA, &len);
	struct xfs_sf_list *l;
	struct xfs_dir_item it;
	struct xfs_dir_sf sf;
	int err, more;

	len = (uint32_t)xfs_min(len, xfs_dirop_core(op)->size);
	l = malloc(sizeof(*l));
	if (!l)
		return -XFS_E_NOMEM;
	memcpy(l->bytes, bytes, len);
	l->n = 0;
	err = xfs_dir_sf_start(&sf, l->bytes, len);
	if (err)
		goto out;
	l->parent = sf.parent;
	while ((more = xfs_dir_sf_next(g, &sf, &it)) > 0) {
		if (it.off < least || it.off % XFS_DIR_ALIGN || xfs_dir_entry_problem(g, &it))
			err = -XFS_E_CORRUPT;
		l->e[l->n++] = (struct xfs_sf_entry){ it.ino, it.name, it.namelen, it.ftype, (uint16_t)it.off };
		least = it.off + xfs_dir_data_entsize(g->ftype, it.namelen);
	}
	if (more || sf.at != len || least + 8 * (l->n + 2) + 8 > g->dirblksize)
		err = -XFS_E_CORRUPT;
out:
	if (err)
		free(l);
	else
		*out = l;
	return err;
}

static unsigned count_wide(const struct xfs_sf_list *l)
{
	unsigned n = l->parent > UINT32_MAX;

	for (unsigned i = 0; i < l->n; i++)
		n += l->e[i].ino > UINT32_MAX;
	return n;
}

uint32_t xfs_dirshort_size(const struct xfs_geometry *g, const struct xfs_sf_list *l)
{
	bool wide = count_wide(l) != 0;
	uint32_t size = xfs_dir_sf_hdr_len(wide);

	for (unsigned i = 0; i < l->n; i++)
		size += xfs_dir_sf_entsize(g->ftype, wide, l->e[i].namelen);
	return size;
}

static uint8_t *put_ino(uint8_t *at, bool wide, uint64_t ino)
{
	if (wide)
		xfs_put_be64(at, ino);
	else
		xfs_put_be32(at, (uint32_t)ino);
	return at + (wide ? 8 : 4);
}

int xfs_dirshort_store(const struct xfs_dirop *op, const struct xfs_sf_list *l)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t len, size = xfs_dirshort_size(g, l);
	uint8_t *at = xfs_live_fork_bytes(op->k.ip, XFS_FORK_DATA, &len);
	struct xfs_dir_sf_hdr h = { .count = (uint8_t)l->n, .i8count = (uint8_t)count_wide(l) };
	bool wide = count_wide(l) != 0;

	if (size > len || count_wide(l) > UINT8_MAX)
		return -XFS_E_NOSPC;
	xfs_dir_sf_hdr_encode(at, &h);
	at = put_ino(at + sizeof(struct xfs_dir_sf_hdr_disk), wide, l->parent);
	for (unsigned i = 0; i < l->n; i++) {
		const struct xfs_sf_entry *e = &l->e[i];
		const struct xfs_dir_sf_ent head = { .namelen = e->namelen, .offset = e->off };

		xfs_dir_sf_ent_encode(at, &head);
		at += sizeof(struct xfs_dir_sf_ent_disk);
		memcpy(at, e->name, e->namelen);
		at += e->namelen;
		if (g->ftype)
			*at++ = e->ftype;
		at = put_ino(at, wide, e->ino);
	}
	xfs_live_inode_dirty(op->k.ip, XFS_LIVE_CORE | XFS_LIVE_DATA);
	xfs_dirop_set_size(op, size);
	return 0;
}

/* Place of the op's name in the list; n: it is not there. */
static unsigned find(const struct xfs_dirop *op, const struct xfs_sf_list *l)
{
	unsigned i = 0;

	while (i < l->n && !xfs_dir_name_equal(op->k.g, l->e[i].name, l->e[i].namelen, op->name, op->namelen))
		i++;
	return i;
}

/*
 * Where the entry would lie in a block: behind the last one, or in the first gap that is long enough.  Returns its
 * place in the list, n + 1 when there is none.
 */
static unsigned find_gap(const struct xfs_dirop *op, const struct xfs_sf_list *l, uint32_t *off)
{
	const struct xfs_geometry *g = op->k.g;
	uint32_t at = xfs_dir_data_first_off(g->v5), end = at, tail = 8 * (l->n + 3) + 8;

	if (l->n)
		end = l->e[l->n - 1].off + xfs_dir_data_entsize(g->ftype, l->e[l->n - 1].namelen);
	*off = end;
	if (end + op->need + tail <= g->dirblksize)
		return l->n;
	for (unsigned i = 0; i < l->n && end + tail <= g->dirblksize; i++) {
		*off = at;
		if (l->e[i].off - at >= op->need)
			return i;
		at = l->e[i].off + xfs_dir_data_entsize(g->ftype, l->e[i].namelen);
	}
	return l->n + 1;
}

int xfs_dirshort_add(const struct xfs_dirop *op)
{
	struct xfs_sf_list *l;
	int err = xfs_dirshort_load(op, &l);
	unsigned at;
	uint32_t off = 0;

	if (err)
		return err;
	at = l->n < XFS_DIR_SF_MOST ? find_gap(op, l, &off) : l->n + 1;
	if (find(op, l) < l->n) {
		err = -XFS_E_EXISTS;
	} else if (at > l->n) {
		err = -XFS_E_NOSPC;
	} else {
		memmove(&l->e[at + 1], &l->e[at], (l->n - at) * sizeof(l->e[0]));
		l->e[at] = (struct xfs_sf_entry){
			op->ino, op->name, (uint8_t)op->namelen, (uint8_t)op->ftype, (uint16_t)off
		};
		l->n++;
		err = xfs_dirshort_store(op, l);
	}
	free(l);
	return err;
}

int xfs_dirshort_remove(const struct xfs_dirop *op)
{
	struct xfs_sf_list *l;
	int err = xfs_dirshort_load(op, &l);
	unsigned at;

	if (err)
		return err;
	at = find(op, l);
	if (at == l->n) {
		err = -XFS_E_NOENT;
	} else {
		l->n--;
		memmove(&l->e[at], &l->e[at + 1], (l->n - at) * sizeof(l->e[0]));
		err = xfs_dirshort_store(op, l);
	}
	free(l);
	return err;
}

int xfs_dirshort_replace(const struct xfs_dirop *op)
{
	struct xfs_sf_list *l;
	int err = xfs_dirshort_load(op, &l);
	unsigned at;

	if (err)
		return err;
	at = find(op, l);
	if (op->namelen == 2 && !memcmp(op->name, "..", 2)) {
		l->parent = op->ino;
	} else if (at < l->n) {
		l->e[at].ino = op->ino;
		l->e[at].ftype = (uint8_t)op->ftype;
	} else {
		err = -XFS_E_NOENT;
	}
	if (!err)
		err = xfs_dirshort_store(op, l);
	free(l);
	return err;
}
