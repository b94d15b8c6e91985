/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_round.c - the second round: decides names and puts them right with the machinery of the first.
 */
#include "repair/names.h"
#include "repair/options.h"

#include "repair/rebuild.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void told_before(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	(void)f;
}

int repair_state_afresh(const struct repair *r, struct repair **out)
{
	struct repair *fresh = *out = calloc(1, sizeof(*fresh));
	int error;

	if (!fresh)
		return -XFS_E_NOMEM;
	*fresh = (struct repair){ .looking = true, .no_modify = r->no_modify, .force_geometry = true, .dev = r->dev,
				  .name = r->name, .memory = r->memory, .cache = r->cache, .threads = r->threads,
				  .leaf_slack = r->leaf_slack, .node_slack = r->node_slack, .verbose = r->verbose,
				  .sink = { told_before, NULL } };
	error = repair_look_afresh(fresh);
	fresh->looking = false;
	fresh->writing = true;
	return error;
}

/*
 * Round one has changed the filesystem: what is known of it is read afresh. When the passes that follow find and write
 * nothing, this was the check of the result, too (verify.c).
 */
static int renew(struct repair *r)
{
	struct repair *fresh;
	int error;

	repair_rest(r);
	repair_forget_changed(r);
	r->renewal = repair_renewal_now(r);
	error = repair_state_afresh(r, &r->renewed);
	fresh = r->renewed;
	if (error)
		return error;
	/* round one cleared the lists of deleted files; which there were is known still */
	for (uint32_t i = 0; i < r->geo.agcount && i < fresh->geo.agcount; i++)
		for (size_t k = 0; fresh->ags[i].facts && k < fresh->ags[i].nchunks * XFS_INODES_PER_CHUNK; k++) {
			uint32_t agino = fresh->ags[i].chunks[k / XFS_INODES_PER_CHUNK].startino +
					 (uint32_t)(k % XFS_INODES_PER_CHUNK);

			fresh->ags[i].facts[k].open = r->ags[i].agi_ok &&
						      r->ags[i].unlinked[agino % XFS_AGI_BUCKETS] != XFS_NULL32;
		}
	return 0;
}

int repair_names_state(struct repair *r, struct repair **out)
{
	int error = 0;

	if (!r->looking && r->writing && !r->renewed)
		error = renew(r);
	*out = r->renewed ? r->renewed : r;
	return error;
}

void names_note(struct names *n, enum xfs_finding_id id, const char *structure, uint64_t ino, bool fixed,
		const char *format, ...)
{
	struct xfs_finding f = xfs_finding_of(id, structure);
	va_list args;

	f.ino = ino;
	va_start(args, format);
	vsnprintf(f.detail, sizeof(f.detail), format, args);
	va_end(args);
	repair_note(n->told, &f, fixed);
}

void names_say(struct names *n, const char *doing, const char *would, ...)
{
	char line[512];
	va_list args;

	va_start(args, would);
	vsnprintf(line, sizeof(line), n->told->no_modify ? would : doing, args);
	va_end(args);
	for (char *p = line; *p; p++)
		if ((uint8_t)*p < 32 || *p == 127)
			*p = '?';
	repair_say(n->told, "%s", line);
}

int names_read_inode(struct names *n, uint64_t ino, uint8_t *image, struct xfs_dinode *d)
{
	struct repair_inode *c = repair_find_changed(n->r, ino);

	if (!c)
		return repair_read_inode(n->r, ino, image, d);
	repair_copy_image(n->r, c, image);
	xfs_dinode_decode(d, image);
	return 0;
}

static int decide(struct names *n)
{
	static int (*const steps[])(struct names *) = {
		names_gather, names_decide_entries, names_want_pointed, names_want_doubted, names_restore,
		names_decide_strays, names_want_doubted, names_decide_tree, names_match_strays, names_place_metadata,
		names_place_orphans, names_plan,
	};
	int error = 0;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(steps) && !error; i++) {
		error = names_settle_dirs(n);
		if (!error)
			error = steps[i](n);
	}
	return error;
}

void repair_take_over(struct repair *r, const struct repair *done)
{
	r->fixed_something |= done->fixed_something;
	if (done == r)
		return;
	r->primary = done->primary;
	r->log = done->log;
	r->rebuilt_any |= done->rebuilt_any;
	r->max_lsn = xfs_max(r->max_lsn, done->max_lsn);
}

int repair_names(struct repair *r)
{
	struct names n = { .told = r, .lost_found = XFS_NULL64 };
	int error = repair_names_state(r, &n.r);

	if (error || r->looking || !(n.r->names_bad || n.r->links_differ) || repair_names_are_held(r))
		return error;
	error = names_fill(r, n.r);
	if (error != -XFS_E_AGAIN)
		return error;
	error = decide(&n);
	if (error || repair_names_are_held(r))
		goto out;
	repair_rest(n.r);
	error = repair_rebuild_and_switch(n.r);
	if (!error)
		repair_take_over(r, n.r);
out:
	names_release(&n);
	return error;
}
