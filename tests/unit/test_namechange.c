/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_namechange.c - names come, move and go as system calls change them, against a naive tree.
 *
 * With XFSKIT_IMAGE the same happens on an image that mkfs.xfs has made; what should be there goes to the file
 * XFSKIT_EXPECT, one line a path, for others to compare (tests/kernel/names.t).
 */
#include "libxfs/inode/symlink.h"
#include "libxfs/name/verify.h"
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/names.h"
#include "tests/unit/livefs.h"
#include "tests/unit/nameshapes.h"
#include "tests/unit/quick.h"
#include "tests/unit/sha256.h"
#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>

#define NODES 400u
#define ENTRIES 900u
#define ATTRS 6u

struct node {
	uint64_t ino;			/* 0: not in use */
	unsigned mode, links, rdev;
	uint32_t parent;		/* of a directory */
	uint32_t seed;			/* of symlinks */
	uint32_t attr_seed[ATTRS], attr_len[ATTRS];
};
struct entry {
	uint32_t dir, name, node;
	bool used;
};

static struct livefs l;
static struct testrand rnd;
static struct node nodes[NODES];
static struct entry entries[ENTRIES];
static uint32_t names;			/* how many there are to choose from */
static uint8_t value[XFS_ATTR_VALUE_MAX], got[XFS_ATTR_VALUE_MAX];

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

/* ---- the model ---- */

static unsigned name_of(uint32_t id, char *name)
{
	unsigned len = (unsigned)sprintf(name, "%u", (unsigned)id);

	for (unsigned more = id * 37 % 101; more > 60 && len < 200; more--)
		name[len++] = (char)('a' + more % 26);
	name[len] = 0;
	return len;
}

static size_t target_of(const struct node *n, char *target)
{
	size_t len = 1 + n->seed % 1023;

	if (n->seed & 0x30000)
		len = 1 + n->seed % 60;
	for (size_t i = 0; i < len; i++)
		target[i] = (char)('A' + (i + n->seed) % 50);
	target[len] = 0;
	return len;
}

static struct entry *find_entry(uint32_t dir, uint32_t name)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used && entries[i].dir == dir && entries[i].name == name)
			return &entries[i];
	return NULL;
}

static struct entry *new_entry(void)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (!entries[i].used)
			return &entries[i];
	return NULL;
}

static struct node *new_node(void)
{
	for (unsigned i = 1; i < NODES; i++)
		if (!nodes[i].ino)
			return &nodes[i];
	return NULL;
}

static uint32_t some_node(bool dir)
{
	for (;;) {
		uint32_t k = below(NODES);

		if (dir && below(3) == 0)
			return 0;
		if (nodes[k].ino && (nodes[k].mode & XFS_MODE_FMT) == XFS_MODE_DIR)
			return k;
		if (nodes[k].ino && !dir)
			return k;
	}
}

static bool is_dir(uint32_t k) { return (nodes[k].mode & XFS_MODE_FMT) == XFS_MODE_DIR; }

static bool is_empty(uint32_t k)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used && entries[i].dir == k)
			return false;
	return true;
}

static bool lies_below(uint32_t dir, uint32_t k)
{
	for (; dir != k; dir = nodes[dir].parent)
		if (dir == 0)
			return false;
	return true;
}

static void lose_link(uint32_t k)
{
	nodes[k].links -= is_dir(k) ? 2 : 1;
	if (!nodes[k].links)
		memset(&nodes[k], 0, sizeof(nodes[k]));
}

/* ---- operations: what they say, and what they do ---- */

static struct xfs_new_file new_file(struct node *n, char *target)
{
	static const unsigned types[] = { XFS_MODE_REG, XFS_MODE_REG, XFS_MODE_DIR, XFS_MODE_DIR, XFS_MODE_LNK,
					  XFS_MODE_CHR, XFS_MODE_BLK, XFS_MODE_FIFO, XFS_MODE_SOCK };
	struct xfs_new_file f = { .uid = below(1000), .gid = below(1000) };

	memset(n, 0, sizeof(*n));
	n->mode = types[below(XFS_ARRAY_SIZE(types))] | 0600;
	n->seed = (uint32_t)testrand_next(&rnd);
	f.mode = (uint16_t)n->mode;
	if ((n->mode & XFS_MODE_FMT) == XFS_MODE_LNK) {
		f.target = target;
		f.targetlen = target_of(n, target);
	} else if ((n->mode & XFS_MODE_FMT) == XFS_MODE_CHR || (n->mode & XFS_MODE_FMT) == XFS_MODE_BLK) {
		n->rdev = f.rdev = xfs_dev_pack(1 + below(100), below(200));
	}
	return f;
}

