/* SPDX-License-Identifier: BSD-2-Clause */
/* jsonout.c - findings and the summary of a run as JSON; paths of inodes. */
#include "repair/words.h"
#include "repair/treewalk.h"

#include "libxfs/base/json.h"
#include "libxfs/base/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 8192u

static int to_stdout(void *payload, const void *bytes, size_t len)
{
	(void)payload;
	return fwrite(bytes, 1, len, stdout) == len ? 0 : -XFS_E_IO;
}

static void number_of(struct xfs_json *j, const char *name, uint64_t value, uint64_t none)
{
	if (value != none)
		xfs_json_u64(j, name, value);
}

static void text_of(struct xfs_json *j, const char *name, const char *value)
{
	if (value && *value)
		xfs_json_string(j, name, value);
}

void repair_json_finding(struct xfs_json *j, const char *key, const struct repair_record *rec, uint64_t number)
{
	const struct xfs_finding *f = &rec->f;

	xfs_json_object(j, key);
	xfs_json_u64(j, "number", number);
	text_of(j, "id", xfs_finding_name(f->id));
	text_of(j, "severity", xfs_severity_name(xfs_finding_severity(f->id)));
	text_of(j, "text", xfs_finding_text(f->id));
	text_of(j, "structure", f->structure);
	text_of(j, "field", f->field);
	number_of(j, "agno", f->agno, XFS_NULL32);
	number_of(j, "agbno", f->agbno, XFS_NULL32);
	number_of(j, "ino", f->ino, XFS_NULL64);
	if (rec->path)
		xfs_json_bytes(j, "path", rec->path, strlen(rec->path));
	number_of(j, "fileoff", f->fileoff, XFS_NULL64);
	number_of(j, "len", f->len, XFS_NULL64);
	number_of(j, "found", f->found, XFS_NULL64);
	number_of(j, "expected", f->expected, XFS_NULL64);
	text_of(j, "detail", f->detail);
	text_of(j, "fix", xfs_finding_fix(f->id));
	xfs_json_bool(j, "fixed", rec->fixed);
	if (rec->held)
		xfs_json_bool(j, "held", true);
	number_of(j, "follows", rec->cause, REPAIR_NO_CAUSE);
	xfs_json_object_end(j);
}

static void tally(struct xfs_json *j, const char *key, const struct repair *r, const struct repair_tally *t)
{
	xfs_json_object(j, key);
	xfs_json_u64(j, "inodes", t->inodes);
	xfs_json_u64(j, "bytes", t->blocks * r->geo.blocksize);
	xfs_json_object_end(j);
}

static void unreadable(struct xfs_json *j, const struct repair_text *t)
{
	xfs_json_array(j, "unreadable");
	for (size_t i = 0; i < t->nhits; i++) {
		const struct repair_hit *h = &t->hits[i];

		xfs_json_object(j, NULL);
		xfs_json_u64(j, "offset", h->off);
		xfs_json_u64(j, "length", h->len);
		xfs_json_string(j, "structure", h->structure);
		number_of(j, "agno", h->agno, XFS_NULL32);
		number_of(j, "agbno", h->agbno, XFS_NULL32);
		number_of(j, "ino", h->owner, XFS_NULL64);
		xfs_json_bool(j, "rewritten", h->gone);
		xfs_json_object_end(j);
	}
	xfs_json_array_end(j);
}

