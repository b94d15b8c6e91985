/* SPDX-License-Identifier: BSD-2-Clause */
/* intents.c - work that the log announces and does not show as done. */
#include "libxfs/recovery/private.h"

#include <inttypes.h>
#include <stdlib.h>

/* One piece of memory: the regions, then their bytes. */
static int copy_item(struct xfs_log_item *to, const struct xfs_log_item *from)
{
	struct xfs_log_region *regions;
	size_t bytes = (size_t)from->nregions * sizeof(*regions);
	uint8_t *p;

	for (uint32_t k = 0; k < from->nregions; k++)
		if (xfs_add_overflows(bytes, (size_t)from->regions[k].len, &bytes))
			return -XFS_E_NOMEM;
	regions = malloc(bytes);
	if (!regions)
		return -XFS_E_NOMEM;
	p = (uint8_t *)(regions + from->nregions);
	for (uint32_t k = 0; k < from->nregions; k++) {
		memcpy(p, from->regions[k].p, from->regions[k].len);
		regions[k] = (struct xfs_log_region){ p, from->regions[k].len };
		p += from->regions[k].len;
	}
	*to = *from;
	to->regions = regions;
	return 0;
}

static uint16_t intent_type(const struct xfs_log_item *it)
{
	return it->kind->role == XFS_LOG_DONE ? it->kind->intent : it->type;
}

/* Slot of the last intent with this id. Those that are done stay in the table, and their slot may be used again. */
static struct intent_id *slot_of(const struct replay *rp, uint16_t type, uint64_t id)
{
	for (size_t i = (size_t)xfs_mix2(&rp->mix, id, type) & (rp->nids - 1);; i = (i + 1) & (rp->nids - 1)) {
		struct intent_id *slot = &rp->ids[i];

		if (!slot->index || (slot->id == id && slot->type == type))
			return slot;
	}
}

static int grow_ids(struct replay *rp)
{
	struct intent_id *old = rp->ids;
	size_t n = rp->nids;

	rp->ids = calloc(n ? 2 * n : 256, sizeof(*rp->ids));
	if (!rp->ids) {
		rp->ids = old;
		return -XFS_E_NOMEM;
	}
	rp->nids = n ? 2 * n : 256;
	xfs_mix_init(&rp->mix);
	for (size_t i = 0; i < n; i++)
		if (old[i].index)
			*slot_of(rp, old[i].type, old[i].id) = old[i];
	free(old);
	return 0;
}

int replay_intent(struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_recovery *out = rp->out;
	uint64_t id = xfs_log_item_id(it);
	struct intent_id *slot;
	int err;

	if ((2 * (rp->used_ids + 1) > rp->nids && grow_ids(rp)) ||
	    xfs_grow_to(&out->intents, &rp->intents_room, out->nintents + 1, sizeof(*out->intents)) ||
	    xfs_grow_to(&rp->lives, &rp->lives_room, out->nintents + 1, sizeof(*rp->lives)))
		return -XFS_E_NOMEM;
	slot = slot_of(rp, it->type, id);
	if (slot->index && out->intents[slot->index - 1].item.regions)
		return replay_bad(rp, it->kind->name, id, "the same intent is announced twice");
	err = copy_item(&out->intents[out->nintents].item, it);
	if (err)
		return err;
	rp->lives[out->nintents] = (struct intent_life){ .announced = rp->trans };
	out->intents[out->nintents++].lsn = rp->lsn;
	rp->used_ids += !slot->index;
	*slot = (struct intent_id){ id, (uint32_t)out->nintents, it->type };
	out->counts.intents++;
	return 0;
}

void replay_done(struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_log_item *intent;
	uint32_t slot;

	rp->out->counts.dones++;
	slot = rp->nids ? slot_of(rp, intent_type(it), xfs_log_item_id(it))->index : 0;
	if (!slot)	/* announced before the tail */
		return;
	intent = &rp->out->intents[slot - 1].item;
	free((void *)intent->regions);
	intent->regions = NULL;
	rp->lives[slot - 1].done = rp->trans;
}

void replay_report_intents(struct replay *rp)
{
	struct xfs_recovery *out = rp->out;
	size_t n = 0;

	replay_drop_doubtful(rp);
	for (size_t i = 0; i < out->nintents; i++)
		if (out->intents[i].item.regions)
			out->intents[n++] = out->intents[i];
	out->nintents = n;
	for (size_t i = 0; i < n; i++) {
		struct xfs_finding f = xfs_finding_of(XFS_F_LOG_INTENT, out->intents[i].item.kind->name);

		xfs_finding_detail(&f, "id 0x%" PRIx64 ", lsn %u:%u", xfs_log_item_id(&out->intents[i].item),
				   (unsigned)(out->intents[i].lsn >> 32), (unsigned)out->intents[i].lsn);
		xfs_finding_emit(rp->sink, &f);
	}
}
