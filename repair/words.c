/* SPDX-License-Identifier: BSD-2-Clause */
/* words.c - findings and banners as text or JSON. */
#include "repair/words.h"

#include "libxfs/base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Banners that read otherwise in a run that modifies nothing, or with an external log. */
static void line(void *payload, const char *text)
{
	const struct repair_text *t = payload;

	if (t->r->no_modify && !strncmp(text, "Phase 5", 7)) {
		puts("No modify flag set, skipping phase 5");	/* on stdout: scripts look for it there */
		fflush(stdout);
	} else if (t->r->no_modify && !strncmp(text, "Phase 7", 7)) {
		fprintf(stderr, "Phase 7 - verify link counts...\n");
	} else if (t->r->dev.log && !strncmp(text, "Phase 2", 7)) {
		fprintf(stderr, "Phase 2 - using external log on %s\n", t->r->dev.log->name);
	} else {
		fprintf(stderr, "%s\n", text);
	}
}

/* The lines of upstream that scripts know, in front of our own (format sheet 06, section 8). */
static void classic(const struct repair *r, const struct xfs_finding *f)
{
	bool attr = f->structure && f->structure[0] == 'a';

	if (f->id != XFS_F_FORK_DAMAGED && f->id != XFS_F_FORK_DIFFERS)
		return;
	fprintf(stderr, "bad %s fork in inode %" PRIu64 "\n", attr ? "attribute" : "data", f->ino);
	if (!r->no_modify)
		fprintf(stderr, "rebuilding inode %" PRIu64 " %s fork\n", f->ino, attr ? "attr" : "data");
	else if (attr)
		fprintf(stderr, "would have tried to rebuild inode %" PRIu64 " attr fork or cleared it\n", f->ino);
	else
		fprintf(stderr, "would have tried to rebuild inode %" PRIu64 " data fork\n", f->ino);
}

static int to_stdout(void *payload, const void *bytes, size_t len)
{
	(void)payload;
	return fwrite(bytes, 1, len, stdout) == len ? 0 : -XFS_E_IO;
}

static void number(struct xfs_json *j, const char *name, uint64_t value, uint64_t none)
{
	if (value != none)
		xfs_json_u64(j, name, value);
}

static void text_of(struct xfs_json *j, const char *name, const char *value)
{
	if (value && *value)
		xfs_json_string(j, name, value);
}

static void as_json(const struct xfs_finding *f)
{
	static const char *const severities[] = { "info", "warning", "error", "fatal" };
	struct xfs_json j;

	xfs_json_start(&j, to_stdout, NULL, false);
	xfs_json_object(&j, NULL);
	text_of(&j, "id", xfs_finding_name(f->id));
	text_of(&j, "severity", severities[xfs_finding_severity(f->id)]);
	text_of(&j, "text", xfs_finding_text(f->id));
	text_of(&j, "structure", f->structure);
	text_of(&j, "field", f->field);
	number(&j, "agno", f->agno, XFS_NULL32);
	number(&j, "agbno", f->agbno, XFS_NULL32);
	number(&j, "ino", f->ino, XFS_NULL64);
	number(&j, "fileoff", f->fileoff, XFS_NULL64);
	number(&j, "len", f->len, XFS_NULL64);
	number(&j, "found", f->found, XFS_NULL64);
	number(&j, "expected", f->expected, XFS_NULL64);
	text_of(&j, "detail", f->detail);
	text_of(&j, "fix", xfs_finding_fix(f->id));
	xfs_json_object_end(&j);
	xfs_json_finish(&j);
}

static void finding(void *payload, const struct xfs_finding *f)
{
	struct repair_text *t = payload;
	char buf[512];

	t->said++;
	if (t->json) {
		as_json(f);
		return;
	}
	classic(t->r, f);
	xfs_finding_format(f, buf, sizeof(buf));
	fprintf(stderr, "%s\n", buf);
}

void repair_text_init(struct repair_text *t, struct repair *r, struct repair_words *words, bool json)
{
	*t = (struct repair_text){ .r = r, .json = json };
	*words = (struct repair_words){ line, t };
	r->words = words;
	r->sink = (struct xfs_sink){ finding, t };
}

void repair_text_end(struct repair_text *t, int error)
{
	const struct repair *r = t->r;

	fflush(stdout);
	if (error == -XFS_E_DIRTYLOG)
		return;
	if (error) {
		fprintf(stderr, "\nfatal error -- %s: %s\n", r->name, xfs_error_text(error));
		return;
	}
	if (r->unfixed)
		fprintf(stderr, "%" PRIu64 " findings remain that this version does not repair\n", r->unfixed);
	if (r->no_modify && r->replayed && !r->findings)
		fprintf(stderr, "with its log replayed the filesystem is clean\n");
	else if (r->no_modify && r->replayed)
		fprintf(stderr, "with its log replayed the filesystem has %" PRIu64 " findings\n", r->findings);
	if (r->no_modify)
		fprintf(stderr, "No modify flag set, skipping filesystem flush and exiting.\n");
	else
		fprintf(stderr, "done\n");
}
