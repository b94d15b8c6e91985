/* SPDX-License-Identifier: BSD-2-Clause */
/* verify_dirindex.c - the hash index and the free index of a directory. */
#include "libxfs/name/verify_dir.h"

#include "libxfs/base/search.h"

/* Entries of a leaf or of the tail of a block: kept for the comparison with the names. */
static void take_entries(struct xfs_dir_check *c, uint64_t block, const uint8_t *entries, uint32_t count,
			 uint32_t stale)
{
	uint32_t none = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t address = xfs_dir_leaf_address(entries, i);

		if (address == XFS_DIR_NULL_ADDRESS)
			none++;
		else
			xfs_dir_check_add(c, &c->index, xfs_dir_leaf_hash(entries, i), address);
	}
	if (none != stale)
		xfs_dir_check_report(c, XFS_F_DIR_LEAF, block >> c->d.ip->fs->geo.sb.dirblklog,
				     "count of stale entries", stale, none);
}

/* ---- block form ---- */

static void check_tail(struct xfs_dir_check *c)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	struct xfs_dir_block_tail tail;
	uint32_t end, count, last = 0;
	const uint8_t *entries;
	struct xfs_buf *b;

	if (xfs_dir_get_data(&c->d, 0, &b, &end))
		return;		/* was reported with the data blocks */
	if (xfs_dir_is_block_magic(xfs_be32(b->data))) {
		xfs_dir_block_tail_decode(&tail, b->data + g->dirblksize - sizeof(struct xfs_dir_block_tail_disk));
		count = xfs_dir_block_leaf_count(b->data, g->v5, g->dirblksize);
		entries = b->data + xfs_dir_block_leaf_off(g->dirblksize, count);
		if (tail.count != count)
			xfs_dir_check_report(c, XFS_F_DIR_LEAF, 0, "counts more entries than fit", tail.count, count);
		for (uint32_t i = 0; i < count; i++) {
			if (xfs_dir_leaf_hash(entries, i) < last) {
				xfs_dir_check_report(c, XFS_F_DIR_LEAF, 0, "hashes are out of order", i, XFS_NULL64);
				break;
			}
			last = xfs_dir_leaf_hash(entries, i);
		}
		take_entries(c, 0, entries, count, tail.stale);
	}
	xfs_buf_put(b);
}

/* ---- leaf and node form ---- */

static uint32_t best_of(const struct xfs_dir_check *c, uint64_t db)
{
	size_t low = xfs_search(c->nbests, i, c->bests[i].db < db);

	return low < c->nbests && c->bests[low].db == db ? c->bests[low].length : XFS_DIR_NULL_BEST;
}

static void report_tree(void *payload, uint64_t block, const char *what, uint64_t found, uint64_t expected)
{
	struct xfs_dir_check *c = payload;

	xfs_dir_check_report(c, XFS_F_DIR_NODE, block >> c->d.ip->fs->geo.sb.dirblklog, what, found, expected);
}

/* The bests behind the entries of a single leaf, up to its tail. */
static void check_leaf_bests(struct xfs_dir_check *c, const struct xfs_da_block *b)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint32_t count = xfs_be32(b->buf->data + g->dirblksize - 4), used = xfs_da_header_len(g->v5) + 8 * b->count;
	uint64_t db = b->block >> g->sb.dirblklog, want = c->d.ip->d.core.size / g->dirblksize;
	const uint8_t *bests;

	if (count != want)
		xfs_dir_check_report(c, XFS_F_DIR_LEAF, db, "count of data blocks", count, want);
	if (count > (g->dirblksize - 4 - used) / 2 || used > g->dirblksize - 4) {
		xfs_dir_check_report(c, XFS_F_DIR_LEAF, db, "table of data blocks overlaps the entries", count,
				     XFS_NULL64);
		return;
	}
	bests = b->buf->data + g->dirblksize - 4 - 2 * count;
	for (uint32_t i = 0; i < count; i++)
		if (xfs_be16(bests + 2 * i) != best_of(c, i))
			xfs_dir_check_report(c, XFS_F_DIR_FREE, i, "largest free area of a data block",
					     xfs_be16(bests + 2 * i), best_of(c, i));
}

static int check_leaf(void *payload, const struct xfs_da_block *b)
{
	struct xfs_dir_check *c = payload;
	bool single = b->magic == XFS_DIR2_LEAF1_MAGIC || b->magic == XFS_DIR3_LEAF1_MAGIC;

	if (single != (c->d.form == XFS_DIR_LEAF))
		xfs_dir_check_report(c, XFS_F_DIR_LEAF, b->block >> c->d.ip->fs->geo.sb.dirblklog,
				     "leaf has the magic of another form", b->magic, XFS_NULL64);
	else if (single)
		check_leaf_bests(c, b);
	take_entries(c, b->block, b->entries, b->count, b->stale);
	return c->nomem ? -XFS_E_NOMEM : 0;
}

