/* SPDX-License-Identifier: BSD-2-Clause */
/* namemodel.c - a naive tree of names, and system calls at random on it and on a filesystem. */
#include "tests/unit/namemodel.h"

#include "libxfs/name/dir.h"
#include "libxfs/transaction/file.h"
#include "libxfs/transaction/names.h"
#include "tests/unit/quick.h"

#include <stdio.h>

struct livefs name_fs;
struct name_node name_nodes[NAME_NODES];
struct name_entry name_entries[NAME_ENTRIES];
uint8_t name_value[XFS_ATTR_VALUE_MAX];

static struct testrand rnd;
static uint32_t names;			/* how many there are to choose from */

static uint32_t below(uint32_t n) { return testrand_below(&rnd, n); }

/* ---- the model ---- */

unsigned name_text(uint32_t id, char *name)
{
	unsigned len = (unsigned)sprintf(name, "%u", (unsigned)id);

	for (unsigned more = id * 37 % 101; more > 60 && len < 200; more--)
		name[len++] = (char)('a' + more % 26);
	name[len] = 0;
	return len;
}

size_t name_target(const struct name_node *n, char *target)
{
	size_t len = 1 + n->seed % 1023;

	if (n->seed & 0x30000)
		len = 1 + n->seed % 60;
	for (size_t i = 0; i < len; i++)
		target[i] = (char)('A' + (i + n->seed) % 50);
	target[len] = 0;
	return len;
}

struct name_entry *name_find(uint32_t dir, uint32_t name)
{
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		if (name_entries[i].used && name_entries[i].dir == dir && name_entries[i].name == name)
			return &name_entries[i];
	return NULL;
}

static struct name_entry *new_entry(void)
{
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		if (!name_entries[i].used)
			return &name_entries[i];
	return NULL;
}

static struct name_node *new_node(void)
{
	for (unsigned i = 1; i < NAME_NODES; i++)
		if (!name_nodes[i].ino)
			return &name_nodes[i];
	return NULL;
}

static uint32_t some_node(bool dir)
{
	for (;;) {
		uint32_t k = below(NAME_NODES);

		if (dir && below(3) == 0)
			return 0;
		if (name_nodes[k].ino && (name_nodes[k].mode & XFS_MODE_FMT) == XFS_MODE_DIR)
			return k;
		if (name_nodes[k].ino && !dir)
			return k;
	}
}

bool name_is_dir(uint32_t k) { return (name_nodes[k].mode & XFS_MODE_FMT) == XFS_MODE_DIR; }

bool name_is_empty(uint32_t k)
{
	for (unsigned i = 0; i < NAME_ENTRIES; i++)
		if (name_entries[i].used && name_entries[i].dir == k)
			return false;
	return true;
}

static bool lies_below(uint32_t dir, uint32_t k)
{
	for (; dir != k; dir = name_nodes[dir].parent)
		if (dir == 0)
			return false;
	return true;
}

void name_lose_link(uint32_t k)
{
	name_nodes[k].links -= name_is_dir(k) ? 2 : 1;
	if (!name_nodes[k].links)
		memset(&name_nodes[k], 0, sizeof(name_nodes[k]));
}

/* ---- operations: what they say, and what they do ---- */

static struct xfs_new_file new_file(struct name_node *n, char *target)
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
		f.targetlen = name_target(n, target);
	} else if ((n->mode & XFS_MODE_FMT) == XFS_MODE_CHR || (n->mode & XFS_MODE_FMT) == XFS_MODE_BLK) {
		n->rdev = f.rdev = xfs_dev_pack(1 + below(100), below(200));
	}
	return f;
}

