/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fsx.c - test program: scripts of operations on images, through the library, beside a naive model.
 *
 * fsx run [options] IMAGE [SCRIPT]	does the lines of a script (or of stdin) on an image
 *	--logged --each --record-size N --swapped	how it is opened (libxfs/transaction/transaction.h)
 *	--stop-after N		nothing after the N-th write reaches the image; the run ends there
 *	--tear BYTES		but so much of the next one does
 *	--lose SEED		the disk has a cache: what was not flushed at the stop is there or not
 *	--fail-read N, --fail-write N	one call fails
 *	--fail-alloc N		the N-th allocation fails; the operation is done again, if that ends the same
 *	--base BASE		works in memory above that image, which stays as it is; the result is written to IMAGE
 *	Prints "done D synced S writes W reads R allocations A": whole operations, those before the last sync, calls.
 *	Exit status 0: all done; 3: stopped or failed by a fault; 1: an operation went wrong.
 * fsx random SEED COUNT [limits]	prints a script
 * fsx model [options] [limits] IMAGE SEED FROM COUNT	random operations FROM.. on image and model, always compared
 *	--every N		after so many the whole is compared, and judged by --judge COMMAND (plus the image)
 *	--expect FILE		what should be there at the end, as list prints it; --verbose: says each line
 *	limits: --most BYTES --files N --block N --reflink --swap --aligned --sync-every N
 * fsx list IMAGE			what is there, a line a path
 * fsx expect SCRIPT COUNT	what should be there after so many lines
 * fsx match SCRIPT LIST FROM TO	is LIST what is there after FROM..TO lines, or in the middle of a line of these?
 *	Prints the largest such number. LIST: what a kernel's walk says.
 *	--base IMAGE		what the list is of: each sector of a file amid a change is the old or the new one
 * fsx recover [--base, --stop-after, --tear, --lose, --fail-alloc] IMAGE
 *	our own recovery of it, to the end or the stop; the same statuses
 * fsx audit IMAGE		judges the log as strictly as libxfs/log/validate.h does; prints open intents by type
 */
#include "libxfs/log/validate.h"
#include "libxfs/recovery/recovery.h"
#include "tests/lib/drive.h"
#include "tests/lib/random.h"
#include "tests/unit/failmalloc.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>

static struct {
	struct xfs_edit_options edit;
	struct xfs_dev_fault plan;
	struct fsx_random limits;
	unsigned every;
	const char *judge;
	const char *expect, *base;
	uint64_t fail_alloc;
	bool verbose;
} o = { .limits = { .most = 600000, .nodes = 250, .block = 4096 }, .every = 1000 };

static struct model model;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fsx: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	exit(1);
}

static uint64_t number(const char *text)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*end || end == text)
		die("no number: %s", text);
	return n;
}

/* ---- scripts ---- */

static FILE *open_script(const char *path)
{
	FILE *f = path ? fopen(path, "r") : stdin;

	if (!f)
		die("%s: cannot be opened", path);
	return f;
}

/* False at the end. */
static bool next_op(FILE *f, char *line, struct fsx_op *op)
{
	const char *why;

	do {
		if (!fgets(line, FSX_LINE, f))
			return false;
	} while (*line == '#' || *line == '\n');
	why = fsx_parse(line, op);
	if (why)
		die("%s: %s", line, why);
	return true;
}

static bool is_fault(int err)
{
	return err == -XFS_E_FAULT || err == -XFS_E_SHUTDOWN || (o.fail_alloc && err == -XFS_E_NOMEM);
}

/* From here on allocations are counted, and one may fail. */
static void start_allocations(void) { failmalloc_start(o.fail_alloc ? o.fail_alloc : UINT64_MAX, false); }

/* The second try after a part of the first one ends where one whole try does. */
static bool may_be_repeated(enum fsx_verb v) { return v != FSX_COLLAPSE && v != FSX_INSERT && v != FSX_SWAP; }

static int do_op(struct drive *d, const struct fsx_op *op)
{
	int err = drive_do(d, op);

	return err == -XFS_E_NOMEM && o.fail_alloc && may_be_repeated(op->verb) ? drive_do(d, op) : err;
}

