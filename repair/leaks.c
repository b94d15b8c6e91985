/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leaks.c - blocks that are in use and that nobody claims: what forks lost whose records have wrong numbers.
 *
 * Asked where no reverse mappings say whose they are.  The bnobt says that they are in use; a record with the place of
 * its blocks wrong lacks just as many as one such run has, and one that is too short is continued by it.
 */
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <string.h>

#define MOST_LEAKS 4096u	/* more of them tell nothing of single records */

struct finding_leaks {
	struct repair *r;
	struct repair_ag *ag;
	const uint32_t *agfl;	/* ascending */
	size_t n, i;
};

static int keep(struct finding_leaks *s, uint32_t agbno, uint32_t len)
{
	struct repair *r = s->r;

	if (r->nleaks == MOST_LEAKS)
		return -XFS_E_STOP;
	if (xfs_grow(&r->leaks, r->nleaks, &r->leak_room, 16))
		return -XFS_E_NOMEM;
	r->leaks[r->nleaks++] = (struct repair_leak){ xfs_fsbno_of(&r->geo, s->ag->agno, XFS_AGBNO(agbno)).v, len };
	return 0;
}

/* Blocks of the free list are claimed behind all others. */
static int keep_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct finding_leaks *s = payload;
	uint32_t end = agbno + len;
	int error = 0;

	(void)refs;
	while (s->i < s->n && s->agfl[s->i] < agbno)
		s->i++;
	for (; s->i < s->n && s->agfl[s->i] < end && !error; s->i++) {
		if (s->agfl[s->i] > agbno)
			error = keep(s, agbno, s->agfl[s->i] - agbno);
		agbno = s->agfl[s->i] + 1;
	}
	return error || agbno >= end ? error : keep(s, agbno, end - agbno);
}

static int look_at_gap(void *payload, uint32_t agbno, uint32_t len)
{
	struct finding_leaks *s = payload;

	return repair_each_used(s->r, s->ag, agbno, len, keep_run, s);
}

static int find_in_ag(struct repair *r, struct repair_ag *ag)
{
	struct finding_leaks s = { .r = r, .ag = ag, .n = ag->nagfl };
	uint32_t *agfl;
	int error = repair_sorted_agfl(ag, &agfl);

	s.agfl = agfl;
	if (!error)
		error = xfs_claims_each_free(r->claims, ag->agno, look_at_gap, &s);
	free(agfl);
	return error;
}

int repair_find_leaks(struct repair *r)
{
	int error = 0;

	if (r->leaks_known || !r->claims)
		return 0;
	error = repair_claim_space(r);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		if (r->ags[i].tree[XFS_TREE_BNO].sound)
			error = find_in_ag(r, &r->ags[i]);
	if (error == -XFS_E_STOP) {
		r->nleaks = 0;
		error = 0;
	}
	r->leaks_known = !error;
	return error;
}

bool repair_leak_of_length(const struct repair *r, uint64_t len, uint64_t *fsbno)
{
	size_t found = 0;

	for (size_t i = 0; i < r->nleaks && len; i++) {
		if (r->leaks[i].len != len)
			continue;
		*fsbno = r->leaks[i].fsbno;
		found++;
	}
	return found == 1;
}

/* The list is ascending.  NULL: none begins there. */
static struct repair_leak *leak_from(const struct repair *r, uint64_t fsbno)
{
	size_t at = xfs_search(r->nleaks, i, r->leaks[i].fsbno < fsbno);

	return at < r->nleaks && r->leaks[at].fsbno == fsbno ? &r->leaks[at] : NULL;
}

bool repair_is_leak(const struct repair *r, uint64_t fsbno, uint64_t len)
{
	const struct repair_leak *leak = leak_from(r, fsbno);

	return leak && len && leak->len == len;
}

int repair_is_no_leak(struct repair *r, uint64_t fsbno)
{
	size_t behind = xfs_search(r->nleaks, i, r->leaks[i].fsbno <= fsbno);
	struct repair_leak *leak = behind ? &r->leaks[behind - 1] : NULL;
	uint64_t end = leak ? leak->fsbno + leak->len : 0;

	if (fsbno >= end)
		return 0;
	leak->len = (uint32_t)(fsbno - leak->fsbno);
	if (end == fsbno + 1)
		return 0;
	if (xfs_grow(&r->leaks, r->nleaks, &r->leak_room, 16))
		return -XFS_E_NOMEM;
	memmove(&r->leaks[behind + 1], &r->leaks[behind], (r->nleaks++ - behind) * sizeof(*r->leaks));
	r->leaks[behind] = (struct repair_leak){ fsbno + 1, (uint32_t)(end - fsbno - 1) };
	return 0;
}

void repair_take_leak(struct repair *r, uint64_t fsbno)
{
	struct repair_leak *leak = leak_from(r, fsbno);

	if (leak)
		leak->len = 0;
}

/* ---- claims that follow ---- */

static int release(struct repair *r, uint64_t ino, const struct xfs_mapping *m)
{
	int error = xfs_claims_release(r->claims, xfs_fsbno_agno(&r->geo, XFS_FSBNO(m->fsbno)),
				       xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v, m->len, ino);

	return error == -XFS_E_INVALID ? 0 : error;	/* of a damaged map not all was claimed */
}

int repair_reclaim(struct repair *r, uint64_t ino, unsigned fork, const struct xfs_mapset *before,
		   const struct xfs_mapset *after)
{
	struct xfs_mapset gone = { 0 }, come = { 0 };
	int error = r->claims ? repair_claim_space(r) : 0;

	if (!error)
		error = xfs_mapset_subtract(&gone, before, after);
	if (!error)
		error = xfs_mapset_subtract(&come, after, before);
	for (size_t i = 0; i < gone.n && r->claims && !error; i++)
		error = release(r, ino, &gone.m[i]);
	for (size_t i = 0; i < come.n && r->claims && !error; i++)
		error = repair_claim(r, come.m[i].fsbno, come.m[i].len, ino,
				     come.m[i].off | (fork ? XFS_RMAP_ATTR : 0) |
				     (come.m[i].unwritten ? XFS_RMAP_UNWRITTEN : 0));
	xfs_mapset_release(&gone);
	xfs_mapset_release(&come);
	return error;
}
