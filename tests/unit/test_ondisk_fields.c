/* SPDX-License-Identifier: BSD-2-Clause */
/* test_ondisk_fields.c - every field of the vectors read through field paths; records packed and unpacked. */
#include "libxfs/ondisk/btree.h"
#include "tests/unit/ondisk.h"

#include <stdio.h>
#include <stdlib.h>

static void check_index(const struct xfs_ctx *c, struct xfs_place top, json_t *obj, const char *key, const char *array,
			size_t i, const char *sub)
{
	char path[100];

	snprintf(path, sizeof(path), "%s[%zu]%s%s", array, i, *sub ? "." : "", sub);
	ondisk_check(c, top, obj, key, path);
}

/* the members of `obj` that are numbers or uuids, under a prefix; "from=to" pairs rename */
static void check_all(const struct xfs_ctx *c, struct xfs_place top, json_t *obj, const char *prefix,
		      const char *const *renames)
{
	const char *key;
	json_t *v;

	json_object_foreach(obj, key, v) {
		const char *name = key;
		char path[160];

		if (json_is_array(v) || json_is_object(v))
			continue;
		for (const char *const *r = renames; r && *r; r++) {
			size_t n = strlen(key);

			if (strncmp(*r, key, n) == 0 && (*r)[n] == '=')
				name = *r + n + 1;
		}
		if (!*name)
			continue;
		snprintf(path, sizeof(path), "%s%s", prefix, name);
		ondisk_check(c, top, obj, key, path);
	}
}

static void free_sample(uint8_t *bytes)
{
	free(bytes);
}

START_TEST(ag_headers)
{
	static const char *const renames[] = { "bno_root=bnoroot", "cnt_root=cntroot", "rmap_root=rmaproot",
		"bno_level=bnolevel", "cnt_level=cntlevel", "rmap_level=rmaplevel", "rmap_blocks=rmapblocks",
		"refcount_blocks=refcntblocks", "refcount_root=refcntroot", "refcount_level=refcntlevel",
		"iblocks=ino_blocks", "fblocks=fino_blocks", NULL };
	static const char *const agfl[] = { "slots=", "flfirst=", "fllast=", "flcount=", NULL };
	json_t *root = vectors_load("ag-headers.json"), *rows = vectors_get(root, "samples"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *kind = vectors_get_str(row, "kind");
		json_t *f = vectors_get(row, "fields"), *v;
		uint8_t *bytes;
		struct xfs_ctx c = ondisk_sample(row, &bytes);
		struct xfs_place top = ondisk_type(&c, kind);
		size_t k;

		if (strcmp(kind, "agfl") == 0) {
			uint32_t slots = (uint32_t)vectors_get_u64(f, "slots"),
				 first = (uint32_t)vectors_get_u64(f, "flfirst");

			check_all(&c, top, f, "", agfl);
			json_array_foreach(vectors_get(f, "active"), k, v)
				ck_assert_uint_eq(ondisk_get(&c, top, "bno[%zu]", (first + k) % slots), vectors_u64(v));
		} else {
			check_all(&c, top, f, "", renames);
			json_array_foreach(json_object_get(f, "unlinked_not_null"), k, v)
				ck_assert_uint_eq(ondisk_get(&c, top, "unlinked[%d]",
							     (int)vectors_u64(json_array_get(v, 0))),
						  vectors_u64(json_array_get(v, 1)));
		}
		free_sample(bytes);
	}
	ck_assert_uint_gt(i, 30);
	json_decref(root);
}
END_TEST

static void check_rec(const struct xfs_ctx *c, struct xfs_place top, const char *kind, const char *array, size_t k,
		json_t *rec)
{
	static const char *const names[][2] = { { "start", "startblock" }, { "count", "blockcount" }, { "startblock",
			"startblock" },
		{ "blockcount", "blockcount" }, { "startino", "startino" }, { "holemask", "holemask" },
		{ "freecount", "freecount" }, { "owner", "owner" }, { "offset", "offset" }, { "attr", "attrfork" },
		{ "bmbt", "bmbtblock" }, { "unwritten", "extentflag" }, { "cow", "cowflag" },
		{ "refcount", "refcount" },
		{ "startoff", "startoff" } };

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (json_object_get(rec, names[n][0])) {
			bool inodes = strstr(kind, "inobt") != NULL && strcmp(names[n][0], "count") == 0;

			check_index(c, top, rec, names[n][0], array, k, inodes ? "count" : names[n][1]);
		}
}

