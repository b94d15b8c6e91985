/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * newforks.c - new contents of forks that were decided: form, blocks, counters (format sheet 02, section 9).
 *
 * Blocks of a new btree are taken in AGs that are rebuilt anyway, near the inode; an AG is only drawn in when none has
 * room.
 */
#include "repair/forks.h"
#include "repair/names.h"
#include "repair/realtime.h"
#include "repair/rebuild.h"
#include "repair/space.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/base/grow.h"
#include "libxfs/build/fork.h"

#include <stdlib.h>
#include <string.h>

struct making {
	struct repair *r;
	struct repair_inode *c;
	unsigned k;
	bool realtime;		/* the fork leads to that section */
	uint32_t agno;		/* where the last block came from */
	size_t room;		/* of c->own_blocks */
	size_t at;		/* mapping whose extents come next, blocks of it that are done */
	uint32_t done;
};

/* Blocks of a mapping, from its `done`th on, that one record may hold. */
static uint32_t piece_of(const struct repair *r, const struct xfs_mapping *m, uint32_t done, bool realtime)
{
	uint32_t most = (uint32_t)xfs_min(m->len - done, XFS_BMBT_MAXLEN);

	return realtime ? xfs_min(most, repair_rt_piece(r, m, done)) : most;
}

/* Records that hold these mappings: they are normalised, so no two of them join. */
static uint64_t count_extents(const struct repair *r, const struct xfs_mapset *s, bool realtime)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		for (uint32_t done = 0; done < s->m[i].len; n++)
			done += piece_of(r, &s->m[i], done, realtime);
	return n;
}

static void next_extent(void *payload, bool again, struct xfs_extent *e)
{
	struct making *m = payload;
	const struct xfs_mapset *s = &m->c->map[m->k];

	if (again)
		m->at = m->done = 0;
	*e = (struct xfs_extent){ s->m[m->at].off + m->done, s->m[m->at].fsbno + m->done,
				  piece_of(m->r, &s->m[m->at], m->done, m->realtime), s->m[m->at].unwritten };
	m->done += e->len;
	if (m->done == s->m[m->at].len) {
		m->at++;
		m->done = 0;
	}
}

/* Built from lists of names. */
static bool is_planned(const struct repair_inode *c, unsigned k)
{
	return c->names && (k ? c->names->attrs : c->names->dir || c->names->target);
}

/* Blocks that all new forks want; when no AG is rebuilt yet, those of the inodes are. */
int repair_plan_forks(struct repair *r)
{
	repair_merge_changed(r);
	repair_rt_forget(r);
	for (size_t i = 0; i < r->ninodes; i++) {
		struct repair_inode *c = &r->inodes[i];
		struct xfs_dinode d;

		if (!c->fork[0] && !c->fork[1])
			continue;
		repair_changed_core(r, c, &d);
		for (unsigned k = 0; k < 2; k++) {
			uint64_t blocks = 0;
			int64_t cut;
			int error;

			if (!c->fork[k] || is_planned(c, k))
				continue;
			cut = xfs_mapset_normalise(&c->map[k]);
			if (cut < 0)
				return (int)cut;
			if (k == XFS_FORK_DATA && repair_rt_is_tree(r, &d))
				error = repair_rt_tree_blocks(r, &d, &blocks);
			else
				error = xfs_build_fork_blocks(
					&r->geo, repair_fork_size(r, &d, (enum xfs_fork)k),
					count_extents(r, &c->map[k], repair_fork_is_realtime(&d, k)), &blocks);
			blocks += k == XFS_FORK_DATA ? repair_rt_missing(r, c) : 0;
			if (error)
				return error;
			if (blocks && !r->any_room) {
				bool any = false;

				for (uint32_t a = 0; a < r->geo.agcount; a++)
					any |= repair_ag_changes(r, a);
				if (!any)
					r->ags[xfs_ino_agno(&r->geo, XFS_INO(c->ino)).v].reasons |= REPAIR_FORK;
				r->any_room = true;
			}
		}
	}
	return 0;
}

static int remember(struct making *m, uint64_t fsbno)
{
	struct repair_inode *c = m->c;
	size_t n = c->nown[0] + c->nown[1];

	if (xfs_grow(&c->own_blocks, n, &m->room, 16))
		return -XFS_E_NOMEM;
	c->own_blocks[n] = fsbno;
	c->nown[m->k]++;
	return 0;
}

