/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime_files.c - bitmap and summary of the realtime section against what files hold there (format sheet 10,
 * sections 2.2, 2.3, 3.2, 3.3).
 *
 * Both are derived from forks and are written in place: a run that is cut off is completed by the next one.  Words of
 * the old format have the byte order of the machine that wrote them, which nothing tells: the order in which less
 * differs is taken.
 */
#include "repair/evidence.h"
#include "repair/metafiles.h"
#include "repair/names.h"
#include "repair/realtime.h"
#include "repair/write.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/base/sort.h"
#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 20u		/* of a file, in the words that scripts know */

struct syncing {
	struct repair *told;		/* findings, writing */
	struct repair *r;		/* the state of the filesystem */
	struct repair_rt_shape shape;
	struct repair_rt_run *used;
	size_t nused;
	uint64_t *counters;		/* index of each free run in the summary of the group in work, ascending */
	size_t ncounters, counter_room;
	bool big;			/* words are big-endian */
	uint8_t *want, *have;		/* a block each */
};

/* One file of a group. */
struct rt_file {
	uint64_t ino;
	uint32_t group;
	bool summary;
	uint64_t blocks;
	struct xfs_mapset map;
};

/* ---- roles ---- */

uint64_t repair_rt_file_blocks(const struct repair *r, uint64_t ino, const uint8_t *image)
{
	struct repair_rt_shape s;
	struct xfs_dinode d;

	if (!repair_rt_shape(r, &s))
		return 0;
	if (!r->geo.metadir)
		return ino == r->primary.rbmino ? s.bitmap : ino == r->primary.rsumino ? s.summary : 0;
	xfs_dinode_decode(&d, image);
	if (!xfs_dinode_is_metadata(&d) || (d.core.mode & XFS_MODE_FMT) != XFS_MODE_REG)
		return 0;
	return d.core.metatype == XFS_METAFILE_RTBITMAP ? s.bitmap :
	       d.core.metatype == XFS_METAFILE_RTSUMMARY ? s.summary : 0;
}

uint64_t repair_rt_missing(const struct repair *r, const struct repair_inode *c)
{
	uint64_t want, have = xfs_mapset_blocks(&c->map[XFS_FORK_DATA]);
	uint8_t image[XFS_DINODE_MAX_SIZE];

	repair_copy_image(r, c, image);
	want = repair_rt_file_blocks(r, c->ino, image);
	return want > have ? want - have : 0;
}

/* The inode as it is decided, or as it stands; its map. */
static int read_file(struct repair *r, struct rt_file *f, uint8_t *image, struct xfs_dinode *d)
{
	struct repair_inode *c = repair_find_changed(r, f->ino);
	struct repair_fork fork;
	int error = repair_read_decided(r, f->ino, image, d);

	if (error)
		return error;
	if (c && c->fork[XFS_FORK_DATA]) {
		for (size_t i = 0; i < c->map[XFS_FORK_DATA].n && !error; i++)
			error = xfs_mapset_add(&f->map, &c->map[XFS_FORK_DATA].m[i]);
		return error;
	}
	error = repair_fork_scan(r, f->ino, d, image, XFS_FORK_DATA, &fork, repair_keep_mapping, &f->map);
	repair_fork_release(&fork);
	if (!error) {
		int64_t cut = xfs_mapset_normalise(&f->map);

		error = cut < 0 ? (int)cut : 0;
	}
	return error;
}

/* All blocks of the file, all written, none behind. */
static bool is_complete(const struct rt_file *f)
{
	uint64_t next = 0;

	for (size_t i = 0; i < f->map.n; i++) {
		if (f->map.m[i].off != next || f->map.m[i].unwritten)
			return false;
		next += f->map.m[i].len;
	}
	return next == f->blocks;
}

static struct xfs_finding finding_of(const struct rt_file *f, enum xfs_finding_id id)
{
	struct xfs_finding found = xfs_finding_of(id, f->summary ? "realtime summary" : "realtime bitmap");

	found.ino = f->ino;
	return found;
}

/* ---- before the rebuild: every block is there ---- */

