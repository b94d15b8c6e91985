/* SPDX-License-Identifier: BSD-2-Clause */
/* test_geometry.c - rules of a superblock, addresses, heights, free list and reservations against the vectors. */
#include "libxfs/mount/geometry.h"

#include "libxfs/base/errors.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

/* The superblock that mkfs makes for these sizes; what `row` does not say has the default. */
static struct xfs_sb sb_of(json_t *row)
{
	const char *options = json_string_value(json_object_get(row, "mkfs_options"));
	bool v5 = !options || !strstr(options, "crc=0");
	uint64_t cluster;
	struct xfs_sb sb = { .magicnum = XFS_SB_MAGIC };

	sb.blocksize = (uint32_t)vectors_get_u64(row, "blocksize");
	sb.sectsize = (uint16_t)vectors_get_u64(row, "sectsize");
	sb.inodesize = (uint16_t)vectors_get_u64(row, "inodesize");
	sb.dblocks = vectors_get_u64(row, "dblocks");
	sb.agblocks = (uint32_t)vectors_get_u64(row, "agblocks");
	sb.agcount = (uint32_t)vectors_get_u64(row, "agcount");
	sb.agblklog = (uint8_t)vectors_get_u64(row, "agblklog");
	sb.logstart = vectors_get_u64(row, "logstart");
	sb.logblocks = json_object_get(row, "logblocks") ? (uint32_t)vectors_get_u64(row, "logblocks") : 1000;
	sb.blocklog = (uint8_t)xfs_log2_floor(sb.blocksize);
	sb.sectlog = (uint8_t)xfs_log2_floor(sb.sectsize);
	sb.inodelog = (uint8_t)xfs_log2_floor(sb.inodesize);
	sb.inopblock = (uint16_t)(sb.blocksize / sb.inodesize);
	sb.inopblog = (uint8_t)(sb.blocklog - sb.inodelog);
	sb.imax_pct = sb.dblocks * sb.blocksize < UINT64_C(1) << 40 ? 25 : 5;
	sb.rextsize = sb.blocksize < 4096 ? 4096 / sb.blocksize : 1;
	sb.logsunit = 1;
	sb.versionnum = v5 ? 0xb4a5 : 0xb4a4;
	sb.features2 = sb.bad_features2 = v5 ? 0x18a : 0x28a;
	if (sb.sectsize > 512) {
		sb.versionnum |= XFS_SB_VERSION_SECTOR;
		sb.logsectsize = sb.sectsize;
		sb.logsectlog = sb.sectlog;
	}
	cluster = v5 ? 8192u / 256 * sb.inodesize : 8192;
	sb.inoalignmt = (uint32_t)cluster / sb.blocksize;
	if (v5) {
		sb.spino_align = sb.inoalignmt;
		sb.inoalignmt = 64u * sb.inodesize / sb.blocksize;
		sb.features_incompat = XFS_SB_INCOMPAT_FTYPE | XFS_SB_INCOMPAT_SPINODES | XFS_SB_INCOMPAT_BIGTIME;
		sb.features_ro_compat = XFS_SB_ROCOMPAT_FINOBT | XFS_SB_ROCOMPAT_RMAPBT | XFS_SB_ROCOMPAT_REFLINK;
		sb.features_incompat |= XFS_SB_INCOMPAT_NREXT64;
	}
	return sb;
}

static struct xfs_geometry geometry_of(const struct xfs_sb *sb)
{
	struct xfs_geometry g;
	const char *why = "none";
	int error = xfs_geometry_init(&g, sb, NULL, &why);

	ck_assert_msg(error == 0, "%s: %s", xfs_error_name(error), why);
	return g;
}

