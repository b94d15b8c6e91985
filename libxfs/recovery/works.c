/* SPDX-License-Identifier: BSD-2-Clause */
/* works.c - from intents of the log to works that can be done (format sheet 04, sections 6.5 and 10). */
#include "libxfs/recovery/round.h"

#include <stdlib.h>

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
		[XFS_RUI_CONVERT_SHARED] = XFS_RMAP_CONVERT, [XFS_RUI_ALLOC] = XFS_RMAP_ALLOC, [XFS_RUI_FREE] = XFS_RMAP_FREE,
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

/* NULL, or what is wrong. */
static const char *extent_work(const struct xfs_geometry *g, uint16_t type, const struct xfs_log_intent_extent *e,
			       struct xfs_work *w)
{
	const char *why = check_blocks(g, e);

	*w = (struct xfs_work){ .block = e->startblock, .len = e->len };
	if (why)
		return why;
	switch (type) {
	case XFS_LI_EFI:
		w->kind = XFS_WORK_FREE;
		w->owner = XFS_OWN_UNKNOWN;	/* nobody wrote it down */
		return NULL;
	case XFS_LI_RUI:
		return rmap_work(g, e, w);
	case XFS_LI_CUI:
		return refc_work(g, e, w);
	default:
		return "work of this kind cannot be finished";
	}
}

int recovery_works(const struct xfs_geometry *g, const struct xfs_log_item *it, struct recovery_works *out, const char **why)
{
	struct xfs_log_intent_item in;

	xfs_log_intent_load(&in, it);
	out->n = 0;
	*why = in.n ? NULL : "work of this kind cannot be finished";
	if (in.n > out->room) {
		struct xfs_work *more = realloc(out->w, (size_t)in.n * sizeof(*more));

		if (!more)
			return -XFS_E_NOMEM;
		out->w = more;
		out->room = in.n;
	}
	for (uint32_t k = 0; k < in.n && !*why; k++) {
		struct xfs_log_intent_extent e = xfs_log_intent_at(&in, k);

		*why = extent_work(g, it->type, &e, &out->w[k]);
		out->n += !*why;
	}
	return *why ? -XFS_E_CORRUPT : 0;
}
