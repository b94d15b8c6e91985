/* SPDX-License-Identifier: BSD-2-Clause */
/* owner.c - the command that tells who owns a block. */
#include "db/owner.h"

#include "libxfs/base/grow.h"
#include "libxfs/name/path.h"

#include <stdlib.h>
#include <unistd.h>

#define PATH_ROOM 65536u

struct shower {
	struct db *db;
	struct xfs_json *json;
	xfs_agno_t agno;
	xfs_agbno_t agbno;
	struct db_owners owners;
	struct db_links links;
	bool shared;
	char *path;
};

const char *db_owner_word(uint64_t owner)
{
	static const char *const words[] = { "null", "unknown", "static fs metadata", "log", "per-AG metadata",
					     "inode btrees",
		"inodes", "refcount btree", "copy-on-write staging" };
	uint64_t n = UINT64_C(0) - owner;

	return n >= 1 && n <= XFS_ARRAY_SIZE(words) ? words[n - 1] : NULL;
}

static const char *word_of(uint64_t owner)
{
	const char *word;

	if (owner == DB_OWNER_FREE)
		return "free space";
	if (owner == DB_OWNER_FREELIST)
		return "AG free list";
	word = db_owner_word(owner);
	return word ? word : "unknown";
}

int db_owners_add(struct db_owners *o, const struct db_owner *owner)
{
	if (xfs_grow(&o->list, o->n, &o->room, 16))
		return -XFS_E_NOMEM;
	o->list[o->n++] = *owner;
	return 0;
}

/* ---- by reverse mappings ---- */

static int add_record(void *payload, const void *rec)
{
	struct shower *s = payload;
	struct xfs_rmap_rec r;
	struct db_owner o;

	xfs_rmap_rec_decode(&r, rec);
	o = (struct db_owner){ .owner = r.owner, .attr = r.attrfork, .bmbt = r.bmbtblock, .unwritten = r.extentflag };
	if (!xfs_owner_is_special(r.owner) && !r.bmbtblock)
		o.offset = r.offset + (s->agbno.v - r.startblock);
	return db_owners_add(&s->owners, &o);
}

