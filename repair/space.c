/* SPDX-License-Identifier: BSD-2-Clause */
/* space.c - without reverse mappings: free space and reference counts against what files and trees claim. */
#include "repair/cuts.h"
#include "repair/space.h"
#include "repair/agtrees.h"
#include "repair/lanes.h"
#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <string.h>

int repair_claim(struct repair *r, uint64_t fsbno, uint64_t len, uint64_t owner, uint64_t offword)
{
	struct xfs_claim c = { xfs_fsbno_agbno(&r->geo, XFS_FSBNO(fsbno)).v, (uint32_t)len, owner, offword };

	if (r->lane)
		return repair_lane_claim(r, xfs_fsbno_agno(&r->geo, XFS_FSBNO(fsbno)), &c);
	return xfs_claims_add(r->claims, xfs_fsbno_agno(&r->geo, XFS_FSBNO(fsbno)), &c);
}

static int claim(struct repair *r, const struct repair_ag *ag, uint32_t agbno, uint32_t len, uint64_t owner)
{
	return xfs_claims_add(r->claims, ag->agno, &(struct xfs_claim){ agbno, len, owner, 0 });
}

static int claim_chunks(struct repair *r, struct repair_ag *ag)
{
	unsigned inopblog = r->geo.inopblog;
	uint32_t last = XFS_NULL32;
	int error = 0;

	for (size_t i = 0; i < ag->nchunks && !error; i++) {
		const struct xfs_inode_chunk *c = &ag->chunks[i];

		for (unsigned k = 0; k < XFS_INODES_PER_CHUNK && !error; k += inopblog < 2 ? 1 : 4) {
			uint32_t agbno = (c->startino + k) >> inopblog;

			if (c->holemask >> (k / 4) & 1 || agbno == last)
				continue;
			last = agbno;	/* several groups, even several chunks, may lie in one block */
			error = claim(r, ag, agbno, 1, XFS_OWN_INODES);
		}
	}
	return error;
}

int repair_claim_static(struct repair *r, struct repair_ag *ag)
{
	const struct xfs_sb *sb = &r->geo.sb;
	int error = claim(r, ag, 0, r->geo.agfl_block + 1, XFS_OWN_FS);

	if (!error && sb->logstart && xfs_fsbno_agno(&r->geo, XFS_FSBNO(sb->logstart)).v == ag->agno.v)
		error = claim(r, ag, xfs_fsbno_agbno(&r->geo, XFS_FSBNO(sb->logstart)).v, sb->logblocks, XFS_OWN_LOG);
	return error ? error : claim_chunks(r, ag);
}

/* ---- sharing ---- */

int repair_set_reflink(struct repair *r, uint64_t ino, const uint8_t *image)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_REFLINK, "inode");
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	f.ino = ino;
	repair_note(r, &f, true);
	if (r->looking || repair_is_held(r, f.id))
		return 0;
	error = repair_changed_inode(r, ino, image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	d.v3.flags2 |= XFS_DIFLAG2_REFLINK;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

struct sharers {
	struct repair *r;
	uint64_t *owners;
	size_t n, room;
};

static int by_number(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static void keep_one_of_each(struct sharers *s)
{
	size_t keep = 0;

	if (s->n)
		qsort(s->owners, s->n, sizeof(*s->owners), by_number);
	for (size_t i = 0; i < s->n; i++)
		if (!keep || s->owners[i] != s->owners[keep - 1])
			s->owners[keep++] = s->owners[i];
	s->n = keep;
}

/* Memory grows with the owners, not with what they share. */
static int add_sharer(void *payload, uint64_t owner)
{
	struct sharers *s = payload;

	if (s->n && s->owners[s->n - 1] == owner)
		return 0;
	if (s->n == s->room)
		keep_one_of_each(s);
	if (2 * s->n >= s->room && xfs_grow(&s->owners, s->room, &s->room, 1024))
		return -XFS_E_NOMEM;
	s->owners[s->n++] = owner;
	return 0;
}

static int ignore_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	(void)payload;
	(void)agbno;
	(void)len;
	(void)refs;
	return 0;
}

static int check_owners(struct sharers *s)
{
	struct repair *r = s->r;
	uint8_t *image = malloc(r->geo.inodesize);
	int error = image ? 0 : -XFS_E_NOMEM;

	keep_one_of_each(s);
	for (size_t i = 0; i < s->n && !error; i++) {
		struct repair_inode *changed = repair_find_changed(r, s->owners[i]);
		struct xfs_dinode d;

		if (repair_is_lost(r, s->owners[i]))
			continue;
		if (changed)
			repair_copy_image(r, changed, image);
		else
			error = repair_read_inode(r, s->owners[i], image, &d);
		if (error)
			break;
		xfs_dinode_decode(&d, image);
		if (!(d.v3.flags2 & XFS_DIFLAG2_REFLINK))
			error = repair_set_reflink(r, s->owners[i], image);
	}
	free(image);
	return error;
}

int repair_check_flags(struct repair *r, uint32_t agno)
{
	struct sharers s = { .r = r };
	struct xfs_sweep sweep = { .found = ignore_run, .payload = &s, .sharer = add_sharer };
	int error;

	if (!r->geo.reflink)
		return 0;
	error = xfs_sweep_finish(&sweep, xfs_claims_each(r->claims, XFS_AGNO(agno), xfs_sweep_claim, &sweep));
	if (!error)
		error = check_owners(&s);
	free(s.owners);
	return error;
}

/* ---- the comparison ---- */

static uint64_t tree_owner(enum xfs_build_tree t)
{
	return t == XFS_TREE_INO || t == XFS_TREE_FINO ? XFS_OWN_INOBT : t == XFS_TREE_REFC ? XFS_OWN_REFC : XFS_OWN_AG;
}

/* Trees that verified hold their blocks against any file. */
static int claim_trees(struct repair *r, struct repair_ag *ag)
{
	int error = 0;

	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		for (size_t i = 0; ag->tree[t].sound && i < ag->tree[t].nown && !error; i++)
			error = claim(r, ag, ag->tree[t].own[i], 1, tree_owner((enum xfs_build_tree)t));
	return error;
}

static int any_conflict(void *payload, const struct xfs_claim *a, const struct xfs_claim *b)
{
	struct xfs_finding *f = payload;

	(void)a;
	f->agbno = b->agbno;
	return -XFS_E_STOP;
}

/* The free list: it holds nothing against anybody, so it comes when all others are settled. */
static int claim_agfl(struct repair *r, struct repair_ag *ag)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_AGFL_ENTRY, "agfl");
	int error = 0;

	for (size_t i = 0; i < ag->nagfl && !error; i++)
		error = claim(r, ag, ag->agfl[i], 1, XFS_OWN_AG);
	if (!error)
		error = xfs_claims_each_conflict(r->claims, ag->agno, any_conflict, NULL, &f);
	if (error != -XFS_E_STOP)
		return error;
	f.agno = ag->agno.v;
	ag->reasons |= REPAIR_TREE;
	repair_note(r, &f, true);
	return 0;
}