static void check_node(const struct xfs_ctx *c, struct xfs_place top, const char *kind, json_t *f)
{
	const char *only = strstr(kind, "inobt") ? "startino" : strcmp(kind, "bmbt") == 0 ? "startoff" : "startblock";
	json_t *v;
	size_t k;

	json_array_foreach(vectors_get(f, "keys"), k, v) {
		if (json_object_get(v, "low")) {
			json_t *high = vectors_get(v, "high");

			check_rec(c, top, kind, "keys", k + 1, vectors_get(v, "low"));
			check_index(c, top, high, "start", "keys", k + 1, "startblock_hi");
			check_index(c, top, high, "owner", "keys", k + 1, "owner_hi");
			check_index(c, top, high, "offset", "keys", k + 1, "offset_hi");
			check_index(c, top, high, "attr", "keys", k + 1, "attrfork_hi");
		} else if (json_is_object(v)) {
			check_rec(c, top, kind, "keys", k + 1, v);
		} else {
			ck_assert_uint_eq(ondisk_get(c, top, "keys[%zu].%s", k + 1, only), vectors_u64(v));
		}
	}
	json_array_foreach(vectors_get(f, "ptrs"), k, v)
		ck_assert_uint_eq(ondisk_get(c, top, "ptrs[%zu]", k + 1), vectors_u64(v));
}

START_TEST(btree_blocks)
{
	static const char *const renames[] = { "blkno=bno", NULL };
	json_t *root = vectors_load("btree-blocks.json"), *rows = vectors_get(root, "samples"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *kind = vectors_get_str(row, "kind");
		const char *type = strcmp(kind, "refcountbt") == 0 ? "refcntbt" :
				   strcmp(kind, "bmbt") == 0 ? "bmapbtd" : kind;
		json_t *f = vectors_get(row, "fields"), *recs = json_object_get(f, "records"), *v;
		uint8_t *bytes;
		struct xfs_ctx c = ondisk_sample(row, &bytes);
		struct xfs_place top = ondisk_type(&c, type);
		size_t k;

		check_all(&c, top, vectors_get(f, "header"), "", renames);
		json_array_foreach(recs, k, v)
			check_rec(&c, top, kind, "recs", k + 1, v);
		if (!recs)
			check_node(&c, top, kind, f);
		free_sample(bytes);
	}
	ck_assert_uint_gt(i, 50);
	json_decref(root);
}
END_TEST

static void check_hex(const struct xfs_ctx *c, struct xfs_place top, json_t *obj, const char *key, const char *array,
		size_t i,
		      const char *sub)
{
	size_t want_len, len;
	uint8_t *want = vectors_hex(vectors_get_str(obj, key), &want_len), *got;

	if (want_len) {
		got = ondisk_bytes(c, top, &len, "%s[%zu].%s", array, i, sub);
		ck_assert_uint_eq(len, want_len);
		ck_assert_mem_eq(got, want, len);
		free(got);
	}
	free(want);
}

static void check_extents(const struct xfs_ctx *c, struct xfs_place top, json_t *list, const char *fork)
{
	char array[40];
	json_t *v;
	size_t k;

	snprintf(array, sizeof(array), "%s.bmx", fork);
	json_array_foreach(list, k, v)
		check_rec(c, top, "bmbt", array, k, v);
}

static void check_root(const struct xfs_ctx *c, struct xfs_place top, json_t *root, const char *fork)
{
	json_t *v;
	size_t k;

	ck_assert_uint_eq(ondisk_get(c, top, "%s.bmbt.level", fork), vectors_get_u64(root, "level"));
	ck_assert_uint_eq(ondisk_get(c, top, "%s.bmbt.numrecs", fork), vectors_get_u64(root, "numrecs"));
	json_array_foreach(vectors_get(root, "keys"), k, v)
		ck_assert_uint_eq(ondisk_get(c, top, "%s.bmbt.keys[%zu].startoff", fork, k + 1), vectors_u64(v));
	json_array_foreach(vectors_get(root, "ptrs"), k, v)
		ck_assert_uint_eq(ondisk_get(c, top, "%s.bmbt.ptrs[%zu]", fork, k + 1), vectors_u64(v));
}

