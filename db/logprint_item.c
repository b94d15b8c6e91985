/* SPDX-License-Identifier: BSD-2-Clause */
/* logprint_item.c - one item of a log as a line, field by field, or as JSON. */
#include "db/logprint.h"

#include "libxfs/ondisk/btree.h"
#include "libxfs/ondisk/inode.h"
#include "libxfs/ondisk/print_json.h"

#include <inttypes.h>

/* ---- lines ---- */

static void buf_line(struct db *db, const struct xfs_log_item *it)
{
	struct xfs_log_run run = { .len = 0 };
	struct xfs_log_buf_item b;
	const char *sep = " bytes ";

	xfs_log_buf_load(&b, it);
	db_out(db, " daddr %" PRIu64 " bbs %u", b.daddr, b.bbs);
	if (b.flags & XFS_BLF_CANCEL)
		db_out(db, " cancel");
	else
		db_out(db, " %s", xfs_log_content_name(b.content));
	if (b.flags & XFS_BLF_INODE_BUF)
		db_out(db, " unlinked-lists");
	while (xfs_log_buf_next(&b, &run)) {
		db_out(db, "%s%u-%u", sep, run.off, run.off + run.len - 1);
		sep = ",";
	}
}

static void fork_words(struct db *db, const char *name, bool local, bool extents, const struct xfs_log_region *r)
{
	if (r->p)
		db_out(db, " %s %s %u bytes", name, local ? "local" : extents ? "extents" : "btree", r->len);
}

static void inode_line(struct db *db, const struct xfs_log_item *it)
{
	struct xfs_log_inode_item i;
	uint8_t disk[XFS_DINODE_SIZE_V3];
	struct xfs_dinode d;

	xfs_log_inode_load(&i, it);
	xfs_log_dinode_to_disk(disk, i.core, i.core_len, it->writer_le);
	xfs_dinode_decode(&d, disk);
	db_out(db, " %" PRIu64 " mode 0%o nlink %u size %" PRId64, i.f.ino, d.core.mode, xfs_dinode_nlink(&d),
	       (int64_t)d.core.size);
	if (i.f.fields & XFS_ILF_DEV)
		db_out(db, " dev %u:%u", xfs_dev_major(i.f.rdev), xfs_dev_minor(i.f.rdev));
	fork_words(db, "data", i.f.fields & XFS_ILF_DDATA, i.f.fields & XFS_ILF_DEXT, &i.data);
	fork_words(db, "attr", i.f.fields & XFS_ILF_ADATA, i.f.fields & XFS_ILF_AEXT, &i.attr);
	if (i.f.fields & (XFS_ILF_DOWNER | XFS_ILF_AOWNER))
		db_out(db, " owner change");
}

static const char *word_of(const char *const *words, unsigned n, unsigned k)
{
	return k < n && words[k] ? words[k] : "?";
}

static const char *extent_word(uint16_t type, uint32_t flags)
{
	static const char *const rui[] = { NULL, "map", "map-shared", "unmap", "unmap-shared", "convert",
					   "convert-shared",
		"alloc", "free" };
	static const char *const cui[] = { NULL, "increase", "decrease", "alloc-cow", "free-cow" };
	static const char *const bui[] = { NULL, "map", "unmap" };
	unsigned op = flags & XFS_MAP_OP_MASK;

	switch (type) {
	case XFS_LI_RUI: case XFS_LI_RUI_RT:
		return word_of(rui, XFS_ARRAY_SIZE(rui), op);
	case XFS_LI_CUI: case XFS_LI_CUI_RT:
		return word_of(cui, XFS_ARRAY_SIZE(cui), op);
	case XFS_LI_BUI:
		return word_of(bui, XFS_ARRAY_SIZE(bui), op);
	default:
		return "free";
	}
}