static void op_create(void)
{
	uint32_t dir = some_node(true), name = below(names);
	struct node *n = new_node();
	struct entry *e = new_entry();
	char text[300], target[1200];
	unsigned len = name_of(name, text);
	struct xfs_new_file f;
	uint64_t ino = 0;
	int err;

	if (!n || !e)
		return;
	f = new_file(n, target);
	err = xfs_name_create(l.edit, nodes[dir].ino, text, len, &f, &ino);
	if (find_entry(dir, name)) {
		qk_assert_int_eq(err, -XFS_E_EXISTS);
		return;
	}
	qk_assert_msg(!err, "create: %s: %s", xfs_error_name(err), l.finding);
	n->ino = ino;
	*e = (struct entry){ dir, name, (uint32_t)(n - nodes), true };
	n->links = 1;
	if (is_dir(e->node)) {
		n->links = 2;
		n->parent = dir;
		nodes[dir].links++;
	}
}

static void op_tmpfile(void)
{
	struct node *n = new_node();
	struct entry *e = new_entry();
	uint32_t dir = some_node(true), name = below(names);
	char text[300], target[1200];
	unsigned len = name_of(name, text);
	struct xfs_new_file f;
	struct xfs_live_inode *li;
	uint64_t ino;

	if (!n || !e)
		return;
	f = new_file(n, target);
	if ((n->mode & XFS_MODE_FMT) == XFS_MODE_DIR) {
		qk_assert_int_eq(xfs_name_tmpfile(l.edit, nodes[dir].ino, &f, &ino), -XFS_E_INVALID);
		return;
	}
	qk_assert_int_eq(xfs_name_tmpfile(l.edit, nodes[dir].ino, &f, &ino), 0);
	if (!find_entry(dir, name) && below(2)) {
		qk_assert_int_eq(xfs_name_add(l.edit, nodes[dir].ino, text, len, ino), 0);
		n->ino = ino;
		n->links = 1;
		*e = (struct entry){ dir, name, (uint32_t)(n - nodes), true };
		return;
	}
	qk_assert_int_eq(xfs_live_inode_get(l.live, ino, &li), 0);
	qk_assert_int_eq(xfs_inode_inactivate(l.edit, li), 0);
	xfs_live_inode_put(li);
}

static void op_link(void)
{
	uint32_t dir = some_node(true), name = below(names), k = some_node(false);
	struct entry *e = new_entry();
	char text[300];
	unsigned len = name_of(name, text);
	int err;

	if (!e)
		return;
	err = xfs_name_add(l.edit, nodes[dir].ino, text, len, nodes[k].ino);
	if (is_dir(k)) {
		qk_assert_int_eq(err, -XFS_E_INVALID);
	} else if (find_entry(dir, name)) {
		qk_assert_int_eq(err, -XFS_E_EXISTS);
	} else {
		qk_assert_int_eq(err, 0);
		*e = (struct entry){ dir, name, k, true };
		nodes[k].links++;
	}
}

/* Mostly a name that is there. */
static struct entry some_entry(void)
{
	struct entry e = { some_node(true), below(names), 0, false };

	for (unsigned i = 0; i < 200 && below(20); i++) {
		struct entry *try = &entries[below(ENTRIES)];

		if (try->used)
			return *try;
	}
	if (find_entry(e.dir, e.name))
		e = *find_entry(e.dir, e.name);
	return e;
}

static void op_remove(void)
{
	struct entry e = some_entry();
	bool dir = e.used ? is_dir(e.node) : below(2);
	char text[300];
	unsigned len = name_of(e.name, text);
	int err;

	if (below(10) == 0)
		dir = !dir;
	err = (dir ? xfs_name_rmdir : xfs_name_remove)(l.edit, nodes[e.dir].ino, text, len);
	if (!e.used) {
		qk_assert_int_eq(err, -XFS_E_NOENT);
	} else if (dir != is_dir(e.node)) {
		qk_assert_int_eq(err, dir ? -XFS_E_NOTDIR : -XFS_E_INVALID);
	} else if (dir && !is_empty(e.node)) {
		qk_assert_int_eq(err, -XFS_E_NOTEMPTY);
	} else {
		qk_assert_msg(!err, "remove: %s: %s", xfs_error_name(err), l.finding);
		find_entry(e.dir, e.name)->used = false;
		if (dir)
			nodes[e.dir].links--;
		lose_link(e.node);
	}
}

