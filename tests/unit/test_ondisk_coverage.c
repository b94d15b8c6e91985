/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ondisk_coverage.c - every bit of a structure belongs to exactly one F or B row, or to a listed gap (an array
 * inside, a pad that no row names); V rows lie on bits that F rows hold; what encode writes decode reads.
 */
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/dir.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/logitems.h"
#include "libxfs/ondisk/logrecord.h"
#include "libxfs/ondisk/realtime.h"
#include "libxfs/ondisk/superblock.h"
#include "tests/unit/vectors.h"

struct span {
	const char *name;
	unsigned bit, bits;
	bool view;
};

struct layout {
	const char *name;
	unsigned size;
	const struct span *rows;
	unsigned nrows;
	const unsigned (*gaps)[2];	/* first byte, bytes; { 0, 0 } ends */
	bool (*round_trip)(uint8_t *noise, unsigned size);
};

#define SPAN_F(S, n, o, b, or, fm, w, t) { #n, o, b, false },
#define SPAN_V(S, n, o, b, or, fm, w, t) { #n, o, b, true },
#define SPAN_B(S, n, o, len, fm, w, t) { #n, o, 8 * (len), false },
#define NO_A(S, n, e, fl, fi, co, at, w)
/* decode noise, encode it over zeros, decode again: equal; and encode over the noise changes nothing */
#define LAYOUT(S, ROWS)											\
	static const struct span S##_spans[] = { ROWS(S, SPAN_F, SPAN_V, SPAN_B, NO_A) };		\
	static bool S##_trip(uint8_t *p, unsigned size)							\
	{												\
		struct xfs_##S a, b;									\
		uint8_t q[512] = { 0 }, r[512];								\
		memset(&a, 0, sizeof(a));								\
		memset(&b, 0, sizeof(b));								\
		memcpy(r, p, size);									\
		xfs_##S##_decode(&a, p);								\
		xfs_##S##_encode(q, &a);								\
		xfs_##S##_decode(&b, q);								\
		xfs_##S##_encode(r, &a);								\
		return memcmp(&a, &b, sizeof(a)) == 0 && memcmp(r, p, size) == 0;			\
	}
#define ROW(S, ...) { #S, sizeof(struct xfs_##S##_disk), S##_spans, sizeof(S##_spans) / sizeof(S##_spans[0]),	\
		      (const unsigned [][2]){ __VA_ARGS__ __VA_OPT__(,) { 0, 0 } }, S##_trip }

