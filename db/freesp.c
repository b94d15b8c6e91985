/* SPDX-License-Identifier: BSD-2-Clause */
/* freesp.c - free extents counted by length. */
#include "db/report.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"

#include <stdlib.h>
#include <unistd.h>

struct bucket {
	uint64_t low, high;		/* lengths */
	uint64_t extents, blocks;
};

struct survey {
	struct db *db;
	bool by_size, dump, summary;	/* walk the cntbt; list extents; totals */
	uint64_t align;			/* only extents whose fsblock is a multiple of it; 0: all */
	bool *ags;			/* NULL: all */
	struct bucket *list;
	size_t n, room;
	uint64_t extents, blocks;
	uint32_t agno;			/* being read */
};

/* ---- buckets ---- */

static int add_bucket(struct survey *s, uint64_t low)
{
	if (xfs_grow(&s->list, s->n, &s->room, 32))
		return -XFS_E_NOMEM;
	s->list[s->n++] = (struct bucket){ .low = low };
	return 0;
}

static int compare_buckets(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

/* Buckets end where the next one starts, the last one with the longest extent that there can be. */
static int close_buckets(struct survey *s)
{
	uint64_t most = s->db->fs->geo.agblocks;
	size_t kept = 0;
	int err = add_bucket(s, 1);	/* what is shorter than all */

	if (err)
		return err;
	qsort(s->list, s->n, sizeof(*s->list), compare_buckets);
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].low <= most && (!kept || s->list[kept - 1].low != s->list[i].low))
			s->list[kept++] = s->list[i];
	s->n = kept;
	for (size_t i = 0; i < s->n; i++)
		s->list[i].high = i + 1 < s->n ? s->list[i + 1].low - 1 : most;
	return 0;
}

static int equal_buckets(struct survey *s, uint64_t width)
{
	int err = 0;

	for (uint64_t low = 1; !err && width && low < s->db->fs->geo.agblocks; low += width)
		err = add_bucket(s, low);
	return err;
}

static int multiplied_buckets(struct survey *s, uint64_t factor)
{
	int err = 0;

	for (uint64_t low = 1; !err && factor > 1 && low < s->db->fs->geo.agblocks; low *= factor)
		err = add_bucket(s, low);
	return err;
}

/* ---- extents ---- */

static void take_extent(struct survey *s, uint32_t agbno, uint32_t len)
{
	size_t bucket = xfs_search(s->n, i, s->list[i].low <= len);

	bucket -= bucket > 0;
	if (s->align && xfs_fsbno_of(&s->db->fs->geo, XFS_AGNO(s->agno), XFS_AGBNO(agbno)).v % s->align)
		return;
	if (s->dump)
		db_out(s->db, "%8u %8u %8u\n", s->agno, agbno, len);
	s->extents++;
	s->blocks += len;
	s->list[bucket].extents++;
	s->list[bucket].blocks += len;
}

static int see_record(void *payload, const void *rec)
{
	take_extent(payload, xfs_bnobt_rec_get_startblock(rec), xfs_bnobt_rec_get_blockcount(rec));
	return 0;
}

static void take_ag(struct survey *s)
{
	const struct xfs_geometry *g = &s->db->fs->geo;
	uint32_t *blocks = malloc(g->agfl_size * sizeof(*blocks)), n = 0;
	struct xfs_btree bt;
	int err = blocks ? xfs_fs_agfl_blocks(s->db->fs, XFS_AGNO(s->agno), blocks, &n) : -XFS_E_NOMEM, one;

	for (uint32_t i = 0; !err && i < n; i++)
		take_extent(s, blocks[i], 1);
	one = xfs_fs_ag_btree(s->db->fs, XFS_AGNO(s->agno), s->by_size ? XFS_BTREE_CNT : XFS_BTREE_BNO, &bt);
	if (!one)
		one = xfs_btree_query_all(&bt, see_record, s);
	err = err ? err : one;
	if (err)
		fprintf(stderr, "%s: freesp: AG %u: %s\n", s->db->prog, s->agno, xfs_error_text(err));
	free(blocks);
}

