/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write.c - the image of a fresh filesystem: log, inodes, allocation groups, superblocks.
 *
 * The primary superblock says "in progress" until everything else is durable: a filesystem that was killed half way
 * is refused by the kernel.
 */
#include "mkfs/write.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/build/ag.h"
#include "libxfs/log/format.h"
#include "mkfs/inodes.h"
#include "mkfs/wipe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define CLAIMS_MEMORY (64u << 20)

struct writer {
	const struct mkfs_geometry *g;
	struct xfs_dev *dev;
	struct xfs_claims *claims;
	struct mkfs_chance chance;
	uint8_t *sector;		/* one, for superblocks */
	uint64_t fdblocks, icount, ifree;	/* sums over the AGs that were built */
};

/* --- superblocks --- */

static int write_superblock(struct writer *w, uint32_t agno, const struct xfs_sb *sb)
{
	uint64_t off = (uint64_t)agno * sb->agblocks * sb->blocksize;

	memset(w->sector, 0, sb->sectsize);
	xfs_sb_encode(w->sector, sb);
	if (w->g->f.crc)
		xfs_crc32c_store(w->sector, sb->sectsize, XFS_SB_CRC_OFF);
	return xfs_dev_write(w->dev, off, w->sector, sb->sectsize);
}

/* Secondaries stay "in progress" and without counters; two of them know the root (format sheet 01, section 6). */
static struct xfs_sb secondary(const struct mkfs_geometry *g, uint32_t agno)
{
	struct xfs_sb sb = g->sb;
	bool knows = agno == sb.agcount - 1 || (sb.agcount > 2 && agno == (sb.agcount - 1) / 2);

	sb.inprogress = 1;
	sb.icount = sb.ifree = sb.frextents = 0;
	sb.fdblocks = g->fdblocks_before;
	if (!g->f.metadir)
		sb.rbmino = sb.rsumino = XFS_NULL64;
	if (!knows) {
		sb.rootino = XFS_NULL64;
		if (g->f.metadir)
			sb.metadirino = XFS_NULL64;
	}
	return sb;
}

/* --- log and inodes --- */

static int write_log(struct writer *w, struct xfs_dev *external)
{
	const struct xfs_sb *sb = &w->g->sb;

	if (external)
		return xfs_log_format_fresh(external, 0, sb);
	return xfs_log_format_fresh(w->dev, xfs_fsbno_byte(&w->g->geo, XFS_FSBNO(sb->logstart)), sb);
}

static int write_chunk(struct writer *w, unsigned n)
{
	const struct xfs_geometry *geo = &w->g->geo;
	size_t len = (size_t)geo->ialloc_blks << geo->blocklog;
	uint8_t *p = calloc(1, len);
	uint64_t off = xfs_agbno_daddr(geo, XFS_AGNO(w->g->chunk[n].agno),
			XFS_AGBNO(w->g->chunk[n].agbno)).v << XFS_BBSHIFT;
	int err;

	if (!p)
		return -XFS_E_NOMEM;
	mkfs_make_chunk(w->g, &w->chance, n, p);
	err = xfs_dev_write(w->dev, off, p, len);
	free(p);
	return err;
}

/* --- allocation groups --- */

struct extents {
	uint32_t agbno[4], len[4];	/* free extents behind the roots of the trees */
	unsigned n;
};

static void add_free(struct extents *e, uint32_t from, uint32_t to)
{
	if (from >= to)
		return;
	e->agbno[e->n] = from;
	e->len[e->n++] = to - from;
}

/*
 * The free list of a fresh AG comes from the smallest free extent that holds all of it (format sheet 05, section 11):
 * those before it are kept from the builder, which takes the lowest blocks.
 */
static int avoid_small_extents(struct writer *w, uint32_t agno, const struct extents *e)
{
	uint32_t need = xfs_agfl_minimum(&w->g->geo, 1, 1, 1);
	unsigned best = e->n;
	int err = 0;

	for (unsigned i = 0; i < e->n; i++)
		if (e->len[i] >= need && (best == e->n || e->len[i] < e->len[best]))
			best = i;
	for (unsigned i = 0; i < best && best < e->n && !err; i++)
		err = xfs_claims_avoid(w->claims, XFS_AGNO(agno), e->agbno[i], e->len[i]);
	return err;
}

/* The log and the inode chunk of this AG, in disk order. */
static int claim_contents(struct writer *w, uint32_t agno, int chunk)
{
	const struct mkfs_geometry *g = w->g;
	struct xfs_claim log = { g->log_agbno, g->sb.logblocks, XFS_OWN_LOG, 0 }, inodes = { 0, 0, XFS_OWN_INODES, 0 };
	bool has_log = g->sb.logstart && g->log_agno == agno;
	struct extents e = { .n = 0 };
	uint32_t from = g->prealloc;
	int err = 0;

	if (has_log) {
		err = xfs_claims_add(w->claims, XFS_AGNO(agno), &log);
		add_free(&e, from, log.agbno);
		from = log.agbno + log.len;
	}
	if (!err && chunk >= 0) {
		inodes.agbno = g->chunk[chunk].agbno;
		inodes.len = g->geo.ialloc_blks;
		err = xfs_claims_add(w->claims, XFS_AGNO(agno), &inodes);
		add_free(&e, from, inodes.agbno);
		from = inodes.agbno + inodes.len;
	}
	add_free(&e, from, xfs_ag_length(&g->geo, XFS_AGNO(agno)));
	return err ? err : avoid_small_extents(w, agno, &e);
}

