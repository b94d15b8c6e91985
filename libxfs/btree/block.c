/* SPDX-License-Identifier: BSD-2-Clause */
/* block.c - fetching and checking one block of a tree; nothing here trusts a byte of it. */
#include "libxfs/btree/priv.h"

struct xfs_finding xfs_btree_finding(const struct xfs_btree *bt, enum xfs_finding_id id, uint64_t ptr)
{
	struct xfs_finding f = xfs_finding_of(id, bt->kind->name);

	if (bt->kind->shape->long_form) {
		f.ino = bt->owner;
	} else {
		f.agno = (uint32_t)bt->owner;
		f.agbno = (uint32_t)ptr;
	}
	return f;
}

/* The detail of findings in inode-rooted trees names the block: there is no other place for an fsblock. */
static void say_where(const struct xfs_btree *bt, uint64_t ptr, struct xfs_finding *f)
{
	if (xfs_btree_is_inline(bt, ptr))
		xfs_finding_detail(f, "root in the inode");
	else if (bt->kind->shape->long_form)
		xfs_finding_detail(f, "fsblock %llu", (unsigned long long)ptr);
}

static int wrong(const struct xfs_btree *bt, enum xfs_finding_id id, const char *field, uint64_t ptr, uint64_t found,
		 uint64_t expected, struct xfs_finding *why)
{
	if (why) {
		*why = xfs_btree_finding(bt, id, ptr);
		why->field = field;
		why->found = found;
		why->expected = expected;
		say_where(bt, ptr, why);
	}
	return id == XFS_F_BLOCK_MAGIC ? -XFS_E_BADMAGIC : -XFS_E_CORRUPT;
}

/* Most entries that a block, or the bytes of an inline root, can hold. */
static uint32_t most_entries(const struct xfs_btree *bt, uint64_t ptr, bool leaf)
{
	const struct xfs_btree_shape *s = bt->kind->shape;

	if (xfs_btree_is_inline(bt, ptr))
		return xfs_btree_inline_max(bt->kind, bt->inline_len, leaf);
	return xfs_btree_maxrecs(s, bt->v5, bt->blocksize, leaf);
}

int xfs_btree_check_structure(const struct xfs_btree *bt, uint64_t ptr, unsigned level, const uint8_t *data,
			      struct xfs_finding *why)
{
	bool inl = xfs_btree_is_inline(bt, ptr), root = level + 1 == bt->levels;
	uint32_t magic = bt->v5 ? bt->kind->magic_v5 : bt->kind->magic_v4, n, most = most_entries(bt, ptr, level == 0);
	unsigned found;

	if (!inl && xfs_btree_get_magic(data) != magic)
		return wrong(bt, XFS_F_BLOCK_MAGIC, "magic", ptr, xfs_btree_get_magic(data), magic, why);
	found = inl ? xfs_bmdr_get_level((const void *)data) : xfs_btree_get_level(data);
	if (found != level || (inl && level == 0 && !bt->kind->root_leaf))
		return wrong(bt, XFS_F_BTREE_LEVEL, "level", ptr, found, level, why);
	n = inl ? xfs_bmdr_get_numrecs((const void *)data) : xfs_btree_get_numrecs(data);
	if (n > most)
		return wrong(bt, XFS_F_BTREE_NUMRECS, "numrecs", ptr, n, most, why);
	/* only a tree that is one leaf may be empty */
	if (n == 0 && !(root && level == 0))
		return wrong(bt, XFS_F_BTREE_NUMRECS, "numrecs", ptr, 0, 1, why);
	return 0;
}

static bool uuid_wrong(const struct xfs_btree *bt, uint64_t ptr, const uint8_t *data, struct xfs_finding *why)
{
	size_t off = bt->kind->shape->long_form ? XFS_OFF(btree_long, uuid) : XFS_OFF(btree_short, uuid);

	if (!bt->v5 || !bt->uuid || memcmp(data + off, bt->uuid, 16) == 0)
		return false;
	wrong(bt, XFS_F_BLOCK_UUID, "uuid", ptr, XFS_NULL64, XFS_NULL64, why);
	return true;
}

