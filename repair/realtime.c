/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realtime.c - who holds the extents of the realtime section (format sheet 10, sections 2.1, 3.1).
 *
 * Mappings are kept by AG of their inode while inodes are observed.  Where two files claim one extent, the one with
 * less evidence loses it, as with blocks of the data device (conflict.c).
 */
#include "repair/cuts.h"
#include "repair/realtime.h"
#include "repair/realtime_cut.h"
#include "repair/space.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/sort.h"
#include "libxfs/inode/fork.h"
#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/realtime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROUNDS 64u

bool repair_rt_shape(const struct repair *r, struct repair_rt_shape *s)
{
	const struct xfs_sb *sb = &r->geo.sb;
	uint64_t bits;

	if (!sb->rblocks || !sb->rextents)
		return false;
	*s = (struct repair_rt_shape){ .groups = r->geo.metadir ? sb->rgcount : 1, .bitmaps = !r->geo.zoned,
				       .per_group = r->geo.metadir ? sb->rgextents : sb->rextents };
	if (!s->bitmaps)
		return true;
	s->headers = r->geo.metadir;
	s->words = s->headers ? xfs_rtbuf_words(r->geo.blocksize) : r->geo.blocksize / 4;
	bits = 32 * s->words;
	s->bitmap = xfs_ceil_div(s->per_group, bits);
	s->levels = xfs_log2_floor(s->per_group) + 1u;
	s->summary = xfs_ceil_div(s->levels * s->bitmap, s->words);
	return true;
}

uint64_t repair_rt_group_start(const struct xfs_geometry *g, uint32_t group)
{
	return xfs_rtblock_linear(g, (uint64_t)group << g->sb.rgblklog);
}

uint32_t repair_rt_piece(const struct repair *r, const struct xfs_mapping *m, uint32_t done)
{
	uint64_t span = UINT64_C(1) << r->geo.sb.rgblklog, left = m->len - done;

	return (uint32_t)(r->geo.metadir ? xfs_min(left, span - ((m->fsbno + done) & (span - 1))) : left);
}

/* ---- gathered while inodes are observed ---- */

int repair_rt_add(struct repair *r, struct repair_ag *ag, uint64_t ino, bool shareable, const struct xfs_mapping *m)
{
	uint64_t start = xfs_rtblock_linear(&r->geo, m->fsbno);
	int error;

	if (ag->nrt_maps) {
		struct repair_rt_map *last = &ag->rt_maps[ag->nrt_maps - 1];

		/* reverse mappings tell states and groups apart */
		if (last->ino == ino && last->off + last->len == m->off && last->start + last->len == start &&
		    last->unwritten == m->unwritten &&
		    (!r->geo.metadir || m->fsbno & ((UINT64_C(1) << r->geo.sb.rgblklog) - 1))) {
			last->len += m->len;
			return 0;
		}
	}
	error = xfs_grow(&ag->rt_maps, ag->nrt_maps, &ag->rt_room, 64);
	if (!error)
		ag->rt_maps[ag->nrt_maps++] = (struct repair_rt_map){ start, m->len, ino, m->off,
								      shareable && r->geo.metadir && !m->unwritten,
								      m->unwritten };
	return error;
}

int repair_rt_add_file(struct repair_ag *ag, const struct repair_rt_file *f)
{
	int error = xfs_grow(&ag->rt_files, ag->nrt_files, &ag->rt_file_room, 64);

	if (!error)
		ag->rt_files[ag->nrt_files++] = *f;
	return error;
}

int repair_rt_note_file(struct repair *r, struct repair_seen *s)
{
	const struct xfs_dinode *d = &s->d;

	if (!r->geo.metadir || !xfs_dinode_is_metadata(d) || (d->core.mode & XFS_MODE_FMT) != XFS_MODE_REG)
		return 0;
	return repair_rt_add_file(s->ag, &(struct repair_rt_file){ .ino = s->ino, .group = xfs_dinode_projid(d),
								     .metatype = d->core.metatype,
								     .in_use = d->v3.cowextsize });
}

/* ---- all of them ---- */

static void add_all(struct repair_rt_map *out, size_t *n, const struct repair_rt_map *from, size_t count,
		    struct repair *r)
{
	for (size_t i = 0; i < count; i++) {
		const struct repair_inode *c = repair_find_changed(r, from[i].ino);

		/* what was decided since comes below; what becomes free holds nothing */
		if (!c || !(c->made_free || c->fork[XFS_FORK_DATA]))
			out[(*n)++] = from[i];
	}
}

