/* SPDX-License-Identifier: BSD-2-Clause */
/* fsmap.c - reverse mappings: of the whole filesystem, and those of one range with the way that leads to them. */
#include "db/report.h"

#include "libxfs/base/grow.h"

#include <stdlib.h>
#include <unistd.h>

struct shower {
	struct db *db;
	struct xfs_json *json;
	uint32_t agno;
	uint64_t nth;			/* record to come */
	bool keys;
};

struct visited {
	uint64_t ptr;
	unsigned level;
};

struct visits {
	struct visited *list;
	size_t n, room;
	bool nomem;
};

static bool has_rmapbt(struct db *db)
{
	if (!db->fs->geo.rmapbt)
		db_out(db, "Filesystem does not support reverse mapping btree.\n");
	return db->fs->geo.rmapbt;
}

/* ---- keys ---- */

/* Five columns as in a print of nodes, without the unwritten bit. */
static void show_key(struct shower *s, const char *name, const struct xfs_btree_key *k)
{
	unsigned long long block = k->w[0], off = k->w[2] & XFS_RMAP_OFFMASK;
	bool attr = k->w[2] & XFS_RMAP_ATTR, bmbt = k->w[2] & XFS_RMAP_BMBT;

	if (!s->json) {
		db_out(s->db, " %s [%llu,%lld,%llu,%d,%d]", name, block, (long long)k->w[1], off, attr, bmbt);
		return;
	}
	xfs_json_object(s->json, name);
	xfs_json_u64(s->json, "startblock", block);
	xfs_json_i64(s->json, "owner", (int64_t)k->w[1]);
	xfs_json_u64(s->json, "offset", off);
	xfs_json_bool(s->json, "attrfork", attr);
	xfs_json_bool(s->json, "bmbtblock", bmbt);
	xfs_json_object_end(s->json);
}

static void show_keys_of(struct shower *s, const void *rec)
{
	struct xfs_btree_key k;

	xfs_btree_kinds[XFS_BTREE_RMAP].low(&k, rec);
	show_key(s, "low", &k);
	xfs_btree_kinds[XFS_BTREE_RMAP].high(&k, rec);
	show_key(s, "high", &k);
}

/* ---- records ---- */

static void show_json(struct shower *s, const struct xfs_rmap_rec *r, const void *rec)
{
	struct xfs_json *j = s->json;

	xfs_json_object(j, NULL);
	xfs_json_u64(j, "agno", s->agno);
	xfs_json_u64(j, "agbno", r->startblock);
	xfs_json_u64(j, "len", r->blockcount);
	xfs_json_i64(j, "owner", (int64_t)r->owner);
	if (db_owner_word(r->owner))
		xfs_json_string(j, "owner_name", db_owner_word(r->owner));
	xfs_json_u64(j, "offset", r->offset);
	xfs_json_bool(j, "bmbt", r->bmbtblock);
	xfs_json_bool(j, "attrfork", r->attrfork);
	xfs_json_bool(j, "unwritten", r->extentflag);
	if (s->keys)
		show_keys_of(s, rec);
	xfs_json_object_end(j);
}

static int show_record(void *payload, const void *rec)
{
	struct shower *s = payload;
	struct xfs_rmap_rec r;

	xfs_rmap_rec_decode(&r, rec);
	if (s->json) {
		show_json(s, &r, rec);
		return s->json->error;
	}
	db_out(s->db, "%llu: %u/%u len %u owner %lld offset %llu bmbt %d attrfork %d extflag %d",
	       (unsigned long long)s->nth++, s->agno, r.startblock, r.blockcount, (long long)r.owner,
	       (unsigned long long)r.offset, r.bmbtblock, r.attrfork, r.extentflag);
	if (s->keys)
		show_keys_of(s, rec);
	db_out(s->db, "\n");
	return 0;
}

/* ---- fsmap ---- */