static void save(struct drive *d, const char *image)
{
	int err = d->base ? drive_save(d, image) : 0;

	if (err)
		die("%s: %s", image, xfs_error_text(err));
}

/* What is done becomes durable. */
static int finish(struct drive *d)
{
	int err = o.edit.logged ? xfs_edit_sync(d->edit) : xfs_edit_quiesce(d->edit);

	if (err == -XFS_E_NOMEM && o.fail_alloc)
		err = o.edit.logged ? xfs_edit_sync(d->edit) : xfs_edit_quiesce(d->edit);
	return err;
}

struct progress { unsigned done, synced; };

/* The error that ended it, if a fault did; 1: an operation went wrong. */
static int run_lines(struct drive *d, FILE *f, struct progress *p)
{
	static char line[FSX_LINE];
	struct fsx_op op;

	while (next_op(f, line, &op)) {
		int err = do_op(d, &op);

		if (is_fault(err))
			return err;
		if (op.error ? !err || strcmp(xfs_error_name(err), op.error) != 0 : err != 0) {
			fprintf(stderr, "fsx: line %u, %s: %s, not %s: %s\n", p->done + 1, op.text[0] ? op.text[0] : "",
				err ? xfs_error_name(err) : "done", op.error ? op.error : "done", d->finding);
			return 1;
		}
		p->done++;
		if (op.verb == FSX_SYNC || op.verb == FSX_QUIESCE)
			p->synced = p->done;
	}
	return 0;
}

static int run(const char *image, const char *script)
{
	struct drive d = { .plan = o.plan, .base = o.base };
	struct progress p = { 0, 0 };
	FILE *f = open_script(script);
	int err = drive_open(&d, image, &o.edit), ended;
	uint64_t allocations;

	if (err)
		die("%s: %s: %s", image, xfs_error_text(err), d.finding);
	start_allocations();
	ended = run_lines(&d, f, &p);
	/* what failed for want of memory was undone; all before it can still be kept */
	err = !ended || ended == -XFS_E_NOMEM ? finish(&d) : ended;
	allocations = failmalloc_stop();
	if (!err)
		p.synced = p.done;
	save(&d, image);
	drive_close(&d);
	if (f != stdin)
		fclose(f);
	printf("done %u synced %u writes %llu reads %llu allocations %llu\n", p.done, p.synced,
	       (unsigned long long)d.plan.writes, (unsigned long long)d.plan.reads, (unsigned long long)allocations);
	err = err ? err : ended;
	return is_fault(err) ? 3 : err ? 1 : 0;
}

static struct fsx_random begin_random(uint64_t seed)
{
	struct fsx_random r = o.limits;

	model_init(&model);
	r.m = &model;
	r.s = seed * UINT64_C(0x9e3779b97f4a7c15) + 12345;
	return r;
}

static int print_random(uint64_t seed, uint64_t count)
{
	static char line[FSX_LINE], copy[FSX_LINE];
	struct fsx_random r = begin_random(seed);
	struct fsx_op op;

	while (count--) {
		int err;

		fsx_random_line(&r, line);
		strcpy(copy, line);
		if (fsx_parse(copy, &op))
			die("internal: %s", line);
		err = model_apply(&model, &op);
		if (err)
			printf("fail %s ", xfs_error_name(err));
		puts(line);
	}
	model_release(&model);
	return 0;
}

/* ---- lists ---- */

static void print_listing(const struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		puts(l->lines[i]);
}

static int list_device(struct listing *l, const struct xfs_devset *set)
{
	struct xfs_fs *fs;
	int err = xfs_fs_open(&fs, set, NULL, NULL);

	if (err)
		return err;
	err = listing_of_fs(l, fs);
	xfs_fs_close(fs);
	return err;
}

static int list(const char *image)
{
	struct xfs_devset set = { .data = NULL };
	struct listing l = { .lines = NULL };
	int err = xfs_dev_file(&set.data, image, XFS_DEV_READONLY, 0, NULL);

	if (!err)
		err = list_device(&l, &set);
	xfs_dev_close(set.data);
	if (err)
		die("%s: %s", image, xfs_error_text(err));
	print_listing(&l);
	listing_free(&l);
	return 0;
}