static void op_create(void)
{
	uint32_t dir = some_node(true), name = below(names);
	struct name_node *n = new_node();
	struct name_entry *e = new_entry();
	char text[300], target[1200];
	unsigned len = name_text(name, text);
	struct xfs_new_file f;
	uint64_t ino = 0;
	int err;

	if (!n || !e)
		return;
	f = new_file(n, target);
	err = xfs_name_create(name_fs.edit, name_nodes[dir].ino, text, len, &f, &ino);
	if (name_find(dir, name)) {
		qk_assert_int_eq(err, -XFS_E_EXISTS);
		return;
	}
	qk_assert_msg(!err, "create: %s: %s", xfs_error_name(err), name_fs.finding);
	n->ino = ino;
	*e = (struct name_entry){ dir, name, (uint32_t)(n - name_nodes), true };
	n->links = 1;
	if (name_is_dir(e->node)) {
		n->links = 2;
		n->parent = dir;
		name_nodes[dir].links++;
	}
}

static void op_tmpfile(void)
{
	struct name_node *n = new_node();
	struct name_entry *e = new_entry();
	uint32_t dir = some_node(true), name = below(names);
	char text[300], target[1200];
	unsigned len = name_text(name, text);
	struct xfs_new_file f;
	struct xfs_live_inode *li;
	uint64_t ino;

	if (!n || !e)
		return;
	f = new_file(n, target);
	if ((n->mode & XFS_MODE_FMT) == XFS_MODE_DIR) {
		qk_assert_int_eq(xfs_name_tmpfile(name_fs.edit, name_nodes[dir].ino, &f, &ino), -XFS_E_INVALID);
		return;
	}
	qk_assert_int_eq(xfs_name_tmpfile(name_fs.edit, name_nodes[dir].ino, &f, &ino), 0);
	if (!name_find(dir, name) && below(2)) {
		qk_assert_int_eq(xfs_name_add(name_fs.edit, name_nodes[dir].ino, text, len, ino), 0);
		n->ino = ino;
		n->links = 1;
		*e = (struct name_entry){ dir, name, (uint32_t)(n - name_nodes), true };
		return;
	}
	qk_assert_int_eq(xfs_live_inode_get(name_fs.live, ino, &li), 0);
	qk_assert_int_eq(xfs_inode_inactivate(name_fs.edit, li), 0);
	xfs_live_inode_put(li);
}

static void op_link(void)
{
	uint32_t dir = some_node(true), name = below(names), k = some_node(false);
	struct name_entry *e = new_entry();
	char text[300];
	unsigned len = name_text(name, text);
	int err;

	if (!e)
		return;
	err = xfs_name_add(name_fs.edit, name_nodes[dir].ino, text, len, name_nodes[k].ino);
	if (name_is_dir(k)) {
		qk_assert_int_eq(err, -XFS_E_INVALID);
	} else if (name_find(dir, name)) {
		qk_assert_int_eq(err, -XFS_E_EXISTS);
	} else {
		qk_assert_int_eq(err, 0);
		*e = (struct name_entry){ dir, name, k, true };
		name_nodes[k].links++;
	}
}

/* Mostly a name that is there. */
static struct name_entry some_entry(void)
{
	struct name_entry e = { some_node(true), below(names), 0, false };

	for (unsigned i = 0; i < 200 && below(20); i++) {
		struct name_entry *try = &name_entries[below(NAME_ENTRIES)];

		if (try->used)
			return *try;
	}
	if (name_find(e.dir, e.name))
		e = *name_find(e.dir, e.name);
	return e;
}

static void op_remove(void)
{
	struct name_entry e = some_entry();
	bool dir = e.used ? name_is_dir(e.node) : below(2);
	char text[300];
	unsigned len = name_text(e.name, text);
	int err;

	if (below(10) == 0)
		dir = !dir;
	err = (dir ? xfs_name_rmdir : xfs_name_remove)(name_fs.edit, name_nodes[e.dir].ino, text, len);
	if (!e.used) {
		qk_assert_int_eq(err, -XFS_E_NOENT);
	} else if (dir != name_is_dir(e.node)) {
		qk_assert_int_eq(err, dir ? -XFS_E_NOTDIR : -XFS_E_INVALID);
	} else if (dir && !name_is_empty(e.node)) {
		qk_assert_int_eq(err, -XFS_E_NOTEMPTY);
	} else {
		qk_assert_msg(!err, "remove: %s: %s", xfs_error_name(err), name_fs.finding);
		name_find(e.dir, e.name)->used = false;
		if (dir)
			name_nodes[e.dir].links--;
		name_lose_link(e.node);
	}
}

