/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota.c - quota files: a record that is damaged keeps the limits that can be read; counts are compared with what
 * files use.
 *
 * Counts are not written: where one is wrong, the flags that call them right are cleared, and the kernel counts at the
 * next mount (format sheet 10, sections 7.1 to 7.3).  Records are written in place, one by one: a run that is cut off
 * is completed by the next.
 */
#include "repair/quota.h"
#include "repair/forks.h"
#include "repair/names.h"
#include "repair/superblock.h"
#include "repair/write.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/mix.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/ondisk/dquot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RECORD sizeof(struct xfs_dquot_disk)
#define MOST_LINES 20u

#define USER_FLAGS (XFS_SB_QUOTA_USER | XFS_SB_QUOTA_USER_ENFORCED | XFS_SB_QUOTA_USER_CHECKED)
#define GROUP_FLAGS (XFS_SB_QUOTA_GROUP | XFS_SB_QUOTA_GROUP_ENFORCED | XFS_SB_QUOTA_GROUP_CHECKED)
#define PROJECT_FLAGS (XFS_SB_QUOTA_PROJECT | XFS_SB_QUOTA_PROJECT_ENFORCED | XFS_SB_QUOTA_PROJECT_CHECKED)
#define V4_OTHER_FLAGS (XFS_SB_QUOTA_GROUP | XFS_SB_QUOTA_PROJECT | XFS_SB_QUOTA_V4_ONLY)

static const struct quota_type {
	const char *title, *name, *file;
	uint8_t type;
	uint16_t flags, checked, metatype;
} types[] = {
	{ "User quota", "user", "user quota", XFS_DQTYPE_USER, USER_FLAGS, XFS_SB_QUOTA_USER_CHECKED,
	  XFS_METAFILE_USRQUOTA },
	{ "Group quota", "group", "group quota", XFS_DQTYPE_GROUP, GROUP_FLAGS, XFS_SB_QUOTA_GROUP_CHECKED,
	  XFS_METAFILE_GRPQUOTA },
	{ "Project quota", "project", "project quota", XFS_DQTYPE_PROJ, PROJECT_FLAGS, XFS_SB_QUOTA_PROJECT_CHECKED,
	  XFS_METAFILE_PRJQUOTA },
};

/* What one id of a type uses. */
struct usage {
	uint64_t key;		/* type << 32 | id */
	uint64_t blocks, rt, inodes;
};

struct repair_usage {		/* of the inodes of one AG */
	struct usage *u;	/* open addressing; inodes 0: empty */
	size_t n, room;		/* room: a power of two */
	struct xfs_mix mix;
};

void repair_usage_free(struct repair_usage *s)
{
	if (s)
		free(s->u);
	free(s);
}

/* ---- what is used ---- */

static struct usage *slot_of(const struct xfs_mix *mix, struct usage *u, size_t room, uint64_t key)
{
	size_t i = (size_t)xfs_mix(mix, key) & (room - 1);

	while (u[i].inodes && u[i].key != key)
		i = (i + 1) & (room - 1);
	return &u[i];
}

