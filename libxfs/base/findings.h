/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * findings.h - what is wrong with metadata, as data; the caller decides what to do about it.
 *
 * findings.def lists every kind once: X(id, severity, text, fix).  A finding carries its evidence.  A sink receives
 * findings in the order in which they are made (a lock around it is the caller's business; worker threads keep their
 * own list and hand it over).  The library never prints.
 */
#ifndef XFS_BASE_FINDINGS_H
#define XFS_BASE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xfs_severity {
	XFS_SEV_INFO,		/* optimisation, note */
	XFS_SEV_WARN,		/* derived data is off: counters, hints */
	XFS_SEV_ERROR,		/* metadata contradicts itself or other metadata */
	XFS_SEV_FATAL,		/* something is lost or the check can't go on behind it */
};

enum xfs_finding_id {
	XFS_F_NONE,
#define X(id, severity, text, fix) XFS_F_##id,
#include "libxfs/base/findings.def"
#undef X
	XFS_F_COUNT
};

struct xfs_finding {
	enum xfs_finding_id id;
	const char *structure;		/* "agf", "rmapbt", "inode", ...; static string */
	const char *field;		/* name as in the ondisk tables, or NULL; static string */
	uint32_t agno, agbno;		/* XFS_NULL32 = not said */
	uint64_t ino, fileoff, len;	/* XFS_NULL64 = not said; len in blocks */
	uint64_t found, expected;	/* XFS_NULL64 = not said */
	char detail[160];		/* free text with values; may be empty */
};

struct xfs_sink {
	void (*emit)(void *payload, const struct xfs_finding *);
	void *payload;
};

/* A finding with every address "not said". */
struct xfs_finding xfs_finding_of(enum xfs_finding_id id, const char *structure);
/* Passes it on; a NULL sink or NULL emit drops it. */
void xfs_finding_emit(const struct xfs_sink *, const struct xfs_finding *);
/* Sets detail, printf style, cut to fit. */
void xfs_finding_detail(struct xfs_finding *, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *xfs_finding_name(enum xfs_finding_id);		/* stable id, lower case: "rmapbt-high-key" */
const char *xfs_finding_text(enum xfs_finding_id);
const char *xfs_finding_fix(enum xfs_finding_id);
enum xfs_severity xfs_finding_severity(enum xfs_finding_id);
const char *xfs_severity_name(enum xfs_severity);		/* "info", "warning", "error", "fatal" */
/*
 * One line: "ag 3 rmapbt block 77: text: detail (found 5, expected 6)". Returns the length that it needs, as snprintf.
 */
int xfs_finding_format(const struct xfs_finding *, char *buf, size_t size);

/*
 * Findings of one worker, kept in order until they are handed over.  Starts as all zeroes.  Findings that memory did
 * not suffice for are counted in `lost`; passing on then returns NOMEM after the others were passed.
 */
struct xfs_finding_list {
	struct xfs_finding *items;
	size_t n, room, lost;
};
struct xfs_sink xfs_finding_list_sink(struct xfs_finding_list *);	/* appends to the list, which must outlive it */
int xfs_finding_list_pass(struct xfs_finding_list *, const struct xfs_sink *);	/* passes all on and empties the list */
void xfs_finding_list_free(struct xfs_finding_list *);

/*
 * Tests of the tests only (configure --enable-mutants): true for the one finding that the environment switches off, as
 * if nobody looked for it.  False, at no cost, in every other build.
 */
#ifdef XFSKIT_MUTANTS
bool xfs_finding_mutant(enum xfs_finding_id);
#else
#define xfs_finding_mutant(id) ((void)(id), false)
#endif

#endif
