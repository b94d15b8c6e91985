/* SPDX-License-Identifier: BSD-2-Clause */
/* ag.c - AG headers on demand, and the trees whose roots they hold (format sheet 01, section 9). */
#include "libxfs/mount/fs_priv.h"

#include "libxfs/base/bytes.h"

#include <stdlib.h>

static struct xfs_ag *ag_new(struct xfs_fs *fs, uint32_t agno)
{
	static const enum xfs_block_kind kinds[XFS_AG_TREES] = {
		[XFS_BTREE_BNO] = XFS_BLK_BNOBT, [XFS_BTREE_CNT] = XFS_BLK_CNTBT, [XFS_BTREE_INO] = XFS_BLK_INOBT,
		[XFS_BTREE_FINO] = XFS_BLK_FINOBT, [XFS_BTREE_RMAP] = XFS_BLK_RMAPBT, [XFS_BTREE_REFC] = XFS_BLK_REFCBT,
	};
	struct xfs_ag *ag = calloc(1, sizeof(*ag));

	if (!ag)
		return NULL;
	ag->agno = agno;
	pthread_mutex_init(&ag->lock, NULL);
	for (unsigned i = 0; i < XFS_AG_TREES; i++)
		ag->trees[i] = (struct xfs_ag_tree){ fs, agno, kinds[i] };
	return ag;
}

int xfs_ag_obtain(struct xfs_fs *fs, xfs_agno_t agno, struct xfs_ag **out)
{
	struct xfs_ag ***page, **slot;
	int err = 0;

	*out = NULL;
	if (agno.v >= fs->geo.agcount)
		return -XFS_E_RANGE;
	page = &fs->ags[agno.v / XFS_AG_PAGE];
	pthread_mutex_lock(&fs->lock);
	if (!*page) {
		*page = calloc(XFS_AG_PAGE, sizeof(**page));
		if (!*page) {
			err = -XFS_E_NOMEM;
			goto out;
		}
		fs->ag_bytes += XFS_AG_PAGE * sizeof(**page);
	}
	slot = &(*page)[agno.v % XFS_AG_PAGE];
	if (!*slot) {
		*slot = ag_new(fs, agno.v);
		if (!*slot) {
			err = -XFS_E_NOMEM;
			goto out;
		}
		fs->ag_bytes += sizeof(**slot);
	}
	*out = *slot;
out:
	pthread_mutex_unlock(&fs->lock);
	return err;
}

void xfs_ag_free_all(struct xfs_fs *fs)
{
	uint64_t pages = xfs_ceil_div(fs->geo.agcount, XFS_AG_PAGE);

	for (uint64_t i = 0; fs->ags && i < pages; i++) {
		for (unsigned k = 0; fs->ags[i] && k < XFS_AG_PAGE; k++) {
			struct xfs_ag *ag = fs->ags[i][k];

			if (!ag)
				continue;
			free(ag->agfl);
			pthread_mutex_destroy(&ag->lock);
			free(ag);
		}
		free(fs->ags[i]);
	}
	free(fs->ags);
	fs->ags = NULL;
}

/* ---- headers ---- */

/* Gets header sector n; *err is what its verifier says. NULL: it could not be read. */
static struct xfs_buf *header_get(struct xfs_fs *fs, uint32_t agno, unsigned n, enum xfs_block_kind kind, int *err)
{
	const struct xfs_buf_type *type = xfs_block_type(kind);
	struct xfs_finding f;
	struct xfs_buf *b;

	*err = xfs_buf_get1(fs->cache, xfs_ag_header_daddr(&fs->geo, XFS_AGNO(agno), n).v,
			    fs->geo.sectsize / XFS_BBSIZE, NULL, 0, &b);
	if (*err) {
		f = xfs_finding_of(XFS_F_BLOCK_IO, xfs_block_name(kind));
		f.agno = agno;
		xfs_finding_detail(&f, "%s", xfs_error_text(*err));
		xfs_fs_report(fs, &f);
		return NULL;
	}
	*err = xfs_buf_check(b, type, &f);
	if (*err)
		xfs_fs_report(fs, &f);
	return b;
}

static void report(void *payload, const struct xfs_finding *f)
{
	xfs_fs_report(payload, f);
}

struct field_check {
	const char *name;
	uint64_t value, min, max;
};