static int add_usage(struct repair_usage *s, uint64_t key, uint64_t blocks, uint64_t rt)
{
	struct usage *u;

	if (2 * s->n >= s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct usage *grown = calloc(room, sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		xfs_mix_init(&s->mix);
		for (size_t i = 0; i < s->room; i++)
			if (s->u[i].inodes)
				*slot_of(&s->mix, grown, room, s->u[i].key) = s->u[i];
		free(s->u);
		s->u = grown;
		s->room = room;
	}
	u = slot_of(&s->mix, s->u, s->room, key);
	s->n += !u->inodes;
	u->key = key;
	u->inodes++;
	u->blocks += blocks;
	u->rt += rt;
	return 0;
}

static bool is_counted(const struct repair *r, const struct repair_seen *s)
{
	const struct xfs_sb *sb = &r->primary;

	if (!(sb->versionnum & XFS_SB_VERSION_QUOTA) || !(sb->qflags & XFS_SB_QUOTA_CHECKED))
		return false;
	if (r->geo.metadir)
		return !xfs_dinode_is_metadata(&s->d);
	return s->ino != sb->uquotino && s->ino != sb->gquotino && s->ino != sb->pquotino;
}

int repair_quota_add(struct repair *r, struct repair_seen *s, uint64_t rt)
{
	const struct xfs_dinode *d = &s->d;
	const uint32_t ids[] = { d->core.uid, d->core.gid, xfs_dinode_projid(d) };
	int error = 0;

	if (!is_counted(r, s))
		return 0;
	if (!s->ag->usage)
		s->ag->usage = calloc(1, sizeof(*s->ag->usage));
	if (!s->ag->usage)
		return -XFS_E_NOMEM;
	for (unsigned t = 0; t < XFS_ARRAY_SIZE(ids) && !error; t++)
		error = add_usage(s->ag->usage, (uint64_t)t << 32 | ids[t],
				  d->core.nblocks - xfs_min(rt, d->core.nblocks), rt);
	return error;
}

/* ---- numbers and flags ---- */

static uint64_t *number_of(struct xfs_sb *sb, unsigned t)
{
	if (xfs_sb_is_v5(sb))
		return t == 0 ? &sb->uquotino : t == 1 ? &sb->gquotino : &sb->pquotino;
	if (t == 0)
		return &sb->uquotino;
	/* one file for groups or projects; the flags tell whose */
	return (t == 2) == !!(sb->qflags & XFS_SB_QUOTA_PROJECT) ? &sb->gquotino : NULL;
}

/* ---- records ---- */

struct quota {
	struct repair *told;	/* findings, writing */
	struct repair *r;	/* the state of the filesystem */
	const struct quota_type *type;
	unsigned t;
	uint64_t ino;
	struct usage *used;	/* of all types, ascending by key */
	size_t nused;
	bool compare;		/* counts of this type are called right */
	uint64_t lines, wrong, replaced;
	uint64_t *seen;		/* ids that have a record, as they come */
	size_t nseen, room;
	uint8_t *block;
	int error;
};

/* Once over a soft limit, a time must be running. */
static bool timers_fit(const struct xfs_dquot *q)
{
	if (!q->id)
		return true;
	return !(q->blk_softlimit && q->bcount > q->blk_softlimit && !q->btimer) &&
	       !(q->ino_softlimit && q->icount > q->ino_softlimit && !q->itimer) &&
	       !(q->rtb_softlimit && q->rtbcount > q->rtb_softlimit && !q->rtbtimer);
}

static bool type_fits(const struct quota *s, const struct xfs_dquot *q)
{
	if ((q->type & ~XFS_DQTYPE_BIGTIME) != s->type->type)
		return false;
	return !(q->type & XFS_DQTYPE_BIGTIME) || (s->r->geo.bigtime && q->id);
}

/* NULL: it is in order. */
static const char *judge_record(const struct quota *s, const uint8_t *p, uint32_t id)
{
	struct xfs_dquot q;

	xfs_dquot_decode(&q, p);
	if (q.magic != XFS_DQUOT_MAGIC || q.version != XFS_DQUOT_VERSION || !type_fits(s, &q) || q.id != id)
		return "Corrupt quota";
	if (s->r->geo.v5 && !xfs_crc32c_check(p, RECORD, XFS_OFF(dquot, crc)))
		return "bad CRC";
	if (s->r->geo.v5 && memcmp(q.uuid, s->r->geo.uuid, 16))
		return "bad UUID";
	if (s->r->geo.v5 && xfs_lsn_is_wild(q.lsn))
		return "bad LSN";
	return timers_fit(&q) ? NULL : "Corrupt quota";
}

static void keep_pair(uint64_t *hard, uint64_t *soft)
{
	if (*hard && *soft > *hard)
		*hard = *soft = 0;
}

/* Limits stay where most of what names the record is right; its counts come from the kernel. */
static void mend_record(const struct quota *s, uint8_t *p, uint32_t id)
{
	struct xfs_dquot q;
	unsigned right;
	size_t byte;
	unsigned bit;

	if (s->r->geo.v5 && xfs_crc32c_find_flip(p, RECORD, XFS_OFF(dquot, crc), &byte, &bit)) {
		p[byte] ^= (uint8_t)(1u << bit);
		if (!judge_record(s, p, id))
			return;
		p[byte] ^= (uint8_t)(1u << bit);
	}
	xfs_dquot_decode(&q, p);
	right = (q.magic == XFS_DQUOT_MAGIC) + (q.version == XFS_DQUOT_VERSION) + type_fits(s, &q) + (q.id == id);
	if (right < 3)
		memset(&q, 0, sizeof(q));
	q.magic = XFS_DQUOT_MAGIC;
	q.version = XFS_DQUOT_VERSION;
	q.id = id;
	if (!type_fits(s, &q))
		q.type = s->type->type;
	keep_pair(&q.blk_hardlimit, &q.blk_softlimit);
	keep_pair(&q.ino_hardlimit, &q.ino_softlimit);
	keep_pair(&q.rtb_hardlimit, &q.rtb_softlimit);
	if (!timers_fit(&q))
		q.bcount = q.icount = q.rtbcount = 0;
	q.pad0 = q.pad = 0;
	memset(p, 0, RECORD);
	if (s->r->geo.v5)
		memcpy(q.uuid, s->r->geo.uuid, 16);
	else
		memset(q.uuid, 0, 16);
	q.lsn = 0;
	q.fill = q.crc = 0;
	xfs_dquot_encode(p, &q);
	if (s->r->geo.v5)
		xfs_crc32c_store(p, RECORD, XFS_OFF(dquot, crc));
}

/* ---- counts ---- */

static const struct usage *usage_of(const struct quota *s, uint32_t id)
{
	uint64_t key = (uint64_t)s->t << 32 | id;
	size_t lo = xfs_search(s->nused, i, s->used[i].key < key);

	return lo < s->nused && s->used[lo].key == key ? &s->used[lo] : NULL;
}

static void note_count(struct quota *s, uint32_t id, const char *field, uint64_t found, uint64_t expected)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_QUOTA_COUNT, s->type->file);

	if (found == expected)
		return;
	s->wrong++;
	if (++s->lines <= MOST_LINES && !s->told->looking)
		repair_say(s->told, "%s quota id %" PRIu32 " has %s %" PRIu64 ", expected %" PRIu64, s->type->name, id,
			   field, found, expected);
	if (s->wrong > 1)
		return;		/* one finding stands for all of the file */
	f.ino = s->ino;
	f.field = field;
	f.found = found;
	f.expected = expected;
	xfs_finding_detail(&f, "id %" PRIu32, id);
	repair_note(s->told, &f, true);
}

