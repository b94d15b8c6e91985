/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_logged.c - files change in logged mode; the device stops anywhere; what the log left is judged, replayed, its
 * intents are finished, and the whole is consistent and holds a prefix of what was done.
 */
#include "libxfs/log/validate.h"
#include "libxfs/recovery/replay.h"
#include "libxfs/transaction/file.h"
#include "tests/unit/failmalloc.h"
#include "tests/unit/livefs.h"
#include "tests/unit/quick.h"
#include "tests/unit/vectors.h"

#include <stdlib.h>

#define FILES 3u
#define OPS 200u
#define MOST ((uint64_t)400 << 10)	/* bytes of a file */

static struct livefs l;
static struct testrand rnd;
static const struct testfs kinds[] = {
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .logblocks = 512 },
	{ .blocksize = 4096, .agblocks = 4096, .agcount = 2, .logblocks = 512 },
	{ .blocksize = 1024, .agblocks = 16384, .agcount = 2, .logblocks = 512, .no_rmapbt = true },
	{ .blocksize = 4096, .agblocks = 4096, .agcount = 2, .logblocks = 512, .no_reflink = true, .no_rmapbt = true },
};

/*
 * ---- a script: no operation changes data in place, so that after a stop files are what they were at some point ----
 */

struct copy { uint8_t *bytes; uint64_t size; };
static struct copy files[FILES];
/* Sums of all files before each operation, and which file the operation is about. */
static struct state { uint64_t sum[FILES], size[FILES]; unsigned about[2]; } states[OPS + 1];

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