struct source {
	repair_run_fn run;
	void *payload;
};

static int pass_gap(void *payload, uint32_t agbno, uint32_t len)
{
	struct source *s = payload;

	return s->run(s->payload, agbno, len, 0);
}

static int each_gap(struct repair *r, struct repair_ag *ag, repair_run_fn run, void *payload)
{
	struct source s = { run, payload };

	return xfs_claims_each_free(r->claims, ag->agno, pass_gap, &s);
}

static int each_share(struct repair *r, struct repair_ag *ag, repair_run_fn run, void *payload)
{
	return xfs_claims_each_shared(r->claims, ag->agno, run, payload);
}

struct summing {
	const struct repair *r;
	struct repair_sum sum;
};

static int add_run(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct summing *s = payload;

	repair_sum_add(s->r, &s->sum, agbno, len, refs);
	return 0;
}

static int compare_free(struct repair *r, struct repair_ag *ag)
{
	struct summing s = { .r = r };
	int error;

	if (!ag->tree[XFS_TREE_BNO].sound)
		return 0;
	error = each_gap(r, ag, add_run, &s);
	return error || repair_sums_equal(&s.sum, &ag->free) ? error : repair_compare_free(r, ag, each_gap);
}

static int compare_counts(struct repair *r, struct repair_ag *ag)
{
	struct summing s = { .r = r };
	int error;

	if (!r->geo.reflink || !ag->tree[XFS_TREE_REFC].sound)
		return 0;
	error = each_share(r, ag, add_run, &s);
	return error || repair_sums_equal(&s.sum, &ag->counts) ? error : repair_compare_counts(r, ag, each_share);
}

static int check_ag(struct repair *r, struct repair_ag *ag)
{
	const unsigned rebuilt = REPAIR_TREE | REPAIR_FORK | REPAIR_INODES;
	uint64_t settled = 0;
	struct repair_cuts cuts = { .r = r };
	bool in_order = false;		/* free space, but for blocks of the free list that others claim */
	int error = repair_settle_conflicts(r, ag->agno.v, &cuts, &settled);

	if (!error)
		error = repair_cut_mislaid(r, ag, &cuts, &settled, &in_order);
	if (!error)
		error = repair_cuts_apply(&cuts);
	repair_cuts_release(&cuts);

	if (error || settled)
		return error;
	if (!(ag->reasons & rebuilt))
		error = claim_agfl(r, ag);
	if (!error && !in_order && !(ag->reasons & rebuilt))
		error = compare_free(r, ag);
	if (!error && !(ag->reasons & rebuilt))
		error = compare_counts(r, ag);
	return error ? error : repair_check_flags(r, ag->agno.v);
}

int repair_claim_space(struct repair *r)
{
	int error = 0;

	for (uint32_t i = 0; i < r->geo.agcount && !error; i++) {
		if (!r->space_claimed)
			error = repair_claim_static(r, &r->ags[i]);
		if (!error && !r->space_claimed)
			error = claim_trees(r, &r->ags[i]);
		if (!error)
			error = xfs_claims_seal(r->claims, r->ags[i].agno);
	}
	r->space_claimed = !error;
	return error;
}

int repair_check_space(struct repair *r)
{
	bool in_order = true;
	int error = repair_claim_space(r);

	for (uint32_t i = 0; i < r->geo.agcount && !r->looking && in_order && !error; i++)
		error = repair_free_in_order(r, &r->ags[i], &in_order);
	if (!error && !in_order)
		error = repair_settle_astray(r);
	for (uint32_t i = 0; i < r->geo.agcount && !error; i++)
		error = check_ag(r, &r->ags[i]);
	xfs_claims_free(r->claims);
	r->claims = NULL;
	r->space_claimed = false;
	return error;
}