static void check_address(const struct xfs_geometry *g, json_t *row)
{
	xfs_agno_t agno = XFS_AGNO(vectors_get_u64(row, "agno")), agno2;
	xfs_agbno_t agbno = XFS_AGBNO(vectors_get_u64(row, "agbno")), agbno2;
	xfs_fsbno_t fsbno = XFS_FSBNO(vectors_get_u64(row, "fsbno"));
	xfs_daddr_t daddr = XFS_DADDR(vectors_get_u64(row, "daddr"));
	xfs_ino_t ino = XFS_INO(vectors_get_u64(row, "ino"));
	xfs_agino_t agino = XFS_AGINO(vectors_get_u64(row, "agino"));

	ck_assert_uint_eq(xfs_fsbno_of(g, agno, agbno).v, fsbno.v);
	ck_assert_uint_eq(xfs_fsbno_agno(g, fsbno).v, agno.v);
	ck_assert_uint_eq(xfs_fsbno_agbno(g, fsbno).v, agbno.v);
	ck_assert_uint_eq(xfs_agbno_daddr(g, agno, agbno).v, daddr.v);
	ck_assert_uint_eq(xfs_fsbno_daddr(g, fsbno).v, daddr.v);
	ck_assert_uint_eq(xfs_fsbno_byte(g, fsbno), vectors_get_u64(row, "byte"));
	xfs_daddr_ag(g, daddr, &agno2, &agbno2);
	ck_assert_uint_eq(agno2.v, agno.v);
	ck_assert_uint_eq(agbno2.v, agbno.v);
	ck_assert_uint_eq(xfs_ino_of(g, agno, agino).v, ino.v);
	ck_assert_uint_eq(xfs_ino_agno(g, ino).v, agno.v);
	ck_assert_uint_eq(xfs_ino_agino(g, ino).v, agino.v);
	ck_assert_uint_eq(xfs_ino_byte(g, ino), vectors_get_u64(row, "inode_byte"));
	ck_assert(xfs_fsbno_range_valid(g, fsbno.v, 1) == (agbno.v > g->agfl_block));
}

START_TEST(addresses)
{
	json_t *root = vectors_load("addresses.json"), *cases = vectors_get(root, "geometries"), *one, *row;
	size_t i, j, rows = 0;

	json_array_foreach(cases, i, one) {
		struct xfs_sb sb = sb_of(one);
		struct xfs_geometry g = geometry_of(&sb);

		ck_assert_uint_eq(g.inopblog, vectors_get_u64(one, "inopblog"));
		ck_assert_uint_eq(xfs_ag_length(&g, XFS_AGNO(g.agcount - 1)), vectors_get_u64(one, "last_ag_length"));
		ck_assert_uint_eq(xfs_ag_length(&g, XFS_AGNO(0)), g.agblocks);
		ck_assert(xfs_ino_valid(&g, XFS_INO(vectors_get_u64(one, "rootino"))));
		ck_assert(xfs_fsbno_range_valid(&g, sb.logstart, 100));
		json_array_foreach(vectors_get(one, "rows"), j, row) {
			check_address(&g, row);
			rows++;
		}
	}
	ck_assert_uint_gt(rows, 80);
	json_decref(root);
}
END_TEST

static void set_bit32(uint32_t *word, uint32_t bit, json_t *row, const char *key)
{
	*word = vectors_get_u64(row, key) ? *word | bit : *word & ~bit;
}

static void check_ags(const struct xfs_geometry *g, json_t *ags)
{
	json_t *ag;
	size_t i;

	json_array_foreach(ags, i, ag) {
		xfs_agno_t agno = XFS_AGNO(vectors_get_u64(ag, "agno"));
		json_t *ask = vectors_get(ag, "ask"), *levels = vectors_get(ag, "levels");

		ck_assert_uint_eq(xfs_ag_length(g, agno), vectors_get_u64(ag, "length"));
		ck_assert_uint_eq(xfs_ag_reserve_meta(g, agno),
				  vectors_get_u64(ask, "refcount") + vectors_get_u64(ask, "finobt"));
		ck_assert_uint_eq(xfs_ag_reserve_rmap(g, agno), vectors_get_u64(ask, "rmapbt"));
		ck_assert_uint_eq(xfs_agfl_minimum(g, (unsigned)vectors_u64(json_array_get(levels, 0)),
						   (unsigned)vectors_u64(json_array_get(levels, 1)),
						   (unsigned)vectors_u64(json_array_get(levels, 2))),
				  vectors_get_u64(ag, "min_freelist"));
	}
	ck_assert_uint_gt(i, 0);
}

