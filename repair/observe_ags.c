/* SPDX-License-Identifier: BSD-2-Clause */
/* observe_ags.c - opens the filesystem for reading and observes headers and trees of every AG. */
#include "repair/agtrees.h"
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define FINGERPRINT_BITS 16

static void header_finding(void *payload, const struct xfs_finding *f)
{
	repair_note(payload, f, true);
}

int repair_open(struct repair *r)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .sb = &r->primary };
	struct xfs_sink sink = { header_finding, r };
	uint64_t key[2];
	int error;

	/* any number will do as long as an image can't know it */
	if (getrandom(key, sizeof(key), GRND_NONBLOCK) != sizeof(key)) {
		key[0] = (uint64_t)time(NULL) * UINT64_C(0x9e3779b97f4a7c15);
		key[1] = (uint64_t)(uintptr_t)r ^ (uint64_t)clock();
	}
	error = xfs_fs_open(&r->fs, &r->dev, &options, &sink);
	if (!error)
		error = xfs_fingerprint_init(&r->fork_sums, FINGERPRINT_BITS, key);
	if (!error)
		error = xfs_fingerprint_init(&r->rmap_sums, FINGERPRINT_BITS, key);
	if (error)
		return error;
	r->odd_buckets = calloc((size_t)1 << FINGERPRINT_BITS, 1);
	r->ags = calloc(r->geo.agcount, sizeof(*r->ags));
	return r->odd_buckets && r->ags ? 0 : -XFS_E_NOMEM;
}

/* The free list: entries inside the AG, none twice. */
static int load_agfl(struct repair *r, struct repair_ag *ag)
{
	uint32_t count = 0;
	int error;

	ag->agfl = calloc(r->geo.agfl_size, sizeof(*ag->agfl));
	if (!ag->agfl)
		return -XFS_E_NOMEM;
	error = ag->agf_ok ? xfs_fs_agfl_blocks(r->fs, ag->agno, ag->agfl, &count) : -XFS_E_CORRUPT;
	if (error == -XFS_E_NOMEM)
		return error;
	ag->agfl_ok = !error;
	ag->nagfl = count;
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = i + 1; k < count; k++)
			if (ag->agfl[i] == ag->agfl[k])
				ag->agfl_ok = false;
	if (!ag->agfl_ok && ag->agf_ok) {
		struct xfs_finding f = xfs_finding_of(XFS_F_AGFL_COUNT, "agfl");

		f.agno = ag->agno.v;
		repair_note(r, &f, true);
	}
	return 0;
}

/* Lists of inodes that were open but had no name: after a clean unmount all are empty. They are cleared. */
static void check_unlinked(struct repair *r, struct repair_ag *ag)
{
	for (unsigned i = 0; i < XFS_AGI_BUCKETS; i++) {
		struct xfs_finding f = xfs_finding_of(XFS_F_AGI_UNLINKED, "agi");

		if (ag->unlinked[i] == XFS_NULL32)
			continue;
		f.agno = ag->agno.v;
		f.found = ag->unlinked[i];
		xfs_finding_detail(&f, "bucket %u", i);
		repair_note(r, &f, true);
		ag->reasons |= REPAIR_COUNTERS;
	}
}

static int load_headers(struct repair *r, struct repair_ag *ag)
{
	int agf_error = xfs_fs_agf(r->fs, ag->agno, &ag->agf), agi_error = xfs_fs_agi(r->fs, ag->agno, &ag->agi, ag->unlinked);
	int error;

	if (agf_error == -XFS_E_NOMEM || agi_error == -XFS_E_NOMEM)
		return -XFS_E_NOMEM;
	/* a wrong checksum over fields that all fit is rewritten; the trees they lead to are the proof */
	ag->agf_ok = !agf_error;
	ag->agi_ok = !agi_error;
	if (ag->agi_ok)
		check_unlinked(r, ag);
	error = load_agfl(r, ag);
	if (!ag->agf_ok || !ag->agi_ok || !ag->agfl_ok)
		ag->reasons |= REPAIR_TREE;
	return error;
}

static int observe_ag(void *payload, size_t agno)
{
	struct repair *r = payload;
	struct repair_ag *ag = &r->ags[agno];
	struct repair_walk w = { .r = r, .ag = ag };
	int error;

	ag->agno = XFS_AGNO(agno);
	ag->length = xfs_ag_length(&r->geo, ag->agno);
	error = load_headers(r, ag);
	if (!error)
		error = repair_walk_trees(&w);
	if (!error)
		error = repair_cross_check(&w);
	repair_walk_release(&w);
	return error;
}

int repair_observe_ags(struct repair *r)
{
	if (!r->looking)
		repair_say(r, "        - scan filesystem freespace and inode maps...");
	return repair_each_ag(r, observe_ag, r);
}