static void check_local(const struct xfs_ctx *c, struct xfs_place top, json_t *f, const char *u)
{
	json_t *dir = json_object_get(f, "dir_sf"), *attr = json_object_get(f, "attr_sf"), *v;
	size_t k, n;
	char list[60];

	if (dir) {
		const char *width = vectors_get_u64(dir, "i8count") ? "i8" : "i4";

		n = snprintf(list, sizeof(list), "%s.sfdir3.list", u);
		ck_assert_uint_lt(n, sizeof(list));
		ck_assert_uint_eq(ondisk_get(c, top, "%s.sfdir3.hdr.count", u), vectors_get_u64(dir, "count"));
		ck_assert_uint_eq(ondisk_get(c, top, "%s.sfdir3.hdr.parent.%s", u, width),
				  vectors_get_u64(dir, "parent"));
		json_array_foreach(vectors_get(dir, "entries"), k, v) {
			check_index(c, top, v, "offset", list, k, "offset");
			check_hex(c, top, v, "name", list, k, "name");
			ck_assert_uint_eq(ondisk_get(c, top, "%s[%zu].inumber.%s", list, k, width),
					  vectors_get_u64(v, "ino"));
			ck_assert_uint_eq(ondisk_get(c, top, "%s[%zu].filetype", list, k), vectors_get_u64(v, "ftype"));
		}
	}
	if (!attr)
		return;
	ck_assert_uint_eq(ondisk_get(c, top, "a.sfattr.hdr.totsize"), vectors_get_u64(attr, "totsize"));
	json_array_foreach(vectors_get(attr, "entries"), k, v) {
		check_index(c, top, v, "namelen", "a.sfattr.list", k, "namelen");
		check_index(c, top, v, "valuelen", "a.sfattr.list", k, "valuelen");
		check_index(c, top, v, "flags", "a.sfattr.list", k, "flags");
		check_hex(c, top, v, "name", "a.sfattr.list", k, "name");
		check_hex(c, top, v, "value", "a.sfattr.list", k,
			  vectors_get_u64(v, "flags") & 8 ? "parent_dir" : "value");
	}
}

START_TEST(inode_forks)
{
	json_t *root = vectors_load("inodes.json"), *rows = vectors_get(root, "samples"), *row;
	unsigned locals = 0, roots = 0, extents = 0;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_t *f = vectors_get(row, "fields"), *v;
		uint8_t *bytes;
		struct xfs_ctx c = ondisk_sample(row, &bytes);
		struct xfs_place top = ondisk_type(&c, "inode");
		const char *u = c.v5 ? "u3" : "u";

		c.ftype = true;		/* the V4 image of the vectors has it */
		check_all(&c, top, f, "core.",
			  (const char *const[]){ "nlink=nlinkv2", "metatype=", "big_nextents=", "atime=", "mtime=",
						 "ctime=", "crtime=", "nextents_or_big_anextents=", "anextents_or_pad=",
						 "next_unlinked=",
			"crc=", "changecount=", "lsn=", "flags2=", "cowextsize=", "ino=", "uuid=", "data_fork_bytes=",
			"attr_fork_bytes=", "anextents=naextents", "symlink_target=", NULL });
		if ((v = json_object_get(f, "data_extents")) && vectors_get_u64(f, "format") == 2) {
			check_extents(&c, top, v, u);
			extents++;
		}
		if ((v = json_object_get(f, "attr_extents")) && vectors_get_u64(f, "aformat") == 2)
			check_extents(&c, top, v, "a");
		if ((v = json_object_get(f, "data_bmdr"))) {
			check_root(&c, top, v, u);
			roots++;
		}
		if ((v = json_object_get(f, "attr_bmdr")))
			check_root(&c, top, v, "a");
		if ((v = json_object_get(f, "rdev")))
			ck_assert_uint_eq(ondisk_get(&c, top, "%s.dev", u), vectors_get_u64(v, "raw"));
		if (json_object_get(f, "dir_sf") || json_object_get(f, "attr_sf"))
			locals++;
		check_local(&c, top, f, u);
		free_sample(bytes);
	}
	ck_assert_uint_gt(locals, 5);
	ck_assert_uint_gt(roots, 2);
	ck_assert_uint_gt(extents, 5);
	json_decref(root);
}
END_TEST