START_TEST(limits)
{
	json_t *root = vectors_load("geometry-limits.json"), *cases = vectors_get(root, "cases"), *row;
	size_t i;

	json_array_foreach(cases, i, row) {
		json_t *levels = vectors_get(row, "max_levels"), *inodes = vectors_get(row, "inode_geometry");
		struct xfs_sb sb = sb_of(row);
		struct xfs_geometry g;

		if (xfs_sb_is_v5(&sb)) {
			set_bit32(&sb.features_ro_compat, XFS_SB_ROCOMPAT_FINOBT, row, "finobt");
			set_bit32(&sb.features_ro_compat, XFS_SB_ROCOMPAT_RMAPBT, row, "rmapbt");
			set_bit32(&sb.features_ro_compat, XFS_SB_ROCOMPAT_REFLINK, row, "reflink");
			set_bit32(&sb.features_incompat, XFS_SB_INCOMPAT_NREXT64, row, "nrext64");
		}
		g = geometry_of(&sb);
		ck_assert_uint_eq(g.alloc_maxlevels, vectors_get_u64(levels, "alloc"));
		ck_assert_uint_eq(g.inobt_maxlevels, vectors_get_u64(levels, "inobt"));
		ck_assert_uint_eq(g.rmap_maxlevels, vectors_get_u64(levels, "rmap"));
		ck_assert_uint_eq(g.refc_maxlevels, vectors_get_u64(levels, "refcount"));
		ck_assert_uint_eq(g.bmap_maxlevels[0], vectors_get_u64(levels, "bmbt_data"));
		ck_assert_uint_eq(g.bmap_maxlevels[1], vectors_get_u64(levels, "bmbt_attr"));
		ck_assert_uint_eq(xfs_agfl_minimum(&g, 1, 1, 1), vectors_get_u64(row, "fresh_min_freelist"));
		ck_assert_uint_eq(g.ialloc_inos, vectors_get_u64(inodes, "ialloc_inos"));
		ck_assert_uint_eq(g.ialloc_blks, vectors_get_u64(inodes, "ialloc_blks"));
		ck_assert_uint_eq(g.ialloc_min_blks, vectors_get_u64(inodes, "ialloc_min_blks"));
		ck_assert_uint_eq(g.blocks_per_cluster, vectors_get_u64(inodes, "blocks_per_cluster"));
		ck_assert_uint_eq(g.inodes_per_cluster, vectors_get_u64(inodes, "inodes_per_cluster"));
		ck_assert_uint_eq(g.cluster_align, vectors_get_u64(inodes, "cluster_align"));
		ck_assert_uint_eq(g.ialloc_align, vectors_get_u64(inodes, "ialloc_align"));
		ck_assert_uint_eq(g.maxicount, vectors_get_u64(inodes, "maxicount"));
		check_ags(&g, vectors_get(row, "ags"));
	}
	ck_assert_uint_gt(i, 60);
	json_decref(root);
}
END_TEST

START_TEST(free_list)
{
	json_t *root = vectors_load("agfl-minimum.json"), *cases = vectors_get(root, "cases"), *row;
	size_t i;

	json_array_foreach(cases, i, row) {
		struct xfs_geometry g = {
			.alloc_maxlevels = (unsigned)vectors_get_u64(row, "alloc_maxlevels"),
			.rmap_maxlevels = (unsigned)vectors_get_u64(row, "rmap_maxlevels"),
		};

		g.rmapbt = g.rmap_maxlevels != 0;
		ck_assert_uint_eq(xfs_agfl_minimum(&g, (unsigned)vectors_get_u64(row, "bno_level"),
						   (unsigned)vectors_get_u64(row, "cnt_level"),
						   (unsigned)vectors_get_u64(row, "rmap_level")),
				  vectors_get_u64(row, "min_freelist"));
	}
	ck_assert_uint_gt(i, 0);
	json_decref(root);
}
END_TEST

static const struct {
	const char *name;
	const struct xfs_btree_shape *shape;
} trees[] = {
	{ "bnobt", &xfs_btree_shape_alloc }, { "cntbt", &xfs_btree_shape_alloc }, { "inobt", &xfs_btree_shape_inobt },
	{ "finobt", &xfs_btree_shape_inobt }, { "rmapbt", &xfs_btree_shape_rmapbt },
	{ "refcountbt", &xfs_btree_shape_refcbt }, { "bmbt", &xfs_btree_shape_bmbt },
	{ "rtrmapbt", &xfs_btree_shape_rtrmapbt }, { "rtrefcountbt", &xfs_btree_shape_rtrefcbt },
};

