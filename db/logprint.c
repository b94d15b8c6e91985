/* SPDX-License-Identifier: BSD-2-Clause */
/* logprint.c - the command logprint: options, records and transactions. */
#include "db/logprint.h"

#include "libxfs/log/state.h"

#include <inttypes.h>
#include <unistd.h>

struct options {
	struct logprint_query query;
	bool history, records, verbose, json, filtered;
};

struct printing {
	struct db *db;
	const struct options *o;
	struct xfs_json json;
};

/* ---- options ---- */

static bool number(struct db *db, const char *what, const char *text, uint64_t *out)
{
	if (db_number(text, out))
		return true;
	db_out(db, "bad %s %s\n", what, text);
	return false;
}

static bool take_option(struct db *db, int opt, const char *arg, struct options *o)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct logprint_query *q = &o->query;
	uint64_t v = 0;

	switch (opt) {
	case 'a': o->history = true; return true;
	case 'j': o->json = true; return true;
	case 'r': o->records = true; return true;
	case 'v': o->verbose = true; return true;
	case 'i':
		q->by_ino = o->filtered = true;
		return number(db, "inode", arg, &q->ino);
	case 'd': case 'b':
		if (!number(db, opt == 'd' ? "daddr" : "fsblock", arg, &v))
			return false;
		if (opt == 'b' && (xfs_fsbno_agno(g, XFS_FSBNO(v)).v >= g->agcount ||
				   xfs_fsbno_agbno(g, XFS_FSBNO(v)).v >= g->agblocks)) {
			db_out(db, "bad fsblock %s\n", arg);
			return false;
		}
		q->by_daddr = o->filtered = true;
		q->daddr = opt == 'd' ? v : xfs_fsbno_daddr(g, XFS_FSBNO(v)).v;
		q->bbs = opt == 'd' ? 1 : g->blocksize / XFS_BBSIZE;
		return true;
	case 't':
		o->filtered = true;
		q->kind = xfs_log_item_kind_named(arg);
		if (!q->kind)
			db_out(db, "no kind of log item is called %s\n", arg);
		return q->kind != NULL;
	default:
		db_out(db, "bad option for logprint command\n");
		return false;
	}
}

/* ---- text ---- */

static void lsn_out(struct db *db, const char *name, uint64_t lsn)
{
	db_out(db, " %s %u:%u", name, (unsigned)(lsn >> 32), (unsigned)lsn);
}

static void record_text(struct printing *p, const struct xfs_log_record *r)
{
	struct db *db = p->db;

	db_out(db, "record %u:%u bytes %u operations %u", r->h.cycle, r->block, r->h.len, r->h.num_logops);
	lsn_out(db, "tail", r->h.tail_lsn);
	db_out(db, " prev %d size %u %s-endian%s\n", (int)r->h.prev_block, r->h.size,
	       xfs_log_record_is_le(r) ? "little" : "big", r->h.crc || !db->fs->geo.v5 ? "" : " no crc");
}

static void trans_head_text(struct printing *p, const struct xfs_log_trans *t)
{
	struct db *db = p->db;

	db_out(db, "  transaction 0x%08x", t->tid);
	lsn_out(db, "lsn", t->lsn);
	if (t->committed) {
		lsn_out(db, "commit", t->commit_lsn);
		db_out(db, " items %zu", t->nitems);
	}
	db_out(db, " regions %zu bytes %" PRIu64 "%s\n", t->nregions, t->bytes, t->committed ? "" : " not committed");
}

static void trans_text(struct printing *p, const struct xfs_log_trans *t)
{
	bool shown = !p->o->filtered;

	if (shown)
		trans_head_text(p, t);
	for (size_t i = 0; i < t->nitems; i++) {
		if (!logprint_match(&p->db->fs->geo, &p->o->query, &t->items[i]))
			continue;
		if (!shown)
			trans_head_text(p, t);
		shown = true;
		logprint_item_line(p->db, &t->items[i]);
		if (p->o->verbose)
			logprint_item_fields(p->db, &t->items[i]);
	}
}

/* ---- JSON ---- */

static void record_json(struct printing *p, const struct xfs_log_record *r)
{
	struct xfs_json *j = &p->json;

	xfs_json_object(j, NULL);
	xfs_json_string(j, "event", "record");
	xfs_json_u64(j, "block", r->block);
	xfs_json_u64(j, "cycle", r->h.cycle);
	xfs_json_u64(j, "bytes", r->h.len);
	xfs_json_u64(j, "operations", r->h.num_logops);
	xfs_json_hex64(j, "lsn", r->h.lsn);
	xfs_json_hex64(j, "tail_lsn", r->h.tail_lsn);
	xfs_json_u64(j, "size", r->h.size);
	xfs_json_string(j, "byte_order", xfs_log_record_is_le(r) ? "little" : "big");
	xfs_json_object_end(j);
}

