/* SPDX-License-Identifier: BSD-2-Clause */
/* works.c - from intents of the log to works that can be done (format sheet 04, sections 6.5 and 10). */
#include "libxfs/recovery/round.h"

#include "libxfs/base/grow.h"
#include "libxfs/inode/remap.h"
#include "libxfs/name/attrchange.h"

#include <stdlib.h>

static const char *check_realtime(const struct xfs_geometry *g, const struct xfs_log_intent_extent *e)
{
	const struct xfs_extent range = { 0, e->startblock, (uint32_t)xfs_min(e->len, UINT32_MAX), false };

	return xfs_extent_valid(g, &range, true) ? NULL :
		       "blocks that it names are not in one place of the realtime section";
}

static const char *check_blocks(const struct xfs_geometry *g, const struct xfs_log_intent_extent *e)
{
	uint64_t headers = xfs_ceil_div(4 * (uint64_t)g->sectsize, g->blocksize);

	if (!e->len || !xfs_fsbno_range_valid(g, e->startblock, e->len))
		return "blocks that it names are not in one AG";
	if (xfs_fsbno_agbno(g, XFS_FSBNO(e->startblock)).v < headers)
		return "it names blocks of AG headers";
	return NULL;
}

static const char *rmap_work(const struct xfs_geometry *g, const struct xfs_log_intent_extent *e, struct xfs_work *w)
{
	static const uint8_t ops[] = {
		[XFS_RUI_MAP] = XFS_RMAP_MAP, [XFS_RUI_MAP_SHARED] = XFS_RMAP_MAP, [XFS_RUI_UNMAP] = XFS_RMAP_UNMAP,
		[XFS_RUI_UNMAP_SHARED] = XFS_RMAP_UNMAP, [XFS_RUI_CONVERT] = XFS_RMAP_CONVERT,
		[XFS_RUI_CONVERT_SHARED] = XFS_RMAP_CONVERT, [XFS_RUI_ALLOC] = XFS_RMAP_ALLOC,
		[XFS_RUI_FREE] = XFS_RMAP_FREE,
	};
	unsigned op = e->flags & XFS_MAP_OP_MASK;

	if (!g->rmapbt)
		return "there are no reverse mappings";
	if (op < XFS_RUI_MAP || op > XFS_RUI_FREE ||
	    e->flags & ~(XFS_MAP_OP_MASK | XFS_RUI_ATTR_FORK | XFS_RUI_BMBT_BLOCK | XFS_RUI_UNWRITTEN))
		return "it has an unknown operation";
	if (!xfs_owner_is_special(e->owner) && !xfs_ino_valid(g, XFS_INO(e->owner)))
		return "it names an impossible owner";
	if (e->startoff > XFS_RMAP_OFFMASK)
		return "it names an impossible file offset";
	w->kind = XFS_WORK_RMAP;
	w->op = ops[op];
	w->shared = op == XFS_RUI_MAP_SHARED || op == XFS_RUI_UNMAP_SHARED || op == XFS_RUI_CONVERT_SHARED;
	w->attr_fork = e->flags & XFS_RUI_ATTR_FORK;
	w->unwritten = e->flags & XFS_RUI_UNWRITTEN;
	w->owner = e->owner;
	w->offset = e->startoff | (e->flags & XFS_RUI_ATTR_FORK ? XFS_RMAP_ATTR : 0) |
		(e->flags & XFS_RUI_BMBT_BLOCK ? XFS_RMAP_BMBT : 0);
	return NULL;
}

static const char *refc_work(const struct xfs_geometry *g, const struct xfs_log_intent_extent *e, struct xfs_work *w)
{
	static const uint8_t ops[] = {
		[XFS_CUI_INCREASE] = XFS_REFC_INCREASE, [XFS_CUI_DECREASE] = XFS_REFC_DECREASE,
		[XFS_CUI_ALLOC_COW] = XFS_REFC_ALLOC_COW, [XFS_CUI_FREE_COW] = XFS_REFC_FREE_COW,
	};

	if (!g->reflink)
		return "nothing can be shared";
	if (e->flags < XFS_CUI_INCREASE || e->flags > XFS_CUI_FREE_COW)
		return "it has an unknown operation";
	w->kind = XFS_WORK_REFC;
	w->op = ops[e->flags];
	return NULL;
}

static const char *bmap_work(const struct xfs_geometry *g, const struct xfs_log_intent_extent *e, struct xfs_work *w)
{
	unsigned op = e->flags & XFS_MAP_OP_MASK;

	if (op < XFS_BUI_MAP || op > XFS_BUI_UNMAP ||
	    e->flags & ~(XFS_MAP_OP_MASK | XFS_BUI_ATTR_FORK | XFS_BUI_UNWRITTEN | XFS_BUI_REALTIME))
		return "it has an unknown operation";
	if (!xfs_ino_valid(g, XFS_INO(e->owner)))
		return "it names an impossible inode";
	if (e->startoff > XFS_RMAP_OFFMASK || e->len > XFS_BMBT_MAXLEN)
		return "it names an impossible range of the file";
	w->kind = XFS_WORK_BMAP;
	w->op = op == XFS_BUI_MAP ? XFS_BMAP_MAP : XFS_BMAP_UNMAP;
	w->attr_fork = e->flags & XFS_BUI_ATTR_FORK;
	w->unwritten = e->flags & XFS_BUI_UNWRITTEN;
	w->owner = e->owner;
	w->offset = e->startoff;
	return NULL;
}

/* NULL, or what is wrong. */
static const char *extent_work(const struct xfs_geometry *g, uint16_t type, const struct xfs_log_intent_extent *e,
			       struct xfs_work *w)
{
	const char *why;

