/* SPDX-License-Identifier: BSD-2-Clause */
/* words.c - findings and banners as text; what follows from what. */
#include "repair/words.h"
#include "libxfs/base/grow.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORDS_MOST 16384u
#define MOST_INTENTS 4u			/* that are told one by one */

static void say_waiting(struct repair_text *);

/* Banners that read otherwise in a run that modifies nothing, or with an external log. */
static void line(void *payload, const char *text)
{
	struct repair_text *t = payload;

	repair_progress_clear(&t->progress);
	if (t->r->no_modify && !strncmp(text, "Phase 5", 7)) {
		/* on stdout: scripts look for it there */
		fputs("No modify flag set, skipping phase 5\n", t->o->json ? stderr : stdout);
		fflush(stdout);
	} else if (t->r->no_modify && !strcmp(text, "        - reset superblock...")) {
		/* of phase 5, too */
	} else if (t->r->no_modify && !strncmp(text, "Phase 7", 7)) {
		fprintf(stderr, "Phase 7 - verify link counts...\n");
	} else if (t->r->dev.log && !strncmp(text, "Phase 2", 7)) {
		fprintf(stderr, "Phase 2 - using external log on %s\n", t->r->dev.log->name);
	} else {
		fprintf(stderr, "%s\n", text);
	}
	repair_classic_behind(&t->classic, text);
	if (t->nwaiting && t->classic.scanning)
		say_waiting(t);
}

static void tell(void *payload, const char *text)
{
	struct repair_text *t = payload;

	repair_progress_clear(&t->progress);
	fprintf(t->o->json ? stderr : stdout, "%s\n", text);
	fflush(stdout);
}

static void step(void *payload, const char *unit, uint64_t done, uint64_t total)
{
	struct repair_text *t = payload;

	repair_progress_step(&t->progress, unit, done, total);
}

static void phase(void *payload, unsigned ended)
{
	struct repair_text *t = payload;

	repair_progress_phase(&t->progress, ended);
	if (t->phase_to_die >= 0 && ended == (unsigned)t->phase_to_die) {
		fprintf(stderr, "xfs_repair: stopped after phase %u, as XFS_REPAIR_FAIL_AFTER_PHASE says\n", ended);
		fflush(NULL);
		kill(getpid(), SIGKILL);
	}
}

/* ---- causes ---- */

/* Blocks and headers that are damaged bring further findings about what they hold. */
static bool is_cause(enum xfs_finding_id id)
{
	return id == XFS_F_AG_HEADER || (id >= XFS_F_BLOCK_IO && id <= XFS_F_BLOCK_OWNER) || id == XFS_F_FORK_DAMAGED ||
	       id == XFS_F_FORK_DIFFERS || (id >= XFS_F_BTREE_LEVEL && id <= XFS_F_BTREE_RECORD);
}

static bool is_counter(enum xfs_finding_id id)
{
	return id == XFS_F_AG_COUNTER || id == XFS_F_BTREE_BLOCKS || id == XFS_F_INODE_NBLOCKS ||
		id == XFS_F_INODE_NEXTENTS;
}

static uint64_t cause_of(struct repair_text *t, const struct xfs_finding *f)
{
	unsigned n = t->ncauses < XFS_ARRAY_SIZE(t->causes) ? t->ncauses : XFS_ARRAY_SIZE(t->causes);

	for (unsigned i = 0; i < n; i++) {
		const struct repair_cause *c = &t->causes[i];
		bool there = f->agno != XFS_NULL32 ? f->agno == c->agno : f->ino != XFS_NULL64 && f->ino == c->ino;

		if (there && (is_counter(f->id) || (f->structure && c->structure && !strcmp(f->structure,
											    c->structure))))
			return c->number;
	}
	if (is_cause(f->id))
		t->causes[t->ncauses++ % XFS_ARRAY_SIZE(t->causes)] =
			(struct repair_cause){ f->agno, f->ino, t->said, f->structure };
	return REPAIR_NO_CAUSE;
}

/* ---- findings ---- */

/* A log may announce thousands of works, which are all finished in the same way. */
static bool is_one_of_many(struct repair_text *t, const struct repair_record *rec)
{
	if (rec->f.id != XFS_F_LOG_INTENT || t->o->verbose || t->intents < MOST_INTENTS)
		return false;
	if (t->intents++ == MOST_INTENTS) {
		repair_progress_clear(&t->progress);
		fprintf(stderr, "and more of them (-v shows all)\n");
	}
	return true;
}