static int complete_file(struct repair *r, struct rt_file *f, uint8_t *image)
{
	struct xfs_finding found = finding_of(f, XFS_F_RT_FILE);
	struct repair_inode *c;
	struct xfs_dinode d;
	int error = read_file(r, f, image, &d);

	if (error || (d.core.mode & XFS_MODE_FMT) != XFS_MODE_REG) {
		xfs_finding_detail(&found, "the inode can't be used");
		repair_note(r, &found, false);
		return error == -XFS_E_NOMEM ? error : 0;
	}
	if (is_complete(f))
		return 0;
	xfs_finding_detail(&found, "holes, or blocks behind its end");
	found.found = xfs_mapset_blocks(&f->map);
	found.expected = f->blocks;
	repair_note(r, &found, true);
	if (r->looking)
		return 0;
	error = repair_changed_inode(r, f->ino, image, &c);
	if (error)
		return error;
	c->fork[XFS_FORK_DATA] = true;
	xfs_mapset_release(&c->map[XFS_FORK_DATA]);
	for (size_t i = 0; i < f->map.n && !error; i++) {
		struct xfs_mapping m = f->map.m[i];

		m.unwritten = false;
		m.len = m.off < f->blocks ? xfs_min(m.len, f->blocks - m.off) : 0;
		/* what lies behind becomes free, and what was unwritten belongs to another state */
		r->ags[xfs_fsbno_agno(&r->geo, XFS_FSBNO(m.fsbno)).v].reasons |= REPAIR_FORK;
		if (m.len)
			error = xfs_mapset_add(&c->map[XFS_FORK_DATA], &m);
	}
	return error;
}

typedef int (*file_fn)(void *payload, struct rt_file *);

/* Bitmap, then summary, group by group; of several that claim to be one the first counts. */
static int each_file(struct repair *r, const struct repair_rt_shape *shape, uint32_t group, file_fn fn, void *payload)
{
	int error = 0;

	for (unsigned s = 0; s < 2 && !error; s++) {
		struct rt_file f = { .ino = s ? r->primary.rsumino : r->primary.rbmino, .group = group, .summary = s,
				     .blocks = s ? shape->summary : shape->bitmap };

		if (r->geo.metadir)
			f.ino = repair_metafile_find(r, &(struct repair_metafile){
				s ? XFS_METAFILE_RTSUMMARY : XFS_METAFILE_RTBITMAP, group });
		error = fn(payload, &f);
		xfs_mapset_release(&f.map);
	}
	return error;
}

struct completing {
	struct repair *r;
	uint8_t *image;
};

static int complete_one(void *payload, struct rt_file *f)
{
	struct completing *c = payload;
	struct xfs_finding found = finding_of(f, XFS_F_RT_FILE);

	if (f->ino == XFS_NULL64 && c->r->geo.metadir)
		return 0;	/* told, and made, with the names */
	if (f->ino != XFS_NULL64 && xfs_ino_valid(&c->r->geo, XFS_INO(f->ino)))
		return complete_file(c->r, f, c->image);
	xfs_finding_detail(&found, "group %" PRIu32 " has none", f->group);
	repair_note(c->r, &found, false);
	return 0;
}

int repair_rt_complete(struct repair *r)
{
	struct completing c = { r, malloc(r->geo.inodesize) };
	struct repair_rt_shape shape;
	int error = c.image ? 0 : -XFS_E_NOMEM;

	for (uint32_t g = 0; repair_rt_shape(r, &shape) && shape.bitmaps && g < shape.groups && !error; g++)
		error = each_file(r, &shape, g, complete_one, &c);
	free(c.image);
	return error;
}

/* ---- what a block must hold ---- */

static void put_word(const struct syncing *s, uint8_t *words, uint64_t i, uint32_t value)
{
	if (s->big)
		xfs_put_be32(words + 4 * i, value);
	else
		xfs_put_le32(words + 4 * i, value);
}

static uint64_t extents_of_group(const struct syncing *s, uint32_t group)
{
	return xfs_min(s->shape.per_group, s->r->geo.sb.rextents - group * s->shape.per_group);
}

/* First run in use that ends behind this extent. */
static size_t run_behind(const struct syncing *s, uint64_t extent)
{
	return xfs_search(s->nused, i, s->used[i].start + s->used[i].len <= extent);
}

/* 32 extents from this one on: which are free. */
static uint32_t free_bits(const struct syncing *s, uint64_t extent, uint64_t end, size_t *at)
{
	uint32_t bits = UINT32_MAX;

	if (extent >= end)
		return 0;
	if (end - extent < 32)
		bits = (UINT32_C(1) << (end - extent)) - 1;
	while (*at < s->nused && s->used[*at].start + s->used[*at].len <= extent)
		++*at;
	for (size_t i = *at; i < s->nused && s->used[i].start < extent + 32 && bits; i++) {
		uint64_t from = xfs_max(s->used[i].start, extent) - extent;
		uint64_t to = xfs_min(s->used[i].start + s->used[i].len, extent + 32) - extent;

		bits &= ~(uint32_t)(((UINT64_C(1) << to) - 1) & ~((UINT64_C(1) << from) - 1));
	}
	return bits;
}

