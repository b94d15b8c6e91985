/* SPDX-License-Identifier: BSD-2-Clause */
/* intents.c - deferred works as log items: what will be done, and that it was (format sheet 04, section 6.5). */
#include "libxfs/transaction/journal.h"

#include "libxfs/base/grow.h"
#include "libxfs/inode/remap.h"
#include "libxfs/name/attrchange.h"

/* Types of the items of a kind of work; bytes of the first region, of each extent. */
static const struct { uint16_t intent, done; uint32_t head, each; } types[XFS_WORK_KINDS] = {
	[XFS_WORK_BMAP] = { XFS_LI_BUI, XFS_LI_BUD, sizeof(struct xfs_log_intent_disk),
			    sizeof(struct xfs_log_map_disk) },
	[XFS_WORK_RMAP] = { XFS_LI_RUI, XFS_LI_RUD, sizeof(struct xfs_log_intent_disk),
			    sizeof(struct xfs_log_map_disk) },
	[XFS_WORK_REFC] = { XFS_LI_CUI, XFS_LI_CUD, sizeof(struct xfs_log_intent_disk),
			    sizeof(struct xfs_log_phys_disk) },
	[XFS_WORK_FREE] = { XFS_LI_EFI, XFS_LI_EFD, sizeof(struct xfs_log_intent_disk),
			    sizeof(struct xfs_log_extent_disk) },
	[XFS_WORK_ATTR] = { XFS_LI_ATTRI, XFS_LI_ATTRD, sizeof(struct xfs_log_attri_disk), 0 },
	[XFS_WORK_EXCHANGE] = { XFS_LI_XMI, XFS_LI_XMD, sizeof(struct xfs_log_xmi_disk), 0 },
};

#define MOST_BYTES (16u + XFS_PENDING_MOST * 32u)

void xfs_intents_measure(const struct xfs_trans *t, size_t nfinished, uint64_t *bytes, uint64_t *regions)
{
	size_t n = nfinished;

	for (const struct xfs_pending *p = t ? t->pending.first : NULL; p; p = p->next)
		n += 2;
	*bytes += n * MOST_BYTES;
	*regions += n * 5;
}

bool xfs_intents_need_feature(const struct xfs_trans *t)
{
	for (const struct xfs_pending *p = t->pending.first; p; p = p->next)
		if (p->kind == XFS_WORK_ATTR && !p->in_log && p->works[0].op <= XFS_ATTRI_REPLACE)
			return true;
	return false;
}

/* ---- intents ---- */

static void put_map(uint8_t *p, const struct xfs_work *w, uint32_t flags, bool le)
{
	struct xfs_log_map m = {
		.owner = w->owner, .startblock = w->block, .startoff = w->offset & XFS_RMAP_OFFMASK,
		.len = (uint32_t)w->len, .flags = flags,
	};

	xfs_log_map_encode_as(p, &m, le);
}

static void put_bui(uint8_t *p, const struct xfs_work *w, bool le)
{
	put_map(p, w, (w->op == XFS_BMAP_MAP ? XFS_BUI_MAP : XFS_BUI_UNMAP) | (w->attr_fork ? XFS_BUI_ATTR_FORK : 0) |
		(w->unwritten ? XFS_BUI_UNWRITTEN : 0) | (w->realtime ? XFS_BUI_REALTIME : 0), le);
}

static void put_rui(uint8_t *p, const struct xfs_work *w, bool le)
{
	static const uint8_t ops[][2] = {
		[XFS_RMAP_MAP] = { XFS_RUI_MAP, XFS_RUI_MAP_SHARED },
		[XFS_RMAP_UNMAP] = { XFS_RUI_UNMAP, XFS_RUI_UNMAP_SHARED },
		[XFS_RMAP_CONVERT] = { XFS_RUI_CONVERT, XFS_RUI_CONVERT_SHARED },
		[XFS_RMAP_ALLOC] = { XFS_RUI_ALLOC, XFS_RUI_ALLOC }, [XFS_RMAP_FREE] = { XFS_RUI_FREE, XFS_RUI_FREE },
	};
	uint32_t op = w->op < XFS_ARRAY_SIZE(ops) ? ops[w->op][w->shared] : 0;

	put_map(p, w, op | (w->attr_fork || w->offset & XFS_RMAP_ATTR ? XFS_RUI_ATTR_FORK : 0) |
		(w->offset & XFS_RMAP_BMBT ? XFS_RUI_BMBT_BLOCK : 0) |
		(w->unwritten || w->offset & XFS_RMAP_UNWRITTEN ? XFS_RUI_UNWRITTEN : 0), le);
}

static void put_cui(uint8_t *p, const struct xfs_work *w, bool le)
{
	static const uint8_t ops[] = {
		[XFS_REFC_INCREASE] = XFS_CUI_INCREASE, [XFS_REFC_DECREASE] = XFS_CUI_DECREASE,
		[XFS_REFC_ALLOC_COW] = XFS_CUI_ALLOC_COW, [XFS_REFC_FREE_COW] = XFS_CUI_FREE_COW,
	};
	struct xfs_log_phys m = {
		.startblock = w->block, .len = (uint32_t)w->len, .flags = w->op < XFS_ARRAY_SIZE(ops) ? ops[w->op] : 0,
	};

	xfs_log_phys_encode_as(p, &m, le);
}