/* Reports each field outside its range. */
static int check_fields(const struct xfs_sink *sink, const char *structure, uint32_t agno, const struct field_check *c,
			size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		struct xfs_finding f;

		if (c[i].value >= c[i].min && c[i].value <= c[i].max)
			continue;
		f = xfs_finding_of(XFS_F_AG_HEADER, structure);
		f.agno = agno;
		f.field = c[i].name;
		f.found = c[i].value;
		if (c[i].min == c[i].max)
			f.expected = c[i].min;
		else
			xfs_finding_detail(&f, "must be %llu to %llu", (unsigned long long)c[i].min,
					   (unsigned long long)c[i].max);
		xfs_finding_emit(sink, &f);
		err = -XFS_E_CORRUPT;
	}
	return err;
}

int xfs_agf_check(const struct xfs_geometry *g, xfs_agno_t ag, const struct xfs_agf *a, const struct xfs_sink *sink)
{
	uint32_t len = xfs_ag_length(g, ag), first = g->agfl_block + 1, agno = ag.v;
	const struct field_check checks[] = {
		{ "versionnum", a->versionnum, 1, 1 },
		{ "seqno", a->seqno, agno, agno },
		{ "length", a->length, len, len },
		{ "flfirst", a->flfirst, 0, g->agfl_size - 1 },
		{ "fllast", a->fllast, 0, g->agfl_size - 1 },
		{ "flcount", a->flcount, 0, g->agfl_size },
		{ "bnolevel", a->bnolevel, 1, g->alloc_maxlevels },
		{ "bnoroot", a->bnoroot, first, len - 1 },
		{ "cntlevel", a->cntlevel, 1, g->alloc_maxlevels },
		{ "cntroot", a->cntroot, first, len - 1 },
		{ "freeblks", a->freeblks, 0, len },
		{ "longest", a->longest, 0, a->freeblks },
		{ "btreeblks", g->lazycount ? a->btreeblks : 0, 0, len },
		/* from here on only with their feature */
		{ "rmaplevel", a->rmaplevel, 1, g->rmap_maxlevels },
		{ "rmaproot", a->rmaproot, first, len - 1 },
		{ "rmapblocks", a->rmapblocks, 1, len },
		{ "refcntlevel", a->refcntlevel, 1, g->refc_maxlevels },
		{ "refcntroot", a->refcntroot, first, len - 1 },
		{ "refcntblocks", a->refcntblocks, 1, len },
	};
	int err = check_fields(sink, "agf", agno, checks, 13);

	if (g->rmapbt && check_fields(sink, "agf", agno, checks + 13, 3))
		err = -XFS_E_CORRUPT;
	if (g->reflink && check_fields(sink, "agf", agno, checks + 16, 3))
		err = -XFS_E_CORRUPT;
	return err;
}

int xfs_agi_check(const struct xfs_geometry *g, xfs_agno_t ag, const struct xfs_agi *a, const struct xfs_sink *sink)
{
	uint32_t len = xfs_ag_length(g, ag), first = g->agfl_block + 1, agno = ag.v;
	const struct field_check checks[] = {
		{ "versionnum", a->versionnum, 1, 1 },
		{ "seqno", a->seqno, agno, agno },
		{ "length", a->length, len, len },
		{ "level", a->level, 1, g->inobt_maxlevels },
		{ "root", a->root, first, len - 1 },
		{ "freecount", a->freecount, 0, a->count },
		{ "free_level", a->free_level, 1, g->inobt_maxlevels },
		{ "free_root", a->free_root, first, len - 1 },
	};

	return check_fields(sink, "agi", agno, checks, g->finobt ? 8 : 6);
}

static int check_agi(struct xfs_fs *fs, uint32_t agno, const struct xfs_agi *a, const uint32_t *unlinked)
{
	const struct xfs_geometry *g = &fs->geo;
	const struct xfs_sink sink = { report, fs };
	int err = xfs_agi_check(g, XFS_AGNO(agno), a, &sink);

	for (unsigned i = 0; i < XFS_AGI_BUCKETS; i++) {
		struct xfs_finding f;

		if (unlinked[i] == XFS_NULL32 ||
		    (xfs_agino_valid(g, XFS_AGNO(agno), unlinked[i]) && unlinked[i] % XFS_AGI_BUCKETS == i))
			continue;
		f = xfs_finding_of(XFS_F_AGI_UNLINKED, "agi");
		f.agno = agno;
		f.field = "unlinked";
		f.found = unlinked[i];
		xfs_finding_detail(&f, "bucket %u", i);
		xfs_fs_report(fs, &f);
		err = -XFS_E_CORRUPT;
	}
	return err;
}

