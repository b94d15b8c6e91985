/* SPDX-License-Identifier: BSD-2-Clause */
/* validate_items.c - strict rules for the items of a log: what they say, their order, intents and what ends them. */
#include "libxfs/log/validate_priv.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>

/* An intent that is open, or a buffer of the transaction at hand. */
struct seen {
	uint64_t key;			/* id of the intent; address of the buffer */
	uint32_t what;			/* type; length */
	bool cancelled;
};

struct items {
	const struct xfs_geometry *g;
	uint64_t sectors;		/* of the data device */
	struct xfs_log_audit *out;
	struct seen *intents, *bufs;
	size_t nintents, nbufs, intents_room, bufs_room;
	unsigned stage;			/* of the order of items */
	bool first;			/* transaction */
};

static int add(struct seen **v, size_t *n, size_t *room, uint64_t key, uint32_t what, bool cancelled)
{
	if (xfs_grow(v, *n, room, 64))
		return -XFS_E_NOMEM;
	(*v)[(*n)++] = (struct seen){ key, what, cancelled };
	return 0;
}

/* ---- buffers ---- */

static const char *check_map(const struct xfs_log_buf_item *b)
{
	uint32_t chunks = b->bbs * XFS_BBSIZE / XFS_LOG_CHUNK, runs = 0;
	struct xfs_log_run run = { .len = 0 };
	uint64_t bits = 0, bytes = 0;

	if (b->map_words != xfs_ceil_div(chunks, 32) ||
	    b->item->regions[0].len != sizeof(struct xfs_log_buf_disk) + 4u * b->map_words)
		return "the map of a buffer has the wrong length";
	for (uint32_t i = 0; i < b->map_words * 32; i++)
		if (xfs_ld32(b->map + i / 32 * 4, b->item->writer_le) >> i % 32 & 1) {
			if (i >= chunks)
				return "the map of a buffer goes over its end";
			bits++;
		}
	while (xfs_log_buf_next(b, &run)) {
		bytes += run.len;
		runs++;
	}
	if (!bits)
		return "a buffer has no contents";
	/* each region is one run: nothing behind the data that a reader would leave out */
	for (uint32_t k = 1; k < b->item->nregions; k++)
		bytes -= b->item->regions[k].len;
	return bytes || runs != b->item->nregions - 1 ? "the runs of a buffer do not fit its map" : NULL;
}

static const char *check_buf(struct items *v, const struct xfs_log_buf_item *b)
{
	bool cancel = b->flags & XFS_BLF_CANCEL, inodes = b->flags & XFS_BLF_INODE_BUF;

	if (!b->bbs || b->daddr >= v->sectors || b->bbs > v->sectors - b->daddr)
		return "a buffer is not on the device";
	if (b->flags & ~(XFS_BLF_CANCEL | XFS_BLF_INODE_BUF | XFS_BLF_UDQUOT | XFS_BLF_PDQUOT | XFS_BLF_GDQUOT))
		return "a buffer has flags that are not known";
	if (cancel)
		return b->flags != XFS_BLF_CANCEL || b->content || b->item->nregions != 1
			       ? "a cancelled buffer says more" : NULL;
	if (!b->content || b->content >= XFS_BLFT_COUNT)
		return "a buffer does not say what it holds";
	if (inodes != (b->content == XFS_BLFT_INODES) && v->g->v5)
		return "inodes are logged as a buffer";
	if (b->content == XFS_BLFT_SB && b->daddr)
		return "the superblock is logged in another place";
	return check_map(b);
}

/* The image and the end of one buffer in one transaction: readers would drop the image. */
static int note_buf(struct items *v, const struct xfs_log_buf_item *b, const char **why)
{
	bool cancel = b->flags & XFS_BLF_CANCEL;

	for (size_t i = 0; i < v->nbufs; i++)
		if (v->bufs[i].key == b->daddr && v->bufs[i].what == b->bbs)
			*why = cancel || v->bufs[i].cancelled ? "a buffer is logged and cancelled at once"
							       : "a buffer is logged twice";
	return add(&v->bufs, &v->nbufs, &v->bufs_room, b->daddr, b->bbs, cancel);
}