static void compare_counts(struct quota *s, const uint8_t *p, uint32_t id)
{
	static const struct usage none = { 0 };
	const struct usage *u = usage_of(s, id);
	struct xfs_dquot q;

	if (!u)
		u = &none;
	xfs_dquot_decode(&q, p);
	note_count(s, id, "bcount", q.bcount, u->blocks);
	note_count(s, id, "icount", q.icount, u->inodes);
	note_count(s, id, "rtbcount", q.rtbcount, u->rt);
}

static int remember(struct quota *s, uint32_t id)
{
	if (xfs_grow(&s->seen, s->nseen, &s->room, 256))
		return -XFS_E_NOMEM;
	s->seen[s->nseen++] = id;
	return 0;
}

/* ---- a file ---- */

static void note_record(struct quota *s, uint64_t off, uint32_t id, const char *why, bool fixed)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_QUOTA_RECORD, s->type->file);

	if (++s->lines <= MOST_LINES && !s->told->looking)
		repair_say(s->told, "%s: %s for id %" PRIu32 ". %s.", s->type->title, why, id,
			   s->told->no_modify || !fixed ? "Would correct" : "Corrected");
	s->replaced++;
	f.ino = s->ino;
	f.fileoff = off;
	xfs_finding_detail(&f, "%s, id %" PRIu32, why, id);
	repair_note(s->told, &f, fixed);
}