LAYOUT(sb, XFS_SB_ROWS)
LAYOUT(agf, XFS_AGF_ROWS)
LAYOUT(agi, XFS_AGI_ROWS)
LAYOUT(agfl, XFS_AGFL_ROWS)
LAYOUT(btree_short, XFS_BTREE_SHORT_ROWS)
LAYOUT(btree_long, XFS_BTREE_LONG_ROWS)
LAYOUT(bnobt_rec, XFS_BNOBT_REC_ROWS)
LAYOUT(cntbt_key, XFS_CNTBT_KEY_ROWS)
LAYOUT(inobt_rec, XFS_INOBT_REC_ROWS)
LAYOUT(inobt_key, XFS_INOBT_KEY_ROWS)
LAYOUT(bmbt_rec, XFS_BMBT_REC_ROWS)
LAYOUT(bmbt_key, XFS_BMBT_KEY_ROWS)
LAYOUT(rmap_rec, XFS_RMAP_REC_ROWS)
LAYOUT(rmap_keypair, XFS_RMAP_KEYPAIR_ROWS)
LAYOUT(refc_rec, XFS_REFC_REC_ROWS)
LAYOUT(refc_key, XFS_REFC_KEY_ROWS)
LAYOUT(dinode_core, XFS_DINODE_CORE_ROWS)
LAYOUT(dinode_v3, XFS_DINODE_V3_ROWS)
LAYOUT(dinode_time, XFS_DINODE_TIME_ROWS)
LAYOUT(bmdr, XFS_BMDR_ROWS)
LAYOUT(dir_sf_hdr, XFS_DIR_SF_HDR_ROWS)
LAYOUT(dir_sf_ent, XFS_DIR_SF_ENT_ROWS)
LAYOUT(dir_blkhdr, XFS_DIR_BLKHDR_ROWS)
LAYOUT(dir_best, XFS_DIR_BEST_ROWS)
LAYOUT(dir_data_ent, XFS_DIR_DATA_ENT_ROWS)
LAYOUT(dir_data_unused, XFS_DIR_DATA_UNUSED_ROWS)
LAYOUT(dir_leaf_ent, XFS_DIR_LEAF_ENT_ROWS)
LAYOUT(dir_block_tail, XFS_DIR_BLOCK_TAIL_ROWS)
LAYOUT(dir2_leaf_hdr, XFS_DIR2_LEAF_HDR_ROWS)
LAYOUT(dir3_leaf_hdr, XFS_DIR3_LEAF_HDR_ROWS)
LAYOUT(da_node_hdr, XFS_DA_NODE_HDR_ROWS)
LAYOUT(da3_node_hdr, XFS_DA3_NODE_HDR_ROWS)
LAYOUT(da3_blkinfo, XFS_DA3_BLKINFO_ROWS)
LAYOUT(da_node_ent, XFS_DA_NODE_ENT_ROWS)
LAYOUT(dir2_free_hdr, XFS_DIR2_FREE_HDR_ROWS)
LAYOUT(dir3_free_hdr, XFS_DIR3_FREE_HDR_ROWS)
LAYOUT(attr_sf_hdr, XFS_ATTR_SF_HDR_ROWS)
LAYOUT(attr_sf_ent, XFS_ATTR_SF_ENT_ROWS)
LAYOUT(parent_rec, XFS_PARENT_REC_ROWS)
LAYOUT(attr_leaf_hdr_v4, XFS_ATTR_LEAF_HDR_V4_ROWS)
LAYOUT(attr_leaf_hdr, XFS_ATTR_LEAF_HDR_ROWS)
LAYOUT(attr_freemap, XFS_ATTR_FREEMAP_ROWS)
LAYOUT(attr_leaf_ent, XFS_ATTR_LEAF_ENT_ROWS)
LAYOUT(attr_local, XFS_ATTR_LOCAL_ROWS)
LAYOUT(attr_remote, XFS_ATTR_REMOTE_ROWS)
LAYOUT(attr_rmt_hdr, XFS_REMOTE_HDR_ROWS)
LAYOUT(dquot, XFS_DQUOT_ROWS)
LAYOUT(rtsb, XFS_RTSB_ROWS)
LAYOUT(rtbuf, XFS_RTBUF_ROWS)
LAYOUT(log_rec, XFS_LOG_REC_ROWS)
LAYOUT(log_op, XFS_LOG_OP_ROWS)
LAYOUT(log_trans_hdr, XFS_LOG_TRANS_HDR_ROWS)
LAYOUT(log_unmount, XFS_LOG_UNMOUNT_ROWS)
LAYOUT(log_item_head, XFS_LOG_ITEM_HEAD_ROWS)
LAYOUT(log_buf, XFS_LOG_BUF_ROWS)
LAYOUT(log_word, XFS_LOG_WORD_ROWS)
LAYOUT(log_inode, XFS_LOG_INODE_ROWS)
LAYOUT(log_inode32, XFS_LOG_INODE32_ROWS)
LAYOUT(log_dinode, XFS_LOG_DINODE_ROWS)
LAYOUT(log_dquot, XFS_LOG_DQUOT_ROWS)
LAYOUT(log_quotaoff, XFS_LOG_QUOTAOFF_ROWS)
LAYOUT(log_icreate, XFS_LOG_ICREATE_ROWS)
LAYOUT(log_intent, XFS_LOG_INTENT_ROWS)
LAYOUT(log_done, XFS_LOG_DONE_ROWS)
LAYOUT(log_extent32, XFS_LOG_EXTENT32_ROWS)
LAYOUT(log_extent, XFS_LOG_EXTENT_ROWS)
LAYOUT(log_map, XFS_LOG_MAP_ROWS)
LAYOUT(log_phys, XFS_LOG_PHYS_ROWS)
LAYOUT(log_attri, XFS_LOG_ATTRI_ROWS)
LAYOUT(log_xmi, XFS_LOG_XMI_ROWS)

