/* SPDX-License-Identifier: BSD-2-Clause */
/* judge.c - complaints about what is loaded: checksum first, then structure. Nothing is refused. */
#include "db/db.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/inode/inode.h"
#include "libxfs/name/dirdata.h"
#include "libxfs/ondisk/agheaders.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>

/* Words of verifiers for the forms of blocks. */
static const char *verifier_word(const struct xfs_blockform *f)
{
	static const char *const words[][2] = {
		{ "dir block", "dir3_block" }, { "dir data", "dir3_data" }, { "dir free", "dir3_free" },
		{ "dir leaf1", "dir3_leaf1" }, { "dir leafn", "dir3_leafn" }, { "da node", "da3_node" },
		{ "attr leaf", "attr3_leaf" }, { "attr remote", "attr3_rmt" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(f->name, words[i][0]) == 0)
			return words[i][1];
	return f->name;
}

/* "at": the address of the code that found it, which nobody reads. */
static void complain(const struct db *db, const char *what, const char *word, const struct db_place *p)
{
	if (p->daddr == db->complained)	/* at the start */
		return;
	fprintf(stderr, "Metadata %s detected at 0x0, xfs_%s block 0x%llx/0x%x\n", what, word,
		(unsigned long long)p->daddr, p->bbs * XFS_BBSIZE);
}

/* ---- structure ---- */

static bool sb_is_good(const uint8_t *object)
{
	struct xfs_geometry g;
	struct xfs_sb sb;
	int err;

	xfs_sb_decode(&sb, object);
	err = xfs_geometry_init(&g, &sb, NULL, NULL);
	return !err || err == -XFS_E_UNSUPPORTED;
}

/* Does `daddr` hold header sector n of an AG? */
static bool is_header(const struct xfs_geometry *g, uint64_t daddr, unsigned n, xfs_agno_t *agno)
{
	xfs_agbno_t agbno;

	xfs_daddr_ag(g, XFS_DADDR(daddr), agno, &agbno);
	return agno->v < g->agcount && xfs_ag_header_daddr(g, *agno, n).v == daddr;
}

static bool agfl_is_good(const struct xfs_geometry *g, xfs_agno_t agno, const uint8_t *p)
{
	uint32_t len = xfs_ag_length(g, agno);

	if (!g->v5)
		return true;	/* its sectors were never cleared */
	for (uint32_t i = 0; i < g->agfl_size; i++) {
		uint32_t agbno = xfs_agfl_slot_get_agbno((const void *)(p + xfs_agfl_slot_off(true, i)));

		if (agbno != XFS_NULL32 && agbno >= len)
			return false;
	}
	return xfs_agfl_get_seqno((const void *)p) == agno.v;
}

static bool header_is_good(struct db *db, const struct xfs_blockform *f, const struct db_place *p,
			   const uint8_t *object)
{
	unsigned n = f->type == XT_AGF ? 1 : f->type == XT_AGI ? 2 : 3;
	struct xfs_agf agf;
	struct xfs_agi agi;
	xfs_agno_t agno;

	if (!is_header(&db->fs->geo, p->daddr, n, &agno))
		return true;	/* the user calls another place so */
	if (f->type == XT_AGF)
		return xfs_fs_agf(db->fs, agno, &agf) != -XFS_E_CORRUPT;
	return f->type == XT_AGI ? xfs_fs_agi(db->fs, agno, &agi, NULL) != -XFS_E_CORRUPT
				 : agfl_is_good(&db->fs->geo, agno, object);
}

static unsigned max_levels(const struct xfs_geometry *g, enum xfs_type type)
{
	switch (type) {
	case XT_BNOBT: case XT_CNTBT:
		return g->alloc_maxlevels;
	case XT_INOBT: case XT_FINOBT:
		return g->inobt_maxlevels;
	case XT_RMAPBT:
		return g->rmap_maxlevels;
	case XT_REFCBT:
		return g->refc_maxlevels;
	case XT_BMAPBTD: case XT_BMAPBTA:
		return g->bmap_maxlevels[type == XT_BMAPBTA];
	default:
		return XFS_BTREE_MAXLEVELS;
	}
}

/* Level, number of records, neighbours, and the AG as owner. */
static bool btree_is_good(const struct xfs_geometry *g, const struct xfs_blockform *f, const struct db_place *p,
			  const uint8_t *object)
{
	const struct xfs_btree_short_disk *s = (const void *)object;
	const struct xfs_btree_long_disk *l = (const void *)object;
	uint64_t siblings[2];
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	if (xfs_blockform_check_btree(f, g->v5, object, p->len, NULL) ||
	    xfs_btree_short_get_level(s) >= max_levels(g, (enum xfs_type)f->type))
		return false;
	xfs_daddr_ag(g, XFS_DADDR(p->daddr), &agno, &agbno);
	siblings[0] = f->shape->long_form ? xfs_btree_long_get_leftsib(l) : xfs_btree_short_get_leftsib(s);
	siblings[1] = f->shape->long_form ? xfs_btree_long_get_rightsib(l) : xfs_btree_short_get_rightsib(s);
	for (unsigned i = 0; i < 2; i++) {
		if (siblings[i] == (f->shape->long_form ? XFS_NULL64 : XFS_NULL32))
			continue;
		if (f->shape->long_form ? !xfs_fsbno_range_valid(g, siblings[i], 1)
					: !xfs_agbno_range_valid(g, agno, (uint32_t)siblings[i], 1))
			return false;
	}
	return !g->v5 || f->shape->long_form || xfs_btree_short_get_owner(s) == agno.v;
}

/* Entries and free areas fill the block, each knows its place, and no entry is impossible. */
static bool dirdata_is_good(const struct xfs_geometry *g, const uint8_t *block, uint32_t len)
{
	uint32_t off = xfs_dir_data_header_len(g->v5), end = xfs_dir_data_end(block, g->v5, len);
	struct xfs_dir_item it;
	int more;

	while ((more = xfs_dir_data_next(g, block, end, &off, &it)) > 0)
		if (it.tag != it.off || (it.used && xfs_dir_entry_problem(g, &it)))
			return false;
	return more == 0;
}

static bool is_good(struct db *db, const struct xfs_blockform *f, const struct db_place *p, const uint8_t *object)
{
	const struct xfs_geometry *g = &db->fs->geo;
	const struct xfs_block_facts facts = { .v5 = g->v5, .uuid = g->uuid, .daddr = p->dev == DB_DATA ? &p->daddr :
					       NULL };
	int err = xfs_blockform_verify(f, &facts, object, p->len, NULL);

	if (err && err != -XFS_E_BADCRC)
		return false;
	if (f->type == XT_AGF || f->type == XT_AGI || f->type == XT_AGFL)
		return header_is_good(db, f, p, object);
	if (f->type == XT_SB)
		return sb_is_good(object);
	if (f->shape)
		return btree_is_good(g, f, p, object);
	if (f->type == XT_DIR && p->len == g->dirblksize &&
	    (strcmp(f->name, "dir block") == 0 || strcmp(f->name, "dir data") == 0))
		return dirdata_is_good(g, object, p->len);
	return true;
}

/* ---- inodes ---- */

/* All inodes of the buffer by magic and version. */
static void judge_cluster(struct db *db, const struct db_place *p, const uint8_t *buf)
{
	const struct xfs_geometry *g = &db->fs->geo;

	for (uint32_t off = 0; off + g->inodesize <= p->bbs * XFS_BBSIZE; off += g->inodesize) {
		const struct xfs_dinode_core_disk *d = (const void *)(buf + off);
		unsigned version = xfs_dinode_core_get_version(d);

		if (xfs_dinode_core_get_magic(d) == XFS_DINODE_MAGIC &&
		    (g->v5 ? version == 3 : version == 1 || version == 2))
			continue;
		complain(db, "corruption", "inode", p);
		return;
	}
}

static enum xfs_crc_state judge_inode(struct db *db, const struct db_place *p, const uint8_t *object)
{
	const struct xfs_geometry *g = &db->fs->geo;
	bool crc = !g->v5 || xfs_crc32c_check(object, p->len, XFS_OFF(dinode_v3, crc));
	struct xfs_inode ip;
	int err;

	judge_cluster(db, p, object - p->off);
	if (!crc) {
		db_out(db, "Metadata CRC error detected for ino %llu\n", (unsigned long long)p->ino);
		return XFS_CRC_BAD;
	}
	err = xfs_inode_parse(db->fs, XFS_INO(p->ino), object, &ip);
	if (err || xfs_inode_verify(&ip, NULL))
		fprintf(stderr, "Metadata corruption detected at 0x0, inode 0x%llx dinode\n",
			(unsigned long long)p->ino);
	return g->v5 ? XFS_CRC_GOOD : XFS_CRC_UNCHECKED;
}

/* ---- all ---- */

/* The form that the object has by its magic, or else the only one of its type. */
static const struct xfs_blockform *form_of(enum xfs_type type, bool v5, const uint8_t *object, size_t len)
{
	const struct xfs_blockform *f = xfs_blockform_of(type, v5, object, len);

	if (f || type == XT_DIR || type == XT_ATTR)
		return f;
	for (f = xfs_blockforms; *f->name; f++)
		if (f->type == type)
			return (v5 ? f->magic5 : f->magic4) && (!v5 || f->crc + 4u <= len) ? f : NULL;
	return NULL;
}

enum xfs_crc_state db_judge(struct db *db, const struct db_place *p, const uint8_t *object)
{
	const struct xfs_geometry *g = &db->fs->geo;
	enum xfs_type type = p->type ? (enum xfs_type)p->type->type : XT_NONE;
	const struct xfs_blockform *f;

	if (type == XT_NONE || xfs_blocktype_show(p->type, g->v5) != XW_FIELDS)
		return XFS_CRC_UNCHECKED;
	if (type == XT_INODE)
		return judge_inode(db, p, object);
	f = form_of(type, g->v5, object, p->len);
	if (!f && !g->v5)	/* values of attributes have no magic number there */
		return XFS_CRC_UNCHECKED;
	if (!f && type == XT_DIR)
		db_out(db, "Unknown directory buffer type!\n");
	if (!f && type == XT_ATTR)
		db_out(db, "Unknown attribute buffer type!\n");
	if (!f)
		return XFS_CRC_BAD;
	if (type == XT_SB && xfs_sb_get_magicnum((const void *)object) != XFS_SB_MAGIC)
		fprintf(stderr, "Superblock has bad magic number 0x%x. Not an XFS filesystem?\n",
			xfs_sb_get_magicnum((const void *)object));
	else if (g->v5 && !xfs_crc32c_check(object, p->len, f->crc))
		complain(db, "CRC error", verifier_word(f), p);
	else if (!is_good(db, f, p, object))
		complain(db, "corruption", verifier_word(f), p);
	if (!g->v5)
		return XFS_CRC_UNCHECKED;
	return xfs_crc32c_check(object, p->len, f->crc) ? XFS_CRC_GOOD : XFS_CRC_BAD;
}

/* Complains about a header that is not good. Returns the errno of what is wrong. */
static int judge_header(struct db *db, enum xfs_type type, xfs_agno_t agno, unsigned n)
{
	const struct xfs_geometry *g = &db->fs->geo;
	struct db_place p = { .type = xfs_blocktype_of(type), .daddr = xfs_ag_header_daddr(g, agno, n).v,
			      .bbs = g->sectsize / XFS_BBSIZE, .len = g->sectsize };
	uint8_t *sector = malloc(g->sectsize);
	enum xfs_crc_state state = XFS_CRC_BAD;
	int err = sector ? xfs_dev_read(db->dev.data, p.daddr * XFS_BBSIZE, sector, g->sectsize) : -XFS_E_NOMEM;

	if (!err)
		state = db_judge(db, &p, sector);
	free(sector);
	db->complained = err ? XFS_NULL64 : p.daddr;
	return xfs_error_errno(err ? err : state == XFS_CRC_BAD ? -XFS_E_BADCRC : -XFS_E_CORRUPT);
}

void db_judge_headers(struct db *db)
{
	struct xfs_agf agf;
	struct xfs_agi agi;

	db->complained = XFS_NULL64;
	for (uint32_t k = 0; k < db->fs->geo.agcount; k++) {
		xfs_agno_t agno = XFS_AGNO(k);
		bool no_agf = xfs_fs_agf(db->fs, agno, &agf) != 0;

		if (!no_agf && !xfs_fs_agi(db->fs, agno, &agi, NULL))
			continue;
		fprintf(stderr, "%s: cannot init perag data (%d). Continuing anyway.\n", db->prog,
			judge_header(db, no_agf ? XT_AGF : XT_AGI, agno, no_agf ? 1 : 2));
		return;
	}
}