static int show_ag(struct shower *s, uint32_t from, uint32_t to)
{
	struct xfs_btree_key lo = { { from, 0, 0 } }, hi = { { to, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(s->db->fs, XFS_AGNO(s->agno), XFS_BTREE_RMAP, &bt);

	return err ? err : xfs_btree_query_range(&bt, &lo, &hi, show_record, s, NULL, NULL, NULL);
}

/* Reverse mappings that touch fsblocks from..to. */
static int show_range(struct shower *s, uint64_t from, uint64_t to)
{
	const struct xfs_geometry *g = &s->db->fs->geo;
	uint64_t first = from >> g->agblklog, last = to >> g->agblklog;
	uint32_t mask = (uint32_t)((UINT64_C(1) << g->agblklog) - 1);
	int err = from > to ? -XFS_E_INVALID : 0;

	for (uint64_t agno = first; agno <= last && agno < g->agcount && !err; agno++) {
		s->agno = (uint32_t)agno;
		err = show_ag(s, agno == first ? (uint32_t)from & mask : 0, agno == last ? (uint32_t)to & mask : mask);
	}
	return err;
}

bool db_fsblock_exists(const struct xfs_geometry *g, uint64_t fsbno)
{
	uint64_t agno = fsbno >> g->agblklog;

	return agno < g->agcount && (fsbno & ((UINT64_C(1) << g->agblklog) - 1)) < xfs_ag_length(g, XFS_AGNO(agno));
}

void db_run_fsmap(struct db *db, int argc, char **argv)
{
	struct shower s = { .db = db };
	uint64_t from = 0, to = XFS_NULL64;
	struct xfs_json json;
	int opt, err;

	if (!has_rmapbt(db))
		return;
	optind = 0;
	while ((opt = getopt(argc, argv, "j")) != -1) {
		if (opt != 'j') {
			db_out(db, "Bad option for fsmap command.\n");
			return;
		}
		s.json = &json;
	}
	if (optind < argc && (!db_number(argv[optind], &from) || !db_fsblock_exists(&db->fs->geo, from))) {
		db_out(db, "Bad fsmap start_fsb %s.\n", argv[optind]);
		return;
	}
	if (optind + 1 < argc && !db_number(argv[optind + 1], &to)) {
		db_out(db, "Bad fsmap end_fsb %s.\n", argv[optind + 1]);
		return;
	}
	if (s.json)
		db_json_start(db, s.json);
	err = show_range(&s, from, to);
	if (s.json)
		db_json_end(db, s.json);
	if (err)
		db_out(db, "Error %d while querying fsmap btree.\n", xfs_error_errno(err));
}

/* ---- rmapbt query ---- */

static void note_visit(void *payload, uint64_t ptr, unsigned level)
{
	struct visits *v = payload;

	if (xfs_grow(&v->list, v->n, &v->room, 64)) {
		v->nomem = true;
		return;
	}
	v->list[v->n++] = (struct visited){ ptr, level };
}

/* Low and high key of all that a block holds: what its parent says about it, unless the tree is damaged. */
static void show_block_keys(struct shower *s, const uint8_t *data, unsigned level)
{
	const struct xfs_btree_kind *kind = &xfs_btree_kinds[XFS_BTREE_RMAP];
	const struct xfs_geometry *g = &s->db->fs->geo;
	uint32_t most = xfs_btree_maxrecs(kind->shape, g->v5, g->blocksize, level == 0);
	uint32_t n = (uint32_t)xfs_min(xfs_btree_short_get_numrecs((const void *)data), most);
	const uint8_t *e = data + xfs_btree_header_len(kind->shape, g->v5);
	struct xfs_btree_key low, high = { { 0, 0, 0 } }, k;

	if (!n)
		return;
	level ? kind->key_get(&low, e) : kind->low(&low, e);
	for (uint32_t i = 0; i < n; i++, e += level ? kind->shape->keylen : kind->shape->reclen) {
		level ? kind->key_get(&k, e + kind->keylen1) : kind->high(&k, e);
		if (xfs_btree_key_cmp(&k, &high) > 0)
			high = k;
	}
	show_key(s, "low", &low);
	show_key(s, "high", &high);
}

static void show_visit(struct shower *s, const struct visited *v)
{
	const struct xfs_geometry *g = &s->db->fs->geo;
	unsigned long long daddr = xfs_agbno_daddr(g, XFS_AGNO(s->agno), XFS_AGBNO(v->ptr)).v;
	struct xfs_buf *buf = NULL;
	int err = xfs_fs_get_block(s->db->fs, xfs_fsbno_of(g, XFS_AGNO(s->agno), XFS_AGBNO(v->ptr)), XFS_BLK_RMAPBT,
				   &buf);

	if (s->json) {
		xfs_json_object(s->json, NULL);
		xfs_json_u64(s->json, "level", v->level);
		xfs_json_u64(s->json, "agbno", v->ptr);
		xfs_json_u64(s->json, "daddr", daddr);
	} else {
		db_out(s->db, "visited level %u block %u/%llu daddr %llu", v->level, s->agno,
		       (unsigned long long)v->ptr, daddr);
	}
	if (!err)
		show_block_keys(s, buf->data, v->level);
	xfs_buf_put(buf);
	if (s->json)
		xfs_json_object_end(s->json);
	else
		db_out(s->db, "\n");
}

static void show_visits(struct shower *s, const struct visits *v, const struct xfs_btree_visits *counts)
{
	if (s->json) {
		xfs_json_array_end(s->json);
		xfs_json_array(s->json, "visited");
	}
	for (size_t i = 0; i < v->n; i++)
		show_visit(s, &v->list[i]);
	if (s->json)
		return;
	db_out(s->db, "%llu records", (unsigned long long)s->nth);
	for (unsigned level = XFS_BTREE_MAXLEVELS; level-- > 0;)
		if (counts->blocks[level])
			db_out(s->db, ", %u blocks of level %u", counts->blocks[level], level);
	db_out(s->db, "\n");
}

/* Records that touch blocks from..to of the AG, then the blocks of the tree that were read to find them. */
static void query(struct shower *s, uint32_t from, uint32_t to)
{
	struct xfs_btree_key lo = { { from, 0, 0 } }, hi = { { to, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree_visits counts = { .blocks = { 0 } };
	struct visits v = { .list = NULL };
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(s->db->fs, XFS_AGNO(s->agno), XFS_BTREE_RMAP, &bt);

	if (s->json) {
		db_json_start(s->db, s->json);
		xfs_json_object(s->json, NULL);
		xfs_json_array(s->json, "records");
	}
	if (!err)
		err = xfs_btree_query_range(&bt, &lo, &hi, show_record, s, &counts, note_visit, &v);
	if (!err && v.nomem)
		err = -XFS_E_NOMEM;
	show_visits(s, &v, &counts);
	if (s->json) {
		xfs_json_array_end(s->json);
		xfs_json_object_end(s->json);
		db_json_end(s->db, s->json);
	}
	if (err)
		fprintf(stderr, "%s: rmapbt of AG %u: %s\n", s->db->prog, s->agno, xfs_error_text(err));
	free(v.list);
}

void db_run_rmapbt(struct db *db, int argc, char **argv)
{
	struct shower s = { .db = db, .keys = true };
	uint64_t agno, start, len;
	struct xfs_json json;
	char **arg;
	int opt;

	if (!has_rmapbt(db))
		return;
	optind = 0;
	while ((opt = getopt(argc, argv, "j")) != -1) {
		if (opt != 'j') {
			db_out(db, "bad option for rmapbt command\n");
			return;
		}
		s.json = &json;
	}
	arg = argv + optind;
	if (argc - optind != 4 || strcmp(arg[0], "query") != 0) {
		db_out(db, "usage: rmapbt query [-j] agno start len\n");
	} else if (!db_number(arg[1], &agno) || agno >= db->fs->geo.agcount) {
		db_out(db, "bad allocation group number %s\n", arg[1]);
	} else if (!db_number(arg[2], &start) || start >= xfs_ag_length(&db->fs->geo, XFS_AGNO(agno))) {
		db_out(db, "bad block number %s\n", arg[2]);
	} else if (!db_number(arg[3], &len) || !len) {
		db_out(db, "bad length %s\n", arg[3]);
	} else {
		s.agno = (uint32_t)agno;
		query(&s, (uint32_t)start, (uint32_t)(start + xfs_min(len, UINT32_MAX - start) - 1));
	}
}