/* ---- inodes ---- */

static const char *check_inode(const struct items *v, const struct xfs_log_item *it)
{
	const uint32_t core = v->g->v5 ? sizeof(struct xfs_log_dinode_disk) : XFS_LOG_DINODE_V4;
	struct xfs_log_inode_item i;
	uint64_t byte;

	xfs_log_inode_load(&i, it);
	if (!xfs_ino_valid(v->g, XFS_INO(i.f.ino)))
		return "there is no such inode";
	byte = xfs_ino_byte(v->g, XFS_INO(i.f.ino));
	if (i.f.blkno >= v->sectors || i.f.len != v->g->blocks_per_cluster * (v->g->blocksize / XFS_BBSIZE) ||
	    i.f.blkno * XFS_BBSIZE + i.f.boffset != byte || i.f.boffset + v->g->inodesize > i.f.len * XFS_BBSIZE)
		return "an inode is not in its cluster";
	if (it->regions[0].len != sizeof(struct xfs_log_inode_disk) || i.core_len != core)
		return "an inode has parts of the wrong length";
	if (!(i.f.fields & XFS_ILF_CORE) || (i.f.fields & ~(XFS_ILF_ANY & ~XFS_ILF_UUID)))
		return "an inode says the wrong parts";
	if ((i.f.fields & XFS_ILF_DEV) && (i.f.fields & XFS_ILF_DFORK))
		return "an inode is a device with a fork";
	if ((i.data.p && (!i.f.dsize || i.data.len != (i.f.dsize + 3u) / 4 * 4)) ||
	    (i.attr.p && (!i.f.asize || i.attr.len != (i.f.asize + 3u) / 4 * 4)))
		return "a fork of an inode has the wrong length";
	return NULL;
}

/* ---- intents ---- */

static const char *check_feature(const struct items *v, unsigned type)
{
	if (((type == XFS_LI_RUI || type == XFS_LI_RUD) && !v->g->rmapbt) ||
	    ((type == XFS_LI_CUI || type == XFS_LI_CUD) && !v->g->reflink) ||
	    ((type == XFS_LI_XMI || type == XFS_LI_XMD) && !v->g->exchrange))
		return "an intent needs a feature that is not there";
	return NULL;
}

static const char *check_extents(const struct items *v, const struct xfs_log_intent_item *x, unsigned type)
{
	if (type == XFS_LI_ATTRI || type == XFS_LI_XMI)
		return NULL;
	if (!x->n || x->n > 16)
		return "an intent has too many extents, or none";
	for (uint32_t k = 0; k < x->n; k++) {
		struct xfs_log_intent_extent e = xfs_log_intent_at(x, k);
		unsigned op = e.flags & XFS_MAP_OP_MASK;

		if (type == XFS_LI_BUI && (e.flags & XFS_BUI_REALTIME))
			continue;
		if (!e.len || !xfs_fsbno_range_valid(v->g, e.startblock, e.len))
			return "an intent is about blocks that do not exist";
		if ((type == XFS_LI_RUI && (op < XFS_RUI_MAP || op > XFS_RUI_FREE)) ||
		    (type == XFS_LI_CUI && (op < XFS_CUI_INCREASE || op > XFS_CUI_FREE_COW || e.flags != op)) ||
		    (type == XFS_LI_BUI && op != XFS_BUI_MAP && op != XFS_BUI_UNMAP))
			return "an intent asks for what is not known";
	}
	return NULL;
}

