/* SPDX-License-Identifier: BSD-2-Clause */
/* btheight.c - levels and blocks that a number of records needs in a tree of some kind. */
#include "db/report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MIN_BLOCK 128
#define MAX_BLOCK 2147483647

/* Bytes of the parts of a tree's blocks. */
struct shape {
	const char *name;
	uint32_t header, rec, key, ptr;
};

static const struct {
	const char *name;
	enum xfs_btree_id id;
	unsigned most;		/* levels on any filesystem that the format allows (format sheet 07, section 6) */
} trees[] = {
	{ "bnobt", XFS_BTREE_BNO, 7 }, { "cntbt", XFS_BTREE_CNT, 7 }, { "inobt", XFS_BTREE_INO, 6 },
	{ "finobt", XFS_BTREE_FINO, 6 },
	{ "bmapbt", XFS_BTREE_BMAP, 14 }, { "refcountbt", XFS_BTREE_REFC, 6 }, { "rmapbt", XFS_BTREE_RMAP, 10 },
	{ "rtrmapbt", XFS_BTREE_RTRMAP, 21 }, { "rtrefcountbt", XFS_BTREE_RTREFC, 6 },
};

/* How full blocks are: entries of a block that takes `most`. */
enum fill { BEST, AVERAGE, WORST, FILLS };
static const char *const fill_words[] = { "best", "average", "worst" };

static uint32_t filled(enum fill fill, uint32_t most)
{
	return fill == BEST ? most : fill == WORST ? most / 2 : (most + most / 2) / 2;
}

struct request {
	struct db *db;
	struct xfs_json *json;
	uint64_t blocksize, records;
	bool fills[FILLS], absolute;
};

/* ---- what the user asks for ---- */

static struct shape shape_of(struct db *db, size_t tree)
{
	const struct xfs_btree_kind *kind = &xfs_btree_kinds[trees[tree].id];
	bool v5 = db->fs->geo.v5 || !kind->magic_v4;	/* trees that only V5 has are shown as they are there */

	return (struct shape){ trees[tree].name, xfs_btree_header_len(kind->shape, v5), kind->shape->reclen,
			       kind->shape->keylen, kind->shape->ptrlen };
}

/* "rec:key:ptr:header"; false with a complaint. */
static bool parse_shape(const char *text, struct shape *s)
{
	static const struct { const char *name; uint32_t len; } headers[] = { { "short", XFS_BTREE_SHORT_V4 },
		{ "long", XFS_BTREE_LONG_V4 }, { "shortcrc", XFS_BTREE_SHORT_V5 }, { "longcrc", XFS_BTREE_LONG_V5 } };
	uint32_t *const parts[] = { &s->rec, &s->key, &s->ptr };
	const char *at = text;

	s->name = text;
	for (unsigned i = 0; i < 3; i++) {
		char *end;
		unsigned long v = strtoul(at, &end, 0);

		if (end == at || *end != ':' || v > UINT16_MAX) {
			fprintf(stderr, "%.*s: %s\n", (int)strcspn(at, ":"), at, strerror(ERANGE));
			return false;
		}
		*parts[i] = (uint32_t)v;
		at = end + 1;
	}
	for (size_t i = 0; i < XFS_ARRAY_SIZE(headers); i++)
		if (strcmp(at, headers[i].name) == 0) {
			s->header = headers[i].len;
			return true;
		}
	fprintf(stderr, "%s: %s\n", *at ? at : text, *at ? "unrecognized btree header type." :
		"header type not found.");
	return false;
}

static bool parse_case(struct request *r, const char *word)
{
	static const struct { const char *word; bool fills[FILLS], absolute; } cases[] = {
		{ "max", { true, false, false }, false }, { "avg", { false, true, false }, false },
		{ "min", { false, false, true }, false }, { "absmax", { false, false, false }, true } };

	for (size_t i = 0; i < XFS_ARRAY_SIZE(cases); i++)
		if (strcmp(word, cases[i].word) == 0) {
			memcpy(r->fills, cases[i].fills, sizeof(r->fills));
			r->absolute = cases[i].absolute;
			return true;
		}
	return false;
}

static bool parse_number(const char *text, uint64_t *v)
{
	if (db_number(text, v))
		return true;
	fprintf(stderr, "%s: %s\n", text, strerror(ERANGE));
	return false;
}

static bool is_possible(const struct request *r)
{
	if (r->absolute)
		return true;
	if (!r->records)
		fprintf(stderr, "Number of records must be greater than zero.\n");
	else if (r->blocksize > MAX_BLOCK)
		fprintf(stderr, "The largest block size this command will consider is %d bytes.\n", MAX_BLOCK);
	else if (r->blocksize < MIN_BLOCK)
		fprintf(stderr, "The smallest block size this command will consider is %d bytes.\n", MIN_BLOCK);
	else
		return true;
	return false;
}

