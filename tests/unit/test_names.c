/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_names.c - vectors of names: hashes, directory and attribute blocks, remote symlinks, each read through a small
 * filesystem that holds just that block.
 */
#include "libxfs/base/crc32c.h"
#include "libxfs/inode/symlink.h"
#include "libxfs/name/attr.h"
#include "libxfs/name/dir.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify.h"
#include "tests/unit/testfs.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

START_TEST(hashes)
{
	json_t *root = vectors_load("name-hash.json"), *row;
	struct xfs_geometry g;
	struct testfs shape = { .agcount = 4, .agblocks = 1 << 16 };
	unsigned parents = 0;
	size_t i;

	testfs_init(&g, &shape);
	json_array_foreach(vectors_get(root, "names"), i, row) {
		size_t len;
		uint8_t *name = vectors_hex(vectors_get_str(row, "name"), &len);

		ck_assert_uint_eq(xfs_name_hash(name, len), strtoul(vectors_get_str(row, "hash"), NULL, 16));
		if (json_object_get(row, "hash_ci"))
			ck_assert_uint_eq(xfs_name_hash_ci(name, len), strtoul(vectors_get_str(row, "hash_ci"), NULL,
									       16));
		g.asciici = true;
		ck_assert_uint_eq(xfs_dir_hash(&g, name, len), xfs_name_hash_ci(name, len));
		g.asciici = false;
		ck_assert_uint_eq(xfs_dir_hash(&g, name, len), xfs_name_hash(name, len));
		free(name);
	}
	ck_assert_uint_gt(i, 50);
	json_array_foreach(vectors_get(root, "attrs"), i, row) {
		size_t len;
		uint8_t *name = vectors_hex(vectors_get_str(row, "name"), &len);
		uint32_t hash = xfs_name_hash(name, len);

		if (json_object_get(row, "parent_ino")) {
			hash = xfs_parent_hash(&g, name, len, XFS_INO(vectors_get_u64(row, "parent_ino")));
			parents++;
		}
		ck_assert_uint_eq(hash, strtoul(vectors_get_str(row, "hash"), NULL, 16));
		free(name);
	}
	ck_assert_uint_gt(i, 100);
	ck_assert_uint_gt(parents, 5);
	ck_assert(xfs_dir_name_equal(&g, "aB", 2, "aB", 2));
	ck_assert(!xfs_dir_name_equal(&g, "aB", 2, "Ab", 2));
	g.asciici = true;
	ck_assert(xfs_dir_name_equal(&g, "aB", 2, "Ab", 2));
	ck_assert(!xfs_dir_name_equal(&g, "aB", 2, "Abc", 3));
	json_decref(root);
}
END_TEST

/* ---- a filesystem around one block ---- */

struct tiny {
	struct xfs_dev *dev;
	struct xfs_fs *fs;
	struct xfs_inode ip;
	struct xfs_ifork f;
	json_t *fields;
	const char *name;
};

/* Puts the sample where its header says; blocks of a directory lie apart, so that the buffer has several extents. */
static void place(struct tiny *t, json_t *row, const uint8_t *bytes, size_t len, enum xfs_fork which, bool apart)
{
	const struct xfs_geometry *g = &t->fs->geo;
	uint64_t first = (vectors_get_u64(row, "daddr") << 9) >> g->blocklog, off = 0;
	unsigned n = (unsigned)(len >> g->blocklog), pieces = apart ? n : 1, at;

	if (json_object_get(row, "da_block"))
		off = vectors_get_u64(row, "da_block");
	t->ip.d.core.magic = XFS_DINODE_MAGIC;
	t->ip.d.core.version = g->v5 ? 3 : 2;
	t->ip.d.core.forkoff = which == XFS_FORK_ATTR ? 2 : 0;
	t->ip.d.core.format = t->ip.d.core.aformat = XFS_DINODE_FMT_EXTENTS;
	t->ip.d.v3.flags2 = g->v5 ? XFS_DIFLAG2_NREXT64 : 0;
	t->ip.size = g->inodesize;
	t->ip.fs = t->fs;
	t->ip.ino = XFS_INO(vectors_get_u64(row, "owner_inode"));
	ck_assert(xfs_dinode_set_nextents(&t->ip.d, which, pieces));
	xfs_dinode_encode(t->ip.raw, &t->ip.d);
	at = xfs_dinode_fork_off(t->ip.d.core.version, t->ip.d.core.forkoff, t->ip.size, which);
	for (unsigned i = 0; i < pieces; i++) {
		struct xfs_bmbt_rec rec = { .startoff = off + i, .startblock = first + 2 * i,
					   .blockcount = n / pieces };

		xfs_bmbt_rec_encode(t->ip.raw + at + 16 * i, &rec);
		ck_assert_int_eq(xfs_dev_write(t->dev, (uint64_t)rec.startblock << g->blocklog,
					       bytes + ((size_t)i * rec.blockcount << g->blocklog),
					       (size_t)rec.blockcount << g->blocklog), 0);
	}
}

