/* SPDX-License-Identifier: BSD-2-Clause */
/* items.c - the table of item kinds, what their regions must be like, and their native forms. */
#include "libxfs/log/items.h"

#include "libxfs/base/types.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/inode.h"

#define MAX_ATTR_NAME 255u
#define MAX_ATTR_VALUE 65536u
#define PARENT_VALUE 12u
#define MAX_MAP 8192u			/* words: the largest length that the format can say */
#define SIZE(S) (uint32_t)sizeof(struct xfs_##S##_disk)

/* ---- checks ---- */

/* Runs of a buffer item, see below. */
static bool next_run(const struct xfs_log_buf_item *, struct xfs_log_run *, const char **why);

static const char *check_buf(const struct xfs_log_item *it)
{
	struct xfs_log_run run = { .len = 0 };
	struct xfs_log_buf_item b;
	const char *why = NULL;
	struct xfs_log_buf f;

	xfs_log_buf_decode_as(&f, it->regions[0].p, it->writer_le);
	if (f.map_size > MAX_MAP || f.map_size > (it->regions[0].len - SIZE(log_buf)) / SIZE(log_word))
		return "the map of a buffer is cut off";
	if (f.blkno > UINT64_MAX >> (XFS_BBSHIFT + 1))
		return "a buffer has an impossible address";
	if (f.flags & XFS_BLF_CANCEL)
		return NULL;	/* nothing else of it counts */
	if (!f.len)
		return "a buffer has no length";
	xfs_log_buf_load(&b, it);
	while (next_run(&b, &run, &why))
		;
	return why;
}

static const char *check_inode(const struct xfs_log_item *it)
{
	uint32_t core = it->nregions > 1 ? it->regions[1].len : 0, fields, want;
	uint16_t asize, dsize;

	if (it->regions[0].len != SIZE(log_inode) && it->regions[0].len != SIZE(log_inode32))
		return "the format of an inode has the wrong length";
	fields = xfs_ld32(it->regions[0].p + XFS_OFF(log_inode, fields), it->writer_le);
	asize = xfs_ld16(it->regions[0].p + XFS_OFF(log_inode, asize), it->writer_le);
	dsize = xfs_ld16(it->regions[0].p + XFS_OFF(log_inode, dsize), it->writer_le);
	if (core < XFS_LOG_DINODE_V4 || core > SIZE(log_dinode))
		return "the core of an inode has the wrong length";
	if (((fields & XFS_ILF_DFORK) & ((fields & XFS_ILF_DFORK) - 1)) ||
	    ((fields & XFS_ILF_AFORK) & ((fields & XFS_ILF_AFORK) - 1)))
		return "a fork of an inode has two forms";
	want = 2u + (fields & XFS_ILF_DFORK ? 1 : 0) + (fields & XFS_ILF_AFORK ? 1 : 0);
	if (it->nregions != want)
		return "an inode has the wrong number of parts";
	if ((fields & XFS_ILF_DFORK) && it->regions[2].len < dsize)
		return "the data fork of an inode is cut off";
	if ((fields & XFS_ILF_AFORK) && it->regions[want - 1].len < asize)
		return "the attribute fork of an inode is cut off";
	return NULL;
}

static const char *check_dquot(const struct xfs_log_item *it)
{
	return it->regions[1].len < SIZE(disk_dquot) ? "a dquot is cut off" : NULL;
}

static uint32_t claimed(const struct xfs_log_item *it)
{
	return xfs_ld32(it->regions[0].p + XFS_OFF(log_intent, nextents), it->writer_le);
}

static const char *check_efi(const struct xfs_log_item *it)
{
	return xfs_log_extent_size(it->regions[0].len, claimed(it)) ? NULL : "an efi has the wrong length";
}

static bool body_is(const struct xfs_log_item *it, uint32_t each)
{
	return it->regions[0].len - SIZE(log_intent) == (uint64_t)claimed(it) * each;
}

static const char *check_rui(const struct xfs_log_item *it)
{
	return body_is(it, SIZE(log_map)) ? NULL : "an rui has the wrong length";
}

static const char *check_cui(const struct xfs_log_item *it)
{
	return body_is(it, SIZE(log_phys)) ? NULL : "a cui has the wrong length";
}

static const char *check_bui(const struct xfs_log_item *it)
{
	return claimed(it) == 1 && body_is(it, SIZE(log_map)) ? NULL : "a bui has the wrong length";
}