/* Digests of the model's files are of the other kind from now on. */
static void forget_digests(void)
{
	for (unsigned i = 0; i < MODEL_NODES; i++)
		model.nodes[i].rewritten = true;
}

static void write_expected(const char *path)
{
	struct listing l = { .lines = NULL };
	FILE *f = fopen(path, "w");

	if (!f)
		die("%s: cannot be written", path);
	forget_digests();
	model_list(&model, &l);
	for (size_t i = 0; i < l.n; i++)
		fprintf(f, "%s\n", l.lines[i]);
	listing_free(&l);
	if (fclose(f))
		die("%s: cannot be written", path);
}

static int expect(const char *script, uint64_t count)
{
	static char line[FSX_LINE];
	struct listing l = { .lines = NULL };
	FILE *f = open_script(script);
	struct fsx_op op;

	model_init(&model);
	while (count-- && next_op(f, line, &op))
		model_apply(&model, &op);
	model_list(&model, &l);
	print_listing(&l);
	listing_free(&l);
	fclose(f);
	model_release(&model);
	return 0;
}

/* All but size, contents and owner's blocks: what does not change in the middle of an operation on contents. */
static bool same_but_contents(const char *a, const char *b)
{
	char x[9000], y[9000];
	char *fields[2][9], *save;

	snprintf(x, sizeof(x), "%s", a);
	snprintf(y, sizeof(y), "%s", b);
	for (unsigned s = 0; s < 2; s++) {
		char *at = s ? y : x;

		for (unsigned i = 0; i < 9; i++, at = NULL)
			if (!(fields[s][i] = strtok_r(at, " ", &save)))
				return false;
	}
	for (unsigned i = 0; i < 9; i++)
		if (i != 5 && i != 6 && strcmp(fields[0][i], fields[1][i]) != 0)
			return false;
	return true;
}

/* The first line that does not fit, or NULL. about[]: nodes whose contents may be in the middle of a change. */
static const char *misfit(const struct listing *want, const struct listing *got, struct model_node *const about[2])
{
	for (size_t i = 0; i < want->n || i < got->n; i++) {
		if (i >= want->n)
			return got->lines[i];
		if (i >= got->n)
			return want->lines[i];
		if (strcmp(want->lines[i], got->lines[i]) == 0)
			continue;
		if ((want->tags[i] != about[0] && want->tags[i] != about[1]) ||
		    !same_but_contents(want->lines[i], got->lines[i]))
			return want->lines[i];
	}
	return NULL;
}

/* Operations after which a sector is what it was or what it is to be, at any moment. */
static bool by_sectors(enum fsx_verb v)
{
	return fsx_in_steps(v) && v != FSX_COLLAPSE && v != FSX_INSERT && v != FSX_SWAP;
}

/* `len`: what the file as it is shows of the sector; the new size may not be there yet. */
static bool sector_is(const struct listing_file *f, size_t at, const uint8_t *p, size_t len)
{
	uint8_t want[512] = { 0 };

	if (at < f->size)
		memcpy(want, f->bytes + at, xfs_min(f->size - at, sizeof(want)));
	return memcmp(p, want, len) == 0;
}

/* The file that an operation was about; the model is before it, and after it when this returns. */
static void judge_sectors(const struct fsx_op *op)
{
	const char *path = op->text[op->verb == FSX_SHARE ? 2 : 0];
	struct model_node *n = model_find(&model, path);
	struct listing_file was = { .bytes = NULL }, got;
	int err;

	if (!n || !by_sectors(op->verb))
		return;
	was.size = n->size;
	was.bytes = calloc(1, n->size + 1);
	if (!was.bytes)
		die("out of memory");
	if (n->size)
		memcpy(was.bytes, n->bytes, n->size);
	err = listing_file_read(o.base, path, &got);
	if (err)
		die("%s: %s: %s", o.base, path, xfs_error_text(err));
	if (model_apply(&model, op) == 0) {
		const struct listing_file now = { n->bytes, n->size };

		for (size_t at = 0; at < got.size; at += 512) {
			size_t len = xfs_min(got.size - at, (size_t)512);

			if (!sector_is(&was, at, got.bytes + at, len) && !sector_is(&now, at, got.bytes + at, len))
				die("%s: %s: bytes at %zu are neither the old nor the new ones", o.base, path, at);
		}
	}
	free(was.bytes);
	free(got.bytes);
}

