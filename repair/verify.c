/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify.c - stage 3: the result is checked as if nobody had repaired it; only then needsrepair goes.
 */
#include "repair/write.h"

/* The passes that only look; a fresh run shares nothing but the device with the one that repaired. */
static int (*const before_names[])(struct repair *) = {
	repair_locate, repair_log_state, repair_observe_ags, repair_observe_inodes, repair_reconcile,
	repair_switch_over,
};
/* Between these and the verdict the run that repairs has no others that look. */
static int (*const names_and_more[])(struct repair *) = {
	repair_directories, repair_links, repair_realtime, repair_quota, repair_max_lsn,
};

int repair_look_afresh(struct repair *fresh)
{
	int error = 0;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(before_names) && !error; i++)
		error = before_names[i](fresh);
	return error;
}

struct repair_renewal repair_renewal_now(const struct repair *r)
{
	return (struct repair_renewal){
		.changes = xfs_dev_changes(r->dev.data) + xfs_dev_changes(r->dev.log) + xfs_dev_changes(r->dev.rt),
		.findings = r->findings,
	};
}

/*
 * Whether the state that names were read from is the fresh check: it was read when all was written, the passes above
 * went over all of it, and nothing was found in it or written since. Features that are being added excuse findings, and
 * what is held back makes passes look at less: then it is not.
 */
static bool was_checked(const struct repair *r)
{
	const struct repair *seen = r->renewed;
	struct repair_renewal now = repair_renewal_now(r);

	return seen && r->renewal.named && now.changes == r->renewal.changes && now.findings == r->renewal.findings &&
	       !seen->findings && !seen->names_bad && !seen->links_differ && !seen->flips.n && !seen->ninodes &&
	       !r->add && !r->no_quota && !r->holds.findings;
}

static void still_there(void *payload, const struct xfs_finding *f)
{
	struct repair *r = payload;

	/* what this version can't repair was said before */
	if (!r->unfixed && xfs_finding_severity(f->id) > XFS_SEV_INFO)
		xfs_finding_emit(&r->sink, f);
}

/* *most: the greatest LSN of all that was read. */
static int check_afresh(struct repair *r, uint64_t *most)
{
	struct repair fresh = { .looking = true, .no_modify = true, .force_geometry = true, .dev = r->dev,
				.name = r->name, .memory = r->memory, .cache = r->cache, .threads = r->threads,
				.sink = { still_there, r } };
	int error;

	repair_rest(r);
	if (r->renewed)
		repair_rest(r->renewed);
	error = repair_look_afresh(&fresh);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(names_and_more) && !error; i++)
		error = names_and_more[i](&fresh);
	/* with findings held back, what follows from them remains as well: there is no number to expect */
	if (!error && !r->holds.findings && fresh.findings > r->unfixed) {
		repair_say(r, "the repaired filesystem still has %llu findings; run xfs_repair again",
			   (unsigned long long)fresh.findings);
		r->unfixed = fresh.findings;
		error = -XFS_E_CORRUPT;
	}
	r->after = fresh.before;
	*most = fresh.max_lsn;
	repair_release(&fresh);
	return error;
}

static int take_verdict(struct repair *r, uint64_t *most)
{
	int error = repair_max_lsn(r->renewed);

	r->after = r->renewed->before;
	*most = r->renewed->max_lsn;
	return error;
}

int repair_verify(struct repair *r)
{
	uint64_t most;
	int error;

	if (r->looking || !r->writing)
		return 0;
	error = was_checked(r) ? take_verdict(r, &most) : check_afresh(r, &most);
	if (!error)
		error = repair_raise_log(r, xfs_max(most, r->primary.lsn));
	if (error)
		return error;
	r->verified = true;
	error = repair_write_primary(r, r->had_needsrepair && r->holds.findings);
	return error ? error : xfs_dev_barrier(r->dev.data);
}
