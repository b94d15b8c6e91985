/* SPDX-License-Identifier: BSD-2-Clause */
/* repair.c - runs the passes and keeps the count of what was found. */
#include "repair/flips.h"
#include "repair/lanes.h"
#include "repair/metafiles.h"
#include "repair/names.h"
#include "repair/quota.h"

#include "libxfs/base/grow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name, *phase;
	int (*run)(struct repair *);
} passes[] = {
#define X(name, phase, needs, provides, text) { #name, phase, repair_##name },
#include "repair/passes.def"
#undef X
};

void repair_say(struct repair *r, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!r->words || !r->words->line)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (r->lane)
		repair_lane_say(r, line);
	else
		r->words->line(r->words->payload, line);
}

void repair_tell(struct repair *r, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!r->words || !r->words->tell)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	r->words->tell(r->words->payload, line);
}

void repair_step(struct repair *r, const char *unit, uint64_t done, uint64_t total)
{
	if (r->lane)
		repair_lane_step(r, unit, done, total);
	else if (r->words && r->words->step)
		r->words->step(r->words->payload, unit, done, total);
}

static void say_phase(struct repair *r, unsigned ended)
{
	if (r->words && r->words->phase)
		r->words->phase(r->words->payload, ended);
}

/* For --salvage-to. Without memory for one more it is not copied out; the finding says that it is there. */
static void keep_left(struct repair *r, uint64_t ino)
{
	if (r->nleft && r->left[r->nleft - 1] == ino)
		return;
	if (xfs_grow(&r->left, r->nleft, &r->left_room, 64))
		return;
	r->left[r->nleft++] = ino;
}

void repair_note(struct repair *r, const struct xfs_finding *f, bool fixed)
{
	if (xfs_finding_mutant(f->id) || (fixed && repair_is_upgrade(r, f->id)))
		return;
	if (r->lane) {
		r->findings += xfs_finding_severity(f->id) > XFS_SEV_INFO;
		repair_lane_note(r, f, fixed);
		return;
	}
	if (fixed && repair_is_held(r, f->id)) {
		repair_hold(r, f);
		fixed = false;
	}
	/* after the choice of what is written, the rest goes with what is held */
	if (r->holds.selected && (r->holds.all || r->holds.space))
		fixed = false;
	if (xfs_finding_severity(f->id) > XFS_SEV_INFO) {
		r->findings++;
		if (!fixed)
			r->unfixed++;
		if ((!fixed || f->id == XFS_F_FORK_LOST) && f->ino != XFS_NULL64 && !r->looking)
			keep_left(r, f->ino);
	}
	if (f->id == XFS_F_FORK_LOST && f->len != XFS_NULL64)
		r->lost_blocks += f->len;
	if (f->id == XFS_F_BLOCK_IO && f->agbno != XFS_NULL32 && r->nunread < XFS_ARRAY_SIZE(r->unread)) {
		r->unread[r->nunread].agno = f->agno;
		r->unread[r->nunread].agbno = f->agbno;
		r->unread[r->nunread++].structure = f->structure;
	}
	r->note_fixed = fixed;
	xfs_finding_emit(&r->sink, f);
}

int repair_run(struct repair *r)
{
	unsigned phase = 0;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(passes); i++) {
		int error;

		if (passes[i].phase && *passes[i].phase != ' ') {
			say_phase(r, phase++);
			r->scanned = 0;
		}
		if (passes[i].phase)
			repair_say(r, "%s", passes[i].phase);
		error = passes[i].run(r);
		if (error)
			return error;
	}
	say_phase(r, phase);
	return 0;
}

int repair_runs_add(struct repair_runs *s, uint32_t agbno, uint32_t len, uint64_t owner)
{
	if (xfs_grow(&s->r, s->n, &s->room, 8))	/* groups may be many */
		return -XFS_E_NOMEM;
	s->r[s->n++] = (struct repair_run){ agbno, len, owner };
	return 0;
}

static void release_ag(struct repair_ag *ag)
{
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		free(ag->tree[t].own);
	free(ag->agfl);
	free(ag->rmap_leaves);
	free(ag->chunks);
	free(ag->facts);
	free(ag->special.r);
	free(ag->whole.r);
	free(ag->finobt);
	free(ag->rt_maps);
	free(ag->rt_files);
	repair_usage_free(ag->usage);
	xfs_ag_switch_release(&ag->sw);
}

void repair_rest(struct repair *r)
{
	for (uint32_t i = 0; r->ags && i < r->geo.agcount; i++) {
		free(r->ags[i].facts);
		r->ags[i].facts = NULL;
	}
	free(r->link_buckets);
	r->link_buckets = NULL;
	xfs_claims_free(r->claims);
	r->claims = NULL;
	if (r->fs)
		xfs_buf_forget(r->fs->cache, 0, 0);
	if (r->strict)
		xfs_buf_forget(r->strict->cache, 0, 0);
}

void repair_release(struct repair *r)
{
	for (uint32_t i = 0; r->ags && i < r->geo.agcount; i++)
		release_ag(&r->ags[i]);
	repair_forget_changed(r);
	if (r->renewed)
		repair_release(r->renewed);
	free(r->renewed);
	free(r->lost);
	repair_forget_flips(r);
	free(r->left);
	free(r->strays);
	free(r->leaks);
	free(r->glance);
	free(r->link_buckets);
	free(r->ags);
	free(r->secondary_bad);
	free(r->odd_buckets);
	repair_metaindex_free(r->metas);
	free(r->rt_claims);
	free(r->sharers);
	xfs_fingerprint_release(&r->fork_sums);
	xfs_fingerprint_release(&r->rmap_sums);
	xfs_fingerprint_release(&r->rt_sums);
	xfs_claims_free(r->claims);
	xfs_fs_close(r->strict);
	xfs_fs_close(r->fs);
	repair_release_holds(&r->holds);
	*r = (struct repair){ .dev = r->dev };
}