static void change_parent(uint32_t k, uint32_t from, uint32_t to)
{
	if (!is_dir(k))
		return;
	nodes[from].links--;
	nodes[to].links++;
	nodes[k].parent = to;
}

/* What rename should return. */
static int judge_rename(const struct entry *a, const struct entry *b, unsigned flags)
{
	bool exchange = flags & XFS_RENAME_EXCHANGE;

	if (!a->used || (exchange && !b->used))
		return -XFS_E_NOENT;
	if (b->used && flags & XFS_RENAME_NOREPLACE)
		return -XFS_E_EXISTS;
	if (b->used && a->node == b->node)
		return 0;
	if (b->used && !exchange && is_dir(a->node) != is_dir(b->node))
		return is_dir(a->node) ? -XFS_E_NOTDIR : -XFS_E_INVALID;
	if ((is_dir(a->node) && lies_below(b->dir, a->node)) ||
	    (exchange && is_dir(b->node) && lies_below(a->dir, b->node)))
		return -XFS_E_INVALID;
	return b->used && !exchange && is_dir(b->node) && !is_empty(b->node) ? -XFS_E_NOTEMPTY : 0;
}

/* The device that took the old name: the directory tells its number. */
static void add_whiteout(const struct entry *a, const char *text, unsigned len)
{
	struct node *n = new_node();
	struct xfs_live_inode *li;
	struct xfs_dir d;
	xfs_ino_t ino;

	qk_assert_int_eq(xfs_live_inode_get(l.live, nodes[a->dir].ino, &li), 0);
	qk_assert_int_eq(xfs_dir_open(&d, &li->i, NULL), 0);
	qk_assert_int_eq(xfs_dir_lookup(&d, text, len, &ino, NULL, NULL), 0);
	xfs_live_inode_put(li);
	*n = (struct node){ .ino = ino.v, .mode = XFS_MODE_CHR, .links = 1 };
	*new_entry() = (struct entry){ a->dir, a->name, (uint32_t)(n - nodes), true };
}

static void op_rename(void)
{
	static const unsigned kinds[] = { 0, 0, 0, XFS_RENAME_NOREPLACE, XFS_RENAME_EXCHANGE, XFS_RENAME_EXCHANGE,
					  XFS_RENAME_WHITEOUT, XFS_RENAME_WHITEOUT | XFS_RENAME_NOREPLACE };
	struct entry a = some_entry();
	struct entry b = below(2) ? some_entry() : (struct entry){ some_node(true), below(names), 0, false };
	char from[300], to[300];
	struct xfs_rename r = {
		.from_dir = nodes[a.dir].ino, .to_dir = nodes[b.dir].ino, .from = from, .to = to,
		.from_len = name_of(a.name, from), .to_len = name_of(b.name, to),
		.flags = kinds[below(XFS_ARRAY_SIZE(kinds))],
	};
	int err, want;

	if (!new_node() || !new_entry())
		return;
	if (find_entry(b.dir, b.name))
		b = *find_entry(b.dir, b.name);
	err = xfs_name_rename(l.edit, &r);
	want = judge_rename(&a, &b, r.flags);
	qk_assert_msg(err == want, "rename %x: %s, not %s: %s", r.flags, xfs_error_name(err), xfs_error_name(want),
		      l.finding);
	if (err || (b.used && a.node == b.node))
		return;
	change_parent(a.node, a.dir, b.dir);
	if (r.flags & XFS_RENAME_EXCHANGE) {
		change_parent(b.node, b.dir, a.dir);
		find_entry(a.dir, a.name)->node = b.node;
		find_entry(b.dir, b.name)->node = a.node;
		return;
	}
	find_entry(a.dir, a.name)->used = false;
	if (b.used) {
		if (is_dir(b.node))
			nodes[b.dir].links--;
		find_entry(b.dir, b.name)->used = false;
		lose_link(b.node);
	}
	*new_entry() = (struct entry){ b.dir, b.name, a.node, true };
	if (r.flags & XFS_RENAME_WHITEOUT)
		add_whiteout(&a, from, (unsigned)r.from_len);
}

static struct xfs_attr_want attr_of(const struct node *n, unsigned k, char *text)
{
	static const uint8_t spaces[] = { 0, 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE, XFS_ATTR_ROOT, 0 };