/* ---- the table ---- */

/* Columns are as wide as their heading or their widest number. */
static int width(uint64_t most, int heading)
{
	int n = 1;

	while (most /= 10)
		n++;
	return n > heading ? n : heading;
}

static void show_table(struct survey *s)
{
	int we = width(s->extents, 7), wb = width(s->blocks, 6), wl = width(s->db->fs->geo.agblocks, 7);
	uint64_t extents = s->extents, blocks = s->blocks;	/* of this row and those below */

	db_out(s->db, "%*s %*s %*s %*s %6s %6s %6s\n", wl, "from", wl, "to", we, "extents", wb, "blocks", "pct",
	       "blkcdf", "extcdf");
	for (size_t i = 0; i < s->n; i++) {
		const struct bucket *b = &s->list[i];

		if (!b->extents)
			continue;
		db_out(s->db, "%*llu %*llu %*llu %*llu %6.2f %6.2f %6.2f\n", wl, (unsigned long long)b->low, wl,
		       (unsigned long long)b->high, we, (unsigned long long)b->extents, wb,
		       (unsigned long long)b->blocks, 100.0 * (double)b->blocks / (double)s->blocks,
		       100.0 * (double)blocks / (double)s->blocks, 100.0 * (double)extents / (double)s->extents);
		extents -= b->extents;
		blocks -= b->blocks;
	}
	if (!s->summary)
		return;
	db_out(s->db, "total free extents %llu\n", (unsigned long long)s->extents);
	db_out(s->db, "total free blocks %llu\n", (unsigned long long)s->blocks);
	db_out(s->db, "average free extent size %g\n", s->extents ? (double)s->blocks / (double)s->extents : 0.0);
}

/* ---- the command ---- */

static bool only_ag(struct survey *s, const char *text)
{
	uint64_t agno;

	if (!s->ags)
		s->ags = calloc(s->db->fs->geo.agcount, sizeof(*s->ags));
	if (!s->ags)
		return false;
	if (!db_number(text, &agno)) {
		db_out(s->db, "bad allocation group number %s\n", text);
		return false;
	}
	if (agno < s->db->fs->geo.agcount)
		s->ags[agno] = true;
	return true;
}

/* Buckets of one kind only: -b, -e, -m, or any number of -h. */
static bool parse(struct survey *s, int argc, char **argv)
{
	uint64_t v = 0;
	int opt, kind = 0, err = 0;

	optind = 0;
	while ((opt = getopt(argc, argv, "A:a:bcde:h:m:s")) != -1) {
		if (strchr("Aehm", opt) && !db_number(optarg, &v))
			return false;
		if (strchr("behm", opt)) {
			if (kind && (kind != opt || opt != 'h'))
				return false;
			kind = opt;
		}
		switch (opt) {
		case 'A': s->align = v; break;
		case 'a':
			if (!only_ag(s, optarg))
				return false;
			break;
		case 'b': err = multiplied_buckets(s, 2); break;
		case 'c': s->by_size = true; break;
		case 'd': s->dump = true; break;
		case 'e': err = equal_buckets(s, v); break;
		case 'h': err = add_bucket(s, v); break;
		case 'm': err = multiplied_buckets(s, v); break;
		case 's': s->summary = true; break;
		default: return false;
		}
		if (err)
			return false;
	}
	return optind == argc && (kind || !multiplied_buckets(s, 2)) && !close_buckets(s);
}

void db_run_freesp(struct db *db, int argc, char **argv)
{
	struct survey s = { .db = db };

	if (!parse(&s, argc, argv)) {
		db_out(db, "freesp arguments: [-bcds] [-a agno] [-e binsize] [-h h1]... [-m binmult]\n");
		goto out;
	}
	if (s.dump)
		db_out(db, "%8s %8s %8s\n", "agno", "agbno", "len");
	for (s.agno = 0; s.agno < db->fs->geo.agcount; s.agno++)
		if (!s.ags || s.ags[s.agno])
			take_ag(&s);
	show_table(&s);
out:
	free(s.list);
	free(s.ags);
}