static int check_intent(struct items *v, const struct xfs_log_item *it, const char **why)
{
	struct xfs_log_intent_item x;

	xfs_log_intent_load(&x, it);
	*why = check_feature(v, it->type);
	if (!*why)
		*why = check_extents(v, &x, it->type);
	for (size_t i = 0; i < v->nintents; i++)
		if (v->intents[i].key == x.id)
			*why = "two open intents have one number";
	return add(&v->intents, &v->nintents, &v->intents_room, x.id, it->type, false);
}

static const char *check_done(struct items *v, const struct xfs_log_item *it)
{
	uint64_t id = xfs_log_item_id(it);

	for (size_t i = 0; i < v->nintents; i++)
		if (v->intents[i].key == id) {
			if (v->intents[i].what != it->kind->intent)
				return "an intent is ended by another kind's done item";
			v->intents[i] = v->intents[--v->nintents];
			return check_feature(v, it->type);
		}
	/* the first checkpoint may announce anew what was announced before the tail */
	return v->first ? NULL : "something is done that was not announced";
}

/* ---- all of them ---- */

/* New chunks, buffers, inodes, then intents and done items. */
static unsigned stage_of(const struct xfs_log_item *it)
{
	if (it->kind->role != XFS_LOG_CHANGE)
		return 3;
	return it->type == XFS_LI_ICREATE ? 0 : it->type == XFS_LI_BUF ? 1 : 2;
}

static int check_item(struct items *v, const struct xfs_log_item *it)
{
	struct xfs_log_buf_item b;
	const char *why = NULL;
	int err = 0;

	v->out->items++;
	if (it->type >= 0x1230 && it->type < 0x1230 + XFS_LOG_AUDIT_TYPES)
		v->out->of_type[it->type - 0x1230]++;
	if (stage_of(it) < v->stage)
		why = "items are in the wrong order";
	v->stage = stage_of(it);
	if (it->type == XFS_LI_BUF) {
		xfs_log_buf_load(&b, it);
		why = why ? why : check_buf(v, &b);
		err = why ? 0 : note_buf(v, &b, &why);
	} else if (it->type == XFS_LI_INODE) {
		why = why ? why : check_inode(v, it);
	} else if (it->kind->role == XFS_LOG_INTENT) {
		err = why ? 0 : check_intent(v, it, &why);
	} else if (it->kind->role == XFS_LOG_DONE) {
		why = why ? why : check_done(v, it);
	}
	if (why)
		v->out->why = why;
	return err ? err : why ? -XFS_E_CORRUPT : 0;
}

static int check_trans(struct items *v, const struct xfs_log_trans *t)
{
	int err = 0;

	v->nbufs = 0;
	v->stage = 0;
	v->out->block = (uint32_t)t->lsn;
	for (size_t i = 0; i < t->nitems && !err; i++) {
		v->out->number = (uint32_t)i + 1;
		err = check_item(v, &t->items[i]);
	}
	return err;
}

static void count_open(struct items *v)
{
	for (size_t i = 0; i < v->nintents; i++)
		if (v->intents[i].what - 0x1230 < XFS_LOG_AUDIT_TYPES)
			v->out->open[v->intents[i].what - 0x1230]++;
}

int xfs_log_validate_items(const struct xfs_fs *fs, const struct xfs_log_state *s, struct xfs_log_audit *out)
{
	struct items v = { .g = &fs->geo, .out = out, .sectors = fs->dev.data->size / XFS_BBSIZE,
			   .first = true };
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	int err = xfs_log_iter_new(&it, fs, s, false, NULL);

	while (!err) {
		err = xfs_log_iter_next(it, &e, NULL);
		if (!err && e.kind == XFS_LOG_EV_TRANS) {
			err = check_trans(&v, e.trans);
			v.first = false;
		}
	}
	count_open(&v);
	xfs_log_iter_free(it);
	free(v.intents);
	free(v.bufs);
	if (err == -XFS_E_NOENT)
		return 0;
	if (!out->why && err != -XFS_E_NOMEM && err != -XFS_E_IO)
		out->why = "its items cannot be read";
	return err;
}