static int match(const char *script, const char *file, uint64_t from, uint64_t to)
{
	static char line[FSX_LINE], said[9100];
	struct listing got = { .lines = NULL };
	FILE *f = open_script(script);
	enum fsx_verb in_doubt = FSX_VERBS;
	long long best = -1;
	bool exact = false;	/* contents, too, are those after some line */

	if (listing_read(&got, file))
		die("%s: cannot be read", file);
	model_init(&model);
	for (uint64_t at = 0;; at++) {
		struct model_node *about[2] = { NULL, NULL };
		struct fsx_op op;
		bool more = next_op(f, line, &op);
		const char *why;

		if (at >= from && at <= to) {
			struct listing want = { .lines = NULL };

			if (more && at < to && fsx_in_steps(op.verb)) {
				about[0] = model_find(&model, op.text[0]);
				if (op.verb == FSX_SHARE || op.verb == FSX_SWAP)
					about[1] = model_find(&model, op.text[2]);
			}
			model_list(&model, &want);
			exact |= !misfit(&want, &got, (struct model_node *[2]){ NULL, NULL });
			why = misfit(&want, &got, about);
			if (!why) {
				best = (long long)at;
				in_doubt = about[0] ? op.verb : FSX_VERBS;
			}
			else if (at == from)
				snprintf(said, sizeof(said), "%s", why);
			listing_free(&want);
		}
		if (!more || at >= to)
			break;
		/* the last one that may have been in the middle */
		if (o.base && at + 1 == to && best == (long long)at && in_doubt != FSX_VERBS) {
			if (!exact)
				judge_sectors(&op);
			break;
		}
		model_apply(&model, &op);
	}
	fclose(f);
	model_release(&model);
	listing_free(&got);
	if (best < 0)
		die("%s is what is there after none of %llu..%llu lines; after the first: %s", file,
		    (unsigned long long)from, (unsigned long long)to, said);
	printf("%lld\n", best);
	return 0;
}

/* ---- model and image side by side ---- */

static void compare_whole(struct drive *d)
{
	struct model_node *const about[2] = { NULL, NULL };
	struct listing want = { .quick = true }, got = { .quick = true };
	const char *why;
	int err = list_device(&got, &d->set);

	if (err)
		die("reading all of it: %s", xfs_error_text(err));
	model_list(&model, &want);
	why = misfit(&want, &got, about);
	if (why)
		die("the image is not what the model is: %s (%zu, %zu paths)", why, want.n, got.n);
	listing_free(&want);
	listing_free(&got);
}

static void judge(const char *image)
{
	char command[2000];

	if (!o.judge)
		return;
	snprintf(command, sizeof(command), "%s %s", o.judge, image);
	if (system(command))
		die("%s: failed", command);
}

static int side_by_side(const char *image, uint64_t seed, uint64_t from, uint64_t count)
{
	static char line[FSX_LINE], copy[FSX_LINE];
	struct fsx_random r = begin_random(seed);
	struct drive d = { .fs = NULL };
	struct fsx_op op;
	int err = drive_open(&d, image, &o.edit);

	if (err)
		die("%s: %s: %s", image, xfs_error_text(err), d.finding);
	for (uint64_t i = 0; i < from + count; i++) {
		int want;

		fsx_random_line(&r, line);
		strcpy(copy, line);
		if (fsx_parse(copy, &op))
			die("internal: %s", line);
		want = model_apply(&model, &op);
		if (i < from)
			continue;
		if (o.verbose)
			fprintf(stderr, "%s\n", line);
		err = drive_do(&d, &op);
		if (err != want)
			die("operation %llu, %s: %s, not %s: %s", (unsigned long long)i, line,
			    err ? xfs_error_name(err) : "done", want ? xfs_error_name(want) : "done", d.finding);
		if ((i + 1) % o.every && i + 1 < from + count)
			continue;
		err = xfs_edit_quiesce(d.edit);
		if (err)
			die("operation %llu: quiesce: %s: %s", (unsigned long long)i, xfs_error_text(err), d.finding);
		compare_whole(&d);
		judge(image);
	}
	drive_close(&d);
	if (o.expect)
		write_expected(o.expect);
	printf("%llu operations, %u files, %u names\n", (unsigned long long)count, model.nnodes, model.nentries);
	model_release(&model);
	return 0;
}