static void change_parent(uint32_t k, uint32_t from, uint32_t to)
{
	if (!name_is_dir(k))
		return;
	name_nodes[from].links--;
	name_nodes[to].links++;
	name_nodes[k].parent = to;
}

/* What rename should return. */
static int judge_rename(const struct name_entry *a, const struct name_entry *b, unsigned flags)
{
	bool exchange = flags & XFS_RENAME_EXCHANGE;

	if (!a->used || (exchange && !b->used))
		return -XFS_E_NOENT;
	if (b->used && flags & XFS_RENAME_NOREPLACE)
		return -XFS_E_EXISTS;
	if (b->used && a->node == b->node)
		return 0;
	if (b->used && !exchange && name_is_dir(a->node) != name_is_dir(b->node))
		return name_is_dir(a->node) ? -XFS_E_NOTDIR : -XFS_E_INVALID;
	if ((name_is_dir(a->node) && lies_below(b->dir, a->node)) ||
	    (exchange && name_is_dir(b->node) && lies_below(a->dir, b->node)))
		return -XFS_E_INVALID;
	return b->used && !exchange && name_is_dir(b->node) && !name_is_empty(b->node) ? -XFS_E_NOTEMPTY : 0;
}

/* The device that took the old name: the directory tells its number. */
static void add_whiteout(const struct name_entry *a, const char *text, unsigned len)
{
	struct name_node *n = new_node();
	struct xfs_live_inode *li;
	struct xfs_dir d;
	xfs_ino_t ino;

	qk_assert_int_eq(xfs_live_inode_get(name_fs.live, name_nodes[a->dir].ino, &li), 0);
	qk_assert_int_eq(xfs_dir_open(&d, &li->i, NULL), 0);
	qk_assert_int_eq(xfs_dir_lookup(&d, text, len, &ino, NULL, NULL), 0);
	xfs_live_inode_put(li);
	*n = (struct name_node){ .ino = ino.v, .mode = XFS_MODE_CHR, .links = 1 };
	*new_entry() = (struct name_entry){ a->dir, a->name, (uint32_t)(n - name_nodes), true };
}

static void op_rename(void)
{
	static const unsigned kinds[] = { 0, 0, 0, XFS_RENAME_NOREPLACE, XFS_RENAME_EXCHANGE, XFS_RENAME_EXCHANGE,
					  XFS_RENAME_WHITEOUT, XFS_RENAME_WHITEOUT | XFS_RENAME_NOREPLACE };
	struct name_entry a = some_entry();
	struct name_entry b = below(2) ? some_entry() : (struct name_entry){ some_node(true), below(names), 0, false };
	char from[300], to[300];
	struct xfs_rename r = {
		.from_dir = name_nodes[a.dir].ino, .to_dir = name_nodes[b.dir].ino, .from = from, .to = to,
		.from_len = name_text(a.name, from), .to_len = name_text(b.name, to),
		.flags = kinds[below(XFS_ARRAY_SIZE(kinds))],
	};
	int err, want;

	if (!new_node() || !new_entry())
		return;
	if (name_find(b.dir, b.name))
		b = *name_find(b.dir, b.name);
	err = xfs_name_rename(name_fs.edit, &r);
	want = judge_rename(&a, &b, r.flags);
	qk_assert_msg(err == want, "rename %x: %s, not %s: %s", r.flags, xfs_error_name(err), xfs_error_name(want),
		      name_fs.finding);
	if (err || (b.used && a.node == b.node))
		return;
	change_parent(a.node, a.dir, b.dir);
	if (r.flags & XFS_RENAME_EXCHANGE) {
		change_parent(b.node, b.dir, a.dir);
		name_find(a.dir, a.name)->node = b.node;
		name_find(b.dir, b.name)->node = a.node;
		return;
	}
	name_find(a.dir, a.name)->used = false;
	if (b.used) {
		if (name_is_dir(b.node))
			name_nodes[b.dir].links--;
		name_find(b.dir, b.name)->used = false;
		name_lose_link(b.node);
	}
	*new_entry() = (struct name_entry){ b.dir, b.name, a.node, true };
	if (r.flags & XFS_RENAME_WHITEOUT)
		add_whiteout(&a, from, (unsigned)r.from_len);
}

