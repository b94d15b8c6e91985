/* SPDX-License-Identifier: BSD-2-Clause */
/* claims.c - life of the claims of a filesystem: add, seal, fold in what came later, give back. */
#include "libxfs/space/claims_private.h"

#include <stdlib.h>
#include <unistd.h>

int xfs_claims_new(struct xfs_claims **out, const struct xfs_geometry *geo, size_t memory, const char *tmpdir)
{
	struct xfs_claims *c = calloc(1, sizeof(*c));

	if (!c)
		return -XFS_E_NOMEM;
	c->geo = geo;
	c->agcount = geo->agcount;
	c->memory = memory;
	c->fd = -1;
	c->ags = calloc(c->agcount, sizeof(*c->ags));
	c->tmpdir = tmpdir ? strdup(tmpdir) : NULL;
	if (!c->ags || (tmpdir && !c->tmpdir) || pthread_mutex_init(&c->lock, NULL)) {
		free(c->tmpdir);
		free(c->ags);
		free(c);
		return -XFS_E_NOMEM;
	}
	for (uint32_t i = 0; i < c->agcount; i++)
		c->ags[i].length = xfs_ag_length(geo, XFS_AGNO(i));
	*out = c;
	return 0;
}

void xfs_claims_free(struct xfs_claims *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->agcount; i++) {
		free(c->ags[i].recs.v);
		free(c->ags[i].added.v);
		free(c->ags[i].runs);
		free(c->ags[i].avoid.v);
		free(c->ags[i].map.v);
	}
	if (c->fd >= 0)
		close(c->fd);
	pthread_mutex_destroy(&c->lock);
	free(c->tmpdir);
	free(c->ags);
	free(c);
}

/* Format sheet 02, section 4.5: owner, offset and flags must fit each other. */
bool claims_legal(const struct xfs_claim *r)
{
	uint64_t flags = r->offset & XFS_RMAP_FLAGS;

	if (r->offset & ~(XFS_RMAP_FLAGS | XFS_RMAP_OFFMASK))
		return false;
	if (xfs_owner_is_special(r->owner))
		return r->offset == 0 && r->owner <= XFS_OWN_FS && r->owner >= XFS_OWN_COW;
	if (flags & XFS_RMAP_BMBT && r->offset & XFS_RMAP_OFFMASK)
		return false;
	return !(flags & XFS_RMAP_UNWRITTEN) || flags == XFS_RMAP_UNWRITTEN;
}

static bool range_fits(const struct claims_ag *ag, uint32_t agbno, uint32_t len)
{
	return len && agbno < ag->length && len <= ag->length - agbno;
}

int xfs_claims_add(struct xfs_claims *c, xfs_agno_t agno, const struct xfs_claim *r)
{
	struct claims_ag *ag;

	if (agno.v >= c->agcount || !range_fits(&c->ags[agno.v], r->agbno, r->len))
		return -XFS_E_RANGE;
	if (!claims_legal(r))
		return -XFS_E_INVALID;
	ag = &c->ags[agno.v];
	if (!ag->sealed)
		return claims_push(c, ag, r, CLAIMS_BY_MERGE);
	ag->map_valid = false;
	return claims_array_push(c, &ag->added, r);
}

static int count_free(struct xfs_claims *c, struct claims_ag *ag)
{
	struct xfs_claims_reader r;
	struct xfs_claim claim;
	uint32_t end = 0;
	uint64_t used = 0;
	int err = claims_reader_start(&r, c, ag);

	while (!err && !(err = xfs_claims_reader_next(&r, &claim))) {
		uint32_t start = claim.agbno > end ? claim.agbno : end;

		if (claims_end(&claim) > start) {
			end = claims_end(&claim);
			used += end - start;
		}
	}
	claims_reader_stop(&r);
	ag->free_blocks = ag->length - used;
	return err == -XFS_E_NOENT ? 0 : err;
}

static int seal(struct xfs_claims *c, struct claims_ag *ag)
{
	int err = 0;

	if (ag->nruns) {
		err = claims_seal_spilled(c, ag);
	} else {
		claims_sort(ag->recs.v, ag->recs.n, CLAIMS_BY_KEY);
		ag->recs.n = claims_canonicalise(ag->recs.v, ag->recs.n);
		claims_array_fit(c, &ag->recs);
	}
	if (!err)
		err = count_free(c, ag);
	ag->sealed = !err;
	return err;
}

