/* SPDX-License-Identifier: BSD-2-Clause */
/* metafiles.c - what the files of the metadata directory are. */
#include "repair/metafiles.h"
#include "repair/content.h"
#include "repair/evidence.h"
#include "repair/names.h"
#include "repair/realtime.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/inode/forkoff.h"
#include "libxfs/inode/inode.h"
#include "libxfs/name/dirdata.h"
#include "libxfs/name/path.h"
#include "libxfs/ondisk/dquot.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LOOKED 16u		/* blocks that are asked what they are */

static const struct {
	const char *name;
	uint16_t metatype;
} kinds[] = {
	{ "bitmap", XFS_METAFILE_RTBITMAP }, { "summary", XFS_METAFILE_RTSUMMARY }, { "rmap", XFS_METAFILE_RTRMAP },
	{ "refcount", XFS_METAFILE_RTREFCOUNT },
	{ "user", XFS_METAFILE_USRQUOTA }, { "group", XFS_METAFILE_GRPQUOTA }, { "project", XFS_METAFILE_PRJQUOTA },
};

static bool is_quota(unsigned metatype)
{
	return metatype == XFS_METAFILE_USRQUOTA || metatype == XFS_METAFILE_GRPQUOTA ||
	       metatype == XFS_METAFILE_PRJQUOTA;
}

bool repair_metafile_is_tree(unsigned metatype)
{
	return metatype == XFS_METAFILE_RTRMAP || metatype == XFS_METAFILE_RTREFCOUNT;
}

bool repair_metafile_possible(const struct repair *r, const struct repair_metafile *f)
{
	if (is_quota(f->metatype))
		return !f->group;
	if (f->group >= r->geo.sb.rgcount)
		return false;
	switch (f->metatype) {
	case XFS_METAFILE_RTBITMAP:
	case XFS_METAFILE_RTSUMMARY:
		return !r->geo.zoned;
	case XFS_METAFILE_RTRMAP:
		return r->geo.rmapbt;
	case XFS_METAFILE_RTREFCOUNT:
		return r->geo.reflink;
	default:
		return false;
	}
}

bool repair_metafile_by_name(const struct repair *r, const void *name, size_t len, struct repair_metafile *out)
{
	char text[32], right[32];
	const char *dir, *dot;

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	dot = strchr(text, '.');
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(kinds); i++) {
		if (strcmp(dot ? dot + 1 : text, kinds[i].name))
			continue;
		*out = (struct repair_metafile){ kinds[i].metatype, dot ? (uint32_t)strtoul(text, NULL, 10) : 0 };
		/* the same number can be written in several ways, of which one counts */
		return repair_metafile_possible(r, out) && repair_metafile_name(r, out, &dir, right) &&
		       !strcmp(text, right);
	}
	return false;
}

bool repair_metafile_name(const struct repair *r, const struct repair_metafile *f, const char **dir, char name[32])
{
	if (!repair_metafile_possible(r, f))
		return false;
	for (unsigned i = 0; i < XFS_ARRAY_SIZE(kinds); i++) {
		if (kinds[i].metatype != f->metatype)
			continue;
		*dir = is_quota(f->metatype) ? REPAIR_META_QUOTA : REPAIR_META_RTGROUPS;
		if (is_quota(f->metatype))
			snprintf(name, 32, "%s", kinds[i].name);
		else
			snprintf(name, 32, "%" PRIu32 ".%s", f->group, kinds[i].name);
		return true;
	}
	return false;
}

/* ---- blocks ---- */

static unsigned type_of_records(const struct repair *r, const uint8_t *p)
{
	struct xfs_dquot q;

	xfs_dquot_decode(&q, p);
	if (q.magic != XFS_DQUOT_MAGIC || q.version != XFS_DQUOT_VERSION || memcmp(q.uuid, r->geo.uuid, 16) ||
	    !xfs_crc32c_check(p, sizeof(struct xfs_dquot_disk), XFS_OFF(dquot, crc)))
		return 0;
	switch (q.type & (XFS_DQTYPE_USER | XFS_DQTYPE_GROUP | XFS_DQTYPE_PROJ)) {
	case XFS_DQTYPE_USER: return XFS_METAFILE_USRQUOTA;
	case XFS_DQTYPE_GROUP: return XFS_METAFILE_GRPQUOTA;
	case XFS_DQTYPE_PROJ: return XFS_METAFILE_PRJQUOTA;
	default: return 0;
	}
}

static unsigned type_of_block(struct repair *r, uint64_t ino, uint64_t fsbno)
{
	uint8_t p[sizeof(struct xfs_dquot_disk)];
	struct xfs_rtbuf head;

	if (xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, sizeof(p)))
		return 0;
	xfs_rtbuf_decode(&head, p);
	if (head.owner == ino && !memcmp(head.uuid, r->geo.uuid, 16) &&
	    head.bno == xfs_fsbno_daddr(&r->geo, XFS_FSBNO(fsbno)).v) {
		if (head.magicnum == XFS_RTBITMAP_MAGIC)
			return XFS_METAFILE_RTBITMAP;
		if (head.magicnum == XFS_RTSUMMARY_MAGIC)
			return XFS_METAFILE_RTSUMMARY;
	}
	return type_of_records(r, p);
}