static void as_text(struct repair_text *t, const struct repair_record *rec)
{
	char buf[512];

	if (is_one_of_many(t, rec))
		return;
	t->intents += rec->f.id == XFS_F_LOG_INTENT;
	if (rec->cause != REPAIR_NO_CAUSE && rec->fixed && xfs_finding_severity(rec->f.id) < XFS_SEV_FATAL &&
	    !t->o->verbose) {
		t->folded++;
		return;
	}
	repair_progress_clear(&t->progress);
	if (rec->fixed && !rec->held && repair_classic_says(&t->classic, &rec->f) && !t->o->verbose)
		return;
	t->own_words |= xfs_finding_severity(rec->f.id) > XFS_SEV_INFO;
	xfs_finding_format(&rec->f, buf, sizeof(buf));
	if (rec->held)
		fprintf(stderr, "%s; left as it is (--only, --skip)\n", buf);
	else if (!rec->fixed && xfs_finding_severity(rec->f.id) > XFS_SEV_INFO)
		fprintf(stderr, "%s; not repaired\n", buf);
	else if (t->r->no_modify || t->o->verbose)
		fprintf(stderr, "%s; fix: %s\n", buf, xfs_finding_fix(rec->f.id));
	else
		fprintf(stderr, "%s\n", buf);
}

/* Those that have waited for their place among the lines. */
static void say_waiting(struct repair_text *t)
{
	for (size_t i = 0; i < t->nwaiting; i++)
		as_text(t, &t->waiting[i]);
	t->nwaiting = 0;
}

/* Without memory they come at once. */
static bool waits(struct repair_text *t, const struct repair_record *rec)
{
	if (!repair_classic_waits(&t->classic, &rec->f) || xfs_grow(&t->waiting, t->nwaiting, &t->waiting_room, 16))
		return false;
	t->waiting[t->nwaiting++] = *rec;
	return true;
}

static void flush_records(struct repair_text *t)
{
	for (size_t i = 0; i < t->nrecords; i++) {
		if (t->o->json)
			repair_print_finding(&t->records[i], t->first + i);
		free(t->records[i].path);
	}
	t->first += t->nrecords;
	t->nrecords = 0;
}

/* JSON waits for paths, and a plan for its end. */
static bool keep(struct repair_text *t, const struct repair_record *rec)
{
	if (t->streaming || (!t->o->json && !t->o->plan && !t->o->verbose))
		return false;
	if ((t->nrecords == RECORDS_MOST && !t->o->plan) || xfs_grow(&t->records, t->nrecords, &t->room, 64)) {
		t->streaming = true;
		flush_records(t);
		return false;
	}
	t->records[t->nrecords++] = *rec;
	return true;
}

static void finding(void *payload, const struct xfs_finding *f)
{
	struct repair_text *t = payload;
	struct repair_record rec = { .f = *f, .fixed = t->r->note_fixed, .held = repair_is_held(t->r, f->id) };
	bool kept;

	rec.cause = cause_of(t, f);
	kept = keep(t, &rec);
	if (!t->o->json && !waits(t, &rec))
		as_text(t, &rec);
	else if (t->o->json && !kept)
		repair_print_finding(&rec, t->first++);
	t->said++;
}

static int environment(struct repair_text *t)
{
	const char *text = getenv("XFS_REPAIR_FAIL_AFTER_PHASE");
	char *end;
	long n;

	t->phase_to_die = -1;
	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	if (!*text || *end || n < 0 || n > 7) {
		fprintf(stderr, "xfs_repair: invalid phase in XFS_REPAIR_FAIL_AFTER_PHASE: %s\n", text);
		return 1;
	}
	t->phase_to_die = (int)n;
	return 0;
}

int repair_text_init(struct repair_text *t, struct repair *r, struct repair_words *words,
		     const struct repair_options *o)
{
	*t = (struct repair_text){
		.r = r, .o = o, .classic = { .r = r },
		.progress = { .fd = o->progress_fd, .reporting = o->reporting, .interval = o->interval },
	};
	*words = (struct repair_words){ .line = line, .tell = tell, .step = step, .phase = phase, .payload = t };
	r->words = words;
	r->sink = (struct xfs_sink){ finding, t };
	repair_progress_start(&t->progress);
	return environment(t);
}

/* ---- the end ---- */

static void say_paths(const struct repair_text *t)
{
	for (size_t i = 0; i < t->nrecords; i++)
		if (t->records[i].path && (!i || t->records[i].f.ino != t->records[i - 1].f.ino))
			fprintf(stderr, "inode %" PRIu64 " is %s\n", t->records[i].f.ino, t->records[i].path);
}

