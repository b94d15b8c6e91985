/* SPDX-License-Identifier: BSD-2-Clause */
/* blocktypes.c - types and forms of blocks, generic verifier. */
#include "libxfs/ondisk/blocktypes.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/errors.h"
#include "libxfs/base/types.h"
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/dir.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/realtime.h"
#include "libxfs/ondisk/superblock.h"

/* A type with fields in both versions, in V5 only, and without fields. */
#define BOTH(id, name, d, rule) { name, name, &xfs_##d##_desc, &xfs_##d##_desc, id, rule, XW_FIELDS, XW_FIELDS }
#define V5ONLY(id, name, d, rule) { NULL, name, NULL, &xfs_##d##_desc, id, rule, XW_NOTHING, XW_FIELDS }
#define PLAIN(id, name, rule, show) { name, name, NULL, NULL, id, rule, show, show }
const struct xfs_blocktype xfs_blocktypes[] = {
	BOTH(XT_AGF, "agf", agf, XS_SECTOR),
	BOTH(XT_AGFL, "agfl", agfl, XS_SECTOR),
	BOTH(XT_AGI, "agi", agi, XS_SECTOR),
	{ "attr", "attr3", &xfs_attr_desc, &xfs_attr3_desc, XT_ATTR, XS_BLOCK, XW_FIELDS, XW_FIELDS },
	BOTH(XT_BMAPBTA, "bmapbta", bmapbta, XS_BLOCK),
	BOTH(XT_BMAPBTD, "bmapbtd", bmapbtd, XS_BLOCK),
	BOTH(XT_BNOBT, "bnobt", bnobt, XS_BLOCK),
	BOTH(XT_CNTBT, "cntbt", cntbt, XS_BLOCK),
	V5ONLY(XT_RMAPBT, "rmapbt", rmapbt, XS_BLOCK),
	V5ONLY(XT_RTRMAPBT, "rtrmapbt", rtrmapbt, XS_BLOCK),
	V5ONLY(XT_REFCBT, "refcntbt", refcntbt, XS_BLOCK),
	V5ONLY(XT_RTREFCBT, "rtrefcntbt", rtrefcntbt, XS_BLOCK),
	PLAIN(XT_DATA, "data", XS_ANY, XW_DATA),
	{ "dir2", "dir3", &xfs_dir2_desc, &xfs_dir3_desc, XT_DIR, XS_DIRBLOCK, XW_FIELDS, XW_FIELDS },
	BOTH(XT_DQBLK, "dqblk", dqblk, XS_DQUOT),
	BOTH(XT_INOBT, "inobt", inobt, XS_BLOCK),
	PLAIN(XT_INODATA, "inodata", XS_ANY, XW_NOTHING),
	BOTH(XT_INODE, "inode", inode, XS_INODE),
	PLAIN(XT_LOG, "log", XS_ANY, XW_NOTHING),
	PLAIN(XT_RTBITMAP, "rtbitmap", XS_BLOCK, XW_TEXT),
	PLAIN(XT_RTSUMMARY, "rtsummary", XS_BLOCK, XW_TEXT),
	V5ONLY(XT_RTSB, "rtsb", rtsb, XS_BLOCK),
	BOTH(XT_SB, "sb", sb, XS_SECTOR),
	{ "symlink", "symlink", NULL, &xfs_symlink_desc, XT_SYMLINK, XS_BLOCK, XW_STRING, XW_FIELDS },
	PLAIN(XT_TEXT, "text", XS_ANY, XW_TEXT),
	BOTH(XT_FINOBT, "finobt", finobt, XS_BLOCK),
	V5ONLY(XT_RGBITMAP, "rgbitmap", rgbitmap, XS_BLOCK),
	V5ONLY(XT_RGSUMMARY, "rgsummary", rgsummary, XS_BLOCK),
	{ .type = XT_NONE },
};

const struct xfs_blocktype *xfs_blocktype_named(const char *name, bool v5)
{
	for (const struct xfs_blocktype *t = xfs_blocktypes; t->type != XT_NONE; t++) {
		const char *has = xfs_blocktype_name(t, v5);

		if (has && strcmp(has, name) == 0)
			return t;
	}
	return NULL;
}