bool repair_metafile_by_blocks(struct repair *r, uint64_t ino, const struct xfs_mapset *s, struct repair_metafile *out)
{
	unsigned looked = 0;

	*out = (struct repair_metafile){ XFS_METAFILE_UNKNOWN, 0 };
	for (size_t i = 0; i < s->n && !out->metatype; i++)
		for (uint64_t k = 0; k < s->m[i].len && !out->metatype && looked < MOST_LOOKED; k++, looked++)
			out->metatype = (uint16_t)type_of_block(r, ino, s->m[i].fsbno + k);
	while (out->metatype && repair_metafile_possible(r, out) && repair_metafile_find(r, out) != XFS_NULL64)
		out->group++;
	return out->metatype && repair_metafile_possible(r, out);
}

/* What the entries of a directory say about it. */
struct entries {
	unsigned right;		/* they name files of metadata, and lead to such or to what is lost */
	unsigned wrong;		/* they lead to files of users */
};

static void count_entries(struct repair *r, const uint8_t *block, uint32_t len, struct entries *n)
{
	const struct xfs_geometry *g = &r->geo;
	uint32_t off = xfs_dir_data_header_len(g->v5);
	uint32_t end = len < g->dirblksize ? len : xfs_dir_data_end(block, g->v5, len);
	struct repair_metafile file;
	struct xfs_dir_item it;

	while (off < end && end <= len && xfs_dir_data_next(g, block, end, &off, &it) > 0) {
		const struct repair_fact *f;

		if (!it.used || xfs_dir_is_dot(&it) || xfs_dir_is_dotdot(&it))
			continue;
		f = repair_fact_of(r, it.ino);
		if (f && f->used && !f->meta && !repair_is_lost(r, it.ino))
			n->wrong++;
		else if (repair_metafile_by_name(r, it.name, it.namelen, &file) &&
			 ((f && f->used) || repair_is_lost(r, it.ino)))
			n->right++;
	}
}

int repair_metadir_by_blocks(struct repair *r, uint64_t ino, const struct xfs_mapset *s, bool *yes)
{
	const struct xfs_geometry *g = &r->geo;
	struct entries n = { 0 };
	unsigned looked = 0;
	uint8_t *block = malloc(g->dirblksize);

	*yes = false;
	if (!block)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < s->n; i++)
		for (uint64_t k = 0; k < s->m[i].len && looked < MOST_LOOKED; k += g->dirblkfsbs, looked++) {
			uint64_t fsbno = s->m[i].fsbno + k;
			uint32_t len = (uint32_t)xfs_min(s->m[i].len - k, g->dirblkfsbs) << g->blocklog;

			if (repair_block_type(r, ino, fsbno) == XFS_MODE_DIR &&
			    !xfs_dev_read(r->dev.data, xfs_fsbno_byte(g, XFS_FSBNO(fsbno)), block, len))
				count_entries(r, block, len, &n);
		}
	free(block);
	*yes = n.right > n.wrong;
	return 0;
}

/* ---- cores ---- */

void repair_metafile_dress(const struct repair *r, const struct repair_metafile *f, struct xfs_dinode *d)
{
	struct repair_rt_shape shape;

	d->core.mode = XFS_MODE_REG;
	d->core.metatype = f->metatype;
	d->core.flags = XFS_DIFLAG_METADATA_FILE;
	d->v3.flags2 |= XFS_DIFLAG2_METADATA;
	d->core.size = 0;
	xfs_dinode_set_projid(d, f->group);
	if (repair_metafile_is_tree(f->metatype)) {
		d->core.format = XFS_DINODE_FMT_META_BTREE;
		xfs_dinode_set_nextents(d, XFS_FORK_DATA, 0);
		if (r->geo.parent && !d->core.forkoff)	/* the root leaves room for the pointer */
			d->core.forkoff = (uint8_t)xfs_forkoff_default(&r->geo, d->core.format);
	} else if (!is_quota(f->metatype) && repair_rt_shape(r, &shape)) {
		d->core.size = (int64_t)((f->metatype == XFS_METAFILE_RTBITMAP ? shape.bitmap :
					  shape.summary) << r->geo.blocklog);
	}
}

/* ---- who is what ---- */

struct named {
	uint64_t ino;
	size_t order;
	struct repair_metafile file;
};

struct settling {
	struct repair *r;
	struct named *named;
	size_t n, room;
};

static int keep_name(void *payload, const struct xfs_dir_entry *e)
{
	struct settling *s = payload;
	struct named one = { .ino = e->ino.v };

	if (!repair_metafile_by_name(s->r, e->name, e->namelen, &one.file))
		return 0;
	if (xfs_grow(&s->named, s->n, &s->room, 32))
		return -XFS_E_NOMEM;
	one.order = s->n;
	s->named[s->n++] = one;
	return 0;
}