	*w = (struct xfs_work){ .block = e->startblock, .len = e->len };
	w->realtime = type == XFS_LI_EFI_RT || type == XFS_LI_RUI_RT || type == XFS_LI_CUI_RT ||
		(type == XFS_LI_BUI && e->flags & XFS_BUI_REALTIME);
	why = w->realtime ? check_realtime(g, e) : check_blocks(g, e);
	if (why)
		return why;
	switch (type) {
	case XFS_LI_EFI: case XFS_LI_EFI_RT:
		w->kind = XFS_WORK_FREE;
		w->owner = XFS_OWN_UNKNOWN;	/* nobody wrote it down */
		return NULL;
	case XFS_LI_RUI: case XFS_LI_RUI_RT:
		return rmap_work(g, e, w);
	case XFS_LI_CUI: case XFS_LI_CUI_RT:
		return refc_work(g, e, w);
	case XFS_LI_BUI:
		return bmap_work(g, e, w);
	default:
		return "work of this kind cannot be finished";
	}
}

/* ---- exchange of mappings ---- */

static int exchange_work(const struct xfs_geometry *g, const struct xfs_log_xmi *in, struct xfs_work *w,
			 const char **why)
{
	struct xfs_exchange *x;

	if (!g->exchrange)
		*why = "mappings cannot be exchanged on this filesystem";
	else if (!xfs_ino_valid(g, XFS_INO(in->inode1)) || !xfs_ino_valid(g, XFS_INO(in->inode2)))
		*why = "it names an impossible inode";
	else if (in->flags & ~(XFS_XMI_ATTR_FORK | XFS_XMI_SET_SIZES | XFS_XMI_INO1_WRITTEN |
			       XFS_XMI_CLEAR_INO1_REFLINK | XFS_XMI_CLEAR_INO2_REFLINK))
		*why = "it has an unknown operation";
	if (*why)
		return -XFS_E_CORRUPT;
	x = malloc(sizeof(*x));
	if (!x)
		return -XFS_E_NOMEM;
	*x = (struct xfs_exchange){
		.ino1 = in->inode1, .ino2 = in->inode2, .gen1 = in->igen1, .gen2 = in->igen2, .off1 = in->startoff1,
		.off2 = in->startoff2, .count = in->blockcount, .flags = in->flags,
		.size1 = in->isize1, .size2 = in->isize2,
	};
	*w = (struct xfs_work){ .kind = XFS_WORK_EXCHANGE, .owner = in->inode1, .more = x, .release = free };
	return 0;
}

/* ---- attributes ---- */

static const char *check_attr(const struct xfs_geometry *g, const struct xfs_log_intent_item *in)
{
	unsigned op = in->attri.op_flags;

	if (op < XFS_ATTRI_SET || op > XFS_ATTRI_PPTR_REPLACE)
		return "it has an unknown operation";
	if (op >= XFS_ATTRI_PPTR_SET && !g->parent)
		return "there are no parent pointers";
	if (op < XFS_ATTRI_PPTR_SET && !(g->sb.features_log_incompat & XFS_SB_LOG_INCOMPAT_XATTRS))
		return "the superblock says that the log holds no such operations";
	if (!xfs_ino_valid(g, XFS_INO(in->attri.ino)))
		return "it names an impossible inode";
	return NULL;
}

static uint8_t *append(uint8_t *to, const struct xfs_log_region *r)
{
	if (r->len)
		memcpy(to, r->p, r->len);
	return to + r->len;
}

static int attr_work(const struct xfs_geometry *g, const struct xfs_log_intent_item *in, struct xfs_work *w,
		     const char **why)
{
	struct xfs_attr_work *m;
	uint8_t *at;

	*why = check_attr(g, in);
	if (*why)
		return -XFS_E_CORRUPT;
	m = malloc(sizeof(*m) + in->name.len + (size_t)in->new_name.len + in->value.len + (size_t)in->new_value.len);
	if (!m)
		return -XFS_E_NOMEM;
	*m = (struct xfs_attr_work){
		.gen = in->attri.igen, .filter = in->attri.attr_filter, .namelen = in->name.len,
		.newnamelen = in->new_name.len, .valuelen = in->value.len, .newvaluelen = in->new_value.len,
	};
	at = append(m->bytes, &in->name);
	at = append(at, &in->new_name);
	at = append(at, &in->value);
	append(at, &in->new_value);
	*w = (struct xfs_work){ .kind = XFS_WORK_ATTR, .op = in->attri.op_flags, .owner = in->attri.ino, .more = m,
				.release = free };
	return 0;
}

/* ---- all of them ---- */

int recovery_works(const struct xfs_geometry *g, const struct xfs_log_item *it, struct recovery_works *out,
		   const char **why)
{
	struct xfs_log_intent_item in;

	xfs_log_intent_load(&in, it);
	out->n = 0;
	*why = NULL;
	if (xfs_grow_to(&out->w, &out->room, in.n ? in.n : 1, sizeof(*out->w)))
		return -XFS_E_NOMEM;
	if (it->type == XFS_LI_XMI || it->type == XFS_LI_ATTRI) {
		int err = it->type == XFS_LI_XMI ? exchange_work(g, &in.xmi, &out->w[0], why)
						 : attr_work(g, &in, &out->w[0], why);

		out->n = !err;
		return err;
	}
	if (!in.n)
		*why = "work of this kind cannot be finished";
	for (uint32_t k = 0; k < in.n && !*why; k++) {
		struct xfs_log_intent_extent e = xfs_log_intent_at(&in, k);

		*why = extent_work(g, it->type, &e, &out->w[k]);
		out->n += !*why;
	}
	return *why ? -XFS_E_CORRUPT : 0;
}