int xfs_claims_seal(struct xfs_claims *c, xfs_agno_t agno)
{
	if (agno.v >= c->agcount)
		return -XFS_E_RANGE;
	return c->ags[agno.v].sealed ? 0 : seal(c, &c->ags[agno.v]);
}

/* Two sorted arrays become one, in the room of the first. */
static int fold_in_memory(struct xfs_claims *c, struct claims_ag *ag)
{
	size_t i = ag->recs.n, k = ag->added.n, at = i + k;
	const struct xfs_claim fill = { 0 };
	struct xfs_claim *v, *w = ag->added.v;

	claims_sort(w, k, CLAIMS_BY_KEY);
	while (ag->recs.n < at) {
		int err = claims_array_push(c, &ag->recs, &fill);

		if (err) {
			ag->recs.n = i;
			return err;
		}
	}
	v = ag->recs.v;
	while (k) {
		at--;
		if (i && claims_before(&w[k - 1], &v[i - 1], CLAIMS_BY_KEY))
			v[at] = v[--i];
		else
			v[at] = w[--k];
	}
	ag->recs.n = claims_canonicalise(v, ag->recs.n);
	claims_array_release(c, &ag->added);
	return count_free(c, ag);
}

/* The run on file is read again as if it were added. */
static int fold_in_file(struct xfs_claims *c, struct claims_ag *ag)
{
	struct xfs_claims_reader r;
	struct xfs_claim claim;
	int err = claims_run_reader_start(&r, c, &ag->runs[0]);

	ag->in_file = ag->sealed = false;
	ag->nruns = 0;
	while (!err && !(err = xfs_claims_reader_next(&r, &claim)))
		err = claims_push(c, ag, &claim, CLAIMS_BY_MERGE);
	claims_reader_stop(&r);
	if (err == -XFS_E_NOENT)
		err = 0;
	for (size_t i = 0; !err && i < ag->added.n; i++)
		err = claims_push(c, ag, &ag->added.v[i], CLAIMS_BY_MERGE);
	claims_array_release(c, &ag->added);
	return err ? err : seal(c, ag);
}

int claims_get(struct claims_ag **out, struct xfs_claims *c, xfs_agno_t agno)
{
	struct claims_ag *ag;

	if (agno.v >= c->agcount)
		return -XFS_E_RANGE;
	ag = &c->ags[agno.v];
	if (!ag->sealed)
		return -XFS_E_INVALID;
	*out = ag;
	if (!ag->added.n)
		return 0;
	return ag->in_file ? fold_in_file(c, ag) : fold_in_memory(c, ag);
}

int xfs_claims_count(struct xfs_claims *c, xfs_agno_t agno, uint64_t *count)
{
	struct claims_ag *ag;
	int err = claims_get(&ag, c, agno);

	if (!err)
		*count = ag->in_file ? ag->runs[0].n : ag->recs.n;
	return err;
}

int xfs_claims_free_blocks(struct xfs_claims *c, xfs_agno_t agno, uint64_t *blocks)
{
	struct claims_ag *ag;
	int err = claims_get(&ag, c, agno);

	if (!err)
		*blocks = ag->free_blocks;
	return err;
}

int xfs_claims_reader_open(struct xfs_claims_reader **out, struct xfs_claims *c, xfs_agno_t agno)
{
	struct claims_ag *ag;
	struct xfs_claims_reader *r;
	int err = claims_get(&ag, c, agno);

	if (err)
		return err;
	r = malloc(sizeof(*r));
	if (!r)
		return -XFS_E_NOMEM;
	err = claims_reader_start(r, c, ag);
	if (err)
		free(r);
	else
		*out = r;
	return err;
}

void xfs_claims_reader_close(struct xfs_claims_reader *r)
{
	if (!r)
		return;
	claims_reader_stop(r);
	free(r);
}

/* ---- giving back ---- */

struct cut { uint32_t start, end; uint64_t owner; };

static bool cut_meets(const struct cut *cut, const struct xfs_claim *r)
{
	return r->owner == cut->owner && r->agbno < cut->end && claims_end(r) > cut->start;
}