static void fill_bitmap(const struct syncing *s, const struct rt_file *f, uint64_t block, uint8_t *words)
{
	uint64_t first = f->group * s->shape.per_group, end = first + extents_of_group(s, f->group);
	uint64_t extent = first + block * 32 * s->shape.words;
	size_t at = run_behind(s, extent);

	for (uint64_t i = 0; i < s->shape.words; i++, extent += 32)
		put_word(s, words, i, free_bits(s, extent, end, &at));
}

static void fill_summary(const struct syncing *s, uint64_t block, uint8_t *words)
{
	uint64_t first = block * s->shape.words;
	size_t lo = xfs_search(s->ncounters, i, s->counters[i] < first);

	for (uint64_t i = 0; i < s->shape.words; i++) {
		uint32_t count = 0;

		for (; lo < s->ncounters && s->counters[lo] == first + i; lo++)
			count++;
		put_word(s, words, i, count);
	}
}

static int add_counter(struct syncing *s, uint64_t start, uint64_t len)
{
	if (xfs_grow(&s->counters, s->ncounters, &s->counter_room, 256))
		return -XFS_E_NOMEM;
	s->counters[s->ncounters++] = xfs_log2_floor(len) * s->shape.bitmap + start / (32 * s->shape.words);
	return 0;
}

/* Each free run of the group counts once, where it starts. */
static int count_runs(struct syncing *s, uint32_t group)
{
	static const struct xfs_sort_spec spec = { sizeof(uint64_t), 1, { 0 } };
	uint64_t first = group * s->shape.per_group, end = first + extents_of_group(s, group), next = first;
	int error = 0;

	s->ncounters = 0;
	for (size_t i = run_behind(s, first); next < end && !error; i++) {
		uint64_t start = i < s->nused ? xfs_min(s->used[i].start, end) : end;

		if (start > next)
			error = add_counter(s, next - first, start - next);
		next = i < s->nused ? xfs_max(next, s->used[i].start + s->used[i].len) : end;
	}
	return error ? error : xfs_sort(&spec, s->counters, s->ncounters);
}

static bool has_lsn(const struct syncing *s, const struct xfs_geometry *geo)
{
	uint64_t lsn = xfs_be64(s->have + XFS_OFF(rtbuf, lsn));

	return xfs_crc32c_check(s->have, geo->blocksize, XFS_OFF(rtbuf, crc)) &&
	       !memcmp(s->have + XFS_OFF(rtbuf, uuid), geo->uuid, 16) && lsn != XFS_NULL64 && !xfs_lsn_is_wild(lsn);
}

static void fill_block(struct syncing *s, const struct rt_file *f, uint64_t block, uint64_t fsbno)
{
	const struct xfs_geometry *geo = &s->r->geo;
	size_t head = s->shape.headers ? sizeof(struct xfs_rtbuf_disk) : 0;

	memset(s->want, 0, geo->blocksize);
	if (f->summary)
		fill_summary(s, block, s->want + head);
	else
		fill_bitmap(s, f, block, s->want + head);
	if (!head)
		return;
	xfs_put_be32(s->want + XFS_OFF(rtbuf, magicnum), f->summary ? XFS_RTSUMMARY_MAGIC : XFS_RTBITMAP_MAGIC);
	xfs_put_be64(s->want + XFS_OFF(rtbuf, owner), f->ino);
	xfs_put_be64(s->want + XFS_OFF(rtbuf, bno), xfs_fsbno_daddr(geo, XFS_FSBNO(fsbno)).v);
	memcpy(s->want + XFS_OFF(rtbuf, uuid), geo->uuid, 16);
	/* which change was the last one is not for us to say, if that can be believed */
	if (has_lsn(s, geo))
		memcpy(s->want + XFS_OFF(rtbuf, lsn), s->have + XFS_OFF(rtbuf, lsn), 8);
	xfs_crc32c_store(s->want, geo->blocksize, XFS_OFF(rtbuf, crc));
}

/* ---- comparing and writing ---- */