struct xfs_attr_want name_attr(const struct name_node *n, unsigned k, char *text)
{
	static const uint8_t spaces[] = { 0, 0, XFS_ATTR_ROOT, XFS_ATTR_SECURE, XFS_ATTR_ROOT, 0 };

	for (uint32_t i = 0; i < n->attr_len[k]; i++)
		name_value[i] = (uint8_t)(n->attr_seed[k] * (i + 1) >> 7);
	return (struct xfs_attr_want){
		.name = (const uint8_t *)text,
		.namelen = (uint8_t)sprintf(text, "attr%u%s", k, k > 3 ? "-with-a-longer-name" : ""),
		.value = name_value, .valuelen = n->attr_len[k], .space = spaces[k],
	};
}

static bool may_have_user(const struct name_node *n)
{
	unsigned fmt = n->mode & XFS_MODE_FMT;

	return fmt == XFS_MODE_REG || fmt == XFS_MODE_DIR;
}

static void op_attr(void)
{
	struct name_node *n = &name_nodes[some_node(false)];
	unsigned k = below(NAME_ATTRS);
	uint32_t seed = n->attr_seed[k], len = n->attr_len[k];
	struct xfs_attr_want w;
	char text[40];

	w = name_attr(n, k, text);
	if (!w.space && !may_have_user(n))
		return;			/* Linux would not show it */
	if (below(3) == 0) {
		qk_assert_int_eq(xfs_name_attr_remove(name_fs.edit, n->ino, &w), seed ? 0 : -XFS_E_NOENT);
		n->attr_seed[k] = 0;
		return;
	}
	n->attr_seed[k] = (uint32_t)testrand_next(&rnd) | 1;
	n->attr_len[k] = below(below(10) ? 100 : below(6) ? 3000 : 20000);
	w = name_attr(n, k, text);
	if (below(4) == 0) {
		int err = xfs_name_attr_set(name_fs.edit, n->ino, &w, XFS_ATTR_CREATE);

		qk_assert_int_eq(err, seed ? -XFS_E_EXISTS : 0);
		if (err) {
			n->attr_seed[k] = seed;
			n->attr_len[k] = len;
		}
		return;
	}
	qk_assert_int_eq(xfs_name_attr_set(name_fs.edit, n->ino, &w, XFS_ATTR_ANYHOW), 0);
}

static void (*const ops[])(void) = {
	op_create, op_create, op_create, op_tmpfile, op_link, op_remove, op_remove, op_rename, op_rename, op_attr,
};

void name_step(void)
{
	name_fs.live->now.sec++;
	ops[below(XFS_ARRAY_SIZE(ops))]();
}

/* ---- the beginning ---- */

void name_start(unsigned seed, uint32_t n)
{
	memset(name_nodes, 0, sizeof(name_nodes));
	memset(name_entries, 0, sizeof(name_entries));
	rnd.s = seed;
	names = n;
	name_nodes[0] = (struct name_node){ .ino = name_fs.root, .mode = XFS_MODE_DIR | 0755, .links = 2 };
}