static void map_words(struct db *db, uint16_t type, const struct xfs_log_intent_extent *e)
{
	bool bui = type == XFS_LI_BUI;

	if (xfs_owner_is_special(e->owner))
		db_out(db, " owner %" PRId64, (int64_t)e->owner);
	else
		db_out(db, " ino %" PRIu64, e->owner);
	db_out(db, " off %" PRIu64, e->startoff);
	if (e->flags & XFS_RUI_ATTR_FORK)
		db_out(db, " attr");
	if (e->flags & (bui ? XFS_BUI_UNWRITTEN : XFS_RUI_UNWRITTEN))
		db_out(db, " unwritten");
	if (!bui && (e->flags & XFS_RUI_BMBT_BLOCK))
		db_out(db, " bmbt");
	if (bui && (e->flags & XFS_BUI_REALTIME))
		db_out(db, " realtime");
}

static void attri_words(struct db *db, const struct xfs_log_intent_item *in)
{
	static const char *const ops[] = { NULL, "set", "remove", "replace", "pptr-set", "pptr-remove",
					   "pptr-replace" };
	struct xfs_printer how = { .sink = db_sink(db) };

	db_out(db, " %s ino %" PRIu64 " filter 0x%x name ", word_of(ops, XFS_ARRAY_SIZE(ops), in->attri.op_flags),
	       in->attri.ino, in->attri.attr_filter);
	xfs_print_string(in->name.p, in->name.len, &how);
	if (in->new_name.p) {
		db_out(db, " new name ");
		xfs_print_string(in->new_name.p, in->new_name.len, &how);
	}
	if (in->value.p)
		db_out(db, " value %u bytes", in->value.len);
}

static void intent_line(struct db *db, const struct xfs_log_item *it)
{
	struct xfs_log_intent_item in;

	xfs_log_intent_load(&in, it);
	db_out(db, " 0x%" PRIx64, in.id);
	if (it->type == XFS_LI_ATTRI)
		attri_words(db, &in);
	if (it->type == XFS_LI_XMI)
		db_out(db, " ino %" PRIu64 " off %" PRIu64 " with ino %" PRIu64 " off %" PRIu64 " len %" PRIu64
		       " flags 0x%" PRIx64, in.xmi.inode1, in.xmi.startoff1, in.xmi.inode2, in.xmi.startoff2,
		       in.xmi.blockcount, in.xmi.flags);
	for (uint32_t k = 0; k < in.n; k++) {
		struct xfs_log_intent_extent e = xfs_log_intent_at(&in, k);

		db_out(db, "%s %s fsb %" PRIu64 " len %u", k ? "," : "", extent_word(it->type, e.flags),
		       e.startblock, e.len);
		if (it->type == XFS_LI_RUI || it->type == XFS_LI_RUI_RT || it->type == XFS_LI_BUI)
			map_words(db, it->type, &e);
	}
}

void logprint_item_line(struct db *db, const struct xfs_log_item *it)
{
	struct xfs_log_dquot_item q;
	struct xfs_log_icreate c;

	db_out(db, "    %s", it->kind->name);
	switch (it->type) {
	case XFS_LI_BUF:
		buf_line(db, it);
		break;
	case XFS_LI_INODE:
		inode_line(db, it);
		break;
	case XFS_LI_DQUOT:
		xfs_log_dquot_load(&q, it);
		db_out(db, " id %u daddr %" PRIu64 " offset %u", q.f.id, q.f.blkno, q.f.boffset);
		break;
	case XFS_LI_ICREATE:
		xfs_log_icreate_load(&c, it);
		db_out(db, " agno %u agbno %u count %u blocks %u", c.ag, c.agbno, c.count, c.length);
		break;
	case XFS_LI_QUOTAOFF:
		break;
	default:
		if (it->kind->role == XFS_LOG_INTENT)
			intent_line(db, it);
		else
			db_out(db, " 0x%" PRIx64, xfs_log_item_id(it));
	}
	db_out(db, "\n");
}

/* ---- all fields ---- */