static void load_agf(struct xfs_fs *fs, struct xfs_ag *ag)
{
	struct xfs_buf *b = header_get(fs, ag->agno, 1, XFS_BLK_AGF, &ag->agf_error);

	memset(&ag->agf, 0, sizeof(ag->agf));
	if (b) {
		xfs_agf_load(&ag->agf, fs->geo.v5, b->data);
		xfs_buf_put(b);
		if (!ag->agf_error || ag->agf_error == -XFS_E_BADCRC) {
			const struct xfs_sink sink = { report, fs };
			int err = xfs_agf_check(&fs->geo, XFS_AGNO(ag->agno), &ag->agf, &sink);

			ag->agf_error = ag->agf_error ? ag->agf_error : err;
		}
	}
	ag->have_agf = ag->agf_error != -XFS_E_NOMEM;	/* there may be memory next time */
}

static void load_agi(struct xfs_fs *fs, struct xfs_ag *ag)
{
	struct xfs_buf *b = header_get(fs, ag->agno, 2, XFS_BLK_AGI, &ag->agi_error);

	memset(&ag->agi, 0, sizeof(ag->agi));
	memset(ag->unlinked, 0xff, sizeof(ag->unlinked));
	if (b) {
		xfs_agi_load(&ag->agi, ag->unlinked, fs->geo.v5, b->data);
		xfs_buf_put(b);
		if (!ag->agi_error || ag->agi_error == -XFS_E_BADCRC) {
			int err = check_agi(fs, ag->agno, &ag->agi, ag->unlinked);

			ag->agi_error = ag->agi_error ? ag->agi_error : err;
		}
	}
	ag->have_agi = ag->agi_error != -XFS_E_NOMEM;	/* there may be memory next time */
}

static void load_agfl(struct xfs_fs *fs, struct xfs_ag *ag)
{
	struct xfs_buf *b;

	if (!ag->agfl)
		ag->agfl = malloc(fs->geo.agfl_size * sizeof(*ag->agfl));
	if (!ag->agfl) {
		ag->agfl_error = -XFS_E_NOMEM;
		return;
	}
	memset(ag->agfl, 0xff, fs->geo.agfl_size * sizeof(*ag->agfl));
	b = header_get(fs, ag->agno, 3, XFS_BLK_AGFL, &ag->agfl_error);
	for (uint32_t i = 0; b && i < fs->geo.agfl_size; i++)
		ag->agfl[i] = xfs_be32(b->data + xfs_agfl_slot_off(fs->geo.v5, i));
	if (b && fs->geo.v5 && !ag->agfl_error) {
		struct field_check c = { "seqno", xfs_agfl_get_seqno((const void *)b->data), ag->agno, ag->agno };

		const struct xfs_sink sink = { report, fs };

		ag->agfl_error = check_fields(&sink, "agfl", ag->agno, &c, 1);
	}
	xfs_buf_put(b);
	ag->have_agfl = ag->agfl_error != -XFS_E_NOMEM;	/* there may be memory next time */
}

int xfs_fs_agf(struct xfs_fs *fs, xfs_agno_t agno, struct xfs_agf *out)
{
	struct xfs_ag *ag;
	int err = xfs_ag_obtain(fs, agno, &ag);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	pthread_mutex_lock(&ag->lock);
	if (!ag->have_agf)
		load_agf(fs, ag);
	*out = ag->agf;
	err = ag->agf_error;
	pthread_mutex_unlock(&ag->lock);
	return err;
}

int xfs_fs_agi(struct xfs_fs *fs, xfs_agno_t agno, struct xfs_agi *out, uint32_t *unlinked)
{
	struct xfs_ag *ag;
	int err = xfs_ag_obtain(fs, agno, &ag);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	pthread_mutex_lock(&ag->lock);
	if (!ag->have_agi)
		load_agi(fs, ag);
	*out = ag->agi;
	if (unlinked)
		memcpy(unlinked, ag->unlinked, sizeof(ag->unlinked));
	err = ag->agi_error;
	pthread_mutex_unlock(&ag->lock);
	return err;
}