START_TEST(capacity)
{
	json_t *root = vectors_load("btree-capacity.json"), *row;
	size_t i, seen = 0;

	json_array_foreach(vectors_get(root, "cases"), i, row) {
		uint32_t bs = (uint32_t)vectors_get_u64(row, "blocksize");
		bool v5 = vectors_get_u64(row, "v5");
		json_t *all = vectors_get(row, "leaf_node");

		for (size_t t = 0; t < XFS_ARRAY_SIZE(trees); t++) {
			json_t *pair = json_object_get(all, trees[t].name);

			if (!pair)
				continue;
			ck_assert_uint_eq(xfs_btree_maxrecs(trees[t].shape, v5, bs, true),
					  vectors_u64(json_array_get(pair, 0)));
			ck_assert_uint_eq(xfs_btree_maxrecs(trees[t].shape, v5, bs, false),
					  vectors_u64(json_array_get(pair, 1)));
			seen++;
		}
	}
	ck_assert_uint_gt(seen, 90);
	json_array_foreach(vectors_get(root, "sizes"), i, row) {
		json_t *worst = vectors_get(row, "worst");
		uint32_t leaf = (uint32_t)vectors_get_u64(worst, "leaf"),
			 node = (uint32_t)vectors_get_u64(worst, "node");
		uint64_t n = vectors_get_u64(row, "records");

		ck_assert_uint_eq(xfs_worst_height(leaf, node, n), vectors_get_u64(worst, "levels"));
		ck_assert_uint_eq(xfs_worst_blocks(leaf, node, n), vectors_get_u64(worst, "blocks"));
	}
	ck_assert_uint_gt(i, 100);
	json_decref(root);
}
END_TEST

/* real superblocks, secondaries and V4 among them, are accepted */
START_TEST(real_superblocks)
{
	json_t *root = vectors_load("superblock.json"), *row;
	size_t i;

	json_array_foreach(vectors_get(root, "samples"), i, row) {
		size_t len;
		uint8_t *bytes = vectors_sample(row, &len);
		struct xfs_geometry g;
		struct xfs_sb sb;

		xfs_sb_decode(&sb, bytes);
		g = geometry_of(&sb);
		ck_assert_uint_eq(g.dblocks, sb.dblocks);
		free(bytes);
	}
	ck_assert_uint_gt(i, 10);
	json_decref(root);
}
END_TEST

/* the first sample of superblock.json, to be spoilt */
static struct xfs_sb good_sb(void)
{
	json_t *root = vectors_load("superblock.json");
	size_t len;
	uint8_t *bytes = vectors_sample(json_array_get(vectors_get(root, "samples"), 0), &len);
	struct xfs_sb sb;

	xfs_sb_decode(&sb, bytes);
	free(bytes);
	json_decref(root);
	return sb;
}

struct seen {
	unsigned count;
	const char *field;
	enum xfs_finding_id id;
};

static void note(void *payload, const struct xfs_finding *f)
{
	struct seen *s = payload;

	if (s->count++ == 0) {
		s->field = f->field;
		s->id = f->id;
	}
	ck_assert_str_eq(f->structure, "sb");
	ck_assert_uint_gt(strlen(f->detail), 0);
}

