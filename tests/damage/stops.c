/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stops.c - the repair of an image is stopped at each of its writes, and the next run must come to the same files.
 *
 * stops IMAGE EVERY TWICE [WRITE TEAR SEED FILE]
 *	EVERY	stops at each EVERY-th write, at the first and at the last ones; 0: only prints what is written
 *	TWICE	after each TWICE-th of these stops the second run is stopped as well, at three of its writes; 0: never
 *	WRITE…	only leaves what one stop leaves behind in FILE, for who wants to look at it
 * The image is not changed: everything happens above it.  What an undisturbed run writes is remembered and played to a
 * device that fails (device/fault.c): it stops between two writes, in the middle of one, or loses power with a cache of
 * which some sectors land.  Then a run to the end, a look that must find nothing, and the list of all files, which must
 * be that of the undisturbed run.
 * Prints "wrong WHERE: WHAT" for each stop that ends otherwise, then "writes N barriers N stops N wrong N".
 * Exit status: 0 all right, 1 something is wrong, 2 the image cannot be used.
 */
#include "repair/repair.h"
#include "tests/lib/listing.h"
#include "tests/lib/writelog.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY ((size_t)64 << 20)
#define SECOND_STOPS 3u

struct campaign {
	struct xfs_dev *image;		/* as damaged */
	const char *name;
	struct listing standard;
	uint64_t stops, wrong;
	char place[300];		/* where the stop is, for messages */
};

/* A stop: of the device that is played to. */
struct power_cut {
	uint64_t write;
	uint32_t tear;
	uint64_t seed;
};

static void nothing(void *payload, const struct xfs_finding *f)
{
	(void)payload;
	(void)f;
}

static void first_text(void *payload, const struct xfs_finding *f)
{
	char *text = payload;

	if (!*text && xfs_finding_severity(f->id) > XFS_SEV_INFO)
		snprintf(text, 100, "%s", xfs_finding_name(f->id));
}

/* One run on a device that outlives it; 0, or the error. `left`: findings that were not repaired, or with look all. */
static int run_once(struct campaign *c, struct xfs_dev *dev, bool look, bool zero_log, uint64_t *left, char *text)
{
	struct repair r = { .force_geometry = true, .no_modify = look, .zero_log = zero_log, .memory = MEMORY,
			    .leaf_slack = -1, .node_slack = -1, .name = c->name,
			    .sink = { text ? first_text : nothing, text } };
	struct xfs_dev *top = NULL;
	int err = look ? xfs_dev_scratch(&top, dev, MEMORY) : xfs_dev_borrow(&top, dev);

	if (err)
		return err;
	r.dev.data = top;
	err = repair_run(&r);
	*left = look ? r.findings + r.log_dirty : r.unfixed;
	repair_release(&r);
	xfs_dev_close(top);
	return err == -XFS_E_STOP ? 0 : err;
}

/* As someone would who is told that the log cannot be replayed. */
static int run_to_end(struct campaign *c, struct xfs_dev *dev, uint64_t *left)
{
	int err = run_once(c, dev, false, false, left, NULL);

	return err == -XFS_E_DIRTYLOG ? run_once(c, dev, false, true, left, NULL) : err;
}

static int list(struct xfs_dev *dev, struct listing *l)
{
	struct xfs_devset set = { .data = dev };
	struct xfs_fs *fs;
	int err = xfs_fs_open(&fs, &set, NULL, NULL);

	if (err)
		return err;
	err = listing_of_fs(l, fs);
	xfs_fs_close(fs);
	return err;
}