struct region_view {
	struct xfs_ctx c;
	struct xfs_place top;
	uint8_t core[sizeof(struct xfs_log_dinode_disk)];
};

/* Region k as tables see it; a short core (V4) is followed by zeroes. False: it has no table. */
static bool view(struct db *db, const struct xfs_log_item *it, uint32_t k, struct region_view *v)
{
	const struct xfs_desc *desc = xfs_log_item_desc(it, k);
	const struct xfs_log_region *r = &it->regions[k];

	if (!desc)
		return false;
	v->c = db->fs->ctx;
	v->c.p = r->p;
	v->c.len = r->len;
	v->c.writer_le = it->writer_le;
	v->top = (struct xfs_place){ desc, 0 };
	if (desc == &xfs_log_dinode_desc && r->len < sizeof(v->core)) {
		memset(v->core, 0, sizeof(v->core));
		memcpy(v->core, r->p, r->len);
		v->c.p = v->core;
		v->c.len = sizeof(v->core);
	}
	return true;
}

void logprint_item_fields(struct db *db, const struct xfs_log_item *it)
{
	struct xfs_printer how = { .sink = db_sink(db) };

	for (uint32_t k = 0; k < it->nregions; k++) {
		struct region_view v;

		if (view(db, it, k, &v))
			xfs_print_all(&v.c, v.top, &how);
		else
			xfs_print_data(it->regions[k].p, it->regions[k].len, &how);
	}
}

/* ---- JSON ---- */

static void buf_json(struct xfs_json *j, const struct xfs_log_item *it)
{
	struct xfs_log_run run = { .len = 0 };
	struct xfs_log_buf_item b;

	xfs_log_buf_load(&b, it);
	xfs_json_string(j, "content", b.flags & XFS_BLF_CANCEL ? NULL : xfs_log_content_name(b.content));
	xfs_json_bool(j, "cancel", b.flags & XFS_BLF_CANCEL);
	xfs_json_array(j, "runs");
	while (xfs_log_buf_next(&b, &run)) {
		xfs_json_object(j, NULL);
		xfs_json_u64(j, "offset", run.off);
		xfs_json_u64(j, "length", run.len);
		xfs_json_object_end(j);
	}
	xfs_json_array_end(j);
}

static void intent_json(struct xfs_json *j, const struct xfs_log_item *it)
{
	struct xfs_log_intent_item in;

	xfs_log_intent_load(&in, it);
	if (in.n) {
		xfs_json_array(j, "operations");
		for (uint32_t k = 0; k < in.n; k++)
			xfs_json_string(j, NULL, extent_word(it->type, xfs_log_intent_at(&in, k).flags));
		xfs_json_array_end(j);
	}
	if (in.name.p)
		xfs_json_bytes(j, "name", in.name.p, in.name.len);
	if (in.new_name.p)
		xfs_json_bytes(j, "new_name", in.new_name.p, in.new_name.len);
	if (in.value.p)
		xfs_json_hex(j, "value", in.value.p, in.value.len);
}

void logprint_item_json(struct db *db, struct xfs_json *j, const struct xfs_log_item *it)
{
	xfs_json_object(j, NULL);
	xfs_json_string(j, "kind", it->kind->name);
	if (it->type == XFS_LI_BUF)
		buf_json(j, it);
	else if (it->kind->role == XFS_LOG_INTENT)
		intent_json(j, it);
	xfs_json_array(j, "regions");
	for (uint32_t k = 0; k < it->nregions; k++) {
		struct region_view v;

		xfs_json_object(j, NULL);
		xfs_json_u64(j, "bytes", it->regions[k].len);
		if (view(db, it, k, &v)) {
			xfs_json_object(j, v.top.desc->name);
			xfs_json_fields(j, &v.c, v.top, XFS_CRC_UNCHECKED);
			xfs_json_object_end(j);
		}
		xfs_json_object_end(j);
	}
	xfs_json_array_end(j);
	xfs_json_object_end(j);
}