static int check_block(struct quota *s, uint64_t off, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &s->r->geo;
	uint32_t per = xfs_dquot_per_block(geo->blocksize), first = (uint32_t)(off * per);
	bool changed = false, write = !s->told->looking && !repair_is_held(s->told, XFS_F_QUOTA_RECORD) &&
				      !s->told->holds.all;
	int error = xfs_dev_read(s->r->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), s->block, geo->blocksize);

	if (error == -XFS_E_NOMEM)
		return error;
	if (error && !s->told->looking) {
		struct xfs_finding f = xfs_finding_of(XFS_F_BLOCK_IO, s->type->file);

		f.ino = s->ino;
		f.agno = xfs_fsbno_agno(geo, XFS_FSBNO(fsbno)).v;
		f.agbno = xfs_fsbno_agbno(geo, XFS_FSBNO(fsbno)).v;
		repair_note(s->told, &f, true);
	}
	error = 0;
	for (uint32_t i = 0; i < per && !error; i++) {
		uint8_t *p = s->block + (size_t)i * RECORD;
		const char *why = judge_record(s, p, first + i);

		if (why) {
			mend_record(s, p, first + i);
			note_record(s, off, first + i, why, true);
			changed = true;
		}
		if (s->compare && !s->replaced) {
			compare_counts(s, p, first + i);
			error = remember(s, first + i);
		}
	}
	if (error || !changed || !write)
		return error;
	error = repair_begin_writing(s->told);
	s->told->fixed_something = true;
	return error ? error : xfs_dev_write(s->told->dev.data, xfs_fsbno_byte(geo, XFS_FSBNO(fsbno)), s->block,
					     geo->blocksize);
}

static int check_mapping(void *payload, const struct xfs_mapping *m)
{
	struct quota *s = payload;

	for (uint64_t i = 0; i < m->len && !s->error && !m->unwritten; i++)
		s->error = m->off + i <= UINT32_MAX / xfs_dquot_per_block(s->r->geo.blocksize)
				   ? check_block(s, m->off + i, m->fsbno + i) : 0;
	return s->error;
}

/* Ids that use something and have no record. */
static int check_missing(struct quota *s)
{
	static const struct xfs_sort_spec spec = { sizeof(uint64_t), 1, { 0 } };
	int error = xfs_sort(&spec, s->seen, s->nseen);
	size_t at = 0;

	for (size_t i = 0; i < s->nused && !error && !s->replaced; i++) {
		uint32_t id = (uint32_t)s->used[i].key;

		if (s->used[i].key >> 32 != s->t)
			continue;
		while (at < s->nseen && s->seen[at] < id)
			at++;
		if (at == s->nseen || s->seen[at] != id)
			note_count(s, id, "icount", 0, s->used[i].inodes);
	}
	return error;
}

/* The file is gone, or something else: limits can't be enforced until they are set again. */
static void drop_file(struct quota *s)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_QUOTA_FILE, s->type->file);
	struct xfs_sb *sb = &s->told->primary;
	uint64_t *number = number_of(sb, s->t);

	if (!s->told->looking) {
		repair_say(s->told, "Warning:  %s quota information %s cleared.", s->type->name,
			   s->told->no_modify ? "would be" : "was");
		repair_say(s->told, "User quotas can not be enforced until limit information is recreated.");
	}
	f.ino = s->ino;
	repair_note(s->told, &f, !s->r->geo.metadir);
	if (s->r->geo.metadir || repair_is_held(s->told, f.id) || !number)
		return;
	*number = XFS_NULL64;
	sb->qflags &= (uint16_t)~(xfs_sb_is_v5(sb) ? s->type->flags : s->t ? V4_OTHER_FLAGS : USER_FLAGS);
	s->told->sb_changed = true;
	s->replaced++;
}

static int check_file(struct quota *s)
{
	uint8_t *image = malloc(s->r->geo.inodesize);
	struct repair_fork f = { 0 };
	struct xfs_dinode d;
	int error = image ? names_read_inode(&(struct names){ .r = s->r, .told = s->told }, s->ino, image,
					     &d) : -XFS_E_NOMEM;

	if (error == -XFS_E_NOMEM || (!error && s->told->holds.all))
		goto out;
	if (error || d.core.magic != XFS_DINODE_MAGIC || (d.core.mode & XFS_MODE_FMT) != XFS_MODE_REG) {
		error = 0;
		drop_file(s);
		goto out;
	}
	error = repair_fork_scan(s->r, s->ino, &d, image, XFS_FORK_DATA, &f, check_mapping, s);
	repair_fork_release(&f);
	if (!error && s->compare)
		error = check_missing(s);
out:
	free(image);
	return error;
}

static uint64_t find_file(const struct quota *s)
{
	uint64_t *number = number_of(&s->r->primary, s->t);

	if (!s->r->geo.metadir)
		return number && !repair_quota_none(*number) ? *number : XFS_NULL64;
	for (uint32_t a = 0; a < s->r->geo.agcount; a++)
		for (size_t i = 0; i < s->r->ags[a].nrt_files; i++)
			if (s->r->ags[a].rt_files[i].metatype == s->type->metatype)
				return s->r->ags[a].rt_files[i].ino;
	return XFS_NULL64;
}