static void say_wrong(struct campaign *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say_wrong(struct campaign *c, const char *format, ...)
{
	va_list args;

	c->wrong++;
	printf("wrong %s: ", c->place);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void compare(struct campaign *c, const struct listing *found)
{
	size_t i = 0, k = 0, differ = 0;
	const char *was = "-", *is = "-";

	while (i < c->standard.n || k < found->n) {
		const char *a = i < c->standard.n ? c->standard.lines[i] : NULL,
			    *b = k < found->n ? found->lines[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(listing_path(a), listing_path(b));

		if ((order || strcmp(a, b)) && !differ++) {
			was = order <= 0 ? a : "-";
			is = order >= 0 ? b : "-";
		}
		i += order <= 0;
		k += order >= 0;
	}
	if (differ)
		say_wrong(c, "%zu paths differ: %.300s now %.300s", differ, was, is);
}

/* What must be true of `dev` now, after whatever happened to it. */
static void judge(struct campaign *c, struct xfs_dev *dev)
{
	struct listing found = { .quick = true };
	char text[100] = "";
	uint64_t left = 0;
	int err = run_to_end(c, dev, &left);

	c->stops++;
	if (err || left) {
		say_wrong(c, "the next run ends with %s, %" PRIu64 " findings remain", xfs_error_text(err), left);
		return;
	}
	err = run_once(c, dev, true, false, &left, text);
	if (err || left) {
		say_wrong(c, "one more run is not clean: %s, %" PRIu64 " findings: %s", xfs_error_text(err), left,
			  text);
		return;
	}
	err = list(dev, &found);
	if (err)
		say_wrong(c, "its files cannot be read: %s", xfs_error_text(err));
	else
		compare(c, &found);
	listing_free(&found);
}

/* Plays `log` to `dev` up to the cut. */
static int play(const struct writelog *log, struct xfs_dev *dev, const struct power_cut *cut)
{
	struct xfs_dev_fault plan = { .stop_write_at = cut->write, .tear_bytes = cut->tear, .lose_seed = cut->seed };
	struct xfs_dev *below, *top;
	int err = xfs_dev_borrow(&below, dev);

	if (err)
		return err;
	err = xfs_dev_fault(&top, below, &plan);
	if (err) {
		xfs_dev_close(below);
		return err;
	}
	writelog_play(log, top);
	xfs_dev_close(top);
	return 0;
}

/* `before`: of the run before this one, "" when this is the first. */
static void name_cut(struct campaign *c, const struct power_cut *cut, uint64_t of, const char *before)
{
	snprintf(c->place, sizeof(c->place),
		 "%.120sstop at write %" PRIu64 " of %" PRIu64 ", %" PRIu32 " bytes of it land, cache %" PRIu64, before,
		 cut->write, of, cut->tear, cut->seed);
}

/* The run that follows a cut is cut as well. */
static int cut_twice(struct campaign *c, struct xfs_dev *dev)
{
	struct writelog log;
	struct xfs_dev *over = NULL, *top = NULL;
	char before[140];
	uint64_t left;
	int err;

	snprintf(before, sizeof(before), "%.110s; again: ", c->place);
	writelog_init(&log);
	err = xfs_dev_scratch(&over, dev, MEMORY);
	if (!err)
		err = writelog_dev(&top, over, &log);
	if (!err)
		(void)run_to_end(c, top, &left);	/* judged where it is not cut */
	for (uint64_t i = 0; i < SECOND_STOPS && log.writes && !err; i++) {
		struct power_cut cut = { .write = 1 + log.writes * (2 * i + 1) / (2 * SECOND_STOPS),
					 .seed = i % 2 ? c->stops : 0 };
		struct xfs_dev *work;

		err = xfs_dev_scratch(&work, dev, MEMORY);
		if (err)
			break;
		err = play(&log, work, &cut);
		name_cut(c, &cut, log.writes, before);
		if (!err)
			judge(c, work);
		xfs_dev_close(work);
	}
	xfs_dev_close(top ? top : over);
	writelog_free(&log);
	return err;
}

static int cut_once(struct campaign *c, const struct writelog *log, const struct power_cut *cut, bool twice)
{
	struct xfs_dev *work;
	int err = xfs_dev_scratch(&work, c->image, MEMORY);

	if (err)
		return err;
	err = play(log, work, cut);
	name_cut(c, cut, log->writes, "");
	if (!err && twice)
		err = cut_twice(c, work);
	name_cut(c, cut, log->writes, "");
	if (!err)
		judge(c, work);
	xfs_dev_close(work);
	return err;
}

static int cut_all(struct campaign *c, const struct writelog *log, uint64_t every, uint64_t twice)
{
	uint64_t number = 0;
	int err = 0;

	for (uint64_t n = 1; n <= log->writes && !err; n++) {
		uint64_t len = writelog_length(log, n);
		struct power_cut cuts[] = { { n, 0, 0 }, { n, (uint32_t)xfs_min(len / 2 & ~(uint64_t)511, 1u << 30),
							   0 }, { n, 0, n } };

		if ((n - 1) % every && n + 3 < log->writes)
			continue;
		number++;
		for (unsigned i = 0; i < XFS_ARRAY_SIZE(cuts) && !err; i++)
			if (i != 1 || cuts[i].tear)
				err = cut_once(c, log, &cuts[i], twice && number % twice == 0 && i != 1);
	}
	return err;
}

/* The undisturbed run: its writes, and the files that it leaves. */
static int set_standard(struct campaign *c, struct writelog *log)
{
	struct xfs_dev *over, *top = NULL;
	uint64_t left = 0;
	int err = xfs_dev_scratch(&over, c->image, MEMORY);

	if (err)
		return err;
	err = writelog_dev(&top, over, log);
	if (!err)
		err = run_to_end(c, top, &left);
	if (!err && left)
		err = -XFS_E_CORRUPT;
	if (!err)
		err = list(top, &c->standard);
	xfs_dev_close(top ? top : over);
	return err;
}

/* The device's contents become a file. */
static int copy_out(struct xfs_dev *dev, const char *path)
{
	static uint8_t piece[1 << 20];
	struct xfs_dev *out;
	int err = xfs_dev_file(&out, path, XFS_DEV_CREATE | XFS_DEV_TRUNCATE, dev->size, NULL);

	if (err)
		return err;
	for (uint64_t at = 0, n; at < dev->size && !err; at += n) {
		n = xfs_min(dev->size - at, sizeof(piece));
		err = xfs_dev_read(dev, at, piece, (size_t)n);
		if (!err)
			err = xfs_dev_write(out, at, piece, (size_t)n);
	}
	xfs_dev_close(out);
	return err;
}

static int leave_one(struct campaign *c, const struct writelog *log, char **words)
{
	struct power_cut cut = { strtoull(words[0], NULL, 10), (uint32_t)strtoul(words[1], NULL, 10),
				 strtoull(words[2], NULL, 10) };
	struct xfs_dev *work;
	int err = xfs_dev_scratch(&work, c->image, MEMORY);

	if (err)
		return err;
	err = play(log, work, &cut);
	if (!err)
		err = copy_out(work, words[3]);
	xfs_dev_close(work);
	return err;
}

static void print_log(const struct writelog *log)
{
	uint64_t n = 0;

	for (size_t i = 0; i < log->n; i++) {
		const struct writelog_entry *e = &log->e[i];

		if (e->kind == WRITELOG_BARRIER) {
			puts("barrier");
			continue;
		}
		printf("%" PRIu64 ": byte %" PRIu64 " length %" PRIu64, ++n, e->off, e->len);
		for (size_t k = 0; e->kind == WRITELOG_WRITE && k < 4 && k < e->len; k++)
			printf(" %02x", log->bytes[e->at + k]);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	struct campaign c = { .standard = { .quick = true } };
	struct writelog log;
	uint64_t every, twice;
	int err;

	if (argc != 4 && argc != 8) {
		fprintf(stderr, "usage: stops IMAGE EVERY TWICE [WRITE TEAR SEED FILE]\n");
		return 2;
	}
	every = strtoull(argv[2], NULL, 10);
	twice = strtoull(argv[3], NULL, 10);
	c.name = argv[1];
	writelog_init(&log);
	err = xfs_dev_file(&c.image, argv[1], XFS_DEV_READONLY, 0, NULL);
	if (!err)
		err = set_standard(&c, &log);
	if (!err && argc == 8)
		err = leave_one(&c, &log, argv + 4);
	else if (!err && !every)
		print_log(&log);
	else if (!err)
		err = cut_all(&c, &log, every, twice);
	if (err)
		fprintf(stderr, "stops: %s: %s\n", argv[1], xfs_error_text(err));
	else
		printf("writes %" PRIu64 " barriers %" PRIu64 " stops %" PRIu64 " wrong %" PRIu64 "\n", log.writes,
		       log.n - log.writes, c.stops, c.wrong);
	listing_free(&c.standard);
	writelog_free(&log);
	xfs_dev_close(c.image);
	return err ? 2 : c.wrong != 0;
}
