/* SPDX-License-Identifier: BSD-2-Clause */
/* livefs.c - small filesystems with inodes, built, opened for changing, and checked as a whole. */
#include "tests/unit/livefs.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/inode/scan.h"
#include "libxfs/ondisk/dir.h"
#include "tests/unit/quick.h"

#include <stdlib.h>

#define LOG_BLOCKS 1024u

static void fail_on_finding(void *payload, const struct xfs_finding *f)
{
	char line[300];

	(void)payload;
	xfs_finding_format(f, line, sizeof(line));
	ck_abort_msg("%s", line);
}

const struct xfs_sink livefs_strict = { fail_on_finding, NULL };

static void keep_finding(void *payload, const struct xfs_finding *f)
{
	struct livefs *l = payload;

	xfs_finding_format(f, l->finding, sizeof(l->finding));
}

/* ---- building ---- */

static void put_inode(struct livefs *l, uint64_t ino, unsigned mode)
{
	const struct xfs_geometry *g = &l->geo;
	uint8_t *p = l->dev->bytes + xfs_ino_byte(g, XFS_INO(ino));
	struct xfs_dinode d = { 0 };
	uint32_t fork = xfs_dinode_literal_off(g->v5 ? 3 : 2);

	d.core.magic = XFS_DINODE_MAGIC;
	d.core.version = g->v5 ? 3 : 2;
	d.core.next_unlinked = XFS_NULL32;
	d.core.mode = (uint16_t)mode;
	if (mode) {
		d.core.format = mode & XFS_MODE_DIR & ~XFS_MODE_REG ? XFS_DINODE_FMT_LOCAL : XFS_DINODE_FMT_EXTENTS;
		d.core.aformat = XFS_DINODE_FMT_EXTENTS;
		d.core.nlinkv2 = 1;
		d.v3.flags2 = (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
	}
	if (ino == l->root) {
		struct xfs_dir_sf_hdr head = { 0 };

		d.core.nlinkv2 = 2;
		d.core.size = 6;
		xfs_dir_sf_hdr_encode(p + fork, &head);
		xfs_put_be32(p + fork + 2, (uint32_t)l->root);
	}
	if (g->v5) {
		d.v3.inumber = ino;
		memcpy(d.v3.uuid, g->uuid, 16);
	}
	xfs_dinode_encode(p, &d);
	if (g->v5)
		xfs_crc32c_store(p, g->inodesize, XFS_DINODE_CRC_OFF);
}

static void build(struct livefs *l, uint32_t agno)
{
	const struct xfs_geometry *g = &l->geo;
	uint32_t agino = (uint32_t)(l->root & ((UINT64_C(1) << (g->agblklog + g->inopblog)) - 1));
	struct xfs_inode_chunk chunks[4];
	struct xfs_build_ag want = {
		.geo = g, .agno = XFS_AGNO(agno), .newino = agno ? XFS_NULL32 : agino, .dev = &l->dev->dev,
		.leaf_slack = -1, .node_slack = -1,
	};
	const struct xfs_claim claims[] = {
		{ agino >> g->inopblog, g->ialloc_blks, XFS_OWN_INODES, 0 },
		{ xfs_fsbno_agbno(g, XFS_FSBNO(g->sb.logstart)).v, g->sb.logblocks, XFS_OWN_LOG, 0 },
	};
	struct xfs_ag_switch sw;
	unsigned used = 3 + l->nfiles;

	qk_assert_int_eq(xfs_claims_new(&want.claims, g, 64 << 20, NULL), 0);
	for (size_t i = 0; agno == 0 && i < 2; i++)
		qk_assert_int_eq(xfs_claims_add(want.claims, want.agno, &claims[i]), 0);
	qk_assert_int_eq(xfs_claims_seal(want.claims, want.agno), 0);
	for (unsigned i = 0; agno == 0 && i < g->ialloc_inos; i += 64) {
		unsigned n = used > i ? xfs_min(used - i, 64) : 0;

		chunks[want.nchunks++] = (struct xfs_inode_chunk){
			agino + i, 0, 64, (uint8_t)(64 - n), n == 64 ? 0 : UINT64_MAX << n,
		};
	}
	want.chunks = chunks;
	qk_assert_int_eq(xfs_build_ag(&want, &sw), 0);
	qk_assert_int_eq(xfs_build_ag_commit(&want, &sw), 0);
	l->geo.sb.fdblocks += sw.freeblks + sw.flcount + sw.btreeblks;
	l->geo.sb.icount += sw.icount;
	l->geo.sb.ifree += sw.ifree;
	xfs_ag_switch_release(&sw);
	xfs_claims_free(want.claims);
}

static void open_all(struct livefs *l)
{
	const struct xfs_sink sink = { keep_finding, l };

	qk_assert_int_eq(xfs_fs_open(&l->fs, &l->set, NULL, &sink), 0);
	qk_assert_int_eq(xfs_edit_open(&l->edit, l->fs, &l->options), 0);
	l->live = xfs_edit_live(l->edit);
	l->live->now = (struct xfs_timestamp){ 1700000000, 5 };
	l->live->generation = 77;
}

void livefs_init(struct livefs *l, const struct testfs *o, unsigned nfiles, const struct xfs_edit_options *options)
{
	struct testfs fs = *o;
	uint32_t per_ag = fs.agblocks, chunk;
	uint64_t first;

	memset(l, 0, sizeof(*l));
	l->nfiles = nfiles;
	fs.logblocks = o->logblocks ? o->logblocks : LOG_BLOCKS;
	fs.logstart = per_ag / 4;
	testfs_init(&l->geo, &fs);
	chunk = xfs_max(l->geo.cluster_align, l->geo.ialloc_blks);
	first = (uint64_t)(per_ag / 8 / chunk * chunk) << l->geo.inopblog;
	l->root = l->geo.sb.rootino = first;
	l->geo.sb.rbmino = first + 1;
	l->geo.sb.rsumino = first + 2;
	l->dev = memdev_new(l->geo.dblocks * l->geo.blocksize);
	l->set = (struct xfs_devset){ .data = &l->dev->dev };
	l->geo.sb.fdblocks = l->geo.sb.icount = l->geo.sb.ifree = 0;
	for (uint32_t agno = 0; agno < l->geo.agcount; agno++)
		build(l, agno);
	for (unsigned i = 0; i < l->geo.ialloc_inos; i++)
		put_inode(l, first + i, i == 0 ? XFS_MODE_DIR | 0755 : i < 3 + nfiles ? XFS_MODE_REG | 0644 : 0);
	xfs_sb_encode(l->dev->bytes, &l->geo.sb);
	if (l->geo.v5)
		xfs_crc32c_store(l->dev->bytes, l->geo.sectsize, XFS_SB_CRC_OFF);
	livefs_open(l, options);
}

void livefs_open(struct livefs *l, const struct xfs_edit_options *options)
{
	l->options = options ? *options : (struct xfs_edit_options){ 0 };
	open_all(l);
}

void livefs_open_image(struct livefs *l, const char *path, const struct xfs_edit_options *options)
{
	int err;

	memset(l, 0, sizeof(*l));
	err = xfs_dev_file(&l->set.data, path, 0, 0, NULL);
	qk_assert_msg(!err, "%s: %s", path, xfs_error_name(err));
	livefs_open(l, options);
	qk_assert_int_eq(xfs_geometry_init(&l->geo, &l->fs->geo.sb, NULL, NULL), 0);
	l->root = l->geo.sb.rootino;
}

void livefs_release(struct livefs *l)
{
	xfs_trans_abort(&l->t);
	xfs_edit_close(l->edit);
	xfs_fs_close(l->fs);
	xfs_dev_close(l->set.data);
}

void livefs_reopen(struct livefs *l)
{
	qk_assert_int_eq(xfs_edit_quiesce(l->edit), 0);
	xfs_edit_close(l->edit);
	xfs_fs_close(l->fs);
	open_all(l);
}

void livefs_begin(struct livefs *l)
{
	qk_assert_int_eq(xfs_trans_begin(&l->t, l->edit, 0), 0);
}

void livefs_commit(struct livefs *l)
{
	int err = xfs_trans_commit(&l->t);

	qk_assert_msg(!err, "%s: %s", xfs_error_name(err), l->finding);
}

struct xfs_live_inode *livefs_get(struct livefs *l, uint64_t ino)
{
	struct xfs_live_inode *li;
	int err = xfs_live_inode_get(l->live, ino, &li);

	qk_assert_msg(!err, "inode %llu: %s: %s", (unsigned long long)ino, xfs_error_name(err), l->finding);
	qk_assert_int_eq(xfs_live_inode_join(li, &l->t.change), 0);
	return li;
}

/* ---- checking ---- */

struct whole {
	struct livefs *l;
	struct xfs_fs *fs;
	struct xfs_claims *claims;	/* what forks say */
	const struct xfs_inode *ip;
	uint64_t blocks, records, next_off;
	struct xfs_extent last;
	bool has_last;
	enum xfs_fork which;
};

static void claim(struct whole *w, uint64_t fsbno, uint32_t len, uint64_t offset)
{
	const struct xfs_geometry *g = &w->fs->geo;
	const struct xfs_claim c = { xfs_fsbno_agbno(g, XFS_FSBNO(fsbno)).v, len, w->ip->ino.v, offset };

	qk_assert_int_eq(xfs_claims_add(w->claims, xfs_fsbno_agno(g, XFS_FSBNO(fsbno)), &c), 0);
	w->blocks += len;
	w->l->used += len;
}

static uint64_t attr_bit(const struct whole *w) { return w->which == XFS_FORK_ATTR ? XFS_RMAP_ATTR : 0; }

static int claim_extent(void *payload, const struct xfs_extent *e)
{
	struct whole *w = payload;

	claim(w, e->block, e->len, e->off | attr_bit(w) | (e->unwritten ? XFS_RMAP_UNWRITTEN : 0));
	return 0;
}

static int claim_block(void *payload, uint64_t ptr, unsigned level)
{
	struct whole *w = payload;

	(void)level;
	if (ptr != XFS_NULL64)
		claim(w, ptr, 1, XFS_RMAP_BMBT | attr_bit(w));
	return 0;
}

static void check_one_fork(struct whole *w, enum xfs_fork which)
{
	struct xfs_ifork f;
	int err = xfs_ifork_init(&f, w->ip, which);

	if (err == -XFS_E_NOENT)
		return;
	qk_assert_int_eq(err, 0);
	w->which = which;
	f.sink = &livefs_strict;
	qk_assert_int_eq(xfs_ifork_each(&f, claim_extent, w), 0);
	if (f.format == XFS_DINODE_FMT_BTREE) {
		struct xfs_btree_verify v = { .sink = &livefs_strict, .block = claim_block, .payload = w };

		qk_assert_int_eq(xfs_btree_verify(&f.bt, &v), 0);
		qk_assert_uint_eq(v.findings, 0);
		qk_assert_uint_eq(v.records, f.count);
	}
}

static int check_inode(void *payload, const struct xfs_inode_seen *s)
{
	struct whole *w = payload;
	struct xfs_inode ip;
	int err;

	qk_assert(s->raw != NULL);
	err = xfs_inode_parse(w->fs, s->ino, s->raw, &ip);
	qk_assert_msg(!err, "inode %llu: %s", (unsigned long long)s->ino.v, xfs_error_name(err));
	qk_assert_int_eq(xfs_inode_verify(&ip, &livefs_strict), 0);
	qk_assert_msg(s->free == !ip.d.core.mode, "inode %llu: free %d, mode %o", (unsigned long long)s->ino.v, s->free,
		      ip.d.core.mode);
	if (s->free)
		return 0;
	w->l->inodes++;
	w->ip = &ip;
	w->blocks = 0;
	check_one_fork(w, XFS_FORK_DATA);
	check_one_fork(w, XFS_FORK_ATTR);
	qk_assert_msg(w->blocks == ip.d.core.nblocks, "inode %llu: %llu blocks, di_nblocks %llu",
		      (unsigned long long)s->ino.v, (unsigned long long)w->blocks,
		      (unsigned long long)ip.d.core.nblocks);
	return 0;
}

struct compare { const struct agcheck *a; size_t at; };

static int same_rmap(void *payload, const struct xfs_claim *c)
{
	struct compare *k = payload;
	struct xfs_claim r;

	do {
		qk_assert_uint_lt(k->at, k->a->recs[XFS_TREE_RMAP].n);
		r = agcheck_rmap(k->a, k->at++);
	} while (xfs_owner_is_special(r.owner));
	qk_assert_msg(r.agbno == c->agbno && r.len == c->len && r.owner == c->owner && r.offset == c->offset,
		      "AG %u: fork %u+%u of %llu at %llx, rmap %u+%u of %llu at %llx", k->a->agno.v, c->agbno, c->len,
		      (unsigned long long)c->owner, (unsigned long long)c->offset, r.agbno, r.len,
		      (unsigned long long)r.owner, (unsigned long long)r.offset);
	return 0;
}

static int same_refc(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct compare *k = payload;
	struct xfs_refc_rec r;

	qk_assert_uint_lt(k->at, k->a->recs[XFS_TREE_REFC].n);
	xfs_refc_rec_decode(&r, k->a->recs[XFS_TREE_REFC].bytes + 12 * k->at++);
	qk_assert_msg(!r.cowflag && r.startblock == agbno && r.blockcount == len && r.refcount == refs,
		      "AG %u: shared %u+%u %u times, record %u+%u %u", k->a->agno.v, agbno, len, refs, r.startblock,
		      r.blockcount, r.refcount);
	return 0;
}

/* No block of a file is free. */
static int not_free(void *payload, const struct xfs_claim *c)
{
	struct compare *k = payload;
	const struct agcheck_records *bno = &k->a->recs[XFS_TREE_BNO];

	for (size_t i = 0; i < bno->n; i++) {
		struct xfs_bnobt_rec r;

		xfs_bnobt_rec_decode(&r, bno->bytes + 8 * i);
		qk_assert_msg(c->agbno + c->len <= r.startblock || r.startblock + r.blockcount <= c->agbno,
			      "AG %u: %u+%u of %llu is free", k->a->agno.v, c->agbno, c->len,
			      (unsigned long long)c->owner);
	}
	return 0;
}

static void check_ag(struct whole *w, const struct agcheck *a)
{
	struct compare k = { a, 0 };
	struct xfs_claim r;

	qk_assert_int_eq(xfs_claims_seal(w->claims, a->agno), 0);
	if (a->geo->rmapbt) {
		qk_assert_int_eq(xfs_claims_each(w->claims, a->agno, same_rmap, &k), 0);
		for (; k.at < a->recs[XFS_TREE_RMAP].n; k.at++) {
			r = agcheck_rmap(a, k.at);
			qk_assert_msg(xfs_owner_is_special(r.owner), "AG %u: rmap %u+%u of %llu at %llx is in no fork",
				      a->agno.v, r.agbno, r.len, (unsigned long long)r.owner,
				      (unsigned long long)r.offset);
		}
	} else {
		qk_assert_int_eq(xfs_claims_each(w->claims, a->agno, not_free, &k), 0);
	}
	k.at = 0;
	if (!a->geo->reflink)
		return;
	qk_assert_int_eq(xfs_claims_each_shared(w->claims, a->agno, same_refc, &k), 0);
	for (; k.at < a->recs[XFS_TREE_REFC].n; k.at++)
		qk_assert(xfs_refc_rec_get_cowflag((const void *)(a->recs[XFS_TREE_REFC].bytes + 12 * k.at)));
}

static void check_lists(const struct livefs *l, struct xfs_fs *fs, uint32_t agno)
{
	uint32_t unlinked[XFS_AGI_BUCKETS];
	struct xfs_agi agi;

	qk_assert_int_eq(xfs_fs_agi(fs, XFS_AGNO(agno), &agi, unlinked), 0);
	for (unsigned i = 0; i < XFS_AGI_BUCKETS; i++)
		qk_assert(l->orphans || unlinked[i] == XFS_NULL32);
}

void livefs_check(struct livefs *l)
{
	struct whole w = { .l = l };
	uint64_t fdblocks = 0, icount = 0, ifree = 0;

	qk_assert_int_eq(xfs_edit_quiesce(l->edit), 0);
	qk_assert_int_eq(xfs_fs_open(&w.fs, &l->set, NULL, &livefs_strict), 0);
	qk_assert_int_eq(xfs_claims_new(&w.claims, &w.fs->geo, 64 << 20, NULL), 0);
	l->used = l->inodes = 0;
	for (uint32_t agno = 0; agno < l->geo.agcount; agno++)
		qk_assert_int_eq(xfs_inodes_each(w.fs, XFS_AGNO(agno), XFS_SCAN_FREE, check_inode, &w, &livefs_strict),
				 0);
	for (uint32_t agno = 0; agno < l->geo.agcount; agno++) {
		struct agcheck a;

		agcheck_read(&a, &w.fs->geo, l->set.data, XFS_AGNO(agno));
		agcheck_invariants(&a);
		check_ag(&w, &a);
		check_lists(l, w.fs, agno);
		fdblocks += (uint64_t)a.agf.freeblks + a.agf.flcount + a.agf.btreeblks;
		icount += a.agi.count;
		ifree += a.agi.freecount;
		agcheck_release(&a);
	}
	qk_assert_uint_eq(w.fs->geo.sb.fdblocks, fdblocks);
	qk_assert_uint_eq(w.fs->geo.sb.icount, icount);
	qk_assert_uint_eq(w.fs->geo.sb.ifree, ifree);
	qk_assert_uint_eq(icount - ifree, l->inodes);
	xfs_claims_free(w.claims);
	xfs_fs_close(w.fs);
}