static bool is_sound(const struct request *r, const struct shape *s)
{
	uint32_t room = (uint32_t)r->blocksize - s->header;

	if (!s->rec || !s->key || !s->ptr)
		fprintf(stderr, "%s: %s size cannot be zero.\n", s->name, !s->rec ? "record" :
			!s->key ? "key" : "pointer");
	else if (s->rec > room)
		fprintf(stderr, "%s: record size must be less than selected block size (%u bytes).\n", s->name, room);
	else if (s->key + s->ptr > room)
		fprintf(stderr, "%s: key and pointer size must be less than selected block size (%u bytes).\n", s->name,
			room);
	else
		return true;
	return false;
}

/* ---- answers ---- */

static void show_level(struct request *r, unsigned level, uint64_t records, uint64_t blocks)
{
	if (r->json) {
		xfs_json_object(r->json, NULL);
		xfs_json_u64(r->json, "level", level);
		xfs_json_u64(r->json, "records", records);
		xfs_json_u64(r->json, "blocks", blocks);
		xfs_json_object_end(r->json);
	} else {
		db_out(r->db, "level %u: %llu record%s, %llu block%s\n", level, (unsigned long long)records,
		       records == 1 ? "" : "s", (unsigned long long)blocks, blocks == 1 ? "" : "s");
	}
}

static void show_levels(struct request *r, uint32_t leaf, uint32_t node)
{
	uint64_t records = r->records, blocks = xfs_ceil_div(records, leaf), total = blocks;
	unsigned level = 0;

	show_level(r, 0, records, blocks);
	while (blocks > 1) {
		records = blocks;
		blocks = xfs_ceil_div(records, node);
		total += blocks;
		show_level(r, ++level, records, blocks);
	}
	if (r->json) {
		xfs_json_array_end(r->json);
		xfs_json_u64(r->json, "height", level + 1);
		xfs_json_u64(r->json, "total_blocks", total);
	} else {
		db_out(r->db, "%u level%s, %llu block%s total\n", level + 1, level ? "s" : "",
		       (unsigned long long)total, total == 1 ? "" : "s");
	}
}

static void show_tree(struct request *r, const struct shape *s)
{
	uint32_t room = (uint32_t)r->blocksize - s->header;

	if (!is_sound(r, s))
		return;
	for (enum fill f = BEST; f < FILLS; f++) {
		uint32_t leaf = filled(f, room / s->rec), node = filled(f, room / (s->key + s->ptr));

		if (!r->fills[f])
			continue;
		if (room / s->rec < 2 || room / (s->key + s->ptr) < 4) {
			fprintf(stderr, "%s: cannot calculate %s case scenario due to %s geometry underflow.\n",
				s->name, fill_words[f], room / s->rec < 2 ? "leaf" : "node");
			return;
		}
		if (r->json) {
			xfs_json_object(r->json, NULL);
			xfs_json_string(r->json, "type", s->name);
			xfs_json_string(r->json, "case", fill_words[f]);
			xfs_json_u64(r->json, "blocksize", r->blocksize);
			xfs_json_u64(r->json, "leaf_records", leaf);
			xfs_json_u64(r->json, "node_keyptrs", node);
			xfs_json_array(r->json, "levels");
		} else {
			db_out(r->db, "%s: %s case per %llu-byte block: %u records (leaf) / %u keyptrs (node)\n",
			       s->name, fill_words[f], (unsigned long long)r->blocksize, leaf, node);
		}
		show_levels(r, leaf, node);
		if (r->json)
			xfs_json_object_end(r->json);
	}
}

static void show_most(struct request *r, size_t tree)
{
	if (r->json) {
		xfs_json_object(r->json, NULL);
		xfs_json_string(r->json, "type", trees[tree].name);
		xfs_json_u64(r->json, "max_height", trees[tree].most);
		xfs_json_object_end(r->json);
	} else {
		db_out(r->db, "%s: %u\n", trees[tree].name, trees[tree].most);
	}
}

static void answer(struct request *r, const char *name)
{
	bool known = false;
	struct shape s;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(trees); i++) {
		if (strcmp(name, "all") != 0 && strcmp(name, trees[i].name) != 0)
			continue;
		known = true;
		s = shape_of(r->db, i);
		r->absolute ? show_most(r, i) : show_tree(r, &s);
	}
	if (known)
		return;
	if (r->absolute)
		db_out(r->db, "%s: Don't know how to report max height.\n", name);
	else if (parse_shape(name, &s))
		show_tree(r, &s);
}

void db_run_btheight(struct db *db, int argc, char **argv)
{
	struct request r = { .db = db, .blocksize = db->fs->geo.blocksize, .fills = { true, true, true } };
	struct xfs_json json;
	bool good = true;
	int opt;

	optind = 0;
	while (good && (opt = getopt(argc, argv, "b:n:w:j")) != -1) {
		switch (opt) {
		case 'b': good = parse_number(optarg, &r.blocksize); break;
		case 'n': good = parse_number(optarg, &r.records); break;
		case 'j': r.json = &json; break;
		case 'w':
			if (parse_case(&r, optarg))
				break;
			/* fallthrough */
		default:
			db_out(db, "\n%s\n", db_command_find("btheight")->help);
			return;
		}
	}
	if (!good || !is_possible(&r))
		return;
	if (r.json)
		db_json_start(db, r.json);
	for (int i = optind; i < argc; i++)
		answer(&r, argv[i]);
	if (r.json)
		db_json_end(db, r.json);
}
