/* SPDX-License-Identifier: BSD-2-Clause */
/* observe_ags.c - opens the filesystem for reading and observes headers and trees of every AG. */
#include "repair/agtrees.h"
#include "repair/flips.h"
#include "repair/lanes.h"
#include "repair/scan.h"
#include "repair/space.h"


#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define FINGERPRINT_BITS 16

static void header_finding(void *payload, const struct xfs_finding *f)
{
	repair_note(repair_view(payload), f, true);
}

int repair_open(struct repair *r)
{
	struct xfs_sink sink = { header_finding, r };
	uint64_t key[2];
	int error;

	/* any number will do as long as an image can't know it */
	if (getrandom(key, sizeof(key), GRND_NONBLOCK) != sizeof(key)) {
		key[0] = (uint64_t)time(NULL) * UINT64_C(0x9e3779b97f4a7c15);
		key[1] = (uint64_t)(uintptr_t)r ^ (uint64_t)clock();
	}
	error = repair_fs_open(r, &r->fs, &sink);
	if (!error)
		error = xfs_fingerprint_init(&r->fork_sums, FINGERPRINT_BITS, key);
	if (!error)
		error = xfs_fingerprint_init(&r->rmap_sums, FINGERPRINT_BITS, key);
	if (error)
		return error;
	r->sharers = calloc(REPAIR_SHARER_BITS / 8, 1);
	r->odd_buckets = calloc((size_t)1 << FINGERPRINT_BITS, 1);
	r->ags = calloc(r->geo.agcount, sizeof(*r->ags));
	return r->odd_buckets && r->sharers && r->ags ? 0 : -XFS_E_NOMEM;
}

/* V5: slots that are not in use hold old entries, or all ones; the kernel looks at all of them. */
static bool slots_valid(struct repair *r, const struct repair_ag *ag, int *error)
{
	uint32_t *slots = calloc(r->geo.agfl_size, sizeof(*slots));
	bool valid = true;

	*error = slots ? xfs_fs_agfl(r->fs, ag->agno, slots) : -XFS_E_NOMEM;
	for (uint32_t i = 0; !*error && r->geo.v5 && i < r->geo.agfl_size; i++)
		valid &= slots[i] == XFS_NULL32 || slots[i] < r->geo.agblocks;
	free(slots);
	return valid && !*error;
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
	ag->nagfl = count;
	ag->agfl_ok = !error && slots_valid(r, ag, &error);
	if (error == -XFS_E_NOMEM)
		return error;
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

static void check_lsn(struct repair *r, struct repair_ag *ag, const char *structure, uint64_t lsn)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_LSN, structure);

	if (!xfs_lsn_is_wild(lsn))
		return;
	f.agno = ag->agno.v;
	f.found = lsn;
	ag->reasons |= REPAIR_TREE;
	repair_note(r, &f, true);
}

/* The first 512 bytes of a header that was read before. */
static int header_bytes(struct repair *r, const struct repair_ag *ag, unsigned n, uint8_t bytes[512])
{
	struct xfs_buf *b;
	int error = xfs_buf_get1(r->fs->cache, xfs_ag_header_daddr(&r->geo, ag->agno, n).v,
				 r->geo.sectsize / XFS_BBSIZE, NULL, 0, &b);

	if (error)
		return error;
	memcpy(bytes, b->data, 512);
	xfs_buf_put(b);
	return 0;
}

static void check_lsns(struct repair *r, struct repair_ag *ag)
{
	uint8_t buf[512];

	if (!r->geo.v5)
		return;
	check_lsn(r, ag, "agf", ag->agf.lsn);
	check_lsn(r, ag, "agi", ag->agi.lsn);
	if (!header_bytes(r, ag, 3, buf))
		check_lsn(r, ag, "agfl", xfs_be64(buf + XFS_OFF(agfl, lsn)));
}

/* Bytes of the headers that the format leaves zero (V5: the kernel takes them as they are, other tools do not). */
static void check_pads(struct repair *r, struct repair_ag *ag)
{
	static const struct { uint8_t sector; uint16_t from, to; } pads[] = {
		{ 1, XFS_OFF(agf, refcntlevel) + 4, XFS_OFF(agf, lsn) }, { 1, XFS_OFF(agf, crc) + 4, 512 },
		{ 2, XFS_OFF(agi, pad32), XFS_OFF(agi, lsn) }, { 2, XFS_OFF(agi, fino_blocks) + 4, 512 },
	};
	uint8_t buf[512];

	for (size_t i = 0; r->geo.v5 && i < XFS_ARRAY_SIZE(pads); i++) {
		struct xfs_finding f = xfs_finding_of(XFS_F_AG_HEADER, pads[i].sector == 1 ? "agf" : "agi");

		if (header_bytes(r, ag, pads[i].sector, buf))
			return;	/* told by the reader of the header */
		for (size_t k = pads[i].from; k < pads[i].to; k++) {
			if (!buf[k])
				continue;
			f.agno = ag->agno.v;
			xfs_finding_detail(&f, "byte %zu must be zero", k);
			repair_note(r, &f, true);
			ag->reasons |= REPAIR_TREE;
			break;
		}
	}
}