int xfs_fs_agfl(struct xfs_fs *fs, xfs_agno_t agno, uint32_t *slots)
{
	struct xfs_ag *ag;
	int err = xfs_ag_obtain(fs, agno, &ag);

	if (err)
		return err;
	pthread_mutex_lock(&ag->lock);
	if (!ag->have_agfl)
		load_agfl(fs, ag);
	if (ag->agfl)
		memcpy(slots, ag->agfl, fs->geo.agfl_size * sizeof(*slots));
	err = ag->agfl_error;
	pthread_mutex_unlock(&ag->lock);
	return err;
}

int xfs_fs_agfl_blocks(struct xfs_fs *fs, xfs_agno_t agno, uint32_t *blocks, uint32_t *count)
{
	uint32_t size = fs->geo.agfl_size, active, n = 0;
	struct xfs_agf agf;
	uint32_t *slots;
	int err = xfs_fs_agf(fs, agno, &agf);

	*count = 0;
	if (err)
		return err;
	slots = malloc(size * sizeof(*slots));
	if (!slots)
		return -XFS_E_NOMEM;
	err = xfs_fs_agfl(fs, agno, slots);
	if (err)
		goto out;
	active = agf.flcount ? (agf.fllast + size - agf.flfirst) % size + 1 : 0;
	if (active != agf.flcount)
		err = -XFS_E_CORRUPT;
	for (; !err && n < active; n++) {
		blocks[n] = slots[(agf.flfirst + n) % size];
		if (!xfs_agbno_range_valid(&fs->geo, agno, blocks[n], 1))
			err = -XFS_E_CORRUPT;
	}
	if (!err)
		*count = n;
out:
	free(slots);
	return err;
}

void xfs_fs_note_agf(struct xfs_fs *fs, xfs_agno_t agno, const struct xfs_agf *agf)
{
	struct xfs_ag *ag;

	if (xfs_ag_obtain(fs, agno, &ag))
		return;		/* it will be read when it is asked for */
	pthread_mutex_lock(&ag->lock);
	ag->agf = *agf;
	ag->agf_error = 0;
	ag->have_agf = true;
	ag->have_agfl = false;
	pthread_mutex_unlock(&ag->lock);
}

void xfs_fs_note_agi(struct xfs_fs *fs, xfs_agno_t agno, const struct xfs_agi *agi, const uint32_t *unlinked)
{
	struct xfs_ag *ag;

	if (xfs_ag_obtain(fs, agno, &ag))
		return;		/* it will be read when it is asked for */
	pthread_mutex_lock(&ag->lock);
	ag->agi = *agi;
	memcpy(ag->unlinked, unlinked, sizeof(ag->unlinked));
	ag->agi_error = 0;
	ag->have_agi = true;
	pthread_mutex_unlock(&ag->lock);
}

void xfs_fs_forget_ag(struct xfs_fs *fs, xfs_agno_t agno)
{
	struct xfs_ag *ag;

	if (xfs_ag_obtain(fs, agno, &ag))
		return;
	pthread_mutex_lock(&ag->lock);
	ag->have_agf = ag->have_agi = ag->have_agfl = false;
	xfs_buf_forget(fs->cache, xfs_ag_header_daddr(&fs->geo, agno, 0).v,
		       4 * (uint64_t)fs->geo.sectsize / XFS_BBSIZE);
	pthread_mutex_unlock(&ag->lock);
}

/* ---- trees ---- */

static int tree_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_ag_tree *t = owner;
	struct xfs_geometry *g = &t->fs->geo;
	struct xfs_buf *b;
	int err;

	if (ptr > UINT32_MAX || !xfs_agbno_range_valid(g, XFS_AGNO(t->agno), (uint32_t)ptr, 1))
		return -XFS_E_RANGE;
	err = xfs_buf_get1(t->fs->cache, xfs_agbno_daddr(g, XFS_AGNO(t->agno), XFS_AGBNO(ptr)).v,
			   g->blocksize / XFS_BBSIZE, xfs_block_type(t->kind), t->fs->buf_flags, &b);
	if (err)
		return err;
	*out = (struct xfs_btree_block){ .ptr = ptr, .data = b->data, .handle = b };
	return 0;
}

static void tree_put(void *owner, struct xfs_btree_block *block)
{
	(void)owner;
	xfs_buf_put(block->handle);
	block->handle = NULL;
	block->data = NULL;
}