static bool owner_wrong(const struct xfs_btree *bt, uint64_t ptr, const uint8_t *data, struct xfs_finding *why)
{
	uint64_t found;

	if (!bt->v5 || !bt->uuid)
		return false;
	found = bt->kind->shape->long_form ? xfs_btree_long_get_owner((const void *)data)
					   : xfs_btree_short_get_owner((const void *)data);
	if (found == bt->owner)
		return false;
	wrong(bt, XFS_F_BLOCK_OWNER, "owner", ptr, found, bt->owner, why);
	return true;
}

static bool blkno_wrong(const struct xfs_btree *bt, uint64_t ptr, const uint8_t *data, struct xfs_finding *why)
{
	uint64_t found, expected;

	if (!bt->v5 || !bt->daddr_of)
		return false;
	found = bt->kind->shape->long_form ? xfs_btree_long_get_bno((const void *)data)
					   : xfs_btree_short_get_bno((const void *)data);
	expected = bt->daddr_of(bt->io.owner, ptr);
	if (found == expected)
		return false;
	wrong(bt, XFS_F_BLOCK_BLKNO, "bno", ptr, found, expected, why);
	return true;
}

static bool ptr_outside(const struct xfs_btree *bt, uint64_t ptr)
{
	bool checked = bt->ptr_min || bt->ptr_max;

	return ptr == XFS_NULL64 || (checked && (ptr < bt->ptr_min || ptr >= bt->ptr_max));
}

static bool sibling_wrong(const struct xfs_btree *bt, bool right, uint64_t ptr, const uint8_t *data,
			  struct xfs_finding *why)
{
	uint64_t sib = xfs_btree_get_sib(bt->kind->shape, data, right);

	if (sib == XFS_NULL64 || (sib != ptr && !ptr_outside(bt, sib)))
		return false;
	wrong(bt, XFS_F_BTREE_SIBLING, right ? "rightsib" : "leftsib", ptr, sib, XFS_NULL64, why);
	return true;
}

bool xfs_btree_identity_wrong(const struct xfs_btree *bt, unsigned nth, uint64_t ptr, const uint8_t *data,
			      struct xfs_finding *why)
{
	if (xfs_btree_is_inline(bt, ptr))
		return false;
	switch (nth) {
	case 0:
		return uuid_wrong(bt, ptr, data, why);
	case 1:
		return owner_wrong(bt, ptr, data, why);
	case 2:
		return blkno_wrong(bt, ptr, data, why);
	default:
		return sibling_wrong(bt, nth == 4, ptr, data, why);
	}
}

int xfs_btree_check_block(const struct xfs_btree *bt, uint64_t ptr, unsigned level, const uint8_t *data,
			  struct xfs_finding *why)
{
	int err = xfs_btree_check_structure(bt, ptr, level, data, why);

	for (unsigned i = 0; !err && i < XFS_BTREE_IDENTITY_CHECKS; i++)
		if (xfs_btree_identity_wrong(bt, i, ptr, data, why))
			err = -XFS_E_CORRUPT;
	return err;
}

uint32_t xfs_btree_inline_max(const struct xfs_btree_kind *kind, size_t len, bool leaf)
{
	const struct xfs_btree_shape *s = kind->shape;
	uint32_t n;

	if (len < sizeof(struct xfs_bmdr_disk))
		return 0;
	n = xfs_btree_root_maxrecs(s, (uint32_t)(len - sizeof(struct xfs_bmdr_disk)), leaf);
	return n > UINT16_MAX ? UINT16_MAX : n;
}