static uint32_t padded(uint32_t len)
{
	return (len + 3) & ~UINT32_C(3);
}

/* Lengths of the regions that follow an ATTRI: name, new name, value, new value; 0 = absent. NULL or what is wrong. */
static const char *attri_lengths(const struct xfs_log_item *it, const struct xfs_log_attri *a, uint32_t *len)
{
	const uint8_t *p = it->regions[0].p;
	bool twice = a->op_flags == XFS_ATTRI_PPTR_REPLACE;

	memset(len, 0, 4 * sizeof(*len));
	if (a->op_flags < XFS_ATTRI_SET || a->op_flags > XFS_ATTRI_PPTR_REPLACE)
		return "an attri has an operation that is not known";
	/* two names share one word, in the order in which they stand */
	len[0] = twice ? xfs_ld16(p + XFS_OFF(log_attri, old_name_len), it->writer_le) : a->name_len;
	len[1] = twice ? xfs_ld16(p + XFS_OFF(log_attri, new_name_len), it->writer_le) : 0;
	len[2] = a->op_flags == XFS_ATTRI_REMOVE ? 0 : a->value_len;
	len[3] = twice ? a->value_len : 0;
	if (len[0] == 0 || len[0] > MAX_ATTR_NAME || len[1] > MAX_ATTR_NAME || (twice && !len[1]))
		return "an attri has a name of impossible length";
	if (len[2] > MAX_ATTR_VALUE || (a->op_flags >= XFS_ATTRI_PPTR_SET && len[2] != PARENT_VALUE))
		return "an attri has a value of impossible length";
	return NULL;
}

static const char *check_attri(const struct xfs_log_item *it)
{
	struct xfs_log_attri a;
	uint32_t len[4], k = 1;
	const char *why;

	xfs_log_attri_decode_as(&a, it->regions[0].p, it->writer_le);
	why = attri_lengths(it, &a, len);
	if (why)
		return why;
	for (unsigned i = 0; i < 4; i++) {
		if (!len[i])
			continue;
		if (k >= it->nregions || it->regions[k].len != padded(len[i]))
			return "a name or value of an attri has the wrong length";
		k++;
	}
	return k == it->nregions ? NULL : "an attri has the wrong number of parts";
}

/* ---- kinds ---- */