const struct xfs_blocktype *xfs_blocktype_of(enum xfs_type type)
{
	for (const struct xfs_blocktype *t = xfs_blocktypes; t->type != XT_NONE; t++)
		if (t->type == type)
			return t;
	return NULL;
}

/* Positions by the tables that have all of these members. */
#define SELF(S, m) .magic = XFS_OFF(S, m), .crc = XFS_OFF(S, crc), .uuid = XFS_OFF(S, uuid), .lsn = XFS_OFF(S, lsn)
#define ADDRESS(S) .blkno = XFS_OFF(S, bno), .owner = XFS_OFF(S, owner)
#define NO_ADDRESS .blkno = XFS_NO_POS, .owner = XFS_NO_POS
#define MAGICS(n, id, bits, owner, old, new)									\
	.name = n, .type = id, .magic_bits = bits, .owner_bits = owner, .magic4 = old, .magic5 = new
#define AGHEADER(n, id, m) { MAGICS(#n, id, 32, 0, m, m), SELF(n, magicnum), NO_ADDRESS }
#define SHORT(n, id, s, old, new)										\
	{ MAGICS(n, id, 32, 32, old, new), SELF(btree_short, magic), ADDRESS(btree_short),			\
	  .shape = &xfs_btree_shape_##s }
#define LONG(n, id, s, old, new)										\
	{ MAGICS(n, id, 32, 64, old, new), SELF(btree_long, magic), ADDRESS(btree_long),			\
	  .shape = &xfs_btree_shape_##s }
#define HEADED(n, id, S, m, bits, old, new) { MAGICS(n, id, bits, 64, old, new), SELF(S, m), ADDRESS(S) }
#define DIRBLK(n, old, new) HEADED(n, XT_DIR, dir_blkhdr, magic, 32, old, new)
#define DABLK(n, id, old, new) HEADED(n, id, da3_blkinfo, magic, 16, old, new)
const struct xfs_blockform xfs_blockforms[] = {
	/* a superblock is the source of the uuid, so there is nothing to compare it with */
	{ .name = "sb", .type = XT_SB, .magic_bits = 32, .magic4 = XFS_SB_MAGIC, .magic5 = XFS_SB_MAGIC,
	  .magic = XFS_OFF(sb, magicnum), .crc = XFS_OFF(sb, crc), .uuid = XFS_NO_POS, .lsn = XFS_OFF(sb, lsn),
	  NO_ADDRESS },
	AGHEADER(agf, XT_AGF, XFS_AGF_MAGIC),
	AGHEADER(agi, XT_AGI, XFS_AGI_MAGIC),
	{ .name = "agfl", .type = XT_AGFL, .magic_bits = 32, .magic5 = XFS_AGFL_MAGIC, SELF(agfl, magicnum),
	  NO_ADDRESS },
	SHORT("bnobt", XT_BNOBT, alloc, XFS_BNOBT_MAGIC_V4, XFS_BNOBT_MAGIC),
	SHORT("cntbt", XT_CNTBT, alloc, XFS_CNTBT_MAGIC_V4, XFS_CNTBT_MAGIC),
	SHORT("inobt", XT_INOBT, inobt, XFS_INOBT_MAGIC_V4, XFS_INOBT_MAGIC),
	SHORT("finobt", XT_FINOBT, inobt, XFS_FINOBT_MAGIC_V4, XFS_FINOBT_MAGIC),
	SHORT("rmapbt", XT_RMAPBT, rmapbt, 0, XFS_RMAPBT_MAGIC),
	SHORT("refcountbt", XT_REFCBT, refcbt, 0, XFS_REFCBT_MAGIC),
	LONG("bmbt", XT_BMAPBTD, bmbt, XFS_BMBT_MAGIC_V4, XFS_BMBT_MAGIC),
	LONG("bmbt", XT_BMAPBTA, bmbt, XFS_BMBT_MAGIC_V4, XFS_BMBT_MAGIC),
	LONG("rtrmapbt", XT_RTRMAPBT, rtrmapbt, 0, XFS_RTRMAPBT_MAGIC),
	LONG("rtrefcountbt", XT_RTREFCBT, rtrefcbt, 0, XFS_RTREFCBT_MAGIC),
	{ .name = "inode", .type = XT_INODE, .magic_bits = 16, .owner_bits = 64, .magic4 = XFS_DINODE_MAGIC,
	  .magic5 = XFS_DINODE_MAGIC, .magic = XFS_OFF(dinode_core, magic), .crc = XFS_OFF(dinode_v3, crc),
	  .uuid = XFS_OFF(dinode_v3, uuid), .lsn = XFS_OFF(dinode_v3, lsn), .blkno = XFS_NO_POS,
	  .owner = XFS_OFF(dinode_v3, inumber) },
	DIRBLK("dir block", XFS_DIR2_BLOCK_MAGIC, XFS_DIR3_BLOCK_MAGIC),
	DIRBLK("dir data", XFS_DIR2_DATA_MAGIC, XFS_DIR3_DATA_MAGIC),
	DIRBLK("dir free", XFS_DIR2_FREE_MAGIC, XFS_DIR3_FREE_MAGIC),
	DABLK("dir leaf1", XT_DIR, XFS_DIR2_LEAF1_MAGIC, XFS_DIR3_LEAF1_MAGIC),
	DABLK("dir leafn", XT_DIR, XFS_DIR2_LEAFN_MAGIC, XFS_DIR3_LEAFN_MAGIC),
	DABLK("da node", XT_DIR, XFS_DA_NODE_MAGIC, XFS_DA3_NODE_MAGIC),
	DABLK("da node", XT_ATTR, XFS_DA_NODE_MAGIC, XFS_DA3_NODE_MAGIC),
	DABLK("attr leaf", XT_ATTR, XFS_ATTR_LEAF_MAGIC_V4, XFS_ATTR_LEAF_MAGIC),
	HEADED("attr remote", XT_ATTR, attr_rmt_hdr, magic, 32, 0, XFS_ATTR_REMOTE_MAGIC),
	HEADED("symlink", XT_SYMLINK, symlink_hdr, magic, 32, 0, XFS_SYMLINK_MAGIC),
	{ .name = "dquot", .type = XT_DQBLK, .magic_bits = 16, .magic4 = XFS_DQUOT_MAGIC, .magic5 = XFS_DQUOT_MAGIC,
	  SELF(dquot, magic), NO_ADDRESS },
	{ .name = "rtsb", .type = XT_RTSB, .magic_bits = 32, .magic5 = XFS_RTSB_MAGIC, .magic = XFS_OFF(rtsb, magicnum),
	  .crc = XFS_OFF(rtsb, crc), .uuid = XFS_OFF(rtsb, meta_uuid), .lsn = XFS_NO_POS, NO_ADDRESS },
	HEADED("rtbitmap", XT_RGBITMAP, rtbuf, magicnum, 32, 0, XFS_RTBITMAP_MAGIC),
	HEADED("rtsummary", XT_RGSUMMARY, rtbuf, magicnum, 32, 0, XFS_RTSUMMARY_MAGIC),
	{ .name = "" },
};

static uint64_t number_at(const uint8_t *p, uint16_t pos, unsigned bits)
{
	return xfs_bits_get(p + pos, 0, bits, false);
}

/* Smallest buffer that holds all positions of a form. */
static size_t form_head(const struct xfs_blockform *f, bool v5)
{
	size_t n = f->magic + f->magic_bits / 8u;

	if (!v5)
		return n;
	if (f->crc != XFS_NO_POS)
		n = (size_t)xfs_max(n, f->crc + 4u);
	if (f->uuid != XFS_NO_POS)
		n = (size_t)xfs_max(n, f->uuid + 16u);
	if (f->blkno != XFS_NO_POS)
		n = (size_t)xfs_max(n, f->blkno + 8u);
	if (f->owner != XFS_NO_POS)
		n = (size_t)xfs_max(n, f->owner + f->owner_bits / 8u);
	return n;
}

static bool magic_matches(const struct xfs_blockform *f, bool v5, const uint8_t *p, size_t len)
{
	uint32_t want = v5 ? f->magic5 : f->magic4;

	return want && len >= form_head(f, v5) && number_at(p, f->magic, f->magic_bits) == want;
}

const struct xfs_blockform *xfs_blockform_of(enum xfs_type type, bool v5, const uint8_t *p, size_t len)
{
	for (const struct xfs_blockform *f = xfs_blockforms; *f->name; f++)
		if ((type == XT_NONE || f->type == type) && magic_matches(f, v5, p, len))
			return f;
	return NULL;
}

static int report(const struct xfs_blockform *f, enum xfs_finding_id id, const char *field, uint64_t found,
		  uint64_t expected, int code, struct xfs_finding *why)
{
	if (xfs_finding_mutant(id))
		return 0;
	if (why) {
		*why = xfs_finding_of(id, f->name);
		why->field = field;
		why->found = found;
		why->expected = expected;
	}
	return code;
}

int xfs_blockform_verify(const struct xfs_blockform *f, const struct xfs_block_facts *facts, const uint8_t *p,
			 size_t len, struct xfs_finding *why)
{
	uint32_t magic = facts->v5 ? f->magic5 : f->magic4;
	uint64_t v;

	if (!magic_matches(f, facts->v5, p, len)) {
		v = len >= f->magic + f->magic_bits / 8u ? number_at(p, f->magic, f->magic_bits) : 0;
		return report(f, XFS_F_BLOCK_MAGIC, "magic", v, magic, -XFS_E_BADMAGIC, why);
	}
	if (!facts->v5)
		return 0;
	if (f->uuid != XFS_NO_POS && facts->uuid && memcmp(p + f->uuid, facts->uuid, 16) != 0)
		return report(f, XFS_F_BLOCK_UUID, "uuid", XFS_NULL64, XFS_NULL64, -XFS_E_CORRUPT, why);
	if (f->blkno != XFS_NO_POS && facts->daddr) {
		v = number_at(p, f->blkno, 64);
		if (v != *facts->daddr)
			return report(f, XFS_F_BLOCK_BLKNO, "bno", v, *facts->daddr, -XFS_E_CORRUPT, why);
	}
	if (f->owner != XFS_NO_POS && facts->owner) {
		v = number_at(p, f->owner, f->owner_bits);
		if (v != *facts->owner)
			return report(f, XFS_F_BLOCK_OWNER, "owner", v, *facts->owner, -XFS_E_CORRUPT, why);
	}
	if (f->crc != XFS_NO_POS && !xfs_crc32c_check(p, len, f->crc))
		return report(f, XFS_F_BLOCK_CRC, "crc", xfs_le32(p + f->crc), xfs_crc32c_block(p, len, f->crc),
			      -XFS_E_BADCRC, why);
	return 0;
}

int xfs_blockform_check_btree(const struct xfs_blockform *f, bool v5, const uint8_t *p, size_t len,
			      struct xfs_finding *why)
{
	const struct xfs_btree_short_disk *head = (const void *)p;	/* the long form starts with the same fields */
	unsigned level, recs;
	uint32_t max;

	if (!f->shape || len < xfs_btree_header_len(f->shape, v5))
		return f->shape ? -XFS_E_CORRUPT : 0;
	level = xfs_btree_short_get_level(head);
	recs = xfs_btree_short_get_numrecs(head);
	if (level >= XFS_BTREE_MAXLEVELS)
		return report(f, XFS_F_BTREE_LEVEL, "level", level, XFS_NULL64, -XFS_E_CORRUPT, why);
	max = xfs_btree_maxrecs(f->shape, v5, (uint32_t)len, level == 0);
	return recs > max ? report(f, XFS_F_BTREE_NUMRECS, "numrecs", recs, max, -XFS_E_CORRUPT, why) : 0;
}

void xfs_blockform_seal(const struct xfs_blockform *f, bool v5, uint8_t *p, size_t len)
{
	if (v5 && f->crc != XFS_NO_POS && len >= form_head(f, v5))
		xfs_crc32c_store(p, len, f->crc);
}
