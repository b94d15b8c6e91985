/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - xfs_repair: from options to an exit code (format sheet 06, section 1).
 *
 * Everything is said on stderr, but for what scripts expect on stdout: the line about phase 5 with -n, feature upgrades,
 * -V, and findings as JSON.
 */
#include "repair/devices.h"
#include "repair/salvage.h"
#include "repair/words.h"

#include "libxfs/base/pool.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_CORRUPT = 1, EXIT_DIRTY_LOG = 2, EXIT_REPAIRED = 4 };

/* Parts of what -m allows: the cache of blocks drops what is clean, claims spill beyond theirs of what it leaves. */
#define CLAIMS_SHARE 2
#define CACHE_SHARE 8
#define CACHE_LEAST ((size_t)1 << 20)
#define CACHE_MOST ((size_t)16 << 20)	/* what is in order is read once: what was read ahead is all there is to keep, */
#define CACHE_THREAD ((size_t)2 << 20)	/* for each thread, and for what they share */
#define CACHE_SHARED ((size_t)4 << 20)
#define THREADS_MOST 8u			/* they share the cache: each reads ahead a megabyte or two */
#define THREAD_MEMORY ((size_t)16 << 20)	/* of what -m allows, for each thread but the first */

static int verdict(const struct repair *r, const struct repair_options *o, int error)
{
	if (error == -XFS_E_DIRTYLOG)
		return EXIT_DIRTY_LOG;
	if (error == -XFS_E_STOP)	/* there was nothing to do, and it was said */
		return EXIT_CLEAN;
	if (error)
		return EXIT_CORRUPT;
	if (o->no_modify)
		return r->findings || r->log_dirty || r->replayed ? EXIT_CORRUPT : EXIT_CLEAN;
	if (r->unfixed)
		return EXIT_CORRUPT;
	return o->report_repairs && r->fixed_something && r->findings ? EXIT_REPAIRED : EXIT_CLEAN;
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
		return EXIT_CORRUPT;
	error = repair_run(r);
	if (repair_devices_crashed(d))
		kill(getpid(), SIGKILL);
	status = verdict(r, o, error);
	if (repair_text_hits(&text, d->watch) && status == EXIT_CLEAN)
		status = EXIT_CORRUPT;
	/* before the last words: a host that is full is a failure, too */
	if (o->salvage && repair_salvage(r, o->salvage, o->salvage_all))
		status = EXIT_CORRUPT;
	repair_text_end(&text, error, status);
	if (o->plan && repair_write_plan(&text, d->data_below, d->log_below, error, status))
		status = EXIT_CORRUPT;
	repair_text_release(&text);
	return status;
}

/* Large arrays go back to the system when they are freed, and do not make others grow into what they leave. */
static void tame_allocator(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
#endif
}

static int add_undo(struct repair_devices *d, const struct repair_options *o)
{
	uint8_t uuid[16];

	repair_find_uuid(&d->set, uuid);
	return repair_devices_add_undo(d, o, uuid);
}

int main(int argc, char **argv)
{
	struct repair_options o;
	struct repair_devices d;
	struct repair r;
	int error, status = repair_parse_options(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.undo_apply)
		return repair_take_back(&o);
	tame_allocator();
	error = repair_devices_open(&d, &o);
	if (error)
		fprintf(stderr, "\nfatal error -- couldn't initialize XFS library\n");
	else if (o.undo)
		error = add_undo(&d, &o);
	if (error) {
		repair_devices_close(&d);
		return EXIT_CORRUPT;
	}
	r = (struct repair){
		.no_modify = o.no_modify, .zero_log = o.zero_log, .no_replay = o.no_replay,
		.force_geometry = o.force_geometry, .verbose = o.verbose, .memory = claims_size(&o),
		.cache = cache_size(&o), .threads = thread_count(&o), .name = o.device,
		.leaf_slack = o.leaf_slack, .node_slack = o.node_slack,
		.add = o.add, .no_quota = o.no_quota, .held = o.selecting ? o.held : NULL, .dev = d.set,
	};
	status = run(&r, &d, &o);
	repair_release(&r);
	repair_devices_close(&d);
	return status;
}
