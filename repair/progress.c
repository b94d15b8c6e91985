/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.c - lines of progress; their words for scripts are those of format sheet 06, section 2.2. */
#include "repair/progress.h"

#include "libxfs/base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REDRAW 0.5	/* seconds between lines on a terminal and of JSON */

static atomic_int asked;		/* by the signal; another thread may answer */

static void on_signal(int number)
{
	(void)number;
	atomic_store(&asked, 1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void repair_progress_start(struct repair_progress *p)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	if (p->fd >= 0)
		signal(SIGPIPE, SIG_IGN);	/* when nobody listens any more, the repair goes on */
	p->terminal = isatty(STDERR_FILENO) == 1;
	p->start = time(NULL);
	p->began = p->last = p->reported = now();
}

static double rate(const struct repair_progress *p, double at)
{
	return at > p->began ? (double)p->done / (at - p->began) : 0;
}

/* Seconds that remain; -1: nobody knows. */
static double remaining(const struct repair_progress *p, double at)
{
	double r = rate(p, at);

	return p->total && r > 0 && p->done <= p->total ? (double)(p->total - p->done) / r : -1;
}

static int to_fd(void *payload, const void *bytes, size_t len)
{
	const struct repair_progress *p = payload;
	const char *at = bytes;

	while (len) {
		ssize_t n = write(p->fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;	/* nobody listens: no reason to stop a repair */
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void as_json(struct repair_progress *p, double at)
{
	double left = remaining(p, at);
	struct xfs_json j;

	xfs_json_start(&j, to_fd, p, false);
	xfs_json_object(&j, NULL);
	xfs_json_u64(&j, "phase", p->phase);
	if (p->unit) {
		xfs_json_string(&j, "unit", p->unit);
		xfs_json_u64(&j, "done", p->done);
		if (p->total)
			xfs_json_u64(&j, "total", p->total);
		xfs_json_u64(&j, "per_second", (uint64_t)rate(p, at));
		if (left >= 0)
			xfs_json_u64(&j, "eta_seconds", (uint64_t)left);
	}
	xfs_json_object_end(&j);
	if (xfs_json_finish(&j))
		p->fd = -1;
}

static void describe(const struct repair_progress *p, double at, char *line, size_t size)
{
	double left = remaining(p, at);
	int n = snprintf(line, size, "Phase %u: %s %" PRIu64, p->phase, p->unit ? p->unit : "", p->done);

	if (p->total && n > 0 && (size_t)n < size)
		n += snprintf(line + n, size - (size_t)n, " of %" PRIu64 " (%u%%)", p->total,
			      (unsigned)(100.0 * (double)p->done / (double)p->total));
	if (n > 0 && (size_t)n < size)
		n += snprintf(line + n, size - (size_t)n, ", %.0f a second", rate(p, at));
	if (left >= 0 && n > 0 && (size_t)n < size)
		snprintf(line + n, size - (size_t)n, ", about %.0f s left", left);
}

void repair_progress_clear(struct repair_progress *p)
{
	if (!p->shown)
		return;
	fputs("\r\033[K", stderr);
	p->shown = false;
}

static void on_terminal(struct repair_progress *p, double at)
{
	char line[160];

	describe(p, at, line, sizeof(line));
	fprintf(stderr, "\r\033[K%.79s", line);
	fflush(stderr);
	p->shown = true;
}

/* What scripts know: "\t- HH:MM:SS: <what> - N of M <units> done", and the time that remains. */
static void report(struct repair_progress *p, double at)
{
	time_t clock = time(NULL);
	double left = remaining(p, at);
	struct tm tm;
	char text[16];

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&clock, &tm));
	repair_progress_clear(p);
	if (p->total)
		fprintf(stderr, "\t- %s: phase %u - %" PRIu64 " of %" PRIu64 " %s done\n", text, p->phase, p->done,
			p->total, p->unit);
	else
		fprintf(stderr, "\t- %s: phase %u - %" PRIu64 " %s done\n", text, p->phase, p->done, p->unit);
	if (left >= 0)
		fprintf(stderr, "\t- %s: Phase %u: %u%% done - estimated remaining time %.0f seconds\n", text, p->phase,
			(unsigned)(100.0 * (double)p->done / (double)p->total), left);
	p->reported = at;
}

void repair_progress_step(struct repair_progress *p, const char *unit, uint64_t done, uint64_t total)
{
	double at = now();

	if (unit != p->unit || done < p->done)
		p->began = at;
	p->unit = unit;
	p->done = done;
	p->total = done <= total ? total : 0;	/* it may come from a counter that is wrong */
	if (atomic_exchange(&asked, 0)) {
		char line[160];

		describe(p, at, line, sizeof(line));
		repair_progress_clear(p);
		fprintf(stderr, "%s\n", line);
		if (p->fd >= 0)
			as_json(p, at);
	}
	if (p->reporting && at - p->reported >= p->interval)
		report(p, at);
	if (at - p->last < REDRAW)
		return;
	p->last = at;
	if (p->terminal)
		on_terminal(p, at);
	if (p->fd >= 0)
		as_json(p, at);
}

void repair_progress_phase(struct repair_progress *p, unsigned ended)
{
	time_t at = time(NULL);

	if (ended < REPAIR_PHASES)
		p->phases[ended].to = at;
	if (ended + 1 < REPAIR_PHASES)
		p->phases[ended + 1].from = at;
	repair_progress_clear(p);
	p->phase = ended + 1;
	p->unit = NULL;
	p->done = p->total = 0;
	p->began = now();
	if (p->fd >= 0 && p->phase < REPAIR_PHASES)
		as_json(p, p->began);
}

static void span(time_t seconds, char *out, size_t size)
{
	unsigned long s = (unsigned long)seconds;

	if (s >= 3600)
		snprintf(out, size, "%lu hours, %lu minutes, %lu seconds", s / 3600, s / 60 % 60, s % 60);
	else if (s >= 60)
		snprintf(out, size, "%lu minutes, %lu seconds", s / 60, s % 60);
	else
		snprintf(out, size, "%lu second%s", s, s == 1 ? "" : "s");
}

void repair_progress_table(const struct repair_progress *p)
{
	char text[64], from[32], to[32];
	time_t end = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", localtime_r(&end, &tm));
	fprintf(stderr, "\n        XFS_REPAIR Summary    %s\n\nPhase\t\tStart\t\tEnd\t\tDuration\n", text);
	for (unsigned i = 1; i < REPAIR_PHASES && p->phases[i].to; i++) {
		strftime(from, sizeof(from), "%m/%d %H:%M:%S", localtime_r(&p->phases[i].from, &tm));
		strftime(to, sizeof(to), "%m/%d %H:%M:%S", localtime_r(&p->phases[i].to, &tm));
		span(p->phases[i].to - p->phases[i].from, text, sizeof(text));
		fprintf(stderr, "Phase %u:\t%s\t%s\t%s\n", i, from, to, text);
	}
	span(end - p->start, text, sizeof(text));
	fprintf(stderr, "\nTotal run time: %s\n", text);
}