	for (uint32_t i = 0; i < n->attr_len[k]; i++)
		value[i] = (uint8_t)(n->attr_seed[k] * (i + 1) >> 7);
	return (struct xfs_attr_want){
		.name = (const uint8_t *)text,
		.namelen = (uint8_t)sprintf(text, "attr%u%s", k, k > 3 ? "-with-a-longer-name" : ""),
		.value = value, .valuelen = n->attr_len[k], .space = spaces[k],
	};
}

static bool may_have_user(const struct node *n)
{
	unsigned fmt = n->mode & XFS_MODE_FMT;

	return fmt == XFS_MODE_REG || fmt == XFS_MODE_DIR;
}

static void op_attr(void)
{
	struct node *n = &nodes[some_node(false)];
	unsigned k = below(ATTRS);
	uint32_t seed = n->attr_seed[k], len = n->attr_len[k];
	struct xfs_attr_want w;
	char text[40];

	w = attr_of(n, k, text);
	if (!w.space && !may_have_user(n))
		return;			/* Linux would not show it */
	if (below(3) == 0) {
		qk_assert_int_eq(xfs_name_attr_remove(l.edit, n->ino, &w), seed ? 0 : -XFS_E_NOENT);
		n->attr_seed[k] = 0;
		return;
	}
	n->attr_seed[k] = (uint32_t)testrand_next(&rnd) | 1;
	n->attr_len[k] = below(below(10) ? 100 : below(6) ? 3000 : 20000);
	w = attr_of(n, k, text);
	if (below(4) == 0) {
		int err = xfs_name_attr_set(l.edit, n->ino, &w, XFS_ATTR_CREATE);

		qk_assert_int_eq(err, seed ? -XFS_E_EXISTS : 0);
		if (err) {
			n->attr_seed[k] = seed;
			n->attr_len[k] = len;
		}
		return;
	}
	qk_assert_int_eq(xfs_name_attr_set(l.edit, n->ino, &w, XFS_ATTR_ANYHOW), 0);
}

static void (*const ops[])(void) = {
	op_create, op_create, op_create, op_tmpfile, op_link, op_remove, op_remove, op_rename, op_rename, op_attr,
};

/* ---- comparing ---- */

struct seen {
	uint32_t dir, n;
};

static int compare_entry(void *payload, const struct xfs_dir_entry *e)
{
	struct seen *s = payload;
	struct entry *found;
	char text[300];
	unsigned id = 0;

	if (e->name[0] == '.')
		return 0;
	memcpy(text, e->name, e->namelen);
	text[e->namelen] = 0;
	qk_assert_int_eq(sscanf(text, "%u", &id), 1);
	qk_assert_uint_eq(e->namelen, name_of(id, text));
	qk_assert_mem_eq(text, e->name, e->namelen);
	found = find_entry(s->dir, id);
	qk_assert_msg(found, "%s in directory %u", text, s->dir);
	qk_assert_uint_eq(e->ino.v, nodes[found->node].ino);
	if (l.fs->geo.ftype)
		qk_assert_uint_eq(e->ftype, xfs_mode_ftype(nodes[found->node].mode));
	s->n++;
	return 0;
}

static void compare_dir(uint32_t k, const struct xfs_inode *ip)
{
	uint64_t parent = nodes[k ? nodes[k].parent : 0].ino;
	struct seen s = { k, 0 };
	struct xfs_dir d;
	uint32_t want = 0;

	qk_assert_int_eq(xfs_dir_verify(ip, parent, &livefs_strict), 0);
	qk_assert_int_eq(xfs_dir_open(&d, ip, &livefs_strict), 0);
	qk_assert_int_eq(xfs_dir_each(&d, 0, compare_entry, &s), 0);
	for (unsigned i = 0; i < ENTRIES; i++)
		want += entries[i].used && entries[i].dir == k;
	qk_assert_uint_eq(s.n, want);
}

static int compare_parent(void *payload, const struct xfs_parent *p)
{
	struct seen *s = payload;
	char text[300];

	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used && entries[i].node == s->dir && nodes[entries[i].dir].ino == p->ino.v &&
		    name_of(entries[i].name, text) == p->namelen && !memcmp(text, p->name, p->namelen)) {
			struct xfs_inode dir;

			qk_assert_int_eq(xfs_inode_read(l.fs, p->ino, 0, &dir), 0);
			qk_assert_uint_eq(dir.d.core.gen, p->gen);
			s->n++;
			return 0;
		}
	ck_abort_msg("parent pointer to nowhere");
}