static uint64_t hash_of(json_t *entry)
{
	return strtoull(vectors_get_str(entry, "hash"), NULL, 16);
}

static void check_dir_entries(const struct xfs_ctx *c, struct xfs_place top, json_t *list, const char *array)
{
	json_t *v;
	size_t k;

	json_array_foreach(list, k, v) {
		ck_assert_uint_eq(ondisk_get(c, top, "%s[%zu].tag", array, k), vectors_get_u64(v, "at"));
		if (json_object_get(v, "unused")) {
			check_index(c, top, v, "length", array, k, "length");
			continue;
		}
		check_index(c, top, v, "ino", array, k, "inumber");
		check_hex(c, top, v, "name", array, k, "name");
		if (c->v5)
			check_index(c, top, v, "ftype", array, k, "filetype");
	}
	/* and there is nothing behind them */
	ck_assert(ondisk_get(c, top, "%s[%zu].tag", array, k - 1) != 0);
}

START_TEST(directory_blocks)
{
	static const char *const v5[] = { "forw=hdr.forw", "back=hdr.back", "magic=hdr.magic", "blkno=bno", "count=",
			"stale=", "level=", NULL };
	static const char *const blk[] = { "blkno=bno", "firstdb=", "nvalid=", "nused=", NULL };
	json_t *root = vectors_load("directory-blocks.json"), *rows = vectors_get(root, "samples"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *kind = vectors_get_str(row, "kind");
		json_t *f = vectors_get(row, "fields"), *h = vectors_get(f, "header"), *v;
		uint8_t *bytes;
		struct xfs_ctx c = ondisk_sample(row, &bytes);
		struct xfs_place top = ondisk_type(&c, c.v5 ? "dir3" : "dir2");
		bool data = strcmp(kind, "dir_data") == 0, block = strcmp(kind, "dir_block") == 0;
		size_t k;

		if (data || block) {
			check_all(&c, top, h, block ? c.v5 ? "bhdr.hdr." : "bhdr." : c.v5 ? "dhdr.hdr." : "dhdr.", blk);
			json_array_foreach(vectors_get(h, "bestfree"), k, v)
				check_index(&c, top, v, "length", block ? "bhdr.bestfree" : "dhdr.bestfree", k,
					    "length");
			check_dir_entries(&c, top, vectors_get(f, "entries"), block ? "bu" : "du");
			json_array_foreach(json_object_get(f, "leaf"), k, v) {
				ck_assert_uint_eq(ondisk_get(&c, top, "bleaf[%zu].hashval", k), hash_of(v));
				check_index(&c, top, v, "address", "bleaf", k, "address");
			}
			if (block)
				ck_assert_uint_eq(ondisk_get(&c, top, "btail.count"), vectors_get_u64(f, "leaf_count"));
		} else if (strcmp(kind, "dir_free") == 0) {
			check_all(&c, top, h, c.v5 ? "fhdr.hdr." : "fhdr.", c.v5 ? blk : NULL);
			ondisk_check(&c, top, h, "nvalid", "fhdr.nvalid");
			ondisk_check(&c, top, h, "firstdb", "fhdr.firstdb");
			json_array_foreach(vectors_get(f, "bests"), k, v)
				ck_assert_uint_eq(ondisk_get(&c, top, "fbests[%zu]", k), vectors_u64(v));
		} else {
			bool node = strcmp(kind, "dir_danode") == 0;
			const char *hdr = node ? "nhdr" : "lhdr", *ents = node ? "nbtree" : "lents";

			check_all(&c, top, h, node ? "nhdr.info." : "lhdr.info.",
				  c.v5 ? v5 : (const char *const[]){ "count=", "stale=", "level=", NULL });
			ck_assert_uint_eq(ondisk_get(&c, top, "%s.count", hdr), vectors_get_u64(h, "count"));
			json_array_foreach(vectors_get(f, "entries"), k, v) {
				ck_assert_uint_eq(ondisk_get(&c, top, "%s[%zu].hashval", ents, k), hash_of(v));
				check_index(&c, top, v, node ? "before" : "address", ents, k,
					    node ? "before" : "address");
			}
			json_array_foreach(json_object_get(f, "bests"), k, v)
				ck_assert_uint_eq(ondisk_get(&c, top, "lbests[%zu]", k), vectors_u64(v));
		}
		free_sample(bytes);
	}
	ck_assert_uint_gt(i, 20);
	json_decref(root);
}
END_TEST