static void trans_json(struct printing *p, const struct xfs_log_trans *t)
{
	const struct xfs_geometry *g = &p->db->fs->geo;
	struct xfs_json *j = &p->json;
	size_t i = 0;

	while (p->o->filtered && i < t->nitems && !logprint_match(g, &p->o->query, &t->items[i]))
		i++;
	if (p->o->filtered && i == t->nitems)
		return;
	xfs_json_object(j, NULL);
	xfs_json_string(j, "event", "transaction");
	xfs_json_u64(j, "tid", t->tid);
	xfs_json_bool(j, "committed", t->committed);
	xfs_json_hex64(j, "lsn", t->lsn);
	if (t->committed)
		xfs_json_hex64(j, "commit_lsn", t->commit_lsn);
	xfs_json_u64(j, "regions", t->nregions);
	xfs_json_u64(j, "bytes", t->bytes);
	xfs_json_array(j, "items");
	for (; i < t->nitems; i++)
		if (logprint_match(g, &p->o->query, &t->items[i]))
			logprint_item_json(p->db, j, &t->items[i]);
	xfs_json_array_end(j);
	xfs_json_object_end(j);
}

static void unmount_json(struct printing *p)
{
	xfs_json_object(&p->json, NULL);
	xfs_json_string(&p->json, "event", "unmount");
	xfs_json_object_end(&p->json);
}

/* ---- the command ---- */

static void show_event(struct printing *p, const struct xfs_log_event *e)
{
	switch (e->kind) {
	case XFS_LOG_EV_RECORD:
		if (p->o->filtered && !p->o->records)
			break;
		if (p->o->json)
			record_json(p, e->record);
		else
			record_text(p, e->record);
		break;
	case XFS_LOG_EV_UNMOUNT:
		if (p->o->filtered)
			break;
		if (p->o->json)
			unmount_json(p);
		else
			db_out(p->db, "  unmount\n");
		break;
	case XFS_LOG_EV_TRANS: case XFS_LOG_EV_OPEN:
		if (p->o->records)
			break;
		if (p->o->json)
			trans_json(p, e->trans);
		else
			trans_text(p, e->trans);
		break;
	}
}

static void show_state(struct db *db, const struct xfs_log_state *s)
{
	static const char *const words[] = { "clean", "dirty", "unreadable" };

	db_out(db, "log of %u blocks, %s", s->blocks, words[s->kind]);
	if (s->kind == XFS_LOG_UNREADABLE)
		db_out(db, ": %s", s->reason);
	else
		db_out(db, ", tail %u:%u, head %u:%u%s",
		       (unsigned)(s->kind == XFS_LOG_DIRTY ? s->tail_lsn >> 32 : s->cycle), s->tail, s->cycle, s->head,
		       s->torn ? ", torn records dropped" : "");
	db_out(db, "\n");
}

static void complain(struct db *db, const struct xfs_finding *f)
{
	char text[400];

	xfs_finding_format(f, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", db->prog, text);
	db->status = 1;
}

static void print_log(struct db *db, const struct options *o, const struct xfs_log_state *state)
{
	struct printing p = { .db = db, .o = o };
	struct xfs_finding why = xfs_finding_of(XFS_F_LOG_RECORD, "log");
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	int err = xfs_log_iter_new(&it, db->fs, state, o->history, &why);

	if (o->json)
		db_json_start(db, &p.json);
	else if (!o->filtered)
		show_state(db, state);
	while (!err) {
		err = xfs_log_iter_next(it, &e, &why);
		if (!err)
			show_event(&p, &e);
	}
	xfs_log_iter_free(it);
	if (o->json)
		db_json_end(db, &p.json);
	if (err != -XFS_E_NOENT)
		complain(db, &why);
}

void db_run_logprint(struct db *db, int argc, char **argv)
{
	struct options o = { .history = false };
	struct xfs_log_state state;
	int opt, err;

	optind = 0;
	opterr = 0;
	while ((opt = getopt(argc, argv, "ab:d:i:jrt:v")) != -1)
		if (!take_option(db, opt, optarg, &o))
			return;
	if (optind < argc) {
		db_out(db, "bad option for logprint command\n");
		return;
	}
	err = xfs_log_state(db->fs, &state);
	if (err)
		db_out(db, "%s\n", xfs_error_text(err));
	else
		print_log(db, &o, &state);
}