static void tree_readahead(void *owner, const uint64_t *ptrs, size_t n)
{
	struct xfs_ag_tree *t = owner;
	struct xfs_geometry *g = &t->fs->geo;
	struct xfs_buf_extent e[64];
	struct xfs_buf_want w[64];

	while (n) {
		size_t m = 0, k;

		for (k = 0; k < n && m < 64; k++) {
			if (ptrs[k] > UINT32_MAX || !xfs_agbno_range_valid(g, XFS_AGNO(t->agno), (uint32_t)ptrs[k], 1))
				continue;
			e[m] = (struct xfs_buf_extent){ xfs_agbno_daddr(g, XFS_AGNO(t->agno), XFS_AGBNO(ptrs[k])).v,
							g->blocksize / XFS_BBSIZE };
			w[m] = (struct xfs_buf_want){ &e[m], 1 };
			m++;
		}
		xfs_buf_readahead(t->fs->cache, w, m);
		ptrs += k;
		n -= k;
	}
}

static uint64_t tree_daddr(void *owner, uint64_t ptr)
{
	struct xfs_ag_tree *t = owner;

	return xfs_agbno_daddr(&t->fs->geo, XFS_AGNO(t->agno), XFS_AGBNO(ptr)).v;
}

struct root {
	uint32_t block, levels, maxlevels;
	bool feature;
	int error;			/* of the header that holds it */
};

static int root_of(struct xfs_fs *fs, xfs_agno_t agno, enum xfs_btree_id id, struct root *r)
{
	const struct xfs_geometry *g = &fs->geo;
	struct xfs_agf f;
	struct xfs_agi i;

	memset(r, 0, sizeof(*r));
	if (id == XFS_BTREE_INO || id == XFS_BTREE_FINO)
		r->error = xfs_fs_agi(fs, agno, &i, NULL);
	else
		r->error = xfs_fs_agf(fs, agno, &f);
	switch (id) {
	case XFS_BTREE_BNO:
		*r = (struct root){ f.bnoroot, f.bnolevel, g->alloc_maxlevels, true, r->error };
		return 0;
	case XFS_BTREE_CNT:
		*r = (struct root){ f.cntroot, f.cntlevel, g->alloc_maxlevels, true, r->error };
		return 0;
	case XFS_BTREE_INO:
		*r = (struct root){ i.root, i.level, g->inobt_maxlevels, true, r->error };
		return 0;
	case XFS_BTREE_FINO:
		*r = (struct root){ i.free_root, i.free_level, g->inobt_maxlevels, g->finobt, r->error };
		return 0;
	case XFS_BTREE_RMAP:
		*r = (struct root){ f.rmaproot, f.rmaplevel, g->rmap_maxlevels, g->rmapbt, r->error };
		return 0;
	case XFS_BTREE_REFC:
		*r = (struct root){ f.refcntroot, f.refcntlevel, g->refc_maxlevels, g->reflink, r->error };
		return 0;
	default:
		return -XFS_E_INVALID;
	}
}

int xfs_fs_ag_btree(struct xfs_fs *fs, xfs_agno_t agno, enum xfs_btree_id id, struct xfs_btree *out)
{
	struct xfs_geometry *g = &fs->geo;
	struct xfs_ag *ag;
	struct root r;
	int err;

	memset(out, 0, sizeof(*out));
	if ((unsigned)id >= XFS_AG_TREES)
		return -XFS_E_INVALID;
	err = xfs_ag_obtain(fs, agno, &ag);
	if (!err)
		err = root_of(fs, agno, id, &r);
	if (err)
		return err;
	if (!r.feature)
		return -XFS_E_UNSUPPORTED;
	/* without verification a header that could be read at all will do, as long as the root is usable */
	if (r.error && (!(fs->flags & XFS_FS_NOVERIFY) || r.error == -XFS_E_IO))
		return r.error;
	if (!xfs_agbno_range_valid(g, agno, r.block, 1) || r.levels < 1 || r.levels > r.maxlevels)
		return -XFS_E_CORRUPT;
	out->kind = &xfs_btree_kinds[id];
	out->io = (struct xfs_btree_io){ &ag->trees[id], tree_get, tree_put, tree_readahead };
	out->blocksize = g->blocksize;
	out->v5 = g->v5;
	out->root = r.block;
	out->levels = r.levels;
	out->uuid = g->v5 ? g->uuid : NULL;
	out->owner = agno.v;
	out->daddr_of = g->v5 ? tree_daddr : NULL;
	out->ptr_min = g->agfl_block + 1;
	out->ptr_max = xfs_ag_length(g, agno);
	return 0;
}