void xfs_btree_view_make(const struct xfs_btree *bt, uint64_t ptr, const uint8_t *data, struct xfs_btree_view *v)
{
	const struct xfs_btree_shape *s = bt->kind->shape;
	bool leaf;

	if (xfs_btree_is_inline(bt, ptr)) {
		leaf = xfs_bmdr_get_level((const void *)data) == 0;
		v->n = xfs_bmdr_get_numrecs((const void *)data);
		v->entries = data + sizeof(struct xfs_bmdr_disk);
		v->ptrs = leaf ? NULL : v->entries + (size_t)most_entries(bt, ptr, false) * s->keylen;
	} else {
		leaf = xfs_btree_get_level(data) == 0;
		v->n = xfs_btree_get_numrecs(data);
		v->entries = data + xfs_btree_header_len(s, bt->v5);
		v->ptrs = leaf ? NULL : data + xfs_btree_ptrs_off(s, bt->v5, bt->blocksize);
	}
	v->stride = leaf ? s->reclen : s->keylen;
}

int xfs_btree_borrow(struct xfs_btree *bt, uint64_t ptr, unsigned level, struct xfs_btree_block *out)
{
	if (bt->kind->inode_root && level + 1 == bt->levels) {
		*out = (struct xfs_btree_block){ .ptr = ptr, .data = bt->inline_root };
		return 0;
	}
	if (ptr_outside(bt, ptr))
		return -XFS_E_RANGE;
	*out = (struct xfs_btree_block){ .ptr = ptr };
	return bt->io.get(bt->io.owner, ptr, out);
}

void xfs_btree_give_back(struct xfs_btree *bt, struct xfs_btree_block *block)
{
	if (!xfs_btree_is_inline(bt, block->ptr))
		bt->io.put(bt->io.owner, block);
	block->data = NULL;
}

int xfs_btree_fetch(struct xfs_btree *bt, uint64_t ptr, unsigned level, struct xfs_btree_block *out,
		    struct xfs_btree_view *v)
{
	int err = xfs_btree_borrow(bt, ptr, level, out);

	if (err)
		return err;
	out->ptr = ptr;
	err = xfs_btree_check_block(bt, ptr, level, out->data, NULL);
	if (err)
		xfs_btree_give_back(bt, out);
	else
		xfs_btree_view_make(bt, ptr, out->data, v);
	return err;
}

int xfs_btree_check_instance(const struct xfs_btree *bt)
{
	const struct xfs_btree_shape *s = bt->kind->shape;
	bool inl = bt->kind->inode_root;

	if (bt->levels == 0 || bt->levels > XFS_BTREE_MAXLEVELS)
		return -XFS_E_CORRUPT;
	if ((bt->v5 ? bt->kind->magic_v5 : bt->kind->magic_v4) == 0)
		return -XFS_E_INVALID;
	if (inl && (!bt->inline_root || bt->inline_len < sizeof(struct xfs_bmdr_disk)))
		return -XFS_E_INVALID;
	/* a block must have room for two entries of each kind; real ones are 512 bytes or more */
	return bt->blocksize < xfs_btree_header_len(s, bt->v5) + 128 ? -XFS_E_INVALID : 0;
}

void xfs_btree_block_init(const struct xfs_btree_head *h, unsigned level, uint32_t n, uint8_t *data)
{
	const struct xfs_btree_shape *s = h->kind->shape;

	memset(data, 0, h->blocksize);
	xfs_btree_short_set_magic((void *)data, h->v5 ? h->kind->magic_v5 : h->kind->magic_v4);
	xfs_btree_short_set_level((void *)data, (uint16_t)level);
	xfs_btree_short_set_numrecs((void *)data, (uint16_t)n);
	xfs_btree_put_sib(s, data, false, XFS_NULL64);
	xfs_btree_put_sib(s, data, true, XFS_NULL64);
	if (!h->v5)
		return;
	if (s->long_form) {
		xfs_btree_long_set_bno((void *)data, h->daddr);
		xfs_btree_long_set_lsn((void *)data, h->lsn);
		memcpy(data + XFS_OFF(btree_long, uuid), h->uuid, 16);
		xfs_btree_long_set_owner((void *)data, h->owner);
	} else {
		xfs_btree_short_set_bno((void *)data, h->daddr);
		xfs_btree_short_set_lsn((void *)data, h->lsn);
		memcpy(data + XFS_OFF(btree_short, uuid), h->uuid, 16);
		xfs_btree_short_set_owner((void *)data, (uint32_t)h->owner);
	}
}