/* One block: the AG of the last one, then the others that are rebuilt. */
static int take_block(struct making *m, uint64_t offword, uint64_t *fsbno)
{
	struct repair *r = m->r;

	for (uint32_t i = 0; i < r->geo.agcount; i++) {
		uint32_t agno = (m->agno + i) % r->geo.agcount;
		int error = repair_take_blocks(r, agno, 1, m->c->ino, offword, fsbno);

		if (error == -XFS_E_NOSPC)
			continue;
		if (!error)
			m->agno = agno;
		return error;
	}
	return -XFS_E_NOSPC;
}

static int new_block(void *payload, uint64_t *fsbno)
{
	struct making *m = payload;
	int error = take_block(m, XFS_RMAP_BMBT | (m->k ? XFS_RMAP_ATTR : 0), fsbno);

	return error ? error : remember(m, *fsbno);
}

/* Bitmap and summary of the realtime section have a block at every offset; contents follow (realtime.c). */
static int fill_gaps(struct making *m)
{
	struct xfs_mapset *s = &m->c->map[XFS_FORK_DATA];
	uint64_t want = repair_rt_file_blocks(m->r, m->c->ino, m->c->image), next = 0;
	size_t known = s->n;
	int error = 0;

	for (size_t i = 0; want && i <= known && !error; i++) {
		uint64_t end = i < known ? s->m[i].off : want;

		for (; next < end && !error; next++) {
			struct xfs_mapping one = { .off = next, .len = 1 };

			error = take_block(m, next, &one.fsbno);
			if (!error)
				error = xfs_mapset_add(s, &one);
		}
		next = i < known ? s->m[i].off + s->m[i].len : next;
	}
	if (!error && s->n != known) {
		int64_t cut = xfs_mapset_normalise(s);

		error = cut < 0 ? (int)cut : 0;
	}
	return error;
}

/* More extents than the counters hold: the inode gets the large ones, when the filesystem has them. */
static int set_count(struct repair *r, struct xfs_dinode *d, unsigned k, uint64_t count)
{
	if (xfs_dinode_set_nextents(d, (enum xfs_fork)k, count))
		return 0;
	if (r->geo.nrext64 && !xfs_dinode_has_nrext64(d)) {
		uint64_t other = xfs_dinode_nextents(d, k ? XFS_FORK_DATA : XFS_FORK_ATTR);

		d->v3.flags2 |= XFS_DIFLAG2_NREXT64;
		d->core.nextents32 = 0;
		d->core.nextents16 = 0;
		d->core.big_nextents = 0;
		if (xfs_dinode_set_nextents(d, k ? XFS_FORK_DATA : XFS_FORK_ATTR, other) &&
		    xfs_dinode_set_nextents(d, (enum xfs_fork)k, count))
			return 0;
	}
	return -XFS_E_RANGE;
}

static int make_fork(struct making *m, struct xfs_dinode *d)
{
	struct repair *r = m->r;
	struct repair_inode *c = m->c;
	enum xfs_fork fork = (enum xfs_fork)m->k;
	uint32_t size = repair_fork_size(r, d, fork);
	bool realtime = m->realtime = repair_fork_is_realtime(d, m->k);
	uint64_t n = count_extents(r, &c->map[m->k], realtime);
	struct xfs_build_fork b = {
		.geo = &r->geo, .ino = c->ino, .forksize = size, .next = next_extent, .nextents = n, .dev = r->dev.data,
		.alloc = new_block, .payload = m, .which = fork, .realtime = realtime,
		.bytes = c->image + xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff, r->geo.inodesize,
							fork),
	};
	int error = xfs_build_fork(&b);

	if (!error)
		error = set_count(r, d, m->k, n);
	if (!error && fork == XFS_FORK_DATA)
		d->core.format = (uint8_t)b.format;
	else if (!error)
		d->core.aformat = (uint8_t)b.format;
	return error;
}

