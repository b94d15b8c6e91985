/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify.c - stage 3: the result is checked as if nobody had repaired it; only then needsrepair goes.
 */
#include "repair/write.h"

/* The passes that only look; the fresh run shares nothing but the device with the one that repaired. */
static int (*const looking[])(struct repair *) = {
	repair_locate, repair_log_state, repair_observe_ags, repair_observe_inodes, repair_reconcile, repair_switch_over,
	repair_directories, repair_links, repair_realtime, repair_quota, repair_max_lsn,
};

static void still_there(void *payload, const struct xfs_finding *f)
{
	struct repair *r = payload;

	/* what this version can't repair was said before */
	if (!r->unfixed && xfs_finding_severity(f->id) > XFS_SEV_INFO)
		xfs_finding_emit(&r->sink, f);
}

int repair_verify(struct repair *r)
{
	struct repair fresh = { .looking = true, .no_modify = true, .force_geometry = true, .dev = r->dev, .name = r->name,
				.memory = r->memory, .cache = r->cache, .threads = r->threads, .sink = { still_there, r } };
	int error = 0;

	if (r->looking || !r->writing)
		return 0;
	repair_rest(r);
	if (r->renewed)
		repair_rest(r->renewed);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(looking) && !error; i++)
		error = looking[i](&fresh);
	/* with findings held back, what follows from them remains as well: there is no number to expect */
	if (!error && !r->holds.findings && fresh.findings > r->unfixed) {
		repair_say(r, "the repaired filesystem still has %llu findings; run xfs_repair again",
			   (unsigned long long)fresh.findings);
		r->unfixed = fresh.findings;
		error = -XFS_E_CORRUPT;
	}
	if (!error)
		error = repair_raise_log(r, xfs_max(fresh.max_lsn, r->primary.lsn));
	r->after = fresh.before;
	repair_release(&fresh);
	if (error)
		return error;
	r->verified = true;
	error = repair_write_primary(r, r->had_needsrepair && r->holds.findings);
	return error ? error : xfs_dev_barrier(r->dev.data);
}
