/* SPDX-License-Identifier: BSD-2-Clause */
/* rmap_find.c - records, neighbours and steps that changes of reverse mappings are made of. */
#include "libxfs/space/rmap_priv.h"

#include "libxfs/base/bytes.h"

#define RESERVED_BITS ((UINT64_C(1) << 61) - 1 - XFS_RMAP_OFFMASK)	/* between flags and offset */

/* ---- records ---- */

bool xfs_rmap_sensible(const struct xfs_claim *c)
{
	uint64_t flags = c->offset & XFS_RMAP_FLAGS, off = c->offset & XFS_RMAP_OFFMASK;

	if (!c->len || xfs_claim_end(c) > UINT32_MAX || c->offset & RESERVED_BITS)
		return false;
	if (xfs_owner_is_special(c->owner))
		return c->offset == 0 && c->owner <= XFS_OWN_FS && c->owner >= XFS_OWN_MIN;
	if (flags & XFS_RMAP_BMBT)
		return !off && !(flags & XFS_RMAP_UNWRITTEN);
	if (flags & XFS_RMAP_UNWRITTEN && flags & XFS_RMAP_ATTR)
		return false;
	return off + c->len - 1 <= XFS_RMAP_OFFMASK + XFS_BMBT_MAXLEN;
}

int xfs_rmap_decode(const struct xfs_btree *bt, const void *rec, struct xfs_claim *c)
{
	*c = xfs_claim_decode(rec);
	if (!xfs_rmap_sensible(c))
		return -XFS_E_CORRUPT;
	/* blocks of AG trees are of the same AG as the blocks they tell of */
	if (!bt->kind->inode_root && bt->ptr_max && xfs_claim_end(c) > bt->ptr_max)
		return -XFS_E_CORRUPT;
	return 0;
}

void xfs_rmap_encode(void *rec, const struct xfs_claim *c)
{
	xfs_rmap_rec_set_startblock(rec, c->agbno);
	xfs_rmap_rec_set_blockcount(rec, c->len);
	xfs_rmap_rec_set_owner(rec, c->owner);
	xfs_put_be64((uint8_t *)rec + XFS_OFF(rmap_rec, attrfork), c->offset);
}

static void key_of(struct xfs_btree_key *key, const struct xfs_claim *c)
{
	*key = (struct xfs_btree_key){ { c->agbno, c->owner, c->offset & ~XFS_RMAP_UNWRITTEN } };
}

static bool same_key(const struct xfs_claim *a, const struct xfs_claim *b)
{
	return a->agbno == b->agbno && a->owner == b->owner && !((a->offset ^ b->offset) & ~XFS_RMAP_UNWRITTEN);
}

bool xfs_rmap_continues(const struct xfs_claim *c, const struct xfs_claim *next)
{
	if (c->owner != next->owner || (c->offset ^ next->offset) & XFS_RMAP_FLAGS ||
	    xfs_claim_end(c) != next->agbno || (uint64_t)c->len + next->len > UINT32_MAX)
		return false;
	return xfs_claim_no_offset(c) || c->offset + c->len == next->offset;
}

struct xfs_claim xfs_rmap_part(const struct xfs_claim *c, uint32_t skip, uint32_t len)
{
	return (struct xfs_claim){ c->agbno + skip, len, c->owner, c->offset + (xfs_claim_no_offset(c) ? 0 : skip) };
}

bool xfs_rmap_holds(const struct xfs_claim *c, const struct xfs_claim *part)
{
	if (c->owner != part->owner || (c->offset ^ part->offset) & XFS_RMAP_FLAGS || part->agbno < c->agbno ||
	    xfs_claim_end(part) > xfs_claim_end(c))
		return false;
	return xfs_claim_no_offset(c) || part->offset - c->offset == part->agbno - c->agbno;
}

/* ---- finders ---- */

void xfs_rmap_edit_init(struct xfs_rmap_edit *e, struct xfs_btree *bt, bool shared)
{
	e->bt = bt;
	e->shared = shared;
	xfs_btree_cursor_init(&e->cur, bt);
}

void xfs_rmap_edit_close(struct xfs_rmap_edit *e)
{
	xfs_btree_cursor_close(&e->cur);
}

/* The record at the cursor after a move that returned err. */
static int found(struct xfs_rmap_edit *e, int err, struct xfs_claim *out)
{
	out->len = 0;
	if (!err)
		err = xfs_rmap_decode(e->bt, xfs_btree_record(&e->cur), out);
	return err == -XFS_E_NOENT ? 0 : err;
}

int xfs_rmap_find(struct xfs_rmap_edit *e, enum xfs_btree_dir dir, const struct xfs_claim *c, struct xfs_claim *out)
{
	struct xfs_btree_key key;

	key_of(&key, c);
	return found(e, xfs_btree_lookup(&e->cur, dir, &key), out);
}