#define CHANGE(n, T, least, most, desc, check) \
	{ XFS_LI_##T, XFS_LOG_CHANGE, 0, least, most, #n, &xfs_##desc##_desc, check }
#define PLAIN(n, T, desc, check) { XFS_LI_##T, XFS_LOG_INTENT, 0, 1, 1, #n, &xfs_##desc##_desc, check }
#define DONE(n, T, of) { XFS_LI_##T, XFS_LOG_DONE, XFS_LI_##of, 1, 1, #n, &xfs_log_done_desc, NULL }
const struct xfs_log_item_kind xfs_log_item_kinds[] = {
	PLAIN(efi, EFI, log_efi, check_efi),
	{ XFS_LI_EFD, XFS_LOG_DONE, XFS_LI_EFI, 1, 1, "efd", &xfs_log_efi_desc, NULL },
	CHANGE(inode, INODE, 2, 4, log_inode32, check_inode),
	CHANGE(buf, BUF, 1, XFS_LOG_MAX_REGIONS, log_buf, check_buf),
	CHANGE(dquot, DQUOT, 2, 2, log_dquot, check_dquot),
	CHANGE(quotaoff, QUOTAOFF, 1, 1, log_quotaoff, NULL),
	CHANGE(icreate, ICREATE, 1, 1, log_icreate, NULL),
	PLAIN(rui, RUI, log_rui, check_rui),
	DONE(rud, RUD, RUI),
	PLAIN(cui, CUI, log_cui, check_cui),
	DONE(cud, CUD, CUI),
	PLAIN(bui, BUI, log_rui, check_bui),
	DONE(bud, BUD, BUI),
	{ XFS_LI_ATTRI, XFS_LOG_INTENT, 0, 2, 5, "attri", &xfs_log_attri_desc, check_attri },
	DONE(attrd, ATTRD, ATTRI),
	PLAIN(xmi, XMI, log_xmi, NULL),
	DONE(xmd, XMD, XMI),
	PLAIN(efi_rt, EFI_RT, log_efi, check_efi),
	{ XFS_LI_EFD_RT, XFS_LOG_DONE, XFS_LI_EFI_RT, 1, 1, "efd_rt", &xfs_log_efi_desc, NULL },
	PLAIN(rui_rt, RUI_RT, log_rui, check_rui),
	DONE(rud_rt, RUD_RT, RUI_RT),
	PLAIN(cui_rt, CUI_RT, log_cui, check_cui),
	DONE(cud_rt, CUD_RT, CUI_RT),
	{ .name = NULL },
};

const struct xfs_log_item_kind *xfs_log_item_kind_of(uint16_t type)
{
	for (const struct xfs_log_item_kind *k = xfs_log_item_kinds; k->name; k++)
		if (k->type == type)
			return k;
	return NULL;
}

const struct xfs_log_item_kind *xfs_log_item_kind_named(const char *name)
{
	for (const struct xfs_log_item_kind *k = xfs_log_item_kinds; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

const char *xfs_log_item_check(const struct xfs_log_item *it)
{
	if (!it->kind)
		return "an item is of a type that is not known";
	if (it->nregions < it->kind->least || it->nregions > it->kind->most)
		return "an item has the wrong number of parts";
	if (it->regions[0].len < it->kind->desc->size)
		return "an item is cut off";
	return it->kind->check ? it->kind->check(it) : NULL;
}

const struct xfs_desc *xfs_log_item_desc(const struct xfs_log_item *it, uint32_t k)
{
	if (!it->kind)
		return k ? NULL : &xfs_log_item_head_desc;
	if (it->type == XFS_LI_INODE)
		return k == 1 ? &xfs_log_dinode_desc : k ? NULL :
			it->regions[0].len == SIZE(log_inode) ? &xfs_log_inode_desc : &xfs_log_inode32_desc;
	if (it->type == XFS_LI_DQUOT && k == 1)
		return &xfs_disk_dquot_desc;
	return k ? NULL : it->kind->desc;
}

/* ---- buffers ---- */

void xfs_log_buf_load(struct xfs_log_buf_item *out, const struct xfs_log_item *it)
{
	struct xfs_log_buf f;

	xfs_log_buf_decode_as(&f, it->regions[0].p, it->writer_le);
	out->daddr = f.blkno;
	out->bbs = f.len;
	out->flags = f.flags & ((1u << XFS_BLF_TYPE_SHIFT) - 1);
	out->content = (uint8_t)(f.flags >> XFS_BLF_TYPE_SHIFT);
	out->map_words = f.map_size;
	out->map = it->regions[0].p + SIZE(log_buf);
	out->item = it;
}

static bool chunk_is_set(const struct xfs_log_buf_item *b, uint32_t bit)
{
	return xfs_ld32(b->map + bit / 32 * 4, b->item->writer_le) >> bit % 32 & 1;
}

/*
 * A run of set bits is one region; old writers split it, so a region may cover less.  All regions and all bits must be
 * used up together.
 */
static bool next_run(const struct xfs_log_buf_item *b, struct xfs_log_run *run, const char **why)
{
	uint32_t bits = 32 * b->map_words, chunks, n = 0;

	if (!run->region_)
		run->region_ = 1;
	while (run->bit_ < bits && !chunk_is_set(b, run->bit_))
		run->bit_++;
	if (run->bit_ == bits || run->region_ >= b->item->nregions) {
		if (run->bit_ < bits)
			*why = "a buffer has less data than its map says";
		else if (run->region_ < b->item->nregions)
			*why = "a buffer has more data than its map says";
		return false;
	}
	chunks = b->item->regions[run->region_].len / XFS_LOG_CHUNK;
	while (n < chunks && run->bit_ + n < bits && chunk_is_set(b, run->bit_ + n))
		n++;
	run->off = run->bit_ * XFS_LOG_CHUNK;
	run->len = n * XFS_LOG_CHUNK;
	run->p = b->item->regions[run->region_].p;
	if (!n || (uint64_t)run->off + run->len > (uint64_t)b->bbs * XFS_BBSIZE) {
		*why = n ? "a buffer has data behind its end" : "a part of a buffer is cut off";
		return false;
	}
	run->region_++;
	run->bit_ += n;
	return true;
}

bool xfs_log_buf_next(const struct xfs_log_buf_item *b, struct xfs_log_run *run)
{
	const char *why;

	return !(b->flags & XFS_BLF_CANCEL) && next_run(b, run, &why);
}

const char *xfs_log_content_name(unsigned content)
{
	static const char *const names[XFS_BLFT_COUNT] = {
		"unknown", "udquot", "pdquot", "gdquot", "btree", "agf", "agfl", "agi", "inodes", "symlink",
		"dir block", "dir data", "dir free", "dir leaf1", "dir leafn", "da node", "attr leaf", "attr remote",
		"sb", "rtbitmap", "rtsummary"
	};

	return content < XFS_BLFT_COUNT ? names[content] : "unknown";
}

/* ---- inodes, quota, inode chunks ---- */

void xfs_log_inode_load(struct xfs_log_inode_item *out, const struct xfs_log_item *it)
{
	const uint8_t *p = it->regions[0].p;

	memset(out, 0, sizeof(*out));
	if (it->regions[0].len == SIZE(log_inode)) {
		xfs_log_inode_decode_as(&out->f, p, it->writer_le);
	} else {
		uint8_t wide[sizeof(struct xfs_log_inode_disk)] = { 0 };

		memcpy(wide, p, XFS_OFF(log_inode32, ino));
		memcpy(wide + XFS_OFF(log_inode, ino), p + XFS_OFF(log_inode32, ino),
		       SIZE(log_inode32) - XFS_OFF(log_inode32, ino));
		xfs_log_inode_decode_as(&out->f, wide, it->writer_le);
	}
	out->core = it->regions[1].p;
	out->core_len = it->regions[1].len;
	if (out->f.fields & XFS_ILF_DFORK)
		out->data = it->regions[2];
	if (out->f.fields & XFS_ILF_AFORK)
		out->attr = it->regions[it->nregions - 1];
}

void xfs_log_dquot_load(struct xfs_log_dquot_item *out, const struct xfs_log_item *it)
{
	xfs_log_dquot_decode_as(&out->f, it->regions[0].p, it->writer_le);
	out->dquot = it->regions[1].p;
}

void xfs_log_icreate_load(struct xfs_log_icreate *out, const struct xfs_log_item *it)
{
	xfs_log_icreate_decode_as(out, it->regions[0].p, it->writer_le);
}

/* ---- intents ---- */

uint64_t xfs_log_item_id(const struct xfs_log_item *it)
{
	return xfs_ld64(it->regions[0].p + XFS_OFF(log_done, id), it->writer_le);
}

static void load_attri(struct xfs_log_intent_item *out, const struct xfs_log_item *it)
{
	struct xfs_log_region *parts[4] = { &out->name, &out->new_name, &out->value, &out->new_value };
	uint32_t len[4], k = 1;

	xfs_log_attri_decode_as(&out->attri, it->regions[0].p, it->writer_le);
	attri_lengths(it, &out->attri, len);
	for (unsigned i = 0; i < 4; i++)
		if (len[i])
			*parts[i] = (struct xfs_log_region){ it->regions[k++].p, len[i] };
}

void xfs_log_intent_load(struct xfs_log_intent_item *out, const struct xfs_log_item *it)
{
	memset(out, 0, sizeof(*out));
	out->item = it;
	out->id = xfs_log_item_id(it);
	if (it->type == XFS_LI_ATTRI)
		load_attri(out, it);
	else if (it->type == XFS_LI_XMI)
		xfs_log_xmi_decode_as(&out->xmi, it->regions[0].p, it->writer_le);
	else
		out->n = claimed(it);
}

struct xfs_log_intent_extent xfs_log_intent_at(const struct xfs_log_intent_item *in, uint32_t k)
{
	const struct xfs_log_item *it = in->item;
	const uint8_t *p = it->regions[0].p + SIZE(log_intent);
	struct xfs_log_extent32 e;
	struct xfs_log_phys c;
	struct xfs_log_map m;

	switch (it->type) {
	case XFS_LI_EFI: case XFS_LI_EFI_RT:
		p += (size_t)k * xfs_log_extent_size(it->regions[0].len, in->n);
		xfs_log_extent32_decode_as(&e, p, it->writer_le);
		return (struct xfs_log_intent_extent){ .startblock = e.start, .len = e.len };
	case XFS_LI_CUI: case XFS_LI_CUI_RT:
		xfs_log_phys_decode_as(&c, p + (size_t)k * SIZE(log_phys), it->writer_le);
		return (struct xfs_log_intent_extent){ .startblock = c.startblock, .len = c.len, .flags = c.flags };
	default:
		xfs_log_map_decode_as(&m, p + (size_t)k * SIZE(log_map), it->writer_le);
		return (struct xfs_log_intent_extent){ m.owner, m.startblock, m.startoff, m.len, m.flags };
	}
}