/* Records of a chunk: with large blocks one allocation holds several. Returns how many. */
static size_t chunk_records(const struct writer *w, int n, struct xfs_inode_chunk *rec)
{
	const struct mkfs_geometry *g = w->g;
	unsigned taken = n < 0 ? 0 : mkfs_chunk_used(g, (unsigned)n);
	size_t count = n < 0 ? 0 : g->geo.ialloc_inos / XFS_INODES_PER_CHUNK;

	for (size_t i = 0; i < count; i++) {
		rec[i] = (struct xfs_inode_chunk){
			.startino = (g->chunk[n].agbno << g->geo.inopblog) + (uint32_t)i * XFS_INODES_PER_CHUNK,
			.count = XFS_INODES_PER_CHUNK, .freecount = XFS_INODES_PER_CHUNK, .free = UINT64_MAX,
		};
		if (i == 0) {
			rec[i].freecount = (uint8_t)(XFS_INODES_PER_CHUNK - taken);
			rec[i].free <<= taken;
		}
	}
	return count;
}

static int write_ag(struct writer *w, uint32_t agno)
{
	struct xfs_inode_chunk rec[65536 / 256 / XFS_INODES_PER_CHUNK];
	struct xfs_build_ag want = {
		.geo = &w->g->geo, .claims = w->claims, .agno = XFS_AGNO(agno), .chunks = rec, .newino = XFS_NULL32,
				.dev = w->dev,
	};
	struct xfs_ag_switch done;
	int chunk = -1, err;

	for (unsigned i = 0; i < w->g->nchunks; i++)
		if (w->g->chunk[i].agno == agno)
			chunk = (int)i;
	want.nchunks = chunk_records(w, chunk, rec);
	if (want.nchunks)
		want.newino = rec[0].startino;
	err = claim_contents(w, agno, chunk);
	if (!err)
		err = xfs_claims_seal(w->claims, XFS_AGNO(agno));
	if (!err)
		err = xfs_build_ag(&want, &done);
	if (err)
		return err;
	err = xfs_build_ag_commit(&want, &done);
	w->fdblocks += done.freeblks + done.flcount + done.btreeblks;
	w->icount += done.icount;
	w->ifree += done.ifree;
	xfs_ag_switch_release(&done);
	return err;
}

static int write_groups(struct writer *w)
{
	int err = xfs_claims_new(&w->claims, &w->g->geo, CLAIMS_MEMORY, NULL);

	for (uint32_t agno = 0; agno < w->g->sb.agcount && !err; agno++) {
		struct xfs_sb sb = secondary(w->g, agno);

		if (agno)
			err = write_superblock(w, agno, &sb);
		if (!err)
			err = write_ag(w, agno);
	}
	return err;
}

/* --- all of it --- */

static void take_chance(struct mkfs_chance *c)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH"), *fixed = getenv("DETERMINISTIC_SEED");
	struct timespec now = { 0, 0 };
	char *end = NULL;
	long long sec = epoch ? strtoll(epoch, &end, 10) : 0;

	clock_gettime(CLOCK_REALTIME, &now);
	c->now = (struct xfs_timestamp){ now.tv_sec, (uint32_t)now.tv_nsec };
	if (epoch && *epoch && end && !*end)
		c->now = (struct xfs_timestamp){ sec, 0 };
	else if (epoch)
		fprintf(stderr, "mkfs.xfs: SOURCE_DATE_EPOCH '%s' invalid timestamp, ignoring.\n", epoch);
	if (fixed || getrandom(c->gen, sizeof(c->gen), 0) != (ssize_t)sizeof(c->gen))
		for (size_t i = 0; i < XFS_ARRAY_SIZE(c->gen); i++)
			c->gen[i] = fixed ? 0x53454544 : (uint32_t)now.tv_nsec + (uint32_t)i;
}

static int write_all(struct writer *w, struct xfs_dev *external_log)
{
	struct xfs_sb unfinished = secondary(w->g, 0);
	int err;

	unfinished.rootino = XFS_NULL64;
	err = mkfs_wipe_ends(w->dev);
	if (!err)
		err = write_superblock(w, 0, &unfinished);
	if (!err)
		err = write_log(w, external_log);
	for (unsigned n = 0; n < w->g->nchunks && !err; n++)
		err = write_chunk(w, n);
	if (!err)
		err = write_groups(w);
	if (!err && (w->fdblocks != w->g->sb.fdblocks || w->icount != w->g->sb.icount || w->ifree != w->g->sb.ifree))
		err = -XFS_E_INTERNAL;
	if (!err && external_log)
		err = xfs_dev_barrier(external_log);
	if (!err)
		err = xfs_dev_barrier(w->dev);
	if (!err)
		err = write_superblock(w, 0, &w->g->sb);
	return err ? err : xfs_dev_barrier(w->dev);
}

int mkfs_write(const struct mkfs_options *o, const struct mkfs_geometry *g, struct mkfs_devices *d,
		struct mkfs_error *err)
{
	struct writer w = { .g = g, .dev = d->data, .sector = malloc(g->sb.sectsize) };
	int code = -XFS_E_NOMEM;

	if (d->data->size < g->data_size)
		code = -XFS_E_SHORT;
	else if (w.sector) {
		take_chance(&w.chance);
		if (!o->keep && d->data_block)
			mkfs_discard(d->data, d->data_name, o->quiet);
		if (!o->keep && d->log_block && d->log)
			mkfs_discard(d->log, d->log_name, o->quiet);
		if (o->force)
			mkfs_wipe_old_superblocks(d->data);
		code = write_all(&w, d->log);
	}
	xfs_claims_free(w.claims);
	free(w.sector);
	return code ? mkfs_fail(err, false, "mkfs.xfs: writing to %s failed: %s", d->data_name,
			xfs_error_text(code)) : 0;
}