static uint64_t fsbno_of(const struct rt_file *f, uint64_t block)
{
	const struct xfs_mapping *m = xfs_mapset_at(&f->map, block);

	return m ? m->fsbno + (block - m->off) : XFS_NULL64;
}

/* Says the runs of words that differ; returns how many words do. */
static uint64_t differing(struct syncing *s, const struct rt_file *f, uint64_t block, unsigned *lines)
{
	size_t head = s->shape.headers ? sizeof(struct xfs_rtbuf_disk) : 0;
	uint64_t n = 0, i = 0;

	while (i < s->shape.words) {
		uint64_t start = i;

		while (i < s->shape.words && memcmp(s->want + head + 4 * i, s->have + head + 4 * i, 4))
			i++;
		if (i == start) {
			i++;
			continue;
		}
		n += i - start;
		if (lines && ++*lines <= MOST_LINES && !s->told->looking)
			repair_say(s->told,
				   "discrepancy in %s (%" PRIu32 ") at dblock 0x%" PRIx64
				   " words 0x%" PRIx64 "-0x%" PRIx64 "/0x%" PRIx64,
				   f->summary ? "summary" : "bitmap", f->group, block, start, i - 1, s->shape.words);
	}
	return n;
}

static int write_block(struct syncing *s, uint64_t fsbno)
{
	int error = repair_begin_writing(s->told);

	if (error)
		return error;
	s->told->fixed_something = true;
	return xfs_dev_write(s->told->dev.data, xfs_fsbno_byte(&s->r->geo, XFS_FSBNO(fsbno)), s->want,
			     s->r->geo.blocksize);
}

/* The words of this file in the order that s->big names: how many differ, of at most `most`. */
static uint64_t distance(struct syncing *s, const struct rt_file *f, uint64_t most)
{
	uint64_t n = 0;

	for (uint64_t b = 0; b < f->blocks && n < most; b++) {
		uint64_t fsbno = fsbno_of(f, b);

		if (fsbno == XFS_NULL64 || xfs_dev_read(s->r->dev.data, xfs_fsbno_byte(&s->r->geo, XFS_FSBNO(fsbno)),
							s->have, s->r->geo.blocksize))
			continue;
		fill_block(s, f, b, fsbno);
		n += differing(s, f, b, NULL);
	}
	return n;
}