static uint64_t sum_of(const uint8_t *p, uint64_t n)
{
	uint64_t h = 1469598103934665603u ^ n;

	for (uint64_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	return h;
}

static void note_state(unsigned op)
{
	for (unsigned k = 0; k < FILES; k++) {
		states[op].sum[k] = sum_of(files[k].bytes, files[k].size);
		states[op].size[k] = files[k].size;
	}
}

static struct xfs_live_inode *held(unsigned k)
{
	struct xfs_live_inode *li;

	qk_assert_int_eq(xfs_live_inode_get(l.live, livefs_ino(&l, k), &li), 0);
	return li;
}

static uint64_t blocks(uint32_t most) { return (uint64_t)(1 + below(most)) * l.geo.blocksize; }

/* New data behind the end. */
static int do_append(unsigned k)
{
	static uint8_t data[64 << 10];
	struct copy *f = &files[k];
	struct xfs_live_inode *li = held(k);
	uint64_t off = xfs_round_up(f->size, l.geo.blocksize), len = blocks(12);
	int err = 0;

	if (below(3) == 0)
		off += blocks(8);
	for (uint64_t i = 0; i < len; i++)
		data[i] = (uint8_t)testrand_next(&rnd);
	if (off + len <= MOST) {
		err = xfs_file_write(l.edit, li, off, data, len);
		memcpy(f->bytes + off, data, len);
		f->size = off + len;
	}
	xfs_live_inode_put(li);
	return err;
}

static int do_truncate(unsigned k)
{
	struct copy *f = &files[k];
	struct xfs_live_inode *li = held(k);
	uint64_t size = xfs_round_down(f->size * below(10) / 10, l.geo.blocksize);
	int err = xfs_file_truncate(l.edit, li, size);

	memset(f->bytes + size, 0, f->size - size);
	f->size = size;
	xfs_live_inode_put(li);
	return err;
}

static int do_punch(unsigned k)
{
	struct copy *f = &files[k];
	struct xfs_live_inode *li = held(k);
	uint64_t off = xfs_round_down(f->size * below(10) / 10, l.geo.blocksize),
		 len = xfs_min(blocks(8), f->size - off);
	int err = 0;

	len = xfs_round_down(len, l.geo.blocksize);
	if (len)
		err = xfs_file_punch(l.edit, li, off, len);
	memset(f->bytes + off, 0, len);
	xfs_live_inode_put(li);
	return err;
}

/* Blocks of one file in another one. */
static int do_share(unsigned a, unsigned b)
{
	struct xfs_live_inode *from = held(a), *to = held(b);
	uint64_t off = xfs_round_down(files[a].size * below(10) / 10, l.geo.blocksize);
	uint64_t len = xfs_round_down(xfs_min(blocks(20), files[a].size - off), l.geo.blocksize);
	uint64_t at = xfs_round_down(files[b].size * below(11) / 10, l.geo.blocksize);
	int err = 0;

	if (len && at + len <= MOST && l.geo.reflink) {
		err = xfs_file_share(l.edit, from, off, to, at, len);
		memcpy(files[b].bytes + at, files[a].bytes + off, len);
		files[b].size = xfs_max(files[b].size, at + len);
	}
	xfs_live_inode_put(from);
	xfs_live_inode_put(to);
	return err;
}

static int do_unshare(unsigned k)
{
	struct xfs_live_inode *li = held(k);
	int err = files[k].size ? xfs_file_unshare(l.edit, li, 0, files[k].size) : 0;

	xfs_live_inode_put(li);
	return err;
}

static int do_op(unsigned op)
{
	unsigned a = below(FILES), b = (a + 1 + below(FILES - 1)) % FILES;
	struct state *s = &states[op];

	note_state(op);
	s->about[0] = s->about[1] = a;
	switch (below(10)) {
	case 0:
	case 1:
		return do_truncate(a);
	case 2:
	case 3:
		return do_punch(a);
	case 4:
	case 5:
	case 6:
		s->about[0] = s->about[1] = b;
		return do_share(a, b);
	case 7:
		return do_unshare(a);
	default:
		return do_append(a);
	}
}

static void make_files(uint64_t seed)
{
	rnd.s = seed;
	for (unsigned k = 0; k < FILES; k++) {
		if (!files[k].bytes)
			files[k].bytes = malloc(MOST);
		memset(files[k].bytes, 0, MOST);
		files[k].size = 0;
	}
}

static void drop_files(void)
{
	for (unsigned k = 0; k < FILES; k++) {
		free(files[k].bytes);
		files[k].bytes = NULL;
	}
}

/* ---- reading ---- */

static void read_sum(unsigned k, uint64_t *sum, uint64_t *size)
{
	struct xfs_live_inode *li = held(k);
	static uint8_t got[MOST];
	struct xfs_ifork f;
	size_t n;

	qk_assert_int_eq(xfs_ifork_init(&f, &li->i, XFS_FORK_DATA), 0);
	qk_assert_int_eq(xfs_ifork_read(&f, 0, got, MOST, &n), 0);
	*sum = sum_of(got, n);
	*size = li->i.d.core.size;
	xfs_live_inode_put(li);
}

/* The files are those before some operation in [from, to], but for what that operation was doing. */
static int find_prefix(unsigned from, unsigned to)
{
	uint64_t sum[FILES], size[FILES];

	for (unsigned k = 0; k < FILES; k++)
		read_sum(k, &sum[k], &size[k]);
	for (unsigned op = to + 1; op-- > from;) {
		bool fits = true;

		for (unsigned k = 0; k < FILES && fits; k++)
			fits = (sum[k] == states[op].sum[k] && size[k] == states[op].size[k]) ||
				(op < to && (k == states[op].about[0] || k == states[op].about[1]));
		if (fits)
			return (int)op;
	}
	return -1;
}

/* ---- after a stop ---- */

static uint64_t seen_open[XFS_LOG_AUDIT_TYPES];

/* The log as it is breaks no rule. Counts what it announces. */
static void audit(void)
{
	struct xfs_log_audit a;
	struct xfs_log_state s;
	struct xfs_fs *fs;
	int err;

	qk_assert_int_eq(xfs_fs_open(&fs, &l.set, NULL, NULL), 0);
	qk_assert_int_eq(xfs_log_state(fs, &s), 0);
	err = xfs_log_validate(fs, &s, &a);
	qk_assert_msg(!err, "block %u, %u: %s", a.block, a.number, a.why ? a.why : "?");
	for (unsigned i = 0; i < XFS_LOG_AUDIT_TYPES; i++)
		seen_open[i] += a.open[i] != 0;
	xfs_fs_close(fs);
}

/* A work as an intent has it. */
static struct xfs_work work_of(const struct xfs_log_item *it, const struct xfs_log_intent_extent *e)
{
	struct xfs_work w = { .block = e->startblock, .len = e->len, .owner = e->owner, .offset = e->startoff };
	unsigned op = e->flags & XFS_MAP_OP_MASK;

	switch (it->type) {
	case XFS_LI_EFI:
		w.kind = XFS_WORK_FREE;
		w.owner = XFS_OWN_UNKNOWN;
		w.offset = 0;
		break;
	case XFS_LI_RUI: {
		static const unsigned ops[] = { 0, XFS_RMAP_MAP, XFS_RMAP_MAP, XFS_RMAP_UNMAP, XFS_RMAP_UNMAP,
						XFS_RMAP_CONVERT, XFS_RMAP_CONVERT, XFS_RMAP_ALLOC, XFS_RMAP_FREE };

		w.kind = XFS_WORK_RMAP;
		w.op = ops[op];
		w.shared = op == XFS_RUI_MAP_SHARED || op == XFS_RUI_UNMAP_SHARED || op == XFS_RUI_CONVERT_SHARED;
		w.attr_fork = e->flags & XFS_RUI_ATTR_FORK;
		w.unwritten = e->flags & XFS_RUI_UNWRITTEN;
		if (e->flags & XFS_RUI_BMBT_BLOCK)
			w.offset |= XFS_RMAP_BMBT;
		break;
	}
	case XFS_LI_CUI:
		w.kind = XFS_WORK_REFC;
		w.op = op == XFS_CUI_INCREASE ? XFS_REFC_INCREASE : op == XFS_CUI_DECREASE ? XFS_REFC_DECREASE
			: op == XFS_CUI_ALLOC_COW ? XFS_REFC_ALLOC_COW : XFS_REFC_FREE_COW;
		break;
	default:
		qk_assert_int_eq(it->type, XFS_LI_BUI);
		w.kind = XFS_WORK_BMAP;
		w.op = op == XFS_BUI_MAP ? XFS_BMAP_MAP : XFS_BMAP_UNMAP;
		w.attr_fork = e->flags & XFS_BUI_ATTR_FORK;
		w.unwritten = e->flags & XFS_BUI_UNWRITTEN;
	}
	return w;
}

static void finish_intents(const struct xfs_recovery *r)
{
	for (size_t i = 0; i < r->nintents; i++) {
		struct xfs_log_intent_item x;

		xfs_log_intent_load(&x, &r->intents[i].item);
		livefs_begin(&l);
		for (uint32_t k = 0; k < x.n; k++) {
			struct xfs_log_intent_extent e = xfs_log_intent_at(&x, k);
			struct xfs_work w = work_of(&r->intents[i].item, &e);

			qk_assert_int_eq(xfs_change_defer(&l.t.change, &w), 0);
		}
		livefs_commit(&l);
	}
}

static void drop_staging(void)
{
	for (uint32_t agno = 0; agno < l.geo.agcount && l.geo.reflink; agno++) {
		struct xfs_agspace *ag;
		uint64_t n;
		int err;

		livefs_begin(&l);
		qk_assert_int_eq(xfs_live_ag(l.live, &l.t.change, XFS_AGNO(agno), &ag), 0);
		err = xfs_agspace_cow_recover(ag, 0, &n);
		qk_assert(!err || err == -XFS_E_NOENT);
		livefs_commit(&l);
	}
}

/* Edit and filesystem are closed; replays, finishes, opens in direct mode. */
static void recover(void)
{
	struct xfs_recovery r;
	size_t n;

	audit();
	qk_assert_int_eq(xfs_recovery_replay(&l.set, &r, NULL), 0);
	n = r.nintents;
	r.nintents = 0;		/* they are finished right after it */
	qk_assert_int_eq(xfs_recovery_settle(&l.set, &r, NULL), 0);
	r.nintents = n;
	livefs_open(&l, NULL);
	finish_intents(&r);
	drop_staging();
	xfs_recovery_free(&r);
}

/* ---- runs ---- */

struct run {
	const struct testfs *kind;
	struct xfs_edit_options options;
	uint64_t seed;
	unsigned sync_every;		/* 0: never */
};

/* The script up to the stop; *synced: operations that were durable for sure, *done: begun. */
static void run_until(const struct run *r, struct xfs_dev_fault *plan, unsigned *synced, unsigned *done)
{
	struct xfs_dev *raw, *lent, *top;
	int err = 0;

	make_files(r->seed);
	livefs_init(&l, r->kind, FILES, &r->options);
	/* the stack is put under the open filesystem */
	xfs_edit_close(l.edit);
	xfs_fs_close(l.fs);
	raw = l.set.data;
	qk_assert_int_eq(xfs_dev_borrow(&lent, raw), 0);
	qk_assert_int_eq(xfs_dev_fault(&top, lent, plan), 0);
	l.set.data = top;
	livefs_open(&l, &r->options);
	*synced = 0;
	for (*done = 0; *done < OPS && !err; ++*done) {
		err = do_op(*done);
		if (!err && r->sync_every && *done % r->sync_every == r->sync_every - 1) {
			err = xfs_edit_sync(l.edit);
			if (!err)
				*synced = *done + 1;
		}
	}
	qk_assert_msg(!err || err == -XFS_E_FAULT || err == -XFS_E_SHUTDOWN, "%s: %s", xfs_error_name(err), l.finding);
	note_state(*done);
	xfs_edit_close(l.edit);
	xfs_fs_close(l.fs);
	l.set.data = raw;
	xfs_dev_close(top);
}

static uint64_t stop_at(const struct run *r, uint64_t stop, uint32_t tear, uint64_t lose)
{
	struct xfs_dev_fault plan = { .stop_write_at = stop, .tear_bytes = tear, .lose_seed = lose };
	unsigned synced, done;
	int op;

	run_until(r, &plan, &synced, &done);
	recover();
	livefs_check(&l);
	op = find_prefix(synced, done);
	qk_assert_msg(op >= 0, "stopped at write %llu (%u of it): the files are those of no point in %u..%u",
		      (unsigned long long)stop, tear, synced, done);
	livefs_release(&l);
	return plan.writes;
}

/* All of it, then a clean end. */
START_TEST(to_the_end)
{
	struct run r = { &kinds[_i / 4], { .logged = true, .each = _i % 2, .record_size = _i % 4 / 2 ? 65536 : 0 },
			 5 + _i, 0 };
	struct xfs_log_state log;

	make_files(r.seed);
	livefs_init(&l, r.kind, FILES, &r.options);
	for (unsigned op = 0; op < OPS; op++) {
		int err = do_op(op);

		ck_assert_msg(!err, "operation %u: %s: %s", op, xfs_error_name(err), l.finding);
		if (op % 50 == 49)
			livefs_check(&l);
	}
	note_state(OPS);
	livefs_check(&l);
	ck_assert_int_eq(find_prefix(OPS, OPS), OPS);
	/* the log has been round, is clean, and reading again shows the same */
	ck_assert_int_eq(xfs_log_state(l.fs, &log), 0);
	ck_assert_int_eq(log.kind, XFS_LOG_CLEAN);
	if (r.options.each && l.geo.blocksize == 1024)
		ck_assert_uint_gt(log.cycle, 1);
	xfs_edit_close(l.edit);
	xfs_fs_close(l.fs);
	livefs_open(&l, &r.options);
	ck_assert_int_eq(find_prefix(OPS, OPS), OPS);
	livefs_release(&l);
	drop_files();
}
END_TEST

/* In a few places each; in many in the long form. */
START_TEST(stopped)
{
	bool wide = getenv("XFSKIT_LONG") != NULL;
	struct run r = { &kinds[_i / 2], { .logged = true, .each = _i % 2 }, 100 + _i, _i % 2 ? 1 : 7 };
	struct testrand pick = { 17 + (uint64_t)_i };
	uint64_t total = stop_at(&r, 0, 0, 0), step = total / (wide ? 150 : 10) + 1;

	for (uint64_t stop = 1 + testrand_below(&pick, (uint32_t)step); stop <= total; stop += step) {
		stop_at(&r, stop, 512 * testrand_below(&pick, 9), 0);
		if (wide)
			stop_at(&r, stop, 0, stop + 1);
	}
	if (!wide)
		stop_at(&r, total / 2, 0, 99);
	drop_files();
}
END_TEST

/* ---- errors ---- */

static uint64_t hash_of_all(void)
{
	uint64_t sum = 0, size;

	for (unsigned k = 0; k < FILES; k++) {
		uint64_t one;

		read_sum(k, &one, &size);
		sum = (sum ^ one ^ size) * UINT64_C(1099511628211);
	}
	return sum;
}

/*
 * A chain with works of all kinds, that fails at each allocation in turn: all
 * is as it was, and the next try goes through.
 */
START_TEST(no_memory)
{
	struct xfs_edit_options o = { .logged = true, .each = _i == 1 };
	unsigned failures = 0;

	make_files(3);
	livefs_init(&l, &kinds[0], FILES, &o);
	for (unsigned op = 0; op < 12; op++)
		qk_assert_int_eq(do_op(op), 0);
	for (uint64_t n = 1;; n++) {
		struct xfs_live_inode *li = held(0);
		uint64_t before = hash_of_all();
		static uint8_t block[3000];
		bool down, written;
		int err;

		failmalloc_start(n, false);
		err = xfs_file_write(l.edit, li, MOST / 2, block, sizeof(block));
		written = !err;
		if (!err)
			err = xfs_file_punch(l.edit, li, MOST / 2, 4096);
		if (!err)
			err = xfs_edit_sync(l.edit);
		if (failmalloc_stop() < n) {
			qk_assert_int_eq(err, 0);
			xfs_live_inode_put(li);
			break;
		}
		failures += err != 0;
		down = xfs_edit_sync(l.edit) == -XFS_E_SHUTDOWN;
		xfs_live_inode_put(li);
		if (!down) {
			/* memory is consistent: it can be written as it is */
			livefs_check(&l);
			qk_assert(written || hash_of_all() == before);
			continue;
		}
		/* a chain was cut in the middle of what the log holds of it: recovery finishes it */
		qk_assert(o.each);
		xfs_edit_close(l.edit);
		xfs_fs_close(l.fs);
		recover();
		livefs_check(&l);
		xfs_edit_close(l.edit);
		xfs_fs_close(l.fs);
		livefs_open(&l, &o);
	}
	qk_assert_uint_gt(failures, 2);
	livefs_check(&l);
	livefs_release(&l);
	drop_files();
}
END_TEST

/* Each write fails once: of data it is an error and nothing more; of log or metadata the edit is at its end. */
START_TEST(write_errors)
{
	struct run r = { &kinds[0], { .logged = true, .each = _i == 1 }, 31, 5 };
	uint64_t total = stop_at(&r, 0, 0, 0);

	for (uint64_t at = 1; at <= total; at += total / 25 + 1) {
		struct xfs_dev_fault plan = { .fail_write_at = at };
		unsigned synced, done;

		run_until(&r, &plan, &synced, &done);
		recover();
		livefs_check(&l);
		qk_assert(find_prefix(synced, done) >= 0);
		livefs_release(&l);
	}
	drop_files();
}
END_TEST

/* What is refused, and what a clean log asks for. */
START_TEST(refused)
{
	struct xfs_edit_options o = { .logged = true };
	struct xfs_edit *again;
	struct xfs_trans t;
	struct xfs_fs *fs;

	make_files(8);
	livefs_init(&l, &kinds[0], FILES, &o);
	ck_assert_int_eq(xfs_trans_begin(&t, l.edit, UINT64_C(1) << 40), -XFS_E_NOSPC);
	ck_assert_int_eq(xfs_edit_data_begin(l.edit, UINT64_C(1) << 40, 1), -XFS_E_RANGE);
	livefs_begin(&l);
	ck_assert_int_eq(xfs_edit_quiesce(l.edit), -XFS_E_BUSY);
	livefs_commit(&l);
	ck_assert_int_eq(do_op(0), 0);
	ck_assert_int_eq(do_append(0), 0);
	ck_assert_int_eq(xfs_edit_sync(l.edit), 0);
	/* it is dirty now for everybody else */
	ck_assert_int_eq(xfs_fs_open(&fs, &l.set, NULL, NULL), 0);
	ck_assert_int_eq(xfs_edit_open(&again, fs, NULL), -XFS_E_DIRTYLOG);
	ck_assert_int_eq(xfs_edit_open(&again, fs, &o), -XFS_E_DIRTYLOG);
	xfs_fs_close(fs);
	livefs_check(&l);
	livefs_release(&l);
	drop_files();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("logged");
	TCase *t = tcase_create("logged");

	tcase_set_timeout(t, getenv("XFSKIT_LONG") ? 3600 : 120);
	tcase_add_loop_test(t, to_the_end, 0, 4 * XFS_ARRAY_SIZE(kinds));
	tcase_add_loop_test(t, stopped, 0, 2 * XFS_ARRAY_SIZE(kinds));
	tcase_add_loop_test(t, no_memory, 0, 2);
	tcase_add_loop_test(t, write_errors, 0, 2);
	tcase_add_test(t, refused);
	suite_add_tcase(suite, t);
	return vectors_main(suite);
}
