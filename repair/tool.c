/* SPDX-License-Identifier: BSD-2-Clause */
/* tool.c - one run of xfs_repair, from open devices to an exit status (format sheet 06, section 1). */
#include "repair/tool.h"

#include "repair/salvage.h"
#include "repair/words.h"

#include "libxfs/base/pool.h"

#include <signal.h>
#include <unistd.h>

/* Parts of what -m allows: the cache of blocks drops what is clean, claims spill beyond theirs of what it leaves. */
#define CLAIMS_SHARE 2
#define CACHE_SHARE 8
#define CACHE_LEAST ((size_t)1 << 20)
/* what is in order is read once: what was read ahead is all there is to keep, for each thread and for all of them */
#define CACHE_MOST ((size_t)16 << 20)
#define CACHE_THREAD ((size_t)2 << 20)
#define CACHE_SHARED ((size_t)4 << 20)
#define THREADS_MOST 8u			/* they share the cache: each reads ahead a megabyte or two */
#define THREAD_MEMORY ((size_t)16 << 20)	/* of what -m allows, for each thread but the first */

static int verdict(const struct repair *r, const struct repair_options *o, int error)
{
	if (error == -XFS_E_DIRTYLOG)
		return REPAIR_EXIT_DIRTY_LOG;
	if (error == -XFS_E_STOP)	/* there was nothing to do, and it was said */
		return REPAIR_EXIT_CLEAN;
	if (error)
		return REPAIR_EXIT_CORRUPT;
	if (o->no_modify)
		return r->findings || r->log_dirty || r->replayed ? REPAIR_EXIT_CORRUPT : REPAIR_EXIT_CLEAN;
	if (r->unfixed)
		return REPAIR_EXIT_CORRUPT;
	if (!o->report_repairs)
		return REPAIR_EXIT_CLEAN;
	/* what was lost with the log leaves no finding behind */
	return r->log_given_up || (r->fixed_something && r->findings) ? REPAIR_EXIT_REPAIRED : REPAIR_EXIT_CLEAN;
}

/* Of threads that observe AGs; there are never more than AGs. */
static unsigned thread_count(const struct repair_options *o)
{
	size_t room = o->memory / THREAD_MEMORY;
	unsigned n = xfs_pool_processors();

	if (o->threads)
		return o->threads;
	if (n > THREADS_MOST)
		n = THREADS_MOST;
	return room < 1 ? 1 : room < n ? (unsigned)room : n;
}

static size_t cache_size(const struct repair_options *o)
{
	size_t share = o->memory / CACHE_SHARE, use = CACHE_SHARED + CACHE_THREAD * thread_count(o);

	if (share > use)
		share = use;
	return share < CACHE_LEAST ? CACHE_LEAST : share < CACHE_MOST ? share : CACHE_MOST;
}

static size_t claims_size(const struct repair_options *o)
{
	size_t cache = cache_size(o);

	return (o->memory > 2 * cache ? o->memory - cache : o->memory / 2) / CLAIMS_SHARE;
}

static int run(struct repair *r, struct repair_devices *d, const struct repair_options *o)
{
	struct repair_words words;
	struct repair_text text;
	int error, status;

	if (repair_text_init(&text, r, &words, o))
		return REPAIR_EXIT_CORRUPT;
	error = repair_run(r);
	if (repair_devices_crashed(d))
		kill(getpid(), SIGKILL);
	status = verdict(r, o, error);
	if (repair_text_hits(&text, d->watch) && status == REPAIR_EXIT_CLEAN)
		status = REPAIR_EXIT_CORRUPT;
	/* before the last words: a host that is full is a failure, too */
	if (o->salvage && repair_salvage(r, o->salvage, o->salvage_all))
		status = REPAIR_EXIT_CORRUPT;
	repair_text_end(&text, error, status);
	if (o->plan && repair_write_plan(&text, &d->below, error, status))
		status = REPAIR_EXIT_CORRUPT;
	repair_text_release(&text);
	return status;
}

int repair_tool(struct repair_devices *d, const struct repair_options *o)
{
	struct repair r = {
		.no_modify = o->no_modify, .zero_log = o->zero_log, .no_replay = o->no_replay,
		.force_geometry = o->force_geometry, .verbose = o->verbose, .memory = claims_size(o),
		.cache = cache_size(o), .threads = thread_count(o), .name = o->device, .leaf_slack = o->leaf_slack,
		.node_slack = o->node_slack, .add = o->add, .no_quota = o->no_quota,
		.held = o->selecting ? o->held : NULL, .dev = d->set,
	};
	int status = run(&r, d, o);

	repair_release(&r);
	return status;
}