static int read_names(struct settling *s, const char *path)
{
	struct xfs_inode *ip = malloc(sizeof(*ip));
	struct xfs_dir dir;
	xfs_ino_t ino;
	int error = ip ? 0 : -XFS_E_NOMEM;

	if (!error && !xfs_path_lookup(s->r->fs, XFS_INO(s->r->primary.metadirino), path, &ino) &&
	    !xfs_inode_read(s->r->fs, ino, XFS_INODE_NOCHECK, ip) && xfs_inode_is_dir(ip) &&
	    !xfs_dir_open(&dir, ip, NULL))
		error = xfs_dir_each(&dir, 0, keep_name, s);
	free(ip);
	return error == -XFS_E_NOMEM ? error : 0;
}

static int become(struct repair *r, const struct repair_rt_file *f, const struct repair_metafile *to, uint8_t *image)
{
	struct repair_inode *c = repair_find_changed(r, f->ino);
	bool type = f->metatype != to->metatype;
	struct xfs_finding found = xfs_finding_of(XFS_F_INODE_FIELD, "inode");
	struct xfs_dinode d;
	int error = c ? 0 : repair_read_inode(r, f->ino, image, &d);

	if (error || (c && c->made_free))
		return error == -XFS_E_NOMEM ? error : 0;
	found.ino = f->ino;
	found.field = type ? "metatype" : "projid";
	found.found = type ? f->metatype : f->group;
	found.expected = type ? to->metatype : to->group;
	repair_note(r, &found, true);
	if (r->looking)
		return 0;
	error = c ? repair_open_image(r, c) : repair_changed_inode(r, f->ino, image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	repair_metafile_dress(r, to, &d);
	xfs_dinode_encode(c->image, &d);
	return repair_metafile_add(r, f->ino, to);
}

/* Without a name the blocks may still say what it is. */
static int ask_blocks(struct repair *r, const struct repair_rt_file *f, uint8_t *image, struct named *out)
{
	struct repair_inode *c = repair_find_changed(r, f->ino);
	struct xfs_mapset map = { 0 };
	struct repair_fork fork = { 0 };
	struct xfs_dinode d;
	int error = c && c->fork[XFS_FORK_DATA] ? -XFS_E_NOENT : repair_read_decided(r, f->ino, image, &d);

	out->ino = XFS_NULL64;
	if (!error)
		error = repair_fork_scan(r, f->ino, &d, image, XFS_FORK_DATA, &fork, repair_keep_mapping, &map);
	if (!error && xfs_mapset_normalise(&map) >= 0 && repair_metafile_by_blocks(r, f->ino, &map, &out->file))
		out->ino = f->ino;
	repair_fork_release(&fork);
	xfs_mapset_release(&map);
	return error == -XFS_E_NOMEM ? error : 0;
}

static int by_ino(const void *pa, const void *pb)
{
	const struct named *a = pa, *b = pb;

	return a->ino != b->ino ? (a->ino < b->ino ? -1 : 1) : a->order < b->order ? -1 : a->order > b->order;
}

/* The first name of an inode. */
static const struct named *name_of(const struct settling *s, uint64_t ino)
{
	size_t at = xfs_search(s->n, i, s->named[i].ino < ino);

	return at < s->n && s->named[at].ino == ino ? &s->named[at] : NULL;
}

static int settle_ag(struct settling *s, struct repair_ag *ag, uint8_t *image)
{
	int error = 0;

	for (size_t i = 0; i < ag->nrt_files && !error; i++) {
		struct repair_rt_file f = ag->rt_files[i];
		const struct repair_metafile own = { f.metatype, f.group };
		const struct named *name;
		struct named told = { .ino = XFS_NULL64 };

		name = name_of(s, f.ino);
		if (!name && !repair_metafile_possible(s->r, &own))
			error = ask_blocks(s->r, &f, image, &told);
		if (told.ino == f.ino)
			name = &told;
		if (!name || error || (name->file.metatype == own.metatype && name->file.group == own.group) ||
		    (repair_metafile_possible(s->r, &own) && !repair_metafile_is_doubled(s->r, &own)))
			continue;
		error = become(s->r, &f, &name->file, image);
	}
	return error;
}

int repair_metafiles_settle(struct repair *r)
{
	struct settling s = { .r = r };
	uint8_t *image;
	int error;

	if (!r->geo.metadir)
		return 0;
	image = malloc(r->geo.inodesize);
	error = image ? read_names(&s, REPAIR_META_RTGROUPS) : -XFS_E_NOMEM;
	if (!error)
		error = read_names(&s, REPAIR_META_QUOTA);
	if (!error && s.n)
		qsort(s.named, s.n, sizeof(*s.named), by_ino);
	for (uint32_t a = 0; a < r->geo.agcount && !error; a++)
		error = settle_ag(&s, &r->ags[a], image);
	free(s.named);
	free(image);
	return error;
}