static bool is_decided(const struct repair *r, const struct repair_inode *c, struct xfs_dinode *d)
{
	if (c->made_free || !c->fork[XFS_FORK_DATA] || !c->map[XFS_FORK_DATA].n)
		return false;
	repair_changed_core(r, c, d);
	return repair_fork_is_realtime(d, XFS_FORK_DATA);
}

static size_t count_pieces(const struct repair *r, const struct xfs_mapset *s)
{
	size_t n = 0;

	for (size_t k = 0; k < s->n; k++)
		for (uint32_t done = 0; done < s->m[k].len; n++)
			done += repair_rt_piece(r, &s->m[k], done);
	return n;
}

/* Every claim, ascending by block, then by inode. */
int repair_rt_claims(struct repair *r, struct repair_rt_map **out, size_t *n)
{
	static const struct xfs_sort_spec spec = { sizeof(struct repair_rt_map), 2,
		{ offsetof(struct repair_rt_map, start), offsetof(struct repair_rt_map, ino) } };
	struct xfs_dinode d;
	size_t room = 1;

	*n = 0;
	repair_merge_changed(r);
	for (uint32_t i = 0; i < r->geo.agcount; i++)
		room += r->ags[i].nrt_maps;
	for (size_t i = 0; i < r->ninodes; i++)
		if (is_decided(r, &r->inodes[i], &d))
			room += count_pieces(r, &r->inodes[i].map[XFS_FORK_DATA]);
	*out = calloc(room, sizeof(**out));
	if (!*out)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < r->geo.agcount; i++)
		add_all(*out, n, r->ags[i].rt_maps, r->ags[i].nrt_maps, r);
	for (size_t i = 0; i < r->ninodes; i++) {
		const struct xfs_mapset *s = &r->inodes[i].map[XFS_FORK_DATA];
		bool decided = is_decided(r, &r->inodes[i], &d);

		for (size_t k = 0; decided && k < s->n; k++)
			for (uint32_t done = 0; done < s->m[k].len; done += repair_rt_piece(r, &s->m[k], done))
				(*out)[(*n)++] = (struct repair_rt_map){
					xfs_rtblock_linear(&r->geo, s->m[k].fsbno + done),
					repair_rt_piece(r, &s->m[k], done), r->inodes[i].ino, s->m[k].off + done,
					r->geo.metadir && !s->m[k].unwritten && d.v3.flags2 & XFS_DIFLAG2_REFLINK,
					s->m[k].unwritten };
	}
	return xfs_sort(&spec, *out, *n);
}

int repair_rt_used(struct repair *r, struct repair_rt_run **runs, size_t *n)
{
	uint32_t rext = r->geo.sb.rextsize;
	struct repair_rt_map *maps;
	size_t nmaps, at = 0;
	int error = repair_rt_claims(r, &maps, &nmaps);

	*n = 0;
	*runs = error ? NULL : calloc(nmaps + 1, sizeof(**runs));
	if (!error && !*runs)
		error = -XFS_E_NOMEM;
	if (!error && r->geo.metadir)	/* the first extent holds the realtime superblock */
		(*runs)[(*n)++] = (struct repair_rt_run){ 0, 1 };
	for (; !error && at < nmaps; at++) {
		uint64_t start = maps[at].start / rext, end = xfs_ceil_div(maps[at].start + maps[at].len, rext);
		struct repair_rt_run *last = *n ? &(*runs)[*n - 1] : NULL;

		if (last && start <= last->start + last->len)
			last->len = xfs_max(last->start + last->len, end) - last->start;
		else
			(*runs)[(*n)++] = (struct repair_rt_run){ start, end - start };
	}
	free(maps);
	return error;
}

int repair_rt_free(struct repair *r, uint64_t *count, bool *any)
{
	struct repair_rt_shape shape;
	struct repair_rt_run *runs;
	size_t n;
	int error;

	*any = repair_rt_shape(r, &shape) && shape.bitmaps;
	if (!*any)
		return 0;
	error = repair_rt_used(r, &runs, &n);
	*count = r->geo.sb.rextents;
	for (size_t i = 0; i < n && !error; i++)
		*count -= xfs_min(*count, runs[i].len);
	free(runs);
	return error;
}

/* ---- claimed twice ---- */

struct settling {
	struct repair *r;
	struct repair_cuts wholes;	/* for what it knows of forks */
	struct repair_rt_cuts cuts;
	uint8_t *image;
	uint64_t settled;
};

/* True: `b` loses. The whole inode first, then the one with the lower number. */
static int weigh(struct settling *t, const struct repair_rt_map *a, const struct repair_rt_map *b, bool *second)
{
	int whole_a = 0, whole_b = 0;
	int error = repair_cuts_whole(&t->wholes, a->ino, XFS_FORK_DATA, t->image, &whole_a);

	if (!error)
		error = repair_cuts_whole(&t->wholes, b->ino, XFS_FORK_DATA, t->image, &whole_b);
	*second = whole_a != whole_b ? whole_a : a->ino < b->ino || (a->ino == b->ino && a->off < b->off);
	return error;
}