static void check_tree(struct xfs_dir_check *c)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	struct xfs_da da;
	struct xfs_da_verify v = { .da = &da, .leaf = check_leaf, .report = report_tree, .payload = c };

	xfs_da_init_dir(&da, &c->d.f);
	if (xfs_da_count_mapped(&c->d.f, c->d.leafblk, c->d.freeblk, g->dirblkfsbs, &v.limit)) {
		c->bad = true;
		return;
	}
	if (xfs_da_verify(&v) == -XFS_E_NOMEM)
		c->nomem = true;
	if (v.blocks < v.limit)
		xfs_dir_check_report(c, XFS_F_DIR_NODE, XFS_NULL64, "blocks of the hash index are not in the tree",
				     v.blocks, v.limit);
}

/* ---- free index ---- */

/* Returns how many data blocks it covers. */
static uint32_t check_free_block(struct xfs_dir_check *c, uint64_t k, const uint8_t *p)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint32_t max = xfs_dir_free_maxbests(g->v5, g->dirblksize), used = 0, valid = 0, count;
	uint64_t db = (c->d.freeblk >> g->sb.dirblklog) + k;
	struct xfs_dir3_free_hdr h;

	xfs_dir_free_hdr_load(&h, p, g->v5);
	if (h.firstdb != k * max)
		xfs_dir_check_report(c, XFS_F_DIR_FREE, db, "number of the first data block", h.firstdb, k * max);
	if (h.nvalid > max)
		xfs_dir_check_report(c, XFS_F_DIR_FREE, db, "counts more data blocks than fit", h.nvalid, max);
	count = h.nvalid < max ? h.nvalid : max;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t best = xfs_be16(p + xfs_dir_free_header_len(g->v5) + 2 * (size_t)i);
		uint32_t want = best_of(c, k * max + i);

		if (best != want)
			xfs_dir_check_report(c, XFS_F_DIR_FREE, k * max + i, "largest free area of a data block", best,
					     want);
		if (best != XFS_DIR_NULL_BEST) {
			used++;
			valid = i + 1;
		}
	}
	if (h.nused != used)
		xfs_dir_check_report(c, XFS_F_DIR_FREE, db, "count of data blocks in use", h.nused, used);
	if (h.nvalid <= max && h.nvalid != valid)
		xfs_dir_check_report(c, XFS_F_DIR_FREE, db, "count of data blocks", h.nvalid, valid);
	return count;
}

/* Data blocks among the `count` from number `first` on. */
static uint64_t blocks_in(const struct xfs_dir_check *c, uint64_t first, uint32_t count)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->nbests; i++)
		n += c->bests[i].db >= first && c->bests[i].db - first < count;
	return n;
}

static void check_free(struct xfs_dir_check *c)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint32_t max = xfs_dir_free_maxbests(g->v5, g->dirblksize);
	uint64_t covered = 0, last = XFS_DIR_LEAF_OFFSET / g->dirblksize / max;

	for (uint64_t at = c->d.freeblk; !c->nomem; at += g->dirblkfsbs) {
		struct xfs_extent e;
		struct xfs_buf *b;
		uint64_t k, db;
		int err = xfs_ifork_lookup(&c->d.f, at, &e);

		if (err)
			break;
		db = xfs_max(at, e.off) >> g->sb.dirblklog;
		at = db << g->sb.dirblklog;
		k = db - (c->d.freeblk >> g->sb.dirblklog);
		if (k > last) {
			xfs_dir_check_report(c, XFS_F_DIR_FREE, db, "block lies behind any data", k, last);
			break;
		}
		err = xfs_ifork_get(&c->d.f, at, g->dirblkfsbs, XFS_BLK_DIR_FREE, &b);
		if (err) {
			c->nomem |= err == -XFS_E_NOMEM;
			xfs_dir_check_report(c, XFS_F_DIR_FREE, db, xfs_error_text(err), XFS_NULL64, XFS_NULL64);
			continue;
		}
		covered += blocks_in(c, k * max, check_free_block(c, k, b->data));
		xfs_buf_put(b);
	}
	if (covered < c->nbests)
		xfs_dir_check_report(c, XFS_F_DIR_FREE, XFS_NULL64, "data blocks are not in the free index",
				     c->nbests - covered, 0);
}

void xfs_dir_check_index(struct xfs_dir_check *c)
{
	if (c->d.form == XFS_DIR_BLOCK) {
		check_tail(c);
		return;
	}
	check_tree(c);
	if (c->d.form == XFS_DIR_NODE)
		check_free(c);
}