static void say_result(const struct repair_text *t)
{
	const struct repair *r = t->r;
	const struct repair_tally *kept = r->verified ? &r->after : &r->before;
	/* scripts compare line by line what a run says in which all is as it always was */
	bool summary = t->own_words || r->no_modify || r->moved.inodes || r->nlost || r->lost_blocks ||
		       isatty(STDERR_FILENO);

	if (t->folded && summary)
		fprintf(stderr, "%" PRIu64 " findings that follow from these are not shown (-v shows them)\n",
			t->folded);
	if (r->holds.findings)
		fprintf(stderr, "%" PRIu64 " findings were left as they are (--only, --skip)\n", r->holds.findings);
	if (r->unfixed > r->holds.findings)
		fprintf(stderr, "%" PRIu64 " findings remain that this version does not repair\n",
			r->unfixed - r->holds.findings);
	if (r->findings && r->writing && summary)
		fprintf(stderr,
			"%s: %" PRIu64 " inodes with %" PRIu64 " bytes kept, %" PRIu64 " with %" PRIu64
			" bytes moved to lost+found, %" PRIu64 " inodes and %" PRIu64 " bytes lost\n",
			r->no_modify ? "would be" : "result", kept->inodes, kept->blocks * r->geo.blocksize,
			r->moved.inodes, r->moved.blocks * r->geo.blocksize, (uint64_t)r->nlost,
			r->lost_blocks * r->geo.blocksize);
	if (r->no_modify && r->replayed && !r->findings)
		fprintf(stderr, "with its log replayed the filesystem is clean\n");
	else if (r->no_modify && r->replayed)
		fprintf(stderr, "with its log replayed the filesystem has %" PRIu64 " findings\n", r->findings);
	if (r->no_modify && r->writing && r->verified)
		fprintf(stderr, "the repair was carried out on a copy and checked: %s\n",
			r->unfixed ? "the filesystem would not be clean" : "the filesystem would be clean");
}

bool repair_text_hits(struct repair_text *t, const struct xfs_dev *watch)
{
	bool left = false;

	if (repair_list_hits(t->r, watch, &t->hits, &t->nhits))
		return true;
	repair_progress_clear(&t->progress);
	for (size_t i = 0; i < t->nhits; i++) {
		const struct repair_hit *h = &t->hits[i];

		left |= !h->gone;
		fprintf(stderr, "unreadable: bytes %" PRIu64 " to %" PRIu64 ": ", h->off, h->off + h->len - 1);
		if (h->agno != XFS_NULL32)
			fprintf(stderr, "ag %u block %u: ", h->agno, h->agbno);
		fputs(h->structure, stderr);
		if (h->owner != XFS_NULL64)
			fprintf(stderr, " of inode %" PRIu64, h->owner);
		fputs(!h->gone ? "\n" : t->r->no_modify ? " (the repair would write it anew)\n" : " (written anew)\n",
		      stderr);
	}
	return left;
}

void repair_text_end(struct repair_text *t, int error, int status)
{
	const struct repair *r = t->r;

	repair_progress_clear(&t->progress);
	say_waiting(t);
	if (t->o->json || t->o->verbose || t->o->plan)
		repair_find_paths(t->r, t->records, t->nrecords);
	if (!t->o->json && t->o->verbose)
		say_paths(t);
	if (t->o->json) {
		for (size_t i = 0; i < t->nrecords; i++)
			repair_print_finding(&t->records[i], t->first + i);
		repair_print_summary(t, error, status);
	}
	fflush(stdout);
	if (error == -XFS_E_DIRTYLOG || error == -XFS_E_STOP)
		return;
	if (error) {
		fprintf(stderr, "\nfatal error -- %s: %s\n", r->name, xfs_error_text(error));
		return;
	}
	say_result(t);
	repair_classic_end(&t->classic);
	if (r->verbose)
		repair_progress_table(&t->progress);
	if (r->no_modify)
		fprintf(stderr, "No modify flag set, skipping filesystem flush and exiting.\n");
	else
		fprintf(stderr, "done\n");
}

void repair_text_release(struct repair_text *t)
{
	for (size_t i = 0; i < t->nrecords; i++)
		free(t->records[i].path);
	free(t->records);
	free(t->waiting);
	free(t->hits);
	t->hits = NULL;
	t->nhits = 0;
	t->records = NULL;
	t->nrecords = t->room = 0;
}