static void tiny_open(struct tiny *t, json_t *row, unsigned mode, enum xfs_fork which, bool apart)
{
	struct testfs shape = { .blocksize = (uint32_t)vectors_get_u64(row, "blocksize"), .agcount = 4,
			       .agblocks = 1 << 20,
				.inodesize = (uint32_t)vectors_get_u64(row, "inodesize"),
				.v4 = !json_is_true(vectors_get(row, "v5")) };
	struct xfs_fs_options o = { 0 };
	struct xfs_devset set = { 0 };
	struct xfs_geometry g;
	size_t len;
	uint8_t *bytes = vectors_sample(row, &len);
	json_t *uuid;

	memset(t, 0, sizeof(*t));
	t->fields = vectors_get(row, "fields");
	t->name = vectors_get_str(row, "name");
	testfs_init(&g, &shape);
	if (json_object_get(row, "dirblocksize"))
		g.sb.dirblklog = (uint8_t)xfs_log2_floor(vectors_get_u64(row, "dirblocksize") / g.blocksize);
	uuid = json_object_get(vectors_get(t->fields, "header"), "uuid");
	if (uuid) {
		size_t n;
		uint8_t *raw = vectors_hex(json_string_value(uuid), &n);

		memcpy(g.sb.uuid, raw, 16);
		free(raw);
		g.sb.features_incompat |= XFS_SB_INCOMPAT_PARENT;
		g.sb.versionnum |= XFS_SB_VERSION_ATTR;
	}
	ck_assert_int_eq(xfs_dev_overlay(&t->dev, NULL, g.sb.dblocks << g.sb.blocklog, 1 << 24, NULL), 0);
	set.data = t->dev;
	o.sb = &g.sb;
	ck_assert_int_eq(xfs_fs_open(&t->fs, &set, &o, NULL), 0);
	t->ip.d.core.mode = (uint16_t)mode;
	place(t, row, bytes, len, which, apart);
	ck_assert_int_eq(xfs_ifork_init(&t->f, &t->ip, which), 0);
	free(bytes);
}

static void tiny_close(struct tiny *t)
{
	xfs_fs_close(t->fs);
	xfs_dev_close(t->dev);
}

/* ---- directories ---- */

struct expected {
	json_t *entries;
	size_t i;
	uint64_t base;
	const char *name;
};

static int next_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct expected *x = payload;
	json_t *row;
	uint8_t *name;
	size_t len;

	while ((row = json_array_get(x->entries, x->i)) && json_object_get(row, "unused"))
		x->i++;
	ck_assert_msg(row != NULL, "%s: surplus entry", x->name);
	name = vectors_hex(vectors_get_str(row, "name"), &len);
	ck_assert_uint_eq(e->namelen, len);
	ck_assert_mem_eq(e->name, name, len);
	ck_assert_uint_eq(e->ino.v, vectors_get_u64(row, "ino"));
	ck_assert_uint_eq(e->ftype, vectors_get_u64(row, "ftype"));
	ck_assert_uint_eq((uint64_t)e->cookie * 8, x->base + vectors_get_u64(row, "at"));
	free(name);
	x->i++;
	return 0;
}