/* spoil one thing: the error, and the field that the first finding and the reason name */
#define SPOILT(error, name, change) do {								\
	struct xfs_sb sb = good_sb();									\
	struct xfs_geometry g;										\
	struct seen seen = { 0 };										\
	struct xfs_sink sink = { note, &seen };								\
	const char *why = NULL;										\
													\
	change;												\
	ck_assert_int_eq(xfs_geometry_init(&g, &sb, &sink, &why), -XFS_E_##error);			\
	ck_assert_ptr_nonnull(why);									\
	ck_assert_str_eq(seen.field, name);								\
	ck_assert_int_eq(seen.id, XFS_E_##error == XFS_E_UNSUPPORTED ? XFS_F_SB_FEATURE : XFS_F_SB_FIELD);	\
	ck_assert_msg(strstr(why, "sb_") == why, "%s", why);						\
} while (0)

START_TEST(refused)
{
	SPOILT(BADSB, "magicnum", sb.magicnum = 0);
	SPOILT(UNSUPPORTED, "versionnum", sb.versionnum = 0xb4a3);
	SPOILT(BADSB, "versionnum", sb.versionnum &= ~XFS_SB_VERSION_LOGV2);
	SPOILT(BADSB, "versionnum", sb.versionnum |= XFS_SB_VERSION_SHARED);
	SPOILT(BADSB, "features2", sb.features2 &= ~XFS_SB_FEAT2_CRC);
	SPOILT(BADSB, "features2", sb.features2 |= 0x8000);
	SPOILT(UNSUPPORTED, "features_incompat", sb.features_incompat |= 0x800);
	SPOILT(BADSB, "blocksize", sb.blocksize = 4097);
	SPOILT(BADSB, "blocksize", sb.blocklog = 255);
	SPOILT(BADSB, "blocksize", sb.blocksize = 0);
	SPOILT(BADSB, "sectsize", sb.sectsize = 0);
	SPOILT(BADSB, "sectsize", sb.sectsize = 8192; sb.sectlog = 13);
	SPOILT(BADSB, "inodesize", sb.inodesize = 0);
	SPOILT(BADSB, "inopblock", sb.inopblock = 0);
	SPOILT(BADSB, "inopblog", sb.inopblog = 60);
	SPOILT(BADSB, "dirblklog", sb.dirblklog = 5);
	SPOILT(BADSB, "dblocks", sb.dblocks = 0);
	SPOILT(BADSB, "dblocks", sb.dblocks = UINT64_MAX);
	SPOILT(BADSB, "dblocks", sb.dblocks = (uint64_t)sb.agblocks * (sb.agcount - 1) + 63);
	SPOILT(BADSB, "agblocks", sb.agblocks = 0);
	SPOILT(BADSB, "agblocks", sb.agblocks = UINT32_MAX);
	SPOILT(BADSB, "agblklog", sb.agblklog = 64);
	SPOILT(BADSB, "agcount", sb.agcount = 0);
	SPOILT(BADSB, "agcount", sb.agcount = UINT32_MAX);
	SPOILT(BADSB, "imax_pct", sb.imax_pct = 101);
	SPOILT(BADSB, "shared_vn", sb.shared_vn = 1);
	SPOILT(BADSB, "qflags", sb.qflags = 0x10);
	SPOILT(BADSB, "inoalignmt", sb.inoalignmt = 16);
	SPOILT(BADSB, "spino_align", sb.spino_align = 3);
	SPOILT(BADSB, "spino_align", sb.features_incompat &= ~XFS_SB_INCOMPAT_SPINODES);
	SPOILT(BADSB, "logblocks", sb.logblocks = (1u << 20) + 1);
	SPOILT(BADSB, "logblocks", sb.logblocks = 521729);
	SPOILT(BADSB, "logsectsize", sb.logsectsize = 512);
	SPOILT(BADSB, "logsectsize", sb.versionnum |= XFS_SB_VERSION_SECTOR; sb.logsectlog = 200);
	SPOILT(BADSB, "logsunit", sb.logsunit = 4095);
	SPOILT(BADSB, "logsunit", sb.logsunit = 512 << 10);
	SPOILT(BADSB, "unit", sb.unit = 16; sb.width = 64);
	SPOILT(BADSB, "width", sb.versionnum |= XFS_SB_VERSION_DALIGN; sb.unit = 16; sb.width = 65);
	SPOILT(BADSB, "width", sb.versionnum |= XFS_SB_VERSION_DALIGN; sb.unit = 1; sb.width = UINT32_MAX);
	SPOILT(BADSB, "rextsize", sb.rextsize = 0);
	SPOILT(BADSB, "rextsize", sb.rextsize = UINT32_MAX);
	SPOILT(BADSB, "rblocks", sb.rblocks = UINT64_MAX);
	SPOILT(BADSB, "rextents", sb.rextents = 1);
	SPOILT(BADSB, "rgextents", sb.features_incompat |= XFS_SB_INCOMPAT_METADIR | XFS_SB_INCOMPAT_EXCHRANGE);
	SPOILT(BADSB, "features_incompat", sb.features_incompat |= XFS_SB_INCOMPAT_METADIR; sb.rgextents = 1 << 28;
	       sb.rgblklog = 28);
	SPOILT(BADSB, "features_incompat", sb.features_incompat |= XFS_SB_INCOMPAT_ZONED);
}
END_TEST

/* whatever a superblock holds: no undefined behaviour, and what is accepted can be calculated with */
START_TEST(hostile)
{
	uint64_t state = 0x9e3779b97f4a7c15;
	struct xfs_sb good = good_sb();
	unsigned accepted = 0;

	for (unsigned n = 0; n < 20000; n++) {
		struct xfs_sb sb = good;
		struct xfs_geometry g;
		uint8_t raw[sizeof(struct xfs_sb_disk)] = { 0 };
		unsigned changes = 1 + n % 5;

		xfs_sb_encode(raw, &sb);
		while (changes--) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			raw[4 + state % 300] = (uint8_t)(state >> 32 & 1 ? state >> 40 : 1u << (state >> 40) % 8);
		}
		xfs_sb_decode(&sb, raw);
		if (xfs_geometry_init(&g, &sb, NULL, NULL))
			continue;
		accepted++;
		ck_assert_uint_gt(xfs_ag_length(&g, XFS_AGNO(g.agcount - 1)), 0);
		ck_assert(!xfs_ino_valid(&g, XFS_INO(XFS_NULL64)));
		ck_assert(!xfs_fsbno_range_valid(&g, XFS_NULL64, 1));
		xfs_ino_valid(&g, XFS_INO(sb.rootino));
		xfs_ino_byte(&g, XFS_INO(sb.rootino));
		xfs_fsbno_byte(&g, XFS_FSBNO(sb.logstart));
		ck_assert_uint_le(g.rmap_maxlevels, XFS_BTREE_MAXLEVELS);
		ck_assert_uint_le(g.inobt_maxlevels, XFS_BTREE_MAXLEVELS);
		xfs_ag_reserve_meta(&g, XFS_AGNO(g.agcount / 2));
		xfs_ag_reserve_rmap(&g, XFS_AGNO(XFS_NULL32));
	}
	ck_assert_uint_gt(accepted, 500);
}
END_TEST