int repair_rt_align(const struct repair *r, struct xfs_mapset *s)
{
	uint32_t rext = r->geo.sb.rextsize;
	size_t known = s->n;
	int error = 0;

	for (size_t i = 0; i < known && !error; i++) {
		struct xfs_mapping *m = &s->m[i], head;
		uint64_t inside = xfs_rtblock_linear(&r->geo, m->fsbno) % rext;

		if (!inside || (i && m[-1].off + m[-1].len == m->off && m[-1].fsbno + m[-1].len == m->fsbno))
			continue;
		head = (struct xfs_mapping){ m->off - inside, m->fsbno - inside, inside, !m->unwritten, m->trust };
		if (m->off >= inside && (!i || m[-1].off + m[-1].len <= head.off)) {
			error = xfs_mapset_add(s, &head);
		} else {
			/* its beginning belongs elsewhere: the extent can't be this file's */
			uint64_t gone = xfs_min(m->len, rext - inside);

			m->off += gone;
			m->fsbno += gone;
			m->len -= gone;
		}
	}
	if (!error && known) {
		size_t keep = 0;

		for (size_t i = 0; i < s->n; i++)
			if (s->m[i].len)
				s->m[keep++] = s->m[i];
		s->n = keep;
		error = (int)xfs_min(xfs_mapset_normalise(s), (int64_t)0);
	}
	return error;
}

static int settle(struct settling *t, const struct repair_rt_map *a, const struct repair_rt_map *b, uint64_t lo,
		  uint64_t hi)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_FORK_CONFLICT, "realtime");
	const struct repair_rt_map *loser;
	bool second;
	int error = weigh(t, a, b, &second);

	if (error)
		return error;
	loser = second ? b : a;
	f.ino = loser->ino;
	f.field = "data";
	f.len = hi - lo;
	f.fileoff = loser->off + (lo > loser->start ? lo - loser->start : 0);
	xfs_finding_detail(&f, "realtime blocks %" PRIu64 " to %" PRIu64 " are kept by inode %" PRIu64, lo, hi - 1,
			   (second ? a : b)->ino);
	repair_note(t->r, &f, true);
	return t->r->looking ? 0 : repair_rt_cuts_add(&t->cuts, loser, lo, hi, a->ino == b->ino);
}

/* Do these two contradict each other? Another file may not even have another part of the same extent. */
static bool contradict(const struct repair *r, const struct repair_rt_map *a, const struct repair_rt_map *b,
		       uint64_t *lo, uint64_t *hi)
{
	uint32_t rext = a->ino == b->ino ? 1 : r->geo.sb.rextsize;
	uint64_t a_end = xfs_ceil_div(a->start + a->len, rext) * rext,
		 b_end = xfs_ceil_div(b->start + b->len, rext) * rext;

	*lo = b->start / rext * rext;
	*hi = xfs_min(a_end, b_end);
	return *lo < *hi && !(a->shareable && b->shareable);
}

static int one_round(struct settling *t)
{
	struct repair_rt_map *maps;
	size_t n, reach = 0;
	int error = repair_rt_claims(t->r, &maps, &n);

	for (size_t i = 1; i < n && !error && repair_rt_cuts_room(&t->cuts); i++) {
		uint64_t lo, hi;

		/* the one that reaches furthest stands for those before it: what is left comes up in the next round */
		if (contradict(t->r, &maps[reach], &maps[i], &lo, &hi)) {
			t->settled++;
			error = settle(t, &maps[reach], &maps[i], lo, hi);
		}
		if (maps[i].start + maps[i].len >= maps[reach].start + maps[reach].len)
			reach = i;
	}
	free(maps);
	return error ? error : repair_rt_cuts_apply(t->r, &t->cuts);
}

int repair_rt_settle(struct repair *r)
{
	struct repair_rt_shape shape;
	uint64_t settled = 1;
	int error = 0;

	if (!repair_rt_shape(r, &shape))
		return 0;
	for (unsigned round = 0; settled && !error && (!round || !r->looking); round++) {
		struct settling t = { .r = r, .wholes = { .r = r }, .image = malloc(r->geo.inodesize) };

		error = round == MOST_ROUNDS ? -XFS_E_OVERLAP : t.image ? one_round(&t) : -XFS_E_NOMEM;
		settled = t.settled;
		repair_cuts_release(&t.wholes);
		repair_rt_cuts_release(&t.cuts);
		free(t.image);
	}
	return error;
}