static const struct layout layouts[] = {
	ROW(sb),
	ROW(agf, { 96, 112 }, { 220, 4 }),		/* spare */
	ROW(agi, { 40, 256 }),				/* unlinked buckets */
	ROW(agfl), ROW(btree_short), ROW(btree_long, { 68, 4 }),
	ROW(bnobt_rec), ROW(cntbt_key), ROW(inobt_rec), ROW(inobt_key), ROW(bmbt_rec), ROW(bmbt_key),
	ROW(rmap_rec), ROW(rmap_keypair), ROW(refc_rec), ROW(refc_key),
	ROW(dinode_core), ROW(dinode_v3, { 0, 100 }, { 132, 12 }),	/* core; pad2 */
	ROW(dinode_time), ROW(bmdr), ROW(dir_sf_hdr), ROW(dir_sf_ent), ROW(dir_blkhdr), ROW(dir_best),
	ROW(dir_data_ent), ROW(dir_data_unused), ROW(dir_leaf_ent), ROW(dir_block_tail), ROW(dir2_leaf_hdr),
	ROW(dir3_leaf_hdr), ROW(da_node_hdr), ROW(da3_node_hdr), ROW(da3_blkinfo), ROW(da_node_ent), ROW(dir2_free_hdr),
	ROW(dir3_free_hdr), ROW(attr_sf_hdr), ROW(attr_sf_ent), ROW(parent_rec), ROW(attr_leaf_hdr_v4),
	ROW(attr_leaf_hdr, { 64, 12 }),			/* freemap */
	ROW(attr_freemap), ROW(attr_leaf_ent), ROW(attr_local), ROW(attr_remote), ROW(attr_rmt_hdr), ROW(dquot),
	ROW(rtsb), ROW(rtbuf),
	ROW(log_rec, { 44, 256 }),			/* cycle words */
	ROW(log_op), ROW(log_trans_hdr), ROW(log_unmount), ROW(log_item_head), ROW(log_buf), ROW(log_word),
	ROW(log_inode), ROW(log_inode32), ROW(log_dinode), ROW(log_dquot), ROW(log_quotaoff), ROW(log_icreate),
	ROW(log_intent), ROW(log_done), ROW(log_extent32), ROW(log_extent), ROW(log_map), ROW(log_phys), ROW(log_attri),
	ROW(log_xmi),
};

static void mark(const struct layout *l, uint8_t *owners, unsigned bit, unsigned bits, const char *name)
{
	ck_assert_msg(bit + bits <= 8 * l->size, "%s.%s ends outside", l->name, name);
	for (unsigned i = bit; i < bit + bits; i++) {
		ck_assert_msg(owners[i] == 0, "%s.%s overlaps at bit %u", l->name, name, i);
		owners[i] = 1;
	}
}

/* rmap records and keys have bits that mean nothing: 54 of 64 bits of the offset, and the state flag of rt keys */
static bool is_spare_bit(const struct layout *l, unsigned bit)
{
	if (strcmp(l->name, "rmap_rec") == 0)
		return bit >= 131 && bit < 138;
	if (strcmp(l->name, "rmap_keypair") == 0)
		return (bit >= 99 && bit < 106) || (bit >= 259 && bit < 266);
	return false;
}

START_TEST(every_bit_once)
{
	for (size_t k = 0; k < sizeof(layouts) / sizeof(layouts[0]); k++) {
		const struct layout *l = &layouts[k];
		uint8_t owners[8 * 512] = { 0 };

		for (unsigned r = 0; r < l->nrows; r++)
			if (!l->rows[r].view)
				mark(l, owners, l->rows[r].bit, l->rows[r].bits, l->rows[r].name);
		for (unsigned r = 0; r < l->nrows; r++)
			for (unsigned i = 0; l->rows[r].view && i < l->rows[r].bits; i++)
				ck_assert_msg(owners[l->rows[r].bit + i], "%s.%s views bits of no row", l->name,
					      l->rows[r].name);
		for (unsigned g = 0; l->gaps[g][0] || l->gaps[g][1]; g++)
			mark(l, owners, 8 * l->gaps[g][0], 8 * l->gaps[g][1], "gap");
		for (unsigned i = 0; i < 8 * l->size; i++)
			ck_assert_msg(owners[i] || is_spare_bit(l, i), "%s: bit %u (byte %u) belongs to nothing",
				      l->name, i, i / 8);
	}
}
END_TEST

START_TEST(round_trips)
{
	uint64_t seed = 88172645463325252u;

	for (size_t k = 0; k < sizeof(layouts) / sizeof(layouts[0]); k++)
		for (unsigned n = 0; n < 50; n++) {
			uint8_t noise[512];

			for (unsigned i = 0; i < sizeof(noise); i++) {
				seed ^= seed << 13;
				seed ^= seed >> 7;
				seed ^= seed << 17;
				noise[i] = (uint8_t)seed;
			}
			ck_assert_msg(layouts[k].round_trip(noise, layouts[k].size), "%s", layouts[k].name);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ondisk_coverage");
	TCase *t = tcase_create("layouts");

	tcase_add_test(t, every_bit_once);
	tcase_add_test(t, round_trips);
	suite_add_tcase(s, t);
	return vectors_main(s);
}