START_TEST(edges)
{
	struct xfs_sb sb = good_sb();
	struct xfs_geometry g = geometry_of(&sb);

	ck_assert_uint_eq(xfs_ag_length(&g, XFS_AGNO(g.agcount)), 0);
	ck_assert_uint_eq(xfs_ag_length(&g, XFS_AGNO(XFS_NULL32)), 0);
	ck_assert(!xfs_agbno_range_valid(&g, XFS_AGNO(0), 1, 0));
	ck_assert(!xfs_agbno_range_valid(&g, XFS_AGNO(0), 0, 1));
	ck_assert(xfs_agbno_range_valid(&g, XFS_AGNO(0), 1, g.agblocks - 1));
	ck_assert(!xfs_agbno_range_valid(&g, XFS_AGNO(0), 1, g.agblocks));
	ck_assert(!xfs_agbno_range_valid(&g, XFS_AGNO(0), g.agblocks - 1, UINT64_MAX));
	ck_assert(!xfs_agbno_range_valid(&g, XFS_AGNO(g.agcount), 1, 1));
	ck_assert_uint_eq(xfs_worst_blocks(10, 10, 0), 0);
	ck_assert_uint_eq(xfs_worst_height(0, 0, 1000), 11);
	ck_assert_uint_eq(xfs_space_to_height(11, 0), 0);
	ck_assert_uint_gt(xfs_space_to_height(UINT32_MAX, UINT64_MAX), 1);
	ck_assert_uint_eq(xfs_agfl_minimum(&g, UINT32_MAX, UINT32_MAX, UINT32_MAX),
			  4 * (g.alloc_maxlevels - 1) + 2 * (g.rmap_maxlevels - 1));
	ck_assert_uint_eq(xfs_ag_header_daddr(&g, XFS_AGNO(1), 2).v, (uint64_t)g.agblocks * 8 + 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("geometry");
	TCase *t = tcase_create("vectors");

	tcase_add_test(t, addresses);
	tcase_add_test(t, limits);
	tcase_add_test(t, free_list);
	tcase_add_test(t, capacity);
	tcase_add_test(t, real_superblocks);
	tcase_add_test(t, refused);
	tcase_add_test(t, hostile);
	tcase_add_test(t, edges);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