static int query(struct shower *s)
{
	struct xfs_btree_key lo = { { s->agbno.v, 0, 0 } }, hi = { { s->agbno.v, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree bt;
	int err = xfs_fs_ag_btree(s->db->fs, s->agno, XFS_BTREE_RMAP, &bt);

	if (!err)
		err = xfs_btree_query_range(&bt, &lo, &hi, add_record, s, NULL, NULL, NULL);
	if (!err && !s->owners.n && db_block_is_free(s->db, s->agno, s->agbno))
		err = db_owners_add(&s->owners, &(struct db_owner){ .owner = DB_OWNER_FREE });
	return err;
}

bool db_block_is_free(struct db *db, xfs_agno_t agno, xfs_agbno_t agbno)
{
	struct xfs_btree_key key = { { agbno.v, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree_cursor cur;
	struct xfs_btree bt;
	bool found = false;

	if (xfs_fs_ag_btree(db->fs, agno, XFS_BTREE_BNO, &bt))
		return false;
	xfs_btree_cursor_init(&cur, &bt);
	if (xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key) == 0) {
		const struct xfs_bnobt_rec_disk *rec = xfs_btree_record(&cur);

		found = agbno.v - xfs_bnobt_rec_get_startblock(rec) < xfs_bnobt_rec_get_blockcount(rec);
	}
	xfs_btree_cursor_close(&cur);
	return found;
}

/* ---- paths ---- */

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int find_links(struct shower *s)
{
	uint64_t *inos = malloc((s->owners.n + 1) * sizeof(*inos));
	size_t n = 0, kept = 0;
	int err = inos ? 0 : -XFS_E_NOMEM;

	for (size_t i = 0; !err && i < s->owners.n; i++)
		if (!xfs_owner_is_special(s->owners.list[i].owner))
			inos[n++] = s->owners.list[i].owner;
	if (n) {
		qsort(inos, n, sizeof(*inos), compare_numbers);
		for (size_t i = 0; i < n; i++)
			if (!kept || inos[kept - 1] != inos[i])
				inos[kept++] = inos[i];
		err = db_links_find(s->db, inos, kept, &s->links);
	}
	free(inos);
	return err;
}

/* The path of one link, NULL when its directory is not to be found. */
static const char *path_of(struct shower *s, const struct db_link *l)
{
	size_t len;

	if (xfs_path_of(s->db->fs, XFS_INO(l->dir), s->path, PATH_ROOM - XFS_DIR_NAME_MAX - 2))
		return NULL;
	len = strlen(s->path);
	snprintf(s->path + len, PATH_ROOM - len, "%s%s", len && s->path[len - 1] == '/' ? "" : "/",
		 s->links.names + l->name);
	return s->path;
}

static const struct db_link *first_link(const struct shower *s, uint64_t ino)
{
	for (size_t i = 0; i < s->links.n; i++)
		if (s->links.list[i].ino == ino)
			return &s->links.list[i];
	return NULL;
}

/* Calls show for each path of the inode; how many there were. */
static size_t each_path(struct shower *s, uint64_t ino,
			void (*show)(struct shower *, const struct db_owner *, const char *), const struct db_owner *o)
{
	const struct db_link *l = first_link(s, ino), *end = s->links.list + s->links.n;
	size_t shown = 0;

	if (ino == s->db->fs->geo.sb.rootino) {
		show(s, o, "/");
		return 1;
	}
	for (; l && l < end && l->ino == ino; l++) {
		const char *path = path_of(s, l);

		if (path) {
			show(s, o, path);
			shown++;
		}
	}
	return shown;
}

/* ---- showing ---- */

static void show_head(struct shower *s)
{
	db_out(s->db, "%llu (%u/%u): ", (unsigned long long)xfs_fsbno_of(&s->db->fs->geo, s->agno, s->agbno).v,
	       s->agno.v, s->agbno.v);
}

static bool is_shared(const struct shower *s, const struct db_owner *o)
{
	return s->shared && !o->attr && !o->bmbt && !o->unwritten;
}

static void show_text(struct shower *s, const struct db_owner *o, const char *path)
{
	show_head(s);
	db_out(s->db, "inode %llu %s fork ", (unsigned long long)o->owner, o->attr ? "attr" : "data");
	if (o->bmbt)
		db_out(s->db, "bmbt block");
	else
		db_out(s->db, "offset %llu", (unsigned long long)o->offset);
	db_out(s->db, "%s%s: %s\n", o->unwritten ? ", unwritten" : "", is_shared(s, o) ? ", shared" : "", path);
}

static void show_json_path(struct shower *s, const struct db_owner *o, const char *path)
{
	(void)o;
	xfs_json_bytes(s->json, NULL, path, strlen(path));
}

static void show_json(struct shower *s, const struct db_owner *o)
{
	struct xfs_json *j = s->json;

	xfs_json_object(j, NULL);
	xfs_json_u64(j, "fsblock", xfs_fsbno_of(&s->db->fs->geo, s->agno, s->agbno).v);
	xfs_json_u64(j, "agno", s->agno.v);
	xfs_json_u64(j, "agbno", s->agbno.v);
	if (xfs_owner_is_special(o->owner)) {
		xfs_json_string(j, "owner", word_of(o->owner));
	} else {
		xfs_json_string(j, "owner", "inode");
		xfs_json_u64(j, "inode", o->owner);
		xfs_json_string(j, "fork", o->attr ? "attr" : "data");
		if (!o->bmbt)
			xfs_json_u64(j, "offset", o->offset);
		xfs_json_bool(j, "bmbt", o->bmbt);
		xfs_json_bool(j, "unwritten", o->unwritten);
		xfs_json_bool(j, "shared", is_shared(s, o));
		xfs_json_array(j, "paths");
		each_path(s, o->owner, show_json_path, o);
		xfs_json_array_end(j);
	}
	xfs_json_object_end(j);
}

static void show_owner(struct shower *s, const struct db_owner *o)
{
	if (s->json) {
		show_json(s, o);
	} else if (xfs_owner_is_special(o->owner)) {
		show_head(s);
		db_out(s->db, "%s\n", word_of(o->owner));
	} else if (!each_path(s, o->owner, show_text, o)) {
		show_text(s, o, "no path");
	}
}

static int tell(struct shower *s)
{
	size_t files = 0;
	int err = s->db->fs->geo.rmapbt ? query(s) : db_owners_scan(s->db, s->agno, s->agbno, &s->owners);
	int links;

	for (size_t i = 0; i < s->owners.n; i++)
		files += !xfs_owner_is_special(s->owners.list[i].owner);
	s->shared = files > 1;
	links = find_links(s);
	for (size_t i = 0; i < s->owners.n; i++)
		show_owner(s, &s->owners.list[i]);
	if (!s->owners.n && !err && !s->json) {
		show_head(s);
		db_out(s->db, "no owner, and not free\n");
	}
	return err ? err : links;
}

void db_run_owner(struct db *db, int argc, char **argv)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct shower s = { .db = db };
	struct xfs_json json;
	uint64_t fsbno;
	int opt, err;

	optind = 0;
	while ((opt = getopt(argc, argv, "j")) != -1) {
		if (opt != 'j') {
			db_out(db, "bad option for owner command\n");
			return;
		}
		s.json = &json;
	}
	if (argc != optind + 1) {
		db_out(db, "usage: owner [-j] fsblock\n");
		return;
	}
	if (!db_number(argv[optind], &fsbno) || !db_fsblock_exists(g, fsbno)) {
		db_out(db, "bad fsblock %s\n", argv[optind]);
		return;
	}
	s.agno = xfs_fsbno_agno(g, XFS_FSBNO(fsbno));
	s.agbno = xfs_fsbno_agbno(g, XFS_FSBNO(fsbno));
	s.path = malloc(PATH_ROOM);
	if (!s.path)
		return;
	if (s.json)
		db_json_start(db, s.json);
	err = tell(&s);
	if (s.json)
		db_json_end(db, s.json);
	if (err)
		fprintf(stderr, "%s: owner: not everything could be read: %s\n", db->prog, xfs_error_text(err));
	free(s.path);
	free(s.owners.list);
	db_links_free(&s.links);
}