static void put_extent(uint8_t *p, uint64_t start, uint32_t len, bool le)
{
	struct xfs_log_extent m = { .start = start, .len = len };

	xfs_log_extent_encode_as(p, &m, le);
}

static void put_extents(struct xfs_journal *j, const struct xfs_pending *p)
{
	const uint32_t each = types[p->kind].each, head = types[p->kind].head;
	struct xfs_log_intent h = { .type = types[p->kind].intent, .size = 1, .nextents = p->n, .id = p->id };
	uint8_t *at = xfs_items_region(j, head + p->n * each);
	bool le = j->log->le;

	xfs_log_intent_encode_as(at, &h, le);
	at += head;
	for (unsigned i = 0; i < p->n; i++, at += each) {
		const struct xfs_work *w = &p->works[i];

		if (p->kind == XFS_WORK_BMAP)
			put_bui(at, w, le);
		else if (p->kind == XFS_WORK_RMAP)
			put_rui(at, w, le);
		else if (p->kind == XFS_WORK_REFC)
			put_cui(at, w, le);
		else
			put_extent(at, w->block, (uint32_t)w->len, le);
	}
}

static void put_attri(struct xfs_journal *j, const struct xfs_pending *p)
{
	const struct xfs_work *w = &p->works[0];
	const struct xfs_attr_work *m = w->more;
	const uint32_t len[] = { m->namelen, m->newnamelen, m->valuelen, m->newvaluelen };
	struct xfs_log_attri a = {
		.type = XFS_LI_ATTRI, .size = 1, .igen = m->gen, .id = p->id, .ino = w->owner, .op_flags = w->op,
		.name_len = m->namelen, .value_len = m->valuelen, .attr_filter = m->filter,
	};
	uint8_t *format = xfs_items_region(j, sizeof(struct xfs_log_attri_disk));
	const uint8_t *at = m->bytes;

	for (unsigned i = 0; i < XFS_ARRAY_SIZE(len); at += len[i++])
		if (len[i]) {
			xfs_items_borrow(j, at, len[i]);
			a.size++;
		}
	xfs_log_attri_encode_as(format, &a, j->log->le);
	if (w->op == XFS_ATTRI_PPTR_REPLACE) {
		xfs_st16(format + XFS_OFF(log_attri, old_name_len), j->log->le, (uint16_t)m->namelen);
		xfs_st16(format + XFS_OFF(log_attri, new_name_len), j->log->le, (uint16_t)m->newnamelen);
	}
}

static void put_xmi(struct xfs_journal *j, const struct xfs_pending *p)
{
	const struct xfs_exchange *x = p->works[0].more;
	struct xfs_log_xmi m = {
		.type = XFS_LI_XMI, .size = 1, .id = p->id, .inode1 = x->ino1, .inode2 = x->ino2, .igen1 = x->gen1,
		.igen2 = x->gen2, .startoff1 = x->off1, .startoff2 = x->off2, .blockcount = x->count, .flags = x->flags,
		.isize1 = x->size1, .isize2 = x->size2,
	};

	xfs_log_xmi_encode_as(xfs_items_region(j, sizeof(struct xfs_log_xmi_disk)), &m, j->log->le);
}

void xfs_items_put_intents(struct xfs_journal *j, const struct xfs_trans *t)
{
	for (struct xfs_pending *p = t->pending.first; p; p = p->next) {
		if (p->in_log)
			continue;
		if (p->kind == XFS_WORK_ATTR)
			put_attri(j, p);
		else if (p->kind == XFS_WORK_EXCHANGE)
			put_xmi(j, p);
		else
			put_extents(j, p);
		p->in_log = true;
	}
}

/* ---- done items ---- */

int xfs_journal_finish(struct xfs_journal *j, const struct xfs_pending *p)
{
	struct xfs_finished *f;
	int err;

	if (!p->in_log)
		return 0;	/* neither is written */
	err = xfs_grow_to(&j->finished, &j->finished_room, j->nfinished + 1, sizeof(*j->finished));
	if (err)
		return err;
	f = &j->finished[j->nfinished++];
	f->kind = p->kind;
	f->id = p->id;
	f->n = p->kind == XFS_WORK_FREE ? p->n : 0;
	for (unsigned i = 0; i < f->n; i++) {
		f->extents[i].start = p->works[i].block;
		f->extents[i].len = (uint32_t)p->works[i].len;
	}
	return 0;
}

void xfs_items_put_finished(struct xfs_journal *j)
{
	const uint32_t each = sizeof(struct xfs_log_extent_disk);

	for (size_t i = 0; i < j->nfinished; i++) {
		const struct xfs_finished *f = &j->finished[i];
		struct xfs_log_intent h = { .type = types[f->kind].done, .size = 1, .nextents = f->n, .id = f->id };
		uint8_t *p = xfs_items_region(j, (uint32_t)sizeof(struct xfs_log_intent_disk) + f->n * each);

		xfs_log_intent_encode_as(p, &h, j->log->le);	/* all done items begin like it */
		for (unsigned k = 0; k < f->n; k++)
			put_extent(p + sizeof(struct xfs_log_intent_disk) + k * each, f->extents[k].start,
				   f->extents[k].len, j->log->le);
	}
}