static void check_data(struct tiny *t, json_t *row, bool block)
{
	struct expected x = { .entries = vectors_get(t->fields, "entries"), .name = t->name };
	struct xfs_dir d;
	json_t *rest;

	t->ip.d.core.size = t->fs->geo.dirblksize;
	ck_assert_int_eq(xfs_dir_open(&d, &t->ip, NULL), 0);
	if (block)
		ck_assert_int_eq(d.form, XFS_DIR_BLOCK);
	x.base = vectors_get_u64(row, "da_block") << t->fs->geo.blocklog;
	ck_assert_int_eq(xfs_dir_each(&d, 0, next_entry, &x), 0);
	while ((rest = json_array_get(x.entries, x.i)) && json_object_get(rest, "unused"))
		x.i++;
	ck_assert_uint_eq(x.i, json_array_size(x.entries));
	if (block)		/* it is a whole directory */
		ck_assert_int_eq(xfs_dir_verify(&t->ip, XFS_NULL64, NULL), 0);
}

static void check_da(struct tiny *t, json_t *row, bool attr, const char *value)
{
	json_t *entries = vectors_get(t->fields, "entries"), *header = vectors_get(t->fields, "header"), *e;
	struct xfs_da_block b;
	struct xfs_da da;
	size_t i;

	if (attr)
		xfs_da_init_attr(&da, &t->f);
	else
		xfs_da_init_dir(&da, &t->f);
	ck_assert_int_eq(xfs_da_get(&da, vectors_get_u64(row, "da_block"), &b), 0);
	ck_assert_uint_eq(b.count, json_array_size(entries));
	ck_assert_uint_eq(b.forw, vectors_get_u64(header, "forw"));
	ck_assert_uint_eq(b.back, vectors_get_u64(header, "back"));
	if (json_object_get(header, "level"))
		ck_assert_uint_eq(b.level, vectors_get_u64(header, "level"));
	if (json_object_get(header, "stale"))
		ck_assert_uint_eq(b.stale, vectors_get_u64(header, "stale"));
	json_array_foreach(entries, i, e) {
		ck_assert_uint_eq(xfs_da_hash(&b, (uint32_t)i), strtoul(vectors_get_str(e, "hash"), NULL, 16));
		if (value)
			ck_assert_uint_eq(xfs_da_value(&b, (uint32_t)i), vectors_get_u64(e, value));
		ck_assert_uint_le(xfs_da_search(&b, xfs_da_hash(&b, (uint32_t)i)), i);
	}
	ck_assert_uint_eq(xfs_da_search(&b, 0), 0);
	xfs_da_put(&b);
}

static void check_free(struct tiny *t, json_t *row)
{
	json_t *header = vectors_get(t->fields, "header"), *bests = vectors_get(t->fields, "bests"), *best;
	struct xfs_dir3_free_hdr h;
	struct xfs_buf *b;
	size_t i;

	ck_assert_int_eq(xfs_ifork_get(&t->f, vectors_get_u64(row, "da_block"), t->fs->geo.dirblkfsbs, XFS_BLK_DIR_FREE,
				       &b), 0);
	xfs_dir_free_hdr_load(&h, b->data, t->fs->geo.v5);
	ck_assert_uint_eq(h.firstdb, vectors_get_u64(header, "firstdb"));
	ck_assert_uint_eq(h.nvalid, vectors_get_u64(header, "nvalid"));
	json_array_foreach(bests, i, best)
		ck_assert_uint_eq(xfs_be16(b->data + xfs_dir_free_header_len(t->fs->geo.v5) + 2 * i),
				  vectors_u64(best));
	xfs_buf_put(b);
}

START_TEST(directory_blocks)
{
	json_t *root = vectors_load("directory-blocks.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		const char *kind = vectors_get_str(row, "kind");
		struct tiny t;

		tiny_open(&t, row, XFS_MODE_DIR | 0755, XFS_FORK_DATA, true);
		if (!strcmp(kind, "dir_block") || !strcmp(kind, "dir_data"))
			check_data(&t, row, !strcmp(kind, "dir_block"));
		else if (!strcmp(kind, "dir_free"))
			check_free(&t, row);
		else
			check_da(&t, row, false, !strcmp(kind, "dir_danode") ? "before" : "address");
		tiny_close(&t);
	}
	ck_assert_uint_gt(i, 20);
	json_decref(root);
}
END_TEST

/* ---- attributes ---- */

