/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - shows how far a run has come: on a terminal, on SIGUSR1, as JSON lines, or in upstream's words with -t.
 *
 * Otherwise silent.  One thread at a time calls it.
 */
#ifndef REPAIR_PROGRESS_H
#define REPAIR_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define REPAIR_PHASES 8u

struct repair_progress {
	/* set by the caller */
	int fd;				/* of JSON lines; -1: none */
	bool reporting;			/* lines in upstream's words every `interval` seconds */
	unsigned interval;
	/* internal */
	bool terminal, shown;		/* stderr is one; a line stands there that must be removed first */
	unsigned phase;
	const char *unit;
	uint64_t done, total;
	double began, last, reported;	/* seconds of a steady clock: of the work, of what was last shown */
	struct { time_t from, to; } phases[REPAIR_PHASES];
	time_t start;
};

/* Fields set by the caller stay; installs the handler of SIGUSR1. */
void repair_progress_start(struct repair_progress *);
void repair_progress_step(struct repair_progress *, const char *unit, uint64_t done, uint64_t total);
void repair_progress_phase(struct repair_progress *, unsigned ended);
/* Before any other line on stderr: the terminal's line is cleared. */
void repair_progress_clear(struct repair_progress *);
/* -v: the table of phases at the end. */
void repair_progress_table(const struct repair_progress *);

#endif
