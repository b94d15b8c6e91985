/* SPDX-License-Identifier: BSD-2-Clause */
/* findings.c - the table of findings and their classic one-line text. */
#include "libxfs/base/findings.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/types.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32

/*
 * The name that users see is the id in lower case with dashes.  The compiler writes it, character by character, so that
 * no row states its name twice and nothing is computed or cached at run time.
 */
#define RAW_(s, i) (s)[(i) < sizeof(s) ? (i) : sizeof(s) - 1]
#define LOW_(c) ((c) == '_' ? '-' : (c) >= 'A' && (c) <= 'Z' ? (c) + ('a' - 'A') : (c))
#define C1_(s, i) LOW_(RAW_(s, i)),
#define C4_(s, i) C1_(s, i) C1_(s, i + 1) C1_(s, i + 2) C1_(s, i + 3)
#define C16_(s, i) C4_(s, i) C4_(s, i + 4) C4_(s, i + 8) C4_(s, i + 12)
#define DASHED_(s) { C16_(s, 0) C16_(s, 16) }

static const struct {
	char name[NAME_MAX_LEN];
	const char *text, *fix;
	enum xfs_severity severity;
} rows[XFS_F_COUNT] = {
	[XFS_F_NONE] = { "none", "no finding", "nothing", XFS_SEV_INFO },
#define X(id, severity, text, fix) [XFS_F_##id] = { DASHED_(#id), text, fix, XFS_SEV_##severity },
#include "libxfs/base/findings.def"
#undef X
};

#define X(id, severity, text, fix) _Static_assert(sizeof(#id) <= NAME_MAX_LEN, "name of finding " #id " is too long");
#include "libxfs/base/findings.def"
#undef X

#ifdef XFSKIT_MUTANTS
bool xfs_finding_mutant(enum xfs_finding_id id)
{
	const char *off = getenv("XFSKIT_MUTANT");

	return off && strcmp(off, xfs_finding_name(id)) == 0;
}
#endif

static enum xfs_finding_id id_checked(enum xfs_finding_id id)
{
	return (unsigned)id < XFS_F_COUNT ? id : XFS_F_NONE;
}

const char *xfs_finding_name(enum xfs_finding_id id)
{
	return rows[id_checked(id)].name;
}

const char *xfs_finding_text(enum xfs_finding_id id)
{
	return rows[id_checked(id)].text;
}

const char *xfs_finding_fix(enum xfs_finding_id id)
{
	return rows[id_checked(id)].fix;
}

enum xfs_severity xfs_finding_severity(enum xfs_finding_id id)
{
	return rows[id_checked(id)].severity;
}

const char *xfs_severity_name(enum xfs_severity severity)
{
	switch (severity) {
	case XFS_SEV_INFO:
		return "info";
	case XFS_SEV_WARN:
		return "warning";
	case XFS_SEV_ERROR:
		return "error";
	case XFS_SEV_FATAL:
		return "fatal";
	}
	return "unknown";
}

struct xfs_finding xfs_finding_of(enum xfs_finding_id id, const char *structure)
{
	return (struct xfs_finding){
		.id = id, .structure = structure, .agno = XFS_NULL32, .agbno = XFS_NULL32, .ino = XFS_NULL64,
		.fileoff = XFS_NULL64, .len = XFS_NULL64, .found = XFS_NULL64, .expected = XFS_NULL64,
	};
}

void xfs_finding_emit(const struct xfs_sink *sink, const struct xfs_finding *f)
{
	if (sink && sink->emit && !xfs_finding_mutant(f->id))
		sink->emit(sink->payload, f);
}

void xfs_finding_detail(struct xfs_finding *f, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}

/* --- text --- */

struct line {
	char *buf;
	size_t size, len;
};

/* Appends, and counts what does not fit. */
__attribute__((format(printf, 2, 3))) static void put(struct line *l, const char *format, ...)
{
	size_t room = l->len < l->size ? l->size - l->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? l->buf + l->len : NULL, room, format, args);
	va_end(args);
	l->len += n > 0 ? (size_t)n : 0;
}

static void put_place(struct line *l, const struct xfs_finding *f)
{
	bool inode = f->structure && !strcmp(f->structure, "inode") && f->ino != XFS_NULL64;

	if (f->agno != XFS_NULL32)
		put(l, "ag %" PRIu32 " ", f->agno);
	put(l, "%s", f->structure ? f->structure : "filesystem");
	if (inode)
		put(l, " %" PRIu64, f->ino);
	if (f->field)
		put(l, " %s", f->field);
	if (f->agbno != XFS_NULL32)
		put(l, " block %" PRIu32, f->agbno);
	if (f->ino != XFS_NULL64 && !inode)
		put(l, " inode %" PRIu64, f->ino);
	if (f->fileoff != XFS_NULL64)
		put(l, " offset %" PRIu64, f->fileoff);
	if (f->len != XFS_NULL64)
		put(l, " length %" PRIu64, f->len);
}

/* A number as its reader knows it: magics and checksums in hex, special owners (bit 63 set) negative. */
static void put_value(struct line *l, const struct xfs_finding *f, uint64_t v)
{
	if (f->id == XFS_F_BLOCK_MAGIC || f->id == XFS_F_BLOCK_CRC)
		put(l, "0x%" PRIx64, v);
	else if (v >> 63)
		put(l, "-%" PRIu64, UINT64_C(0) - v);
	else
		put(l, "%" PRIu64, v);
}

static void put_values(struct line *l, const struct xfs_finding *f)
{
	bool found = f->found != XFS_NULL64, expected = f->expected != XFS_NULL64;

	if (!found && !expected)
		return;
	put(l, " (");
	if (found) {
		put(l, "found ");
		put_value(l, f, f->found);
	}
	if (expected) {
		put(l, found ? ", expected " : "expected ");
		put_value(l, f, f->expected);
	}
	put(l, ")");
}

int xfs_finding_format(const struct xfs_finding *f, char *buf, size_t size)
{
	struct line l = { buf, size, 0 };

	if (size)
		*buf = '\0';
	put_place(&l, f);
	put(&l, ": %s", xfs_finding_text(f->id));
	if (f->detail[0])
		put(&l, ": %.*s", (int)sizeof(f->detail), f->detail);
	put_values(&l, f);
	return (int)l.len;
}

/* --- list --- */

static void list_emit(void *payload, const struct xfs_finding *f)
{
	struct xfs_finding_list *list = payload;

	if (xfs_grow(&list->items, list->n, &list->room, 16)) {
		list->lost++;
		return;
	}
	list->items[list->n++] = *f;
}

struct xfs_sink xfs_finding_list_sink(struct xfs_finding_list *list)
{
	return (struct xfs_sink){ list_emit, list };
}

int xfs_finding_list_pass(struct xfs_finding_list *list, const struct xfs_sink *sink)
{
	int err = list->lost ? -XFS_E_NOMEM : 0;

	for (size_t i = 0; i < list->n; i++)
		xfs_finding_emit(sink, &list->items[i]);
	xfs_finding_list_free(list);
	return err;
}

void xfs_finding_list_free(struct xfs_finding_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