static void check_attr_leaf(struct tiny *t, json_t *row)
{
	const struct xfs_geometry *g = &t->fs->geo;
	json_t *entries = vectors_get(t->fields, "entries"), *e;
	struct xfs_buf *b;
	size_t i;

	check_da(t, row, true, NULL);
	ck_assert_int_eq(xfs_ifork_get(&t->f, vectors_get_u64(row, "da_block"), 1, XFS_BLK_ATTR_LEAF, &b), 0);
	json_array_foreach(entries, i, e) {
		struct xfs_attr attr;
		uint32_t at, size;
		uint8_t *name;
		size_t len;

		ck_assert_int_eq(xfs_attr_leaf_entry(g, b->data, (uint32_t)i, &attr, &at, &size), 0);
		name = vectors_hex(vectors_get_str(e, "name"), &len);
		ck_assert_uint_eq(attr.namelen, len);
		ck_assert_mem_eq(attr.name, name, len);
		ck_assert_uint_eq(at, vectors_get_u64(e, "nameidx"));
		ck_assert_uint_eq(attr.flags, vectors_get_u64(e, "flags"));
		ck_assert_uint_eq(attr.valuelen, vectors_get_u64(e, "valuelen"));
		ck_assert_uint_eq(size, vectors_get_u64(e, "record_size"));
		if (json_object_get(e, "valueblk"))
			ck_assert_uint_eq(attr.valueblk, vectors_get_u64(e, "valueblk"));
		ck_assert_ptr_null(xfs_attr_problem(g, &attr));
		free(name);
	}
	xfs_buf_put(b);
}

static void check_attr_remote(struct tiny *t, json_t *row)
{
	json_t *header = vectors_get(t->fields, "header");
	struct xfs_attr attr = { .valuelen = 1, .valueblk = (uint32_t)vectors_get_u64(row, "da_block") };
	struct xfs_attrs a = { .ip = &t->ip, .f = t->f };
	uint8_t *value = malloc(XFS_ATTR_VALUE_MAX);

	/* alone, it is a whole value only when it is the first block */
	attr.valuelen = (uint32_t)vectors_get_u64(header, "bytes");
	ck_assert_int_eq(xfs_attr_value(&a, &attr, value), vectors_get_u64(header, "offset") ? -XFS_E_CORRUPT : 0);
	free(value);
}

START_TEST(attribute_blocks)
{
	json_t *root = vectors_load("attr-blocks.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		const char *kind = vectors_get_str(row, "kind");
		struct tiny t;

		tiny_open(&t, row, XFS_MODE_REG | 0644, XFS_FORK_ATTR, false);
		if (!strcmp(kind, "attr_leaf"))
			check_attr_leaf(&t, row);
		else if (!strcmp(kind, "attr_node"))
			check_da(&t, row, true, "before");
		else
			check_attr_remote(&t, row);
		tiny_close(&t);
	}
	ck_assert_uint_gt(i, 20);
	json_decref(root);
}
END_TEST

START_TEST(symlink_blocks)
{
	json_t *root = vectors_load("symlink-blocks.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		char target[XFS_SYMLINK_MAXLEN];
		struct tiny t;
		size_t len;

		tiny_open(&t, row, XFS_MODE_LNK | 0777, XFS_FORK_DATA, false);
		t.ip.d.core.size = vectors_get_u64(t.fields, "target_length");
		ck_assert_int_eq(xfs_symlink_target(&t.ip, target, &len, NULL), 0);
		ck_assert_uint_eq(len, t.ip.d.core.size);
		ck_assert_str_eq(target, vectors_get_str(t.fields, "target_part"));
		t.ip.d.core.size--;		/* on V5 the header says otherwise */
		ck_assert_int_eq(xfs_symlink_target(&t.ip, target, &len, NULL), t.fs->geo.v5 ? -XFS_E_CORRUPT : 0);
		t.ip.ino.v++;
		t.ip.d.core.size++;
		ck_assert_int_eq(xfs_symlink_target(&t.ip, target, &len, NULL), t.fs->geo.v5 ? -XFS_E_CORRUPT : 0);
		tiny_close(&t);
	}
	ck_assert_uint_gt(i, 4);
	json_decref(root);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("vectors");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, hashes);
	tcase_add_test(t, directory_blocks);
	tcase_add_test(t, attribute_blocks);
	tcase_add_test(t, symlink_blocks);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