static int count_attr(void *payload, const struct xfs_attr *a)
{
	*(unsigned *)payload += !(a->flags & XFS_ATTR_PARENT);
	return 0;
}

static void compare_attrs(uint32_t k, const struct xfs_inode *ip)
{
	struct seen s = { k, 0 };
	struct xfs_attrs a;
	unsigned want = 0, have = 0, links = 0;
	char text[40];
	size_t len;

	qk_assert_int_eq(xfs_attrs_verify(ip, &livefs_strict), 0);
	qk_assert_int_eq(xfs_attrs_open(&a, ip, &livefs_strict), 0);
	for (unsigned i = 0; i < ATTRS; i++) {
		struct xfs_attr_want w = attr_of(&nodes[k], i, text);
		int err = xfs_attr_get(&a, w.space, w.name, w.namelen, got, sizeof(got), &len);

		qk_assert_int_eq(err, nodes[k].attr_seed[i] ? 0 : -XFS_E_NOENT);
		if (err)
			continue;
		qk_assert_uint_eq(len, w.valuelen);
		qk_assert_mem_eq(got, value, len);
		want++;
	}
	qk_assert_int_eq(xfs_attrs_each(&a, count_attr, &have), 0);
	qk_assert_uint_eq(have, want);
	if (!l.fs->geo.parent)
		return;
	qk_assert_int_eq(xfs_parents_each(&a, compare_parent, &s), 0);
	for (unsigned i = 0; i < ENTRIES; i++)
		links += entries[i].used && entries[i].node == k;
	qk_assert_uint_eq(s.n, links);
}

static void compare(void)
{
	char target[1200], text[1200];
	size_t len;

	qk_assert_int_eq(xfs_edit_sync(l.edit), 0);
	for (uint32_t k = 0; k < NODES; k++) {
		struct node *n = &nodes[k];
		struct xfs_inode ip;

		if (!n->ino)
			continue;
		qk_assert_int_eq(xfs_inode_read(l.fs, XFS_INO(n->ino), 0, &ip), 0);
		qk_assert_int_eq(xfs_inode_verify(&ip, &livefs_strict), 0);
		qk_assert_uint_eq(ip.d.core.mode & XFS_MODE_FMT, n->mode & XFS_MODE_FMT);
		qk_assert_uint_eq(xfs_dinode_nlink(&ip.d), n->links);
		if (is_dir(k))
			compare_dir(k, &ip);
		if ((n->mode & XFS_MODE_FMT) == XFS_MODE_LNK) {
			qk_assert_int_eq(xfs_symlink_target(&ip, target, &len, &livefs_strict), 0);
			qk_assert_uint_eq(len, target_of(n, text));
			qk_assert_mem_eq(target, text, len);
		}
		compare_attrs(k, &ip);
	}
}

/* ---- running ---- */

static void start_model(unsigned seed, uint32_t n)
{
	memset(nodes, 0, sizeof(nodes));
	memset(entries, 0, sizeof(entries));
	rnd.s = seed;
	names = n;
	nodes[0] = (struct node){ .ino = l.root, .mode = XFS_MODE_DIR | 0755, .links = 2 };
}

static void run(unsigned rounds, unsigned steps)
{
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < steps; i++) {
			l.live->now.sec++;
			ops[below(XFS_ARRAY_SIZE(ops))]();
		}
		compare();
	}
}

/* Everything goes. */
static void remove_all(void)
{
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < ENTRIES; i++) {
			struct entry e = entries[i];
			char text[300];
			unsigned len;

			if (!e.used)
				continue;
			more = true;
			if (is_dir(e.node) && !is_empty(e.node))
				continue;
			len = name_of(e.name, text);
			qk_assert_int_eq((is_dir(e.node) ? xfs_name_rmdir : xfs_name_remove)(l.edit, nodes[e.dir].ino,
											     text, len), 0);
			entries[i].used = false;
			if (is_dir(e.node))
				nodes[e.dir].links--;
			lose_link(e.node);
		}
	}
	compare();
}

/* Without a log; on V5 also with one, and with a checkpoint for each transaction. */
START_TEST(model)
{
	const struct xfs_edit_options logged = { .logged = true, .each = _i % 2 };
	unsigned kinds = XFS_ARRAY_SIZE(name_shapes), i = (unsigned)_i;
	unsigned rounds = getenv("XFSKIT_LONG") ? 60 : i < kinds ? 12 : 3;

	livefs_init(&l, &name_shapes[i < kinds ? i : (i - kinds) / 2], 0, i < kinds ? NULL : &logged);
	start_model(3 + (unsigned)_i, 300);
	for (unsigned k = 0; k < 2; k++) {
		run(rounds, 600);
		livefs_check(&l);
		if (i < kinds)
			livefs_reopen(&l);
		compare();
		remove_all();
		livefs_check(&l);
	}
	livefs_release(&l);
}
END_TEST