/* ---- logs ---- */

static void say_finding(void *payload, const struct xfs_finding *f)
{
	char text[400];

	(void)payload;
	xfs_finding_format(f, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", xfs_finding_name(f->id), text);
}

static int recover(const char *image)
{
	const struct xfs_sink sink = { say_finding, NULL };
	struct drive d = { .plan = o.plan, .base = o.base };
	struct xfs_recovery_work work = { .intents = 0 };
	struct xfs_recovery r;
	uint64_t allocations;
	int err = drive_attach(&d, image);

	if (err)
		die("%s: %s", image, xfs_error_text(err));
	start_allocations();
	err = xfs_recovery_run(&d.set, NULL, &r, &work, &sink);
	allocations = failmalloc_stop();
	xfs_recovery_free(&r);
	save(&d, image);
	drive_close(&d);
	printf("stage %u intents %llu inodes %llu writes %llu reads %llu allocations %llu\n", (unsigned)work.stage,
	       (unsigned long long)work.intents, (unsigned long long)work.inodes, (unsigned long long)d.plan.writes,
	       (unsigned long long)d.plan.reads, (unsigned long long)allocations);
	if (err && !is_fault(err))
		die("%s: %s", image, xfs_error_text(err));
	return err ? 3 : 0;
}

static int audit(const char *image)
{
	static const char *const names[XFS_LOG_AUDIT_TYPES] = {
		[XFS_LI_EFI - 0x1230] = "EFI", [XFS_LI_RUI - 0x1230] = "RUI", [XFS_LI_CUI - 0x1230] = "CUI",
		[XFS_LI_BUI - 0x1230] = "BUI", [XFS_LI_ATTRI - 0x1230] = "ATTRI", [XFS_LI_XMI - 0x1230] = "XMI",
	};
	struct xfs_devset set = { .data = NULL };
	struct xfs_log_audit a = { .why = NULL };
	struct xfs_log_state s;
	struct xfs_fs *fs = NULL;
	int err = xfs_dev_file(&set.data, image, XFS_DEV_READONLY, 0, NULL);

	if (!err)
		err = xfs_fs_open(&fs, &set, NULL, NULL);
	if (!err)
		err = xfs_log_state(fs, &s);
	if (!err)
		err = xfs_log_validate(fs, &s, &a);
	if (err)
		die("%s: %s: block %u, %u: %s", image, xfs_error_text(err), a.block, a.number, a.why ? a.why : "?");
	printf("checkpoints %llu unfinished %llu", (unsigned long long)a.checkpoints, (unsigned long long)a.unfinished);
	for (unsigned i = 0; i < XFS_LOG_AUDIT_TYPES; i++)
		if (names[i] && a.open[i])
			printf(" %s %llu", names[i], (unsigned long long)a.open[i]);
	puts("");
	xfs_fs_close(fs);
	xfs_dev_close(set.data);
	return 0;
}

/* ---- the command line ---- */

enum { LOGGED = 256, EACH, SWAPPED, RECORD_SIZE, STOP, TEAR, LOSE, FAIL_READ, FAIL_WRITE, FAIL_ALLOC, EVERY, JUDGE,
       MOST, FILES, BLOCK, REFLINK, SWAP, ALIGNED, SYNC_EVERY, EXPECT, BASE, VERBOSE };

static void option(int c)
{
	switch (c) {
	case LOGGED: o.edit.logged = true; break;
	case EACH: o.edit.each = true; break;
	case SWAPPED: o.edit.swapped = true; break;
	case RECORD_SIZE: o.edit.record_size = (uint32_t)number(optarg); break;
	case STOP: o.plan.stop_write_at = number(optarg) + 1; break;
	case TEAR: o.plan.tear_bytes = (uint32_t)number(optarg); break;
	case LOSE: o.plan.lose_seed = number(optarg); break;
	case FAIL_READ: o.plan.fail_read_at = number(optarg); break;
	case FAIL_WRITE: o.plan.fail_write_at = number(optarg); break;
	case FAIL_ALLOC: o.fail_alloc = number(optarg); break;
	case EVERY: o.every = (unsigned)number(optarg); break;
	case JUDGE: o.judge = optarg; break;
	case MOST: o.limits.most = number(optarg); break;
	case FILES: o.limits.nodes = (unsigned)number(optarg); break;
	case BLOCK: o.limits.block = (uint32_t)number(optarg); break;
	case REFLINK: o.limits.reflink = true; break;
	case SWAP: o.limits.swap = true; break;
	case ALIGNED: o.limits.aligned = true; break;
	case SYNC_EVERY: o.limits.sync_every = (unsigned)number(optarg); break;
	case EXPECT: o.expect = optarg; break;
	case BASE: o.base = optarg; break;
	case VERBOSE: o.verbose = true; break;
	default: exit(2);
	}
}

static void parse_options(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "logged", 0, NULL, LOGGED }, { "each", 0, NULL, EACH }, { "swapped", 0, NULL, SWAPPED },
		{ "record-size", 1, NULL, RECORD_SIZE }, { "stop-after", 1, NULL, STOP }, { "tear", 1, NULL, TEAR },
		{ "lose", 1, NULL, LOSE }, { "fail-read", 1, NULL, FAIL_READ }, { "fail-write", 1, NULL, FAIL_WRITE },
		{ "fail-alloc", 1, NULL, FAIL_ALLOC }, { "every", 1, NULL, EVERY }, { "judge", 1, NULL, JUDGE },
		{ "most", 1, NULL, MOST }, { "files", 1, NULL, FILES }, { "block", 1, NULL, BLOCK },
		{ "reflink", 0, NULL, REFLINK },
		{ "swap", 0, NULL, SWAP }, { "aligned", 0, NULL, ALIGNED }, { "sync-every", 1, NULL, SYNC_EVERY },
		{ "expect", 1, NULL, EXPECT }, { "base", 1, NULL, BASE }, { "verbose", 0, NULL, VERBOSE },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		option(c);
	if (o.limits.most < 80000 || o.limits.nodes < 10 || o.limits.nodes > MODEL_NODES - 3 || !o.limits.block ||
	    !o.every)
		die("limits that cannot be");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char **a;
	int n;

	if (argc > 1)
		parse_options(argc - 1, argv + 1);
	a = argv + 1 + optind;
	n = argc - 1 - optind;
	if (strcmp(what, "run") == 0 && (n == 1 || n == 2))
		return run(a[0], n == 2 ? a[1] : NULL);
	if (strcmp(what, "random") == 0 && n == 2)
		return print_random(number(a[0]), number(a[1]));
	if (strcmp(what, "model") == 0 && n == 4)
		return side_by_side(a[0], number(a[1]), number(a[2]), number(a[3]));
	if (strcmp(what, "list") == 0 && n == 1)
		return list(a[0]);
	if (strcmp(what, "expect") == 0 && n == 2)
		return expect(a[0], number(a[1]));
	if (strcmp(what, "match") == 0 && n == 4)
		return match(a[0], a[1], number(a[2]), number(a[3]));
	if (strcmp(what, "recover") == 0 && n == 1)
		return recover(a[0]);
	if (strcmp(what, "audit") == 0 && n == 1)
		return audit(a[0]);
	fputs("fsx run|random|model|list|expect|match|recover|audit: see tests/lib/fsx.c\n", stderr);
	return 2;
}