/* One table from those of the AGs. */
static int sum_usage(struct quota *s)
{
	static const struct xfs_sort_spec spec = { sizeof(struct usage), 1, { offsetof(struct usage, key) } };
	size_t room = 1, n = 0;
	int error;

	for (uint32_t a = 0; a < s->r->geo.agcount; a++)
		room += s->r->ags[a].usage ? s->r->ags[a].usage->n : 0;
	s->used = calloc(room, sizeof(*s->used));
	if (!s->used)
		return -XFS_E_NOMEM;
	for (uint32_t a = 0; a < s->r->geo.agcount; a++)
		for (size_t i = 0; s->r->ags[a].usage && i < s->r->ags[a].usage->room; i++)
			if (s->r->ags[a].usage->u[i].inodes)
				s->used[n++] = s->r->ags[a].usage->u[i];
	error = xfs_sort(&spec, s->used, n);
	for (size_t i = 0; i < n && !error; i++) {
		struct usage *last = s->nused ? &s->used[s->nused - 1] : NULL;

		if (!last || last->key != s->used[i].key) {
			s->used[s->nused++] = s->used[i];
			continue;
		}
		last->blocks += s->used[i].blocks;
		last->rt += s->used[i].rt;
		last->inodes += s->used[i].inodes;
	}
	return error;
}

bool repair_doubt_quota(struct repair *r)
{
	if (!(r->primary.qflags & XFS_SB_QUOTA_CHECKED))
		return false;
	repair_say(r, "Note - quota info will be regenerated on next quota mount.");
	r->primary.qflags &= (uint16_t)~XFS_SB_QUOTA_CHECKED;
	return true;
}

/* The last quota file went: the superblock must not say that there are some. */
static void forget_quota(struct xfs_sb *sb)
{
	if (!repair_quota_none(sb->uquotino) || !repair_quota_none(sb->gquotino) ||
	    (xfs_sb_is_v5(sb) && !repair_quota_none(sb->pquotino)))
		return;
	sb->qflags = 0;
	sb->versionnum &= (uint16_t)~XFS_SB_VERSION_QUOTA;
}

/* Nobody may take counts for right that are not; numbers may have changed, too. */
static int write_flags(struct repair *r, const struct quota *s, uint16_t before, bool numbers)
{
	int error;

	if (r->looking || r->holds.all || (!s->wrong && !s->replaced && !numbers))
		return 0;
	if (!repair_is_held(r, XFS_F_QUOTA_COUNT))
		repair_doubt_quota(r);
	if (r->primary.qflags == before && !numbers)
		return 0;
	error = repair_begin_writing(r);
	r->fixed_something = true;
	if (!error)	/* records first */
		error = xfs_dev_barrier(r->dev.data);
	return error ? error : repair_write_primary(r, true);
}

int repair_quota(struct repair *r)
{
	struct quota s = { .told = r };
	uint16_t before = r->primary.qflags;
	uint64_t numbers[] = { r->primary.uquotino, r->primary.gquotino, r->primary.pquotino };
	int error = repair_names_state(r, &s.r);

	if (error || !(r->primary.versionnum & XFS_SB_VERSION_QUOTA))
		return error;
	s.block = malloc(r->geo.blocksize);
	error = s.block ? sum_usage(&s) : -XFS_E_NOMEM;
	for (s.t = 0; s.t < XFS_ARRAY_SIZE(types) && !error; s.t++) {
		uint64_t wrong = s.wrong;

		s.type = &types[s.t];
		s.ino = find_file(&s);
		s.compare = !r->no_quota &&
			    (r->primary.qflags & (r->geo.v5 || !s.t ? s.type->checked : XFS_SB_QUOTA_OTHER_CHECKED));
		s.nseen = 0;
		s.wrong = 0;
		if (s.ino != XFS_NULL64)
			error = check_file(&s);
		s.wrong += wrong;
	}
	if (!error && s.replaced && !s.r->geo.metadir)
		forget_quota(&r->primary);
	if (!error)
		error = write_flags(r, &s, before, numbers[0] != r->primary.uquotino ||
				    numbers[1] != r->primary.gquotino || numbers[2] != r->primary.pquotino);
	free(s.used);
	free(s.seen);
	free(s.block);
	return error;
}