/* Blocks of a fork: of its extents and of its tree. */
static int fork_blocks(struct making *m, const struct xfs_dinode *d, unsigned k, uint64_t *blocks)
{
	struct repair_fork f;
	int error;

	if (is_planned(m->c, k)) {
		*blocks += m->c->names->blocks[k];
		return 0;
	}
	if (m->c->fork[k]) {
		*blocks += xfs_mapset_blocks(&m->c->map[k]) + m->c->nown[k];
		return 0;
	}
	error = repair_fork_scan(m->r, m->c->ino, d, m->c->image, (enum xfs_fork)k, &f, NULL, NULL);
	*blocks += f.blocks + f.nown;
	repair_fork_release(&f);
	return error;
}

/* A fork that others made up may share what the inode did not know of. */
static void flag_sharing(struct repair *r, const struct repair_inode *c, struct xfs_dinode *d)
{
	const struct xfs_mapset *s = &c->map[XFS_FORK_DATA];

	if (!r->geo.reflink || !c->fork[XFS_FORK_DATA] || (d->core.mode & XFS_MODE_FMT) != XFS_MODE_REG ||
	    repair_fork_is_realtime(d, XFS_FORK_DATA))
		return;
	for (size_t i = 0; i < s->n && !(d->v3.flags2 & XFS_DIFLAG2_REFLINK); i++)
		if (!s->m[i].unwritten && repair_is_shared(r, s->m[i].fsbno, s->m[i].len))
			d->v3.flags2 |= XFS_DIFLAG2_REFLINK;
}

int repair_build_inode(struct repair *r, struct repair_inode *c)
{
	struct making m = { .r = r, .c = c, .agno = xfs_ino_agno(&r->geo, XFS_INO(c->ino)).v };
	struct xfs_dinode d;
	uint64_t blocks = 0;
	int error = repair_open_image(r, c);

	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	if (c->names)
		error = repair_build_names(r, c, &d);
	for (m.k = 0; m.k < 2 && !error; m.k++)
		if (c->fork[m.k] && !is_planned(c, m.k) && m.k == XFS_FORK_DATA && repair_rt_is_tree(r, &d)) {
			error = repair_rt_build_tree(r, c, &d, new_block, &m);
		} else if (c->fork[m.k] && !is_planned(c, m.k)) {
			error = m.k == XFS_FORK_DATA ? fill_gaps(&m) : 0;
			if (!error)
				error = make_fork(&m, &d);
		}
	for (unsigned k = 0; k < 2 && !error; k++)
		error = fork_blocks(&m, &d, k, &blocks);
	if (error)
		return error;
	d.core.nblocks = blocks;
	flag_sharing(r, c, &d);
	/* none holds for contents that no log has seen; and a wild one would drag the log along */
	if (r->geo.v5) {
		d.v3.lsn = 0;
		memset(c->image + XFS_OFF(dinode_v3, cowextsize) + 4, 0, 12);
	}
	xfs_dinode_encode(c->image, &d);
	if (r->geo.v5)
		xfs_crc32c_store(c->image, r->geo.inodesize, XFS_DINODE_CRC_OFF);
	return 0;
}

/* Inodes of a new chunk are blocks that nothing points to yet; all are free until the switch. */
static int write_new_inode(struct repair *r, const struct repair_inode *c)
{
	uint8_t *image = malloc(r->geo.inodesize);
	struct xfs_dinode d;
	int error;

	if (!image)
		return -XFS_E_NOMEM;
	repair_copy_image(r, c, image);
	xfs_dinode_decode(&d, image);
	if (d.core.mode) {
		d.core.mode = 0;
		d.core.nlinkv2 = 0;
		d.core.size = d.core.nblocks = 0;
		d.core.format = d.core.aformat = XFS_DINODE_FMT_EXTENTS;
		xfs_dinode_encode(image, &d);
		if (r->geo.v5)
			xfs_crc32c_store(image, r->geo.inodesize, XFS_DINODE_CRC_OFF);
	}
	error = xfs_dev_write(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(c->ino)), image, r->geo.inodesize);
	free(image);
	return error;
}

int repair_build_forks(struct repair *r)
{
	int error = 0;

	repair_merge_changed(r);
	repair_rt_forget(r);
	for (size_t i = 0; i < r->ninodes && !error; i++)
		error = repair_build_inode(r, &r->inodes[i]);
	for (size_t i = 0; i < r->ninodes && !error; i++)
		if (r->inodes[i].new_chunk)
			error = write_new_inode(r, &r->inodes[i]);
	if (!error && r->fill)
		error = repair_fill_build(r);
	repair_rt_forget(r);
	return error;
}