int xfs_rmap_find_next(struct xfs_rmap_edit *e, struct xfs_claim *out)
{
	return found(e, xfs_btree_next(&e->cur), out);
}

int xfs_rmap_find_prev(struct xfs_rmap_edit *e, struct xfs_claim *out)
{
	return found(e, xfs_btree_prev(&e->cur), out);
}

/* Looks for the one record around a key point that `fits`. */
struct search {
	const struct xfs_btree *bt;
	const struct xfs_claim *want;
	bool (*fits)(const struct xfs_claim *c, const struct xfs_claim *want);
	struct xfs_claim *out;
};

static int take_if_it_fits(void *payload, const void *rec)
{
	struct search *s = payload;
	struct xfs_claim c;
	int err = xfs_rmap_decode(s->bt, rec, &c);

	if (err || !s->fits(&c, s->want))
		return err;
	*s->out = c;
	return -XFS_E_STOP;
}

/* Fast path: mostly it is the last record before the claim. */
static int find_fitting(struct xfs_rmap_edit *e, const struct xfs_claim *want, const struct xfs_btree_key *point,
			bool (*fits)(const struct xfs_claim *c, const struct xfs_claim *want), struct xfs_claim *out)
{
	struct search s = { e->bt, want, fits, out };
	int err = xfs_rmap_find(e, XFS_LOOKUP_LE, want, out);

	if (err || (out->len && fits(out, want)))
		return err;
	out->len = 0;
	err = xfs_btree_query_range(e->bt, point, point, take_if_it_fits, &s, NULL, NULL, NULL);
	return err == -XFS_E_STOP ? 0 : err;
}

int xfs_rmap_find_left(struct xfs_rmap_edit *e, const struct xfs_claim *c, struct xfs_claim *out)
{
	bool has_offset = !xfs_claim_no_offset(c);
	struct xfs_claim last = *c;
	struct xfs_btree_key point;

	out->len = 0;
	if (!c->agbno || (has_offset && !(c->offset & XFS_RMAP_OFFMASK)))
		return 0;
	last.agbno--;
	last.offset -= has_offset;
	key_of(&point, &last);
	return find_fitting(e, c, &point, xfs_rmap_continues, out);
}

int xfs_rmap_find_right(struct xfs_rmap_edit *e, const struct xfs_claim *c, struct xfs_claim *out)
{
	struct xfs_claim next = *c;

	next.agbno += c->len;
	next.offset += xfs_claim_no_offset(c) ? 0 : c->len;
	return xfs_rmap_find(e, XFS_LOOKUP_EQ, &next, out);
}

int xfs_rmap_find_holder(struct xfs_rmap_edit *e, const struct xfs_claim *c, struct xfs_claim *out)
{
	struct xfs_btree_key point;

	key_of(&point, c);
	return find_fitting(e, c, &point, xfs_rmap_holds, out);
}

/* ---- steps ---- */

static int go_to(struct xfs_rmap_edit *e, const struct xfs_claim *c)
{
	struct xfs_claim there;
	int err = 0;

	there.len = 0;
	if (e->cur.pos == XFS_POS_ON)
		err = found(e, 0, &there);
	if (!err && (!there.len || !same_key(&there, c)))
		err = xfs_rmap_find(e, XFS_LOOKUP_EQ, c, &there);
	if (err)
		return err;
	return there.len == c->len && there.offset == c->offset ? 0 : -XFS_E_CORRUPT;
}

int xfs_rmap_add(struct xfs_rmap_edit *e, const struct xfs_claim *c)
{
	struct xfs_rmap_rec_disk rec;
	int err;

	xfs_rmap_encode(&rec, c);
	xfs_btree_cursor_close(&e->cur);
	err = xfs_btree_insert(e->bt, &rec);
	return err == -XFS_E_EXISTS ? -XFS_E_CORRUPT : err;
}

int xfs_rmap_remove(struct xfs_rmap_edit *e, const struct xfs_claim *c)
{
	int err = go_to(e, c);

	return err ? err : xfs_btree_delete(&e->cur);
}

int xfs_rmap_replace(struct xfs_rmap_edit *e, const struct xfs_claim *old, const struct xfs_claim *new)
{
	struct xfs_rmap_rec_disk rec;
	int err;

	if (e->shared && !same_key(old, new)) {
		err = xfs_rmap_remove(e, old);
		return err ? err : xfs_rmap_add(e, new);
	}
	err = go_to(e, old);
	if (err)
		return err;
	xfs_rmap_encode(&rec, new);
	err = xfs_btree_update(&e->cur, &rec);
	return err == -XFS_E_INVALID ? -XFS_E_CORRUPT : err;
}