/* What is left of a claim: 0 to 2 pieces. */
static unsigned cut_pieces(const struct cut *cut, const struct xfs_claim *r, struct xfs_claim out[2])
{
	unsigned n = 0;

	if (r->agbno < cut->start) {
		out[n] = *r;
		out[n++].len = cut->start - r->agbno;
	}
	if (claims_end(r) > cut->end) {
		out[n] = *r;
		out[n].agbno = cut->end;
		out[n].len = claims_end(r) - cut->end;
		if (!xfs_claim_no_offset(r))
			out[n].offset += cut->end - r->agbno;
		n++;
	}
	return n;
}

/* INVALID when the owner's claims leave a gap in the range. Pieces are pushed to `pieces`. */
static int cut_collect(struct xfs_claims *c, struct claims_ag *ag, const struct cut *cut, struct claims_array *pieces)
{
	struct xfs_claims_reader r;
	struct xfs_claim claim, piece[2];
	uint32_t covered = cut->start;
	int err = claims_reader_start(&r, c, ag);

	while (!err && !(err = xfs_claims_reader_next(&r, &claim)) && claim.agbno < cut->end) {
		unsigned n;

		if (!cut_meets(cut, &claim))
			continue;
		if (claim.agbno > covered)
			break;
		if (claims_end(&claim) > covered)
			covered = claims_end(&claim);
		n = cut_pieces(cut, &claim, piece);
		for (unsigned i = 0; i < n && !err; i++)
			err = claims_array_push(c, pieces, &piece[i]);
	}
	claims_reader_stop(&r);
	if (err && err != -XFS_E_NOENT)
		return err;
	return covered < cut->end ? -XFS_E_INVALID : 0;
}

static int cut_in_file(struct xfs_claims *c, struct claims_ag *ag, const struct cut *cut)
{
	struct xfs_claims_reader r;
	struct xfs_claim claim;
	int err = claims_run_reader_start(&r, c, &ag->runs[0]);

	ag->in_file = ag->sealed = false;
	ag->nruns = 0;
	while (!err && !(err = xfs_claims_reader_next(&r, &claim)))
		if (!cut_meets(cut, &claim))
			err = claims_push(c, ag, &claim, CLAIMS_BY_MERGE);
	claims_reader_stop(&r);
	return err == -XFS_E_NOENT ? seal(c, ag) : err;
}

static int cut_in_memory(struct xfs_claims *c, struct claims_ag *ag, const struct cut *cut)
{
	size_t n = 0;

	for (size_t i = 0; i < ag->recs.n; i++)
		if (!cut_meets(cut, &ag->recs.v[i]))
			ag->recs.v[n++] = ag->recs.v[i];
	ag->recs.n = n;
	return count_free(c, ag);
}

/* What alloc() claimed last is most often what comes back. */
static bool cut_last_added(struct claims_ag *ag, const struct cut *cut)
{
	struct xfs_claim *r = ag->added.n ? &ag->added.v[ag->added.n - 1] : NULL;

	if (!r || r->owner != cut->owner || r->agbno > cut->start || claims_end(r) != cut->end ||
	    xfs_claim_shareable(r))
		return false;
	r->len = cut->start - r->agbno;
	if (!r->len)
		ag->added.n--;
	return true;
}

int xfs_claims_release(struct xfs_claims *c, xfs_agno_t agno, uint32_t agbno, uint32_t len, uint64_t owner)
{
	struct cut cut = { agbno, agbno + len, owner };
	struct claims_array pieces = { 0 };
	struct claims_ag *ag;
	int err;

	if (agno.v >= c->agcount || !range_fits(&c->ags[agno.v], agbno, len))
		return -XFS_E_RANGE;
	ag = &c->ags[agno.v];
	if (ag->sealed && cut_last_added(ag, &cut)) {
		ag->map_valid = false;
		return 0;
	}
	err = claims_get(&ag, c, agno);
	if (!err)
		err = cut_collect(c, ag, &cut, &pieces);
	if (err) {
		claims_array_release(c, &pieces);
		return err;
	}
	err = ag->in_file ? cut_in_file(c, ag, &cut) : cut_in_memory(c, ag, &cut);
	ag->map_valid = false;
	claims_array_release(c, &ag->added);
	ag->added = pieces;
	return err;
}