/* Fields of absent features are zero, and one is not used any more. */
static void check_unused(struct repair *r, struct repair_ag *ag)
{
	const struct xfs_agf *f = &ag->agf;
	const struct xfs_agi *i = &ag->agi;
	const struct xfs_geometry *geo = &r->geo;
	const struct { const char *structure, *field; bool odd; } fields[] = {
		{ "agf", "rmaproot", !geo->rmapbt && (f->rmaproot || f->rmaplevel || (geo->v5 && f->rmapblocks)) },
		{ "agf", "refcntroot", geo->v5 && !geo->reflink &&
		  (f->refcntroot || f->refcntlevel || f->refcntblocks) },
		{ "agi", "free_root", geo->v5 && !geo->finobt && (i->free_root || i->free_level) },
		{ "agi", "ino_blocks", geo->v5 && !geo->inobtcnt && (i->ino_blocks || i->fino_blocks) },
		{ "agi", "dirino", i->dirino != XFS_NULL32 },
		{ "agi", "newino", i->newino != XFS_NULL32 && !xfs_agino_valid(geo, ag->agno, i->newino) },
	};

	for (size_t k = 0; k < XFS_ARRAY_SIZE(fields); k++) {
		struct xfs_finding found = xfs_finding_of(XFS_F_AG_HEADER, fields[k].structure);

		if (!fields[k].odd)
			continue;
		found.agno = ag->agno.v;
		found.field = fields[k].field;
		xfs_finding_detail(&found, "not used in this filesystem, or leads outside");
		ag->reasons |= REPAIR_TREE;
		repair_note(r, &found, true);
	}
}

static int load_headers(struct repair *r, struct repair_ag *ag)
{
	int agf_error = xfs_fs_agf(r->fs, ag->agno, &ag->agf),
	    agi_error = xfs_fs_agi(r->fs, ag->agno, &ag->agi, ag->unlinked);
	int error;

	if (agf_error == -XFS_E_NOMEM || agi_error == -XFS_E_NOMEM)
		return -XFS_E_NOMEM;
	/* a wrong checksum over fields that all fit is rewritten; the trees they lead to are the proof */
	ag->agf_ok = !agf_error;
	ag->agi_ok = !agi_error;
	if (ag->agi_ok)
		check_unlinked(r, ag);
	if (ag->agf_ok && ag->agi_ok) {
		check_pads(r, ag);
		check_lsns(r, ag);
		check_unused(r, ag);
	}
	error = load_agfl(r, ag);
	if (!ag->agf_ok || !ag->agi_ok || !ag->agfl_ok)
		ag->reasons |= REPAIR_TREE;
	return error;
}

static int observe_ag(struct repair *r, size_t agno)
{
	struct repair_ag *ag = &r->ags[agno];
	struct repair_walk w = { .r = r, .ag = ag };
	int error;

	ag->agno = XFS_AGNO(agno);
	ag->fs = r->fs;
	ag->length = xfs_ag_length(&r->geo, ag->agno);
	error = load_headers(r, ag);
	if (!error)
		error = repair_walk_trees(&w);
	if (!error)
		error = repair_cross_check(&w);
	repair_walk_release(&w);
	return error;
}

/* The inode btree has it; otherwise chunks are looked for elsewhere. */
static bool root_chunk_known(const struct repair *r)
{
	xfs_ino_t root = XFS_INO(r->primary.rootino);

	return xfs_ino_valid(&r->geo, root) &&
	       repair_chunk_of(&r->ags[xfs_ino_agno(&r->geo, root).v], xfs_ino_agino(&r->geo, root).v, NULL);
}

int repair_observe_ags(struct repair *r)
{
	int error;

	if (!r->looking)
		repair_say(r, "        - scan filesystem freespace and inode maps...");
	error = repair_each_lane(r, observe_ag);
	r->rmaps_whole = !error && r->geo.rmapbt;
	for (uint32_t i = 0; i < r->geo.agcount && r->rmaps_whole; i++)
		r->rmaps_whole = r->ags[i].tree[XFS_TREE_RMAP].sound;
	if (!error && !r->looking)
		repair_say(r, root_chunk_known(r) ? "        - found root inode chunk" : "root inode chunk not found");
	return error;
}