/* ---- images ---- */

static unsigned path_of(uint32_t dir, char *path)
{
	unsigned len = 0;

	if (!dir)
		return 0;
	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used && entries[i].node == dir) {
			len = path_of(entries[i].dir, path);
			if (len)
				path[len++] = '/';
			return len + name_of(entries[i].name, path + len);
		}
	return 0;
}

static void attrs_sum(const struct node *n, char hex[65])
{
	static const struct { unsigned k; const char *prefix; } order[] = {
		{ 3, "security." }, { 2, "trusted." }, { 4, "trusted." },
		{ 0, "user." }, { 1, "user." }, { 5, "user." },
	};
	struct hash256 h;
	bool any = false;
	char text[40], full[80];

	hash256_start(&h);
	for (unsigned i = 0; i < ATTRS; i++) {
		struct xfs_attr_want w = attr_of(n, order[i].k, text);

		if (!n->attr_seed[order[i].k])
			continue;
		any = true;
		hash256_add(&h, full, (size_t)sprintf(full, "%s%s", order[i].prefix, text) + 1);
		hash256_add(&h, full, (size_t)sprintf(full, "%u", (unsigned)w.valuelen) + 1);
		hash256_add(&h, value, w.valuelen);
	}
	hash256_end(&h, hex);
	if (!any)
		strcpy(hex, "-");
}

/* As tests/box/guest-walk.c prints it. */
static void print_node(FILE *out, const struct node *n, const char *path)
{
	char sum[65] = "-", attrs[65], size[40] = "-", target[1200];
	unsigned fmt = n->mode & XFS_MODE_FMT;
	struct xfs_inode ip;
	struct hash256 h;
	size_t len;

	qk_assert_int_eq(xfs_inode_read(l.fs, XFS_INO(n->ino), 0, &ip), 0);
	hash256_start(&h);
	if (fmt == XFS_MODE_LNK) {
		len = target_of(n, target);
		hash256_add(&h, target, len);
		snprintf(size, sizeof(size), "%zu", len);
	} else if (fmt == XFS_MODE_REG) {
		snprintf(size, sizeof(size), "0");
	} else if (fmt == XFS_MODE_CHR || fmt == XFS_MODE_BLK) {
		snprintf(size, sizeof(size), "%u:%u", xfs_dev_major(n->rdev), xfs_dev_minor(n->rdev));
	}
	if (fmt == XFS_MODE_LNK || fmt == XFS_MODE_REG)
		hash256_end(&h, sum);
	attrs_sum(n, attrs);
	fprintf(out, "%c %llu %04o %u %u %u %s %s %s %s\n", "?pc?d?b?f?l?s"[fmt >> 12], (unsigned long long)n->ino,
		n->mode & 07777, ip.d.core.uid, ip.d.core.gid, n->links, size, sum, attrs, path);
}

START_TEST(image)
{
	char path[8000];
	FILE *out;

	livefs_open_image(&l, getenv("XFSKIT_IMAGE"), NULL);
	l.live->now = (struct xfs_timestamp){ 1700000000, 0 };
	start_model(17, 300);
	run(4, 800);
	livefs_check(&l);
	out = fopen(getenv("XFSKIT_EXPECT"), "w");
	ck_assert_ptr_nonnull(out);
	print_node(out, &nodes[0], ".");
	for (unsigned i = 0; i < ENTRIES; i++)
		if (entries[i].used) {
			unsigned len = path_of(entries[i].dir, path);

			if (len)
				path[len++] = '/';
			name_of(entries[i].name, path + len);
			print_node(out, &nodes[entries[i].node], path);
		}
	ck_assert_int_eq(fclose(out), 0);
	livefs_release(&l);
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("namechange");
	Suite *suite = suite_create("namechange");

	tcase_set_timeout(c, 600);
	suite_add_tcase(suite, c);
	if (getenv("XFSKIT_IMAGE")) {
		tcase_add_test(c, image);
		return vectors_main(suite);
	}
	tcase_add_loop_test(c, model, 0, XFS_ARRAY_SIZE(name_shapes) + 8);
	return vectors_main(suite);
}