void repair_json_summary(struct xfs_json *j, const char *key, const struct repair_text *t, int error, int status)
{
	const struct repair *r = t->r;
	struct repair_tally lost = { r->nlost, r->lost_blocks };

	xfs_json_object(j, key);
	xfs_json_bool(j, "modified", !r->no_modify && r->writing);
	if (r->replayed)
		xfs_json_bool(j, "log_replayed", true);
	xfs_json_u64(j, "findings", r->findings);
	xfs_json_u64(j, "remain", r->unfixed);
	if (r->held)
		xfs_json_u64(j, "held", r->holds.findings);
	tally(j, "kept", r, r->verified ? &r->after : &r->before);
	tally(j, "moved", r, &r->moved);
	tally(j, "lost", r, &lost);
	if (r->writing)
		xfs_json_bool(j, r->no_modify ? "would_be_clean" : "clean", r->verified && !r->unfixed);
	else
		xfs_json_bool(j, "clean", !error && !r->findings && !r->log_dirty && !(r->no_modify && r->replayed));
	if (t->nhits)
		unreadable(j, t);
	if (error)
		xfs_json_string(j, "error", xfs_error_text(error));
	xfs_json_i64(j, "exit", status);
	xfs_json_object_end(j);
}

void repair_print_finding(const struct repair_record *rec, uint64_t number)
{
	struct xfs_json j;

	xfs_json_start(&j, to_stdout, NULL, false);
	repair_json_finding(&j, NULL, rec, number);
	xfs_json_finish(&j);
}

void repair_print_summary(const struct repair_text *t, int error, int status)
{
	struct xfs_json j;

	xfs_json_start(&j, to_stdout, NULL, false);
	xfs_json_object(&j, NULL);
	repair_json_summary(&j, "summary", t, error, status);
	xfs_json_object_end(&j);
	xfs_json_finish(&j);
}

/* ---- paths ---- */

struct wanted {
	struct repair_record **list;	/* by inode */
	size_t n, left;
	char path[PATH_ROOM];
};

static int by_ino(const void *pa, const void *pb)
{
	const struct repair_record *const *a = pa, *const *b = pb;

	return (*a)->f.ino < (*b)->f.ino ? -1 : (*a)->f.ino > (*b)->f.ino;
}

/* All records of the inode get the path. */
static int give(struct wanted *w, uint64_t ino)
{
	size_t lo = xfs_search(w->n, i, w->list[i]->f.ino < ino);

	for (; lo < w->n && w->list[lo]->f.ino == ino && !w->list[lo]->path; lo++) {
		w->list[lo]->path = strdup(w->path);
		if (!w->list[lo]->path)
			return -XFS_E_NOMEM;
		w->left--;
	}
	return w->left ? 0 : -XFS_E_STOP;
}

static bool is_wanted(const struct wanted *w, uint64_t ino)
{
	struct repair_record key = { .f.ino = ino }, *p = &key;

	return bsearch(&p, w->list, w->n, sizeof(p), by_ino) != NULL;
}

static int entry(struct repair_treewalk *t, size_t dir, const struct xfs_dir_entry *e)
{
	struct wanted *w = t->payload;

	if (!is_wanted(w, e->ino.v) || repair_treewalk_path(t, dir, e->name, e->namelen, w->path, sizeof(w->path)))
		return 0;
	return give(w, e->ino.v);
}

void repair_find_paths(struct repair *r, struct repair_record *records, size_t n)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .cache = r->cache,
					 .sb = &r->primary };
	struct wanted w = { .list = n ? calloc(n, sizeof(struct repair_record *)) : NULL };
	struct repair_treewalk t = { .entry = entry, .payload = &w };
	bool root = false;

	for (size_t i = 0; w.list && i < n; i++)
		if (records[i].f.ino != XFS_NULL64 && !records[i].path)
			w.list[w.n++] = &records[i];
	w.left = w.n;
	if (w.n && r->geo.agcount && !xfs_fs_open(&t.fs, &r->dev, &options, NULL)) {
		qsort(w.list, w.n, sizeof(*w.list), by_ino);
		root = is_wanted(&w, r->primary.rootino);
		memcpy(w.path, "/", 2);
		/* what can't be found has no path; that is all */
		if (!root || !give(&w, r->primary.rootino))
			(void)repair_treewalk_run(&t, r->primary.rootino);
		xfs_fs_close(t.fs);
	}
	repair_treewalk_release(&t);
	free(w.list);
}