static void choose_order(struct syncing *s, const struct rt_file *f)
{
	uint64_t little, big;

	s->big = s->shape.headers;
	if (s->big)
		return;
	little = distance(s, f, UINT64_MAX);
	if (!little)
		return;
	s->big = true;
	big = distance(s, f, little);
	s->big = big < little || (big == little && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* The first field of the header that is wrong. */
static void name_header(const struct syncing *s, struct xfs_finding *found)
{
	uint32_t stored = xfs_le32(s->have + XFS_OFF(rtbuf, crc));
	struct xfs_rtbuf have, want;

	xfs_rtbuf_decode(&have, s->have);
	xfs_rtbuf_decode(&want, s->want);
	found->field = have.magicnum != want.magicnum ? "magicnum" : have.owner != want.owner ? "owner" :
		       have.bno != want.bno ? "bno" : have.lsn != want.lsn ? "lsn" : NULL;
	found->found = have.magicnum != want.magicnum ? have.magicnum : have.owner != want.owner ? have.owner :
		       have.bno != want.bno ? have.bno : have.lsn;
	found->expected = have.magicnum != want.magicnum ? want.magicnum : have.owner != want.owner ? want.owner :
			  have.bno != want.bno ? want.bno : want.lsn;
	if (found->field)
		return;
	found->found = found->expected = XFS_NULL64;
	if (memcmp(have.uuid, want.uuid, sizeof(have.uuid))) {
		found->field = "uuid";
	} else if (stored != xfs_crc32c_block(s->have, s->r->geo.blocksize, XFS_OFF(rtbuf, crc))) {
		found->field = "crc";
		found->found = stored;
		found->expected = xfs_crc32c_block(s->have, s->r->geo.blocksize, XFS_OFF(rtbuf, crc));
	}
}

static int sync_block(struct syncing *s, const struct rt_file *f, uint64_t block, struct xfs_finding *found,
		      unsigned *lines, bool write)
{
	uint64_t fsbno = fsbno_of(f, block);
	int error;

	if (fsbno == XFS_NULL64)	/* that was told */
		return 0;
	error = xfs_dev_read(s->r->dev.data, xfs_fsbno_byte(&s->r->geo, XFS_FSBNO(fsbno)), s->have,
			     s->r->geo.blocksize);
	if (error == -XFS_E_NOMEM)
		return error;
	fill_block(s, f, block, fsbno);
	if (s->shape.headers)
		s->told->max_lsn = xfs_max(s->told->max_lsn, xfs_be64(s->want + XFS_OFF(rtbuf, lsn)));
	if (!error && !memcmp(s->want, s->have, s->r->geo.blocksize))
		return 0;
	if (error && !s->told->looking) {
		struct xfs_finding unread = finding_of(f, XFS_F_BLOCK_IO);

		unread.agno = xfs_fsbno_agno(&s->r->geo, XFS_FSBNO(fsbno)).v;
		unread.agbno = xfs_fsbno_agbno(&s->r->geo, XFS_FSBNO(fsbno)).v;
		repair_note(s->told, &unread, true);
	}
	if (found->fileoff == XFS_NULL64) {
		found->fileoff = block;
		found->len = 0;
	}
	found->len += differing(s, f, block, lines);
	if (!error && s->shape.headers && !found->field)
		name_header(s, found);
	return write ? write_block(s, fsbno) : 0;
}

static bool repairs(const struct syncing *s, enum xfs_finding_id id)
{
	return !s->told->looking && !repair_is_held(s->told, id) && !s->told->holds.all;
}

static int sync_file(void *payload, struct rt_file *f)
{
	struct syncing *s = payload;
	struct xfs_finding found = finding_of(f, f->summary ? XFS_F_RT_SUMMARY : XFS_F_RT_BITMAP);
	bool write = repairs(s, found.id) && !s->told->holds.space;
	unsigned lines = 0;
	uint8_t *image;
	struct xfs_dinode d;
	int error;

	if (f->ino == XFS_NULL64 || !xfs_ino_valid(&s->r->geo, XFS_INO(f->ino)))
		return 0;	/* told by repair_rt_complete() */
	image = malloc(s->r->geo.inodesize);
	error = image ? read_file(s->r, f, image, &d) : -XFS_E_NOMEM;
	free(image);
	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	if (!f->summary)
		choose_order(s, f);
	for (uint64_t b = 0; b < f->blocks && !error; b++)
		error = sync_block(s, f, b, &found, &lines, write);
	if (found.fileoff == XFS_NULL64)
		return error;
	if (found.len)
		xfs_finding_detail(&found,
				   "group %" PRIu32 ", %" PRIu64 " words differ, the first in block %" PRIu64
				   " of the file", f->group, found.len, found.fileoff);
	else
		xfs_finding_detail(&found, "group %" PRIu32 ", the header of block %" PRIu64 " of the file",
				   f->group, found.fileoff);
	found.len = XFS_NULL64;
	repair_note(s->told, &found, true);
	return error;
}

/* Names may have freed a file since the counter was set. */
static int set_counter(struct syncing *s)
{
	uint64_t count;
	bool any;
	int error = repair_rt_free(s->r, &count, &any);

	if (error || !any || s->told->looking || !s->told->writing || s->told->primary.frextents == count ||
	    s->told->holds.space || s->told->holds.all)
		return error;
	s->told->primary.frextents = count;
	return repair_write_primary(s->told, true);
}

int repair_realtime(struct repair *r)
{
	struct syncing s = { .told = r };
	int error = repair_names_state(r, &s.r);

	if (error || !repair_rt_shape(s.r, &s.shape) || !s.shape.bitmaps)
		return error;
	if (!r->looking)
		repair_say(r, "        - generate realtime summary info and bitmap...");
	s.want = malloc(r->geo.blocksize);
	s.have = malloc(r->geo.blocksize);
	error = s.want && s.have ? repair_rt_used(s.r, &s.used, &s.nused) : -XFS_E_NOMEM;
	for (uint32_t g = 0; g < s.shape.groups && !error; g++) {
		error = count_runs(&s, g);
		if (!error)
			error = each_file(s.r, &s.shape, g, sync_file, &s);
	}
	if (!error && s.shape.headers)
		error = repair_rt_super(r);
	if (!error && r->writing && !r->looking)
		error = xfs_dev_barrier(r->dev.data);
	if (!error)
		error = set_counter(&s);
	free(s.used);
	free(s.counters);
	free(s.want);
	free(s.have);
	return error;
}