static void check_attr_entry(const struct xfs_ctx *c, struct xfs_place top, json_t *v, size_t k)
{
	ck_assert_uint_eq(ondisk_get(c, top, "entries[%zu].hashval", k), hash_of(v));
	check_index(c, top, v, "nameidx", "entries", k, "nameidx");
	check_index(c, top, v, "flags", "entries", k, "flags");
	check_index(c, top, v, "namelen", "nvlist", k, "namelen");
	check_index(c, top, v, "valuelen", "nvlist", k, "valuelen");
	check_hex(c, top, v, "name", "nvlist", k, "name");
	if (json_object_get(v, "valueblk"))
		check_index(c, top, v, "valueblk", "nvlist", k, "valueblk");
	else if (json_object_get(v, "value"))
		check_hex(c, top, v, "value", "nvlist", k, vectors_get_u64(v, "flags") & 8 ? "parent_dir" : "value");
}

START_TEST(attr_blocks)
{
	static const char *const v5[] = { "forw=hdr.forw", "back=hdr.back", "magic=hdr.magic", "blkno=bno", "count=",
			"usedbytes=", "firstused=", "holes=", "level=", NULL };
	static const char *const v4[] = { "count=", "usedbytes=", "firstused=", "holes=", "level=", NULL };
	static const char *const rmt[] = { "blkno=bno", NULL };
	json_t *root = vectors_load("attr-blocks.json"), *rows = vectors_get(root, "samples"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *kind = vectors_get_str(row, "kind");
		json_t *f = vectors_get(row, "fields"), *h = json_object_get(f, "header"), *v;
		uint8_t *bytes;
		struct xfs_ctx c = ondisk_sample(row, &bytes);
		struct xfs_place top = ondisk_type(&c, c.v5 ? "attr3" : "attr");
		size_t k;

		if (strcmp(kind, "attr_remote") == 0) {
			if (c.v5)
				check_all(&c, top, h, "hdr.", rmt);
			free_sample(bytes);
			continue;
		}
		check_all(&c, top, h, "hdr.info.", c.v5 ? v5 : v4);
		ondisk_check(&c, top, h, "count", "hdr.count");
		json_array_foreach(json_object_get(h, "freemap"), k, v) {
			check_index(&c, top, v, "base", "hdr.freemap", k, "base");
			check_index(&c, top, v, "size", "hdr.freemap", k, "size");
		}
		json_array_foreach(vectors_get(f, "entries"), k, v) {
			if (strcmp(kind, "attr_node") == 0) {
				ck_assert_uint_eq(ondisk_get(&c, top, "btree[%zu].hashval", k), hash_of(v));
				check_index(&c, top, v, "before", "btree", k, "before");
			} else {
				check_attr_entry(&c, top, v, k);
			}
		}
		if (json_object_get(h, "usedbytes")) {
			ondisk_check(&c, top, h, "usedbytes", "hdr.usedbytes");
			ondisk_check(&c, top, h, "firstused", "hdr.firstused");
			ondisk_check(&c, top, h, "holes", "hdr.holes");
		}
		free_sample(bytes);
	}
	ck_assert_uint_gt(i, 20);
	json_decref(root);
}
END_TEST

START_TEST(symlink_blocks)
{
	static const char *const renames[] = { "blkno=bno", NULL };
	json_t *root = vectors_load("symlink-blocks.json"), *rows = vectors_get(root, "samples"), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_t *f = vectors_get(row, "fields");
		const char *part = vectors_get_str(f, "target_part");
		uint8_t *bytes, *got;
		struct xfs_ctx c = ondisk_sample(row, &bytes);
		struct xfs_place top;
		size_t len;

		if (c.v5) {
			top = ondisk_type(&c, "symlink");
			check_all(&c, top, vectors_get(f, "header"), "", renames);
			got = ondisk_bytes(&c, top, &len, "data");
			ck_assert_uint_eq(len, strlen(part));
			ck_assert_mem_eq(got, part, len);
			free(got);
		}
		free_sample(bytes);
	}
	ck_assert_uint_gt(i, 5);
	json_decref(root);
}
END_TEST

/* packed records and their keys: decode, encode over noise */
START_TEST(rmap_records)
{
	json_t *root = vectors_load("rmap-record.json"), *rows = vectors_get(root, "cases"), *row;
	size_t i, len;

	json_array_foreach(rows, i, row) {
		uint8_t *bytes = vectors_hex(vectors_get_str(row, "hex"), &len), again[24];
		struct xfs_rmap_rec rec;

		xfs_rmap_rec_decode(&rec, bytes);
		ck_assert_uint_eq(rec.startblock, vectors_get_u64(row, "start"));
		ck_assert_uint_eq(rec.blockcount, vectors_get_u64(row, "count"));
		ck_assert_uint_eq(rec.owner, vectors_get_u64(row, "owner"));
		ck_assert_uint_eq(rec.offset, vectors_get_u64(row, "offset"));
		ck_assert_uint_eq(rec.attrfork, vectors_get_u64(row, "attr"));
		ck_assert_uint_eq(rec.bmbtblock, vectors_get_u64(row, "bmbt"));
		ck_assert_uint_eq(rec.extentflag, vectors_get_u64(row, "unwritten"));
		memset(again, 0, sizeof(again));
		xfs_rmap_rec_encode(again, &rec);
		ck_assert_mem_eq(again, bytes, 24);
		free(bytes);
	}
	ck_assert_uint_gt(i, 40);
	json_decref(root);
}
END_TEST

START_TEST(refcount_records)
{
	json_t *root = vectors_load("refcount-record.json"), *rows = vectors_get(root, "cases"), *row;
	size_t i, len;

	json_array_foreach(rows, i, row) {
		uint8_t *bytes = vectors_hex(vectors_get_str(row, "hex"), &len), again[12];
		struct xfs_refc_rec rec;

		xfs_refc_rec_decode(&rec, bytes);
		ck_assert_uint_eq(rec.startblock, vectors_get_u64(row, "start"));
		ck_assert_uint_eq(rec.blockcount, vectors_get_u64(row, "count"));
		ck_assert_uint_eq(rec.refcount, vectors_get_u64(row, "refcount"));
		ck_assert_uint_eq(rec.cowflag, vectors_get_u64(row, "cow"));
		memset(again, 0xff, sizeof(again));
		xfs_refc_rec_encode(again, &rec);
		ck_assert_mem_eq(again, bytes, 12);
		free(bytes);
	}
	ck_assert_uint_gt(i, 5);
	json_decref(root);
}
END_TEST

START_TEST(inobt_records)
{
	json_t *root = vectors_load("inobt-record.json"), *rows = vectors_get(root, "cases"), *row;
	size_t i, len;

	json_array_foreach(rows, i, row) {
		uint8_t *bytes = vectors_hex(vectors_get_str(row, "hex"), &len);
		struct xfs_ctx c = ondisk_ctx(bytes, len, true);
		struct xfs_place top = { &xfs_inobt_rec_desc, 0 };

		c.sparse = vectors_get_u64(row, "sparse_feature");
		ondisk_check(&c, top, row, "startino", "startino");
		ondisk_check(&c, top, row, "freecount", "freecount");
		ck_assert_uint_eq(ondisk_get(&c, top, "free"), strtoull(vectors_get_str(row, "free"), NULL, 16));
		if (c.sparse) {
			ondisk_check(&c, top, row, "holemask", "holemask");
			ondisk_check(&c, top, row, "count", "count");
		}
		free(bytes);
	}
	ck_assert_uint_gt(i, 20);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ondisk_fields");
	TCase *t = tcase_create("vectors");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, ag_headers);
	tcase_add_test(t, btree_blocks);
	tcase_add_test(t, inode_forks);
	tcase_add_test(t, directory_blocks);
	tcase_add_test(t, attr_blocks);
	tcase_add_test(t, symlink_blocks);
	tcase_add_test(t, rmap_records);
	tcase_add_test(t, refcount_records);
	tcase_add_test(t, inobt_records);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
